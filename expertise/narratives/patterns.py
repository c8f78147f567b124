"""Identifiers with a form of their own: dates, ages, numbers and addresses; the rules are data."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from expertise.narratives.known import known

Found = tuple[int, int, str]
MONTHS = (
    "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september",
    "oktober", "november", "december",
)  # fmt: skip
LABELS = {
    "date": "datum", "age": "leeftijd", "place": "plaats", "organisation": "organisatie",
    "address": "adres", "postcode": "postcode", "phone": "telefoonnummer", "email": "e-mail",
    "url": "webadres", "iban": "rekening", "bsn": "bsn", "number": "nummer", "person": "persoon",
}  # fmt: skip
UNITS = ("een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen")
TEENS = (
    "tien", "elf", "twaalf", "dertien", "veertien", "vijftien", "zestien", "zeventien", "achttien",
    "negentien",
)  # fmt: skip
TENS = (
    "twintig", "dertig", "veertig", "vijftig", "zestig", "zeventig", "tachtig", "negentig",
)  # fmt: skip
_LONG = re.compile(r"\S{300,}|\s{100,}")
_FEASTS = "(?:oudejaars|nieuwjaars|kerst|paas|pinkster|sinterklaas|konings|koninginne|zomer)"
_FIRST_ORDINALS = ("eerste", "tweede", "derde", "vierde", "vijfde", "zesde", "zevende", "achtste")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern whose group `it` is an identifier of one kind, with an example that it finds."""

    kind: str
    example: str
    regex: re.Pattern[str]


@cache
def _rules() -> dict[str, Any]:
    rules = tomllib.loads((files("expertise.narratives") / "patterns.toml").read_text("utf-8"))
    return rules | {"pieces": _spoken() | rules["pieces"]}


@cache
def around() -> dict[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    """Return for a kind what belongs to it right before and right after."""
    flags = re.VERBOSE | re.IGNORECASE
    return {
        kind: (
            re.compile(rf"(?<!\w)(?:{_filled(rule['before'], _rules()['pieces'])})$", flags),
            re.compile(_filled(rule["after"], _rules()["pieces"]), flags),
        )
        for kind, rule in _rules()["around"].items()
    }


@cache
def patterns() -> tuple[Pattern, ...]:
    """Return the patterns of patterns.toml, with their pieces filled in."""
    rules, pieces = _rules(), _rules()["pieces"]
    return tuple(
        Pattern(
            rule["kind"],
            rule["example"],
            re.compile(
                _filled(rule["regex"], pieces),
                re.VERBOSE | (0 if rule.get("capitals") else re.IGNORECASE),
            ),
        )
        for rule in rules["pattern"]
    )


def find_patterns(text: str) -> list[Found]:
    """Return every identifier that has a form of its own: start, end, kind.

    Finds may overlap.

    >>> find_patterns("op mijn 23e bij a@b.nl")
    [(8, 11, 'age'), (16, 22, 'email')]
    """
    # No identifier has 300 letters or 100 blanks; without them every pattern is fast on any text.
    runs = [(run.start(), run.end()) for run in _LONG.finditer(text)]
    starts, ends = [0, *(end for _, end in runs)], [*(start for start, _ in runs), len(text)]
    return [
        _grown(start + match.start("it"), start + match.end("it"), pattern.kind, text)
        for start, end in zip(starts, ends, strict=True)
        for pattern in patterns()
        for match in pattern.regex.finditer(text[start:end])
    ]


def resolved(found: Iterable[Found], text: str) -> list[Found]:
    """Return spans that do not overlap: two of a kind become one, otherwise the longest wins."""
    kept: list[Found] = []
    nobody = [match.span() for match in _sayings().finditer(text.lower())]
    for span in sorted(found, key=lambda span: span[0] - span[1]):
        if any(start <= span[0] and span[1] <= end for start, end in nobody):
            continue
        over = sorted(other for other in kept if span[0] < other[1] and other[0] < span[1])
        if len(over) == 1 and over[0][2] == span[2]:
            kept[kept.index(over[0])] = (
                min(span[0], over[0][0]), max(span[1], over[0][1]), span[2],
            )  # fmt: skip
            continue
        # What longer ones leave of a span stays covered.
        starts = [span[0], *(end for _, end, _ in over)]
        ends = [*(start for start, _, _ in over), span[1]]
        kept += [
            (start, end, span[2])
            for start, end in zip(starts, ends, strict=True)
            if start < end and re.search(r"\w", text[start:end])
        ]
    return sorted(kept)


@cache
def _sayings() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(known().sayings)))})(?!\w)")


def _grown(start: int, end: int, kind: str, text: str) -> Found:
    """Return a find with the words right around it that belong to its kind: "43 jaar oud"."""
    if kind in around():
        before, after = around()[kind]
        lead, tail = before.search(text, max(0, start - 40), start), after.match(text, end)
        start, end = lead.start() if lead else start, tail.end() if tail else end
    return start, end, kind


def _filled(regex: str, pieces: dict[str, str]) -> str:
    while True:
        filled = re.sub(r"(?<!\?P)<([A-Z_]+)>", lambda match: pieces[match[1]], regex)
        if filled == regex:
            return filled
        regex = filled


def _spoken() -> dict[str, str]:
    """Return the pieces that are lists of words: numbers, and feasts."""
    count = count_words()
    ordinals = [*_FIRST_ORDINALS, *(f"{word}de" for word in ("negen", *TEENS))]
    ordinals += [f"{word}ste" for word in count if word.endswith("tig")]
    feasts = [re.escape(feast).replace(r"\ ", r"\s+") for feast in known().holidays]
    days = _any(("dag", "nacht", "avond", "ochtend", "weekend", "vakantie", "dagen"))
    feast = rf"(?:(?:eerste|tweede|1e|2e)\s+)?(?:{_any(feasts)}|carnavals\w+dag|{_FEASTS}{days})\b"
    return {
        "COUNT_WORD": _any(count),
        "AGE_WORD": _any(word for word in count if word != "een"),
        "LONG_COUNT": _any(word for word in count if len(word) > 7),
        "GROWN": _any(count[11:]),
        "ORDINAL_WORD": _any(ordinals),
        "TENS": _any(TENS),
        "FEAST": feast,
    }


def count_words() -> list[str]:
    """Return one to ninety-nine in Dutch words, in order.

    >>> count_words()[38], count_words()[42]
    ('negenendertig', 'drieënveertig')
    """
    joined = [unit + ("ën" if unit.endswith("e") else "en") for unit in UNITS]
    tens = (word for ten in TENS for word in (ten, *(unit + ten for unit in joined)))
    return [*UNITS, *TEENS, *tens]


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(words, key=lambda word: (-len(word), word))) + ")"
