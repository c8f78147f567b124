"""Estimates the variance components of a generalizability study."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from expertise.mixed.fit import MixedFit, fit_mixed
from expertise.triads.facets import Study
from expertise.triads.squares import analogous_anova, balanced_reml, mean_squares
from expertise.triads.tables import Array

FEW = 5  # a variance from fewer levels is hardly known: their means enter the model as fixed


def with_means(study: Study) -> tuple[int, ...]:
    """Return the places of the terms that are one facet with few levels, nested in nothing."""
    return tuple(
        at for at, term in enumerate(study.terms)
        if len(term) == 1 and term != (0,) and study.count(term[0]) < FEW
    )  # fmt: skip


def estimate(study: Study, method: str) -> tuple[Array, MixedFit | None]:
    """Return σ² of every term by `method`, and the fit behind it where there is one."""
    if method == "anova":
        return analogous_anova(study), None
    if study.balanced:
        return balanced_reml(mean_squares(study), with_means(study)), None
    fit = fit_mixed(_formula(study), _frame(study), df="normal")
    return sigma_of(study, fit), fit


def _frame(study: Study) -> pd.DataFrame:
    """Return the rows under safe names: y and a column per term."""
    terms = {f"t{at}": pd.Categorical(study.cells[term])
             for at, term in enumerate(study.terms[:-1])}  # fmt: skip
    return pd.DataFrame({"y": study.y, **terms})


def _formula(study: Study) -> str:
    means = with_means(study)
    fixed = " + ".join(["1", *(f"t{at}" for at in means)])
    random = [f"(1 | t{at})" for at in range(len(study.terms) - 1) if at not in means]
    return " + ".join([f"y ~ {fixed}", *random])


def sigma_of(study: Study, fit: MixedFit) -> Array:
    """Return σ² of every term from a fit of `_formula`."""
    assert fit.sigma is not None
    random = [float(G[0, 0]) for G in fit.solution.covariances]
    return joined(study, random, fit.sigma**2, fit.beta, fit.cov_beta)


def joined(
    study: Study, random: Sequence[float], residual: float, beta: Array, covariance: Array
) -> Array:
    """Return σ² of every term from random terms, residual, and fixed means with covariance."""
    means = with_means(study)
    out = np.empty(len(study.terms))
    out[[at for at in range(len(out) - 1) if at not in means]] = random
    out[-1], start = residual, 1
    for at in means:
        stop = start + study.count(study.terms[at][0]) - 1
        out[at] = _between(beta[start:stop], covariance[start:stop, start:stop])
        start = stop
    return out


def _between(beta: Array, covariance: Array) -> float:
    """Return the unbiased variance of means beside a first mean of zero; may be negative.

    What sampling alone would make the means differ is taken off.
    """
    k = len(beta) + 1
    Q = np.eye(k)[1:, 1:] - 1 / k
    return float((beta @ Q @ beta - np.trace(Q @ covariance)) / (k - 1))
