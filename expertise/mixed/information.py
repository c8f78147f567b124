"""What the data tell about the covariance parameters, exactly: traces that both df methods need.

With ∂_i = ∂H/∂Ψ_i and P = H⁻¹ − H⁻¹X Φ X'H⁻¹, everything is expressed in
spherical coordinates, where Λ'Z'H⁻¹ZΛ = D − RR' with D block-diagonal and
R as wide as the crossed part; so no matrix with a side of n is formed.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from expertise.mixed.blocks import spread
from expertise.mixed.columns import Array
from expertise.mixed.deviance import Deviance, Point
from expertise.mixed.factors import bend, diagonal, stack, triangle
from expertise.mixed.roots import inverse_of
from expertise.mixed.system import System

Halves = tuple[Array, Array]
Directions = list[tuple[int, Array]]  # a term and its spherical direction, symmetric, per parameter


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Information:
    """Traces by the r elements of all Ψ along their axes, or of all factors, in inner columns.

    `traces` (r, r) is tr(P∂iP∂j) under REML, tr(H⁻¹∂iH⁻¹∂j) under ML;
    `trace` (r,) tr(P∂i) or tr(H⁻¹∂i); `average` (r, r) y'P∂iP∂jPy/σ²;
    `tilt` (r,) y'P∂iPy/σ²; `once` (r, p, p) X'H⁻¹∂iH⁻¹X and `twice`
    (r, r, p, p) X'H⁻¹∂iH⁻¹∂jH⁻¹X.
    """

    psi: Array
    traces: Array
    trace: Array
    average: Array
    tilt: Array
    once: Array
    twice: Array


def measure(deviance: Deviance, point: Point, *, by_factors: bool) -> Information:
    """Compute the traces at a point; near a boundary those by factors keep their precision."""
    system, profile = point.system, point.profile
    p = len(profile.turn) - 1
    directions = _by_factors(system) if by_factors else _by_covariances(system)
    r = len(directions)
    R = _crossed_root(system)
    # X and, last, the residual Py/σ; N holds X times a root of Φ.
    turn = np.eye(p + 1)
    turn[:, p] = profile.residual / profile.sigma2**0.5
    Xu = system.spheres[0] @ turn, system.spheres[1] @ turn
    N = Xu[0][:, :, :p] @ profile.root, Xu[1][:, :p] @ profile.root
    full = _beside(R, N)
    Q = full if deviance.reml else R
    turned = [_turn(system, direction, Q) for direction in directions]
    inner = _gram(turned, [_diagonal_part(system, half) for half in turned])
    cores = [_dot(Q, half) for half in turned]
    first, trace = _block_traces(system, directions)
    moved = [_turn(system, direction, Xu) for direction in directions]
    straight = [_diagonal_part(system, half) for half in moved]
    both = np.array([[_dot(a, b) for b in straight] for a in moved]).reshape(r, r, p + 1, p + 1)
    single = np.array([_dot(Xu, half) for half in moved]).reshape(r, p + 1, p + 1)
    across = np.array([_dot(full, half) for half in moved]).reshape(r, full[1].shape[1], p + 1)
    fallen, aside = across[:, :, p], across[:, : R[1].shape[1], :p]
    return Information(
        psi=stack([np.diag(np.linalg.svd(L)[1] ** 2) for L in point.factors]),
        traces=first - 2 * inner + _table(cores, [core.T for core in cores]),
        trace=trace - np.array([np.trace(core) for core in cores]),
        average=both[:, :, p, p] - fallen @ fallen.T,
        tilt=single[:, p, p],
        once=single[:, :p, :p],
        twice=both[:, :, :p, :p] - aside.transpose(0, 2, 1)[:, None] @ aside[None],
    )


def hessian(deviance: Deviance, point: Point, information: Information) -> Array:
    """Return the exact second derivatives of the deviance by (factors, σ²), at any point.

    `information` is that by factors.
    """
    sigma2 = point.profile.sigma2
    q = len(point.theta)
    out = np.empty((q + 1, q + 1))
    out[:q, :q] = 2 * information.average - information.traces
    out[:q, :q] += diagonal([bend(slope) for slope in point.slopes])
    out[:q, q] = out[q, :q] = information.tilt / sigma2
    out[q, q] = deviance.nu / sigma2**2
    return out


def exact_curvature(deviance: Deviance, point: Point) -> Array:
    """Return the exact second derivatives by the factors where σ² is profiled out."""
    whole = hessian(deviance, point, measure(deviance, point, by_factors=True))
    return np.asarray(whole[:-1, :-1] - whole[:-1, -1:] * whole[-1, :-1] / whole[-1, -1])


def _table(a: list[Array], b: list[Array]) -> Array:
    return np.array([[np.vdot(x, y) for y in b] for x in a]).reshape(len(a), len(b))


def _by_covariances(system: System) -> Directions:
    """Return L⁻¹ E L⁻' for each pair of the axes of Ψ, along which it is diagonal.

    Elements of Ψ itself would mix the axis along which it vanishes into all others.
    """
    out = []
    for k, L in enumerate(system.factors):
        _, size, axes = np.linalg.svd(L)
        half, index = axes / size[:, None], triangle(len(L))
        for a, b in zip(index.rows, index.columns, strict=True):
            one = np.outer(half[a], half[b])
            out.append((k, one if a == b else one + one.T))
    return out


def _by_factors(system: System) -> Directions:
    """Return N + N', N = L⁻¹ e_r e_c', for each element (r, c) of L."""
    out = []
    for k, L in enumerate(system.factors):
        inverse, index = inverse_of(L), triangle(len(L))
        for r, c in zip(index.rows, index.columns, strict=True):
            one = np.zeros_like(L)
            one[:, c] = inverse[:, r]
            out.append((k, one + one.T))
    return out


def _crossed_root(system: System) -> Halves:
    """Return R with M⁻¹ = blocks + RR'."""
    m, G, d = len(system.lam), len(system.groups.pattern), system.blocks.dense
    if not d:
        return np.zeros((m, G, 0)), np.zeros((0, 0))
    half = solve_triangular(system.root, np.eye(d), lower=True).T
    return system.by_pattern(system.cross(half)), -half


