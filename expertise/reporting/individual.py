"""Individual change and those who left, as parts of a report."""

from collections.abc import Mapping

import pandas as pd

from expertise.outcomes.change import CLASSES, Change
from expertise.privacy import suppress_small
from expertise.reporting.audience import Audience
from expertise.reporting.block import Block
from expertise.study import Study
from expertise.words import Note, note, number, say

CLEAR = {
    "forward": CLASSES[:2],
    "unclear": CLASSES[2:3],
    "back": CLASSES[3:],
}
MERGED = {"forward": CLASSES[:2], "not_forward": CLASSES[2:]}


def change_block(study: Study, audience: Audience) -> Block:
    """Return how many people changed by more than chance, per perspective.

    In a released report classes are merged before anything is suppressed:
    "not clearly better" instead of two small classes.
    """
    lang, rule = study.lang, study.settings.change
    if rule is None:
        return Block(lang=lang)
    found = study.change()
    minimum = study.settings.disclosure.minimum
    small = any(_counts(it, CLEAR)[name] < minimum for it in found.values() for name in CLEAR)
    classes = MERGED if audience == "released" and small else CLEAR
    table = pd.DataFrame({name: _counts(it, classes) for name, it in found.items()})
    notes: tuple[Note, ...] = ()
    if audience == "released":
        table, hidden = _safe(table, minimum)
        notes = (note("study.suppressed_note", minimum=minimum),) if hidden else ()
    what = study.settings.instruments[_instrument(study, rule.outcome)]
    told = [
        say("reporting.change_rule", lang, rule=rule.rule, points=_points(study, found)),
        say("reporting.change_spread", lang, spread=_spread(study, found)),
    ]
    told += [what.reliability_source] * bool(what.reliability_source)
    return Block(
        paragraphs=tuple(told),
        tables=((say("reporting.change_caption", lang), _in_words(study, table, found)),),
        notes=notes,
        lang=lang,
    )


def _counts(change: Change, classes: dict[str, tuple[str, ...]]) -> dict[str, int]:
    return {name: int(change.people["class"].isin(inner).sum()) for name, inner in classes.items()}


def _safe(table: pd.DataFrame, minimum: int) -> tuple[pd.DataFrame, bool]:
    """Suppress small classes, each perspective a family of its own."""
    long = table.rename_axis("class").reset_index().melt("class", var_name="perspective")
    safe = suppress_small(long.rename(columns={"value": "n_people"}), minimum=minimum)
    wide = safe.table.pivot(index="class", columns="perspective", values="n_people")
    return wide.loc[table.index, table.columns], bool(safe.suppressed)


def _in_words(study: Study, table: pd.DataFrame, found: Mapping[str, Change]) -> pd.DataFrame:
    lang, minimum = study.lang, study.settings.disclosure.minimum
    out = pd.DataFrame(
        {
            say("reporting.change_class", lang): [
                say(f"reporting.{name}", lang) for name in table.index
            ]
        }
    )
    for name in table:
        role = study.settings.perspectives[str(name)]
        total = len(found[str(name)].people)
        out[role.plural(lang)] = [
            say("study.suppressed", lang, minimum=minimum)
            if pd.isna(n)
            else say("study.of", lang, n=n, total=total)
            for n in table[name]
        ]
    return out


def _points(study: Study, found: Mapping[str, Change]) -> str:
    roles, lang = study.settings.perspectives, study.lang
    return ", ".join(
        f"{roles[name].plural(lang)} {number(it.threshold, 1, lang)}" for name, it in found.items()
    )


def _spread(study: Study, found: Mapping[str, Change]) -> str:
    """Say how many each rule calls clearly better: the choice of rule matters."""
    parts = []
    for name, it in found.items():
        rows = it.sensitivity[it.sensitivity["class"].isin(CLASSES[:2])]
        shares = rows.groupby("method", sort=False)["estimate"].sum() * 100
        bounds = f"{shares.min():.0f}–{shares.max():.0f}%"
        parts.append(f"{study.settings.perspectives[name].plural(study.lang)} {bounds}")
    return ", ".join(parts)


def _instrument(study: Study, variable: str) -> str:
    cells = (cell for it in study.settings.tables.values() for cell in it.columns.values())
    return next(cell.instrument for cell in cells if variable.startswith(cell.instrument))


def dropout_block(study: Study) -> Block:
    """Return what the answer would be if those who left differ from what was filled in."""
    if study.settings.dropout is None:
        return Block(lang=study.lang)
    found = study.dropout()
    return Block(picture=found.plot(study.lang), notes=found.notes, lang=study.lang)
