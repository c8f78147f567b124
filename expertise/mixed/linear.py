"""Fits linear mixed models by REML or maximum likelihood; the answer is in the user's units."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from expertise.mixed.columns import Array
from expertise.mixed.design import Design
from expertise.mixed.deviance import Deviance, Point
from expertise.mixed.fitted import Freedom, Normal, Solution
from expertise.mixed.kenward_roger import by_kenward_roger
from expertise.mixed.modes import modes_of
from expertise.mixed.newton import FLOOR, Optimum, minimise
from expertise.mixed.reduction import prepare, reduce_rows
from expertise.mixed.residual import Whitened
from expertise.mixed.satterthwaite import by_satterthwaite
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
    deviance = Deviance(reduce_rows(prepare(design)), reml)
    optimum = minimise(deviance)
    return solution_at(design, deviance, optimum, freedom_at(deviance, optimum.point, df))


def solution_at(
    design: Design,
    deviance: Deviance,
    optimum: Optimum,
    freedom: Freedom,
    dispersion: tuple[tuple[str, float, float], ...] = (),
    whitening: Whitened | None = None,
    rows: bool = True,
) -> Solution:
    """Return the solution at an optimum, in the user's units; modes only where there are rows."""
    point, reduction = optimum.point, deviance.reduction
    units = reduction.units
    modes, mode_covariances = modes_of(reduction, point) if rows else ((), ())
    covariances = tuple(
        point.profile.sigma2 * (T @ L) @ (T @ L).T
        for T, L in zip(units.Z, map(on_boundary, point.factors), strict=True)
    )
    return Solution(
        method="REML" if deviance.reml else "ML",
        beta=units.shift + units.X @ point.profile.beta,
        freedom=freedom,
        covariances=covariances,
        sigma=float(np.sqrt(point.profile.sigma2)),
        modes=modes,
        mode_covariances=mode_covariances,
        log_likelihood=-0.5 * point.deviance,
        n_parameters=reduction.p + len(point.theta) + 1 + len(dispersion),
        converged=True,
        singular=bool(optimum.held.any()),
        evaluations=optimum.evaluations,
        gradient=optimum.promise,
        dispersion=dispersion,
        whitening=whitening,
        notes=tuple(remarks(design, optimum)),
    )


def remarks(design: Design, optimum: Optimum) -> list[Note]:
    """Say of which terms a variance is zero, or hardly told from it."""
    sizes = tuple(map(len, optimum.point.factors))
    held, rough = _of_terms(optimum.held, sizes), _of_terms(optimum.rough, sizes)
    return [
        note(key, term=str(term))
        for key, doubt in (("mixed.boundary", held), ("mixed.rough", rough & ~held))
        for term, is_so in zip(design.random, doubt, strict=True)
        if is_so
    ]


def _of_terms(elements: NDArray[np.bool_], sizes: Sequence[int]) -> NDArray[np.bool_]:
    """Tell per term whether any of its stacked elements is so."""
    term = np.repeat(np.arange(len(sizes)), [q * (q + 1) // 2 for q in sizes] or np.zeros(0, int))
    return np.bincount(term[elements], minlength=len(sizes)) > 0


def on_boundary(L: Array) -> Array:
    """Return a factor with what lies at the floor set to zero."""
    held = (L.diagonal() <= 1.01 * FLOOR)[:, None]
    return np.where(held & (abs(L) <= 1.01 * FLOOR), 0.0, L)


def freedom_at(deviance: Deviance, point: Point, df: str) -> Freedom:
    """Return covariance and degrees of freedom of β by the method asked for."""
    if df == "normal":
        T = deviance.reduction.units.X
        return Normal(covariance=point.profile.sigma2 * T @ point.profile.covariance @ T.T)
    return (by_kenward_roger if df == "kenward-roger" else by_satterthwaite)(deviance, point)
