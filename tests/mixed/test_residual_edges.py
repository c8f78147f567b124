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
                minimize(self, np.clip(start, *zip(*bounds, strict=True)), args=(slope,), bounds=bounds,
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


@pytest.mark.parametrize("seed", [33, 229])
def test_a_second_optimum_with_a_high_correlation_is_found(seed):
    table = rows(seed, 0.7, people=8, waves=4)
    wave, usual = table["wave"].to_numpy(), (table["arm"] == "b").to_numpy()
    X = np.column_stack([np.ones(len(table)), wave, usual, wave * usual])
    Z, gap = np.column_stack([np.ones(4), wave[:4]]), abs(np.subtract.outer(wave[:4], wave[:4]))

    def deviance(at):
        L = np.array([[at[0], 0.0], [at[1], at[2]]])
        R, G = np.exp(2 * at[3]) * np.tanh(at[4]) ** gap, Z @ L @ L.T @ Z.T
        roots = {one: np.linalg.cholesky(G + R * np.exp(at[5] * one)) for one in (0, 1)}
        whole = np.column_stack([X, table["score"]])
        A = np.vstack([np.linalg.solve(roots[usual[k]], whole[k : k + 4]) for k in range(0, 32, 4)])
        rest = A[:, 4] - A[:, :4] @ np.linalg.lstsq(A[:, :4], A[:, 4], rcond=None)[0]
        size = 8 * sum(np.log(np.diag(root)).sum() for root in roots.values())
        return len(table) * np.log(2 * np.pi) + size + rest @ rest

    best = minimize(deviance, [0.5, 0, 0.3, 0, 1.0, 0], method="BFGS", options={"gtol": 1e-5})
    fit = fit_mixed(
        "score ~ wave * arm + (wave | person)", table, residual="ar1(wave | person)",
        dispersion="~ arm", reml=False,
    )  # fmt: skip
    assert_allclose(-2 * fit.log_likelihood, best.fun, rtol=1e-7)


@pytest.mark.parametrize(
    ("deviance", "sentence"),
    [
        (lambda value: 1e100, "no optimum found with sd held at 1.5; simplify the model"),
        (lambda value: 9.9, "with sd held at 1.5 the deviance is 0.1 below the best one found, so"),
    ],
)
def test_limits_that_rest_on_no_optimum_are_refused(deviance, sentence):
    target = Target(
        row={"term": "sd"}, estimate=1.0, low=0.0, high=9.0, step=0.5, deviance=deviance
    )
    with pytest.raises(FitError, match=sentence):
        limit(target, 10.0, 2.0, 1)


@pytest.mark.parametrize(("seed", "key"), [(4, "mixed.boundary"), (17, "mixed.no_correlation")])
def test_profiles_say_where_maximum_likelihood_lies_at_its_edge(seed, key):
    fit = fit_mixed(
        "score ~ wave * arm + (1 | person)", rows(seed, 0.0, people=10),
        residual="car1(wave | person)",
    )  # fmt: skip
    found = profile_intervals(fit, ["wave"], progress=False)
    assert key not in [note.key for note in fit.notes]
    assert key in [note.key for note in found.notes]
