"""Times other programs on the same tables: each call in a process of its own, CPU seconds."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

SECONDS = 1200
SAMPLE = 0.1  # seconds: short calls are repeated, for clocks tick by the millisecond
# Written out, for not every peer reads (a + b)^2.
VERBAGG = (
    "Anger + Gender + btype + situ + Anger:Gender + Anger:btype + Anger:situ"
    " + Gender:btype + Gender:situ + btype:situ + (1 | id) + (1 | item)"
)


def output(command: list[str]) -> str | None:
    """Return what a command prints, or None where it is absent, fails or takes 20 minutes."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def by_r(call: str, path: Path, packages: str = "lme4") -> list[float] | None:
    """Return user and system seconds of a call on a table d, of the fastest sample, and a number.

    The call assigns its model to m; the number is the model's log-likelihood.
    """
    code = (
        f"suppressMessages(for (p in strsplit('{packages}', ' ')[[1]]) library(p, "
        f"character.only = TRUE)); d <- read.csv('{path}', stringsAsFactors = TRUE); all <- c(); "
        "n <- 1; while (length(all) < 4 && sum(all) < 20 || sum(all) * n < 1) "
        f"{{ t <- system.time(for (i in 1:n) suppressWarnings(suppressMessages({call}))); "
        f"all <- c(all, (t[1] + t[2]) / n); n <- max(1, floor({SAMPLE} / tail(all, 1))) }}; "
        "if (length(all) > 1) all <- all[-1]; "
        "cat(min(all), format(as.numeric(logLik(m)), digits = 12))"
    )
    found = output(["Rscript", "-e", code])
    return None if found is None else [float(word) for word in found.split()[-2:]]


def by_python(python: str, load: str, call: str, path: Path) -> float | None:
    """Return the CPU seconds of a call on a table d in another Python, of the fastest sample."""
    code = f"""
import time, warnings
import pandas as pd
{load}
warnings.simplefilter("ignore")
d, taken = pd.read_csv(r"{path}"), []
times = 1
while len(taken) < 4 and sum(taken) < 20 or sum(taken) * times < 1:
    start = time.process_time()
    for _ in range(times):
        {call}
    taken.append((time.process_time() - start) / times)
    times = max(1, int({SAMPLE} / taken[-1]))
print(min(taken[len(taken) > 1 :]))
"""
    found = output([python, "-c", code])
    return None if found is None else float(found.split()[-1])


def beside(peer: float | None, ours: float) -> str:
    """Write a peer's seconds and how many times ours they are."""
    return "–" if peer is None else f"{peer:.3f} ({peer / ours:.1f}×)"


def machine(mixedlm: str | None, *packages: str) -> str:
    """Name the processor and the versions of everything that is measured, on one line."""
    ours = [f"{name} {version(name)}" for name in ("numpy", "scipy", "pandas", "statsmodels")]
    code = (
        "cat(R.version.string); for (p in c('" + "', '".join(packages) + "')) "
        "if (requireNamespace(p, quietly = TRUE)) cat(',', p, as.character(packageVersion(p)))"
    )
    r = output(["Rscript", "-e", code])
    ask = "from importlib.metadata import version; print('mixedlm', version('mixedlm'))"
    peer = output([mixedlm, "-c", ask]) if mixedlm else None
    parts = [f"{_processor()}, {os.cpu_count()} cores", f"Python {platform.python_version()}",
             *ours, *(found.strip() for found in (r, peer) if found)]  # fmt: skip
    return ", ".join(parts)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
