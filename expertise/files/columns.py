"""From the texts in a column to ids, numbers, dates, categories or text: surely, or not at all."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, get_args
from unicodedata import normalize

import numpy as np
import numpy.typing as npt
import pandas as pd

from expertise.errors import DataError, listed, nearest
from expertise.files import dates, numbers
from expertise.files.grid import Cells, Grid, Problem
from expertise.words import Note, note

Kind = Literal["id", "number", "integer", "date", "category", "text"]

_IDS = re.compile(
    r"id|(deelnemer|participant|respondent|client|cliënt|patient|patiënt|subject|person|persoon"
    r"|proefpersoon|case|casus|record|study|studie)s?(id|nr|nummer|number|code|key)"
    r"|deelnemer|participant|respondent|proefpersoon|ppn|pid|subjid"
)
_TOTALS = {"totaal", "total", "subtotaal", "subtotal", "gemiddelde", "gemiddeld", "mean", "average",
           "som", "sum", "eindtotaal", "grand total"}  # fmt: skip
_NULLS = {
    "na",
    "n/a",
    "#n/a",
    "nan",
    "null",
    "none",
    "nil",
    "nvt",
    "n.v.t.",
    "-",
    ".",
    "?",
    "missing",
}
_TRUTHS = [{"ja", "nee"}, {"yes", "no"}, {"true", "false"}, {"waar", "onwaar"}, {"0", "1"}]
_TRUTH = set().union(*_TRUTHS)
_FLOATED = re.compile(r"[0-9]+\.0")
_UNSEEN = re.compile("[\\s\u200b-\u200f\u2060\ufeff\u00ad]+")
_HARMLESS = re.compile(r"[-+0-9.,:/eE ~<>=?]{1,20}|[^\W\d_]{1,20}")


@dataclass(frozen=True, slots=True)
class Column:
    """What a column must hold.

    Parameters
    ----------
    kind
        `"id"`: text exactly as written, never empty; `"number"`; `"integer"`;
        `"date"`; `"category"`; `"text"`.
    minimum, maximum
        Bounds of a number, both allowed themselves.
    values
        The values a category may have; a mapping also renames them
        (`{"1": "patient", "2": "naaste"}`).
    missing
        Values that stand for a missing one; the reason is kept in the result.
    form
        How dates are written, as in `datetime.strptime` (`"%d-%m-%Y"`), or
        `"excel"` for serial numbers; ISO dates when absent.
    """

    kind: Kind
    _: KW_ONLY
    minimum: float | None = None
    maximum: float | None = None
    values: Mapping[str, str] | Sequence[str] = ()
    missing: Sequence[str] = ()
    form: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            kinds = get_args(Kind)
            raise DataError(
                f"unknown kind of column {self.kind!r}{nearest(self.kind, kinds)};"
                f" allowed are {listed(kinds)}"
            )


@dataclass(slots=True, kw_only=True)
class Reading:
    """One column while it is read; problems and notes gather here."""

    grid: Grid
    name: str
    cells: Cells
    rule: Column | None = None
    decimal: str | None = None
    form: str | None = None
    mark: str | None = None
    problems: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def texts(self) -> tuple[str, ...]:
        """The distinct texts, an empty one among them where a cell is empty."""
        return self.cells.texts

    def where(self, judge: Callable[[str], object]) -> list[int]:
        """Return which distinct, filled texts a judge finds true."""
        return [index for index, text in enumerate(self.texts) if text and judge(text)]

    def refuse(self, which: Iterable[int], what: str) -> None:
        """Add a problem for the rows that hold some of the distinct texts."""
        self.problems.append(self.grid.problem(self.name, self.cells.positions(which), what))

    def remark(self, key: str, which: Iterable[int], **values: Any) -> None:
        """Add a note that names the rows."""
        rows = self.grid.rows[self.cells.positions(which)].tolist()
        shown = ", ".join(map(str, rows[:8])) + " …" * (len(rows) > 8)
        file = self.grid.source.file
        self.notes.append(note(f"files.{key}", file=file, column=self.name, rows=shown, **values))

    def spread(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a value for every row from one for every distinct text."""
        return np.asarray(values[self.cells.codes])


