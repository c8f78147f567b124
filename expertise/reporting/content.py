"""What a study report says, part by part, ready for a notebook cell."""

from collections.abc import Iterator
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
from expertise.reporting.individual import change_block, dropout_block
from expertise.reporting.perspectives import Perspectives, perspectives_of
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
from expertise.study.levels_plot import in_words, side_by_side
from expertise.study.rules import measured_with
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
    change, dropout : Block
        Who changed by more than chance, and what if those who left differ;
        empty where study.toml declares neither.
    perspectives : Perspectives
        Perspectives side by side, a part a question; empty without [triads].
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
    change: Block
    dropout: Block
    perspectives: Perspectives
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
    name = next((key for key, it in study.settings.models.items() if it.primary), None)
    model = study.model(name) if name else None
    fit = study.fit(name) if name else None
    levels = study.levels(model.outcome if model else None, by=by)
    if audience == "released":
        levels = levels.of_at_least(study.settings.disclosure.minimum)
    presence, hidden = _released(study, study.presence(by=by), audience)
    block = partial(Block, lang=study.lang)
    return StudyReport(
        question=_question(study),
        answer=block(paragraphs=tuple(_answer(study, model, fit, levels, presence)), kind="answer"),
        picture=block(picture=levels.plot() if len(levels.cells) else None),
        asked=_asked(study),
        flow=_flow(study, by, audience),
        presence=_presence(study, presence, by, hidden),
        estimand=_estimand(study, model),
        levels=_levels(study, levels),
        model=_model(study, model, fit, levels),
        change=change_block(study, audience),
        dropout=dropout_block(study),
        perspectives=perspectives_of(study, audience),
        unknown=block(paragraphs=study.settings.unknown, items=True),
        provenance=_provenance(study),
        persons=_persons(study, levels.variable, audience),
    )


def _question(study: Study) -> Block:
    it = study.settings
    return Block(paragraphs=(it.question,), lead=it.content_note, kind="lead", lang=study.lang)


def _asked(study: Study) -> Block:
    told = f"{say('study.asked_by', study.lang)}: {study.settings.asked_by}"
    return Block(paragraphs=(told,), lang=study.lang)


def _answer(
    study: Study,
    model: Model | None,
    fit: MixedFit | None,
    levels: Levels,
    presence: pd.DataFrame,
) -> Iterator[str]:
    """Say in three parts what changed, what the model found, where views differ or people left."""
    if levels.by is None:
        yield " ".join(change_sentences(study, levels))
    if model and fit:
        yield " ".join(effect_sentences(study, model, fit))
    gaps = gap_sentences(study, levels)
    # With three perspectives there are three gaps: all stand under level and change.
    if len(study.settings.perspectives) == 1:
        yield retention_sentence(study, presence)
    elif gaps:
        yield gaps[0] if len(gaps) == 1 else say("reporting.gaps_below", study.lang)


def _flow(study: Study, by: str | None, audience: Audience) -> Block:
    table, notes = _released(study, study.flow(by=by), audience)
    words = _in_words(study, table)
    return Block(
        tables=((say("reporting.flow_caption", study.lang), words),), notes=notes, lang=study.lang
    )


def _presence(study: Study, table: pd.DataFrame, by: str | None, notes: tuple[Note, ...]) -> Block:
    lang = study.lang
    counts = [
        say("study.of", lang, n=_count(study, n), total=_count(study, total))
        for n, total in zip(table["n_people"], table["eligible"], strict=True)
    ]
    side = side_by_side(study.settings, table, counts, lang, by)
    return Block(tables=((say("reporting.presence_caption", lang), side),), notes=notes, lang=lang)


