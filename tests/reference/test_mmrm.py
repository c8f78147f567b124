"""Joint normal model against nlme::gls with an unstructured covariance (mmrm.R)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.outcomes.imputation import impute_scores
from expertise.outcomes.joint import Gaps, maximum_likelihood

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def expected():
    return pd.read_csv(HERE / "mmrm.csv").set_index("term")


@pytest.fixture(scope="module")
def data():
    return pd.read_csv(HERE / "mmrm_data.csv")


def test_maximum_likelihood_means(data, expected):
    wide = data.pivot(index=["participant", "arm"], columns="wave", values="score")
    arm = wide.index.get_level_values("arm").to_numpy()
    X = (arm[:, None] == np.array(["C", "E"])).astype(float)
    B, _ = maximum_likelihood(Gaps(Y=wide.to_numpy(), X=X))
    for k, name in enumerate("CE"):
        for j, wave in enumerate(["T0", "T1", "T2"]):
            assert_allclose(B[k, j], expected.loc[f"arm{name}:wave{wave}", "estimate"], rtol=1e-6)


def test_missing_at_random_reproduces_the_mixed_model(data, expected):
    """Within Monte Carlo error; the standard error also carries that of the covariance."""
    m = 400
    row = impute_scores(data, seed=7, m=m, arm="arm").effect(("E", "C"), "T2").iloc[0]
    reference = expected.loc["E-C at T2"]
    assert abs(row.estimate - reference.estimate) < 4 * row.std_error * np.sqrt(0.4 / m)
    assert 0.97 < row.std_error / reference.std_error < 1.08
