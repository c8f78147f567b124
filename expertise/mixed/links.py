"""Links between the mean of an outcome and the linear predictor."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from expertise.errors import DesignError, listed
from expertise.mixed.columns import Array


@dataclass(frozen=True, slots=True)
class Link:
    """A link g with its inverse: g(mean) = linear predictor."""

    name: str
    link: Callable[[Array], Array]
    inverse: Callable[[Array], Array]
    slope: Callable[[Array], Array]

    def __reduce__(self) -> tuple[Callable[[str], "Link"], tuple[str]]:
        """Travel between processes by name."""
        return _named, (self.name,)


def _named(name: str) -> Link:
    return LINKS[name]


def _normal_density(eta: Array) -> Array:
    return np.asarray(np.exp(-0.5 * eta**2) / np.sqrt(2 * np.pi))


def _logistic_density(eta: Array) -> Array:
    return np.asarray(expit(eta) * expit(-eta))


def _cloglog_inverse(eta: Array) -> Array:
    return np.asarray(-np.expm1(-np.exp(np.minimum(eta, 700.0))))


def _cloglog_slope(eta: Array) -> Array:
    return np.asarray(np.exp(eta - np.exp(np.minimum(eta, 700.0))))


LINKS = {
    link.name: link
    for link in (
        Link("identity", lambda mean: mean, lambda eta: eta, np.ones_like),
        Link("log", np.log, np.exp, np.exp),
        Link("logit", logit, expit, _logistic_density),
        Link("probit", ndtri, ndtr, _normal_density),
        Link("cloglog", lambda mean: np.log(-np.log1p(-mean)), _cloglog_inverse, _cloglog_slope),
    )
}
FOR_FAMILY = {
    "gaussian": ("identity",),
    "binomial": ("logit", "probit", "cloglog"),
    "poisson": ("log",),
    "negative-binomial": ("log",),
    "cumulative": ("logit", "probit"),
}


def choose_link(family: str, link: str | None) -> Link:
    """Return the link asked for, or the family's own.

    >>> choose_link("poisson", None).name
    'log'
    """
    allowed = FOR_FAMILY[family]
    if link is not None and link not in allowed:
        raise DesignError(
            f"the family {family} has no link {link!r}; allowed are {listed(allowed)}"
        )
    return LINKS[link or allowed[0]]
