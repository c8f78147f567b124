"""Fits a mixed model: the one door to the linear, generalized and ordinal engines."""

from dataclasses import dataclass

import pandas as pd
from numpy.typing import ArrayLike

from expertise.errors import DesignError
from expertise.mixed.design import build_design
from expertise.mixed.fitted import Fitted
from expertise.mixed.glmm import fit_generalized, without_intercept
from expertise.mixed.linear import fit_linear
from expertise.mixed.links import choose_link

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
    if family == "gaussian":
        solution = fit_linear(design, reml=reml is not False, df=df)
    else:
        if reml:
            raise DesignError(f"reml=True is for the family gaussian; {family} is fitted by ML")
        solution = fit_generalized(design, chosen, quadrature)
    return MixedFit(
        design=design,
        solution=solution,
        link=chosen,
        conf_level=conf_level,
        notes=(*design.notes, *solution.notes),
    )
