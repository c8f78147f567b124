"""A study that is not yet done, or a pilot: what is assumed when studies are simulated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from expertise.errors import DesignError, listed, nearest
from expertise.mixed.columns import Array
from expertise.mixed.design import Design, build_design
from expertise.mixed.fitted import Fitted
from expertise.mixed.formula import parse_formula
from expertise.mixed.glmm import without_intercept
from expertise.mixed.groups import RandomTerm
from expertise.mixed.links import choose_link
from expertise.mixed.nodes import Name
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assumed:
    """The design, its table, the truth to draw from, and how each study is fitted."""

    design: Design
    table: pd.DataFrame
    truth: Truth
    options: dict[str, Any]


def assume(design: StudyPlan | Fitted) -> Assumed:
    """Return what a plan or a pilot fit says about a study."""
    if isinstance(design, Fitted):
        if design.solution.whitening is not None:
            raise DesignError(
                "power is computed for independent residuals; this fit has residual= or "
                "dispersion=, so plan from the fit without"
            )
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
        options = {"family": design.family, "link": design.link.name}
        options |= {name: f"\0{name}" for name in given}
        if design.family == "gaussian":
            options["df"] = design.solution.freedom.method
        return Assumed(design=own, table=table, truth=truth_of(design), options=options)
    return _planned(design)


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
    own = build_design(plan.formula, table, family=plan.family)
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
    )
    options = {"family": plan.family, "link": plan.link}
    return Assumed(design=own, table=table, truth=truth, options=options)


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


def people_of(design: Design, person: str | None) -> str:
    """Return the column whose levels are people: the one asked for, or the finest grouping."""
    if not design.random:
        raise DesignError("power needs a random term for people, such as (1 | person)")
    columns = [name for term in design.random for name in term.grouping.columns]
    if person is not None and person not in columns:
        raise DesignError(f"person is {person!r}; the groupings are {listed(columns)}")
    return person or max(design.random, key=lambda term: term.size).grouping.columns[-1]
