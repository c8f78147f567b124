"""Passages of a sensible length instead of whole texts: cut at paragraphs, chosen by people."""

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from expertise.errors import CodingError, nearest
from expertise.narratives.sentences import sentence_table

LONG = 1.5  # times the length asked for: a paragraph above this is cut
COLUMNS = ("document", "text", "paragraphs", "start", "end", "words")
PARAGRAPH = re.compile(r"\S(?:(?:.|\n(?!\s*\n))*\S)?")
PLACED = re.compile(r"(.+):([0-9]{1,9})-([0-9]{1,9})")
NAMED = re.compile(r"(.+)#([0-9]{1,5})(?:-([0-9]{1,5}))?")
Span = tuple[int, int]


def cut_fragments(
    texts: Mapping[str, str], *, words: int | None = 150, of: Sequence[str] = ()
) -> pd.DataFrame:
    r"""Cut texts into fragments that begin and end with a paragraph.

    Parameters
    ----------
    texts : mapping
        Text id → its text.
    words : int or None
        About how long a fragment is: short paragraphs are taken together, and
        only a paragraph of more than one and a half times this is cut, at the
        ends of sentences. None leaves texts whole.
    of : sequence of str
        Which texts, by id; all by default. ``"T01#3"`` and ``"T01#2-4"`` are
        exactly these paragraphs, as one fragment.

    Returns
    -------
    DataFrame
        One row per fragment: document (its id: text, start and end), text,
        paragraphs (numbers, from 1), start, end (code points of the text, end
        exclusive), words. No words of a text.

    Raises
    ------
    CodingError
        When a text or paragraph is not there, two fragments that were asked
        for share words, or `words` is less than 20.

    Examples
    --------
    >>> story = "Ik hoop. " * 30 + "\n\n" + "Echt waar. " * 30
    >>> cut_fragments({"d1": story}, words=60)[["document", "paragraphs", "words"]]
         document paragraphs  words
    0    d1:0-269          1     60
    1  d1:272-601          2     60
    """
    if words is not None and not 20 <= words <= 10_000:
        raise CodingError(f"a fragment of {words} words; choose between 20 and 10000")
    wanted = [_named(name, texts) for name in of or list(texts)]
    blocks = {name: [match.span() for match in PARAGRAPH.finditer(texts[name])]
              for name, _ in wanted}  # fmt: skip
    rows = []
    cuts = _sentences(texts, blocks, words) if words is not None else {}
    for name, numbers in wanted:
        text, parts = texts[name], blocks[name]
        if numbers is not None:
            rows.append(_row(name, text, parts, *_between(name, parts, numbers)))
        elif words is None:
            rows.append((name, *_row(name, text, parts, 0, len(text))[1:]))
        else:
            atoms = [
                atom for part in parts
                for atom in _together(text, cuts.get((name, *part), [part]), words)
            ]  # fmt: skip
            rows += [_row(name, text, parts, *span) for span in _together(text, atoms, words)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table = table.drop_duplicates("document", ignore_index=True)
    for one, other in overlaps(table["document"], table["document"], texts).items():
        raise CodingError(
            f"fragments {one!r} and {other!r} share words, so these would count twice; "
            "ask for each paragraph once"
        )
    return table


def choose_fragments(
    pieces: pd.DataFrame, *, hits: pd.DataFrame | None = None, n: int | None = None,
    evenly: Sequence[str] = (), first: Container[str] = (), seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """Choose among fragments: those with a hit, and of these some, spread evenly.

    Parameters
    ----------
    pieces : DataFrame
        From `cut_fragments`, perhaps with columns of your own.
    hits : DataFrame, optional
        document, start, end: only fragments that hold such a hit, as
        `Concordance.hits` has them.
    n : int, optional
        How many; all by default.
    evenly : sequence of str
        Columns of `pieces` over which these `n` are spread, the first one
        first, for example perspective and then participant.
    first : container of str
        Fragments that are chosen before any other, all of them.
    seed : int
        Decides among fragments that are equally good.

    Raises
    ------
    CodingError
        When there are fewer than `n`, or none.

    Examples
    --------
    >>> pieces = pd.DataFrame({"document": ["a", "b", "c"], "perspective": ["p", "p", "n"]})
    >>> sorted(choose_fragments(pieces, n=2, evenly=["perspective"])["perspective"])
    ['n', 'p']
    """
    if hits is not None:
        pieces = pieces[_hold(pieces, hits)]
    if not len(pieces) or (n is not None and not 1 <= n <= len(pieces)):
        raise CodingError(
            f"{'no' if n is None else n} fragments of {len(pieces)} that fit; "
            "ask for fewer, other words, or more texts"
        )
    if n is None:
        return pieces.reset_index(drop=True)
    before = [one not in first for one in pieces["document"]]
    n = max(n, before.count(False))
    rank = np.random.default_rng(seed).permutation(len(pieces))
    groups = [pieces[name].tolist() for name in evenly]
    drawn: list[dict[object, int]] = [{} for _ in groups]
    left = set(range(len(pieces)))
    while len(left) > len(pieces) - n:
        counts = {
            at: tuple(seen.get(group[at], 0) for seen, group in zip(drawn, groups, strict=True))
            for at in left
        }
        best = min(left, key=lambda at: (before[at], counts[at], rank[at]))
        left.remove(best)
        for seen, group in zip(drawn, groups, strict=True):
            seen[group[best]] = seen.get(group[best], 0) + 1
    keep = sorted(set(range(len(pieces))) - left)
    return pieces.iloc[keep].reset_index(drop=True)


def placed(document: str, texts: Container[str]) -> tuple[str, int, int | None]:
    """Return the text of a fragment and where it begins and ends; a whole text is its own.

    >>> placed("d1:0-269", {"d1"}), placed("d1", {"d1"})
    (('d1', 0, 269), ('d1', 0, None))
    """
    found = None if document in texts else PLACED.fullmatch(document)
    return (found[1], int(found[2]), int(found[3])) if found else (document, 0, None)


def overlaps(
    documents: Iterable[str], others: Iterable[str], texts: Container[str] = ()
) -> dict[str, str]:
    """Return the fragments that share words with another one, and with which.

    Parameters
    ----------
    documents, others : iterable of str
        Ids of fragments, or of whole texts; the same fragment is not another one.
    texts : container of str
        The ids of the whole texts.

    Examples
    --------
    >>> overlaps(["d1:0-20", "d1:20-40", "d2"], ["d1:10-20", "d1:20-40", "d3"])
    {'d1:0-20': 'd1:10-20'}
    """
    taken: dict[str, list[tuple[int, float, str]]] = defaultdict(list)
    for other in others:
        text, start, end = placed(other, texts)
        taken[text].append((start, np.inf if end is None else end, other))
    found = {}
    for one in documents:
        text, start, end = placed(one, texts)
        for first, last, other in taken.get(text, ()):
            if other != one and first < (np.inf if end is None else end) and start < last:
                found[one] = other
                break
    return found


def fragment_text(document: str, texts: Mapping[str, str]) -> str:
    """Return the words of a fragment, or of a whole text.

    Raises
    ------
    CodingError
        When there is no such text, or it is shorter.
    """
    text_id, start, end = placed(document, texts)
    if text_id not in texts:
        raise CodingError(f"text {text_id!r} is not in the corpus{nearest(text_id, texts)}")
    text = texts[text_id]
    if end is not None and not start < end <= len(text):
        raise CodingError(
            f"fragment {document!r} does not lie in its text of {len(text)} characters"
        )
    return text[start:end]


def in_whole_texts(rows: pd.DataFrame, texts: Container[str]) -> pd.DataFrame:
    """Return codings of fragments at their place in the whole text; `fragment` says which.

    Parameters
    ----------
    rows : DataFrame
        document, start, end, and any other column.
    texts : container of str
        The ids of the whole texts.
    """
    found = [placed(document, texts) for document in rows["document"]]
    shift = np.array([start for _, start, _ in found], dtype="int64")
    fragment = [name if end is not None else ""
                for name, (_, _, end) in zip(rows["document"], found, strict=True)]  # fmt: skip
    return rows.assign(
        document=[text_id for text_id, _, _ in found], start=rows["start"] + shift,
        end=rows["end"] + shift, fragment=fragment,
    )  # fmt: skip


def _named(name: str, texts: Mapping[str, str]) -> tuple[str, Span | None]:
    """Return the text that is meant, and which paragraphs if any are named."""
    found = None if name in texts else NAMED.fullmatch(name)
    text_id = found[1] if found else name
    if text_id not in texts:
        raise CodingError(
            f"there is no text {text_id[:40]!r}{nearest(text_id, texts)}; "
            "write an id, as T01, or with paragraphs, as T01#2-4"
        )
    return text_id, (int(found[2]), int(found[3] or found[2])) if found else None


def _sentences(
    texts: Mapping[str, str], blocks: Mapping[str, Sequence[Span]], words: int
) -> dict[tuple[str, int, int], list[Span]]:
    """Return where the sentences of long paragraphs are, at their place in the text."""
    long = [(name, *span) for name, spans in blocks.items() for span in spans
            if _count(texts[name], *span) > LONG * words]  # fmt: skip
    if not long:
        return {}
    found: dict[tuple[str, int, int], list[Span]] = {key: [] for key in long}
    table = sentence_table({str(at): texts[name][start:end]
                            for at, (name, start, end) in enumerate(long)})  # fmt: skip
    for one in table.itertuples():
        key = long[int(one.document)]
        found[key].append((key[1] + one.start, key[1] + one.end))
    return found


def _between(name: str, blocks: Sequence[Span], numbers: Span) -> Span:
    first, last = numbers
    if not 1 <= first <= last <= len(blocks):
        raise CodingError(
            f"text {name!r} has paragraphs 1 to {len(blocks)}; {first} to {last} was asked for"
        )
    return blocks[first - 1][0], blocks[last - 1][1]


def _together(text: str, spans: Sequence[Span], words: int) -> list[Span]:
    """Take neighbours together until each is about as long as asked."""
    counts = [_count(text, *span) for span in spans]
    cuts, held = [0], 0
    for at, count in enumerate(counts):
        if held >= words or (held >= words / 2 and held + count > LONG * words):
            cuts.append(at)
            held = 0
        held += count
    # A short rest goes with what stands before it.
    if len(cuts) > 1 and held < words / 2 and sum(counts[cuts[-2] :]) <= 2 * words:
        cuts.pop()
    ends = [*cuts, len(spans)]
    return [(spans[a][0], spans[b - 1][1]) for a, b in pairwise(ends) if b > a]


def _count(text: str, start: int, end: int) -> int:
    return len(text[start:end].split())


def _row(
    text_id: str, text: str, blocks: Sequence[Span], start: int, end: int
) -> tuple[object, ...]:
    inside = [at for at, (a, b) in enumerate(blocks, 1) if a < end and b > start]
    numbers = f"{inside[0]}–{inside[-1]}" if len(inside) > 1 else "".join(map(str, inside))
    return f"{text_id}:{start}-{end}", text_id, numbers, start, end, _count(text, start, end)


def _hold(pieces: pd.DataFrame, hits: pd.DataFrame) -> list[bool]:
    """Say of each fragment whether it holds a hit, wholly."""
    at = dict(iter(hits.groupby("document")))
    return [
        one.text in at
        and bool(((at[one.text]["start"] >= one.start) & (at[one.text]["end"] <= one.end)).any())
        for one in pieces.itertuples()
    ]
