"""Covariances of what perspectives truly see, apart from the error of their mean scores.

All arrays may carry leading axes, such as one for draws of persons.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from expertise.triads.tables import Array

_STEPS = 500
Seen = NDArray[np.bool_]


def given(x: Array) -> Seen:
    """Return where there is an answer."""
    return np.asarray(~np.isnan(x), dtype=np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Covariances:
    """Covariances (..., roles, roles) of true scores and of the error of mean scores.

    `between` persons and `within` them are what they were made of; `clipped`
    says where a negative eigenvalue of `true` was set to zero.
    """

    true: Array
    error: Array
    clipped: Seen
    between: Array
    within: Array | None


def covariances(X: Array, errors: Array | None, start: Covariances | None = None) -> Covariances:
    """Return the covariances behind scores X (..., persons, roles, items).

    Complete data: mean products between and within persons; otherwise by EM,
    from `start` where given. `errors` replaces what is within persons. A
    covariance of true scores with a negative eigenvalue is replaced by the
    nearest one.
    """
    there = given(X)
    middle = np.where(there, X, 0.0).sum(axis=-3) / np.maximum(there.sum(axis=-3), 1)
    X = X - middle[..., None, :, :]
    counts = there.sum(axis=-1)
    sums = np.where(there, X, 0.0).sum(axis=-1)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    n, within = X.shape[-3], None
    between = covariance_of(means, start.between if start else None) * n / (n - 1)
    if errors is None:
        inner = np.swapaxes(X - means[..., None], -1, -2)
        flat = inner.reshape(*X.shape[:-3], n * X.shape[-1], X.shape[-2])
        many = int(counts.max())
        within = covariance_of(flat, start.within if start else None)
        within = within * many / (many - 1) * n / (n - 1)
        errors = within * _shared(there, counts)
    values, vectors = np.linalg.eigh(between - errors)
    true = (vectors * np.maximum(values, 0)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    clipped = values[..., 0] < -1e-8 * np.maximum(values[..., -1], 1e-300)
    return Covariances(true=true, error=errors, clipped=clipped, between=between, within=within)


def _shared(there: Seen, counts: NDArray[np.intp]) -> Array:
    """Return which part of one answer's error is left in two mean scores, persons averaged.

    For a role with itself one over its number of answers.
    """
    answered = there.astype(np.float64)
    pairs = answered @ np.swapaxes(answered, -1, -2)
    size = counts[..., :, None] * counts[..., None, :]
    part = (pairs / np.maximum(size, 1)).sum(axis=-3)
    return np.asarray(part / np.maximum((size > 0).sum(axis=-3), 1))


def covariance_of(rows: Array, start: Array | None = None) -> Array:
    """Return the maximum-likelihood covariance of rows (..., n, k); EM where cells lack.

    EM begins at `start`, else at the variances alone.
    """
    there = given(rows)
    filled = np.where(there, rows, 0.0)
    patterns = np.unique(there.reshape(-1, rows.shape[-1]), axis=0)
    groups = []
    for seen in patterns[patterns.any(axis=1)]:
        mine = (there == seen).all(axis=-1)[..., None] * filled
        n = (there == seen).all(axis=-1).sum(axis=-1)[..., None]
        groups.append((seen, n, mine.sum(axis=-2), np.swapaxes(mine, -1, -2) @ mine))
    total = sum(n for _, n, _, _ in groups)
    counts = np.maximum(there.sum(axis=-2), 1)
    mean = filled.sum(axis=-2) / counts
    spread = (filled**2).sum(axis=-2) / counts - mean**2
    S = spread[..., None] * np.eye(rows.shape[-1])
    S = S if start is None else np.broadcast_to(start, S.shape)
    enough = 1e-7 if start is None else 1e-5  # a draw need not be sharper than its noise
    for _ in range(_STEPS):
        parts = [_expected(mean, S, *group) for group in groups]
        mean = sum(one for one, _ in parts) / total
        new = sum(two for _, two in parts) / total[..., None] - _outer(mean, mean)
        done = abs(new - S).max() < enough * abs(S).max()
        S = new
        if done or len(groups) == 1:
            break
    return np.asarray(S)


def _expected(
    mean: Array, S: Array, seen: Seen, n: Array, sums: Array, cross: Array
) -> tuple[Array, Array]:
    """Return expected sums and cross-products of one pattern's rows, given mean and S."""
    if seen.all():
        return sums, cross
    o, m = np.flatnonzero(seen), np.flatnonzero(~seen)
    B = S[..., m[:, None], o] @ np.linalg.pinv(S[..., o[:, None], o], hermitian=True)
    turn = np.zeros((*S.shape[:-2], len(seen), len(o)))
    turn[..., o, np.arange(len(o))] = 1.0
    turn[..., m, :] = B
    apart = np.zeros((*S.shape[:-2], len(seen)))
    apart[..., m] = mean[..., m] - (B @ mean[..., o, None])[..., 0]
    first = (turn @ sums[..., o, None])[..., 0]
    second = turn @ cross[..., o[:, None], o] @ np.swapaxes(turn, -1, -2)
    both = _outer(first, apart)
    second = second + both + np.swapaxes(both, -1, -2) + n[..., None] * _outer(apart, apart)
    rest = S[..., m[:, None], m] - B @ S[..., o[:, None], m]
    second[..., m[:, None], m] += n[..., None] * rest
    return first + n * apart, second


def _outer(a: Array, b: Array) -> Array:
    return a[..., :, None] * b[..., None, :]