def _turn(system: System, direction: tuple[int, Array], half: Halves) -> Halves:
    """Multiply the rows of one term by its direction; all other rows become zero."""
    k, matrix = direction
    place = system.blocks.places[k]
    blocks, dense = np.zeros_like(half[0]), np.zeros_like(half[1])
    if place.inside:
        part = half[0][place.span]
        shaped = part.reshape(place.slots, place.q, -1)
        blocks[place.span] = np.einsum("ab,sbx->sax", matrix, shaped).reshape(part.shape)
    else:
        part = half[1][place.span]
        shaped = part.reshape(place.size, place.q, -1)
        dense[place.span] = np.einsum("ab,sbx->sax", matrix, shaped).reshape(part.shape)
    return blocks, dense


def _diagonal_part(system: System, half: Halves) -> Halves:
    """Multiply by D: the identity less the inverse blocks."""
    return half[0] - system.by_pattern(half[0]), half[1]


def _block_traces(system: System, directions: Directions) -> tuple[Array, Array]:
    """Return tr(Δi D Δj D) and tr(Δi D)."""
    m, counts = len(system.lam), system.groups.counts
    D = np.eye(m) - system.inverse
    r = len(directions)
    both, single = np.zeros((r, r)), np.zeros(r)
    products: list[Array | None] = []
    for i, (k, matrix) in enumerate(directions):
        place = system.blocks.places[k]
        if place.inside:
            product = spread(matrix, place, np.zeros((m, m))) @ D
            products.append(product)
            single[i] = counts @ np.trace(product, axis1=1, axis2=2)
        else:
            products.append(None)
            single[i] = place.size * np.trace(matrix)
        for j in range(i + 1):
            one, other = products[i], products[j]
            if one is not None and other is not None:
                both[i, j] = counts @ np.einsum("kab,kba->k", one, other)
            elif directions[j][0] == k:
                both[i, j] = place.size * np.vdot(matrix, directions[j][1])
            both[j, i] = both[i, j]
    return both, single


def _dot(a: Halves, b: Halves) -> Array:
    rows = a[0].shape[0] * a[0].shape[1]
    flat = a[0].reshape(rows, a[1].shape[1]), b[0].reshape(rows, b[1].shape[1])
    return np.asarray(flat[0].T @ flat[1] + a[1].T @ b[1])


def _gram(a: list[Halves], b: list[Halves]) -> Array:
    return _table([x[0] for x in a], [y[0] for y in b]) + _table(
        [x[1] for x in a], [y[1] for y in b]
    )


def _beside(a: Halves, b: Halves) -> Halves:
    return np.concatenate([a[0], b[0]], axis=2), np.concatenate([a[1], b[1]], axis=1)
