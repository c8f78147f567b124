"""Cycles as phases: before, during and after, for control charts, series and stepped starts."""

import numpy as np
import pandas as pd

from expertise.cycles.reading import Cycles
from expertise.errors import DataError, listed

BEFORE = "before"


def phase_table(cycles: Cycles) -> pd.DataFrame:
    """Return the phases of every team, a row a phase.

    Parameters
    ----------
    cycles : Cycles
        Of one study.

    Returns
    -------
    DataFrame
        Columns `team phase start end action`: before the first cycle, then a
        phase from the beginning of each cycle to that of the next; months.
        `action` is what was done, for the numbered actions of a control chart.

    Examples
    --------
    >>> from expertise.cycles import read_cycles
    >>> phases = phase_table(read_cycles("studies/drie-kunnen-meer-dan-een"))
    >>> phases.groupby("phase")["team"].nunique().tolist()[-1]
    12
    """
    rows = []
    for team, mine in cycles.table().groupby("team", sort=False):
        starts = [-np.inf, *mine["start"], np.inf]
        names = [BEFORE, *mine["id"]]
        actions = ["", *mine["act"]]
        for place, (name, action) in enumerate(zip(names, actions, strict=True)):
            rows.append(
                {"team": team, "phase": name, "start": starts[place],
                 "end": starts[place + 1], "action": action}
            )  # fmt: skip
    return pd.DataFrame(rows)


def add_phases(
    table: pd.DataFrame, cycles: Cycles, *, team: str = "team", months: str = "months"
) -> pd.DataFrame:
    """Add to each row in which phase its team was, and whether it had begun.

    A measurement in the month in which a cycle begins still counts as before
    it: the change cannot have worked yet.

    Parameters
    ----------
    table : DataFrame
        A row a measurement, with the team and the month.
    cycles : Cycles
        Of the same study.
    team, months : str
        Columns of `table`.

    Returns
    -------
    DataFrame
        The same rows with `phase` (the id of the cycle, or "before"),
        `treated` (0 or 1, for `stepped_wedge` and models) and `since` (months
        since the first cycle of the team began; 0 before).

    Raises
    ------
    DataError
        A team has no cycle, or a column is missing.

    Examples
    --------
    >>> from expertise.cycles import read_cycles
    >>> rows = pd.DataFrame({"team": ["team Hogeland"] * 2, "months": [0, 6]})
    >>> add_phases(rows, read_cycles("studies/drie-kunnen-meer-dan-een"))["treated"].tolist()
    [0, 1]
    """
    for name in (team, months):
        if name not in table:
            raise DataError(f"the table has no column {name!r}; it has {listed(table.columns)}")
    phases = phase_table(cycles)
    strange = set(table[team].dropna().astype(str)) - set(phases["team"])
    if strange:
        raise DataError(
            f"team {listed(sorted(strange))} has no cycle in cycles.toml; it has "
            f"{listed(phases['team'].unique())}"
        )
    out = table.copy()
    out["phase"] = BEFORE
    for row in phases.itertuples():
        here = (out[team] == row.team) & (out[months] > row.start) & (out[months] <= row.end)
        out.loc[here, "phase"] = row.phase
    first = phases[phases["phase"] != BEFORE].groupby("team")["start"].min()
    out["treated"] = (out["phase"] != BEFORE).astype(int)
    since = out[months] - out[team].map(first)
    out["since"] = since.where(out["treated"] == 1, 0.0)
    return out
