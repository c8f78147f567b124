"""Tables from CSV, XLSX and SPSS files, read surely or refused with the row and the column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from expertise.errors import ExpertiseError, FileError, PrivacyError, listed, nearest
from expertise.files.columns import series
from expertise.files.delimited import MARKS, read_delimited
from expertise.files.grid import Grid, Problem, Source, Where, missing_table
from expertise.files.guess import named_as_id
from expertise.files.identifiers import identifier
from expertise.files.reading import Column, Reading
from expertise.files.sav import read_sav
from expertise.files.text import read_bytes
from expertise.files.xlsx import read_xlsx
from expertise.words import Note, note


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableFile:
    """A table as it was read, and what is known about its file.

    Attributes
    ----------
    table
        One row per record: ids and text as str, numbers as int64 (whole, no
        gaps) or float64, dates as datetime64, missing cells as NaN or NaT.
    source
        File, sha256, kind, encoding, delimiter, decimal mark, sheet.
    where
        How rows are numbered in the file; `where.problem(column, positions,
        what)` names rows of `table` (from 0) as a person finds them.
    labels, value_labels
        Of SPSS variables: column to label, and column to value to label.
    missing
        Cells that are missing for a reason: row (from 0), column, value, reason.
    notes
        What the reader must know, each naming its rows.
    """

    table: pd.DataFrame
    source: Source
    where: Where
    labels: Mapping[str, str]
    value_labels: Mapping[str, Mapping[str, str]]
    missing: pd.DataFrame
    notes: tuple[Note, ...]

    def __repr__(self) -> str:
        rows, columns = self.table.shape
        return f"<{self.source.file}: {rows:,} rows, {columns:,} columns, {len(self.notes)} notes>"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """The options of `read_table`, under the same names."""

    columns: Mapping[str, Column] = field(default_factory=dict)
    ids: Sequence[str] = ()
    required: Sequence[str] = ()
    unique: Sequence[str] = ()
    missing: Sequence[str] = ()
    sheet: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    dates: str | None = None
    only: Sequence[str] = ()
    drop: Sequence[str] = ()
    allow: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.decimal not in (None, ".", ","):
            raise FileError(f"decimal is {self.decimal!r}; allowed are '.' and ','")
        if self.delimiter is not None and self.delimiter not in MARKS:
            names = ", ".join(map(repr, MARKS))
            raise FileError(f"delimiter is {self.delimiter!r}; allowed are {names}")


def read_table(
    path: str | Path,
    *,
    columns: Mapping[str, Column] | None = None,
    ids: Sequence[str] = (),
    required: Sequence[str] = (),
    unique: Sequence[str] = (),
    missing: Sequence[str] = (),
    sheet: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    dates: str | None = None,
    only: Sequence[str] = (),
    drop: Sequence[str] = (),
    allow: Sequence[str] = (),
) -> TableFile:
    r"""Read a table from a CSV, XLSX or SPSS file; what is in it decides, not its name.

    A column that is not declared becomes ids when its name says so (`id`,
    `deelnemer`, `participant` …), numbers or dates when every cell is one
    beyond doubt, and text otherwise, with a note where that may surprise.

    Parameters
    ----------
    path
        The file: separated text in UTF-8, UTF-16 with its mark or CP1252;
        .xlsx; .sav or .zsav.
    columns
        What columns must hold; each must be present.
    ids
        Columns that are ids: short for `columns={name: Column("id")}`.
    required
        Other columns that must be present.
    unique
        Columns that together must differ on every row.
    missing
        Values that stand for a missing one in every column but ids.
    sheet
        Sheet of a workbook; required when several hold something.
    delimiter, decimal
        Field separator and decimal mark of separated text, when not obvious.
    dates
        How dates are written, as in `datetime.strptime`, or `"excel"`.
    only
        Columns to read; nothing looks at the others.
    drop
        Columns to leave out, such as direct identifiers.
    allow
        Columns that look like direct identifiers but may be read.

    Returns
    -------
    TableFile

    Raises
    ------
    FileError
        The file cannot be read as a table.
    DataError
        A value is impossible or ambiguous; the first problem is named and the
        others counted (`check_table` lists them).
    PrivacyError
        A column holds direct identifiers.

    Examples
    --------
    >>> from expertise.files.safe import write_atomically
    >>> path = write_atomically(getfixture("tmp_path") / "scores.csv", "id;score\n007;12,5\n")
    >>> read_table(path).table.to_dict("records")
    [{'id': '007', 'score': 12.5}]
    """
    options = _Options(
        columns=columns or {}, ids=ids, required=required, unique=unique, missing=missing,
        sheet=sheet, delimiter=delimiter, decimal=decimal, dates=dates,
        only=only, drop=drop, allow=allow,
    )  # fmt: skip
    result, problems = _read(Path(path), options)
    if problems:
        more = len(problems) - 1
        also = f" (and {more} more problem{'s' * (more > 1)} in this file)" if more else ""
        raise problems[0].error(problems[0].message + also)
    return result


def check_table(path: str | Path, **options: Any) -> tuple[Problem, ...]:
    r"""Return every problem of a file at once, in the order of its columns.

    Parameters
    ----------
    path
        The file.
    **options
        Those of `read_table`.

    Returns
    -------
    tuple of Problem
        Empty when `read_table` reads the file.

    Examples
    --------
    >>> from expertise.files.safe import write_atomically
    >>> path = write_atomically(getfixture("tmp_path") / "scores.csv", "id;score\n;1\nP02;2\n")
    >>> [str(problem) for problem in check_table(path)]
    ["scores.csv, column 'id', line 2: the id is empty; give every row one"]
    """
    return scan_table(path, **options)[1]


def scan_table(path: str | Path, **options: Any) -> tuple[TableFile | None, tuple[Problem, ...]]:
    """Return a file as far as it can be read, and every problem of it.

    A column with a problem stays text. For checks that go on after the first
    problem; compute nothing from such a table.

    Parameters
    ----------
    path
        The file.
    **options
        Those of `read_table`.

    Returns
    -------
    (TableFile or None, tuple of Problem)
        None when it cannot be read as a table at all.
    """
    try:
        return _read(Path(path), _Options(**options))
    except ExpertiseError as error:
        return None, (Problem(file=Path(path).name, message=str(error), error=type(error)),)


def _read(path: Path, options: _Options) -> tuple[TableFile, tuple[Problem, ...]]:
    """Read a file as far as it goes; the table counts only when there are no problems."""
    whole = _grid(path, options)
    grid = _only(_without(whole, options.drop), options.only)
    wanted = (*options.ids, *options.required, *options.columns, *options.unique, *options.allow)
    problems = [*grid.problems, *_absent(whole, (*options.drop, *options.only))]
    problems += _absent(grid, wanted)
    problems += _identifiers(grid, options.allow)
    columns: dict[str, pd.Series[Any]] = {}
    readings: dict[str, Reading] = {}
    gone = [grid.missing]
    for name in grid.columns:
        readings[name], declared = _reading(grid, name, options)
        columns[name] = series(readings[name])
        gone.append(declared)
    marks = {name: reading.used_mark for name, reading in readings.items() if reading.used_mark}
    if set(marks.values()) == {"."}:  # then 1.234 elsewhere in the file is no thousand either
        for name in [name for name, reading in readings.items() if reading.ambiguous]:
            readings[name], _ = _reading(grid, name, replace(options, decimal="."))
            columns[name] = series(readings[name])
    problems += [problem for reading in readings.values() for problem in reading.problems]
    problems += _two_marks(grid, marks) + _repeated(grid, columns, options.unique)
    result = TableFile(
        table=pd.DataFrame(columns),
        source=replace(grid.source, decimal=next(iter(marks.values()), options.decimal)),
        where=grid.where,
        labels=grid.labels,
        value_labels=grid.value_labels,
        missing=pd.concat([part for part in gone if len(part)] or gone[:1], ignore_index=True),
        notes=grid.notes + tuple(note for one in readings.values() for note in one.notes),
    )
    return result, tuple(problems)


def _reading(grid: Grid, name: str, options: _Options) -> tuple[Reading, pd.DataFrame]:
    """Return a column ready to be read, and its cells that are declared missing."""
    rule = options.columns.get(name) or (Column("id") if name in options.ids else None)
    cells, codes = grid.columns[name], set(rule.missing if rule else ())
    if not (rule.kind == "id" if rule else named_as_id(name)):
        codes.update(options.missing)
    declared = [index for index, text in enumerate(cells.texts) if text and text in codes]
    gone = missing_table(
        (int(row), name, cells.texts[index], "declared missing")
        for index in declared
        for row in cells.positions([index])
    )
    reading = Reading(
        grid=grid,
        name=name,
        cells=cells.emptied(declared) if declared else cells,
        rule=rule,
        decimal=None if grid.native else options.decimal,
        form=options.dates,
    )
    return reading, gone


def _grid(path: Path, options: _Options) -> Grid:
    """Read the cells of a file; its first bytes tell what it is."""
    data = read_bytes(path)
    source = Source(file=path.name, sha256=sha256(data).hexdigest(), kind="csv")
    if data.startswith(b"PK"):
        return read_xlsx(data, source, options.sheet)
    if data.startswith((b"$FL2", b"$FL3")):
        return read_sav(path, source)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileError(f"{path.name} is an old or protected Excel file; save it as plain .xlsx")
    if path.suffix.casefold() in {".sav", ".zsav"}:
        raise FileError(f"{path.name}: damaged file (not an SPSS file); export it again")
    return read_delimited(data, source, options.delimiter)


def _without(grid: Grid, drop: Sequence[str]) -> Grid:
    """Leave columns out before anything looks at them."""
    kept = {name: cells for name, cells in grid.columns.items() if name not in drop}
    dropped = [name for name in grid.columns if name in drop]
    notes = (note("files.dropped", file=grid.source.file, columns=listed(dropped)),)
    return replace(grid, columns=kept, notes=grid.notes + notes * bool(dropped))


def _only(grid: Grid, names: Sequence[str]) -> Grid:
    kept = {name: cells for name, cells in grid.columns.items() if not names or name in names}
    return replace(grid, columns=kept)


def _absent(grid: Grid, wanted: Sequence[str]) -> list[Problem]:
    """Return the columns that were named and are not there."""
    if not grid.columns:
        return []
    file = grid.source.file
    return [
        Problem(
            file=file,
            message=f"{file}: has no column {name!r}{nearest(name, grid.columns)};"
            f" it has {listed(grid.columns)}",
            column=name,
        )
        for name in dict.fromkeys(wanted)
        if name not in grid.columns
    ]


def _identifiers(grid: Grid, allow: Sequence[str]) -> list[Problem]:
    """Return the columns that seem to hold direct identifiers."""
    found = {
        name: identifier(name, cells.texts)
        for name, cells in grid.columns.items()
        if name not in allow
    }
    return [
        grid.where.problem(
            name, (), f"seems to hold {what}; drop the column, or allow it by name", PrivacyError
        )
        for name, what in found.items()
        if what
    ]


def _two_marks(grid: Grid, marks: Mapping[str, str]) -> list[Problem]:
    """Refuse a file whose columns use different decimal marks: one of them misleads."""
    if len(set(marks.values())) < 2:
        return []
    comma = next(name for name, mark in marks.items() if mark == ",")
    point = next(name for name, mark in marks.items() if mark == ".")
    what = f"has decimal commas while column {point!r} has decimal points; declare decimal"
    return [grid.where.problem(comma, (), what)]


def _repeated(
    grid: Grid, columns: Mapping[str, "pd.Series[Any]"], unique: Sequence[str]
) -> list[Problem]:
    """Refuse rows that are the same where they must differ."""
    if not unique or not set(unique) <= set(columns):
        return []
    keys = pd.DataFrame({name: columns[name] for name in unique})
    twice = np.flatnonzero(keys.duplicated(keep=False))
    what = f"these rows are the same in {listed(unique)}; each combination may occur once"
    return [grid.where.problem(unique[0], twice, what)] * bool(len(twice))
