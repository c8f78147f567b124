"""Reporting guidelines as tables: filled where the study knows, open where a person must write."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import pandas as pd

from expertise.errors import StudyError, listed, nearest
from expertise.files.settings import read_settings
from expertise.reporting.block import Block
from expertise.study.schema import StudyFile
from expertise.words import say

frozen = dataclass(frozen=True, slots=True, kw_only=True)


@frozen
class Item:
    """One thing that readers should find; `known` names what in a study answers it."""

    id: str
    known: tuple[str, ...]
    nl: str
    en: str


@frozen
class Guideline:
    """A reporting guideline, in our words, with its source."""

    name: str
    source: str
    doi: str
    items: tuple[Item, ...]


@cache
def guidelines() -> dict[str, Guideline]:
    """Return GRIPP2, GRAMMS, STROBE and COREQ by short name.

    >>> {name: len(one.items) for name, one in guidelines().items()}
    {'gripp2': 5, 'gramms': 6, 'strobe': 22, 'coreq': 32}
    """
    tree = tomllib.loads((files(__package__) / "guidelines.toml").read_text("utf-8"))
    out = {}
    for name, table in tree.items():
        found, faults = read_settings(Guideline, table)
        assert found is not None, faults
        out[name] = found
    return out


def guideline_block(name: str, study: StudyFile, parts: Mapping[str, bool]) -> Block:
    """Return a guideline as a table: where the report answers each item, and what is still open.

    An answer says where to look, not that what stands there is enough.

    Parameters
    ----------
    name : str
        gripp2, gramms, strobe or coreq.
    study : StudyFile
        Its declarations, and `written`: items that a person answered, under
        ``"coreq.4"`` and the like.
    parts : mapping
        Parts of the report by name → whether there is anything in it.

    Returns
    -------
    Block

    Raises
    ------
    StudyError
        `written` names an item that no guideline has.
    """
    check_written(study)
    lang, about = study.language, guidelines()[name]
    answers = [_answer(name, item, study, parts) for item in about.items]
    table = pd.DataFrame(
        {
            say("reporting.item", lang): [item.id for item in about.items],
            say("reporting.should_find", lang): [
                item.nl if lang == "nl" else item.en for item in about.items
            ],
            say("reporting.here", lang): [
                f"☑ {answer}" if answer else f"☐ {say('reporting.to_write', lang)}"
                for answer in answers
            ],
        }
    )
    words = {"n": sum(map(bool, answers)), "of": len(answers), "name": about.name}
    told = "guideline_all" if all(answers) else "guideline_told"
    source = say("reporting.guideline_source", lang, source=about.source, doi=about.doi)
    return Block(
        paragraphs=(say(f"reporting.{told}", lang, **words), source),
        tables=((about.name, table),),
        fold=say("reporting.guideline_fold", lang, name=about.name),
        lang=lang,
    )


def check_written(study: StudyFile) -> None:
    """Refuse answers to items that no guideline has."""
    known = [f"{name}.{item.id}" for name, one in guidelines().items() for item in one.items]
    for key in study.written:
        if key not in known:
            raise StudyError(
                f"study.toml: written: unknown item {key!r}{nearest(key, known)}; "
                f"it has {listed(guidelines())}, each with a number, such as {known[0]!r}"
            )


def _answer(name: str, item: Item, study: StudyFile, parts: Mapping[str, bool]) -> str:
    """Return where the report answers an item, or what a person wrote; empty when nobody did."""
    lang = study.language
    told = [study.written.get(f"{name}.{item.id}", "")]
    places = []
    for source in item.known:
        table, _, key = source.partition(".")
        if parts.get(source):
            places.append(say(f"parts.{table}", lang))
        elif key and source not in parts:
            told.append(getattr(getattr(study, table), key, ""))
    if places:
        told.append(say("reporting.stands_under", lang, places="; ".join(dict.fromkeys(places))))
    return " ".join(filter(None, told))
