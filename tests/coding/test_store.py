"""The store, on SQLite and on PostgreSQL: once, whole, for good, and gone when it must."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from expertise.coding import schema
from expertise.coding.acts import Record
from expertise.coding.folding import ledger
from expertise.coding.opening import migrate_store, open_store
from expertise.errors import CodingError, ConflictError, PrivacyError
from tests.coding.conftest import act, uid

CANARY = "kanarie-7f3a9c1e5b2d8046-kanarie"


def quote(name, body="hoop", **more):
    return Record(kind="quote", key=uid(name), body=body, document="d1", **{"coder": "a"} | more)


def direct(url, statement):
    """Change the database behind the store's back."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_acts_come_back_as_they_were_sent_in_order(store):
    sent = [
        act("1", "opened"),
        act("2", "applied", start=0, end=2**25),
        act("3", "finished", "é😀"),
    ]
    stored = store.append(*sent)
    assert [one.n for one in stored] == [1, 2, 3]
    assert all(a.same(b) for a, b in zip(sent, stored, strict=True))
    assert store.after() == list(stored)
    assert store.after(1, coder="a") == [stored[1]]
    assert store.after(document="d2") == []
    assert len(ledger(store.table()).codings) == 1


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_what_no_database_holds_is_refused_before_it_gets_there(text):
    with pytest.raises(CodingError, match="code holds"):
        act("1", "applied", code=text)
    with pytest.raises(CodingError, match="memo holds"):
        Record(kind="memo", key="k", body=text)


def test_an_empty_store_gives_an_empty_table(store):
    assert store.table().empty
    assert store.append() == ()
    assert len(ledger(store.table()).codings) == 0


def test_sending_twice_stores_once(store):
    first = store.append(act("1", "applied"), records={uid("1"): quote("1")})
    again = store.append(act("1", "applied"), act("1", "applied"), records={uid("1"): quote("1")})
    assert again == first * 2
    assert len(store.after()) == 1
    assert store.verify().ok


def test_one_id_for_two_acts_is_refused(store):
    store.append(act("1", "applied"))
    with pytest.raises(CodingError, match=r"was used for another act; make a new one"):
        store.append(act("9", "opened"), act("1", "applied", code="verzet"))
    assert len(store.after()) == 1


def test_what_concerns_everyone_reaches_every_coder(store):
    store.append(act("1", "revealed", "r"), act("2", "opened", "b"))
    assert [one.kind for one in store.after(coder="a")] == ["revealed"]


def test_records_have_versions_and_conflicts_show(store):
    memo = Record(kind="memo", key="m", body="eerst", coder="a")
    assert store.put(memo, by="a").version == 1
    for body in ("eerst", "anders"):
        with pytest.raises(
            ConflictError, match=r"memo 'm' has version 1 by now, you changed version 0"
        ):
            store.put(replace(memo, body=body), by="b")
    store.put(replace(memo, body="daarna", version=1), by="b")
    assert store.record("memo", "m").body == "daarna"
    assert store.records("memo").keys() == {"m"}
    assert store.records("memo", ["x"]) == {}
    assert store.record("memo", "x") is None
    assert store.verify().ok


def test_a_conflict_stores_nothing(store):
    store.put(Record(kind="memo", key="m", body="x"), by="a")
    late = Record(kind="memo", key="m", body="y")
    with pytest.raises(ConflictError):
        store.append(act("1", "memo"), records={uid("1"): late})
    assert store.after() == []
    assert store.verify().ok


def test_ten_coders_lose_no_edit(store):
    """Ten coders add twenty lines each to one memo: all two hundred are there."""

    def work(name):
        for i in range(20):
            while True:
                old = store.record("memo", "m")
                body = (old.body if old else "") + f"{name}{i};"
                new = Record(kind="memo", key="m", body=body, version=old.version if old else 0)
                try:
                    store.put(new, by=name)
                    break
                except ConflictError:
                    continue

    threads = [threading.Thread(target=work, args=(f"c{i}-",)) for i in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(store.record("memo", "m").body.rstrip(";").split(";"))) == 200


