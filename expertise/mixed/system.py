"""The mixed-model equations at one set of relative factors, factorised block by block.

Inner coordinates are spherical: b = Λ u with u of variance σ², so that
M = I + Λ'Z'ZΛ is never singular. The groups are eliminated block by block;
one dense Schur complement holds what is crossed.

Reference: Bates, Mächler, Bolker & Walker (2015), doi:10.18637/jss.v067.i01.
"""

from collections.abc import Sequence

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from expertise.errors import FitError
from expertise.mixed.blocks import own_sum, spread
from expertise.mixed.columns import Array
from expertise.mixed.pairs import Pairs
from expertise.mixed.reduction import Reduction
from expertise.mixed.roots import identity, inverse_root


class System:
    """Factorised equations: `solve` applies M⁻¹, `W` holds what H⁻¹ makes of [X y].

    `spheres` is M⁻¹Λ'Z'[X y] as blocks (m, groups, w) and crossed part (d, w).
    """

    def __init__(
        self, reduction: Reduction, factors: Sequence[Array], pairs: Pairs | None = None
    ) -> None:
        self.blocks, self.groups = reduction.blocks, reduction.groups
        self.factors, self.pairs = factors, pairs
        m, d = self.blocks.width, self.blocks.dense
        self.lam = np.zeros((m, m))
        for place, L in zip(self.blocks.places, factors, strict=True):
            if place.inside:
                spread(L, place, self.lam)
        grams = self.lam.T @ self.groups.grams @ self.lam
        self.inverse, log_det = invert(grams + identity(m))
        self.log_det = float(self.groups.counts @ log_det)
        V = self._left(self.groups.V)
        self.right = V[:, :, d:] if self.groups.B is None else V
        self.crossed = self._crossed(V[:, :, :d]) if d and self.groups.B is None else None
        total = reduction.total
        if d:
            self._factor_dense(total[:d, :d])
        self.right_dense = self.scale(total[:d, d:]) if d else total[:0]
        self.spheres = self.solve(self.right, self.right_dense)
        w = total.shape[0] - d
        flat = m * self.right.shape[1]
        explained = self.right.reshape(flat, w).T @ self.spheres[0].reshape(flat, w)
        if d:
            explained += self.right_dense.T @ self.spheres[1]
        self.W = total[d:, d:] - explained

    def _crossed(self, C: Array) -> Array:
        m, G, d = C.shape
        return np.ascontiguousarray(self.scale(C.reshape(m * G, d).T).T).reshape(m, G, d)

    def _factor_dense(self, total: Array) -> None:
        S = self.scale(self.scale(total).T)
        if self.crossed is not None:
            self.F = self.by_pattern(self.crossed)
            d = len(S)
            S = S - self.crossed.reshape(-1, d).T @ self.F.reshape(-1, d)
        elif self.pairs is not None:
            K = self.lam @ self.inverse @ self.lam.T
            S = S - self.scale(self.scale(self.pairs.outer(K[self.groups.pattern])).T)
        S[np.diag_indices_from(S)] += 1.0
        self.root, failed = dpotrf(S, lower=1, overwrite_a=1)
        if failed:
            raise FitError("the crossed part of the equations lost its precision; rescale the data")
        self.log_det += 2 * float(np.log(np.diag(self.root)).sum())

    def scale(self, rows: Array) -> Array:
        """Return Λ_C' rows for the crossed part, rows (d, r)."""
        return self._times(rows, [L.T for L in self.factors])

    def unscale(self, rows: Array) -> Array:
        """Return Λ_C rows for the crossed part, rows (d, r)."""
        return self._times(rows, self.factors)

    def _times(self, rows: Array, matrices: Sequence[Array]) -> Array:
        out, r = np.empty_like(rows), rows.shape[1]
        for place, matrix in zip(self.blocks.places, matrices, strict=True):
            if not place.inside:
                part = rows[place.span].reshape(place.size, place.q, r)
                out[place.span] = np.einsum("ab,sbr->sar", matrix, part).reshape(
                    place.size * place.q, r
                )
        return out

    def _left(self, V: Array) -> Array:
        """Return Λ'V for the blocks, V (m, groups, r)."""
        return (self.lam.T @ _wide(V)).reshape(V.shape)

    def by_pattern(self, V: Array) -> Array:
        """Multiply each group of V (m, groups, r) by the inverse block of its pattern."""
        if len(self.inverse) == 1:
            return np.asarray(self.inverse[0] @ _wide(V)).reshape(V.shape)
        each = self.inverse[self.groups.pattern]
        if len(V) == 1:
            return np.asarray(each.reshape(1, -1, 1) * V)
        return np.ascontiguousarray((each @ V.transpose(1, 0, 2)).transpose(1, 0, 2))

    def cross(self, dense: Array) -> Array:
        """Return Λ'BΛ_C dense as blocks, dense (d, r)."""
        m, G = len(self.lam), len(self.groups.pattern)
        if self.crossed is not None:
            return (self.crossed.reshape(m * G, len(dense)) @ dense).reshape(m, G, dense.shape[1])
        rows = (self.groups.B @ self.unscale(dense)).reshape(G, m, -1)
        return self._left(np.ascontiguousarray(rows.transpose(1, 0, 2)))

    def uncross(self, V: Array) -> Array:
        """Return Λ_C'B'Λ V, shape (d, r), for blocks V (m, groups, r)."""
        if self.crossed is not None:
            rows = V.shape[0] * V.shape[1]
            return self.crossed.reshape(rows, self.blocks.dense).T @ V.reshape(rows, V.shape[2])
        rows = (self.lam @ _wide(V)).reshape(V.shape).transpose(1, 0, 2)
        return self.scale(self.groups.B.T @ rows.reshape(-1, V.shape[2]))

    def solve(self, V: Array, dense: Array) -> tuple[Array, Array]:
        """Return M⁻¹ times (blocks V (m, groups, r), crossed rows dense (d, r))."""
        first = self.by_pattern(V)
        if not self.blocks.dense:
            return first, dense
        below = dpotrs(self.root, dense - self.uncross(first), lower=1)[0]
        return first - self.by_pattern(self.cross(below)), below

    def inverse_sums(self) -> list[Array]:
        """Return per term the sum over levels of (I − M⁻¹)'s own (q, q) block."""
        m, d = self.blocks.width, self.blocks.dense
        weight = self.groups.counts
        inner = identity(m) * weight.sum() - (
            weight @ self.inverse.reshape(len(weight), m * m)
        ).reshape(m, m)
        if d:
            dense = dense_inverse(self.root)
        if self.pairs is not None:
            C = self.unscale(self.unscale(dense).T)
            H = np.zeros_like(self.inverse)
            np.add.at(H, self.groups.pattern, self.pairs.inner(C))
            inner -= (self.inverse @ self.lam.T @ H @ self.lam @ self.inverse).sum(axis=0)
        FC = (self.F.reshape(-1, d) @ dense) if self.crossed is not None else None
        sums = []
        for place in self.blocks.places:
            q = place.q
            if not place.inside:
                sums.append(np.eye(q) * place.size - own_sum(dense, place))
                continue
            own = own_sum(inner, place)
            if FC is not None:
                left = self.F.reshape(m, -1)[place.span].reshape(place.slots, q, -1)
                right = FC.reshape(m, -1)[place.span].reshape(place.slots, q, -1)
                own = own - np.tensordot(left, right, ([0, 2], [0, 2]))
            sums.append(own)
        return sums

    def levels(self, solved: tuple[Array, Array]) -> list[Array]:
        """Return per term the rows of a solution by coefficient, shape (q, levels, r).

        The levels of a term inside the blocks run over slots, then groups.
        """
        out = []
        for place in self.blocks.places:
            r = solved[1].shape[1]
            if place.inside:
                blocks = solved[0][place.span].reshape(place.slots, place.q, -1, r)
                out.append(blocks.transpose(1, 0, 2, 3).reshape(place.q, -1, r))
            else:
                out.append(solved[1][place.span].reshape(place.size, place.q, r).transpose(1, 0, 2))
        return out


