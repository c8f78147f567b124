"""What a study report says, part by part, ready for a notebook cell."""

from dataclasses import dataclass
from functools import partial

import pandas as pd

from expertise.figures import Look, StoryAxes, draw, month_ticks
from expertise.mixed.fit import MixedFit
from expertise.privacy import suppress_small
from expertise.reporting.audience import Audience, current_audience
from expertise.reporting.block import Block
from expertise.reporting.sentences import (
    change_sentences,
    effect_sentences,
    gap_sentences,
    retention_sentence,
)
from expertise.result import shown
from expertise.study import Levels, Study
from expertise.study.flow import flow_in_words
from expertise.study.levels import plot_levels
from expertise.study.schema import Model
from expertise.words import interval, note, say


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
    hide = partial(_hidden, study, audience)
    return StudyReport(
        question=_question(study),
        answer=block(paragraphs=tuple(_answer(study, model, fit, levels)), kind="answer"),
        picture=block(picture=plot_levels(levels, study.lang)),
        asked=_asked(study),
        flow=hide(say("reporting.flow_caption", study.lang), study.flow(by=by)),
        presence=hide(say("reporting.presence_caption", study.lang), study.presence(by=by)),
        estimand=_estimand(study, model),
        levels=_levels(study, levels),
        model=_model(study, fit, model),
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


def _hidden(study: Study, audience: Audience, caption: str, table: pd.DataFrame) -> Block:
    minimum, lang = study.settings.disclosure.minimum, study.lang
    if audience == "internal":
        return Block(tables=((caption, _in_words(study, table)),), lang=lang)
    safe = suppress_small(table, minimum=minimum)
    notes = (note("study.suppressed_note", minimum=minimum),) * safe.suppressed
    words = _in_words(study, safe.table.astype(object))
    words = words.where(words.notna(), say("study.suppressed", lang, minimum=minimum))
    return Block(tables=((caption, words),), notes=notes, lang=lang)


def _in_words(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    lang = study.lang
    waves = {wave.id: wave.label(lang) for wave in study.settings.waves}
    out = table.assign(**{name: table[name].astype(object) for name in waves_and_roles(table)})
    out = flow_in_words(study.settings, out.replace({"wave": waves}), lang)
    for name, covariate in study.settings.people.covariates.items():
        if name in out:
            out[name] = [covariate.label(str(level), lang) for level in out[name]]
            out = out.rename(columns={name: say("reporting.group", lang)})
    return out.rename(
        columns={"wave": say("study.wave", lang), "n_people": say("study.answered", lang)}
    )


def waves_and_roles(table: pd.DataFrame) -> list[str]:
    """Return the key columns that hold ids, to be replaced by words."""
    return [name for name in ("perspective", "wave") if name in table]


def _estimand(study: Study, model: Model) -> Block:
    lang = study.lang
    formula = f"{say('reporting.model_formula', lang)}: {model.formula}"
    told = (model.estimand.text(lang), say("reporting.primary_named", lang), formula)
    return Block(paragraphs=told, lang=lang)


def _levels(study: Study, levels: Levels) -> Block:
    lang, first = study.lang, study.settings.waves[0].label(study.lang)
    tables = [
        (say("reporting.levels_caption", lang), _averages(study, levels, levels.tidy())),
        (
            say("reporting.changes_caption", lang, wave=first),
            _averages(study, levels, levels.changes()),
        ),
    ]
    tables = [(caption, table) for caption, table in tables if len(table)]
    return Block(tables=tuple(tables), notes=levels.notes, lang=lang)


def _averages(study: Study, levels: Levels, table: pd.DataFrame) -> pd.DataFrame:
    lang = study.lang
    level = f"{levels.fit.conf_level:.0%}".rstrip("%")
    out = table[[name for name in ("perspective", "group", "wave") if name in table]].copy()
    rows = table[["estimate", "conf_low", "conf_high"]].itertuples(index=False)
    out[say("reporting.interval", lang, level=level)] = [
        interval(row.estimate, row.conf_low, row.conf_high, lang) for row in rows
    ]
    if "n_people" in table:
        out[say("reporting.people", lang)] = table["n_people"]
    if levels.by:
        out = out.rename(columns={"group": levels.by})
    return _in_words(study, out)


def _model(study: Study, fit: MixedFit, model: Model) -> Block:
    lang = study.lang
    table = shown(fit.tidy(), lang).rename(
        columns={"term": say("reporting.term", lang), "estimate": say("reporting.estimate", lang)}
    )
    return Block(
        paragraphs=(fit.heading(),),
        tables=((say("reporting.model_caption", lang), table),),
        notes=fit.notes,
        lang=lang,
    )


def _provenance(study: Study) -> Block:
    lang = study.lang
    names = {
        "file": say("reporting.data_file", lang), "sha256": say("reporting.fingerprint", lang)
    }  # fmt: skip
    told = [say("reporting.seed", lang, seed=study.settings.seed)]
    told += [f"{say('reporting.source', lang)}: {study.settings.source}"] * bool(
        study.settings.source
    )
    return Block(
        paragraphs=tuple(told),
        tables=((say("reporting.data_file", lang), study.files.rename(columns=names)),),
        notes=study.notes,
        lang=lang,
    )


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
        month_ticks(axes, [w.months for w in waves], [w.label(lang) for w in waves])

    return draw(
        paint,
        title=say("reporting.persons_title", lang),
        subtitle=variable,
        alt=say("reporting.persons_alt", lang),
        table=data[["participant", "wave", variable]],
        lang=lang,
    )
