"""Well-conditioned columns inside, the user's units outside."""

import numpy as np

from expertise.mixed.columns import Array
from expertise.mixed.roots import inverse_root


def orthonormal(X: Array) -> tuple[Array, Array]:
    """Return X* = X @ T with X*'X* = n I, and T (q, q).

    Columns are centred first where one of them is constant, so that adding a
    large number to a predictor loses no digits.
    """
    n, q = X.shape
    if q == 1:
        root = np.sqrt(np.vdot(X, X) / n)
        return (X if root == 1 else X / root), np.array([[1 / root]])
    constant = (X[0] == X).all(axis=0).nonzero()[0]
    T = np.eye(q)
    work = X
    if len(constant):
        at = constant[0]
        T[at] = -X.mean(axis=0) / X[0, at]
        T[at, at] = 1.0
        work = X - X.mean(axis=0)
        work[:, at] = X[:, at]
    scale = np.sqrt(np.einsum("ij,ij->j", work, work) / n)
    work = work / scale
    inverse = inverse_root(work.T @ work / n).T
    return work @ inverse, (T / scale) @ inverse
