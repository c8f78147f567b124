"""Lower triangles L of the relative covariances Ψ = LL', and how Ψ moves with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from expertise.mixed.columns import Array, Codes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Triangle:
    """Index arrays of a lower triangle of side q, whose elements are (rows, columns)."""

    rows: Codes
    columns: Codes
    each: Codes
    diagonal: NDArray[np.bool_]
    same_column: Array


@cache
def triangle(q: int) -> Triangle:
    """Return the index arrays of side q."""
    rows, columns = np.tril_indices(q)
    return Triangle(
        rows=rows,
        columns=columns,
        each=np.arange(len(rows)),
        diagonal=rows == columns,
        same_column=2.0 * (columns[:, None] == columns[None]),
    )


@cache
def on_diagonal(sizes: tuple[int, ...]) -> NDArray[np.bool_]:
    """Tell for each stacked element of factors of these sizes whether it is a diagonal one."""
    return np.concatenate([np.zeros(0, dtype=bool), *(triangle(q).diagonal for q in sizes)])


def vech(matrix: Array) -> Array:
    """Return the elements of a lower triangle, row by row."""
    at = triangle(len(matrix))
    return np.asarray(matrix[at.rows, at.columns])


def stack(factors: Sequence[Array]) -> Array:
    """Return the stacked lower triangles of the factors."""
    return np.concatenate([vech(L) for L in factors]) if factors else np.zeros(0)


def split(theta: Array, sizes: Sequence[int]) -> Iterator[Array]:
    """Yield the factors whose stacked lower triangles are theta."""
    at = 0
    for q in sizes:
        L = np.zeros((q, q))
        index = triangle(q)
        L[index.rows, index.columns] = theta[at : at + len(index.rows)]
        at += len(index.rows)
        yield L


def bend(slope: Array) -> Array:
    """Return the second derivative of tr(slope · LL') by the elements of L."""
    at = triangle(len(slope))
    return np.asarray(slope[at.rows[:, None], at.rows[None]] * at.same_column)


def diagonal(blocks: Sequence[Array]) -> Array:
    """Return the block-diagonal matrix of square blocks."""
    if len(blocks) == 1:
        return blocks[0]
    size = sum(len(block) for block in blocks)
    out = np.zeros((size, size))
    at = 0
    for block in blocks:
        out[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return out
