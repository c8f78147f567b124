"""Which cells of a table may be shown: few people, and what could be computed from the rest."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]


def hide_small(counts: Counts, minimum: int) -> Mask:
    """Return which cells of a table with totals stay hidden.

    Parameters
    ----------
    counts : int array, one or two axes
        Distinct people a cell; the last place of each axis is the total.
    minimum : int
        The smallest count that may be shown.

    Returns
    -------
    bool array, same shape
        True where hidden: cells below the minimum, and the fewest others
        found without which no hidden cell, and no group of hidden cells on one
        line that holds fewer people than the minimum, follows from what is shown.

    Notes
    -----
    Every line (a row or a column with its total) adds up. A hidden cell
    follows from the others when its unit vector lies in the row space of the
    lines restricted to hidden cells. The smallest shown cell on an offending
    line is hidden until none is left; this is a heuristic, so sometimes a cell
    more is hidden than the best choice would.

    Examples
    --------
    >>> hide_small(np.array([4, 30, 12, 46]), 10).tolist()
    [True, False, True, False]
    """
    hidden: Mask = counts < minimum
    while (line := _offending(counts, hidden, minimum)) is not None:
        shown = [cell for cell in line if not hidden[cell]]
        # A total is hidden last: it is the number most likely to be known elsewhere.
        inner = [cell for cell in shown if not _total(cell, counts.shape)] or shown
        hidden[min(inner, key=lambda cell: (counts[cell], cell))] = True
    return hidden


def _offending(counts: Counts, hidden: Mask, minimum: int) -> list[tuple[int, ...]] | None:
    """Return a line from which a hidden count follows and on which something still shows."""
    # Only lines on which a cell still shows: more can be hidden there.
    lines = [line for line in _lines(counts.shape) if not all(hidden[cell] for cell in line)]
    for line in lines:
        inner = [cell for cell in line if hidden[cell] and not _total(cell, counts.shape)]
        few = len(inner) == 1 or _sum(counts, inner) < minimum
        if inner and few and not hidden[line[-1]]:
            return line
    follows = set(_determined(counts.shape, hidden))
    return next((line for line in lines if follows & set(line)), None)


def _sum(counts: Counts, cells: list[tuple[int, ...]]) -> int:
    return int(sum(counts[cell] for cell in cells))


def _total(cell: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return any(place == size - 1 for place, size in zip(cell, shape, strict=True))


def _lines(shape: tuple[int, ...]) -> Iterator[list[tuple[int, ...]]]:
    """Yield each line as its cells, the total last."""
    for axis, size in enumerate(shape):
        others = np.ndindex(*(n for k, n in enumerate(shape) if k != axis))
        for fixed in others:
            yield [(*fixed[:axis], place, *fixed[axis:]) for place in range(size)]


def _determined(shape: tuple[int, ...], hidden: Mask) -> list[tuple[int, ...]]:
    """Return the hidden cells whose count follows from the shown ones."""
    cells = [tuple(map(int, cell)) for cell in np.argwhere(hidden)]
    if not cells:
        return []
    place = {cell: k for k, cell in enumerate(cells)}
    rows = []
    for line in _lines(shape):
        row = np.zeros(len(cells))
        for k, cell in enumerate(line):
            if cell in place:
                row[place[cell]] = -1.0 if k == len(line) - 1 else 1.0
        if row.any():
            rows.append(row)
    # Directions in which hidden cells can vary without any shown cell changing.
    free = _null_space(np.array(rows))
    return [cell for cell, k in place.items() if not np.abs(free[k]).max(initial=0.0) > 1e-9]


def _null_space(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    _, sizes, right = np.linalg.svd(matrix)
    rank = int((sizes > 1e-9).sum())
    return right[rank:].T
