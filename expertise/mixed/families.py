"""Log-likelihoods of counts and proportions, row by row, with their derivatives.

Each family is log-concave in the linear predictor η for the links that are
offered, so that modes are unique. Derivatives are taken in η up to the
third order, because the gradient of ``log|M|`` needs the slope of the weights.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, expit, gammaln, log_expit, log_ndtr

from expertise.mixed.elimination import Array
from expertise.mixed.laplace import Rows

Four = tuple[Array, Array, Array, Array]


def probit_event(eta: Array) -> Four:
    """Return log p and three derivatives for p = Φ(η)."""
    value = log_ndtr(eta)
    ratio = np.exp(-(eta**2) / 2 - value) / np.sqrt(2 * np.pi)
    slope = -ratio * (eta + ratio)
    return value, ratio, slope, -slope * (eta + ratio) - ratio * (1 + slope)


def probit_none(eta: Array) -> Four:
    """Return log(1 − p) and three derivatives for p = Φ(η)."""
    value, d1, d2, d3 = probit_event(-eta)
    return value, -d1, d2, -d3


def cloglog_event(eta: Array) -> Four:
    """Return log p and three derivatives for p = 1 − exp(−e^η)."""
    t = np.exp(np.clip(eta, -700, 6.5))
    ratio = t / np.expm1(t)
    slope = ratio * (1 - t - ratio)
    third = slope * (1 - t - ratio) - ratio * (t + slope)
    return np.log(-np.expm1(-t)), ratio, slope, third


def cloglog_none(eta: Array) -> Four:
    """Return log(1 − p) = −e^η and three derivatives."""
    t = -np.exp(np.minimum(eta, 700))
    return t, t, t, t


TAILS = {"probit": (probit_event, probit_none), "cloglog": (cloglog_event, cloglog_none)}


class Plain:
    """A family without extra parameters."""

    __slots__ = ()
    n_extra = 0
    vanishing = False

    def start(self) -> Array:
        """Return no extra parameters."""
        return np.zeros(0)

    def derivatives(self, eta: Array) -> Four:
        """Return log-likelihood without its constant, and three derivatives."""
        raise NotImplementedError

    def mode(self, eta: Array, extra: Array) -> tuple[Array, Array, Array]:
        """Return log-likelihood, first and second derivative."""
        return self.derivatives(eta)[:3]

    def rows(self, eta: Array, extra: Array) -> Rows:
        """Return everything that the gradient needs."""
        none = np.zeros((0, len(eta)))
        return Rows(*self.derivatives(eta), (none, none, none))

    def extra_slope(self, eta: Array, extra: Array) -> Array:
        """Return nothing: there are no extra parameters."""
        return np.zeros((0, *eta.shape))


@dataclass(frozen=True, slots=True)
class Logistic(Plain):
    """Events (n,) out of trials (n,), logit link."""

    events: Array
    trials: Array

    def derivatives(self, eta: Array) -> Four:
        """Return log-likelihood without its constant, and three derivatives."""
        p = expit(eta)
        spread = self.trials * p * (1 - p)
        value = self.events * eta + self.trials * log_expit(-eta)
        return value, self.events - self.trials * p, -spread, spread * (2 * p - 1)

    def constant(self) -> float:
        """Return the sum of log binomial coefficients."""
        return log_choose(self.events, self.trials)


@dataclass(frozen=True, slots=True)
class Binomial(Plain):
    """Events (n,) out of trials (n,), probit or cloglog link."""

    events: Array
    trials: Array
    link: str

    def derivatives(self, eta: Array) -> Four:
        """Return log-likelihood without its constant, and three derivatives."""
        event, none = (tail(eta) for tail in TAILS[self.link])
        misses = self.trials - self.events
        value, d1, d2, d3 = (self.events * a + misses * b for a, b in zip(event, none, strict=True))
        return value, d1, d2, d3

    def constant(self) -> float:
        """Return the sum of log binomial coefficients."""
        return log_choose(self.events, self.trials)


@dataclass(frozen=True, slots=True)
class Poisson(Plain):
    """Counts (n,), log link."""

    counts: Array

    def derivatives(self, eta: Array) -> Four:
        """Return log-likelihood without its constant, and three derivatives."""
        mean = np.exp(np.minimum(eta, 700))
        return self.counts * eta - mean, self.counts - mean, -mean, -mean

    def constant(self) -> float:
        """Return minus the sum of log factorials."""
        return -float(gammaln(self.counts + 1).sum())


@dataclass(frozen=True, slots=True)
class NegativeBinomial:
    """Counts (n,) with variance μ + αμ², log link; ψ = √α, so that Poisson (0) is inside."""

    counts: Array
    n_extra = 1
    vanishing = True

    def start(self) -> Array:
        """Return α = 1."""
        return np.ones(1)

    def constant(self) -> float:
        """Return minus the sum of log factorials."""
        return -float(gammaln(self.counts + 1).sum())

    def mode(self, eta: Array, extra: Array) -> tuple[Array, Array, Array]:
        """Return log-likelihood, first and second derivative."""
        y, size = self.counts, 1 / _alpha(extra)
        share = expit(eta - np.log(size))
        value = y * eta + (y + size) * log_expit(np.log(size) - eta) + rising(y, size)[0]
        return value, y * (1 - share) - size * share, -(y + size) * share * (1 - share)

    def rows(self, eta: Array, extra: Array) -> Rows:
        """Return everything that the gradient needs."""
        y, size, chain = self.counts, 1 / _alpha(extra), 2 * extra[:, None]
        share = expit(eta - np.log(size))
        value, slope, curve = self.mode(eta, extra)
        bent = size * share * (1 - share) * (2 * (y + size) * share - y)
        psi = (self.extra_slope(eta, extra), -chain * size * share * slope, chain * bent)
        return Rows(value, slope, curve, curve * (1 - 2 * share), psi)

    def extra_slope(self, eta: Array, extra: Array) -> Array:
        """Return the derivative in √α."""
        y, size = self.counts, 1 / _alpha(extra)
        share = expit(eta - np.log(size))
        inner = rising(y, size)[1] + log_expit(np.log(size) - eta) + share - y * (1 - share) / size
        slope: Array = -(size**2) * inner * 2 * extra[0]
        return slope[None]


def _alpha(extra: Array) -> float:
    return float(max(extra[0] ** 2, 1e-12))


def rising(y: Array, size: float) -> tuple[Array, Array]:
    """Return log[Γ(y + θ)/(Γ(θ) θ^y)] and ψ(y + θ) − ψ(θ), exact for large θ as well."""
    if size < 100:
        value = gammaln(y + size) - gammaln(size) - y * np.log(size)
        return value, digamma(y + size) - digamma(size)
    grown = np.log1p(y / size)
    return (
        (y + size - 0.5) * grown - y + _stirling(y + size) - _stirling(size),
        grown + _stirling_slope(y + size) - _stirling_slope(size),
    )


def _stirling(x: Array | float) -> Array:
    return np.asarray(1 / (12 * x) - 1 / (360 * x**3) + 1 / (1260 * x**5))


def _stirling_slope(x: Array | float) -> Array:
    return np.asarray(-1 / (2 * x) - 1 / (12 * x**2) + 1 / (120 * x**4) - 1 / (252 * x**6))


def log_choose(events: Array, trials: Array) -> float:
    """Return the sum of log binomial coefficients."""
    return float((gammaln(trials + 1) - gammaln(events + 1) - gammaln(trials - events + 1)).sum())
