"""Average level, change and gap per perspective and wave, with everyone who answered."""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from expertise.errors import StudyError
from expertise.figures import StoryAxes
from expertise.mixed.fit import MixedFit
from expertise.result import Result, tidy_table
from expertise.study.levels_plot import plot_levels
from expertise.study.means import PlainMeans, cell_means
from expertise.study.schema import StudyFile
from expertise.words import Note, note

Array = NDArray[np.float64]
KEYS = ["perspective", "wave", "group"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Levels(Result):
    """Averages per perspective and wave (and group) from one model.

    Attributes
    ----------
    variable : str
        What was measured.
    fit : MixedFit or PlainMeans
        A mean for every cell, with people (and their perspective and moment)
        as random effects, so that people who missed a wave still count.
    cells : DataFrame
        Perspective, wave, group (empty without `by`), number of the cell in
        the fit, and n_people: one row a cell that may be shown.
    settings : StudyFile
        Words, waves and colours.
    by : str or None
        The grouping column.
    n_people : int
        People with at least one answer.
    n_cells : int
        Cells in the fit, shown or not.
    """

    variable: str
    fit: MixedFit | PlainMeans
    cells: pd.DataFrame
    settings: StudyFile
    by: str | None
    n_people: int
    n_cells: int
    notes: tuple[Note, ...]

    def of_at_least(self, minimum: int) -> "Levels":
        """Return the same averages without the cells of fewer than `minimum` people."""
        enough = self.cells["n_people"] >= minimum
        notes = (note("study.suppressed_note", minimum=minimum),) * (not enough.all())
        return replace(self, cells=self.cells[enough], notes=(*self.notes, *notes))

    def heading(self) -> str:
        """Say what was averaged."""
        return f"{self.variable}: average per {', '.join(self._keys())}; {self.n_people} people"

    def tidy(self) -> pd.DataFrame:
        """Return the average in every cell, with interval and number of people."""
        return self._table(self.cells, self._rows(self.cells))

    def changes(self) -> pd.DataFrame:
        """Return the change from the first wave, where both waves may be shown."""
        first = self.settings.waves[0].id
        later = self._where(self.cells[self.cells["wave"] != first], wave=first)
        return self._table(later, self._rows(later) - self._rows(later, wave=first))

    def gaps(self) -> pd.DataFrame:
        """Return the difference between each two perspectives at each wave; `term` names them."""
        return self._pairs(change=False)

    def gap_changes(self) -> pd.DataFrame:
        """Return how the difference between each two perspectives changed from the first wave."""
        return self._pairs(change=True)

    def _pairs(self, *, change: bool) -> pd.DataFrame:
        first = self.settings.waves[0].id
        parts = []
        for one, other in combinations(self.settings.perspectives, 2):
            at = self._where(self.cells[self.cells["perspective"] == one], perspective=other)
            rows = self._rows(at) - self._rows(at, perspective=other)
            if change:
                at = self._where(at[at["wave"] != first], wave=first)
                at = self._where(at, wave=first, perspective=other)
                rows = self._rows(at) - self._rows(at, perspective=other)
                rows -= self._rows(at, wave=first)
                rows += self._rows(at, wave=first, perspective=other)
            table = self._table(at.drop(columns=["perspective", "n_people"]), rows)
            parts.append(table.assign(term=f"{one} − {other}"))
        return tidy_table(pd.concat(parts, ignore_index=True)) if parts else tidy_table([])

    def _keys(self) -> list[str]:
        return KEYS if self.by else KEYS[:2]

    def _numbers(self) -> "pd.Series[int]":
        return self.cells.set_index(KEYS)["number"]

    def _where(self, cells: pd.DataFrame, **changed: str) -> pd.DataFrame:
        """Return the cells for which the cell with some keys changed may be shown as well."""
        there = pd.MultiIndex.from_frame(cells.assign(**changed)[KEYS]).isin(self._numbers().index)
        return cells[there]

    def _rows(self, cells: pd.DataFrame, **changed: str) -> Array:
        """Return a row a cell (with some keys changed) that picks its average from the fit."""
        wanted = pd.MultiIndex.from_frame(cells.assign(**changed)[KEYS])
        picked: Array = np.eye(self.n_cells)[self._numbers().reindex(wanted).to_numpy(dtype=int)]
        return picked

    def _table(self, cells: pd.DataFrame, rows: Array) -> pd.DataFrame:
        found = self.fit.estimates(rows)
        keys = cells.drop(columns=["number", *([] if self.by else ["group"])])
        keys = keys.reset_index(drop=True).assign(outcome=self.variable)
        return tidy_table(pd.concat([keys, found], axis=1))

    def plot(self, lang: str | None = None) -> StoryAxes:
        """Draw the averages over time, a line a perspective (or a group)."""
        return plot_levels(self, lang or self.settings.language)

    def glance(self) -> pd.DataFrame:
        """Return one row: how many cells and people."""
        return pd.DataFrame([{"n": int(self.cells["n_people"].sum()), "n_people": self.n_people}])


def estimate_levels(
    data: pd.DataFrame,
    variable: str,
    *,
    study: StudyFile,
    by: str | None = None,
    conf_level: float = 0.95,
) -> Levels:
    """Estimate the average of a variable per perspective and wave.

    Parameters
    ----------
    data : DataFrame
        A row an answer: participant, perspective, wave, the variable and `by`.
    variable : str
        Column with the values.
    study : StudyFile
        Settings with perspectives and waves.
    by : str, optional
        A further grouping, for example the arm; people without a value in it are left out.
    conf_level : float
        Level of the intervals.

    Returns
    -------
    Levels
        A mean for every cell that has answers. People's own level, what is
        particular to a person's perspective, and what is particular to a
        person's moment are random where there are several of each. Averages
        are valid when whether an answer is missing depends on what was
        answered before, not on the missing answer itself.

    Raises
    ------
    StudyError
        `by` holds numbers, or there are too few answers for an interval.
    """
    if by and pd.api.types.is_numeric_dtype(data[by]):
        raise StudyError(f"{by!r} holds numbers; averages are taken per category, such as an arm")
    rows = data.assign(group=data[by].astype(object) if by else "").dropna(subset="group")
    who = "person" if "person" in rows else "participant"
    counts = rows.groupby(KEYS, observed=True, sort=True)[who].nunique()
    cells = counts.rename("n_people").reset_index()
    cells["number"] = np.arange(len(cells))
    where = pd.MultiIndex.from_frame(rows[KEYS])
    numbers = cells.set_index(KEYS)["number"].reindex(where).to_numpy()
    rows = rows.assign(cell=pd.Categorical([f"c{number:04d}" for number in numbers]))
    fit = cell_means(rows, variable, conf_level)
    shown = cells.astype({"perspective": str, "wave": str, "group": str})
    return Levels(
        variable=variable,
        fit=fit,
        cells=_in_order(shown, data, by),
        settings=study,
        by=by,
        n_people=rows[who].nunique(),
        n_cells=len(cells),
        notes=fit.notes if isinstance(fit, MixedFit) else (),
    )


def _in_order(cells: pd.DataFrame, data: pd.DataFrame, by: str | None) -> pd.DataFrame:
    """Return cells by perspective, group and wave, each in the order of the study file."""
    out = cells.copy()
    order = {"perspective": data["perspective"], "wave": data["wave"]}
    if by and isinstance(data[by].dtype, pd.CategoricalDtype):
        order["group"] = data[by]
    ranks = {
        key: cells[key].map({str(v): i for i, v in enumerate(column.cat.categories)})
        for key, column in order.items()
    }
    ranks.setdefault("group", pd.Series(pd.factorize(cells["group"], sort=True)[0]))
    by_rank = [ranks[key] for key in ("perspective", "group", "wave")]
    out = out.iloc[np.lexsort([np.asarray(rank) for rank in reversed(by_rank)])]
    return out.reset_index(drop=True)
