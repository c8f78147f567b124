"""Factors I + A'WA when its largest random term can be eliminated group by group."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Term:
    """One random term: group of each row (n,), its columns (n, q), number of groups."""

    codes: Codes
    columns: Array
    size: int


@dataclass(frozen=True, slots=True)
class Inverse:
    """The parts of M⁻¹ that rows touch: (G, q, q), (G, q, Q) and (Q, Q)."""

    own: Array
    cross: Array
    rest: Array


@dataclass(frozen=True, slots=True)
class Factored:
    """M with its largest term eliminated: D = root root', S = C − B'D⁻¹B."""

    root: Array
    own_inverse: Array
    reduced: Array
    schur: tuple[Array, bool] | None
    log_determinant: float

    def solve(self, right: tuple[Array, Array]) -> tuple[Array, Array]:
        """Return M⁻¹ times a vector, largest term (G, q) and rest (Q,)."""
        own = np.einsum("gab,gb->ga", self.own_inverse, right[0])
        if self.schur is None:
            return own, right[1]
        rest = cho_solve(self.schur, right[1] - np.einsum("gaq,ga->q", self.reduced, right[0]))
        return own - self.reduced @ rest, rest

    def inverse(self) -> Inverse:
        """Return the parts of M⁻¹ that rows touch."""
        if self.schur is None:
            return Inverse(self.own_inverse, self.reduced, np.zeros((0, 0)))
        rest = cho_solve(self.schur, np.eye(self.reduced.shape[2]))
        cross = -self.reduced @ rest
        own = self.own_inverse - cross @ self.reduced.transpose(0, 2, 1)
        return Inverse(own, cross, rest)


class Blocks:
    """Where each row falls in M; nothing here depends on parameters."""

    def __init__(self, largest: Term, *others: Term) -> None:
        self.codes, self.groups, self.q = largest.codes, largest.size, largest.columns.shape[1]
        widths = [term.columns.shape[1] for term in others]
        sizes = [term.size * width for term, width in zip(others, widths, strict=True)]
        firsts = np.cumsum([0, *sizes])
        self.rest = int(firsts[-1])
        self.cuts = np.cumsum(widths)[:-1] if widths else np.array([], dtype=int)
        position = [
            first + term.codes[:, None] * width + np.arange(width)
            for first, term, width in zip(firsts[:-1], others, widths, strict=True)
        ]
        self.at = np.hstack(position) if position else np.zeros((len(self.codes), 0), dtype=int)
        own = self.codes[:, None] * self.q + np.arange(self.q)
        self.cross = own[:, :, None] * self.rest + self.at[:, None, :]
        self.inner = self.at[:, :, None] * self.rest + self.at[:, None, :]
        assert (np.diff(self.codes) >= 0).all(), "rows are sorted by the largest term"
        self.begins = np.searchsorted(self.codes, np.arange(self.groups))

    def sum(self, rows: Array) -> Array:
        """Sum rows (n, …) within the groups of the largest term."""
        total: Array = np.add.reduceat(rows, self.begins, axis=0)
        return total

    def predict(self, a1: Array, a2: Array, u: tuple[Array, Array]) -> Array:
        """Return Au for each row."""
        u1, u2 = self.spread(u)
        own = (a1 * u1).sum(axis=1)
        predicted: Array = own + (a2 * u2).sum(axis=1) if self.rest else own
        return predicted

    def spread(self, u: tuple[Array, Array]) -> tuple[Array, Array]:
        """Return the effects that touch each row."""
        return u[0][self.codes], u[1][self.at]

    def gather(self, a1: Array, a2: Array, rows: Array) -> tuple[Array, Array]:
        """Return A' times a value per row."""
        rest = np.bincount(self.at.ravel(), (a2 * rows[:, None]).ravel(), self.rest)
        return self.sum(a1 * rows[:, None]), rest.astype(np.float64)

    def parts(self, rows: Array) -> list[Array]:
        """Cut columns of the dense part by term."""
        return np.split(rows, self.cuts, axis=1) if self.rest else []

    def factor(self, weight: Array, a1: Array, a2: Array) -> Factored:
        """Factor M = I + A'WA."""
        w1 = a1 * weight[:, None]
        own: Array = np.eye(self.q) + self.sum(w1[:, :, None] * a1[:, None, :])
        root = np.asarray(np.linalg.cholesky(own), dtype=np.float64)
        own_inverse = np.asarray(np.linalg.inv(own), dtype=np.float64)
        log_determinant = 2 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum()
        if not self.rest:
            nothing = np.zeros((self.groups, self.q, 0))
            return Factored(root, own_inverse, nothing, None, float(log_determinant))
        cross = np.bincount(
            self.cross.ravel(),
            (w1[:, :, None] * a2[:, None, :]).ravel(),
            self.groups * self.q * self.rest,
        ).reshape(self.groups, self.q, self.rest)
        inner = np.bincount(
            self.inner.ravel(),
            ((a2 * weight[:, None])[:, :, None] * a2[:, None, :]).ravel(),
            self.rest**2,
        ).reshape(self.rest, self.rest)
        reduced = own_inverse @ cross
        flat = (self.groups * self.q, self.rest)
        schur = np.eye(self.rest) + inner - cross.reshape(flat).T @ reduced.reshape(flat)
        factor = cho_factor(schur, lower=True)
        log_determinant += 2 * np.log(np.diag(factor[0])).sum()
        return Factored(root, own_inverse, reduced, factor, float(log_determinant))

    def rows_of(self, inverse: Inverse, a1: Array, a2: Array) -> tuple[Array, Array]:
        """Return the entries of M⁻¹A' of each row that fall on its own groups."""
        k1 = np.einsum("nab,nb->na", inverse.own[self.codes], a1)
        if not self.rest:
            return k1, a2
        cross = inverse.cross.ravel()[self.cross]
        rest = inverse.rest.ravel()[self.inner]
        k1 += np.einsum("nab,nb->na", cross, a2)
        return k1, np.einsum("nab,na->nb", cross, a1) + np.einsum("nab,nb->na", rest, a2)
