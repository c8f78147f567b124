"""Where a study keeps what is about people: tables, texts, stores, and what was made of them."""

import csv
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from expertise.errors import StudyError
from expertise.files.safe import inside
from expertise.files.settings import load_toml

# Columns that name people or texts in tables of the project's own formats.
NAMES = {
    "participant": "participant", "document": "document", "text": "document",
    "coder": "coder", "entered_by": "entered_by",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """The folders of a study; `declared` names participant columns by table of study.toml.

    `people` is that file's section on people: which columns say who sits in a seat.
    """

    root: Path
    study: Path
    corpus_folder: Path
    declared: dict[str, str]
    people: dict[str, Any]

    def files(self) -> Iterator[Path]:
        """Yield every file of the study and of its corpus."""
        for folder in (self.study, self.corpus_folder):
            if folder.is_dir():
                yield from sorted(path for path in folder.rglob("*") if path.is_file())

    def tables(self) -> list[Path]:
        """Return every CSV of the study and its corpus."""
        return [path for path in self.files() if path.suffix.casefold() == ".csv"]

    def columns(self, path: Path) -> dict[str, str]:
        """Return which columns of a table name whom: participant, document, coder."""
        own = self.declared.get(str(path.relative_to(self.study))) if self._here(path) else None
        return NAMES | ({own: "participant"} if own else {})

    def _here(self, path: Path) -> bool:
        return path.is_relative_to(self.study)

    def stores(self) -> list[Path]:
        """Return the stores of codings in the study's private folder."""
        return [path for path in sorted(self.study.glob("private/**/*.db")) if _is_store(path)]

    def derived(self) -> list[Path]:
        """Return folders whose content can be built again."""
        folders = [
            self.root / "build" / self.study.name,
            self.study / "private" / "exports",
            self.study / "private" / "cache",
        ]
        return [folder for folder in folders if folder.is_dir()]

    def ids(self, what: str) -> set[str]:
        """Return the participants, or coders, that any table names."""
        found: set[str] = set()
        for path in self.tables():
            found |= set().union(
                *(_column(path, name) for name, kind in self.columns(path).items() if kind == what)
            )
        return found

    def seats(self, person: str) -> list[str]:
        """Return the participants a person is: every seat they hold, or else the id itself."""
        roles = self.people.get("person", {})
        return [
            row[self.people["participant"]]
            for row in (_rows(self.study / self.people["file"]) if roles else ())
            if row.get(roles.get(row.get(self.people.get("perspective", "")), "")) == person
        ] or [person]

    def naming(self, person: str) -> Iterator[str]:
        """Yield the columns in which rows of others name this person."""
        for column in dict.fromkeys(self.people.get("person", {}).values()):
            if person in _column(self.study / self.people["file"], column):
                yield f"{self.named(self.study / self.people['file'])}, column {column}"

    def triads(self) -> dict[str, str]:
        """Return the triad of each teller in the corpus."""
        people = self.corpus_folder / "people.csv"
        if not people.is_file():
            return {}
        with people.open(encoding="utf-8-sig", newline="") as file:
            return {row["participant"]: row.get("triad", "") for row in csv.DictReader(file)}

    def holding(self, quotes: list[bytes]) -> list[Path]:
        """Return the files of the project, inside zips too, that hold one of these passages."""
        skipped = {".git", ".venv", ".cache", "__pycache__", "node_modules"}
        files = (
            path
            for path in (sorted(self.root.rglob("*")) if quotes else [])
            if path.is_file() and not skipped & set(path.relative_to(self.root).parts)
        )
        return [
            path
            for path in files
            if any(quote in part for part in _contents(path) for quote in quotes)
        ]

    def named(self, path: Path) -> str:
        """Return a path as people read it, from the project's folder."""
        return path.relative_to(self.root).as_posix()


def find_places(folder: Path) -> Places:
    """Find the folders of a study.

    Raises
    ------
    StudyError
        There is no study.toml.
    """
    study = folder.resolve()
    if not (study / "study.toml").is_file():
        raise StudyError(f"{study.name}/ has no study.toml; name the folder of a study")
    tree = load_toml(study / "study.toml")
    root = study.parent.parent
    sections: list[dict[str, Any]] = [tree.get("people", {}), *tree.get("tables", {}).values()]
    declared = {
        str(inside(study, one["file"]).relative_to(study)): one["participant"]
        for one in sections
        if "file" in one and "participant" in one
    }
    return Places(
        root=root, study=study, declared=declared, people=tree.get("people", {}),
        corpus_folder=root / "corpora" / str(tree.get("corpus") or study.name),
    )  # fmt: skip


def _column(path: Path, name: str) -> set[str]:
    return {row.get(name) or "" for row in _rows(path)} - {""}


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        first = file.readline()
        file.seek(0)
        yield from csv.DictReader(file, delimiter=max(",;\t", key=first.count))


def _is_store(path: Path) -> bool:
    with path.open("rb") as file:
        if not file.read(16).startswith(b"SQLite format 3"):
            return False
    connection = sqlite3.connect(path)
    try:
        query = "SELECT count(*) FROM sqlite_master WHERE name IN ('acts', 'records')"
        return bool(connection.execute(query).fetchone()[0] == 2)
    finally:
        connection.close()


def _contents(path: Path) -> Iterator[bytes]:
    yield path.read_bytes()
    try:
        with ZipFile(path) as archive:
            for member in archive.infolist():
                with archive.open(member) as file:
                    # In pieces: a member may be far larger than its archive.
                    yield from iter(partial(file.read, 1 << 24), b"")
    except BadZipFile:
        return
