"""Sums a mixed model's rows chunk by chunk, in one pass, with people who lie in several chunks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from expertise.errors import DesignError
from expertise.mixed.columns import Array, Frame
from expertise.mixed.sumplan import Plan, make_plan, outcome_of, read_chunk
from expertise.mixed.sums import MixedSums, merged

_HOLD = 50_000


def reduce_mixed(
    formula: str,
    data: pd.DataFrame | Iterable[pd.DataFrame],
    *,
    levels: Mapping[str, Sequence[Any]] | None = None,
    hold: int = _HOLD,
) -> MixedSums:
    """Sum the rows of a gaussian mixed model with independent residuals, in one pass.

    Parameters
    ----------
    formula : str
        As in `fit_mixed`; poly and bs are refused, their columns depend on
        all rows.
    data : DataFrame or iterable of DataFrame
        A table, or its chunks. A person's rows may lie in several chunks.
    levels : mapping, optional
        The levels of every categorical predictor, reference first, and of
        every grouping but the people.
    hold : int
        How many people's sums are held open. Beyond that, people who are
        not in the latest chunk are closed; rows of theirs that come later
        are refused, since sums of people cannot be reopened.

    Returns
    -------
    MixedSums
        Its size depends on the number of patterns of rows, not of rows.
        Without patterns (real dates) it keeps sums per person.

    Raises
    ------
    DesignError
        For a plan that cannot be summed, no rows, or rows of a closed person.
    DataError
        For a level that was not declared.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"y": [1.0, 2, 4, 3, 5, 7, 4, 6], "g": list("aabbccdd"), "t": [0, 1] * 4})
    >>> sums = reduce_mixed("y ~ t + (1 | g)", [table[:3], table[3:]])
    >>> sums.n, sums.people
    (8, 4)
    """
    plan = make_plan(formula, levels)
    summing = _Summing(plan, hold)
    for chunk in [data] if isinstance(data, pd.DataFrame) else data:
        summing.add(chunk)
    return summing.finish()


class _Summing:
    """The sums so far: of people still open, by key, and of those closed."""

    def __init__(self, plan: Plan, hold: int) -> None:
        self.plan, self.hold = plan, hold
        self.m = sum(len(layout.names) for layout in plan.inside)
        self.d, self.p = sum(plan.sizes), len(plan.fixed.names)
        self.columns = self.d + self.p + 1
        self.keys = pd.Index([])
        self.marks = np.zeros(0, dtype=np.uint64)
        self.grams = np.zeros((0, self.m, self.m))
        self.V = np.zeros((0, self.m, self.columns))
        self.cross = np.zeros((self.columns, self.columns))
        self.n = self.dropped = 0
        self.closed: list[MixedSums] = []
        self.gone = np.zeros(0, dtype=np.uint64)

    def add(self, chunk: pd.DataFrame) -> None:
        """Add the rows of a chunk."""
        frame, n, dropped = read_chunk(self.plan, chunk)
        self.dropped += dropped
        if not n:
            return
        X = self.plan.fixed.matrix(frame, n)
        Z = np.concatenate([layout.matrix(frame, n) for layout in self.plan.inside], axis=1)
        y = outcome_of(self.plan, frame)
        if self.n == 0:
            self._shift(X, y, Z)
        X, Z = X @ self.X, Z @ self.Z
        W = np.column_stack([X, y - X @ self.shift])
        C = self._crossed(frame, n)
        self._cross(C, W)
        code, keys = pd.factorize(self.plan.keys(frame))
        sums = _by_group(code, len(keys), Z, W, C)
        self.n += n
        self._merge(pd.Index(keys), *sums)

    def _shift(self, X: Array, y: Array, Z: Array) -> None:
        """Fix the shift and scale of all columns by the first chunk."""
        self.X = centred(X)
        inner = X @ self.X
        self.shift: Array = np.asarray(np.linalg.lstsq(inner, y, rcond=None)[0])
        at, parts = 0, []
        for layout in self.plan.inside:
            q = len(layout.names)
            parts.append(centred(Z[:, at : at + q]))
            at += q
        self.Z = np.zeros((self.m, self.m))
        at = 0
        for part in parts:
            self.Z[at : at + len(part), at : at + len(part)] = part
            at += len(part)

    def _crossed(self, frame: Frame, n: int) -> sparse.csr_array | None:
        if not self.d:
            return None
        starts = np.cumsum([0, *self.plan.sizes])[:-1]
        at = np.column_stack(
            [
                start + code
                for start, code in zip(starts, self.plan.crossed_codes(frame), strict=True)
            ]
        )
        ends = np.arange(n + 1) * at.shape[1]
        return sparse.csr_array((np.ones(at.size), at.ravel(), ends), shape=(n, self.d))

    def _cross(self, C: sparse.csr_array | None, W: Array) -> None:
        d = self.d
        self.cross[d:, d:] += W.T @ W
        if C is not None:
            self.cross[:d, :d] += (C.T @ C).toarray()
            side = C.T @ W
            self.cross[:d, d:] += side
            self.cross[d:, :d] += side.T

    def _merge(self, keys: pd.Index, grams: Array, V: Array) -> None:
        marks = (
            pd.util.hash_array(keys.to_numpy())
            if keys.nlevels == 1
            else (pd.util.hash_pandas_object(keys.to_frame(), index=False).to_numpy())
        )
        at = np.searchsorted(self.gone, marks).clip(max=len(self.gone) - 1)
        if len(self.gone) and (self.gone[at] == marks).any():
            raise DesignError(
                f"rows of a {':'.join(self.plan.people)} come back after it was closed; sort the "
                f"chunks by it, or raise hold= (now {self.hold})"
            )
        if not len(self.keys) and not self.closed:
            self.keys, self.marks, self.grams, self.V = keys, marks, grams, V
        else:
            at = self.keys.get_indexer(keys)
            known = at >= 0
            self.grams[at[known]] += grams[known]
            self.V[at[known]] += V[known]
            self.keys = self.keys.append(keys[~known])
            self.marks = np.append(self.marks, marks[~known])
            self.grams = np.concatenate([self.grams, grams[~known]])
            self.V = np.concatenate([self.V, V[~known]])
        if len(self.keys) > self.hold:
            self._close(~np.isin(self.marks, marks))

    def _close(self, which: Any) -> None:
        if not which.any():
            return
        self.closed.append(self._sums(self.grams[which], self.V[which]))
        if len(self.closed) > 8:
            self.closed = [merged(self.closed)]
        both = np.concatenate([self.gone, np.sort(self.marks[which])])
        self.gone = np.sort(both, kind="stable")  # two sorted runs: merged, not sorted anew
        self.keys, self.marks = self.keys[~which], self.marks[~which]
        self.grams, self.V = self.grams[~which], self.V[~which]

    def _sums(self, grams: Array, V: Array) -> MixedSums:
        people = len(grams)
        return merged(
            [
                MixedSums(
                    formula=self.plan.formula.text, levels=self.plan.levels, n=0, people=people,
                    dropped=0, grams=grams, counts=np.ones(people), pattern=np.arange(people),
                    V=V.transpose(1, 0, 2), weight=np.ones(people),
                    cross=np.zeros_like(self.cross), X=self.X, shift=self.shift, Z=self.Z,
                )
            ]
        )  # fmt: skip

    def finish(self) -> MixedSums:
        """Return all sums as one."""
        if not self.n:
            raise DesignError("there are no complete rows to sum")
        whole = merged([*self.closed, self._sums(self.grams, self.V)])
        return replace(whole, n=self.n, dropped=self.dropped, cross=self.cross)


def centred(X: Array) -> Array:
    """Return T (q, q) that centres the columns of X, where one is constant, and scales them."""
    T = np.eye(X.shape[1])
    constant = np.flatnonzero((np.ptp(X, axis=0) == 0) & (X[0] != 0))
    scale = np.sqrt((X**2).mean(axis=0))
    if len(constant):
        at = constant[0]
        others = np.arange(X.shape[1]) != at
        T[at, others] = -X[:, others].mean(axis=0) / X[0, at]
        scale = np.where(others, X.std(axis=0), abs(X[0, at]))
    return T / np.where(scale > 0, scale, 1.0)


def _by_group(
    code: Any, count: int, Z: Array, W: Array, C: sparse.csr_array | None
) -> tuple[Array, Array]:
    """Return Z'Z (count, m, m) and Z'[C W] (count, m, d + w) by group."""
    n, m = Z.shape
    grams = np.empty((count, m, m))
    for a in range(m):
        for b in range(a + 1):
            grams[:, a, b] = grams[:, b, a] = np.bincount(code, Z[:, a] * Z[:, b], count)
    at = (code[:, None] * m + np.arange(m)).ravel()
    E = sparse.csr_array((Z.ravel(), at, np.arange(n + 1) * m), shape=(n, count * m))
    own = (E.T @ W).reshape(count, m, -1)
    if C is None:
        return grams, own
    shared = (E.T @ C).toarray().reshape(count, m, -1)
    return grams, np.concatenate([shared, own], axis=2)
