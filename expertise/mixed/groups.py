"""The groupings of a model (people, teams, items) and the coefficients that vary over them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from expertise.mixed.columns import Array, Codes, Frame, recode
from expertise.mixed.formula import Bar
from expertise.mixed.nodes import Node
from expertise.mixed.variables import Layout, Variable, make_layout


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grouping:
    """The levels of one grouping, or of a combination of columns such as `team:person`.

    `parts` holds the levels of each column, `cells` the combinations seen,
    as rising mixed-radix numbers over those levels.
    """

    columns: tuple[str, ...]
    parts: tuple[tuple[Any, ...], ...]
    cells: Codes

    @property
    def label(self) -> str:
        """`team:person`."""
        return ":".join(self.columns)

    @property
    def levels(self) -> tuple[Any, ...]:
        """Names of the levels in the order of their codes."""
        if len(self.parts) == 1:
            return tuple(self.parts[0][at] for at in self.cells)
        at = np.unravel_index(self.cells, [len(part) for part in self.parts])
        rows = zip(*at, strict=True)
        return tuple(
            ":".join(str(part[k]) for part, k in zip(self.parts, row, strict=True)) for row in rows
        )

    def codes(self, frame: Frame) -> Codes:
        """Return a code per row; -1 for a group that the model has not seen."""
        each = [
            recode(frame[name], part, unseen=True)
            for name, part in zip(self.columns, self.parts, strict=True)
        ]
        key = _radix(each, self.parts)
        at = np.searchsorted(self.cells, key).clip(max=len(self.cells) - 1)
        known = (self.cells[at] == key) & (np.min(each, axis=0) >= 0)
        return np.where(known, at, -1)


def _radix(codes: Sequence[Codes], parts: Sequence[Sequence[Any]]) -> Codes:
    key = codes[0]
    for more, part in zip(codes[1:], parts[1:], strict=True):
        key = key * len(part) + more
    return key


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RandomTerm:
    """One random term: coefficients `names` that vary over the levels of a grouping.

    Z has shape (n, q), codes (n,): row i of the model adds Z[i] @ b[codes[i]].
    """

    grouping: Grouping
    layout: Layout
    Z: Array
    codes: Codes

    @property
    def group(self) -> str:
        """Label of the grouping, as in the formula."""
        return self.grouping.label

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the q coefficients."""
        return self.layout.names

    @property
    def levels(self) -> tuple[Any, ...]:
        """Names of the levels in the order of their codes."""
        return self.grouping.levels

    @property
    def size(self) -> int:
        """How many levels there are."""
        return len(self.grouping.cells)

    def __str__(self) -> str:
        return f"({' + '.join(self.names).replace('(Intercept)', '1')} | {self.group})"


def make_random(bar: Bar, variables: Mapping[Node, Variable], frame: Frame, n: int) -> RandomTerm:
    """Build one random term from the complete rows; levels without rows are left out."""
    factors = [frame[name].as_factor() for name in bar.group]
    parts = tuple(factor.levels for factor in factors)
    key = _radix([factor.filled for factor in factors], parts)
    if len(parts) == 1:  # codes are dense already where every level has rows
        found = np.flatnonzero(np.bincount(key, minlength=len(parts[0])))
        dense = len(found) == len(parts[0])
        codes = key if dense else np.searchsorted(found, key)
    else:
        found, codes = np.unique(key, return_inverse=True)
    layout = make_layout(bar.terms, variables)
    return RandomTerm(
        grouping=Grouping(columns=bar.group, parts=parts, cells=found),
        layout=layout,
        Z=layout.matrix(frame, n),
        codes=codes,
    )
