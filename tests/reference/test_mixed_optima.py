"""Small tables whose optimum is hard to find, against the best of lme4 (1.1-31, R 4.2.2)."""

from pathlib import Path

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.mixed.fit import fit_mixed

HERE = Path(__file__).parent
REFERENCE = pd.read_csv(HERE / "mixed_optima.csv")
CASES = {
    "boundary": ("y ~ x + f + (0 + x | g)", False),
    "slope": ("y ~ x + f + (0 + x | g)", True),
    "inside": ("y ~ x + (0 + x | g)", False),
    "slow": ("y ~ x + (f | g)", False),
}


@pytest.mark.parametrize("case", CASES)
def test_the_better_optimum_is_found(case):
    table = pd.read_csv(HERE / "mixed_optima_data.csv", dtype={"f": "category"})
    want = REFERENCE[REFERENCE["case"] == case].set_index("what")["value"]
    formula, reml = CASES[case]
    fit = fit_mixed(formula, table[table["case"] == case], reml=reml)
    assert fit.log_likelihood >= want["log_likelihood"] - 1e-6
    assert_allclose(fit.beta, want.iloc[2:], rtol=1e-4)
    assert_allclose(fit.solution.covariances[0][0, 0], want["variance"], rtol=1e-4, atol=1e-4)
    assert fit.singular == (case in ("boundary", "slow"))
