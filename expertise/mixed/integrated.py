"""Maximum likelihood of a generalized or ordinal mixed model, from arrays to estimates."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import block_diag, solve_triangular

from expertise.mixed.climbing import Top, climb
from expertise.mixed.elimination import Array, Codes, Term
from expertise.mixed.laplace import Integrated, Likelihood

NEAR_ZERO = 0.02  # a standard deviation on the link's scale that may be 0
SAME_HEIGHT = 1e-7  # log-likelihood


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What maximum likelihood gives, in the units of the data and the caller's order of terms.

    `groups` holds a covariance G (q, q) per term, `modes` (levels, q) and
    `mode_covariances` (levels, q, q) what is known of each group.
    `covariance` is the inverse of the joint information of
    ``[β (p), the lower triangle of each G row by row, ψ (m)]``; a variance on
    its boundary counts as known; `boundary` says so for each term, then for ψ.
    `eta` (n,) is at the modes.
    """

    beta: Array
    groups: tuple[Array, ...]
    extra: Array
    covariance: Array
    log_likelihood: float
    modes: tuple[Array, ...]
    mode_covariances: tuple[Array, ...]
    eta: Array
    boundary: tuple[bool, ...]
    gradient: float
    evaluations: int


def estimate(
    likelihood: Callable[[Codes], Likelihood],
    fixed: Array,
    terms: list[Term],
    offset: Array,
    start: tuple[Array, Array],
    *,
    quadrature: int = 1,
    ordinal: bool = False,
) -> Estimate:
    """Maximise the integrated likelihood.

    All work is done in orthonormal coordinates (of the fixed effects, and of
    the columns of each random term), so that shifting or rescaling a
    predictor changes nothing but the units of the answer.

    Parameters
    ----------
    likelihood : callable
        Takes an order of rows, returns the likelihood of the rows in that order.
    fixed : (n, p) array
        Of full rank; without an intercept when `ordinal`.
    terms : list of Term
    offset : (n,) array
    start : (β (p,), ψ (m,))
        Estimates without random effects.
    quadrature : int
        Nodes a dimension; more than 1 needs a single term.
    ordinal : bool
        ψ are thresholds, which move with the centre of `fixed`.
    """
    centre = fixed.mean(axis=0) * ordinal
    arranged = sorted(range(len(terms)), key=lambda t: -terms[t].size * terms[t].columns.shape[1])
    order = np.argsort(terms[arranged[0]].codes, kind="stable")
    basis, back = orthonormal(fixed - centre)
    bases = [orthonormal(terms[t].columns) for t in arranged]
    own = [
        Term(terms[t].codes[order], columns[order], terms[t].size)
        for t, (columns, _) in zip(arranged, bases, strict=True)
    ]
    surface = Integrated(likelihood(order), basis[order], own, offset[order], quadrature)
    ones = [np.eye(len(r))[np.tril_indices(len(r))] for _, r in bases]
    top = climb(surface, np.concatenate([back @ start[0], *ones, start[1] - centre @ start[0]]))
    top, boundary = _settle_boundary(surface, top)
    units = Units(centre, back, [r for _, r in bases], arranged, np.argsort(order))
    return units.restore(surface, top, boundary)


def without_groups(likelihood: Likelihood, fixed: Array, offset: Array) -> Array:
    """Return β (p,) of the model without random effects, ψ at its start: a place to begin."""
    basis, back = orthonormal(fixed)
    gamma, extra = np.zeros(fixed.shape[1]), likelihood.start()
    value, slope, curve = likelihood.mode(offset, extra)
    for _ in range(12):
        step = np.linalg.solve(basis.T @ (basis * -curve[:, None]), basis.T @ slope)
        step *= min(1.0, 5.0 / np.abs(step).max(initial=1e-300))
        size = 1.0
        while size > 1e-6:
            found = likelihood.mode(basis @ (gamma + size * step) + offset, extra)
            if found[0].sum() >= value.sum():
                break
            size /= 2
        gain = found[0].sum() - value.sum()
        if gain < 0:
            break
        gamma, (value, slope, curve) = gamma + size * step, found
        if gain < 1e-6:
            break
    beta: Array = solve_triangular(back, gamma)
    return beta


