"""What an exporter counted: every reading of a position, and which one fits."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from expertise.errors import FileError, listed, nearest

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Spans = Mapping[str, tuple[Ints, Ints]]
UNDETERMINED = "undetermined"
LEAST, LEAD = 0.5, 0.25
BOM = "\ufeff"
LF, CR = 10, 13
STOPS = tuple(map(ord, ".!?…"))
# What a selection may begin and end at, narrowest first.
WORDS, CLAUSES, SENTENCES = range(3)


@dataclass(frozen=True, slots=True)
class Convention:
    """One way to count.

    Attributes
    ----------
    unit : str
        What a character counts: codepoints, utf16 (units) or bytes (UTF-8).
    newline : str
        crlf2: as in the file, CRLF two and LF one; crlf1: every line end one;
        lf2: every line end two, also where the file has only LF.
    bom : str
        nobom: the first character is 0; bom: 1, because a byte-order mark was
        counted, in the file or not, or because counting began at one.
    end : str
        exclusive or inclusive.
    """

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
        ("codepoints", "utf16", "bytes"),
        ("crlf2", "crlf1", "lf2"),
        ("nobom", "bom"),
        ("exclusive", "inclusive"),
    )
)
STANDARD = CONVENTIONS[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """How the positions of a project were read.

    Attributes
    ----------
    convention : str
        As `"utf16 crlf2 nobom exclusive"` (see `Convention`), or `"undetermined"`.
    read_as : str
        The reading that was used: the same, or of those that fit equally well
        the one nearest to the letter of the standard.
    score : float
        Share of selections that begin and end at the edge of a word in that
        reading, where that is under 50 % (whole sentences) also at the signs
        beside it; NaN without selections.
    runner_up : float
        The same for the best other reading, among the selections that it
        places elsewhere; 0 when every reading places all the same.
    given : bool
        The convention was passed by the caller, not found.
    """

    convention: str
    read_as: str = str(STANDARD)
    score: float = float("nan")
    runner_up: float = float("nan")
    given: bool = False


def convention(name: str) -> Convention:
    """Return a convention by its name.

    >>> convention("utf16 crlf2 nobom exclusive").unit
    'utf16'
    """
    names = {str(one): one for one in CONVENTIONS}
    if name not in names:
        raise FileError(
            f"unknown convention {name!r}{nearest(name, names)}; "
            f"allowed are {listed(names, len(names))}"
        )
    return names[name]


class Ruler:
    """A text as its file holds it, and every place a position can mean in it.

    Places are counted with a byte-order mark in front and CRLF as it is;
    `text` is without BOM and with LF, and positions are returned in code
    points of `text`. `counts` names the units and line ends that place
    something elsewhere here.
    """

    def __init__(self, raw: str) -> None:
        self.text = raw.removeprefix(BOM).replace("\r\n", "\n")
        marked = BOM + raw.removeprefix(BOM)
        self._codes = codes = np.frombuffer(marked.encode("utf-32-le"), dtype="<u4").astype(
            np.int64
        )
        self._cr = (codes == CR) & (np.append(codes[1:], 0) == LF)
        self._lf = (codes == LF) & ~np.append(False, self._cr[:-1])
        differs = {"utf16": codes[1:] > 0xFFFF, "bytes": codes[1:] > 0x7F,
                   "crlf1": self._cr, "lf2": self._lf}  # fmt: skip
        self.counts = {STANDARD.unit, STANDARD.newline} | {
            n for n, at in differs.items() if at.any()
        }
        self._edges = _edges(codes)
        self._ours = self._ends(Convention("codepoints", "crlf1", "nobom", "exclusive"))

    def _ends(self, how: Convention) -> Ints:
        """Return the position of every place, one more than there are code points."""
        width = np.ones(len(self._codes), dtype=np.int64)
        if how.unit == "utf16":
            width += self._codes > 0xFFFF
        if how.unit == "bytes":
            width += np.searchsorted([0x80, 0x800, 0x10000], self._codes, side="right")
        if how.newline == "crlf1":
            width[self._cr] = 0
        if how.newline == "lf2":
            width[self._lf] = 2
        if how.bom == "nobom":
            width[0] = 0
        return np.concatenate([[0], np.cumsum(width)])

    def read(self, start: Ints, end: Ints, how: Convention) -> tuple[Ints, Bools]:
        """Return start and end (2 × n), and what they are the edges of (3 × n).

        Where a position does not exist (past the end, inside a pair), start
        and end are -1.
        """
        ends = self._ends(how)
        stop = end + (how.end == "inclusive")
        # A BOM or CR that counts nothing has two places with one position:
        # a selection begins after it and ends before it.
        first, found = _locate(ends, np.searchsorted(ends, start, side="right") - 1, start)
        last, also = _locate(ends, np.searchsorted(ends, stop, side="left"), stop)
        valid = found & also
        fits = [valid & (stop > start) & begins[first] & closes[last]
                for begins, closes in self._edges]  # fmt: skip
        return np.where(valid, self._ours[np.stack([first, last])], -1), np.stack(fits)


def _locate(ends: Ints, at: npt.NDArray[np.intp], positions: Ints) -> tuple[Ints, Bools]:
    at = np.clip(at, 0, len(ends) - 1)
    return at, ends[at] == positions


def _edges(codes: Ints) -> tuple[tuple[Bools, Bools], ...]:
    """Say of each place whether words, clauses and sentences may begin there, and may end there."""
    word, blank = _kinds(codes)
    stop, line = np.isin(codes, STOPS), np.isin(codes, (LF, CR))
    line[0] = True  # the mark in front begins the first line
    was_word, is_word = np.append(False, word), np.append(word, False)
    was_blank, is_blank = np.append(True, blank), np.append(blank, True)
    new = np.append(True, line) | (was_blank & np.append([False, False], stop[:-1]))
    return (
        (~was_word & is_word, was_word & ~is_word),
        (~was_word & ~is_blank, ~was_blank & ~is_word),
        (new & ~is_blank, np.append(False, stop) & is_blank),
    )


def _kinds(codes: Ints) -> tuple[Bools, Bools]:
    """Say of each code point whether it is of a word (letter, mark, digit, _), or blank."""
    word, blank = np.zeros((2, int(codes.max()) + 1), dtype=bool)
    word[codes] = True  # what occurs at all
    for code in np.flatnonzero(word).tolist():
        letter = chr(code)
        word[code] = unicodedata.category(letter)[0] in "LNM" or letter == "_"
        blank[code] = letter.isspace() or letter == BOM
    return word[codes], blank[codes]


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """Where one convention places all selections (2 × n), and what fits (3 × n)."""

    how: Convention
    places: Ints
    fits: Bools

    @property
    def kind(self) -> int:
        """What most selections begin and end at: words, or else clauses."""
        return WORDS if self.fits[WORDS].mean() >= LEAST else CLAUSES

    @property
    def score(self) -> float:
        """The share that fits."""
        return float(self.fits[self.kind].mean())

    def beside(self, other: "_Reading", kind: int) -> tuple[float, float]:
        """Return the share that fits here and there, of the selections placed differently."""
        apart = (self.places != other.places).any(axis=0)
        return float(self.fits[kind, apart].mean()), float(other.fits[kind, apart].mean())


def detect(rulers: Mapping[str, Ruler], spans: Spans, stated: bool) -> tuple[Convention, Positions]:
    """Find the convention under which selections begin and end at words.

    Parameters
    ----------
    rulers : mapping
        Source → its text.
    spans : mapping
        Source → start and end of its selections, as the file gives them.
    stated : bool
        The file says that it follows the letter of the standard: that decides
        when the selections do not.

    Returns
    -------
    Convention
        The reading in which most selections begin where a word begins and end
        where one ends, when that is at least 50 %. Every other reading is
        judged by the selections that it places elsewhere, and gives way when
        at least 50 % of these fit the best, 25 percentage points more than fit
        it. Among readings that are left signs may begin and end a selection
        too. When more than one is left, or whole sentences speak for another,
        the one nearest to the letter of the standard.
    Positions
        Its name and scores.
    """
    if not sum(len(start) for start, _ in spans.values()):
        return STANDARD, Positions(convention=str(STANDARD) if stated else UNDETERMINED)
    readings = _readings(rulers, spans)
    left = _fitting(_fitting(readings, WORDS), CLAUSES)
    # Sentences with the end inclusive look like sentences without their stop.
    whole = _fitting(readings, SENTENCES)
    if not set(left) & set(whole):
        left = [one for one in readings if one in left or one in whole]
    best = left[0]
    others = [one.beside(best, best.kind)[0] for one in readings if one is not best]
    sure = len(left) == 1 or (stated and best.how == STANDARD)
    return best.how, Positions(
        convention=str(best.how) if sure else UNDETERMINED, read_as=str(best.how),
        score=best.score, runner_up=max(others, default=0.0),
    )  # fmt: skip


def _readings(rulers: Mapping[str, Ruler], spans: Spans) -> list[_Reading]:
    """Return the readings that differ here, the letter of the standard first."""
    counts = set().union(*(rulers[name].counts for name in spans))
    found: dict[bytes, _Reading] = {}
    for how in CONVENTIONS:
        if {how.unit, how.newline} <= counts:
            reading = _reading(how, rulers, spans)
            found.setdefault(reading.places.tobytes(), reading)
    return list(found.values())


def _reading(how: Convention, rulers: Mapping[str, Ruler], spans: Spans) -> _Reading:
    read = [rulers[name].read(start, end, how) for name, (start, end) in spans.items()]
    places, fits = (np.concatenate(parts, axis=1) for parts in zip(*read, strict=True))
    return _Reading(how, places, fits)


def _fitting(readings: list[_Reading], kind: int) -> list[_Reading]:
    """Return the readings that do not clearly give way to the best: all, when none is good."""
    best = max(readings, key=lambda one: one.fits[kind].mean())
    if best.fits[kind].mean() < LEAST:
        return readings
    kept = []
    for one in readings:
        ahead, behind = (1.0, 1.0) if one is best else best.beside(one, kind)
        if ahead < LEAST or ahead - behind < LEAD:
            kept.append(one)
    return kept


def score_of(how: Convention, rulers: Mapping[str, Ruler], spans: Spans) -> float:
    """Return the share of selections that begin and end at the edge of a word in one reading."""
    marked = sum(len(start) for start, _ in spans.values())
    return _reading(how, rulers, spans).score if marked else float("nan")
