"""Fits a mixed model: the one door to the linear, generalized and ordinal engines."""

from dataclasses import dataclass

import pandas as pd
from numpy.typing import ArrayLike

from expertise.errors import DesignError
from expertise.mixed.design import Design, build_design
from expertise.mixed.fitted import Fitted, Solution
from expertise.mixed.glmm import solve_generalized, without_intercept
from expertise.mixed.links import Link, choose_link

DF_METHODS = ("satterthwaite", "kenward-roger", "normal", "auto")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MixedFit(Fitted):
    """A fitted mixed model; made by `fit_mixed`."""


def fit_mixed(
    formula: str,
    data: pd.DataFrame,
    *,
    family: str = "gaussian",
    link: str | None = None,
    reml: bool | None = None,
    df: str = "satterthwaite",
    precision_weights: str | ArrayLike | None = None,
    offset: str | ArrayLike | None = None,
    trials: str | ArrayLike | None = None,
    residual: str | None = None,
    dispersion: str | None = None,
    quadrature: int = 1,
    conf_level: float = 0.95,
    seed: int | None = None,
) -> MixedFit:
    """Fit a mixed-effects model."""
    if df not in DF_METHODS:
        raise DesignError(f"unknown df {df!r}; allowed are {', '.join(DF_METHODS)}")
    if not 0 < conf_level < 1:
        raise DesignError(f"conf_level is {conf_level}; it lies between 0 and 1, such as 0.95")
    design = build_design(
        formula, data, family=family, weights=precision_weights, offset=offset, trials=trials
    )
    if family == "cumulative":
        design = without_intercept(design)
    chosen = choose_link(family, link)
    solution = _solve(design, chosen, reml, df, quadrature)
    return MixedFit(
        design=design,
        solution=solution,
        link=chosen,
        conf_level=conf_level,
        notes=(*design.notes, *solution.notes),
    )


def _solve(design: Design, link: Link, reml: bool | None, df: str, quadrature: int) -> Solution:
    """Hand the design to the engine of its family."""
    if design.family != "gaussian":
        return solve_generalized(design, link, quadrature)
    raise DesignError(f"the family {design.family} has no engine yet")
