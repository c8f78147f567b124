"""Second derivatives of the deviance away from its optimum."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.mixed.design import build_design
from expertise.mixed.deviance import Deviance
from expertise.mixed.factors import split
from expertise.mixed.information import exact_curvature
from expertise.mixed.reduction import prepare, reduce_rows


@pytest.mark.parametrize("reml", [True, False])
def test_curvature_is_the_central_difference_of_the_slope(reml):
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"person": np.repeat(np.arange(12), 6), "team": rng.integers(0, 5, 72)})
    table["wave"] = np.tile(np.arange(6.0), 12)
    table["score"] = rng.normal(size=12)[table["person"]] + rng.normal(size=72)
    design = build_design("score ~ wave + (wave | person) + (wave | team)", table)
    deviance = Deviance(reduce_rows(prepare(design)), reml)

    def at(theta):
        return deviance(tuple(split(theta, deviance.sizes)))

    theta = np.array([0.9, -0.3, 0.5, 0.7, 0.4, 0.6])
    assert abs(at(theta).slope).max() > 1
    steps = 1e-5 * np.eye(len(theta))
    numeric = [(at(theta + h).slope - at(theta - h).slope) / 2e-5 for h in steps]
    assert_allclose(exact_curvature(deviance, at(theta)), numeric, rtol=1e-7, atol=1e-7)
