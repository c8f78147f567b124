"""Open a store, make a new one, or bring an old one up to date."""

import secrets
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, make_url, select, text
from sqlalchemy import update as change
from sqlalchemy.exc import ArgumentError, DatabaseError

from expertise.coding import audit, schema
from expertise.coding.schema import META, METADATA
from expertise.coding.store import Store
from expertise.errors import CodingError

WAIT = 15_000  # ms that a writer waits for another one
MIGRATE = "expertise code STUDY --migrate"


def open_store(url: str | Path, *, key: bytes | None = None) -> Store:
    """Open the store of a study, and make it when there is none.

    Parameters
    ----------
    url : str or Path
        A path or `sqlite:///…` for a file, `postgresql://…` for a team.
    key : bytes, optional
        Secret of at least 16 bytes under which digests and the audit chain
        are made. Keep it outside the study: then nobody can rewrite the
        chain who has only the database. Without it, the store makes a key
        and keeps it inside, and the chain shows direct edits but not a
        forger who recomputes it.

    Returns
    -------
    Store

    Raises
    ------
    CodingError
        When the address cannot be read or reached, the key is not the
        store's, or the store has an older schema: then the sentence names
        the command that makes a backup and migrates.

    Notes
    -----
    SQLite runs with WAL, synchronous FULL, BEGIN IMMEDIATE and a busy
    timeout of 15 s: what was acknowledged is on disk, and writers wait for
    each other. `secure_delete` overwrites what is withdrawn.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with open_store(Path(folder) / "private" / "store.db") as store:
    ...         store.verify().ok
    True
    """
    engine = _engine(url)
    try:
        with engine.begin() as connection:
            schema.lock(connection)
            _current(connection, key, _shown(engine.url))
            return Store(engine, _key(connection, key, _shown(engine.url)))
    except BaseException:
        engine.dispose()
        raise


def _current(connection: Connection, key: bytes | None, where: str) -> None:
    """Make the tables of an empty store; refuse those of another version."""
    found = schema.version(connection)
    if found == 0:
        _create(connection, key)
    elif found > schema.SCHEMA:
        raise CodingError(
            f"store {where} has schema {found}, this version knows {schema.SCHEMA}; "
            "update expertise"
        )
    elif found < schema.SCHEMA:
        raise CodingError(
            f"store {where} has schema {found}, this version needs {schema.SCHEMA}; "
            f"run `{MIGRATE}`, which makes a backup first"
        )


def migrate_store(url: str | Path) -> str:
    """Bring an older store up to date, after a backup; return where the backup is.

    Returns an empty text when nothing had to be done. All steps run in one
    transaction: when one fails, the store is as it was.
    """
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            found = schema.version(connection)
        if found == 0:
            raise CodingError(f"there is no store at {_shown(engine.url)}; check the address")
        if found >= schema.SCHEMA:
            return ""
        where = schema.backup(engine, found)
        with engine.begin() as connection:
            schema.lock(connection)
            for step in range(found, schema.SCHEMA):
                for statement in schema.MIGRATIONS[step]:
                    connection.execute(text(statement))
            reached = str(schema.SCHEMA)
            connection.execute(change(META).where(META.c.key == "schema").values(value=reached))
        return where
    except DatabaseError as error:
        raise CodingError(
            f"the migration to schema {schema.SCHEMA} failed; the store is as it was "
            f"({str(error.orig).splitlines()[0]})"
        ) from error
    finally:
        engine.dispose()


def _engine(url: str | Path) -> Engine:
    try:
        address = (
            make_url(str(url)) if "://" in str(url) else URL.create("sqlite", database=str(url))
        )
    except ArgumentError as error:
        raise CodingError(f"{str(url)[:80]!r} is no address of a store; write a path or a "
                          "postgresql:// address") from error  # fmt: skip
    if address.drivername == "sqlite" and address.database:
        path = Path(address.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    elif address.drivername in ("postgres", "postgresql"):
        address = address.set(drivername="postgresql+psycopg")
    else:
        raise CodingError(f"a store on {address.drivername!r} is not possible; use a file (SQLite) "
                          "or postgresql://")  # fmt: skip
    engine = create_engine(address, hide_parameters=True)
    event.listen(engine, "connect", _careful)
    try:
        engine.connect().close()
    except DatabaseError as error:
        raise CodingError(f"no store can be reached at {_shown(address)}: "
                          f"{str(error.orig).splitlines()[0]}") from error  # fmt: skip
    return engine


def _careful(connection: Any, _: object) -> None:
    """Set what makes an acknowledged act durable and an erased word gone."""
    cursor = connection.cursor()
    if type(connection).__module__.startswith("sqlite3"):
        connection.isolation_level = None
        for pragma in (f"busy_timeout={WAIT}", "journal_mode=WAL", "synchronous=FULL",
                       "secure_delete=ON"):  # fmt: skip
            cursor.execute(f"PRAGMA {pragma}")
    else:
        cursor.execute("SET synchronous_commit = on")
        connection.commit()
    cursor.close()


def _create(connection: Connection, key: bytes | None) -> None:
    METADATA.create_all(connection)
    rows = {"schema": str(schema.SCHEMA), "head": "0:"}
    if key is None:
        rows["key"] = secrets.token_hex(32)
    else:
        rows["key_check"] = audit.keyed(_long(key), "check")
    connection.execute(insert(META), [{"key": k, "value": v} for k, v in rows.items()])


def _key(connection: Connection, key: bytes | None, where: str) -> bytes:
    kept = {row.key: row.value for row in connection.execute(select(META))}
    if key is None and "key" in kept:
        return bytes.fromhex(kept["key"])
    if key is None:
        raise CodingError(f"store {where} was made with a key of yours; open it with that key")
    if kept.get("key_check") != audit.keyed(_long(key), "check"):
        raise CodingError(f"store {where} was made with another key; open it with that one")
    return key


def _long(key: bytes) -> bytes:
    if len(key) < 16:
        raise CodingError(f"the key has {len(key)} bytes; use at least 16, as secrets.token_bytes")
    return key


def _shown(url: URL) -> str:
    return url.database or "" if url.drivername == "sqlite" else url.render_as_string()
