"""People drawn anew in one scoring step: exact where balanced, close to full fits elsewhere."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DesignError
from expertise.mixed.fit import fit_mixed
from expertise.mixed.resample import resample

FORMULA = "y ~ wave + (1 | person) + (1 | item) + (1 | person:item) + (1 | person:wave)"


def invented(seed, n=40, items=6, holes=0.0):
    """Answers of n people to items at three waves, all terms there."""
    rng = np.random.default_rng(seed)
    p, i, w = np.indices((n, items, 3)).reshape(3, -1)
    y = rng.normal(size=n)[p] + 0.7 * rng.normal(size=items)[i] + 0.4 * w
    y += 0.8 * rng.normal(size=(n, items))[p, i] + 0.6 * rng.normal(size=(n, 3))[p, w]
    table = pd.DataFrame({"y": y + rng.normal(size=len(y)), "person": p, "item": i, "wave": w})
    table = table.astype({"person": str, "item": str, "wave": str})
    return table[rng.random(len(table)) >= holes].reset_index(drop=True)


def codes(table):
    return pd.factorize(table["person"])[0]


def draws(n, replicates, seed=1):
    rng = np.random.default_rng(seed)
    return np.array([np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(replicates)])


def refitted(table, counts, formula=FORMULA):
    """Fit a draw in full, each person as often as drawn, under a name of their own."""
    code = codes(table)
    parts = [
        table[code == who].assign(person=f"{who}.{copy}")
        for who, count in enumerate(counts) for copy in range(count)
    ]  # fmt: skip
    fit = fit_mixed(formula, pd.concat(parts, ignore_index=True), df="normal")
    return np.array([*(G[0, 0] for G in fit.solution.covariances), fit.sigma**2]), fit


def test_everyone_once_is_the_estimate():
    table = invented(1, holes=0.1)
    fit = fit_mixed(FORMULA, table, df="normal")
    found = resample(fit, codes(table), np.ones((1, 40), dtype=int))
    own = [*(G[0, 0] for G in fit.solution.covariances), fit.sigma**2]
    assert_allclose(found.variances[0], own, rtol=1e-5)
    assert_allclose(found.beta[0], fit.beta, rtol=1e-6, atol=1e-8)
    assert_allclose(found.covariances[0], fit.cov_beta, rtol=1e-5, atol=1e-10)
    assert found.length[0] < 1e-4


def test_one_step_is_exact_where_data_are_balanced():
    table = invented(2)
    fit = fit_mixed(FORMULA, table, df="normal")
    counts = draws(40, 5)
    found = resample(fit, codes(table), counts)
    for at, count in enumerate(counts):
        variances, full = refitted(table, count)
        assert_allclose(found.variances[at], variances, rtol=2e-5)
        assert_allclose(found.beta[at], full.beta, rtol=1e-5, atol=1e-7)
        assert_allclose(found.covariances[at], full.cov_beta, rtol=1e-4, atol=1e-9)


def test_one_step_is_close_to_full_fits_where_a_tenth_is_missing():
    """Its error, .06 of an SD with 40 people, is of second order: under .03 with 120."""
    table = invented(3, n=120, holes=0.1)
    fit = fit_mixed(FORMULA, table, df="normal")
    counts = draws(120, 15)
    found = resample(fit, codes(table), counts)
    full = np.array([refitted(table, count)[0] for count in counts])
    apart = np.sqrt(((found.variances - full) ** 2).mean(axis=0))
    assert (apart < 0.03 * full.std(axis=0)).all()


def test_unit_and_constant_carry_over():
    table = invented(4, n=20, holes=0.1)
    other = table.assign(y=1e5 + 1e3 * table["y"])
    one, two = (
        resample(fit_mixed(FORMULA, rows, df="normal"), codes(rows), draws(20, 3))
        for rows in (table, other)
    )
    assert_allclose(two.variances, 1e6 * one.variances, rtol=1e-5)
    assert_allclose(two.beta[:, 1:], 1e3 * one.beta[:, 1:], rtol=1e-5)


def test_a_variance_at_zero_stays_at_or_above_zero():
    rng = np.random.default_rng(5)
    table = invented(5, n=25)
    table["y"] = rng.normal(size=len(table))
    fit = fit_mixed(FORMULA, table, df="normal")
    assert fit.solution.singular
    found = resample(fit, codes(table), draws(25, 60))
    assert (found.variances >= 0).all()
    assert (found.variances[:, :-1] > 0).any()
    assert np.isfinite(found.covariances).all()


def test_random_slopes_are_refused():
    table = invented(6, n=12).assign(x=lambda rows: rows["wave"].astype(float))
    fit = fit_mixed("y ~ x + (x | person)", table, df="normal")
    with pytest.raises(DesignError, match="random intercepts only, not for slopes"):
        resample(fit, codes(table), draws(12, 1))


@pytest.mark.proof
def test_fifty_full_fits_of_three_hundred_triads():
    """300 people × 3 perspectives × 20 items × 2 waves, all two-way terms, a tenth missing."""
    rng = np.random.default_rng(7)
    at = np.indices((300, 3, 20, 2)).reshape(4, -1)
    y = 0.7 * rng.normal(size=at.shape[1])
    names = ("person", "role", "item", "wave")
    for a in range(4):
        y = y + 0.8 * rng.normal(size=300)[at[a]]
        for b in range(a):
            y = y + 0.4 * rng.normal(size=(300, 300))[at[b], at[a]]
    table = pd.DataFrame(dict(zip(names, at, strict=True))).astype(str).assign(y=y)
    table = table[rng.random(len(y)) >= 0.1].reset_index(drop=True)
    pairs = [f"(1 | {names[b]}:{names[a]})" for a in range(4) for b in range(a)]
    formula = " + ".join(["y ~ role + wave + (1 | person) + (1 | item)", *pairs])
    fit = fit_mixed(formula, table, df="normal")
    counts = draws(300, 50)
    found = resample(fit, codes(table), counts)
    full = np.array([refitted(table, count, formula)[0] for count in counts])
    apart = np.sqrt(((found.variances - full) ** 2).mean(axis=0))
    assert (apart < 0.02 * full.std(axis=0)).all()
