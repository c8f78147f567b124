"""Where the search begins: near what each group's own regression says."""

import numpy as np

from expertise.mixed.columns import Array
from expertise.mixed.reduction import Reduction
from expertise.mixed.roots import eigen, identity, root_of
from expertise.mixed.system import invert

_RIDGE, _LOOSE, _LEAST = 1e-9, 10.0, 0.01


def by_moments(reduction: Reduction, reml: bool) -> Array | None:
    """Return the factor of the spread of groups' own coefficients, beyond what error makes of it.

    It is the answer itself where all groups share a pattern of Z, and each
    coefficient as many fixed ones. Groups that cannot carry a regression of
    their own are left out. None where a model has more than one term, or too
    few groups.
    """
    places = reduction.blocks.places
    if len(places) != 1 or not places[0].inside:
        return None
    groups, m = reduction.groups, reduction.blocks.width
    own = invert(groups.grams + _RIDGE * identity(m))[0]
    sure = groups.counts * (own.diagonal(axis1=1, axis2=2).max(axis=1) < _LOOSE)
    count, y = sure.sum(), groups.V[:, :, -1]
    own *= (sure > 0)[:, None, None]
    b = (own[groups.pattern] @ y.T[:, :, None])[:, :, 0]
    sigma2 = (reduction.total[-1, -1] - np.vdot(b, y.T)) / max(reduction.n - m * count, 1.0)
    free = count - reml * reduction.p / m
    if not (count > m and free > 0 and sigma2 > 0):
        return None
    error = (sure @ own.reshape(len(own), m * m)).reshape(m, m)
    values, vectors = eigen(b.T @ b / (sigma2 * free) - error / count)
    return root_of((vectors * np.maximum(values, _LEAST)) @ vectors.T)
