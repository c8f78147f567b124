"""What a column holds that nobody declared: surely numbers, dates or ids, or else text."""

import re

from expertise.files import dates, numbers
from expertise.files.reading import NULLS, Kind, Reading

_IDS = re.compile(
    r"id|deelnemer|participant|respondent|proefpersoon|ppn|pid|subjid"
    r"|(deelnemer|participant|respondent|cli[eë]nt|pati[eë]nt|subject|person|persoon"
    r"|proefpersoon|case|casus|record|study|studie)s?(id|nr|nummer|number|code|key)"
)
_TRUTHS = ({"ja", "nee"}, {"yes", "no"}, {"true", "false"}, {"waar", "onwaar"}, {"0", "1"})
_TRUTH = set().union(*_TRUTHS)
_WORDS = NULLS | _TRUTH | {"inf", "-inf", "infinity", "-infinity"}
_LEADING = re.compile("[+-]?0[0-9]+")
_LONG = re.compile("[+-]?[0-9]{16,}")
_MARKS = re.compile("^[~<>=≤≥≈±€$ ]+|[?*+% ]+$")
_SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?|[0-9]{8}")


def named_as_id(name: str) -> bool:
    """Tell whether the name of a column promises ids of people.

    >>> named_as_id("Deelnemer-nr"), named_as_id("idee")
    (True, False)
    """
    return bool(_IDS.fullmatch(re.sub(r"[\W_]+", "", name.casefold())))


def guess(reading: Reading) -> Kind:
    """Return the kind of a column; text when in doubt, with a note where that may surprise.

    What is surely a mistake is refused: digits of another script, yes and no
    in several ways.
    """
    if named_as_id(reading.name):
        return "id"
    if reading.plain is not None and not dates.named_as_date(reading.name):
        return "number" if reading.filled else "text"
    texts = [text for text in reading.filled if not text.isspace()]
    if not any(map(_worth_a_look, texts[:1000])):
        return "text"
    if foreign := reading.where(
        lambda text: not text.isascii() and numbers.ANY_SCRIPT.fullmatch(text)
    ):
        reading.refuse(foreign, "digits other than 0-9; write the numbers with 0-9")
        return "text"
    if _dated(reading, texts):
        return "date"
    truths = {text.strip().casefold() for text in texts[:50]}
    if truths <= _TRUTH and sum(bool(truths & pair) for pair in _TRUTHS) > 1:
        what = "yes and no are written in several ways; declare a category with values"
        reading.refuse(range(len(reading.texts)), what)
        return "text"
    return _number_or_text(reading, texts)


def _worth_a_look(text: str) -> bool:
    """Tell whether a short text may be a number, a date, a mark for missing, or yes or no."""
    return len(text) < 40 and (any(map(str.isdigit, text)) or text.strip().casefold() in _WORDS)


def _dated(reading: Reading, texts: list[str]) -> bool:
    """Tell whether a column is meant to hold dates, though some cells may hold something else."""
    if dates.named_as_date(reading.name) and all(map(_SERIAL.fullmatch, texts)):
        return True
    promised = dates.named_as_date(reading.name)
    some = False
    for text in texts:
        if dates.looks_dated(text):
            some = True
        elif not (promised or text.casefold() in NULLS or reading.is_number(text)):
            return False
    return some


def _number_or_text(reading: Reading, texts: list[str]) -> Kind:
    """Return number when every text is one; digits that a number would change stay text."""
    if leading := reading.where(_LEADING.fullmatch):
        reading.remark("leading_zeros", leading)
        return "text"
    if long := reading.where(_LONG.fullmatch):
        reading.remark("long_digits", long)
        return "text"
    odd = {text for text in texts if numbers.NOT_FINITE.fullmatch(text) or text.casefold() in NULLS}
    rest = [text for text in texts if text not in odd] if odd else texts
    verdict = reading.verdict(rest)
    if verdict == "text":
        if some := reading.where(lambda text: reading.is_number(_MARKS.sub("", text))):
            reading.remark("partly_numbers", some)
        return "text"
    if verdict == "," and reading.needs_comma_declared:
        reading.remark("comma_undeclared", reading.where(lambda text: "," in text))
        return "text"
    return "number" if rest or any(map(numbers.NOT_FINITE.fullmatch, odd)) else "text"
