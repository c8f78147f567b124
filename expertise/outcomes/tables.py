"""What every room here asks of a table: its columns, its numbers, its pairs of waves."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from expertise.errors import DataError, listed, nearest

Vector = NDArray[np.float64]


def need_columns(table: pd.DataFrame, columns: Iterable[str]) -> None:
    """Refuse a table without rows, or with a column that is absent or stands twice."""
    if table.empty:
        raise DataError("the table has no rows; look at what was filtered out before")
    for name in columns:
        if name not in table:
            raise DataError(
                f"no column {name!r}{nearest(name, map(str, table.columns))}; "
                f"the table has {listed(table.columns)}"
            )
        if list(table.columns).count(name) > 1:
            raise DataError(f"column {name!r} stands in the table twice; rename one")


def need_keys(table: pd.DataFrame, columns: Iterable[str]) -> None:
    """Refuse columns that say who, when or which, where one is empty: a row would be lost."""
    columns = [name for name in columns if name]
    need_columns(table, columns)
    for name in columns:
        if (empty := table[name].isna().to_numpy()).any():
            raise DataError(
                f"row {table.index[empty.argmax()]}, column {name!r}: empty; "
                "fill it in or leave the row out knowingly"
            )


def need_level(conf_level: float) -> None:
    """Refuse a confidence level that is none."""
    if not 0 < conf_level < 1:
        raise DataError(f"conf_level is {conf_level:g}; it lies between 0 and 1, such as 0.95")


def need_time(table: pd.DataFrame, time: str) -> None:
    """Refuse rows that are not one a period, in time."""
    need_keys(table, [time])
    when = table[time]
    wrong = when.duplicated() | (when < when.shift())
    if wrong.any():
        raise DataError(
            f"row {table.index[wrong.to_numpy().argmax()]}, column {time!r}: repeated or "
            "earlier than the row before; give one row a period, in time"
        )


def from_then(when: pd.Series, start: object) -> NDArray[np.bool_]:
    """Return which times are `start` or later; refuse a start of another kind."""
    try:
        return np.asarray(when >= start, dtype=bool)
    except TypeError:
        raise DataError(
            f"{start!r} cannot be compared with column {when.name!r}, which holds values such as "
            f"{when.iloc[0]}; give the same kind"
        ) from None


def numbers(table: pd.DataFrame, column: str, *, missing: bool = True) -> Vector:
    """Return a column as floats; words and infinite values are refused with their row."""
    need_columns(table, [column])
    read = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    empty = table[column].isna().to_numpy()
    bad = (np.isnan(read) & ~empty) | np.isinf(read)
    if not missing:
        bad |= empty
    if bad.any():
        raise DataError(
            f"row {table.index[bad.argmax()]}, column {column!r}: not a finite number; "
            f"give numbers{'' if not missing else ', and leave a missing value empty'}"
        )
    out: Vector = read
    return out


def before_after(
    table: pd.DataFrame, waves: tuple[object, object], person: str, score: str
) -> pd.DataFrame:
    """Return person, before and after from a long table, missing where a wave is missing.

    Everyone with a row at either wave is kept, so that those who were
    measured once can be counted.
    """
    need_keys(table, [person, "wave"])
    first, last = waves
    have = table["wave"].unique()
    for wave in waves:
        if wave not in have:
            raise DataError(f"no wave {wave!r} in the table; it has {listed(have)}")
    _in_order(table, first, last)
    parts = []
    for wave in waves:
        rows = table[table["wave"] == wave]
        if (twice := rows[person].duplicated()).any():
            raise DataError(
                f"row {rows.index[twice.to_numpy().argmax()]}: a second score of one person at "
                f"wave {wave!r}; keep one row a person and wave, of one perspective and one scale"
            )
        parts.append(pd.Series(numbers(rows, score), index=pd.Index(rows[person], name=person)))
    return pd.concat(dict(zip(("before", "after"), parts, strict=True)), axis=1).reset_index()


def _in_order(table: pd.DataFrame, first: object, last: object) -> None:
    """Refuse waves that run backwards, as far as the table can tell."""
    wave = table["wave"]
    if "months" in table:
        when = table.groupby("wave", observed=True)["months"]
        wrong = bool(when.max()[first] >= when.min()[last])
    elif isinstance(wave.dtype, pd.CategoricalDtype) and wave.cat.ordered:
        order = list(wave.cat.categories)
        wrong = order.index(first) >= order.index(last)
    elif pd.api.types.is_numeric_dtype(wave) or pd.api.types.is_datetime64_any_dtype(wave):
        wrong = bool(first >= last)  # type: ignore[operator]
    else:
        wrong = first == last
    if wrong:
        raise DataError(
            f"wave {last!r} does not come after wave {first!r}; give waves=(first, last) in time"
        )


def slot_of(perspective: object) -> int | None:
    """Return the colour slot of a perspective; others take neutral grey."""
    slots = {"patient": 1, "naaste": 2, "professional": 3}
    return slots.get(str(perspective).casefold())
