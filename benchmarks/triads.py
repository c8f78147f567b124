"""CPU seconds of the dependability study of 300 × 3 × 20 × 2, and of its intervals.

Run with one thread: OPENBLAS_NUM_THREADS=1 python benchmarks/triads.py
"""

import time

import numpy as np
import pandas as pd

from expertise.triads.components import estimate
from expertise.triads.facets import lay_out
from expertise.triads.generalizability import dependability
from expertise.triads.redraws import resample_persons

LEVELS = {"person": 300, "perspective": 3, "item": 20, "wave": 2}


def invented(seed=1):
    rng = np.random.default_rng(seed)
    at = np.indices(tuple(LEVELS.values())).reshape(4, -1)
    y = 0.7 * rng.normal(size=at.shape[1])
    for a in range(4):
        y = y + 0.8 * rng.normal(size=99 * 99)[at[a]]
        for b in range(a):
            y = y + 0.4 * rng.normal(size=300 * 99)[at[b] * 90 + at[a]]
    table = pd.DataFrame(dict(zip(LEVELS, at, strict=True)))
    return table.assign(score=y)


def timed(what, call):
    start = time.process_time()
    value = call()
    print(f"{what:58s} {time.process_time() - start:7.2f} CPU s", flush=True)
    return value


def main():
    table = invented()
    holes = table.sample(frac=0.9, random_state=1)
    facets = ["perspective", "item", "wave"]
    for name, rows, draws in (("balanced", table, 1000), ("10 % missing", holes, 1000)):
        study = timed(
            f"{name}: lay out {len(rows)} rows",
            lambda rows=rows: lay_out(rows, "person", facets, "score", 2),
        )
        found = timed(f"{name}: fit", lambda study=study: estimate(study, "reml"))
        timed(
            f"{name}: {draws} resamples of persons",
            lambda study=study, fit=found[1], draws=draws: resample_persons(
                study, "reml", fit, draws, 1, False
            ),
        )
    timed(
        "balanced: dependability() as a whole, 1000 draws",
        lambda: dependability(
            table, "person", facets, "score", order=2, fixed=["perspective"], replicates=1000
        ),
    )


if __name__ == "__main__":
    main()
