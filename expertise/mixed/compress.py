"""Replaces groups that share a pattern by fewer pseudo-groups that say the same.

Groups that share the cross-products of Z form a pattern. Within a pattern,
and within a cell of equal crossed memberships, an orthogonal turn over the
groups leaves one weighted mean, and deviations that their triangular factor
stands for. The work of an evaluation then depends on the number of
patterns, not of people.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import qr

from expertise.mixed.columns import Array, Codes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """Cross-products per block: `grams` of the patterns with `counts`, each group's V and pattern.

    V (m, groups, d + w) holds Z'[C X y] where the crossed columns C are kept
    dense, Z'[X y] where they are kept in the sparse B (groups · m, d). The
    crossed part of a group of `weight` c is √c times that of one member.
    """

    grams: Array
    counts: Array
    pattern: Codes
    V: Array
    B: Any
    weight: Array


@cache
def _marks(count: int) -> Array:
    """Return random weights, under which unlike rows have unlike sums."""
    return np.random.default_rng(0).uniform(1, 2, count)


def equal_rows(rows: Array) -> tuple[Codes, Codes]:
    """Return a code per row, equal for rows equal to rounding, and a row of each code."""
    mark = rows @ _marks(rows.shape[1])
    order = np.argsort(mark, kind="stable")
    rising = mark[order]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = rising[1:] - rising[:-1] > 1e-11 * np.abs(mark).max(initial=1e-300)
    code = np.empty(len(rows), dtype=np.intp)
    code[order] = np.cumsum(new) - 1
    first = order[new]
    if np.abs(rows - rows[first][code]).max(initial=0.0) <= 1e-9 * np.abs(rows).max(initial=0.0):
        return code, first
    return np.arange(len(rows)), np.arange(len(rows))


def compressed(groups: Groups, w: int, worth: float = 0.7) -> Groups:
    """Compress patterns that have many groups, where that leaves fewer than `worth` of them."""
    m, G, columns = groups.V.shape
    if not m:
        return groups
    side = _side(groups, columns - w)
    crossed = np.asarray(side.any(axis=1))
    cell, first = equal_rows(
        np.column_stack([groups.pattern, side / np.sqrt(groups.weight)[:, None]])
    )
    have = np.bincount(groups.pattern, minlength=len(groups.grams))
    cells = np.bincount(groups.pattern[first[crossed[first]]], minlength=len(groups.grams))
    squeeze = cells + np.minimum(have, m * w) < have
    if np.where(squeeze, cells + np.minimum(have, m * w), have).sum() > worth * G:
        return groups
    weight = np.bincount(cell, groups.weight)
    share = np.where(crossed, np.sqrt(groups.weight / weight[cell]), 0.0)
    fixed = groups.V[:, :, columns - w :].transpose(1, 0, 2).reshape(G, m * w)
    mean = sparse.csr_array((share, cell, np.arange(G + 1)), shape=(G, len(first))).T @ fixed
    deviation = fixed - share[:, None] * mean[cell]
    kept = np.flatnonzero(~squeeze[groups.pattern])
    means = np.flatnonzero(squeeze[groups.pattern[first]] & crossed[first])
    at, grown = first[means], np.sqrt(weight[means] / groups.weight[first[means]])
    centre = groups.V[:, at] * grown[:, None]
    centre[:, :, columns - w :] = mean[means].reshape(-1, m, w).transpose(1, 0, 2)
    V, pattern = [groups.V[:, kept], centre], [groups.pattern[kept], groups.pattern[at]]
    order = np.argsort(groups.pattern, kind="stable")
    ends = np.cumsum(have)
    for code in np.flatnonzero(squeeze):
        rows = deviation[order[ends[code] - have[code] : ends[code]]]
        factor = qr(rows, mode="r", check_finite=False)[0][: m * w]
        block = np.zeros((m, len(factor), columns))
        block[:, :, columns - w :] = factor.reshape(-1, m, w).transpose(1, 0, 2)
        V.append(block)
        pattern.append(np.full(len(factor), code))
    codes = np.concatenate(pattern)
    weights = np.concatenate([groups.weight[kept], weight[means]])
    return replace(
        groups,
        pattern=codes,
        V=np.ascontiguousarray(np.concatenate(V, axis=1)),
        B=None
        if groups.B is None
        else _rows(
            groups.B,
            np.concatenate([kept, at]),
            np.append(np.ones(len(kept)), grown),
            m,
            len(codes),
        ),
        weight=np.append(weights, np.ones(len(codes) - len(weights))),
    )


def _side(groups: Groups, d: int) -> Array:
    """Return weighted sums of the crossed memberships, (groups, m), that tell groups apart."""
    m, G, columns = groups.V.shape
    if groups.B is not None:
        return np.asarray((groups.B @ _marks(groups.B.shape[1])).reshape(G, m))
    return np.asarray(groups.V @ np.append(_marks(d), np.zeros(columns - d))).T


def _rows(B: Any, at: Codes, grown: Array, m: int, total: int) -> Any:
    """Return the rows of B of these groups, grown, and empty rows up to `total` groups."""
    if B is None:
        return None
    picked = B[(at[:, None] * m + np.arange(m)).ravel()]
    scale = np.repeat(grown, m)
    scaled = sparse.dia_array((scale[None], [0]), shape=(len(scale), len(scale))) @ picked
    empty = sparse.csr_array(((total - len(at)) * m, B.shape[1]))
    return sparse.vstack([scaled, empty]).tocsr()
