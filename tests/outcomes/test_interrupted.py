"""Interrupted series: Sicily's smoking ban, the organisation's own shape, refusals."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError, DesignError, FitError
from expertise.outcomes.interrupted import interrupted_series


@pytest.mark.parametrize(
    ("options", "ratio", "low", "high", "dispersion"),
    [
        ({"family": "poisson"}, 0.8944, 0.8647, 0.9251, 3.559),
        ({}, 0.8944, 0.8392, 0.9532, 3.559),
        ({"harmonics": 2}, 0.8851, 0.8394, 0.9332, 2.262),
    ],
)
def test_sicily(real_data, options, ratio, low, high, dispersion):
    """Lopez Bernal et al. 2017, doi:10.1093/ije/dyw098: .894 and, with season, .885."""
    table = pd.read_csv(real_data / "outcomes" / "sicily.csv")
    got = interrupted_series(table, outcome="aces", start=37, exposure="stdpop", **options)
    row = got.tidy().set_index("term").loc["level"]
    assert_allclose([row.estimate, row.conf_low, row.conf_high], [ratio, low, high], atol=5e-5)
    assert_allclose(got.dispersion, dispersion, atol=5e-4)
    assert_allclose(got.effect[0], row.estimate)
    assert any("vary 3.56 times" in str(n) for n in got.notes) == (
        options.get("family") == "poisson"
    )


def made(seed, level=0.0, slope=0.0, n=72, start=40, base=5.0, trend=0.004):
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    line = base + trend * t + (t >= start) * (level + slope * (t - start))
    return pd.DataFrame({"time": t, "count": rng.poisson(np.exp(line))})


def test_hours_rise_and_beds_fall():
    """Simulated: ambulatory hours bend upwards and bed days fall by a third after a change."""
    options = {"outcome": "count", "start": 40, "conf_level": 0.9999}
    hours = interrupted_series(made(1, slope=0.01), change=("slope",), **options)
    beds = interrupted_series(made(2, level=np.log(2 / 3), trend=-0.002), **options)
    assert hours.effect[1] > 1
    assert hours.effect[1] < np.exp(0.01 * 31) < hours.effect[2]
    assert beds.effect[2] < 1
    assert beds.effect[1] < 2 / 3 < beds.effect[2]
    assert hours.plot("nl").story.title.startswith("Sinds 40: ")
    assert "meer dan verwacht" in hours.plot("nl").story.title
    assert "less than expected" in beds.plot("en").story.title


def test_interval_holds_its_truth_and_nothing_is_seldom_something():
    hits = 0
    for seed in range(120):
        low, high = interrupted_series(made(seed), outcome="count", start=40).effect[1:]
        hits += low <= 1 <= high
    assert 0.89 < hits / 120 <= 0.995


def test_scale_of_exposure_changes_only_the_intercept():
    table = made(3).assign(size=100.0)
    options = {"outcome": "count", "start": 40, "exposure": "size"}
    one = interrupted_series(table, **options).tidy().set_index("term")
    two = interrupted_series(table.assign(size=1e6), **options).tidy().set_index("term")
    assert_allclose(one.loc["level", "estimate"], two.loc["level", "estimate"])
    assert_allclose(one.loc["intercept", "estimate"], two.loc["intercept", "estimate"] * 1e4)


def test_correlated_leftovers_are_noted():
    rng = np.random.default_rng(9)
    noise = np.zeros(80)
    for k in range(1, 80):
        noise[k] = 0.8 * noise[k - 1] + rng.normal(0, 0.2)
    table = pd.DataFrame({"time": range(80), "count": rng.poisson(np.exp(5 + noise))})
    got = interrupted_series(table, outcome="count", start=40)
    assert got.acf[0] > 0.4
    assert "correlated from one period to the next" in str(got.notes[0])
    assert "no clear difference" in got.plot().story.title or got.effect[0] != 1


def test_refusals():
    def refused(sentence, table=None, error=DataError, **options):
        table = made(1) if table is None else table
        with pytest.raises(error, match=sentence):
            interrupted_series(table, **{"outcome": "count", "start": 40} | options)

    refused("start 200 does not split the series, which runs from 0 to 71", start=200)
    refused("70 periods before and 2 after 70; at least 3 of each", error=DesignError, start=70)
    refused("unknown family 'normal'; allowed are poisson, quasipoisson, negbin", family="normal")
    refused(r"change is .*; give one or both of level, slope", change=("step",))
    refused(
        "row 3, column 'count': below 0",
        made(1).assign(count=lambda t: t["count"].where(t.index != 3, -1)),
    )
    refused("row 0, column 'size': not above 0", made(1).assign(size=0), exposure="size")
    refused("row 1, column 'time': repeated or earlier", made(1).assign(time=50))
    refused(
        "every count before 40 is 0, so a ratio has no end",
        made(1).assign(count=lambda t: t["count"].where(t.index >= 40, 0)),
        DesignError,
    )
    refused("every count from 40 is 0", made(1).assign(count=0), DesignError)
    refused("'T1' cannot be compared with column 'time', which holds values such as 0", start="T1")
    refused("harmonics of period 0; give 0 or more", error=DesignError, harmonics=1, period=0)
    refused("the rate is the same in every period", made(1).assign(count=7), DesignError)
    refused("conf_level is 95; it lies between 0 and 1", conf_level=95)
    refused("cannot be told apart", error=DesignError, harmonics=2, period=2)
    even = made(1).assign(count=lambda t: 100 + t.index % 3)
    refused("vary less than Poisson's", even, FitError, family="negbin")


def test_more_lags_than_half_the_series_are_refused():
    table = pd.DataFrame({"time": range(24), "n": [20, 22, 19, 21] * 6})
    with pytest.raises(DesignError, match="lags is 12; give 0 to 11 for a series of 24 periods"):
        interrupted_series(table, outcome="n", start=12, lags=12)
