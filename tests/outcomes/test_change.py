"""Individual change: published classes, worked example, refusals, words for people."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError
from expertise.instruments import load_instrument, score
from expertise.outcomes.change import reliable_change
from expertise.outcomes.effects import effect_sizes
from expertise.outcomes.rules import cut_off
from expertise.words import catalogue


def long(before, after, waves=(0, 1)):
    n = len(before)
    people = [f"P{i}" for i in range(n)] * 2
    return pd.DataFrame(
        {
            "participant": people,
            "wave": np.repeat(waves, n),
            "score": np.concatenate([before, after]).astype(float),
        }
    )


@pytest.fixture(scope="module")
def claus(real_data):
    table = pd.read_csv(real_data / "outcomes" / "clinsig_claus_2020.csv")
    return table.rename(columns={"id": "participant", "time": "wave", "hamd": "score"})


# R clinicalsignificance, tests/testthat/_snaps/cs_combined.md (JSS 111(1)); NK with r_post .5.
PUBLISHED = {
    "JT": (26, 3, 10, 1, 0),
    "EN": (26, 6, 5, 3, 0),
    "GLN": (26, 3, 10, 1, 0),
    "NK": (26, 2, 11, 1, 0),
    "HA": (23, 9, 7, 1, 0),
    "HLL": (12, 0, 16, 11, 1),
    "HLM": (10, 1, 20, 9, 0),
}


def test_seven_rules_on_the_same_forty_people(claus):
    got = reliable_change(
        claus, waves=(1, 4), reliability=0.8, reliability_after=0.5, better="lower",
        cutoff="c", functional=(8, 8), mic=4, others=list(PUBLISHED)[1:],
    )  # fmt: skip
    counts = got.sensitivity.groupby("method", sort=False)["n"].agg(tuple)
    assert counts.to_dict() == PUBLISHED
    assert_allclose(got.cutoff, 19.887, atol=5e-4)
    assert_allclose(got.threshold / 1.959964, 2.1125, atol=5e-5)
    assert (got.eligible, len(got.people)) == (43, 40)
    assert "Under 7 rules the number of people who are clearly better ranges from 11 to 32" in str(
        got.notes[1]
    )
    assert got.glance().loc[0, "beyond_mic"] == (got.people["change"] <= -4).sum()
    sizes = effect_sizes(claus, waves=(1, 4)).tidy().set_index("term")["estimate"]
    expected = {
        "d_av": -1.662,
        "d_av_mean_sd": -1.787,
        "d_pre": -2.956,
        "d_z": -1.252,
        "d_rm": -1.620,
    }
    for name, value in expected.items():
        assert_allclose(sizes[name], value, atol=5e-4, err_msg=name)


def test_worked_example_of_jacobson_and_truax():
    """M1 40, M0 60, S 7.5, r .80: cut-offs 55, 45, 50; SE 3.354, S_diff 4.743, RC 3.16."""
    cuts = [cut_off(kind, (40, 7.5), (60, 7.5), True) for kind in "abc"]
    assert cuts == [55, 45, 50]
    assert cut_off("a", (60, 7.5), None, False) == 45
    got = reliable_change(
        long([32.5], [47.5]), waves=(0, 1), reliability=0.8, better="higher", norm=(40, 7.5),
        others=(),
    )  # fmt: skip
    assert_allclose(got.threshold / 1.959964, 4.743, atol=5e-4)
    assert_allclose(got.people["index"], 3.16, atol=5e-3)


def test_classes_turn_with_the_direction_and_not_with_a_shift():
    rng = np.random.default_rng(4)
    before, after = rng.normal(20, 5, (2, 60))
    options = {"waves": (0, 1), "reliability": 0.8, "others": ()}
    down = reliable_change(long(before, after), better="lower", **options)
    up = reliable_change(long(-before, -after), better="higher", **options)
    moved = reliable_change(long(before * 10 + 1e6, after * 10 + 1e6), better="lower", **options)
    mixed = reliable_change(
        long(before, after).sample(frac=1, random_state=1), better="lower", **options
    )
    for other in (up, moved):
        pd.testing.assert_series_equal(down.people["class"], other.people["class"])
    joined = mixed.people.set_index("participant")["class"]
    assert joined.loc[down.people["participant"]].tolist() == down.people["class"].tolist()


def test_people_who_did_not_change_are_rarely_called_changed():
    """Two parallel measurements of the same true score: 5 % fall outside the band."""
    rng = np.random.default_rng(11)
    n, r = 40_000, 0.8
    true = rng.normal(0, np.sqrt(r), n)
    before, after = true + rng.normal(0, np.sqrt(1 - r), (2, n))
    got = reliable_change(
        long(before, after), waves=(0, 1), reliability=r, better="lower", norm=(0, 1),
        others=("GLN", "NK"),
    )  # fmt: skip
    changed = got.sensitivity[got.sensitivity["class"] != "no_clear_change"]
    for rule in ("JT", "GLN"):
        share = changed.loc[changed["method"] == rule, "estimate"].sum()
        assert abs(share - 0.05) < 4 * np.sqrt(0.05 * 0.95 / n), rule


def test_from_answers_to_change():
    """Scoring hands its long table straight to change, with the instrument's own threshold."""
    rng = np.random.default_rng(5)
    before = rng.integers(1, 4, (30, 9))
    after = np.maximum(before - rng.integers(0, 2, (30, 9)), 0)
    names = [f"phq9_{i}" for i in range(1, 10)]
    parts = [
        pd.DataFrame(items, columns=names).assign(participant=range(30), wave=wave)
        for wave, items in (("T0", before), ("T1", after))
    ]
    scored = score(pd.concat(parts, ignore_index=True), "phq9")
    threshold = load_instrument("phq9").scale("total").change["threshold"]
    got = reliable_change(
        scored.augment(), waves=("T0", "T1"), reliability=0.85, better="lower", mic=threshold,
        cutoff=9.5,
    )  # fmt: skip
    gain = before.sum(axis=1) - after.sum(axis=1)
    assert (got.people["beyond_mic"].to_numpy() == (gain >= 6)).all()
    crossed = (before.sum(axis=1) > 9) & (after.sum(axis=1) <= 9) & (gain > got.threshold)
    assert ((got.people["class"] == "improved_crossed").to_numpy() == crossed).all()


