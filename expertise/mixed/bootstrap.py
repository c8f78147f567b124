"""Parametric bootstrap of a linear mixed model: new outcomes, refitted from the reduction.

Reference: Davison & Hinkley (1997), chapter 2, doi:10.1017/CBO9780511802843.
"""

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from expertise.errors import DesignError, FitError
from expertise.mixed.columns import Array
from expertise.mixed.design import Design
from expertise.mixed.deviance import Deviance
from expertise.mixed.factors import vech
from expertise.mixed.fit import MixedFit
from expertise.mixed.newton import minimise
from expertise.mixed.reduction import Redraw, prepare
from expertise.result import Result, tidy_table
from expertise.words import Note, note, say

_WORTH_PROCESSES = 10.0  # seconds of work below which starting processes costs more than it gains


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
class Job:
    """What a worker needs: the design and the model to draw from."""

    design: Design
    beta: Array
    covariances: tuple[Array, ...]
    sigma: float
    reml: bool

    def draw(self, rng: np.random.Generator) -> Array:
        """Draw a new outcome, the offset left out, shape (n,)."""
        design = self.design
        y: Array = design.X @ self.beta
        for term, G in zip(design.random, self.covariances, strict=True):
            values, vectors = np.linalg.eigh(G)
            root = vectors * np.sqrt(np.maximum(values, 0))
            b = rng.normal(size=(term.size, len(G))) @ root.T
            y = y + np.einsum("ij,ij->i", term.Z, b[term.codes])
        noise = self.sigma * rng.normal(size=len(y))
        return y + (noise if design.weights is None else noise / np.sqrt(design.weights))

    def run(self, seeds: Sequence[np.random.SeedSequence]) -> Iterator[Array]:
        """Yield the estimates of each replicate; all missing where no optimum was found."""
        redraw = Redraw(prepare(self.design))
        count = len(_parameters(self.beta, self.covariances, self.sigma))
        for seed in seeds:
            reduction = redraw(self.draw(np.random.default_rng(seed)))
            try:
                point = minimise(Deviance(reduction, self.reml)).point
            except FitError:
                yield np.full(count, np.nan)
                continue
            sigma2, units = point.profile.sigma2, reduction.units
            G = [sigma2 * (T @ L) @ (T @ L).T for T, L in zip(units.Z, point.factors, strict=True)]
            yield _parameters(units.shift + units.X @ point.profile.beta, G, sigma2**0.5)


def bootstrap(
    fit: MixedFit,
    replicates: int = 1000,
    *,
    seed: int | None = None,
    cores: int | None = None,
    conf_level: float | None = None,
    progress: bool = True,
) -> Bootstrap:
    """Draw new outcomes from a fitted linear mixed model and fit each.

    Every replicate has its own stream of random numbers, so the number of
    cores changes nothing. Work of a few seconds runs in this process; more
    is spread over processes (a script then needs the usual
    ``if __name__ == "__main__"``). Can be interrupted.

    Parameters
    ----------
    fit : MixedFit
        A gaussian fit with independent residuals.
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
        For a family or residual structure that is not drawn from here.
    """
    if fit.family != "gaussian" or fit.options.residual or fit.options.dispersion:
        raise DesignError(
            "the bootstrap refits gaussian models with independent residuals, from their sums; "
            f"{fit.design.formula.text!r} is not one"
        )
    if replicates < 2:
        raise DesignError(f"replicates is {replicates}; draw 2 or more")
    assert fit.sigma is not None
    job = Job(
        design=fit.design, beta=fit.beta, covariances=fit.solution.covariances, sigma=fit.sigma,
        reml=fit.options.reml,
    )  # fmt: skip
    chosen = seed if seed is not None else fit.options.seed or 0
    seeds = np.random.SeedSequence(chosen).spawn(replicates)
    draws = np.array(list(tqdm(
        _spread(job, seeds, cores or len(os.sched_getaffinity(0))), total=replicates,
        desc=say("mixed.drawing"), disable=not progress,
    )))  # fmt: skip
    found = np.isfinite(draws).all(axis=1)
    if found.sum() < 2:
        raise FitError(f"no optimum found in {replicates - found.sum()} of {replicates} draws")
    missing = int((~found).sum())
    notes = (note("mixed.lost_draws", n=missing, total=replicates),) if missing else ()
    level = conf_level or fit.conf_level
    rows = _rows(fit)
    estimate = _parameters(fit.beta, fit.solution.covariances, fit.sigma)
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


def _spread(job: Job, seeds: list[np.random.SeedSequence], cores: int) -> Iterator[Array]:
    started = time.perf_counter()
    yield from job.run(seeds[:2])
    rest = seeds[2:]
    if cores == 1 or (time.perf_counter() - started) / 2 * len(rest) < _WORTH_PROCESSES:
        yield from job.run(rest)
        return
    size = max(1, len(rest) // (8 * cores))
    batches = [rest[at : at + size] for at in range(0, len(rest), size)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores, context, initializer=_receive, initargs=(job,)) as pool:
        for batch in pool.map(_run, batches):
            yield from batch


_JOB: list[Job] = []


def _receive(job: Job) -> None:
    _JOB.append(job)


def _run(seeds: list[np.random.SeedSequence]) -> list[Array]:
    return list(_JOB[0].run(seeds))


def _parameters(beta: Array, covariances: Sequence[Array], sigma: float) -> Array:
    """Return fixed effects, standard deviations with correlations below them, and σ."""
    parts = [beta]
    for G in covariances:
        sd = np.sqrt(np.diag(G))
        with np.errstate(divide="ignore", invalid="ignore"):
            both = np.nan_to_num(G / np.outer(sd, sd))
        np.fill_diagonal(both, sd)
        parts.append(vech(both))
    return np.concatenate([*parts, [sigma]])


def _rows(fit: MixedFit) -> list[dict[str, Any]]:
    rows = [{"component": "fixed", "term": name, "group": ""} for name in fit.names]
    for term in fit.design.random:
        for a, name in enumerate(term.names):
            for b in range(a + 1):
                label = f"sd {name}" if a == b else f"cor {term.names[b]}, {name}"
                rows.append({"component": "variance", "term": label, "group": term.group})
    return [*rows, {"component": "variance", "term": "sd", "group": "residual"}]
