"""Choosing together: likelihoods shared with Cox and logistic regression, Kendall's W, refusals."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy import stats

from expertise.errors import DataError, DesignError
from expertise.outcomes.agree import kendalls_w
from expertise.outcomes.choosing import compare_outcomes, rank_outcomes

NAMES = ["work", "rest", "friends", "home"]


def rankings(worth, people, seed, perspective="patient"):
    """Rankings drawn from a Plackett-Luce model (log worth plus Gumbel noise)."""
    rng = np.random.default_rng(seed)
    draws = np.asarray(worth) + rng.gumbel(size=(people, len(worth)))
    ranks = len(worth) - stats.rankdata(draws, axis=1) + 1
    table = pd.DataFrame(ranks.astype(int), columns=NAMES[: len(worth)])
    table.insert(0, "participant", [f"{perspective}{i}" for i in range(people)])
    long = table.melt("participant", var_name="outcome", value_name="rank")
    return long.assign(perspective=perspective)


def test_plackett_luce_is_a_stratified_cox_model():
    """The same likelihood: statsmodels PHReg with a stratum a person gives worths and errors."""
    table = rankings([1, 0.5, 0, -1], 40, 1)
    got = rank_outcomes(table)
    dummies = pd.get_dummies(table["outcome"])[NAMES[1:]].astype(float)
    cox = sm.PHReg(table["rank"], dummies, strata=table["participant"]).fit()
    worth = got.worths.set_index("term")["estimate"]
    assert_allclose((worth - worth["work"])[NAMES[1:]], cox.params, rtol=1e-6)
    assert_allclose(worth.sum(), 0, atol=1e-12)
    # The variance of a difference with the first outcome, from the covariance of log worths.
    pair = compare_variance(table)
    assert_allclose(np.sqrt(pair), cox.bse, rtol=1e-5)


def compare_variance(table):
    from expertise.outcomes.choosing import _derivatives, _stages

    codes = table.assign(code=table["outcome"].map(NAMES.index)).sort_values("rank")
    orders = [part["code"].to_numpy() for _, part in codes.groupby("participant")]
    worth = rank_outcomes(table).worths["estimate"].to_numpy()
    information = _derivatives(worth, _stages(orders, 4, True), 4, 0.0)[1]
    cov = np.linalg.pinv(information)
    return [cov[0, 0] + cov[k, k] - 2 * cov[0, k] for k in (1, 2, 3)]


def test_bradley_terry_is_a_logistic_regression():
    rng = np.random.default_rng(2)
    pairs = np.array([rng.choice(4, 2, replace=False) for _ in range(120)])
    names = np.array(NAMES)
    table = pd.DataFrame(
        {"participant": range(120), "preferred": names[pairs[:, 0]], "other": names[pairs[:, 1]]}
    )
    design = np.zeros((120, 4))
    design[np.arange(120), pairs[:, 0]], design[np.arange(120), pairs[:, 1]] = 1, -1
    flip = rng.integers(0, 2, 120)
    logit = sm.Logit(flip, (design * np.where(flip, 1, -1)[:, None])[:, 1:]).fit(disp=0)
    got = compare_outcomes(table)
    worth = got.worths.set_index("term")["estimate"]
    assert_allclose((worth - worth["work"])[NAMES[1:]], logit.params, atol=1e-6)
    assert repr(got).startswith("Bradley-Terry of 4 outcomes by 120 people")


def test_intervals_hold_the_true_worth():
    truth, hits = np.array([0.8, 0.2, -0.3, -0.7]), 0
    for seed in range(30):
        worths = rank_outcomes(rankings(truth, 40, seed)).worths.set_index("term")
        low, high = worths.loc[NAMES, "conf_low"], worths.loc[NAMES, "conf_high"]
        hits += ((low <= truth) & (truth <= high)).sum()
    assert 0.88 < hits / 120 <= 1.0


def test_kendalls_w_by_its_formula_and_by_spearman():
    """Three judges, six objects (Siegel & Castellan's layout): S = 25.5, W = .16."""
    ranks = np.array([[1, 6, 3, 2, 5, 4], [1, 5, 6, 4, 2, 3], [6, 3, 2, 5, 4, 1]], dtype=float)
    assert_allclose(kendalls_w(ranks), 0.16, atol=5e-3)
    mean_r = np.corrcoef(ranks)[np.triu_indices(3, 1)].mean()
    assert_allclose(kendalls_w(ranks), (1 + 2 * mean_r) / 3)
    tied = np.array([[1, 2.5, 2.5], [1, 2.5, 2.5]])
    assert_allclose(kendalls_w(tied), 1)


def test_agreement_within_and_between():
    table = pd.concat(
        [rankings([2, 1, -1, -2], 30, 3), rankings([-2, -1, 1, 2], 30, 4, "professional")]
    )
    got = rank_outcomes(table)
    agreement = got.agreement.query('term == "Kendall\'s W"').set_index("group")
    assert (agreement.loc[["patient", "professional"], "estimate"] > 0.5).all()
    assert agreement.loc["between", "estimate"] < 0.2
    assert agreement.loc["patient", "conf_low"] < agreement.loc["patient", "estimate"]
    assert set(got.tidy()["component"]) == {"worth", "agreement"}


def test_correlation_between_groups_lies_beside_that_within():
    same = pd.concat(
        [rankings([2, 1, -1, -2], 30, 3), rankings([2, 1, -1, -2], 20, 4, "professional")]
    )
    wide = same.pivot(index=["perspective", "participant"], columns="outcome", values="rank")
    r = np.corrcoef(wide.to_numpy(dtype=float))
    first = (wide.index.get_level_values(0) == "patient").sum()
    found = rank_outcomes(same).agreement.query("term == 'mean Spearman r'").set_index("group")
    assert_allclose(found.loc["between", "estimate"], r[:first, first:].mean())
    within = found.loc[["patient", "professional"]]
    assert within["conf_low"].min() < found.loc["between", "estimate"] < within["conf_high"].max()


def test_jackknife_interval_between_groups_holds_its_truth():
    def between(size, seed):
        table = pd.concat(
            [
                rankings([1, 0.5, -0.5, -1], size, seed),
                rankings([0.5, 1, -1, -0.5], size, 500 + seed, "naaste"),
            ]
        )
        return rank_outcomes(table, pseudo=0.1).agreement.iloc[-1]

    truth = np.mean([between(300, 900 + seed).estimate for seed in range(8)])
    hits = [row.conf_low <= truth <= row.conf_high for row in map(between, [20] * 60, range(60))]
    assert np.mean(hits) > 0.86


def test_jackknife_interval_of_w_holds_its_truth():
    truth_r = np.mean([mean_r(rankings([1, 0.5, -0.5, -1], 400, 100 + s)) for s in range(8)])
    hits, m = 0, 25
    for seed in range(50):
        row = rank_outcomes(rankings([1, 0.5, -0.5, -1], m, seed), pseudo=0.1).agreement.iloc[0]
        w = (1 + (m - 1) * truth_r) / m
        hits += row.conf_low <= w <= row.conf_high
    assert hits / 50 > 0.88


def mean_r(table):
    wide = table.pivot(index="participant", columns="outcome", values="rank").to_numpy(dtype=float)
    m = len(wide)
    return (m * kendalls_w(wide) - 1) / (m - 1)


def test_the_chosen_set_gives_each_group_one_voice():
    table = pd.concat([rankings([3, 1, 0, -2], 60, 5), rankings([-2, 0, 1, 3], 10, 6, "naaste")])
    got = rank_outcomes(table, pseudo=0.5)
    equal = got.chosen(2)
    assert equal["chosen"].sum() == 2
    assert set(equal.loc[equal["chosen"], "outcome"]) == {"work", "home"}
    either = got.chosen(1, rule="any voice")
    assert set(either.loc[either["chosen"], "outcome"]) == {"work", "home"}
    assert list(equal.columns) == [
        "outcome", "place_naaste", "place_patient", "mean_share", "chosen", "rule"
    ]  # fmt: skip
    assert got.plot("nl").story.title == "Wat voorop staat, verschilt per groep"
    assert "imagined comparisons" in str(got.notes[0])
    with pytest.raises(DataError, match="count is 9; there are 4 outcomes to choose from"):
        got.chosen(9)
    with pytest.raises(DataError, match="unknown rule 'best'; allowed are equal voice, any voice"):
        got.chosen(1, rule="best")


def test_row_order_and_labels_do_not_matter():
    table = rankings([1, 0, 0, -1], 30, 8)
    one = rank_outcomes(table).worths.set_index("term")["estimate"]
    mixed = rank_outcomes(table.sample(frac=1, random_state=2)).worths.set_index("term")["estimate"]
    assert_allclose(one[NAMES], mixed[NAMES], atol=1e-10)


def test_partial_rankings_count_what_is_left_out_as_below():
    table = rankings([1, 0, -1], 40, 9)
    top = table[table["rank"] <= 2]
    got, whole = rank_outcomes(top), rank_outcomes(table)
    # With two of three ranked the third place is known.
    assert_allclose(
        got.worths.set_index("term").loc[NAMES[:3], "estimate"],
        whole.worths.set_index("term").loc[NAMES[:3], "estimate"],
    )
    assert "40 people ranked only part" in str(got.notes[0])


def test_refusals():
    table = rankings([1, 0, -1], 12, 3)

    def refused(sentence, data, error=DataError, **options):
        with pytest.raises(error, match=sentence):
            rank_outcomes(data, **options)

    refused("row 0, column 'rank': 0; ranks are whole numbers from 1",
            table.assign(rank=np.where(table.index == 0, 0, table["rank"])))  # fmt: skip
    refused(r"column 'rank': given twice by one person; ask for an order without ties",
            table.assign(rank=1))  # fmt: skip
    refused("column 'outcome': given twice by one person", table.assign(outcome="work"))
    always = pd.DataFrame(
        {"participant": ["a", "a", "b", "b"], "outcome": ["x", "y"] * 2, "rank": [1, 2] * 2}
    )
    refused("among 'all' the votes never go both ways between 'x' and 'y'", always, DesignError)
    assert rank_outcomes(always, pseudo=0.5).worths["estimate"].iloc[0] > 0
    refused("pseudo is -1; it must be 0 or more", always, pseudo=-1)
    refused("one outcome cannot be ranked", always.iloc[[0, 2]], DesignError)
    refused("row 0, column 'perspective': empty; fill it in or leave the row out",
            table.assign(perspective=None))  # fmt: skip
    choice = pd.DataFrame({"participant": [1], "preferred": ["x"], "other": ["x"]})
    with pytest.raises(DataError, match="row 0: not a choice between two different outcomes"):
        compare_outcomes(choice)
