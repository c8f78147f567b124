"""What a study report says, part by part, ready for a notebook cell."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from expertise.figures import Look, StoryAxes, draw, month_ticks
from expertise.mixed.fit import MixedFit
from expertise.privacy.suppress import COUNTS
from expertise.reporting.action import (
    attendance_block,
    cycles_block,
    disagreement_block,
    recognised_block,
)
from expertise.reporting.audience import Audience, current_audience
from expertise.reporting.block import Block, Perspectives
from expertise.reporting.findings import Findings, find
from expertise.reporting.guidelines import guideline_block, guidelines
from expertise.reporting.individual import change_block, dropout_block
from expertise.reporting.measured import phases_block
from expertise.reporting.perspectives import perspectives_of
from expertise.reporting.sentences import (
    beside_sentences,
    change_sentences,
    effect_sentences,
    gap_sentences,
    percent,
    retention_sentence,
    span,
)
from expertise.reporting.stories import coders_block, readers_block, told_block
from expertise.reporting.told import (
    asked_block,
    declared_block,
    estimand_block,
    measures_block,
    provenance_block,
    question_block,
)
from expertise.study import Levels, Study
from expertise.study.flow import flow_in_words
from expertise.study.levels_plot import in_words, side_by_side
from expertise.study.load import persons
from expertise.study.rules import measured_with
from expertise.study.schema import Model
from expertise.words import Note, digits_for, number, say

# Of the averages: said beside their own table, or true of a model that no reader sees.
UNSAID = ("study.suppressed_note", "mixed.reference")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class StudyReport:
    """The parts of a study report; each shows itself in a notebook cell.

    A part of which the study declares nothing is empty, and false.

    Attributes
    ----------
    question, answer, picture : Block
        The first screen: what was asked, what came out, one figure.
    asked, together, flow, presence, measures : Block
        Who asked it and took part in the research, who could be asked, who
        answered when, and what.
    cycles, attendance : Block
        What teams tried and learned, and who came to the meetings.
    estimand, levels, model, phases : Block
        What the primary model estimates, level and change per perspective,
        the model itself in words and table, and the outcome around the start
        of each team.
    change, dropout : Block
        Who changed by more than chance, and what if those who left differ.
    perspectives : Perspectives
        Perspectives side by side, a part a question; empty without [triads].
    told, readers, coders : Block
        Themes by who told, what readers marked and how they agree, where
        they stand.
    mixing, joint, recognised, disagreement : Block
        Why numbers and stories, both side by side, who recognised what was
        brought back, and what stayed open.
    ethics, unknown, provenance : Block
        Who judged the study, what is not known, where everything comes from.
    gripp2, gramms, strobe, coreq : Block
        Guidelines: where this report answers each item, and what is open.
    persons : Block
        Everyone's own line; empty unless the report is internal.
    """

    question: Block
    answer: Block
    picture: Block
    asked: Block
    together: Block
    flow: Block
    presence: Block
    measures: Block
    cycles: Block
    attendance: Block
    estimand: Block
    levels: Block
    model: Block
    phases: Block
    change: Block
    dropout: Block
    perspectives: Perspectives
    told: Block
    readers: Block
    coders: Block
    mixing: Block
    joint: Block
    recognised: Block
    disagreement: Block
    ethics: Block
    unknown: Block
    provenance: Block
    gripp2: Block
    gramms: Block
    strobe: Block
    coreq: Block
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

    Raises
    ------
    PrivacyError
        The joint display quotes someone who did not agree to these readers.

    Examples
    --------
    >>> from expertise import open_study
    >>> report = study_report(open_study("studies/vuurwerkramp"))
    >>> len(report.answer.paragraphs)
    3
    """
    return report_of(find(study, audience=audience or current_audience(), by=by))


