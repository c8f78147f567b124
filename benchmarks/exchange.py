"""QDPX with 100,000 selections: CPU seconds to read and to write.

Run: python benchmarks/exchange.py [selections]
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from expertise.exchange.project import make_project
from expertise.exchange.reading import read_qdpx
from expertise.exchange.writing import write_qdpx

WORDS = ["hoop", "verzet", "licht", "regie", "moe", "samen", "opname", "thuis", "👧", "cafe\u0301"]


def invented(n, documents=20, words=20_000):
    """Return a project of invented texts with n codings by four coders."""
    rng = np.random.default_rng(1)
    texts = {f"d{i}": " ".join(rng.choice(WORDS, words)) for i in range(documents)}
    starts = {d: np.flatnonzero(np.array([" "] + list(t[:-1])) == " ") for d, t in texts.items()}
    rows = []
    for i in range(n):
        document = f"d{i % documents}"
        at = rng.integers(0, words - 20)
        begin, end = starts[document][at], starts[document][at + 1 + i % 12] - 1
        rows.append((document, f"c{i % 4}", f"code{i % 30}", int(begin), int(end)))
    names = ["document", "coder", "code", "start", "end"]
    selections = pd.DataFrame(rows, columns=names).drop_duplicates()
    codes = pd.DataFrame({"code": [f"code{i}" for i in range(30)]})
    return make_project("maat", texts, codes, selections)


def timed(work):
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def main(n=100_000):
    project = invented(n)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "maat.qdpx"
        first, _ = timed(lambda: write_qdpx(project, path))
        read, again = timed(lambda: read_qdpx(path))
        second, _ = timed(lambda: write_qdpx(again, path))
        size = path.stat().st_size / 1e6
    print(f"{len(again.selections):,} selections, {size:.1f} MB, {again.positions.convention}")
    print(f"write our own {first:.2f} s · read {read:.2f} s · write what was read {second:.2f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
