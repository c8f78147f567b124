"""How each variable of a formula becomes columns of a model, the same way for new data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import BSpline

from expertise.errors import DataError, DesignError, FormulaError, listed
from expertise.mixed.columns import Array, Codes, Frame, recode
from expertise.mixed.nodes import Call, Name, Node, Number, Operation, Term, Text, columns_of

_STATEFUL = ("poly", "bs")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Variable:
    """How one variable becomes columns, fixed when the model is made.

    `levels` are those of a factor, the reference first coded away; `state`
    holds the fitted constants of poly (centre, scale, coefficients) and bs (knots).
    """

    node: Node
    column: str
    levels: tuple[Any, ...] = ()
    reference: int = 0
    state: tuple[Array, ...] = ()

    def names(self, full: bool) -> list[str]:
        """Name the columns; `full` keeps the reference level."""
        if self.levels:
            return [f"{self.column}{self.levels[at]}" for at in self._kept(full)]
        if self.state:
            return [f"{self.node}{k + 1}" for k in range(self.state[-1].shape[1])]
        return [str(self.node)]

    def matrix(self, frame: Frame, full: bool) -> Array:
        """Return the columns, shape (n, number of names)."""
        if self.levels:
            return np.eye(len(self.levels))[:, self._kept(full)][self.codes(frame)]
        if not isinstance(self.node, Call) or self.node.function not in _STATEFUL:
            return _numeric(self.node, frame)[:, None]
        x = _numeric(self.node.arguments[0], frame)
        if self.node.function == "poly":
            centre_scale, coefficients = self.state
            powers = np.vander((x - centre_scale[0]) / centre_scale[1], len(coefficients), True)
            return powers @ coefficients
        knots, identity = self.state
        degree = len(knots) - len(identity) - 1
        return np.asarray(BSpline(knots, identity, degree, extrapolate=True)(x))

    def codes(self, frame: Frame) -> Codes:
        """Return codes into the levels as fitted.

        Raises
        ------
        DataError
            For a level that the model has not seen, naming column and row.
        """
        return recode(frame[self.column], self.levels)

    def _kept(self, full: bool) -> list[int]:
        return [at for at in range(len(self.levels)) if full or at != self.reference]


def _numeric(node: Node, frame: Frame) -> Array:
    """Compute a numeric node over columns; only + - * / ** and log are known."""
    match node:
        case Name(column):
            numbers = frame[column].numbers
            if numbers is None:
                raise DesignError(f"{column!r} is a category where a number is needed")
            return numbers
        case Number(value):
            return np.array([float(value)])
        case Call("I", (inner,), ()):
            return _whole(_numeric(inner, frame), frame)
        case Call("log", (inner,), ()):
            with np.errstate(all="ignore"):
                return _whole(np.log(_numeric(inner, frame)), frame, node)
        case Operation(sign, left, right):
            a, b = _numeric(left, frame), _numeric(right, frame)
            with np.errstate(all="ignore"):
                match sign:
                    case "+":
                        out = a + b
                    case "-":
                        out = a - b
                    case "*":
                        out = a * b
                    case "/":
                        out = a / b
                    case "**":
                        out = a**b
                    case _:
                        raise FormulaError(f"{sign!r} has no meaning inside I( ), in {node}")
            return _whole(out, frame, node)
    raise FormulaError(f"{node} is not arithmetic on columns")


def _whole(values: Array, frame: Frame, node: Node | None = None) -> Array:
    """Spread a constant over the rows, and refuse what arithmetic could not compute."""
    column = next(iter(frame.values()))
    values = np.broadcast_to(values, len(column.index))
    if node is not None and not np.isfinite(values).all():
        row = column.index[int((~np.isfinite(values)).argmax())]
        raise DataError(f"{node} is not a finite number in row {row}")
    return values


def make_variable(node: Node, frame: Frame) -> Variable:
    """Fix how a node becomes columns, from the complete rows of the table."""
    match node:
        case Name(column) if frame[column].numbers is None:
            return Variable(node=node, column=column, levels=frame[column].levels)
        case Call("C", (Name(column),), options):
            levels = frame[column].as_factor().levels
            return Variable(
                node=node, column=column, levels=levels, reference=_reference(node, levels, options)
            )
        case Call("poly" | "bs"):
            return _stateful(node, frame)
        case Call("C"):
            raise FormulaError(f'{node} is not C(column) or C(column, ref="level")')
        case Name() | Call("I" | "log"):
            _numeric(node, frame)
            return Variable(node=node, column=str(node))
    raise FormulaError(f"{node} cannot be a variable of a model")


def _reference(node: Node, levels: tuple[Any, ...], options: tuple[tuple[str, Node], ...]) -> int:
    match options:
        case ():
            return 0
        case (("ref", Text(wanted)),) | (("ref", Number() as wanted),):
            labels = [str(level) for level in levels]
            if str(wanted) in labels:
                return labels.index(str(wanted))
            raise DesignError(
                f"the reference level {wanted} is not there; {node} has {listed(levels)}"
            )
    raise FormulaError(f'{node} is not C(column) or C(column, ref="level")')


def _stateful(node: Call, frame: Frame) -> Variable:
    numbers: dict[str, Any] = {"degree": 1 if node.function == "poly" else 3}
    places = ("x", "degree") if node.function == "poly" else ("x", "df", "degree")
    given = [*zip(places[1:], node.arguments[1:], strict=False), *node.options]
    for name, value in given:
        if name not in places[1:] or not isinstance(value, Number) or value.value % 1:
            raise FormulaError(
                f"{node} is not {node.function}({', '.join(places)}) in whole numbers"
            )
        numbers[name] = int(value.value)
    if not 1 <= len(node.arguments) <= len(places):
        raise FormulaError(f"{node} is not {node.function}({', '.join(places)})")
    x, degree = _numeric(node.arguments[0], frame), numbers["degree"]
    distinct = len(np.unique(x))
    inner = numbers.get("df", degree) - degree
    if degree < 1 or inner < 0 or distinct <= degree + inner:
        raise DesignError(
            f"{node} asks for more than its {distinct} distinct values can carry, or for a "
            "degree below 1 or a df below the degree"
        )
    state = _poly(x, degree) if node.function == "poly" else _spline(x, degree, inner)
    return Variable(node=node, column=str(node), state=state)


def _poly(x: Array, degree: int) -> tuple[Array, ...]:
    """Orthonormal polynomials as R's poly: unit columns, positive leading coefficient."""
    centre_scale = np.array([x.mean(), np.ptp(x)])
    powers = np.vander((x - centre_scale[0]) / centre_scale[1], degree + 1, increasing=True)
    root = np.linalg.qr(powers, mode="r")
    inverse = np.linalg.inv(root * np.sign(np.diag(root))[:, None])
    return centre_scale, inverse[:, 1:]


