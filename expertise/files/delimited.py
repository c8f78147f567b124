"""Comma-, semicolon-, tab- and bar-separated tables."""

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice

from expertise.errors import FileError
from expertise.files.grid import Grid, Record, Source, most_usual, some, tabulate
from expertise.files.text import decode
from expertise.words import note

MARKS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MAX_CELL = 50_000_000
_BLOCK = 1 << 16
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_MARKUP = re.compile(r"\s*(<!doctype html|<html|<table|<\?xml|<meta)", re.IGNORECASE)


def read_delimited(data: bytes, source: Source, delimiter: str | None = None) -> Grid:
    """Read separated text; the separator is declared, or the only one that fits."""
    found = decode(data, source.file)
    text, first = found.text.removeprefix("\ufeff"), 1
    if _MARKUP.match(text):
        raise FileError(
            f"{source.file} is a web page, whatever its name says; open it and save it as CSV"
        )
    if announced := re.match(r"sep=(.)\r?\n", text):  # Excel writes this line for itself
        delimiter, text, first = delimiter or announced[1], text[announced.end() :], 2
    with _long_cells():
        delimiter = delimiter or sniff(text, source.file)
        source = replace(source, kind="csv", encoding=found.encoding, delimiter=delimiter)
        grid = tabulate(source, _records(text, delimiter, source.file, first))
    return _controlled(replace(grid, notes=found.notes + grid.notes), text)


def _lines(text: str) -> Iterator[str]:
    """Yield lines with their ends; only CR, LF and CRLF end one, unlike `str.splitlines`."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + _BLOCK) + 1 or len(text)
        yield from _LINE.findall(text, start, end)
        start = end


def _records(text: str, delimiter: str, file: str, first: int) -> Iterator[Record]:
    """Yield each record with the line on which it starts."""
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    start = first
    try:
        for cells in reader:
            yield start, cells
            start = reader.line_num + first
    except csv.Error as error:
        if "field larger" in str(error):
            what = f"a cell has more than {MAX_CELL:,} characters; put long texts in files"
        else:
            what = "a quote opens here that is not closed as it should; close or double it"
        raise FileError(f"{file}, line {start}: {what}") from None


def sniff(text: str, file: str) -> str:
    r"""Return the separator under which most records have as many fields as the header.

    Raises
    ------
    FileError
        Two separators fit every record.

    >>> sniff('id;score\nP01;12,5\n', "scores.csv")
    ';'
    """
    fits: dict[str, tuple[bool, float, int]] = {}
    for mark in MARKS:
        widths = _widths(text, mark)
        usual = most_usual(widths)
        if usual > 1:
            fits[mark] = (widths[0] == usual, widths.count(usual) / len(widths), usual)
            single = len(widths) == 1
    if not fits:
        return ","
    whole = [mark for mark, fit in fits.items() if fit[:2] == (True, 1.0)]
    if len(whole) > 1 and not single:
        names = " or ".join(MARKS[mark] for mark in whole)
        raise FileError(
            f"{file}: the fields may be separated by {names}; both fit: declare the delimiter"
        )
    return max(fits, key=lambda mark: fits[mark])


def _widths(text: str, mark: str) -> list[int]:
    """Count the fields of the first records under a separator."""
    widths = []
    with suppress(csv.Error):  # which `_records` reports with its line
        for cells in islice(csv.reader(_lines(text), delimiter=mark), 100):
            widths.append(len(cells))
    return [width for width in widths if width] or [1]


def _controlled(grid: Grid, text: str) -> Grid:
    """Refuse cells with NUL, where other programs stop reading; note other control characters."""
    if not _CONTROL.search(text):
        return grid
    problems, notes = list(grid.problems), list(grid.notes)
    for name, cells in grid.columns.items():
        nul = [index for index, cell in enumerate(cells.texts) if "\0" in cell]
        if nul:
            what = "holds a NUL character; remove it"
            problems.append(grid.where.problem(name, cells.positions(nul), what))
        other = [index for index, cell in enumerate(cells.texts) if _CONTROL.search(cell)]
        if set(other) - set(nul):
            rows = some(grid.where.rows[cells.positions(other)].tolist())
            notes.append(note("files.control", file=grid.source.file, column=name, rows=rows))
    return replace(grid, problems=tuple(problems), notes=tuple(notes))


@contextmanager
def _long_cells() -> Iterator[None]:
    """Let a cell hold a whole narrative; the csv module keeps its limit in a global."""
    before = csv.field_size_limit(MAX_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)
