"""Where acts are kept: SQLite in a study's folder, or PostgreSQL for a team."""

import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any, NamedTuple
from uuid import uuid4

import pandas as pd
from sqlalchemy import Connection, Engine, delete, insert, or_, select, update

from expertise.coding import audit, schema
from expertise.coding.acts import FIELDS, Act, Record, now, typed
from expertise.coding.schema import ACTS, RECORDS, TOMBSTONES
from expertise.errors import CodingError, ConflictError, PrivacyError

EVERYONE = ("revealed", "recoded", "withdrawn", "resolved")


class Writing(NamedTuple):
    """A transaction that writes, and the audit chain it adds to."""

    connection: Connection
    chain: audit.Chain


def chunks(values: Sequence[str], size: int = 5_000) -> Iterator[Sequence[str]]:
    """Cut a list into parts that fit in one statement."""
    return (values[at : at + size] for at in range(0, len(values), size))


class Store:
    """Acts that are only ever appended, and the words beside them; see `open_store`."""

    def __init__(self, engine: Engine, key: bytes) -> None:
        self._engine, self._key = engine, key
        # Threads of one process take turns here; SQLite's own waiting is polling, and unfair.
        self._turn = threading.Lock()

    def append(self, *acts: Act, records: Mapping[str, Record] | None = None) -> tuple[Act, ...]:
        """Store acts once, each with its words and its audit entry, in one transaction.

        Parameters
        ----------
        *acts : Act
            An act whose uuid is already there is not stored again.
        records : mapping, optional
            The words that belong to an act, under the uuid of that act.

        Returns
        -------
        tuple of Act
            As stored: with place, moment and digest. When this returns, the
            acts are on disk.

        Raises
        ------
        CodingError
            When a uuid was used before for another act.
        ConflictError
            When a record was changed since the version that was read;
            nothing is stored.
        PrivacyError
            When a text or coder was withdrawn.
        """
        words = records or {}
        with self._write() as tx:
            self._refuse_withdrawn(tx, acts, words.values())
            known = {act.uuid: act for act in self._among(tx, [act.uuid for act in acts])}
            new = []
            for act in acts:
                if act.uuid not in known:
                    known[act.uuid] = act
                    new.append(act)
                elif not act.same(known[act.uuid]):
                    raise CodingError(f"id {act.uuid} was used for another act; make a new one")
            known |= {act.uuid: act for act in self._add(tx, new, words)}
        return tuple(known[act.uuid] for act in acts)

    def put(self, record: Record, *, by: str) -> Record:
        """Store words that belong to no act: a definition, a coder, an invitation.

        Raises
        ------
        ConflictError
            When it was changed since `record.version` was read, be it into
            the same words: of two who change one version, one is told.
        """
        with self._write() as tx:
            self._refuse_withdrawn(tx, (), (record,))
            self._keep(tx, [(record, by)])
        return replace(record, version=record.version + 1)

    def after(
        self, n: int = 0, *, coder: str | None = None, document: str | None = None
    ) -> list[Act]:
        """Return acts after place `n`, of all or of one coder, on all texts or on one.

        Acts that concern everyone (a reveal, a recoding, a withdrawal) are
        among the acts of each coder.
        """
        where = [ACTS.c.n > n]
        if coder is not None:
            where.append(or_(ACTS.c.coder == coder, ACTS.c.kind.in_(EVERYONE)))
        if document is not None:
            where.append(ACTS.c.document == document)
        with self._read() as connection:
            return self._select(connection, *where)

    def table(self) -> pd.DataFrame:
        """Return every act as a table, for `ledger`."""
        columns = [ACTS.c[name] for name in FIELDS]
        with self._read() as connection:
            rows = connection.execute(select(*columns).order_by(ACTS.c.n)).fetchall()
        return typed(pd.DataFrame.from_records(rows, columns=list(FIELDS)))

    def record(self, kind: str, key: str) -> Record | None:
        """Return the words under a key, or None."""
        with self._read() as connection:
            return self._record(connection, kind, key)

    def records(self, kind: str, keys: Iterable[str] | None = None) -> dict[str, Record]:
        """Return all words of a kind, by key."""
        where = [RECORDS.c.kind == kind]
        if keys is not None:
            where.append(RECORDS.c.key.in_(list(keys)))
        with self._read() as connection:
            rows = connection.execute(select(RECORDS).where(*where).order_by(RECORDS.c.key))
            return {row.key: _as_record(row) for row in rows}

    def withdraw(self, *, documents: Sequence[str] = (), coder: str = "", by: str) -> int:
        """Erase every word of some texts or of a coder, for good; return how many records.

        The acts stay in the log with ids, positions and digests, so the audit
        still verifies; they count nowhere any more. The same text (by id or
        by hash) or coder is refused from now on. On SQLite the words are gone
        from every file of the store when this returns, backups of migrations
        included. On PostgreSQL they are gone from the tables; its write-ahead
        log and your backups of the server are the administrator's to clear.
        """
        gone = [Act(uuid=str(uuid4()), kind="withdrawn", coder=by, document=name)
                for name in documents]  # fmt: skip
        if coder:
            gone.append(Act(uuid=str(uuid4()), kind="withdrawn", coder=coder, entered_by=by))
        with self._write() as tx:
            self._add(tx, gone, {})
            erased = self._erase(tx, documents, coder, by)
            self._bury(tx, documents, coder, by)
        self._scrub()
        return erased

    def verify(self) -> audit.Audit:
        """Check the whole store against its chain of hashes."""
        with self._read() as connection:
            return audit.verify(connection, self._key)

    def close(self) -> None:
        """Let go of the database; a `with` block does it too."""
        self._engine.dispose()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _write(self) -> Iterator[Writing]:
        """Begin a transaction that is alone from its first statement on."""
        with self._turn, self._engine.begin() as connection:
            schema.lock(connection)
            chain = audit.Chain(connection, self._key)
            yield Writing(connection, chain)
            chain.close()

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection

    def _select(self, connection: Connection, *where: Any) -> list[Act]:
        columns = [ACTS.c[name] for name in FIELDS]
        rows = connection.execute(select(*columns).where(*where).order_by(ACTS.c.n)).mappings()
        return [Act(**row) for row in rows]

    def _among(self, tx: Writing, uuids: Sequence[str]) -> list[Act]:
        parts = (self._select(tx.connection, ACTS.c.uuid.in_(part)) for part in chunks(uuids))
        return [act for part in parts for act in part]

    def _add(self, tx: Writing, acts: Sequence[Act], words: Mapping[str, Record]) -> list[Act]:
        last = select(ACTS.c.n).order_by(ACTS.c.n.desc()).limit(1)
        first = 1 + (tx.connection.scalar(last) or 0)
        kept = [(words[act.uuid], act.coder) for act in acts if act.uuid in words]
        digests = self._keep(tx, kept)
        placed = [
            replace(act, n=n, when=act.when or now(),
                    digest=digests.pop(0) if act.uuid in words else "")
            for n, act in enumerate(acts, start=first)
        ]  # fmt: skip
        for act in placed:
            payload = audit.act_payload(self._key, act)
            tx.chain.add("act", act.uuid, payload, act.entered_by or act.coder, act.coder)
        if placed:
            tx.connection.execute(insert(ACTS), [asdict(act) for act in placed])
        return placed

    def _keep(self, tx: Writing, records: Sequence[tuple[Record, str]]) -> list[str]:
        """Store the next version of some records and return their digests."""
        old: dict[tuple[str, str], int] = {}
        for part in chunks([record.key for record, _ in records]):
            found = select(RECORDS.c.kind, RECORDS.c.key, RECORDS.c.version)
            for kind, key, version in tx.connection.execute(found.where(RECORDS.c.key.in_(part))):
                old[kind, key] = version
        new, digests = [], []
        for record, by in records:
            name = (record.kind, record.key)
            if old.get(name, 0) != record.version:
                raise ConflictError(
                    f"{record.kind} {record.key!r} has version {old.get(name, 0)} by now, you "
                    f"changed version {record.version}; look at both and save again"
                )
            kept = asdict(record) | {
                "version": record.version + 1, "salt": secrets.token_hex(32),
            }  # fmt: skip
            if name in old:
                same = (RECORDS.c.kind == record.kind, RECORDS.c.key == record.key)
                tx.connection.execute(update(RECORDS).where(*same).values(kept))
            else:
                new.append(kept)
            old[name] = record.version + 1
            payload = audit.record_payload(self._key, kept)
            tx.chain.add("record", f"{record.kind}/{record.key}", payload, by, record.coder)
            digests.append(audit.body_digest(kept))
        if new:
            tx.connection.execute(insert(RECORDS), new)
        return digests

    def _record(self, connection: Connection, kind: str, key: str) -> Record | None:
        where = (RECORDS.c.kind == kind, RECORDS.c.key == key)
        row = connection.execute(select(RECORDS).where(*where)).first()
        return _as_record(row) if row else None

    def _erase(self, tx: Writing, documents: Sequence[str], coder: str, by: str) -> int:
        mine = RECORDS.c.document.in_(list(documents)) & (RECORDS.c.document != "")
        if coder:
            mine = mine | (RECORDS.c.coder == coder)
        gone = tx.connection.execute(select(RECORDS.c.kind, RECORDS.c.key).where(mine)).fetchall()
        tx.connection.execute(delete(RECORDS).where(mine))
        for kind, key in sorted((kind, key) for kind, key in gone):
            tx.chain.add("erased", f"{kind}/{key}", "", by, coder)
        return len(gone)

    def _bury(self, tx: Writing, documents: Sequence[str], coder: str, by: str) -> None:
        where = ACTS.c.document.in_(list(documents)) & (ACTS.c.sha256 != "")
        hashes = sorted(tx.connection.scalars(select(ACTS.c.sha256).where(where).distinct()))
        names = {("document", d) for d in documents} | {("text", h) for h in hashes}
        names |= {("coder", coder)} if coder else set()
        digests = {audit.keyed(self._key, "withdrawn", *name) for name in names}
        for digest in sorted(digests - self._buried(tx, digests)):
            tx.connection.execute(insert(TOMBSTONES), {"digest": digest})
            tx.chain.add("tombstone", digest, "", by, coder)

    def _buried(self, tx: Writing, digests: Iterable[str]) -> set[str]:
        column = TOMBSTONES.c.digest
        return {
            digest
            for part in chunks(list(digests))
            for digest in tx.connection.scalars(select(column).where(column.in_(part)))
        }

    def _refuse_withdrawn(
        self, tx: Writing, acts: Iterable[Act], records: Iterable[Record]
    ) -> None:
        names = set()
        for act in acts:
            names |= {("document", act.document), ("text", act.sha256), ("coder", act.coder)}
        for record in records:
            names |= {("document", record.document), ("coder", record.coder)}
        digests = {audit.keyed(self._key, "withdrawn", *name): name for name in names if name[1]}
        if found := self._buried(tx, digests):
            kind, name = min(digests[digest] for digest in found)
            shown = "this text" if kind == "text" else f"{kind} {name!r}"
            raise PrivacyError(f"{shown} was withdrawn; it cannot be stored again")

    def _scrub(self) -> None:
        """Leave no withdrawn word behind in a file of the database."""
        schema.drop_backups(self._engine)
        sqlite = self._engine.dialect.name == "sqlite"
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # Pages that SQLite rearranged keep copies, secure_delete or not: write the file anew.
            connection.exec_driver_sql("VACUUM" if sqlite else "VACUUM (FULL) records")
            if sqlite and connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar():
                raise CodingError(
                    "the words are withdrawn, but another program still reads the store and keeps "
                    "a copy in its -wal file; close it and withdraw once more"
                )


def _as_record(row: Any) -> Record:
    return Record(kind=row.kind, key=row.key, body=row.body, version=row.version,
                  document=row.document, coder=row.coder)  # fmt: skip
