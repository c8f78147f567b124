"""Reference grids: every combination of levels, numbers at their mean."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from expertise.errors import DesignError, listed, nearest
from expertise.mixed.columns import Array, plain
from expertise.mixed.design import Design
from expertise.mixed.nodes import columns_of
from expertise.mixed.variables import Layout


def reference_grid(
    design: Design,
    over: Sequence[str] = (),
    at: Mapping[str, Any] | None = None,
    beside: Layout | None = None,
) -> pd.DataFrame:
    """Return every combination of the fixed part's columns.

    Factors take all levels; numbers the values in `at`, both values where
    there are two, and else their mean over the rows used (as emmeans does).

    Parameters
    ----------
    design : Design
    over : sequence of str
        Columns that are asked for by name; a number among them needs
        values in `at`. They come first and vary slowest.
    at : mapping of str to a value or a list, optional
    beside : Layout, optional
        Terms outside the fixed part whose columns are needed too.

    Raises
    ------
    DesignError
        For a column that is not among these, and for a number in
        `over` without values.
    """
    given = {} if at is None else {name: _as_list(value) for name, value in at.items()}
    layouts = [design.layout, *([] if beside is None else [beside])]
    known = tuple(dict.fromkeys(name for layout in layouts for name in layout.columns))
    for name in (*over, *given):
        _refuse_unknown(design, name, known)
    ordered = dict.fromkeys((*over, *known))
    values = [given.get(name) or _typical(design, layouts, name, name in over) for name in ordered]
    cells = list(product(*values))
    return pd.DataFrame(cells, columns=list(ordered), index=range(len(cells)))


def _refuse_unknown(design: Design, name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise DesignError(
            f"{name!r} is not in the fixed part of {design.formula.text!r}"
            f"{nearest(name, known)}; it has {listed(known) or 'no columns'}"
        )


def levels_of(design: Design, name: str) -> list[Any] | None:
    """Return the levels of a column that the fixed part treats as a factor, else None."""
    return _levels([design.layout], name)


def _levels(layouts: Sequence[Layout], name: str) -> list[Any] | None:
    for variable in (v for layout in layouts for parts in layout.variables for v, _ in parts):
        if variable.levels and name in columns_of(variable.node):
            return list(variable.levels)
    return None


def numbers_of(design: Design, name: str) -> Array:
    """Return the values of a numeric column over the rows used.

    Raises
    ------
    DesignError
        For a column that is not there, and where the model was fitted to
        sums, which keep no rows.
    """
    column = design.frame.get(name)
    if column is None:
        _refuse_unknown(design, name, design.layout.columns)
    if column is None or column.numbers is None or not len(column.numbers):
        raise DesignError(
            f"the range of {name!r} needs the rows, and these are sums; give its values in at="
        )
    return column.numbers


def _typical(design: Design, layouts: Sequence[Layout], name: str, asked: bool) -> list[Any]:
    if (levels := _levels(layouts, name)) is not None:
        return levels
    numbers = numbers_of(design, name)
    distinct = np.unique(numbers)
    if len(distinct) <= 2:
        return [plain(float(value)) for value in distinct]
    if asked:
        raise DesignError(f"{name!r} is a number; give its values, such as at={{{name!r}: [0, 1]}}")
    return [float(numbers.mean())]


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, str) or not np.iterable(value):
        return [value]
    return list(value)
