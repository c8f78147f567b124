"""Fits generalized and ordinal mixed models: from a design to a solution."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from expertise.errors import DesignError, FitError, listed
from expertise.mixed.columns import Array, Codes
from expertise.mixed.design import Design
from expertise.mixed.elimination import Term
from expertise.mixed.families import Binomial, Logistic, NegativeBinomial, Poisson
from expertise.mixed.fitted import Normal, Solution
from expertise.mixed.integrated import Estimate, estimate, without_groups
from expertise.mixed.laplace import Likelihood
from expertise.mixed.links import Link
from expertise.mixed.ordinal import Cumulative
from expertise.mixed.separation import separating
from expertise.words import Note, note

MOST_NODES = 20_000  # quadrature ** dimensions
FAR = 12.0  # |η| at which a probability is so near 0 or 1 that separation is likely
WIDE = 6.0  # standard deviation of a group effect on the logit scale


def fit_generalized(design: Design, link: Link, quadrature: int = 1) -> Solution:
    """Fit counts, proportions or ordered answers by maximum likelihood.

    Parameters
    ----------
    design : Design
        Of any family but gaussian; a cumulative one has no intercept.
    link : Link
    quadrature : int
        Nodes a dimension of adaptive Gauss–Hermite quadrature for a single
        random term; 1 is the Laplace approximation.

    Raises
    ------
    DesignError
        Without a random term, with precision weights, or for quadrature
        with several terms.
    FitError
        For predictors that separate the answers, and where no optimum is found.
    """
    _check(design, quadrature)
    maker = likelihood_of(design, link)
    n = len(design.y)
    offset = np.zeros(n) if design.offset is None else design.offset
    whole = maker(np.arange(n))
    ordinal = design.family == "cumulative"
    p = design.X.shape[1]
    beta = np.zeros(p) if ordinal else without_groups(whole, design.X, offset)
    terms = [Term(term.codes, term.Z, term.size) for term in design.random]
    try:
        found = estimate(
            maker, design.X, terms, offset, (beta, whole.start()),
            quadrature=quadrature, ordinal=ordinal,
        )  # fmt: skip
    except FitError:
        _refuse_separation(design)
        raise
    if design.family in ("binomial", "cumulative") and np.abs(found.eta).max() > FAR:
        _refuse_separation(design)
    return _solution(design, found, quadrature, beta, offset)


def without_intercept(design: Design) -> Design:
    """Return the design of an ordered outcome, whose thresholds take the intercept's place."""
    layout = design.layout
    if layout.names[0] != "(Intercept)":
        raise DesignError(
            f"the formula {design.formula.text!r} leaves out the intercept, but the thresholds of "
            "an ordered outcome take its place; leave out the 0 or -1"
        )
    slimmer = replace(
        layout,
        terms=layout.terms[1:],
        variables=layout.variables[1:],
        names=layout.names[1:],
        assign=tuple(at - 1 for at in layout.assign[1:]),
    )
    return replace(design, X=design.X[:, 1:], layout=slimmer)


def _check(design: Design, quadrature: int) -> None:
    if not design.random:
        raise DesignError(
            f"the formula {design.formula.text!r} has no random term such as (1 | person); "
            "models without one are in statsmodels (GLM, OrderedModel)"
        )
    if design.weights is not None:
        raise DesignError(
            f"precision weights belong to the family gaussian, not to {design.family}; "
            "give trials or an offset"
        )
    if isinstance(quadrature, bool) or not isinstance(quadrature, int) or quadrature < 1:
        raise DesignError(f"quadrature is {quadrature!r}; it is a whole number of nodes from 1")
    if quadrature == 1:
        return
    if len(design.random) > 1:
        raise DesignError(
            f"quadrature={quadrature} needs a single random term, and the formula has "
            f"{len(design.random)}; use quadrature=1 (Laplace)"
        )
    if (nodes := quadrature ** len(design.random[0].names)) > MOST_NODES:
        raise DesignError(
            f"quadrature={quadrature} takes {nodes} nodes for {design.random[0]}; "
            f"at most {MOST_NODES} are computed, so take fewer"
        )


