"""Chao's estimates against vegan, and what they mean on codes that were drawn."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError, ExpertiseError
from expertise.themes.richness import chao1, chao2

BOOK = [10, 6, 4, 2, 2, 1, 1, 1, 1]


def presence(once, twice, more, n):
    """Return a table with so many codes in one, two and three of n documents."""
    columns = [1] * once + [2] * twice + [3] * more
    table = np.zeros((n, len(columns)), dtype=int)
    for at, found in enumerate(columns):
        table[(at + np.arange(found)) % n, at] = 1
    return pd.DataFrame(table)


def test_chao1_is_vegans():
    """R vegan 2.6-4, estimateR(c(10,6,4,2,2,1,1,1,1))."""
    found = chao1(BOOK)
    assert found.estimate == 11.0
    assert_allclose(found.std_error, 2.858622, atol=5e-7)
    assert (found.n_met, found.n_once, found.n_twice) == (9, 4, 2)


def test_chao2_is_vegans():
    """R vegan 2.6-4, specpool(BCI): 225 species in 50 plots, 21 of them once and 19 twice."""
    found = chao2(presence(21, 19, 185, 50))
    assert_allclose([found.estimate, found.std_error], [236.3732, 6.54361], atol=6e-6 * 10)


def test_interval_by_hand():
    """Chao (1987): met + T / K and met + T · K, K = exp(z √log(1 + var / T²))."""
    found = chao1(BOOK, conf_level=0.9)
    factor = np.exp(1.6448536269514722 * np.sqrt(np.log(1 + found.std_error**2 / 4)))
    assert_allclose([found.conf_low, found.conf_high], [9 + 2 / factor, 9 + 2 * factor])


def test_order_and_zeros_are_nothing():
    assert repr(chao1([0, *BOOK[::-1], 0])) == repr(chao1(BOOK))
    table = presence(5, 3, 8, 12)
    assert repr(chao2(table.iloc[::-1, ::-1])) == repr(chao2(table))


def test_nothing_unheard():
    for found in (chao1([5, 6, 7]), chao2(pd.DataFrame({"a": [1, 1, 1]})), chao1([])):
        assert found.estimate == found.conf_low == found.conf_high == found.n_met
        assert "Too few to expect any that are still unheard" in repr(found)


def test_without_twice():
    """specpool without doubletons: (n − 1)/n · Q1(Q1 − 1)/2."""
    found = chao2(presence(4, 0, 3, 10))
    assert_allclose(found.estimate, 7 + 0.9 * 4 * 3 / 2)
    assert_allclose(found.std_error**2, 0.9 * 6 + 0.81 * (4 * 49 / 4 - 4**4 / found.estimate / 4))


def test_views():
    found = chao1(BOOK)
    assert found.tidy().loc[0, "estimate"] == 11
    assert found.glance().loc[0, "n_once"] == 4


def test_estimate_closes_on_the_truth():
    """Forty codes of unequal chance: what is met falls short, the estimate less."""
    rng = np.random.default_rng(3)
    chance = rng.uniform(0.01, 0.25, 40)
    found = [chao2(pd.DataFrame((rng.random((15, 40)) < chance).astype(int))) for _ in range(300)]
    met, guess = np.mean([f.n_met for f in found]), np.mean([f.estimate for f in found])
    assert met < guess < 41
    assert 40 - guess < 0.6 * (40 - met)


@pytest.mark.proof
def test_coverage_when_codes_are_alike():
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(2000):
        found = chao2(pd.DataFrame((rng.random((20, 40)) < 0.1).astype(int)))
        hits += found.conf_low <= 40 <= found.conf_high
    assert hits / 2000 > 0.9


def test_refusals():
    with pytest.raises(DataError, match="a count is -1; counts of passages are 0, 1, 2"):
        chao1([3, -1])
    with pytest.raises(DataError, match=r"a count is 1.5"):
        chao1([1.5])
    with pytest.raises(DataError, match="a cell that is neither 0 nor 1"):
        chao2(pd.DataFrame({"a": [1, 2]}))
    with pytest.raises(DataError, match="a cell that is neither 0 nor 1"):
        chao2(pd.DataFrame({"a": [1, None]}))
    with pytest.raises(ExpertiseError, match="conf_level is 95"):
        chao1(BOOK, conf_level=95)
