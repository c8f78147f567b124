"""Generalizability theory: which part of a mean score is the person, which part who was asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from expertise.errors import DesignError, listed
from expertise.figures import StoryAxes
from expertise.result import Result, tidy_table
from expertise.triads.components import FEW, estimate
from expertise.triads.decisions import coefficients_of, plans
from expertise.triads.facets import Study, lay_out
from expertise.triads.forest import forest
from expertise.triads.redraws import redraw_roles, resample_persons
from expertise.triads.tables import Array, check_level
from expertise.words import Note, note, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Dependability(Result):
    """Variance components and coefficients of a generalizability study.

    `table` has a row a component (σ², in squared points) and a row a
    coefficient; `draws` (replicates, terms) the components drawn anew.
    """

    table: pd.DataFrame
    draws: pd.DataFrame
    n: int
    n_people: int
    method: str
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say how many observations of how many people were used."""
        return say("triads.dependability", n=self.n, people=self.n_people, method=self.method)

    def tidy(self) -> pd.DataFrame:
        """Return components, then `relative` (Eρ²) and `absolute` (Φ) coefficients by design."""
        return tidy_table(self.table)

    def glance(self) -> pd.DataFrame:
        """Return one row: sizes and method."""
        return pd.DataFrame([{"n": self.n, "n_people": self.n_people, "method": self.method}])

    def plot(self, lang: str = "en", labels: Mapping[str, str] | None = None) -> StoryAxes:
        """Draw how well each design tells people apart (Eρ²), with intervals.

        `labels` are words for the facets, such as ``{"item": "questions"}``.
        """
        rows = self.table[self.table["component"] == "relative"]
        both = rows["group"].nunique() > 1
        rows = rows.assign(label=[
            self._in_words(term, group if both else "", lang, labels or {})
            for term, group in zip(rows["term"], rows["group"], strict=True)
        ])  # fmt: skip
        # What these roles do together; without fixed facets the best design.
        main = rows.iloc[0] if both else rows.loc[rows["estimate"].idxmax()]
        share = f"{main['estimate']:.0%}"
        words = {"design": main["label"], "share": share, "n": self.n_people}
        return forest(
            rows, title=say("triads.dependability_title", lang, **words),
            subtitle=say("triads.dependability_sub", lang, **words),
            alt=say("triads.dependability_alt", lang, **words), lang=lang, shares=True,
        )  # fmt: skip

    def _in_words(self, term: str, group: str, lang: str, labels: Mapping[str, str]) -> str:
        parts = [part.split(" ", 1) for part in term.split(" × ")]
        plan = " × ".join(f"{n} {labels.get(name, name)}" for n, name in parts)
        return say(f"triads.plan_{group}", lang, plan=plan) if group else plan


def dependability(
    table: pd.DataFrame,
    person: str,
    facets: Sequence[str],
    value: str,
    *,
    fixed: Sequence[str] = (),
    levels: Mapping[str, Sequence[int]] | None = None,
    order: int | None = None,
    method: str = "reml",
    replicates: int = 1000,
    seed: int = 0,
    conf_level: float = 0.95,
    progress: bool = True,
) -> Dependability:
    """Split scores into the person and who or what was asked, and say how dependable means are.

    Which facets are fixed cannot be read off the data. Named roles (patient,
    naaste, professional) are no draw from many: fixed is the defensible
    answer, and the question is how well *these* roles together tell people
    apart. Left out of `fixed` they stand for others like them
    ("exchangeable": another triad member like these), which is an
    assumption. Where `fixed` is given both answers are reported. The choice
    often matters more than the number of informants. Let a wave be a facet
    only where no change is expected: in a trial, person × wave holds the
    response to treatment.

    Parameters
    ----------
    table : DataFrame
        Long: one row per person and combination of facets; rows without a
        value are left out.
    person, value : str
        Columns.
    facets : sequence of str
        Columns, crossed with the person and each other; ``"item:section"``
        is nested: items belong to one section each.
    fixed : sequence of str
        Facets whose levels are all there are. At least one facet stays random.
    levels : mapping, optional
        D-study: for random facets the numbers of levels to foresee, such as
        ``{"item": [5, 10]}``; the data as they are by default.
    order : int, optional
        2 keeps two-way terms and leaves higher ones in the residual; all
        terms by default.
    method : {"reml", "anova"}
        "anova" is Brennan's analogous ANOVA also where data are unbalanced,
        which may be negative; both agree where data are balanced and
        components positive. In REML the means of a facet with fewer than
        five levels are fixed effects and its σ² is what these means differ
        beyond sampling.
    replicates, seed, progress
        Draws behind the intervals: persons resampled, or, where a random
        facet has fewer than five levels, persons and levels redrawn from the
        fitted normal model, with a note.
    conf_level : float

    Returns
    -------
    Dependability
        Components are σ² of a single observation, in squared points; a
        negative one counts as zero in the coefficients. Eρ² (relative) is
        for comparing persons, Φ (absolute) for the height of a score.

    Raises
    ------
    DataError
        For columns, ids, duplicates and values that cannot be used.
    DesignError
        For a facet with one level, all facets fixed, levels that are no facet.

    Notes
    -----
    Not computed: cut-score dependability Φ(λ), multivariate composites (see
    `perspectives_gain`). Brennan (2001), doi:10.1007/978-1-4757-3456-0.

    Examples
    --------
    >>> scores = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9],
    ...           [6, 2, 4, 7]]
    >>> table = pd.DataFrame(
    ...     [(p, j, x) for p, row in enumerate(scores) for j, x in enumerate(row)],
    ...     columns=["person", "judge", "score"])
    >>> found = dependability(table, "person", ["judge"], "score", levels={"judge": [1, 4]})
    >>> found.table["estimate"].round(4).tolist()
    [2.5556, 5.2444, 1.0194, 0.7148, 0.2898, 0.9093, 0.6201]
    """
    check_level(conf_level)
    if method not in ("reml", "anova"):
        raise DesignError(f"unknown method {method!r}; allowed are reml and anova")
    if replicates < 2:
        raise DesignError(f"replicates is {replicates}; draw 2 or more")
    study = lay_out(table, person, facets, value, order)
    kept = _fixed(study, fixed)
    sigma, fit = estimate(study, method)
    few = _few(study, frozenset())
    persons = not few or (bool(kept) and not _few(study, kept))
    resampled = (
        resample_persons(study, method, fit, replicates, seed, progress) if persons else None
    )
    redrawn = redraw_roles(study, sigma, replicates, seed) if few else None
    main = redrawn if redrawn is not None else resampled
    assert main is not None
    rows = _component_rows(study, sigma, main, conf_level, bool(few))
    for kind, held in [("fixed", kept)] * bool(kept) + [("exchangeable", frozenset())]:
        draws = redrawn if _few(study, held) else resampled
        assert draws is not None
        rows += _coefficient_rows(study, sigma, draws, held, kind, levels, conf_level)
    lost = int(np.isnan(main).any(axis=1).sum())
    labels = [study.label(term) for term in study.terms]
    return Dependability(
        table=pd.DataFrame(rows).assign(conf_level=conf_level),
        draws=pd.DataFrame(main, columns=labels), n=len(study.y), n_people=study.count(0),
        method=method, notes=_notes(study, sigma, few, kept, len(table), lost),
    )  # fmt: skip


