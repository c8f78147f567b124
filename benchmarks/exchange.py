"""QDPX with 100,000 selections, beside its peers in one run; writes docs/benchmarks/exchange.md.

Run: python benchmarks/exchange.py [--peers PYTHON] [--full]

PYTHON is one that has pyrefiqda and qdapy (`python -m venv peers; peers/bin/pip install
pyrefiqda qdapy`). They get 10,000 selections; with --full also 100,000, which takes minutes.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from expertise.exchange.project import make_project
from expertise.exchange.reading import read_qdpx
from expertise.exchange.writing import write_qdpx

WORDS = ["hoop", "verzet", "licht", "regie", "moe", "samen", "opname", "thuis", "👧", "cafe\u0301"]
OUT = Path(__file__).parents[1] / "docs" / "benchmarks" / "exchange.md"
PAGE = """# How fast QDPX is read and written

CPU seconds on one core, from file to tables and back, with the positions found, for texts with
emoji and combining accents. Peers ran in the same run, on the same file, in a Python of their own.
pyrefiqda gives the elements of the file and no positions in the text; qdapy reads only.
Made by `python benchmarks/exchange.py --peers PYTHON --full`.

| selections | what | expertise | {peers} |
|---|---|---|{rule}
{rows}
"""
PEER = {
    "pyrefiqda": """
from pyrefiqda import RefiProject
project, read = timed(lambda: RefiProject.load(path, folder + "/peer"))
_, write = timed(lambda: RefiProject.save(project, folder + "/peer.qdpx"))
""",
    "qdapy": """
from qdapy.qdpx import read_qdpx
_, read = timed(lambda: read_qdpx(path, warn=False))
write = None
""",
}
TIMED = """
import json, sys, time
def timed(work):
    start = time.process_time()
    result = work()
    return result, time.process_time() - start
path, folder, name = sys.argv[1:]
"""
SAID = """
from importlib.metadata import version
print(json.dumps([version(name), read, write]))
"""


def invented(n, documents=20, words=20_000):
    """Return a project of invented texts with n codings by four coders."""
    rng = np.random.default_rng(1)
    texts = {f"d{i}": " ".join(rng.choice(WORDS, words)) for i in range(documents)}
    starts = {d: np.flatnonzero(np.array([" "] + list(t[:-1])) == " ") for d, t in texts.items()}
    rows = []
    for i in range(n + n // 10):
        document = f"d{i % documents}"
        at = rng.integers(0, words - 20)
        begin, end = starts[document][at], starts[document][at + 1 + i % 12] - 1
        rows.append((document, f"c{i % 4}", f"code{i % 30}", int(begin), int(end)))
    names = ["document", "coder", "code", "start", "end"]
    selections = pd.DataFrame(rows, columns=names).drop_duplicates().head(n)
    codes = pd.DataFrame({"code": [f"code{i}" for i in range(30)]})
    return make_project("maat", texts, codes, selections)


def timed(work):
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def ours(n, path):
    """Return seconds to write a study's own tables, to read them, and to write what was read."""
    project = invented(n)
    _, first = timed(lambda: write_qdpx(project, path))
    again, read = timed(lambda: read_qdpx(path))
    _, second = timed(lambda: write_qdpx(again, path))
    assert len(again.selections) == n
    assert again.positions.convention == "codepoints crlf2 nobom exclusive"
    return first, read, second


def theirs(python, name, path, folder):
    """Return version, seconds to read and seconds to write; dashes when the peer is not there."""
    command = [python, "-c", TIMED + PEER[name] + SAID, str(path), folder, name]
    done = subprocess.run(command, capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else ("not there", None, None)


def measured(n, peers):
    """Return rows of the table, and the versions of the peers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "maat.qdpx"
        first, read, second = ours(n, path)
        found = {name: theirs(python, name, path, folder) for name, python in peers.items()}

    def row(what, own, others):
        beside = [f"{other:.1f} ({other / own:.0f} ×)" if other else "–" for other in others]
        return " | ".join([f"| {n:,}", what, f"{own:.2f}", *(beside or ["–"])]) + " |"

    rows = [row("read", read, [one[1] for one in found.values()]),
            row("write what was read", second, [one[2] for one in found.values()]),
            row("write own tables", first, [None for _ in found])]  # fmt: skip
    return rows, [f"{name} {one[0]}" for name, one in found.items()]


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--peers", metavar="PYTHON")
    asked.add_argument("--full", action="store_true")
    given = asked.parse_args()
    peers = dict.fromkeys(PEER, given.peers) if given.peers else {}
    rows, names = measured(10_000, peers)
    more, _ = measured(100_000, peers if given.full or not peers else dict.fromkeys(peers, "false"))
    page = PAGE.format(
        rows="\n".join(rows + more), peers=" | ".join(names) or "peers",
        rule="---|" * max(len(names), 1),
    )  # fmt: skip
    OUT.write_text(page, "utf-8")
    print(page)


if __name__ == "__main__":
    main()
