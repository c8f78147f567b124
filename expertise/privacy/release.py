"""Tables that may leave the house: few people, whole groups and differences stay inside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from expertise.errors import DataError, PrivacyError, listed, nearest
from expertise.privacy.cells import hide_small
from expertise.privacy.register import Register, read_register
from expertise.privacy.suppress import LEAST
from expertise.result import table_html
from expertise.words import Note, note, say

STATISTICS = ("mean", "sd", "share")
PERSONAL = ("min", "max", "minimum", "maximum", "median", "range", "quantile", "first", "last")
TOTAL = "total"


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePlan:
    """A table to release.

    Attributes
    ----------
    name : str
        What it is called.
    by : tuple of str
        One or two columns that split people into groups; everyone is in one.
    within : tuple of str
        Columns over which people return, such as wave; each combination is a
        table of its own.
    value : str
        Column that is summarised; without it people are counted.
    statistics : tuple of str
        Out of mean, sd, share (of rows where the value is true or 1).
    merge : tuple of str
        Columns out of `by` whose small groups are put together before
        anything is blanked.
    """

    name: str
    by: tuple[str, ...]
    within: tuple[str, ...] = ()
    value: str = ""
    statistics: tuple[str, ...] = ()
    merge: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Released:
    """Tables fit to leave the house.

    Attributes
    ----------
    tables : dict of DataFrame
        By name: the keys, `n_people` and the statistics; what is hidden is missing.
    report : DataFrame
        A row a table: cells, how many are hidden because few people are in
        them (`small`), because others could be computed from them
        (`complement`), because a whole group is alike (`group`), and how many
        groups were put together (`merged`).
    notes : tuple of Note
        What a reader of the tables must know.
    """

    tables: Mapping[str, pd.DataFrame]
    report: pd.DataFrame
    notes: tuple[Note, ...]

    def __repr__(self) -> str:
        return "\n".join([self.report.to_string(index=False), *(f"- {one}" for one in self.notes)])

    def _repr_html_(self) -> str:
        return table_html(self.report)


def release_tables(
    rows: pd.DataFrame,
    plans: Sequence[TablePlan],
    *,
    person: str = "participant",
    minimum: int = 10,
    register: str | Path | None = None,
    key: bytes | None = None,
) -> Released:
    """Make tables that show no small group, and none that a difference would show.

    Distinct people are counted, not rows. Small groups of the columns in
    `merge` are first put together. A cell of fewer than `minimum` people is
    hidden, and the cells from which it could be computed. A share of 0 or 100 %,
    or with few people on either side, is hidden. Totals stand in the tables,
    under ``"total"``.

    Parameters
    ----------
    rows : DataFrame
        A row an answer (or a person), with the columns that the plans name.
    plans : sequence of TablePlan
        The tables.
    person : str
        Column that says who; one person may stand in many rows.
    minimum : int
        The smallest number of people that may be shown, 5 or more.
    register : path, optional
        File with earlier releases; each new cell is compared with each
        earlier one of the same measure. All or nothing is added to it.
    key : bytes, optional
        Secret under which the register keeps who was in a cell; needed with
        `register`.

    Returns
    -------
    Released

    Raises
    ------
    PrivacyError
        `minimum` is below 5; a statistic is about one person (min, max,
        median …); two releases differ by fewer people than the minimum.
    DataError
        A column is missing, or a person stands in two groups of one table.

    Notes
    -----
    Not protected: what a reader knows from elsewhere, and differences between
    combinations of three or more releases.

    Examples
    --------
    >>> rows = pd.DataFrame({"participant": range(60), "team": ["a"] * 30 + ["b"] * 21 + ["c"] * 9})
    >>> released = release_tables(rows, [TablePlan(name="teams", by=("team",))])
    >>> released.tables["teams"]["n_people"].tolist()
    [30, <NA>, <NA>, 60]
    """
    if minimum < LEAST:
        raise PrivacyError(f"minimum is {minimum}; a released count is of {LEAST} people or more")
    known = read_register(register, key)
    tables: dict[str, pd.DataFrame] = {}
    report: list[dict[str, Any]] = []
    for plan in plans:
        _check(rows, plan, person)
        table, counted = _table(rows, plan, person, minimum, known)
        tables[plan.name] = table
        report.append({"table": plan.name, **counted})
    known.save()
    hidden = any(row["small"] + row["complement"] + row["group"] for row in report)
    notes = (note("privacy.hidden", minimum=minimum),) if hidden else ()
    return Released(tables=tables, report=pd.DataFrame(report), notes=notes)


def _check(rows: pd.DataFrame, plan: TablePlan, person: str) -> None:
    where = f"table {plan.name!r}"
    if not 1 <= len(plan.by) <= 2:
        raise DataError(f"{where} has {len(plan.by)} columns in by; give one or two")
    for name in (person, *plan.by, *plan.within, *([plan.value] if plan.value else [])):
        if name not in rows:
            raise DataError(
                f"{where}: the rows have no column {name!r}{nearest(name, rows)}; "
                f"they have {listed(rows.columns)}"
            )
    for name in plan.statistics:
        if name in PERSONAL:
            raise PrivacyError(
                f"{where}: {name!r} can be the score of one person and is never released; "
                f"allowed are {listed(STATISTICS)}"
            )
        if name not in STATISTICS:
            raise DataError(
                f"{where}: unknown statistic {name!r}; allowed are {listed(STATISTICS)}"
            )
    if plan.statistics and not plan.value:
        raise DataError(f"{where} has statistics and no value; name the column that they summarise")


def _table(
    rows: pd.DataFrame, plan: TablePlan, person: str, minimum: int, known: Register
) -> tuple[pd.DataFrame, dict[str, int]]:
    here = rows.dropna(subset=[plan.value] if plan.value else [])
    here = here.dropna(subset=[*plan.by, *plan.within])
    here = here.assign(**{name: here[name].astype(str) for name in (*plan.by, *plan.within)})
    here, merged = _merged(here, plan, person, minimum)
    parts, counted = [], {"cells": 0, "small": 0, "complement": 0, "group": 0, "merged": merged}
    families = here.groupby(list(plan.within), sort=False) if plan.within else [((), here)]
    for where, family in families:
        _one_group_each(family, plan, person)
        part = _family(family, plan, person, minimum, counted, known, tuple(map(str, where)))
        for name, level in zip(plan.within, where, strict=True):
            part.insert(plan.within.index(name), name, level)
        parts.append(part)
    return pd.concat(parts, ignore_index=True), counted


def _merged(
    rows: pd.DataFrame, plan: TablePlan, person: str, minimum: int
) -> tuple[pd.DataFrame, int]:
    """Put small groups of a column together, with the next smallest when they stay small."""
    out, merged = rows, 0
    for name in plan.merge:
        # A group must be large enough in every cell in which it is shown.
        keys = [*plan.within, *(one for one in plan.by if one != name), name]
        every = out.groupby(keys)[person].nunique()
        sizes = every.unstack(fill_value=0).min() if len(keys) > 1 else every
        sizes = sizes.sort_values(kind="stable")
        small = list(sizes.index[sizes < minimum])
        if not small or len(sizes) < 2:
            continue
        rest = [level for level in sizes.index if level not in small]
        while rest and (sizes[small].sum() < minimum or len(small) < 2):
            small.append(rest.pop(0))
        out = out.assign(**{name: out[name].where(~out[name].isin(small), say("privacy.other"))})
        merged += len(small)
    return out, merged


def _one_group_each(family: pd.DataFrame, plan: TablePlan, person: str) -> None:
    groups = family.drop_duplicates([person, *plan.by])
    if (twice := groups[person].duplicated()).any():
        raise DataError(
            f"table {plan.name!r}: {int(twice.sum())} people stand in more than one group of "
            f"{listed(plan.by)}; put the column over which they return in within"
        )


def _family(
    family: pd.DataFrame,
    plan: TablePlan,
    person: str,
    minimum: int,
    counted: dict[str, int],
    known: Register,
    where: tuple[str, ...],
) -> pd.DataFrame:
    """Return the cells of one table with totals, hidden where needed."""
    levels = [[*sorted(family[name].unique()), TOTAL] for name in plan.by]
    cells = {labels: _in_cell(family, plan.by, labels) for labels in product(*levels)}
    people = {labels: frozenset(cell[person]) for labels, cell in cells.items()}
    counts = np.array([len(one) for one in people.values()]).reshape([len(one) for one in levels])
    hidden = dict(zip(cells, hide_small(counts, minimum).ravel().tolist(), strict=True))
    rows = []
    for labels, cell in cells.items():
        n, hide = len(people[labels]), hidden[labels]
        counted["cells"] += 1
        counted["small" if n < minimum else "complement"] += hide
        row: dict[str, Any] = dict(zip(plan.by, labels, strict=True))
        row["n_people"] = pd.NA if hide else n
        for name in plan.statistics:
            value, alike = (
                (np.nan, False) if hide else _statistic(cell, plan, name, person, minimum)
            )
            counted["group"] += alike
            row[name] = value
        if not hide:
            known.add(plan.name, (plan.value, *where), labels, people[labels], minimum)
        rows.append(row)
    return pd.DataFrame(rows).astype({"n_people": "Int64"})


def _in_cell(family: pd.DataFrame, by: tuple[str, ...], labels: tuple[str, ...]) -> pd.DataFrame:
    for name, level in zip(by, labels, strict=True):
        if level != TOTAL:
            family = family[family[name] == level]
    return family


def _statistic(
    cell: pd.DataFrame, plan: TablePlan, name: str, person: str, minimum: int
) -> tuple[float, bool]:
    """Return a statistic, and whether it is hidden because a group is (nearly) alike."""
    values = cell[plan.value].astype(float)
    if name == "share":
        if not values.isin([0.0, 1.0]).all():
            raise DataError(f"table {plan.name!r}: a share needs values 0 and 1 in {plan.value!r}")
        sides = [cell.loc[values == side, person].nunique() for side in (0.0, 1.0)]
        return (np.nan, True) if min(sides) < minimum else (float(values.mean()), False)
    if values.nunique() == 1:  # all alike: the mean is everyone's score
        return np.nan, True
    return float(values.mean() if name == "mean" else values.std()), False
