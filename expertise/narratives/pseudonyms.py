"""Stand-ins for identifiers: the same for the same person in a triad, and only with the key."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from expertise.narratives.known import known
from expertise.narratives.patterns import LABELS, MONTHS, count_words
from expertise.narratives.wording import words_of

_FULL = re.compile(
    rf"(?P<lead>(?:\w+dag\s+)?(?:de\s+)?)(?P<day>\d{{1,2}})\s+(?P<month>{'|'.join(MONTHS)})(?:\s+(?P<year>\d{{4}}))?",
    re.IGNORECASE,
)
_NUMERIC = re.compile(r"(?P<day>\d{1,2})(?P<sep>[-/.])(?P<month>\d{1,2})(?P=sep)(?P<year>\d{4})")
_PART = r"(?:begin|einde?|half(?:verwege)?|medio|midden|vroeg|laat|rond|de|het|in)"
_LEAD = rf"(?P<lead>(?:{_PART}\s+)*(?:\w+\s+)?)"
_MONTH = re.compile(
    rf"{_LEAD}(?P<month>{'|'.join(MONTHS)})(?:\s+(?P<year>\d{{4}}))?", re.IGNORECASE
)
_YEAR = re.compile(rf"{_LEAD}(?P<year>(?:19|20)\d\d)")
_AGE = re.compile(
    rf"(?P<n>\d+|{'|'.join(count_words())})"
    r"(?P<unit>(?:[\s-]?(?:jaar|jaren|jarige?n?|jr\.?)(?:\s+(?:oud|jong))?)?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The stand-ins of one triad.

    Parameters
    ----------
    key : bytes
        The secret.
    triad : str
        Texts of one triad share their stand-ins.
    dates : {"shift", "generalise"}
        Shift every date by one number of weeks, or keep the year only.
    same : mapping of str to str
        Other names of a person, in lower case, to the name that counts.
    """

    key: bytes
    triad: str
    dates: str = "shift"
    same: Mapping[str, str] = field(default_factory=dict)
    _given: dict[str, str] = field(default_factory=dict)

    def draw(self, *what: str) -> int:
        """Return a number that only the key can tell from chance."""
        message = "\x1f".join((self.triad, *what)).encode("utf-8")
        return int.from_bytes(hmac.new(self.key, message, hashlib.sha256).digest()[:8], "big")

    def prepare(self, names: Iterable[str]) -> None:
        """Settle the stand-ins of all names of the triad, in an order that the texts do not set."""
        parts: dict[str, bool] = {}
        for name in names:
            for place, part in enumerate(_parts(name)):
                counts = self.same.get(part, part)
                parts[counts] = parts.get(counts, False) or place == 0
        for part in sorted(parts, key=lambda part: self.draw("name", part)):
            pool = sorted(known().stand_in_first if parts[part] else known().stand_in_last)
            start = self.draw("name", part) % len(pool)
            order = [*pool[start:], *pool[:start]]
            taken = {name.lower() for name in self._given.values()} | parts.keys()
            self._given[part] = next(
                (name.capitalize() for name in order if name not in taken),
                f"Persoon{len(self._given) + 1}",
            )

    def replace(self, words: str, kind: str) -> str:
        """Return what stands in for an identifier."""
        if kind == "person":
            return self._person(words)
        if kind == "date":
            return self._date(words)
        if kind == "age":
            return _band(words)
        if kind in ("place", "organisation"):
            return f"[{LABELS[kind]} {_code(self.draw(kind, words.lower()))}]"
        return f"[{LABELS[kind]}]"

    def _person(self, words: str) -> str:
        out = []
        for part in _parts(words):
            if len(part) == 1:
                out.append(chr(ord("A") + self.draw("initial", part) % 26) + ".")
            else:
                out.append(self._given.get(self.same.get(part, part), f"[{LABELS['person']}]"))
        name = " ".join(dict.fromkeys(out)) or f"[{LABELS['person']}]"
        return name.lower() if words.islower() else name

    @property
    def weeks(self) -> int:
        """By how many weeks dates shift: 5 to 26, earlier or later, never 0."""
        drawn = self.draw("dates")
        return (5 + drawn % 22) * (1 if drawn >> 32 & 1 else -1)

    def _date(self, words: str) -> str:
        for pattern, write in (
            (_FULL, self._full), (_NUMERIC, self._numeric),
            (_MONTH, self._month), (_YEAR, self._year),
        ):  # fmt: skip
            match = pattern.fullmatch(words)
            if match:
                if self.dates == "generalise":
                    year = match["year"]
                    return year or f"[{LABELS['date']}]"
                try:
                    return write(match)
                except ValueError:
                    break
        return f"[{LABELS['date']}]"

    def _moved(self, year: str | None, month: int, day: int) -> date:
        # A date without a year moves as in a year of 365 days.
        return date(int(year or 2001), month, day) + timedelta(weeks=self.weeks)

    def _full(self, match: re.Match[str]) -> str:
        moved = self._moved(
            match["year"], MONTHS.index(match["month"].lower()) + 1, int(match["day"])
        )
        year = f" {moved.year}" if match["year"] else ""
        return f"{match['lead']}{moved.day} {MONTHS[moved.month - 1]}{year}"

    def _numeric(self, match: re.Match[str]) -> str:
        moved = self._moved(match["year"], int(match["month"]), int(match["day"]))
        return f"{moved.day}{match['sep']}{moved.month}{match['sep']}{moved.year}"

    def _month(self, match: re.Match[str]) -> str:
        moved = self._moved(match["year"], MONTHS.index(match["month"].lower()) + 1, 15)
        year = f" {moved.year}" if match["year"] else ""
        return f"{match['lead']}{MONTHS[moved.month - 1]}{year}"

    def _year(self, match: re.Match[str]) -> str:
        return f"{match['lead']}{self._moved(match['year'], 7, 1).year}"


def _parts(name: str) -> list[str]:
    words = words_of(name)
    kept = [word.low for word in words if word.low not in known().interfixes]
    return kept or [word.low for word in words]


def _band(words: str) -> str:
    """Return an age as a band of five years: "achttien jaar" becomes "15–19 jaar"."""
    age = _AGE.fullmatch(words)
    if age is None:
        return f"[{LABELS['age']}]"
    spoken = age["n"].lower()
    number = int(spoken) if spoken.isdigit() else count_words().index(spoken) + 1
    low = number // 5 * 5
    return ("90+" if low >= 90 else f"{low}–{low + 4}") + age["unit"]


def _code(number: int) -> str:
    letters = "BCDFGHJKLMNPQRSTVWXZ"
    return "".join(letters[(number >> 8 * place) % len(letters)] for place in range(3))
