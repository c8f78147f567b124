"""The profiled deviance of a linear mixed model, with exact slope and average information.

β and σ² are profiled out. Parameters are the lower triangles of the
relative factors L_k, Ψ_k = L_k L_k' being the covariance over σ².

Reference: Gilmour, Thompson & Cullis (1995), doi:10.2307/2533274.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from expertise.errors import FitError
from expertise.mixed.columns import Array
from expertise.mixed.pairs import Pairs
from expertise.mixed.reduction import Reduction
from expertise.mixed.system import System


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Point:
    """The deviance at some factors, what was profiled out, and how it slopes and bends.

    `slope` and `curvature` are by the stacked lower triangles of the
    factors; beta (p,) and Phi = (X'H⁻¹X)⁻¹ are in inner columns.
    """

    factors: tuple[Array, ...]
    deviance: float
    beta: Array
    sigma2: float
    Phi: Array
    slope: Array
    curvature: Array


class Deviance:
    """The deviance of one reduction, REML or ML, as a function of the factors."""

    def __init__(self, reduction: Reduction, reml: bool) -> None:
        self.reduction, self.reml = reduction, reml
        groups = reduction.groups
        self.pairs = None if groups.B is None else Pairs(groups.B, reduction.blocks.width)
        self.nu = reduction.n - reml * reduction.p
        self.sizes = [place.q for place in reduction.blocks.places]

    def system(self, factors: Sequence[Array]) -> System:
        """Return the factorised equations at these factors."""
        return System(self.reduction, factors, pairs=self.pairs)

    def __call__(self, factors: Sequence[Array]) -> Point:
        """Evaluate at these factors."""
        system = self.system(factors)
        value, beta, sigma2, Phi, root = self.profile(system)
        slopes, curvature = self._derivatives(system, beta, sigma2, root)
        return Point(
            factors=tuple(factors), deviance=value, beta=beta, sigma2=sigma2, Phi=Phi,
            slope=slopes, curvature=curvature,
        )  # fmt: skip

    def profile(self, system: System) -> tuple[float, Array, float, Array, Array]:
        """Return deviance, β, σ², Φ = (X'H⁻¹X)⁻¹ and a root of Φ (columns), inner columns."""
        p, W = self.reduction.p, system.W
        try:
            chol = np.linalg.cholesky(W[:p, :p])
        except np.linalg.LinAlgError:
            raise FitError("X'H⁻¹X lost its precision; rescale or centre the predictors") from None
        root = solve_triangular(chol, np.eye(p), lower=True).T
        beta = root @ (root.T @ W[:p, p])
        rest = float(W[p, p] - W[:p, p] @ beta)
        if not rest > 0:
            raise FitError("no residual variance is left: the model reproduces the outcome exactly")
        sigma2 = rest / self.nu
        units = self.reduction.units
        value = self.nu * (1 + np.log(2 * np.pi * sigma2)) + system.log_det - units.log_weights
        if self.reml:
            value += 2 * (np.log(np.diag(chol)).sum() - np.linalg.slogdet(units.X)[1])
        return float(value), beta, sigma2, root @ root.T, root

    def _derivatives(
        self, system: System, beta: Array, sigma2: float, root: Array
    ) -> tuple[Array, Array]:
        mix = np.column_stack([root, np.append(-beta, 1.0)[: len(beta)]])
        mix = np.vstack([mix, np.append(np.zeros(len(beta)), 1.0)]) / np.append(
            np.ones(len(beta)), np.sqrt(sigma2)
        )
        rows = [part @ mix for part in system.levels(system.spheres)]
        use = slice(0 if self.reml else len(beta), None)
        slopes = []
        for own, part, L in zip(system.inverse_sums(), rows, system.factors, strict=True):
            T = own - np.tensordot(part[:, :, use], part[:, :, use], ((1, 2), (1, 2)))
            inverse = solve_triangular(L, np.eye(len(L)), lower=True)
            slopes.append(inverse.T @ T @ inverse)
        information, tilt = self._information(system, rows, mix)
        flat = information - np.outer(tilt, tilt) / self.nu
        J = chain(system.factors)
        slope = [2 * (g @ L)[np.tril_indices(len(L))] for g, L in zip(slopes, system.factors, strict=True)]
        bends = [bend(g) for g in slopes]
        return np.concatenate(slope), J.T @ flat @ J + diagonal(bends)

    def _information(
        self, system: System, rows: list[Array], mix: Array
    ) -> tuple[Array, Array]:
        """Return the average information by the elements of Ψ, and y'P∂Py/σ² of each."""
        places = system.blocks.places
        count = sum(q * (q + 1) // 2 for q in self.sizes)
        m, G, d = len(system.lam), len(system.groups.pattern), system.blocks.dense
        blocks, dense = np.zeros((m, G, count)), np.zeros((d, count))
        tilt = np.empty(count)
        at = 0
        for place, part, L in zip(places, rows, system.factors, strict=True):
            inverse = solve_triangular(L, np.eye(len(L)), lower=True)
            s = inverse.T @ part[:, :, -1]
            for a, b in zip(*np.tril_indices(place.q), strict=True):
                column = np.multiply.outer(inverse[:, a], s[b])
                if a != b:
                    column = column + np.multiply.outer(inverse[:, b], s[a])
                tilt[at] = (1 + (a != b)) * (s[a] @ s[b])
                if place.inside:
                    shaped = column.reshape(place.q, place.slots, G).transpose(1, 0, 2)
                    blocks[place.span, :, at] = shaped.reshape(-1, G)
                else:
                    dense[place.span, at] = column.T.ravel()
                at += 1
        solved = system.solve(blocks, dense)
        X = system.spheres[0], system.spheres[1]
        inner = _dot((blocks, dense), (blocks - solved[0], dense - solved[1]))
        across = _dot((blocks, dense), X) @ mix[:, : len(mix) - 1]
        return inner - across @ across.T, tilt


def _dot(a: tuple[Array, Array], b: tuple[Array, Array]) -> Array:
    return np.asarray(np.tensordot(a[0], b[0], ((0, 1), (0, 1))) + a[1].T @ b[1])


def chain(factors: Sequence[Array]) -> Array:
    """Return the derivative of the elements of every Ψ = LL' by those of its L."""
    blocks = []
    for L in factors:
        rows, columns = np.tril_indices(len(L))
        a, b, c, d = rows[:, None], columns[:, None], rows[None], columns[None]
        blocks.append((a == c) * L[b, d] + L[a, d] * (b == c))
    return diagonal(blocks)


def bend(slope: Array) -> Array:
    """Return the second derivative of tr(slope · LL') by the elements of L."""
    rows, columns = np.tril_indices(len(slope))
    same = columns[:, None] == columns[None]
    return np.asarray(2 * slope[rows[:, None], rows[None]] * same)


def diagonal(blocks: Sequence[Array]) -> Array:
    size = sum(len(block) for block in blocks)
    out = np.zeros((size, size))
    at = 0
    for block in blocks:
        out[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return out


def split(theta: Array, sizes: Sequence[int]) -> Iterator[Array]:
    """Yield the factors whose stacked lower triangles are theta."""
    at = 0
    for q in sizes:
        L = np.zeros((q, q))
        L[np.tril_indices(q)] = theta[at : at + q * (q + 1) // 2]
        at += q * (q + 1) // 2
        yield L


def stack(factors: Sequence[Array]) -> Array:
    """Return the stacked lower triangles of the factors."""
    return np.concatenate([L[np.tril_indices(len(L))] for L in factors] or [np.zeros(0)])