def _fixed(study: Study, fixed: Sequence[str]) -> frozenset[int]:
    if isinstance(fixed, str):
        raise DesignError(f"fixed is a list of facets, such as [{fixed!r}]")
    for name in fixed:
        if name not in study.names[1:]:
            raise DesignError(
                f"fixed names {name!r}, which is no facet; facets are {listed(study.names[1:])}"
            )
    kept = frozenset(study.names.index(name) for name in fixed)
    if len(kept) == len(study.names) - 1:
        raise DesignError(
            "all facets are fixed, so nothing is left to generalise over; "
            "leave items, occasions or raters random"
        )
    return kept


def _few(study: Study, held: frozenset[int]) -> list[int]:
    """Return the random facets with few levels."""
    return [
        at for at in range(1, len(study.names))
        if at not in held and 0 not in study.within[at] and study.count(at) < FEW
    ]  # fmt: skip


def _component_rows(
    study: Study, sigma: Array, draws: Array, conf_level: float, redrawn: bool
) -> list[dict[str, object]]:
    low, high = np.nanquantile(draws, [(1 - conf_level) / 2, (1 + conf_level) / 2], axis=0)
    method = "redrawn" if redrawn else "persons resampled"
    return [
        {"component": "variance", "term": study.label(term), "group": "", "estimate": sigma[at],
         "conf_low": max(low[at], 0.0), "conf_high": max(high[at], 0.0), "method": method}
        for at, term in enumerate(study.terms)
    ]  # fmt: skip


def _coefficient_rows(
    study: Study, sigma: Array, draws: Array, held: frozenset[int], kind: str,
    levels: Mapping[str, Sequence[int]] | None, conf_level: float,
) -> list[dict[str, object]]:  # fmt: skip
    method = "redrawn" if _few(study, held) else "persons resampled"
    rows: list[dict[str, object]] = []
    for label, weights in plans(study, held, levels):
        points = coefficients_of(study, sigma, weights, held)
        clouds = coefficients_of(study, draws, weights, held)
        for name, point, cloud in zip(("relative", "absolute"), points, clouds, strict=True):
            low, high = np.nanquantile(cloud, [(1 - conf_level) / 2, (1 + conf_level) / 2])
            rows.append({
                "component": name, "term": label, "group": kind, "estimate": float(point),
                "conf_low": float(low), "conf_high": float(high), "method": method,
            })  # fmt: skip
    return rows


def _notes(
    study: Study, sigma: Array, few: list[int], kept: frozenset[int], rows: int, lost: int
) -> tuple[Note, ...]:
    out = []
    if few:
        facets = listed(f"{study.names[at]} ({study.count(at)})" for at in few)
        out.append(note("triads.few_levels", facets=facets, few=FEW))
    if kept:
        out.append(note("triads.exchangeable", facets=listed(study.names[at] for at in kept)))
    zero = [study.label(term) for term, s in zip(study.terms, sigma, strict=True) if s <= 0]
    if zero:
        out.append(note("triads.zero_components", terms=listed(zero)))
    if not study.balanced:
        out.append(note("triads.unbalanced", n=len(study.y), rows=rows))
    if lost:
        out.append(note("triads.lost_draws", n=lost))
    return tuple(out)
