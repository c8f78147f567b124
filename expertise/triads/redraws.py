"""Draws the variance components of a study anew: persons resampled, or roles redrawn.

References
----------
Brennan (2001), chapter 6; Wiley (2001), on the bias of resampled components;
Weerahandi (1993), doi:10.1080/01621459.1993.10476355, on mean squares as pivots.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from expertise.errors import DesignError, FitError
from expertise.mixed.compress import Groups
from expertise.mixed.design import Design
from expertise.mixed.deviance import Deviance
from expertise.mixed.factors import split, stack
from expertise.mixed.fit import MixedFit
from expertise.mixed.newton import FLOOR, minimise
from expertise.mixed.reduction import Redraw, Reduction, prepare
from expertise.triads.components import estimate, joined, with_means
from expertise.triads.facets import Codes, Study
from expertise.triads.squares import balanced_reml, mean_squares
from expertise.triads.tables import Array
from expertise.words import say

_PATIENCE = 10.0  # seconds of work before a progress bar shows
_TRUST = 0.01  # how far a Newton step may miss the decrease it promises


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blocks:
    """The sums of a design person by person, so that persons can be drawn anew."""

    reduction: Reduction
    totals: Array
    rows: Array

    @classmethod
    def of(cls, study: Study, design: Design) -> "Blocks | None":
        """Return the sums; None where the engine does not keep persons apart."""
        prepared = prepare(design)
        first = Redraw(prepared).first
        person = study.cells[(0,)]
        if not np.array_equal(prepared.blocks.block, person) or first.every.B is not None:
            return None
        crossed = [
            np.eye(term.size)[term.codes] * term.Z * inner[0, 0] for term, place, inner in
            zip(design.random, prepared.blocks.places, first.units.Z, strict=True)
            if not place.inside
        ]  # fmt: skip
        wide = np.column_stack([*crossed, prepared.W])
        order = np.argsort(person, kind="stable")
        parts = np.split(wide[order], np.cumsum(np.bincount(person))[:-1])
        return cls(
            reduction=first, totals=np.array([part.T @ part for part in parts]),
            rows=np.bincount(person).astype(float),
        )  # fmt: skip

    def drawn(self, people: Codes) -> Reduction:
        """Return the sums of these persons, each a person of its own however often drawn."""
        every = self.reduction.every
        pattern = every.pattern[people]
        counts = np.bincount(pattern, minlength=len(every.grams)).astype(np.float64)
        groups = Groups(
            grams=every.grams, counts=counts, pattern=pattern,
            V=np.ascontiguousarray(every.V[:, people]), B=None,
            weight=every.weight[people],
        )  # fmt: skip
        return replace(
            self.reduction, n=int(self.rows[people].sum()), groups=groups, every=groups,
            total=self.totals[people].sum(axis=0),
        )  # fmt: skip


def resample_persons(
    study: Study, method: str, fit: MixedFit | None, replicates: int, seed: int, progress: bool
) -> Array:
    """Return σ² of every term for persons drawn with replacement, shape (replicates, terms).

    A person drawn twice counts as two. Resampling makes what differs
    between persons too small by (n − 1)/n, and lends that part to the facets:
    both are put right. A replicate whose optimum was not found is missing.
    """
    n = study.count(0)
    seeds = np.random.SeedSequence(seed).spawn(replicates)
    picks = [np.sort(np.random.default_rng(one).integers(n, size=n)) for one in seeds]
    bar = tqdm(picks, desc=say("triads.drawing"), disable=not progress, delay=_PATIENCE)
    if study.balanced and method == "reml":
        found = _balanced(study, bar)
    elif fit is not None and (blocks := Blocks.of(study, fit.design)) is not None:
        theta = fitted_factors(fit, blocks)
        found = (stepped(study, blocks.drawn(people), theta) for people in bar)
    else:
        found = (_refitted(study.drawn(people), method) for people in bar)
    return corrected(study, np.array(list(found)), n)


def corrected(study: Study, sigma: Array, n: int) -> Array:
    """Return resampled components without the bias that resampling n persons has."""
    out = sigma.copy()
    for at, term in enumerate(study.terms):
        if 0 in term:
            out[:, at] *= n / (n - 1)
        elif (both := (0, *term)) in study.terms:
            out[:, at] -= np.maximum(sigma[:, study.terms.index(both)], 0) / (n - 1)
    return out


def _balanced(study: Study, picks: Iterable[Codes]) -> Iterator[Array]:
    """Yield closed-form components: T of each draw from sums person by person."""
    y, person, n = study.y - study.y.mean(), study.cells[(0,)], study.count(0)
    parts = []
    for term, code in study.cells.items():
        size = len(y) / (code.max() + 1)
        if 0 in term:
            owner = np.zeros(code.max() + 1, dtype=np.intp)
            owner[code] = person
            parts.append((np.bincount(owner, np.bincount(code, y) ** 2, n) / size)[:, None])
        else:
            sums = np.bincount(person * (code.max() + 1) + code, y, n * (code.max() + 1))
            parts.append(sums.reshape(n, -1) / np.sqrt(size))
    squares, means = mean_squares(study), with_means(study)
    for people in picks:
        times = np.bincount(people, minlength=n)
        T = np.array([
            (times @ part)[0] if 0 in term else ((times @ part) ** 2).sum()
            for term, part in zip(study.cells, parts, strict=True)
        ])  # fmt: skip
        yield balanced_reml(replace(squares, ms=squares.turn @ T), means)


def _refitted(study: Study, method: str) -> Array:
    try:
        return estimate(study, method)[0]
    except FitError:
        return np.full(len(study.terms), np.nan)


def fitted_factors(fit: MixedFit, blocks: Blocks) -> tuple[Array, ...]:
    """Return the relative factors at the optimum of a fit, in the engine's inner units."""
    assert fit.sigma is not None
    return tuple(
        np.maximum(np.sqrt(G) / fit.sigma / abs(T), FLOOR)
        for G, T in zip(fit.solution.covariances, blocks.reduction.units.Z, strict=True)
    )


