"""Time agreement beside its peers in one run, and write docs/benchmarks/agreement.md.

Run from the checkout: ``OPENBLAS_NUM_THREADS=1 python benchmarks/agreement.py [--peers PYTHON]``.
PYTHON is one that has krippendorff-unitized-alpha (it needs numpy 1, so an environment of its
own: ``python -m venv peers; peers/bin/pip install krippendorff-unitized-alpha``).
"""

import argparse
import json
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import krippendorff
import numpy as np
import pandas as pd
from nltk.metrics.agreement import AnnotationTask
from statsmodels.stats import inter_rater

from expertise.agreement.alphas import alpha
from expertise.agreement.kappas import fleiss_kappa
from expertise.agreement.unitizing import unitizing_alpha

PAGE = """# How fast agreement is

CPU seconds, best of five, one thread, from a pandas table to the finished
coefficient: checking and folding the table, the estimate, its standard error
and its interval are all inside. Peers ran in the same process. Made by
`OPENBLAS_NUM_THREADS=1 python benchmarks/agreement.py`.

| what | ours | peer | theirs | ratio |
|---|---|---|---|---|
{rows}

The peers give no interval: a thousand of their runs is one run times 1,001,
not measured. The peer for unitizing alpha ran in a Python of its own (`--peers PYTHON`), on the
same passages, and gave the same number to 12 digits; its time grows with the square of the units.
"""
UNITIZING = """
import json, sys, time
from importlib.metadata import version
from krippendorff_unitized_alpha.krippendorffs_unitized_alpha import (
    EMPTY_TAG, KrippendorffUnitizedAlpha, Segment)
given = json.load(sys.stdin)
start = time.process_time()
data = {}
for coder, rows in given["coders"].items():
    # Its own blanks take an end as inclusive, which its lengths do not.
    edges = [0, *(x for row in rows for x in row[1:]), given["length"]]
    blanks = [Segment(EMPTY_TAG, a, b) for a, b in zip(edges[::2], edges[1::2]) if a < b]
    data[coder] = [Segment(*row) for row in rows] + blanks
value = KrippendorffUnitizedAlpha(data).result
print(json.dumps([value, time.process_time() - start, version("krippendorff-unitized-alpha")]))
"""
OUT = Path(__file__).parents[1] / "docs" / "benchmarks" / "agreement.md"


def seconds(work: Callable[[], object], times: int = 5) -> float:
    spent = []
    for _ in range(times):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)


def judgements(n: int, m: int, missing: float) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    truth = rng.integers(5, size=(n, 1))
    values = np.where(rng.random((n, m)) < 0.2, rng.integers(5, size=(n, m)), truth).astype(float)
    values[rng.random((n, m)) < missing] = np.nan
    return pd.DataFrame(values, columns=[f"coder {i}" for i in range(m)])


def passages(
    documents: int, units: int, m: int, least: int = 20
) -> tuple[pd.DataFrame, dict[str, int]]:
    rng = np.random.default_rng(1)
    per = units // documents
    parts, lengths = [], {}
    for document in range(documents):
        begin = np.cumsum(rng.integers(least, 120, per))
        lengths[f"d{document}"] = int(begin[-1]) + 100
        for coder in range(m):
            start = begin + rng.integers(-4, 5, per)
            other = rng.random(per) < 0.2
            code = np.where(other, rng.integers(8, size=per), np.arange(per) % 8)
            part = {"document": f"d{document}", "coder": f"c{coder}", "code": code.astype(str)}
            parts.append(
                pd.DataFrame(part | {"start": start, "end": start + rng.integers(5, 16, per)})
            )
    return pd.concat(parts, ignore_index=True), lengths


