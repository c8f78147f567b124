"""Stepped wedge against R steppedwedge's example, a fading effect, and refusals."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError, DesignError
from expertise.outcomes.stepped import stepped_wedge


def wedge(seed, effect=lambda k: 1.0, clusters=8, periods=5, n=8):
    """Simulated: two clusters cross over each period; `effect` by periods since the step."""
    rng = np.random.default_rng(seed)
    team, period = (
        np.repeat(range(clusters), periods * n),
        np.tile(np.repeat(range(periods), n), clusters),
    )
    step = 1 + team // 2
    since = np.maximum(period - step + 1, 0)
    y = 0.3 * period + np.where(since > 0, np.vectorize(effect)(since), 0)
    y = y + rng.normal(0, 0.4, clusters)[team] + rng.normal(0, 1, len(team))
    return pd.DataFrame({"team": team, "period": period, "treated": (since > 0) * 1, "score": y})


def test_sw_data_example(real_data):
    """2011 simulated rows of R steppedwedge: .5238 (SE .0733), by period too .5224 (.0742)."""
    table = pd.read_csv(real_data / "outcomes" / "steppedwedge_sw_data_example.csv")
    got = stepped_wedge(
        table, outcome="outcome_cont", cluster="cluster", treated="trt", df="satterthwaite"
    )
    step = got.tidy().set_index("term").loc["step"]
    assert_allclose([step.estimate, step.std_error], [0.5224, 0.0742], atol=5e-5)
    plain = stepped_wedge(
        table, outcome="outcome_cont", cluster="cluster", treated="trt", df="satterthwaite",
        cluster_period=False,
    )  # fmt: skip
    step_only = plain.tidy().set_index("term").loc["step"]
    assert_allclose([step_only.estimate, step_only.std_error], [0.5238, 0.0733], atol=5e-5)
    small = stepped_wedge(table, outcome="outcome_cont", cluster="cluster", treated="trt")
    widened = small.tidy().set_index("term").loc["step"]
    assert widened.std_error > step.std_error
    assert_allclose(widened.estimate, step.estimate)


def test_a_growing_effect_is_seen_as_growing():
    got = stepped_wedge(wedge(2, effect=lambda k: 1.5 * k, n=30), outcome="score")
    found = got.tidy().set_index("term")
    steps = found.loc[["after 1", "after 2", "after 3", "after 4"], "estimate"]
    assert steps.is_monotonic_increasing
    truth = np.mean([1.5, 3, 4.5, 6])
    mean = found.loc["mean over time"]
    assert mean.conf_low < truth < mean.conf_high
    # The one-step effect misses it: the reason why both are shown.
    assert found.loc["step", "estimate"] < truth - 0.5
    assert got.plot("nl").story.title.startswith("Na de verandering verschilt het gemiddelde")
    assert "only 8 clusters" in str(got.notes[-1])


def test_order_labels_and_shift_change_nothing():
    table = wedge(4)
    one = stepped_wedge(table, outcome="score").tidy()
    other = table.assign(team=table["team"].map(lambda t: f"T{9 - t}"), score=table["score"] + 500)
    two = stepped_wedge(other.sample(frac=1, random_state=1), outcome="score").tidy()
    assert_allclose(one["estimate"], two["estimate"], atol=1e-5)
    assert_allclose(one["std_error"], two["std_error"], rtol=1e-4)


def test_refusals():
    table = wedge(1)

    def refused(sentence, data, error=DataError):
        with pytest.raises(error, match=sentence):
            stepped_wedge(data, outcome="score")

    refused("row 0, column 'treated': 2; allowed are 0, 1", table.assign(treated=2))
    half = table.assign(treated=table["treated"].where(table.index != 0, 1))
    refused("cluster '0' has both treated and untreated rows in period 0", half)
    back = table.assign(treated=1 - table["treated"])
    refused("turns back to untreated; a wedge goes one way", back)
    two = table[table["team"] < 2]
    refused(r"2 clusters cross over at 1 moment\(s\); a stepped wedge needs", two, DesignError)
    refused("no column 'treated'", table.drop(columns="treated"))
