"""The action research in a report: cycles, who was there, who recognised it, what stayed open."""

from typing import Any

import pandas as pd

from expertise.cycles import Cycles
from expertise.figures import Look, StoryAxes, draw, end_labels
from expertise.reporting.block import Block
from expertise.reporting.findings import Findings
from expertise.reporting.sentences import listed_words
from expertise.study import Study
from expertise.words import plain, say

TOLD = ("plan", "act", "learned", "changed")


def cycles_block(found: Findings) -> Block:
    """Return when teams began, and what they tried, saw and learned, an action a row."""
    cycles, lang = found.cycles, found.study.lang
    if cycles is None:
        return Block(lang=lang)
    # Teams that began together and tried the same share a row.
    table = cycles.table().fillna({"end": -1.0})
    same = table.groupby(["start", *TOLD], sort=False)["team"].agg(["nunique", " · ".join])
    rows = same.reset_index()
    words = pd.DataFrame(
        {
            say("reporting.cycle_start", lang): [plain(month, lang) for month in rows["start"]],
            say("reporting.cycle_teams", lang): rows["join"],
        }
        | {say(f"reporting.cycle_{key}", lang): rows[key] for key in TOLD}
    )
    return Block(
        picture=cycles.plot(lang),
        tables=((say("reporting.cycles_caption", lang), words),),
        fold=say("reporting.cycles_fold", lang),
        lang=lang,
    )


def attendance_block(found: Findings) -> Block:
    """Return how many people of each role came to the meetings, over time."""
    cycles, study = found.cycles, found.study
    if cycles is None:
        return Block(lang=study.lang)
    table = attended(cycles.presence(), found.minimum)
    picture = None if table.empty else _plot_attended(study, cycles, table)
    return Block(picture=picture, notes=cycles.notes, lang=study.lang)


