"""Aalen-Johansen against shares, Greenwood and statsmodels, and its refusals."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from expertise.errors import DataError
from expertise.outcomes.waiting import waiting_time


def queue(n, seed, censored=True):
    rng = np.random.default_rng(seed)
    helped, left, seen = rng.exponential(8, n), rng.exponential(15, n), rng.uniform(2, 20, n)
    time = np.minimum(helped, left)
    way_out = np.where(helped < left, "helped", "left").astype(object)
    if censored:
        way_out[seen < time] = None
        time = np.minimum(time, seen)
    return pd.DataFrame({"time": np.ceil(time), "way_out": way_out})


def curve(table, cause="helped", **options):
    curves = waiting_time(table, **options).curves
    return curves[curves["outcome"] == cause].set_index("time")


def test_without_open_ends_it_is_the_share_so_far():
    table = queue(300, 1, censored=False)
    found = curve(table)
    for time in (2, 5, 11):
        share = ((table["time"] <= time) & (table["way_out"] == "helped")).mean()
        assert_allclose(found.loc[time, "estimate"], share)
        assert_allclose(found.loc[time, "std_error"], np.sqrt(share * (1 - share) / 300))


def test_with_one_way_out_it_is_kaplan_meier_and_greenwood():
    table = queue(200, 2)
    table["way_out"] = table["way_out"].where(table["way_out"].isna(), "out")
    found = curve(table, "out")
    peer = SurvfuncRight(table["time"], table["way_out"].notna().astype(int))
    at = found.index.intersection(peer.surv_times)[:-2]
    here = np.isin(peer.surv_times, at)
    assert_allclose(found.loc[at, "estimate"], 1 - peer.surv_prob[here])
    assert_allclose(found.loc[at, "std_error"], peer.surv_prob_se[here])


def test_competing_ways_out_agree_with_statsmodels():
    table = queue(250, 3)
    codes = table["way_out"].map({"helped": 1, "left": 2}).fillna(0).astype(int)
    with np.errstate(divide="ignore", invalid="ignore"):  # in the peer
        peer = CumIncidenceRight(table["time"], codes)
    for k, cause in enumerate(["helped", "left"]):
        found = curve(table, cause)
        peer_curve = pd.Series(peer.cinc[k], peer.times)
        assert_allclose(found["estimate"], peer_curve[found.index], rtol=1e-10)


def test_intervals_hold_the_truth():
    truth = (1 / 8) / (1 / 8 + 1 / 15) * (1 - np.exp(-6 * (1 / 8 + 1 / 15)))
    hits = 0
    for seed in range(150):
        row = curve(queue(80, seed)).loc[:6].iloc[-1]
        hits += row.conf_low <= truth <= row.conf_high
    assert hits / 150 > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 150)


def test_shares_and_those_still_waiting_add_up():
    got = waiting_time(queue(100, 5))
    last = got.curves.groupby("outcome").tail(1)
    assert last["estimate"].sum() <= 1 + 1e-12
    assert "still waiting" in str(got.notes[0])


def test_groups_times_and_words():
    table = pd.concat([queue(60, 6).assign(team="A"), queue(60, 7).assign(team="B")])
    table = table.reset_index(drop=True)
    got = waiting_time(table, group="team", at=(4, 8), unit="weken")
    assert len(got.tidy()) == 2 * 2 * 2
    one = curve(table[table["team"] == "A"])
    two = got.curves.query("group == 'A' and outcome == 'helped'").set_index("time")
    assert_allclose(one["estimate"], two["estimate"])
    title = got.plot("helped", "nl").story.title
    assert "weken: helped voor" in title
    assert waiting_time(table, at=(0,)).tidy()["estimate"].eq(0).all()


def test_a_group_in_which_nothing_happened_is_shown_at_zero():
    table = pd.DataFrame(
        {"time": [2.0, 3, 5], "way_out": ["helped", None, None], "team": list("aab")}
    )
    found = waiting_time(table, group="team", at=(4,)).tidy().set_index("group")
    assert found.loc["b", "estimate"] == 0
    assert found.loc["a", "estimate"] == 0.5


def test_refusals():
    table = queue(20, 8)
    with pytest.raises(DataError, match="row 2, column 'time': below 0"):
        waiting_time(table.assign(time=table["time"].where(table.index != 2, -1)))
    with pytest.raises(DataError, match="column 'way_out' is empty: everyone is still waiting"):
        waiting_time(table.assign(way_out=None))
    with pytest.raises(DataError, match="no way out 'gone'; the table has helped, left"):
        waiting_time(table).plot("gone")
    with pytest.raises(DataError, match="row 0, column 'time': not a finite number"):
        waiting_time(table.assign(time=np.nan))
