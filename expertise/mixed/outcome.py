"""Reads the outcome of a model: numbers, two answers, counts or ordered categories."""

from typing import Any

import numpy as np

from expertise.errors import DataError, DesignError, listed
from expertise.mixed.columns import LARGEST, Array, Column, Frame, plain
from expertise.mixed.nodes import Name, Node
from expertise.mixed.variables import Variable
from expertise.words import Note, note

FAMILIES = ("gaussian", "binomial", "poisson", "negative-binomial", "cumulative")


def read_outcome(
    node: Node, frame: Frame, family: str, trials: Array | None
) -> tuple[Array, tuple[Any, ...], list[Note]]:
    """Return y (n,), the levels of a categorical outcome, and notes.

    Two answers become 0 and 1 (the second level is the event); ordered
    categories become 0, 1, 2, …; counts and numbers stay as they are.
    """
    if trials is not None and family != "binomial":
        raise DesignError(f"trials= is for the family binomial, not for {family}")
    column = frame[node.column] if isinstance(node, Name) else None
    if column is not None and (column.numbers is None or family == "cumulative"):
        return _categories(column, family)
    y = np.array(Variable(node=node, column=str(node)).matrix(frame, full=True)[:, 0])
    name, index = str(node), next(iter(frame.values())).index
    if family in ("poisson", "negative-binomial") or trials is not None:
        _refuse(y < 0, "is negative", name, index, y, "a count is 0 or more")
        _refuse(y % 1 != 0, "is no whole number", name, index, y, "a count is 0, 1, 2, …")
    if trials is not None:
        _refuse(y > trials, "is more than its trials", name, index, y, "it counts successes")
    elif family == "binomial":
        _refuse(
            (y != 0) & (y != 1), "is neither 0 nor 1", name, index, y,
            "give 0 and 1, or counts of successes with trials=",
        )  # fmt: skip
    elif family == "cumulative":
        raise DesignError(f"ordered categories come from a column, not from {node}")
    return y, (), []


def check_varies(y: Array, name: str, levels: tuple[Any, ...]) -> None:
    """Refuse an outcome without variation."""
    if np.ptp(y) == 0:
        value = levels[0] if levels else plain(float(y[0]))
        raise DesignError(
            f"the outcome {name!r} is {value} in all {len(y)} rows: there is no variation to model"
        )
    if np.ptp(y) < 1 / LARGEST:
        raise DesignError(
            f"the outcome {name!r} differs by {np.ptp(y):.3g} at most, too little to compute with; "
            "give it in a smaller unit"
        )


def _categories(column: Column, family: str) -> tuple[Array, tuple[Any, ...], list[Note]]:
    if family not in ("binomial", "cumulative"):
        raise DesignError(
            f"the outcome {column.name!r} is a category; the family {family} needs numbers"
        )
    if family == "cumulative" and column.numbers is None and not column.ordered:
        raise DesignError(
            f"the categories of {column.name!r} have no order; make it an ordered categorical "
            "or whole numbers"
        )
    if column.numbers is not None:
        _refuse(
            column.numbers % 1 != 0, "is no whole number", column.name, column.index,
            column.numbers, "ordered categories are whole numbers or an ordered categorical",
        )  # fmt: skip
    factor = column.as_factor().seen()
    levels, codes = factor.levels, factor.codes
    assert codes is not None
    if family == "binomial" and len(levels) > 2:
        raise DesignError(
            f"the outcome {column.name!r} has {len(levels)} categories ({listed(levels)}); "
            "the family binomial needs two"
        )
    notes = []
    if column.numbers is None and (never := [v for v in column.levels if v not in levels]):
        notes.append(note("mixed.unused_levels", column=column.name, levels=listed(never)))
    if family == "binomial" and len(levels) == 2:
        notes.append(note("mixed.event", outcome=column.name, level=levels[1]))
    return codes.astype(np.float64), levels, notes


def _refuse(wrong: Any, what: str, name: str, index: Any, y: Array, allowed: str) -> None:
    if np.any(wrong):
        at = int(np.argmax(wrong))
        raise DataError(
            f"the outcome {name!r} {what} in row {index[at]} ({plain(float(y[at]))}); {allowed}"
        )
