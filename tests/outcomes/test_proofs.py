"""What the intervals promise, by larger simulations (make proofs)."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from expertise.outcomes.change import reliable_change
from expertise.outcomes.choosing import rank_outcomes
from expertise.outcomes.comparing import compare_units
from expertise.outcomes.effects import effect_sizes
from expertise.outcomes.imputation import impute_scores
from expertise.outcomes.phases import single_case
from expertise.outcomes.waiting import waiting_time

pytestmark = pytest.mark.proof


def close_to(hits, runs, level=0.95, slack=0.015):
    """Coverage within four Monte Carlo errors, and a stated slack for approximate intervals."""
    error = 4 * np.sqrt(level * (1 - level) / runs)
    assert abs(hits / runs - level) < error + slack, hits / runs


def pairs(before, after):
    n = len(before)
    return pd.DataFrame(
        {
            "participant": np.tile(np.arange(n), 2),
            "wave": np.repeat([0, 1], n),
            "score": np.concatenate([before, after]),
        }
    )


def test_effect_sizes():
    rng, runs = np.random.default_rng(1), 1500
    cov = np.array([[1.0, 0.6], [0.6, 1.44]])
    bases = {"d_av": 1.22, "d_pre": 1.0, "d_z": 1.24}
    hits = dict.fromkeys(bases, 0)
    for _ in range(runs):
        before, after = rng.multivariate_normal([0, 0.6], cov, 40).T
        rows = effect_sizes(pairs(before, after), waves=(0, 1)).sizes.set_index("term")
        for name, base in bases.items():
            low, high = rows.loc[name, ["conf_low", "conf_high"]]
            hits[name] += low <= 0.6 / np.sqrt(base) <= high
    for count in hits.values():
        close_to(count, runs)


def test_reliable_change_of_people_who_did_not_change():
    rng, n, r = np.random.default_rng(2), 400_000, 0.85
    true = rng.normal(0, np.sqrt(r), n)
    before, after = true + rng.normal(0, np.sqrt(1 - r), (2, n))
    got = reliable_change(
        pairs(before, after), waves=(0, 1), reliability=r, better="lower", norm=(0, 1),
        others=("GLN", "NK"),
    )  # fmt: skip
    same = got.sensitivity.set_index(["method", "class"])["estimate"]
    for rule in ("JT", "GLN"):
        close_to(same[rule, "no_clear_change"] * n, n, slack=0)


def test_nap():
    rng, runs, hits = np.random.default_rng(3), 1500, 0
    truth = stats.norm.cdf(1 / np.sqrt(2))
    for _ in range(runs):
        value = np.concatenate([rng.normal(0, 1, 12), rng.normal(1, 1, 12)])
        series = pd.DataFrame({"phase": ["A"] * 12 + ["B"] * 12, "value": value})
        row = single_case(series, phases=("A", "B"), better="higher").sizes.iloc[0]
        hits += row.conf_low <= truth <= row.conf_high
    close_to(hits, runs, slack=0.03)


def test_plackett_luce():
    rng, runs, hits = np.random.default_rng(4), 400, 0
    truth = np.array([0.8, 0.2, -0.3, -0.7])
    for _ in range(runs):
        draws = truth + rng.gumbel(size=(50, 4))
        table = pd.DataFrame(
            {
                "participant": np.repeat(np.arange(50), 4),
                "outcome": np.tile(list("abcd"), 50),
                "rank": (5 - stats.rankdata(draws, axis=1)).ravel(),
            }
        )
        worths = rank_outcomes(table).worths.set_index("term").loc[list("abcd")]
        hits += ((worths["conf_low"] <= truth) & (truth <= worths["conf_high"])).sum()
    close_to(hits, 4 * runs)


def test_sd_between_units():
    rng, runs, hits = np.random.default_rng(5), 600, 0
    for _ in range(runs):
        team = np.repeat(np.arange(9), 20)
        y = rng.normal(0, 2, 9)[team] + rng.normal(0, 5, 180)
        low, high = compare_units(
            pd.DataFrame({"team": team, "score": y}), outcome="score"
        ).between[1:]
        hits += low <= 2 <= high
    close_to(hits, runs)


def test_cumulative_incidence():
    rng, runs, hits = np.random.default_rng(6), 1200, 0
    rate = 1 / 8 + 1 / 15
    truth = (1 / 8) / rate * (1 - np.exp(-6 * rate))
    for _ in range(runs):
        helped, left = rng.exponential(8, 100), rng.exponential(15, 100)
        seen = rng.uniform(2, 20, 100)
        out = np.where(helped < left, "helped", "left").astype(object)
        out[seen < np.minimum(helped, left)] = None
        time = np.minimum(np.minimum(helped, left), seen)
        found = waiting_time(pd.DataFrame({"time": time, "way_out": out}), at=(6.0,)).tidy()
        row = found[found["outcome"] == "helped"].iloc[0]
        hits += row.conf_low <= truth <= row.conf_high
    close_to(hits, runs)


def test_imputation_under_missing_at_random():
    rng, runs, hits = np.random.default_rng(7), 300, 0
    for seed in range(runs):
        arm = np.arange(80) % 2
        level = rng.normal(50, 8, 80)
        y = level[:, None] - 3 * np.arange(3) + rng.normal(0, 5, (80, 3))
        y[:, 2] -= 4 * arm
        y[y[:, 0] + rng.normal(0, 5, 80) > 54, 2] = np.nan
        wide = pd.DataFrame(y, columns=["T0", "T1", "T2"])
        wide = wide.assign(participant=range(80), arm=np.where(arm, "E", "C"))
        table = wide.melt(["participant", "arm"], var_name="wave", value_name="score")
        got = impute_scores(table, seed=seed, arm="arm", steps=30).effect(("E", "C"), "T2").iloc[0]
        hits += got.conf_low <= -4 <= got.conf_high
    close_to(hits, runs)
