"""What a study says of itself, in a report: question, measures, ethics, how people took part."""

from collections.abc import Iterable

import pandas as pd

from expertise.reporting.block import Block
from expertise.study import Study
from expertise.study.schema import Model
from expertise.words import plain, say


def question_block(study: Study) -> Block:
    """Return the question, with what a reader must know before reading on."""
    it = study.settings
    return Block(paragraphs=(it.question,), lead=it.content_note, kind="lead", lang=study.lang)


def asked_block(study: Study) -> Block:
    """Return who asked the question."""
    return Block(paragraphs=(_named(study, "study.asked_by", study.settings.asked_by),),
                 lang=study.lang)  # fmt: skip


def estimand_block(study: Study, model: Model | None) -> Block:
    """Return what the primary model estimates, when it was named, and its formula."""
    lang = study.lang
    if model is None:
        return Block(paragraphs=(say("reporting.no_model", lang),), lang=lang)
    told = [model.estimand.text(lang), say("reporting.primary_named", lang)]
    told += [model.named.text(lang)] if model.named else []
    told += [_named(study, "reporting.model_formula", model.formula)]
    return Block(paragraphs=tuple(told), lang=lang)


def measures_block(study: Study) -> Block:
    """Return what was measured: scale, direction, who answered, how dependable."""
    lang, it = study.lang, study.settings
    answered = study.outcomes[study.outcomes["value"].notna()].astype({"perspective": str})
    by = answered.groupby("instrument")["perspective"].agg(set)
    rows = []
    for name, what in it.instruments.items():
        if name not in by.index:
            continue
        ends = [plain(end, lang) for end in (what.minimum, what.maximum) if end is not None]
        who = [role.plural(lang) for key, role in it.perspectives.items() if key in by[name]]
        better, source = say(f"study.{what.better}", lang), what.reliability_source or "–"
        rows.append((what.label(lang), "–".join(ends) or "–", better, ", ".join(who), source))
    heads = ("instrument", "scale", "direction", "who_answers", "dependable")
    table = pd.DataFrame(rows, columns=[say(f"reporting.{head}", lang) for head in heads])
    return Block(tables=((say("reporting.measures_caption", lang), table),), lang=lang)


def declared_block(study: Study, table: str) -> Block:
    """Return what study.toml says under `ethics`, `together` or `mixing`, a paragraph a key."""
    told = getattr(study.settings, table)
    if told is None:
        return Block(lang=study.lang)
    return Block(paragraphs=tuple(_told(study, table, told)), lang=study.lang)


def _told(study: Study, table: str, told: object) -> Iterable[str]:
    for key in type(told).__dataclass_fields__:  # type: ignore[attr-defined]
        if text := getattr(told, key):
            yield _named(study, f"reporting.{table}_{key}", text)


def _named(study: Study, key: str, text: str) -> str:
    return f"{say(key, study.lang)}: {text}"


def provenance_block(study: Study) -> Block:
    """Return where everything comes from, with hashes."""
    lang, it = study.lang, study.settings
    told = [_named(study, "reporting.source", it.source)] * bool(it.source)
    told += [
        f"{row.file}: {say('reporting.fingerprint', lang)} {row.sha256}"
        for row in study.files.itertuples()
    ]
    told += [say("reporting.seed", lang, seed=it.seed)]
    return Block(paragraphs=tuple(told), notes=study.notes, lang=lang)
