"""Newey-West errors of an interrupted series against sandwich (interrupted_newey_west.R)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.outcomes.interrupted import interrupted_series
from tests.reference.test_interrupted_negbin import COUNTS


@pytest.mark.parametrize("lags", [1, 4])
def test_sandwich(lags):
    expected = pd.read_csv(Path(__file__).with_name("interrupted_newey_west.csv"))
    expected = expected[expected["lags"] == lags].set_index("term")
    table = pd.DataFrame({"time": range(60), "n": COUNTS, "size": 1000 + 5 * np.arange(60)})
    got = interrupted_series(table, outcome="n", start=36, exposure="size", lags=lags)
    found = got.tidy().set_index("term")
    assert_allclose(np.log(found["estimate"]), expected["log_ratio"], rtol=1e-9)
    assert_allclose(found["std_error"], expected["std_error"], rtol=1e-7)
