"""The conditional estimates of every group and their covariances, in the user's units."""

import numpy as np

from expertise.mixed.blocks import Place
from expertise.mixed.columns import Array
from expertise.mixed.deviance import Point
from expertise.mixed.pairs import Pairs
from expertise.mixed.reduction import Reduction
from expertise.mixed.system import dense_inverse


def modes_of(reduction: Reduction, point: Point) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Return per term the modes (levels, q) and their conditional covariances (levels, q, q)."""
    system, every = point.system, reduction.every
    d, m = reduction.blocks.dense, reduction.blocks.width
    gamma = point.profile.residual
    crossed = system.spheres[1] @ gamma
    inverse = dense_inverse(system.root) if d else np.zeros((0, 0))
    if every.B is None:
        own, shared = every.V[:, :, d:] @ gamma, every.V[:, :, :d]
        below = shared @ system.unscale(crossed[:, None])[:, 0] if d else 0.0
    else:
        own = every.V @ gamma
        below = (every.B @ system.unscale(crossed[:, None])[:, 0]).reshape(-1, m).T
    half = system.inverse @ system.lam.T
    each = half if len(half) == 1 else half[every.pattern]
    spheres = (each @ (own - below).T[:, :, None])[:, :, 0]
    blocks = system.inverse[every.pattern]
    if d and m:
        C = system.unscale(system.unscale(inverse).T)
        if every.B is None:
            H = np.einsum("agc,cd,bgd->gab", shared, C, shared, optimize=True)
        else:
            ready = system.pairs if every is reduction.groups else None
            H = (ready or Pairs(every.B, m)).inner(C)
        blocks = blocks + half[every.pattern] @ H @ half[every.pattern].transpose(0, 2, 1)
    modes, covariances = [], []
    for place, L, T in zip(reduction.blocks.places, point.factors, reduction.units.Z, strict=True):
        turn = T @ L
        u, C = (
            _inside(place, spheres, blocks) if place.inside else _outside(place, crossed, inverse)
        )
        modes.append(u @ turn.T)
        covariances.append(point.profile.sigma2 * turn @ C @ turn.T)
    return tuple(modes), tuple(covariances)


def _inside(place: Place, spheres: Array, blocks: Array) -> tuple[Array, Array]:
    at = place.start + place.slot[:, None] * place.q + np.arange(place.q)
    u = spheres[place.block[:, None], at]
    return u, blocks[place.block[:, None, None], at[:, :, None], at[:, None, :]]


def _outside(place: Place, crossed: Array, inverse: Array) -> tuple[Array, Array]:
    at = place.start + np.arange(place.size * place.q).reshape(-1, place.q)
    return crossed[at], inverse[at[:, :, None], at[:, None, :]]
