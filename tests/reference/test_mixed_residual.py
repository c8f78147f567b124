"""Residual structures against nlme on Potthoff and Roy's growth data.

R 4.2.2, nlme 3.1-162, emmeans 1.8.4.1.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.mixed.compare import compare_fits
from expertise.mixed.contrast import contrasts, marginal_means, slopes
from expertise.mixed.fit import fit_mixed

HERE = Path(__file__).parent
REFERENCE = pd.read_csv(HERE / "mixed_residual.csv")
GONE = [2, 9, 17, 29, 30, 49, 76]
CASES = {
    "varIdent": {"dispersion": "~ Sex"},
    "corAR1": {"residual": "ar1(wave | Subject)"},
    "varExp": {"dispersion": "~ age", "reml": False},
    "corCAR1": {"residual": "car1(age | Subject)"},
    "both": {"residual": "ar1(wave | Subject)", "dispersion": "~ Sex"},
    "gls": {"residual": "ar1(wave | Subject)"},
}


def growth(case):
    table = pd.read_csv(HERE / "mixed_residual_data.csv")
    table["Sex"] = pd.Categorical(table["Sex"], ["Male", "Female"])
    return table.drop(index=GONE) if case in ("corCAR1", "both") else table


@pytest.mark.parametrize("case", CASES)
def test_nlme_gives_the_same(case):
    random = "" if case == "gls" else " + (1 | Subject)"
    fit = fit_mixed(f"distance ~ age * Sex{random}", growth(case), **CASES[case])
    want = REFERENCE[REFERENCE["case"] == case].set_index("what")["value"]
    tidy = fit.tidy().set_index("term")
    fixed = tidy[tidy["component"] == "fixed"]
    assert fit.log_likelihood >= want["log_likelihood"] - 1e-6
    assert_allclose(fit.log_likelihood, want["log_likelihood"], rtol=1e-8)
    assert_allclose(fit.sigma**2, want["sigma2"], rtol=2e-5)
    for name in fixed.index:
        assert_allclose(fixed.at[name, "estimate"], want[f"beta {name}"], rtol=2e-6)
        assert_allclose(fixed.at[name, "std_error"], want[f"se {name}"], rtol=2e-6)
    if case != "gls":
        assert_allclose(fit.solution.covariances[0][0, 0], want["intercept variance"], rtol=2e-5)
    found = {term: value for term, value, _ in fit.solution.dispersion}
    if "varStruct.Female" in want.index:
        ratio = np.exp(found["log variance: SexFemale"] / 2)
        assert_allclose(ratio, want["varStruct.Female"], rtol=1e-5)
    if "varStruct.expon" in want.index:
        assert_allclose(found["log variance: age"], 2 * want["varStruct.expon"], rtol=1e-5)
    for name in ("corStruct.Phi", "corStruct.Phi1", "phi"):
        if name in want.index:
            value = next(v for term, v in found.items() if "correlation" in term)
            assert_allclose(value, want[name], rtol=1e-5)


def test_nlme_normalizes_residuals_and_estimates_groups_alike():
    table = growth("whole")
    fit = fit_mixed("distance ~ age * Sex + (1 | Subject)", table, **CASES["both"])
    want = REFERENCE[REFERENCE["case"] == "whole"].set_index("what")["value"]
    keys = "normalized " + table["Subject"] + " " + table["age"].astype(str)
    found = fit.diagnose()
    assert_allclose(found.residuals["residual"], want[keys], atol=2e-5)
    effects = fit.random_effects()
    assert_allclose(effects["estimate"], want["effect " + effects["level"]], atol=2e-5)
    assert_allclose(found.effects["estimate"], effects["estimate"])


def test_emmeans_and_anova_say_the_same_of_both_structures_together():
    table, formula = growth("both"), "distance ~ age * Sex + (1 | Subject)"
    structure = {"residual": "car1(age | Subject)", "dispersion": "~ Sex"}
    fit = fit_mixed(formula, table, **structure)
    want = REFERENCE[REFERENCE["case"] == "means"].set_index("what")["value"]
    found = {
        ("Male", "Female"): marginal_means(fit, "Sex", at={"age": 12}),
        ("difference",): contrasts(fit, "Sex", at={"age": 12}),
        ("slope Male", "slope Female"): slopes(fit, "age", by="Sex"),
    }
    for names, result in found.items():
        for name, row in zip(names, result.table.to_dict("records"), strict=True):
            assert_allclose(row["estimate"], want[f"estimate {name}"], rtol=1e-7)
            assert_allclose(row["std_error"], want[f"se {name}"], rtol=1e-6)
    fits = [fit_mixed(formula, table, reml=False, **more) for more in ({}, structure)]
    compared = compare_fits(*fits).table.iloc[1]
    assert_allclose(compared["statistic"], want["ratio"], rtol=1e-8)
    assert compared["df"] == 2
