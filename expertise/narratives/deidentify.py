"""De-identification: deduce plus our own layer."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from expertise.narratives.known import deducer, in_dictionary, known
from expertise.narratives.names import NameFinder, words_of
from expertise.narratives.patterns import Found, find_patterns

_KINDS = {
    "persoon": "person", "locatie": "place", "zorginstelling": "organisation",
    "ziekenhuis": "organisation", "datum": "date", "telefoonnummer": "phone", "emailadres": "email",
    "url": "url", "bsn": "bsn", "id": "number",
}  # fmt: skip


def identifiers(texts: Mapping[str, str], listed: Iterable[str] = ()) -> dict[str, list[Found]]:
    """Return the identifiers in texts that belong together, those of one triad."""
    by_deduce = {key: _from_deduce(text) for key, text in texts.items()}
    names = {name.lower() for name in listed}
    for key, text in texts.items():
        names |= _first_words(text, by_deduce[key])
        names |= _first_words(text, NameFinder(text, listed).people())
    found = {
        key: [*find_patterns(text), *NameFinder(text, names).find(), *by_deduce[key]]
        for key, text in texts.items()
    }
    places_of_work = {
        text[start:end]
        for key, text in texts.items()
        for start, end, kind in found[key]
        if kind == "organisation"
    }
    return {
        key: resolved([*found[key], *_again(text, places_of_work)], text)
        for key, text in texts.items()
    }


def _again(text: str, organisations: set[str]) -> list[Found]:
    """Return where organisations that were found elsewhere stand in a text."""
    lower_case = NameFinder(text).lower_case
    found = []
    for name in organisations:
        if len(name) < 5 or in_dictionary(name.lower()):
            continue
        flags = re.IGNORECASE if lower_case and " " in name else 0
        for match in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text, flags):
            found.append((match.start(), match.end(), "organisation"))
    return found


def _first_words(text: str, found: Iterable[Found]) -> set[str]:
    names = set()
    for start, end, kind in found:
        if kind == "person":
            words = [word for word in words_of(text[start:end]) if word.low not in known().interfixes]
            names |= {
                word.low for word in words if len(word.low) > 1 and word.low not in known().everyday
            }
    return names


def _from_deduce(text: str) -> list[Found]:
    found = []
    firsts = {word.start: word for word in words_of(text)}
    for span in deducer().deidentify(text).annotations:
        kind = _KINDS.get(span.tag)
        word: Any = firsts.get(span.start_char)
        low = span.text.lower()
        if kind is None or low in known().not_names or len(low) < 2:
            continue
        if kind in ("person", "place") and word and " " not in low and (word.first or kind == "place"):
            if (in_dictionary(low) or low in known().everyday) and low not in known().common_names | known().cities:
                continue
        start = span.start_char
        if kind == "person":
            start += _title_length(span.text)
        found.append((start, span.end_char, kind))
    return found


def _title_length(name: str) -> int:
    """Return how long the titles before a name are: "mevr. " is six letters."""
    length = 0
    for word in words_of(name)[:-1]:
        if word.low not in known().titles:
            break
        length = word.end + len(name[word.end :]) - len(name[word.end :].lstrip(". "))
    return length


def resolved(found: Iterable[Found], text: str) -> list[Found]:
    """Return spans that do not overlap: the longest wins, and among equals the first found."""
    kept: list[Found] = []
    for span in sorted(found, key=lambda span: span[0] - span[1]):
        if all(span[1] <= start or span[0] >= end for start, end, _ in kept):
            kept.append(span)
    return sorted(kept)
