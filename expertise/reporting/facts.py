"""Every number that a plain text may name, under a name, as it is written for everyone."""

from collections.abc import Iterator, Sequence

import pandas as pd

from expertise.reporting.action import attended, count_of, recognised
from expertise.reporting.findings import Findings
from expertise.reporting.sentences import combined, settled
from expertise.study.load import persons
from expertise.study.rules import measured_with
from expertise.words import digits_for, number, plain, say


def named_numbers(found: Findings) -> dict[str, str]:
    """Return every number, count and quote that a summary may name, as text.

    Parameters
    ----------
    found : Findings
        For the audience that will read the text: released, small counts read
        "fewer than 10", and quotes are those that the joint display may show.

    Returns
    -------
    dict
        Name → text, such as ``"primary.difference"`` → ``"4,9"``, with the
        digits of the scientific report, so that both say the same.

    Examples
    --------
    >>> from expertise.reporting.findings import find
    >>> from expertise.study import open_study
    >>> found = find(open_study("studies/vuurwerkramp"), audience="released")
    >>> named_numbers(found)["people.child"]
    '40'
    """
    parts = (_people, _primary, _levels, _cycles, _stories)
    return {name: text for part in parts for name, text in part(found)}


def of_ten(share: float, lang: str) -> str:
    """Write a share as so many of ten people.

    >>> of_ten(0.78, "nl"), of_ten(0.99, "nl"), of_ten(0.01, "nl")
    ('ongeveer 8 van de 10', 'bijna alle', 'bijna geen')
    """
    tens = round(10 * share)
    if tens in (0, 10):
        return say("reporting.of_ten_all" if tens else "reporting.of_ten_none", lang)
    return say("reporting.of_ten", lang, n=tens)


def _count(found: Findings, n: object) -> str:
    few = say("study.suppressed", found.study.lang, minimum=found.minimum)
    return few if pd.isna(n) or int(n) < found.minimum else str(n)  # type: ignore[call-overload]


def _people(found: Findings) -> Iterator[tuple[str, str]]:
    study, lang = found.study, found.study.lang
    for row in found.flow.itertuples():
        yield f"people.{row.perspective}", _count(found, row.eligible)
    yield "people", _count(found, persons(study.people).nunique())
    for name in ("triad", "team", "institution"):
        if name in study.people:
            yield f"{name}s", str(study.people[name].nunique())
    yield "waves", str(len(study.settings.waves))
    yield "months", plain(study.settings.waves[-1].months, lang)
    last = found.presence[found.presence["wave"] == study.settings.waves[-1].id]
    for row in last.itertuples():
        yield f"answered.{row.perspective}", _count(found, row.n_people)
        if not (pd.isna(row.n_people) or pd.isna(row.eligible)):
            yield f"answered.{row.perspective}.of10", of_ten(row.n_people / row.eligible, lang)


def _primary(found: Findings) -> Iterator[tuple[str, str]]:
    """Yield the answers of the primary model, on its own scale only where that is the outcome's."""
    model, fit = found.model, found.fit
    if model is None or fit is None or not model.term or fit.link.name != "identity":
        return
    asked: dict[str, Sequence[str]] = {"primary": (model.term,)}
    asked |= {f"primary.{name}": one.terms for name, one in model.beside.items()}
    for name, terms in asked.items():
        row = combined(fit, terms, where=f"study.toml: models: {name}")
        yield from _difference(name, row, found.study.lang)
        better = measured_with(found.study.settings, model.outcome).better
        yield f"{name}.sure", _sure(row, model.worthwhile, better, found.study.lang)
    if model.worthwhile:
        yield "primary.worthwhile", plain(model.worthwhile, found.study.lang)


