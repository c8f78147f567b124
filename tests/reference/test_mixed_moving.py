"""Residuals that hold on while people move between groups, against dense REML in R 4.2.2."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.mixed.fit import fit_mixed

HERE = Path(__file__).parent
REFERENCE = pd.read_csv(HERE / "mixed_moving.csv")
CASES = {
    "both": "y ~ wave + (1 | person) + (1 | team)",
    "teams": "y ~ wave + (1 | team)",
    "spells": "y ~ wave + (1 | person) + (1 | person:spell)",
}


def moving():
    table = pd.read_csv(HERE / "mixed_moving_data.csv")
    return table.assign(team="t" + table["team"].astype(str))


def fitted(case, table):
    return fit_mixed(CASES[case], table, residual="ar1(wave | person)")


@pytest.mark.parametrize("case", CASES)
def test_dense_algebra_gives_the_same(case):
    fit = fitted(case, moving())
    want = REFERENCE[REFERENCE["case"] == case].set_index("what")["value"]
    assert_allclose(fit.log_likelihood, want["log_likelihood"], rtol=1e-8)
    assert_allclose(fit.sigma**2, want["sigma2"], rtol=2e-5)
    assert_allclose(fit.solution.dispersion[0][1], want["correlation"], rtol=1e-5)
    for term, matrix in zip(fit.design.random, fit.solution.covariances, strict=True):
        assert_allclose(matrix[0, 0], want[term.group], rtol=2e-5)
    assert_allclose(fit.beta, want[["intercept", "wave"]], rtol=2e-6)
    assert_allclose(np.sqrt(np.diag(fit.cov_beta)), want[["se_intercept", "se_wave"]], rtol=2e-6)


@pytest.mark.parametrize("case", CASES)
def test_the_order_of_rows_and_the_names_of_groups_do_not_matter(case):
    table = moving()
    other = table.sample(frac=1, random_state=3).assign(person=lambda t: 100 - t["person"])
    first, second = fitted(case, table), fitted(case, other)
    assert_allclose(second.log_likelihood, first.log_likelihood, rtol=1e-9)
    assert_allclose(second.beta, first.beta, rtol=1e-6)
    effects = first.random_effects()["estimate"].sort_values().to_numpy()
    assert_allclose(second.random_effects()["estimate"].sort_values(), effects, atol=1e-5)
