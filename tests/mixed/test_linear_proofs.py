"""What intervals and tests of linear mixed models mean, by simulation (make proofs)."""

import numpy as np
import pandas as pd
import pytest

from expertise.mixed.fit import fit_mixed
from expertise.mixed.joint import joint_tests
from expertise.mixed.profiles import profile_intervals

MANY = 1000
FEW = 400  # profiles take half a second each


def trial(rng, people, waves, phi=0.0, effect=0.0, slope=1.0):
    """Two arms, random intercepts and slopes, one wave in five missing, AR(1) residuals."""
    person = np.repeat(np.arange(people), waves)
    wave = np.tile(np.arange(waves, dtype=float), people)
    arm = np.arange(people) % 2
    b = rng.multivariate_normal([0, 0], [[2, 0.2], [0.2, 0.3]], people)
    noise = rng.normal(size=(people, waves))
    for at in range(1, waves):
        noise[:, at] = phi * noise[:, at - 1] + np.sqrt(1 - phi**2) * noise[:, at]
    y = b[person, 0] + (slope * b[person, 1] + effect * arm[person]) * wave + noise.ravel()
    table = pd.DataFrame({"y": y, "wave": wave, "arm": arm[person], "person": person})
    return table[(rng.random(len(table)) > 0.2) | (wave < 2)]


def within(count, rate, of=MANY):
    """Four standard errors of a simulated proportion around the nominal rate."""
    return abs(count / of - rate) < 4 * np.sqrt(rate * (1 - rate) / of)


@pytest.mark.proof
@pytest.mark.timeout(600)
@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
@pytest.mark.parametrize("people", [8, 16])
def test_type_one_error_at_small_n(df, people):
    rejected = 0
    for seed in range(MANY):
        rng = np.random.default_rng(seed)
        fit = fit_mixed("y ~ wave * arm + (wave | person)", trial(rng, people, 5), df=df)
        rejected += joint_tests(fit).tidy()["p_value"].iloc[-1] < 0.05
    assert within(rejected, 0.05), rejected


@pytest.mark.proof
@pytest.mark.timeout(600)
@pytest.mark.parametrize("phi", [0.0, 0.5])
def test_type_one_error_with_correlated_residuals(phi):
    rejected = 0
    for seed in range(MANY):
        table = trial(np.random.default_rng(seed), 24, 6, phi=phi, slope=0.0)
        fit = fit_mixed("y ~ wave * arm + (1 | person)", table, residual="ar1(wave | person)")
        rejected += fit.tidy()["p_value"].iloc[3] < 0.05
    assert within(rejected, 0.05), rejected


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_ninety_five_percent_intervals_cover():
    covered = 0
    for seed in range(MANY):
        rng = np.random.default_rng(seed)
        table = trial(rng, 20, 5, effect=0.4)
        tidy = fit_mixed("y ~ wave * arm + (wave | person)", table).tidy().iloc[3]
        covered += tidy["conf_low"] <= 0.4 <= tidy["conf_high"]
    assert within(covered, 0.95), covered


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_profile_intervals_of_a_standard_deviation_cover():
    covered = 0
    for seed in range(FEW):
        table = trial(np.random.default_rng(seed), 30, 5)
        fit = fit_mixed("y ~ wave + (wave | person)", table, df="normal")
        sd = profile_intervals(fit, ["sd"]).tidy().iloc[-1]
        covered += sd["conf_low"] <= 1 <= sd["conf_high"]
    assert within(covered, 0.95, FEW), covered
