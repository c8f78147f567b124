"""What an instrument file may say: read once, checked whole, frozen.

A file is data: numbers of items, their range, which are reversed, how scales
are made, what may be missing, what a change must exceed and who said so.
Item texts stay with their owners; only a form of our own carries its words.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from expertise.errors import FileError, listed, nearest

SCHEMA = 1
RULES = ("sum", "mean", "percent", "count", "top", "decrements")
Words = Mapping[str, str]

# Allowed keys and their types, table by table; a star marks what must be there.
FILE = {
    "schema*": int, "name*": str, "title*": str, "measures*": dict, "answered_by*": list,
    "recall": dict, "licence*": str, "may_show_items*": bool, "owner*": str, "source*": str,
    "coding": dict, "items*": dict, "missing": dict, "scales*": dict, "kinds": list,
    "refused": dict,
}  # fmt: skip
ITEMS = {
    "count*": int, "low*": (int, float), "high*": (int, float), "whole": bool,
    "reversed": list, "unknown": list, "labels": dict,
}  # fmt: skip
MISSING = {"at_most": int, "source": str, "unverified": str}
SCALE = {
    "rule*": str, "better*": str, "items": list, "size": int, "least": (int, float),
    "constant": float, "decrements": list, "from": list, "above": list, "classes": dict,
    "caseness": (int, float), "change": dict,
}  # fmt: skip
CHANGE = {"threshold": (int, float), "reliability": float, "source*": str, "unverified": bool}
KIND = {"id*": str, "label*": dict, "need": list}
NEED = {"items*": list, "least*": int, "from": (int, float), "up_to": (int, float)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A total or a subscale: its items, its rule, its direction and its classes.

    `items` is empty where the owner's key is not shipped; `size` then says how
    many items the key must name.
    """

    name: str
    items: tuple[int, ...]
    size: int
    rule: str
    better: str
    least: float = 0.0
    constant: float = 0.0
    decrements: tuple[tuple[float, ...], ...] = ()
    cuts: tuple[float, ...] = ()
    above: bool = False
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    caseness: float | None = None
    change: Mapping[str, Any] = field(default_factory=dict)

    @property
    def imputable(self) -> bool:
        """Whether a missing answer can be replaced by the person's own mean."""
        return self.rule not in ("top", "decrements")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A class of persons, given by how many items reach a level: `id`, `label`, `need`."""

    id: str
    label: Words
    need: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A questionnaire without its texts: what scoring and reporting need to know."""

    name: str
    title: str
    measures: Words
    answered_by: tuple[str, ...]
    recall: Words
    licence: str
    may_show_items: bool
    owner: str
    source: str
    coding: Words
    count: int
    low: float
    high: float
    whole: bool
    reversed: tuple[int, ...]
    unknown: tuple[float, ...]
    labels: Mapping[str, tuple[str, ...]]
    missing: Mapping[str, Any]
    scales: tuple[Scale, ...]
    kinds: tuple[Kind, ...]
    refused: Mapping[str, Words]

    @property
    def used(self) -> tuple[int, ...]:
        """Numbers of the items that some scale or kind uses, in order."""
        scored = {item for scale in self.scales for item in scale.items}
        kinds = {item for kind in self.kinds for need in kind.need for item in need["items"]}
        return tuple(sorted(scored | kinds))

    def scale(self, name: str) -> Scale:
        """Return a scale by its name."""
        return next(scale for scale in self.scales if scale.name == name)


