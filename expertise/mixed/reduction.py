"""Reduces the rows of a design, once, to the sums that a linear mixed model needs."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy import sparse

from expertise.errors import DesignError
from expertise.mixed.blocks import Blocks, choose_blocks
from expertise.mixed.columns import Array, Codes
from expertise.mixed.compress import Groups, compressed, equal_rows
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


_FEW = 50  # groups up to which compressing costs more than it saves


Parts = list[tuple[Codes, Array]]  # levels (n,) and columns (n, q) that add up to a random term


class Whitening(Protocol):
    """Turns rows with correlated or unequal residuals into rows with independent, equal ones."""

    @property
    def log_det(self) -> float:
        """Log-determinant of the precision that is taken out."""

    def __call__(self, rows: Array) -> Array:
        """Return the rows (n, k) whitened."""

    def of_term(self, codes: Codes, columns: Array) -> Parts:
        """Return what the columns (n, q) of a random term become, with the level of each row."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """Well-conditioned columns of a design, before anything is summed."""

    design: Design
    W: Array
    Z: tuple[Array, ...]
    blocks: Blocks
    units: Units


def prepare(design: Design, together: Codes | None = None) -> Prepared:
    """Make the columns of a design orthonormal and take the ordinary fit out of the outcome.

    `together` (n,) codes rows that a whitening mixes: no block parts them.
    """
    X, T = orthonormal(design.X)
    y = design.y if design.offset is None else design.y - design.offset
    y, shift = _residual(X, y)
    inner = [orthonormal(term.Z) for term in design.random]
    units = Units(X=T, shift=T @ shift, Z=tuple(root for _, root in inner), log_det=0.0)
    return Prepared(
        design=design,
        W=np.concatenate([X, y[:, None]], axis=1),
        Z=tuple(columns for columns, _ in inner),
        blocks=choose_blocks(design.random, together),
        units=units,
    )


def reduce_rows(prepared: Prepared, whitening: Whitening | None = None) -> Reduction:
    """Form the sums, of whitened rows where a whitening is given."""
    W, units, design = prepared.W, prepared.units, prepared.design
    Z: list[Parts] = [[(term.codes, columns)]
                      for term, columns in zip(design.random, prepared.Z, strict=True)]  # fmt: skip
    if design.weights is not None:
        root = np.sqrt(design.weights)[:, None]
        W, Z = W * root, [[(codes, columns * root)] for [(codes, columns)] in Z]
        units = replace(units, log_det=float(np.log(design.weights).sum()))
    if whitening is not None:
        W, Z = whitening(W), [whitening.of_term(*part) for [part] in Z]
        units = replace(units, log_det=units.log_det + whitening.log_det)
    every, total = _cross_products(prepared.blocks, Z, W)
    return Reduction(
        n=len(W), p=W.shape[1] - 1, blocks=prepared.blocks, groups=_fewer(every, W.shape[1]),
        every=every, total=total, units=units,
    )  # fmt: skip


def _fewer(every: Groups, w: int) -> Groups:
    return every if every.V.shape[1] <= _FEW else compressed(every, w)


class Redraw:
    """The sums of a design for any outcome: only what the outcome enters is formed anew."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared, self.first = prepared, reduce_rows(prepared)
        design, blocks = prepared.design, prepared.blocks
        self.root = np.ones(len(prepared.W)) if design.weights is None else np.sqrt(design.weights)
        n, m, d = len(self.root), blocks.width, blocks.dense
        parts = zip(design.random, prepared.Z, strict=True)
        inside, outside = _entries(blocks, [[(term.codes, columns)] for term, columns in parts])
        block = [(blocks.block * m + at, x * self.root) for at, x in inside]
        self.E = _sparse(block, n, blocks.n_blocks * m)
        self.C = _sparse([(at, x * self.root) for at, x in outside], n, d)

    def __call__(self, y: Array) -> Reduction:
        """Return the reduction of the design with outcome y (n,), its offset taken out."""
        X = self.prepared.W[:, :-1]
        rest, shift = _residual(X, y)
        y, X = rest * self.root, X * self.root[:, None]
        first, d = self.first, self.prepared.blocks.dense
        total, V = first.total.copy(), first.every.V.copy()
        V[:, :, -1] = (self.E @ y).reshape(V.shape[1], V.shape[0]).T
        total[-1] = total[:, -1] = np.concatenate([self.C @ y, X.T @ y, [y @ y]])
        every = replace(first.every, V=V)
        return replace(
            first, total=total, every=every, groups=_fewer(every, len(total) - d),
            units=replace(first.units, shift=first.units.X @ shift),
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


def _cross_products(blocks: Blocks, Z: list[Parts], W: Array) -> tuple[Groups, Array]:
    n, w = W.shape
    m, G, d = blocks.width, blocks.n_blocks, blocks.dense
    inside, outside = _entries(blocks, Z)
    grams = np.zeros((G, m, m))
    for i, (left, x) in enumerate(inside):
        for right, z in inside[: i + 1]:
            key = (blocks.block * m + left) * m + right
            sums = np.bincount(key, x * z, G * m * m).reshape(G, m, m)
            grams += sums if right is left else sums + sums.transpose(0, 2, 1)
    E = _sparse([(blocks.block * m + at, x) for at, x in inside], n, G * m)
    V = np.asarray(E @ W).reshape(G, m, w)
    total = np.empty((d + w, d + w))
    total[d:, d:] = W.T @ W
    B = None
    if d:
        C = _sparse(outside, n, d)
        total[:d, :d] = (C @ C.T).toarray()
        total[:d, d:] = C @ W
        total[d:, :d] = total[:d, d:].T
        B = (E @ C.T).tocsr()
        if B.nnz >= 0.2 * G * m * d:
            V, B = np.concatenate([B.toarray().reshape(G, m, d), V], axis=2), None
    pattern, first = equal_rows(grams.reshape(G, m * m))
    groups = Groups(
        grams=grams[first],
        counts=np.bincount(pattern, minlength=len(first)).astype(np.float64),
        pattern=pattern,
        V=np.ascontiguousarray(V.transpose(1, 0, 2)),
        B=B,
        weight=np.ones(G),
    )
    return groups, total


Entries = list[tuple[Codes, Array]]


def _entries(blocks: Blocks, Z: list[Parts]) -> tuple[Entries, Entries]:
    """Return the column and value of each random coefficient of a row: in blocks, and crossed."""
    inside: Entries = []
    outside: Entries = []
    for place, parts in zip(blocks.places, Z, strict=True):
        here = inside if place.inside else outside
        for codes, columns in parts:
            at = place.start + (place.slot[codes] if place.inside else codes) * place.q
            here += [(at + a, columns[:, a]) for a in range(place.q)]
    return inside, outside


def _sparse(columns: list[tuple[Codes, Array]], n: int, width: int) -> sparse.csc_array:
    """Return Z' (width, n) of rows Z that hold one value in each of the given columns."""
    k = len(columns)
    at = np.empty((n, k), dtype=np.int32 if max(n * k, width) < 2**31 else np.int64)
    values = np.empty((n, k))
    for a, (index, x) in enumerate(columns):
        at[:, a], values[:, a] = index, x
    ends = np.arange(n + 1, dtype=at.dtype) * at.dtype.type(k)
    return sparse.csc_array((values.ravel(), at.ravel(), ends), shape=(width, n))
