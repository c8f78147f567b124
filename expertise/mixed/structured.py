"""Fits linear mixed models with a residual structure, by profiling the ordinary engine."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from expertise.errors import FitError
from expertise.mixed.columns import Array
from expertise.mixed.design import Design
from expertise.mixed.deviance import Deviance, Point
from expertise.mixed.fitted import Normal, Solution
from expertise.mixed.linear import solution_at
from expertise.mixed.newton import Optimum, minimise
from expertise.mixed.reduction import Prepared, prepare, reduce_rows
from expertise.mixed.residual import Structure
from expertise.mixed.satterthwaite import Parts, Satterthwaite, combine

_STEP = 1e-4
_WIDE = 1e-3
_FLAT = 1e-4


class Search:
    """The deviance over the residual parameters, the rest minimised out."""

    def __init__(self, prepared: Prepared, structure: Structure, reml: bool) -> None:
        self.prepared, self.structure, self.reml = prepared, structure, reml
        self.factors: Sequence[Array] | None = None
        self.evaluations = 0

    def at(self, phi: Array) -> Deviance:
        """Return the ordinary deviance of the rows whitened at phi."""
        return Deviance(reduce_rows(self.prepared, self.structure.whitening(phi)), self.reml)

    def best(self, phi: Array) -> Optimum:
        """Minimise over the factors at phi, from the last factors found."""
        found = minimise(self.at(phi), self.factors)
        self.factors = found.point.factors
        self.evaluations += found.evaluations
        return found

    def __call__(self, phi: Array) -> tuple[float, Array]:
        """Return the deviance at phi and its slope, the factors staying at their best."""
        if np.abs(phi).max() > 15:
            return 1e300, np.zeros(len(phi))
        point = self.best(phi).point
        slope = [
            (self._value(phi + h, point) - self._value(phi - h, point)) / (2 * _STEP)
            for h in np.eye(len(phi)) * _STEP
        ]
        return point.deviance, np.array(slope)

    def _value(self, phi: Array, point: Point) -> float:
        deviance = self.at(phi)
        return deviance.profile(deviance.system(point.factors)).deviance


def fit_structured(design: Design, structure: Structure, *, reml: bool, df: str) -> Solution:
    """Fit a gaussian model whose residuals have a structure.

    Degrees of freedom are Satterthwaite's from the information on all
    covariance parameters together. Kenward and Roger's method is defined
    for linear covariances and is not offered here.

    Raises
    ------
    FitError
        Where no optimum is found.
    """
    search = Search(prepare(design, structure.group), structure, reml)
    found = minimize(search, structure.start, jac=True, method="BFGS", options={"gtol": 1e-6})
    phi = found.x
    value, slope = search(phi)
    if not np.abs(slope).max() < _FLAT * max(1.0, abs(value) * 1e-4):
        raise FitError(
            f"no optimum found for {', '.join(structure.names)}: the deviance still slopes by "
            f"{np.abs(slope).max():.2g}; simplify the residual structure"
        )
    optimum = search.best(phi)
    freedom, errors = _freedom(search, phi, optimum.point)
    natural = structure.natural(phi)
    rows = zip(structure.names, natural, errors * structure.steepness(phi), strict=True)
    return solution_at(
        design,
        search.at(phi),
        replace(optimum, evaluations=search.evaluations),
        Normal(covariance=freedom.covariance) if df == "normal" else freedom,
        dispersion=tuple((name, float(value), float(error)) for name, value, error in rows),
        whitening=structure.whitening(phi),
    )


def _freedom(search: Search, phi: Array, point: Point) -> tuple[Satterthwaite, Array]:
    """Return Satterthwaite's method, and the standard errors of phi.

    The information on (factors, σ²) is exact; its part for phi comes from
    central differences with factors and σ² held.
    """
    deviance = search.at(phi)
    inner = Parts.at(deviance, point)
    sigma2, k, q = point.profile.sigma2, len(phi), len(inner.hessian)
    steps = np.eye(k) * _WIDE

    def moved(step: Array) -> Point:
        return search.at(phi + step)(point.factors, sigma2)

    hessian = np.zeros((q + k, q + k))
    hessian[:q, :q] = inner.hessian
    moves = [*inner.moves]
    for i, step in enumerate(steps):
        up, down = moved(step), moved(-step)
        hessian[: q - 1, q + i] = (up.slope - down.slope) / (2 * _WIDE)
        hessian[q - 1, q + i] = (down.profile.rest - up.profile.rest) / (2 * _WIDE * sigma2**2)
        hessian[q + i, q + i] = (up.deviance - 2 * point.deviance + down.deviance) / _WIDE**2
        moves.append(sigma2 * (up.profile.covariance - down.profile.covariance) / (2 * _WIDE))
        for j, other in enumerate(steps[:i]):
            same = moved(step + other).deviance + moved(-step - other).deviance
            opposite = moved(step - other).deviance + moved(other - step).deviance
            hessian[q + j, q + i] = (same - opposite) / (4 * _WIDE**2)
    hessian = np.triu(hessian) + np.triu(hessian, 1).T
    free = np.append(inner.free, np.ones(k, dtype=bool))
    freedom = combine(hessian, np.array(moves), free, point, deviance.reduction.units.X)
    return freedom, np.sqrt(np.diag(freedom.uncertainty)[-k:])
