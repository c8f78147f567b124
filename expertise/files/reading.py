"""One column while it is read: what it must hold, what it holds, what is wrong with it."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from expertise.errors import DataError, listed, nearest
from expertise.files import numbers
from expertise.files.grid import Cells, Grid, Problem, some
from expertise.words import Note, note

Kind = Literal["id", "number", "integer", "date", "category", "text"]
NULLS = {"na", "n/a", "#n/a", "nan", "null", "none", "nil", "nvt", "n.v.t.", "-", ".", "?"}
_HARMLESS = re.compile(r"[-+0-9.,:/eE ~<>=?]{1,20}|[^\W\d_]{1,20}")


@dataclass(frozen=True, slots=True)
class Column:
    """What a column must hold.

    Parameters
    ----------
    kind
        `"id"`: text exactly as written, never empty; `"number"`; `"integer"`;
        `"date"`; `"category"`; `"text"`.
    minimum, maximum
        Bounds of a number, both allowed themselves.
    values
        The values a category may have; a mapping also renames them
        (`{"1": "patient", "2": "naaste"}`).
    missing
        Values that stand for a missing one; which they were is kept in the result.
    form
        How dates are written, as in `datetime.strptime` (`"%d-%m-%Y"`), or
        `"excel"` for serial numbers; ISO dates when absent.

    Raises
    ------
    DataError
        The kind is unknown, or the minimum above the maximum.
    """

    kind: Kind
    _: KW_ONLY
    minimum: float | None = None
    maximum: float | None = None
    values: Mapping[str, str] | Sequence[str] = ()
    missing: Sequence[str] = ()
    form: str | None = None

    def __post_init__(self) -> None:
        kinds = get_args(Kind)
        if self.kind not in kinds:
            raise DataError(
                f"unknown kind of column {self.kind!r}{nearest(self.kind, kinds)};"
                f" allowed are {listed(kinds)}"
            )
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise DataError(
                f"minimum {self.minimum:g} is above maximum {self.maximum:g}; swap them"
            )


@dataclass(slots=True, kw_only=True)
class Reading:
    """A column of a grid while it is read; problems and notes gather here."""

    grid: Grid
    name: str
    cells: Cells
    rule: Column | None = None
    decimal: str | None = None
    form: str | None = None
    problems: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    used_mark: str | None = None
    ambiguous: bool = False

    plain: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.decimal != "," and (self.rule is None or self.rule.kind in {"number", "integer"}):
            self.plain = numbers.plain_values(self.cells.texts)

    @property
    def texts(self) -> tuple[str, ...]:
        """The distinct texts, an empty one among them where a cell is empty."""
        return self.cells.texts

    @property
    def filled(self) -> list[str]:
        """The distinct texts that are not empty."""
        return [text for text in self.cells.texts if text]

    @property
    def needs_comma_declared(self) -> bool:
        """Whether a decimal comma would be a guess: the comma separates fields too."""
        return self.decimal is None and self.grid.source.delimiter == ","

    def empty_blanks(self) -> None:
        """Treat cells with nothing but white space as empty."""
        blank = self.where(str.isspace)
        self.cells = self.cells.emptied(blank) if blank else self.cells

    def where(self, judge: Callable[[str], object]) -> list[int]:
        """Return which distinct, filled texts a judge finds true."""
        return [index for index, text in enumerate(self.texts) if text and judge(text)]

    def is_number(self, text: str) -> bool:
        """Tell whether a text is a number in this file, under any mark that is possible."""
        if self.grid.native:
            return numbers.reads(text, ".", grouped=False)
        return any(numbers.reads(text, mark) for mark in self.decimal or ".,")

    def verdict(self, texts: Sequence[str]) -> numbers.Verdict:
        """Return the decimal mark of texts, or why there is none."""
        if self.grid.native or self.decimal:
            mark: numbers.Verdict = "," if self.decimal == "," else "."
            return mark if all(map(self.is_number, texts)) else "text"
        return numbers.convention(texts)

    def refuse(self, which: Iterable[int], what: str) -> None:
        """Add a problem for the rows that hold some of the distinct texts."""
        self.problems.append(self.grid.where.problem(self.name, self.cells.positions(which), what))

    def remark(self, key: str, which: Iterable[int]) -> None:
        """Add a note that names the rows."""
        where = self.grid.where
        rows = some(where.rows[self.cells.positions(which)].tolist())
        self.notes.append(note(f"files.{key}", file=where.file, column=self.name, rows=rows))

    def quoted(self, which: Sequence[int]) -> str:
        """Return short values that tell nothing about a person; others stay out of sentences."""
        texts = [self.texts[index] for index in which]
        fine = all(map(_HARMLESS.fullmatch, texts))
        return f" ({listed(map(repr, texts), most=4)})" if fine else ""

    def spread(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a value for every row from one for every distinct text."""
        return np.asarray(values[self.cells.codes])
