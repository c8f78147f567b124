"""Overlap of two phases: the worked examples of SingleCaseES, and properties."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from expertise.errors import DataError
from expertise.outcomes.phases import single_case


def series(a, b):
    return pd.DataFrame({"phase": ["A"] * len(a) + ["B"] * len(b), "value": [*a, *b]})


def sizes(a, b, better="higher", **options):
    got = single_case(series(a, b), phases=("A", "B"), better=better, **options)
    return got.tidy().set_index("term")


# R SingleCaseES tests (GPL-3 @8de5a3a), after Parker & Vannest and Parker et al.
@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([20, 20, 26, 25, 22, 23], [28, 25, 24, 27, 30, 30, 29],
         {"PND": 5 / 7, "PAND": 11 / 13, "PEM": 1, "IRD": 6 / 7 - 1 / 6, "NAP": 38.5 / 42,
          "Tau": 35 / 42}),
        ([3, 3, 4, 5], [4, 5, 6, 7, 7], {"Tau": 0.8, "Tau-U": 11 / 20}),
        ([2, 3, 5, 3], [4, 5, 5, 7, 6], {"Tau": 0.8, "Tau-U": 0.65}),
        ([1, 2, 3, 4, 5], [6, 7, 8, 9, 10], {"Tau": 1, "Tau-U": 0.6, "Tau-BC": 0}),
    ],
)  # fmt: skip
def test_worked_examples(a, b, expected):
    got = sizes(a, b)
    for term, value in expected.items():
        assert_allclose(got.loc[term, "estimate"], value, atol=1e-12, err_msg=term)


def test_phi_of_the_worked_example():
    """With the overlap split evenly, phi equals IRD: .6905."""
    got = sizes([20, 20, 26, 25, 22, 23], [28, 25, 24, 27, 30, 30, 29])
    assert_allclose(got.loc["IRD", "estimate"], 0.6905, atol=5e-5)


def test_nap_is_the_area_under_the_curve():
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 6, 9), rng.integers(1, 8, 12)
    u = stats.mannwhitneyu(b, a).statistic
    assert_allclose(sizes(a, b).loc["NAP", "estimate"], u / 108)


def test_mirrored_series_and_direction_give_the_same():
    a, b = [3, 5, 4, 6], [7, 4, 8, 9, 9]
    pd.testing.assert_frame_equal(sizes(a, b), sizes([-x for x in a], [-x for x in b], "lower"))


def test_interval_of_nap_holds_its_truth():
    rng = np.random.default_rng(6)
    truth, hits, runs = stats.norm.cdf(1 / np.sqrt(2)), 0, 150
    for _ in range(runs):
        row = sizes(rng.normal(0, 1, 10), rng.normal(1, 1, 10)).loc["NAP"]
        hits += row.conf_low <= truth <= row.conf_high
    assert hits / runs > 0.95 - 4 * np.sqrt(0.95 * 0.05 / runs)


def test_full_separation_still_has_an_interval():
    row = sizes([1, 2, 3], [4, 5, 6]).loc["NAP"]
    assert row.estimate == row.conf_high == 1
    assert 0.3 < row.conf_low < 0.9
    row = sizes([4, 5, 6], [1, 2, 3]).loc["NAP"]
    assert row.estimate == row.conf_low == 0


def test_refusals():
    with pytest.raises(DataError, match="no phase 'C' in the series; it has A, B"):
        single_case(series([1, 2, 3], [4, 5, 6]), phases=("A", "C"), better="higher")
    with pytest.raises(DataError, match="phase 'B' has 2 measurements; at least 3"):
        sizes([1, 2, 3], [4, 5])
    with pytest.raises(DataError, match="better is 'up'"):
        sizes([1, 2, 3], [4, 5, 6], better="up")


def test_a_flat_series_has_no_effect():
    got = sizes([2, 2, 2], [2, 2, 2])
    assert got.loc["NAP", "estimate"] == 0.5
    assert got.loc["Tau-BC", "estimate"] == 0


def test_the_picture_says_what_the_interval_says():
    first = [20, 20, 26, 25, 22, 23]

    def title(second, better="higher"):
        series = pd.DataFrame({"phase": ["A"] * 6 + ["B"] * 7, "value": [*first, *second]})
        found = single_case(series, phases=("A", "B"), better=better)
        assert found.augment()["value"].tolist() == series["value"].tolist()
        return found.plot("nl").story.title

    assert title([28, 25, 24, 27, 30, 30, 29]).endswith("92 % van de vergelijkingen is beter")
    assert "meestal slechter" in title([28, 25, 24, 27, 30, 30, 29], "lower")
    assert "niet zeker" in title([20, 20, 26, 25, 22, 23, 24])


def test_one_phase_beside_itself_is_refused():
    series = pd.DataFrame({"phase": ["A"] * 6, "value": [20, 20, 26, 25, 22, 23]})
    with pytest.raises(DataError, match="both phases are 'A'; name two different ones"):
        single_case(series, phases=("A", "A"), better="higher")