def _difference(name: str, row: pd.Series, lang: str) -> Iterator[tuple[str, str]]:
    """Yield a size without its sign, its direction, and its bounds: signed where that is open."""
    low, high = _bounds(row, lang)
    yield name if name.startswith(("change", "gap")) else f"{name}.difference", _size(row, lang)
    yield f"{name}.low", low
    yield f"{name}.high", high
    way = "open" if not settled(row) else "up" if row["estimate"] > 0 else "down"
    yield f"{name}.direction", say(f"reporting.plain_{way}", lang)


def _digits(row: pd.Series) -> int:
    return digits_for(row["conf_high"] - row["conf_low"])


def _size(row: pd.Series, lang: str) -> str:
    return number(abs(float(row["estimate"])), _digits(row), lang)


def _bounds(row: pd.Series, lang: str) -> tuple[str, str]:
    bounds = [float(row["conf_low"]), float(row["conf_high"])]
    if settled(row):
        bounds = sorted(map(abs, bounds))
    low, high = (number(one, _digits(row), lang) for one in bounds)
    return low, high


def _sure(row: pd.Series, worthwhile: float | None, better: str, lang: str) -> str:
    """Say in words how sure the model is; that it is worthwhile, only of a benefit."""
    low, high = _bounds(row, lang)
    if not settled(row):
        return say("reporting.sure_open", lang, low=low, high=high)
    benefit = (row["estimate"] > 0) == (better == "higher") and better != "neither"
    if worthwhile and benefit and min(abs(row["conf_low"]), abs(row["conf_high"])) >= worthwhile:
        goal = plain(worthwhile, lang)
        return say("reporting.sure_large", lang, low=low, high=high, worthwhile=goal)
    return say("reporting.sure_some", lang, low=low, high=high)


def _levels(found: Findings) -> Iterator[tuple[str, str]]:
    lang, last = found.study.lang, found.study.settings.waves[-1].id
    for _, row in found.levels.tidy().iterrows():
        yield (
            f"level.{row['perspective']}.{row['wave']}",
            number(row["estimate"], _digits(row), lang),
        )
    for table, kind in ((found.levels.changes(), "change"), (found.levels.gaps(), "gap")):
        for _, row in table[table["wave"] == last].iterrows() if len(table) else ():
            who = row["perspective"] if kind == "change" else row["term"].replace(" − ", ".")
            yield from _difference(f"{kind}.{who}", row, lang)


def _cycles(found: Findings) -> Iterator[tuple[str, str]]:
    cycles, lang = found.cycles, found.study.lang
    if cycles is None:
        return
    table = cycles.table()
    yield "cycles", str(len(table))
    yield "cycles.first", plain(float(table["start"].min()), lang)
    yield "cycles.last", plain(float(table["start"].max()), lang)
    yield "cycles.without", str(len({one.values["id"] for one in cycles.notes}))
    met = attended(cycles.presence(), found.minimum).groupby("role", sort=False)["n_people"].sum()
    for role in cycles.roles:
        yield f"met.{role}", _count(found, met.get(role))
    checks = recognised(cycles, found.minimum)
    for row in checks.to_dict("records"):
        counted = count_of(row["known"], row["asked"], row["exact"], lang)
        yield f"recognised.{row['theme']}.{row['role']}", counted
    if len(checks):
        yield "recognised.least", str(int(10 * (checks["known"] / checks["asked"]).min()))


def _stories(found: Findings) -> Iterator[tuple[str, str]]:
    if found.coded is not None:
        yield "stories", str(len(found.coded.documents))
        yield "tellers", _count(found, found.coded.documents["participant"].nunique())
        yield "readers", str(found.coded.codings["coder"].nunique())
    seen: dict[str, int] = {}
    labels = {
        role.label(found.study.lang): name
        for name, role in found.study.settings.perspectives.items()
    }
    for row in found.joint.rows if found.joint else ():
        for quote in row.quotes:
            who = labels[quote.perspective]
            seen[who] = seen.get(who, 0) + 1
            yield f"quote.{who}.{seen[who]}", quote.text
