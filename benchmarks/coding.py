"""Folding a million acts, and many coders at one store.

Run: python benchmarks/coding.py [acts] [coders] [codings each]
"""

import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from uuid import UUID

import numpy as np
import pandas as pd

from expertise.coding.acts import FIELDS, Act, Record, typed
from expertise.coding.assignment import Coder, Fragment
from expertise.coding.codebook import Code, Codebook
from expertise.coding.folding import ledger
from expertise.coding.importing import import_codings
from expertise.coding.opening import open_store
from expertise.coding.session import CodingSession

BOOK = Codebook(codes=tuple(Code(key=f"c{i}", name=f"C{i}", definition="d") for i in range(30)))
KINDS = {"applied": 0.7, "removed": 0.05, "doubted": 0.05, "undone": 0.05, "finished": 0.05,
         "opened": 0.05, "memo": 0.05}  # fmt: skip


def uuid(number):
    return str(UUID(int=number))


def invented(n):
    """Return a table of n acts by five coders on 500 texts, undone and removed ones among them."""
    rng = np.random.default_rng(1)
    ids = np.array([uuid(i) for i in range(n)], dtype=object)
    start = rng.integers(0, 10_000, n)
    given = {
        "uuid": ids, "kind": rng.choice(list(KINDS), n, p=list(KINDS.values())),
        "coder": rng.choice([f"k{i}" for i in range(5)], n), "round": "alone",
        "document": rng.choice([f"d{i}" for i in range(500)], n), "sha256": "0" * 64,
        "start": start, "end": start + rng.integers(1, 200, n),
        "code": rng.choice(list(BOOK), n), "n": np.arange(1, n + 1),
        "target": ids[(rng.random(n) * np.arange(n)).astype(int)], "when": "2026-01-01",
    }  # fmt: skip
    return typed(pd.DataFrame(given).reindex(columns=FIELDS, fill_value=""))


def folding(n):
    acts = invented(n)
    start = time.process_time()
    found = ledger(acts)
    print(f"fold {n:,} acts: {time.process_time() - start:.2f} s CPU, "
          f"{len(found.codings):,} codings stand")  # fmt: skip


def importing(n=200_000):
    text = "hoop " * (n // 5 + 2)
    rows = pd.DataFrame({"document": "d", "coder": "a", "code": "c1", "start": np.arange(n),
                         "end": np.arange(n) + 3})  # fmt: skip
    start = time.process_time()
    import_codings(rows, {"d": text}, BOOK)
    print(f"check {n:,} imported codings: {time.process_time() - start:.2f} s CPU")


def storing(folder, n=20_000):
    acts = [Act(uuid=uuid(i), kind="applied", coder="a", document="d", start=0, end=1, code="c1")
            for i in range(n)]  # fmt: skip
    words = {a.uuid: Record(kind="quote", key=a.uuid, body="x" * 80) for a in acts}
    with open_store(folder / "many.db") as store:
        start = time.process_time()
        store.append(*acts, records=words)
        stored = time.process_time() - start
        start = time.process_time()
        assert store.verify().ok
        verified = time.process_time() - start
    print(f"store {n:,} acts at once with their quotes: {stored:.2f} s CPU; "
          f"verify them: {verified:.2f} s CPU")  # fmt: skip


def fsyncs(folder, n=50):
    with (folder / "probe").open("wb", buffering=0) as file:
        start = time.perf_counter()
        for _ in range(n):
            file.write(b"x" * 4096)
            os.fsync(file.fileno())
    return n / (time.perf_counter() - start)


def together(folder, coders, each):
    """Every coder codes through a session of their own, all at once, as on a server."""
    text = Fragment(id="d1", text="hoop " * 1_000, coded_by=frozenset({"patient"}))
    store, waits, lock = open_store(folder / "together.db"), [], threading.Lock()

    def code(number):
        session = CodingSession(store, Coder(id=f"k{number}", perspective="patient"), BOOK, [text])
        session.handle({"kind": "open", "id": uuid(number * 10**6), "document": "d1"})
        mine, after = [], 0
        for i in range(each):
            message = {"kind": "apply", "id": uuid(number * 10**6 + i + 1), "document": "d1",
                       "sha256": text.sha256, "start": i * 5, "end": i * 5 + 4, "code": "c1",
                       "after": after}  # fmt: skip
            start = time.perf_counter()
            answer = session.handle(message)
            mine.append(time.perf_counter() - start)
            assert answer["error"] is None
            after = answer["n"]
        with lock:
            waits.extend(mine)

    threads = [threading.Thread(target=code, args=(i,)) for i in range(coders)]
    cpu = time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = sum(act.kind == "applied" for act in store.after())
    assert store.verify().ok
    store.close()
    half, most = np.quantile(waits, [0.5, 0.99])
    print(f"{coders} coders × {each} codings at once: {kept:,} of {coders * each:,} kept, "
          f"median {half * 1000:.0f} ms, p99 {most:.2f} s, "
          f"{(time.process_time() - cpu) / kept * 1000:.1f} ms CPU each; "
          f"the disk does {fsyncs(folder):.0f} fsyncs a second")  # fmt: skip


def main(acts=1_000_000, coders=50, each=200):
    folding(acts)
    importing()
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        storing(Path(folder))
        together(Path(folder), coders, each)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
