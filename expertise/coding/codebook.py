"""The words that coders share: `codebook.toml`, its versions, and what changed between two."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from expertise.errors import CodingError, listed, nearest
from expertise.result import table_html

SCHEMA = 1
TOP = ("schema", "version", "title", "codes")
KEY = re.compile(r"[\w-]+")
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One word of the codebook: the researcher's wording, and a plain one for co-coders.

    `parent` is the key of the code above it, or empty. `colour` is `#rrggbb`
    or empty. A code whose plain wording is left out shows the researcher's.
    `practice` is a passage of the practice text, letter for letter, where
    someone could choose this code: who practises first is shown it.
    """

    key: str
    name: str
    definition: str
    parent: str = ""
    when: str = ""
    when_not: str = ""
    example: str = ""
    counter_example: str = ""
    colour: str = ""
    plain_name: str = ""
    plain: str = ""
    practice: str = ""

    def card(self) -> dict[str, str]:
        """Return what a co-coder sees: plain words, an example and a counter-example."""
        return {
            "code": self.key,
            "name": self.plain_name or self.name,
            "text": self.plain or self.definition,
            "example": self.example,
            "counter_example": self.counter_example,
            "colour": self.colour,
            "parent": self.parent,
        }


COLUMNS = tuple(item.name for item in fields(Code) if item.name != "key")
REQUIRED = ("name", "definition")


@dataclass(frozen=True, slots=True, kw_only=True)
class Codebook:
    """A version of the codebook: a title and its codes, in the file's order.

    Raises
    ------
    CodingError
        When a key or name is double or empty, a parent is unknown or its own
        ancestor, or a colour is not `#rrggbb`.

    Examples
    --------
    >>> book = Codebook(codes=(Code(key="hoop", name="Hoop", definition="Kijkt vooruit."),))
    >>> book["hoop"].name, "hop" in book
    ('Hoop', False)
    """

    title: str = ""
    version: int = 1
    codes: tuple[Code, ...] = ()
    where: str = field(default="the codebook", compare=False)

    def __post_init__(self) -> None:
        keys = [code.key for code in self.codes]
        names = [code.name.strip().casefold() for code in self.codes]
        for kind, values in (("key", keys), ("name", names)):
            if double := sorted({value for value in values if values.count(value) > 1}):
                raise CodingError(
                    f"{self.where}: the {kind} {double[0]!r} stands there twice; "
                    f"give every code a {kind} of its own"
                )
        for code in self.codes:
            _check(code, keys, self.where)
        for code in self.codes:
            self.path(code.key)

    def __getitem__(self, key: str) -> Code:
        for code in self.codes:
            if code.key == key:
                return code
        raise CodingError(unknown_code(key, self))

    def __contains__(self, key: object) -> bool:
        return any(code.key == key for code in self.codes)

    def __iter__(self) -> Iterator[str]:
        return (code.key for code in self.codes)

    def __len__(self) -> int:
        return len(self.codes)

    def path(self, key: str) -> tuple[str, ...]:
        """Return a code and its parents, the topmost first."""
        trail = [key]
        while above := self[trail[-1]].parent:
            if above in trail:
                raise CodingError(
                    f"{self.where}: code {key!r} lies below itself through {above!r}; "
                    "a parent must stand higher: mend parent"
                )
            trail.append(above)
        return tuple(reversed(trail))

    def cards(self) -> list[dict[str, str]]:
        """Return the card of every code, for a page."""
        return [code.card() for code in self.codes]

    def table(self) -> pd.DataFrame:
        """Return one row per code: `code` and every field of its definition."""
        rows = [{"code": code.key} | {name: getattr(code, name) for name in COLUMNS}
                for code in self.codes]  # fmt: skip
        return pd.DataFrame(rows, columns=["code", *COLUMNS])

    def _repr_html_(self) -> str:
        return table_html(self.table()[["code", "name", "parent", "definition"]], self.title)


