"""Sentences that follow intervals: what changed, what the model found, where views differ."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from expertise.errors import StudyError, listed, nearest
from expertise.mixed.fit import MixedFit
from expertise.study import Levels, Study
from expertise.study.rules import find_term, measured_with
from expertise.study.schema import Model
from expertise.words import digits_for, interval, number, plain, say


def settled(row: pd.Series) -> bool:
    """Whether an interval leaves zero out, so that the direction is known."""
    return bool(row["conf_low"] > 0 or row["conf_high"] < 0)


def span(row: pd.Series, lang: str) -> str:
    """Write an estimate and its interval."""
    return interval(row["estimate"], row["conf_low"], row["conf_high"], lang)


def percent(level: float) -> str:
    """Write a level of confidence without its sign.

    >>> percent(0.95)
    '95'
    """
    return f"{100 * level:g}"


def change_sentences(study: Study, levels: Levels) -> Iterator[str]:
    """Yield for all perspectives whether the average went up, down, or is not settled."""
    lang, waves = study.lang, study.settings.waves
    table = levels.changes()
    last = table[table["wave"] == waves[-1].id] if len(table) else table
    words = {"first": waves[0].label(lang), "last": waves[-1].label(lang)}
    known: list[str] = []
    for _, row in last.iterrows():
        plural = study.settings.perspectives[row["perspective"]].plural(lang)
        if settled(row):
            key = "answer_also" if known else "answer_change"
            known.append(sentence(key, row, lang, plural=plural, **words))
        else:
            yield capital(sentence("answer_stable", row, lang, plural=plural, **words)) + "."
    if known:
        yield capital("; ".join(known)) + "."


def sentence(key: str, row: pd.Series, lang: str, **words: str) -> str:
    """Say a difference: its size without sign, "more" or "less", and the interval."""
    down = row["estimate"] < 0
    bounds = sorted((abs(row["conf_low"]), abs(row["conf_high"])))
    digits = digits_for(row["conf_high"] - row["conf_low"])
    amount, low, high = (number(x, digits, lang) for x in (abs(row["estimate"]), *bounds))
    return say(
        f"reporting.{key}", lang, amount=amount, low=low, high=high, interval=span(row, lang),
        direction=say(f"reporting.{'down' if down else 'up'}", lang), **words,
    )  # fmt: skip


def capital(text: str) -> str:
    """Return a sentence with its first letter as a capital.

    >>> capital("ouders zagen meer")
    'Ouders zagen meer'
    """
    return text[:1].upper() + text[1:]


def effect_sentences(study: Study, model: Model, fit: MixedFit) -> Iterator[str]:
    """Yield what the named term of a model shows, and whether it reaches what was worthwhile."""
    if not model.term or model.effect is None:
        return
    row = combined(fit, (model.term,), where="study.toml: models")
    lang = study.lang
    values = {
        "effect": capital(model.effect.text(lang)),
        "interval": span(row, lang) + say(f"reporting.scale_{fit.link.name}", lang),
    }
    if settled(row):
        verdict = _verdict(study, model, float(row["estimate"]))
        yield say("reporting.effect_settled", lang, verdict=verdict, **values)
    else:
        yield say("reporting.effect_open", lang, **values)
    if model.worthwhile:
        yield from _worthwhile(study, model, row)


def beside_sentences(study: Study, model: Model, fit: MixedFit) -> Iterator[str]:
    """Yield what the same model says on the other questions that were put to it beforehand."""
    lang = study.lang
    scale = say(f"reporting.scale_{fit.link.name}", lang)
    for name, other in model.beside.items():
        row = combined(fit, other.terms, where=f"study.toml: models: beside.{name}")
        size = span(row, lang) + scale
        key = "beside_settled" if settled(row) else "beside_open"
        yield say(f"reporting.{key}", lang, effect=capital(other.effect.text(lang)), interval=size)


def combined(fit: MixedFit, terms: Sequence[str], *, where: str) -> pd.Series:
    """Return the sum of some coefficients of a model, with its interval.

    Raises
    ------
    StudyError
        A term is not in the model; `where` says who asked for it.
    """
    picked = np.zeros(len(fit.names))
    for term in terms:
        name = find_term(term, fit.names)
        if name is None:
            raise StudyError(
                f"{where}: the term {term!r} is not in the model"
                f"{nearest(term, fit.names)}; it has {listed(fit.names, most=20)}"
            )
        picked[fit.names.index(name)] += 1
    return fit.estimates(picked).iloc[0]


def _verdict(study: Study, model: Model, estimate: float) -> str:
    better = measured_with(study.settings, model.outcome).better
    where = "lower" if estimate < 0 else "higher"
    if better == "neither":
        return say(f"reporting.verdict_neutral_{where}", study.lang)
    judgement = say(f"reporting.{'better' if where == better else 'worse'}", study.lang)
    return say(f"reporting.verdict_{where}", study.lang, judgement=judgement)


def _worthwhile(study: Study, model: Model, row: pd.Series) -> Iterator[str]:
    """Say whether the benefit reaches what was named worthwhile; of harm it says nothing."""
    sign = -1 if measured_with(study.settings, model.outcome).better == "lower" else 1
    low, high = sorted((sign * row["conf_low"], sign * row["conf_high"]))
    worthwhile = model.worthwhile or 0.0
    if high < 0:
        return
    key = "large" if low >= worthwhile else "small" if high < worthwhile else "unsure"
    amount = plain(worthwhile, study.lang)
    yield say(f"reporting.effect_{key}", study.lang, worthwhile=amount)


def gap_sentences(study: Study, levels: Levels) -> list[str]:
    """Return for each two perspectives whether they differ at the last wave, and since when."""
    if levels.by is not None or len(study.settings.perspectives) < 2:
        return []
    gaps, changes = levels.gaps(), levels.gap_changes()
    if gaps.empty:
        return []
    lang, roles, waves = study.lang, study.settings.perspectives, study.settings.waves
    told = []
    for _, gap in gaps[gaps["wave"] == waves[-1].id].iterrows():
        first, second = (roles[name].plural(lang) for name in gap["term"].split(" − "))
        key = "gap_settled" if settled(gap) else "gap_open"
        text = sentence(key, gap, lang, last=waves[-1].label(lang), first=first, second=second)
        change = _at(changes, gap["term"], waves[-1].id)
        start = _at(gaps, gap["term"], waves[0].id)
        since = (
            "" if change is None or start is None else " " + _gap_change(start, gap, change, lang)
        )
        told.append(capital(text) + since)
    return told


def _at(table: pd.DataFrame, term: str, wave: str) -> "pd.Series | None":
    if table.empty:
        return None
    found = table[(table["term"] == term) & (table["wave"] == wave)]
    return None if found.empty else found.iloc[0]


def _gap_change(start: pd.Series, gap: pd.Series, change: pd.Series, lang: str) -> str:
    """Say that a gap grew, shrank or turned only where every part of that is settled."""
    if not settled(change):
        return say("reporting.gap_change_open", lang)
    if not (settled(start) and settled(gap)):
        how = "changed"
    elif start["estimate"] * gap["estimate"] < 0:
        how = "turned"
    else:
        how = "grew" if abs(gap["estimate"]) > abs(start["estimate"]) else "shrank"
    return say("reporting.gap_change_settled", lang, grew=say(f"reporting.{how}", lang))


def retention_sentence(study: Study, presence: pd.DataFrame) -> str:
    """Say how many people still answered at the last wave; `presence` is fit for the audience."""
    lang, wave = study.lang, study.settings.waves[-1]
    last = presence[presence["wave"] == wave.id].iloc[0]
    few = say("study.suppressed", lang, minimum=study.settings.disclosure.minimum)
    n, total = (few if pd.isna(last[key]) else last[key] for key in ("n_people", "eligible"))
    plural = study.settings.perspectives[last["perspective"]].plural(lang)
    return say("reporting.retention", lang, wave=wave.label(lang), n=n, total=total, plural=plural)


def listed_words(words: Sequence[str], lang: str) -> str:
    """Join words as a sentence does.

    >>> listed_words(["patiënten", "naasten", "professionals"], "nl")
    'patiënten, naasten en professionals'
    """
    *most, last = words
    return say("study.and_last", lang).join([", ".join(most), last]) if most else last
