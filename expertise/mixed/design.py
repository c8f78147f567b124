"""Builds the matrices of a mixed model from a formula and a table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from expertise.errors import DataError, DesignError, listed
from expertise.mixed.columns import (
    Array,
    Codes,
    Column,
    Frame,
    check_finite,
    read_columns,
)
from expertise.mixed.formula import Formula, parse_formula
from expertise.mixed.groups import RandomTerm, make_random
from expertise.mixed.identified import check_identified
from expertise.mixed.nodes import Call, Name
from expertise.mixed.outcome import FAMILIES, check_varies, read_outcome
from expertise.mixed.variables import Layout, Variable, make_layout, make_variable
from expertise.words import Note, note


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Design:
    """Everything a fit needs, and what it takes to build the same columns for new data.

    y (n,), X (n, p) with `names`; `weights`, `offset` and `trials` (n,) or
    None; `rows` are the positions of the complete rows in the table and
    `index` their labels; `total` counts all rows; `outcome_levels` names the
    categories of a binary or ordered outcome.
    """

    formula: Formula
    family: str
    y: Array
    X: Array
    layout: Layout
    random: tuple[RandomTerm, ...]
    frame: dict[str, Column]
    rows: NDArray[np.intp]
    total: int
    weights: Array | None
    offset: Array | None
    trials: Array | None
    outcome_levels: tuple[Any, ...]
    notes: tuple[Note, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the p fixed coefficients, as R writes them (`treatmentBtheB`)."""
        return self.layout.names

    @property
    def outcome(self) -> str:
        """The outcome as the formula writes it."""
        return str(self.formula.outcome)

    @property
    def index(self) -> pd.Index:
        """Labels of the rows used."""
        return next(iter(self.frame.values())).index

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables of the fixed part, each once."""
        every = [v for parts in self.layout.variables for v, _ in parts]
        return tuple({variable.node: variable for variable in every}.values())

    @property
    def references(self) -> dict[str, Any]:
        """The reference level of each factor in the fixed part."""
        return {v.column: v.levels[v.reference] for v in self.variables if v.levels}

    @property
    def factors(self) -> dict[str, tuple[Any, ...]]:
        """The levels of each factor in the fixed part."""
        return {v.column: v.levels for v in self.variables if v.levels}

    @property
    def n_people(self) -> int:
        """Levels of the finest grouping; the rows where there is none."""
        return max((term.size for term in self.random), default=len(self.y))

    def fixed_matrix(self, data: pd.DataFrame) -> Array:
        """Return X for new data, shape (rows, p), categories and splines as fitted."""
        frame = read_columns(data, self.layout.columns)
        _refuse_missing(frame)
        return self.layout.matrix(frame, len(data))

    def random_matrix(self, term: RandomTerm, data: pd.DataFrame) -> tuple[Array, Codes]:
        """Return Z and codes of one random term for new data; -1 codes a new group."""
        frame = read_columns(data, (*term.layout.columns, *term.grouping.columns))
        _refuse_missing({name: frame[name] for name in term.layout.columns})
        return term.layout.matrix(frame, len(data)), term.grouping.codes(frame)


def _refuse_missing(frame: Frame) -> None:
    for name, column in frame.items():
        if column.missing.any():
            row = column.index[int(column.missing.argmax())]
            raise DataError(f"{name!r} is missing in row {row}; a prediction needs its value")


def build_design(
    formula: str | Formula,
    data: pd.DataFrame,
    *,
    family: str = "gaussian",
    weights: str | ArrayLike | None = None,
    offset: str | ArrayLike | None = None,
    trials: str | ArrayLike | None = None,
    extra: Sequence[str] = (),
) -> Design:
    """Build y, X and Z from the complete rows of a table.

    Strings become factors in sorted order, categoricals keep theirs. Rows
    with a missing value in any column of the model are left out, counted
    and named in `notes`. The table is not changed.

    Parameters
    ----------
    formula : str
        See `parse_formula`.
    data : DataFrame
        One row per observation.
    family : {"gaussian", "binomial", "poisson", "negative-binomial", "cumulative"}
    weights, offset, trials : str or array (n,), optional
        A column of the table, or a value for each of its rows.
    extra : sequence of str
        Further columns that must be complete, kept in `frame`.

    Raises
    ------
    FormulaError, DesignError, DataError
        In one sentence: what cannot be read, fitted or computed, and where.

    Examples
    --------
    >>> table = pd.DataFrame({"y": [1.0, 2, 4, 3, 5, 7], "g": list("aabbcc"), "t": [0, 1] * 3})
    >>> design = build_design("y ~ t + (1 | g)", table)
    >>> design.names, design.random[0].levels
    (('(Intercept)', 't'), ('a', 'b', 'c'))
    """
    if family not in FAMILIES:
        raise DesignError(f"unknown family {family!r}; allowed are {listed(FAMILIES)}")
    parsed = formula if isinstance(formula, Formula) else parse_formula(formula)
    if parsed.outcome is None:
        raise DesignError(f"the formula {parsed.text!r} has no outcome to the left of ~")
    if not parsed.terms:
        raise DesignError(f"the formula {parsed.text!r} has no fixed part; keep at least 1")
    whole = read_columns(data, (*parsed.columns, *extra))
    vectors = {"weights": weights, "offset": offset, "trials": trials}
    whole |= {f"\0{name}": _vector(name, value, data) for name, value in vectors.items()
              if value is not None}  # fmt: skip
    rows, notes = _complete(whole)
    whole_rows = len(rows) == len(data)
    frame = {name: c if whole_rows else c.take(rows) for name, c in whole.items()}
    notes += _settle_factors(parsed, whole, frame)
    n = len(rows)
    given = {name: frame.pop(f"\0{name}").numbers if f"\0{name}" in frame else None
             for name in vectors}  # fmt: skip
    y, outcome_levels, more = read_outcome(parsed.outcome, frame, family, given["trials"])
    nodes = [*parsed.terms, *(term for bar in parsed.random for term in bar.terms)]
    variables = {node: make_variable(node, frame) for term in nodes for node in term}
    layout = make_layout(parsed.terms, variables)
    random = tuple(make_random(bar, variables, frame, n) for bar in parsed.random)
    X = layout.matrix(frame, n)
    design = Design(
        formula=parsed, family=family, y=y, X=X, layout=layout, random=random, frame=frame,
        rows=rows, total=len(data), outcome_levels=outcome_levels, notes=(), **given,
    )  # fmt: skip
    check_varies(y, str(parsed.outcome), outcome_levels)
    check_identified(family, X, layout.names, random, given["trials"], y)
    return replace(design, notes=(*notes, *more, *_remarks(design)))


def _vector(name: str, value: str | ArrayLike, data: pd.DataFrame) -> Column:
    if isinstance(value, str):
        column = read_columns(data, [value])[value]
    else:
        if isinstance(value, pd.Series) and not value.index.equals(data.index):
            raise DesignError(
                f"{name} are a series whose row labels are not those of the table; "
                "give a column of the table, or an array in its order"
            )
        try:
            numbers = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise DesignError(f"{name} are numbers, or the name of a column") from None
        if numbers.shape != (len(data),):
            raise DesignError(
                f"{name} have shape {numbers.shape}; give one number per row, {len(data)} in all"
            )
        check_finite(numbers, name, data.index)
        column = Column(name=name, index=data.index, numbers=numbers)
    if column.numbers is None:
        raise DesignError(f"{name} are numbers; column {value!r} holds categories")
    numbers = column.numbers
    bad = {"weights": numbers <= 0, "trials": (numbers < 1) | (numbers % 1 != 0)}.get(name)
    if bad is not None and bad.any():
        allowed = "weights are above 0" if name == "weights" else "trials are whole numbers from 1"
        at = int(bad.argmax())
        raise DataError(f"{column.name!r} is {numbers[at]:g} in row {data.index[at]}; {allowed}")
    return column


def _complete(frame: Frame) -> tuple[NDArray[np.intp], list[Note]]:
    missing = {column.name: column.missing for column in frame.values()}
    gone = np.logical_or.reduce(list(missing.values()))
    if not len(gone):
        raise DesignError("the table has no rows; a model needs some")
    if not gone.any():
        return np.arange(len(gone)), []
    if gone.all():
        raise DesignError(f"none of the {len(gone)} rows is complete in {listed(missing)}")
    per_column = [f"{name} ({mask.sum()})" for name, mask in missing.items() if mask.any()]
    return np.flatnonzero(~gone), [
        note("mixed.dropped", n=int(gone.sum()), total=len(gone), columns=listed(per_column))
    ]


def _settle_factors(formula: Formula, whole: Frame, frame: dict[str, Column]) -> list[Note]:
    """Keep the levels that have rows; refuse a level that lost all of them to missing values."""
    notes = []
    nodes = [node for term in formula.terms for node in term]
    nodes += [node for bar in formula.random for term in bar.terms for node in term]
    for node in dict.fromkeys(nodes):
        match node:
            case Name(name) if whole[name].numbers is None:
                pass
            case Call("C", (Name(name), *_), _):
                pass
            case _:
                continue
        before, after = whole[name].as_factor().seen(), frame[name].as_factor().seen()
        if lost := [level for level in before.levels if level not in after.levels]:
            raise DesignError(
                f"level {listed(lost)} of {name!r} has no complete row, so it has no outcomes; "
                "leave it out of the table, or fill it"
            )
        if never := [v for v in whole[name].levels if v not in before.levels]:
            notes.append(note("mixed.unused_levels", column=name, levels=listed(never)))
        if len(after.levels) < 2:
            raise DesignError(
                f"the factor {name!r} has one level, {listed(after.levels)}; "
                "leave it out of the formula"
            )
        if whole[name].numbers is None:
            frame[name] = after
    return notes


def _remarks(design: Design) -> list[Note]:
    """Say what a reader must know: reference levels, few groups, a level held up by one group."""
    notes = []
    if references := design.references:
        pairs = [f"{column} = {level}" for column, level in references.items()]
        notes.append(note("mixed.reference", levels=listed(pairs)))
    for term in design.random:
        if term.size < 5:
            notes.append(note("mixed.few_groups", group=term.group, n=term.size))
    if not design.random:
        return notes
    people = max(design.random, key=lambda term: term.size)
    for variable in (v for v in design.variables if v.levels):
        cell = variable.codes(design.frame) * people.size + people.codes
        seen = np.bincount(cell, minlength=len(variable.levels) * people.size) > 0
        held = seen.reshape(len(variable.levels), -1).sum(axis=1)
        alone = [v for v, count in zip(variable.levels, held, strict=True) if count == 1]
        if alone:
            notes.append(
                note("mixed.one_group", levels=listed(alone), column=variable.column,
                     group=people.group)
            )  # fmt: skip
    return notes
