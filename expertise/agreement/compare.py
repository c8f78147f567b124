"""What coders mark alike and differently, within and between perspectives."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from itertools import combinations
from typing import Any, Unpack

import numpy as np
import pandas as pd

from expertise.agreement.alphas import alpha
from expertise.agreement.codings import Codings, check_columns, meet, read_codings, whole
from expertise.agreement.coefficient import (
    Array,
    Coefficient,
    IntervalOptions,
    Plan,
    Sums,
    chance_corrected,
    over,
    with_interval,
)
from expertise.agreement.differences import differing_passages
from expertise.agreement.kappas import ac1
from expertise.agreement.proportions import (
    negative_agreement,
    percent_agreement,
    positive_agreement,
)
from expertise.errors import CodingError, listed
from expertise.result import Result, notes_html, shown, table_html, tidy_table
from expertise.words import Note, note, say

ALL = "(all)"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CoderComparison(Result):
    """What coders marked alike and differently.

    Attributes
    ----------
    differences : DataFrame
        A row for each passage that some marked and others did not:
        document, start, end, code, marked_by, not_marked_by,
        perspectives_marked, perspectives_not (tuples of names). Coders who
        had not finished the document are in neither.
    coefficients : DataFrame
        The rows of `tidy()`; component is code, pair, within, between or
        document, and term names the coefficient.
    n_documents, n_units, n_coders : int
        Documents that two coders finished, their units, and coders.
    """

    differences: pd.DataFrame
    coefficients: pd.DataFrame
    n_documents: int
    n_units: int
    n_coders: int
    n_boot: int
    seed: int
    notes: tuple[Note, ...] = ()

    def heading(self) -> str:
        """Say how much was compared, and how many passages differ."""
        return say(
            "agreement.comparison", n_coders=self.n_coders, n_documents=self.n_documents,
            n_units=self.n_units, n=len(self.differences),
        )  # fmt: skip

    def tidy(self) -> pd.DataFrame:
        """Return every coefficient, a row each."""
        return self.coefficients.copy()

    def augment(self) -> pd.DataFrame:
        """Return the passages that differ."""
        return self.differences.copy()

    def glance(self) -> pd.DataFrame:
        """Return the sizes, in one row."""
        names = ("n_documents", "n_units", "n_coders", "n_boot", "seed")
        row = {name: getattr(self, name) for name in names}
        return pd.DataFrame([row | {"n_differences": len(self.differences)}])

    def part(self, component: str) -> pd.DataFrame:
        """Return the rows of one component: code, pair, within, between or document."""
        rows = self.coefficients[self.coefficients["component"] == component]
        return rows.dropna(axis=1, how="all").reset_index(drop=True)

    def marked_only_by(self, perspective: str) -> pd.DataFrame:
        """Return the passages that readers from one perspective marked, and nobody else did."""
        alone = self.differences["perspectives_marked"].map(lambda held: held == (perspective,))
        return self.differences[alone.astype(bool)].reset_index(drop=True)

    def __repr__(self) -> str:
        lines = [self.heading(), shown(self._main()).to_string(index=False)]
        return "\n".join([*lines, *(f"- {each}" for each in self.notes)])

    def _repr_html_(self) -> str:
        title = f"<p><strong>{self.heading()}</strong></p>"
        return title + table_html(shown(self._main())) + notes_html(self.notes)

    def _main(self) -> pd.DataFrame:
        rows = self.coefficients
        main = rows["component"].isin(["within", "between"]) & (rows["code"] == ALL)
        return rows[main].dropna(axis=1, how="all").reset_index(drop=True)


def compare_coders(
    codings: pd.DataFrame,
    *,
    units: pd.DataFrame,
    finished: pd.DataFrame,
    perspectives: Mapping[str, str],
    **options: Unpack[IntervalOptions],
) -> CoderComparison:
    """Compare coders per code, document and pair, within and between perspectives.

    Each code is one decision per unit: marked (by at least one character)
    or not. A document that a coder skipped, gave back or never opened is
    missing for that coder, never "no code".

    Parameters
    ----------
    codings : DataFrame
        Columns document, coder, code, start, end.
    units : DataFrame
        Columns document, start, end: the sentences or segments to decide on.
    finished : DataFrame
        Columns document, coder: who finished what.
    perspectives : mapping
        The perspective from which each coder read.
    conf_level, seed, n_boot
        As for `alpha`; documents are resampled.

    Returns
    -------
    CoderComparison
        Between perspectives, *difference* is the share of units that the
        first marked minus that of the second, over all their pairs of
        coders; *kappa* is Conger's over those pairs. A perspective that one
        coder holds gives differences without interval.

    Raises
    ------
    CodingError
        For a coder without perspective, units that overlap, and what
        `unitizing_alpha` refuses.

    References
    ----------
    Conger, A. J. (1980). doi:10.1037/0033-2909.88.2.322; Cicchetti, D. V., &
    Feinstein, A. R. (1990). doi:10.1016/0895-4356(90)90159-M

    Examples
    --------
    >>> import pandas as pd
    >>> units = pd.DataFrame({"document": "d", "start": [0, 10], "end": [10, 20]})
    >>> finished = pd.DataFrame({"document": "d", "coder": ["Ans", "Bo"]})
    >>> codings = pd.DataFrame(
    ...     [("d", "Ans", "hoop", 2, 6)], columns=["document", "coder", "code", "start", "end"]
    ... )
    >>> found = compare_coders(
    ...     codings, units=units, finished=finished,
    ...     perspectives={"Ans": "naaste", "Bo": "professional"},
    ... )
    >>> found.differences[["start", "end", "marked_by", "not_marked_by"]].values.tolist()
    [[2, 6, ('Ans',), ('Bo',)]]
    """
    plan, ends = Plan(**options), _ends(codings, units, finished)
    found = read_codings(codings, ends, finished)
    lacking = [coder for coder in found.coders if coder not in perspectives]
    if lacking:
        raise CodingError(
            f"no perspective for coder {lacking[0]!r}; perspectives has {listed(perspectives)}"
        )
    held = [perspectives[coder] for coder in found.coders]
    found = found.within(found.finished.sum(1) > 1)
    document, marks = _decisions(found, units)
    rows, said = [], list(found.notes)
    if not found.finished.any():
        said.append(note("agreement.no_shared_document"))
    elif not len(found.start):
        said.append(note("agreement.no_codings"))
    else:
        cells = _Cells(found, document, marks, plan)
        rows = [
            *cells.by_code(),
            *cells.by_pair(),
            *cells.by_document(),
            *cells.by_perspective(held),
        ]
        said += cells.said
    for perspective in sorted(set(held)):
        if held.count(perspective) < 2:
            said.append(note("agreement.one_holder", perspective=perspective))
    table = tidy_table(pd.DataFrame(rows, columns=list(_COLUMNS)))
    return CoderComparison(
        differences=differing_passages(found, held), coefficients=table,
        n_documents=int(found.finished.any(1).sum()), n_units=len(document),
        n_coders=len(found.coders), n_boot=plan.n_boot, seed=plan.seed,
        notes=tuple({str(each): each for each in said}.values()),
    )  # fmt: skip


def _ends(codings: pd.DataFrame, units: pd.DataFrame, finished: pd.DataFrame) -> pd.Series:
    """Return the farthest position that units or codings name in each document."""
    check_columns(units, ("document", "start", "end"), "units")
    check_columns(codings, ("document", "coder", "code", "start", "end"), "codings")
    check_columns(finished, ("document", "coder"), "finished")
    document = np.concatenate([units["document"], codings["document"]])
    end = np.concatenate([whole(units, "end", "units"), whole(codings, "end", "codings")])
    far = pd.Series(end).groupby(document).max()
    return far.reindex(far.index.union(finished["document"].unique()), fill_value=0)


def _decisions(found: Codings, units: pd.DataFrame) -> tuple[Array, Array]:
    """Return each unit's document, (N,), and whether it was marked, (N, m, C), NaN unread."""
    spans = found.document, found.start, found.end
    document, unit, passage = meet(units, "units", found.documents, spans)
    read = found.finished[document]
    marks = np.where(read[:, :, None], np.zeros(len(found.codes)), np.nan)
    marks[unit, found.coder[passage], found.code[passage]] = 1
    shared = read.any(1)
    return document[shared], marks[shared]


