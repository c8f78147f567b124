"""Reduces the rows of a design, once, to the sums that a linear mixed model needs.

Groups that share the cross-products of Z form a pattern. Within a pattern,
and within a cell of equal crossed memberships, an orthogonal turn leaves one
mean and deviations whose triangular factor says all; the work of an
evaluation then depends on the number of patterns, not of people.
"""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from scipy import sparse
from scipy.linalg import qr

from expertise.errors import DesignError
from expertise.mixed.blocks import Blocks, choose_blocks
from expertise.mixed.columns import Array, Codes
from expertise.mixed.design import Design
from expertise.mixed.scaling import orthonormal


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Units:
    """From inner columns back to the user's: beta = shift + X @ inner, G = Z[k] @ inner @ Z[k]'.

    `log_det` is the log-determinant of the precision of the residuals over 1/σ².
    """

    X: Array
    shift: Array
    Z: tuple[Array, ...]
    log_det: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """Cross-products per block: `grams` of the patterns with `counts`, V and which pattern each has.

    V (m, groups, d + w) holds Z'[C X y] where the crossed columns C are kept
    dense, Z'[X y] where they are kept in the sparse B (groups · m, d).
    """

    grams: Array
    counts: Array
    pattern: Codes
    V: Array
    B: Any


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reduction:
    """All that is left of n rows: groups compressed for the fit, and as they are for the modes.

    `total` (d + w, d + w) holds the cross-products of [C X y], w = p + 1.
    """

    n: int
    p: int
    blocks: Blocks
    groups: Groups
    every: Groups
    total: Array
    units: Units


