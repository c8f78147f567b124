"""Who is missing; pattern mixtures of the NIMH trial; imputation and tipping points."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError, DesignError
from expertise.mixed.fit import fit_mixed
from expertise.outcomes.imputation import _pool, impute_scores, tipping_point
from expertise.outcomes.joint import Gaps, maximum_likelihood, posterior_fills
from expertise.outcomes.missing import pattern_mixture, who_is_missing


@pytest.fixture(scope="module")
def nimh(real_data):
    names = ["id", "y", "week", "drug", "sex"]
    table = pd.read_csv(
        real_data / "outcomes" / "hedeker_SCHIZREP.DAT", sep=r"\s+", header=None, names=names
    )
    table["root"] = np.sqrt(table["week"])
    stayed = table.loc[table["week"] == 6, "id"]
    table["dropout"] = (~table["id"].isin(stayed)).astype(int)
    return table


def test_nimh_pattern_mixture(nimh):
    """Hedeker & Gibbons 1997, Psychol Methods 2:64; 102 of 437 left."""
    assert nimh.groupby("id")["dropout"].first().sum() == 102
    got = pattern_mixture(
        nimh, outcome="y", fixed="root * drug", random="(root | id)", dropout="dropout",
        person="id", reml=False,
    )  # fmt: skip
    beta = dict(zip(got.model.names, got.model.beta, strict=True))
    expected = {
        "(Intercept)": 5.221, "root": -0.393, "drug": 0.202, "dropout": 0.320,
        "root:drug": -0.539, "root:dropout": 0.252, "drug:dropout": -0.399,
        "root:drug:dropout": -0.635,
    }  # fmt: skip
    for name, value in expected.items():
        assert_allclose(beta[name], value, atol=6e-4, err_msg=name)
    assert_allclose(-2 * got.model.log_likelihood, 4623.277, atol=2e-3)
    averaged = got.tidy().set_index("term")
    assert_allclose(averaged.loc["root:drug", "estimate"], -0.687, atol=6e-4)
    assert averaged.loc["root:drug", "std_error"] > 0.07


def test_nimh_missing_at_random(nimh):
    """All available data by mixed model first: 1603 observations of 437 people."""
    fit = fit_mixed("y ~ root * drug + (root | id)", nimh, reml=False)
    assert_allclose(fit.beta, [5.348, -0.336, 0.046, -0.641], atol=6e-4)
    assert_allclose(-2 * fit.log_likelihood, 4648.999, atol=2e-3)


def test_counts_by_perspective_and_wave():
    table = pd.DataFrame(
        {
            "participant": [1, 1, 2, 2, 1, 2], "perspective": ["patient"] * 4 + ["naaste"] * 2,
            "wave": ["T0", "T1", "T0", "T1", "T0", "T0"], "score": [1, 2, 3, None, 5, None],
        }
    )  # fmt: skip
    got = who_is_missing(table)
    shares = got.shares.set_index(["perspective", "wave"])["measured"]
    assert shares.to_dict() == {
        ("patient", "T0"): 2, ("patient", "T1"): 1, ("naaste", "T0"): 1, ("naaste", "T1"): 0,
    }  # fmt: skip
    assert got.twice.to_numpy().tolist() == [["patient", 2, 1], ["naaste", 2, 0]]
    assert repr(got).startswith("1 of 4 respondents have at least two measurements")
    assert got.plot("nl").story.title.startswith("Bij de laatste meting is 0 tot 50 % gemeten")
    with pytest.raises(DataError, match="no wave 'T9' in the table; it has T0, T1"):
        who_is_missing(table, waves=("T0", "T9"))
    with pytest.raises(DataError, match="row 1: a second score of one person in one wave"):
        who_is_missing(table.assign(wave="T0"))


def test_pattern_mixture_refusals():
    table = pd.DataFrame({"participant": [1, 1, 2, 2], "y": [1.0, 2, 3, 4], "left": [0, 1, 0, 0]})
    options = {"outcome": "y", "fixed": "1", "random": "(1 | participant)", "dropout": "left"}
    with pytest.raises(DataError, match="column 'left' changes within a person"):
        pattern_mixture(table, **options)
    with pytest.raises(DataError, match="row 0, column 'left': 2; allowed are 0, 1"):
        pattern_mixture(table.assign(left=2), **options)
    with pytest.raises(DesignError, match="0 % of the people left; there are no two patterns"):
        pattern_mixture(table.assign(left=0), **options)


def trial(n, seed, missing=True):
    """Simulated: three waves, random intercepts and slopes, leaving depends on the first score."""
    rng = np.random.default_rng(seed)
    arm = np.where(np.arange(n) % 2, "E", "C")
    level, slope = rng.normal(50, 8, n), rng.normal(-2, 2, n) - 3 * (arm == "E")
    Y = level[:, None] + slope[:, None] * np.arange(3) + rng.normal(0, 5, (n, 3))
    if missing:
        gone = Y[:, 0] + rng.normal(0, 5, n) > 54
        Y[gone, 2] = np.nan
    wide = pd.DataFrame(Y, columns=["T0", "T1", "T2"]).assign(participant=range(n), arm=arm)
    return wide.melt(["participant", "arm"], var_name="wave", value_name="score")


def test_missing_at_random_agrees_with_the_mixed_model():
    """Same data, random slopes: estimates differ by far less than their standard error."""
    table = trial(400, 3)
    row = impute_scores(table, seed=1, arm="arm").effect(("E", "C"), "T2").iloc[0]
    time = table["wave"].str[1:].astype(int)
    fit = fit_mixed("score ~ arm * C(wave) + (time | participant)", table.assign(time=time))
    pick = [float(name in ("armE", "armE:waveT2")) for name in fit.names]
    assert sum(pick) == 2
    mixed = fit.estimates(pick).iloc[0]
    assert abs(row.estimate - mixed.estimate) < 0.25 * mixed.std_error
    assert_allclose(row.std_error, mixed.std_error, rtol=0.1)


def test_without_gaps_it_is_the_two_sample_comparison():
    table = trial(60, 4, missing=False)
    got = impute_scores(table, seed=1, arm="arm").effect(("E", "C"), "T2").iloc[0]
    last = table[table["wave"] == "T2"]
    e, c = (last.loc[last["arm"] == name, "score"] for name in "EC")
    assert_allclose(got.estimate, e.mean() - c.mean())
    assert_allclose(got.std_error, np.sqrt(e.var() / 30 + c.var() / 30))
    assert_allclose(got.df, 59 / 61 * 58)  # Barnard & Rubin with nothing missing


def test_barnard_rubin_by_hand():
    """m = 5, mean within 4, between 1: gamma .2308, nu 91.8 and observed 30.6 at 48 df."""
    estimate = np.array([1, 2, 3, 2, 2]) * np.sqrt(2)
    pooled = _pool(estimate, np.full(5, 4.0), 48, 0.95)
    between = 1.2 * estimate.var(ddof=1)
    share = between / (4 + between)
    old, observed = 4 / share**2, 49 / 51 * 48 * (1 - share)
    assert_allclose(pooled["df"], old * observed / (old + observed))
    assert_allclose(pooled["std_error"], np.sqrt(4 + between))


def test_imputation_undoes_the_bias_of_leaving():
    """Leaving depends on the first score: who stayed gives a mean that is off, pooling does not."""
    off, right, covered = [], [], 0
    for seed in range(20):
        table = trial(150, seed)
        row = impute_scores(table, seed=seed, arm="arm", steps=30).mean("C", "all", "T2")
        seen = table.query("wave == 'T2' and arm == 'C'")["score"].mean()
        off.append(seen - 46)
        right.append(row["estimate"] - 46)
        covered += row["conf_low"] <= 46 <= row["conf_high"]
    assert np.mean(off) < -2
    assert abs(np.mean(right)) < 4 * np.std(right) / np.sqrt(20)
    assert covered >= 16


def test_each_copy_has_its_own_stream():
    wide = trial(40, 5).pivot(index="participant", columns="wave", values="score").to_numpy()
    gaps = Gaps(Y=wide, X=np.ones((40, 1)))
    few, many = posterior_fills(gaps, 3, 10, 9), posterior_fills(gaps, 8, 10, 9)
    assert_allclose(few, many[:3])
    assert (few[:, ~np.isnan(wide)] == wide[~np.isnan(wide)]).all()


def test_em_without_gaps_is_least_squares():
    Y = np.random.default_rng(2).normal(size=(30, 3))
    B, S = maximum_likelihood(Gaps(Y=Y, X=np.ones((30, 1))))
    assert_allclose(B[0], Y.mean(axis=0))
    assert_allclose(S, np.cov(Y.T, ddof=0))


def test_delta_moves_only_what_was_filled_in_and_tips():
    imputed = impute_scores(trial(150, 6), seed=2, arm="arm")
    delta = pd.DataFrame({"arm": ["E"], "perspective": ["all"], "wave": ["T2"], "delta": [10.0]})
    moved = imputed.shifted(delta) - imputed.fills
    j = int((imputed.columns["wave"] == "T2").to_numpy().argmax())
    here = np.zeros(moved.shape[1:], dtype=bool)
    here[:, j] = (imputed.arm == "E") & imputed.filled[:, j]
    assert_allclose(moved[:, here], 10)
    assert (moved[:, ~here] == 0).all()
    tip = tipping_point(imputed, ("E", "C"), "T2", deltas=range(0, 41, 5), measured="Klachten")
    share = here[:, j].sum() / (imputed.arm == "E").sum()
    assert_allclose(np.diff(tip.curve["estimate"]), 5 * share)
    assert tip.tips is not None
    at = pd.DataFrame({"arm": ["E"], "perspective": "all", "wave": ["T2"], "delta": tip.tips})
    assert abs(imputed.effect(("E", "C"), "T2", delta=at)["conf_high"].iloc[0]) < 0.1
    assert "Het antwoord verandert als" in tip.plot("nl").story.title
    still = tipping_point(imputed, ("E", "C"), "T2", deltas=[0, 0.1])
    assert still.tips is None
    assert "the answer stays the same" in still.plot().story.title
    since = imputed.effect(("E", "C"), "T2", since="T0").iloc[0]
    assert since.std_error < imputed.effect(("E", "C"), "T2").iloc[0].std_error


def test_two_perspectives_inform_each_other():
    """A naaste's score narrows what a missing patient's score may be."""
    rng = np.random.default_rng(8)
    true = rng.normal(50, 10, 120)
    patient = np.where(np.arange(120) < 50, np.nan, true + rng.normal(0, 2, 120))
    both = pd.DataFrame({"participant": range(120), "patient": patient,
                         "naaste": true + rng.normal(0, 2, 120)})  # fmt: skip
    long = both.melt("participant", var_name="perspective", value_name="score").assign(wave="T0")
    joint = impute_scores(long, seed=1).mean("all", "patient", "T0")
    # The mean's error comes close to that of 120 patients measured: 10/√120 = 0.92.
    assert joint["std_error"] < 1.05


def test_imputation_refusals():
    table = trial(30, 1)

    def refused(sentence, data, error=DataError, **options):
        with pytest.raises(error, match=sentence):
            impute_scores(data, **{"seed": 1, "arm": "arm"} | options)

    refused("m is 20; give at least 50 imputations", table, DesignError, m=20)
    refused("5 people cannot carry a joint model of 3 scores in 2 arms; at least 6",
            table[table["participant"] < 5], DesignError)  # fmt: skip
    refused("row 30: a second score of one unit", table.assign(wave="T0"))
    turning = table.assign(arm=np.where(table["wave"] == "T0", "C", "E"))
    refused("column 'arm' is missing or changes within one participant", turning)
    empty = table.assign(score=table["score"].where(table["wave"] != "T2"))
    refused("nobody has a score of all T2", empty)
    refused(
        "all scores of all T2 are equal; leave it out",
        table.assign(score=table["score"].where(table["wave"] != "T2", 5)),
        DesignError,
    )
    twins = table.assign(score=lambda t: np.tile(t["score"].iloc[:30], 3))
    refused("all T0 and all T1 say exactly the same", twins, DesignError)
    apart = table[(table["participant"] < 15) == (table["wave"] == "T0")]
    refused("0 people have both all T0 and all T1", apart, DesignError)
    refused("row 0, column 'wave': empty", table.assign(wave=None))
    imputed = impute_scores(table, seed=1, arm="arm", steps=5)
    with pytest.raises(DataError, match="no arm 'X'; the table has C, E"):
        imputed.effect(("X", "C"), "T2")
    with pytest.raises(DataError, match="no scores of 'all' at 'T9'; there are all T0"):
        imputed.effect(("E", "C"), "T9")
    with pytest.raises(DataError, match=r"give at least two deltas, 0 \(missing at random\)"):
        tipping_point(imputed, ("E", "C"), "T2", deltas=[1, 2])
