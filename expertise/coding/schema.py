"""The tables of a store, and how an older store becomes a newer one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    inspect,
    select,
    text,
)

SCHEMA = 1
LOCK = 7_305_113  # any number, the same for all who write
# From a version to the next: the statements, run after a backup and in one transaction.
MIGRATIONS: Mapping[int, Sequence[str]] = {}

METADATA = MetaData()
COUNT = BigInteger().with_variant(Integer, "sqlite")
META = Table(
    "meta", METADATA, Column("key", String, primary_key=True), Column("value", Text, nullable=False)
)
ACTS = Table(
    "acts", METADATA,
    Column("n", COUNT, primary_key=True, autoincrement=False),
    Column("uuid", String(36), nullable=False, unique=True),
    *(Column(name, String, nullable=False) for name in
      ("kind", "coder", "perspective", "round", "entered_by", "document", "sha256")),
    Column("start", BigInteger), Column("end", BigInteger),
    *(Column(name, String, nullable=False) for name in
      ("code", "value", "target", "digest", "when")),
)  # fmt: skip
Index("acts_coder", ACTS.c.coder, ACTS.c.n)
Index("acts_kind", ACTS.c.kind, ACTS.c.n)
# What people wrote and what narratives say: the only table that can be erased.
RECORDS = Table(
    "records", METADATA,
    Column("kind", String, primary_key=True), Column("key", String, primary_key=True),
    Column("version", Integer, nullable=False), Column("body", Text, nullable=False),
    Column("salt", String, nullable=False),
    Column("document", String, nullable=False), Column("coder", String, nullable=False),
)  # fmt: skip
AUDIT = Table(
    "audit", METADATA,
    Column("n", COUNT, primary_key=True, autoincrement=False),
    *(Column(name, String, nullable=False) for name in
      ("when", "actor", "on_behalf_of", "event", "subject", "payload", "chain")),
)  # fmt: skip
TOMBSTONES = Table("tombstones", METADATA, Column("digest", String, primary_key=True))


def version(connection: Connection) -> int:
    """Return the schema of a store, 0 when there is none yet."""
    if not inspect(connection).has_table("meta"):
        return 0
    value = connection.scalar(select(META.c.value).where(META.c.key == "schema"))
    return int(value or 0)


def backup(engine: Engine, old: int) -> str:
    """Copy the whole store beside itself and return where the copy is."""
    name = f"schema{old}_backup"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "sqlite":
            where = f"{engine.url.database}.{name}"
            connection.exec_driver_sql("VACUUM INTO ?", (where,))
            return where
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
        for table in METADATA.tables:
            connection.execute(text(f"CREATE TABLE {name}.{table} AS TABLE {table}"))
    return f"{name} (a schema of the same database)"


def drop_backups(engine: Engine) -> None:
    """Delete the copies that migrations made: they hold words that were withdrawn."""
    for old in range(1, SCHEMA):
        if engine.dialect.name == "sqlite":
            Path(f"{engine.url.database}.schema{old}_backup").unlink(missing_ok=True)
        else:
            with engine.begin() as connection:
                connection.execute(text(f"DROP SCHEMA IF EXISTS schema{old}_backup CASCADE"))


def lock(connection: Connection) -> None:
    """Let one writer in at a time, from the first statement of its transaction on."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