def unknown_code(key: object, book: Codebook) -> str:
    """Return the sentence for a code that is not in the codebook."""
    near = nearest(str(key), [*(code.name for code in book.codes), *book])
    return f"unknown code {str(key)[:40]!r}{near}; the codebook has {listed(book)}"


def _check(code: Code, keys: Sequence[str], where: str) -> None:
    if not KEY.fullmatch(code.key):
        raise CodingError(
            f"{where}: code key {code.key!r}: use letters, digits, hyphen and underscore only"
        )
    for name in REQUIRED:
        if not getattr(code, name).strip():
            raise CodingError(f"{where}: codes.{code.key}.{name} is empty; write it")
    if code.parent and code.parent not in keys:
        raise CodingError(
            f"{where}: codes.{code.key}.parent {code.parent!r} is no code"
            f"{nearest(code.parent, keys)}; the codebook has {listed(keys)}"
        )
    if code.colour and not COLOUR.fullmatch(code.colour):
        raise CodingError(
            f"{where}: codes.{code.key}.colour {code.colour!r}; write six hex digits, as '#00636B'"
        )


def read_codebook(path: str | Path) -> Codebook:
    """Read `codebook.toml`.

    Parameters
    ----------
    path : str or Path
        A TOML file: `schema = 1`, `version` (a whole number from 1), `title`,
        and one table `[codes.KEY]` per code with the fields of `Code`, of
        which `name` and `definition` are required.

    Raises
    ------
    CodingError
        When the file cannot be read as TOML, or a key or value is not
        allowed; the sentence names file and key.
    """
    where = Path(path)
    try:
        tree = tomllib.loads(where.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CodingError(f"{where}: cannot be read as TOML in UTF-8 ({error})") from error
    return codebook_from(tree, str(where))


def codebook_from(tree: Mapping[str, Any], where: str = "the codebook") -> Codebook:
    """Make a codebook of what a TOML file holds; unknown keys are refused."""
    _known(tree, TOP, where, "")
    if tree.get("schema") != SCHEMA:
        raise CodingError(f"{where}: schema is {tree.get('schema')!r}; this version reads 1")
    version = tree.get("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise CodingError(f"{where}: version is {version!r}; write a whole number from 1")
    codes = tree.get("codes", {})
    if not isinstance(codes, Mapping) or not codes:
        raise CodingError(f"{where}: codes is empty; write a table [codes.KEY] for each code")
    return Codebook(
        title=_text(tree.get("title", ""), where, "title"),
        version=version,
        codes=tuple(_code(key, entry, where) for key, entry in codes.items()),
        where=where,
    )


def _code(key: str, entry: object, where: str) -> Code:
    if not isinstance(entry, Mapping):
        raise CodingError(f"{where}: codes.{key} must be a table [codes.{key}]")
    _known(entry, COLUMNS, where, f"codes.{key}.")
    for name in REQUIRED:
        if name not in entry:
            raise CodingError(f"{where}: codes.{key}.{name} is missing; write it")
    return Code(key=key, **{n: _text(v, where, f"codes.{key}.{n}") for n, v in entry.items()})


def _text(value: object, where: str, key: str) -> str:
    if not isinstance(value, str):
        raise CodingError(f"{where}: {key} is {value!r}; write text between quotes")
    return value


def _known(entry: Mapping[str, Any], allowed: Sequence[str], where: str, prefix: str) -> None:
    for key in entry:
        if key not in allowed:
            raise CodingError(
                f"{where}: unknown key {prefix + key!r}{nearest(key, allowed)}; "
                f"allowed are {', '.join(allowed)}"
            )


def write_codebook(book: Codebook) -> str:
    """Return the codebook as TOML that `read_codebook` reads back unchanged."""
    lines = [f"schema = {SCHEMA}", f"version = {book.version}", f"title = {_quoted(book.title)}"]
    for code in book.codes:
        lines += ["", f"[codes.{_quoted(code.key) if not code.key.isascii() else code.key}]"]
        lines += [f"{n} = {_quoted(getattr(code, n))}" for n in COLUMNS if getattr(code, n)]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def diff(old: Codebook, new: Codebook) -> pd.DataFrame:
    """Return what changed: one row per code and field.

    Returns
    -------
    DataFrame
        Columns `code`, `change` (added, removed, changed), `field`, `old`, `new`;
        empty when nothing changed.

    Examples
    --------
    >>> first = Codebook(codes=(Code(key="hoop", name="Hoop", definition="Kijkt vooruit."),))
    >>> second = replace(first, codes=(replace(first["hoop"], name="Hoop op beter"),))
    >>> diff(first, second).to_dict("records")
    [{'code': 'hoop', 'change': 'changed', 'field': 'name', 'old': 'Hoop', 'new': 'Hoop op beter'}]
    """
    rows = []
    first, second = ({code.key: code for code in book.codes} for book in (old, new))
    for key in first | second:
        before, after = first.get(key), second.get(key)
        change = "added" if before is None else "removed" if after is None else "changed"
        for name in COLUMNS:
            was = getattr(before, name, "")
            now = getattr(after, name, "")
            if was != now:
                rows.append((key, change, name, was, now))
    return pd.DataFrame(rows, columns=["code", "change", "field", "old", "new"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A new version of the codebook, and which codings go along to which code.

    `recoded` holds `(old code, new code, coding)`; an empty coding means every
    coding of that code. `expertise.coding.acts.recoded` makes acts of them.
    """

    codebook: Codebook
    recoded: tuple[tuple[str, str, str], ...]


def rename_code(book: Codebook, key: str, new: str, **wording: str) -> Change:
    """Give a code another key, and other wording if you like; its codings go along."""
    codes = tuple(
        replace(code, key=new, **wording) if code.key == key
        else replace(code, parent=new) if code.parent == key
        else code
        for code in book.codes
    )  # fmt: skip
    book[key]
    return Change(codebook=_next(book, codes), recoded=((key, new, ""),))


def merge_codes(book: Codebook, keys: Sequence[str], into: Code) -> Change:
    """Make one code of several; all their codings go along, children come below it.

    `into` may carry the key of one of them, or a new one.
    """
    for key in keys:
        book[key]
    gone = set(keys) | {into.key}
    place = min(i for i, code in enumerate(book.codes) if code.key in gone)
    codes = [replace(code, parent=into.key) if code.parent in gone else code
             for code in book.codes if code.key not in gone]  # fmt: skip
    place -= sum(code.key in gone for code in book.codes[:place])
    codes.insert(place, into)
    moves = tuple((key, into.key, "") for key in keys if key != into.key)
    return Change(codebook=_next(book, tuple(codes)), recoded=moves)


def split_code(
    book: Codebook, key: str, into: Sequence[Code], codings: Mapping[str, str], rest: str
) -> Change:
    """Make several codes of one.

    Parameters
    ----------
    into : sequence of Code
        The codes that take its place; one may keep its key.
    codings : mapping
        Id of each coding that someone has read again → key of its new code.
    rest : str
        Key of the code where all other codings stay until they are read again.
    """
    keys = [code.key for code in into]
    for new in [*codings.values(), rest]:
        if new not in keys:
            raise CodingError(
                f"split of {key!r}: {new!r} is not among its new codes"
                f"{nearest(new, keys)}; these are {listed(keys)}"
            )
    at = [code.key for code in book.codes].index(book[key].key)
    others = [
        replace(code, parent=rest) if code.parent == key and key not in keys else code
        for code in book.codes
        if code.key != key
    ]
    codes = (*others[:at], *into, *others[at:])
    single = tuple((key, new, coding) for coding, new in codings.items())
    bulk = ((key, rest, ""),) if rest != key else ()
    return Change(codebook=_next(book, codes), recoded=bulk + single)


def _next(book: Codebook, codes: tuple[Code, ...]) -> Codebook:
    return replace(book, version=book.version + 1, codes=codes)
