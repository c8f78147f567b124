"""Variance that changes over time: the Reisby depression data (Hedeker), maximum likelihood.

Values computed for the same data in Hedeker's course material: random intercept and trend
23.577 (.546), −2.377 (.209), −2 log L 2219.04; with log residual variance linear in week a
slope of .0976 (SE .0606), −1108.213, likelihood ratio 2.61.
"""

import pandas as pd
import pytest

from expertise import fit_mixed


@pytest.fixture(scope="module")
def reisby(real_data):
    columns = ["id", "hamd", "one", "week", "endogenous", "product"]
    path = real_data / "outcomes" / "hedeker_riesby.dat.txt"
    return pd.read_csv(path, sep=r"\s+", header=None, names=columns, na_values=["."])


def test_log_variance_over_weeks(reisby):
    plain = fit_mixed("hamd ~ week + (week | id)", reisby, reml=False)
    assert plain.beta == pytest.approx([23.577, -2.377], abs=5e-4)
    assert -2 * plain.log_likelihood == pytest.approx(2219.04, abs=0.005)
    fit = fit_mixed("hamd ~ week + (week | id)", reisby, reml=False, dispersion="~ week")
    row = fit.tidy().query("component == 'dispersion'").iloc[0]
    assert row["estimate"] == pytest.approx(0.0976, abs=5e-5)
    assert row["std_error"] == pytest.approx(0.0606, abs=5e-5)
    assert fit.log_likelihood == pytest.approx(-1108.213, abs=5e-4)
    assert 2 * (fit.log_likelihood - plain.log_likelihood) == pytest.approx(2.61, abs=5e-3)
