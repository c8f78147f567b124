"""Residual structures do not depend on units; what lies at an edge is said to lie there."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DesignError, FitError
from expertise.mixed.fit import fit_mixed
from expertise.mixed.profiles import profile_intervals
from expertise.mixed.reduction import prepare
from expertise.mixed.residual import structure_of
from expertise.mixed.structured import Search


def autoregressive(phi, seed=1, people=30, waves=5):
    """Return people whose residuals hold on by phi and grow over waves."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(people, waves))
    for wave in range(1, waves):
        noise[:, wave] = phi * noise[:, wave - 1] + np.sqrt(1 - phi**2) * noise[:, wave]
    table = pd.DataFrame(
        {"person": np.repeat(np.arange(people), waves), "wave": np.tile(np.arange(waves), people)}
    )
    rows = rng.normal(size=people).repeat(waves) + noise.ravel() * np.exp(0.1 * table["wave"])
    return table.assign(score=rows, arm=np.where(table["person"] % 2, "b", "a"))


FORMULA = "score ~ wave + (1 | person)"


@pytest.mark.parametrize("unit", [1 / 12, 30, 365])
def test_time_in_other_units_gives_the_same_fit(unit):
    table = autoregressive(0.6).assign(time=lambda rows: rows["wave"] * unit)
    options = {"residual": "car1({0} | person)", "dispersion": "~ {0}"}
    one, two = (
        fit_mixed(FORMULA, table, **{key: text.format(name) for key, text in options.items()})
        for name in ("wave", "time")
    )
    assert_allclose(two.log_likelihood, one.log_likelihood, rtol=1e-12)
    assert_allclose(two.sigma, one.sigma, rtol=1e-6)
    (_, phi, error), (_, tau, tau_error) = one.solution.dispersion
    (_, own, own_error), (_, own_tau, own_tau_error) = two.solution.dispersion
    assert_allclose(own**unit, phi, rtol=1e-6)
    assert_allclose(own_error * unit * own ** (unit - 1), error, rtol=1e-5)
    assert_allclose([own_tau * unit, own_tau_error * unit], [tau, tau_error], rtol=1e-5)


@pytest.mark.parametrize(("apart", "phi"), [(2, 0.6), (3, 0.6), (3, -0.4), (30, 0.6)])
def test_waves_may_lie_apart(apart, phi):
    table = autoregressive(phi).assign(month=lambda rows: apart * rows["wave"])
    near = fit_mixed(FORMULA, table, residual="ar1(wave | person)")
    far = fit_mixed(FORMULA, table, residual="ar1(month | person)")
    assert_allclose(far.log_likelihood, near.log_likelihood, rtol=1e-12)
    own, wanted = far.solution.dispersion[0][1], near.solution.dispersion[0][1]
    assert_allclose(own**apart, wanted, rtol=1e-5)


def test_a_date_is_too_far_from_zero():
    table = autoregressive(0.3).assign(day=lambda rows: 45_000 + rows["wave"])
    with pytest.raises(DesignError, match="variance where day is 0 lies out of reach of these"):
        fit_mixed(FORMULA, table, dispersion="~ day")
    since = table.assign(day=table["day"] - 45_000)
    assert fit_mixed(FORMULA, since, dispersion="~ day").solution.converged


def test_dispersion_columns_that_say_nothing_are_named():
    table = autoregressive(0.3).assign(one=1.0, again=lambda rows: 2 * rows["wave"])
    with pytest.raises(DesignError, match="dispersion='~ one': the column 'one' is constant"):
        fit_mixed(FORMULA, table, dispersion="~ one")
    with pytest.raises(DesignError, match="'again' depends on wave; leave one"):
        fit_mixed(FORMULA, table, dispersion="~ wave + again")


def test_a_correlation_that_cannot_be_negative_is_said_to_be_none():
    table = autoregressive(-0.5)
    fit = fit_mixed(FORMULA, table, residual="car1(wave | person)")
    plain = fit_mixed(FORMULA, table)
    assert fit.solution.dispersion[0][1] == 0
    assert np.isnan(fit.solution.dispersion[0][2])
    assert str(fit.notes[-1]).startswith("car1 correlation: wave is at its boundary")
    assert_allclose(fit.log_likelihood, plain.log_likelihood, atol=1e-6)
    assert_allclose(fit.tidy()["df"].head(2), plain.tidy()["df"].head(2), rtol=1e-3)
    row = profile_intervals(fit, ["sd"]).tidy().iloc[-1]
    assert row["estimate"] == row["conf_low"] == 0
    assert 0 < row["conf_high"] < 0.5


def test_a_search_without_end_is_refused():
    design = fit_mixed(FORMULA, autoregressive(0.3)).design
    structure = structure_of(design.frame, len(design.y), None, "~ wave")
    search = Search(prepare(design), structure, reml=True)
    with pytest.raises(FitError, match="search for log variance: wave went on without end"):
        search.best(np.array([99.0]))


def test_profiles_move_with_the_units_of_outcome_and_time():
    table = autoregressive(0.6)
    other = table.assign(score=1e6 + 10 * table["score"], wave=30 * table["wave"])
    options = {"residual": "car1(wave | person)", "dispersion": "~ wave"}
    limits = ["conf_low", "conf_high"]
    one, two = (
        profile_intervals(fit_mixed(FORMULA, rows, **options), ["wave", "sd"]).tidy()[limits]
        for rows in (table, other)
    )
    assert_allclose(two.iloc[0], one.iloc[0] / 3, rtol=1e-5)
    assert_allclose(two.iloc[1:3], 10 * one.iloc[1:3], rtol=1e-5, atol=1e-8)
    assert_allclose(two.iloc[3] ** 30, one.iloc[3], rtol=1e-5)
    assert_allclose(two.iloc[4], one.iloc[4] / 30, rtol=1e-5)
