"""Climb to the top of a smooth log-likelihood whose gradient is exact."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from expertise.errors import FitError
from expertise.mixed.elimination import Array

Surface = Callable[[Array], tuple[float, Array]]


@dataclass(frozen=True, slots=True)
class Top:
    """Where the climb ended: parameters (P,), value, gradient and information (P, P)."""

    at: Array
    value: float
    gradient: Array
    information: Array
    evaluations: int


def climb(surface: Surface, start: Array, *, most: int = 200) -> Top:
    """Return the maximum near `start`.

    Quasi-Newton (BFGS) from the curvature at the start, then Newton steps
    with the curvature at the end, until the next step would gain nothing.

    Parameters
    ----------
    surface : callable
        Parameters (P,) → value and gradient (P,); −inf where they are impossible.
    start : (P,) array
        In units in which a step of one is large.
    most : int
        Evaluations of the quasi-Newton stage.

    Raises
    ------
    FitError
        When no maximum is found: what was tried stands in the sentence.
    """
    at, (value, gradient) = start, surface(start)
    if not np.isfinite(value):
        raise FitError("the log-likelihood cannot be computed at the starting values; check offset")
    inverse = _positive_inverse(_rough_curvature(surface, at, gradient))
    used = 1 + len(at)
    for _ in range(most):
        step = inverse @ gradient
        if gradient @ step < 1e-9:
            break
        moved = _uphill(surface, at, value, gradient, step)
        if moved is None:
            break
        shift, (value, fresh) = moved
        at, change, gradient = at + shift, gradient - fresh, fresh
        used += 1
        if (bend := shift @ change) > 1e-12:
            left = np.eye(len(at)) - np.outer(shift, change) / bend
            inverse = left @ inverse @ left.T + np.outer(shift, shift) / bend
    return _polish(surface, at, value, gradient, used)


def _uphill(
    surface: Surface, at: Array, value: float, gradient: Array, step: Array
) -> tuple[Array, tuple[float, Array]] | None:
    size = min(1.0, 3.0 / np.abs(step).max())
    while size > 1e-8:
        found = surface(at + size * step)
        if found[0] >= value + 1e-4 * size * (gradient @ step) - 1e-11 * (1 + abs(value)):
            return size * step, found
        size /= 3
    return None


def _polish(surface: Surface, at: Array, value: float, gradient: Array, used: int) -> Top:
    for _ in range(8):
        information = curvature(surface, at)
        inverse = _positive_inverse(information)
        used += 2 * len(at)
        first = gain = float(gradient @ inverse @ gradient)
        while gain > 1e-16 * (1 + abs(value)):
            moved = _uphill(surface, at, value, gradient, inverse @ gradient)
            if moved is None:
                break
            at, (value, gradient) = at + moved[0], moved[1]
            used += 1
            before, gain = gain, float(gradient @ inverse @ gradient)
            if gain > before / 10:
                break
        if gain < 1e-10 and first < 1e-6:
            return Top(at, value, gradient, information, used)
    raise FitError(
        f"no optimum was found after {used} evaluations: the steepest slope is still "
        f"{np.abs(gradient).max():.2g}; leave out a random slope, or a predictor that hardly varies"
    )


def curvature(surface: Surface, at: Array) -> Array:
    """Return minus the second derivative (P, P), by central differences of the gradient."""
    width = 1e-4
    rows = [
        (surface(at - width * unit)[1] - surface(at + width * unit)[1]) / (2 * width)
        for unit in np.eye(len(at))
    ]
    full = np.array(rows)
    return (full + full.T) / 2


def _rough_curvature(surface: Surface, at: Array, gradient: Array) -> Array:
    rows = [(gradient - surface(at + 1e-3 * unit)[1]) / 1e-3 for unit in np.eye(len(at))]
    full = np.array(rows)
    return (full + full.T) / 2


def _positive_inverse(information: Array) -> Array:
    """Invert with the signs of negative directions turned, and flat ones bounded."""
    values, vectors = np.linalg.eigh(information)
    safe = np.maximum(np.abs(values), 1e-6 * max(np.abs(values).max(), 1.0))
    inverse: Array = (vectors / safe) @ vectors.T
    return inverse
