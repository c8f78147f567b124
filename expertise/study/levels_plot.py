"""Averages over time in words and in a picture: a line a perspective, or a group within it."""

from typing import Any, Protocol

import pandas as pd

from expertise.figures import Look, StoryAxes, draw, end_labels, month_ticks
from expertise.study.rules import measured_with
from expertise.study.schema import StudyFile
from expertise.words import digits_for, interval, number, plain, say

Line = tuple[str, dict[str, Any], pd.DataFrame]


class Averages(Protocol):
    """What these pictures need of `Levels`."""

    @property
    def variable(self) -> str:
        """What was measured."""

    @property
    def settings(self) -> StudyFile:
        """Words, waves and colours."""

    @property
    def by(self) -> str | None:
        """The grouping column."""

    @property
    def n_people(self) -> int:
        """People with at least one answer."""

    def tidy(self) -> pd.DataFrame:
        """Return the averages."""

    def changes(self) -> pd.DataFrame:
        """Return the changes from the first wave."""


# Groups within a perspective differ in marker and line, never in colour alone.
GROUPS = (("D", "-."), ("o", "-"), ("s", "--"), ("^", ":"), ("v", (0, (1, 2, 5, 2))))


def level_word(study: StudyFile, by: str, level: str, lang: str) -> str:
    """Return a group in words: the label of its covariate, or itself."""
    covariate = study.people.covariates.get(by)
    return covariate.label(level, lang) if covariate else level


def side_by_side(
    study: StudyFile, table: pd.DataFrame, cells: list[str], lang: str, by: str | None
) -> pd.DataFrame:
    """Return a row a wave and a column a perspective (and group), never only an average.

    Parameters
    ----------
    study : StudyFile
        For words and order.
    table : DataFrame
        Keys `perspective`, `wave`, and `group` or the column `by`.
    cells : list of str
        What stands in each cell, a text a row of `table`.
    lang : {"nl", "en"}
        Language of the words.
    by : str or None
        The covariate behind the group.
    """
    column = "group" if "group" in table else by
    heads = []
    for row in table.to_dict("records"):
        named = [study.perspectives[str(row["perspective"])].plural(lang)]
        group = [level_word(study, by, str(row[column]), lang)] if by and column else []
        alone = len(study.perspectives) == 1 and group
        heads.append(", ".join(group if alone else named + group))
    waves = {wave.id: wave.label(lang) for wave in study.waves}
    long = pd.DataFrame({"wave": table["wave"].astype(str), "head": heads, "cell": cells})
    wide = long.pivot(index="wave", columns="head", values="cell")
    wide = wide.reindex(index=[wave for wave in waves if wave in wide.index])
    wide = wide[list(dict.fromkeys(heads))].fillna("–").rename(index=waves)
    return wide.rename_axis(say("study.wave", lang)).reset_index().rename_axis(columns=None)


def in_words(levels: Averages, table: pd.DataFrame, lang: str) -> pd.DataFrame:
    """Return a table of averages as people read it: estimate and interval, side by side."""
    cells = [
        interval(row.estimate, row.conf_low, row.conf_high, lang) for row in table.itertuples()
    ]
    return side_by_side(levels.settings, table, cells, lang, levels.by)


def plot_levels(levels: Averages, lang: str) -> StoryAxes:
    """Draw averages over real time; with groups and several perspectives, a panel a perspective."""
    study, table = levels.settings, levels.tidy()
    months = {wave.id: wave.months for wave in study.waves}
    roles = [name for name in study.perspectives if (table["perspective"] == name).any()]
    panels = roles if levels.by and len(roles) > 1 else [""]

    def lines(panel: str, look: Look) -> list[Line]:
        here = table[table["perspective"] == panel] if panel else table
        return _lines(levels, here, look, lang)

    def paint(axes: Any, look: Look) -> None:
        for each, panel in zip(axes if len(panels) > 1 else [axes], panels, strict=True):
            _paint(each, lines(panel, look), months)
            labels = [wave.label(lang) for wave in study.waves]
            month_ticks(each, list(months.values()), labels, look, lang)
            _ends(each, lines(panel, look), months)
            if panel:
                each.set_title(study.perspectives[panel].plural(lang), loc="left")

    width, height = (6.4, 4.0) if len(panels) == 1 else (6.4, 3.2 * len(panels))
    return draw(
        paint,
        title=_title(levels, lang),
        subtitle=scale(levels, lang),
        alt=_alt(levels, table, lang),
        table=in_words(levels, table, lang),
        lang=lang,
        panels=(len(panels), 1),
        wide=(width, height),
        phone=(4.0, 4.5 if len(panels) == 1 else 3.6 * len(panels)),
    )


