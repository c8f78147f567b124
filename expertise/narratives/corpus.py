"""A corpus: fixed texts, each named by its hash, with who told it and who may read it."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from expertise.errors import DataError, FileError, StudyError, listed, nearest
from expertise.files.reading import Column
from expertise.files.safe import inside
from expertise.files.settings import load_toml, read_settings
from expertise.files.tables import read_table, scan_table
from expertise.files.tombstones import ask_tombstones
from expertise.words import Note, note, say

NARRATOR = "narrator"
QUOTE_TO = ("nobody", "inside", "council", "public")
CONSENT = ("use", "coded_by", "quote_to", "own_triad_may_read")
PEOPLE = ("participant", "perspective", "triad", *CONSENT)
_YES_NO = {"yes": True, "ja": True, "true": True, "1": True,
           "no": False, "nee": False, "false": False, "0": False, "": False}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEntry:
    """One text as corpus.toml lists it.

    `speakers` maps a label in a transcript to its role; `hidden` says why a text
    is kept back until someone decides (after a withdrawal it may be about that person).
    """

    id: str
    participant: str
    sha256: str
    wave: str = ""
    genre: str = ""
    language: str = "nl"
    licence: str = ""
    file: str = ""
    topics: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    speakers: dict[str, str] = field(default_factory=dict)
    hidden: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusFile:
    """What corpus.toml may hold; `invented` marks texts that nobody told."""

    schema: Literal[1]
    title: str
    language: str = "nl"
    licence: str = ""
    invented: bool = False
    description: str = ""
    people: str = "people.csv"
    texts: tuple[TextEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Narrative:
    """One text with who told it and what they consented to; its words are read when asked for.

    `role` is the narrator's perspective; `coded_by` the perspectives that may
    code it; `quote_to` the widest circle that may see a quote: nobody, inside,
    council or public.
    """

    id: str
    participant: str
    role: str
    triad: str
    wave: str
    genre: str
    language: str
    licence: str
    topics: tuple[str, ...]
    sha256: str
    speakers: dict[str, str]
    use: bool
    coded_by: tuple[str, ...]
    quote_to: str
    own_triad_may_read: bool
    path: Path

    @property
    def text(self) -> str:
        """The text, checked against its hash.

        Raises
        ------
        FileError
            When the file is gone or is no longer the text that was imported.
        """
        try:
            data = self.path.read_bytes()
        except OSError:
            raise FileError(
                f"text {self.id!r}: {self.path.name} is not in {self.path.parent.name}/; "
                "put it back"
            ) from None
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise FileError(
                f"text {self.id!r}: {self.path.name} is no longer the text with hash "
                f"{self.sha256[:12]}…; texts never change: restore it, or import it under a new id"
            )
        return data.decode("utf-8")

    def __repr__(self) -> str:
        return f"Narrative({self.id!r}, role={self.role!r}, sha256={self.sha256[:12]!r})"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Corpus:
    """Fixed texts with their tellers; shows counts, never text.

    Iterate for the narratives in the order of corpus.toml; ``corpus["id"]``
    gives one; ``corpus.table`` lists them without their words. `withheld` names
    texts that exist and are left out: no consent (any more), or hidden.
    """

    title: str
    folder: Path
    invented: bool
    narratives: tuple[Narrative, ...]
    notes: tuple[Note, ...] = ()
    withheld: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.narratives)

    def __iter__(self) -> Iterator[Narrative]:
        return iter(self.narratives)

    def __getitem__(self, text_id: str) -> Narrative:
        for narrative in self.narratives:
            if narrative.id == text_id:
                return narrative
        ids = [narrative.id for narrative in self.narratives]
        raise StudyError(
            f"unknown text {text_id!r}; the corpus has {listed(ids)}{nearest(text_id, ids)}"
        )

    @property
    def table(self) -> pd.DataFrame:
        """A row per text: who told it, when, and what they consented to; no words."""
        shown = [
            name for name in Narrative.__dataclass_fields__ if name not in ("path", "speakers")
        ]
        rows = [{name: getattr(item, name) for name in shown} for item in self.narratives]
        return pd.DataFrame(rows, columns=shown).rename(
            columns={"id": "document", "role": "perspective"}
        )

    @property
    def counts(self) -> pd.DataFrame:
        """Texts and people per perspective and wave."""
        return self.table.groupby(["perspective", "wave"], sort=False, as_index=False).agg(
            n=("document", "size"), n_people=("participant", "nunique")
        )

    def only(self, **wanted: Any) -> "Corpus":
        """Return the narratives with these values, e.g. ``only(role="naaste", wave="T1")``.

        Raises
        ------
        StudyError
            When a name is not a property of a narrative.
        """
        allowed = tuple(Narrative.__dataclass_fields__)
        for name in wanted:
            if name not in allowed:
                raise StudyError(
                    f"unknown property {name!r}; allowed are {listed(allowed, most=20)}"
                    f"{nearest(name, allowed)}"
                )
        kept = tuple(
            item for item in self if all(getattr(item, name) == wanted[name] for name in wanted)
        )
        return Corpus(
            title=self.title, folder=self.folder, invented=self.invented,
            narratives=kept, notes=self.notes, withheld=self.withheld,
        )  # fmt: skip

    def _heading(self) -> str:
        people = {item.participant for item in self.narratives}
        triads = {item.triad for item in self.narratives} - {""}
        return say(
            "narratives.invented_corpus" if self.invented else "narratives.corpus",
            title=self.title, texts=len(self), people=len(people), triads=len(triads),
        )  # fmt: skip

    def __repr__(self) -> str:
        lines = (
            [self._heading(), self.counts.to_string(index=False)]
            if len(self)
            else [self._heading()]
        )
        return "\n".join(lines + [f"- {item}" for item in self.notes])

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"


def read_corpus(folder: str | Path, people: pd.DataFrame | None = None) -> Corpus:
    """Open a corpus and check that its texts are the ones that were imported.

    Parameters
    ----------
    folder : path
        Holds ``corpus.toml`` (schema 1: title, and per text id, participant,
        wave, genre, language, licence, sha256) and ``texts/<id>.txt`` in UTF-8.
    people : DataFrame, optional
        A row per participant: ``participant``, ``perspective``, ``triad``, and
        consent: ``use`` (yes or no), ``coded_by`` (perspectives, separated by
        spaces), ``quote_to`` (nobody, inside, council, public) and
        ``own_triad_may_read``. By default ``people.csv`` in the folder.
        Consent that is not there is not given.

    Returns
    -------
    Corpus
        Without the texts whose teller did not consent to their use, or that
        are hidden; notes count them. Nothing is read into memory: a text is read, and checked
        again, when its words are asked for.

    Raises
    ------
    FileError
        When a file is missing, or a text differs from its hash.
    StudyError, DataError
        When corpus.toml or the people table does not hold together.
    PrivacyError
        When someone who withdrew is in it again (seen with the key at hand).

    Examples
    --------
    >>> read_corpus("nowhere")
    Traceback (most recent call last):
    expertise.errors.FileError: corpus.toml is not in nowhere/; put it there
    """
    folder = Path(folder)
    listing = read_listing(folder)
    if people is None:
        people = _people_file(inside(folder, listing.people))
    tellers = _tellers(people)
    narratives = tuple(_narrative(folder, entry, tellers) for entry in listing.texts)
    for narrative in narratives:
        _ = narrative.text
    refused = {one.id for one in narratives if not one.use}
    hidden = {one.id for one in listing.texts if one.hidden} - refused
    withheld = frozenset(refused | hidden)
    return Corpus(
        title=listing.title, folder=folder, invented=listing.invented,
        narratives=tuple(one for one in narratives if one.id not in withheld),
        notes=(
            *(note("narratives.not_used", n=len(refused)),) * bool(refused),
            *(note("narratives.hidden", n=len(hidden)),) * bool(hidden),
            *ask_tombstones(folder, [entry.participant for entry in listing.texts]),
        ),
        withheld=withheld,
    )  # fmt: skip


def read_listing(folder: Path) -> CorpusFile:
    """Read and check corpus.toml."""
    listing, faults = read_settings(CorpusFile, load_toml(folder / "corpus.toml"))
    if listing is None:
        raise StudyError(f"corpus.toml: {'; '.join(faults)}")
    seen: set[str] = set()
    for entry in listing.texts:
        if entry.id in seen:
            raise StudyError(
                f"corpus.toml: text {entry.id!r} is listed twice; give each its own id"
            )
        seen.add(entry.id)
    return listing


def _people_file(path: Path) -> pd.DataFrame:
    if not path.exists():
        raise FileError(
            f"{path.name} is not in {path.parent.name}/; put the table of participants, "
            "perspectives and consent there, or pass it as people"
        )
    seen, _ = scan_table(path)
    here = [] if seen is None else [name for name in PEOPLE if name in seen.table]
    columns = {name: Column("id" if name == "participant" else "text") for name in here}
    return read_table(path, columns=columns, only=here).table


def _tellers(people: pd.DataFrame) -> dict[str, dict[str, Any]]:
    for name in ("participant", "perspective", "use"):
        if name not in people.columns:
            raise DataError(
                f"the people table has no column {name!r}; it has {listed(people.columns)}"
            )
    rows = people.astype(object).where(people.notna(), "").astype(str)
    doubles = rows["participant"][rows["participant"].duplicated()]
    if len(doubles):
        raise DataError(
            f"the people table has participant {doubles.iloc[0]!r} twice; keep one row a person"
        )
    return {row["participant"]: _teller(row) for row in rows.to_dict("records")}


def _teller(row: dict[str, str]) -> dict[str, Any]:
    quote_to = row.get("quote_to") or "nobody"
    if quote_to not in QUOTE_TO:
        raise DataError(
            f"participant {row['participant']!r}: quote_to is {quote_to!r}; "
            f"allowed are {listed(QUOTE_TO)}{nearest(quote_to, QUOTE_TO)}"
        )
    return {
        "role": row["perspective"],
        "triad": row.get("triad", ""),
        "use": _yes(row, "use"),
        "coded_by": tuple(row.get("coded_by", "").replace(",", " ").replace(";", " ").split()),
        "quote_to": quote_to,
        "own_triad_may_read": _yes(row, "own_triad_may_read"),
    }


def people_table(narratives: Iterable[Narrative]) -> pd.DataFrame:
    """Return the people table of narratives: a row per participant, with their consent."""
    rows = {
        one.participant: {
            "participant": one.participant, "perspective": one.role, "triad": one.triad,
            "use": "yes" if one.use else "no", "coded_by": " ".join(one.coded_by),
            "quote_to": one.quote_to,
            "own_triad_may_read": "yes" if one.own_triad_may_read else "no",
        }
        for one in narratives
    }  # fmt: skip
    return pd.DataFrame(list(rows.values()), columns=list(PEOPLE))


def _yes(row: dict[str, str], name: str) -> bool:
    value = row.get(name, "").strip().lower()
    if value not in _YES_NO:
        raise DataError(f"participant {row['participant']!r}: {name} is {value!r}; write yes or no")
    return _YES_NO[value]


def _narrative(folder: Path, entry: TextEntry, tellers: dict[str, dict[str, Any]]) -> Narrative:
    if entry.participant not in tellers:
        raise StudyError(
            f"corpus.toml: text {entry.id!r} is by participant {entry.participant!r}, who is not "
            f"in the people table{nearest(entry.participant, tellers)}; add a row for them"
        )
    return Narrative(
        id=entry.id, participant=entry.participant, wave=entry.wave, genre=entry.genre,
        language=entry.language, licence=entry.licence, topics=entry.topics,
        sha256=entry.sha256, speakers=entry.speakers,
        path=inside(folder, entry.file or f"texts/{entry.id}.txt"),
        **tellers[entry.participant],
    )  # fmt: skip


def speaker_labels(speakers: Iterable[str]) -> re.Pattern[str]:
    """Return the pattern of a speaker's label at the start of a line, with its colon."""
    names = "|".join(re.escape(name) for name in sorted(speakers, key=len, reverse=True))
    return re.compile(rf"^(?P<label>{names})[^\S\n]*:[^\S\n]*", re.MULTILINE)
