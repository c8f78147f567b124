"""Roots of positive definite matrices straight from LAPACK: small ones cost no more than they are.

numpy's own functions check, cast and stack; on a matrix of side 3 that takes
ten times as long as the answer.
"""

import numpy as np
from scipy.linalg.lapack import dpotrf, dsyevd, dtrtri

from expertise.mixed.columns import Array


def inverse_root(matrix: Array) -> Array:
    """Return the inverse R of the lower Cholesky root: R matrix R' = I.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where the matrix is not positive definite.
    """
    root, failed = dpotrf(matrix, lower=1)
    if failed:
        raise np.linalg.LinAlgError("the matrix is not positive definite")
    return np.asarray(dtrtri(root, lower=1)[0])


def inverse_of(L: Array) -> Array:
    """Return the inverse of a lower triangle with a positive diagonal."""
    return np.asarray(dtrtri(L, lower=1)[0])


def eigen(matrix: Array) -> tuple[Array, Array]:
    """Return values, rising, and vectors of a symmetric matrix."""
    values, vectors, failed = dsyevd(matrix)
    assert not failed, "the eigenvalues of a finite symmetric matrix are always found"
    return values, vectors
