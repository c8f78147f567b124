"""A table before its columns have a type: every cell a text, every row as numbered in the file."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from unicodedata import normalize

import numpy as np
import numpy.typing as npt
import pandas as pd

from expertise.errors import DataError, ExpertiseError, FileError, listed
from expertise.words import Note, note

MAX_COLUMNS = 2_000
BATCH = 20_000
Record = tuple[int, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A reason to refuse a file: `message` is the whole sentence, `rows` are as in the file."""

    file: str
    message: str
    rows: tuple[int, ...] = ()
    column: str | None = None
    error: type[ExpertiseError] = field(default=DataError, repr=False)

    @property
    def row(self) -> int | None:
        """The first row concerned, or None when the problem is the file's."""
        return self.rows[0] if self.rows else None

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A column: its distinct texts, and for each row which of them it holds."""

    texts: tuple[str, ...]
    codes: npt.NDArray[np.int32]

    def positions(self, which: Iterable[int]) -> npt.NDArray[np.intp]:
        """Return the rows, counted from 0, that hold one of the distinct texts `which`."""
        wanted = np.zeros(len(self.texts), bool)
        wanted[list(which)] = True
        return np.flatnonzero(wanted[self.codes])

    def emptied(self, which: Iterable[int]) -> "Cells":
        """Return the column with some of its distinct texts made empty."""
        gone = set(which)
        kept = [text for index, text in enumerate(self.texts) if index not in gone]
        distinct = {
            text: index for index, text in enumerate(dict.fromkeys(kept + [""] * bool(gone)))
        }
        lookup = [distinct["" if index in gone else text] for index, text in enumerate(self.texts)]
        return Cells(tuple(distinct), np.array(lookup, dtype=np.int32)[self.codes])


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a table came from and how it was read."""

    file: str
    sha256: str
    kind: str
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    sheet: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Where:
    """How rows and columns of a table are called in its file.

    `rows`, shape (n,), numbers the rows as a person counts them: the lines of
    a CSV, the rows of a sheet, the cases of SPSS; `letters` are a sheet's.
    """

    file: str
    rows: npt.NDArray[np.int64]
    unit: str = "line"
    letters: Mapping[str, str] = field(default_factory=dict)

    def place(self, column: str, rows: Sequence[int]) -> str:
        """Name cells as a person finds them: cell B3, or line 3 of a column."""
        if not rows:
            return f"column {column!r}"
        if letter := self.letters.get(column):
            return f"cell{'s' * (len(rows) > 1)} {listed(f'{letter}{row}' for row in rows)}"
        return f"column {column!r}, {numbered(self.unit, rows)}"

    def problem(
        self,
        column: str,
        positions: Iterable[int],
        what: str,
        error: type[ExpertiseError] = DataError,
    ) -> Problem:
        """Return a problem in rows (counted from 0) of a column; `what` says it in words."""
        rows = tuple(self.rows[list(positions)].tolist())
        message = f"{self.file}, {self.place(column, rows)}: {what}"
        return Problem(file=self.file, message=message, rows=rows, column=column, error=error)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """Cells as text under their header, and everything about the file that is worth keeping.

    `native` files hold numbers and dates as such, written here with a point
    and in ISO form.
    """

    source: Source
    where: Where
    columns: Mapping[str, Cells]
    native: bool = False
    notes: tuple[Note, ...] = ()
    problems: tuple[Problem, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    missing: pd.DataFrame = field(default_factory=lambda: missing_table(()))


def missing_table(rows: Iterable[tuple[int, str, str, str]]) -> pd.DataFrame:
    """Return cells that were missing for a reason: row (from 0), column, value, reason."""
    return pd.DataFrame(list(rows), columns=["row", "column", "value", "reason"])


def some(rows: Sequence[int]) -> str:
    """Name the first rows, in any language.

    >>> some(range(1, 11))
    '1, 2, 3, 4, 5, 6, 7, 8 …'
    """
    return ", ".join(map(str, rows[:8])) + " …" * (len(rows) > 8)


def numbered(unit: str, rows: Sequence[object]) -> str:
    """Name rows in a sentence.

    >>> numbered("line", [3, 4])
    'lines 3, 4'
    """
    return f"{unit}{'s' * (len(rows) > 1)} {listed(rows)}"


def tabulate(
    source: Source, records: Iterable[Record], *, unit: str = "line", letters: Sequence[str] = ()
) -> Grid:
    """Turn numbered records, the header first, into a grid; blank records are left out."""
    blank: list[int] = []
    filled = _without_blank(records, blank)
    head = list(islice(filled, 100))
    if not head:
        raise FileError(f"{source.file} is empty: it has no header")
    (row, names), body = head[0], chain(head[1:], filled)
    header = tuple(normalize("NFC", name).strip() for name in names)
    if problems := _header_problems(source.file, unit, row, header, head):
        where = Where(file=source.file, rows=np.array([], dtype=np.int64))
        return Grid(source=source, where=where, columns={}, problems=problems)
    rows, cells, problems = _columns(source.file, unit, header, body)
    if not len(rows):
        raise FileError(f"{source.file} has a header on {unit} {row} but nothing beneath it")
    inside = [number for number in blank if row < number < rows[-1]]
    lettered = dict(zip(header, letters, strict=True)) if letters else {}
    return Grid(
        source=source,
        where=Where(file=source.file, rows=rows, unit=unit, letters=lettered),
        columns=dict(zip(header, cells, strict=True)) if cells else {},
        notes=(note("files.blank", file=source.file, rows=some(inside)),) * bool(inside),
        problems=problems,
    )


def _without_blank(records: Iterable[Record], blank: list[int]) -> Iterator[Record]:
    for record in records:
        if record[1]:
            yield record
        else:
            blank.append(record[0])


def _columns(
    file: str, unit: str, header: Sequence[str], body: Iterator[Record]
) -> tuple[npt.NDArray[np.int64], list[Cells], tuple[Problem, ...]]:
    """Code each column by its distinct texts, a batch of records at a time."""
    width, rows = len(header), array("q")
    ragged: list[tuple[int, int]] = []
    empty: list[int] = []
    index: list[defaultdict[str, int]] = [defaultdict() for _ in header]
    for texts in index:
        texts.default_factory = texts.__len__
    codes = [array("i") for _ in header]
    while batch := list(islice(body, BATCH)):
        ragged += [(row, len(cells)) for row, cells in batch if len(cells) != width]
        empty += [row for row, cells in batch if not any(cells)]
        rows.extend(row for row, _ in batch)
        if not ragged:
            for texts, code, column in zip(
                index, codes, zip(*(cells for _, cells in batch), strict=True), strict=True
            ):
                code.extend(map(texts.__getitem__, column))
    problems = []
    if ragged:
        shown = [f"{row} (has {count})" for row, count in ragged]
        message = (
            f"{file}, {numbered(unit, shown)}: every {unit} must have {width} fields, as the"
            " header has; put quotes around text that holds the separator"
        )
        found = tuple(row for row, _ in ragged)
        problems.append(Problem(file=file, message=message, rows=found))
    elif empty:
        message = f"{file}, {numbered(unit, empty)}: holds no value at all; remove it"
        problems.append(Problem(file=file, message=message, rows=tuple(empty)))
    columns = [
        Cells(tuple(texts), np.array(code, dtype=np.int32))
        for texts, code in zip(index, codes, strict=True)
    ]
    return np.array(rows, dtype=np.int64), [] if ragged else columns, tuple(problems)


def _header_problems(
    file: str, unit: str, row: int, header: Sequence[str], head: Sequence[Record]
) -> tuple[Problem, ...]:
    """Return what is wrong with the names of the columns."""

    def problem(what: str) -> Problem:
        return Problem(file=file, message=f"{file}, {unit} {row}: {what}", rows=(row,))

    if (below := _header_below(head)) is not None:
        what = f"this is no header; the header seems to be on {unit} {below}: remove what is above"
        return (problem(what),)
    if len(header) > MAX_COLUMNS:
        what = f"{len(header):,} columns; at most {MAX_COLUMNS:,} are read: keep those you need"
        return (problem(what),)
    problems = []
    if blank := [index + 1 for index, name in enumerate(header) if not name]:
        place = numbered("column", blank)
        problems.append(problem(f"{place} has no name; give every column a name"))
    twice = [name for name, count in Counter(filter(None, header)).items() if count > 1]
    for name in twice:
        where = listed(index + 1 for index, other in enumerate(header) if other == name)
        what = f"columns {where} are both called {name!r}; give every column its own name"
        problems.append(problem(what))
    if all(_numeric(name) for name in header):
        problems.append(problem("holds numbers only, so the names of the columns are missing"))
    return tuple(problems)


def _header_below(head: Sequence[Record]) -> int | None:
    """Return the row of a header that stands below title lines, or None."""
    counts = [sum(map(bool, cells)) for _, cells in head]
    usual = most_usual(counts) if len(head) > 2 else max(counts)
    if counts[0] * 2 > usual:
        return None
    for (row, cells), count in zip(head[1:], counts[1:], strict=True):
        names = [name.strip() for name in cells if name]
        if count == usual and len(set(names)) == count and not any(map(_numeric, names)):
            return row
    return None


def most_usual(counts: Sequence[int]) -> int:
    """Return the most frequent number; of several the largest.

    >>> most_usual([1, 1, 4, 4, 3])
    4
    """
    times = Counter(counts)
    return max(times, key=lambda count: (times[count], count))


def _numeric(text: str) -> bool:
    return text.strip().replace(",", "").replace(".", "").lstrip("+-").isdigit()


def letter(index: int) -> str:
    """Return the letter that a spreadsheet gives a column, counted from 0.

    >>> letter(0), letter(27)
    ('A', 'AB')
    """
    first, last = divmod(index, 26)
    return (letter(first - 1) if first else "") + chr(65 + last)
