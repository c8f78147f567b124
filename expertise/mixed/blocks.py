"""Chooses which groups are eliminated block by block, and where each random coefficient stands."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from expertise.errors import DesignError
from expertise.mixed.columns import Array, Codes
from expertise.mixed.groups import RandomTerm

_MOST_DENSE = 12_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """Where the coefficients of one term stand.

    A term inside the blocks holds columns `start + slot * q + a` of each
    block, `slot` numbering the term's levels within a block; any other term
    holds rows `start + level * q + a` of the dense part.
    """

    q: int
    size: int
    inside: bool
    start: int
    slots: int
    block: Codes
    slot: Codes

    @property
    def span(self) -> slice:
        """The columns, or rows, that the term holds."""
        return slice(self.start, self.start + self.slots * self.q)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blocks:
    """The split of all random coefficients: `n_blocks` blocks of width `width`, `dense` others."""

    n_blocks: int
    width: int
    dense: int
    places: tuple[Place, ...]
    block: Codes


def choose_blocks(terms: Sequence[RandomTerm], together: Codes | None = None) -> Blocks:
    """Put in blocks the grouping, with all that is nested in it, that makes the least work.

    Rows of one code of `together` fall in one block; where every grouping
    parts them there are no blocks.
    """
    tops = [
        top for top in _distinct(terms)
        if together is None
        or parents(together, int(together.max()) + 1, top.codes, top.size) is not None
    ]  # fmt: skip
    options = [_split(terms, top) for top in tops] or [_split(terms, None)]
    best = min(options, key=_work)
    if best.dense > _MOST_DENSE:
        raise DesignError(
            f"crossed groupings leave {best.dense} coefficients that must be solved together; "
            f"at most {_MOST_DENSE} fit: nest them, or leave out a term"
        )
    return best


def _work(blocks: Blocks) -> float:
    per_block = blocks.width**3 + blocks.width**2 * min(blocks.dense, 50)
    return blocks.n_blocks * per_block + float(blocks.dense) ** 3


def _distinct(terms: Sequence[RandomTerm]) -> list[RandomTerm]:
    return list({term.grouping.columns: term for term in terms}.values())


def _split(terms: Sequence[RandomTerm], top: RandomTerm | None) -> Blocks:
    places = []
    width = dense = 0
    n_blocks, block = (0, np.zeros(0, dtype=np.intp)) if top is None else (top.size, top.codes)
    for term in terms:
        q, size = len(term.names), term.size
        parent = None if top is None else parents(term.codes, size, block, n_blocks)
        if parent is None:
            place = Place(q=q, size=size, inside=False, start=dense, slots=size,
                          block=term.codes[:0], slot=term.codes[:0])  # fmt: skip
            dense += size * q
        else:
            slot = rank_within(parent) if size > n_blocks else np.zeros_like(parent)
            slots = int(slot.max()) + 1
            place = Place(q=q, size=size, inside=True, start=width, slots=slots,
                          block=parent, slot=slot)  # fmt: skip
            width += slots * q
        places.append(place)
    return Blocks(n_blocks=n_blocks, width=width, dense=dense, places=tuple(places), block=block)


def parents(codes: Codes, size: int, top: Codes, top_size: int) -> Codes | None:
    """Return for each level the one level of `top` that holds it, or None where it is crossed."""
    if codes is top or (size == top_size and np.array_equal(codes, top)):
        return np.arange(size)
    if size < top_size:
        return None
    parent = np.empty(size, dtype=np.intp)
    parent[codes] = top
    return parent if np.array_equal(parent[codes], top) else None


def same_split(one: RandomTerm, two: RandomTerm) -> bool:
    """Tell whether the levels of two terms split the rows alike."""
    return one.size == two.size and parents(one.codes, one.size, two.codes, two.size) is not None


def rank_within(parent: Codes) -> Codes:
    """Return for each member its place, 0, 1, 2, …, within its parent."""
    order = np.argsort(parent, kind="stable")
    count = np.bincount(parent)
    first = np.repeat(np.cumsum(count) - count, count)
    rank = np.empty(len(parent), dtype=np.intp)
    rank[order] = np.arange(len(parent)) - first
    return rank


def spread(matrix: Array, place: Place, into: Array) -> Array:
    """Write a term's (q, q) matrix at each of its slots into a matrix (width, width)."""
    for slot in range(place.slots):
        at = slice(place.start + slot * place.q, place.start + (slot + 1) * place.q)
        into[at, at] = matrix
    return into


def own_sum(matrix: Array, place: Place) -> Array:
    """Return the sum over a term's slots of their own (q, q) blocks of a matrix."""
    own = matrix[place.span, place.span].reshape(place.slots, place.q, place.slots, place.q)
    return np.asarray(own.trace(axis1=0, axis2=2))
