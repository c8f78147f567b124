"""Codings from a table made elsewhere: checked row by row, never moved in silence."""

import unicodedata
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from expertise.coding.acts import check_span
from expertise.coding.codebook import Codebook, unknown_code
from expertise.errors import CodingError, listed, nearest
from expertise.result import Result
from expertise.words import Note, note, say

DUTCH = {"codeur": "coder", "begin": "start", "eind": "end", "einde": "end", "tekst": "text"}
NEEDED = ("document", "coder", "code", "start", "end")
Units = Literal["code points", "utf16"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Imported(Result):
    """Codings that were accepted, and every row that was not, with the reason.

    Attributes
    ----------
    codings : DataFrame
        document, coder, code, start, end, text; positions in code points, the
        text as it stands there. The index is the row of the table.
    rejected : DataFrame
        row (from 1, the header not counted) and why.
    """

    codings: pd.DataFrame
    rejected: pd.DataFrame
    notes: tuple[Note, ...] = ()

    def heading(self) -> str:
        """Say how many rows were accepted."""
        return say("coding.imported", n=len(self.codings), rejected=len(self.rejected))

    def tidy(self) -> pd.DataFrame:
        """Return the number of codings per code and coder."""
        return self.codings.groupby(["code", "coder"]).size().rename("n").reset_index()


def import_codings(
    table: pd.DataFrame, texts: Mapping[str, str], codebook: Codebook, *,
    units: Units = "code points", strict: bool = True,
) -> Imported:  # fmt: skip
    """Check a table of codings against the texts and the codebook.

    Parameters
    ----------
    table : DataFrame
        Columns document, coder, code, start, end (exclusive, from 0) and, if
        there is one, text: the quote as it was marked. Dutch names (codeur,
        begin, eind, tekst) are read too; other columns are left out.
    texts : mapping
        Document → its text.
    codebook : Codebook
        A code may be named by its key or by its name.
    units : {"code points", "utf16"}
        What positions count; "utf16" is what JavaScript and many programs do.
    strict : bool
        Refuse the whole table when a row is wrong (default), or leave those
        rows out and list them in `rejected`.

    Raises
    ------
    CodingError
        When a column is missing, or (strict) a row is wrong: an unknown
        document or code, a position that is no whole number, reversed, empty
        or past the end, within a UTF-16 pair, or a quote that differs from
        the text at that place.

    Notes
    -----
    Exact duplicates count once. Codings of one coder with one code that
    overlap are kept; both are in the notes, as are ends that split what
    people see as one character.

    Examples
    --------
    >>> from expertise.coding.codebook import Code
    >>> book = Codebook(codes=(Code(key="hoop", name="Hoop", definition="Kijkt vooruit."),))
    >>> table = pd.DataFrame({"document": ["d1"], "coder": ["a"], "code": ["hoop"],
    ...                       "start": [3], "end": [7]})
    >>> import_codings(table, {"d1": "Ik hoop."}, book).codings["text"].tolist()
    ['hoop']
    """
    given = table.rename(columns=lambda name: DUTCH.get(str(name).strip().casefold(), name))
    for name in NEEDED:
        if name not in given:
            raise CodingError(
                f"the table of codings has no column {name!r}{nearest(name, table.columns)}; "
                f"it has {listed(table.columns)}"
            )
    if units not in ("code points", "utf16"):
        raise CodingError(f"units is {units!r}; allowed are 'code points' and 'utf16'")
    names = {code.name: code.key for code in codebook.codes} | {key: key for key in codebook}
    quotes = given["text"] if "text" in given else pd.Series("", index=given.index)
    measures = {name: _Measure(str(text), units) for name, text in texts.items()}
    rows, wrong = [], []
    columns = (given[name].tolist() for name in NEEDED)
    for row, (values, quote) in enumerate(
        zip(zip(*columns, strict=True), quotes.tolist(), strict=True), start=1
    ):
        try:
            rows.append((row, *_row(values, quote, measures, names, codebook)))
        except CodingError as error:
            wrong.append((row, str(error)))
    if wrong and strict:
        first = "; ".join(f"row {row}: {why}" for row, why in wrong[:3])
        raise CodingError(f"{len(wrong)} of {len(given)} codings are wrong: {first}")
    found = pd.DataFrame(rows, columns=["row", *NEEDED, "text"]).set_index("row")
    found = found.astype({"start": "int64", "end": "int64"})
    codings = found.drop_duplicates(list(NEEDED))
    return Imported(
        codings=codings,
        rejected=pd.DataFrame(wrong, columns=["row", "why"]),
        notes=_notes(found, codings, measures, units, quotes),
    )


def _row(
    values: tuple[Any, ...], quote: Any, measures: Mapping[str, "_Measure"],
    names: Mapping[str, str], book: Codebook,
) -> tuple[str, str, str, int, int, str]:  # fmt: skip
    document, coder, code, start, end = values
    if (measure := measures.get(str(document))) is None:
        near = nearest(str(document), measures)
        raise CodingError(
            f"unknown document {str(document)[:40]!r}{near}; there are {listed(measures)}"
        )
    if _blank(coder):
        raise CodingError("no coder; say who coded")
    if str(code) not in names:
        raise CodingError(unknown_code(code, book))
    begin, stop = whole(start, "start"), whole(end, "end")
    check_span(begin, stop, measure.length)
    begin, stop = measure.place(begin, "start"), measure.place(stop, "end")
    text = measure.text[begin:stop]
    if not _blank(quote) and str(quote) != text:
        raise CodingError(
            f"the quote is not what stands at {begin}–{stop} of {str(document)!r}; "
            "the text changed after coding, or positions count something else (see units)"
        )
    return str(document), str(coder), names[str(code)], begin, stop, text


def _blank(value: Any) -> bool:
    return value is None or value != value or str(value) == ""


def whole(value: Any, name: str) -> int:
    """Return a position as int; 5.0 is whole, 5.5, True and "vijf" are not.

    >>> whole(5.0, "start"), whole("12", "start")
    (5, 12)
    """
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value)
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        raise CodingError(f"{name} is {str(value)[:40]!r}; positions are whole numbers")
    if value != value or value in (float("inf"), float("-inf")) or value != int(value):
        raise CodingError(f"{name} is {value}; positions are whole numbers")
    return int(value)


