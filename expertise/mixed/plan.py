"""A study that is not yet done, or a pilot: what is assumed when studies are simulated."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from expertise.errors import DesignError, listed, nearest
from expertise.mixed.columns import Array
from expertise.mixed.design import Design, build_design
from expertise.mixed.fit import MixedFit
from expertise.mixed.fitted import Fitted
from expertise.mixed.formula import parse_formula
from expertise.mixed.glmm import without_intercept
from expertise.mixed.groups import RandomTerm
from expertise.mixed.links import choose_link
from expertise.mixed.nodes import Name
from expertise.mixed.residual import (
    Whitened,
    columns_needed,
    parse_correlation,
    structure_of,
)
from expertise.mixed.simulation import Truth, truth_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyPlan:
    """A study that is not yet done: its model, its people and waves, and what is assumed of it.

    Parameters
    ----------
    formula : str
    table : DataFrame
        One row per person and wave of the design, without outcomes: every
        column of the formula but the outcome.
    coefficients : mapping
        Value of each fixed coefficient whose effect is not asked for; 0
        where it is not named.
    covariances : mapping
        Of each grouping: a variance, or a covariance matrix (q, q). Where a
        grouping stands twice, the random term is named: ``"(wave | person)"``.
    sigma : float, optional
        Residual standard deviation of a gaussian outcome.
    residual, dispersion : str, optional
        Residual structure of a gaussian outcome, as in `fit_mixed`.
    correlation : float, optional
        Of residuals that lie 1 apart in the time of `residual`.
    log_variances : mapping, optional
        Of `dispersion`: how much higher the log-variance is for a level, or
        per unit, such as ``{"armpeer": 0.7}``; 0 where it is not named. Where
        all are 0, `sigma` holds.
    theta : float, optional
        Of negative-binomial counts.
    thresholds : sequence of float, optional
        Of an ordered outcome.
    family, link : str
    """

    formula: str
    table: pd.DataFrame
    covariances: Mapping[str, Any]
    coefficients: Mapping[str, float] | None = None
    sigma: float | None = None
    theta: float | None = None
    thresholds: tuple[float, ...] | None = None
    family: str = "gaussian"
    link: str | None = None
    residual: str | None = None
    dispersion: str | None = None
    correlation: float | None = None
    log_variances: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assumed:
    """The design, its table, the truth to draw from, and how each study is fitted.

    `correlation` is that of residuals that lie 1 apart in time, as in `options["residual"]`.
    """

    design: Design
    table: pd.DataFrame
    truth: Truth
    options: dict[str, Any]
    correlation: float | None = None

    @property
    def residual_group(self) -> str | None:
        """The column within whose levels residuals are correlated."""
        residual = self.options.get("residual")
        return parse_correlation(residual).group if residual else None

    def whitening(self, study: Design, table: pd.DataFrame) -> Whitened | None:
        """Lay the assumed residual structure over the rows of another study."""
        if self.truth.whitening is None:
            return None
        structure = structure_of(study.frame, len(study.y), self.options.get("residual"), None)
        values = np.array([] if self.correlation is None else [self.correlation])
        return replace(
            structure.whitening(structure.inner(values)),
            scale=self.truth.whitening.variance(table) ** -0.5,
        )


def assume(design: StudyPlan | Fitted) -> Assumed:
    """Return what a plan or a pilot fit says about a study."""
    if isinstance(design, StudyPlan):
        return _planned(design)
    own = design.design
    table = pd.DataFrame(
        {
            name: column.numbers if column.numbers is not None
            else pd.Categorical.from_codes(column.filled, list(column.levels), column.ordered)
            for name, column in own.frame.items()
        }
    )  # fmt: skip
    vectors = {"precision_weights": own.weights, "offset": own.offset, "trials": own.trials}
    given = {name: value for name, value in vectors.items() if value is not None}
    table = table.assign(**{f"\0{name}": value for name, value in given.items()})
    options: dict[str, Any] = {"family": design.family, "link": design.link.name}
    options |= {name: f"\0{name}" for name in given}
    if design.family == "gaussian":
        options["df"] = design.solution.freedom.method
    correlation = None
    if isinstance(design, MixedFit):
        options |= {"residual": design.options.residual, "dispersion": design.options.dispersion}
        if design.options.residual:
            correlation = design.solution.dispersion[0][1]
    return Assumed(
        design=own, table=table, truth=truth_of(design), options=options, correlation=correlation
    )


def _planned(plan: StudyPlan) -> Assumed:
    outcome = parse_formula(plan.formula).outcome
    if not isinstance(outcome, Name):
        raise DesignError(f"a plan needs an outcome that is a column, as in {plan.formula!r}")
    needed = {"gaussian": "sigma", "negative-binomial": "theta", "cumulative": "thresholds"}
    name = needed.get(plan.family)
    if name is not None and getattr(plan, name) is None:
        raise DesignError(f"a plan for the family {plan.family} needs {name}")
    answers = 1 + len(plan.thresholds or (0.0,))
    table = plan.table.assign(**{outcome.column: np.arange(len(plan.table)) % answers})
    own = build_design(
        plan.formula, table, family=plan.family,
        extra=columns_needed(plan.residual, plan.dispersion),
    )  # fmt: skip
    if plan.family == "cumulative":
        own = without_intercept(own)
    coefficients = dict(plan.coefficients or {})
    refuse_unknown(coefficients, own)
    truth = Truth(
        link=choose_link(plan.family, plan.link),
        beta=np.array([coefficients.get(name, 0.0) for name in own.names]),
        covariances=tuple(_covariance(plan, term) for term in own.random),
        sigma=plan.sigma,
        theta=plan.theta,
        thresholds=None if plan.thresholds is None else np.array(plan.thresholds),
        whitening=_whitening(plan, own),
    )
    options = {"family": plan.family, "link": plan.link,
               "residual": plan.residual, "dispersion": plan.dispersion}  # fmt: skip
    return Assumed(
        design=own, table=table, truth=truth, options=options, correlation=plan.correlation
    )


def _whitening(plan: StudyPlan, design: Design) -> Whitened | None:
    """Return the residual structure that a plan assumes, over the rows of its table."""
    if (plan.residual is None) != (plan.correlation is None):
        raise DesignError(
            "residual= and correlation= of a plan go together, such as "
            'residual="ar1(wave | person)", correlation=0.4'
        )
    if plan.family != "gaussian" and (plan.residual or plan.dispersion):
        raise DesignError(
            f"residual= and dispersion= are for the family gaussian, not for {plan.family}"
        )
    structure = structure_of(design.frame, len(design.y), plan.residual, plan.dispersion)
    if plan.correlation is not None:
        low, given = structure.edges[0][0], plan.correlation
        if not isinstance(given, int | float) or not (-1 < given < 1 and low <= given):
            allowed = "between -1 and 1" if structure.signed else "from 0 to below 1"
            raise DesignError(f"correlation is {given!r}; that of {plan.residual} lies {allowed}")
    spread = structure.layout.names[1:] if structure.layout is not None else ()
    variances = plan.log_variances or {}
    for name in variances:
        if name not in spread:
            raise DesignError(
                f"{name!r} is no column of the dispersion {plan.dispersion!r}"
                f"{nearest(name, spread)}; it has {listed(spread) or 'none'}"
            )
    if not structure.names:
        return None
    values = [variances.get(name, 0.0) for name in spread]
    first = [] if plan.correlation is None else [plan.correlation]
    return structure.whitening(structure.inner(np.array([*first, *values])), centred=False)


def _covariance(plan: StudyPlan, term: RandomTerm) -> Array:
    given = plan.covariances.get(str(term), plan.covariances.get(term.group))
    if given is None:
        raise DesignError(f"the plan has no covariances for {term.group!r}; give a variance")
    G, q = np.atleast_2d(np.asarray(given, dtype=np.float64)), len(term.names)
    if G.shape != (q, q) or not np.allclose(G, G.T) or np.linalg.eigvalsh(G)[0] < -1e-9:
        raise DesignError(
            f"the covariances of {term} are a symmetric {q} × {q} matrix without negative "
            f"variances; the plan gives {G.tolist()}"
        )
    return G


def refuse_unknown(coefficients: Mapping[str, float], design: Design) -> None:
    """Refuse a name that is no coefficient, offering the nearest."""
    for name in coefficients:
        if name not in design.names:
            raise DesignError(
                f"{name!r} is no coefficient of the model{nearest(name, design.names)}; "
                f"it has {listed(design.names)}"
            )


def people_of(assumed: Assumed, person: str | None) -> str:
    """Return the column whose levels are people: the one asked for, or the finest grouping."""
    random, group = assumed.design.random, assumed.residual_group
    columns = _groupings(assumed)
    if not columns:
        raise DesignError("power needs a random term for people, such as (1 | person)")
    if person is not None and person not in columns:
        raise DesignError(f"person is {person!r}; the groupings are {listed(columns)}")
    sizes = {term.grouping.columns[-1]: term.size for term in random}
    if group:
        sizes.setdefault(group, assumed.table[group].nunique())
    chosen = person or max(sizes, key=lambda name: sizes[name])
    if group and not _within(assumed, group, chosen):
        raise DesignError(
            f"residuals are correlated within {group!r}, which holds rows of several {chosen!r}, "
            f"and power draws people whole; give person={group!r}"
        )
    return chosen


def parts_of(assumed: Assumed, person: str) -> list[str]:
    """Return the groupings whose levels are each of one person, such as that person's episodes."""
    fixed = assumed.design.layout.columns
    others = [name for name in _groupings(assumed) if name != person and name not in fixed]
    return [name for name in others if _within(assumed, name, person)]


def _groupings(assumed: Assumed) -> list[str]:
    columns = [name for term in assumed.design.random for name in term.grouping.columns]
    if assumed.residual_group:
        columns.append(assumed.residual_group)
    return list(dict.fromkeys(columns))


def _within(assumed: Assumed, name: str, person: str) -> bool:
    return bool(assumed.table.groupby(name, observed=True)[person].nunique().max() == 1)
