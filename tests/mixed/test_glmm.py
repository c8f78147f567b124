"""Generalized and ordinal fits: what is noted, what is refused, what simulation recovers."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError, DesignError, FitError
from expertise.mixed.fit import fit_mixed
from expertise.mixed.separation import separating


def keys(fit):
    return {note.key for note in fit.notes}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(11)
    people, waves = 40, 6
    person = np.repeat(np.arange(people), waves)
    wave = np.tile(np.arange(waves), people)
    eta = 0.2 + 0.15 * wave + rng.normal(0, 0.8, people)[person]
    return pd.DataFrame(
        {
            "person": [f"p{i}" for i in person],
            "wave": wave,
            "arm": np.where(person % 2, "peer", "usual"),
            "calls": rng.poisson(np.exp(eta)),
            "yes": (eta + rng.logistic(size=len(eta)) > 0).astype(int),
            "answer": np.digitize(eta + rng.logistic(size=len(eta)), [-0.5, 0.8, 2.0]) + 1,
            "team": [f"t{i % 7}" for i in person],
        }
    )


def test_tidy_orders_components_and_names_thresholds(table):
    fit = fit_mixed("answer ~ wave + (1 | person)", table, family="cumulative")
    tidy = fit.tidy()
    assert list(tidy["component"]) == ["fixed", *["threshold"] * 3, "variance"]
    assert list(tidy["term"]) == ["wave", "1|2", "2|3", "3|4", "(Intercept)"]
    variance = tidy.iloc[-1]
    assert 0 < variance["conf_low"] < variance["estimate"] < variance["conf_high"]
    ratio = variance["conf_high"] / variance["estimate"]
    assert_allclose(ratio, variance["estimate"] / variance["conf_low"])


def test_ordered_outcome_with_thresholds_alone(table):
    fit = fit_mixed("answer ~ 1 + (1 | person)", table, family="cumulative")
    assert fit.names == ()
    assert len(fit.solution.thresholds) == 3


def test_two_ordered_categories_are_a_logistic_model(table):
    ordinal = fit_mixed("yes ~ wave + (1 | person)", table, family="cumulative")
    binary = fit_mixed("yes ~ wave + (1 | person)", table, family="binomial")
    assert_allclose(ordinal.log_likelihood, binary.log_likelihood, rtol=1e-10)
    assert_allclose(ordinal.beta, binary.beta[1:], rtol=1e-6)
    assert_allclose(ordinal.solution.thresholds, -binary.beta[0], rtol=1e-6)


def test_one_trial_each_is_a_bernoulli_model(table):
    counted = table.assign(trials=1)
    one = fit_mixed("yes ~ wave + (1 | person)", table, family="binomial")
    two = fit_mixed("yes ~ wave + (1 | person)", counted, family="binomial", trials="trials")
    assert_allclose(one.log_likelihood, two.log_likelihood, rtol=1e-13)


def test_offset_shifts_the_intercept(table):
    plain = fit_mixed("calls ~ wave + (1 | person)", table, family="poisson")
    shifted = fit_mixed(
        "calls ~ wave + (1 | person)", table, family="poisson", offset=np.full(len(table), 1.5)
    )
    assert_allclose(shifted.beta, plain.beta - [1.5, 0.0], rtol=1e-6)
    assert_allclose(shifted.cov_beta, plain.cov_beta, rtol=1e-5)


def test_quadrature_with_a_random_slope(table):
    formula = "yes ~ wave + (wave | person)"
    steps = [
        fit_mixed(formula, table, family="binomial", quadrature=k).log_likelihood for k in (1, 5, 9)
    ]
    assert abs(steps[2] - steps[1]) < abs(steps[1] - steps[0])


def test_ordered_outcomes_are_whole_numbers_or_categories(table):
    halves = table.assign(answer=table["answer"] / 2)
    with pytest.raises(DataError, match=r"'answer' is no whole number in row \d+ .* ordered"):
        fit_mixed("answer ~ wave + (1 | person)", halves, family="cumulative")
    with pytest.raises(DesignError, match="the outcome 'answer' is yes in all 240 rows"):
        fit_mixed("answer ~ wave + (1 | person)", table.assign(answer="yes"), family="binomial")
    answer = pd.Categorical(table["answer"], categories=[0, 1, 2, 3, 4], ordered=True)
    wider = table.assign(answer=answer)
    fit = fit_mixed("answer ~ wave + (1 | person)", wider, family="cumulative")
    assert "Levels of answer without any row left out: 0." in [str(n) for n in fit.notes]


def test_counts_of_millions(table):
    many = table.assign(calls=table["calls"] * 10_000_000 + 3)
    fit = fit_mixed("calls ~ wave + (1 | person)", many, family="poisson")
    assert_allclose(np.exp(fit.linear_predictor()).sum() / many["calls"].sum(), 1, rtol=1e-6)


def test_boundary_is_noted_and_named(table):
    noise = table.assign(flat=np.tile([0, 1, 2], 80))
    fit = fit_mixed("flat ~ wave + (1 | person)", noise, family="poisson")
    assert "mixed.boundary" in keys(fit)
    assert "(1 | person)" in str(next(n for n in fit.notes if n.key == "mixed.boundary"))
    assert fit.singular
    assert fit.solution.covariances[0] == 0
    assert np.isnan(fit.tidy().query("component == 'variance'")["std_error"].iloc[0])


def test_counts_without_excess_say_so(table):
    fit = fit_mixed("calls ~ wave + (1 | person)", table, family="negative-binomial")
    assert "glmm.no_excess" in keys(fit)
    poisson = fit_mixed("calls ~ wave + (1 | person)", table, family="poisson")
    assert_allclose(fit.log_likelihood, poisson.log_likelihood, rtol=1e-9)
    assert_allclose(fit.cov_beta, poisson.cov_beta, rtol=1e-5)


def test_overdispersion_is_shown(table):
    excess = table.assign(calls=table["calls"] * 5)
    fit = fit_mixed("calls ~ wave + (1 | person)", excess, family="poisson")
    assert "glmm.excess" in keys(fit)
    shown = fit.tidy().query("component == 'dispersion'")
    assert list(shown["term"]) == ["pearson"]
    assert shown["estimate"].iloc[0] > 2


def test_overdispersed_file(bad_inputs):
    table = pd.read_csv(bad_inputs / "mod_count_overdispersed.csv")
    fit = fit_mixed("uitkomst ~ thema + (1 | deelnemer)", table, family="poisson")
    assert "glmm.excess_without" in keys(fit)
    # glmmTMB 1.1.5: logLik −160.0, thema −0.4104 (SE 1.5077)
    assert_allclose(fit.beta[1], -0.4104, atol=2e-4)


def test_rare_events_are_noted(table):
    rare = table.assign(yes=(np.arange(len(table)) % 47 == 0).astype(int))
    fit = fit_mixed("yes ~ wave + (1 | person)", rare, family="binomial")
    told = next(note for note in fit.notes if note.key == "glmm.rare")
    assert str(told).startswith("6 events in 240, fewer than 10 per coefficient")
    assert told.text("nl").startswith("6 gebeurtenissen in 240")


def test_rare_file_says_everything(bad_inputs):
    table = pd.read_csv(bad_inputs / "mod_rare_outcome.csv")
    with pytest.raises(DesignError, match=r"2 events in 200, fewer than 10 per coefficient"):
        fit_mixed("uitkomst ~ thema + (1 | deelnemer)", table, family="binomial")


def test_separation_names_the_predictor(table):
    told = table.assign(yes=(table["arm"] == "peer").astype(int))
    with pytest.raises(FitError, match=r"armusual predicts 'yes' without error \(separation\)"):
        fit_mixed("yes ~ arm + wave + (1 | person)", told, family="binomial")
    answers = table.assign(answer=np.where(table["arm"] == "peer", 1, 2 + table["yes"]))
    with pytest.raises(FitError, match=r"armusual predicts 'answer' without error"):
        fit_mixed("answer ~ arm + (1 | person)", answers, family="cumulative")


def test_separation_file_names_the_predictor(bad_inputs):
    table = pd.read_csv(bad_inputs / "mod_perfect_separation.csv")
    with pytest.raises(DesignError, match=r"thema predicts the outcome without error"):
        fit_mixed("uitkomst ~ thema + (1 | deelnemer)", table, family="binomial")


def test_separating_directions():
    X = np.column_stack([np.ones(6), [0, 0, 0, 1, 1, 1], [1, 2, 3, 1, 2, 3]])
    names = ["(Intercept)", "theme", "wave"]
    assert separating(np.array([0, 0, 0, 1, 1, 1]), X, names) == ["theme"]
    assert separating(np.array([0, 0, 0, 0, 1, 1]), X, names) == ["theme", "wave"]
    assert separating(np.array([0, 1, 0, 1, 0, 1]), X, names) == []
    both = np.array([False, True, False, True, False, False])
    assert separating(np.array([0, 0, 0, 0, 1, 1]), X, names, mixed=both) == []


def test_negative_count_names_the_row(bad_inputs):
    table = pd.read_csv(bad_inputs / "mod_negative_count.csv")
    with pytest.raises(DataError, match=r"'uitkomst' is negative in row \d+ \(-1\)"):
        fit_mixed("uitkomst ~ thema + (1 | deelnemer)", table, family="poisson")


@pytest.mark.parametrize(
    ("change", "options", "sentence"),
    [
        ({"calls": 1.5}, {}, "is no whole number in row 0 (1.5)"),
        ({}, {"quadrature": 0}, "quadrature is 0; it is a whole number of nodes from 1"),
        ({}, {"quadrature": 30_000}, "takes 30000 nodes for (1 | person)"),
        ({}, {"precision_weights": "weight"}, "precision weights belong to the family gaussian"),
        ({}, {"reml": True}, "reml=True is for the family gaussian; poisson is fitted by ML"),
        ({}, {"link": "logit"}, "has no link 'logit'"),
    ],
)
def test_refusals(table, change, options, sentence):
    given = table.assign(weight=1.0, **change)
    with pytest.raises((DataError, DesignError), match=re.escape(sentence)):
        fit_mixed("calls ~ wave + (1 | person)", given, family="poisson", **options)


@pytest.mark.parametrize(
    ("formula", "family", "sentence"),
    [
        ("yes ~ wave", "binomial", "has no random term such as (1 | person)"),
        ("answer ~ 0 + wave + (1 | person)", "cumulative", "leaves out the intercept"),
    ],
)
def test_formulas_refused(table, formula, family, sentence):
    with pytest.raises(DesignError, match=re.escape(sentence)):
        fit_mixed(formula, table, family=family)


def test_quadrature_needs_one_term(table):
    with pytest.raises(DesignError, match="needs a single random term, and the formula has 2"):
        fit_mixed("yes ~ 1 + (1 | person) + (1 | team)", table, family="binomial", quadrature=5)


def test_groups_that_never_change_are_noted(table):
    fixed = table.assign(yes=(table["person"].str[1:].astype(int) % 3 == 0).astype(int))
    fit = fit_mixed("yes ~ wave + (1 | person)", fixed.assign(yes=fixed["yes"]), family="binomial")
    assert "glmm.wide" in keys(fit)


def simulated(family, rng, people=60, waves=6):
    person = np.repeat(np.arange(people), waves)
    x = rng.normal(size=len(person))
    eta = 0.3 + 0.5 * x + rng.normal(0, 0.7, people)[person]
    draw = {
        "binomial": lambda: (eta + rng.logistic(size=len(eta)) > 0).astype(int),
        "poisson": lambda: rng.poisson(np.exp(eta)),
        "negative-binomial": lambda: rng.negative_binomial(2.0, 2.0 / (2.0 + np.exp(eta))),
        "cumulative": lambda: np.digitize(eta + rng.logistic(size=len(eta)), [-0.5, 0.5, 1.5]),
    }[family]
    return pd.DataFrame({"y": draw(), "x": x, "person": person})


def coverage(family, replicates, seed):
    hits, estimates = 0, []
    for child in np.random.SeedSequence(seed).spawn(replicates):
        table = simulated(family, np.random.default_rng(child))
        fit = fit_mixed("y ~ x + (1 | person)", table, family=family)
        row = fit.tidy().set_index("term").loc["x"]
        hits += row["conf_low"] < 0.5 < row["conf_high"]
        estimates.append(row["estimate"])
    return hits / replicates, float(np.mean(estimates))


@pytest.mark.parametrize("family", ["poisson", "cumulative"])
def test_interval_covers_the_truth_about_as_often_as_it_says(family):
    share, mean = coverage(family, 40, 3)
    assert share >= 0.85
    assert_allclose(mean, 0.5, atol=0.05)


@pytest.mark.proof
@pytest.mark.timeout(600)
@pytest.mark.parametrize("family", ["binomial", "poisson", "negative-binomial", "cumulative"])
def test_coverage_is_ninety_five_percent(family):
    share, mean = coverage(family, 600, 4)
    assert 0.93 <= share <= 0.97  # Monte Carlo error 0.9 %
    assert_allclose(mean, 0.5, atol=0.02)
