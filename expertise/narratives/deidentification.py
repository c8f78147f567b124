"""Takes out of narratives what would tell who they are about; people review every span."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from tqdm import tqdm

from expertise.errors import DataError, PrivacyError, listed, nearest
from expertise.files.keys import read_key
from expertise.narratives.capitals import Capitals
from expertise.narratives.corpus import Corpus
from expertise.narratives.importing import write_texts
from expertise.narratives.institutions import Institutions
from expertise.narratives.known import deducer, in_dictionary, known
from expertise.narratives.patterns import Found, find_patterns, resolved
from expertise.narratives.people import People
from expertise.narratives.places import Places
from expertise.narratives.pseudonyms import Pseudonyms
from expertise.narratives.wording import Wording, words_of
from expertise.result import Result, tidy_table
from expertise.words import Note, note, say

_KINDS = {
    "persoon": "person", "locatie": "place", "zorginstelling": "organisation",
    "ziekenhuis": "organisation", "datum": "date", "telefoonnummer": "phone", "emailadres": "email",
    "url": "url", "bsn": "bsn", "id": "number",
}  # fmt: skip
COLUMNS = ("document", "start", "end", "kind", "replacement")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Deidentified(Result):
    """Texts with stand-ins for their identifiers; shows counts, never words.

    `spans` has a row per identifier: document, start, end (code points in the
    original), kind, replacement. `texts` holds the new texts by id.
    """

    spans: pd.DataFrame
    texts: dict[str, str]
    originals: dict[str, str]
    reviewed: bool
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say how many identifiers were replaced, and whether people looked."""
        key = "narratives.reviewed" if self.reviewed else "narratives.unreviewed"
        return say(key, spans=len(self.spans), texts=len(self.texts))

    def tidy(self) -> pd.DataFrame:
        """Return a row per kind of identifier: how many, and in how many texts."""
        kinds = self.spans.groupby("kind")
        return tidy_table({"component": str(kind), "n": len(rows)} for kind, rows in kinds)

    def glance(self) -> pd.DataFrame:
        """Return one row: identifiers and texts."""
        return pd.DataFrame([{"n": len(self.spans), "n_texts": len(self.texts)}])

    def save(self, folder: str | Path, corpus: Corpus) -> Path:
        """Write the new texts as a corpus of their own, with the facts of the old one.

        Raises
        ------
        PrivacyError
            When nobody has reviewed the spans.
        """
        if not self.reviewed:
            raise PrivacyError(
                f"{len(self.spans)} spans have not been reviewed; write a page with review_page, "
                "judge them, and apply_review"
            )
        entries = [corpus[text_id] for text_id in self.texts]
        return write_texts(Path(folder), corpus.title, entries, self.texts)


def deidentify(
    source: str | Corpus,
    *,
    key: str | Path,
    people: pd.DataFrame | None = None,
    dates: Literal["shift", "generalise"] = "shift",
    progress: bool = True,
) -> Deidentified:
    """Replace what would tell who a narrative is about.

    Parameters
    ----------
    source : str or Corpus
        A text, or a corpus: then texts of one triad share their stand-ins, so
        that "mijn vrouw Ria" and Ria's own text get the same one.
    key : path
        Made with `make_key`; outside the study folder and every git work tree.
    people : DataFrame, optional
        Names that are known to occur, also nicknames: ``name``, ``person``
        (who it is) and ``triad`` (empty: every triad).
    dates : {"shift", "generalise"}
        Shift all dates of a triad by one number of whole weeks (5 to 26,
        earlier or later), or keep the year only. A date in words, such as
        "afgelopen kerst", becomes ``[datum]`` either way.
    progress : bool
        Show progress.

    Returns
    -------
    Deidentified
        `.spans`, `.texts`. Ages become bands of five years, places and
        organisations a label with a code, numbers a label.

    Raises
    ------
    PrivacyError
        When the key lies inside a git work tree or inside the corpus.
    DataError
        When `people` lacks a column, or `dates` is unknown.

    Notes
    -----
    deduce finds names and institutions on its lists; our own layer adds
    partial dates, ages, numbers, names without capitals, nicknames, teams and
    employers. No program finds all: a story can be recognised without a name.
    Review the spans before anyone outside the team reads the texts.

    References
    ----------
    V. Menger et al. (2018), DEDUCE: a pattern matching method for automatic
    de-identification of Dutch medical text, doi:10.1016/j.tele.2017.08.002.
    """
    if dates not in ("shift", "generalise"):
        raise DataError(
            f"dates is {dates!r}; allowed are shift, generalise"
            f"{nearest(dates, ('shift', 'generalise'))}"
        )
    secret = read_key(key)
    if isinstance(source, Corpus):
        if Path(key).resolve().is_relative_to(source.folder.resolve()):
            raise PrivacyError(
                f"the key {Path(key).name} lies inside the corpus {source.folder.name}/; "
                "keep it outside the study folder"
            )
        triads: dict[str, dict[str, str]] = defaultdict(dict)
        for narrative in source:
            triads[narrative.triad or narrative.participant][narrative.id] = narrative.text
        order = [narrative.id for narrative in source]
        foreign = {item.id for item in source if not item.language.startswith("nl")}
    else:
        triads, order, foreign = {"": {"text": source}}, ["text"], set()
    rows: list[dict[str, Any]] = []
    for triad, texts in tqdm(triads.items(), disable=not progress, desc="deidentify", unit="triad"):
        rows += _triad(triad, texts, secret, dates, _known_people(people, triad))
    originals = {key: text for texts in triads.values() for key, text in texts.items()}
    spans = pd.DataFrame(rows, columns=COLUMNS).astype({"start": int, "end": int})
    spans["order"] = spans["document"].map({key: place for place, key in enumerate(order)})
    spans = spans.sort_values(["order", "start"], ignore_index=True)[list(COLUMNS)]
    found = rewritten({key: originals[key] for key in order}, spans, reviewed=False)
    strange = [key for key in order if key in foreign or Wording(originals[key]).dialect]
    if strange:
        warning = note("narratives.not_dutch", n=len(strange), texts=listed(strange))
        found = replace(found, notes=(*found.notes, warning))
    return found


