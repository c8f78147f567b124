"""The likelihood of a model whose random effects are integrated out numerically.

One engine for all families: a likelihood gives the derivatives of each row
with respect to its linear predictor and to its own extra parameters
(thresholds, dispersion); everything else is shared. With
``b = Λu``, ``u ~ N(0, I)`` and ``M = I + Λ'Z'WZΛ``, the Laplace
approximation is ``l(η̂) − û'û/2 − log|M|/2`` at the mode ``û``. Its
gradient is exact: it follows the mode and ``log|M|`` by implicit
differentiation, in reverse, so that its cost does not grow with the number
of parameters. Adaptive Gauss–Hermite quadrature changes only the adjoints
of ``û`` and ``M``.
"""

from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np

from expertise.mixed.elimination import Array, Blocks, Factored, Inverse, Term

NEWTON_STEPS = 100


@dataclass(frozen=True, slots=True)
class Rows:
    """Log-likelihood of each row (n,) and its derivatives in η; `extra` in ψ: (m, n) each."""

    value: Array
    d1: Array
    d2: Array
    d3: Array
    extra: tuple[Array, Array, Array]


class Likelihood(Protocol):
    """What the engine needs to know of a family; all are log-concave in η."""

    @property
    def n_extra(self) -> int:
        """Number m of extra parameters ψ."""

    @property
    def vanishing(self) -> bool:
        """Whether ψ may be 0, the edge of its range."""

    def start(self) -> Array:
        """Return starting values of ψ for η = 0."""

    def constant(self) -> float:
        """Return the part of the log-likelihood that no parameter touches."""

    def mode(self, eta: Array, extra: Array) -> tuple[Array, Array, Array]:
        """Return log-likelihood, first and second derivative; `eta` is (..., n)."""

    def rows(self, eta: Array, extra: Array) -> Rows:
        """Return everything that the gradient needs."""

    def extra_slope(self, eta: Array, extra: Array) -> Array:
        """Return the derivative in ψ, (m, ..., n)."""


