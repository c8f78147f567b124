"""CPU seconds to score a million questionnaires and to class a million changes.

Run: python benchmarks/outcomes.py
"""

import resource
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from expertise.instruments import score
from expertise.outcomes.change import reliable_change

PEOPLE, ITEMS = 1_000_000, 45


def questionnaires(missing: float) -> pd.DataFrame:
    """Make answers on 45 items, some of them missing."""
    rng = np.random.default_rng(20251121)
    answers = rng.integers(0, 5, (PEOPLE, ITEMS))
    values = np.where(rng.random(answers.shape) < missing, np.nan, answers) if missing else answers
    table = pd.DataFrame(values, columns=[f"oq45_{item}" for item in range(1, ITEMS + 1)])
    table.insert(0, "participant", np.arange(PEOPLE))
    return table


def changes() -> pd.DataFrame:
    """Make two waves of a million people, long."""
    rng = np.random.default_rng(20251121)
    before = rng.normal(50, 10, PEOPLE)
    return pd.DataFrame(
        {
            "participant": np.tile(np.arange(PEOPLE), 2),
            "wave": np.repeat([0, 6], PEOPLE),
            "score": np.concatenate([before, before + rng.normal(-4, 8, PEOPLE)]),
        }
    )


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of one run."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Print seconds, a bare-numpy yardstick, and the peak of memory."""
    whole, holes, long = questionnaires(0), questionnaires(0.02), changes()
    bare = seconds(lambda: whole.iloc[:, 1:].to_numpy().sum(axis=1))
    one = seconds(lambda: score(whole, "oq45", max_missing=0))
    two = seconds(lambda: score(holes, "oq45", max_missing=4))
    options = {"waves": (0, 6), "reliability": 0.8, "better": "lower", "cutoff": "a"}
    jt = seconds(lambda: reliable_change(long, others=(), **options))
    six = seconds(lambda: reliable_change(long, **options))
    print(f"score, {PEOPLE:,} × {ITEMS}: {one:.2f} s; with 2 % missing {two:.2f} s")
    print(f"a bare sum over the same answers: {bare:.2f} s, ratio {one / bare:.1f}")
    print(f"change classes, {PEOPLE:,} people: {jt:.2f} s; with six rules {six:.2f} s")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main()