class _Cells:
    """The decisions of coders, counted by document, pair of coders and code."""

    def __init__(self, found: Codings, document: Array, marks: Array, plan: Plan) -> None:
        self.found, self.document, self.marks, self.plan = found, document, marks, plan
        self.pairs = list(combinations(range(len(found.coders)), 2))
        self.said: list[Note] = []
        shape = (len(found.documents), len(self.pairs), len(found.codes), 4)
        # Units read by both, marked by both, only by the first, only by the second.
        self.counts = np.zeros(shape)
        for at, (i, j) in enumerate(self.pairs):
            one, other = marks[:, i], marks[:, j]
            cells = [one + other >= 0, one + other == 2, one > other, other > one]
            np.add.at(self.counts[:, at], document, np.stack(cells, axis=-1).astype(float))

    def by_code(self) -> Iterable[dict[str, Any]]:
        """Yield each code's coefficients over all coders."""
        for at, code in enumerate(self.found.codes):
            table = pd.DataFrame(self.marks[:, :, at], columns=self.found.coders)
            for term, measure in _MEASURES.items():
                result = measure(table, cluster=self.document, **asdict(self.plan))
                row = result.tidy().iloc[0].to_dict()
                yield {"component": "code", "code": code, "term": term, **row}

    def by_pair(self) -> Iterable[dict[str, Any]]:
        """Yield agreement of each pair of coders, over all codes and by code."""
        for at, (i, j) in enumerate(self.pairs):
            names = f"{self.found.coders[i]} – {self.found.coders[j]}"
            yield from self._rows("pair", names, self.counts[:, [at]], ("kappa", *SEEN))

    def by_document(self) -> Iterable[dict[str, Any]]:
        """Yield agreement in each document over all pairs and codes, without interval."""
        for at in np.flatnonzero(self.found.finished.any(1)):
            sums = self.counts[at].reshape(1, -1)
            for term in SEEN:
                yield {
                    "component": "document", "document": self.found.documents[at], "code": ALL,
                    "term": term, "estimate": float(_TERMS[term](sums)[0]),
                    "n": int((self.document == at).sum()),
                }  # fmt: skip

    def by_perspective(self, held: list[str]) -> Iterable[dict[str, Any]]:
        """Yield agreement within each perspective, and agreement and difference between two."""
        for one in sorted(set(held)):
            own = [at for at, (i, j) in enumerate(self.pairs) if held[i] == held[j] == one]
            if own:
                yield from self._rows("within", one, self.counts[:, own], ("kappa", *SEEN))
        for one, other in combinations(sorted(set(held)), 2):
            across = [
                at for at, pair in enumerate(self.pairs) if {held[i] for i in pair} == {one, other}
            ]
            counts = self.counts[:, across].copy()
            turned = [held[self.pairs[at][0]] == other for at in across]
            counts[:, turned] = counts[:, turned][..., [0, 1, 3, 2]]
            alone = min(held.count(one), held.count(other)) < 2
            terms = SEEN if alone else ("kappa", *SEEN)
            names = f"{one} – {other}"
            yield from self._rows("between", names, counts, ("difference", *terms), not alone)

    def _rows(
        self, component: str, group: str, counts: Array, terms: Iterable[str], interval: bool = True
    ) -> Iterable[dict[str, Any]]:
        read = counts[..., 0].any((1, 2))
        for at, code in [
            (slice(None), ALL),
            *((slice(k, k + 1), c) for k, c in enumerate(self.found.codes)),
        ]:
            columns = counts[read][:, :, at]
            columns = columns.reshape(len(columns), columns[:1].size)
            sums = Sums(columns, np.ones(len(columns), dtype=int))
            n = int(counts[:, :, 0, 0].max(1).sum()) if counts.size else 0
            for term in terms:
                row = {"component": component, "group": group, "code": code, "term": term, "n": n}
                if interval and len(columns):
                    estimates, said = with_interval(sums, _TERMS[term], self.plan)
                    self.said += said if code == ALL else []
                    row |= estimates | {"conf_level": self.plan.conf_level}
                else:
                    row["estimate"] = float(_TERMS[term](sums.total()[None])[0])
                yield row