def attended(presence: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """Add meetings up over months, until each role counts enough people to be shown.

    Parameters
    ----------
    presence : DataFrame
        As `Cycles.presence` gives it.
    minimum : int
        The smallest number of people that may be shown.

    Returns
    -------
    DataFrame
        Columns `first last role n_people`, a row a period (in months) and
        role. Periods that follow each other are merged; a role that does not
        reach the minimum in all meetings together is left out.

    Examples
    --------
    >>> met = pd.DataFrame({"start": [3, 9, 15], "role": "naaste", "n_people": [6, 5, 4]})
    >>> attended(met, 10)
       first  last    role  n_people
    0      3    15  naaste        15
    """
    total = presence.groupby("role", sort=False)["n_people"].sum()
    kept = presence[presence["role"].isin(total.index[total >= minimum])]
    periods: list[list[float]] = []
    open_: list[float] = []
    for start in sorted(kept["start"].unique()):
        open_.append(start)
        here = kept[kept["start"].isin(open_)].groupby("role")["n_people"].sum()
        if here.min() >= minimum:
            periods, open_ = [*periods, open_], []
    if open_:
        periods = [*periods[:-1], [*(periods[-1] if periods else []), *open_]]
    rows = [
        {"first": months[0], "last": months[-1], "role": role, "n_people": int(part.sum())}
        for months in periods
        for role, part in kept[kept["start"].isin(months)].groupby("role", sort=False)["n_people"]
    ]
    return pd.DataFrame(rows, columns=["first", "last", "role", "n_people"])


def _plot_attended(study: Study, cycles: Cycles, table: pd.DataFrame) -> StoryAxes:
    lang, roles = study.lang, study.settings.perspectives
    spans = table[["first", "last"]].drop_duplicates()
    names = [_span(*row, lang=lang) for row in spans.itertuples(index=False, name=None)]
    lines = [
        (roles[str(name)], part["n_people"].tolist())
        for name, part in table.groupby("role", sort=False)
    ]

    def paint(axes: StoryAxes, look: Look) -> None:
        places = list(range(len(names)))
        for role, counts in lines:
            axes.plot(places, counts, **look.style(role.slot))
        axes.set_ylim(0, 1.1 * table["n_people"].max())
        axes.set_xlim(-0.3, len(names) - 0.7)
        axes.set_xticks(places, names)
        ends = [(places[-1], n[-1], role.plural(lang), look.color(role.slot)) for role, n in lines]
        end_labels(axes, ends)

    counts = listed_words([f"{sum(n)} {role.plural(lang)}" for role, n in lines], lang)
    missing = len({one.values["id"] for one in cycles.notes})
    words = {"n": len(cycles.cycles), "counts": counts, "missing": missing}
    behind = table.assign(role=[roles[role].plural(lang) for role in table["role"]])
    heads = ("first_month", "last_month", "role", "people")
    behind.columns = pd.Index([say(f"reporting.{name}", lang) for name in heads])
    return draw(
        paint,
        title=say("reporting.attended_title", lang, **words),
        subtitle=f"{say('reporting.attended_sub', lang, **words)} {cycles.source}".strip(),
        alt=say("reporting.attended_title", lang, **words),
        table=behind,
        lang=lang,
    )


def _span(first: float, last: float, *, lang: str) -> str:
    months = plain(first, lang) if first == last else f"{plain(first, lang)}–{plain(last, lang)}"
    return say("reporting.month", lang, months=months)


def recognised_block(found: Findings) -> Block:
    """Return who recognised each theme that was brought back, by role."""
    cycles, study = found.cycles, found.study
    table = recognised(cycles, found.minimum) if cycles else pd.DataFrame()
    if cycles is None or table.empty:
        return Block(lang=study.lang)
    return Block(picture=_plot_recognised(study, cycles, table), lang=study.lang)


def recognised(cycles: Cycles, minimum: int) -> pd.DataFrame:
    """Return how many recognised each theme, wholly or partly.

    Where fewer than `minimum` did not (or would rather not say), only the
    least that this leaves is given, so that the few cannot be counted; the
    same is said of every such group, whatever their number.

    Returns
    -------
    DataFrame
        Columns `theme role asked known exact`: `known` is exact, or else at
        least so many. Groups that cannot be shown at all are left out.
    """
    rows = []
    for one in cycles.member_checks:
        known, other = one.yes + one.partly, one.no + one.rather_not
        asked = known + other
        exact = known >= minimum and other >= minimum
        least = known if exact else asked - minimum + 1
        if known >= minimum and least >= minimum:
            rows.append((one.theme, one.role, asked, least, exact))
    return pd.DataFrame(rows, columns=["theme", "role", "asked", "known", "exact"])


def _plot_recognised(study: Study, cycles: Cycles, table: pd.DataFrame) -> StoryAxes:
    lang, roles = study.lang, study.settings.perspectives
    themes = {key: theme.nl if lang == "nl" else theme.en for key, theme in cycles.themes.items()}
    groups = [(key, table[table["theme"] == key]) for key in themes]

    def paint(axes: Any, look: Look) -> None:
        for each, (key, rows) in zip(axes if len(groups) > 1 else [axes], groups, strict=True):
            names = [roles[role].plural(lang) for role in rows["role"]]
            places = list(range(len(rows)))[::-1]
            shares = 100 * rows["known"] / rows["asked"]
            colors = [look.color(roles[role].slot) for role in rows["role"]]
            each.barh(places, shares, color=colors, height=0.6)
            for place, row, share in zip(places, rows.itertuples(), shares, strict=True):
                each.annotate(
                    count_of(row.known, row.asked, bool(row.exact), lang),
                    (share, place), xytext=(-6, 0), textcoords="offset points",
                    va="center", ha="right", color=look.page, fontsize=9,
                )  # fmt: skip
            each.set_yticks(places, names)
            each.set_xlim(0, 100)
            each.grid(axis="y", visible=False)
            each.set_title(themes[key], loc="left")

    shares = table["known"] / table["asked"]
    words = {"least": int(10 * shares.min())}
    behind = pd.DataFrame(
        {
            say("reporting.theme", lang): [themes[key] for key in table["theme"]],
            say("reporting.role", lang): [roles[role].plural(lang) for role in table["role"]],
            say("reporting.known", lang): [
                count_of(row.known, row.asked, bool(row.exact), lang) for row in table.itertuples()
            ],
        }
    )
    return draw(
        paint,
        title=say("reporting.known_title", lang, **words),
        subtitle=f"{say('reporting.known_sub', lang)} {cycles.source}".strip(),
        alt=say("reporting.known_title", lang, **words),
        table=behind,
        lang=lang,
        panels=(len(groups), 1),
        wide=(6.4, 1.4 + 1.3 * len(groups)),
        phone=(4.0, 1.5 + 1.05 * len(groups)),
    )


def count_of(known: int, asked: int, exact: bool, lang: str) -> str:
    """Write "40 of 52", or "at least 40 of 52".

    >>> count_of(40, 52, False, "nl")
    'ten minste 40 van 52'
    """
    told = say("study.of", lang, n=known, total=asked)
    return told if exact else say("reporting.at_least", lang, what=told)


def disagreement_block(found: Findings) -> Block:
    """Return what groups did not agree on: in the meetings, and on the stories."""
    lang = found.study.lang
    told = [
        say("reporting.disagreed", lang, plan=one.plan.rstrip("."), what=one.disagreement)
        for one in (found.cycles.cycles if found.cycles else ())
        if one.disagreement
    ]
    # Teams that took the same step often wrote the same words.
    return Block(
        paragraphs=tuple(dict.fromkeys(told)), tables=_readings(found), items=True, lang=lang
    )


def _readings(found: Findings) -> tuple[tuple[str, pd.DataFrame], ...]:
    """Return the places where the coders kept more than one reading; no text, no ids."""
    lang = found.study.lang
    if found.coded is None:
        return ()
    table = found.coded.readings.table
    table = table[table["choice"] == "both"]
    if table.empty:
        return ()
    names = {code.key: code.name for code in found.coded.book.codes}
    places = pd.factorize(table["document"] + table["start"].astype(str))[0] + 1
    words = pd.DataFrame(
        {
            say("reporting.place", lang): [str(place) for place in places],
            say("reporting.reading", lang): [names[code] for code in table["code"]],
            say("reporting.readers", lang): [
                ", ".join(reader(found.study, one) for one in held.split(", ") if one)
                or say("reporting.reader_unsaid", lang)
                for held in table["perspective"]
            ],
        }
    )
    return ((say("reporting.readings_caption", lang, n=len(set(places))), words),)


def reader(study: Study, perspective: str) -> str:
    """Return the word for whom a coder reads as; a researcher is no perspective of the study."""
    role = study.settings.perspectives.get(perspective)
    if role:
        return role.label(study.lang)
    return say("reporting.researcher", study.lang) if perspective == "researcher" else perspective