class Integrated:
    """Log-likelihood and exact gradient with the random effects integrated out.

    Parameters
    ----------
    likelihood : Likelihood
        Rows in the order of `fixed`.
    fixed : (n, p) array
        Design of the fixed effects.
    terms : list of Term
        The first, by whose groups the rows are sorted, is eliminated group
        by group; the others form one dense Schur complement.
    offset : (n,) array
    quadrature : int
        Nodes per dimension of adaptive Gauss–Hermite; 1 is Laplace. More
        than one needs a single term.

    Notes
    -----
    The parameter vector is ``[β (p), lower triangles of Λ row by row, ψ]``.
    """

    def __init__(
        self,
        likelihood: Likelihood,
        fixed: Array,
        terms: list[Term],
        offset: Array,
        quadrature: int = 1,
    ) -> None:
        self.likelihood, self.fixed, self.offset = likelihood, fixed, offset
        self.terms, self.constant = terms, likelihood.constant()
        self.lower = [np.tril_indices(term.columns.shape[1]) for term in terms]
        self.n_theta = sum(len(rows) for rows, _ in self.lower)
        self.blocks = Blocks(*terms)
        self.nodes, self.weights = hermite(quadrature, self.blocks.q)
        self.last = (np.zeros((self.blocks.groups, self.blocks.q)), np.zeros(self.blocks.rest))

    def split(self, parameters: Array) -> tuple[Array, list[Array], Array]:
        """Return β, the factors Λ of all terms, and ψ."""
        p = self.fixed.shape[1]
        at, factors = p, []
        for rows, columns in self.lower:
            factor = np.zeros((rows[-1] + 1, rows[-1] + 1))
            factor[rows, columns] = parameters[at : at + len(rows)]
            factors.append(factor)
            at += len(rows)
        return parameters[:p], factors, parameters[at:]

    def __call__(self, parameters: Array) -> tuple[float, Array]:
        """Return log-likelihood and gradient; −inf where the parameters are impossible."""
        beta, factors, extra = self.split(parameters)
        base = self.fixed @ beta + self.offset
        sides = self._sides(factors)
        found = self._modes(base, *sides, extra)
        if found is None:
            return -np.inf, np.zeros_like(parameters)
        if len(self.weights) == 1:
            adjoint = self._laplace(sides[0], found)
        else:
            adjoint = self._quadrature(base, sides[0], extra, found)
        return adjoint.value + self.constant, self._gradient(*sides, found, adjoint)

    def point(self, parameters: Array) -> "Modes":
        """Return the modes at these parameters, which must be possible."""
        beta, factors, extra = self.split(parameters)
        found = self._modes(self.fixed @ beta + self.offset, *self._sides(factors), extra)
        assert found is not None
        return found

    def by_term(self, u: tuple[Array, Array]) -> list[Array]:
        """Return modes as one (G, q) array a term."""
        sizes = [term.size * term.columns.shape[1] for term in self.terms[1:]]
        rest = np.split(u[1], np.cumsum(sizes)[:-1]) if sizes else []
        shapes = [(term.size, term.columns.shape[1]) for term in self.terms[1:]]
        return [u[0], *(part.reshape(shape) for part, shape in zip(rest, shapes, strict=True))]

    def own_blocks(self, point: "Modes") -> list[Array]:
        """Return the covariance of each group's u given the parameters, (G, q, q) a term."""
        inverse, blocks, at = point.factored.inverse(), [], 0
        for term in self.terms[1:]:
            q = term.columns.shape[1]
            where = at + np.arange(term.size * q).reshape(term.size, q)
            blocks.append(inverse.rest[where[:, :, None], where[:, None, :]])
            at += term.size * q
        return [inverse.own, *blocks]

    def _sides(self, factors: list[Array]) -> tuple[Array, Array]:
        """Return ZΛ of the eliminated term and of the others side by side."""
        own, *rest = (
            term.columns @ factor for term, factor in zip(self.terms, factors, strict=True)
        )
        return own, np.hstack([np.zeros((len(own), 0)), *rest])

    def _modes(self, base: Array, a1: Array, a2: Array, extra: Array) -> "Modes | None":
        """Search from the last modes; where that fails, from zero."""
        zero = (np.zeros_like(self.last[0]), np.zeros_like(self.last[1]))
        for u in (self.last, zero):
            try:
                with np.errstate(over="ignore", invalid="ignore"):  # a step too far is halved
                    found = self._newton(u, base, a1, a2, extra)
            except np.linalg.LinAlgError:
                continue
            if found is not None:
                self.last = found.u
                return found
        return None

    def _newton(
        self, u: tuple[Array, Array], base: Array, a1: Array, a2: Array, extra: Array
    ) -> "Modes | None":
        """Newton with step halving; after a small step the next is as good as exact."""
        blocks = self.blocks
        value, slope, curve = self.likelihood.mode(base + blocks.predict(a1, a2, u), extra)
        best = value.sum() - _square(u) / 2
        if not np.isfinite(best):
            return None
        for _ in range(NEWTON_STEPS):
            factored = blocks.factor(-curve, a1, a2)
            pull = blocks.gather(a1, a2, slope)
            step = factored.solve((pull[0] - u[0], pull[1] - u[1]))
            size, largest = 1.0, max(np.abs(step[0]).max(), np.abs(step[1]).max(initial=0.0))
            while True:
                trial = (u[0] + size * step[0], u[1] + size * step[1])
                eta = base + blocks.predict(a1, a2, trial)
                value, slope, curve = self.likelihood.mode(eta, extra)
                now = value.sum() - _square(trial) / 2
                if now >= best - 1e-9 * (1 + abs(best)):
                    break
                size /= 2
                if size < 1e-10:
                    return None
            u, best = trial, now
            if largest < 1e-6:
                at = self.likelihood.rows(eta, extra)
                return Modes(u, eta, at, blocks.factor(-at.d2, a1, a2))
        return None

    def _gradient(self, a1: Array, a2: Array, found: "Modes", adjoint: "Adjoint") -> Array:
        """Follow the mode and log|M| backwards through their implicit derivatives."""
        blocks, at = self.blocks, found.at
        slope, weight, weight_slope = at.d1[:, None], -at.d2, -at.d3
        u1, u2 = blocks.spread(found.u)
        k1, k2 = blocks.rows_of(adjoint.inverse, a1, a2)
        leverage = (a1 * k1).sum(axis=1) + (a2 * k2).sum(axis=1)
        s1, s2 = blocks.gather(a1, a2, weight_slope * leverage)
        r1, r2 = blocks.spread(found.factored.solve((s1 - 2 * adjoint.mode, s2)))
        moved = (a1 * r1).sum(axis=1) + (a2 * r2).sum(axis=1)
        implied = (moved * weight - weight_slope * leverage) / 2
        total = adjoint.slope + implied
        rows1 = adjoint.pulled + implied[:, None] * u1 - slope / 2 * r1 - weight[:, None] * k1
        rows2 = total[:, None] * u2 - slope / 2 * r2 - weight[:, None] * k2
        theta = [
            (term.columns.T @ rows)[lower]
            for term, rows, lower in zip(
                self.terms, [rows1, *blocks.parts(rows2)], self.lower, strict=True
            )
        ]
        psi = adjoint.extra + (at.extra[2] @ leverage - at.extra[1] @ moved) / 2
        return np.concatenate([self.fixed.T @ total, *theta, psi])

    def _laplace(self, a1: Array, found: "Modes") -> "Adjoint":
        at, u = found.at, found.u
        return Adjoint(
            value=float(at.value.sum() - _square(u) / 2 - found.factored.log_determinant / 2),
            inverse=found.factored.inverse(),
            mode=np.zeros_like(u[0]),
            slope=at.d1,
            pulled=at.d1[:, None] * u[0][self.blocks.codes],
            extra=at.extra[0].sum(axis=1),
        )

    def _quadrature(self, base: Array, a1: Array, extra: Array, found: "Modes") -> "Adjoint":
        """Sum over nodes around each mode, which move with the mode and with M."""
        blocks, codes = self.blocks, self.blocks.codes
        spread = np.sqrt(2) * np.linalg.inv(found.factored.root).transpose(0, 2, 1)
        u = found.u[0] + np.einsum("gab,kb->kga", spread, self.nodes)
        eta = base + np.einsum("na,kna->kn", a1, u[:, codes])
        value, slope, _ = self.likelihood.mode(eta, extra)
        height = blocks.sum(value.T).T - (u**2).sum(axis=2) / 2 + self.weights[:, None]
        top = height.max(axis=0)
        mass = np.exp(height - top)
        total = mass.sum(axis=0)
        share = mass / total
        weighted = share[:, codes] * slope
        gap = u * share[..., None] - np.stack([blocks.sum(a1 * row[:, None]) for row in weighted])
        turn = np.tril(np.einsum("ka,kgb,gbc->gac", self.nodes, gap, spread))
        turn[:, range(blocks.q), range(blocks.q)] /= 2
        half = np.eye(blocks.q) - (turn + turn.transpose(0, 2, 1))
        own = np.einsum("gab,gbc,gdc->gad", spread, half, spread) / 2
        return Adjoint(
            value=float((top + np.log(total)).sum() - found.factored.log_determinant / 2),
            inverse=Inverse(own, np.zeros((blocks.groups, blocks.q, 0)), np.zeros((0, 0))),
            mode=-gap.sum(axis=0),
            slope=weighted.sum(axis=0),
            pulled=np.einsum("kn,kna->na", weighted, u[:, codes]),
            extra=np.einsum("mkn,kn->m", self.likelihood.extra_slope(eta, extra), share[:, codes]),
        )


@dataclass(frozen=True, slots=True)
class Modes:
    """Modes û (largest term, others), η̂ (n,), the rows there, and M factored."""

    u: tuple[Array, Array]
    eta: Array
    at: Rows
    factored: Factored


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjoint:
    """A value and its derivatives in what the parameters move.

    `inverse` is −2 times the derivative in M, `mode` that in û (G, q),
    `slope` (n,) and `pulled` (n, q) those in η with û held, plain and times
    u, `extra` (m,) that in ψ.
    """

    value: float
    inverse: Inverse
    mode: Array
    slope: Array
    pulled: Array
    extra: Array


def hermite(quadrature: int, dimensions: int) -> tuple[Array, Array]:
    """Return nodes (k, q) and log-weights (k,), the kernel taken out."""
    points, weights = np.polynomial.hermite.hermgauss(quadrature)
    nodes = np.array(list(product(points, repeat=dimensions)))
    logs = np.array([sum(row) for row in product(np.log(weights), repeat=dimensions)])
    return nodes, logs + (nodes**2).sum(axis=1) - dimensions / 2 * np.log(np.pi)


def _square(u: tuple[Array, Array]) -> float:
    return float((u[0] ** 2).sum() + (u[1] ** 2).sum())