def _spline(x: Array, degree: int, inner: int) -> tuple[Array, ...]:
    """B-splines as R's bs: inner knots at quantiles, the first column left out."""
    middle = np.quantile(x, np.linspace(0, 1, inner + 2)[1:-1])
    knots = np.concatenate([np.repeat(x.min(), degree + 1), middle, np.repeat(x.max(), degree + 1)])
    return knots, np.eye(inner + degree + 1)[:, 1:]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """The columns of a set of terms: their names, the term of each, and how to fill them."""

    terms: tuple[Term, ...]
    variables: tuple[tuple[tuple[Variable, bool], ...], ...]
    names: tuple[str, ...]
    assign: tuple[int, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table that the terms need."""
        nodes = [variable.node for parts in self.variables for variable, _ in parts]
        return tuple(dict.fromkeys(name for node in nodes for name in columns_of(node)))

    def matrix(self, frame: Frame, n: int) -> Array:
        """Return the matrix, shape (n, number of names), columns in Fortran order."""
        out = np.empty((n, len(self.names)), order="F")
        at = 0
        for parts in self.variables:
            block: Array = np.ones((n, 1))
            for variable, full in parts:
                new = variable.matrix(frame, full)
                block = (new[:, :, None] * block[:, None, :]).reshape(n, -1)
            out[:, at : at + block.shape[1]] = block
            at += block.shape[1]
        return out


def make_layout(terms: tuple[Term, ...], variables: Mapping[Node, Variable]) -> Layout:
    """Decide per term which factors keep all levels, by R's rule of marginality.

    A factor is coded by its levels but the reference where the term without
    it is in the model; without an intercept the first factor keeps all.
    """
    present: set[frozenset[Node]] = {frozenset(term) for term in terms} | {frozenset()}
    open_first = () not in terms
    coded: list[tuple[tuple[Variable, bool], ...]] = []
    names: list[str] = []
    assign: list[int] = []
    for at, term in enumerate(terms):
        parts = []
        for node in term:
            variable = variables[node]
            full = bool(variable.levels) and frozenset(term) - {node} not in present
            if open_first and len(term) == 1 and variable.levels:
                full, open_first = True, False
            parts.append((variable, full))
        labels = [""]
        for variable, full in parts:
            new = variable.names(full)
            labels = [f"{old}:{label}" if old else label for label in new for old in labels]
        names += labels if parts else ["(Intercept)"]
        assign += [at] * len(labels)
        coded.append(tuple(parts))
    return Layout(terms=terms, variables=tuple(coded), names=tuple(names), assign=tuple(assign))
