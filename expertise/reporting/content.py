"""What a study report says, part by part, ready for a notebook cell."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from expertise.figures import Look, StoryAxes, draw, month_ticks
from expertise.mixed.fit import MixedFit
from expertise.privacy import suppress_small
from expertise.privacy.suppress import COUNTS
from expertise.reporting.audience import Audience, current_audience
from expertise.reporting.block import Block
from expertise.reporting.sentences import (
    change_sentences,
    effect_sentences,
    gap_sentences,
    percent,
    retention_sentence,
    span,
)
from expertise.study import Levels, Study
from expertise.study.flow import flow_in_words
from expertise.study.levels import plot_levels
from expertise.study.schema import Model
from expertise.words import Note, digits_for, note, number, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class StudyReport:
    """The parts of a study report; each shows itself in a notebook cell.

    Attributes
    ----------
    question, answer, picture : Block
        The first screen: what was asked, what came out, one figure.
    asked, flow, presence : Block
        Who asked it, who could be asked, who answered, who answered when.
    estimand, levels, model : Block
        What the primary model estimates, level and change per perspective,
        and the model itself in words and table.
    unknown, provenance : Block
        What is not known, and where everything comes from.
    persons : Block
        Everyone's own line; empty unless the report is internal.
    """

    question: Block
    answer: Block
    picture: Block
    asked: Block
    flow: Block
    presence: Block
    estimand: Block
    levels: Block
    model: Block
    unknown: Block
    provenance: Block
    persons: Block

    def __repr__(self) -> str:
        return f"{self.question!r}\n\n{self.answer!r}"


def study_report(
    study: Study, *, by: str | None = None, audience: Audience | None = None
) -> StudyReport:
    """Compute everything a study report shows.

    Parameters
    ----------
    study : Study
        An opened study with a primary model.
    by : str, optional
        A column of people whose levels are drawn as lines, in a study with
        one perspective.
    audience : {"released", "internal"}, optional
        Released unless `expertise report --internal` runs the notebook.

    Returns
    -------
    StudyReport
        Complete: models are fitted, sentences written from their intervals,
        small cells suppressed in the released view.

    Examples
    --------
    >>> from expertise import open_study
    >>> report = study_report(open_study("studies/vuurwerkramp"))
    >>> len(report.answer.paragraphs)
    3
    """
    audience = audience or current_audience()
    name = next((key for key, it in study.settings.models.items() if it.primary), "primary")
    model, fit = study.model(name), study.fit(name)
    levels = study.levels(model.outcome, by=by)
    if audience == "released":
        levels = levels.of_at_least(study.settings.disclosure.minimum)
    block = partial(Block, lang=study.lang)
    return StudyReport(
        question=_question(study),
        answer=block(paragraphs=tuple(_answer(study, model, fit, levels)), kind="answer"),
        picture=block(picture=plot_levels(levels, study.lang)),
        asked=_asked(study),
        flow=_flow(study, by, audience),
        presence=_presence(study, by, audience),
        estimand=_estimand(study, model),
        levels=_levels(study, levels),
        model=_model(study, fit),
        unknown=block(paragraphs=study.settings.unknown, items=True),
        provenance=_provenance(study),
        persons=_persons(study, model, audience),
    )


def _question(study: Study) -> Block:
    it = study.settings
    return Block(paragraphs=(it.question,), lead=it.content_note, kind="lead", lang=study.lang)


def _asked(study: Study) -> Block:
    told = f"{say('study.asked_by', study.lang)}: {study.settings.asked_by}"
    return Block(paragraphs=(told,), lang=study.lang)


def _answer(study: Study, model: Model, fit: MixedFit, levels: Levels) -> list[str]:
    """Say in three parts what changed, what the model found, where views differ or people left."""
    several = len(study.settings.perspectives) > 1
    change = " ".join(change_sentences(study, levels)) if levels.by is None else ""
    effect = " ".join(effect_sentences(study, model, fit))
    last = " ".join(gap_sentences(study, levels)) if several else retention_sentence(study)
    return [part for part in (change, effect, last) if part]


def _flow(study: Study, by: str | None, audience: Audience) -> Block:
    table, notes = _released(study, study.flow(by=by), audience)
    words = _in_words(study, table)
    return Block(
        tables=((say("reporting.flow_caption", study.lang), words),), notes=notes, lang=study.lang
    )


def _presence(study: Study, by: str | None, audience: Audience) -> Block:
    lang = study.lang
    table, notes = _released(study, study.presence(by=by), audience)
    counts = [
        say("study.of", lang, n=_count(study, n), total=_count(study, total))
        for n, total in zip(table["n_people"], table["eligible"], strict=True)
    ]
    side = _side_by_side(study, table, counts)
    return Block(tables=((say("reporting.presence_caption", lang), side),), notes=notes, lang=lang)


def _released(
    study: Study, table: pd.DataFrame, audience: Audience
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Return counts fit for the audience, with a note where some were suppressed."""
    if audience == "internal":
        return table, ()
    minimum = study.settings.disclosure.minimum
    safe = suppress_small(table, minimum=minimum)
    notes = (note("study.suppressed_note", minimum=minimum),) if safe.suppressed else ()
    return safe.table, notes


def _count(study: Study, n: int) -> str:
    minimum = study.settings.disclosure.minimum
    return say("study.suppressed", study.lang, minimum=minimum) if pd.isna(n) else str(n)


