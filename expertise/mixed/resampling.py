"""Parametric bootstrap of a mixed model: new outcomes drawn from the fit, each fitted again.

Reference: Davison & Hinkley (1997), chapter 2, doi:10.1017/CBO9780511802843.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from expertise.errors import DesignError, ExpertiseError, FitError
from expertise.mixed.columns import Array
from expertise.mixed.cores import Seeds, spread
from expertise.mixed.design import Design
from expertise.mixed.deviance import Deviance
from expertise.mixed.factors import vech
from expertise.mixed.fit import MixedFit, Options, solve
from expertise.mixed.fitted import Solution
from expertise.mixed.newton import minimise
from expertise.mixed.reduction import Redraw, prepare
from expertise.mixed.simulation import Truth, draw, truth_of
from expertise.result import Result, tidy_table
from expertise.words import Note, note, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Bootstrap(Result):
    """Draws of every parameter, shape (replicates, parameters), with percentile intervals."""

    table: pd.DataFrame
    draws: pd.DataFrame
    seed: int
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say how many draws there are."""
        return say("mixed.bootstrap", n=len(self.draws), seed=self.seed)

    def tidy(self) -> pd.DataFrame:
        """Return `component term group estimate std_error conf_low conf_high n method`."""
        return tidy_table(self.table)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refits:
    """What a process needs: the design, its fixed part eta (n,), what to draw from, how to fit."""

    design: Design
    eta: Array
    truth: Truth
    options: Options
    count: int

    def run(self, seeds: Seeds) -> Iterator[Array]:
        """Yield the parameters (count,) of each draw; all missing where no optimum was found."""
        sums = self.design.family == "gaussian" and self.truth.whitening is None
        estimate = self._from_sums() if sums else self._anew
        for seed in seeds:
            y = draw(self.design, self.eta, self.truth, np.random.default_rng(seed))
            try:
                yield estimate(y)
            except ExpertiseError:
                yield np.full(self.count, np.nan)

    def _from_sums(self) -> Callable[[Array], Array]:
        """Return the fit of a gaussian outcome from the sums of the design."""
        redraw = Redraw(prepare(self.design))
        offset = 0.0 if self.design.offset is None else self.design.offset

        def fitted(y: Array) -> Array:
            reduction = redraw(y - offset)
            point = minimise(Deviance(reduction, self.options.reml)).point
            sigma2, units = point.profile.sigma2, reduction.units
            G = [sigma2 * (T @ L) @ (T @ L).T for T, L in zip(units.Z, point.factors, strict=True)]
            return _vector(units.shift + units.X @ point.profile.beta, G, sigma2**0.5)

        return fitted

    def _anew(self, y: Array) -> Array:
        answers = len(np.unique(y))
        if answers < max(2, len(self.design.outcome_levels)):
            raise FitError(f"only {answers} different answers were drawn")
        design = replace(self.design, y=y)
        return _parameters(solve(design, self.truth.link, self.options))


def bootstrap(
    fit: MixedFit,
    replicates: int = 1000,
    *,
    seed: int | None = None,
    cores: int | None = None,
    conf_level: float | None = None,
    progress: bool = True,
) -> Bootstrap:
    """Draw new outcomes from a fitted mixed model and fit each.

    Gaussian outcomes with independent residuals are refitted from the sums of
    the design, others from its rows. Every replicate has its own stream of random numbers, so the
    number of cores changes nothing. Work of a few seconds runs in this
    process; more is spread over processes (a script then needs the usual
    ``if __name__ == "__main__"``). Can be interrupted.

    Parameters
    ----------
    fit : MixedFit
        Of any family and residual structure.
    replicates : int
        Number of draws, 2 or more.
    seed : int, optional
        That of the fit by default, else 0.
    cores : int, optional
        All by default.
    conf_level : float, optional
        That of the fit by default; intervals are percentiles.
    progress : bool
        Show a progress bar.

    Raises
    ------
    DesignError
        For fewer than two replicates.
    FitError
        Where fewer than two draws could be fitted.
    """
    truth = truth_of(fit)
    if replicates < 2:
        raise DesignError(f"replicates is {replicates}; draw 2 or more")
    estimate = _parameters(fit.solution)
    refits = Refits(
        design=fit.design, eta=fit.linear_predictor(groups=False), truth=truth,
        options=replace(fit.options, df="normal"), count=len(estimate),
    )  # fmt: skip
    chosen = seed if seed is not None else fit.options.seed or 0
    draws = np.array(spread(
        refits, chosen, replicates, cores=cores, progress=progress, words=say("mixed.drawing")
    ))  # fmt: skip
    found = np.isfinite(draws).all(axis=1)
    if found.sum() < 2:
        raise FitError(f"no optimum found in {replicates - found.sum()} of {replicates} draws")
    missing = int((~found).sum())
    notes = (note("mixed.lost_draws", n=missing, total=replicates),) if missing else ()
    level = fit.level(conf_level)
    rows = _rows(fit)
    low, high = np.quantile(draws[found], [(1 - level) / 2, (1 + level) / 2], axis=0)
    table = pd.DataFrame(rows).assign(
        estimate=estimate, std_error=draws[found].std(axis=0, ddof=1), conf_low=low,
        conf_high=high, conf_level=level, n=int(found.sum()), method="bootstrap",
    )  # fmt: skip
    names = [f"{row['term']} | {row['group']}".removesuffix(" | ") for row in rows]
    return Bootstrap(
        table=table, draws=pd.DataFrame(draws, columns=names), seed=chosen,
        notes=(*fit.notes, *notes),
    )  # fmt: skip


def _parameters(solution: Solution) -> Array:
    thresholds = np.zeros(0) if solution.thresholds is None else solution.thresholds
    rest = [value for _, value, _ in solution.dispersion]
    sigma = [] if solution.sigma is None else [solution.sigma]
    beta = np.concatenate([solution.beta, thresholds])
    return _vector(beta, solution.covariances, *sigma, *rest)


def _vector(beta: Array, covariances: Sequence[Array], *rest: float) -> Array:
    """Return fixed effects, standard deviations with correlations below them, and the rest."""
    parts = [beta]
    for G in covariances:
        sd = np.sqrt(np.diag(G))
        with np.errstate(divide="ignore", invalid="ignore"):
            both = np.nan_to_num(G / np.outer(sd, sd))
        np.fill_diagonal(both, sd)
        parts.append(vech(both))
    return np.concatenate([*parts, rest])


def _rows(fit: MixedFit) -> list[dict[str, Any]]:
    """Name each parameter, in the order of `_parameters`."""
    rows = [{"component": "fixed", "term": name, "group": ""} for name in fit.names]
    if fit.solution.thresholds is not None:
        for a, b in pairwise(fit.design.outcome_levels):
            rows.append({"component": "threshold", "term": f"{a}|{b}", "group": ""})
    for term in fit.design.random:
        for a, name in enumerate(term.names):
            for b in range(a + 1):
                label = f"sd {name}" if a == b else f"cor {term.names[b]}, {name}"
                rows.append({"component": "variance", "term": label, "group": term.group})
    if fit.sigma is not None:
        rows.append({"component": "variance", "term": "sd", "group": "residual"})
    for term_name, _, _ in fit.solution.dispersion:
        rows.append({"component": "dispersion", "term": term_name, "group": ""})
    return rows
