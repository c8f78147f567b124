"""Residual structures do not depend on units; what lies at an edge is said to lie there."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import chi2, norm

from expertise.errors import DesignError, FitError
from expertise.mixed.compare import compare_fits
from expertise.mixed.fit import fit_mixed
from expertise.mixed.plan import StudyPlan, assume, people_of
from expertise.mixed.planning import power
from expertise.mixed.profiles import profile_intervals
from expertise.mixed.reduction import prepare
from expertise.mixed.resampling import bootstrap
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
    table = autoregressive(0.6, people=15, waves=4)
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


PEOPLE = pd.DataFrame(
    [(f"p{p:02d}", "ab"[p % 2], float(t)) for p in range(20) for t in range(4)],
    columns=["person", "arm", "wave"],
)
PLAN = StudyPlan(
    formula="score ~ wave * arm + (1 | person)", table=PEOPLE, covariances={"person": 1.0},
    sigma=2.0, residual="ar1(wave | person)", correlation=0.5, dispersion="~ arm",
    log_variances={"armb": 1.0},
)  # fmt: skip


def run(plan, effect, **options):
    given = {"n": 40, "dropout": 0.0, "seed": 1, "replicates": 4, "progress": False, "cores": 1}
    return power(plan, effect=effect, **given | options)


def slope_error(n, intercept, correlation, variances):
    """Return the large-sample error of the difference in slope over four waves, n people in two."""
    X, gap = np.column_stack([np.ones(4), np.arange(4)]), np.arange(4)
    R = correlation ** abs(np.subtract.outer(gap, gap))
    V = [intercept + variance * R for variance in variances]
    return np.sqrt(sum(np.linalg.inv(n / 2 * X.T @ np.linalg.solve(v, X))[1, 1] for v in V))


def test_power_agrees_with_the_covariance_that_is_assumed():
    error = slope_error(80, 1.0, 0.5, (4.0, 4.0 * np.e))
    found = run(PLAN, {"wave:armb": 2.2 * error}, n=80, replicates=60).table.iloc[0]
    theory = norm.sf(1.96 - 2.2)
    assert abs(found["power"] - theory) < 3 * np.sqrt(theory * (1 - theory) / 60)
    assert abs(found["width"] - 2 * 1.96 * error) < 3 * found["width_error"]
    assert found["width_error"] < 0.02 * found["width"]
    assert abs(found["coverage"] - 0.95) < 0.085


def test_a_pilot_lends_its_residual_structure():
    pilot = fit_mixed(
        "score ~ wave * arm", autoregressive(0.6, people=60, waves=4),
        residual="ar1(wave | person)", dispersion="~ arm",
    )  # fmt: skip
    (_, phi, _), (_, tau, _) = pilot.solution.dispersion
    error = slope_error(200, 0.0, phi, pilot.sigma**2 * np.exp([0, tau]))
    found = run(pilot, {"wave:armb": 0.0}, n=200, replicates=10).table.iloc[0]
    assert_allclose(found["width"], 2 * 1.96 * error, rtol=0.03)
    left = run(pilot, {"wave:armb": 0.0}, n=200, dropout=0.4, wave="wave").table.iloc[0]
    assert left["width"] > 1.05 * found["width"]


def test_what_is_one_persons_is_not_shared_by_copies():
    triads = PEOPLE.assign(triad=PEOPLE["person"].str[1:].astype(int) // 2)
    plan = replace(
        PLAN, formula="score ~ wave + arm + (1 | triad) + (1 | person)", table=triads,
        covariances={"triad": 1.0, "person": 1.0},
    )  # fmt: skip
    found = run(plan, {"wave": 1.0}, person="triad", n=40)
    assert not found.notes
    turns = triads.assign(turn=triads.groupby("triad").cumcount())
    plan = replace(plan, table=turns, residual="ar1(turn | triad)")
    with pytest.raises(DesignError, match="within 'triad', which holds rows of several 'person'"):
        run(plan, {"wave": 1.0}, person="person")


def test_studies_without_one_of_the_arms_settle_nothing():
    three = PEOPLE.assign(arm=[("a", "b", "c")[int(p[1:]) % 3] for p in PEOPLE["person"]])
    plan = StudyPlan(
        formula="score ~ wave + arm + (1 | person)", table=three, covariances={"person": 1.0},
        sigma=0.1,
    )  # fmt: skip
    found = run(plan, {"wave": 1.0}, n=4, replicates=30)
    assert 0 < found.table["power"].iloc[0] < 1
    assert [note.key for note in found.notes] == ["mixed_use.power_failed"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"correlation": None}, "residual= and correlation= of a plan go together"),
        (
            {"correlation": 1.2},
            r"correlation is 1.2; that of ar1\(wave \| person\) lies between -1 and 1",
        ),
        ({"correlation": -1}, "correlation is -1; that of ar1"),
        ({"correlation": "0.4"}, "correlation is '0.4'; that of ar1"),
        ({"residual": "car1(wave | person)", "correlation": -0.2}, "lies from 0 to below 1"),
        ({"family": "poisson"}, "are for the family gaussian, not for poisson"),
        ({"log_variances": {"armB": 1.0}}, r"'armB' is no column of the dispersion '~ arm' \(did"),
    ],
)
def test_plans_refuse(change, sentence):
    with pytest.raises(DesignError, match=sentence):
        run(replace(PLAN, **change), {"wave:armb": 1.0})


def test_comparisons_name_the_structure_and_know_its_boundary():
    table = autoregressive(0.3)
    plain = fit_mixed(FORMULA, table)
    waves = fit_mixed(FORMULA, table, residual="ar1(wave | person)")
    months = fit_mixed(FORMULA, table, residual="ar1(wave | person)", dispersion="~ arm")
    title = f"{FORMULA} · residual ar1(wave | person) · dispersion ~ arm"
    assert months.heading().startswith(f"{title} · gaussian · REML")
    found = compare_fits(plain, waves, months).table
    assert found["formula"].tolist()[::2] == [FORMULA, title]
    assert found["method"].tolist() == ["", "chi-square", "chi-square"]
    only = compare_fits(plain, fit_mixed(FORMULA, table, residual="car1(wave | person)"))
    assert "correlation in continuous time" in str(only.notes[-1])
    ratio, p = only.table[["statistic", "p_value"]].iloc[1]
    assert_allclose(p, chi2.sf(ratio, 1) / 2)
    assert_allclose(ratio, found["statistic"][1], rtol=1e-6)


def test_models_that_do_not_hold_one_another_are_not_tested():
    table = autoregressive(0.3)
    table = table.assign(odd=table["person"] % 9, late=np.where(table["wave"] > 2, "y", "n"))
    waves = fit_mixed("score ~ wave * arm + (1 | person)", table, residual="ar1(wave | person)")
    slope = fit_mixed("score ~ wave * arm + (wave | person)", table)
    own = fit_mixed("score ~ wave * arm + (0 + late | person)", table)
    whole = fit_mixed("score ~ wave * arm + (1 | person)", table)
    teams = fit_mixed("score ~ wave * arm + (1 | odd)", table)
    for one, two in ((waves, slope), (teams, slope), (teams, waves)):
        row = compare_fits(one, two).table.iloc[1]
        assert row["method"] == "not nested"
        assert np.isnan(row["statistic"])
        assert np.isnan(row["p_value"])
    for one, two in ((whole, slope), (whole, own), (whole, waves)):
        assert compare_fits(one, two).table.iloc[1]["method"] != "not nested"


def test_the_finest_grouping_is_people():
    table = PEOPLE.assign(team=PEOPLE["person"].str[1:].astype(int) % 4)
    plan = replace(
        PLAN, formula="score ~ wave * arm + (1 | team)", table=table, covariances={"team": 1.0}
    )
    assert people_of(assume(plan), None) == "person"


def test_draws_at_the_edge_stay_there():
    fit = fit_mixed(FORMULA, autoregressive(-0.5), residual="car1(wave | person)")
    drawn = bootstrap(fit, 12, seed=1, cores=1, progress=False)
    row = drawn.tidy().iloc[-1]
    assert row["estimate"] == row["conf_low"] == 0
    assert 0 < row["conf_high"] < 0.4
