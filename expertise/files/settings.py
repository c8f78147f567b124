"""Reads a TOML tree into frozen dataclasses and names every fault at once."""

import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from expertise.errors import FileError, listed, nearest

T = TypeVar("T")
WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def load_toml(path: Path) -> dict[str, Any]:
    """Return the tree of a TOML file; a fault names file, line and column."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        raise FileError(f"{path.name} is not in {path.parent.name}/; put it there") from None
    except UnicodeDecodeError as fault:
        raise FileError(
            f"{path.name} is not UTF-8 (byte {fault.start}); save it as UTF-8"
        ) from None
    except tomllib.TOMLDecodeError as fault:
        raise FileError(f"{path.name} is not valid TOML: {fault}; mend that line") from None


def read_settings(
    kind: type[T], tree: dict[str, Any], where: str = ""
) -> tuple[T | None, list[str]]:
    """Read a tree into dataclass `kind`.

    Parameters
    ----------
    kind : type
        A dataclass of str, int, float, bool, Literal, tuple[X, ...],
        dict[str, X], X | None and other such dataclasses.
    tree : dict
        What tomllib read.
    where : str
        Dotted path of the tree, for the sentences.

    Returns
    -------
    (object or None, list of str)
        The object, or None with one sentence a fault: unknown key with the
        nearest name, missing key, wrong type.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Wave:
    ...     id: str
    ...     months: float = 0.0
    >>> read_settings(Wave, {"id": "T1", "month": 3}, "waves.1")[1]
    ["waves.1: unknown key 'month' (did you mean 'months'?); allowed are id, months"]
    """
    faults: list[str] = []
    return _object(kind, tree, where, faults), faults


def _object(kind: Any, tree: Any, where: str, faults: list[str]) -> Any:
    known = {field.name: field for field in fields(kind)}
    start = len(faults)
    faults += [
        f"{where or 'top level'}: unknown key {key!r}{nearest(key, known)}; "
        f"allowed are {listed(known, most=30)}"
        for key in tree
        if key not in known
    ]
    types = get_type_hints(kind)
    values: dict[str, Any] = {}
    for name, field in known.items():
        path = f"{where}.{name}".lstrip(".")
        if name in tree:
            values[name] = _value(types[name], tree[name], path, faults)
        elif field.default is MISSING and field.default_factory is MISSING:
            faults.append(f"{path}: this key is missing; write {_named(types[name])}")
    return kind(**values) if len(faults) == start else None


def _value(kind: Any, value: Any, where: str, faults: list[str]) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        kind = next(option for option in inner if option is not NoneType)
        return _value(kind, value, where, faults)
    if origin is Literal:
        if value not in inner:
            faults.append(
                f"{where}: {value!r} is not allowed{nearest(str(value), map(str, inner))}; "
                f"write {listed(map(repr, inner))}"
            )
        return value
    if origin is tuple and isinstance(value, list):
        return tuple(
            _value(inner[0], item, f"{where}.{place}", faults)
            for place, item in enumerate(value, 1)
        )
    if origin is dict and isinstance(value, dict):
        return {
            key: _value(inner[1], item, f"{where}.{key}", faults) for key, item in value.items()
        }
    if is_dataclass(kind) and isinstance(value, dict):
        return _object(kind, value, where, faults)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind in WORDS and type(value) is kind:
        return value
    faults.append(f"{where}: {_shown(value)} has the wrong type; write {_named(kind)}")
    return None


def _named(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _named(next(option for option in inner if option is not NoneType))
    if origin is Literal:
        return listed(map(repr, inner))
    if origin is tuple:
        return f"a list, each {_named(inner[0])}"
    if origin is dict or is_dataclass(kind):
        return "a table"
    return WORDS[kind]


def _shown(value: Any) -> str:
    return "a table" if isinstance(value, dict) else repr(value)


def leaves(tree: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of a tree under its dotted path."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, f"{where}.{key}".lstrip("."))
    elif isinstance(tree, list):
        for place, value in enumerate(tree, 1):
            yield from leaves(value, f"{where}.{place}".lstrip("."))
    else:
        yield where, tree
