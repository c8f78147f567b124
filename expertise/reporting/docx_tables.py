"""Writes the tables of a page to DOCX, for a journal that wants to edit them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

from expertise.errors import FileError
from expertise.files.safe import write_atomically


@dataclass(slots=True)
class Grid:
    """A table of a page: the heading above it, its caption and its rows, the first a header."""

    heading: str
    caption: str = ""
    rows: list[list[str]] = field(default_factory=list)


class _Tables(HTMLParser):
    """Gathers tables with their headings; those behind a figure are left where they are."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Grid] = []
        self.note = self._heading = ""
        self._open: list[str] = []
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("figure", "table"):
            self._open.append(tag)
        if tag == "table":
            self.found.append(Grid(heading=self._heading))
        if tag == "tr" and self.found:
            self.found[-1].rows.append([])
        if tag in ("h2", "caption", "th", "td") or (
            tag == "p" and ("class", "content-note") in attrs
        ):
            self._text = []

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        text = "".join(self._text).strip()
        if tag == "h2":
            self._heading = text
        elif tag == "p" and not self.note and not self._heading:
            self.note = text
        elif tag == "caption":
            self.found[-1].caption = text
        elif tag in ("th", "td"):
            self.found[-1].rows[-1].append(text)
        elif tag in ("figure", "table"):
            self._open.pop()
            if tag == "table" and "figure" in self._open:
                self.found.pop()


def tables_of(html: str) -> tuple[str, list[Grid]]:
    """Return what a page says before its first heading of tables, and the tables.

    >>> page = "<h2>Wie</h2><table><tr><th>rol</th></tr><tr><td>naaste</td></tr></table>"
    >>> tables_of(page)[1]
    [Grid(heading='Wie', caption='', rows=[['rol'], ['naaste']])]
    """
    reader = _Tables()
    reader.feed(html)
    return reader.note, reader.found


def write_docx(html: str, path: Path, *, title: str) -> Path:
    """Write every table of a page to a DOCX, each under its heading.

    Parameters
    ----------
    html : str
        The page. What it says at its head (that data are simulated, for
        example) goes along.
    path : Path
        The file, written whole or not at all.
    title : str
        Of the document.

    Returns
    -------
    Path

    Raises
    ------
    FileError
        The extra "docx" is not installed.
    """
    try:
        from docx import Document
        from docx.oxml import OxmlElement
    except ImportError:
        raise FileError("tables in DOCX need python-docx; install expertise[docx]") from None
    note, grids = tables_of(html)
    document: Any = Document()
    document.core_properties.title = title
    document.add_heading(title, 0)
    document.add_paragraph(note)
    heading = ""
    for grid in grids:
        if grid.heading != heading:
            document.add_heading(heading := grid.heading, 1)
        if grid.caption:
            document.add_paragraph(grid.caption, style="Caption")
        table = document.add_table(rows=0, cols=len(grid.rows[0]), style="Light Grid Accent 1")
        for row in grid.rows:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                cell.text = text
        # The header comes back on each page.
        table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    out = BytesIO()
    document.save(out)
    return write_atomically(path, out.getvalue())