def stepped(study: Study, reduction: Reduction, factors: tuple[Array, ...]) -> Array:
    """Return σ² of every term one Newton step away from the given factors.

    Where the step does not lower the deviance as it promises, small samples
    mostly, the optimum is sought in full.
    """
    deviance = Deviance(reduction, True)
    point = deviance(factors)
    theta = stack(factors)
    free = np.flatnonzero((theta > 1.01 * FLOOR) | (point.slope < 0))
    values, vectors = np.linalg.eigh(point.curvature[np.ix_(free, free)])
    if len(free) and values[0] > 0:
        along = vectors.T @ point.slope[free]
        moved = theta.copy()
        moved[free] -= vectors @ (along / values)
        promise = 0.5 * float(along @ (along / values))
        if (moved >= FLOOR).all():
            there = tuple(split(moved, deviance.sizes))
            drop = point.deviance - deviance.profile(deviance.system(there)).deviance
            if abs(drop - promise) <= _TRUST * promise:
                return _sigma(study, deviance, there)
    return _sigma(study, deviance, minimise(deviance, factors).point.factors)


def _sigma(study: Study, deviance: Deviance, factors: tuple[Array, ...]) -> Array:
    """Return σ² of every term at given factors, means and σ² profiled out."""
    profile = deviance.profile(deviance.system(factors))
    units, s2 = deviance.reduction.units, profile.sigma2
    random = [
        float(s2 * (T * L * (L > 1.01 * FLOOR))[0, 0] ** 2)
        for T, L in zip(units.Z, factors, strict=True)
    ]
    beta = units.shift + units.X @ profile.beta
    return joined(study, random, s2, beta, s2 * units.X @ profile.covariance @ units.X.T)


def redraw_roles(study: Study, sigma: Array, replicates: int, seed: int) -> Array:
    """Return σ² of every term as persons and roles both vary, shape (replicates, terms).

    Every mean square over its own chi-square, and the components that these
    pivots give; exact for balanced normal data. Otherwise the mean squares
    are those that the components amount to in the analogous ANOVA.
    """
    squares = mean_squares(study)
    if (squares.df <= 0).any():
        raise DesignError(
            "too few rows per combination to redraw the levels of a facet with few levels; "
            "leave out a facet or use order=2"
        )
    level = squares.expected @ np.maximum(sigma, 0) * squares.df
    seeds = np.random.SeedSequence(seed).spawn(replicates)
    pivots = [level / np.random.default_rng(one).chisquare(squares.df) for one in seeds]
    return np.asarray(np.linalg.solve(squares.expected, np.array(pivots).T).T, dtype=np.float64)
