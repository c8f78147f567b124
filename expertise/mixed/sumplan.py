"""How the rows of a model are summed when they come in chunks: all is fixed beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from expertise.errors import DesignError, listed
from expertise.mixed.blocks import Blocks, Place
from expertise.mixed.columns import Array, Codes, Frame, read_columns, recode
from expertise.mixed.formula import Formula, parse_formula
from expertise.mixed.nodes import Call, Name, Node
from expertise.mixed.variables import Layout, Variable, make_layout, make_variable

_NOTHING = np.zeros(0, dtype=np.intp)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """The columns of X, of the grouping whose levels come as they come, and of the crossed ones."""

    formula: Formula
    levels: dict[str, tuple[Any, ...]]
    fixed: Layout
    inside: tuple[Layout, ...]
    people: tuple[str, ...]
    crossed: tuple[tuple[str, ...], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the table that is needed."""
        return self.formula.columns

    @property
    def sizes(self) -> tuple[int, ...]:
        """Levels of each crossed grouping."""
        return tuple(
            int(np.prod([len(self.levels[name]) for name in names])) for names in self.crossed
        )

    def crossed_codes(self, frame: Frame) -> list[Codes]:
        """Return per crossed grouping a code per row."""
        out = []
        for names in self.crossed:
            code = np.zeros(1, dtype=np.intp)
            for name in names:
                code = code * len(self.levels[name]) + recode(frame[name], self.levels[name])
            out.append(code)
        return out

    def keys(self, frame: Frame) -> pd.Index:
        """Return the key of each row's group."""
        values = []
        for name in self.people:
            column = frame[name]
            if column.numbers is not None:
                values.append(column.numbers)
            else:
                values.append(np.asarray(column.levels, dtype=object)[column.filled])
        return pd.Index(values[0]) if len(values) == 1 else pd.MultiIndex.from_arrays(values)

    def blocks(self, people: int) -> Blocks:
        """Return where the random coefficients stand, in the formula's order."""
        places, start, dense, sizes = [], 0, 0, iter(self.sizes)
        layouts = iter(self.inside)
        for bar in self.formula.random:
            if bar.group == self.people:
                q = len(next(layouts).names)
                places.append(_place(q, people, True, start, 1))
                start += q
            else:
                size = next(sizes)
                places.append(_place(1, size, False, dense, size))
                dense += size
        return Blocks(
            n_blocks=people, width=start, dense=dense, places=tuple(places), block=_NOTHING
        )


def _place(q: int, size: int, inside: bool, start: int, slots: int) -> Place:
    return Place(
        q=q, size=size, inside=inside, start=start, slots=slots, block=_NOTHING, slot=_NOTHING
    )


def make_plan(formula: str, levels: Mapping[str, Sequence[Any]] | None) -> Plan:
    """Fix the columns from the formula and the declared levels alone.

    Raises
    ------
    DesignError
        For poly and bs, whose columns depend on all rows; for more than one
        grouping without declared levels; for a crossed grouping with slopes.
    """
    parsed = parse_formula(formula)
    declared = {name: tuple(values) for name, values in (levels or {}).items()}
    if parsed.outcome is None or not parsed.terms or not parsed.random:
        raise DesignError(f"{formula!r} needs an outcome, a fixed part and a random term")
    if unknown := set(declared) - set(parsed.columns):
        raise DesignError(f"levels are declared of {listed(sorted(unknown))}, not in {formula!r}")
    open_groups = {bar.group for bar in parsed.random if not set(bar.group) <= set(declared)}
    if len(open_groups) != 1:
        raise DesignError(
            f"{formula!r} has {len(open_groups)} groupings without declared levels; declare the "
            "levels of all but one, the people, in levels="
        )
    people = open_groups.pop()
    crossed = [bar for bar in parsed.random if bar.group != people]
    for bar in crossed:
        if bar.terms != ((),):
            raise DesignError(
                f"sums of {bar} are not kept: a crossed grouping has (1 | group) only"
            )
    nodes = [node for term in parsed.terms for node in term]
    nodes += [node for bar in parsed.random for term in bar.terms for node in term]
    variables = {node: _variable(node, declared) for node in nodes}
    return Plan(
        formula=parsed,
        levels=declared,
        fixed=make_layout(parsed.terms, variables),
        inside=tuple(
            make_layout(bar.terms, variables) for bar in parsed.random if bar.group == people
        ),
        people=people,
        crossed=tuple(bar.group for bar in crossed),
    )


def _variable(node: Node, levels: Mapping[str, tuple[Any, ...]]) -> Variable:
    match node:
        case Name(column) if column in levels:
            return Variable(node=node, column=column, levels=levels[column])
        case Call("poly" | "bs"):
            raise DesignError(
                f"{node} depends on all rows at once, so it cannot be summed in chunks; "
                "use I(x ** 2), or fit the whole table"
            )
        case Call("C"):
            raise DesignError(
                f"write the column of {node} itself and declare its levels in levels="
            )
    return Variable(node=node, column=str(node))


def read_chunk(plan: Plan, chunk: pd.DataFrame) -> tuple[Frame, int, int]:
    """Read a chunk: its complete rows, how many they are, how many were left out."""
    whole = read_columns(chunk, plan.columns)
    for name, column in whole.items():
        declared = name in plan.levels or name in plan.people
        if column.numbers is None and not declared:
            raise DesignError(
                f"{name!r} holds categories; declare its levels beforehand in levels="
            )
    missing = np.logical_or.reduce([column.missing for column in whole.values()])
    rows = np.flatnonzero(~missing)
    frame = {name: column.take(rows) for name, column in whole.items()}
    return frame, len(rows), int(missing.sum())


def outcome_of(plan: Plan, frame: Frame) -> Array:
    """Return y, shape (n,)."""
    node = plan.formula.outcome
    assert node is not None
    return make_variable(node, frame).matrix(frame, full=True)[:, 0]