def test_words_never_promise_recovery():
    for lang, banned in (("nl", "herstel"), ("en", "recover")):
        words = [text for key, text in catalogue(lang).items() if key.startswith("outcomes.class")]
        assert len(words) == 5
        assert not any(re.search(banned, text) for text in words)
    got = reliable_change(long([9, 8, 7], [1, 8, 8]), waves=(0, 1), reliability=0.9, better="lower")
    assert got.describe("nl")["class"][0] == "duidelijk vooruit op deze vragenlijst"
    assert got.plot("nl").story.title.startswith("1 van de 3 mensen")
    assert repr(got).startswith("Change beyond 0.88 points (JT); 3 of 3 people measured twice")


def test_refusals():
    table = long([9, 8, 7], [1, 8, 8])
    options = {"waves": (0, 1), "reliability": 0.8, "better": "lower"}

    def refused(sentence, data=table, **change):
        with pytest.raises(DataError, match=sentence):
            reliable_change(data, **options | change)

    refused("wave 0 does not come after wave 1", waves=(1, 0))
    refused("no wave 'T9' in the table; it has 0, 1", waves=(0, "T9"))
    refused("wave 'b' does not come after wave 'a'",
            table.assign(wave=table["wave"].map({0: "a", 1: "b"}), months=6 - 6 * table["wave"]),
            waves=("a", "b"))  # fmt: skip
    refused("row 3: a second score of one person at wave 0", table.assign(wave=[0, 0, 0, 0, 1, 1]))
    refused("reliability is 1; it must lie between 0 and 1", reliability=1)
    refused("unknown rule 'XX'; allowed are JT, EN", primary="XX")
    refused("better is 'up'; allowed are lower, higher", better="up")
    refused(r"the SD at wave 0 is 0; it must be above 0", long([5, 5], [4, 3]))
    refused(r"one person has no spread of its own; give norm", long([5], [4]))
    refused("nobody has a score at both waves 0, 1", table[[True, False, False, False, True, True]])
    refused(r"cut-off 'c' needs functional=\(mean, sd\)", cutoff="c")
    refused(
        r"no column 'score' \(did you mean 'scores'\?\)", table.rename(columns={"score": "scores"})
    )
    refused("row 1, column 'score': not a finite number", table.assign(score=["1", "x", *"3456"]))
    crossing = long([1, 2, 3, 4], [2.1, 3, 4.1, 5])
    refused("the reliability of differences is", crossing, reliability=0.3, primary="HA")
    told = reliable_change(crossing, **options | {"reliability": 0.3}).notes
    assert "Rule HA is left out" in str(told[-1])
    refused("rule HLM needs 3 or more waves; there are 2", others=["HLM"])
    named = table.assign(wave=table["wave"].astype(str))
    refused("rule HLM needs time as a number", named, waves=("0", "1"), primary="HLM")
    refused("row 0, column 'participant': empty", table.assign(participant=None))
    twice = pd.concat([table, table[["score"]]], axis=1)
    refused("column 'score' stands in the table twice; rename one", twice)
    refused("unknown cut-off 'd'; allowed are a, b, c or a number", cutoff="d")
    refused("functional has SD 0; it must be above 0", cutoff="c", functional=(5, 0))
    refused("mic is -1; give a change for the better in points, above 0", mic=-1)
    dates = table.assign(wave=pd.to_datetime(table["wave"], unit="D"))
    backwards = tuple(dates["wave"].unique()[::-1])
    refused("does not come after wave", dates, waves=backwards)
    refused("conf_level is 95; it lies between 0 and 1, such as 0.95", conf_level=95)


