"""`expertise import`: bring texts into a corpus, where they are fixed and named by their hash."""

import argparse
from pathlib import Path
from typing import Any

from expertise.cli.secret import add_key, key_if_named
from expertise.errors import DataError, FileError
from expertise.files.reading import Column
from expertise.files.tables import read_table
from expertise.narratives.importing import Imported, import_texts
from expertise.narratives.rows import import_rows

TABLES = (".csv", ".tsv", ".xlsx", ".sav")


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "import",
        help="bring texts into a corpus",
        description="Bring documents, transcripts or a column of a table into a corpus. "
        "Either all files come in, or none.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument(
        "--into", required=True, metavar="FOLDER", help="the corpus, for example corpora/verhalen"
    )
    parser.add_argument(
        "--about", metavar="TABLE",
        help="a table with a row per file: file, and any of id, participant, wave, genre",
    )  # fmt: skip
    parser.add_argument(
        "--speakers", nargs="+", default=[], metavar="LABEL=ROLE",
        help="for transcripts: who speaks, for example I=interviewer R=narrator",
    )  # fmt: skip
    parser.add_argument("--text", metavar="COLUMN", help="in a table: the column of texts")
    parser.add_argument("--id", metavar="COLUMN", help="in a table: the column of ids")
    parser.add_argument("--participant", metavar="COLUMN", help="in a table: who tells")
    parser.add_argument("--wave", metavar="COLUMN", help="in a table: the wave")
    parser.add_argument("--language", default="nl", help="in a table: the language (default nl)")
    add_key(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Import the files; say how many texts came in, and what did not come over."""
    tables = [name for name in chosen.files if Path(name).suffix.lower() in TABLES]
    if chosen.text and chosen.id and len(chosen.files) == 1:
        done = _from_table(chosen)
    elif tables or chosen.text or chosen.id:
        raise FileError(
            f"{Path((tables or chosen.files)[0]).name}: a table comes in alone, with the columns "
            'of its texts and ids: --text "Your story" --id "Number"'
        )
    else:
        about = read_table(chosen.about, ids=("file",)).table if chosen.about else None
        done = import_texts(
            chosen.files, chosen.into, about, speakers=_speakers(chosen.speakers) or None,
            key=key_if_named(chosen),
        )  # fmt: skip
    print(done.heading())
    for found in done.notes:
        print(f"- {found}")
    if not (done.folder / "people.csv").exists():
        print(f"Who tells is not known yet: add {done.folder / 'people.csv'} with the columns")
        print("  participant, perspective, triad, use, coded_by, quote_to, own_triad_may_read")
    return 0


def _from_table(chosen: argparse.Namespace) -> Imported:
    about = {
        name: getattr(chosen, name)
        for name in ("id", "participant", "wave")
        if getattr(chosen, name)
    }
    names = (chosen.text, *about.values())
    columns = {name: Column("text") for name in names}
    read = read_table(chosen.files[0], columns=columns, only=names, allow=names)
    return import_rows(
        read.table, chosen.into, text=chosen.text, about=about, language=chosen.language,
        key=key_if_named(chosen),
    )  # fmt: skip


def _speakers(pairs: list[str]) -> dict[str, str]:
    speakers = {}
    for pair in pairs:
        label, sign, role = pair.rpartition("=")
        if not (sign and label and role):
            raise DataError(
                f"--speakers has {pair!r}; write label=role, for example I=interviewer R=narrator"
            )
        speakers[label] = role
    return speakers
