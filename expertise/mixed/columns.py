"""Reads the columns of a table that a model names: numbers, or categories with their codes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from expertise.errors import DataError, DesignError, listed, nearest

Array = NDArray[np.float64]
Codes = NDArray[np.intp]
LARGEST = 1e70


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """One column as read: numbers, or codes into levels (-1 where missing)."""

    name: str
    index: pd.Index
    numbers: Array | None
    codes: Codes | None = None
    levels: tuple[Any, ...] = ()
    ordered: bool = False

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Shape (n,): where there is no value."""
        return np.isnan(self.numbers) if self.numbers is not None else self.filled < 0

    @property
    def filled(self) -> Codes:
        """The codes of a factor."""
        assert self.codes is not None
        return self.codes

    def take(self, rows: NDArray[Any]) -> "Column":
        """Return these rows only."""
        return replace(
            self,
            index=self.index[rows],
            numbers=None if self.numbers is None else self.numbers[rows],
            codes=None if self.codes is None else self.codes[rows],
        )

    def as_factor(self) -> "Column":
        """Return numbers as levels in rising order; a factor stays as it is."""
        if self.numbers is None:
            return self
        codes, levels = _ranked(self.numbers)
        return replace(self, numbers=None, codes=codes, levels=tuple(map(plain, levels.tolist())))

    def seen(self) -> "Column":
        """Return a factor with only the levels that its rows hold."""
        found = np.flatnonzero(np.bincount(self.filled[self.filled >= 0], minlength=1))
        if self.numbers is not None or len(found) == len(self.levels):
            return self
        to = np.full(len(self.levels) + 1, -1)
        to[found] = np.arange(len(found))
        levels = tuple(self.levels[at] for at in found)
        return replace(self, codes=to[self.filled], levels=levels)


Frame = Mapping[str, Column]


def plain(level: Any) -> Any:
    """Return 3 for 3.0; other levels unchanged."""
    return int(level) if isinstance(level, float) and level.is_integer() else level


def _ranked(numbers: Array) -> tuple[Codes, Array]:
    """Return a code per number, -1 where missing, and the distinct numbers in rising order.

    Whole numbers that lie close together, as those of people do, are counted
    rather than hashed.
    """
    low = numbers.min(initial=np.inf)
    if not numbers.max(initial=-np.inf) - low < 2 * len(numbers) or (numbers % 1).any():
        codes, levels = pd.factorize(numbers, sort=True)
        return codes, levels
    at = (numbers - low).astype(np.intp)
    seen = np.bincount(at) > 0
    return (seen.cumsum() - 1)[at], seen.nonzero()[0] + low


def read_columns(data: pd.DataFrame, names: Iterable[str]) -> dict[str, Column]:
    """Read the named columns; strings and truth values become factors in sorted order.

    Raises
    ------
    DesignError
        For a column that is not there, or that is no number and no category.
    DataError
        For a column that mixes numbers and text, or holds an infinite value.
    """
    if not isinstance(data, pd.DataFrame):
        raise DesignError(f"the data are a {type(data).__name__}; a pandas DataFrame is needed")
    return {name: _read(data, name) for name in dict.fromkeys(names)}


def _read(data: pd.DataFrame, name: str) -> Column:
    try:
        series = data[name]
    except KeyError:
        if name in map(str, data.columns):
            raise DesignError(
                f"the name of column {name} is no text; rename it, such as to '_{name}'"
            ) from None
        raise DesignError(
            f"the formula names {name!r}, which is no column of the table"
            f"{nearest(name, data.columns)}; it has {listed(data.columns)}"
        ) from None
    if isinstance(series, pd.DataFrame):
        raise DesignError(f"the table has {series.shape[1]} columns named {name!r}; rename them")
    kind = series.dtype
    numbers = codes = None
    levels: tuple[Any, ...] = ()
    ordered = False
    if isinstance(kind, np.dtype) and kind.kind in "fiu":
        numbers = series.to_numpy().astype(np.float64)
    elif isinstance(kind, pd.CategoricalDtype):
        ordered = bool(kind.ordered)
        codes, levels = series.cat.codes.to_numpy(np.intp), tuple(series.cat.categories)
    elif pd.api.types.is_bool_dtype(kind):
        codes, found = pd.factorize(series, sort=True)
        levels = tuple(bool(level) for level in found)
    elif pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind):
        numbers = series.to_numpy(np.float64, na_value=np.nan)
    elif pd.api.types.is_object_dtype(kind) or isinstance(kind, pd.StringDtype):
        if series.dropna().map(lambda value: isinstance(value, str)).all():
            codes, found = pd.factorize(series, sort=True)
            levels = tuple(found)
        else:
            numbers = _numbers_among_objects(series, name)
    else:
        raise DesignError(
            f"column {name!r} holds {kind} values; give numbers or categories "
            "(a date as days or months since the start)"
        )
    if numbers is not None:
        check_finite(numbers, name, data.index)
    return Column(
        name=name, index=data.index, numbers=numbers, codes=codes, levels=levels, ordered=ordered
    )


def _numbers_among_objects(series: pd.Series, name: str) -> Array:
    if series.map(lambda value: isinstance(value, str)).any():
        raise DataError(
            f"column {name!r} mixes text and numbers; make it all numbers or all categories"
        )
    try:
        values: Array = pd.to_numeric(series).to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise DataError(f"column {name!r} holds neither numbers nor categories") from None
    return values


def check_finite(values: Array, name: str, index: pd.Index) -> None:
    """Refuse values that are infinite or whose fourth powers nearly are, naming column and row."""
    beyond = abs(values) > LARGEST
    if beyond.any():
        at = int(beyond.argmax())
        what = "infinite" if np.isinf(values[at]) else f"{values[at]:g}"
        raise DataError(
            f"{name!r} is {what} in row {index[at]}; give a finite value up to {LARGEST:g}, or "
            "leave the cell empty"
        )


def recode(column: Column, levels: Sequence[Any], unseen: bool = False) -> Codes:
    """Return codes into `levels`; a level outside them is -1 where `unseen`, else an error."""
    factor = column.as_factor()
    place = {level: at for at, level in enumerate(levels)}
    to = np.array([place.get(level, -1) for level in factor.levels] + [-1])
    codes: Codes = to[factor.filled]
    if not unseen and (codes < 0).any():
        at = int((codes < 0).argmax())
        value = factor.levels[factor.filled[at]] if factor.filled[at] >= 0 else "a missing value"
        raise DataError(
            f"{column.name!r} is {value!r} in row {column.index[at]}; "
            f"the model knows {listed(levels)}"
        )
    return codes
