"""Perspectives side by side, as parts of a report: who was asked, then what they know together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import pandas as pd

from expertise.errors import DesignError
from expertise.reporting.audience import Audience
from expertise.reporting.block import Block, Blocks, Perspectives
from expertise.reporting.sentences import capital, settled, span
from expertise.study import Study
from expertise.study.rules import measured_with
from expertise.study.triad_tables import TriadTables
from expertise.triads.actors import actor_partner
from expertise.triads.differences import discrepancy
from expertise.triads.generalizability import dependability
from expertise.triads.intraclass import icc
from expertise.triads.limits import bland_altman, draw_limits
from expertise.triads.presence import triad_completeness
from expertise.triads.screen import same_question
from expertise.triads.together import perspectives_gain
from expertise.triads.validity import incremental_validity
from expertise.words import interval, number, say

KEYS: dict[str, Any] = {"person": "person", "perspective": "perspective"}
_LEAST = 5
# Fewer than usual: a report is built again and again, and should be there soon.
_REPLICATES = 300


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """A study's triad tables and who reads them; `minimum` people are enough to speak of."""

    study: Study
    tables: TriadTables
    minimum: int
    audience: Audience

    @property
    def lang(self) -> str:
        """Language of the report."""
        return self.study.lang

    @property
    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every two roles."""
        return combinations(self.tables.roles, 2)

    def at(self, table: pd.DataFrame, wave: str = "") -> pd.DataFrame:
        """Return the rows of one wave, by default the one at which perspectives are compared."""
        return table[table["wave"] == (wave or self.tables.wave)]

    def together(self, pair: tuple[str, str]) -> pd.DataFrame:
        """Return the scores of waves at which enough people have answers of both."""
        mine = self.tables.scores
        mine = mine[mine["perspective"].isin(pair)]
        answers = mine.groupby(["wave", "person"], observed=True)["perspective"].nunique()
        both = (answers == 2).groupby("wave", observed=True).sum()
        kept = mine[mine["wave"].isin(both.index[both >= self.minimum])]
        return kept.assign(wave=kept["wave"].cat.remove_unused_categories())

    def say(self, key: str, **values: Any) -> str:
        """Return a sentence of this part of the report."""
        return say(f"perspectives.{key}", self.lang, **values)

    def sentence(self, key: str, **values: Any) -> Block:
        """Return a part of one sentence: what these data do not allow."""
        return self.block(paragraphs=(self.say(key, **values),))

    def block(self, **parts: Any) -> Block:
        """Return a part in the language of the report."""
        return Block(lang=self.lang, **parts)

    def table(self, rows: list[dict[str, Any]], key: str) -> tuple[str, pd.DataFrame]:
        """Return a caption and a table whose columns carry words."""
        heads = {name: self.say(f"column_{name}") for name in rows[0]}
        return self.say(key), pd.DataFrame(rows).rename(columns=heads)


def perspectives_of(study: Study, audience: Audience) -> Perspectives:
    """Compute what [triads] of a study declares, in the order in which it should be read."""
    if study.settings.triads is None:
        return Perspectives(**dict.fromkeys(Perspectives.__slots__, Blocks()))
    few = max(_LEAST, study.settings.disclosure.minimum) if audience == "released" else _LEAST
    view = View(study=study, tables=study.triads(), minimum=few, audience=audience)
    parts = (_asked, _question, _agreement, _together, _dependability, _closer, _paths, _outcome)
    found = [Blocks(parts=tuple(_or_why(part, view))) for part in parts]
    return Perspectives(**dict(zip(Perspectives.__slots__, found, strict=True)))


def _or_why(part: Callable[[View], Iterator[Block]], view: View) -> Iterator[Block]:
    """Yield the blocks of a part, or the sentence that these data do not allow it."""
    try:
        yield from part(view)
    except DesignError as fault:
        yield view.sentence("not_here", why=fault)


def _asked(view: View) -> Iterator[Block]:
    """Yield who was asked, who answered, and which triads are uneven."""
    tables, lang = view.tables, view.lang
    minimum = view.minimum if view.audience == "released" else 1
    found = triad_completeness(
        tables.statuses, **KEYS, status="status", roles=tables.roles, consents=tables.consents,
        minimum=minimum,
    )  # fmt: skip

    def count(n: float) -> str:
        return say("triads.not_shown", lang) if n != n else f"{n:.0f}"

    rows = found.tidy()
    status = rows[rows["component"] == "status"].set_index(["perspective", "term"])["estimate"]
    table = []
    for role in tables.roles:
        nobody = status[role, "unavailable"] + status[role, "not asked"]
        row = {"role": role, "answered": count(status[role, "answered"]),
               "missing": count(status[role, "missing"]), "unavailable": count(nobody)}  # fmt: skip
        if tables.refused:
            refused = tables.refused.get(role, 0)
            row["refused"] = count(float("nan") if 0 < refused < minimum else refused)
        table.append(row)
    pairs = rows[rows["component"] == "pair"]
    both = [
        {"pair": pair, **{term.replace(" ", "_"): count(n) for term, n in
                          zip(part["term"], part["estimate"], strict=True)}}
        for pair, part in pairs.groupby("group", sort=False)
    ]  # fmt: skip
    yield view.block(
        paragraphs=() if tables.refused else (view.say("no_refusals"),),
        picture=found.plot(lang, tables.slots), notes=found.notes,
        tables=(view.table(table, "status_caption"), view.table(both, "pair_caption")),
    )  # fmt: skip


def _question(view: View) -> Iterator[Block]:
    """Yield whether items are the same question to all, before any comparison."""
    items = view.at(view.tables.items)
    if items.empty:
        yield view.sentence("no_items")
        return
    low, high = view.tables.scale
    found = same_question(
        items, **KEYS, item="item", value="score", minimum=low, maximum=high,
        ordinal=view.tables.plan.ordinal,
    )  # fmt: skip
    parts = found.table.set_index("component")
    omega = parts.loc["omega"].dropna(subset="estimate")
    known = [f"{role} {number(x, 2, view.lang)}"
             for role, x in zip(omega["perspective"], omega["estimate"], strict=True)]  # fmt: skip
    told = [view.say("question_ask", wave=view.tables.wave)]
    told += [
        view.say("unlike", item=row["term"], role=row["perspective"], interval=span(row, view.lang))
        for _, row in found.unlike.iterrows()
    ]
    told += [view.say("omega", known=", ".join(known))] * bool(known)
    ends = [
        {"role": low["perspective"], "item": low["term"], "floor": _share(view, low),
         "ceiling": _share(view, high)}
        for (_, low), (_, high) in zip(
            parts.loc["floor"].iterrows(), parts.loc["ceiling"].iterrows(), strict=True)
    ]  # fmt: skip
    yield view.block(
        paragraphs=tuple(told), picture=found.plot(view.lang, view.tables.slots),
        tables=(view.table(ends, "ends_caption"),), notes=found.notes, fold=view.say("ends_fold"),
    )  # fmt: skip


def _share(view: View, row: pd.Series) -> str:
    """Write a share of people, unless it is of too few of them."""
    count = round(row["estimate"] * row["n_people"])
    if view.audience == "released" and 0 < count < view.minimum:
        return say("study.suppressed", view.lang, minimum=view.minimum)
    return f"{100 * row['estimate']:.0f}%"


def _agreement(view: View) -> Iterator[Block]:
    """Yield how far two answers about one person lie apart, and whether they agree who is worse."""
    lang, found, rows = view.lang, {}, []
    for pair in view.pairs:
        name, scores = f"{pair[0]} − {pair[1]}", view.together(pair)
        for wave in scores["wave"].cat.categories:
            here = scores[scores["wave"] == wave]
            both = here[here.groupby("person")["perspective"].transform("nunique") == 2]
            limits = bland_altman(both, pair, "person", "perspective", "score")
            same = icc(
                both, "person", "perspective", "score", roles="fixed", definition="absolute",
                unit="single", conf_level=0.95,
            )  # fmt: skip
            found[f"{name}, {wave}"] = limits
            rows.append({
                "pair": name, "wave": wave, "people": same.n_people,
                "gap": span(limits.at("mean difference"), lang),
                "icc": interval(same.estimate, same.conf_low, same.conf_high, lang),
            })  # fmt: skip
    if not rows:
        yield view.sentence("few_pairs", minimum=view.minimum)
        return
    what = measured_with(view.study.settings, view.tables.plan.outcome)
    ends = (what.minimum, what.maximum)
    picture = draw_limits(found, what=what.label(lang), ends=ends, lang=lang)
    table = view.table(rows, "agreement_caption")
    yield view.block(paragraphs=(view.say("agreement_read"),), picture=picture, tables=(table,))


def _together(view: View) -> Iterator[Block]:
    """Yield what one, two, all perspectives recover of the picture they form together."""
    items = view.at(view.tables.items)
    ask = partial(
        perspectives_gain, roles=view.tables.roles, seed=view.study.settings.seed,
        replicates=_REPLICATES, progress=False,
    )  # fmt: skip
    what = measured_with(view.study.settings, view.tables.plan.outcome)
    if len(items):
        found = ask(items, "person", "perspective", "item", "score")
    elif what.reliability is not None:
        scores = view.at(view.tables.scores)
        spread = scores.groupby("perspective", observed=True)["score"].var()
        stated = ((1 - what.reliability) * spread).to_dict()
        found = ask(scores, "person", "perspective", None, "score", error_variance=stated)
    else:
        yield view.sentence("no_replicates")
        return
    last = found.shares[found.shares["component"] == "last"]
    told = [view.say("together_read", wave=view.tables.wave)]
    told += [
        view.say(f"adds_{'known' if row['conf_low'] > 0.005 else 'open'}",
                 role=row["term"], interval=_percentages(row, view.lang))
        for _, row in last.iterrows()
    ]  # fmt: skip
    rows = [
        {"who": row["term"], "measure": view.say(f"measure_{row['component']}"),
         "share": _percentages(row, view.lang)}
        for _, row in found.tidy().iterrows()
    ]  # fmt: skip
    yield view.block(
        paragraphs=tuple(told), picture=found.plot(view.lang, slots=view.tables.slots),
        tables=(view.table(rows, "gain_caption"),), notes=found.notes, fold=view.say("gain_fold"),
    )  # fmt: skip


def _percentages(row: pd.Series, lang: str) -> str:
    value, low, high = (100 * float(row[key]) for key in ("estimate", "conf_low", "conf_high"))
    return interval(value, low, high, lang, unit="%")


def _dependability(view: View) -> Iterator[Block]:
    """Yield how well mean scores tell people apart: informants, items, and waves if stable."""
    tables, plan = view.tables, view.tables.plan
    keys = ["perspective", *["item"] * bool(plan.items), *["wave"] * plan.stable]
    if len(keys) == 1:
        yield view.sentence("no_replicates")
        return
    table = tables.items if plan.items else tables.scores
    table = table if plan.stable else view.at(table)
    words = {key: view.say(f"one_{key}") for key in ("person", *keys)}
    facets = [words[key] for key in keys]
    n = {"item": len(plan.items), "wave": table["wave"].nunique()}
    levels = {words["perspective"]: list(range(1, len(tables.roles) + 1))}
    levels |= {words[key]: [n[key], 2 * n[key]] for key in keys[1:]}
    found = dependability(
        table.rename(columns=words), words["person"], facets, "score", order=2, levels=levels,
        fixed=[words["perspective"]], seed=view.study.settings.seed, replicates=_REPLICATES,
        progress=False,
    )  # fmt: skip
    parts = found.tidy()
    parts = parts[parts["component"] == "variance"]
    total = parts["estimate"].clip(lower=0).sum()
    rows = [
        {"part": row["term"], "share": f"{100 * max(row['estimate'], 0) / total:.0f}%",
         "variance": span(row, view.lang)}
        for _, row in parts.iterrows()
    ]  # fmt: skip
    yield view.block(
        paragraphs=(
            view.say("dependability_read", roles=" + ".join(tables.roles)),
            view.say("stable" if plan.stable else "not_stable", wave=tables.wave),
        ),
        picture=found.plot(view.lang, {words[key]: view.say(f"many_{key}") for key in keys}),
        tables=(view.table(rows, "parts_caption"),), notes=found.notes,
        fold=view.say("parts_fold"),
    )  # fmt: skip


def _closer(view: View) -> Iterator[Block]:
    """Yield for each pair whether gap, agreement and spread changed: three questions."""
    for pair in view.pairs:
        scores = view.together(pair)
        if scores["wave"].nunique() < 2:
            yield view.sentence("no_waves", first=pair[0], second=pair[1], minimum=view.minimum)
            continue
        found = discrepancy(
            scores, pair=pair, **KEYS, wave="wave", value="score", seed=view.study.settings.seed
        )
        yield view.block(
            paragraphs=tuple(found.describe(view.lang).values()),
            picture=found.plot(view.lang), notes=found.notes,
        )  # fmt: skip


def _ends(view: View) -> tuple[str, str] | None:
    """Return the first and last wave at which every perspective answered."""
    gave = view.tables.scores.groupby("wave", observed=True)["perspective"].nunique()
    waves = list(gave.index[gave == len(view.tables.roles)])
    return (waves[0], waves[-1]) if len(waves) > 1 else None


def _paths(view: View) -> Iterator[Block]:
    """Yield whose earlier answer goes with whose later one."""
    ends = _ends(view)
    if ends is None:
        yield view.sentence("one_wave")
        return
    first, last = ends
    keys = ["person", "perspective"]
    parts = (
        view.at(view.tables.scores, wave).set_index(keys)["score"].rename(name)
        for wave, name in ((first, "before"), (last, "after"))
    )
    found = actor_partner(
        pd.concat(parts, axis=1).reset_index(), group="person", role="perspective",
        outcome="after", predictor="before", distinguishable=True,
    )  # fmt: skip
    if found.n_people < view.minimum:
        yield view.sentence("few_groups", minimum=view.minimum)
        return
    told = [
        capital(
            view.say(_direction(row), of=row["of"], by=row["by"], interval=span(row, view.lang))
        )
        for _, row in found.paths().iterrows()
        if row["partner"]
    ]
    yield view.block(
        paragraphs=(view.say("paths_read", first=first, last=last), *told),
        picture=found.plot(view.lang, view.tables.slots), notes=found.notes,
    )  # fmt: skip


def _direction(row: pd.Series) -> str:
    return f"path_{('higher' if row['estimate'] > 0 else 'lower') if settled(row) else 'open'}"


def _outcome(view: View) -> Iterator[Block]:
    """Yield what each informant adds in explaining an outcome, a part for each who reports it."""
    plan, ends = view.tables.plan, _ends(view)
    if not plan.criterion or ends is None:
        yield view.sentence("no_criterion")
        return
    first, last = ends
    before = view.at(view.tables.scores, first)
    roles = list(view.tables.roles)
    before = before.pivot(index="person", columns="perspective", values="score")[roles]
    before.columns = pd.Index(roles)
    after = view.at(view.tables.criterion, last)
    what = measured_with(view.study.settings, plan.criterion).label(view.lang)
    for role, rows in after.groupby("perspective", observed=True, sort=False):
        name = view.say("outcome_name", what=what, role=role, wave=last)
        table = before.join(rows.set_index("person")["score"].rename(name), how="inner").dropna()
        if len(table) < view.minimum:
            yield view.sentence("few_outcomes", outcome=name, minimum=view.minimum)
            continue
        found = incremental_validity(
            table, outcome=name, predictors=roles,
            informants={**{one: one for one in roles}, name: str(role)},
        )  # fmt: skip
        yield view.block(
            paragraphs=(view.say("outcome_read", outcome=name, first=first),),
            picture=found.plot(view.lang, slots=view.tables.slots), notes=found.notes,
        )  # fmt: skip
