"""Writes the tables of a report to DOCX, for a journal that wants them to be edited."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from expertise.errors import FileError
from expertise.files.safe import write_atomically
from expertise.reporting.block import Block
from expertise.study import Study
from expertise.words import say


def write_docx(study: Study, parts: Mapping[str, Block], path: Path) -> Path:
    """Write every table of a report to a DOCX, each under the heading of its part.

    Parameters
    ----------
    study : Study
        For its title and what a reader must know before reading on.
    parts : mapping
        Parts of the report by name; those without a table are left out.
    path : Path
        The file, written whole or not at all.

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
    except ImportError:
        raise FileError("tables in DOCX need python-docx; install expertise[docx]") from None
    document = Document()
    lang = study.lang
    document.core_properties.title = study.settings.title
    document.core_properties.language = lang
    document.add_heading(say("reporting.tables_of", lang, title=study.settings.title), 0)
    if study.settings.content_note:
        document.add_paragraph(study.settings.content_note, style="Intense Quote")
    told = ""
    for name, part in parts.items():
        heading = say(f"parts.{name}", lang) if part.tables else told
        if heading != told:
            document.add_heading(heading, 1)
            told = heading
        for caption, table in part.tables:
            document.add_paragraph(caption, style="Caption")
            _add(document, table)
        for one in part.notes if part.tables else ():
            document.add_paragraph(one.text(lang), style="List Bullet")
    out = BytesIO()
    document.save(out)
    return write_atomically(path, out.getvalue())


def _add(document: Any, table: pd.DataFrame) -> None:
    """Add a table whose first row is a header that is repeated on each page."""
    from docx.oxml import OxmlElement

    grid = document.add_table(rows=1, cols=table.shape[1], style="Light Grid Accent 1")
    for cell, name in zip(grid.rows[0].cells, table.columns, strict=True):
        cell.text = str(name)
    grid.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for row in table.itertuples(index=False, name=None):
        for cell, value in zip(grid.add_row().cells, row, strict=True):
            cell.text = str(value)
