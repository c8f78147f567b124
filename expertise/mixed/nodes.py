"""The small tree that a formula becomes."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Name:
    """A column of the table."""

    column: str

    def __str__(self) -> str:
        return self.column


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written."""

    value: float

    def __str__(self) -> str:
        return f"{self.value:g}"


@dataclass(frozen=True, slots=True)
class Text:
    """A word in quotes, such as the reference level in C(x, ref="a")."""

    value: str

    def __str__(self) -> str:
        return f'"{self.value}"'


@dataclass(frozen=True, slots=True)
class Call:
    """One of the allowed functions with its arguments and named options."""

    function: str
    arguments: tuple["Node", ...]
    options: tuple[tuple[str, "Node"], ...] = ()

    def __str__(self) -> str:
        parts = [str(part) for part in self.arguments]
        parts += [f"{name}={value}" for name, value in self.options]
        return f"{self.function}({', '.join(parts)})"


@dataclass(frozen=True, slots=True)
class Operation:
    """Two sides and the sign between them; a sign before a single side has 0 to its left."""

    sign: str
    left: "Node"
    right: "Node"

    def __str__(self) -> str:
        left, right = (
            f"({side})" if isinstance(side, Operation) else str(side)
            for side in (self.left, self.right)
        )
        return f"{left} {self.sign} {right}"


Node = Name | Number | Text | Call | Operation
Term = tuple[Node, ...]


def columns_of(node: Node) -> Iterator[str]:
    """Yield the columns that a node names."""
    match node:
        case Name(column):
            yield column
        case Call(_, arguments, _):
            for part in arguments:
                yield from columns_of(part)
        case Operation(_, left, right):
            yield from columns_of(left)
            yield from columns_of(right)