def series(reading: Reading) -> "pd.Series[Any]":
    """Return the column in its type; what forbids that is in `reading.problems`."""
    kind = reading.rule.kind if reading.rule else _guess(reading)
    if reading.problems:
        return _text(reading)
    return _READ[kind](reading)


def named_as_id(name: str) -> bool:
    """Tell whether the name of a column promises ids of people.

    >>> named_as_id("Deelnemer-nr"), named_as_id("idee")
    (True, False)
    """
    return bool(_IDS.fullmatch(re.sub(r"[\W_]+", "", name.casefold())))


def _guess(reading: Reading) -> Kind:
    """Return the kind of a column that nobody declared; text when in doubt, with a note."""
    texts = [text for text in reading.texts if text]
    if named_as_id(reading.name):
        return "id"
    if foreign := reading.where(
        lambda text: not text.isascii() and numbers.FOREIGN.fullmatch(text)
    ):
        reading.refuse(foreign, "digits other than 0-9; write the numbers with 0-9")
        return "text"
    if not texts:
        return "text"
    if numbers.plain_values(texts) is None and _dated(reading, texts):
        return "date"
    if dates.named_as_date(reading.name) and all(numbers.reads(text, ".") for text in texts):
        return "date"
    truths = {text.strip().casefold() for text in texts}
    if truths <= _TRUTH and sum(bool(truths & pair) for pair in _TRUTHS) > 1:
        what = "yes and no are written in several ways; declare a category with values"
        reading.refuse(range(len(reading.texts)), what)
        return "text"
    return _guess_number(reading, texts)


def _dated(reading: Reading, texts: list[str]) -> bool:
    """Tell whether a column holds dates, or dates mixed with serial numbers."""
    like = [dates.looks_dated(text) or dates.is_iso(text) for text in texts]
    return any(like) and all(
        dated or numbers.reads(text, ".") for dated, text in zip(like, texts, strict=True)
    )


def _guess_number(reading: Reading, texts: list[str]) -> Kind:
    """Return number when every text is one under one convention; refuse mixtures of them."""
    if _keep_as_text(reading, texts):
        return "text"
    odd = [
        text for text in texts if numbers.NOT_FINITE.fullmatch(text) or text.casefold() in _NULLS
    ]
    rest = [text for text in texts if text not in set(odd)]
    verdict = _verdict(reading, rest)
    if verdict == "text":
        if some := reading.where(lambda text: numbers.reads(text, ".") or numbers.reads(text, ",")):
            reading.remark("partly_numbers", some)
        return "text"
    if not rest and not any(map(numbers.NOT_FINITE.fullmatch, odd)):
        return "text"
    if verdict == "," and reading.decimal is None and reading.grid.source.delimiter == ",":
        reading.remark("comma_undeclared", reading.where(lambda text: "," in text))
        return "text"
    return "number"


def _keep_as_text(reading: Reading, texts: list[str]) -> bool:
    """Note digits that would lose something as a number: leading zeros, very long ones."""
    if leading := reading.where(re.compile(r"[+-]?0[0-9]+").fullmatch):
        reading.remark("leading_zeros", leading)
        return True
    if long := reading.where(lambda text: len(text) > 15 and re.fullmatch("[+-]?[0-9]{16,}", text)):
        reading.remark("long_digits", long)
        return True
    return False


def _verdict(reading: Reading, texts: list[str]) -> str:
    """Return the decimal mark of a column, or why it has none."""
    mark = reading.decimal or ("." if reading.grid.native else None)
    if mark:
        return mark if all(numbers.reads(text, mark) for text in texts) else "text"
    if numbers.plain_values(texts) is not None:
        return "."
    return numbers.convention(texts)