def likelihood_of(design: Design, link: Link) -> Callable[[Codes], Likelihood]:
    """Return what makes the likelihood of the design's rows in any order."""
    y = design.y
    trials = np.ones_like(y) if design.trials is None else design.trials
    categories = len(design.outcome_levels)
    match design.family, link.name:
        case "binomial", "logit":
            return lambda order: Logistic(y[order], trials[order])
        case "binomial", name:
            return lambda order: Binomial(y[order], trials[order], name)
        case "poisson", _:
            return lambda order: Poisson(y[order])
        case "negative-binomial", _:
            return lambda order: NegativeBinomial(y[order])
        case _, name:
            return lambda order: Cumulative(y[order].astype(np.intp), categories - 1, name)


def _refuse_separation(design: Design) -> None:
    if design.family not in ("binomial", "cumulative"):
        return
    category, mixed = design.y.astype(np.intp), None
    if design.trials is not None:
        category = (design.y == design.trials).astype(np.intp)
        mixed = (design.y > 0) & (design.y < design.trials)
    if names := separating(category, design.X, design.names, mixed=mixed):
        raise FitError(
            f"{listed(names)} predicts {design.outcome!r} without error (separation), so its "
            "estimate is infinite; leave it out, join categories, or collect more answers"
        )


def _solution(
    design: Design, found: Estimate, quadrature: int, beta: Array, offset: Array
) -> Solution:
    p, m = len(found.beta), len(found.extra)
    errors, at = [], p
    for G in found.groups:
        rows, columns = np.tril_indices(len(G))
        square = np.zeros_like(G)
        square[rows, columns] = np.sqrt(np.diag(found.covariance)[at : at + len(rows)].clip(0))
        errors.append(np.maximum(square, square.T))
        at += len(rows)
    ordinal = design.family == "cumulative"
    joint = np.r_[np.arange(p), np.arange(at, at + m)]
    dispersion, notes = _dispersion(design, found, beta, offset)
    return Solution(
        method="Laplace" if quadrature == 1 else f"adaptive Gauss-Hermite ({quadrature})",
        beta=found.beta,
        freedom=Normal(covariance=found.covariance[:p, :p]),
        covariances=found.groups,
        covariance_errors=tuple(errors),
        sigma=None,
        modes=found.modes,
        mode_covariances=found.mode_covariances,
        log_likelihood=found.log_likelihood,
        n_parameters=len(found.covariance),
        converged=True,
        singular=any(found.boundary[:-1]),
        evaluations=found.evaluations,
        gradient=found.gradient,
        thresholds=found.extra if ordinal else None,
        cov_joint=found.covariance[np.ix_(joint, joint)] if ordinal else None,
        dispersion=dispersion,
        notes=(*_notes(design, found), *notes),
    )


def _notes(design: Design, found: Estimate) -> list[Note]:
    notes = [
        note("mixed.boundary", term=str(term))
        for term, flat in zip(design.random, found.boundary, strict=False)
        if flat
    ]
    if design.family in ("binomial", "cumulative"):
        notes += [
            note("glmm.wide", term=str(term))
            for term, G in zip(design.random, found.groups, strict=True)
            if G[0, 0] > WIDE**2 and term.names[0] == "(Intercept)"
        ]
    if design.family == "binomial":
        trials = np.ones_like(design.y) if design.trials is None else design.trials
        events = int(min(design.y.sum(), (trials - design.y).sum()))
        if events < 10 * len(found.beta):
            notes.append(note("glmm.rare", events=events, n=int(trials.sum())))
    return notes


def _dispersion(
    design: Design, found: Estimate, beta: Array, offset: Array
) -> tuple[tuple[tuple[str, float, float], ...], list[Note]]:
    """Return θ of negative-binomial counts; for Poisson, how much more counts vary than it says."""
    if design.family == "negative-binomial":
        root = abs(float(found.extra[0]))
        if found.boundary[-1]:
            return (("theta", np.inf, np.nan),), [note("glmm.no_excess")]
        error = 2 / root**3 * float(np.sqrt(found.covariance[-1, -1]))
        return (("theta", root**-2, error),), []
    if design.family != "poisson":
        return (), []
    n, p = design.X.shape
    each = any(term.size * len(term.names) >= n for term in design.random)
    mean = np.exp(design.X @ beta + offset if each else found.eta)
    ratio = float(((design.y - mean) ** 2 / mean).sum() / max(n - p, 1))
    notes = []
    if ratio > 1.5:
        notes.append(note("glmm.excess_without" if each else "glmm.excess", ratio=round(ratio, 1)))
    return (("pearson", ratio, np.nan),), notes
