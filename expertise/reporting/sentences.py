"""Sentences that follow intervals: what changed, what the model found, where views differ."""

from collections.abc import Iterator

import pandas as pd

from expertise.errors import StudyError, listed, nearest
from expertise.mixed.fit import MixedFit
from expertise.study import Levels, Study
from expertise.study.rules import measured_with
from expertise.study.schema import Model
from expertise.words import digits_for, interval, number, say


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
    last = table[table["wave"] == waves[-1].id]
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
    if model.term not in fit.names:
        raise StudyError(
            f"study.toml: models: the term {model.term!r} is not in the model"
            f"{nearest(model.term, fit.names)}; it has {listed(fit.names, most=20)}"
        )
    table = fit.tidy()
    row = table[(table["component"] == "fixed") & (table["term"] == model.term)].iloc[0]
    lang = study.lang
    values = {"effect": capital(model.effect.text(lang)), "interval": span(row, lang)}
    if settled(row):
        verdict = _verdict(study, model, float(row["estimate"]))
        yield say("reporting.effect_settled", lang, verdict=verdict, **values)
    else:
        yield say("reporting.effect_open", lang, **values)
    if model.worthwhile:
        yield _worthwhile(row, model.worthwhile, lang)


def _verdict(study: Study, model: Model, estimate: float) -> str:
    better = measured_with(study.settings, model.outcome).better
    where = "lower" if estimate < 0 else "higher"
    if better == "neither":
        return say(f"reporting.verdict_neutral_{where}", study.lang)
    judgement = say(f"reporting.{'better' if where == better else 'worse'}", study.lang)
    return say(f"reporting.verdict_{where}", study.lang, judgement=judgement)


def _worthwhile(row: pd.Series, worthwhile: float, lang: str) -> str:
    low, high = sorted((abs(row["conf_low"]), abs(row["conf_high"])))
    crosses = not settled(row)
    if high < worthwhile:
        key = "effect_small"
    elif low >= worthwhile and not crosses:
        key = "effect_large"
    else:
        key = "effect_unsure"
    return say(f"reporting.{key}", lang, worthwhile=number(worthwhile, 0, lang))


def gap_sentences(study: Study, levels: Levels) -> Iterator[str]:
    """Yield whether perspectives differ at the last wave, and whether the gap changed."""
    gaps, changes = levels.gaps(), levels.gap_changes()
    if gaps.empty:
        return
    lang, wave, roles = study.lang, study.settings.waves[-1], study.settings.perspectives
    last, changes = gaps[gaps["wave"] == wave.id], changes[changes["wave"] == wave.id]
    for (_, gap), (_, change) in zip(last.iterrows(), changes.iterrows(), strict=True):
        first, second = (roles[name].plural(lang) for name in gap["term"].split(" − "))
        key = "gap_settled" if settled(gap) else "gap_open"
        told = capital(sentence(key, gap, lang, last=wave.label(lang), first=first, second=second))
        yield f"{told} {_gap_change(gap, change, lang)}"


def _gap_change(gap: pd.Series, change: pd.Series, lang: str) -> str:
    if not settled(change):
        return say("reporting.gap_change_open", lang)
    grew = "grew" if gap["estimate"] * change["estimate"] > 0 else "shrank"
    return say("reporting.gap_change_settled", lang, grew=say(f"reporting.{grew}", lang))


def retention_sentence(study: Study) -> str:
    """Say how many people still answered at the last wave."""
    lang, wave = study.lang, study.settings.waves[-1]
    presence = study.presence()
    last = presence[presence["wave"] == wave.id].iloc[0]
    role = study.settings.perspectives[last["perspective"]]
    return say(
        "reporting.retention", lang, wave=wave.label(lang), n=last["n_people"],
        total=last["eligible"], plural=role.plural(lang),
    )  # fmt: skip
