"""Predictions, means, contrasts and slopes: meaning, properties, refusals."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DesignError
from expertise.mixed.contrast import contrasts, marginal_means, slopes
from expertise.mixed.fit import fit_mixed
from expertise.mixed.posterior import posterior_of
from expertise.mixed.predict import predictions


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(5)
    people, waves = 30, 4
    person = np.repeat(np.arange(people), waves)
    month = np.tile([0.0, 1, 3, 6], people)
    arm = np.where(person % 2, "peer", "usual")
    b = rng.normal(size=(people, 2)) * [2, 0.3]
    eta = 8 + person % 5 + b[person, 0] + (0.4 + b[person, 1]) * month
    eta = eta + 0.5 * month * (arm == "peer")
    return pd.DataFrame(
        {
            "person": [f"p{i:02d}" for i in person],
            "team": [f"t{i % 5}" for i in person],
            "month": month,
            "arm": pd.Categorical(arm, ["usual", "peer"]),
            "score": eta + rng.normal(size=len(eta)),
            "calls": rng.poisson(np.exp(0.1 * eta)),
            "yes": (rng.logistic(size=len(eta)) < 0.3 * (eta - 10)).astype(int),
            "answer": np.digitize(eta + rng.logistic(size=len(eta)), [9, 11, 13]),
        }
    )


@pytest.fixture(scope="module")
def linear(table):
    return fit_mixed("score ~ month * arm + (month | person) + (1 | team)", table)


@pytest.fixture(scope="module")
def ordinal(table):
    return fit_mixed("answer ~ month + arm + (1 | person)", table, family="cumulative")


def dense(fit):
    """Henderson's equations, inverted whole: the joint covariance of fixed and group effects."""
    design = fit.design
    blocks, penalty = [design.X], [np.zeros((design.X.shape[1],) * 2)]
    for term, G in zip(design.random, fit.solution.covariances, strict=True):
        wide = np.zeros((len(design.y), term.size, len(term.names)))
        wide[np.arange(len(design.y)), term.codes] = term.Z
        blocks.append(wide.reshape(len(design.y), -1))
        penalty.append(np.kron(np.eye(term.size), np.linalg.inv(G)))
    C = np.hstack(blocks)
    whole = C.T @ C / fit.sigma**2
    at = 0
    for part in penalty:
        whole[at : at + len(part), at : at + len(part)] += part
        at += len(part)
    return C, np.linalg.inv(whole)


def test_known_groups_have_hendersons_variance(linear, table):
    C, V = dense(linear)
    found = predictions(linear, table, groups=True).table
    assert_allclose(found["estimate"], linear.augment()["fitted"], rtol=1e-9)
    assert_allclose(found["std_error"], np.sqrt(np.einsum("ij,jk,ik->i", C, V, C)), rtol=1e-6)


def test_new_groups_add_the_variance_between_groups(linear):
    new = pd.DataFrame({"person": ["x"], "team": ["y"], "month": [3.0], "arm": ["peer"]})
    found = predictions(linear, new, groups=True)
    typical = predictions(linear, new.drop(columns=["person", "team"]))
    z = np.array([1.0, 3.0])
    G, team = linear.solution.covariances
    expected = typical.table["std_error"] ** 2 + z @ G @ z + team[0, 0]
    assert_allclose(found.table["estimate"], typical.table["estimate"])
    assert_allclose(found.table["std_error"] ** 2, expected, rtol=1e-9)
    assert [str(note) for note in found.notes] == [
        "1 rows name a new person: their interval holds how much groups differ.",
        "1 rows name a new team: their interval holds how much groups differ.",
    ]


def test_a_new_observation_adds_the_residual(linear):
    mean = predictions(linear, {"month": 3}).table["std_error"]
    one = predictions(linear, {"month": 3}, observation=True).table["std_error"]
    assert_allclose(one**2 - mean**2, linear.sigma**2, rtol=1e-9)


def test_predictions_beyond_the_data_say_so(linear):
    assert [n.key for n in predictions(linear, {"month": 24}).notes] == ["mixed_use.outside"]
    assert predictions(linear, {"month": 6}).notes == ()


