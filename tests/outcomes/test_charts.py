"""Control charts against Montgomery, qicharts2 and Anhøj, and their refusals."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError
from expertise.figures import png
from expertise.outcomes.charts import control_chart, runs

# Montgomery, Introduction to Statistical Quality Control, table 6.07, first 20 weeks.
COST = (310, 288, 297, 298, 307, 303, 294, 297, 308, 306,
        294, 299, 297, 299, 314, 295, 293, 306, 301, 304)  # fmt: skip


def weeks(values):
    return pd.DataFrame({"time": range(1, len(values) + 1), "value": values})


def counts(count, size):
    return pd.DataFrame({"time": range(len(count)), "count": count, "size": size})


def test_montgomery_individuals():
    """CL 300.5, mean range 7.7895, limits 321.22 and 279.78 (qicharts2 321.2167/279.7833)."""
    found = control_chart(weeks(COST), "xmr").tidy().set_index("term")["estimate"]
    assert_allclose(found[["center", "upper", "lower"]], [300.5, 321.2167, 279.7833], atol=5e-5)
    assert_allclose(found["range_limit"], 25.45, atol=5e-3)
    assert not control_chart(weeks(COST), "xmr").signal


def test_anhoej_limits():
    """n = 24: a run may be 8 long, and 8 crossings are needed."""
    found = runs(np.resize([1.0, 1.0, -1.0], 24))
    assert (found["longest_allowed"], found["crossings_needed"]) == (8, 8)
    assert (found["longest_run"], found["crossings"]) == (2, 15)
    on_line = runs(np.array([1.0, 0, 0, 1, -1, 0, -1]))
    assert (on_line["n_useful"], on_line["longest_run"], on_line["crossings"]) == (4, 2, 1)


@pytest.mark.parametrize(
    ("infection", "longest", "crossings"),
    [("BAC", 3, 13), ("CDI", 6, 8), ("UTI", 4, 11), (None, 4, 12)],
)  # fmt: skip
def test_hospital_infections(real_data, infection, longest, crossings):
    """Values of R qicharts2 on its own data; total centre .0018236."""
    table = pd.read_csv(real_data / "outcomes" / "qicharts2_hospital_infections.csv")
    if infection:
        table = table[table["infection"] == infection]
    months = table.groupby("month", as_index=False)[["n", "days"]].sum()
    months = months.rename(columns={"month": "time", "n": "count", "days": "size"})
    got = control_chart(months, "u")
    rule = got.rules.iloc[0]
    assert (rule["longest_run"], rule["crossings"]) == (longest, crossings)
    if infection is None:
        assert_allclose(got.points["center"], 0.0018236, atol=5e-8)


def test_each_kind_by_its_formula():
    n = np.array([50, 60, 40, 80, 70, 50, 60, 40, 80, 70])
    k = np.array([5, 6, 8, 9, 2, 5, 4, 3, 9, 8])
    p = k.sum() / n.sum()
    chart = control_chart(counts(k, n), "p").points
    assert_allclose(chart["upper"], p + 3 * np.sqrt(p * (1 - p) / n))
    assert_allclose(chart["lower"], np.maximum(p - 3 * np.sqrt(p * (1 - p) / n), 0))
    chart = control_chart(counts(k, n), "u").points
    assert_allclose(chart["upper"], p + 3 * np.sqrt(p / n))
    chart = control_chart(weeks(k), "g").points
    assert_allclose(chart["upper"], k.mean() + 3 * np.sqrt(k.mean() * (k.mean() + 1)))
    chart = control_chart(weeks(k), "run").points
    assert (chart["center"] == np.median(k)).all()
    assert chart[["lower", "upper"]].isna().all(axis=None)


def test_phases_have_their_own_lines_and_actions_are_numbered():
    table = weeks([*COST, *(x - 100 for x in COST)])
    phases = pd.DataFrame({"start": [21, 1], "phase": ["after", "before"]})
    actions = pd.DataFrame({"time": [21], "action": ["Peer support starts"]})
    whole = control_chart(table, "xmr", actions=actions, measured="Cost", better="lower")
    split = control_chart(table, "xmr", phases=phases, actions=actions, measured="Cost")
    assert whole.signal
    assert not split.signal
    assert_allclose(split.points["center"].unique(), [300.5, 200.5])
    axes = whole.plot("nl")
    assert axes.story.title == "De reeks verandert meer dan zijn gewone op en neer"
    assert "1. Peer support starts" in axes.story.subtitle
    assert "lager is beter" in axes.story.subtitle
    assert split.plot("en").story.title.startswith("Within each phase")
    assert png(axes, dark=True, phone=True)[:4] == b"\x89PNG"


def test_shift_and_scale_move_the_lines_along():
    one = control_chart(weeks(COST), "xmr").points
    two = control_chart(weeks([x * 10 + 1e7 for x in COST]), "xmr").points
    assert_allclose(two["upper"], one["upper"] * 10 + 1e7)
    assert (one["outside"] == two["outside"]).all()


def test_false_alarms_are_as_rare_as_printed():
    """Anhøj's rules alarm in about 5 % of runs of 24 pure chance points (Anhøj & Olesen)."""
    rng = np.random.default_rng(12)
    alarms = [runs(rng.normal(size=24))["signal"] for _ in range(3000)]
    assert 0.02 < np.mean(alarms) < 0.09


def test_counts_that_vary_too_much_are_noted():
    rng = np.random.default_rng(1)
    size = np.full(20, 100_000)
    wild = counts(rng.normal(30_000, 3000, 20).astype(int), size)
    assert "times as much as counts alone would" in str(control_chart(wild, "p").notes[0])
    tame = counts(rng.binomial(100_000, 0.3, 20), size)
    assert control_chart(tame, "p").notes == ()


def test_refusals():
    def refused(sentence, table, kind, **options):
        with pytest.raises(DataError, match=sentence):
            control_chart(table, kind, **options)

    refused("unknown kind of chart 'c'; allowed are run, xmr, p, u, g", weeks(COST), "c")
    refused("phase 'start' has 6 points; a run chart needs at least 10", weeks(COST[:6]), "run")
    refused("phase 'b' has 5 points", weeks(COST), "xmr",
            phases=pd.DataFrame({"start": [16], "phase": ["b"]}))  # fmt: skip
    refused(
        "row 2, column 'size': not above 0; leave out", counts([1] * 10, [5, 5, 0, *[5] * 7]), "p"
    )
    refused(
        "row 0, column 'count': more events than people; use a u", counts([6] * 10, [5] * 10), "p"
    )
    refused("row 0, column 'count': below 0", counts([-1] * 10, [5] * 10), "u")
    refused("row 19, column 'value': below 0", weeks([*COST[:19], -1]), "g")
    refused("row 1, column 'time': repeated or earlier", weeks(COST).assign(time=1), "run")
    refused("better is 'up'", weeks(COST), "run", better="up")
    refused("no column 'value'; the table has time", weeks(COST)[["time"]], "run")
    late = pd.DataFrame({"start": [100], "phase": ["late"]})
    refused("no point falls in phase 'late'; check its start", weeks(COST), "run", phases=late)
    odd = pd.DataFrame({"time": ["x"], "action": ["y"]})
    refused("'x' cannot be compared with column 'time'", weeks(COST), "run", actions=odd)
    twice = pd.DataFrame({"start": [3, 16], "phase": ["b", "b"]})
    refused("a phase stands twice in the table of phases", weeks(COST), "run", phases=twice)
