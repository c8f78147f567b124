"""Who could be asked, who answered, who answered twice: per perspective."""

from collections.abc import Hashable, Iterator

import pandas as pd

from expertise.figures import Look, StoryAxes, draw, end_labels, month_ticks
from expertise.study.load import askable, persons
from expertise.study.schema import StudyFile
from expertise.words import say


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
        answer), `measured_twice` (answers at two waves or more). Someone who
        holds several seats counts once.
    """
    answered = _answered(people, outcomes)
    rows = []
    for name in study.perspectives:
        for level, eligible, mine in _groups(study, people, answered, name, by):
            waves = mine.groupby("person")["wave"].nunique()
            rows.append(
                {"perspective": name}
                | ({by: level} if by else {})
                | {
                    "eligible": eligible,
                    "measured": len(waves),
                    "measured_twice": int((waves >= 2).sum()),
                }
            )
    return pd.DataFrame(rows)


def _answered(people: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the answers that were given, with the person who sits in the seat."""
    given = outcomes[outcomes["value"].notna()]
    return given.assign(person=given["participant"].map(persons(people)))


def _groups(
    study: StudyFile,
    people: pd.DataFrame,
    answered: pd.DataFrame,
    perspective: str,
    by: str | None,
) -> Iterator[tuple[Hashable, int, pd.DataFrame]]:
    """Yield each group of a perspective: its level, how many could be asked, their answers."""
    able = people[people["participant"].isin(askable(study, people, perspective))]
    groups = able.groupby(by, observed=True, sort=False, dropna=False) if by else [(None, able)]
    for level, group in groups:
        own = answered["participant"].isin(group["participant"])
        mine = answered[own & (answered["perspective"] == perspective)]
        yield level, persons(group).nunique(), mine


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
    answered = _answered(people, outcomes)
    rows = []
    for name in study.perspectives:
        for level, eligible, mine in _groups(study, people, answered, name, by):
            for wave in study.waves:
                here = mine.loc[mine["wave"] == wave.id, "person"].nunique()
                rows.append(
                    {"perspective": name}
                    | ({by: level} if by else {})
                    | {"wave": wave.id, "n_people": here, "eligible": eligible}
                )
    return pd.DataFrame(rows)


def flow_in_words(study: StudyFile, flow: pd.DataFrame, lang: str) -> pd.DataFrame:
    """Return a flow table with the words people read as column names and roles."""
    words = ("perspective", "eligible", "measured", "measured_twice")
    out = flow.replace({"perspective": {k: v.plural(lang) for k, v in study.perspectives.items()}})
    return out.rename(columns={word: say(f"study.{word}", lang) for word in words})


def plot_presence(study: StudyFile, presence: pd.DataFrame, lang: str) -> StoryAxes:
    """Draw how many people of each perspective answered at each wave."""
    months = [wave.months for wave in study.waves]
    lines = [
        (role.plural(lang), role.slot, presence[presence["perspective"] == name])
        for name, role in study.perspectives.items()
    ]

    def paint(axes: StoryAxes, look: Look) -> None:
        for _label, slot, rows in lines:
            axes.plot(months, rows["n_people"], **look.style(slot))
        month_ticks(axes, months, [wave.label(lang) for wave in study.waves], look, lang)
        axes.set_ylim(0, max(presence["eligible"].max() * 1.05, 1))
        end_labels(
            axes,
            [
                (months[-1], rows["n_people"].iloc[-1], label, look.color(slot))
                for label, slot, rows in lines
            ],
        )

    last = presence[presence["wave"] == study.waves[-1].id]
    told = [
        say("study.flow_line", lang, perspective=label, counts=counted(rows, lang))
        for label, _slot, rows in lines
    ]
    return draw(
        paint,
        title=say(
            "study.flow_title", lang, wave=study.waves[-1].label(lang),
            counts=say("study.and_last", lang).join(
                f"{counted(last[last['perspective'] == name], lang)} {role.plural(lang)}"
                for name, role in study.perspectives.items()
            ),
        ),
        subtitle=say("study.flow_scale", lang),
        alt=say("study.flow_alt", lang, lines="; ".join(told)),
        table=presence,
        lang=lang,
        wide=(6.4, 2.8),
        phone=(4.0, 3.2),
    )  # fmt: skip


def counted(rows: pd.DataFrame, lang: str) -> str:
    """Return "46 of 51, 44 of 51" for rows of a presence table."""
    pairs = zip(rows["n_people"], rows["eligible"], strict=True)
    return ", ".join(say("study.of", lang, n=n, total=total) for n, total in pairs)
