"""Small cells go, and so do the cells that would give them away."""

import pandas as pd
import pytest

from expertise.errors import PrivacyError
from expertise.privacy import suppress_small


def arms(*counts):
    return pd.DataFrame(
        {"perspective": "patient", "arm": list("abc")[: len(counts)], "n_people": counts}
    )


def test_a_cell_of_nine_goes_with_its_complement():
    safe = suppress_small(arms(9, 40))
    assert safe.table["n_people"].isna().tolist() == [True, True]
    assert safe.suppressed == 2


def test_ten_stays():
    assert suppress_small(arms(10, 40)).suppressed == 0


def test_two_small_cells_protect_each_other():
    assert suppress_small(arms(3, 4, 40)).table["n_people"].isna().tolist() == [True, True, False]


def test_without_groups_there_is_no_complement():
    table = pd.DataFrame({"perspective": ["a", "b"], "n_people": [4, 40]})
    assert suppress_small(table).table["n_people"].isna().tolist() == [True, False]


def test_each_count_is_judged_by_itself():
    table = pd.DataFrame({"perspective": ["a"], "eligible": [12], "measured": [8]})
    safe = suppress_small(table).table
    assert safe["eligible"].tolist() == [12]
    assert safe["measured"].isna().all()


def test_the_table_is_not_changed_and_five_is_the_least():
    table = arms(1, 2)
    suppress_small(table, minimum=5)
    assert table["n_people"].tolist() == [1, 2]
    with pytest.raises(PrivacyError, match="minimum is 4; a released count is of 5 people or more"):
        suppress_small(table, minimum=4)
