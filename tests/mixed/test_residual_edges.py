"""Profiles and fits of residual structures at an edge, by a dense likelihood in scipy."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import brentq, minimize
from scipy.stats import norm

from expertise.errors import FitError
from expertise.mixed.fit import fit_mixed
from expertise.mixed.profiles import Target, limit, profile_intervals


def rows(seed, correlation, people, waves=5):
    """Return people whose residuals hold on by a correlation over waves."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(people, waves))
    for wave in range(1, waves):
        noise[:, wave] *= np.sqrt(1 - correlation**2)
        noise[:, wave] += correlation * noise[:, wave - 1]
    table = pd.DataFrame(
        {"person": np.repeat(np.arange(people), waves), "wave": np.tile(np.arange(waves), people)}
    )
    score = rng.normal(size=people)[table["person"]] + noise.ravel() * np.exp(0.1 * table["wave"])
    return table.assign(score=score, arm=np.where(table["person"] % 2, "b", "a"))


class Dense:
    """Minus twice the log-likelihood of `score ~ wave + (1 | person)`, car1, whole."""

    def __init__(self, table):
        self.X, self.y = np.column_stack([np.ones(len(table)), table["wave"]]), table["score"]
        person, wave = table["person"].to_numpy(), table["wave"].to_numpy()
        self.same = np.equal.outer(person, person)
        self.gap = abs(np.subtract.outer(wave, wave))

    def __call__(self, at, slope=None):
        sd, sigma, correlation = at
        X, y = (self.X, self.y) if slope is None else (self.X[:, :1], self.y - slope * self.X[:, 1])
        V = self.same * (sd**2 + sigma**2 * np.where(self.gap, correlation**self.gap, 1.0))
        root = np.linalg.cholesky(V)
        rest = np.linalg.solve(root, y)
        A = np.linalg.solve(root, X)
        rest -= A @ np.linalg.lstsq(A, rest, rcond=None)[0]
        return len(y) * np.log(2 * np.pi) + 2 * np.log(np.diag(root)).sum() + rest @ rest

    def least(self, held=None, slope=None):
        """Return where the deviance is least with (place, value) held, from two sides."""
        bounds = [(0.0, 9.0), (1e-3, 9.0), (0.0, 0.99)]
        if held is not None:
            bounds[held[0]] = (held[1], held[1])
        starts = [(1.0, 0.9, 0.0), (0.3, 1.2, 0.5)]
        return min(
            (
                minimize(self, np.clip(start, *zip(*bounds)), args=(slope,), bounds=bounds,
                         method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-9})
                for start in starts
            ),
            key=lambda found: found.fun,
        )  # fmt: skip


@pytest.mark.parametrize("seed", [7, 20])
def test_limits_leave_the_edge_of_the_correlation(seed):
    table = rows(seed, -0.2, people=12)
    fit = fit_mixed("score ~ wave + (1 | person)", table, residual="car1(wave | person)")
    found = profile_intervals(fit, ["wave", "sd"], progress=False).tidy().set_index("term")
    dense, bound = Dense(table), norm.ppf(0.975)
    best = dense.least()
    assert best.x[2] == found.loc["car1 correlation: wave", "estimate"] == 0

    def excess(value, **held):
        return np.sqrt(max(dense.least(**held).fun - best.fun, 0.0)) - bound

    sd = found.loc["sd (Intercept)"]
    low = brentq(lambda v: excess(v, held=(0, v)), 0.0, best.x[0], xtol=1e-6)
    assert_allclose(sd[["estimate", "conf_low"]].astype(float), [best.x[0], low], rtol=1e-4)
    high = brentq(lambda v: excess(v, held=(1, v)), best.x[1], 3.0, xtol=1e-6)
    assert_allclose(found.loc["sd", "conf_high"], high, rtol=1e-4)
    slope = found.loc["wave"]
    for side, far in (("conf_low", -2.0), ("conf_high", 2.0)):
        want = brentq(lambda v: excess(v, slope=v), far, slope["estimate"], xtol=1e-6)
        assert_allclose(slope[side], want, rtol=1e-4)
