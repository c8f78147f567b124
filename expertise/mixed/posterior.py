"""What is known of sums of fixed and group effects after a fit, for known and for new groups."""

from dataclasses import dataclass

import numpy as np

from expertise.errors import DesignError
from expertise.mixed.columns import Array, Codes
from expertise.mixed.elimination import Blocks, Factored, Term
from expertise.mixed.fitted import Fitted
from expertise.mixed.glmm import likelihood_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posterior:
    """The joint normal approximation of fixed and group effects, variances as estimated.

    With ``b = Λu`` the precision of u (U,) is M = I + A'WA at the modes, and
    the modes move with fixed effects and thresholds by `moves` (U, P), whose
    covariance is `covariance` (P, P). `roots` holds Λ, `covariances` ΛΛ' and
    `firsts` the place in u of each random term.
    """

    factored: Factored
    shape: tuple[int, int]
    roots: tuple[Array, ...]
    covariances: tuple[Array, ...]
    firsts: tuple[int, ...]
    moves: Array
    covariance: Array

    def variance(self, X: Array, columns: list[Array], codes: list[Codes]) -> tuple[Array, Array]:
        """Return the slope in fixed effects and thresholds, and the variance left beside it.

        Parameters
        ----------
        X : (r, P) array
            Slope of each sum with the group effects held.
        columns, codes : lists of (r, q) and (r,) arrays
            Of each random term; −1 is a new group, which adds its variance.

        Returns
        -------
        (r, P), (r,) arrays
        """
        a = self.direction(columns, codes)
        new = np.zeros(len(X))
        for z, code, G in zip(columns, codes, self.covariances, strict=True):
            new += np.where(code < 0, np.einsum("ra,ab,rb->r", z, G, z), 0.0)
        within = np.array([row @ self.solve(row) for row in a])
        return X + a @ self.moves, within + new

    def direction(self, columns: list[Array], codes: list[Codes]) -> Array:
        """Return a (r, U), with a'u the effects of the known groups."""
        a = np.zeros((len(codes[0]), len(self.moves)))
        for z, code, root, first in zip(columns, codes, self.roots, self.firsts, strict=True):
            known = np.flatnonzero(code >= 0)
            at = first + code[known][:, None] * len(root) + np.arange(len(root))
            a[known[:, None], at] = z[known] @ root
        return a

    def solve(self, right: Array) -> Array:
        """Return M⁻¹ times a vector (U,)."""
        cut = self.shape[0] * self.shape[1]
        own, rest = self.factored.solve((right[:cut].reshape(self.shape), right[cut:]))
        return np.concatenate([own.ravel(), rest])


def posterior_of(fit: Fitted) -> Posterior:
    """Return what is known of fixed and group effects together.

    The uncertainty of variances and of a dispersion is not in it, as in lme4.
    """
    design, solution = fit.design, fit.solution
    if not design.random:
        raise DesignError("this model has no group effects to know; leave groups= out")
    arranged = sorted(
        range(len(design.random)),
        key=lambda t: -design.random[t].size * len(design.random[t].names),
    )
    order = np.argsort(design.random[arranged[0]].codes, kind="stable")
    bend, (_, Z) = bend_of(fit, order), independent_rows(fit)
    roots = tuple(_root(G) for G in solution.covariances)
    terms = [
        Term(term.codes[order], Z[t][order] @ roots[t], term.size)
        for t, term in ((t, design.random[t]) for t in arranged)
    ]
    blocks = Blocks(*terms)
    a1 = terms[0].columns
    a2 = np.hstack([np.zeros((len(a1), 0)), *(term.columns for term in terms[1:])])
    factored = blocks.factor(bend.weight, a1, a2)
    moves = []
    for slope in bend.moves.T:
        own, rest = factored.solve(blocks.gather(a1, a2, slope))
        moves.append(np.concatenate([own.ravel(), rest]))
    sizes = [term.size * term.columns.shape[1] for term in terms]
    firsts = dict(zip(arranged, np.cumsum([0, *sizes[:-1]]), strict=True))
    return Posterior(
        factored=factored,
        shape=(blocks.groups, blocks.q),
        roots=roots,
        covariances=solution.covariances,
        firsts=tuple(int(firsts[t]) for t in range(len(roots))),
        moves=np.array(moves).reshape(len(moves), -1).T,
        covariance=bend.covariance,
    )


def _root(G: Array) -> Array:
    values, vectors = np.linalg.eigh(G)
    root: Array = vectors * np.sqrt(values.clip(0))
    return root


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bend:
    """How the log-likelihood bends in each row at the modes.

    `pull` (n,) is its slope in the linear predictor, `weight` (n,) minus its
    second derivative, `moves` (n, P) how the slope changes with fixed
    effects and thresholds, whose covariance is `covariance` (P, P).
    """

    pull: Array
    weight: Array
    moves: Array
    covariance: Array


def bend_of(fit: Fitted, order: Codes) -> Bend:
    """Return how the log-likelihood bends, for the rows in this order."""
    design, solution = fit.design, fit.solution
    X, eta = design.X[order], fit.linear_predictor()
    if fit.family == "gaussian":
        assert fit.sigma is not None
        X, rest = independent_rows(fit)[0][order], design.y - eta
        own = np.ones(len(X)) if design.weights is None else design.weights[order]
        if solution.whitening is not None:
            own, rest = np.ones(len(X)), whitened(fit, rest[:, None])[:, 0]
        weight = own / fit.sigma**2
        moves = -weight[:, None] * X
        return Bend(pull=weight * rest[order], weight=weight, moves=moves, covariance=fit.cov_beta)
    extra, joint = np.zeros(0), fit.cov_beta
    if solution.thresholds is not None and solution.cov_joint is not None:
        extra, joint = solution.thresholds, solution.cov_joint
    elif fit.family == "negative-binomial":
        extra = np.array([solution.dispersion[0][1] ** -0.5])
    at = likelihood_of(design, fit.link)(order).rows(eta[order], extra)
    moves = at.d2[:, None] * X
    if solution.thresholds is not None:
        moves = np.hstack([moves, at.extra[1].T])
    return Bend(pull=at.d1, weight=-at.d2, moves=moves, covariance=joint)


def whitened(fit: Fitted, rows: Array) -> Array:
    """Return rows (n, k) as the fit saw them: weighted, and free of what the residuals share."""
    weights, whitening = fit.design.weights, fit.solution.whitening
    rows = rows if weights is None else rows * np.sqrt(weights)[:, None]
    return rows if whitening is None else whitening(rows)


def independent_rows(fit: Fitted) -> tuple[Array, list[Array]]:
    """Return X and each Z, whitened where the residuals have a structure.

    Raises
    ------
    DesignError
        Where residuals hold on while people move between groups, so that a
        whitened row belongs to two of them.
    """
    design, whitening = fit.design, fit.solution.whitening
    Z = [term.Z for term in design.random]
    if whitening is None:
        return design.X, Z
    for term, columns in zip(design.random, Z, strict=True):
        if len(whitening.of_term(term.codes, columns)) > 1:
            raise DesignError(
                f"people move between levels of {term.group!r} while their residuals hold on; "
                "what is known of single groups is not computed then, so leave residual= out"
            )
    return whitened(fit, design.X), [whitened(fit, columns) for columns in Z]
