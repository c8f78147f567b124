"""Who codes a study: names and perspectives, kept where they can be erased."""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from expertise.coding.acts import Record
from expertise.coding.assignment import Coder
from expertise.coding.store import Store
from expertise.errors import CodingError, listed, nearest

KIND = "coder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Someone who codes, and the name by which the page greets them."""

    name: str
    coder: Coder


def members(store: Store) -> dict[str, Member]:
    """Return everyone who codes, by id, in the order of their names."""
    found = {key: _member(record) for key, record in store.records(KIND).items()}
    return dict(sorted(found.items(), key=lambda item: (item[1].name.casefold(), item[0])))


def member(store: Store, key: str) -> Member | None:
    """Return one of them, or None."""
    record = store.record(KIND, key)
    return None if record is None else _member(record)


def add_member(
    store: Store, name: str, perspective: str, *, allowed: Iterable[str],
    triads: Iterable[str] = (), teams: Iterable[str] = (), facilitator: bool = False,
) -> Member:  # fmt: skip
    """Add someone who will code.

    Parameters
    ----------
    name : str
        As they wish to be greeted; only people on this study's server see it.
    perspective : str
        From which they read in this round; one of `allowed`.
    triads, teams : iterable of str
        Theirs, or those they know: texts of these are never handed to them.
    facilitator : bool
        May invite, open the round together, and note its decisions.

    Raises
    ------
    CodingError
        When the name is empty or the perspective unknown.
    """
    allowed = list(allowed)
    if not name.strip():
        raise CodingError("a coder has no name; write how they wish to be greeted")
    if perspective not in allowed:
        raise CodingError(
            f"coder {name[:40]!r}: unknown perspective {perspective[:40]!r}"
            f"{nearest(perspective, allowed)}; the study has {listed(allowed)}"
        )
    coder = Coder(
        id=secrets.token_hex(6), perspective=perspective,
        triads=frozenset(triads), teams=frozenset(teams), facilitator=facilitator,
    )  # fmt: skip
    body = {
        "name": name.strip()[:80], "perspective": perspective, "triads": sorted(coder.triads),
        "teams": sorted(coder.teams), "facilitator": facilitator,
    }  # fmt: skip
    record = Record(kind=KIND, key=coder.id, body=json.dumps(body), coder=coder.id)
    return _member(store.put(record, by=coder.id))


def _member(record: Record) -> Member:
    body: Mapping[str, object] = json.loads(record.body)
    coder = Coder(
        id=record.key, perspective=str(body["perspective"]),
        triads=frozenset(body["triads"]), teams=frozenset(body["teams"]),  # type: ignore[call-overload]
        facilitator=bool(body["facilitator"]),
    )  # fmt: skip
    return Member(name=str(body["name"]), coder=coder)
