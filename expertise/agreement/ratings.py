"""A table of units × coders, folded into the few patterns of judgement that occur."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from expertise.agreement.coefficient import Array, Sums
from expertise.errors import DataError, listed, nearest
from expertise.words import Note, note


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """Distinct rows of a table of units × coders, and how often each occurs.

    Attributes
    ----------
    values : sequence of length q
        The categories, in order.
    ordered : bool
        Whether that order means something.
    rows : (P, m) int array
        Category of each coder in each pattern; −1 is missing.
    sizes : (P,) int array
        Units with this pattern. Units that nobody judged are left out.
    by_cluster : (C, P) sparse array or None
        Units with this pattern in each cluster; None: every unit is its own.
    """

    values: Sequence[Any]
    ordered: bool
    rows: Array
    sizes: Array
    by_cluster: Any
    notes: tuple[Note, ...]

    @property
    def q(self) -> int:
        """Number of categories."""
        return len(self.values)

    @property
    def m(self) -> int:
        """Number of coders."""
        return int(self.rows.shape[1])

    @property
    def judged(self) -> Array:
        """How many coders judged each pattern, (P,)."""
        return np.asarray((self.rows >= 0).sum(1))

    @property
    def n_pairable(self) -> int:
        """Units judged by at least two coders."""
        return int(self.sizes[self.judged > 1].sum())

    def counts(self) -> Any:
        """Return how many coders chose each category in each pattern, sparse (P, q)."""
        row, coder = np.nonzero(self.rows >= 0)
        cells = (np.ones(len(row)), (row, self.rows[row, coder]))
        return sparse.coo_array(cells, (len(self.rows), self.q)).tocsr()

    def paired(self, distance: Callable[[Array, Array], Array]) -> Array:
        """Return the sum of `distance(category, category)` over ordered pairs of coders, (P,)."""
        out = np.zeros(len(self.rows))
        for i in range(self.m):
            for j in range(i):
                both = np.flatnonzero((self.rows[:, i] >= 0) & (self.rows[:, j] >= 0))
                one, other = self.rows[both, i], self.rows[both, j]
                out[both] += distance(one, other).astype(float) + distance(other, one)
        return out

    def numbers(self) -> Array:
        """Return the categories as numbers, (q,); text has its rank when the order is known."""
        if all(isinstance(value, Number | np.bool_) for value in self.values):
            return np.array([float(value) for value in self.values])
        if self.ordered:
            return np.arange(1.0, self.q + 1)
        raise DataError(
            f"the categories {listed(map(repr, self.values))} are text, and their order is not "
            "known; give numbers, an ordered categorical, or categories=[...] from low to high"
        )

    def only(self, keep: Array) -> "Ratings":
        """Return the patterns for which `keep` holds."""
        by_cluster = None if self.by_cluster is None else self.by_cluster[:, keep]
        return Ratings(
            values=self.values, ordered=self.ordered, rows=self.rows[keep],
            sizes=self.sizes[keep], by_cluster=by_cluster, notes=self.notes,
        )  # fmt: skip

    def sums(self, columns: Any) -> Sums:
        """Return sums per pattern, (P, K), as sums per thing that is resampled."""
        if self.by_cluster is None:
            return Sums(columns, self.sizes)
        return Sums(self.by_cluster @ columns, np.ones(self.by_cluster.shape[0], dtype=int))


def read_ratings(
    table: pd.DataFrame, cluster: Any = None, categories: Iterable[Any] | None = None
) -> Ratings:
    """Fold a table of units × coders into patterns.

    Raises
    ------
    DataError
        For two coders of one name, a set in a cell, numbers mixed with text, a value outside
        `categories`, or a cluster that is missing or of another length.
    """
    table = pd.DataFrame(table)
    if isinstance(cluster, str):
        if cluster not in table.columns:
            raise DataError(
                f"no column {cluster!r} to cluster by; the table has {listed(table.columns)}"
                f"{nearest(cluster, table.columns)}"
            )
        cluster, table = table[cluster], table.drop(columns=cluster)
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()].unique()
        raise DataError(
            f"coders appear in two columns: {listed(twice)}; give each coder one column"
        )
    codes, values, ordered = _categories(table, categories)
    groups = _clusters(cluster, table.index)
    notes = []
    silent = ~(codes >= 0).any(axis=0)
    if silent.any() and len(table):
        notes.append(note("agreement.silent_coder", coders=listed(table.columns[silent])))
        codes = codes[:, ~silent]
    judged = (codes >= 0).any(axis=1) if codes.size else np.zeros(len(codes), dtype=bool)
    if not judged.all():
        notes.append(note("agreement.unjudged", n=int((~judged).sum())))
        codes, groups = codes[judged], None if groups is None else groups[judged]
    pattern = _fold(codes, len(values))
    first = np.unique(pattern, return_index=True)[1]
    by_cluster = None
    if groups is not None:
        groups = pd.factorize(groups, sort=True)[0]
        cells = (np.ones(len(pattern)), (groups, pattern))
        by_cluster = sparse.coo_array(cells, (groups.max(initial=-1) + 1, len(first))).tocsr()
    else:
        notes.append(note("agreement.units_alone"))
    return Ratings(
        values=values, ordered=ordered, rows=codes[first], sizes=np.bincount(pattern),
        by_cluster=by_cluster, notes=tuple(notes),
    )  # fmt: skip


def _fold(codes: Array, q: int) -> Array:
    """Return the number of each distinct row, folding in a column at a time: nothing overflows."""
    key = np.zeros(len(codes), dtype=np.int64)
    for column in codes.T:
        key = pd.factorize(key * (q + 1) + column, sort=True)[0]
    return key


def _categories(table: pd.DataFrame, declared: Iterable[Any] | None) -> tuple[Array, Any, bool]:
    """Return codes (n, m), −1 for missing, with the categories and whether they are ordered."""
    if not table.shape[1]:
        return np.empty((len(table), 0), dtype=int), [], False
    flat = pd.concat([table[name] for name in table], ignore_index=True)
    ordered = isinstance(flat.dtype, pd.CategoricalDtype) and bool(flat.dtype.ordered)
    if ordered and declared is None:
        declared = flat.dtype.categories
    try:
        codes, seen = pd.factorize(flat)
    except TypeError:
        unlike = next(value for value in flat if isinstance(value, set | list | dict))
        raise DataError(
            f"a cell holds {unlike!r}, a {type(unlike).__name__}; a cell holds one category, and "
            "set_alpha compares sets of codes"
        ) from None
    seen = list(seen)
    kinds = {"numbers" if isinstance(value, Number | np.bool_) else "text" for value in seen}
    if len(kinds) > 1 and declared is None:
        raise DataError(
            f"the table mixes numbers and text, such as {_of_kind(seen, True)!r} and "
            f"{_of_kind(seen, False)!r}; these never agree: write every category in one way"
        )
    if declared is None:
        values = sorted(seen, key=_sort_key)
    else:
        values, ordered = list(dict.fromkeys(declared)), True
        strange = [value for value in seen if value not in values]
        if strange:
            raise DataError(
                f"unknown category {strange[0]!r}; categories are {listed(values)}"
                f"{nearest(strange[0], values)}"
            )
    place = {value: i for i, value in enumerate(values)}
    rank = np.array([place[value] for value in seen] + [-1])
    return rank[codes].reshape(table.shape[1], -1).T, values, ordered


def _of_kind(values: list[Any], numeric: bool) -> Any:
    return next(v for v in values if isinstance(v, Number | np.bool_) == numeric)


def _sort_key(value: Any) -> Any:
    if isinstance(value, frozenset):
        return (len(value), sorted(map(str, value)))
    return value if isinstance(value, Number | np.bool_ | str) else str(value)


def _clusters(cluster: Any, index: pd.Index) -> Array | None:
    if cluster is None:
        return None
    if isinstance(cluster, pd.Series) and not cluster.index.equals(index):
        if not (cluster.index.is_unique and index.isin(cluster.index).all()):
            raise DataError(
                "cluster has another index than the table; give one value for each unit"
            )
        cluster = cluster.reindex(index)
    values = pd.Series(cluster).reset_index(drop=True)
    if len(values) != len(index):
        raise DataError(
            f"cluster has {len(values)} values and the table {len(index)} units; "
            "give one value for each unit"
        )
    if values.isna().any():
        row = index[int(values.isna().to_numpy().argmax())]
        raise DataError(f"unit {row!r} has no cluster; give one value for each unit")
    return np.asarray(pd.factorize(values, sort=True)[0])
