"""Ordered answers: the cumulative model, whose thresholds are parameters of its own.

``P(Y ≤ k) = F(τ_k − η)`` with F logistic or normal: a positive coefficient
moves answers up the scale (McCullagh 1980,
https://doi.org/10.1111/j.2517-6161.1980.tb01109.x).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from expertise.mixed.elimination import Array, Codes
from expertise.mixed.laplace import Rows

Density = tuple[Array, Array, Array]
FAR = 1e4


def _logistic(x: Array) -> Density:
    density = expit(x) * expit(-x)
    turn = expit(-x) - expit(x)
    return density, density * turn, density * (turn**2 - 2 * density)


def _normal(x: Array) -> Density:
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return density, -x * density, (x**2 - 1) * density


LINKS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array], Callable[..., Density]]]
LINKS = {"logit": (expit, logit, _logistic), "probit": (ndtr, ndtri, _normal)}


@dataclass(frozen=True, slots=True)
class Cumulative:
    """Category (n,) counted from 0 to `n_extra`, all of them seen; ψ are the thresholds."""

    category: Codes
    n_extra: int
    link: str = "logit"
    vanishing = False

    def start(self) -> Array:
        """Return the thresholds of the answers as a whole."""
        below = np.bincount(self.category, minlength=self.n_extra + 1).cumsum()[:-1]
        return LINKS[self.link][1](below / len(self.category))

    def constant(self) -> float:
        """Return 0: each row is one answer."""
        return 0.0

    def _between(self, eta: Array, extra: Array) -> tuple[Array, Density, Density]:
        """Return P and the derivatives of F at the upper and lower threshold of each row."""
        cuts = np.concatenate([[-FAR], extra, [FAR]])
        upper, lower = cuts[self.category + 1] - eta, cuts[self.category] - eta
        distribution, _, density = LINKS[self.link]
        flip = upper + lower > 0  # the tail in which the difference keeps its digits
        chance = np.where(
            flip,
            distribution(-lower) - distribution(-upper),
            distribution(upper) - distribution(lower),
        )
        return chance, density(upper), density(lower)

    def mode(self, eta: Array, extra: Array) -> tuple[Array, Array, Array]:
        """Return log-likelihood, first and second derivative."""
        chance, upper, lower = self._between(eta, extra)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(chance > 0, np.log(chance), -np.inf)
            slope = (lower[0] - upper[0]) / chance
            return value, slope, (upper[1] - lower[1]) / chance - slope**2

    def rows(self, eta: Array, extra: Array) -> Rows:
        """Return everything that the gradient needs."""
        chance, upper, lower = self._between(eta, extra)
        first, second = (lower[0] - upper[0]) / chance, (upper[1] - lower[1]) / chance
        third = (lower[2] - upper[2]) / chance

        def along(p: Array, p1: Array, p2: Array) -> Density:
            """Turn derivatives of ∂P in η, divided by P, into those of ∂ log P."""
            return p, p1 - p * first, p2 - 2 * p1 * first - p * second + 2 * p * first**2

        slope, curve, bend = along(first, second, third)
        above = along(upper[0] / chance, -upper[1] / chance, upper[2] / chance)
        below = along(-lower[0] / chance, lower[1] / chance, -lower[2] / chance)
        levels = np.arange(self.n_extra)[:, None]
        at_upper, at_lower = self.category == levels, self.category - 1 == levels
        a, b, c = (at_upper * x + at_lower * y for x, y in zip(above, below, strict=True))
        return Rows(np.log(chance), slope, curve, bend, (a, b, c))

    def extra_slope(self, eta: Array, extra: Array) -> Array:
        """Return the derivative in the thresholds."""
        chance, upper, lower = self._between(eta, extra)
        levels = np.arange(self.n_extra).reshape(-1, *[1] * eta.ndim)
        at_upper, at_lower = self.category == levels, self.category - 1 == levels
        result: Array = (at_upper * upper[0] - at_lower * lower[0]) / chance
        return result

    def chances(self, eta: Array, extra: Array) -> Array:
        """Return the probability of each category, (n, K)."""
        cuts = np.concatenate([[-FAR], extra, [FAR]])
        below = LINKS[self.link][0](cuts - eta[:, None])
        return np.diff(below, axis=1)