def unitizing_peer(python: str, codings: pd.DataFrame, length: int) -> tuple[float, float, str]:
    """Return value, seconds and version of krippendorff-unitized-alpha on one document."""
    rows = {coder: part[["code", "start", "end"]].to_numpy().tolist()
            for coder, part in codings.groupby("coder")}  # fmt: skip
    done = subprocess.run(
        [python, "-c", UNITIZING], input=json.dumps({"coders": rows, "length": length}),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    value, spent, name = json.loads(done.stdout)
    return value, spent, name


def main(peers: str | None = None) -> None:
    table = judgements(100_000, 3, 0.1)
    words = table.map(lambda x: f"code {x:.0f}" if x == x else None)
    documents = np.repeat([f"document {i}" for i in range(500)], 200)
    full, small = judgements(100_000, 3, 0.0).astype(int), judgements(10_000, 3, 0.0).astype(int)
    triples = [(coder, unit, value) for coder in small for unit, value in small[coder].items()]

    units = table.to_numpy().T
    once = {
        scale: seconds(lambda s=scale: krippendorff.alpha(units, level_of_measurement=s), 3)
        for scale in ("nominal", "ordinal")
    }
    nltk_once = seconds(lambda: AnnotationTask(triples).alpha(), 1)
    counts = inter_rater.aggregate_raters(full.to_numpy())[0]
    fleiss = seconds(lambda: inter_rater.fleiss_kappa(counts))
    count = seconds(lambda: inter_rater.aggregate_raters(full.to_numpy()), 3)

    rows = []

    def row(what: str, ours: float, peer: str, theirs: float | None) -> None:
        ratio = f"{theirs / ours:,.0f} ×" if theirs else "–"
        beside = f"{theirs:.3g}" if theirs else "–"
        rows.append(f"| {what} | {ours:.3f} | {peer} | {beside} | {ratio} |")

    both = f"krippendorff {version('krippendorff')}"
    for name, data in (("numbers", table), ("text", words)):
        for scale in ("nominal", "ordinal") if name == "numbers" else ("nominal",):
            spent = seconds(lambda d=data, s=scale: alpha(d, scale=s, cluster=documents))
            what = f"alpha ({scale}, {name}) with 1,000 resamples of 500 documents, 10⁵ × 3"
            row(what, spent, f"{both}, one run × 1,001, by extrapolation", once[scale] * 1001)
    row(
        "the same (nominal, numbers), against one run without interval",
        seconds(lambda: alpha(table, cluster=documents)),
        both,
        once["nominal"],
    )
    spent = seconds(lambda: alpha(small))
    row(
        "alpha with 1,000 resamples of units, 10⁴ × 3",
        spent,
        f"nltk {version('nltk')}, one run",
        nltk_once,
    )
    spent = seconds(lambda: fleiss_kappa(full, cluster=documents))
    row(
        "Fleiss' kappa with 1,000 resamples, 10⁵ × 3",
        spent,
        f"statsmodels {version('statsmodels')}, one run",
        fleiss + count,
    )
    for n_documents in (1, 50, 200):
        codings, lengths = passages(n_documents, 10_000, 5)
        for definition in ("2004", "2016"):
            spent = seconds(
                lambda c=codings, t=lengths, d=definition: unitizing_alpha(c, t, definition=d)
            )
            interval = "no interval" if n_documents < 10 else "1,000 resamples"
            what = f"unitizing alpha of {definition}, 10⁴ units × 5 coders"
            row(f"{what}, {n_documents} documents, {interval}", spent, "–", None)
    codings, lengths = passages(1, 1_000, 2, least=40)
    ours = unitizing_alpha(codings, lengths, definition="2016").estimate
    spent = seconds(lambda: unitizing_alpha(codings, lengths, definition="2016"))
    name, theirs = "krippendorff-unitized-alpha", None
    if peers:
        value, theirs, number = unitizing_peer(peers, codings, lengths["d0"])
        assert abs(value - ours) < 1e-12, (value, ours)
        name = f"{name} {number}"
    row("unitizing alpha of 2016, 10³ units × 2 coders, 1 document", spent, name, theirs)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(PAGE.format(rows="\n".join(rows)), "utf-8")
    print("\n".join(rows))


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--peers", metavar="PYTHON")
    main(asked.parse_args().peers)
