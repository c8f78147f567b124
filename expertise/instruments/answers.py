"""Answers from a table, wide or long, as keys and a matrix of item values."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from expertise.errors import DataError, listed
from expertise.instruments.schema import Instrument

Matrix = NDArray[np.float64]


def read_answers(
    table: pd.DataFrame, instrument: Instrument, items: Sequence[str] | None
) -> tuple[pd.DataFrame, Matrix]:
    """Return the key columns and the answers (questionnaires × used items).

    Answers outside the range, between two whole codes, or in words are
    refused with their row and column; codes for "unknown" become missing.
    """
    if items is None and {"item", "value"} <= set(table.columns):
        table = _widened(table, instrument)
    columns = _columns(table, instrument, items)
    if twice := [name for name in columns if list(table.columns).count(name) > 1]:
        raise DataError(f"column {twice[0]!r} stands in the table twice; rename one")
    used = [columns[item - 1] for item in instrument.used]
    values = _numeric(table, used)
    for code in instrument.unknown:
        values[values == code] = np.nan
    _check(values, table, instrument, used)
    taken = set(columns) if items else {c for c in table if _own(c, instrument)}
    return table.drop(columns=[c for c in table if c in taken]), values


def _own(column: object, instrument: Instrument) -> bool:
    head, _, tail = str(column).rpartition("_")
    return head == instrument.name and tail.isdigit()


def _columns(table: pd.DataFrame, instrument: Instrument, items: Sequence[str] | None) -> list[str]:
    if items is not None:
        if len(items) != instrument.count or len(set(items)) != len(items):
            raise DataError(
                f"{instrument.name} has {instrument.count} items; {len(set(items))} different "
                "columns were given; name one column an item, in the order of the form"
            )
        columns = list(items)
    else:
        columns = [f"{instrument.name}_{item}" for item in range(1, instrument.count + 1)]
        if extra := sorted(str(c) for c in table if _own(c, instrument) and c not in columns):
            raise DataError(
                f"{instrument.name} has {instrument.count} items; "
                f"the table also has {listed(extra)}"
            )
    if absent := [columns[item - 1] for item in instrument.used if columns[item - 1] not in table]:
        raise DataError(
            f"{instrument.name} needs {len(instrument.used)} item columns; {listed(absent)} "
            "not found; name the columns with items=[…], in the order of the form"
        )
    return columns


def _widened(table: pd.DataFrame, instrument: Instrument) -> pd.DataFrame:
    """Turn rows (…, item, value) into a row a questionnaire."""
    if "instrument" in table:
        have = table["instrument"].unique()
        table = table[table["instrument"] == instrument.name]
        if table.empty:
            raise DataError(
                f"no rows of {instrument.name} in column 'instrument'; it has {listed(have)}"
            )
    number = table["item"].astype(str).str.removeprefix(f"{instrument.name}_")
    number = pd.to_numeric(number, errors="coerce")
    outside = ~number.between(1, instrument.count) | (number % 1 != 0)
    if outside.any():
        raise DataError(
            f"row {table.index[outside.argmax()]}, column 'item': no item of {instrument.name}; "
            f"its items are 1 to {instrument.count}"
        )
    keys = [c for c in table if c not in ("item", "value", "instrument")]
    if not keys:
        raise DataError(
            "no column says whose questionnaire this is; "
            "give at least a column participant beside item and value"
        )
    named = table.assign(item=number.astype(int))
    if (twice := named.duplicated([*keys, "item"])).any():
        row = twice.argmax()
        raise DataError(
            f"item {named['item'].iloc[row]} of {instrument.name} is answered twice on one "
            f"questionnaire (row {table.index[row]}); keep one answer, or add a column wave"
        )
    groups = named.groupby(keys, sort=False, dropna=False)
    wide = groups.head(1)[keys].reset_index(drop=True)
    values = np.full((len(wide), instrument.count), np.nan)
    values[groups.ngroup().to_numpy(), named["item"].to_numpy() - 1] = _numeric(named, ["value"])[
        :, 0
    ]
    names = [f"{instrument.name}_{item}" for item in range(1, instrument.count + 1)]
    return wide.join(pd.DataFrame(values, columns=names))


def _numeric(table: pd.DataFrame, columns: list[str]) -> Matrix:
    """Return a fresh float matrix; words among the answers are refused, not guessed."""
    frame = table[columns]
    if all(pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes):
        plain: Matrix = frame.to_numpy(dtype=float, na_value=np.nan, copy=True)
        return plain
    values = np.empty(frame.shape)
    for j, column in enumerate(columns):
        read = pd.to_numeric(frame[column], errors="coerce")
        if (words := read.isna() & frame[column].notna()).any():
            raise DataError(
                f"row {table.index[words.argmax()]}, column {column!r}: the answer is no number; "
                "give the codes of the form, and leave a missing answer empty"
            )
        values[:, j] = read.to_numpy(dtype=float, na_value=np.nan)
    return values


def _check(values: Matrix, table: pd.DataFrame, instrument: Instrument, columns: list[str]) -> None:
    low, high = instrument.low, instrument.high
    bad = (values < low) | (values > high)
    if instrument.whole:
        bad |= (values != np.rint(values)) & ~np.isnan(values)
    if bad.any():
        row, column = np.unravel_index(int(bad.argmax()), bad.shape)
        codes = "".join(f", or {code:g} for unknown" for code in instrument.unknown)
        raise DataError(
            f"row {table.index[row]}, column {columns[column]!r}: {values[row, column]:g} is no "
            f"answer on {instrument.name}; allowed are {'whole numbers ' * instrument.whole}"
            f"{low:g} to {high:g}{codes}"
        )
