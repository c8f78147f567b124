"""A chain of keyed hashes over all that was stored, so that no change goes unseen."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Table, insert, select, update

from expertise.coding.acts import FIELDS, Act, now, row
from expertise.coding.schema import ACTS, AUDIT, META, RECORDS, TOMBSTONES
from expertise.result import Result
from expertise.words import Note, note, say

LINK = ("n", "when", "actor", "on_behalf_of", "event", "subject", "payload")


def keyed(key: bytes, *parts: object) -> str:
    """Return the HMAC-SHA256 of some values under a key, as hex."""
    message = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def act_payload(key: bytes, act: Act) -> str:
    """Return the keyed digest of an act as it is stored."""
    return keyed(key, *row(act))


def record_payload(key: bytes, record: Mapping[str, Any]) -> str:
    """Return the keyed digest of a record; it stays when the record is erased."""
    return keyed(key, record["kind"], record["key"], record["version"],
                 record["document"], record["coder"], body_digest(record))  # fmt: skip


def body_digest(record: Mapping[str, Any]) -> str:
    """Return the digest of a body under its own salt; without the salt it says nothing."""
    return keyed(str(record["salt"]).encode(), record["body"])


def link(key: bytes, before: str, entry: Mapping[str, Any]) -> str:
    """Return the chain's next hash."""
    return keyed(key, before, *(entry[name] for name in LINK))


class Chain:
    """The audit chain within one transaction; `close` writes what was added."""

    def __init__(self, connection: Connection, key: bytes) -> None:
        self._connection, self._key = connection, key
        head = connection.scalar(select(META.c.value).where(META.c.key == "head")) or "0:"
        n, last = head.split(":")
        self._n, self._last = int(n), str(last)
        self._entries: list[dict[str, Any]] = []

    def add(self, event: str, subject: str, payload: str, actor: str, on_behalf_of: str) -> None:
        """Add one entry: what happened to what, by whom."""
        self._n += 1
        entry = {
            "n": self._n, "when": now(), "actor": actor, "on_behalf_of": on_behalf_of,
            "event": event, "subject": subject, "payload": payload,
        }  # fmt: skip
        self._last = link(self._key, self._last, entry)
        self._entries.append(entry | {"chain": self._last})

    def close(self) -> None:
        """Write the entries and the new head."""
        if self._entries:
            head = update(META).where(META.c.key == "head").values(value=f"{self._n}:{self._last}")
            self._connection.execute(insert(AUDIT), self._entries)
            self._connection.execute(head)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Audit(Result):
    """What checking a store found: the number of entries, and every problem in a sentence."""

    n: int
    problems: tuple[str, ...]
    notes: tuple[Note, ...] = ()

    @property
    def ok(self) -> bool:
        """Say whether nothing was changed behind the store's back."""
        return not self.problems

    def heading(self) -> str:
        """Say in one line what was found."""
        return say("coding.audit_ok" if self.ok else "coding.audit_bad",
                   n=self.n, problems=len(self.problems))  # fmt: skip

    def tidy(self) -> pd.DataFrame:
        """Return one row per problem."""
        return pd.DataFrame({"term": list(self.problems)})


def verify(connection: Connection, key: bytes) -> Audit:
    """Compare every act, record and tombstone with the chain, and the chain with itself."""
    acts = {r["uuid"]: r for r in _rows(connection, ACTS)}
    records = {f"{r['kind']}/{r['key']}": r for r in _rows(connection, RECORDS)}
    stones = {r["digest"] for r in _rows(connection, TOMBSTONES)}
    problems, before, n, intact = [], "", 0, True
    said: dict[str, str] = {}
    buried: set[str] = set()
    seen: set[str] = set()
    for n, entry in enumerate(_rows(connection, AUDIT, AUDIT.c.n), start=1):
        if intact and (entry["n"] != n or entry["chain"] != link(key, before, entry)):
            problems.append(f"audit entry {n}: it or an entry before it was changed or taken out")
            intact = False
        before, subject = entry["chain"], entry["subject"]
        if entry["event"] == "act":
            act = acts.get(subject)
            seen.add(subject)
            if act is None:
                problems.append(f"act {subject} is gone")
            elif keyed(key, *(act[name] for name in FIELDS)) != entry["payload"]:
                problems.append(f"act {subject} was changed")
        elif entry["event"] == "record":
            said[subject] = entry["payload"]
        elif entry["event"] == "erased":
            said.pop(subject, None)
        elif entry["event"] == "tombstone":
            buried.add(subject)
    head = connection.scalar(select(META.c.value).where(META.c.key == "head"))
    if intact and head != f"{n}:{before}":
        problems.append(f"the chain ends at entry {n}, but not as it was last written")
    problems += [f"act {uuid} was not put in by the store" for uuid in acts.keys() - seen]
    problems += _strayed(key, records, said)
    if stones != buried:
        problems.append("the list of withdrawn texts was changed")
    notes = (note("coding.audit_found"),) if problems else ()
    return Audit(n=n, problems=tuple(sorted(problems)), notes=notes)


def _strayed(
    key: bytes, records: Mapping[str, Mapping[str, Any]], said: Mapping[str, str]
) -> Iterable[str]:
    for name in sorted(records.keys() | said.keys()):
        if name not in said:
            yield f"record {name} was not put in by the store"
        elif name not in records:
            yield f"record {name} is gone"
        elif record_payload(key, records[name]) != said[name]:
            yield f"record {name} was changed"


def _rows(connection: Connection, table: Table, *order: Any) -> Iterator[dict[str, Any]]:
    lazily = connection.execution_options(yield_per=10_000)
    return map(dict, lazily.execute(select(table).order_by(*order)).mappings())
