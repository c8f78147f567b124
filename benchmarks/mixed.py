"""How fast mixed models are, beside lme4, pbkrtest, statsmodels and mixedlm where installed.

    OPENBLAS_NUM_THREADS=1 python benchmarks/mixed.py [--data FOLDER] [--rows N] [--mixedlm PYTHON]
                                                      [--only WORD] [--no-peers]

One thread, CPU seconds, all in one run; writes docs/benchmarks/mixed.md. FOLDER
holds sleepstudy.csv, insteval.csv and verbagg.csv of lme4; the other tables
are simulated here. `--rows` streams that many rows through `reduce_mixed`.
`--mixedlm` names a Python that has the package mixedlm. Peers get 20 minutes each, by the clock.
`--only` runs the problems whose name holds the word, and writes nothing.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from mixed_peers import SAMPLE, VERBAGG, beside, by_python, by_r, machine

from expertise.mixed.chunks import reduce_mixed
from expertise.mixed.fit import fit_mixed
from expertise.mixed.sums_fit import fit_sums

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "benchmarks" / "mixed.md"
OUTCOME = "y ~ time * trt + age + sex + (time | patient) + (1 | team)"
STUDY = ["p", "v", "i", "o", "pv", "pi", "po", "vi", "vo", "io"]


def outcome(patients: int, seed: int, kept: float = 1.0, dates: bool = False) -> pd.DataFrame:
    """Ten planned waves per patient in 100 teams; waves missing at random, or on real dates."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), 10)
    team = rng.integers(0, 100, patients)
    b = rng.multivariate_normal([0, 0], [[9, -0.6], [-0.6, 0.25]], patients)
    time_ = np.tile(np.arange(10) / 2, patients)
    if dates:
        time_ = time_ + rng.normal(0, 0.05, len(time_))
    trt, sex = rng.integers(0, 2, (2, patients))
    age = rng.normal(size=patients)
    y = 20 - 0.8 * time_ - 0.7 * trt[patient] * time_ + 0.5 * age[patient] + sex[patient]
    y += rng.normal(0, 1.5, 100)[team[patient]] + b[patient, 0] + b[patient, 1] * time_
    y += rng.normal(0, 2.5, len(y))
    table = {"y": y, "time": time_, "trt": trt[patient], "age": age[patient],
             "sex": sex[patient], "patient": patient, "team": team[patient]}  # fmt: skip
    return pd.DataFrame(table)[rng.random(len(y)) < kept].reset_index(drop=True)


def generalizability(seed: int = 3) -> pd.DataFrame:
    """300 people × 3 × 20 × 2, all effects of up to two facets."""
    rng = np.random.default_rng(seed)
    sizes = {"p": 300, "v": 3, "i": 20, "o": 2}
    grid = np.meshgrid(*(np.arange(size) for size in sizes.values()), indexing="ij")
    table = pd.DataFrame({name: axis.ravel() for name, axis in zip(sizes, grid, strict=True)})
    sd = [0.8, 0.3, 0.5, 0.15, 0.5, 0.4, 0.25, 0.2, 0.1, 0.1]
    y = 3 + rng.normal(0, 0.7, len(table))
    for name, spread in zip(STUDY, sd, strict=True):
        parts = [table[letter] for letter in name]
        table[name] = parts[0] if len(name) == 1 else parts[0] * 1000 + parts[1]
        codes, levels = pd.factorize(table[name])
        y += rng.normal(0, spread, len(levels))[codes]
    return table.assign(y=y)


def measured(call: Callable[[], Any]) -> float:
    """Return CPU seconds of a call: the fastest sample of a tenth of a second, or of one call."""
    taken: list[float] = []
    times = 1
    while len(taken) < 4 or sum(taken) * times < 1:
        start = time.process_time()
        for _ in range(times):
            call()
        taken.append((time.process_time() - start) / times)
        times = max(1, int(SAMPLE / taken[-1]))
    return min(taken[1:])


def by_lme4(formula: str, path: Path, family: str, kenward_roger: bool) -> float | None:
    """Return the seconds of lmer, glmer or pbkrtest."""
    call = f"lmer({formula}, d)" if family == "gaussian" else f"glmer({formula}, d, {family})"
    call = f"m <- {call}"
    if kenward_roger:
        call = f"{{{call}; pbkrtest::get_Lb_ddf(m, fixef(m) * 0 + 1)}}"
    found = by_r(call, path)
    return None if found is None else found[0]


def by_statsmodels(path: Path, formula: str) -> float | None:
    """Time statsmodels' MixedLM, for one grouping with a slope."""
    fixed, random = formula.split(" + (", 1)
    slope, group = random.rstrip(")").split(" | ")
    call = f"mixedlm('{fixed}', d, groups='{group}', re_formula='~{slope}').fit()"
    return by_python(sys.executable, "from statsmodels.formula.api import mixedlm", call, path)


def by_mixedlm(python: str, path: Path, formula: str, family: str) -> float | None:
    """Time the package mixedlm."""
    more = "" if family == "gaussian" else ", family=mixedlm.families.Binomial()"
    call = f"mixedlm.{'lmer' if family == 'gaussian' else 'glmer'}('{formula}', d{more})"
    return by_python(python, "import mixedlm", call, path)


