"""Simulated outcomes have the moments of their model; power means what it says."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm

from expertise.errors import DesignError
from expertise.mixed import cores
from expertise.mixed.fit import fit_mixed
from expertise.mixed.plan import StudyPlan
from expertise.mixed.planning import power
from expertise.mixed.resampling import bootstrap
from expertise.mixed.simulation import simulate

ROWS = [(f"p{p:02d}", "ab"[p % 2], float(t)) for p in range(40) for t in range(4)]
DESIGN = pd.DataFrame(ROWS, columns=["person", "arm", "wave"])
PLAN = StudyPlan(
    formula="score ~ wave * arm + (1 | person)",
    table=DESIGN,
    covariances={"person": 4.0},
    sigma=2.0,
)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(8)
    eta = 1 + 0.2 * DESIGN["wave"] + rng.normal(0, 0.7, 40).repeat(4)
    return DESIGN.assign(
        score=eta + rng.normal(0, 0.5, len(eta)),
        calls=rng.poisson(np.exp(eta)),
        excess=rng.negative_binomial(1.5, 1.5 / (1.5 + np.exp(eta))),
        yes=np.where(eta + rng.logistic(size=len(eta)) > 1, "ja", "nee"),
        answer=np.digitize(eta + rng.logistic(size=len(eta)), [0.5, 1.5, 2.5]) + 1,
        asked=5,
        helped=rng.binomial(5, 1 / (1 + np.exp(-eta))),
    )


def test_simulated_scores_have_the_variances_of_the_fit(table):
    fit = fit_mixed("score ~ wave + (1 | person)", table)
    sets = simulate(fit, seed=1, n=400).to_numpy() - fit.linear_predictor(groups=False)[:, None]
    total = fit.solution.covariances[0][0, 0] + fit.sigma**2
    assert_allclose((sets**2).mean(), total, rtol=0.03)
    within = sets.reshape(40, 4, -1).var(axis=1, ddof=1).mean()
    assert_allclose(within, fit.sigma**2, rtol=0.03)


@pytest.mark.parametrize(
    ("outcome", "options"),
    [
        ("calls", {"family": "poisson"}),
        ("excess", {"family": "negative-binomial"}),
        ("helped", {"family": "binomial", "trials": "asked"}),
    ],
)
def test_simulated_counts_have_the_mean_of_the_model(table, outcome, options):
    fit = fit_mixed(f"{outcome} ~ wave + (1 | person)", table, **options)
    mean = simulate(fit, seed=2, n=800).mean(axis=1).groupby(DESIGN["wave"]).mean()
    sd = np.sqrt(fit.solution.covariances[0][0, 0])
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    eta = fit.beta[0] + fit.beta[1] * np.arange(4)[:, None] + sd * nodes
    expected = fit.link.inverse(eta) @ weights / weights.sum()
    assert_allclose(mean, expected * (5 if "trials" in options else 1), rtol=0.05)


def test_simulated_answers_carry_their_labels(table):
    binary = fit_mixed("yes ~ wave + (1 | person)", table, family="binomial")
    assert set(np.unique(simulate(binary, seed=1).to_numpy())) == {"ja", "nee"}
    ordinal = fit_mixed("answer ~ wave + (1 | person)", table, family="cumulative")
    sets = simulate(ordinal, seed=1, n=200)
    assert set(np.unique(sets.to_numpy())) == {1, 2, 3, 4}
    share = pd.Series(sets.to_numpy().ravel()).value_counts(normalize=True)
    seen = table["answer"].value_counts(normalize=True)
    assert_allclose(share.sort_index(), seen.sort_index(), atol=0.05)


def test_same_seed_same_outcomes(table):
    fit = fit_mixed("score ~ wave + (1 | person)", table)
    assert simulate(fit, seed=4).equals(simulate(fit, seed=4))
    assert not simulate(fit, seed=4).equals(simulate(fit, seed=5))
    with pytest.raises(DesignError, match="n is 0; it is how many sets"):
        simulate(fit, seed=1, n=0)
    for seed in ("a", -1):
        with pytest.raises(DesignError, match=f"seed is {seed!r}; it is a whole number from 0"):
            simulate(fit, seed=seed)


def run(plan, effect, **options):
    given = {"n": 40, "dropout": 0.0, "seed": 1, "replicates": 60, "progress": False}
    return power(plan, effect=effect, **given | options)


def test_power_agrees_with_theory_for_a_balanced_design():
    """Within-person slope by arm: variance of the difference 2 σ²/(20 Σ(t − 2.5)²)."""
    error = np.sqrt(2 * 4.0 / (20 * 5.0))
    found = run(PLAN, {"wave:armb": 2.8 * error}, replicates=120).table.iloc[0]
    theory = norm.sf(1.98 - 2.8)
    assert abs(found["power"] - theory) < 3.5 * np.sqrt(theory * (1 - theory) / 120)
    assert found["conf_low"] < found["power"] < found["conf_high"]
    assert_allclose(found["width"], 2 * 1.98 * error, rtol=0.03)
    assert abs(found["coverage"] - 0.95) < 0.06


def test_no_effect_is_found_about_as_often_as_the_level_allows():
    found = run(PLAN, {"wave:armb": 0.0}, replicates=120).table.iloc[0]
    assert found["power"] < 0.11


def test_dropout_widens_intervals():
    whole = run(PLAN, {"wave:armb": 0.5}).table["width"].iloc[0]
    left = run(PLAN, {"wave:armb": 0.5}, dropout=0.5, wave="wave").table["width"].iloc[0]
    assert left > 1.1 * whole


def test_a_pilot_lends_its_variances_but_not_its_effect(table):
    pilot = fit_mixed("score ~ wave * arm + (1 | person)", table)
    none = run(pilot, {"wave:armb": 0.0}).table.iloc[0]
    large = run(pilot, {"wave:armb": 1.0}).table.iloc[0]
    assert none["power"] < 0.2
    assert large["power"] == 1.0


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("yes ~ wave + arm + (1 | person)", {"family": "binomial"}),
        ("helped ~ wave + arm + (1 | person)", {"family": "binomial", "trials": "asked"}),
        ("answer ~ wave + arm + (1 | person)", {"family": "cumulative"}),
        ("excess ~ wave + arm + (1 | person)", {"family": "negative-binomial"}),
    ],
)
def test_pilots_of_every_family(table, formula, options):
    pilot = fit_mixed(formula, table, **options)
    found = run(pilot, {"armb": 1.0}, replicates=8, n=30, dropout=0.2, wave="wave")
    assert 0 <= found.table["power"].iloc[0] <= 1
    assert found.table["width"].iloc[0] > 0


def test_plans_of_other_families():
    ordered = StudyPlan(
        formula="answer ~ arm + (1 | person)", table=DESIGN, covariances={"person": 1.0},
        family="cumulative", thresholds=(-1.0, 0.0, 1.0),
    )  # fmt: skip
    assert run(ordered, {"armb": 3.0}, replicates=10).table["power"].iloc[0] > 0.8
    counts = StudyPlan(
        formula="calls ~ arm + (1 | person)", table=DESIGN, covariances={"person": 0.1},
        coefficients={"(Intercept)": 1.0}, family="negative-binomial", theta=2.0,
    )  # fmt: skip
    assert run(counts, {"armb": 1.5}, replicates=10).table["power"].iloc[0] > 0.8


@pytest.mark.timeout(300)  # starts processes, which a busy machine makes wait
def test_power_is_the_same_on_any_number_of_cores(monkeypatch):
    monkeypatch.setattr(cores, "_WORTH_PROCESSES", 0.0)
    one, two = (
        run(PLAN, {"wave:armb": 0.5}, dropout=0.3, wave="wave", replicates=6, cores=cores)
        for cores in (1, 2)
    )
    pd.testing.assert_frame_equal(one.table, two.table)


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("helped ~ wave + (1 | person)", {"family": "binomial", "trials": "asked"}),
        ("excess ~ wave + (1 | person)", {"family": "negative-binomial"}),
        ("answer ~ wave + (1 | person)", {"family": "cumulative"}),
    ],
)
def test_bootstrap_of_every_family_spreads_as_its_standard_errors(table, formula, options):
    fit = fit_mixed(formula, table, **options)
    drawn = bootstrap(fit, 60, seed=3, progress=False)
    tidy = drawn.tidy().set_index("term")
    wald = fit.tidy().query("component != 'variance'").set_index("term")
    for name in wald.index:
        assert_allclose(tidy.loc[name, "estimate"], wald.loc[name, "estimate"])
        assert 0.6 < tidy.loc[name, "std_error"] / wald.loc[name, "std_error"] < 1.6, name
    sd = np.sqrt(fit.solution.covariances[0][0, 0])
    assert_allclose(tidy.loc["sd (Intercept)", "estimate"], sd)


def test_residuals_with_a_structure_are_drawn_as_they_are_fitted():
    rng = np.random.default_rng(12)
    study = DESIGN[rng.random(len(DESIGN)) < 0.85].sample(frac=1, random_state=1)
    noise = rng.normal(size=len(study)) * np.where(study["arm"] == "b", 2.0, 1.0)
    study = study.assign(score=noise + rng.normal(0, 1, 40)[study["person"].factorize()[0]])
    fit = fit_mixed(
        "score ~ wave + (1 | person)", study, residual="ar1(wave | person)", dispersion="~ arm"
    )
    whitening = fit.solution.whitening
    assert_allclose(whitening(whitening.residuals(noise)[:, None])[:, 0], noise)
    sets = simulate(fit, seed=1, n=600).to_numpy() - fit.linear_predictor(groups=False)[:, None]
    variances = (sets**2).mean(axis=1) - fit.solution.covariances[0][0, 0]
    correlation, (_, spread, _) = fit.solution.dispersion[0][1], fit.solution.dispersion[1]
    for arm, share in (("a", 1.0), ("b", np.exp(spread))):
        own = (study["arm"] == arm).to_numpy()
        assert_allclose(variances[own].mean(), share * fit.sigma**2, rtol=0.1)
    drawn = bootstrap(fit, 8, seed=1, progress=False)
    assert list(drawn.tidy()["term"])[-2:] == [name for name, _, _ in fit.solution.dispersion]
    spread_of = {name: error for name, _, error in fit.solution.dispersion}
    middle = drawn.draws.iloc[:, -2].mean()
    assert abs(middle - correlation) < 3 * spread_of["ar1 correlation: wave"] / np.sqrt(8)


def test_draws_without_an_answer_are_counted(table):
    rare = table.assign(yes=(np.arange(len(table)) % 53 == 0).astype(float))
    fit = fit_mixed("yes ~ 1 + (1 | person)", rare, family="binomial")
    drawn = bootstrap(fit, 40, seed=1, progress=False)
    lost = int(drawn.draws.isna().all(axis=1).sum())
    assert 0 < lost < 38
    assert str(drawn.notes[-1]).startswith(f"No optimum was found in {lost} of 40 draws")


def test_result_shows_power_and_width():
    found = run(PLAN, {"wave:armb": 0.5}, replicates=10)
    assert list(found.tidy()["term"]) == ["wave:armb", "width of the interval of wave:armb"]
    assert found.heading() == "Power with 40 people, 0 % leaving early, 10 simulated studies"
    assert repr(found) == repr(run(PLAN, {"wave:armb": 0.5}, replicates=10))


def test_studies_that_cannot_be_fitted_count_against_power():
    rare = StudyPlan(
        formula="yes ~ arm + (1 | person)", table=DESIGN, covariances={"person": 0.01},
        coefficients={"(Intercept)": -7.0}, family="binomial",
    )  # fmt: skip
    found = run(rare, {"armb": 3.5}, replicates=20)
    assert [note.key for note in found.notes] == ["mixed_use.power_failed"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"effect": {}}, "effect is empty; name the coefficient that matters"),
        (
            {"effect": {"wave:armB": 1.0}},
            "'wave:armB' is no coefficient of the model (did you mean",
        ),
        ({"n": 1}, "n is 1 and replicates 60"),
        ({"dropout": 1.0}, "dropout is 1.0; it is a share from 0 to below 1"),
        ({"dropout": 0.2}, "dropout needs wave, the numeric column"),
        ({"wave": "waves"}, "wave is 'waves', which is no numeric column of the design (did you"),
        ({"person": "arm"}, "person is 'arm'; the groupings are person"),
    ],
)
def test_power_refuses(change, sentence):
    given = {"effect": {"wave:armb": 0.5}} | change
    with pytest.raises(DesignError, match=re.escape(sentence)):
        run(PLAN, given.pop("effect"), **given)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sigma": None}, "a plan for the family gaussian needs sigma"),
        ({"covariances": {}}, "the plan has no covariances for 'person'; give a variance"),
        ({"covariances": {"person": [[1, 2], [2, 1]]}}, "a symmetric 1 × 1 matrix"),
        ({"coefficients": {"waves": 1.0}}, "'waves' is no coefficient of the model"),
        ({"formula": "log(score) ~ wave + (1 | person)"}, "an outcome that is a column"),
    ],
)
def test_plan_refuses(change, sentence):
    plan = StudyPlan(
        **{
            "formula": PLAN.formula, "table": DESIGN, "covariances": {"person": 4.0}, "sigma": 2.0
        } | change
    )  # fmt: skip
    with pytest.raises(DesignError, match=re.escape(sentence)):
        run(plan, {"wave:armb": 0.5})
