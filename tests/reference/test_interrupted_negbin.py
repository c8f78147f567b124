"""Negative binomial interrupted series against MASS::glm.nb (interrupted_negbin.R)."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.testing import assert_allclose

from expertise.outcomes.interrupted import interrupted_series

COUNTS = (
    15, 22, 18, 31, 12, 25, 20, 28, 14, 35, 19, 24, 16, 29, 33, 21, 13, 27, 38, 22,
    17, 30, 24, 41, 19, 26, 35, 23, 15, 32, 28, 44, 20, 25, 37, 29, 12, 18, 22, 9,
    16, 25, 14, 20, 11, 27, 17, 13, 23, 19, 10, 28, 15, 21, 12, 24, 18, 30, 13, 20,
)  # fmt: skip


def test_glm_nb():
    expected = pd.read_csv(Path(__file__).with_suffix("").with_name("interrupted_negbin.csv"))
    expected = expected.set_index("term")
    table = pd.DataFrame({"time": range(60), "n": COUNTS, "size": 1000 + 5 * np.arange(60)})
    got = interrupted_series(
        table, outcome="n", start=36, exposure="size", family="negbin", harmonics=1
    )
    found = got.tidy().set_index("term")
    for term in found.index:
        assert_allclose(
            np.log(found.loc[term, "estimate"]), expected.loc[term, "log_ratio"], atol=1e-6
        )
        assert_allclose(found.loc[term, "std_error"], expected.loc[term, "std_error"], rtol=1e-5)
    assert_allclose(got.dispersion, expected.loc["alpha", "log_ratio"], rtol=1e-5)
    assert_allclose(got.log_likelihood, expected.loc["log_likelihood", "log_ratio"], rtol=1e-9)
