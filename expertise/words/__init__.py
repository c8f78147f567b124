"""The words people see, one file a language, and numbers as that language writes them."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from math import floor, isfinite, log10
from typing import Any

from expertise.errors import ExpertiseError, listed

LANGUAGES = ("en", "nl")
NO_BREAK = "\u00a0"


@cache
def catalogue(lang: str) -> dict[str, str]:
    """Return all words of one language under dotted keys (`"mixed.boundary"`)."""
    if lang not in LANGUAGES:
        raise ExpertiseError(f"unknown language {lang!r}; allowed are {listed(LANGUAGES)}")
    tree = tomllib.loads((files(__package__) / f"{lang}.toml").read_text("utf-8"))
    return {f"{room}.{key}": text for room, words in tree.items() for key, text in words.items()}


def say(key: str, lang: str = "en", **values: Any) -> str:
    """Return the sentence under `key` with its values filled in.

    >>> say("result.notes", "nl")
    'Opmerkingen'
    """
    return catalogue(lang)[key].format(**values)


@dataclass(frozen=True, slots=True)
class Note:
    """Something the reader of a result must know, in any language.

    `str(note)` is English; `note.text("nl")` is Dutch.
    """

    key: str
    values: dict[str, Any] = field(default_factory=dict)

    def text(self, lang: str = "en") -> str:
        """Return the note as a sentence."""
        return say(self.key, lang, **self.values)

    def __str__(self) -> str:
        return self.text()


def note(key: str, **values: Any) -> Note:
    """Make a note; the key must exist in every language."""
    return Note(key, values)


def number(value: float, digits: int = 2, lang: str = "en") -> str:
    """Write a number with a decimal point or comma and a true minus sign.

    >>> number(-2.329, 1, "nl")
    '−2,3'
    """
    if value != value:
        return "–"
    if not isfinite(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{max(digits, 0)}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    text = text.replace("-", "−")
    return text.replace(".", ",") if lang == "nl" else text


def plain(value: float, lang: str = "en") -> str:
    """Write a number with no more digits than it has.

    >>> plain(1.5, "nl"), plain(6.0, "nl")
    ('1,5', '6')
    """
    text = f"{value:g}".replace("-", "−")
    return text.replace(".", ",") if lang == "nl" else text


def digits_for(width: float, significant: int = 2) -> int:
    """Return how many decimals an interval of this width warrants.

    >>> digits_for(6.5), digits_for(0.31), digits_for(1200)
    (1, 2, 0)
    """
    if not isfinite(width) or width <= 0:
        return 2
    return min(max(significant - 1 - floor(log10(width)), 0), 8)


def interval(estimate: float, low: float, high: float, lang: str = "en", unit: str = "") -> str:
    """Write an estimate and its interval with the digits the interval warrants.

    The interval does not break over lines.

    >>> interval(-2.33, -5.62, 0.97, "nl").replace(NO_BREAK, " ")
    '−2,3 (−5,6 tot 1,0)'
    """
    digits = digits_for(high - low)
    first, second, third = (number(x, digits, lang) + unit for x in (estimate, low, high))
    inside = f"({second} {say('result.to', lang)} {third})".replace(" ", NO_BREAK)
    return f"{first} {inside}"
