"""Marginal means, contrasts and slopes: what a model says in the words of the question."""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pandas as pd

from expertise.errors import DesignError, listed
from expertise.mixed.columns import Array
from expertise.mixed.estimates import Estimates
from expertise.mixed.fitted import Fitted
from expertise.mixed.grid import levels_of, numbers_of, reference_grid
from expertise.words import Note, note

PAIRS: dict[str, Callable[[int], list[tuple[int, int]]]] = {
    "pairwise": lambda k: list(combinations(range(k), 2)),
    "reference": lambda k: [(0, other) for other in range(1, k)],
    "sequential": lambda k: list(pairwise(range(k))),
}
RATIOS = {"log": "ratio", "logit": "odds ratio", "cloglog": "hazard ratio"}


def marginal_means(
    fit: Fitted,
    by: str | Sequence[str],
    *,
    at: Mapping[str, Any] | None = None,
    scale: str = "link",
    conf_level: float | None = None,
) -> Estimates:
    """Return the mean outcome for each level, averaged evenly over the other factors.

    Parameters
    ----------
    fit : MixedFit
    by : str or sequence of str
        One or more columns of the fixed part.
    at : mapping, optional
        Values for numbers (their mean otherwise) and levels for factors.
    scale : {"link", "response"}
        That of the linear predictor, or of the outcome; the mean is taken
        on the first and then carried over, group effects at zero.
    conf_level : float, optional

    Returns
    -------
    Estimates
        Degrees of freedom by the fit's own method.

    Notes
    -----
    Not computed: means weighted by how often levels occur, and means over
    the distribution of group effects. Searle, Speed & Milliken (1980),
    https://doi.org/10.1080/00031305.1980.10483031.

    Examples
    --------
    >>> from expertise.mixed.fit import fit_mixed
    >>> rows = [(p, a, t, p % 5 + t * (a == "b") + (p * t) % 3) for p in range(12)
    ...         for a in ["ab"[p % 2]] for t in range(3)]
    >>> table = pd.DataFrame(rows, columns=["person", "arm", "wave", "score"])
    >>> fit = fit_mixed("score ~ arm * wave + (1 | person)", table)
    >>> marginal_means(fit, "arm", at={"wave": 2}).tidy()["estimate"].round(2).tolist()
    [2.83, 5.0]
    """
    keys = [by] if isinstance(by, str) else list(by)
    places, L = _means(fit, keys, at)
    table = fit.estimates(L, conf_level).drop(columns=["statistic", "p_value"])
    if scale == "response":
        table = on_response(fit, table)
    elif scale != "link":
        raise DesignError(f"unknown scale {scale!r}; allowed are link and response")
    return _result(fit, "means", scale, tuple(keys), places, table)


def contrasts(
    fit: Fitted,
    variable: str,
    *,
    kind: str = "pairwise",
    by: str | Sequence[str] = (),
    at: Mapping[str, Any] | None = None,
    adjust: str = "none",
    scale: str = "link",
    conf_level: float | None = None,
) -> Estimates:
    """Return differences between the marginal means of one variable, the later minus the earlier.

    Parameters
    ----------
    fit : MixedFit
    variable : str
        A factor, or a number with values in `at`.
    kind : {"pairwise", "reference", "sequential"}
        Every pair; each with the first; each with the one before.
    by : str or sequence of str
        Columns within whose levels the differences are taken.
    at : mapping, optional
    adjust : {"none", "bonferroni"}
        Widens intervals and raises p for the number of differences.
    scale : {"link", "ratio"}
        Differences of the linear predictor, or their exponents: rate
        ratios, odds ratios (of a higher answer, for ordered outcomes).
    conf_level : float, optional

    Returns
    -------
    Estimates
    """
    if kind not in PAIRS:
        raise DesignError(f"unknown kind {kind!r}; allowed are {listed(PAIRS)}")
    if adjust not in ("none", "bonferroni"):
        raise DesignError(f"unknown adjust {adjust!r}; allowed are none and bonferroni")
    within = [by] if isinstance(by, str) else list(by)
    if variable in within:
        raise DesignError(f"by= holds {variable!r}, whose levels are compared; leave it out there")
    places, L = _means(fit, [*within, variable], at)
    k = places[variable].nunique()
    if k < 2:
        raise DesignError(f"{variable!r} has one value here, {places[variable].iloc[0]}; give two")
    pairs = PAIRS[kind](k)
    blocks = np.arange(len(places)).reshape(-1, k)
    earlier = np.concatenate([row[[a for a, _ in pairs]] for row in blocks])
    later = np.concatenate([row[[b for _, b in pairs]] for row in blocks])
    count = len(pairs) if adjust == "bonferroni" else 1
    level = fit.level(conf_level)
    table = fit.estimates(L[later] - L[earlier], 1 - (1 - level) / count)
    table["p_value"] = np.minimum(table["p_value"] * count, 1.0)
    table["conf_level"] = level
    names = places[variable].astype(str).to_numpy()
    found = places.iloc[later][within].reset_index(drop=True)
    found["contrast"] = [f"{b} − {a}" for a, b in zip(names[earlier], names[later], strict=True)]
    label = scale
    if scale == "ratio":
        table, label = _ratios(fit, table)
    elif scale != "link":
        raise DesignError(f"unknown scale {scale!r}; allowed are link and ratio")
    return _result(fit, "contrasts", label, (*within, "contrast"), found, table)


