"""Brings texts into a corpus: read, normalised once, fixed, named by hash, and reported."""

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from expertise.errors import DataError, FileError, StudyError, listed
from expertise.files.safe import inside, write_atomically
from expertise.files.tombstones import refuse_withdrawn
from expertise.files.write import write_table
from expertise.narratives.corpus import (
    NARRATOR,
    CorpusFile,
    Narrative,
    TextEntry,
    people_table,
    read_listing,
    speaker_labels,
)
from expertise.narratives.patterns import LABELS, find_patterns, resolved
from expertise.narratives.readers import read_words
from expertise.result import Result, tidy_table
from expertise.words import Note, note, say

ABOUT = ("file", "id", "participant", "wave", "genre", "language", "licence")
DIRECT = ("email", "phone", "bsn", "iban", "postcode", "address")
_LINE_END = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")
_CONTROL = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_MARKS = re.compile(r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{8}")
_LABEL = re.compile(
    r"^(?P<label>[^\W\d_][\w.'’-]*(?: [\w.'’-]+)?)[^\S\n]*:(?=[^\S\n])", re.MULTILINE
)
_INTERVIEWERS = {"i", "int", "interviewer", "interviewster", "onderzoeker", "o", "vraag", "v", "q"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Imported(Result):
    """Which files became which texts, and what did not come over."""

    folder: Path
    entries: tuple[TextEntry, ...]
    words: tuple[int, ...]
    notes: tuple[Note, ...]

    def noting(self, *more: Note) -> "Imported":
        """Return the same with more notes."""
        return replace(self, notes=(*self.notes, *more))

    def heading(self) -> str:
        """Say how many texts came in."""
        return say("narratives.imported", n=len(self.entries), folder=self.folder.name)

    def tidy(self) -> pd.DataFrame:
        """Return a row per text: document, wave, number of words."""
        return tidy_table(
            {"document": entry.id, "wave": entry.wave, "n": n}
            for entry, n in zip(self.entries, self.words, strict=True)
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: texts and people."""
        people = {entry.participant for entry in self.entries}
        return pd.DataFrame([{"n": len(self.entries), "n_people": len(people)}])


def import_texts(
    files: Iterable[str | Path],
    folder: str | Path,
    about: pd.DataFrame | None = None,
    *,
    speakers: Mapping[str, str] | None = None,
    key: bytes | None = None,
) -> Imported:
    r"""Bring files into a corpus; from then on the texts are fixed and named by their hash.

    Parameters
    ----------
    files : iterable of path
        txt, md, docx, odt, pdf, html, rtf, vtt or srt; at most 20 MB of text.
    folder : path
        The corpus; made when it does not exist.
    about : DataFrame, optional
        A row per file: ``file`` (its name) and any of ``id``, ``participant``,
        ``wave``, ``genre``, ``language``, ``licence``. What is not told is the
        file's name for ``id`` and ``participant``, ``nl`` for the language.
    speakers : mapping of str to str, optional
        For transcripts: label at the start of a line → role, in which
        ``"narrator"`` marks the teller. By default labels are recognised when
        they begin at least half of the lines, an interviewer is known by the
        usual labels, and the one other speaker narrates.
    key : bytes, optional
        Needed where people withdrew: they may not come back.

    Returns
    -------
    Imported
        With notes on what did not come over: tracked changes, tables,
        pictures, footnotes, control characters, doubles.

    Raises
    ------
    FileError
        When one file cannot be read whole, or would change a text that is
        already there: then nothing is imported.
    DataError
        When `about` names a file that is not given, or an unknown column.
    PrivacyError
        When a teller withdrew, or people withdrew and there is no key.

    Notes
    -----
    One rule for every system: line ends become ``\n``, letters are composed
    (Unicode NFC), control characters go. All else stays, so that positions
    mean the same everywhere. Words are not corrected, pictures not read.
    """
    paths = [Path(file) for file in files]
    facts = _facts(paths, about)
    sources = (
        Source(path.name, fact, *read_words(path)) for path, fact in zip(paths, facts, strict=True)
    )
    shown = tqdm(sources, total=len(paths), desc="import", unit="file", delay=1)
    return bring_in(Path(folder), shown, speakers, key)


@dataclass(frozen=True, slots=True)
class Source:
    """Words that may become a text: their name in messages, what is known, notes of the reader."""

    name: str
    fact: TextEntry
    words: str
    notes: tuple[Note, ...]


def bring_in(
    folder: Path,
    sources: Iterable[Source],
    speakers: Mapping[str, str] | None,
    key: bytes | None = None,
) -> Imported:
    """Bring sources into a corpus, all or none; nobody who withdrew comes back."""
    listing = (
        read_listing(folder)
        if (folder / "corpus.toml").exists()
        else CorpusFile(schema=1, title=folder.name)
    )
    texts: dict[str, str] = {}
    entries: list[TextEntry] = []
    notes: list[Note] = []
    for source in sources:
        text, changed = normalised(source.words, source.name)
        who = _speakers(text, source.name, speakers)
        said = (*source.notes, *changed)
        notes += said
        entry = replace(
            source.fact,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
            notes=tuple(map(str, said)),
            speakers=who,
        )
        if entry.id in texts:
            raise FileError(f"two sources would become text {entry.id!r}; give each its own id")
        texts[entry.id] = text
        entries.append(entry)
    refuse_withdrawn(folder, [entry.participant for entry in entries], key=key)
    known = {text.id: text for text in listing.texts}
    new = [entry for entry in entries if _is_new(entry, known)]
    notes = _gathered(notes) + _doubles(new, listing)
    notes += [note("narratives.already", n=len(entries) - len(new))] * (len(new) < len(entries))
    _write(folder, listing.title, new, texts)
    counts = tuple(len(texts[entry.id].split()) for entry in new)
    return Imported(folder=folder, entries=tuple(new), words=counts, notes=tuple(notes))


def _gathered(notes: Iterable[Note]) -> list[Note]:
    """Return one note for all files of which the same is to be said."""
    files: dict[tuple[str, str], list[Note]] = {}
    for one in notes:
        rest = {name: value for name, value in one.values.items() if name != "file"}
        files.setdefault((one.key, json.dumps(rest, sort_keys=True)), []).append(one)
    return [
        note(key, **alike[0].values | {"file": listed(one.values["file"] for one in alike)})
        for (key, _), alike in files.items()
    ]


def normalised(words: str, file: str) -> tuple[str, tuple[Note, ...]]:
    """Return the text as it is stored, with a note for each change a reader should know of."""
    ends = Counter(_LINE_END.findall(words))
    text = _LINE_END.sub("\n", words)
    text, controls = _CONTROL.subn("", text)
    text = unicodedata.normalize("NFC", text)
    text = "\n".join(line.rstrip(" \t") for line in text.split("\n")).strip("\n")
    text = re.sub(r"\n{3,}", "\n\n", text)
    if not text.strip("\ufeff\u200b\u2060 \t\n\xa0"):
        raise FileError(f"{file} is empty: it holds no words")
    mixed = len(ends) + ("\n" in _LINE_END.sub("", words)) > 1
    told = {
        "mixed_ends": mixed,
        "controls": controls > 0,
        "bom_inside": "\ufeff" in text,
        "direction": _DIRECTION.search(text) is not None,
        "stacked": _MARKS.search(text) is not None,
    }
    notes = [note(f"narratives.{key}", file=file) for key, here in told.items() if here]
    kinds = Counter(kind for _, _, kind in resolved(find_patterns(text), text) if kind in DIRECT)
    if kinds:
        counts = ", ".join(f"{n} {LABELS[kind]}" for kind, n in sorted(kinds.items()))
        notes.append(note("narratives.direct", file=file, kinds=counts))
    return text, tuple(notes)


def _facts(paths: list[Path], about: pd.DataFrame | None) -> list[TextEntry]:
    rows: dict[str, dict[str, str]] = {}
    if about is not None:
        for name in about.columns:
            if name not in ABOUT:
                raise DataError(f"about has a column {name!r}; allowed are {listed(ABOUT)}")
        if "file" not in about.columns:
            raise DataError("about has no column 'file'; add one with the names of the files")
        table = about.astype(object).where(about.notna(), "").astype(str)
        rows = {Path(row["file"]).name: row for row in table.to_dict("records")}
        absent = rows.keys() - {path.name for path in paths}
        if absent:
            raise DataError(f"about names {listed(sorted(absent))}, which is not among the files")
    return [_fact(path, rows.get(path.name, {})) for path in paths]


def _fact(path: Path, row: Mapping[str, str]) -> TextEntry:
    name = text_id(path.stem)
    fact = {key: value for key, value in row.items() if value and key != "file"}
    fact = {"id": name, "language": "nl"} | fact
    if not re.fullmatch(r"[\w.-]{1,100}", fact["id"]) or fact["id"].startswith("."):
        raise DataError(
            f"about gives {path.name} the id {fact['id']!r}; an id has letters, digits, - and _"
        )
    return TextEntry(**{"participant": fact["id"], "sha256": ""} | fact)  # type: ignore[arg-type]


def text_id(name: str) -> str:
    """Return a name as an id of a text.

    >>> text_id("Één verhaal (2)")
    'een-verhaal-2'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "text"


def _speakers(text: str, file: str, given: Mapping[str, str] | None) -> dict[str, str]:
    if given is not None:
        here = (
            {match["label"] for match in speaker_labels(given).finditer(text)} if given else set()
        )
        return {label: role for label, role in given.items() if label in here}
    labels = Counter(
        match["label"] for match in _LABEL.finditer(text) if match["label"][0].isupper()
    )
    lines = sum(1 for line in text.split("\n") if line.strip())
    if len(labels) < 2 or sum(labels.values()) * 2 < lines:
        return {}
    others = [label for label in labels if label.casefold() not in _INTERVIEWERS]
    if len(others) != 1:
        raise FileError(
            f"{file} is a transcript in which {len(labels)} speakers have labels, and it is not "
            'clear who narrates; say so with speakers, e.g. {"I": "interviewer", "R": "narrator"}'
        )
    return {label: NARRATOR if label in others else "interviewer" for label in labels}


def _is_new(entry: TextEntry, known: Mapping[str, TextEntry]) -> bool:
    if entry.id in known and known[entry.id].sha256 != entry.sha256:
        raise FileError(
            f"text {entry.id!r} is already in the corpus with other words; texts never "
            "change: import it under a new id"
        )
    return entry.id not in known


def _doubles(new: list[TextEntry], listing: CorpusFile) -> list[Note]:
    first = {known.sha256: known.id for known in listing.texts}
    found = []
    for entry in new:
        other = first.setdefault(entry.sha256, entry.id)
        if other != entry.id:
            found.append(f"{entry.id} (as {other})")
    return [note("narratives.double", n=len(found), texts=listed(found))] * bool(found)


def write_texts(
    folder: Path, title: str, narratives: Iterable[Narrative], texts: Mapping[str, str]
) -> Path:
    """Write new words for known narratives as a corpus of its own; return its folder.

    Who told them, and what they consent to, goes along in ``people.csv``, unless it is there.
    """
    known = tuple(narratives)
    entries = [
        TextEntry(
            id=old.id, participant=old.participant, wave=old.wave, genre=old.genre,
            language=old.language, licence=old.licence, topics=old.topics, speakers=old.speakers,
            sha256=hashlib.sha256(texts[old.id].encode()).hexdigest(),
        )
        for old in known
    ]  # fmt: skip
    if (folder / "corpus.toml").exists():
        raise FileError(f"{folder.name}/ holds a corpus already; choose an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "people.csv").exists():
        write_table(people_table(known), folder / "people.csv")
    _write(folder, title, entries, texts)
    return folder


def _write(folder: Path, title: str, new: list[TextEntry], texts: Mapping[str, str]) -> None:
    """Write the texts, then the listing; a text that is not listed does not exist."""
    (folder / "texts").mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    file = folder / "corpus.toml"
    before = file.read_text("utf-8") if file.exists() else _head(title)
    try:
        for entry in new:
            path = inside(folder, f"texts/{entry.id}.txt")
            if path.exists():
                raise StudyError(
                    f"texts/{entry.id}.txt is there, but corpus.toml does not list it; "
                    "move it away, or import under another id"
                )
            written.append(write_atomically(path, texts[entry.id]))
        write_atomically(file, before.rstrip("\n") + "\n" + "".join(map(_block, new)))
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def _head(title: str) -> str:
    return f"schema = 1\ntitle = {_quoted(title)}\n"


def _block(entry: TextEntry) -> str:
    lines = ["", "[[texts]]"]
    for name in ("id", "participant", "wave", "genre", "language", "licence", "sha256"):
        if value := getattr(entry, name):
            lines.append(f"{name} = {_quoted(value)}")
    for name in ("topics", "notes"):
        if values := getattr(entry, name):
            lines.append(f"{name} = [{', '.join(map(_quoted, values))}]")
    if entry.speakers:
        pairs = (f"{_quoted(label)} = {_quoted(role)}" for label, role in entry.speakers.items())
        lines.append(f"speakers = {{ {', '.join(pairs)} }}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Write a TOML string; JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
