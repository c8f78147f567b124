"""Diagnosis and prediction where residuals hold on in time or differ in size, by dense algebra."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError, DesignError
from expertise.mixed.explained import icc, r_squared
from expertise.mixed.fit import fit_mixed
from expertise.mixed.predict import predictions

FORMULA = "score ~ month + (month | person)"


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(11)
    people, waves = 24, 5
    rows = pd.DataFrame({"person": np.repeat(np.arange(people), waves),
                         "month": np.tile([0.0, 1, 2, 4, 6], people)})  # fmt: skip
    rows["arm"] = np.where(rows["person"] % 2, "peer", "usual")
    b = rng.normal(size=(people, 2)) * [2, 0.4]
    noise = rng.normal(size=(people, waves))
    for wave in range(1, waves):
        noise[:, wave] += 0.5 * noise[:, wave - 1]
    size = np.where(rows["arm"] == "peer", 2.0, 1.0)
    line = 8 + b[rows["person"], 0] + (0.5 + b[rows["person"], 1]) * rows["month"]
    return rows.assign(score=line + noise.ravel() * size).drop(index=[3, 17, 44, 45])


@pytest.fixture(scope="module")
def fit(table):
    return fit_mixed(
        FORMULA, table, residual="car1(month | person)", dispersion="~ arm", reml=False
    )


def parts(fit, table):
    """Return X, Z, G and R of the fit, whole."""
    found = {term.split(":")[0]: value for term, value, _ in fit.solution.dispersion}
    sd = np.exp(np.where(table["arm"] == "usual", found["log variance"] / 2, 0.0))
    same = np.equal.outer(table["person"].to_numpy(), table["person"].to_numpy())
    gap = np.abs(np.subtract.outer(table["month"].to_numpy(), table["month"].to_numpy()))
    R = fit.sigma**2 * same * found["car1 correlation"] ** gap * np.outer(sd, sd)
    people = table["person"].unique()
    X = np.column_stack([np.ones(len(table)), table["month"]])
    Z = (np.equal.outer(table["person"].to_numpy(), people)[:, :, None] * X[:, None]).reshape(
        len(table), -1
    )
    return X, Z, np.kron(np.eye(len(people)), fit.solution.covariances[0]), R


def test_the_loglikelihood_is_that_of_the_whole_covariance(fit, table):
    X, Z, G, R = parts(fit, table)
    V, rest = Z @ G @ Z.T + R, table["score"] - X @ fit.beta
    value = np.linalg.slogdet(2 * np.pi * V)[1] + rest @ np.linalg.solve(V, rest)
    assert_allclose(fit.log_likelihood, -value / 2, rtol=1e-9)


def test_known_groups_are_predicted_as_by_hendersons_equations(fit, table):
    X, Z, G, R = parts(fit, table)
    both = np.hstack([X, Z])
    joint = both.T @ np.linalg.solve(R, both)
    joint[2:, 2:] += np.linalg.inv(G)
    row = np.zeros(both.shape[1])
    row[[0, 1, 2 + 2 * 4, 3 + 2 * 4]] = [1, 3, 1, 3]
    found = predictions(fit, pd.DataFrame({"person": [4], "month": [3.0]}), groups=True).table
    estimate = row @ np.linalg.solve(joint, both.T @ np.linalg.solve(R, table["score"]))
    assert_allclose(found["estimate"], estimate, rtol=1e-6)
    assert_allclose(found["std_error"], np.sqrt(row @ np.linalg.solve(joint, row)), rtol=1e-6)


def test_leaving_a_group_out_is_generalised_least_squares_without_it(fit, table):
    X, Z, G, R = parts(fit, table)
    V, y = Z @ G @ Z.T + R, table["score"].to_numpy()
    keep = np.flatnonzero(table["person"] != 7)
    A, rest = np.linalg.inv(V[np.ix_(keep, keep)]), y[keep] - X[keep] @ fit.beta
    moved = -np.linalg.solve(X[keep].T @ A @ X[keep], X[keep].T @ A @ rest)
    found = fit.diagnose().influence.set_index("level").loc[7]
    assert_allclose(found[["(Intercept)", "month"]].astype(float), moved, rtol=1e-5)


def test_residuals_are_standard_and_no_longer_hold_on(fit, table):
    residual = fit.diagnose().residuals["residual"].to_numpy()
    X, Z, _, R = parts(fit, table)
    rest = table["score"] - X @ fit.beta - Z @ fit.solution.modes[0].ravel()
    # Any root of R⁻¹ gives the same sum of squares; this one goes forward in time.
    assert_allclose(residual @ residual, rest @ np.linalg.solve(R, rest), rtol=1e-9)
    assert_allclose(residual[0], rest.iloc[0] / np.sqrt(R[0, 0]), rtol=1e-9)


def test_a_new_observation_is_as_uncertain_as_its_arm(fit):
    grid = pd.DataFrame({"month": [2.0, 2.0], "arm": ["peer", "usual"]})
    mean = predictions(fit, grid).table["std_error"]
    one = predictions(fit, grid, observation=True).table["std_error"]
    ratio = np.exp(next(v for t, v, _ in fit.solution.dispersion if t.startswith("log")))
    assert_allclose(one**2 - mean**2, fit.sigma**2 * np.array([1, ratio]), rtol=1e-9)


def test_a_mapping_fills_the_dispersion_as_it_fills_the_fixed_part(fit, table):
    both = predictions(fit, {"month": [0, 6]}, observation=True).table
    assert both["arm"].tolist() == ["peer", "usual"] * 2
    named = predictions(fit, {"month": [0, 6], "arm": "peer"}, observation=True).table
    assert_allclose(named["std_error"], both[both["arm"] == "peer"]["std_error"])
    assert "arm" not in predictions(fit, {"month": [0, 6]}).table
    trend = fit_mixed("score ~ arm + (1 | person)", table, dispersion="~ month")
    found = predictions(trend, {"arm": "peer"}, observation=True).table
    assert_allclose(found["month"], table["month"].mean())
    with pytest.raises(DesignError, match="differs by 'month' .dispersion=.; add that"):
        predictions(trend, pd.DataFrame({"arm": ["peer"]}), observation=True)
    grid = pd.DataFrame({"arm": "peer", "month": [0.0, np.nan]})
    with pytest.raises(DataError, match="month is missing in row 1; how far a new observation"):
        predictions(trend, grid, observation=True)


def test_weights_and_a_structure_go_together(table):
    weighted = fit_mixed(
        FORMULA, table, residual="car1(month | person)", precision_weights=np.full(len(table), 4.0)
    )
    plain = fit_mixed(FORMULA, table, residual="car1(month | person)")
    assert_allclose(
        weighted.diagnose().residuals["residual"], plain.diagnose().residuals["residual"], atol=1e-4
    )


def test_groups_that_people_leave_cannot_be_told_one_by_one(table):
    moving = table.assign(team=(table["person"] + (table["month"] > 3)) % 5)
    fit = fit_mixed(
        "score ~ month + (1 | person) + (1 | team)", moving, residual="car1(month | person)"
    )
    assert fit.random_effects()["estimate"].notna().all()
    with pytest.raises(DesignError, match="people move between levels of 'team' while"):
        fit.diagnose()
    with pytest.raises(DesignError, match="what is known of single groups is not computed"):
        predictions(fit, moving, groups=True)


def test_without_groups_there_is_nothing_to_know_of_them(table):
    fit = fit_mixed("score ~ month", table, residual="car1(month | person)")
    with pytest.raises(DesignError, match="this model has no random term"):
        fit.diagnose()
    with pytest.raises(DesignError, match="has no group effects to know; leave groups= out"):
        predictions(fit, table, groups=True)


def test_which_arm_is_the_reference_does_not_change_what_is_explained(table, fit):
    other = table.assign(arm=table["arm"].replace({"peer": "zzz"}))
    again = fit_mixed(
        FORMULA, other, residual="car1(month | person)", dispersion="~ arm", reml=False
    )
    assert_allclose(again.log_likelihood, fit.log_likelihood, rtol=1e-9)
    assert_allclose(icc(again)["estimate"], icc(fit)["estimate"], rtol=1e-5)
    assert_allclose(r_squared(again)["conditional"], r_squared(fit)["conditional"], rtol=1e-5)


def test_a_group_on_which_a_coefficient_rests_is_named(table):
    only = table.assign(site=(table["person"] == 3).astype(float))
    found = fit_mixed("score ~ site + (1 | person)", only).diagnose()
    assert found.influence.set_index("level")["distance"].isna().pipe(
        lambda s: s[s].index.tolist()
    ) == [3]
    assert any(
        "rests on that group alone" in str(note) and "3" in str(note) for note in found.notes
    )
    assert found.plot() is not None


def test_the_description_says_what_residuals_may_be(table, fit):
    said = fit.describe("en", labels={"arm": "group"})
    assert "It lets a measurement depend on the one before. How far measurements lie" in said
    assert "may differ by group." in said
    assert "samenhangt met de vorige. Hoe ver metingen" in fit.describe("nl")
    assert "depend on" not in fit_mixed(FORMULA, table, dispersion="~ arm").describe("en")


def test_satterthwaite_is_that_of_the_whole_covariance(table):
    """Degrees of freedom by central differences of the dense restricted likelihood."""
    fit = fit_mixed(
        "score ~ arm * month + (1 | person)", table, residual="car1(month | person)",
        dispersion="~ arm",
    )  # fmt: skip
    X, y = fit.design.X, table["score"].to_numpy()
    same = np.equal.outer(table["person"].to_numpy(), table["person"].to_numpy())
    gap = np.abs(np.subtract.outer(table["month"].to_numpy(), table["month"].to_numpy()))
    usual = (table["arm"] == "usual").to_numpy()

    def covariance(at):
        sd = np.exp(usual * at[3] / 2)
        A = np.linalg.inv(same * (at[0] + at[1] * at[2] ** gap * np.outer(sd, sd)))
        return A, np.linalg.inv(X.T @ A @ X)

    def deviance(at):
        A, C = covariance(at)
        P = A - A @ X @ C @ X.T @ A
        return y @ P @ y - np.linalg.slogdet(A)[1] - np.linalg.slogdet(C)[1]

    (_, phi, phi_error), (_, tau, tau_error) = fit.solution.dispersion
    at = np.array([fit.solution.covariances[0][0, 0], fit.sigma**2, phi, tau])
    steps = np.diag(2e-4 * at)
    hessian = np.array([
        [(deviance(at + g + h) - deviance(at + g - h) - deviance(at - g + h) + deviance(at - g - h))
         / (4 * g.sum() * h.sum()) for g in steps] for h in steps
    ])  # fmt: skip
    uncertainty = 2 * np.linalg.inv(hessian)
    assert_allclose([phi_error, tau_error], np.sqrt(np.diag(uncertainty)[2:]), rtol=1e-4)
    C = covariance(at)[1]
    slopes = [(covariance(at + h)[1] - covariance(at - h)[1]) / (2 * h.sum()) for h in steps]
    for k, df in enumerate(fit.tidy()["df"].iloc[:4]):
        slope = np.array([moved[k, k] for moved in slopes])
        assert_allclose(df, 2 * C[k, k] ** 2 / (slope @ uncertainty @ slope), rtol=1e-4)