EDITS = [
    "UPDATE acts SET code = 'verzet' WHERE n = 2",
    "UPDATE acts SET start = 1 WHERE n = 2",
    "UPDATE acts SET \"when\" = '2020' WHERE n = 1",
    "UPDATE acts SET coder = 'b' WHERE n = 3",
    "DELETE FROM acts WHERE n = 3",
    "DELETE FROM acts WHERE n = 1",
    "INSERT INTO acts SELECT 9, 'x', kind, coder, perspective, round, entered_by, document, sha256,"
    ' start, "end", code, value, target, digest, "when" FROM acts WHERE n = 2',
    "UPDATE records SET body = 'wanhoop'",
    "UPDATE records SET version = 7",
    "UPDATE records SET coder = 'b'",
    "DELETE FROM records",
    "INSERT INTO records VALUES ('memo', 'z', 1, 'b', '00', 'd', 'c')",
    "DELETE FROM audit WHERE n = 4",
    "DELETE FROM audit WHERE n = 1",
    "DELETE FROM audit",
    "UPDATE audit SET actor = 'b' WHERE n = 2",
    "UPDATE audit SET payload = '' WHERE n = 2",
    "UPDATE meta SET value = '3:' WHERE key = 'head'",
    "INSERT INTO tombstones VALUES ('x')",
]


@pytest.mark.parametrize("statement", EDITS)
def test_a_direct_edit_is_seen(store, url, statement):
    store.append(act("1", "opened"), act("2", "applied"), act("3", "finished"),
                 records={uid("2"): quote("2")})  # fmt: skip
    before = store.verify()
    assert before.ok
    assert before.n == 4
    direct(url, statement)
    after = store.verify()
    assert not after.ok
    assert "problems in the audit" in repr(after)
    assert "compare with a backup" in repr(after)


def test_the_sentence_names_what_changed(store, url):
    store.append(act("1", "applied"), records={uid("1"): quote("1")})
    direct(url, "UPDATE acts SET code = 'x'")
    direct(url, "UPDATE records SET body = 'x'")
    assert store.verify().problems == (
        f"act {uid('1')} was changed",
        f"record quote/{uid('1')} was changed",
    )


def test_a_key_of_ones_own_is_asked_for(url):
    open_store(url, key=b"0" * 32).close()
    with pytest.raises(CodingError, match="was made with a key of yours; open it with that key"):
        open_store(url)
    with pytest.raises(CodingError, match="was made with another key"):
        open_store(url, key=b"1" * 32)
    with pytest.raises(CodingError, match="the key has 3 bytes; use at least 16"):
        open_store(url, key=b"abc")
    again = open_store(url, key=b"0" * 32)
    again.append(act("1", "opened"))
    assert again.verify().ok
    again.close()


def planted(store):
    """Two texts and two coders with words everywhere; the canary belongs to d1."""
    store.append(
        act("1", "applied"), act("2", "memo", "b", target=uid("1")), act("3", "finished"),
        act("4", "applied", "b", document="d2", sha256="1" * 64),
        records={uid("1"): quote("1", CANARY),
                 uid("2"): Record(kind="memo", key=uid("1"), body=CANARY, document="d1", coder="b"),
                 uid("4"): Record(kind="quote", key=uid("4"), body="blijft", document="d2",
                                  coder="b")},
    )  # fmt: skip
    store.put(Record(kind="coder", key="a", body=CANARY, coder="a"), by="r")


def test_withdrawing_a_text_erases_its_words_and_keeps_the_chain(store):
    planted(store)
    assert store.withdraw(documents=["d1"], by="r") == 2
    assert store.records("quote").keys() == {uid("4")}
    assert store.records("memo") == {}
    assert store.verify().ok
    assert set(ledger(store.table()).codings["document"]) == {"d2"}
    assert store.withdraw(documents=["d1"], by="r") == 0, "again does no harm"
    assert store.verify().ok


def test_withdrawing_a_coder_erases_theirs(store):
    planted(store)
    assert store.withdraw(coder="b", by="r") == 2
    assert store.records("memo") == {}
    assert set(ledger(store.table()).codings["coder"]) == {"a"}
    with pytest.raises(PrivacyError, match="coder 'b' was withdrawn; it cannot be stored again"):
        store.append(act("9", "opened", "b", document="d2"))
    assert store.verify().ok


def test_what_was_withdrawn_cannot_come_back(store):
    planted(store)
    store.withdraw(documents=["d1"], by="r")
    with pytest.raises(PrivacyError, match="document 'd1' was withdrawn"):
        store.append(act("9", "applied", sha256=""))
    with pytest.raises(PrivacyError, match="this text was withdrawn"):
        store.append(act("9", "applied", document="d7"))
    with pytest.raises(PrivacyError, match="document 'd1' was withdrawn"):
        store.put(Record(kind="quote", key="k", body="x", document="d1"), by="r")
    store.append(act("9", "applied", document="d7", sha256="2" * 64))


