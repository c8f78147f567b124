"""How fast generalized mixed models are, beside lme4, glmmTMB, ordinal and mixedlm where installed.

    OPENBLAS_NUM_THREADS=1 python benchmarks/mixed_glmm.py [--data FOLDER] [--mixedlm PYTHON]

One thread, CPU seconds, all in one run; writes docs/benchmarks/mixed_glmm.md.
FOLDER holds cbpp.csv, verbagg.csv and wine.csv. `--mixedlm` names a Python
that has the package mixedlm. Peers get 20 minutes each, by the clock.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pandas as pd
from mixed_peers import VERBAGG, beside, by_python, by_r, machine

from expertise.mixed.fit import fit_mixed

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "benchmarks" / "mixed_glmm.md"
MODELS = {
    "VerbAgg, Laplace": (
        "verbagg.csv",
        f"y ~ {VERBAGG}",
        {"family": "binomial"},
        {
            "lme4": f"lme4::glmer(y ~ {VERBAGG}, d, binomial)",
            "glmmTMB": f"glmmTMB::glmmTMB(y ~ {VERBAGG}, d, family = binomial)",
        },
    ),
    "cbpp, 9 nodes": (
        "cbpp.csv",
        "incidence ~ period + (1 | herd)",
        {"family": "binomial", "trials": "size", "quadrature": 9},
        {
            "lme4": "lme4::glmer(cbind(incidence, size - incidence) ~ factor(period)"
            " + (1 | herd), d, binomial, nAGQ = 9)",
        },
    ),
    "wine, cumulative": (
        "wine.csv",
        "rating ~ temp + contact + (1 | judge)",
        {"family": "cumulative"},
        {"ordinal": "ordinal::clmm(ordered(rating) ~ temp + contact + (1 | judge), data = d)"},
    ),
}


def ours(table: pd.DataFrame, formula: str, options: dict) -> tuple[float, float]:
    """Return the best CPU seconds of five fits, everything included, and the log-likelihood."""
    times = []
    for _ in range(5):
        start = time.process_time()
        fit = fit_mixed(formula, table, **options)
        times.append(time.process_time() - start)
    return min(times), fit.log_likelihood


def compared(folder: Path, mixedlm: str | None) -> list[list[str]]:
    """Return a row per model and program: CPU seconds, how many times ours, log-likelihood."""
    rows = []
    for name, (file, formula, options, peers) in MODELS.items():
        table = pd.read_csv(folder / file)
        if file == "cbpp.csv":
            table = table.astype({"period": str})
        seconds, height = ours(table, formula, options)
        rows.append([name, "expertise", f"{seconds:.4f}", f"{height:.6f}"])
        for peer, call in peers.items():
            if (found := by_r(f"m <- {call}", folder / file, call.split("::")[0])) is not None:
                rows.append([name, peer, beside(found[0], seconds), f"{found[1]:.6f}"])
        if mixedlm and name.startswith("VerbAgg"):
            call = f"mixedlm.glmer('{formula}', d, family=mixedlm.families.Binomial())"
            peer = by_python(mixedlm, "import mixedlm", call, folder / file)
            rows.append([name, "mixedlm", beside(peer, seconds), "–"])
    return rows


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "mixed")
    asked.add_argument("--mixedlm")
    given = asked.parse_args()
    folder = given.data
    if not folder.is_dir():
        sys.exit(f"no data in {folder}; give the folder with cbpp.csv, verbagg.csv and wine.csv")
    head = ["problem", "program", "CPU seconds (times ours)", "log-likelihood"]
    lines = [
        "# Speed of generalized and ordinal mixed models", "",
        "`OPENBLAS_NUM_THREADS=1 python benchmarks/mixed_glmm.py --mixedlm PYTHON` makes this "
        "table: CPU seconds from a table in memory to a fit, one thread, the fastest of several "
        "runs, and how many times ours a peer takes in the same run. VerbAgg may take 0.4 s. lme4 "
        "leaves constants out of the log-likelihood with quadrature.", "",
        machine(given.mixedlm, "lme4", "glmmTMB", "ordinal"), "",
        "| " + " | ".join(head) + " |", "|" + "---|" * len(head),
        *("| " + " | ".join(row) + " |" for row in compared(folder, given.mixedlm)), "",
    ]  # fmt: skip
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text("\n".join(lines), "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
