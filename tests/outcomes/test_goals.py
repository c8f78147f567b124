"""Goal attainment scaling against its formula, and its refusals."""

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError
from expertise.outcomes.goals import goal_attainment


def goals(levels, weights=None, who="P1"):
    table = pd.DataFrame({"participant": who, "level": levels})
    return table if weights is None else table.assign(weight=weights)


# Kiresuk & Sherman 1968, rho .3: values of the formula.
@pytest.mark.parametrize(
    ("levels", "weights", "t"),
    [
        ([0, 0, 0], None, 50), ([1, 1, 1], None, 63.693), ([2, 1, 0], [3, 2, 1], 67.626),
        ([-2, -2, -2], None, 22.614), ([1], None, 60),
    ],
)  # fmt: skip
def test_t_scores(levels, weights, t):
    got = goal_attainment(goals(levels, weights), start=-1)
    assert_allclose(got.augment()["t_score"], t, atol=5e-4)


def test_the_raw_levels_stand_beside_the_t_scores():
    table = pd.concat([goals([1, 0]), goals([-1, 2, 2], who="P2")], ignore_index=True)
    got = goal_attainment(table, start=-2)
    assert got.levels["n"].tolist() == [0, 1, 1, 1, 2]
    shares = got.tidy().query("component == 'level'")["estimate"]
    assert_allclose(shares, [0, 0.2, 0.2, 0.2, 0.4])
    assert "getting worse cannot be seen" in str(got.notes[0])
    title = got.plot("nl").story.title
    assert title == "4 van de 5 doelen zijn bereikt zoals verwacht of beter"
    assert repr(got).startswith("Goal attainment: 5 goals of 2 people")
    by_wave = goal_attainment(table.assign(wave=[0, 0, 0, 1, 1]), start=-1)
    assert by_wave.tidy().query("component == 'T-score'")["wave"].tolist() == [0, 1]


def test_equal_weights_of_any_size_change_nothing():
    one = goal_attainment(goals([2, -1], [1, 1]), start=-1).augment()["t_score"]
    ten = goal_attainment(goals([2, -1], [10, 10]), start=-1).augment()["t_score"]
    assert_allclose(one, ten)


def test_refusals():
    def refused(sentence, table, **options):
        with pytest.raises(DataError, match=sentence):
            goal_attainment(table, **{"start": -1} | options)

    refused("start is 0; say at which level goals began: -2 or -1", goals([1]), start=0)
    refused("row 1, column 'level': 3; allowed are -2, -1, 0, 1 and 2", goals([1, 3]))
    refused("row 0, column 'weight': 0; a weight must be above 0", goals([1], [0]))
    refused("rho is 1; it must be at least 0 and below 1", goals([1]), rho=1)
    refused("the table has no rows", goals([]))
    refused("row 0, column 'level': not a finite number; give numbers$", goals([None]))
