"""Sheets of an Excel workbook, every cell as text."""

import re
import warnings
from dataclasses import replace
from datetime import datetime, time
from io import BytesIO
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from expertise.errors import FileError, listed, nearest
from expertise.files.archive import Archive
from expertise.files.grid import Grid, Problem, Record, Source, letter, some, tabulate
from expertise.files.xml import check_xml
from expertise.words import note

MAX_CELLS = 20_000_000
_ZEROS = re.compile("0{2,}")
_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
_ERROR = re.compile(  # as Excel writes them in English and in Dutch
    r"#(?:N/[AB]|(?:DIV|DEEL)/0!|REF!|VERW!|NAME\?|NAAM\?|VALUE!|WAARDE!|NUM!|GETAL!|NULL!|LEEG!)"
)


def read_xlsx(data: bytes, source: Source, sheet: str | None = None) -> Grid:
    """Read one sheet; with several, the caller says which."""
    calculates = _judge(data, source.file)
    book = _opened(data, source.file, data_only=True)
    page, others = _choose(book.worksheets, sheet, source.file)
    source = replace(source, kind="xlsx", sheet=page.title)
    letters, records = _records(page, source.file)
    grid = tabulate(source, records, unit="row", letters=letters)
    problems = _hidden_losses(page, source.file)
    if calculates:
        formulas = _opened(data, source.file, data_only=False)[page.title]
        problems += _without_value(page, formulas, source.file)
    notes = grid.notes
    if others:
        notes += (note("files.sheets", file=source.file, sheet=page.title, others=listed(others)),)
    hidden = [row for row, look in page.row_dimensions.items() if look.hidden]
    if hidden:
        notes += (note("files.hidden", file=source.file, rows=some(hidden)),)
    return replace(grid, native=True, notes=notes, problems=(*problems, *grid.problems))


def _judge(data: bytes, file: str) -> bool:
    """Refuse a bomb or dangerous XML before it is parsed; tell whether formulas occur."""
    formulas = False
    with Archive(data, file) as archive:
        if "xl/workbook.xml" not in archive.names:
            raise FileError(f"{file} is a ZIP archive but no .xlsx workbook; save it as .xlsx")
        for member in archive.names:
            if member.endswith((".xml", ".rels")):
                content = archive.read(member)
                check_xml(content, f"{file}, {member}")
                formulas |= member.startswith("xl/worksheets/") and bool(_FORMULA.search(content))
    return formulas


def _opened(data: bytes, file: str, *, data_only: bool) -> Workbook:
    """Open a workbook; whatever openpyxl stumbles over means that the file is damaged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # parts of Excel that openpyxl leaves out; none holds cells
        try:
            return load_workbook(BytesIO(data), data_only=data_only)
        except Exception as error:  # its parser raises a dozen kinds for files with odd XML
            raise FileError(
                f"{file}: damaged file ({type(error).__name__}); open it in Excel and save it anew"
            ) from None


def _choose(pages: list[Worksheet], sheet: str | None, file: str) -> tuple[Worksheet, list[str]]:
    """Return the sheet to read and the names of the other sheets with cells."""
    filled = {
        page.title: page for page in pages if page.max_row > 1 or page["A1"].value is not None
    }
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


def _records(page: Worksheet, file: str) -> tuple[list[str], list[Record]]:
    """Return the letters of the columns that hold anything, and the numbered rows."""
    if page.max_row * page.max_column > MAX_CELLS:
        raise FileError(
            f"{file}, sheet {page.title!r}: reaches to {page.dimensions.split(':')[-1]};"
            f" at most {MAX_CELLS:,} cells are read: delete empty rows and columns"
        )
    rows = [[_text(cell) for cell in row] for row in page.iter_rows()]
    used = [index for index in range(page.max_column) if any(row[index] for row in rows)]
    records: list[Record] = [
        (number, [row[index] for index in used] if any(row) else [])
        for number, row in enumerate(rows, start=1)
    ]
    return [letter(index) for index in used], records


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
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    return "" if value is None else str(value)


def _hidden_losses(page: Worksheet, file: str) -> list[Problem]:
    """Return what would be lost in silence: error cells, and cells merged into one."""
    wrong = [
        (cell.row, cell.coordinate)
        for row in page.iter_rows()
        for cell in row
        if cell.data_type == "e" or (isinstance(cell.value, str) and _ERROR.fullmatch(cell.value))
    ]
    merged = [(area.min_row, area.coord) for area in page.merged_cells.ranges]
    return [
        *_problem(page, file, wrong, "Excel reports an error here; mend the cell or empty it"),
        *_problem(page, file, merged, "merged, so that only the first holds a value; split them"),
    ]


def _without_value(page: Worksheet, formulas: Worksheet, file: str) -> list[Problem]:
    """Return the formulas that no program has calculated yet."""
    empty = [
        (cell.row, cell.coordinate)
        for row, sources in zip(page.iter_rows(), formulas.iter_rows(), strict=True)
        for cell, source in zip(row, sources, strict=True)
        if source.data_type == "f" and cell.value is None and cell.data_type == "n"
    ]
    what = "formulas without values; open the file in Excel and save the cells as values"
    return _problem(page, file, empty, what)


def _problem(page: Worksheet, file: str, cells: list[tuple[int, str]], what: str) -> list[Problem]:
    if not cells:
        return []
    where = f"cell{'s' * (len(cells) > 1)} {listed(name for _, name in cells)}"
    rows = tuple(dict.fromkeys(row for row, _ in cells))
    return [Problem(file=file, message=f"{file}, sheet {page.title!r}, {where}: {what}", rows=rows)]
