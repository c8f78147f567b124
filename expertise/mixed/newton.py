"""Finds the optimum of a deviance over relative factors, at the boundary too."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from expertise.errors import FitError
from expertise.mixed.columns import Array
from expertise.mixed.deviance import Deviance, Point
from expertise.mixed.factors import on_diagonal, split
from expertise.mixed.information import exact_curvature
from expertise.mixed.roots import eigen, identity
from expertise.mixed.start import by_moments

FLOOR = 1e-5  # a factor's diagonal below this is at the boundary: its variance counts as zero
# Within half a millionth of a standard error of the optimum a step promises no more than this.
_ENOUGH, _CERTAIN, _MOST, _SHRINKS = 1e-13, 1e-7, 200, 18
_FEW, _LITTLE, _SLOW = 2000, 0.1, 20
Start = TypeVar("Start")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Optimum:
    """The best point, the evaluations it took, and the decrease a Newton step still promises.

    Of each stacked element, `held` tells whether it is a diagonal at its
    floor, `rough` whether it is a diagonal below twice its standard error.
    """

    point: Point
    evaluations: int
    promise: float
    held: NDArray[np.bool_]
    rough: NDArray[np.bool_]


def minimise(deviance: Deviance, start: Sequence[Array] | None = None) -> Optimum:
    """Return the best point, from `start` or from what the groups' own regressions say.

    A deviance may have a second optimum at the boundary, or inside where the
    first lies at the boundary: where the first leaves that doubt the search
    begins again, from the identity and from nearly nothing, and the best
    counts. In large tables a variance below its error is no reason for doubt.

    Raises
    ------
    FitError
        Where no optimum is found; the point reached is never a result.
    """
    if start is not None:
        return _search(deviance, start)

    def sure(best: Optimum) -> bool:
        few = deviance.reduction.n <= _FEW
        return not (best.held.any() or (few and best.rough.any()))

    return best_of(
        partial(_search, deviance), _beginnings(deviance), lambda one: one.point.deviance, sure
    )


def best_of(
    search: Callable[[Start], Found],
    beginnings: Iterable[Start],
    value: Callable[[Found], float],
    sure: Callable[[Found], bool],
) -> Found:
    """Return the least of what a search finds, beginning anew until the least is sure.

    Raises
    ------
    FitError
        That of the first beginning, where none leads to an optimum.
    """
    found: list[Found] = []
    faults: list[FitError] = []
    for beginning in beginnings:
        try:
            found.append(search(beginning))
        except FitError as fault:
            faults.append(fault)
            continue
        if sure(min(found, key=value)):
            break
    if not found:
        raise faults[0]
    return min(found, key=value)


def _beginnings(deviance: Deviance) -> Iterator[list[Array]]:
    own = by_moments(deviance.reduction, deviance.reml)
    if own is not None:
        yield [own]
    yield [identity(q) for q in deviance.sizes]
    yield [_LITTLE * identity(q) for q in deviance.sizes]


def _search(deviance: Deviance, start: Sequence[Array]) -> Optimum:
    """Run Newton's method with average information until a step promises nothing.

    The factors are unconstrained (a column's sign is free), so a zero
    variance is an ordinary stationary point; only the curvature of Ψ = LL'
    itself is added to the average information there. Small tables may have
    another curvature than that information says: where the search is slow, the
    exact second derivatives end it.

    Raises
    ------
    FitError
        Where no optimum is found; the point reached is never a result.
    """
    point = deviance(start)
    evaluations = 1
    while evaluations < _MOST:
        slow = evaluations >= _SLOW
        step, promise = _step(point, exact_curvature(deviance, point) if slow else point.curvature)
        if promise < _ENOUGH * max(1.0, abs(point.deviance) * 1e-4):
            break
        candidate, tried = _descend(deviance, point, step)
        evaluations += tried
        if candidate is None:
            break
        point = candidate
    else:
        promise = _step(point, exact_curvature(deviance, point))[1]
    if not promise < _CERTAIN * max(1.0, abs(point.deviance) * 1e-4):
        raise FitError(
            f"no optimum found in {evaluations} evaluations (a step still promises {promise:.2g} "
            "in the deviance); simplify the random terms or rescale the predictors"
        )
    held = at_floor(point)
    return Optimum(
        point=point, evaluations=evaluations, promise=promise, held=held,
        rough=_below_error(point) & ~held,
    )  # fmt: skip


def _below_error(point: Point) -> NDArray[np.bool_]:
    """Tell for each stacked element whether it is a diagonal below twice its standard error."""
    values, vectors = eigen(point.curvature)
    spread = np.sqrt(2 * vectors**2 @ (1 / np.maximum(values, 1e-12)))
    small: NDArray[np.bool_] = point.theta < 2 * spread
    return small & on_diagonal(tuple(map(len, point.factors)))


def _descend(deviance: Deviance, point: Point, step: Array) -> tuple[Point | None, int]:
    """Return the first point along a shrinking step that is no worse, and the evaluations."""
    bar = point.deviance + 1e-12 * abs(point.deviance)
    for tried in range(1, _SHRINKS):
        try:
            candidate = deviance(_settled(point.theta + 0.3 ** (tried - 1) * step, deviance.sizes))
        except FitError:  # so far off that the equations lose their precision
            continue
        if candidate.deviance <= bar:
            return candidate, tried
    return None, _SHRINKS - 1


def _step(point: Point, curvature: Array) -> tuple[Array, float]:
    """Return the Newton step over the parameters that are free, and half its decrease."""
    theta, slope = point.theta, point.slope
    held = at_floor(point) & (slope >= 0)
    if held.any():  # a held element does not move, and moves no other
        curvature = np.where(held[:, None] | held, np.eye(len(theta)), curvature)
        slope = np.where(held, 0.0, slope)
    values, vectors = eigen(curvature)
    values = abs(values)
    along = vectors.T @ slope
    move = along / np.maximum(values, 1e-9 * values.max(initial=0.0) + 1e-300)
    step = -vectors @ move
    longest = float((abs(step) / (1 + 2 * abs(theta))).max(initial=0.0))
    return step / max(1.0, longest), 0.5 * float(along @ move)


def at_floor(point: Point) -> NDArray[np.bool_]:
    """Tell for each stacked element whether it is a diagonal at its floor."""
    low: NDArray[np.bool_] = point.theta <= 1.01 * FLOOR
    return low & on_diagonal(tuple(map(len, point.factors)))


def _settled(theta: Array, sizes: Sequence[int]) -> tuple[Array, ...]:
    """Return factors with a positive diagonal, no smaller than the floor."""
    out = []
    for L in split(theta, sizes):
        size = L.diagonal()
        if (size < FLOOR).any():
            L = L * np.where(size < 0, -1.0, 1.0)
            L.flat[:: len(L) + 1] = np.maximum(abs(size), FLOOR)
        out.append(L)
    return tuple(out)
