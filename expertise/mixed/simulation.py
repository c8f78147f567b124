"""Draws outcomes from a mixed model: new people, new errors, the same design."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from expertise.errors import DesignError
from expertise.mixed.columns import Array
from expertise.mixed.cores import streams
from expertise.mixed.design import Design
from expertise.mixed.fitted import Fitted
from expertise.mixed.links import Link
from expertise.mixed.residual import Whitened


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """Everything that outcomes are drawn from: β (p,), G per random term, what the family needs."""

    link: Link
    beta: Array
    covariances: tuple[Array, ...]
    sigma: float | None = None
    theta: float | None = None
    thresholds: Array | None = None
    whitening: Whitened | None = None


def truth_of(fit: Fitted) -> Truth:
    """Return the estimates of a fit as the truth to draw from."""
    theta = None
    if fit.family == "negative-binomial":
        theta = fit.solution.dispersion[0][1]
    return Truth(
        link=fit.link,
        beta=fit.beta,
        covariances=fit.solution.covariances,
        sigma=fit.sigma,
        theta=theta,
        thresholds=fit.solution.thresholds,
        whitening=fit.solution.whitening,
    )


def simulate(fit: Fitted, seed: int, n: int = 1) -> pd.DataFrame:
    """Return outcomes drawn from a fit, for the rows used, with new group effects.

    Parameters
    ----------
    fit : MixedFit
    seed : int
    n : int
        How many sets of outcomes.

    Returns
    -------
    DataFrame
        One row per row used, labelled as in the table, one column per set;
        the labels of the answers where the outcome is a category.

    Notes
    -----
    Variances and coefficients are those estimated, so that the spread of
    estimates over sets is a parametric bootstrap.

    Examples
    --------
    >>> from expertise.mixed.fit import fit_mixed
    >>> rows = [(p, t, p % 5 + t + (p * t) % 3) for p in range(12) for t in range(3)]
    >>> table = pd.DataFrame(rows, columns=["person", "wave", "score"])
    >>> fit = fit_mixed("score ~ wave + (1 | person)", table)
    >>> simulate(fit, seed=1, n=3).shape
    (36, 3)
    """
    if n < 1:
        raise DesignError(f"n is {n}; it is how many sets of outcomes to draw, from 1")
    design, truth, eta = fit.design, truth_of(fit), fit.linear_predictor(groups=False)
    sets = {}
    for at, child in enumerate(streams(seed, n)):
        values = draw(design, eta, truth, np.random.default_rng(child))
        sets[at] = np.asarray(design.outcome_levels, dtype=object)[values.astype(int)] if (
            design.outcome_levels
        ) else values  # fmt: skip
    return pd.DataFrame(sets, index=design.index)


def draw(design: Design, eta: Array, truth: Truth, rng: np.random.Generator) -> Array:
    """Draw y (n,) around the fixed part eta (n,): group effects first, then the outcome."""
    for term, G in zip(design.random, truth.covariances, strict=True):
        values, vectors = np.linalg.eigh(G)
        effects = rng.standard_normal((term.size, len(G))) * np.sqrt(values.clip(0)) @ vectors.T
        eta = eta + np.einsum("nq,nq->n", term.Z, effects[term.codes])
    match design.family:
        case "gaussian":
            assert truth.sigma is not None
            noise = rng.standard_normal(len(eta))
            if truth.whitening is not None:
                noise = truth.whitening.residuals(noise)
            weights = 1.0 if design.weights is None else design.weights
            return eta + truth.sigma / np.sqrt(weights) * noise
        case "cumulative":
            assert truth.thresholds is not None
            return _answers(truth.link, eta, truth.thresholds, rng)
        case "binomial":
            trials = np.ones(len(eta)) if design.trials is None else design.trials
            return rng.binomial(trials.astype(np.int64), truth.link.inverse(eta)).astype(np.float64)
        case "negative-binomial" if truth.theta is not None and np.isfinite(truth.theta):
            mean = rng.gamma(truth.theta, np.exp(eta) / truth.theta)
            return rng.poisson(mean).astype(np.float64)
        case _:
            return rng.poisson(np.exp(eta)).astype(np.float64)


def _answers(link: Link, eta: Array, thresholds: Array, rng: np.random.Generator) -> Array:
    latent = eta + link.link(rng.uniform(size=len(eta)))
    return np.searchsorted(thresholds, latent).astype(np.float64)