def test_an_edit_after_a_withdrawal_is_seen(store, url):
    planted(store)
    store.withdraw(documents=["d1"], by="r")
    direct(url, "DELETE FROM tombstones")
    assert store.verify().problems == ("the list of withdrawn texts was changed",)


def test_no_byte_of_a_withdrawn_word_is_left_in_any_file(tmp_path):
    path = tmp_path / "private" / "store.db"
    store = open_store(path)
    planted(store)

    def found():
        return [f.name for f in path.parent.iterdir() if CANARY.encode() in f.read_bytes()]

    assert found(), "the canary was never written"
    store.withdraw(documents=["d1"], by="r")
    assert found(), "the coder's own record still holds it"
    store.withdraw(coder="a", by="r")
    assert found() == []
    store.close()
    assert found() == []


def test_a_reader_that_keeps_the_wal_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("expertise.coding.opening.WAIT", 50)
    path = tmp_path / "store.db"
    store, other = open_store(path), open_store(path)
    planted(store)
    with other._read() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT * FROM records")
        with pytest.raises(CodingError, match="another program still reads the store"):
            store.withdraw(documents=["d1"], by="r")
        connection.exec_driver_sql("COMMIT")
    store.withdraw(documents=["d1"], by="r")
    store.close()
    other.close()


def test_the_file_is_for_its_owner_only(tmp_path):
    path = tmp_path / "private" / "store.db"
    open_store(path).close()
    assert path.stat().st_mode & 0o077 == 0


def test_sqlite_is_set_to_keep_what_it_acknowledges(tmp_path):
    store = open_store(tmp_path / "store.db")
    with store._read() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "secure_delete")
        }
    store.close()
    assert settings == {
        "journal_mode": "wal", "synchronous": 2, "busy_timeout": 15_000, "secure_delete": 1,
    }  # fmt: skip


def test_addresses_that_are_none(tmp_path):
    with pytest.raises(CodingError, match="is no address of a store; write a path or a postgresql"):
        open_store("://")
    with pytest.raises(CodingError, match="a store on 'mysql' is not possible; use a file"):
        open_store("mysql://x/y")
    with pytest.raises(CodingError, match="no store can be reached at postgresql"):
        open_store("postgresql://localhost:1/x")
    (tmp_path / "text.db").write_text("no database at all, only words in a file" * 9)
    with pytest.raises(CodingError, match=r"no store can be reached at .*text.db"):
        open_store(tmp_path / "text.db")


def test_an_old_store_is_refused_and_migrated_with_a_backup(url, monkeypatch):
    store = open_store(url)
    store.append(act("1", "applied"), records={uid("1"): quote("1", CANARY)})
    monkeypatch.setattr(schema, "SCHEMA", 2)
    monkeypatch.setattr(schema, "MIGRATIONS", {1: ["ALTER TABLE tombstones ADD COLUMN why TEXT"]})
    with pytest.raises(CodingError, match=r"has schema 1, this version needs 2; run `expertise"):
        open_store(url)
    where = migrate_store(url)
    assert "schema1_backup" in where
    assert migrate_store(url) == ""
    again = open_store(url)
    assert again.verify().ok
    if url.startswith("sqlite"):
        assert CANARY.encode() in Path(where).read_bytes()
        again.withdraw(documents=["d1"], by="r")
        assert not Path(where).exists(), "a backup must not outlive a withdrawal"
    again.close()
    store.close()


def test_a_failing_migration_leaves_the_store_as_it_was(url, monkeypatch):
    open_store(url).close()
    monkeypatch.setattr(schema, "SCHEMA", 2)
    steps = ["ALTER TABLE tombstones ADD COLUMN why TEXT", "ALTER TABLE nowhere ADD COLUMN x TEXT"]
    monkeypatch.setattr(schema, "MIGRATIONS", {1: steps})
    with pytest.raises(
        CodingError, match="the migration to schema 2 failed; the store is as it was"
    ):
        migrate_store(url)
    monkeypatch.setattr(schema, "SCHEMA", 1)
    store = open_store(url)
    assert store.verify().ok
    store.close()


def test_a_newer_store_is_refused(url):
    open_store(url).close()
    direct(url, "UPDATE meta SET value = '9' WHERE key = 'schema'")
    with pytest.raises(CodingError, match=r"has schema 9, this version knows 1; update expertise"):
        open_store(url)


def test_migrating_nothing_is_refused(url):
    with pytest.raises(CodingError, match=r"there is no store at .*; check the address"):
        migrate_store(url)
