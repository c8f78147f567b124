"""The layout of a generalizability study: who or what is crossed, and what is nested."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from expertise.errors import DesignError
from expertise.triads.tables import Array, long_rows

Term = tuple[int, ...]
Codes = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """Observations laid over the person (factor 0) and the facets (1, 2, …).

    `codes` (n, factors) numbers the levels of each factor, a nested facet
    within all the facets that hold it; `within` lists for each factor those
    that hold it; `terms` are the effects, each a set of factors that
    contains what holds its members; the last is the residual.
    """

    names: tuple[str, ...]
    within: tuple[Term, ...]
    codes: Codes
    y: Array
    terms: tuple[Term, ...]

    @cached_property
    def cells(self) -> dict[Term, Codes]:
        """A code per row for the cell of each term, and for the mean `()`."""
        return {term: cell_codes(self.codes, term) for term in ((), *self.terms)}

    @cached_property
    def balanced(self) -> bool:
        """Whether every cell of every term has as many rows as the others of that term."""
        sizes = [np.bincount(code) for code in self.cells.values()]
        full = len(self.y) == np.prod([self.count(at) for at in range(len(self.names))])
        return bool(full and all(np.ptp(size) == 0 for size in sizes))

    def count(self, factor: int) -> int:
        """Return how many levels a factor has: the most, within one level of what holds it."""
        if not self.within[factor]:
            return int(np.count_nonzero(np.bincount(self.codes[:, factor])))
        own = np.unique(self.codes[:, [*self.within[factor], factor]], axis=0)
        return int(np.unique(own[:, :-1], axis=0, return_counts=True)[1].max())

    def drawn(self, people: Codes) -> "Study":
        """Return the study of these persons, each a person of its own however often drawn."""
        order = np.argsort(self.codes[:, 0], kind="stable")
        each = np.split(order, np.cumsum(np.bincount(self.codes[:, 0]))[:-1])
        rows = np.concatenate([each[who] for who in people])
        codes = self.codes[rows]
        codes[:, 0] = np.repeat(np.arange(len(people)), [len(each[who]) for who in people])
        return Study(
            names=self.names, within=self.within, codes=codes, y=self.y[rows], terms=self.terms
        )

    def label(self, term: Term) -> str:
        """Name a term, a nested facet as `item:section`."""
        top = [at for at in term if not any(at in self.within[other] for other in term)]
        return " × ".join(
            ":".join([self.names[at], *(self.names[up] for up in self.within[at])]) for at in top
        )


def cell_codes(codes: Codes, term: Term) -> Codes:
    """Return a code per row for the combination of the factors in a term."""
    if not term:
        return np.zeros(len(codes), dtype=np.intp)
    key = codes[:, term[0]].astype(np.int64)
    for at in term[1:]:
        key = key * (int(codes[:, at].max()) + 1) + codes[:, at]
    return np.unique(key, return_inverse=True)[1]


def lay_out(
    table: pd.DataFrame, person: str, facets: Sequence[str], value: str, order: int | None
) -> Study:
    """Check a long table and lay it out.

    Raises
    ------
    DataError, DesignError
        For a table that cannot carry the study; see `dependability`.
    """
    if isinstance(facets, str) or not facets:
        raise DesignError("facets is a list of columns, such as ['perspective', 'item']")
    own = [facet.split(":") for facet in facets]
    names = (person, *(parts[0] for parts in own))
    if len(set(names)) < len(names):
        raise DesignError(f"each factor is named once; {', '.join(names)} repeats one")
    for parts in own:
        for up in parts[1:]:
            if up not in names:
                raise DesignError(
                    f"{parts[0]!r} is nested in {up!r}, which is neither the person nor a facet"
                )
    within: tuple[Term, ...] = (
        (),
        *(tuple(sorted(names.index(up) for up in parts[1:])) for parts in own),
    )
    rows = long_rows(table, names, value)
    for at, name in enumerate(names):
        if rows[name].nunique() < 2:
            raise DesignError(
                f"{name!r} has one level only; a person or facet needs two or more, or is left out"
            )
        if within[at]:
            _check_replicated(rows, name, [names[up] for up in within[at]])
    codes = np.column_stack([pd.factorize(rows[name], sort=False)[0] for name in names])
    return Study(
        names=names, within=within, codes=codes.astype(np.intp), y=rows[value].to_numpy(),
        terms=_terms(within, order),
    )  # fmt: skip


def _check_replicated(rows: pd.DataFrame, name: str, holders: list[str]) -> None:
    most = rows.groupby(holders, observed=True)[name].nunique().max()
    if most < 2:
        raise DesignError(
            f"{name!r} has one level in each {':'.join(holders)}; nested levels need two or more"
        )


def _terms(within: tuple[Term, ...], order: int | None) -> tuple[Term, ...]:
    """Return every set of factors that holds its holders, small ones first; the last is full."""
    every = range(len(within))
    if order is not None and order < 1:
        raise DesignError(f"order is {order}; it is 1 or more, such as 2 for all two-way terms")
    most = len(within) if order is None else order
    closed = [
        term
        for size in range(1, len(within))
        for term in combinations(every, size)
        if all(set(within[at]) <= set(term) for at in term)
        and len([at for at in term if not any(at in within[o] for o in term)]) <= most
    ]
    return (*closed, tuple(every))
