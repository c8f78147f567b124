"""Fits linear mixed models by REML or maximum likelihood, and puts the answer in the user's units."""

import numpy as np

from expertise.errors import DesignError
from expertise.mixed.columns import Array
from expertise.mixed.design import Design
from expertise.mixed.deviance import Deviance, Point
from expertise.mixed.factors import stack
from expertise.mixed.fitted import Freedom, Normal, Solution
from expertise.mixed.information import measure
from expertise.mixed.kenward_roger import kenward_roger
from expertise.mixed.modes import modes_of
from expertise.mixed.newton import FLOOR, Optimum, at_floor, minimise
from expertise.mixed.reduction import prepare, reduce_rows
from expertise.mixed.satterthwaite import satterthwaite
from expertise.words import Note, note


def fit_linear(design: Design, *, reml: bool = True, df: str = "satterthwaite") -> Solution:
    """Fit a gaussian model with independent residuals.

    Parameters
    ----------
    design : Design
        From `build_design`.
    reml : bool
        Restricted maximum likelihood, or maximum likelihood.
    df : {"satterthwaite", "kenward-roger", "normal"}

    Raises
    ------
    FitError
        Where no optimum is found.
    """
    if df == "kenward-roger" and not reml:
        raise DesignError("Kenward–Roger's method is defined under REML; fit with reml=True")
    deviance = Deviance(reduce_rows(prepare(design)), reml)
    return solution_at(design, deviance, minimise(deviance), df)


def solution_at(design: Design, deviance: Deviance, optimum: Optimum, df: str) -> Solution:
    """Return the solution at an optimum, in the user's units."""
    point, reduction = optimum.point, deviance.reduction
    units = reduction.units
    system = deviance.system(point.factors)
    modes, mode_covariances = modes_of(reduction, system, point)
    covariances = tuple(
        point.profile.sigma2 * (T @ L) @ (T @ L).T
        for T, L in zip(units.Z, map(on_boundary, point.factors), strict=True)
    )
    held = [term for term, L in zip(design.random, point.factors, strict=True)
            if at_floor([L]).any()]  # fmt: skip
    return Solution(
        method="REML" if deviance.reml else "ML",
        beta=units.shift + units.X @ point.profile.beta,
        freedom=freedom_at(deviance, point, df),
        covariances=covariances,
        sigma=float(np.sqrt(point.profile.sigma2)),
        modes=modes,
        mode_covariances=mode_covariances,
        log_likelihood=-0.5 * point.deviance,
        n_parameters=reduction.p + len(stack(point.factors)) + 1,
        converged=True,
        singular=bool(held),
        evaluations=optimum.evaluations,
        gradient=optimum.promise,
        notes=tuple(note("mixed.boundary", term=str(term)) for term in held),
    )


def on_boundary(L: Array) -> Array:
    """Return a factor with what lies at the floor set to zero."""
    return L - np.diag(np.where(np.diag(L) <= 1.01 * FLOOR, np.diag(L), 0.0))


def freedom_at(deviance: Deviance, point: Point, df: str) -> Freedom:
    """Return covariance and degrees of freedom of β by the method asked for."""
    T = deviance.reduction.units.X
    if df == "normal":
        return Normal(covariance=point.profile.sigma2 * T @ point.profile.Phi @ T.T)
    information = measure(deviance, point)
    if df == "kenward-roger":
        return kenward_roger(information, point, deviance.nu, T)
    return satterthwaite(information, point, deviance.nu, T)
