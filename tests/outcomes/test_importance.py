"""Minimal important change: its defining property, a simulated truth, refusals."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError, DesignError
from expertise.outcomes.importance import important_change


def people(n, seed, mean=5.0, limit=5.0):
    """Simulated: people call themselves better when their change passes their own limit."""
    rng = np.random.default_rng(seed)
    gain = rng.normal(mean, 6, n)
    own = rng.normal(limit, 3, n)
    return pd.DataFrame({"change": -gain, "improved": (gain > own) * 1})


def test_at_half_and_half_it_finds_the_mean_limit():
    found = [
        important_change(people(800, seed), better="lower", seed=1, draws=3).estimates["estimate"]
        for seed in range(30)
    ]
    error = np.std(found, axis=0) / np.sqrt(30)
    assert (np.abs(np.mean(found, axis=0) - 5) < 4 * error).all()


def test_the_interval_holds_the_mean_limit():
    hits = 0
    for seed in range(20):
        got = important_change(people(200, seed), better="lower", seed=seed, draws=40)
        hits += got.estimates["conf_low"][0] <= 5 <= got.estimates["conf_high"][0]
    assert hits >= 15


def test_adjusting_mends_an_uneven_split():
    """With most people better the plain estimate is off; the adjusted one is nearer 5."""
    got = important_change(people(6000, 2, mean=10), better="lower", seed=1, draws=20)
    plain, adjusted = got.estimates["estimate"]
    assert got.share > 0.7
    assert abs(adjusted - 5) < abs(plain - 5) / 2


def test_direction_and_scale():
    table = people(300, 3)
    one = important_change(table, better="lower", seed=1, draws=20).estimates
    other = table.assign(change=-10 * table["change"])
    two = important_change(other, better="higher", seed=1, draws=20).estimates
    assert_allclose(10 * one["estimate"], two["estimate"], rtol=1e-6)
    again = important_change(table, better="lower", seed=1, draws=20).estimates
    pd.testing.assert_frame_equal(one, again)


def test_refusals():
    table = people(40, 4)
    with pytest.raises(DataError, match="row 0, column 'improved': 3; allowed are 0, 1"):
        important_change(table.assign(improved=3), better="lower", seed=1)
    with pytest.raises(DesignError, match="100 % called themselves better and the change does not"):
        important_change(table.assign(improved=1), better="lower", seed=1)
    with pytest.raises(DesignError, match="no minimal important change can be read"):
        important_change(table, better="higher", seed=1)
    with pytest.raises(DataError, match="better is 'up'"):
        important_change(table, better="up", seed=1)
