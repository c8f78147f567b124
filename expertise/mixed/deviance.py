"""The profiled deviance of a linear mixed model, with exact slope and average information.

β and σ² are profiled out. Parameters are the lower triangles of the
relative factors L_k, Ψ_k = L_k L_k' being the covariance over σ².

Reference: Gilmour, Thompson & Cullis (1995), doi:10.2307/2533274.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from expertise.errors import FitError
from expertise.mixed.columns import Array
from expertise.mixed.factors import bend, diagonal, stack, triangle, vech
from expertise.mixed.pairs import Pairs
from expertise.mixed.reduction import Reduction
from expertise.mixed.roots import inverse_of, inverse_root
from expertise.mixed.system import System


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profile:
    """What is profiled out at some factors, in inner columns.

    `turn` (p + 1, p + 1) times its transpose is the inverse of [X y]'H⁻¹[X y]:
    a root of Φ = (X'H⁻¹X)⁻¹, then (-β, 1) over the root of y'Py.
    """

    deviance: float
    sigma2: float
    turn: Array

    @property
    def root(self) -> Array:
        """A root of Φ, shape (p, p)."""
        return self.turn[:-1, :-1]

    @property
    def residual(self) -> Array:
        """(-β, 1), shape (p + 1,): by what [X y] becomes the residual."""
        return np.asarray(self.turn[:, -1] / self.turn[-1, -1])

    @property
    def beta(self) -> Array:
        """Shape (p,)."""
        return -self.residual[:-1]

    @property
    def rest(self) -> float:
        """The residual sum of squares y'Py."""
        return float(self.turn[-1, -1] ** -2)

    @property
    def covariance(self) -> Array:
        """Φ = (X'H⁻¹X)⁻¹, the covariance of β over σ²."""
        return np.asarray(self.root @ self.root.T)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Point:
    """The deviance at some factors, stacked in theta: its slopes by Ψ_k and by theta, curvature."""

    factors: tuple[Array, ...]
    theta: Array
    system: System
    profile: Profile
    slopes: tuple[Array, ...]
    slope: Array
    curvature: Array

    @property
    def deviance(self) -> float:
        """Minus twice the log-likelihood."""
        return self.profile.deviance


class Deviance:
    """The deviance of one reduction, REML or ML, as a function of the factors."""

    def __init__(self, reduction: Reduction, reml: bool) -> None:
        self.reduction, self.reml = reduction, reml
        groups = reduction.groups
        self.pairs = None if groups.B is None else Pairs(groups.B, reduction.blocks.width)
        self.nu = reduction.n - reml * reduction.p
        self.sizes = tuple(place.q for place in reduction.blocks.places)
        self.constant = -reduction.units.log_det
        if reml:
            self.constant -= 2 * float(np.linalg.slogdet(reduction.units.X)[1])

    def system(self, factors: Sequence[Array]) -> System:
        """Return the factorised equations at these factors."""
        return System(self.reduction, factors, pairs=self.pairs)

    def __call__(self, factors: Sequence[Array], sigma2: float | None = None) -> Point:
        """Evaluate at these factors; σ² is profiled out unless it is given."""
        system = self.system(factors)
        profile = self.profile(system, sigma2)
        weights = profile.turn.copy()
        weights[:, -1] = profile.residual / profile.sigma2**0.5
        spheres = system.spheres[0] @ weights, system.spheres[1] @ weights
        rows = system.levels(spheres)
        inverses = [inverse_of(L) for L in factors]
        slopes, slope = [], [np.zeros(0)]
        for own, part, inverse in zip(system.inverse_sums(), rows, inverses, strict=True):
            flat = part[:, :, 0 if self.reml else -1 :].reshape(len(part), -1)
            half = inverse.T @ (own - flat @ flat.T)
            slopes.append(half @ inverse)
            slope.append(2 * vech(half))
        curvature, tilt = self._information(system, spheres, rows, inverses)
        if sigma2 is None:
            curvature -= tilt[:, None] * tilt / self.nu
        return Point(
            factors=tuple(factors),
            theta=stack(factors),
            system=system,
            profile=profile,
            slopes=tuple(slopes),
            slope=np.concatenate(slope),
            curvature=curvature + diagonal([bend(g) for g in slopes]),
        )

    def profile(self, system: System, sigma2: float | None = None) -> Profile:
        """Profile β out, and σ² unless it is given.

        Raises
        ------
        FitError
            Where the equations of β lose their precision or nothing is left to explain.
        """
        try:
            turn = inverse_root(system.W).T
        except np.linalg.LinAlgError as error:
            raise FitError(
                "the equations of the fixed effects lost their precision, or the model reproduces "
                "the outcome exactly; leave out a term or rescale the predictors"
            ) from error
        rest = turn[-1, -1] ** -2
        s2 = float(rest) / self.nu if sigma2 is None else sigma2
        value = self.nu * np.log(2 * np.pi * s2) + rest / s2 + system.log_det + self.constant
        if self.reml:
            value -= 2 * np.log(turn.diagonal()[:-1]).sum()
        return Profile(deviance=float(value), sigma2=s2, turn=turn)

    def _information(
        self, system: System, spheres: tuple[Array, Array], rows: list[Array], inverses: list[Array]
    ) -> tuple[Array, Array]:
        """Return the average information by the elements of the factors, and y'P∂Py/σ² of each.

        In spherical coordinates an element (r, c) of L turns by N + N', N = L⁻¹e_r e_c'.
        """
        count = sum(q * (q + 1) // 2 for q in self.sizes)
        m, G, d = len(system.lam), len(system.groups.pattern), system.blocks.dense
        blocks, dense, tilt = np.zeros((m, G, count)), np.zeros((d, count)), np.zeros(count)
        at = 0
        for place, part, inverse in zip(system.blocks.places, rows, inverses, strict=True):
            q, index = place.q, triangle(place.q)
            r, c = index.rows, index.columns
            span = slice(at, at + len(r))
            y = part[:, :, -1]
            s = inverse.T @ y
            turned = inverse.T[r][:, :, None] * y[c][:, None]
            turned[index.each, c] += s[r]
            tilt[span] = 2 * (s @ y.T)[r, c]
            if place.inside:
                shaped = turned.reshape(-1, q, place.slots, G).transpose(2, 1, 3, 0)
                blocks[place.span, :, span] = shaped.reshape(place.slots * q, G, -1)
            else:
                dense[place.span, span] = turned.T.reshape(place.size * q, -1)
            at = span.stop
        solved = system.solve(blocks, dense)
        flat = blocks.reshape(m * G, count)
        inner = flat.T @ (flat - solved[0].reshape(flat.shape))
        across = flat.T @ spheres[0].reshape(m * G, spheres[1].shape[1])
        if d:
            inner += dense.T @ (dense - solved[1])
            across += dense.T @ spheres[1]
        across = across[:, :-1]
        return inner - across @ across.T, tilt
