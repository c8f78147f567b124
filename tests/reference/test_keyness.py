"""Keyness against R's Poisson deviance and Cochran's variance of a ratio (keyness.R)."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.testing import assert_allclose

from expertise.narratives.comparison import _compared

VALUES = pd.read_csv(Path(__file__).with_name("keyness.csv"), comment="#", index_col="name")[
    "value"
]


def test_log_ratio_interval_and_g_squared_equal_those_of_r():
    uses = np.array([3, 0, 5, 2, 1, 0, 1], dtype=float)
    sizes = np.array([100, 80, 150, 70, 120, 90, 60], dtype=float)
    table = _compared(
        np.column_stack([uses, sizes - uses]), np.array([True] * 4 + [False] * 3), 0.95
    ).iloc[0]
    assert_allclose(table["statistic"], VALUES["g2"], rtol=1e-9)
    for name in ("estimate", "conf_low", "conf_high"):
        assert_allclose(table[name], VALUES[name], rtol=1e-12)
