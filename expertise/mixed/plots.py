"""Pictures of what a fitted model says, over time or between groups."""

from typing import Any

import numpy as np

from expertise.errors import DesignError
from expertise.figures import Look, StoryAxes, draw, end_labels
from expertise.mixed.columns import Array
from expertise.mixed.contrast import contrasts, marginal_means, slope_rows, slopes
from expertise.mixed.description import direction
from expertise.mixed.estimates import Estimates
from expertise.mixed.fitted import Fitted
from expertise.mixed.grid import levels_of, numbers_of
from expertise.words import number, say

POINTS = 40
MOST_LINES = 60


def plot_fit(
    fit: Fitted,
    x: str | None = None,
    by: str | None = None,
    *,
    lang: str = "nl",
    raw: bool = True,
) -> StoryAxes:
    """Draw the expected outcome over a number, or between the levels of a factor.

    Parameters
    ----------
    fit : MixedFit
    x : str, optional
        A column of the fixed part; the first number by default, or else the
        first factor.
    by : str, optional
        A factor with a line per level; the first one that x interacts with
        by default.
    lang : {"nl", "en"}
    raw : bool
        Whether people's own measurements stand behind, in light grey
        (gaussian outcomes, at most 60 people); not for release of few people.

    Returns
    -------
    StoryAxes
        The title says what the interval settles.
    """
    design = fit.design
    if x is None:
        x = _first(fit)
    factor = levels_of(design, x) is not None
    if by is None and not factor:
        by = _partner(fit, x)
    elif by is not None and levels_of(design, by) is None:
        raise DesignError(f"by is {by!r}, which is no factor of the model; leave it out")
    keys = ([by] if by is not None else []) + [x]
    at = None if factor else {x: _values(fit, x)}
    scale = "link" if fit.family == "cumulative" else "response"
    means = marginal_means(fit, keys, at=at, scale=scale)
    title = _finding(fit, x, by, factor, lang)
    unit = "mixed_use.on_model_scale" if scale == "link" and fit.family != "gaussian" else (
        "mixed_use.expected"
    )  # fmt: skip
    subtitle = say(
        unit, lang, outcome=design.outcome, percent=number(100 * fit.conf_level, 0, lang),
        n=fit.n_people, group=max(design.random, key=lambda term: term.size).group,
    )  # fmt: skip
    lines = _raw(fit, x) if raw and not factor and fit.family == "gaussian" else []

    def paint(axes: Any, look: Look) -> None:
        for xs, ys in lines:
            axes.plot(xs, ys, color=look.faint, linewidth=0.8)
        if factor:
            _dots(axes, look, means, x, by)
        else:
            _bands(axes, look, means, x, by)
        axes.set_xlabel(x)
        axes.set_ylabel(design.outcome)

    return draw(
        paint, title=title, subtitle=subtitle, alt=f"{title}. {subtitle}", table=means.table,
        lang=lang,
    )  # fmt: skip


def _first(fit: Fitted) -> str:
    columns = fit.design.layout.columns
    if not columns:
        raise DesignError("the fixed part holds an intercept alone, so there is nothing to draw")
    numbers = [
        name for name in columns
        if levels_of(fit.design, name) is None and len(_distinct(fit, name)) > 2
    ]  # fmt: skip
    slopes_vary = {name for term in fit.design.random for name in term.layout.columns}
    ordered = sorted(
        numbers, key=lambda name: (name not in slopes_vary, _partner(fit, name) is None)
    )
    return (ordered or list(columns))[0]


def _distinct(fit: Fitted, name: str) -> Array:
    return np.unique(numbers_of(fit.design, name))


def _partner(fit: Fitted, x: str) -> str | None:
    for parts in fit.design.layout.variables:
        names = [str(variable.node) for variable, _ in parts]
        if x in names and len(parts) == 2:
            other = parts[1 - names.index(x)][0]
            if other.levels and len(other.levels) <= 4:
                return str(other.column)
    return None


def _values(fit: Fitted, x: str) -> list[float]:
    distinct = _distinct(fit, x)
    if len(distinct) <= 12:
        return [float(value) for value in distinct]
    return [float(value) for value in np.linspace(distinct[0], distinct[-1], POINTS)]


def _raw(fit: Fitted, x: str) -> list[tuple[Array, Array]]:
    numbers = numbers_of(fit.design, x)
    people = max(fit.design.random, key=lambda term: term.size, default=None)
    if people is None or people.size > MOST_LINES:
        return []
    lines = []
    for code in range(people.size):
        own = np.flatnonzero(people.codes == code)
        own = own[np.argsort(numbers[own], kind="stable")]
        lines.append((numbers[own], fit.design.y[own]))
    return lines


def _finding(fit: Fitted, x: str, by: str | None, factor: bool, lang: str) -> str:
    """Say what the first contrast, slope or difference of slopes settles."""
    outcome = fit.design.outcome
    if factor:
        row = contrasts(fit, x, kind="reference").table.iloc[0]
        state = direction(row["conf_low"], row["conf_high"])
        later, earlier = (
            f"{x} {level}" if level.isdigit() else level for level in row["contrast"].split(" − ")
        )
        return say(
            f"mixed_use.title_levels_{state}", lang, outcome=outcome, later=later, earlier=earlier
        )
    if by is not None and _partner(fit, x) == by:
        places, L = slope_rows(fit, x, [by])
        gap = fit.estimates(L[1] - L[0]).iloc[0]
        earlier, later = places[by].iloc[:2]
        state = direction(gap["conf_low"], gap["conf_high"])
        return say(
            f"mixed_use.title_gap_{state}", lang, outcome=outcome, x=x, later=later, earlier=earlier
        )
    row = slopes(fit, x).table.iloc[0]
    state = direction(row["conf_low"], row["conf_high"])
    return say(f"mixed_use.title_slope_{state}", lang, outcome=outcome, x=x)


def _bands(axes: Any, look: Look, means: Estimates, x: str, by: str | None) -> None:
    table = means.table
    parts = [("", table)] if by is None else list(table.groupby(by, sort=False, observed=True))
    ends: list[tuple[float, float, str, str]] = []
    for slot, (label, rows) in enumerate(parts, 1):
        color = look.color(slot)
        axes.fill_between(rows[x], rows["conf_low"], rows["conf_high"], color=color, alpha=0.18)
        style = look.style(slot) | {"marker": look.role(slot).marker if len(rows) <= 12 else ""}
        axes.plot(rows[x], rows["estimate"], **style)
        ends.append((rows[x].iloc[-1], rows["estimate"].iloc[-1], str(label), color))
    end_labels(axes, ends)


def _dots(axes: Any, look: Look, means: Estimates, x: str, by: str | None) -> None:
    table = means.table
    parts = [("", table)] if by is None else list(table.groupby(by, sort=False, observed=True))
    ends: list[tuple[float, float, str, str]] = []
    for slot, (label, rows) in enumerate(parts, 1):
        place = np.arange(len(rows)) + 0.12 * (slot - (len(parts) + 1) / 2)
        color = look.color(slot)
        axes.vlines(place, rows["conf_low"], rows["conf_high"], color=color)
        axes.plot(place, rows["estimate"], look.role(slot).marker, color=color)
        ends.append((place[-1], rows["estimate"].iloc[-1], str(label), color))
    levels = [str(value) for value in parts[0][1][x]]
    axes.set_xticks(np.arange(len(levels)), levels)
    axes.set_xlim(-0.6, len(levels) - 0.4)
    end_labels(axes, ends)
