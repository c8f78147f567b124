"""Sheets of an Excel workbook, every cell as text."""

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from expertise.errors import FileError, listed, nearest
from expertise.files.archive import Archive
from expertise.files.grid import Grid, Problem, Record, Source, tabulate
from expertise.files.xml import check_xml
from expertise.words import note

_ZEROS = re.compile("0{2,}")
_ERRORS = re.compile(
    r"#(N/[AB]|(DIV|DEEL)/0!|REF!|VERW!|NAME\?|NAAM\?|VALUE!|WAARDE!|NUM!|GETAL!|NULL!|LEEG!|SPILL!|OVERLOOP!)"
)


def read_xlsx(data: bytes, source: Source, sheet: str | None = None) -> Grid:
    """Read one sheet; with several, the caller says which."""
    _judge(data, source.file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # parts of Excel that openpyxl leaves out, none with cells
        try:
            book = load_workbook(BytesIO(data), data_only=True)
            formulas = load_workbook(BytesIO(data))
        except (KeyError, ValueError, TypeError, AttributeError, IndexError, OSError) as error:
            raise FileError(
                f"{source.file}: damaged file ({type(error).__name__}); save it anew as .xlsx"
            ) from None
    page, others = _choose(book.worksheets, sheet, source.file)
    source = replace(source, kind="xlsx", sheet=page.title, decimal=".")
    grid = tabulate(source, _records(page), unit="row", letters=True)
    problems = _cell_problems(page, formulas[page.title], source.file)
    notes = grid.notes
    if others:
        notes += (note("files.sheets", file=source.file, sheet=page.title, others=listed(others)),)
    hidden = [row for row, look in page.row_dimensions.items() if look.hidden]
    if hidden:
        notes += (note("files.hidden", file=source.file, rows=listed(hidden)),)
    return replace(grid, native=True, notes=notes, problems=(*problems, *grid.problems))


def _judge(data: bytes, file: str) -> None:
    """Refuse a workbook that is a bomb or holds dangerous XML, before it is parsed."""
    with Archive(data, file) as archive:
        if "xl/workbook.xml" not in archive.names:
            raise FileError(f"{file} is a ZIP archive but not an Excel workbook; save it as .xlsx")
        for member in archive.names:
            if member.endswith((".xml", ".rels")):
                check_xml(archive.read(member), f"{file}, {member}")


def _choose(pages: list[Worksheet], sheet: str | None, file: str) -> tuple[Worksheet, list[str]]:
    """Return the sheet to read and the names of the other sheets with cells."""
    filled = {page.title: page for page in pages if page.calculate_dimension() != "A1:A1"}
    if sheet is None:
        if len(filled) > 1:
            raise FileError(f'{file} has sheets {listed(filled)}; declare which: sheet = "…"')
        if not filled:
            raise FileError(f"{file} is empty: no sheet holds a table")
        (sheet,) = filled
    elif sheet not in filled:
        raise FileError(
            f"{file} has no filled sheet {sheet!r}{nearest(sheet, filled)}; it has {listed(filled)}"
        )
    return filled[sheet], [name for name in filled if name != sheet]


def _records(page: Worksheet) -> Iterator[Record]:
    """Yield rows from the first column to the last that holds anything."""
    rows = [[_text(cell) for cell in row] for row in page.iter_rows()]
    width = max((index + 1 for row in rows for index, text in enumerate(row) if text), default=0)
    first = page.min_row
    for number, row in enumerate(rows, start=first):
        yield number, row[:width] if any(row) else ()


def _text(cell: Any) -> str:
    """Return a cell as text: numbers in full, dates in ISO form, shown leading zeros kept."""
    value = cell.value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        if float(value).is_integer() and abs(value) < 1e15:
            width = len(cell.number_format) if _ZEROS.fullmatch(cell.number_format) else 0
            return str(int(value)).zfill(width)
        return repr(value)
    if isinstance(value, datetime):
        return value.isoformat(" ") if value.time() != time() else value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return "" if value is None else str(value)


def _cell_problems(page: Worksheet, formulas: Worksheet, file: str) -> Iterator[Problem]:
    """Yield what a sheet hides from a reader: formulas without value, errors, merged cells."""
    empty, errors = [], []
    for row, raw in zip(page.iter_rows(), formulas.iter_rows(), strict=True):
        for cell, source in zip(row, raw, strict=True):
            if source.data_type == "f" and cell.value is None:
                empty.append((cell.row, cell.coordinate))
            elif cell.data_type == "e" or (
                isinstance(cell.value, str) and _ERRORS.fullmatch(cell.value)
            ):
                errors.append((cell.row, cell.coordinate))
    merged = [(area.min_row, area.coord) for area in page.merged_cells.ranges]
    for cells, what in (
        (empty, "formulas without values; open the file in Excel and save the cells as values"),
        (errors, "Excel reports an error here; mend the cell or empty it"),
        (merged, "merged cells, of which only the first holds a value; split them and fill each"),
    ):
        if cells:
            where = f"cell{'s' * (len(cells) > 1)} {listed(name for _, name in cells)}"
            yield Problem(
                file=file,
                message=f"{file}, sheet {page.title!r}, {where}: {what}",
                rows=tuple(dict.fromkeys(row for row, _ in cells)),
            )
