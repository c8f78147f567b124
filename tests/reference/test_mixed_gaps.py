"""A correlation in continuous time that is small over the usual gap, against nlme (3.1-162, R 4.2.2)."""

from pathlib import Path

import pandas as pd
from numpy.testing import assert_allclose

from expertise.mixed.fit import fit_mixed

HERE = Path(__file__).parent


def test_a_small_correlation_over_long_gaps_is_not_taken_for_none():
    want = pd.read_csv(HERE / "mixed_gaps.csv").set_index("what")["value"]
    table = pd.read_csv(HERE / "mixed_gaps_data.csv")
    fit = fit_mixed("y ~ x + w + (1 | g)", table, residual="car1(w | g)", reml=False)
    assert fit.log_likelihood >= want["log_likelihood"] - 1e-6
    assert_allclose(fit.solution.dispersion[0][1], want["correlation"], rtol=1e-3)
    assert_allclose(fit.beta, want.iloc[2:], rtol=1e-4)
    assert "at its boundary" not in repr(fit)
