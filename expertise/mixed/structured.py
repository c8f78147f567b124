"""Fits linear mixed models with a residual structure, by profiling the ordinary engine."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from expertise.errors import DesignError, FitError, listed
from expertise.mixed.columns import Array
from expertise.mixed.design import Design
from expertise.mixed.deviance import Deviance, Point
from expertise.mixed.fitted import Normal, Solution
from expertise.mixed.linear import solution_at
from expertise.mixed.newton import Optimum, best_of, minimise
from expertise.mixed.reduction import Prepared, prepare, reduce_rows
from expertise.mixed.residual import EDGE, FARTHEST, Structure
from expertise.mixed.satterthwaite import Parts, Satterthwaite, combine

WALL = 1e100  # the deviance where it cannot be had
_STEP = 1e-4
_WIDE = 1e-3
_FLAT = 1e-4
_REACH = 150.0  # of log σ
_FEW = 2000  # rows in which a second search costs little


class Search:
    """The deviance over the residual parameters, the rest minimised out.

    With no residual parameters it is that of independent residuals.
    """

    def __init__(self, prepared: Prepared, structure: Structure, reml: bool) -> None:
        self.prepared, self.structure, self.reml = prepared, structure, reml
        self.factors: Sequence[Array] | None = None
        self.evaluations = 0
        self.last: tuple[Array, Deviance] | None = None

    def at(self, phi: Array) -> Deviance:
        """Return the ordinary deviance of the rows whitened at phi; the last one is kept."""
        if np.abs(phi).max(initial=0.0) > FARTHEST:
            raise FitError(
                f"the search for {listed(self.structure.names)} went on without end; "
                "simplify the residual structure"
            )
        if self.last is None or not np.array_equal(self.last[0], phi):
            reduction = reduce_rows(self.prepared, self.structure.whitening(phi))
            self.last = phi.copy(), Deviance(reduction, self.reml)
        return self.last[1]

    def best(self, phi: Array) -> Optimum:
        """Minimise over the factors at phi, from the last factors found."""
        found = minimise(self.at(phi), self.factors)
        self.factors = found.point.factors
        self.evaluations += found.evaluations
        return found

    def __call__(self, phi: Array) -> tuple[float, Array]:
        """Return the deviance at phi and its slope, the factors staying at their best."""
        try:
            point = self.best(phi).point
            return point.deviance, self.slope(phi, point.factors)
        except FitError:  # a wall for the search; where it ends there, the error comes again
            return WALL, np.zeros(len(phi))

    def slope(self, phi: Array, factors: Sequence[Array], sigma2: float | None = None) -> Array:
        """Return the slope by phi with the factors held, and σ² where it is given."""

        def value(phi: Array) -> float:
            deviance = self.at(phi)
            return deviance.profile(deviance.system(factors), sigma2).deviance

        steps = np.eye(len(phi)) * _STEP
        return np.array([(value(phi + h) - value(phi - h)) / (2 * _STEP) for h in steps])

    def optimum(self) -> tuple[Array, Optimum]:
        """Return phi where the deviance is least, and the optimum there.

        There may be a second optimum with a high correlation: in few rows, and
        where a variance is zero, the search begins again there and the best counts.

        Raises
        ------
        FitError
            Where no optimum is found.
        """
        many = len(self.prepared.W) > _FEW
        best = best_of(
            self._descend, self.structure.starts, lambda one: one[1].point.deviance,
            lambda one: many and not one[1].held.any(),
        )  # fmt: skip
        self.factors = best[1].point.factors
        return best

    def _descend(self, start: Array) -> tuple[Array, Optimum]:
        self.factors = None  # each start finds its own
        if not len(start):
            return start, self.best(start)
        found = minimize(self, start, jac=True, method="BFGS", options={"gtol": 1e-6}).x
        best = self.best(found)
        slope, least = self.slope(found, best.point.factors), best.point.deviance
        if not np.abs(slope).max() < _FLAT * max(1.0, abs(least) * 1e-4):
            raise FitError(
                f"no optimum found for {', '.join(self.structure.names)}: the deviance still "
                f"slopes by {np.abs(slope).max():.2g}; simplify the residual structure"
            )
        if self.structure.kind and not self.structure.signed:
            none = np.append(EDGE, found[1:])
            if self(none)[0] <= least:
                return none, self.best(none)
        return np.asarray(found), best


def fit_structured(design: Design, structure: Structure, *, reml: bool, df: str) -> Solution:
    """Fit a gaussian model whose residuals have a structure.

    Degrees of freedom are Satterthwaite's from the information on all
    covariance parameters together. Kenward and Roger's method is defined
    for linear covariances and is not offered here.

    Raises
    ------
    DesignError
        Where the columns of the dispersion lie so far from 0 that the variance there is unknown.
    FitError
        Where no optimum is found.
    """
    search = Search(prepare(design, structure.group), structure, reml)
    phi, optimum = search.optimum()
    lift = float(structure.lift @ phi)
    if abs(lift) > _REACH:
        columns = listed(structure.layout.columns if structure.layout else ())
        raise DesignError(
            f"the residual variance where {columns} is 0 lies out of reach of these rows; "
            f"subtract a typical value from {columns} in the table, such as the mean"
        )
    freedom, errors = _freedom(search, phi, optimum.point)
    values, errors = structure.natural(phi), errors * structure.steepness(phi)
    if structure.at_edge(phi):
        values[0] = 0.0
    solution = solution_at(
        design,
        search.at(phi),
        replace(optimum, evaluations=search.evaluations),
        Normal(covariance=freedom.covariance) if df == "normal" else freedom,
        dispersion=tuple(zip(structure.names, values.tolist(), errors.tolist(), strict=True)),
        whitening=structure.whitening(phi, centred=False),
    )
    return replace(
        solution,
        sigma=solution.sigma * np.exp(-lift),
        notes=(*solution.notes, *structure.remarks(phi)),
    )


def _freedom(search: Search, phi: Array, point: Point) -> tuple[Satterthwaite, Array]:
    """Return Satterthwaite's method, and the standard errors of phi; none of one at its edge.

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
    own = np.ones(k, dtype=bool)
    own[:1] = not search.structure.at_edge(phi)
    freedom = combine(
        hessian, np.array(moves), np.append(inner.free, own), point, deviance.reduction.units.X
    )
    errors = np.full(k, np.nan)
    errors[own] = np.sqrt(np.diag(freedom.uncertainty)[len(freedom.uncertainty) - own.sum() :])
    return freedom, errors