def _released(
    study: Study, table: pd.DataFrame, audience: Audience
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Return counts fit for the audience, with a note where some were suppressed."""
    table = table[table["eligible"] > 0].reset_index(drop=True)
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


def _estimand(study: Study, model: Model | None) -> Block:
    lang = study.lang
    if model is None:
        return Block(paragraphs=(say("reporting.no_model", lang),), lang=lang)
    formula = f"{say('reporting.model_formula', lang)}: {model.formula}"
    told = [model.estimand.text(lang), say("reporting.primary_named", lang)]
    told += [model.named.text(lang)] if model.named else []
    return Block(paragraphs=(*told, formula), lang=lang)


def _levels(study: Study, levels: Levels) -> Block:
    lang, first = study.lang, study.settings.waves[0].label(study.lang)
    words = {"level": percent(levels.fit.conf_level), "wave": first}
    tables = [
        (say(f"reporting.{key}", lang, **words), in_words(levels, table, lang))
        for key, table in (
            ("levels_caption", levels.tidy()),
            ("changes_caption", levels.changes()),
        )
        if len(table)
    ]
    gaps = gap_sentences(study, levels)
    notes = tuple(one for one in levels.notes if one.key == "study.suppressed_note")
    return Block(
        paragraphs=tuple(gaps) if len(gaps) > 1 else (),
        tables=tuple(tables),
        notes=notes,
        lang=lang,
    )


def _model(study: Study, model: Model | None, fit: MixedFit | None, levels: Levels) -> Block:
    lang = study.lang
    if model is None or fit is None:
        return Block(lang=lang)
    used = fit.augment()
    people = study.data(_name(study, model)).loc[used.index, "participant"].nunique()
    told = [say("reporting.model_used", lang, n=len(used), people=people)]
    told += effect_sentences(study, model, fit)
    parts = [_part(row, lang) for row in fit.tidy().to_dict("records")]
    heads = [
        say("reporting.term", lang),
        say("reporting.estimate", lang, level=percent(fit.conf_level)),
    ]
    table = pd.DataFrame(parts, columns=heads)
    notes = [*fit.notes, *(one for one in levels.notes if one.key != "study.suppressed_note")]
    return Block(
        paragraphs=tuple(told),
        tables=((say("reporting.model_caption", lang), table),),
        notes=tuple({str(one): one for one in notes}.values()),
        fold=say("reporting.model_fold", lang),
        lang=lang,
    )


def _name(study: Study, model: Model) -> str:
    return next(name for name, it in study.settings.models.items() if it is model)


def _part(row: dict[str, Any], lang: str) -> tuple[str, str]:
    """Return one row of a model in words: the term, and its estimate with interval."""
    if row["component"] in ("fixed", "threshold"):
        # Long names of interactions may break after a colon.
        return row["term"].replace(":", ":\u200b"), span(pd.Series(row), lang)
    if row["component"] == "dispersion":
        return row["term"], number(row["estimate"], digits_for(abs(row["estimate"]), 3), lang)
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


def _persons(study: Study, variable: str, audience: Audience) -> Block:
    lang = study.lang
    if audience != "internal":
        return Block(paragraphs=(say("reporting.internal_only", lang),), lang=lang)
    return Block(picture=plot_persons(study, variable), lang=lang)


def plot_persons(study: Study, variable: str) -> StoryAxes:
    """Draw everyone's own line, a panel a perspective: for the internal view only."""
    data, lang = study.data_for(variable), study.lang
    roles = [name for name in study.settings.perspectives if (data["perspective"] == name).any()]
    waves = study.settings.waves

    def paint(axes: Any, look: Look) -> None:
        for each, name in zip(axes if len(roles) > 1 else [axes], roles, strict=True):
            mine = data[data["perspective"] == name]
            for _, rows in mine.groupby("participant", sort=False):
                each.plot(rows["months"], rows[variable], color=look.faint, lw=1, marker=".")
            each.set_title(study.settings.perspectives[name].plural(lang), loc="left")
            labels = [wave.label(lang) for wave in waves]
            month_ticks(each, [wave.months for wave in waves], labels, look, lang)

    return draw(
        paint,
        title=say("reporting.persons_title", lang),
        subtitle=measured_with(study.settings, variable).label(lang),
        alt=say("reporting.persons_alt", lang),
        table=data[["participant", "perspective", "wave", variable]],
        lang=lang,
        panels=(len(roles), 1),
        wide=(6.4, 1 + 3.0 * len(roles)),
        phone=(4.0, 1 + 3.4 * len(roles)),
    )
