"""Killed in the middle: no acknowledged act is lost or doubled, and no edit goes unseen."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from expertise.coding.acts import Record
from expertise.coding.opening import open_store
from tests.coding.conftest import act, uid
from tests.coding.writers import made

ROOT = Path(__file__).parents[2]


def killed(url, folder, count, seconds):
    """Let many writers write, and kill all of them at once with SIGKILL."""
    group = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "writers.py"), url, str(folder), str(count)],
        start_new_session=True, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert group.stdout.readline() == b"ready\n"
        before = len(names(folder, "kept"))
        until = time.monotonic() + 60
        while len(names(folder, "kept")) < before + count and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(seconds)
    finally:
        os.killpg(group.pid, signal.SIGKILL)
        group.stdout.close()
        group.wait()


def names(folder, what):
    return [name for path in folder.glob(f"*.{what}") for name in path.read_text().split()]


def survives(url, folder, *, times, writers, seed=1):
    clock = random.Random(seed)
    for _ in range(times):
        killed(url, folder, writers, clock.uniform(0.05, 0.4))
        kept, sent = set(names(folder, "kept")), set(names(folder, "sent"))
        with open_store(url) as store:
            there = [one.uuid for one in store.after()]
            quotes = store.records("quote")
            audit = store.verify()
        assert len(kept) >= writers
        assert {made(name)[0].uuid for name in kept} <= set(there), "an acknowledged act is lost"
        assert len(there) == len(set(there)), "an act is there twice"
        assert set(there) <= {made(name)[0].uuid for name in sent}
        assert quotes.keys() == set(there), "an act without its words, or words without an act"
        assert audit.ok, audit.problems
        assert audit.n == 2 * len(there)


@pytest.mark.timeout(300)
def test_no_acknowledged_act_is_lost_when_writers_are_killed(url, tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    survives(url, folder, times=3, writers=6)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_a_hundred_kills_with_fifty_writers(url, tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    survives(url, folder, times=100, writers=50)


def filled(path):
    with open_store(path) as store:
        for i in range(10):
            words = Record(kind="quote", key=uid(i), body=f"citaat {i}", document="d1", coder="a")
            store.append(act(i, "applied"), records={uid(i): words})
        store.append(act("x", "applied", document="d2", sha256="1" * 64))
        store.withdraw(documents=["d2"], by="r")


def edited(path, dice):
    """Change one cell that is not empty, or take one row out, as someone with SQL could."""
    tables = {"acts": 12, "records": 10, "audit": 23, "tombstones": 2}
    table = dice.choices(list(tables), list(tables.values()))[0]
    with sqlite3.connect(path) as connection:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        rows = [row[0] for row in connection.execute(f"SELECT rowid FROM {table}")]
        row, column = dice.choice(rows), dice.choice(columns)
        if dice.random() < 0.2:
            connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (row,))
            what = f"{table} row {row} deleted"
        else:
            (old,) = connection.execute(
                f'SELECT "{column}" FROM {table} WHERE rowid = ?', (row,)
            ).fetchone()
            new = old + 1000 if isinstance(old, int) else f"{old or ''}0"
            connection.execute(f'UPDATE {table} SET "{column}" = ? WHERE rowid = ?', (new, row))
            what = f"{table}.{column} row {row}"
    connection.close()
    return what


def unseen(tmp_path, times):
    filled(tmp_path / "clean.db")
    dice, missed = random.Random(7), []
    for _ in range(times):
        path = tmp_path / "edited.db"
        for rest in ("", "-wal", "-shm"):
            Path(f"{path}{rest}").unlink(missing_ok=True)
        shutil.copy(tmp_path / "clean.db", path)
        what = edited(path, dice)
        with open_store(path) as store:
            if store.verify().ok:
                missed.append(what)
    return missed


def test_random_edits_are_seen(tmp_path):
    assert unseen(tmp_path, 10) == []


@pytest.mark.soak
def test_a_hundred_random_edits_are_seen(tmp_path):
    assert unseen(tmp_path, 100) == []
