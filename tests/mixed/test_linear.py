"""Linear mixed models: what cannot change the answer, and what an answer must obey."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import brentq
from scipy.stats import chi2, multivariate_normal

from expertise.errors import DesignError, FitError
from expertise.mixed import blocks, cores, newton, structured
from expertise.mixed.compare import compare_fits
from expertise.mixed.explained import icc, r_squared
from expertise.mixed.fit import fit_mixed
from expertise.mixed.profiles import profile_intervals
from expertise.mixed.resampling import bootstrap

SLOPES = "score ~ wave * arm + (wave | person) + (1 | team)"


def study(seed=1, people=40, waves=5, missing=0.2):
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), waves)
    wave = np.tile(np.arange(waves, dtype=float), people)
    arm, team = rng.integers(0, 2, people), rng.integers(0, 6, people)
    b = rng.multivariate_normal([0, 0], [[4, -0.5], [-0.5, 0.5]], people)
    score = 10 + 0.5 * wave - 0.4 * wave * arm[person] + rng.normal(0, 1, 6)[team[person]]
    score += b[person, 0] + b[person, 1] * wave + rng.normal(0, 1.5, len(person))
    table = pd.DataFrame(
        {
            "score": score,
            "wave": wave,
            "arm": np.where(arm[person] == 1, "care", "usual"),
            "person": person,
            "team": team[person],
        }
    )
    return table[rng.random(len(table)) >= missing].reset_index(drop=True)


def same(one, other, rtol=1e-6):
    a, b = one.tidy(), other.tidy()
    for name in ("estimate", "std_error", "df"):
        assert_allclose(a[name], b[name], rtol=rtol, err_msg=name)
    assert_allclose(one.log_likelihood, other.log_likelihood, rtol=1e-9)


def brute(design, covariances, sigma2, beta, reml):
    """The log-likelihood by its definition, with the n by n covariance."""
    V = sigma2 * np.eye(len(design.y))
    for term, G in zip(design.random, covariances, strict=True):
        together = term.codes[:, None] == term.codes[None]
        V += together * (term.Z @ G @ term.Z.T)
    value = multivariate_normal(design.X @ beta, V).logpdf(design.y)
    if reml:
        XVX = design.X.T @ np.linalg.solve(V, design.X)
        value += 0.5 * (len(beta) * np.log(2 * np.pi) - np.linalg.slogdet(XVX)[1])
    return value


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize(
    "formula",
    [
        SLOPES,
        "score ~ wave + (1 | team/person)",
        "score ~ wave + (wave || person) + (wave | team)",
        "score ~ wave + (1 | person) + (1 | wave:team)",
        "score ~ wave + (0 + wave | person) + (1 | person:arm)",
        "score ~ wave + (arm | team) + (1 | person)",
    ],
)
def test_likelihood_is_that_of_the_definition_and_at_its_top(formula, reml):
    fit = fit_mixed(formula, study(), reml=reml)
    solution = fit.solution
    value = brute(fit.design, solution.covariances, fit.sigma**2, fit.beta, reml)
    assert_allclose(fit.log_likelihood, value, rtol=1e-9)
    rng = np.random.default_rng(0)
    for _ in range(10):
        nearby = [G * np.exp(rng.normal(0, 0.02)) for G in solution.covariances]
        moved = fit.sigma**2 * np.exp(rng.normal(0, 0.02))
        assert brute(fit.design, nearby, moved, fit.beta, reml) <= value + 1e-9


def test_modes_are_the_conditional_means():
    fit = fit_mixed(SLOPES, study())
    V = fit.sigma**2 * np.eye(len(fit.design.y))
    crosses = []
    for term, G in zip(fit.design.random, fit.solution.covariances, strict=True):
        member = (term.codes[:, None] == np.arange(term.size)).astype(float)
        Z = (member[:, :, None] * term.Z[:, None, :]).reshape(len(V), -1)
        crosses.append(Z @ np.kron(np.eye(term.size), G))
        V += crosses[-1] @ Z.T
    rest = np.linalg.solve(V, fit.design.y - fit.design.X @ fit.beta)
    for cross, modes in zip(crosses, fit.solution.modes, strict=True):
        assert_allclose(modes.ravel(), cross.T @ rest, atol=1e-8)
    team = fit.design.random[1]
    cross, G = crosses[1], fit.solution.covariances[1]
    conditional = np.eye(team.size) * G - cross.T @ np.linalg.solve(V, cross)
    found = fit.solution.mode_covariances[1][:, 0, 0]
    assert_allclose(found, np.diag(conditional), rtol=1e-8)


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_order_labels_and_units_change_nothing(df):
    data = study()
    fit = fit_mixed(SLOPES, data, df=df)
    shuffled = data.sample(frac=1, random_state=3)
    same(fit, fit_mixed(SLOPES, shuffled, df=df))
    renamed = data.assign(person=data["person"].map(lambda at: f"P{(at * 7919) % 1009}"))
    same(fit, fit_mixed(SLOPES, renamed, df=df))
    scaled = fit_mixed(SLOPES, data.assign(score=1000 * data["score"]), df=df)
    assert_allclose(scaled.beta, 1000 * fit.beta, rtol=1e-6)
    assert_allclose(scaled.tidy()["df"].head(4), fit.tidy()["df"].head(4), rtol=1e-6)


def test_a_large_constant_changes_nothing_but_the_intercept():
    data = study()
    fit = fit_mixed(SLOPES, data)
    high = fit_mixed(SLOPES, data.assign(score=data["score"] + 1e6))
    assert_allclose(high.beta[1:], fit.beta[1:], rtol=1e-6)
    assert_allclose(high.beta[0] - 1e6, fit.beta[0], rtol=1e-6)
    assert_allclose(high.sigma, fit.sigma, rtol=1e-7)
    late = fit_mixed(SLOPES, data.assign(wave=data["wave"] + 1e6))
    assert_allclose(late.log_likelihood, fit.log_likelihood, rtol=1e-9)
    assert_allclose(late.beta[[1, 3]], fit.beta[[1, 3]], rtol=1e-6)
    slope = [f.solution.covariances[0][1, 1] for f in (fit, late)]
    assert_allclose(slope[1], slope[0], rtol=1e-5)


def test_a_predictor_of_1e12_equals_its_centred_fit():
    data = study()
    data["x"] = np.random.default_rng(0).integers(0, 40, len(data)).astype(float)
    fit = fit_mixed("score ~ x + (1 | person)", data)
    huge = fit_mixed("score ~ x + (1 | person)", data.assign(x=data["x"] + 1e12))
    assert_allclose(huge.beta[1], fit.beta[1], rtol=1e-6)
    assert_allclose(huge.log_likelihood, fit.log_likelihood, rtol=1e-9)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), people=st.integers(8, 25), missing=st.floats(0, 0.4))
def test_any_small_study_gives_a_finite_answer_or_a_sentence(seed, people, missing):
    data = study(seed, people, 4, missing)
    try:
        fit = fit_mixed("score ~ wave + (wave | person)", data)
    except DesignError:
        return
    fixed = fit.tidy().query("component == 'fixed'")
    assert np.isfinite(fixed[["estimate", "std_error", "df", "conf_low"]]).all().all()
    assert (np.linalg.eigvalsh(fit.solution.covariances[0]) >= -1e-9).all()
    assert fit.solution.converged


def test_weights_act_as_repeated_measurements_of_a_mean():
    data = study(missing=0.0)
    plain = fit_mixed("score ~ arm + (1 | person)", data, reml=False)
    halves = data.assign(half=data["wave"] >= 2).groupby(["person", "arm", "half"], as_index=False)
    two = halves["score"].agg(["mean", "size"]).rename(columns={"mean": "score"})
    weighted = fit_mixed("score ~ arm + (1 | person)", two, precision_weights="size", reml=False)
    assert_allclose(weighted.beta, plain.beta, rtol=1e-7)


def test_an_offset_is_a_known_part():
    data = study()
    data["known"] = 3 * data["wave"]
    fit = fit_mixed("score ~ wave + (1 | person)", data)
    off = fit_mixed("score ~ wave + (1 | person)", data, offset="known")
    assert_allclose(off.beta, fit.beta - [0, 3], rtol=1e-7)
    assert_allclose(off.augment()["fitted"], fit.augment()["fitted"], rtol=1e-7)


def test_views():
    fit = fit_mixed(SLOPES, study(), conf_level=0.9)
    tidy = fit.tidy()
    assert tidy["component"].unique().tolist() == ["fixed", "variance"]
    assert tidy.loc[tidy["component"] == "variance", "group"].tolist() == [
        "person", "person", "person", "team", "residual",
    ]  # fmt: skip
    assert (tidy["conf_level"].head(4) == 0.9).all()
    augment = fit.augment()
    assert_allclose(augment["residual"], augment["score"] - augment["fitted"])
    assert fit.glance()["n"].item() == len(augment)
    assert len(fit.random_effects()) == 2 * fit.design.random[0].size + 6
    assert "p_value" not in repr(fit)
    assert repr(fit) == repr(fit_mixed(SLOPES, study(), conf_level=0.9))


def test_explained_variance_and_likeness():
    # by hand from the fitted variances, Nakagawa et al. (2017), equations 1 and 2
    fit = fit_mixed("score ~ wave + (1 | person)", study())
    G, s2 = fit.solution.covariances[0][0, 0], fit.sigma**2
    fixed = np.var(fit.design.X @ fit.beta)
    assert_allclose(r_squared(fit)["marginal"], fixed / (fixed + G + s2))
    assert_allclose(r_squared(fit)["conditional"], (fixed + G) / (fixed + G + s2))
    assert_allclose(icc(fit)["estimate"], [G / (G + s2)])


def test_one_variance_more_is_tested_at_the_boundary():
    data = study()
    small = fit_mixed("score ~ wave + (1 | person)", data)
    comparison = compare_fits(small, fit_mixed("score ~ wave + (1 | person) + (1 | team)", data))
    last = comparison.table.iloc[-1]
    assert last["method"] == "mixture"
    assert "mixture" in str(comparison.notes[0])
    with pytest.raises(DesignError, match="different rows"):
        compare_fits(small, fit_mixed("score ~ wave + (1 | person)", data.iloc[:-3]))
    with pytest.raises(DesignError, match="two fits or more"):
        compare_fits(small)


def test_models_that_are_not_nested_get_no_test():
    data = study()
    data["noise"], data["other"] = np.random.default_rng(5).normal(size=(2, len(data)))
    wave = fit_mixed("score ~ wave + (1 | person)", data)
    comparison = compare_fits(wave, fit_mixed("score ~ noise + other + (1 | person)", data))
    last = comparison.table.iloc[-1]
    assert (last["method"], last["df"]) == ("not nested", 1)
    assert np.isnan(last["p_value"])
    assert "not nested" in repr(comparison)
    curved = compare_fits(wave, fit_mixed("score ~ poly(wave, 2) + (1 | person)", data))
    assert curved.table["method"].iloc[-1] == "chi-square"


def test_profiles_refuse_what_they_cannot_profile():
    fit = fit_mixed("score ~ wave + (1 | person)", study())
    with pytest.raises(DesignError, match="did you mean 'wave'"):
        profile_intervals(fit, ["wav"])
    counts = study().assign(score=lambda rows: rows["score"].round().abs())
    counted = fit_mixed("score ~ wave + (1 | person)", counts, family="poisson")
    with pytest.raises(DesignError, match="for gaussian fits, and this one is poisson; use the"):
        profile_intervals(counted)


@pytest.mark.timeout(300)  # starts processes, which a busy machine makes wait
def test_bootstrap_is_the_same_on_any_number_of_cores(monkeypatch):
    fit = fit_mixed("score ~ wave + (1 | person)", study(), df="normal")
    one = bootstrap(fit, 30, seed=4, cores=1, progress=False)
    monkeypatch.setattr(cores, "_WORTH_PROCESSES", 0.0)
    two = bootstrap(fit, 30, seed=4, cores=2, progress=False)
    pd.testing.assert_frame_equal(one.draws, two.draws)
    assert_allclose(one.tidy()["estimate"].iloc[:2], fit.beta)
    spread = one.tidy()["std_error"].iloc[1] / np.sqrt(fit.cov_beta[1, 1])
    assert 0.6 < spread < 1.5
    with pytest.raises(DesignError, match="draw 2 or more"):
        bootstrap(fit, 1)


def test_residual_correlation_is_found_again():
    rng = np.random.default_rng(5)
    people, waves = 80, 8
    noise = rng.normal(size=(people, waves))
    for at in range(1, waves):
        noise[:, at] = 0.6 * noise[:, at - 1] + 0.8 * noise[:, at]
    data = pd.DataFrame(
        {
            "y": (noise + rng.normal(size=(people, 1))).ravel(),
            "wave": np.tile(np.arange(waves), people),
            "person": np.repeat(np.arange(people), waves),
        }
    )
    for kind in ("ar1", "car1"):
        fit = fit_mixed("y ~ 1 + (1 | person)", data, residual=f"{kind}(wave | person)")
        _, value, error = fit.solution.dispersion[0]
        assert abs(value - 0.6) < 3 * error < 0.3
    again = fit_mixed(
        "y ~ 1 + (1 | person)", data.sample(frac=1, random_state=1),
        residual="car1(wave | person)",
    )  # fmt: skip
    same(fit, again, rtol=1e-4)


def test_no_optimum_is_an_error_never_a_result(monkeypatch):
    monkeypatch.setattr(newton, "_MOST", 2)
    with pytest.raises(FitError, match="no optimum found in 2 evaluations"):
        fit_mixed(SLOPES, study())
    monkeypatch.undo()
    monkeypatch.setattr(structured, "_FLAT", 0.0)
    with pytest.raises(FitError, match="no optimum found for log variance: armusual"):
        fit_mixed("score ~ wave + (1 | person)", study(), dispersion="~ arm")


def test_too_many_crossed_coefficients_are_refused(monkeypatch):
    monkeypatch.setattr(blocks, "_MOST_DENSE", 4)
    with pytest.raises(DesignError, match="crossed groupings leave 6 coefficients"):
        fit_mixed("score ~ wave + (1 | person) + (1 | team)", study())


def test_counts_have_no_r_squared_here():
    data = study()
    data["count"] = np.random.default_rng(0).poisson(3, len(data))
    fit = fit_mixed("count ~ wave + (1 | person)", data, family="poisson")
    with pytest.raises(DesignError, match="poisson has no residual variance"):
        r_squared(fit)


def test_a_profile_leaves_the_boundary_where_the_likelihood_does():
    """Balanced groups: −2 log L = within/σ² + G(m − 1) log σ² + between/λ + G log λ, λ ≥ σ²."""
    G, m = 12, 5
    off, mean = np.random.default_rng(3).normal(size=(G, m)), np.arange(G) - (G - 1) / 2
    off -= off.mean(axis=1, keepdims=True)
    within = (off**2).sum()
    between = 0.95 * within / (m - 1)  # just too little for a variance between groups
    y = off + np.sqrt(between / m / (mean**2).sum()) * mean[:, None]
    fit = fit_mixed(
        "y ~ 1 + (1 | g)", pd.DataFrame({"y": y.ravel(), "g": np.repeat(np.arange(G), m)})
    )

    def deviance(sigma):
        share = max(between / G, sigma**2)
        own = within / sigma**2 + G * (m - 1) * np.log(sigma**2)
        return own + between / share + G * np.log(share)

    top = np.sqrt((within + between) / (G * m))
    row = profile_intervals(fit, ["sd"]).tidy().iloc[-1]
    assert_allclose(row["estimate"], top, rtol=1e-6)
    for side, start in (("conf_low", 0.5 * top), ("conf_high", 2 * top)):
        limit = brentq(lambda s: deviance(s) - deviance(top) - chi2.isf(0.05, 1), start, top)
        assert_allclose(row[side], limit, rtol=1e-6)
    assert row["conf_low"] ** 2 < between / G


def test_kenward_roger_with_weights_is_that_of_weighted_rows():
    # pbkrtest leaves weights out, but agrees on rows that were multiplied by their roots
    data = study()
    data["weight"] = np.random.default_rng(8).gamma(2, size=len(data)) + 0.1
    root = np.sqrt(data["weight"])
    rows = data.assign(one=root, wave=root * data["wave"], score=root * data["score"])
    kind = {"df": "kenward-roger"}
    want = fit_mixed("score ~ 0 + one + wave + (0 + one | person)", rows, **kind).tidy()
    fit = fit_mixed("score ~ wave + (1 | person)", data, precision_weights="weight", **kind)
    assert_allclose(fit.tidy()["std_error"].dropna(), want["std_error"].dropna(), rtol=1e-7)
    assert_allclose(fit.tidy()["df"].dropna(), want["df"].dropna(), rtol=1e-6)
