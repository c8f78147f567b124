"""Who could be asked, who answered, who answered twice: per perspective."""

import pandas as pd

from expertise.study.load import askable
from expertise.study.schema import StudyFile


def count_flow(
    study: StudyFile, people: pd.DataFrame, outcomes: pd.DataFrame, by: str | None = None
) -> pd.DataFrame:
    """Count people from eligible to measured twice.

    Parameters
    ----------
    study : StudyFile
        The settings, for the perspectives and who could be asked.
    people, outcomes : DataFrame
        The study's tables.
    by : str, optional
        A column of `people` to split by.

    Returns
    -------
    DataFrame
        A row a perspective (and group): `eligible`, `measured` (at least one
        answer), `measured_twice` (answers at two waves or more).
    """
    answered = outcomes[outcomes["value"].notna()]
    waves = answered.groupby(["perspective", "participant"], observed=True)["wave"].nunique()
    rows = []
    for name in study.perspectives:
        able = people[people["participant"].isin(askable(study, people, name))]
        count = waves.get(name, pd.Series(dtype=int)).reindex(able["participant"], fill_value=0)
        able = able.assign(count=count.to_numpy())
        groups = able.groupby(by, observed=True, sort=False) if by else [(None, able)]
        for level, group in groups:
            rows.append(
                {"perspective": name}
                | ({by: level} if by else {})
                | {
                    "eligible": len(group),
                    "measured": int((group["count"] >= 1).sum()),
                    "measured_twice": int((group["count"] >= 2).sum()),
                }
            )
    return pd.DataFrame(rows)


def count_presence(
    study: StudyFile, people: pd.DataFrame, outcomes: pd.DataFrame, by: str | None = None
) -> pd.DataFrame:
    """Count who answered at each wave.

    Returns
    -------
    DataFrame
        A row a perspective and wave (and group): `n_people` who answered, of
        `eligible`.
    """
    answered = outcomes[outcomes["value"].notna()]
    rows = []
    for name in study.perspectives:
        able = people[people["participant"].isin(askable(study, people, name))]
        groups = able.groupby(by, observed=True, sort=False) if by else [(None, able)]
        for level, group in groups:
            mine = answered[
                (answered["perspective"] == name)
                & answered["participant"].isin(group["participant"])
            ]
            for wave in study.waves:
                here = mine.loc[mine["wave"] == wave.id, "participant"].nunique()
                rows.append(
                    {"perspective": name}
                    | ({by: level} if by else {})
                    | {"wave": wave.id, "n_people": here, "eligible": len(group)}
                )
    return pd.DataFrame(rows)