def read_instrument(path: Path) -> Instrument:
    """Read and check one instrument file; the error names the file, the key and what is allowed."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise FileError(
            f"no instrument file at {path.name}; give the path of a .toml file"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{path.name} is not TOML: {error}") from None
    return parse_instrument(raw, path.name)


def parse_instrument(raw: Mapping[str, Any], where: str) -> Instrument:
    """Turn the content of an instrument file into an `Instrument`."""
    _check(raw, FILE, where)
    if raw["schema"] != SCHEMA:
        raise FileError(f"{where}: schema is {raw['schema']}; this version reads schema {SCHEMA}")
    items, missing = raw["items"], raw.get("missing", {})
    _check(items, ITEMS, f"{where}, items")
    _check(missing, MISSING, f"{where}, missing")
    count = items["count"]
    if not (1 <= count <= 1000 and items["low"] < items["high"]):
        raise FileError(
            f"{where}, items: count {count}, low {items['low']}, high {items['high']}; "
            "count must be 1 to 1000 and low below high"
        )
    _numbers(items.get("reversed", []), count, f"{where}, items.reversed")
    labels = {lang: tuple(names) for lang, names in items.get("labels", {}).items()}
    if any(len(names) != count for names in labels.values()):
        raise FileError(f"{where}, items.labels: give {count} labels in every language")
    return Instrument(
        name=raw["name"],
        title=raw["title"],
        measures=raw["measures"],
        answered_by=tuple(raw["answered_by"]),
        recall=raw.get("recall", {}),
        licence=raw["licence"],
        may_show_items=raw["may_show_items"],
        owner=raw["owner"],
        source=raw["source"],
        coding=raw.get("coding", {}),
        count=count,
        low=items["low"],
        high=items["high"],
        whole=items.get("whole", True),
        reversed=tuple(items.get("reversed", [])),
        unknown=tuple(items.get("unknown", [])),
        labels=labels,
        missing=missing,
        scales=tuple(
            _scale(name, scale, items, f"{where}, scales.{name}")
            for name, scale in raw["scales"].items()
        ),
        kinds=tuple(_kind(kind, count, f"{where}, kinds") for kind in raw.get("kinds", [])),
        refused=raw.get("refused", {}),
    )


def _scale(name: str, raw: Any, items: Mapping[str, Any], where: str) -> Scale:
    _check(raw, SCALE, where)
    count = items["count"]
    if raw["rule"] not in RULES:
        raise FileError(f"{where}: unknown rule {raw['rule']!r}; allowed are {', '.join(RULES)}")
    if raw["better"] not in ("lower", "higher"):
        raise FileError(f"{where}: better is {raw['better']!r}; allowed are lower, higher")
    members = raw.get("items", [] if "size" in raw else list(range(1, count + 1)))
    _numbers(members, count, f"{where}.items")
    size = raw.get("size", len(members))
    if not 1 <= size <= count or (members and size != len(members)):
        raise FileError(f"{where}: size {size} does not fit {len(members) or count} items")
    if (raw["rule"] == "count") != ("least" in raw):
        raise FileError(f"{where}: rule 'count', and no other, needs least")
    steps = [float(step) for row in raw.get("decrements", []) for step in row]
    wide = int(items["high"] - items["low"]) + 1
    if len(steps) != (size * wide if raw["rule"] == "decrements" else 0):
        raise FileError(f"{where}: rule 'decrements' needs {size} rows of {wide} decrements")
    if change := raw.get("change", {}):
        _check(change, CHANGE, f"{where}.change")
    cuts = raw.get("from", raw.get("above", []))
    classes = {lang: tuple(names) for lang, names in raw.get("classes", {}).items()}
    if sorted(set(cuts)) != list(cuts) or any(len(x) != len(cuts) + 1 for x in classes.values()):
        raise FileError(f"{where}: give rising cut-offs and one class more than cut-offs")
    if cuts and not classes:
        raise FileError(f"{where}: the cut-offs have no names; give classes")
    return Scale(
        name=name,
        items=tuple(members),
        size=size,
        rule=raw["rule"],
        better=raw["better"],
        least=raw.get("least", 0.0),
        constant=raw.get("constant", 0.0),
        decrements=tuple(tuple(map(float, row)) for row in raw.get("decrements", [])),
        cuts=tuple(cuts),
        above="above" in raw,
        classes=classes,
        caseness=raw.get("caseness"),
        change=change,
    )


def _kind(raw: Any, count: int, where: str) -> Kind:
    _check(raw, KIND, where)
    for need in raw.get("need", []):
        _check(need, NEED, f"{where}.need")
        _numbers(need["items"], count, f"{where}.need.items")
    return Kind(id=raw["id"], label=raw["label"], need=tuple(raw.get("need", [])))


def _numbers(numbers: Iterable[Any], count: int, where: str) -> None:
    """Refuse an item outside 1…count, and an item named twice: it would be scored twice."""
    for number, times in Counter(numbers).items():
        if not isinstance(number, int) or not 1 <= number <= count:
            raise FileError(f"{where}: item {number}; the items are 1 to {count}")
        if times > 1:
            raise FileError(f"{where}: item {number} stands there {times} times; name it once")


def _check(raw: Any, allowed: Mapping[str, Any], where: str) -> None:
    """Refuse unknown keys, missing keys and values of another type."""
    if not isinstance(raw, Mapping):
        raise FileError(f"{where}: must be a table")
    types = {key.rstrip("*"): kind for key, kind in allowed.items()}
    for key, value in raw.items():
        if key not in types:
            raise FileError(
                f"{where}: unknown key {key!r}{nearest(key, types)}; "
                f"allowed are {listed(types, 20)}"
            )
        if not isinstance(value, types[key]) or (types[key] is int and isinstance(value, bool)):
            raise FileError(f"{where}: {key} is {value!r}; a {_named(types[key])} is needed")
    for key in allowed:
        if key.endswith("*") and key[:-1] not in raw:
            raise FileError(f"{where}: {key[:-1]} is missing")


def _named(kind: Any) -> str:
    names = {int: "whole number", float: "number", str: "text", bool: "true or false"}
    names |= {list: "list", dict: "table"}
    return names.get(kind, "number")
