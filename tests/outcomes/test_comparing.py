"""Comparing units: known differences, coverage of the SD, shrinkage, no league table."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError, DesignError
from expertise.mixed.fit import fit_mixed
from expertise.outcomes.comparing import compare_units


def teams(k, n, sd, seed, mix=0.0):
    """People of `k` teams; teams differ by `sd`, and `mix` makes some see heavier cases."""
    rng = np.random.default_rng(seed)
    team = np.repeat(np.arange(k), n)
    severity = rng.normal(mix * (team - (k - 1) / 2), 1)
    y = 50 - 3 * severity + rng.normal(0, sd, k)[team] + rng.normal(0, 5, k * n)
    names = np.array([f"team {chr(65 + i)}" for i in range(k)])
    return pd.DataFrame({"team": names[team], "severity": severity, "score": y})


def test_heavier_cases_are_not_held_against_a_team():
    table = teams(6, 200, 0, 1, mix=0.6)
    raw = compare_units(table, outcome="score")
    fair = compare_units(table, outcome="score", adjust=("severity",))
    assert raw.units["beyond"].any()
    assert not fair.units["beyond"].any()
    assert fair.between[1] == 0
    assert fair.units["difference"].abs().max() < raw.units["difference"].abs().max() / 3


def test_shrunken_estimates_are_the_mixed_models_modes():
    table = teams(14, 20, 2, 2)
    got = compare_units(table, outcome="score", adjust=("severity",))
    table["severity"] -= table["severity"].mean()
    modes = fit_mixed("score ~ severity + (1 | team)", table).random_effects()
    assert_allclose(got.units["estimate"], modes["estimate"], atol=1e-6)
    assert (got.units["estimate"].abs().sum()) < got.units["difference"].abs().sum()
    assert got.shrunken


def test_few_units_are_not_shrunken():
    got = compare_units(teams(5, 20, 2, 3), outcome="score")
    assert not got.shrunken
    assert_allclose(got.units["estimate"], got.units["difference"])
    means = teams(5, 20, 2, 3).groupby("team")["score"].mean()
    assert_allclose(got.units["difference"], means - means.mean())
    assert "With 5 units the estimates are not shrunken" in str(got.notes[0])


def test_the_sd_between_units_is_always_shown_and_covers():
    hits = 0
    for seed in range(100):
        low, high = compare_units(teams(8, 15, 2, seed), outcome="score").between[1:]
        hits += low <= 2 <= high
    assert hits / 100 > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 100)
    got = compare_units(teams(8, 15, 2, 1), outcome="score")
    assert "SD between units" in repr(got)
    assert got.tidy().iloc[-1]["term"] == "SD between units"
    assert "SD" in got.plot("nl").story.subtitle


def test_units_stand_in_order_of_name_and_are_not_ranked():
    table = teams(12, 15, 3, 4)
    got = compare_units(table.sample(frac=1, random_state=1), outcome="score")
    assert got.units["unit"].is_monotonic_increasing
    assert not any("rank" in column for column in [*got.units, *got.tidy()])
    assert "units are not ranked" in str(got.notes[-1])
    again = compare_units(table.assign(score=table["score"] + 1e4), outcome="score")
    assert_allclose(got.units["difference"], again.units["difference"], atol=1e-8)


def test_labels_adjust_as_dummies():
    table = teams(4, 60, 0, 5)
    table["sex"] = np.where(np.arange(len(table)) % 3 == 0, "f", "m")
    table["score"] += 10 * (table["sex"] == "f")
    got = compare_units(table, outcome="score", adjust=("sex", "severity"))
    assert got.sigma < 5.6


def test_refusals():
    table = teams(4, 10, 1, 1)

    def refused(sentence, data, error=DataError, **options):
        with pytest.raises(error, match=sentence):
            compare_units(data, **{"outcome": "score"} | options)

    hole = table.assign(severity=table["severity"].where(table.index != 3))
    refused("row 3, column 'severity': empty; fill it in", hole, adjust=("severity",))
    refused("1 units, the smallest", table[table["team"] == "team A"], DesignError)
    refused(r"4 units, the smallest \('team D'\) with 1 people", table.iloc[:31], DesignError)
    refused("cannot be told apart", table.assign(city=table["team"]), DesignError, adjust=("city",))
    refused("the outcome does not vary between people", table.assign(score=5.0), DesignError)
    refused("better is 'up'", table, better="up")
    refused("no column 'team'", table.drop(columns="team"))
