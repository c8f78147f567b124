"""Roots of positive definite matrices straight from LAPACK: small ones cost no more than they are.

numpy's own functions check, cast and stack; on a matrix of side 3 that takes
ten times as long as the answer.
"""

from functools import cache

import numpy as np
from scipy.linalg.lapack import dpotrf, dsyevd, dtrtri

from expertise.mixed.columns import Array


@cache
def identity(q: int) -> Array:
    """Return the identity of side q, made once and not to be changed."""
    out = np.eye(q)
    out.flags.writeable = False
    return out


def root_of(matrix: Array) -> Array:
    """Return the lower Cholesky root L: matrix = LL'.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where the matrix is not positive definite.
    """
    root, failed = dpotrf(matrix, lower=1)
    if failed:
        raise np.linalg.LinAlgError("the matrix is not positive definite")
    return np.asarray(root)


def inverse_root(matrix: Array) -> Array:
    """Return the inverse R of the lower Cholesky root: R matrix R' = I.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where the matrix is not positive definite.
    """
    return inverse_of(root_of(matrix))


def inverse_of(L: Array) -> Array:
    """Return the inverse of a lower triangle with a positive diagonal."""
    return np.asarray(dtrtri(L, lower=1)[0])


def eigen(matrix: Array) -> tuple[Array, Array]:
    """Return values, rising, and vectors of a symmetric matrix."""
    values, vectors, failed = dsyevd(matrix)
    assert not failed, "the eigenvalues of a finite symmetric matrix are always found"
    return values, vectors
