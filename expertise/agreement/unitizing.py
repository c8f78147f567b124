"""Agreement on passages that coders cut out of a text themselves."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, TypeAlias, Unpack

import numpy as np
import pandas as pd

from expertise.agreement.codings import Codings, read_codings
from expertise.agreement.coefficient import (
    Array,
    CoefficientByCode,
    Formula,
    IntervalOptions,
    Plan,
    Sums,
    over,
    with_interval,
)
from expertise.agreement.estimate import check_allowed
from expertise.words import Note, note

Definition: TypeAlias = Literal["2004", "2016"]
_NOTHING = dict.fromkeys(("estimate", "std_error", "conf_low", "conf_high"), np.nan)


def unitizing_alpha(
    codings: pd.DataFrame,
    lengths: Mapping[str, int] | pd.Series,
    *,
    definition: Definition = "2004",
    finished: pd.DataFrame | None = None,
    **options: Unpack[IntervalOptions],
) -> CoefficientByCode:
    """Return Krippendorff's alpha for unitizing: where passages lie and which code they bear.

    Parameters
    ----------
    codings : DataFrame
        Columns document, coder, code, start, end (code points, end
        exclusive). Passages of different codes may overlap; those that one
        coder marked twice with one code are joined.
    lengths : mapping or Series
        Length of each document, in code points.
    definition : {"2004", "2016"}
        Of 2004: squared distances between passages, per code and pooled;
        documents that every coder finished. Of 2016 (uα): lengths of text
        with the same code; documents that two coders finished; over all
        codes only if no coder's passages overlap, per code (against the
        rest of the text) always. Its authors found that the first behaves
        oddly with more than two coders.
    finished : DataFrame, optional
        Columns document, coder: who finished what. Anything else is missing,
        not "no code". Without it everyone is taken to have read everything.
    conf_level, seed, n_boot
        As for `alpha`; documents are resampled.

    Returns
    -------
    CoefficientByCode
        `by_code` has the coefficient of each code. The relatives |uα, cuα
        and (k)uα of 2016 are not computed.

    Raises
    ------
    CodingError
        For a passage outside its document, and the like.

    References
    ----------
    Krippendorff, K. (2004). Content Analysis (2nd ed.), 251–256. Sage.
    Krippendorff, K., Mathet, Y., Bouvry, S., & Widlöcher, A. (2016).
    Quality & Quantity, 50, 2347–2364. doi:10.1007/s11135-015-0266-1

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [("d", "i", "hoop", 10, 40), ("d", "j", "hoop", 10, 50)]
    >>> codings = pd.DataFrame(rows, columns=["document", "coder", "code", "start", "end"])
    >>> round(unitizing_alpha(codings, {"d": 100}, definition="2016").estimate, 4)
    0.7947
    """
    check_allowed("definition", definition, ("2004", "2016"))
    plan, found = Plan(**options), read_codings(codings, lengths, finished)
    if definition == "2004":
        return _of_2004(found, plan)
    return _of_2016(found, plan)


def character_f1(
    codings: pd.DataFrame,
    lengths: Mapping[str, int] | pd.Series,
    *,
    finished: pd.DataFrame | None = None,
    **options: Unpack[IntervalOptions],
) -> CoefficientByCode:
    """Return the share of marked characters that another coder marked with the same code.

    2 · both / (one + other), pooled over pairs of coders; not corrected for
    chance. Parameters, result and errors as for `unitizing_alpha`.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [("d", "i", "hoop", 10, 40), ("d", "j", "hoop", 10, 50)]
    >>> codings = pd.DataFrame(rows, columns=["document", "coder", "code", "start", "end"])
    >>> round(character_f1(codings, {"d": 100}).estimate, 4)
    0.8571
    """
    plan, found = Plan(**options), read_codings(codings, lengths, finished)
    found = found.within(found.finished.sum(1) > 1)
    _, squares = depths(found)
    marked = found.add_up(found.length, found.document, found.code)
    columns = np.stack([squares - marked, marked * (found.finished.sum(1) - 1)[:, None]], axis=-1)

    def formula(sums: Array) -> Array:
        return over(sums[..., 0], sums[..., 1])

    each = [(columns[:, code], formula) for code in range(len(found.codes))]
    return _result(found, "Character F1", (columns.sum(1), formula), each, plan)


def _result(
    found: Codings,
    method: str,
    overall: tuple[Array, Formula] | None,
    each: Sequence[tuple[Array, Formula]],
    plan: Plan,
    *more: Note,
) -> CoefficientByCode:
    """Estimate the whole and each code over sums per document, (D, K)."""
    pairable = found.finished.sum(1) > 1
    m, n_documents = len(found.coders), int(pairable.sum())

    def one(part: tuple[Array, Formula] | None) -> tuple[dict[str, float], list[Note]]:
        if m < 2:
            return _NOTHING, [note("agreement.one_coder", n=m)]
        if not n_documents:
            return _NOTHING, [note("agreement.no_shared_document")]
        if not len(found.start):
            return _NOTHING, [note("agreement.no_codings")]
        if part is None:
            return _NOTHING, [note("agreement.overlap")]
        sums = Sums(part[0][pairable], np.ones(n_documents, dtype=int))
        return with_interval(sums, part[1], plan)

    whole, said = one(overall)
    n = np.bincount(found.code, minlength=len(each))
    rows = [
        {"code": code, **one(part)[0], "n": int(count)}
        for code, part, count in zip(found.codes, each, n, strict=True)
    ]
    return CoefficientByCode(
        method=method, **whole, conf_level=plan.conf_level, n=int(n.sum()), n_coders=m,
        n_clusters=n_documents, n_boot=plan.n_boot, seed=plan.seed,
        by_code=pd.DataFrame(rows, columns=["code", *_NOTHING, "n"]),
        notes=(*said, *more, *found.notes),
    )  # fmt: skip


def depths(found: Codings, over_codes: bool = False) -> tuple[Array, Array]:
    """Return length times depth, and times depth squared, summed by document and code, (D, C).

    The depth of a place is how many coders marked it. With `over_codes`
    marks of all codes are counted together and the second axis has length 1.
    """
    d, c = (found.shape[0], 1) if over_codes else found.shape
    place = found.document * c + (0 if over_codes else found.code)
    far = found.lengths.max(initial=0) + 1
    edges = np.concatenate([place * far + found.start, place * far + found.end])
    order = np.argsort(edges, kind="stable")
    depth = np.repeat([1, -1], len(place))[order].cumsum()
    width = np.diff(edges[order], append=edges.max(initial=0))
    where = np.concatenate([place, place])[order]
    first, second = (np.bincount(where, width * depth**k, minlength=d * c) for k in (1, 2))
    return first.reshape(d, c), second.reshape(d, c)


def _of_2016(found: Codings, plan: Plan) -> CoefficientByCode:
    found = found.within(found.finished.sum(1) > 1)
    readers = found.finished.sum(1)[:, None]
    text = readers * found.lengths[:, None]
    marked, squares = depths(found)
    own = found.add_up(found.length.astype(float) ** 2, found.document, found.code)

    def columns(marked: Array, both: Array, own: Array, blank: Array, gaps: Array) -> Array:
        """Return length by code and blank, length alike, and length met by itself, per document."""
        alike = (both + gaps) / np.maximum(readers - 1, 1)
        return np.column_stack([marked, blank, alike, own + blank])

    def one(code: int) -> tuple[Array, Formula]:
        k, k2 = marked[:, [code]], squares[:, [code]]
        gaps = readers * (readers - 1) * found.lengths[:, None] - (2 * readers - 1) * k + k2
        return columns(k, k2 - k, own[:, [code]], text - k, gaps), _same_text

    whole = None
    if not _overlaps(found):
        k, k2 = depths(found, over_codes=True)
        gaps = readers * (readers - 1) * found.lengths[:, None] - (2 * readers - 1) * k + k2
        both = (squares - marked).sum(1, keepdims=True)
        parts = columns(marked, both, own.sum(1, keepdims=True), text - k, gaps)
        whole = parts, _same_text
    each = [one(code) for code in range(len(found.codes))]
    return _result(found, "Krippendorff's unitizing alpha (uα of 2016)", whole, each, plan)


def _same_text(sums: Array) -> Array:
    length, alike, own = sums[..., :-2], sums[..., -2], sums[..., -1]
    total = length.sum(-1)
    by_chance = 1 - over((length**2).sum(-1) - own, total**2 - own)
    return 1 - over(1 - over(alike, total), by_chance)


def _overlaps(found: Codings) -> bool:
    """Whether a coder marked any place with two codes."""
    place = found.coder * len(found.documents) + found.document
    far = found.lengths.max(initial=0) + 1
    order = np.argsort(place * far + found.start, kind="stable")
    start, end = (place * far + found.start)[order], (place * far + found.end)[order]
    return bool((start[1:] < end[:-1]).any())


def _of_2004(found: Codings, plan: Plan) -> CoefficientByCode:
    m = found.finished.shape[1]
    complete = found.finished.all(1) & (m > 1)
    more = []
    if partly := int((found.finished.any(1) & ~complete).sum()):
        more.append(note("agreement.incomplete_documents", n=partly))
    if m > 2:
        more.append(note("agreement.many_coders"))
    found = found.within(complete)
    apart = _apart(found, m)
    before, blank = _gaps(found, m)
    parts = [
        _by_code_2004(found, code, apart[:, code], before, blank)
        for code in range(len(found.codes))
    ]
    ends = np.cumsum([0] + [part.shape[1] for part in parts])

    def terms(sums: Array) -> tuple[Array, Array]:
        """Return observed and expected disagreement of one code, up to a factor of m and L."""
        text, seen, n, cubes, self_pairs = np.moveaxis(sums[..., :5], -1, 0)
        fits, room = np.split(sums[..., 5:], 2, axis=-1)
        chance = (n - 1) * cubes / 3 + (fits * room).sum(-1)
        total = m * text
        return seen / (m * (m - 1) * text), chance / (total * (total - 1) - self_pairs)

    def one(sums: Array) -> Array:
        seen, by_chance = terms(sums)
        return 1 - over(seen, by_chance, 0.0)

    def whole(sums: Array) -> Array:
        both = [terms(sums[..., a:b]) for a, b in pairwise(ends)]
        seen, by_chance = (sum(term) for term in zip(*both, strict=True))
        return 1 - over(seen, by_chance, 0.0)

    method = "Krippendorff's unitizing alpha (of 2004)"
    overall = (np.concatenate(parts, axis=1), whole) if parts else None
    return _result(found, method, overall, [(part, one) for part in parts], plan, *more)


def _apart(found: Codings, m: int) -> Array:
    """Return the squared distances between passages of two coders, by document and code, (D, C)."""
    line = found.line
    start, end = line + found.start, line + found.end
    cuts = np.searchsorted(found.coder, np.arange(m + 1))
    out = np.zeros(found.shape)
    for i in range(m):
        mine = np.arange(cuts[i], cuts[i + 1])
        for j in range(m):
            theirs = slice(cuts[j], cuts[j + 1])
            low = np.searchsorted(end[theirs], start[mine], side="right")
            met = np.searchsorted(start[theirs], end[mine], side="left") - low
            alone = mine[(met == 0) & (i != j)]
            distance = found.length[alone].astype(float) ** 2
            out += found.add_up(distance, found.document[alone], found.code[alone])
            if i < j:
                one = mine.repeat(met)
                rank = np.arange(len(one)) - (met.cumsum() - met).repeat(met)
                other = cuts[j] + low.repeat(met) + rank
                distance = (start[one] - start[other]) ** 2.0 + (end[one] - end[other]) ** 2.0
                out += found.add_up(distance, found.document[one], found.code[one])
    return out


def _gaps(found: Codings, m: int) -> tuple[tuple[Array, Array, Array], Array]:
    """Return the blanks beside passages (document, code, length), and how many texts are blank."""
    d, c = found.shape
    group = (found.coder * d + found.document) * c + found.code
    first: Array = np.append([True], group[1:] != group[:-1])[: len(group)]
    last: Array = np.append(first[1:], [True])[: len(group)]
    previous = np.where(first, 0, np.roll(found.end, 1))
    tail = found.lengths[found.document[last]] - found.end[last]
    blanks = (
        np.concatenate([found.document, found.document[last]]),
        np.concatenate([found.code, found.code[last]]),
        np.concatenate([found.start - previous, tail]),
    )
    marked = found.add_up(np.ones(int(first.sum())), found.document[first], found.code[first])
    read = np.asarray(found.finished.all(1))
    return blanks, m * read[:, None] - marked


def _by_code_2004(
    found: Codings, code: int, apart: Array, blanks: tuple[Array, Array, Array], empty: Array
) -> Array:
    """Return what one code contributes in each document, (D, 5 + 2K) for K lengths of passages."""
    d = len(found.documents)
    mine = found.code == code
    document, length = found.document[mine], found.length[mine].astype(float)
    sizes, which = np.unique(length, return_inverse=True)

    def each(weights: Any) -> Array:
        return np.bincount(document, weights, minlength=d)

    cubes = length * (length - 1) * (2 * length - 1)
    text = found.lengths * found.finished.all(1)
    ones = [text, apart, each(None), each(cubes), each(length * (length - 1))]
    shape = (d, len(sizes))
    fits = np.bincount(document * len(sizes) + which, length**2, minlength=d * len(sizes))
    here = blanks[1] == code
    where = np.concatenate([blanks[0][here], np.arange(d)])
    gap = np.concatenate([blanks[2][here], found.lengths])
    times = np.concatenate([np.ones(int(here.sum())), empty[:, code]])
    longest = np.searchsorted(sizes, gap, side="right") - 1
    fit = longest >= 0
    cell = (where * len(sizes) + longest)[fit]
    count, room = (
        np.bincount(cell, weights[fit], minlength=d * len(sizes)).reshape(shape)[:, ::-1].cumsum(1)
        for weights in (times, times * (gap + 1))
    )
    return np.column_stack([*ones, fits.reshape(shape), (room - count * sizes[::-1])[:, ::-1]])