def _wide(V: Array) -> Array:
    return V.reshape(len(V), V.shape[1] * V.shape[2])


def dense_inverse(root: Array) -> Array:
    """Return the inverse of the matrix whose lower Cholesky root is given."""
    half = dpotri(root, lower=1)[0]
    return np.asarray(np.tril(half) + np.tril(half, -1).T)


def invert(M: Array) -> tuple[Array, Array]:
    """Return inverse and log-determinant of positive definite matrices (k, m, m).

    Many small ones are swept together, few large ones by Cholesky.
    """
    k, m = M.shape[:2]
    if m <= 6 and k > 8:
        out, log_det = M.transpose(1, 2, 0).copy(), np.zeros(k)
        for j in range(m):
            pivot = out[j, j].copy()
            log_det += np.log(pivot)
            row = out[j] / pivot
            column = out[:, j].copy()
            out -= column[:, None] * row[None]
            out[j], out[:, j] = row, -column / pivot
            out[j, j] = 1 / pivot
        return np.ascontiguousarray(out.transpose(2, 0, 1)), log_det
    roots = np.array([inverse_root(one) for one in M]).reshape(M.shape)
    log_det = -2 * np.log(roots.diagonal(axis1=1, axis2=2)).sum(axis=1)
    return roots.transpose(0, 2, 1) @ roots, log_det