def _number(reading: Reading) -> "pd.Series[Any]":
    texts = [text for text in reading.texts if text]
    if bad := reading.where(numbers.NOT_FINITE.fullmatch):
        what = "not a finite number; empty the cell, or declare the mark as missing"
        reading.refuse(bad, what)
    fine = [text for text in texts if not numbers.NOT_FINITE.fullmatch(text)]
    verdict = _verdict(reading, fine)
    if verdict in {"mixed", "ambiguous"}:
        marked = reading.where(lambda text: "." in text or "," in text)
        what = {
            "mixed": "decimal points and commas are mixed; write all numbers in one way",
            "ambiguous": "the mark may stand for decimals or for thousands; declare decimal",
        }[verdict]
        reading.refuse(marked, what)
    elif verdict == "text":
        mark = reading.decimal or ("." if reading.grid.native else None)
        wrong = reading.where(lambda text: not _readable(text, mark))
        what = "not a number{}; correct it, empty it, or declare it as missing"
        reading.refuse(wrong, what.format(_quoted(reading, wrong)))
    elif verdict == "," and not reading.decimal and reading.grid.source.delimiter == ",":
        commas = reading.where(lambda text: "," in text)
        reading.refuse(commas, 'a decimal comma in a comma-separated file; declare decimal = ","')
    if reading.problems:
        return _text(reading)
    mark = "." if verdict == "any" else verdict
    reading.mark = mark if any("." in text or "," in text for text in fine) else None
    found = numbers.plain_values(reading.texts) if mark == "." else None
    return _bounded(reading, numbers.values(reading.texts, mark) if found is None else found)


def _readable(text: str, mark: str | None) -> bool:
    if numbers.NOT_FINITE.fullmatch(text):
        return True
    return (
        numbers.reads(text, mark) if mark else numbers.reads(text, ".") or numbers.reads(text, ",")
    )


def _bounded(reading: Reading, values: npt.NDArray[np.float64]) -> "pd.Series[Any]":
    """Check range and wholeness; whole columns without gaps become int64."""
    rule = reading.rule or Column("number")
    whole = values == np.round(values)
    checks = [
        (np.isinf(values), "a number too large to hold"),
        (np.abs(values) > numbers.EXACT, "more digits than a number can hold; declare it an id"),
    ]
    if rule.kind == "integer":
        checks.append((~whole & ~np.isnan(values), "not a whole number"))
    if rule.minimum is not None:
        checks.append((values < rule.minimum, f"below the minimum {rule.minimum:g}"))
    if rule.maximum is not None:
        checks.append((values > rule.maximum, f"above the maximum {rule.maximum:g}"))
    for wrong, what in checks:
        if wrong.any():
            which = np.flatnonzero(wrong).tolist()
            reading.refuse(which, what + _quoted(reading, which))
            return _text(reading)
    spread = reading.spread(values)
    if len(spread) and whole.all():
        return pd.Series(spread.astype(np.int64))
    return pd.Series(spread)


def _quoted(reading: Reading, which: Sequence[int]) -> str:
    """Return short values that identify nobody, for a sentence; longer ones stay out of it."""
    texts = [reading.texts[index] for index in which]
    fine = all(map(_HARMLESS.fullmatch, texts))
    return f" ({listed(map(repr, texts), most=4)})" if fine else ""


def _date(reading: Reading) -> "pd.Series[Any]":
    form = (reading.rule.form if reading.rule else None) or reading.form
    found = [
        dates.moment(text, None if reading.grid.native and dates.is_iso(text) else form)
        for text in reading.texts
    ]
    wrong = [index for index, when in enumerate(found) if when is None and reading.texts[index]]
    _refuse_dates(reading, wrong, form)
    zoned = [index for index, when in enumerate(found) if when and when.tzinfo]
    local = [index for index, when in enumerate(found) if when and not when.tzinfo]
    if changing := [
        index for index, when in enumerate(found) if when and dates.in_clock_change(when)
    ]:
        what = (
            "the clock changes at this hour, so it is skipped or occurs twice; add the UTC offset"
        )
        reading.refuse(changing, what)
    if zoned and local:
        reading.refuse(local, "no UTC offset, which other rows have; give all of them one")
    if reading.problems:
        return _text(reading)
    moments = [dates.in_utc(when) if when and when.tzinfo else when for when in found]
    stamps = np.array(moments, dtype="datetime64[us]")
    result = pd.Series(reading.spread(stamps))
    return result.dt.tz_localize("UTC") if zoned else result


