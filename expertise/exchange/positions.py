"""What an exporter counted: sixteen readings of a position, and which one fits."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from expertise.errors import FileError, listed, nearest

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
UNDETERMINED = "undetermined"
LEAST, LEAD = 0.5, 0.25
BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Convention:
    """One way to count: `unit` per character, CRLF as 2 or 1, the BOM or not, the end's meaning."""

    unit: str
    newline: str
    bom: str
    end: str

    def __str__(self) -> str:
        return f"{self.unit} {self.newline} {self.bom} {self.end}"


# The first is the letter of the standard, and wins among readings that are the same here.
CONVENTIONS = tuple(
    Convention(*parts)
    for parts in product(
        ("codepoints", "utf16"), ("crlf2", "crlf1"), ("nobom", "bom"), ("exclusive", "inclusive")
    )
)
STANDARD = CONVENTIONS[0]
NONE = (0.0, STANDARD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """How the positions of a project were read.

    Attributes
    ----------
    convention : str
        As `"utf16 crlf2 nobom exclusive"`, or `"undetermined"`: then positions
        were read by the letter of the standard.
    score : float
        Share of selections with both ends at the edge of a word in that reading;
        NaN without selections.
    runner_up : float
        The same for the best reading that places them elsewhere.
    given : bool
        The convention was passed by the caller, not found.
    """

    convention: str
    score: float
    runner_up: float
    given: bool = False


def convention(name: str) -> Convention:
    """Return a convention by its name.

    >>> convention("utf16 crlf2 nobom exclusive").unit
    'utf16'
    """
    names = {str(one): one for one in CONVENTIONS}
    if name not in names:
        raise FileError(
            f"unknown convention {name!r}{nearest(name, names)}; allowed are {listed(names, 16)}"
        )
    return names[name]


class Ruler:
    """A text as its file holds it, and every place a position can mean in it.

    `raw` keeps BOM and CRLF; `text` is the same without BOM and with LF, and
    positions are returned in code points of `text`.
    """

    def __init__(self, raw: str) -> None:
        self.text = raw.removeprefix(BOM).replace("\r\n", "\n")
        codes = np.frombuffer(raw.encode("utf-32-le"), dtype="<u4").astype(np.int64)
        self._astral = codes > 0xFFFF
        after = np.append(codes[1:], 0)
        self._cr = (codes == 13) & (after == 10)
        self._bom = np.zeros(len(codes), dtype=bool)
        self._bom[:1] = codes[:1] == 0xFEFF
        word, space = _kinds(codes)
        before, after_ = np.append(False, word), np.append(word, False)
        # Per place: a selection may begin here, and may end here.
        self._words = (~before & after_, before & ~after_)
        self._clauses = (~before & ~np.append(space, True), ~np.append(True, space) & ~after_)
        self._ours = self._ends(Convention("codepoints", "crlf1", "nobom", "exclusive"))

    def _ends(self, how: Convention) -> Ints:
        """Return the position of every place in the raw text, len + 1 of them."""
        width = np.ones(len(self._cr), dtype=np.int64)
        if how.unit == "utf16":
            width += self._astral
        if how.newline == "crlf1":
            width[self._cr] = 0
        if how.bom == "nobom":
            width[self._bom] = 0
        return np.concatenate([[0], np.cumsum(width)])

    def read(
        self, start: Ints, end: Ints, how: Convention, *, clauses: bool = False
    ) -> tuple[Ints, Ints, Bools, Bools]:
        """Return start, end, whether both exist, and whether both lie at the edge of a word.

        Where a position does not exist (past the end, inside a pair), start
        and end are -1. With `clauses`, signs may begin or end a selection too.
        """
        ends = self._ends(how)
        stop = end + (how.end == "inclusive")
        # A BOM or CR that counts nothing has two places with one position:
        # a selection begins after it and ends before it.
        first, found = _locate(ends, np.searchsorted(ends, start, side="right") - 1, start)
        last, also = _locate(ends, np.searchsorted(ends, stop, side="left"), stop)
        valid = found & also
        begins, closes = self._clauses if clauses else self._words
        edge = valid & begins[first] & closes[last] & (stop > start)
        ours = [np.where(valid, self._ours[place], -1) for place in (first, last)]
        return ours[0], ours[1], valid, edge


def _locate(ends: Ints, at: npt.NDArray[np.intp], positions: Ints) -> tuple[Ints, Bools]:
    at = np.clip(at, 0, len(ends) - 1)
    return at, ends[at] == positions


def _kinds(codes: Ints) -> tuple[Bools, Bools]:
    """Say for each code point whether it belongs to a word (letter, mark, digit, _), or is blank.

    A joiner or a skin tone belongs to the sign before it and ends nothing.
    """
    kinds, where = np.unique(codes, return_inverse=True)
    letters = [chr(code) for code in kinds.tolist()]
    word = [unicodedata.category(letter)[0] in "LNM" or letter == "_" for letter in letters]
    blank = [letter.isspace() or letter == BOM for letter in letters]
    return np.array(word, dtype=bool)[where], np.array(blank, dtype=bool)[where]


def detect(
    rulers: Mapping[str, Ruler], spans: Mapping[str, tuple[Ints, Ints]]
) -> tuple[Convention, Positions]:
    """Find the convention under which selections begin and end at words.

    Parameters
    ----------
    rulers : mapping
        Source → its text.
    spans : mapping
        Source → start and end of its selections, as the file gives them.

    Returns
    -------
    Convention
        The one in which at least 50 % of selections begin where a word begins
        and end where one ends, 25 percentage points more than in any reading
        that places a selection elsewhere. When that decides nothing, signs
        may begin and end a selection too (whole sentences). When neither
        does, the letter of the standard.
    Positions
        Its name and scores.
    """
    if not sum(len(start) for start, _ in spans.values()):
        return STANDARD, Positions(convention=UNDETERMINED, score=np.nan, runner_up=np.nan)
    for clauses in (False, True):
        (best, how), (second, _) = (*_ranked(rulers, spans, clauses), NONE)[:2]
        if best >= LEAST and best - second >= LEAD:
            return how, Positions(convention=str(how), score=best, runner_up=second)
    return STANDARD, Positions(convention=UNDETERMINED, score=best, runner_up=second)


def _ranked(
    rulers: Mapping[str, Ruler], spans: Mapping[str, tuple[Ints, Ints]], clauses: bool
) -> list[tuple[float, Convention]]:
    """Return scores and conventions, the best first; those that place all the same are one."""
    scores: dict[bytes, tuple[float, Convention]] = {}
    total = sum(len(start) for start, _ in spans.values())
    for how in CONVENTIONS:
        read = [rulers[n].read(s, e, how, clauses=clauses) for n, (s, e) in spans.items()]
        placed = b"".join(part.tobytes() for one in read for part in one[:2])
        score = sum(int(one[3].sum()) for one in read) / total
        scores.setdefault(placed, (score, how))
    return sorted(scores.values(), key=lambda one: -one[0])


def score_of(
    how: Convention, rulers: Mapping[str, Ruler], spans: Mapping[str, tuple[Ints, Ints]]
) -> float:
    """Return the share of selections with both ends at the edge of a word in one reading."""
    edges: Sequence[Bools] = [rulers[n].read(s, e, how)[3] for n, (s, e) in spans.items()]
    return float(np.concatenate(edges).mean()) if edges and sum(map(len, edges)) else float("nan")
