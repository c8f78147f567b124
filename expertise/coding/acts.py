"""What someone did, as a fact that is appended and never changed."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID, uuid4

import pandas as pd

from expertise.coding.codebook import Change
from expertise.errors import CodingError, nearest

WORK = ("opened", "skipped", "returned", "finished")
KINDS = (
    *WORK, "applied", "removed", "doubted", "memo", "undone", "recoded", "refused",
    "revealed", "joined", "resolved", "approved", "withdrawn",
)  # fmt: skip
ROUNDS = ("practice", "alone", "together")
SPANNED = ("applied", "refused", "resolved")
LONGEST, LONGEST_TEXT = 200, 50_000_000
TEXTS = ("coder", "perspective", "entered_by", "document", "sha256", "code", "value", "target")
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act of one coder.

    Attributes
    ----------
    uuid : str
        Made by the client, so that sending twice stores once.
    kind : str
        opened, skipped, returned, finished: work on a text. applied, refused:
        a code on a passage, or a suggestion turned down. removed, doubted,
        memo, undone: about `target`. recoded: `code` becomes `value`, for the
        coding `target` or, without it, for every coding so far. revealed: a
        round is opened to all; joined: this coder looks at it. resolved: a
        reading of a passage, `value` one, both or later; approved: `target`
        is worded well, `value` shown or hidden. withdrawn: everything of this
        document, or of this coder.
    coder, perspective, round : str
        Who, reading from which perspective, in which round.
    entered_by : str
        Who typed it in for the coder (a paper version), or empty.
    document, sha256 : str
        The text, and the hash of the very text that was read.
    start, end : int or None
        Passage in Unicode code points, end exclusive.
    code, value, target : str
        As the kind says; `target` is the uuid of an earlier act.
    digest : str
        Keyed digest of the quote or memo, set by the store.
    when : str
        Moment in UTC, ISO 8601, set by the session.
    n : int
        Place in the ledger, from 1; 0 while not stored.

    Raises
    ------
    CodingError
        When a kind, round, id or passage is not of this form.
    """

    uuid: str
    kind: str
    coder: str
    perspective: str = ""
    round: str = ""
    entered_by: str = ""
    document: str = ""
    sha256: str = ""
    start: int | None = None
    end: int | None = None
    code: str = ""
    value: str = ""
    target: str = ""
    digest: str = ""
    when: str = ""
    n: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise CodingError(
                f"unknown kind of act {self.kind[:40]!r}{nearest(self.kind, KINDS)}; "
                f"allowed are {', '.join(KINDS)}"
            )
        if self.round not in ("", *ROUNDS):
            raise CodingError(f"unknown round {self.round[:40]!r}; allowed are {', '.join(ROUNDS)}")
        check_uuid(self.uuid)
        if not self.coder:
            raise CodingError(f"act {self.uuid} has no coder; say who did it")
        if self.kind in SPANNED or self.start is not None or self.end is not None:
            check_span(self.start, self.end)
        for name in TEXTS:
            clean(getattr(self, name), name)

    def same(self, other: "Act") -> bool:
        """Say whether both are one act, sent twice (moment, place and digest apart)."""
        return replace(self, n=0, when="", digest="") == replace(other, n=0, when="", digest="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Words that can be erased: a quote, a memo, a definition, a coder's name.

    `version` is the version that was read (0 for a new record); the store
    keeps the next one. `document` and `coder` say whose withdrawal erases it.
    """

    kind: str
    key: str
    body: str
    version: int = 0
    document: str = ""
    coder: str = ""

    def __post_init__(self) -> None:
        clean(self.body, self.kind, LONGEST_TEXT)
        for name in ("kind", "key", "document", "coder"):
            clean(getattr(self, name), name)


FIELDS = tuple(item.name for item in fields(Act))
row: Callable[[Act], tuple[Any, ...]] = attrgetter(*FIELDS)


def check_uuid(uuid: object) -> None:
    """Refuse an id that is not a UUID in its usual form."""
    try:
        if not isinstance(uuid, str) or str(UUID(uuid)) != uuid:
            raise ValueError
    except ValueError:
        shown = str(uuid)[:40]
        raise CodingError(
            f"id {shown!r} is no UUID in lower case; make one for every act"
        ) from None


def check_span(start: object, end: object, length: int = LONGEST_TEXT) -> None:
    """Refuse a passage that is no passage, or that ends past a text of `length` code points."""
    for name, value in (("start", start), ("end", end)):
        if not isinstance(value, int) or isinstance(value, bool):
            raise CodingError(
                f"{name} is {str(value)[:40]!r}; positions are whole numbers of code points"
            )
    assert isinstance(start, int)
    assert isinstance(end, int)
    if start < 0:
        raise CodingError(f"start is {_short(start)}; positions count from 0")
    if end == start:
        raise CodingError(f"the passage from {_short(start)} to {_short(end)} is empty; mark text")
    if end < start:
        raise CodingError(f"end {_short(end)} lies before start {_short(start)}; swap them")
    if end > length:
        raise CodingError(f"end {_short(end)} lies past the end of the text ({length} code points)")


def _short(number: int) -> str:
    return str(number) if abs(number) < 10**15 else "a number of more than 15 digits"


def clean(text: object, name: str, most: int = LONGEST) -> str:
    """Return text that every database and every page can hold, or refuse it."""
    if not isinstance(text, str):
        raise CodingError(f"{name} is {str(text)[:40]!r}; send text")
    if "\0" in text:
        raise CodingError(f"{name} holds a NUL character at {text.index(chr(0))}; leave it out")
    if found := SURROGATE.search(text):
        raise CodingError(
            f"{name} holds half a surrogate pair at {found.start()}; send whole characters"
        )
    if len(text) > most:
        raise CodingError(f"{name} has {len(text)} characters; at most {most} are allowed")
    return text


def now() -> str:
    """Return this moment in UTC with microseconds, so that text order is time order."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def acts_table(acts: Iterable[Act]) -> pd.DataFrame:
    """Return acts as a table, a column per field; positions are nullable integers."""
    columns = list(zip(*map(row, acts), strict=True)) or [()] * len(FIELDS)
    table = pd.DataFrame(dict(zip(FIELDS, map(list, columns), strict=True)), columns=FIELDS)
    return typed(table)


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of acts with its column types, which an empty one would not have."""
    whole = {"start": "Int64", "end": "Int64", "n": "int64"}
    return table.astype(dict.fromkeys(FIELDS, str) | whole)


def recoded(change: Change, *, coder: str, perspective: str = "") -> tuple[Act, ...]:
    """Return the acts that carry codings along with a change of the codebook."""
    return tuple(
        Act(uuid=str(uuid4()), kind="recoded", coder=coder, perspective=perspective,
            code=old, value=new, target=coding, when=now())
        for old, new, coding in change.recoded
    )  # fmt: skip
