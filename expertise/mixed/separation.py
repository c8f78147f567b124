"""Finds predictors that tell answers apart without error, so that their estimates are infinite."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from expertise.mixed.columns import Array, Codes


def separating(
    category: Codes, X: Array, names: Sequence[str], *, mixed: NDArray[np.bool_] | None = None
) -> list[str]:
    """Name the columns along which the categories are in order without an exception.

    A linear programme looks for a direction in which no row contradicts the
    order (Konis 2007): for two categories, and for ordered ones with a cut
    between each pair.

    Parameters
    ----------
    category : (n,) array
        From 0.
    X : (n, p) array
        With or without an intercept; cuts are added.
    names : sequence of str
        Of the p columns.
    mixed : (n,) array of bool, optional
        Rows of two categories that hold events and non-events both.
    """
    centre, spread = X.mean(axis=0), X.std(axis=0)
    varies = spread > 0
    Z = (X[:, varies] - centre[varies]) / spread[varies]
    cuts = np.eye(int(category.max()))
    above, below = category > 0, category < category.max()
    if mixed is not None:
        above, below = above | mixed, below | mixed
    up = np.hstack([Z[above], -cuts[np.maximum(category[above] - 1, 0)]])
    down = np.hstack([-Z[below], cuts[np.minimum(category[below], len(cuts) - 1)]])
    rows = np.unique(np.vstack([up, down]), axis=0)
    found = linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=(-1, 1))
    if found.status != 0 or -found.fun < 1e-7:
        return []
    along = np.abs(found.x[: Z.shape[1]]) > 1e-7
    return [str(name) for name in np.asarray(names, dtype=object)[varies][along]]