def _paint(axes: StoryAxes, lines: list[Line], months: dict[str, float]) -> None:
    for _label, style, rows in lines:
        x = [months[wave] for wave in rows["wave"]]
        axes.fill_between(
            x, rows["conf_low"], rows["conf_high"], color=style["color"], alpha=0.16, lw=0
        )
        if len(x) == 1:
            axes.vlines(x, rows["conf_low"], rows["conf_high"], color=style["color"])
        axes.plot(x, rows["estimate"], **style)


def _ends(axes: StoryAxes, lines: list[Line], months: dict[str, float]) -> None:
    ends = [
        (months[rows["wave"].iloc[-1]], rows["estimate"].iloc[-1], label, style["color"])
        for label, style, rows in lines
    ]
    end_labels(axes, ends)


def _lines(levels: Averages, table: pd.DataFrame, look: Look, lang: str) -> list[Line]:
    study, out = levels.settings, []
    for place, (name, role) in enumerate(study.perspectives.items()):
        mine = table[table["perspective"] == name]
        style = look.style(role.slot)
        if not role.slot:
            style["marker"], style["linestyle"] = GROUPS[place % len(GROUPS)]
        if levels.by is None and len(mine):
            out.append((role.plural(lang), style, mine))
        elif levels.by:
            for at, group in enumerate(mine["group"].unique()):
                marker, line = GROUPS[at % len(GROUPS)]
                own = style if at else look.style(0)
                label = level_word(study, levels.by, str(group), lang)
                both = own | {"marker": marker, "linestyle": line}
                out.append((label, both, mine[mine["group"] == group]))
    return out


def _title(levels: Averages, lang: str) -> str:
    """Say for each line from where to where it went, or that a change is not settled."""
    table, changes = levels.tidy(), levels.changes()
    keys = ["perspective", *(["group"] if levels.by else [])]
    words = []
    for _, rows in table.groupby(keys, sort=False):
        who = _who(levels, rows.iloc[0], lang)
        last = (
            changes[(changes[keys] == rows.iloc[0][keys]).all(axis=1)] if len(changes) else changes
        )
        if last.empty:
            only = rows.iloc[-1]
            level = interval(only["estimate"], only["conf_low"], only["conf_high"], lang)
            words.append(f"{who} {level}")
        elif last.iloc[-1]["conf_low"] <= 0 <= last.iloc[-1]["conf_high"]:
            words.append(say("study.unsettled", lang, who=who))
        else:
            digits = max(digits_for(abs(last.iloc[-1]["estimate"])) - 1, 0)
            ends = (number(rows["estimate"].iloc[at], digits, lang) for at in (0, -1))
            first, final = ends
            words.append(say("study.from_to", lang, who=who, first=first, last=final))
    title = say("study.and", lang).join(words)
    return title[:1].upper() + title[1:]


def _who(levels: Averages, row: "pd.Series[Any]", lang: str) -> str:
    study = levels.settings
    role = study.perspectives[row["perspective"]].plural(lang)
    if levels.by is None:
        return role
    group = level_word(study, levels.by, str(row["group"]), lang)
    return group if len(study.perspectives) == 1 else f"{role}, {group}"


def _alt(levels: Averages, table: pd.DataFrame, lang: str) -> str:
    waves = {wave.id: wave.label(lang) for wave in levels.settings.waves}
    keys = ["perspective", *(["group"] if levels.by else [])]
    parts = []
    for _, rows in table.groupby(keys, sort=False):
        steps = "; ".join(
            f"{waves[row.wave]} {interval(row.estimate, row.conf_low, row.conf_high, lang)}"
            for row in rows.itertuples()
        )
        parts.append(f"{_who(levels, rows.iloc[0], lang)}: {steps}.")
    return " ".join(parts)


def scale(levels: Averages, lang: str) -> str:
    """Return what was measured, its direction, and how many people, in one line."""
    what = measured_with(levels.settings, levels.variable)
    return say(
        "study.level_scale",
        lang,
        instrument=what.label(lang),
        direction=say(f"study.{what.better}", lang),
        level=plain(100 * float(levels.tidy()["conf_level"].iloc[0]), lang),
        n=levels.n_people,
    )
