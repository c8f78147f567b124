"""Codings to take along, in formats that other programs read, once the round is open."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from expertise.cocoding.circle import Circle
from expertise.coding.fragments import in_whole_texts
from expertise.errors import CodingError
from expertise.exchange.formats import write_codings, write_html
from expertise.exchange.project import QdaProject, make_project
from expertise.exchange.writing import write_qdpx

# File → what it is sent as.
EXPORTS: Mapping[str, str] = {
    "codings.csv": "text/csv",
    "codings.jsonl": "application/jsonl",
    "codings.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "codings.qdpx": "application/zip",
    "codings.html": "text/html",
}


def as_project(circle: Circle) -> QdaProject:
    """Return the texts that were read, the codebook, and the codings of the round alone.

    Coders are ids, not names; positions are those of the whole texts.

    Raises
    ------
    CodingError
        Before the round together was opened.
    """
    if not circle.revealed():
        raise CodingError("codings can be exported after the round together was opened")
    rows = in_whole_texts(circle.ledger().coded("alone"), circle.whole)
    rows = rows[rows["document"].isin(circle.whole)]
    texts = {key: circle.texts[key] for key in circle.whole if key in set(rows["document"])}
    return make_project(circle.title, texts, circle.book.table(), rows)


def exported(circle: Circle, name: str) -> bytes:
    """Return one of the files of `EXPORTS`.

    Raises
    ------
    CodingError
        Before the round together was opened.
    """
    project = as_project(circle)
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        if name.endswith(".qdpx"):
            write_qdpx(project, path)
        elif name.endswith(".html"):
            write_html(project.texts, project.selections, path, lang=circle.lang)
        else:
            write_codings(project.selections, path)
        return path.read_bytes()
