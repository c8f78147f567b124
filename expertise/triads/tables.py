"""Checks the long tables that the other modules take, and turns them wide."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from expertise.errors import DataError, DesignError, listed, nearest

Array = NDArray[np.float64]


def check_level(conf_level: float) -> None:
    """Refuse a confidence level that is none."""
    if not 0 < conf_level < 1:
        raise DesignError(f"conf_level is {conf_level}; it lies between 0 and 1, such as 0.95")


def long_rows(table: pd.DataFrame, keys: Sequence[str], value: str) -> pd.DataFrame:
    """Return the rows with a value, after checking names, ids, numbers and duplicates.

    Raises
    ------
    DataError
        For a column that is missing, an id that is missing or differs from another in
        case only, a value that is no finite number, two rows with the same keys.
    DesignError
        For values that are all the same, or none at all.
    """
    for name in (*keys, value):
        if name not in table.columns:
            raise DataError(
                f"the table has no column {name!r}{nearest(name, map(str, table.columns))}; "
                f"it has {listed(table.columns)}"
            )
    rows = table.loc[:, list(dict.fromkeys([*keys, value]))].reset_index(drop=True)
    if not pd.api.types.is_numeric_dtype(rows[value]):
        raise DataError(f"column {value!r} holds {rows[value].dtype}; values must be numbers")
    rows[value] = rows[value].astype(float)
    if np.isinf(rows[value]).any():
        row = int(np.isinf(rows[value]).to_numpy().argmax())
        raise DataError(f"column {value!r} is infinite in row {row}; values must be finite")
    rows = rows.dropna(subset=[value])
    for name in keys:
        check_ids(rows[name])
    twice = rows.duplicated(subset=list(keys), keep=False).to_numpy()
    if twice.any():
        first, second = rows.index[twice][0], rows.index[rows.duplicated(subset=list(keys))][0]
        raise DataError(
            f"rows {first} and {second} hold the same {' × '.join(map(repr, keys))}; "
            "one row each is allowed: average or remove the others"
        )
    if rows.empty:
        raise DesignError(f"column {value!r} holds no values; nothing can be compared")
    if rows[value].nunique() == 1:
        raise DesignError(f"all values of {value!r} are the same; agreement needs variation")
    return rows


def check_ids(column: "pd.Series[Any]") -> None:
    """Refuse ids that are missing, or that differ only in case or in spaces around them."""
    if column.isna().any():
        row = column.index[int(column.isna().to_numpy().argmax())]
        raise DataError(f"column {column.name!r} is missing in row {row}; every row needs it")
    names = pd.Series(column.unique())
    folded = names.astype(str).str.strip().str.casefold()
    if folded.duplicated().any():
        many = int(folded.duplicated().sum())
        raise DataError(
            f"column {column.name!r} has {many} ids that differ from another only in case, "
            "spaces or type (such as 'P1' and 'p1'); write each id in one way"
        )


def two_or_more(found: Sequence[Any], column: str) -> None:
    """Refuse a comparison with one perspective only."""
    if len(found) < 2:
        raise DesignError(
            f"column {column!r} holds one perspective only ({listed(found)}); "
            "two or more are needed"
        )


def levels(column: "pd.Series[Any]") -> list[Any]:
    """Return the levels in the column's own order: declared, else sorted."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        seen = set(column.unique())
        return [level for level in column.cat.categories if level in seen]
    return sorted(column.unique(), key=lambda level: (str(type(level)), level))


def wide_ratings(table: pd.DataFrame, person: str, rater: str, value: str) -> pd.DataFrame:
    """Return a row a person and a column a rater, missing where someone did not answer.

    Raises
    ------
    DesignError
        For one rater only, or where no one was rated twice.
    """
    rows = long_rows(table, (person, rater), value)
    names = levels(rows[rater])
    two_or_more(names, rater)
    wide = rows.astype({person: object, rater: object}).pivot(
        index=person, columns=rater, values=value
    )[names]
    if (wide.notna().sum(axis=1) < 2).all():
        raise DesignError(
            f"nobody in {person!r} has a second informant in {rater!r}; "
            "agreement needs people seen by two or more"
        )
    return wide


def pair_of(wide: pd.DataFrame, pair: Sequence[Any], rater: str) -> Array:
    """Return the answers of two perspectives, complete pairs only, shape (n, 2)."""
    if len(pair) != 2 or pair[0] == pair[1]:
        raise DesignError(f"a pair is two different perspectives, not {tuple(pair)!r}")
    for role in pair:
        if role not in wide.columns:
            raise DataError(
                f"column {rater!r} has no perspective {role!r}"
                f"{nearest(str(role), map(str, wide.columns))}; it has {listed(wide.columns)}"
            )
    both: Array = wide[list(pair)].dropna().to_numpy(dtype=np.float64)
    return both
