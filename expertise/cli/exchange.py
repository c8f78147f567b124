"""`expertise exchange`: codings to and from other programs."""

import argparse
from pathlib import Path
from typing import Any

from expertise.cli.coded import add_places, find_coded
from expertise.errors import FileError
from expertise.exchange.formats import write_codings, write_html
from expertise.exchange.project import QdaProject, make_project
from expertise.exchange.reading import read_qdpx
from expertise.exchange.writing import write_qdpx

KINDS = (".qdpx", ".csv", ".xlsx", ".jsonl", ".html")


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "exchange",
        help="codings to QDPX, CSV, XLSX, JSON Lines or HTML; what a QDPX file holds",
        description="The files that are written hold words of narratives: keep them as safe as "
        "the study itself.",
    )
    add_places(parser)
    parser.add_argument(
        "files", nargs="*", help=f"files to write, by their ending: {', '.join(KINDS)}"
    )
    parser.add_argument(
        "--positions", help="what a QDPX counted, as 'utf16 crlf2 nobom exclusive'; default: found"
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Write the files that were named, or say what came in."""
    for name in chosen.files:
        if Path(name).suffix.casefold() not in KINDS:
            raise FileError(f"{Path(name).name}: allowed endings are {', '.join(KINDS)}")
    if chosen.codings.casefold().endswith(".qdpx"):
        project = read_qdpx(chosen.codings, chosen.positions)
        print(f"Positions: {project.positions.convention}")
    elif chosen.positions:
        raise FileError(f"{chosen.codings} is no .qdpx file; --positions is for those only")
    else:
        coded = find_coded(chosen)
        name = coded.corpus.title or coded.book.title
        project = make_project(name, coded.whole_texts, coded.book.table(), coded.whole_codings)
    print(project)
    for name in chosen.files:
        print(f"Written: {write_project(project, name)}")
    return 0


def write_project(project: QdaProject, path: str | Path) -> Path:
    """Write a project in the format that the name of the file asks for."""
    kind = Path(path).suffix.casefold()
    if kind == ".qdpx":
        return write_qdpx(project, path)
    if kind == ".html":
        return write_html(project.texts, project.selections, path)
    return write_codings(project.selections, path)
