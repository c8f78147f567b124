"""Sums over pairs of sparse entries that share a block: Schur complement and its adjoint."""

from typing import Any

import numpy as np
from scipy import sparse

from expertise.mixed.columns import Array


class Pairs:
    """For blocks B_l (m, d) of a sparse B: the sum of B_l' K_l B_l, and every B_l C B_l'.

    Each unordered pair of entries of a block is held once; a matrix and its
    transpose give the whole.
    """

    def __init__(self, B: Any, m: int) -> None:
        self.m, self.d = m, B.shape[1]
        self.blocks = B.shape[0] // m
        ends = B.indptr[::m].astype(np.intp)
        count = np.diff(ends)
        rank = np.arange(B.nnz) - np.repeat(ends[:-1], count)
        first = np.repeat(np.arange(B.nnz), rank + 1)
        within = np.arange(len(first)) - np.repeat(np.cumsum(rank + 1) - rank - 1, rank + 1)
        second = np.repeat(np.repeat(ends[:-1], count), rank + 1) + within
        value = B.data[first] * B.data[second] * np.where(first == second, 0.5, 1.0)
        cell = B.indices[first].astype(np.int64) * self.d + B.indices[second]
        row = np.repeat(np.arange(B.shape[0]), np.diff(B.indptr))
        key = row[first] * m + row[second] % m
        shape = (self.blocks * m * m, self.d**2)
        if m == 1:
            pairs = np.concatenate([[0], np.cumsum(count * (count + 1) // 2)])
            self.matrix = sparse.csr_array((value, cell, pairs), shape=shape)
        else:
            self.matrix = sparse.coo_array((value, (key, cell)), shape=shape).tocsr()

    def outer(self, K: Array) -> Array:
        """Return the sum over blocks of B_l' K_l B_l, shape (d, d), for K (blocks, m, m)."""
        half = (self.matrix.T @ K.ravel()).reshape(self.d, self.d)
        return np.asarray(half + half.T)

    def inner(self, C: Array) -> Array:
        """Return B_l C B_l' of every block, shape (blocks, m, m), for a symmetric C (d, d)."""
        half = (self.matrix @ C.ravel()).reshape(self.blocks, self.m, self.m)
        return np.asarray(half + half.transpose(0, 2, 1))
