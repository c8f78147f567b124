"""A joint normal model of scores with gaps: maximum likelihood, and draws from its posterior.

Rows are people (or triads), columns the perspectives at the waves; the mean
of each column may differ by arm, the covariance is common. Arrays carry a
leading axis over m imputations, so that all of them move at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from expertise.errors import DesignError, FitError

Array = NDArray[np.float64]
Pattern = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gaps:
    """Scores with gaps: Y (n, p), design X (n, k) and the rows of each pattern."""

    Y: Array
    X: Array

    @property
    def patterns(self) -> Iterator[Pattern]:
        """Yield rows, observed columns and missing columns, a triple a pattern with gaps."""
        gaps = np.isnan(self.Y)
        kinds, which = np.unique(gaps, axis=0, return_inverse=True)
        for k, gap in enumerate(kinds):
            if gap.any():
                rows = np.flatnonzero(which.ravel() == k)
                yield rows, np.flatnonzero(~gap), np.flatnonzero(gap)


def maximum_likelihood(gaps: Gaps, tolerance: float = 1e-9) -> tuple[Array, Array]:
    """Return B (k, p) and covariance (p, p) at the maximum, by EM.

    Without gaps this is least squares with the maximum-likelihood
    covariance; with gaps it is the mixed model with an unstructured
    covariance over the columns.
    """
    Y, X = gaps.Y, gaps.X
    start = np.where(np.isnan(Y), np.nanmean(Y, axis=0), Y)
    hat = np.linalg.pinv(X)
    B: Array = np.asarray(hat @ start)
    S = np.diag(np.var(start - X @ B, axis=0) + 1e-12)
    patterns = list(gaps.patterns)
    scale = np.sqrt(np.nanvar(Y, axis=0))
    for _ in range(20_000):
        filled, extra = Y.copy(), np.zeros_like(S)
        for rows, seen, gone in patterns:
            slope, rest = _regression(S, seen, gone)
            away = Y[np.ix_(rows, seen)] - X[rows] @ B[:, seen]
            filled[np.ix_(rows, gone)] = X[rows] @ B[:, gone] + away @ slope
            extra[np.ix_(gone, gone)] += len(rows) * rest
        new = np.asarray(hat @ filled)
        away = filled - X @ new
        S = (away.T @ away + extra) / len(Y)
        if np.max(np.abs(new - B) / scale) < tolerance:
            return new, S
        B = new
    raise FitError(
        "the joint model of the scores did not converge; use fewer waves or perspectives"
    )


def _regression(S: Array, seen: NDArray[np.int64], gone: NDArray[np.int64]) -> tuple[Array, Array]:
    """Return slopes of the missing on the observed columns, and what they leave over.

    `S` may have leading axes.
    """
    across = S[..., seen[:, None], gone]
    slope: Array = np.asarray(np.linalg.solve(S[..., seen[:, None], seen], across))
    rest = S[..., gone[:, None], gone] - np.swapaxes(across, -1, -2) @ slope
    return slope, (rest + np.swapaxes(rest, -1, -2)) / 2


def posterior_fills(gaps: Gaps, m: int, steps: int, seed: int) -> Array:
    """Return m completed copies of Y, shape (m, n, p), by data augmentation.

    Each copy is the end of a chain of its own, `steps` long and started at
    the maximum, under Jeffreys' prior; each chain has its own random stream,
    so that copy 7 is the same whether 10 or 100 are drawn.
    """
    Y, X = gaps.Y, gaps.X
    (n, p), k = Y.shape, X.shape[1]
    df = n - k
    if df < p + 1:
        raise DesignError(
            f"{n} people cannot carry a joint model of {p} scores in {k} arms; "
            f"at least {p + k + 1} are needed: use fewer waves or perspectives"
        )
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(m)]
    B, S = maximum_likelihood(gaps)
    B, S = np.repeat(B[None], m, axis=0), np.repeat(S[None], m, axis=0)
    fills = np.repeat(Y[None], m, axis=0)
    patterns = list(gaps.patterns)
    root = np.linalg.cholesky(np.linalg.inv(X.T @ X))
    hat = np.linalg.pinv(X)
    for step in range(steps + 1):
        for rows, seen, gone in patterns:
            slope, rest = _regression(S, seen, gone)
            mean = X[rows] @ B
            away = fills[:, rows[:, None], seen] - mean[..., seen]
            noise = np.stack([s.standard_normal((len(rows), len(gone))) for s in streams])
            lower = np.swapaxes(np.linalg.cholesky(rest), -1, -2)
            fills[:, rows[:, None], gone] = mean[..., gone] + away @ slope + noise @ lower
        if step == steps:
            break
        B_hat = hat @ fills
        away = fills - X @ B_hat
        S = _inverse_wishart(np.swapaxes(away, -1, -2) @ away, df, streams)
        noise = np.stack([s.standard_normal((k, p)) for s in streams])
        B = B_hat + root @ noise @ np.swapaxes(np.linalg.cholesky(S), -1, -2)
    return fills


def _inverse_wishart(scatter: Array, df: int, streams: list[np.random.Generator]) -> Array:
    """Draw a covariance given each scatter (m, p, p), by Bartlett's decomposition."""
    p = scatter.shape[-1]
    A = np.zeros_like(scatter)
    low = np.tril_indices(p, -1)
    for i, stream in enumerate(streams):
        A[i][np.diag_indices(p)] = np.sqrt(stream.chisquare(df - np.arange(p)))
        A[i][low] = stream.standard_normal(len(low[0]))
    # Precision = C A A' C' with C C' = inverse scatter, so the covariance is R' R.
    C = np.linalg.cholesky(np.linalg.inv(scatter))
    R = np.linalg.inv(C @ A)
    S: Array = np.swapaxes(R, -1, -2) @ R
    return S