def _refuse_dates(reading: Reading, wrong: list[int], form: str | None) -> None:
    """Refuse what is no date: impossible days, serial numbers and other forms, apart."""
    texts = reading.texts
    serial = [index for index in wrong if re.fullmatch(r"[0-9]{5}(\.[0-9]+)?", texts[index])]
    impossible = [index for index in wrong if dates.is_iso(texts[index])]
    other = [index for index in wrong if index not in {*serial, *impossible}]
    if impossible:
        reading.refuse(impossible, f"no such day exists{_quoted(reading, impossible)}; correct it")
    if serial:
        day = dates.from_serial(float(texts[serial[0]])).date()
        what = f"a serial number of Excel ({texts[serial[0]]} would be {day}); declare form 'excel'"
        reading.refuse(serial, what)
    if other:
        shown = f"written as {form}" if form else f"written as {dates.ISO_SHOWN}"
        reading.refuse(
            other, f"not an existing date {shown}; correct it or declare the form of dates"
        )


def _category(reading: Reading) -> "pd.Series[Any]":
    allowed = reading.rule.values if reading.rule else ()
    if not allowed:
        return _text(reading)
    rename = allowed if isinstance(allowed, Mapping) else {value: value for value in allowed}
    rename = {str(key): str(value) for key, value in rename.items()}
    for index in reading.where(lambda text: text not in rename):
        hint = nearest(reading.texts[index], rename)
        value = f"unknown value{_quoted(reading, [index])}{hint}"
        reading.refuse([index], f"{value}; allowed are {listed(rename)}")
    renamed = [rename.get(text, text) if text else None for text in reading.texts]
    return pd.Series(reading.spread(np.array(renamed, dtype=object)), dtype="str")


def _text(reading: Reading) -> "pd.Series[Any]":
    texts = np.array([text or None for text in reading.texts], dtype=object)
    return pd.Series(reading.spread(texts), dtype="str")


def _id(reading: Reading) -> "pd.Series[Any]":
    """Return ids as written; refuse those that are empty, totals, or nearly another."""
    texts = reading.texts
    if empty := [index for index, text in enumerate(texts) if not _UNSEEN.sub("", text)]:
        reading.refuse(empty, "the id is empty; give every row one")
    if totals := reading.where(lambda text: text.strip().casefold() in _TOTALS):
        reading.refuse(totals, "a total stands where an id must be; remove rows with totals")
    alike: dict[str, list[int]] = {}
    for index, text in enumerate(texts):
        alike.setdefault(normalize("NFKC", _UNSEEN.sub("", text)).casefold(), []).append(index)
    for key, which in alike.items():
        if key and len(which) > 1:
            what = "ids differ only in blanks or capitals; make them the same or clearly different"
            reading.refuse(which, what)
    _id_remarks(reading)
    return _text(reading)


def _id_remarks(reading: Reading) -> None:
    texts = reading.texts
    bare: dict[str, list[int]] = {}
    for index, text in enumerate(texts):
        if text.isdigit():
            bare.setdefault(text.lstrip("0"), []).append(index)
    if zeros := [index for which in bare.values() if len(which) > 1 for index in which]:
        reading.remark("id_zeros", zeros)
    if floated := reading.where(_FLOATED.fullmatch):
        reading.remark("id_floated", floated)
    if null := reading.where(lambda text: text.casefold() in _NULLS):
        reading.remark("id_null", null)


_READ: Mapping[Kind, Callable[[Reading], "pd.Series[Any]"]] = {
    "id": _id,
    "number": _number,
    "integer": _number,
    "date": _date,
    "category": _category,
    "text": _text,
}