def test_the_picture_of_effect_sizes_names_its_range(claus):
    axes = effect_sizes(claus, waves=(1, 4)).plot("nl")
    assert axes.story.title.startswith("Dezelfde verandering is −2,96 tot −1,25")
    assert len(axes.story.table) == 5


def test_effect_sizes_cover_and_agree_with_pingouin():
    import pingouin

    rng = np.random.default_rng(7)
    before, after = rng.multivariate_normal([0, 0.5], [[1, 0.5], [0.5, 1.4]], 30).T
    sizes = effect_sizes(long(before, after), waves=(0, 1)).tidy().set_index("term")
    peer = pingouin.compute_effsize(after, before, paired=True, eftype="cohen")
    assert_allclose(sizes.loc["d_av", "estimate"], peer, rtol=1e-12)
    assert_allclose(
        sizes.loc["d_z", "estimate"], (after - before).mean() / (after - before).std(ddof=1)
    )
    assert (sizes["conf_low"] < sizes["estimate"]).all()


@pytest.mark.parametrize("size", ["d_av", "d_pre", "d_z", "d_rm"])
def test_effect_size_intervals_hold_the_true_size(size):
    rng = np.random.default_rng(21)
    s1, s2, c = 1.0, 1.44, 0.6
    diff = s1 + s2 - 2 * c
    base = {
        "d_av": (s1 + s2) / 2, "d_pre": s1, "d_z": diff,
        "d_rm": diff / (2 * (1 - c / np.sqrt(s1 * s2))),
    }[size]  # fmt: skip
    truth, hits, runs = 0.6 / np.sqrt(base), 0, 150
    for _ in range(runs):
        before, after = rng.multivariate_normal([0, 0.6], [[s1, c], [c, s2]], 40).T
        row = effect_sizes(long(before, after), waves=(0, 1)).sizes.set_index("term").loc[size]
        hits += row.conf_low <= truth <= row.conf_high
    assert hits / runs > 0.95 - 4 * np.sqrt(0.95 * 0.05 / runs)


def test_effect_size_refusals():
    with pytest.raises(DataError, match="2 people have both measurements; at least 3"):
        effect_sizes(long([1, 2], [2, 3]), waves=(0, 1))
    with pytest.raises(DataError, match="scores, or their differences, do not vary"):
        effect_sizes(long([1, 2, 3], [2, 3, 4]), waves=(0, 1))