def slopes(
    fit: Fitted,
    variable: str,
    *,
    by: str | Sequence[str] = (),
    at: Mapping[str, Any] | None = None,
    conf_level: float | None = None,
) -> Estimates:
    """Return the change of the linear predictor per unit of a number, at points of a grid.

    Parameters
    ----------
    fit : MixedFit
    variable : str
        A numeric column; the slope is taken at its mean, or at `at`.
    by : str or sequence of str
        Columns whose levels have a slope each; others are averaged evenly.
    at : mapping, optional
    conf_level : float, optional

    Returns
    -------
    Estimates
    """
    keys = [by] if isinstance(by, str) else list(by)
    places, L = slope_rows(fit, variable, keys, at)
    table = fit.estimates(L, conf_level)
    names = (*(name for name in places if name != "slope"), "slope")
    return _result(fit, "slopes", "link", names, places[list(names)], table)


def slope_rows(
    fit: Fitted, variable: str, keys: Sequence[str], at: Mapping[str, Any] | None = None
) -> tuple[pd.DataFrame, Array]:
    """Return the places of a grid, and the combinations (k, p) whose products with β are slopes."""
    design = fit.design
    if levels_of(design, variable) is not None:
        raise DesignError(f"{variable!r} is a factor; a slope needs a number (see contrasts)")
    numbers = numbers_of(design, variable)
    if variable in (at or {}):
        keys = [*keys, variable]
    else:
        at = {**(at or {}), variable: float(numbers.mean())}
    grid = reference_grid(design, keys, at)
    x = grid[variable].astype(float)
    step = 1e-4 * float(np.ptp(numbers))
    up, down = (design.fixed_matrix(grid.assign(**{variable: x + h})) for h in (step, -step))
    places, L = _averaged(grid, keys, (up - down) / (2 * step))
    return places.assign(slope=variable), L


def on_response(fit: Fitted, table: pd.DataFrame) -> pd.DataFrame:
    """Carry estimates and intervals from the linear predictor to the outcome."""
    if fit.family == "cumulative":
        raise DesignError("an ordered outcome has a probability per answer; use predictions")
    eta = table["estimate"].to_numpy()
    return table.assign(
        estimate=fit.link.inverse(eta),
        std_error=table["std_error"] * np.abs(fit.link.slope(eta)),
        conf_low=fit.link.inverse(table["conf_low"].to_numpy()),
        conf_high=fit.link.inverse(table["conf_high"].to_numpy()),
    )


def _ratios(fit: Fitted, table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    if fit.link.name not in RATIOS:
        raise DesignError(f"a ratio needs a log or logit link, and the link is {fit.link.name}")
    ratio = np.exp(table["estimate"])
    ends = {name: np.exp(table[name]) for name in ("conf_low", "conf_high")}
    return table.assign(
        estimate=ratio, std_error=table["std_error"] * ratio, **ends
    ), RATIOS[fit.link.name]  # fmt: skip


def _means(
    fit: Fitted, keys: Sequence[str], at: Mapping[str, Any] | None
) -> tuple[pd.DataFrame, Array]:
    grid = reference_grid(fit.design, keys, at)
    return _averaged(grid, keys, fit.design.fixed_matrix(grid))


def _averaged(grid: pd.DataFrame, keys: Sequence[str], X: Array) -> tuple[pd.DataFrame, Array]:
    """Average the rows of X over each place in the grid; the keys vary slowest there."""
    places = grid[list(keys)].drop_duplicates().reset_index(drop=True) if keys else grid[:1][[]]
    return places, X.reshape(len(places), -1, X.shape[1]).mean(axis=1)


def _result(
    fit: Fitted,
    kind: str,
    scale: str,
    keys: tuple[str, ...],
    places: pd.DataFrame,
    table: pd.DataFrame,
) -> Estimates:
    notes: list[Note] = [note("mixed_use.offset_zero")] if fit.design.offset is not None else []
    notes += [remark for remark in fit.notes if remark.key in ("mixed.boundary", "mixed.dropped")]
    return Estimates(
        kind=kind,
        outcome=fit.design.outcome,
        scale=scale,
        keys=keys,
        table=pd.concat([places, table], axis=1),
        notes=tuple(notes),
    )
