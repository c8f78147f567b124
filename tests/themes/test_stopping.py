"""Saturation by base, run and threshold, and the number of people to plan for."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import CodingError, DataError, ExpertiseError
from expertise.themes.stopping import chance_to_hear, people_needed, saturation


def read(new):
    """Return codings with so many new codes in each document, and the order of reading."""
    rows, at = [], 0
    for document, count in enumerate(new):
        rows += [(f"d{document}", f"code {at + i}") for i in range(count)]
        rows.append((f"d{document}", "code 0"))
        at += count
    order = [f"d{document}" for document in range(len(new))]
    return pd.DataFrame(rows, columns=["document", "code"]), order


# In Guest, Namey and Chen's example 37 themes stand in the first four
# interviews; a run with four new ones (11 %) is not enough, one with a single
# new one (3 %) is, and they report 6+2. How the 37 fall over the four is ours.
GUEST = [17, 9, 7, 4, 2, 2, 1, 0, 1, 0]


def test_guest_namey_and_chen():
    found = saturation(*read(GUEST))
    ratio = found.table["ratio"].tolist()
    assert_allclose(ratio[5:8], [4 / 37, 3 / 37, 1 / 37])
    assert np.isnan(ratio[:5]).all()
    assert found.label == "6+2"
    assert saturation(*read(GUEST), run=3).label == "7+3"


def test_by_definition():
    rng = np.random.default_rng(6)
    for _ in range(30):
        new = rng.poisson(6 / (1 + np.arange(20)))
        new[0] += 1
        base, run = int(rng.integers(1, 7)), int(rng.integers(1, 5))
        found = saturation(*read(new), base=base, run=run, threshold=0.1)
        firsts = [
            k for k in range(base, 20 - run + 1) if sum(new[k : k + run]) / sum(new[:base]) <= 0.1
        ]
        assert found.reached == (firsts[0] if firsts else None)


def test_threshold_of_nothing_new():
    assert saturation(*read([5, 1, 1, 0, 0, 0]), base=2, run=2, threshold=0).label == "3+2"


def test_not_reached_and_too_few():
    found = saturation(*read([3, 3, 3, 3, 3, 3, 3]))
    assert found.reached is None
    assert found.label == "not reached"
    few = saturation(*read([3, 1, 1]))
    assert few.reached is None
    assert "3 documents; a base and a run need 6" in repr(few)


def test_documents_without_a_code_count():
    codings, order = read([3, 2, 1, 1])
    found = saturation(codings, [*order, "empty", "blank"], base=4, run=2)
    assert found.label == "4+2"
    assert found.richness.n_met == 7


def test_repeats_and_row_order_are_nothing():
    codings, order = read(GUEST)
    again = pd.concat([codings, codings]).sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(saturation(again, order).table, saturation(codings, order).table)


def test_views():
    found = saturation(*read(GUEST))
    assert found.tidy()["n"].tolist() == [6, 7, 8, 9, 10]
    assert found.glance().loc[0, "saturation"] == "6+2"
    assert found.table["met"].iloc[-1] == 43
    for lang, word in (("en", "all but stop at 6+2"), ("nl", "Vanaf 6+2 documenten")):
        story = found.plot(lang).story
        assert word in story.title
        assert "43 codes" in story.alt
    assert "still turn up" in saturation(*read([3] * 7)).plot().story.title


def test_refusals():
    codings, order = read(GUEST)
    with pytest.raises(CodingError, match=r"codings, row .*: unknown document 'd9'"):
        saturation(codings, order[:-1])
    with pytest.raises(DataError, match="order names 'd0' twice"):
        saturation(codings, [*order, "d0"])
    with pytest.raises(DataError, match="the first 4 documents have no code"):
        saturation(codings, ["a", "b", "c", "d", *order])
    with pytest.raises(ExpertiseError, match=r"base 0, run 2, threshold 0.05"):
        saturation(codings, order, base=0)


def test_planning():
    """Galvin (2015): 59, 29, 14 and 9 people for .05, .10, .20 and .30."""
    assert [people_needed(p) for p in (0.05, 0.1, 0.2, 0.3)] == [59, 29, 14, 9]
    assert people_needed(0.5, power=0.75) == 2
    assert_allclose(chance_to_hear(0.1, 12), 0.718, atol=5e-4)
    for p in (0.03, 0.11, 0.4):
        n = people_needed(p, power=0.9)
        assert chance_to_hear(p, n) >= 0.9 > chance_to_hear(p, n - 1)


def test_planning_refusals():
    with pytest.raises(ExpertiseError, match="prevalence is 0; it lies between 0 and 1"):
        people_needed(0)
    with pytest.raises(ExpertiseError, match="power is 1; it lies between 0 and 1"):
        people_needed(0.1, power=1)
    with pytest.raises(ExpertiseError, match="prevalence 2, n_people 3"):
        chance_to_hear(2, 3)
