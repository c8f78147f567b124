"""Outcomes around the moment at which each team began, in a report."""

import numpy as np
import pandas as pd

from expertise.cycles import Cycles, add_phases
from expertise.figures import Look, StoryAxes, draw, end_labels
from expertise.mixed.fit import fit_mixed
from expertise.reporting.block import Block
from expertise.reporting.findings import Findings
from expertise.reporting.sentences import listed_words, percent, span
from expertise.study import Study
from expertise.study.load import persons
from expertise.study.rules import measured_with
from expertise.study.schema import Model
from expertise.words import Note, interval, number, say


def phases_block(found: Findings) -> Block:
    """Return the outcome around the moment at which each team began, by perspective.

    The picture is descriptive; beside it stands what began with the cycle,
    in a model that lets every wave have its own level.
    """
    study, cycles, model = found.study, found.cycles, found.model
    if cycles is None or model is None or "team" not in study.people:
        return Block(lang=study.lang)
    data = study.data_for(model.outcome).dropna(subset=[model.outcome, "team"])
    if not data["team"].isin(cycles.table()["team"]).any():
        return Block(lang=study.lang)
    data["person"] = data["participant"].map(persons(study.people))
    around = _around(data, cycles, model.outcome, found.minimum)
    caption = say("reporting.steps_caption", study.lang)
    steps, notes = _steps(study, add_phases(data, cycles), model)
    return Block(
        paragraphs=(say("reporting.around_told", study.lang),),
        picture=_plot_around(study, around, model, cycles.source),
        tables=((caption, steps),),
        notes=notes,
        lang=study.lang,
    )


def _around(data: pd.DataFrame, cycles: Cycles, outcome: str, minimum: int) -> pd.DataFrame:
    """Return the average per perspective and months since the team began, with interval."""
    start = cycles.table().groupby("team")["start"].min()
    rows = data.assign(since=data["months"] - data["team"].map(start)).dropna(subset=["since"])
    rows["cell"] = rows["perspective"].astype(str) + "|" + rows["since"].astype(str)
    fit = fit_mixed("y ~ 0 + cell + (1 | participant)", rows.assign(y=rows[outcome]))
    keys = ["perspective", "since", "cell"]
    cells = rows.groupby(keys, observed=True)["person"].nunique().rename("n_people")
    cells = cells.reset_index()
    cells = cells[cells["n_people"] >= minimum].reset_index(drop=True)
    names = [f"cell{cell}" for cell in cells["cell"]]
    picks = np.array([[float(name == one) for one in fit.names] for name in names])
    return pd.concat([cells.drop(columns="cell"), fit.estimates(picks)], axis=1)


def _plot_around(study: Study, table: pd.DataFrame, model: Model, source: str) -> StoryAxes:
    lang, what = study.lang, measured_with(study.settings, model.outcome)
    lines = [
        (role, table[table["perspective"] == name].sort_values("since"))
        for name, role in study.settings.perspectives.items()
        if (table["perspective"] == name).any()
    ]

    def paint(axes: StoryAxes, look: Look) -> None:
        for role, rows in lines:
            color = look.color(role.slot)
            axes.fill_between(
                rows["since"], rows["conf_low"], rows["conf_high"], color=color, alpha=0.15, lw=0
            )
            for part in (rows[rows["since"] <= 0], rows[rows["since"] > 0]):
                axes.plot(part["since"], part["estimate"], **look.style(role.slot))
        axes.axvline(0, color=look.text, lw=1, linestyle=(0, (4, 3)))
        axes.annotate(
            say("reporting.team_begins", lang), (0, 1), xycoords=("data", "axes fraction"),
            xytext=(4, -2), textcoords="offset points", fontsize=9, va="top",
        )  # fmt: skip
        axes.set_xticks(sorted(table["since"].unique()))
        axes.tick_params(axis="x", labelsize=9)
        axes.set_xlabel(say("reporting.since_x", lang), loc="left", fontsize=10)
        ends = [
            (rows["since"].iloc[-1], rows["estimate"].iloc[-1], role.plural(lang),
             look.color(role.slot))
            for role, rows in lines
        ]  # fmt: skip
        end_labels(axes, ends)

    before, after = (
        [(role.plural(lang), rows[rows["since"] * side > 0]["estimate"].mean())
         for role, rows in lines]
        for side in (-1, 1)
    )  # fmt: skip
    up = all(late > early for (_, early), (_, late) in zip(before, after, strict=True))
    words = {
        "measured": what.label(lang),
        "better": say(f"study.{what.better}", lang),
        "level": percent(float(table["conf_level"].iloc[0])),
    }
    title = say("reporting.around_up" if up else "reporting.around_mixed", lang)
    return draw(
        paint,
        title=title,
        subtitle=f"{say('reporting.around_sub', lang, **words)} {source}".strip(),
        alt=say(
            "reporting.around_alt", lang,
            before=listed_words(_levels(before, lang), lang),
            after=listed_words(_levels(after, lang), lang),
        ),
        table=_in_words(study, table),
        lang=lang,
    )  # fmt: skip


def _in_words(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    lang, roles = study.lang, study.settings.perspectives
    level = percent(float(table["conf_level"].iloc[0]))
    return pd.DataFrame(
        {
            say("study.perspective", lang): [
                roles[str(name)].plural(lang) for name in table["perspective"]
            ],
            say("reporting.since_x", lang): [number(month, 0, lang) for month in table["since"]],
            say("reporting.interval", lang, level=level): [
                interval(row.estimate, row.conf_low, row.conf_high, lang)
                for row in table.itertuples()
            ],
            say("reporting.people", lang): table["n_people"].astype(str),
        }
    )


def _levels(means: list[tuple[str, float]], lang: str) -> list[str]:
    return [f"{who} {number(mean, 0, lang)}" for who, mean in means]


def _steps(study: Study, data: pd.DataFrame, model: Model) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Return what began with the cycle for each perspective, every wave with its own level."""
    lang, rows = study.lang, []
    notes: list[Note] = []
    for name, role in study.settings.perspectives.items():
        mine = data[data["perspective"] == name].assign(y=data[model.outcome])
        if mine.empty or mine["treated"].nunique() < 2:
            continue
        fit = fit_mixed("y ~ wave + treated + (1 | team) + (1 | participant)", mine)
        size = fit.estimates([float(term == "treated") for term in fit.names]).iloc[0]
        rows.append((role.plural(lang), span(size, lang)))
        notes += fit.notes
    level = percent(fit.conf_level) if rows else ""
    heads = [say("study.perspective", lang), say("reporting.step", lang, level=level)]
    kept = {one.key: one for one in notes if one.key != "mixed.reference"}
    return pd.DataFrame(rows, columns=heads), tuple(kept.values())
