"""Dates in ISO form or a declared one, never guessed."""

import re
from datetime import UTC, datetime, timedelta

_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_LIKE = re.compile(
    r"(?:[0-9]{4}([-/.])[0-9]{1,2}\1[0-9]{1,2}|[0-9]{1,2}([-/.])[0-9]{1,2}\2(?:[0-9]{4}|[0-9]{2})"
    r"|[0-9]{1,2}[- ][a-zA-Z]{3,9}\.?[- ][0-9]{2,4})(?:[T ][0-9]{1,2}:[0-9]{2}.*)?"
)
_NAME = re.compile(r"datum|(?<![a-z])date(?![a-z])", re.IGNORECASE)
EXCEL = "excel"
ISO_SHOWN = "2025-01-31"


def named_as_date(name: str) -> bool:
    """Tell whether the name of a column promises dates.

    >>> named_as_date("datum_afname"), named_as_date("update")
    (True, False)
    """
    return bool(_NAME.search(name))


def is_iso(text: str) -> bool:
    """Tell whether a text has the form of an ISO date, possible or not."""
    return bool(_ISO.fullmatch(text))


def looks_dated(text: str) -> bool:
    """Tell whether a person would call the text a date.

    >>> looks_dated("1 feb 2025"), looks_dated("12.5")
    (True, False)
    """
    return bool(_LIKE.fullmatch(text.strip()))


def moment(text: str, form: str | None = None) -> datetime | None:
    """Return the moment a text names, or None; `form` as `datetime.strptime`, or "excel".

    >>> moment("31-01-2025", "%d-%m-%Y"), moment("2025-02-30")
    (datetime.datetime(2025, 1, 31, 0, 0), None)
    """
    if not text.isascii():
        return None
    try:
        if form == EXCEL:
            return from_serial(float(text))
        if form:
            return datetime.strptime(text, form)
        return datetime.fromisoformat(text) if is_iso(text) else None
    except (ValueError, OverflowError):
        return None


def from_serial(days: float) -> datetime:
    """Return the moment that Excel counts as `days` in its 1900 system.

    >>> from_serial(45678).date().isoformat()
    '2025-01-21'
    """
    return datetime(1899, 12, 30) + timedelta(days=days)


def in_clock_change(when: datetime) -> bool:
    """Tell whether a Dutch clock time without offset is skipped or occurs twice.

    The rule of the European Union since 1996: the last Sunday of March and of
    October, between two and three at night.

    >>> in_clock_change(datetime(2025, 3, 30, 2, 30)), in_clock_change(datetime(2025, 3, 30, 3))
    (True, False)
    """
    sunday = when.weekday() == 6 and when.day >= 25 and when.month in (3, 10)
    return when.tzinfo is None and sunday and when.hour == 2


def in_utc(when: datetime | None) -> datetime | None:
    """Return a moment with an offset as that moment in UTC, unmarked; others as they are."""
    return when.astimezone(UTC).replace(tzinfo=None) if when and when.tzinfo else when