def orthonormal(columns: Array) -> tuple[Array, Array]:
    """Return columns with mean square 1 and no cross-products, and R with ``columns = Q R``."""
    q, r = np.linalg.qr(columns)
    scale = np.sqrt(len(columns)) * np.where(np.diag(r) < 0, -1.0, 1.0)
    return q * scale, r / scale[:, None]


def _settle_boundary(surface: Integrated, top: Top) -> tuple[Top, list[bool]]:
    """Put what is as good as 0 at 0, term by term, where that costs nothing; the last is for ψ."""
    boundary = []
    for t in range(len(surface.terms) + 1):
        at = _without(surface, top.at, t)
        boundary.append(at is not None and surface(at)[0] > top.value - SAME_HEIGHT)
        if boundary[-1] and at is not None:
            top = climb(surface, at)
    return top, boundary


def _without(surface: Integrated, parameters: Array, t: int) -> Array | None:
    """Return the parameters with the smallest directions of one term at 0, if it has any."""
    beta, factors, extra = surface.split(parameters)
    if t < len(factors):
        left, values, _ = np.linalg.svd(factors[t])
        if values.min() > NEAR_ZERO:
            return None
        factors[t] = np.linalg.qr((left * values * (values > NEAR_ZERO)).T)[1].T
    elif surface.likelihood.vanishing and np.abs(extra).max() < NEAR_ZERO:
        extra = np.zeros_like(extra)
    else:
        return None
    lower = [factor[rows] for factor, rows in zip(factors, surface.lower, strict=True)]
    return np.concatenate([beta, *lower, extra])


@dataclass(frozen=True, slots=True)
class Units:
    """The way back from orthonormal coordinates: R of the fixed effects and of each term."""

    centre: Array
    back: Array
    bases: list[Array]
    arranged: list[int]
    rows: Codes

    def restore(self, surface: Integrated, top: Top, boundary: list[bool]) -> Estimate:
        """Return the estimate in the units of the data and the caller's order."""
        point = surface.point(top.at)
        gamma, factors, extra = surface.split(top.at)
        inverse = solve_triangular(self.back, np.eye(len(self.back)))
        natural = [solve_triangular(r, f) for r, f in zip(self.bases, factors, strict=True)]
        modes = [u @ f.T for u, f in zip(surface.by_term(point.u), natural, strict=True)]
        spread = [f @ own @ f.T for own, f in zip(surface.own_blocks(point), natural, strict=True)]
        turn = self._slope(inverse, natural, len(extra))
        place = np.argsort(self.arranged)
        return Estimate(
            beta=inverse @ gamma,
            groups=tuple(natural[t] @ natural[t].T for t in place),
            extra=extra + self.centre @ inverse @ gamma,
            covariance=turn @ bounded_inverse(top.information) @ turn.T,
            log_likelihood=top.value,
            modes=tuple(modes[t] for t in place),
            mode_covariances=tuple(spread[t] for t in place),
            eta=point.eta[self.rows],
            boundary=tuple(boundary[t] for t in [*place, len(place)]),
            gradient=float(np.abs(top.gradient).max()),
            evaluations=top.evaluations,
        )

    def _slope(self, inverse: Array, natural: list[Array], m: int) -> Array:
        """Return the derivative of [β, lower triangles of G, ψ] in the coordinates of the climb."""
        p = len(inverse)
        blocks = []
        for r, factor in zip(self.bases, natural, strict=True):
            rows, columns = np.tril_indices(len(r))
            unit = solve_triangular(r, np.eye(len(r)))
            change = unit[:, rows].T[:, :, None] * factor[:, columns].T[:, None, :]
            blocks.append((change + change.transpose(0, 2, 1))[:, rows, columns].T)
        at = p + np.cumsum([0] + [len(block) for block in blocks])
        full = block_diag(inverse, *blocks, np.eye(m))
        full[at[-1] :, :p] = self.centre @ inverse
        moved = [np.arange(at[t], at[t + 1]) for t in np.argsort(self.arranged)]
        turn: Array = full[np.concatenate([np.arange(p), *moved, np.arange(at[-1], at[-1] + m)])]
        return turn


def bounded_inverse(information: Array) -> Array:
    """Invert; directions in which the likelihood is flat count as known."""
    values, vectors = np.linalg.eigh(information)
    kept = values > 1e-9 * values.max()
    inverse: Array = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    return inverse
