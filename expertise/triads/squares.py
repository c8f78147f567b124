"""Variance components from sums of squares: analogous ANOVA, and REML where data are balanced.

References
----------
Brennan (2001), Generalizability Theory, chapters 3 and 7, doi:10.1007/978-1-4757-3456-0.
"""

from dataclasses import dataclass

import numpy as np

from expertise.errors import DesignError, FitError
from expertise.triads.facets import Study, Term
from expertise.triads.tables import Array

_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Squares:
    """Mean squares of a balanced study: `ms`, `df` (terms,), and E[ms] = `expected` @ σ².

    `turn` @ T gives mean squares, T as from `uncorrected`.
    """

    ms: Array
    df: Array
    expected: Array
    turn: Array


def uncorrected(study: Study, y: Array) -> Array:
    """Return T of the mean and of each term, shape (terms + 1,) + y.shape[1:].

    T is the sum over cells of rows times mean²; y may have several columns.
    """
    out = []
    for code in study.cells.values():
        sums = np.array([np.bincount(code, column) for column in np.atleast_2d(y.T)])
        out.append((sums**2 / np.bincount(code)).sum(axis=1))
    return np.array(out)[:, 0] if y.ndim == 1 else np.array(out)


def coefficients(study: Study) -> Array:
    """Return the coefficient of each σ² (columns) in E[T] of the mean and each term (rows)."""
    out = np.empty((len(study.terms) + 1, len(study.terms)))
    for i, outer in enumerate(study.cells.values()):
        size = np.bincount(outer)
        for j, term in enumerate(study.terms):
            inner = study.cells[term]
            both = np.unique(outer * (inner.max() + 1) + inner, return_counts=True)
            at = both[0] // (inner.max() + 1)
            out[i, j] = (both[1] ** 2 / size[at]).sum()
    return out


def analogous_anova(study: Study) -> Array:
    """Return the components that set each T to its expectation, shape (terms,).

    The ordinary ANOVA estimates where data are balanced; with missing or
    unbalanced data Brennan's analogous T terms (Henderson's method 1).
    Estimates may be negative.
    """
    y = study.y - study.y.mean()
    A = np.column_stack([np.full(len(study.terms) + 1, float(len(y))), coefficients(study)])
    if np.linalg.matrix_rank(A) < A.shape[1]:
        raise DesignError("these data cannot tell the variance terms apart; leave out a facet")
    return np.linalg.solve(A, uncorrected(study, y))[1:]


def mean_squares(study: Study) -> Squares:
    """Return the mean squares of a balanced study."""
    every: tuple[Term, ...] = ((), *study.terms)
    turn = np.eye(len(every))
    for i, term in enumerate(every):
        turn[i] -= sum(turn[j] for j in range(i) if set(every[j]) < set(term))
    df: Array = turn[1:] @ np.array([code.max() + 1.0 for code in study.cells.values()])
    turn = turn[1:] / df[:, None]
    T = uncorrected(study, study.y - study.y.mean())
    return Squares(ms=turn @ T, df=df, expected=turn @ coefficients(study), turn=turn)


def balanced_reml(squares: Squares, means: tuple[int, ...] = ()) -> Array:
    """Return the REML components of a balanced study, shape (terms,).

    None is negative but those at the places `means`: facets whose means are
    fixed in the model, whose component is the unbiased one.

    The likelihood depends on the mean squares only: Σ df (log λ + ms/λ)
    with λ = expected @ σ². Where the ANOVA estimates are positive they are
    the optimum; else Fisher scoring with the variances at zero held there.
    """
    sigma = np.asarray(np.linalg.solve(squares.expected, squares.ms), dtype=np.float64)
    kept = [at for at in range(len(sigma)) if at not in means]
    if (sigma[kept] >= 0).all():
        return sigma
    expected = squares.expected[np.ix_(kept, kept)]
    sigma[kept] = _scored(squares.ms[kept], squares.df[kept], expected, np.maximum(sigma[kept], 0))
    for at in means:
        others = np.delete(np.arange(len(sigma)), at)
        rest = squares.expected[at, others] @ sigma[others]
        sigma[at] = (squares.ms[at] - rest) / squares.expected[at, at]
    return sigma


def _scored(ms: Array, df: Array, E: Array, sigma: Array) -> Array:
    """Return the optimum by Fisher scoring from a start that is not negative."""
    sigma[-1] = max(sigma[-1], 1e-3 * ms.max())

    def deviance(s: Array) -> float:
        lam = E @ s
        return float((df * (np.log(lam) + ms / lam)).sum())

    best = deviance(sigma)
    for _ in range(_MOST):
        lam = E @ sigma
        slope = E.T @ (df * (lam - ms) / lam**2)
        information = E.T @ (E * (df / lam**2)[:, None])
        free = (sigma > 0) | (slope < 0)
        step = np.zeros(len(sigma))
        step[free] = -np.linalg.solve(information[np.ix_(free, free)], slope[free])
        size = 1.0
        while (value := deviance(trial := _inside(sigma + size * step))) > best:
            size /= 2
            if size < 1e-10:  # no step goes down any more, to rounding
                return sigma
        done = best - value < 1e-12 * (1 + abs(best))
        sigma, best = trial, value
        if done:
            return sigma
    raise FitError(f"no optimum found in {_MOST} steps; leave out a variance term")


def _inside(sigma: Array) -> Array:
    """Return components at or above zero, the residual above it."""
    sigma = np.maximum(sigma, 0)
    sigma[-1] = max(sigma[-1], 1e-12 * sigma.max())
    return sigma
