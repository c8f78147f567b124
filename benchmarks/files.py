"""CPU seconds and memory to read a million rows of ten columns, beside pandas.

Run: python benchmarks/files.py
"""

import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from expertise.files.tables import read_table
from expertise.files.write import write_table

ROWS = 1_000_000


def scores(rows: int) -> pd.DataFrame:
    """Make a long table as studies have it."""
    random = np.random.default_rng(20251121)
    person = np.arange(rows) % (rows // 20)
    return pd.DataFrame(
        {
            "deelnemer": [f"P{number:06d}" for number in person],
            "rol": np.array(["patient", "naaste", "professional"])[person % 3],
            "meting": np.arange(rows) // (rows // 20),
            "datum": [f"2025-{n % 12 + 1:02d}-{n % 28 + 1:02d}" for n in range(rows)],
            "instrument": "ORS",
            "item1": random.integers(0, 5, rows),
            "item2": random.integers(0, 5, rows),
            "score": random.normal(50, 10, rows),
            "duur": random.gamma(2, 3, rows),
            "opmerking": [f"regel {n} van wat iemand bij deze meting schreef" for n in range(rows)],
        }
    )


def main() -> None:
    """Print both times, their ratio and the peak of memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_table(scores(ROWS), Path(folder) / "scores.csv")
        start = time.process_time()
        file = read_table(path)
        ours = time.process_time() - start
        start = time.process_time()
        pd.read_csv(path, dtype=str, keep_default_na=False)
        pandas = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{path.stat().st_size / 1e6:.0f} MB, {len(file.table):,} rows")
        print(f"read_table {ours:.1f} s, pandas as text {pandas:.1f} s, ratio {ours / pandas:.1f}")
        print(f"peak {peak:,.0f} MB, with the table that was written")


if __name__ == "__main__":
    main()