def rewritten(originals: dict[str, str], spans: pd.DataFrame, *, reviewed: bool) -> Deidentified:
    """Return the texts with their spans replaced."""
    texts = {}
    by_text = dict(iter(spans.groupby("document")))
    for key, text in originals.items():
        pieces, at = [], 0
        for row in by_text.get(key, spans.iloc[:0]).itertuples():
            pieces += [text[at : row.start], row.replacement]
            at = row.end
        texts[key] = "".join([*pieces, text[at:]])
    notes = () if reviewed else (note("narratives.review_first"),)
    return Deidentified(
        spans=spans, texts=texts, originals=originals, reviewed=reviewed, notes=notes
    )


def _known_people(people: pd.DataFrame | None, triad: str) -> dict[str, str]:
    """Return every listed name of a triad, in lower case, with the name that counts."""
    if people is None:
        return {}
    for column in ("name", "person"):
        if column not in people.columns:
            raise DataError(
                f"people has no column {column!r}; it has {listed(people.columns)}; "
                "give name, person and triad"
            )
    first: dict[str, str] = {}
    same: dict[str, str] = {}
    for row in people.to_dict("records"):
        if row.get("triad", "") in ("", triad):
            for word in words_of(str(row["name"])):
                if word.low not in known().interfixes:
                    same[word.low] = first.setdefault(str(row["person"]), word.low)
                    break
    return same


def _triad(
    triad: str, texts: Mapping[str, str], secret: bytes, dates: str, same: Mapping[str, str]
) -> list[dict[str, Any]]:
    found = identifiers(texts, same)
    stand_ins = Pseudonyms(secret, triad, dates, same)
    stand_ins.prepare(
        texts[key][start:end]
        for key, spans in found.items()
        for start, end, kind in spans
        if kind == "person"
    )
    return [
        {
            "document": key, "start": start, "end": end, "kind": kind,
            "replacement": stand_ins.replace(texts[key][start:end], kind),
        }
        for key, spans in found.items()
        for start, end, kind in spans
    ]  # fmt: skip


def identifiers(texts: Mapping[str, str], listed: Iterable[str] = ()) -> dict[str, list[Found]]:
    """Return the identifiers in texts that belong together, those of one triad."""
    by_deduce = {key: _from_deduce(text) for key, text in texts.items()}
    by_form = {
        key: [
            (start, end, kind)
            for start, end, kind in find_patterns(text)
            if kind != "person" or _names_anyone(text[start:end])
        ]
        for key, text in texts.items()
    }
    names = {name.lower() for name in listed}
    for key, text in texts.items():
        names |= _first_words(text, by_deduce[key])
        people = People(text, listed)
        names |= {*_first_words(text, people.find()), *people.introduced_words()}
        names |= _first_words(text, Capitals(text).find())
        names |= {
            text[start:end].lower()
            for start, end, kind in by_form[key]
            if kind == "person" and len(words_of(text[start:end])) == 1
        }
    found = {
        key: [
            *by_form[key],
            *Institutions(text).find(),
            *Places(text).find(),
            *People(text, names).find(),
            *by_deduce[key],
            *Capitals(text).find(),
        ]
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
    lower_case = Wording(text).lower_case
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
            words = [
                word for word in words_of(text[start:end]) if word.low not in known().interfixes
            ]
            names |= {
                word.low
                for word in words
                if len(word.low) > 1
                and (
                    word.low in known().common_names
                    or word.low in known().word_names
                    or word.low not in known().everyday
                )
            }
    return names


def _from_deduce(text: str) -> list[Found]:
    found = []
    words = {word.start: word for word in words_of(text)}
    for span in deducer().deidentify(text).annotations:
        kind, low = _KINDS.get(span.tag), span.text.lower()
        if kind is None or low in known().not_names or low in known().plain or len(low) < 2:
            continue
        if kind == "person" and not _names_anyone(span.text):
            continue
        word = words.get(span.start_char)
        # deduce takes "Pas" at the start of a sentence for a name, and "Echt" for a village.
        doubtful = kind == "place" or (kind == "person" and word is not None and word.first)
        ordinary = low in known().everyday or in_dictionary(low)
        if doubtful and ordinary and low not in known().common_names | known().cities:
            continue
        start = span.start_char + (_title_length(span.text) if kind == "person" else 0)
        found.append((start, span.end_char, kind))
    return found


def _names_anyone(name: str) -> bool:
    """Whether a name has a word that may be one: "R. Cliënte" has none."""
    nobody = known().plain | known().relations | known().helpers
    words = words_of(name)
    return len(words) == 1 == len(words[0].low) or any(
        word.low not in nobody and len(word.low) > 1 for word in words
    )


def _title_length(name: str) -> int:
    """Return how long the titles before a name are: "mevr. " is six letters."""
    length = 0
    for word in words_of(name)[:-1]:
        if word.low not in known().titles:
            break
        length = word.end + len(name[word.end :]) - len(name[word.end :].lstrip(". "))
    return length