class Whitening(Protocol):
    """Turns rows with correlated or unequal residuals into rows with independent, equal ones."""

    log_det: float

    def __call__(self, rows: Array) -> Array:
        """Return the rows (n, k) whitened."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """Well-conditioned columns of a design, before anything is summed."""

    design: Design
    W: Array
    Z: tuple[Array, ...]
    blocks: Blocks
    units: Units


def prepare(design: Design) -> Prepared:
    """Make the columns of a design orthonormal and take the ordinary fit out of the outcome."""
    X, T = orthonormal(design.X)
    y = design.y if design.offset is None else design.y - design.offset
    y, shift = _residual(X, y)
    inner = [orthonormal(term.Z) for term in design.random]
    units = Units(X=T, shift=T @ shift, Z=tuple(root for _, root in inner), log_det=0.0)
    return Prepared(
        design=design,
        W=np.column_stack([X, y]),
        Z=tuple(columns for columns, _ in inner),
        blocks=choose_blocks(design.random),
        units=units,
    )


def reduce_rows(prepared: Prepared, whitening: Whitening | None = None) -> Reduction:
    """Form the sums, of whitened rows where a whitening is given."""
    W, Z, units = prepared.W, list(prepared.Z), prepared.units
    weights = prepared.design.weights
    if weights is not None:
        root = np.sqrt(weights)[:, None]
        W, Z = W * root, [columns * root for columns in Z]
        units = replace(units, log_det=float(np.log(weights).sum()))
    if whitening is not None:
        W, Z = whitening(W), [whitening(columns) for columns in Z]
        units = replace(units, log_det=units.log_det + whitening.log_det)
    every, total = _cross_products(prepared.design, prepared.blocks, Z, W)
    return Reduction(
        n=len(W), p=W.shape[1] - 1, blocks=prepared.blocks, groups=compress(every, W.shape[1]),
        every=every, total=total, units=units,
    )  # fmt: skip


def _residual(X: Array, y: Array) -> tuple[Array, Array]:
    """Take the ordinary fit out of y, twice, so that what is left keeps its digits."""
    first = X.T @ y / len(y)
    rest = y - X @ first
    second = X.T @ rest / len(y)
    rest = rest - X @ second
    if np.linalg.norm(rest) <= 1e-12 * np.linalg.norm(y - y.mean()):
        raise DesignError("the fixed effects reproduce the outcome exactly: no variation is left")
    return rest, first + second


def _cross_products(
    design: Design, blocks: Blocks, Z: list[Array], W: Array
) -> tuple[Groups, Array]:
    n, w = W.shape
    m, G, d = blocks.width, blocks.n_blocks, blocks.dense
    inside: list[tuple[Codes, Array]] = []
    outside: list[tuple[Codes, Array]] = []
    for term, place, columns in zip(design.random, blocks.places, Z, strict=True):
        at = place.slot[term.codes] if place.inside else term.codes
        for a in range(place.q):
            here = inside if place.inside else outside
            here.append((place.start + at * place.q + a, columns[:, a]))
    grams = np.zeros((G, m, m))
    for i, (left, x) in enumerate(inside):
        for right, z in inside[: i + 1]:
            key = (blocks.block * m + left) * m + right
            sums = np.bincount(key, x * z, G * m * m).reshape(G, m, m)
            grams += sums if right is left else sums + sums.transpose(0, 2, 1)
    E = _sparse([(blocks.block * m + at, x) for at, x in inside], n, G * m)
    V = np.asarray(E.T @ W).reshape(G, m, w)
    total = np.empty((d + w, d + w))
    total[d:, d:] = W.T @ W
    B = None
    if d:
        C = _sparse(outside, n, d)
        total[:d, :d] = (C.T @ C).toarray()
        total[:d, d:] = C.T @ W
        total[d:, :d] = total[:d, d:].T
        B = (E.T @ C).tocsr()
        if B.nnz > 0.2 * G * m * d:
            V, B = np.concatenate([B.toarray().reshape(G, m, d), V], axis=2), None
    pattern, first = equal_rows(grams.reshape(G, -1))
    groups = Groups(
        grams=grams[first],
        counts=np.bincount(pattern, minlength=len(first)).astype(np.float64),
        pattern=pattern,
        V=np.ascontiguousarray(V.transpose(1, 0, 2)),
        B=B,
    )
    return groups, total


def _sparse(columns: list[tuple[Codes, Array]], n: int, width: int) -> sparse.csr_array:
    """Return the matrix whose every row holds one value in each of the given columns."""
    at = np.column_stack([index for index, _ in columns]) if columns else np.zeros((n, 0), int)
    values = np.column_stack([x for _, x in columns]) if columns else np.zeros((n, 0))
    ends = np.arange(n + 1) * len(columns)
    return sparse.csr_array((values.ravel(), at.ravel(), ends), shape=(n, width))


def equal_rows(rows: Array) -> tuple[Codes, Codes]:
    """Return a code per row, equal for equal rows, and the first row of each code."""
    weights = np.random.default_rng(0).uniform(1, 2, rows.shape[1])
    _, first, code = np.unique(rows @ weights, return_index=True, return_inverse=True)
    if np.array_equal(rows[first][code], rows):
        return code, first
    return np.arange(len(rows)), np.arange(len(rows))


def counts_left(counts: Array, squeeze: Array, cells: Array, most: int) -> float:
    """Return how many groups are left after the patterns to `squeeze` are compressed."""
    return float(np.where(squeeze, cells + np.minimum(counts, most), counts).sum())


def compress(every: Groups, w: int) -> Groups:
    """Replace the groups of a pattern by the means of its cells and the factor of its deviations."""
    m, G, columns = every.V.shape
    d = columns - w if every.B is None else every.B.shape[1]
    if not m:
        return every
    if d:
        side = every.V[:, :, : columns - w].transpose(1, 0, 2).reshape(G, -1)
        if every.B is not None:
            side = (every.B @ np.random.default_rng(1).uniform(1, 2, d)).reshape(G, m)
        cell, first = equal_rows(np.column_stack([every.pattern, side]))
    else:
        cell, first = every.pattern, np.unique(every.pattern, return_index=True)[1]
    cells = np.bincount(every.pattern[first]) * bool(d)
    squeeze = cells + np.minimum(every.counts, m * w) < every.counts
    if counts_left(every.counts, squeeze, cells, m * w) > 0.7 * G:
        return every
    kept = np.flatnonzero(~squeeze[every.pattern])
    means = np.flatnonzero(squeeze[every.pattern[first]]) if d else first[:0]
    size = np.bincount(cell, minlength=len(first))
    at, root = first[means], np.sqrt(size[means])
    fixed = every.V[:, :, columns - w :].transpose(1, 0, 2)
    centre = np.zeros((len(first), m, w))
    if d:
        np.add.at(centre, cell, fixed)
        centre /= size[:, None, None]
    V, pattern = [every.V[:, kept]], [every.pattern[kept]]
    mean = every.V[:, at].copy()
    mean[:, :, columns - w :] = centre[means].transpose(1, 0, 2)
    V.append(mean * root[:, None])
    pattern.append(every.pattern[at])
    order = np.argsort(every.pattern, kind="stable")
    ends = np.cumsum(every.counts).astype(int)
    for code in np.flatnonzero(squeeze):
        rows = order[ends[code] - int(every.counts[code]) : ends[code]]
        deviation = (fixed[rows] - centre[cell[rows]]).reshape(len(rows), m * w)
        factor = qr(deviation, mode="r", check_finite=False)[0][: m * w]
        block = np.zeros((m, len(factor), columns))
        block[:, :, columns - w :] = factor.reshape(-1, m, w).transpose(1, 0, 2)
        V.append(block)
        pattern.append(np.full(len(factor), code))
    B = every.B
    if B is not None:
        rest = sum(len(codes) for codes in pattern[2:])
        rows = np.concatenate([kept, at])
        scale = np.repeat(np.concatenate([np.ones(len(kept)), root]), m)
        picked = B[(rows[:, None] * m + np.arange(m)).ravel()]
        scaled = sparse.dia_array((scale[None], [0]), shape=(len(scale), len(scale))) @ picked
        B = sparse.vstack([scaled, sparse.csr_array((rest * m, d))]).tocsr()
    return Groups(
        grams=every.grams, counts=every.counts, pattern=np.concatenate(pattern),
        V=np.ascontiguousarray(np.concatenate(V, axis=1)), B=B,
    )  # fmt: skip
