"""The result of predictions, means, contrasts and slopes: a row each, with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from expertise.result import VALUES, Result, tidy_table
from expertise.words import Note, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Estimates(Result):
    """Estimates at the rows of a grid.

    `table` has the columns of the grid (`keys`), then estimate, interval and
    what else is known; `tidy()` joins the keys into a term.
    """

    kind: str
    outcome: str
    scale: str
    keys: tuple[str, ...]
    table: pd.DataFrame
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say what was estimated, of which outcome and on which scale."""
        return say(f"mixed_use.{self.kind}", outcome=self.outcome, scale=self.scale)

    def tidy(self) -> pd.DataFrame:
        """Return one row per estimate, its place in the grid as the term."""
        values = self.table[[name for name in VALUES if name in self.table]]
        terms = named(self.table, self.keys)
        return tidy_table(values.assign(term=terms).reset_index(drop=True))


def named(table: pd.DataFrame, keys: Sequence[str]) -> list[str]:
    """Name the rows of a grid, such as `arm = peer, wave = 3`; one without columns is unnamed."""
    if not keys:
        return [""] * len(table)
    rows = table[list(keys)].itertuples(index=False, name=None)
    return [
        ", ".join(f"{key} = {value}" for key, value in zip(keys, row, strict=True)) for row in rows
    ]
