"""The same numbers as other programs, on tables that chance made."""

import krippendorff
import numpy as np
import pandas as pd
import pytest
from nltk.metrics.agreement import AnnotationTask
from nltk.metrics.distance import jaccard_distance, masi_distance
from numpy.testing import assert_allclose
from statsmodels.stats import inter_rater

from expertise.agreement.alphas import alpha
from expertise.agreement.kappas import fleiss_kappa, kappa, scott_pi
from expertise.agreement.sets import set_alpha


def judged(seed, n=60, m=4, q=5, missing=0.25):
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, q + 1, n)[:, None]
    values = np.where(rng.random((n, m)) < 0.4, rng.integers(1, q + 1, (n, m)), truth).astype(float)
    values[rng.random((n, m)) < missing] = np.nan
    return pd.DataFrame(values, columns=[f"coder {i}" for i in range(m)])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval", "ratio"])
def test_krippendorff(scale, seed):
    table = judged(seed, m=2 + seed % 4, q=3 + seed)
    theirs = krippendorff.alpha(table.to_numpy().T, level_of_measurement=scale)
    assert_allclose(alpha(table, scale=scale).estimate, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_krippendorff_with_many_values(seed):
    table = judged(seed, n=30, q=1000) / 7
    theirs = krippendorff.alpha(table.to_numpy().T, level_of_measurement="interval")
    assert_allclose(alpha(table, scale="interval").estimate, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_statsmodels(seed):
    table = judged(seed, missing=0).astype(int)
    counts, _ = inter_rater.aggregate_raters(table.to_numpy())
    assert_allclose(fleiss_kappa(table).estimate, inter_rater.fleiss_kappa(counts), atol=1e-12)
    two = table.iloc[:, :2]
    square = pd.crosstab(two["coder 0"], two["coder 1"]).to_numpy()
    for weights, name in ((None, "identity"), ("linear", "linear"), ("quadratic", "quadratic")):
        theirs = inter_rater.cohens_kappa(square, wt=weights).kappa
        assert_allclose(kappa(two, weights=name).estimate, theirs, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_nltk(seed):
    table = judged(seed, m=2, missing=0)
    rows = [(coder, unit, value) for coder in table for unit, value in table[coder].items()]
    task = AnnotationTask(rows)
    assert_allclose(alpha(table).estimate, task.alpha(), atol=1e-12)
    assert_allclose(kappa(table).estimate, task.kappa(), atol=1e-12)
    assert_allclose(scott_pi(table).estimate, task.pi(), atol=1e-12)


@pytest.mark.parametrize(
    ("name", "theirs"), [("jaccard", jaccard_distance), ("masi", masi_distance)]
)
def test_nltk_sets(name, theirs):
    rng = np.random.default_rng(3)
    pick = [frozenset(c for c in "abcd" if rng.random() < 0.5) | {"e"} for _ in range(80)]
    table = pd.DataFrame(
        {"A": pick[:40], "B": [p if rng.random() < 0.5 else p | {"f"} for p in pick[:40]]}
    )
    rows = [(coder, unit, value) for coder in table for unit, value in table[coder].items()]
    ours = set_alpha(table, distance=name).estimate
    assert_allclose(ours, AnnotationTask(rows, distance=theirs).alpha(), atol=1e-12)


def test_kappa_of_two_coders_uses_what_both_judged():
    table = judged(5, m=2)
    assert kappa(table).estimate == kappa(table.dropna()).estimate