def _in_words(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """Return a flow table with the words people read; a perspective that is alone goes unsaid."""
    lang = study.lang
    counts = [name for name in COUNTS if name in table]
    out = table.assign(**{name: [_count(study, n) for n in table[name]] for name in counts})
    for name, covariate in study.settings.people.covariates.items():
        if name in out:
            out[name] = [covariate.label(str(level), lang) for level in out[name]]
            out = out.rename(columns={name: say("reporting.group", lang)})
    if len(study.settings.perspectives) == 1 and len(out) > 1:
        out = out.drop(columns="perspective")
    return flow_in_words(study.settings, out, lang)


def _side_by_side(study: Study, table: pd.DataFrame, cells: list[str]) -> pd.DataFrame:
    """Return a row a wave and a column a perspective (and group), never only an average."""
    it, lang = study.settings, study.lang
    groups = [name for name in table if name == "group" or name in it.people.covariates]
    heads = []
    for row in table.to_dict("records"):
        named = [it.perspectives[row["perspective"]].plural(lang)]
        levels = [_level(study, name, row[name]) for name in groups]
        heads.append(", ".join(levels if len(it.perspectives) == 1 and levels else named + levels))
    waves = {wave.id: wave.label(lang) for wave in it.waves}
    long = pd.DataFrame({"wave": table["wave"].astype(str), "head": heads, "cell": cells})
    wide = long.pivot(index="wave", columns="head", values="cell")
    wide = wide.reindex(index=[wave for wave in waves if wave in wide.index])
    wide = wide[list(dict.fromkeys(heads))].fillna("–").rename(index=waves)
    return wide.rename_axis(say("study.wave", lang)).reset_index().rename_axis(columns=None)


def _level(study: Study, name: str, level: object) -> str:
    covariates = study.settings.people.covariates
    # The averages call their grouping "group", whatever covariate it was.
    known = [covariates[name]] if name in covariates else list(covariates.values())
    labels = [it.label(str(level), study.lang) for it in known if str(level) in it.levels]
    return labels[0] if labels else str(level)


def _estimand(study: Study, model: Model) -> Block:
    lang = study.lang
    formula = f"{say('reporting.model_formula', lang)}: {model.formula}"
    told = [model.estimand.text(lang), say("reporting.primary_named", lang)]
    told += [model.named.text(lang)] if model.named else []
    return Block(paragraphs=(*told, formula), lang=lang)


def _levels(study: Study, levels: Levels) -> Block:
    lang, first = study.lang, study.settings.waves[0].label(study.lang)
    words = {"level": percent(levels.fit.conf_level), "wave": first}
    tables = [
        (say(f"reporting.{key}", lang, **words), _averages(study, table))
        for key, table in (
            ("levels_caption", levels.tidy()),
            ("changes_caption", levels.changes()),
        )
        if len(table)
    ]
    return Block(tables=tuple(tables), notes=levels.notes, lang=lang)


def _averages(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    rows = table.to_dict("records")
    return _side_by_side(study, table, [span(pd.Series(row), study.lang) for row in rows])


def _model(study: Study, fit: MixedFit) -> Block:
    lang = study.lang
    parts = [_part(row, lang) for row in fit.tidy().to_dict("records")]
    heads = [
        say("reporting.term", lang),
        say("reporting.estimate", lang, level=percent(fit.conf_level)),
    ]
    table = pd.DataFrame(parts, columns=heads)
    return Block(
        paragraphs=(fit.describe(lang),),
        tables=((say("reporting.model_caption", lang), table),),
        notes=fit.notes,
        lang=lang,
    )


def _part(row: dict[str, Any], lang: str) -> tuple[str, str]:
    """Return one row of a model in words: the term, and its estimate with interval."""
    if row["component"] == "fixed":
        return row["term"], span(pd.Series(row), lang)
    group = say("reporting.residual", lang) if row["group"] == "residual" else row["group"]
    term = "" if row["term"] in ("", "(Intercept)") else f", {row['term']}"
    digits = digits_for(abs(row["estimate"]), 3)
    named = say("reporting.variance", lang, group=f"{group}{term}")
    return named, number(row["estimate"], digits, lang)


def _provenance(study: Study) -> Block:
    lang, it = study.lang, study.settings
    told = [f"{say('reporting.source', lang)}: {it.source}"] * bool(it.source)
    told += [
        f"{row.file}: {say('reporting.fingerprint', lang)} {row.sha256}"
        for row in study.files.itertuples()
    ]
    told += [say("reporting.seed", lang, seed=it.seed)]
    return Block(paragraphs=tuple(told), notes=study.notes, lang=lang)


def _persons(study: Study, model: Model, audience: Audience) -> Block:
    lang = study.lang
    if audience != "internal":
        return Block(paragraphs=(say("reporting.internal_only", lang),), lang=lang)
    return Block(picture=plot_persons(study, model.outcome), lang=lang)


def plot_persons(study: Study, variable: str) -> StoryAxes:
    """Draw everyone's own line, thin and grey: for the internal view only."""
    data, lang = study.data_for(variable), study.lang
    data = data[data["perspective"] == next(iter(study.settings.perspectives))]

    def paint(axes: StoryAxes, look: Look) -> None:
        for _, rows in data.groupby("participant", sort=False):
            axes.plot(rows["months"], rows[variable], color=look.faint, lw=1, marker=".")
        waves = study.settings.waves
        month_ticks(axes, [w.months for w in waves], [w.label(lang) for w in waves], look, lang)

    return draw(
        paint,
        title=say("reporting.persons_title", lang),
        subtitle=variable,
        alt=say("reporting.persons_alt", lang),
        table=data[["participant", "wave", variable]],
        lang=lang,
    )
