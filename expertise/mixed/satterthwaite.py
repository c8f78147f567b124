"""Satterthwaite's degrees of freedom from the exact information.

References
----------
Kuznetsova, Brockhoff & Christensen (2017), doi:10.18637/jss.v082.i13.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from expertise.mixed.columns import Array
from expertise.mixed.deviance import Deviance, Point
from expertise.mixed.fitted import wald
from expertise.mixed.information import hessian, measure
from expertise.mixed.newton import at_floor

_EQUAL = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Satterthwaite:
    """Covariance of β, its slopes by s covariance parameters, and their covariance (s, s)."""

    covariance: Array
    slopes: Array
    uncertainty: Array
    method: str = "satterthwaite"

    def df(self, L: Array) -> float:
        """Return 2 Var² / Var(Var) for one combination."""
        variance = L @ self.covariance @ L
        slope = self.slopes @ L @ L
        spread = slope @ self.uncertainty @ slope
        return float(2 * variance**2 / spread) if spread > 0 else np.inf

    def joint(self, L: Array, estimate: Array) -> tuple[float, float]:
        """Return F and df by the rotation to uncorrelated combinations of Fai & Cornelius."""
        value = wald(L, estimate, self.covariance)
        _, vectors = np.linalg.eigh(L @ self.covariance @ L.T)
        df = np.array([self.df(row) for row in vectors.T @ L])
        if np.ptp(df) < _EQUAL or not np.isfinite(df).all():
            return value, float(df.mean())
        if (df <= 2).any():
            return value, 2.0
        expected = float((df / (df - 2)).sum())
        return value, 2 * expected / (expected - len(df))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """The exact Hessian by (factors, σ²), how Cov(β) moves with them, and which are free."""

    hessian: Array
    moves: Array
    free: NDArray[np.bool_]

    @classmethod
    def at(cls, deviance: Deviance, point: Point) -> "Parts":
        """Compute them at an optimum, in inner columns."""
        information = measure(deviance, point, by_factors=True)
        Phi, sigma2 = point.profile.covariance, point.profile.sigma2
        return cls(
            hessian=hessian(deviance, point, information),
            moves=np.concatenate([sigma2 * Phi @ information.once @ Phi, Phi[None]]),
            free=np.append(~at_floor(point), True),
        )


def combine(
    hessian: Array, moves: Array, free: NDArray[np.bool_], point: Point, T: Array
) -> Satterthwaite:
    """Put the parts together in the user's columns, T as in `Units`; fixed parameters stay out."""
    return Satterthwaite(
        covariance=point.profile.sigma2 * T @ point.profile.covariance @ T.T,
        slopes=T @ moves[free] @ T.T,
        uncertainty=np.asarray(2 * np.linalg.inv(hessian[np.ix_(free, free)])),
    )


def by_satterthwaite(deviance: Deviance, point: Point) -> Satterthwaite:
    """Build the method at the optimum of a model with independent residuals."""
    parts = Parts.at(deviance, point)
    return combine(parts.hessian, parts.moves, parts.free, point, deviance.reduction.units.X)