def test_probabilities_of_an_ordered_outcome(ordinal):
    found = predictions(ordinal, {"month": [0, 6]}).table
    total = found.groupby(["month", "arm"], observed=True)["estimate"].sum()
    assert_allclose(total, 1.0, rtol=1e-12)
    assert ((found["conf_low"] > 0) & (found["conf_low"] < found["estimate"])).all()
    assert ((found["conf_high"] < 1) & (found["conf_high"] > found["estimate"])).all()
    assert found["answer"].iloc[:4].tolist() == [0, 1, 2, 3]


def test_delta_method_of_probabilities_by_simulation(ordinal):
    """The spread of probabilities over draws near the estimates is their standard error."""
    found = predictions(ordinal, {"month": 3, "arm": "peer"}).table
    mean = np.concatenate([ordinal.beta, ordinal.solution.thresholds])
    near = ordinal.solution.cov_joint / 400
    draws = np.random.default_rng(1).multivariate_normal(mean, near, 20_000)
    eta = draws[:, :2] @ [3.0, 1.0]
    below = 1 / (1 + np.exp(eta[:, None] - draws[:, 2:]))
    chances = np.diff(below, axis=1, prepend=0, append=1)
    assert_allclose(found["std_error"], 20 * chances.std(axis=0), rtol=0.02)


def test_known_people_of_an_ordered_outcome(ordinal, table):
    rows = table.loc[[0, 5], ["person", "month", "arm"]]
    found = predictions(ordinal, rows, groups=True).table
    assert_allclose(found.groupby(level=0)["estimate"].sum(), 1.0)
    assert list(found.index) == [0] * 4 + [5] * 4


@pytest.mark.parametrize("family", ["poisson", "negative-binomial"])
def test_counts_stay_positive_and_follow_the_link(table, family):
    fit = fit_mixed("calls ~ month + arm + (1 | person)", table, family=family)
    found = predictions(fit, {"month": 0}).table
    link = predictions(fit, {"month": 0}, scale="link").table
    assert_allclose(found["estimate"], np.exp(link["estimate"]))
    assert_allclose(found["conf_low"], np.exp(link["conf_low"]))
    known = predictions(fit, table.head(3), groups=True).table
    assert_allclose(known["estimate"], fit.augment()["fitted"].head(3))


def test_group_effects_of_a_binary_outcome_match_their_own_table(table):
    """With the fixed effects certain, a person's variance is that of their effect alone."""
    fit = fit_mixed("yes ~ month + (1 | person)", table, family="binomial")
    known = posterior_of(fit)
    slope, beside = known.variance(np.zeros((1, 2)), [np.ones((1, 1))], [np.array([4])])
    assert_allclose(beside[0], fit.solution.mode_covariances[0][4, 0, 0], rtol=1e-9)
    assert slope.shape == (1, 2)


def test_differences_are_differences_of_means(linear):
    means = marginal_means(linear, "arm", at={"month": 6}).table["estimate"]
    found = contrasts(linear, "arm", at={"month": 6}).table
    assert found["contrast"].tolist() == ["peer − usual"]
    assert_allclose(found["estimate"], means[1] - means[0])


def test_kinds_of_contrast_and_adjustment(linear):
    months = {"month": [0, 1, 3]}
    every = contrasts(linear, "month", at=months).table
    assert every["contrast"].tolist() == ["1 − 0", "3 − 0", "3 − 1"]
    first = contrasts(linear, "month", at=months, kind="reference").table
    assert first["contrast"].tolist() == ["1 − 0", "3 − 0"]
    steps = contrasts(linear, "month", at=months, kind="sequential").table
    assert steps["contrast"].tolist() == ["1 − 0", "3 − 1"]
    wider = contrasts(linear, "month", at=months, adjust="bonferroni").table
    assert (wider["conf_low"] < every["conf_low"]).all()
    assert_allclose(wider["p_value"], np.minimum(3 * every["p_value"], 1))
    assert set(wider["conf_level"]) == {0.95}


def test_ratios_are_exponents(table):
    fit = fit_mixed("calls ~ month + arm + (1 | person)", table, family="poisson")
    found = contrasts(fit, "arm", scale="ratio")
    row = fit.tidy().set_index("term").loc["armpeer"]
    assert found.scale == "ratio"
    assert_allclose(found.table["estimate"], np.exp(row["estimate"]))
    assert_allclose(found.table["conf_high"], np.exp(row["conf_high"]))
    means = marginal_means(fit, "arm", scale="response").table["estimate"]
    assert_allclose(means[1] / means[0], found.table["estimate"][0])