class _Measure:
    """A text and its positions in the units of the table."""

    def __init__(self, text: str, units: Units) -> None:
        self.text = text
        self.astral = not text.isascii() and max(text) > "\uffff"
        self.ends: list[int] | None = None
        self.length = len(text)
        if units == "utf16" and self.astral:
            widths = [1 + (letter > "\uffff") for letter in text]
            self.ends = [0, *np.cumsum(widths).tolist()]
            self.length = self.ends[-1]

    def place(self, position: int, name: str) -> int:
        """Return the position in code points."""
        if self.ends is None:
            return position
        at = bisect_left(self.ends, position)
        if self.ends[at] != position:
            raise CodingError(f"{name} {position} lies within a UTF-16 pair; mark whole characters")
        return at

    def splits(self, at: int) -> bool:
        """Say whether a position lies within what people see as one character."""
        if not 0 < at < len(self.text):
            return False
        before, after = self.text[at - 1], self.text[at]
        return (
            unicodedata.category(after).startswith("M")
            or "\u200d" in (before, after)
            or "\U0001f3fb" <= after <= "\U0001f3ff"
        )


def _notes(
    found: pd.DataFrame, codings: pd.DataFrame, measures: Mapping[str, _Measure], units: Units,
    quotes: "pd.Series[Any]",
) -> tuple[Note, ...]:  # fmt: skip
    notes = []
    double = sorted(set(found.index) - set(codings.index))
    if double:
        notes.append(note("coding.duplicates", rows=listed(double)))
    ordered = codings.sort_values(["document", "coder", "code", "start", "end"])
    same = [ordered["document"], ordered["coder"], ordered["code"]]
    reach = ordered.groupby(same)["end"].cummax().groupby(same).shift(fill_value=0)
    if len(overlap := sorted(ordered.index[ordered["start"] < reach])):
        notes.append(note("coding.overlaps", rows=listed(overlap)))
    ends = zip(codings.index, codings["document"], codings["start"], codings["end"], strict=True)
    cut, unsure = [], []
    given = (~quotes.map(_blank)).tolist()
    for row, document, start, end in ends:
        measure = measures[document]
        if measure.text.isascii():
            continue
        if measure.splits(start) or measure.splits(end):
            cut.append(row)
        if units == "code points" and measure.astral and not given[row - 1]:
            unsure.append(row)
    if cut:
        notes.append(note("coding.split_characters", rows=listed(cut)))
    if unsure:
        notes.append(note("coding.unsure_units", rows=listed(unsure)))
    if codings["coder"].nunique() == 1:
        notes.append(note("coding.one_coder"))
    return tuple(notes)
