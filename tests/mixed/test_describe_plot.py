"""Words and pictures of a fit follow its intervals; diagnosis finds what is odd."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DesignError
from expertise.figures import figure_html, png
from expertise.mixed.chunks import reduce_mixed
from expertise.mixed.contrast import marginal_means
from expertise.mixed.description import describe
from expertise.mixed.diagnosis import diagnose, influence_of
from expertise.mixed.fit import fit_mixed
from expertise.mixed.plots import plot_fit
from expertise.mixed.predict import predictions
from expertise.mixed.simulation import simulate
from expertise.mixed.sums_fit import fit_sums


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(21)
    people, waves = 40, 4
    person = np.repeat(np.arange(people), waves)
    month = np.tile([0.0, 2, 4, 8], people)
    arm = np.where(person % 2, "peer", "usual")
    eta = 5 + rng.normal(0, 1.5, people)[person] + 0.8 * month
    return pd.DataFrame(
        {
            "person": [f"p{i:02d}" for i in person],
            "month": month,
            "arm": pd.Categorical(arm, ["usual", "peer"]),
            "steady": eta - 0.8 * month + rng.normal(size=len(eta)),
            "score": eta + 0.5 * month * (arm == "peer") + rng.normal(size=len(eta)),
            "calls": rng.poisson(np.exp(0.15 * eta)),
            "yes": (rng.logistic(size=len(eta)) < 0.5 * (eta - 7)).astype(int),
            "answer": np.digitize(eta + rng.logistic(size=len(eta)), [5, 7, 9, 11]) + 1,
        }
    )


@pytest.fixture(scope="module")
def fit(table):
    return fit_mixed("score ~ month * arm + (1 | person)", table)


def test_paragraph_names_model_and_settled_interaction(fit):
    row = fit.tidy().set_index("term").loc["month:armpeer"]
    assert row["conf_low"] > 0
    english = fit.describe("en")
    assert english.startswith(
        "The model describes score by month, arm, month × arm. It uses 160 measurements "
        "(40 levels of person) and lets measurements within the same person be alike. "
        "With one more unit of month and arm peer rather than usual together, score is higher "
        "than both apart would give: "
    )
    dutch = fit.describe()
    assert "Bij één eenheid month meer en arm peer in plaats van usual samen" in dutch
    assert "hoger dan elk apart zou geven: 0," in dutch


def test_labels_stand_for_columns_and_levels(fit):
    labels = {"score": "recovery", "arm": "kind of care", "peer": "with a peer worker"}
    named = fit.describe("en", labels=labels)
    assert named.startswith("The model describes recovery by month, kind of care, month × kind")
    assert "unit of month and kind of care with a peer worker rather than usual together" in named
    assert "where kind of care = usual" in fit.describe("en", "month", labels).lower()


def test_a_main_effect_says_where_it_holds(fit):
    text = fit.describe("en", "month")
    assert "Where arm = usual: For one more unit of month, score is higher: by 0." in text
    assert "Where month = 0: Whether score" in fit.describe("en", "armpeer")


def test_an_interval_that_holds_zero_is_not_settled(table):
    fit = fit_mixed("steady ~ month + (1 | person)", table)
    row = fit.tidy().set_index("term").loc["month"]
    assert row["conf_low"] < 0 < row["conf_high"]
    assert "is not settled: the difference is" in fit.describe("en")
    assert "staat niet vast: het verschil is" in fit.describe("nl")
    assert fit.plot(lang="en").story.title == "Whether steady changes with month is not settled"


@pytest.mark.parametrize("lang", ["nl", "en"])
@pytest.mark.parametrize("sign", [1, -1])
def test_direction_follows_the_sign(table, lang, sign):
    fit = fit_mixed("score ~ month + (1 | person)", table.assign(score=sign * table["score"]))
    words = {("nl", 1): "hoger", ("nl", -1): "lager", ("en", 1): "higher", ("en", -1): "lower"}
    text = fit.describe(lang)
    assert words[lang, sign] in text
    assert words[lang, -sign] not in text
    assert "−" not in text  # "lower by 0.9" needs no minus sign


@pytest.mark.parametrize(
    ("formula", "family", "link", "words"),
    [
        ("yes ~ month + (1 | person)", "binomial", None, "yes is more likely: its odds are"),
        ("yes ~ month + (1 | person)", "binomial", "probit", "on the scale of the model"),
        ("calls ~ month + (1 | person)", "poisson", None, "calls is expected more often:"),
        ("answer ~ month + (1 | person)", "cumulative", None, "the odds of a higher answer are"),
    ],
)
def test_words_of_every_family(table, formula, family, link, words):
    assert words in fit_mixed(formula, table, family=family, link=link).describe("en")


def test_notes_are_in_the_paragraph(table):
    flat = fit_mixed("steady ~ month + (1 | arm)", table)
    assert "arm heeft 2 niveaus" in flat.describe("nl")


def test_model_without_predictors(table):
    text = fit_mixed("score ~ 1 + (1 | person)", table).describe("en")
    assert "The model describes score by its overall level." in text


def test_describe_refuses(fit):
    with pytest.raises(DesignError, match=r"'armpear' is no coefficient .* \(did you mean"):
        fit.describe("nl", "armpear")
    with pytest.raises(DesignError, match="unknown language 'fr'; allowed are en, nl"):
        fit.describe("fr")


def test_plot_draws_lines_for_the_factor_it_interacts_with(fit):
    axes = fit.plot(lang="en")
    title = "With more month, score rises more, or falls less, for peer than for usual"
    assert axes.story.title == title
    assert set(axes.story.table["arm"]) == {"usual", "peer"}
    labels = [text.get_text() for text in axes.texts]
    assert labels == ["usual", "peer"]
    assert title in axes.story.alt
    assert "score: expected value with its 95% interval; 40 × person" in axes.story.subtitle
    assert png(axes) == png(fit.plot(lang="en"))


def test_plot_between_levels_and_on_pages(table):
    fit = fit_mixed("yes ~ arm + (1 | person)", table, family="binomial")
    axes = fit.plot(lang="nl")
    assert axes.story.title == "Of yes verschilt tussen usual en peer, staat niet vast"
    assert axes.story.table["estimate"].between(0, 1).all()
    assert "<figure" in figure_html(axes)
    both = fit_mixed("score ~ arm + month + (1 | person)", table).plot("month", "arm", raw=False)
    assert len(both.lines) == 2


def test_plot_refuses(table, fit):
    with pytest.raises(DesignError, match="by is 'month', which is no factor"):
        fit.plot("arm", "month")
    with pytest.raises(DesignError, match="'mont' is not in the fixed part"):
        fit.plot("mont")
    empty = fit_mixed("score ~ 1 + (1 | person)", table)
    with pytest.raises(DesignError, match="an intercept alone, so there is nothing to draw"):
        empty.plot()


def test_extreme_observation_is_found_and_named(table):
    odd = table.copy()
    odd.loc[77, "score"] = 1e15
    fit = fit_mixed("score ~ month + (1 | person)", odd)
    found = fit.diagnose()
    assert list(found.residuals.index[found.residuals["extreme"]]) == [77]
    assert "out than chance explains in a table of this size: 77." in repr(found)
    axes = found.plot(lang="en")
    assert axes.story.title == "The model does not describe everyone: 1 rows lie far out"
    assert len(axes.figure.axes) == 4


def test_calm_data_have_no_extremes(table):
    fit = fit_mixed("calls ~ month + (1 | person)", table, family="poisson")
    again = table.assign(calls=simulate(fit, seed=3)[0])
    found = fit_mixed("calls ~ month + (1 | person)", again, family="poisson").diagnose()
    assert not found.residuals["extreme"].any()
    assert found.plot(lang="nl").story.title.startswith("Geen rij ligt verder weg")


def test_leaving_out_a_group_is_exact_given_the_variances(fit):
    """Generalised least squares without the group, at the same variances."""
    design, term = fit.design, fit.design.random[0]
    G, p = fit.solution.covariances[0], len(fit.beta)
    _, change = influence_of(fit, term.codes, term.size)
    information, score = np.zeros((term.size, p, p)), np.zeros((term.size, p))
    for g in range(term.size):
        own = term.codes == g
        V = term.Z[own] @ G @ term.Z[own].T + fit.sigma**2 * np.eye(own.sum())
        half = np.linalg.solve(V, design.X[own]).T
        information[g], score[g] = half @ design.X[own], half @ design.y[own]
    for g in (0, 13, 39):
        without = np.linalg.solve(information.sum(0) - information[g], score.sum(0) - score[g])
        assert_allclose(change[g], fit.beta - without, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize(
    ("formula", "family"),
    [
        ("yes ~ month + (1 | person)", "binomial"),
        ("calls ~ month + (1 | person)", "negative-binomial"),
        ("answer ~ month + arm + (1 | person)", "cumulative"),
    ],
)
def test_leaving_out_a_group_is_one_step_elsewhere(table, formula, family):
    fit = fit_mixed(formula, table, family=family)
    found = fit.diagnose()
    level = found.influence.nlargest(1, "distance")["level"].iloc[0]
    without = fit_mixed(formula, table[table["person"] != level], family=family)
    change = found.influence.set_index("level").loc[level, "month"]
    assert np.sign(change) == np.sign(fit.beta - without.beta)[list(fit.names).index("month")]
    assert 0.5 < found.residuals["residual"].std() < 1.3


def test_diagnosis_names_its_group_and_refuses_others(fit):
    found = fit.diagnose("person")
    assert found.heading().endswith("influence by person (Cook's distance)")
    assert list(found.tidy().columns) == ["term", "group", "estimate", "method"]
    assert len(found.augment()) == 160
    assert repr(found) == repr(fit.diagnose())
    with pytest.raises(DesignError, match=re.escape("'persons' is no grouping of the model (did")):
        fit.diagnose("persons")


def test_a_fit_to_sums_says_what_needs_rows(table):
    plain = table.assign(arm=table["arm"].astype(str))
    formula = "score ~ month * arm + (1 | person)"
    sums = reduce_mixed(formula, plain, levels={"arm": ["usual", "peer"]})
    fit = fit_sums(sums)
    whole = fit_mixed(formula, table)
    assert describe(fit, "en") == whole.describe("en")
    found = marginal_means(fit, "arm", at={"month": 4}).table
    assert_allclose(
        found["estimate"], marginal_means(whole, "arm", at={"month": 4}).table["estimate"]
    )
    assert len(predictions(fit, {"month": 4}).table) == 2
    for what, sentence in [
        (lambda: marginal_means(fit, "arm"), "the range of 'month' needs the rows"),
        (lambda: predictions(fit, table, groups=True), "a linear predictor per row needs the rows"),
        (lambda: simulate(fit, seed=1), "a linear predictor per row needs the rows"),
        (lambda: diagnose(fit), "a linear predictor per row needs the rows"),
        (lambda: plot_fit(fit), "the range of 'month' needs the rows"),
    ]:
        with pytest.raises(DesignError, match=sentence):
            what()
