"""Draws the variance components of a study anew: persons resampled, or roles redrawn.

References
----------
Brennan (2001), chapter 6; Wiley (2001), on the bias of resampled components;
Weerahandi (1993), doi:10.1080/01621459.1993.10476355, on mean squares as pivots.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from tqdm import tqdm

from expertise.errors import DesignError, FitError
from expertise.mixed.fit import MixedFit
from expertise.mixed.resample import resample
from expertise.triads.components import estimate, joined, with_means
from expertise.triads.facets import Codes, Study
from expertise.triads.squares import balanced_reml, mean_squares
from expertise.triads.tables import Array
from expertise.words import say

_PATIENCE = 10.0  # seconds of work before a progress bar shows
_CLOSE, _AGREE = 0.05, 5  # SDs of the draws that a step may miss, and checks that must agree


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
    bar = partial(tqdm, desc=say("triads.drawing"), disable=not progress, delay=_PATIENCE)
    if study.balanced and method == "reml":
        found = np.array(list(_balanced(study, bar(picks))))
    elif fit is not None:
        found = stepped(study, fit, picks, bar)
    else:
        found = np.array([_refitted(study.drawn(people), method) for people in bar(picks)])
    return corrected(study, found, n)


def stepped(
    study: Study, fit: MixedFit, picks: Sequence[Codes], bar: Callable[..., Iterable[int]]
) -> Array:
    """Return σ² of every term: a scoring step a draw, long ones replaced by full fits.

    A step errs more the longer it is. Draws are fitted in full from the
    longest step down, until `_AGREE` in a row lie where their step had put them.
    """
    person = study.cells[(0,)]
    counts = np.array([np.bincount(people, minlength=person.max() + 1) for people in picks])
    steps = resample(fit, person, counts)
    out = np.array([
        joined(study, variances[:-1], variances[-1], beta, covariance)
        for variances, beta, covariance in zip(
            steps.variances, steps.beta, steps.covariances, strict=True)
    ])  # fmt: skip
    close = _CLOSE * out.std(axis=0)
    agree = 0
    for at in bar(np.argsort(-steps.length, kind="stable")):
        full = _refitted(study.drawn(picks[at]), "reml")
        agree = agree + 1 if (abs(full - out[at]) <= close).all() else 0
        out[at] = full
        if agree == _AGREE:
            break
    return out


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