def test_slopes_follow_curves(table):
    fit = fit_mixed("score ~ poly(month, 2) + arm + (1 | person)", table)
    found = slopes(fit, "month", at={"month": [1.0, 4.0]}).table
    ends = predictions(fit, {"month": [0.999, 1.001, 3.999, 4.001], "arm": "peer"}).table
    rise = np.diff(ends["estimate"])[[0, 2]] / 0.002
    assert_allclose(found["estimate"], rise, rtol=1e-6)
    per_arm = fit_mixed("score ~ month * arm + (1 | person)", table)
    row = slopes(per_arm, "month", by="arm").tidy().set_index("term")["estimate"]
    assert_allclose(row["arm = usual, slope = month"], per_arm.beta[1], rtol=1e-8)


def test_offset_is_said_to_be_zero(table):
    fit = fit_mixed(
        "calls ~ arm + (1 | person)", table, family="poisson", offset=np.ones(len(table))
    )
    assert "mixed_use.offset_zero" in [note.key for note in predictions(fit).notes]
    assert "mixed_use.offset_zero" in [note.key for note in marginal_means(fit, "arm").notes]


def test_nothing_varies_between_runs_and_p_values_stay_inside(linear):
    found = contrasts(linear, "arm")
    assert repr(found) == repr(contrasts(linear, "arm"))
    assert "p_value" not in repr(found)
    assert found.heading() == "Differences in score (scale: link)"


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda f: marginal_means(f, "arms"), "(did you mean 'arm'?); it has month, arm"),
        (lambda f: marginal_means(f, "month"), "'month' is a number; give its values"),
        (lambda f: marginal_means(f, "arm", scale="log"), "unknown scale 'log'"),
        (lambda f: contrasts(f, "arm", kind="all"), "unknown kind 'all'; allowed are pairwise"),
        (lambda f: contrasts(f, "arm", adjust="tukey"), "unknown adjust 'tukey'"),
        (lambda f: contrasts(f, "arm", scale="log"), "unknown scale 'log'"),
        (lambda f: contrasts(f, "arm", scale="ratio"), "a ratio needs a log or logit link"),
        (lambda f: contrasts(f, "arm", at={"arm": "peer"}), "'arm' has one value here, peer"),
        (lambda f: slopes(f, "arm"), "'arm' is a factor; a slope needs a number"),
        (lambda f: slopes(f, "mont"), "(did you mean 'month'?)"),
        (lambda f: predictions(f, scale="log"), "unknown scale 'log'"),
        (lambda f: predictions(f, groups=True), "groups=True needs a grid"),
    ],
)
def test_refusals(linear, call, sentence):
    with pytest.raises(DesignError, match=re.escape(sentence)):
        call(linear)


def test_refusals_of_an_ordered_outcome(ordinal):
    with pytest.raises(DesignError, match="a probability per answer; use predictions"):
        marginal_means(ordinal, "arm", scale="response")
    with pytest.raises(DesignError, match="observation=True is for the family gaussian"):
        predictions(ordinal, observation=True)


def test_what_is_asked_of_a_fit_is_checked(linear):
    with pytest.raises(DesignError, match="conf_level is 95; it lies between 0 and 1"):
        predictions(linear, conf_level=95)
    with pytest.raises(DesignError, match="conf_level is 95; it lies between 0 and 1"):
        marginal_means(linear, "arm", conf_level=95)
    with pytest.raises(DesignError, match="L has 2 columns; give one for each of the"):
        linear.estimates([1, 2])
    with pytest.raises(DesignError, match="by= holds 'arm', whose levels are compared"):
        contrasts(linear, "arm", by="arm")
    with pytest.raises(DesignError, match="the grid has no rows"):
        predictions(linear, pd.DataFrame({name: [] for name in linear.design.layout.columns}))


def test_an_intercept_alone_has_one_prediction(table):
    found = predictions(fit_mixed("score ~ 1 + (1 | person)", table))
    assert found.tidy()["term"].tolist() == [""]
    assert len(found.table) == 1