def report_of(found: Findings) -> StudyReport:
    """Return the parts of the report of what was found."""
    study, model, fit, levels = found.study, found.model, found.fit, found.levels
    block = partial(Block, lang=study.lang)
    parts = {
        "question": question_block(study),
        "answer": block(paragraphs=tuple(_answer(found)), kind="answer"),
        "picture": block(picture=levels.plot() if len(levels.cells) else None),
        "asked": asked_block(study),
        "together": declared_block(study, "together"),
        "flow": _flow(found),
        "presence": _presence(found),
        "measures": measures_block(study),
        "cycles": cycles_block(found),
        "attendance": attendance_block(found),
        "estimand": estimand_block(study, model),
        "levels": _levels(study, levels),
        "model": _model(study, model, fit, levels),
        "phases": phases_block(found),
        "change": change_block(study, found.audience),
        "dropout": dropout_block(study),
        "told": told_block(found),
        "readers": readers_block(found),
        "coders": coders_block(found),
        "mixing": declared_block(study, "mixing"),
        "joint": _joint(found),
        "recognised": recognised_block(found),
        "disagreement": disagreement_block(found),
        "ethics": declared_block(study, "ethics"),
        "unknown": block(paragraphs=study.settings.unknown, items=True),
        "provenance": provenance_block(study),
        "persons": _persons(study, levels.variable, found.audience),
    }
    beside = perspectives_of(study, found.audience)
    known = {name: bool(part) for name, part in parts.items()}
    known |= {f"perspectives.{name}": bool(part) for name, part in beside.parts.items()}
    lists = {name: guideline_block(name, study.settings, known) for name in guidelines()}
    return StudyReport(perspectives=beside, **parts, **lists)


def _answer(found: Findings) -> Iterator[str]:
    """Say in three parts what changed, what the model found, where views differ or people left."""
    study, model, fit, levels = found.study, found.model, found.fit, found.levels
    if levels.by is None:
        yield " ".join(change_sentences(study, levels))
    if model and fit:
        yield " ".join([*effect_sentences(study, model, fit), *beside_sentences(study, model, fit)])
    gaps = gap_sentences(study, levels)
    # With three perspectives there are three gaps: all stand under level and change.
    if len(study.settings.perspectives) == 1:
        yield retention_sentence(study, found.presence)
    elif gaps:
        yield gaps[0] if len(gaps) == 1 else say("reporting.gaps_below", study.lang)


def _flow(found: Findings) -> Block:
    lang = found.study.lang
    words = _in_words(found.study, found.flow)
    caption = say("reporting.flow_caption", lang)
    return Block(tables=((caption, words),), notes=_hidden(found, found.flow), lang=lang)


def _presence(found: Findings) -> Block:
    study, table, lang = found.study, found.presence, found.study.lang
    counts = [
        say("study.of", lang, n=_count(study, n), total=_count(study, total))
        for n, total in zip(table["n_people"], table["eligible"], strict=True)
    ]
    side = side_by_side(study.settings, table, counts, lang, found.by)
    caption = say("reporting.presence_caption", lang)
    return Block(tables=((caption, side),), notes=_hidden(found, table), lang=lang)


def _hidden(found: Findings, table: pd.DataFrame) -> tuple[Note, ...]:
    """Return the note on small cells where a table has them."""
    counts = [name for name in COUNTS if name in table]
    return found.hidden if table[counts].isna().to_numpy().any() else ()


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
    seats = study.data(_name(study, model)).loc[used.index, "participant"]
    people = seats.map(persons(study.people)).nunique()
    told = [say("reporting.model_used", lang, n=len(used), people=people)]
    told += [*effect_sentences(study, model, fit), *beside_sentences(study, model, fit)]
    parts = [_part(row, lang) for row in fit.tidy().to_dict("records")]
    heads = [
        say("reporting.term", lang),
        say("reporting.estimate", lang, level=percent(fit.conf_level)),
    ]
    table = pd.DataFrame(parts, columns=heads)
    notes = [*fit.notes, *(one for one in levels.notes if one.key not in UNSAID)]
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


def _joint(found: Findings) -> Block:
    """Return the joint display with ids of texts: the page puts the passages in their place."""
    lang = found.study.lang
    if found.joint is None:
        return Block(lang=lang)
    return Block(tables=((say("joint.caption", lang), found.joint.table()),), lang=lang)


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