def problems(folder: Path | None) -> Iterator[tuple[str, str, pd.DataFrame, str, str, float]]:
    """Yield name, formula, table, family, method and the seconds aimed at."""
    if folder is not None:
        yield ("sleepstudy, random slope", "Reaction ~ Days + (Days | Subject)",
               pd.read_csv(folder / "sleepstudy.csv"), "gaussian", "normal", 0.002)  # fmt: skip
    yield "50,000 rows, slopes in teams", OUTCOME, outcome(5000, 1), "gaussian", "normal", 0.06
    yield ("the same with 30 % dropout", OUTCOME, outcome(5000, 1, 0.7), "gaussian", "normal",
           0.15)  # fmt: skip
    yield ("the same on real dates", OUTCOME, outcome(5000, 1, 0.7, True), "gaussian", "normal",
           0.15)  # fmt: skip
    yield "500,000 rows", OUTCOME, outcome(50_000, 2), "gaussian", "normal", 0.5
    if folder is not None:
        yield ("InstEval, crossed", "y ~ service + (1 | s) + (1 | d) + (1 | dept)",
               pd.read_csv(folder / "insteval.csv"), "gaussian", "normal", 1.0)  # fmt: skip
    yield ("G-study, 10 variances", "y ~ 1 + " + " + ".join(f"(1 | {name})" for name in STUDY),
           generalizability(), "gaussian", "normal", 0.5)  # fmt: skip
    yield ("3,000 rows, Kenward–Roger", "y ~ time * trt + (time | patient)",
           outcome(300, 4, 0.9), "gaussian", "kenward-roger", 0.1)  # fmt: skip
    if folder is not None:
        yield ("VerbAgg, Laplace", f"y ~ {VERBAGG}", pd.read_csv(folder / "verbagg.csv"),
               "binomial", "normal", 0.4)  # fmt: skip


def compared(
    folder: Path | None, mixedlm: str | None, peers: bool, only: str
) -> Iterator[list[str]]:
    """Yield one row of the table per problem."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "table.csv"
        for name, formula, table, family, df, aim in problems(folder):
            if only not in name:
                continue
            table.to_csv(path, index=False)
            ours = measured(partial(fit_mixed, formula, table, family=family, df=df))
            others: list[float | None] = [None, None, None]
            if peers:
                others[0] = by_lme4(formula, path, family, df == "kenward-roger")
            if peers and mixedlm and df == "normal":
                others[1] = by_mixedlm(mixedlm, path, formula, family)
            if peers and formula.count("|") == 1 and df == "normal":
                others[2] = by_statsmodels(path, formula)
            yield [name, f"{aim:g}", f"{ours:.4f}", *(beside(peer, ours) for peer in others)]


def refit() -> list[str]:
    """Refit half a million rows from their sums."""
    sums = reduce_mixed(OUTCOME, outcome(50_000, 2), levels={"team": range(100)})
    ours = measured(lambda: fit_sums(sums, df="normal"))
    return ["500,000 rows, refit from sums", "0.01", f"{ours:.4f}", "–", "–", "–"]


def stream(rows: int) -> list[str]:
    """Sum many rows chunk by chunk in one pass, and fit them."""
    patients, size = rows // 10, 50_000

    def chunks() -> Iterator[pd.DataFrame]:
        base = outcome(size, 7)
        for start in range(0, patients, size):
            yield base.assign(patient=base["patient"] + start)

    start = time.process_time()
    fit = fit_sums(reduce_mixed(OUTCOME, chunks(), levels={"team": range(100)}))
    ours = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return [f"{fit.n:,} rows in chunks ({peak:.2f} GB at most)", "1 pass, 1 GB", f"{ours:.1f}",
            "–", "–", "–"]  # fmt: skip


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "mixed")
    asked.add_argument("--rows", type=int, default=0)
    asked.add_argument("--mixedlm")
    asked.add_argument("--only", default="")
    asked.add_argument("--no-peers", action="store_true")
    given = asked.parse_args()
    folder = given.data if given.data.is_dir() else None
    head = ["problem", "aim (s)", "expertise (s)", "lme4, pbkrtest", "mixedlm", "statsmodels"]
    # The stream comes first: its peak of memory must be its own.
    rows = [stream(given.rows)] if given.rows else []
    for row in compared(folder, given.mixedlm, not given.no_peers, given.only):
        print(" | ".join(row), flush=True)
        rows.append(row)
    if given.only:
        return
    rows.append(refit())
    lines = [
        "# Speed of mixed models", "",
        "`OPENBLAS_NUM_THREADS=1 python benchmarks/mixed.py --mixedlm PYTHON --rows 50000000` makes "
        "this table: CPU seconds from a table in memory to a fit with the modes of all groups, one "
        "thread, the fastest sample of a tenth of a second; in brackets how many times ours a peer takes, timed "
        "likewise in the same run. A dash is a peer that is not installed, has no such model or "
        "was not done in 20 minutes.", "",
        machine(given.mixedlm, "lme4", "pbkrtest"), "",
        "| " + " | ".join(head) + " |", "|" + "---|" * len(head),
        *("| " + " | ".join(row) + " |" for row in rows), "",
    ]  # fmt: skip
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text("\n".join(lines), "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
