"""Draws people anew for a model of variances: one scoring step from its estimate.

People are independent given the levels that cross them, so the slope of the
likelihood of a draw is made of sums over people, formed once at the estimate
and weighted by how often each was drawn: a person drawn twice counts as two.
With expected information the step is exact where data are balanced and all
variances positive; elsewhere its error is of second order in its length.

Reference: Longford (1987), doi:10.1093/biomet/74.4.817 (scoring by groups).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import nnls

from expertise.errors import DesignError
from expertise.mixed.columns import Array, Codes
from expertise.mixed.fit import MixedFit
from expertise.mixed.scaling import orthonormal

_AT_ONCE = 100  # draws summed in one product of matrices


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resampled:
    """Estimates of every draw, one scoring step from those of the data.

    variances (draws, terms + 1): of each random term in the formula's order,
    then of the residuals; beta (draws, p) and its covariances (draws, p, p);
    `length` (draws,) of each step, in standard errors of the variances taken
    together: the longer, the rougher.
    """

    variances: Array
    beta: Array
    covariances: Array
    length: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sums:
    """What the slope at fixed variances needs of one set of people.

    With U = [C X y] (C the crossed levels), V a person's covariance given
    those, and Z_k the levels of term k within the person: `A` sums U'V⁻¹U and
    `B` (terms, ·, ·) U'V⁻¹Z_kZ_k'V⁻¹U; `trace` (terms,) sums tr Z_k'V⁻¹Z_k,
    `n` rows.
    """

    A: Array
    B: Array
    trace: Array
    n: float


class People:
    """The rows of a fit person by person, and the sums of any draw of them."""

    def __init__(self, fit: MixedFit, person: Codes) -> None:
        design, self.scale = fit.design, fit.sigma or 1.0
        if any(term.Z.shape[1] != 1 for term in design.random):
            raise DesignError("people are drawn anew for random intercepts only, not for slopes")
        self.variances = np.array(
            [float(G[0, 0]) / self.scale**2 for G in fit.solution.covariances] + [1.0]
        )
        X, self.turn = orthonormal(design.X)
        self.centre = fit.beta
        y = (design.y - design.X @ fit.beta) / self.scale
        own = [_within(term.codes, person) for term in design.random]
        self.inside = [at for at, is_own in enumerate(own) if is_own]
        crossed = [at for at, is_own in enumerate(own) if not is_own]
        sizes = [design.random[at].size for at in crossed]
        ends = np.cumsum([0, *sizes])
        self.spans = {at: slice(ends[i], ends[i + 1]) for i, at in enumerate(crossed)}
        C = [np.eye(design.random[at].size)[design.random[at].codes] * design.random[at].Z
             for at in crossed]  # fmt: skip
        self.U, self.d, self.p = np.column_stack([*C, X, y]), int(ends[-1]), X.shape[1]
        self.Z = [(design.random[at].codes, design.random[at].Z[:, 0]) for at in self.inside]
        order = np.argsort(person, kind="stable")
        self.rows = np.split(order, np.cumsum(np.bincount(person))[:-1])
        self.corner = np.triu_indices(self.U.shape[1])
        self._form()

    def _form(self) -> None:
        """Form the sums of every person, and what the expected information adds."""
        k, w, here = len(self.inside), self.U.shape[1], self.variances[self.inside]
        packed, self.square, self.sandwich = [], np.zeros((k, k)), np.zeros((k, k, w, w))
        for rows in self.rows:
            parts = [_indicators(codes[rows], z[rows]) for codes, z in self.Z]
            U, Z = self.U[rows], np.column_stack([np.zeros((len(rows), 0)), *parts])
            ends = np.cumsum([0, *(part.shape[1] for part in parts)])
            root = np.sqrt(np.repeat(here, np.diff(ends)))
            ZU, ZZ = Z.T @ U, Z.T @ Z
            M = np.eye(len(root)) + root[:, None] * ZZ * root
            R = root[:, None] * np.linalg.inv(M) * root
            F, G = ZU - ZZ @ R @ ZU, ZZ - ZZ @ R @ ZZ
            spans = [slice(a, b) for a, b in pairwise(ends)]
            B = [F[one].T @ F[one] for one in spans]
            A = U.T @ U - ZU.T @ R @ ZU
            packed.append(np.concatenate([
                *(part[self.corner] for part in (A, *B)),
                [np.trace(G[one, one]) for one in spans], [len(rows)],
            ]))  # fmt: skip
            for a, one in enumerate(spans):
                for b, other in enumerate(spans):
                    self.square[a, b] += (G[one, other] ** 2).sum()
                    self.sandwich[a, b] += F[one].T @ G[one, other] @ F[other]
        self.packed = np.array(packed)

    def sums(self, flat: Array) -> Sums:
        """Unpack the sums of one draw."""
        w, k, size = self.U.shape[1], len(self.inside), len(self.corner[0])
        square = np.zeros((k + 1, w, w))
        square[:, *self.corner] = flat[: (k + 1) * size].reshape(k + 1, size)
        whole = square + np.triu(square, 1).transpose(0, 2, 1)
        return Sums(A=whole[0], B=whole[1:], trace=flat[-k - 1 : -1], n=float(flat[-1]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solved:
    """The equations of crossed levels and fixed effects at the estimated variances.

    J is their inverse (zero for levels without variance); `gamma` gives what is
    left of y; traces and squares (terms + 1,) are tr PD_k and y'PD_kPy.
    """

    J: Array
    gamma: Array
    traces: Array
    squares: Array


def solved(people: People, sums: Sums) -> Solved:
    """Solve the equations of one draw, and form both halves of its slope."""
    d, p, s2 = people.d, people.p, people.variances
    root = np.ones(d + p)
    for at, span in people.spans.items():
        root[span] = np.sqrt(s2[at])
    A, a = sums.A[:-1, :-1], sums.A[:-1, -1]
    K = root[:, None] * A * root
    K[np.arange(d), np.arange(d)] += 1.0
    J = root[:, None] * cho_solve(cho_factor(K, lower=True), np.diag(root))
    gamma = np.append(-J @ a, 1.0)
    traces, squares = np.empty(len(s2)), np.empty(len(s2))
    inner = sums.B[:, :-1, :-1]
    traces[people.inside] = sums.trace - (inner * J).sum(axis=(1, 2))
    squares[people.inside] = np.einsum("i,kij,j->k", gamma, sums.B, gamma, optimize=True)
    left, AJ = sums.A @ gamma, A @ J
    for at, span in people.spans.items():
        traces[at] = np.trace(A[span, span]) - (AJ[span] * A[span]).sum()
        squares[at] = left[span] @ left[span]
    # tr PV = n − p and PVP = P say what is left for the residuals.
    traces[-1] = sums.n - p - s2[:-1] @ traces[:-1]
    squares[-1] = left[-1] - s2[:-1] @ squares[:-1]
    return Solved(J=J, gamma=gamma, traces=traces, squares=squares)


def information(people: People, sums: Sums, at: Solved) -> Array:
    """Return tr PD_kPD_l of every two variances: twice the expected information."""
    s2, inside, spans = people.variances, people.inside, people.spans
    out = np.zeros((len(s2), len(s2)))
    A, J, B = sums.A[:-1, :-1], at.J, sums.B[:, :-1, :-1]
    BJ = B @ J
    for i, k in enumerate(inside):
        for j, m in enumerate(inside):
            cross = (people.sandwich[i, j, :-1, :-1] * J).sum()
            out[k, m] = people.square[i, j] - 2 * cross + (BJ[i] * BJ[j].T).sum()
    R = np.eye(len(J)) - J @ A
    AR = A @ R
    for k, span in spans.items():
        for i, m in enumerate(inside):
            out[k, m] = out[m, k] = ((B[i] @ R[:, span]) * R[:, span]).sum()
        for m, other in spans.items():
            out[k, m] = (AR[span, other] ** 2).sum()
    out[-1, :-1] = out[:-1, -1] = at.traces[:-1] - out[:-1, :-1] @ s2[:-1]
    out[-1, -1] = at.traces[-1] - out[-1, :-1] @ s2[:-1]
    return out


def resample(fit: MixedFit, person: Codes, counts: NDArray[np.intp]) -> Resampled:
    """Estimate a model of variances anew for draws of people.

    Parameters
    ----------
    fit : MixedFit
        A gaussian model with random intercepts, fitted by REML.
    person : int array, shape (n,)
        Who each row is about, 0, 1, …; a grouping whose every level belongs
        to one person is drawn with that person, others cross all people.
    counts : int array, shape (draws, people)
        How often each draw holds each person.

    Returns
    -------
    Resampled

    Raises
    ------
    DesignError
        For random slopes.
    """
    people = People(fit, person)
    whole = people.sums(people.packed.sum(axis=0))
    known = information(people, whole, solved(people, whole))
    root = np.linalg.cholesky(known).T
    variances, betas, covariances, lengths = [], [], [], []
    for start in range(0, len(counts), _AT_ONCE):
        for flat in counts[start : start + _AT_ONCE].astype(np.float64) @ people.packed:
            sums = people.sums(flat)
            at = solved(people, sums)
            step = np.linalg.solve(known, at.squares - at.traces)
            there = nnls(root, root @ (people.variances + step))[0]
            step = there - people.variances
            beta, covariance = _fixed(people, sums, at, step)
            variances.append(there)
            betas.append(beta)
            covariances.append(covariance)
            lengths.append(float(np.linalg.norm(root @ step)) / 2**0.5)
    s = people.scale
    return Resampled(
        variances=np.array(variances) * s**2, beta=people.centre + s * np.array(betas),
        covariances=np.array(covariances) * s**2, length=np.array(lengths),
    )  # fmt: skip


def _fixed(people: People, sums: Sums, at: Solved, step: Array) -> tuple[Array, Array]:
    """Return β, and its covariance carried along the step to first order."""
    X, s2 = slice(people.d, None), people.variances
    J, parts = at.J, np.zeros((len(s2), people.p, people.p))
    parts[people.inside] = J[X] @ sums.B[:, :-1, :-1] @ J[:, X]
    JA = J[X] @ sums.A[:-1, :-1]
    for k, span in people.spans.items():
        parts[k] = JA[:, span] @ JA[:, span].T
    parts[-1] = J[X, X] - np.tensordot(s2[:-1], parts[:-1], 1)
    covariance = J[X, X] + np.tensordot(step, parts, 1)
    turn = people.turn
    return turn @ -at.gamma[X][:-1], turn @ covariance @ turn.T


def _within(codes: Codes, person: Codes) -> bool:
    """Whether every level belongs to one person."""
    pairs = np.unique(np.column_stack([codes, person]), axis=0)
    return len(pairs) == len(np.unique(codes))


def _indicators(codes: Codes, z: Array) -> Array:
    """Return a column a level that occurs, with the values z."""
    at = np.unique(codes, return_inverse=True)[1]
    return np.asarray(np.eye(at.max() + 1)[at] * z[:, None])
