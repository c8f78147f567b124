"""From the texts in a column to ids, numbers, dates, categories or text: surely, or not at all."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from unicodedata import normalize

import numpy as np
import numpy.typing as npt
import pandas as pd

from expertise.errors import listed, nearest
from expertise.files import dates, numbers
from expertise.files.guess import guess
from expertise.files.reading import NULLS, Column, Kind, Reading

_TOTALS = {"totaal", "total", "totals", "subtotaal", "subtotal", "eindtotaal", "grand total",
           "gemiddelde", "gemiddeld", "mean", "average", "som", "sum"}  # fmt: skip
_ROUNDED = re.compile(r"[0-9][.,][0-9]+[eE]\+[0-9]+")
_FLOATED = re.compile(r"[0-9]+\.0")
_UNSEEN = re.compile("[\\s\u00ad\u200b-\u200f\u2060\ufeff]+")
_ID = re.compile(r"\w(?:[\w .:/#@&+-]*\w)?")
_SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")


def series(reading: Reading) -> "pd.Series[Any]":
    """Return the column in its type; what forbids that is in `reading.problems`."""
    kind = reading.rule.kind if reading.rule else guess(reading)
    if kind != "id" and reading.name == next(iter(reading.grid.columns)):
        last = int(reading.cells.codes[-1])
        if reading.texts[last].strip().casefold() in _TOTALS:
            reading.refuse([last], "a row of totals; remove it")
    return _text(reading) if reading.problems else _READ[kind](reading)


def _text(reading: Reading) -> "pd.Series[Any]":
    texts = np.array([text or None for text in reading.texts], dtype=object)
    return pd.Series(reading.spread(texts), dtype="str")


def _category(reading: Reading) -> "pd.Series[Any]":
    allowed = reading.rule.values if reading.rule else ()
    if not allowed:
        return _text(reading)
    pairs = allowed.items() if isinstance(allowed, Mapping) else zip(allowed, allowed, strict=True)
    rename = {str(old): str(new) for old, new in pairs}
    for index in reading.where(lambda text: text not in rename):
        what = f"unknown value{reading.quoted([index])}{nearest(reading.texts[index], rename)}"
        reading.refuse([index], f"{what}; allowed are {listed(rename)}")
    renamed = np.array([rename.get(text) for text in reading.texts], dtype=object)
    return pd.Series(reading.spread(renamed), dtype="str")


def _id(reading: Reading) -> "pd.Series[Any]":
    """Return ids as written; refuse those that are empty, totals, odd, or nearly another."""
    texts = reading.texts
    if empty := [index for index, text in enumerate(texts) if not _UNSEEN.sub("", text)]:
        reading.refuse(empty, "the id is empty; give every row one")
    if totals := reading.where(lambda text: text.strip().casefold() in _TOTALS):
        reading.refuse(totals, "a total stands where an id must be; remove rows with totals")
    alike: dict[str, list[int]] = {}
    for index, text in enumerate(texts):
        alike.setdefault(normalize("NFKC", _UNSEEN.sub("", text)).casefold(), []).append(index)
    close = [which for key, which in alike.items() if key and len(which) > 1]
    for which in close:
        what = "ids differ only in blanks or capitals; make them the same or clearly different"
        reading.refuse(which, what)
    known = {*empty, *(index for which in close for index in which)}
    odd = reading.where(lambda text: not _ID.fullmatch(normalize("NFC", text)))
    if odd := [index for index in odd if index not in known]:
        what = "an id holds letters, digits, blanks between them and . _ - / : # @ & +; mend it"
        reading.refuse(odd, what)
    _remark_ids(reading)
    return _text(reading)


def _remark_ids(reading: Reading) -> None:
    """Note ids that were perhaps damaged on their way here."""
    bare: dict[str, list[int]] = {}
    for index in reading.where(str.isdigit):
        bare.setdefault(reading.texts[index].lstrip("0"), []).append(index)
    for key, which in (
        ("id_zeros", [index for same in bare.values() if len(same) > 1 for index in same]),
        ("id_floated", reading.where(_FLOATED.fullmatch)),
        ("id_rounded", reading.where(_ROUNDED.fullmatch)),
        ("id_null", reading.where(lambda text: text.casefold() in NULLS)),
    ):
        if which:
            reading.remark(key, which)


def _number(reading: Reading) -> "pd.Series[Any]":
    if reading.plain is not None:
        reading.used_mark = "." if any("." in text for text in reading.texts) else None
        return _checked(reading, reading.plain)
    reading.empty_blanks()
    endless = reading.where(numbers.NOT_FINITE.fullmatch)
    if endless:
        what = "not a finite number; empty the cell, or declare the value as missing"
        reading.refuse(endless, what)
    texts = [text for text in reading.filled if not numbers.NOT_FINITE.fullmatch(text)]
    verdict = reading.verdict(texts)
    if verdict == "text":
        numeric = {*endless, *reading.where(reading.is_number)}
        wrong = [index for index in reading.where(bool) if index not in numeric]
        what = f"not a number{reading.quoted(wrong)}; correct it, empty it, or declare it missing"
        reading.refuse(wrong, what)
    elif why := _why_ambiguous(reading, verdict):
        reading.refuse(reading.where(lambda text: "." in text or "," in text), why)
        reading.ambiguous = verdict == "ambiguous"
    if reading.problems:
        return _text(reading)
    if verdict != "any":
        reading.used_mark = verdict
    return _checked(reading, numbers.values(reading.texts, "," if verdict == "," else "."))


def _why_ambiguous(reading: Reading, verdict: str) -> str | None:
    if verdict == "mixed":
        return "decimal points and commas are mixed; write all numbers in one way"
    if verdict == "ambiguous":
        return "the mark may stand for decimals or for thousands; declare decimal"
    if verdict == "," and reading.needs_comma_declared:
        return 'a decimal comma in a comma-separated file; declare decimal = ","'
    return None


def _checked(reading: Reading, values: npt.NDArray[np.float64]) -> "pd.Series[Any]":
    """Return numbers within their bounds; whole ones without gaps as int64."""
    rule = reading.rule or Column("number")
    whole = values == np.round(values)
    low = -np.inf if rule.minimum is None else rule.minimum
    high = np.inf if rule.maximum is None else rule.maximum
    for wrong, what in (
        (np.isinf(values), "too large for a number"),
        (whole & (np.abs(values) >= numbers.EXACT), "more digits than a number holds exactly"),
        (~whole & ~np.isnan(values) & (rule.kind == "integer"), "not a whole number"),
        (values < low, f"below the minimum {low:g}"),
        (values > high, f"above the maximum {high:g}"),
    ):
        if wrong.any():
            which = np.flatnonzero(wrong).tolist()
            reading.refuse(which, f"{what}{reading.quoted(which)}; correct it or empty it")
            break
    spread = reading.spread(values)
    return pd.Series(spread.astype(np.int64) if whole.all() and not reading.problems else spread)


def _date(reading: Reading) -> "pd.Series[Any]":
    reading.empty_blanks()
    form = (reading.rule and reading.rule.form) or reading.form
    native = reading.grid.native
    found = [
        dates.moment(text, None if native and dates.is_iso(text) else form)
        for text in reading.texts
    ]
    wrong = [index for index, when in enumerate(found) if reading.texts[index] and not when]
    _refuse_dates(reading, wrong, form)
    zoned = [index for index, when in enumerate(found) if when and when.tzinfo]
    local = [index for index, when in enumerate(found) if when and not when.tzinfo]
    if changing := [
        index for index, when in enumerate(found) if when and dates.in_clock_change(when)
    ]:
        what = "the clock changes in this hour, which is skipped or comes twice; add the UTC offset"
        reading.refuse(changing, what)
    years = [when.year if when else 2000 for when in found]
    if far := [index for index, year in enumerate(years) if not 1900 <= year <= 2100]:
        what = f"a year before 1900 or after 2100{reading.quoted(far)}; correct it or declare it"
        reading.refuse(far, f"{what} missing")
    if zoned and local:
        reading.refuse(local, "no UTC offset, which other rows have; give all of them one")
    if reading.problems:
        return _text(reading)
    stamps = np.array([dates.in_utc(when) for when in found], dtype="datetime64[us]")
    result = pd.Series(reading.spread(stamps))
    return result.dt.tz_localize("UTC") if zoned else result


def _refuse_dates(reading: Reading, wrong: list[int], form: str | None) -> None:
    """Refuse what is no date: impossible days, serial numbers and other forms, apart."""
    texts = reading.texts
    serial = [index for index in wrong if _SERIAL.fullmatch(texts[index])]
    impossible = [index for index in wrong if dates.is_iso(texts[index])]
    other = [index for index in wrong if index not in {*serial, *impossible}]
    if impossible and not form:
        reading.refuse(impossible, f"no such day{reading.quoted(impossible)}; correct it")
    elif impossible:
        other = sorted(other + impossible)
    if serial:
        day = dates.from_serial(float(texts[serial[0]])).date()
        what = f"a serial number of Excel ({texts[serial[0]]} would be {day}); declare form 'excel'"
        reading.refuse(serial, what)
    if other:
        what = f"no existing date written as {form or dates.ISO_SHOWN}"
        reading.refuse(other, f"{what}; correct it, or declare how dates are written")


_READ: Mapping[Kind, Callable[[Reading], "pd.Series[Any]"]] = {
    "id": _id,
    "number": _number,
    "integer": _number,
    "date": _date,
    "category": _category,
    "text": _text,
}