def _pooled(sums: Array) -> Array:
    """Return counts (…, 4) of decisions from sums over pairs and codes, laid flat."""
    return sums.reshape(*sums.shape[:-1], -1, 4)


def _percent(sums: Array) -> Array:
    n, _, first, second = np.moveaxis(_pooled(sums).sum(-2), -1, 0)
    return over(n - first - second, n)


def _positive(sums: Array) -> Array:
    _, both, first, second = np.moveaxis(_pooled(sums).sum(-2), -1, 0)
    return over(2 * both, 2 * both + first + second)


def _difference(sums: Array) -> Array:
    n, _, first, second = np.moveaxis(_pooled(sums).sum(-2), -1, 0)
    return over(first - second, n)


def _kappa(sums: Array) -> Array:
    n, both, first, second = np.moveaxis(_pooled(sums), -1, 0)
    one, other = over(both + first, n), over(both + second, n)
    alike = np.where(n.real > 0, n * (one * other + (1 - one) * (1 - other)), 0)
    return chance_corrected(_percent(sums), over(alike.sum(-1), n.sum(-1)))


SEEN = ("percent", "positive")
_COLUMNS = (
    "component", "term", "group", "code", "document", "estimate", "std_error", "conf_low",
    "conf_high", "conf_level", "n", "method",
)  # fmt: skip
_MEASURES: dict[str, Callable[..., Coefficient]] = {
    "alpha": alpha,
    "ac1": partial(ac1, categories=[0, 1]),
    "percent": percent_agreement,
    "positive": positive_agreement,
    "negative": negative_agreement,
}
_TERMS = {"kappa": _kappa, "percent": _percent, "positive": _positive, "difference": _difference}
