"""The picture of scores: bins about whole scores, cut-offs where classes begin."""

import numpy as np
import pandas as pd
import pytest

from expertise.errors import DataError
from expertise.instruments import score

ITEMS = [f"phq9_{i}" for i in range(1, 10)]


def answers():
    rng = np.random.default_rng(2)
    return pd.DataFrame(rng.integers(0, 4, (80, 9)).astype(float), columns=ITEMS)


def test_every_score_is_in_a_bin_of_whole_width():
    table = answers()
    table.loc[:5, "phq9_3"] = np.nan
    scored = score(table, "phq9", max_missing=1)
    bins = scored.plot().story.table
    assert bins["n"].sum() == 80
    assert set(bins["to"] - bins["from"]) == {1.0}
    assert ((bins["from"] * 2) % 2 == 1).all()


def test_the_title_names_the_middle_half_in_both_languages():
    scored = score(answers(), "phq9")
    low, high = scored.total.quantile([0.25, 0.75]).round().astype(int)
    assert scored.plot(lang="nl").story.title.endswith(f"scoort van {low} tot {high}")
    assert scored.plot().story.title.endswith(f"score from {low} to {high}")
    assert "moderate" in [text.get_text() for text in scored.plot().texts]


def test_unknown_scale_and_no_scores_are_refused():
    scored = score(answers(), "phq9")
    with pytest.raises(DataError, match="phq9 has no scale 'sum'; it has total"):
        scored.plot("sum")
    empty = score(pd.DataFrame(np.full((2, 9), np.nan), columns=ITEMS), "phq9")
    with pytest.raises(DataError, match="no questionnaire has a score on total"):
        empty.plot()
