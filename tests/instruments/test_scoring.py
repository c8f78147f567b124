"""Scores against printed facts, what may be missing, and every refusal."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from expertise.errors import DataError
from expertise.instruments import list_instruments, load_instrument, score


def answers(name, *rows, **keys):
    """A wide table with one row per questionnaire."""
    n = load_instrument(name).count
    return pd.DataFrame(rows, columns=[f"{name}_{i}" for i in range(1, n + 1)]).assign(**keys)


def test_every_shipped_file_scores_its_own_extremes():
    """Lowest and highest answers give the ends of the printed range."""
    ends = {
        "phq9": (0, 27), "gad7": (0, 21), "who5": (0, 100), "mhcsf": (0, 70), "honos": (0, 48),
        "mansa": (1, 7), "iroc": (12, 72), "wemwbs": (14, 70), "whodas12": (0, 48),
        "ors": (0, 40), "srs": (0, 40), "csi": (0, 13), "ediz": (0, 9), "ediz_plus": (0, 15),
        "zarit22": (0, 88), "zarit12": (0, 48), "bsi": (0, 4), "nel": (1, 5), "rasds": (38, 152),
        "rasr": (24, 120), "sure": (0, 4), "collaborate": (0, 100), "collaboration": (0, 4),
        "eq5d5l": (1.0, -0.446),
    }  # fmt: skip
    for name, (lowest, highest) in ends.items():
        it = load_instrument(name)
        limit = None if name == "eq5d5l" else 0
        got = score(
            answers(name, [it.low] * it.count, [it.high] * it.count), name, max_missing=limit
        )
        assert_allclose(got.total, [lowest, highest], err_msg=name)
    without_plain_total = {"sq48", "ieq", "eci", "swemwbs", "positive_health", "carerqol7d", "oq45"}
    assert set(list_instruments()["instrument"]) == set(ends) | without_plain_total


# Versteegh et al. 2016 (Value in Health 19:343), checked with R eq5d.
@pytest.mark.parametrize(
    ("state", "value"),
    [("11111", 1), ("21111", 0.918), ("55511", 0.390), ("44444", -0.289), ("55555", -0.446)],
)
def test_eq5d_dutch_values(state, value):
    table = answers("eq5d5l", [int(level) for level in state])
    assert_allclose(score(table, "eq5d5l").total, value, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "total", "label"),
    [
        ("phq9", 4, "minimal"), ("phq9", 5, "mild"), ("phq9", 10, "moderate"),
        ("phq9", 15, "moderately severe"), ("phq9", 20, "severe"), ("gad7", 4, "minimal"),
        ("gad7", 5, "mild"), ("gad7", 10, "moderate"), ("gad7", 15, "severe"),
        ("csi", 6, "no high strain"), ("csi", 7, "high strain"), ("ediz_plus", 0, "none"),
        ("ediz_plus", 3, "1 to 3"), ("ediz_plus", 4, "4 to 8"), ("ediz_plus", 9, "9 to 15"),
        ("sure", 3, "decisional conflict"), ("sure", 4, "no decisional conflict"),
        ("zarit22", 20, "0 to 20"), ("zarit22", 61, "61 to 88"),
    ],
)  # fmt: skip
def test_printed_cut_offs(name, total, label):
    it = load_instrument(name)
    row = [min(it.high, max(total - it.high * i, 0)) for i in range(it.count)]
    got = score(answers(name, row), name, max_missing=0)
    assert got.total[0] == total
    assert got.classes["total"][0] == label


def test_who5_at_50_still_asks_to_look_further():
    got = score(answers("who5", [3, 3, 3, 3, 0], [3, 3, 3, 3, 1]), "who5", max_missing=0)
    assert_allclose(got.total, [48, 52])
    assert list(got.classes["total"]) == ["screen positive", "screen negative"]
    half = score(answers("who5", [2.0, 2, 3, 3, np.nan]), "who5", max_missing=1)
    assert half.total[0] == 50
    assert half.classes["total"][0] == "screen positive"


def test_mhcsf_kinds_follow_keyes():
    low, mid, high = 0, 3, 4
    flourishing = [high, mid, mid] + [high] * 6 + [mid] * 5
    almost = [high, mid, mid] + [high] * 5 + [mid] * 6
    languishing = [mid, mid, low] + [low] * 6 + [mid] * 5
    got = score(answers("mhcsf", flourishing, almost, languishing), "mhcsf", max_missing=0)
    assert list(got.classes["kind"]) == ["flourishing", "moderate", "languishing"]
    assert_allclose(got.scores["emotional"], [10, 10, 6])
    missing = score(answers("mhcsf", [np.nan, *flourishing[1:]]), "mhcsf", max_missing=1)
    assert missing.classes["kind"].isna().all()


def test_reversed_items_of_the_oq45():
    row = [4 if i in (1, 12, 13, 20, 21, 24, 31, 37, 43) else 0 for i in range(1, 46)]
    table = answers("oq45", row)
    assert score(table, "oq45", max_missing=0).total[0] == 0
    assert score(table, "oq45", max_missing=0, already_reversed=True).total[0] == 36
    assert score(answers("oq45", [4] * 45), "oq45", max_missing=0).total[0] == 36 * 4


def test_carerqol_counts_good_things_up_and_problems_down():
    best, worst = [2, 0, 0, 0, 0, 2, 0], [0, 2, 2, 2, 2, 0, 2]
    assert_allclose(
        score(answers("carerqol7d", best, worst), "carerqol7d", max_missing=0).total, [14, 0]
    )


def test_mansa_reads_only_its_twelve_rated_items():
    row = {f"mansa_{i}": 5 for i in (1, 2, 3, 4, 5, 6, 8, 12, 13, 14, 15, 16)}
    with_yes_no = row | {"mansa_7": 0, "mansa_9": 1}
    assert score(pd.DataFrame([row]), "mansa", max_missing=0).total[0] == 5
    got = score(pd.DataFrame([with_yes_no]), "mansa", max_missing=0)
    assert got.total[0] == 5
    assert list(got.keys) == []


def test_honos_nine_is_unknown_not_a_score():
    table = answers("honos", [9, 2, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0])
    strict = score(table, "honos", max_missing=0)
    assert np.isnan(strict.total[0])
    assert np.isnan(strict.scores["behaviour"][0])
    assert strict.scores["symptoms"][0] == 3
    filled = score(table, "honos", max_missing=1)
    assert_allclose(filled.total, 6 * 12 / 11)
    assert filled.n_imputed["total"][0] == 1
    assert "On 1 of 1 questionnaires" in str(filled.notes[0])


def test_collaborate_top_score_needs_three_nines():
    got = score(answers("collaborate", [9, 9, 9], [9, 9, 8]), "collaborate", max_missing=0)
    assert list(got.scores["top"]) == [1, 0]


def test_ediz_counts_more_or_less_as_yes():
    assert score(answers("ediz", [1, 2, 3, 4, 5, 1, 1, 1, 1]), "ediz", max_missing=0).total[0] == 3


def test_sure_shares_of_the_validation_sample():
    """981/272/147/54/20 people at 4/3/2/1/0 (n 1474): 493 at or under the cut-off."""
    counts = {4: 981, 3: 272, 2: 147, 1: 54, 0: 20}
    rows = [[1] * k + [0] * (4 - k) for k, n in counts.items() for _ in range(n)]
    got = score(answers("sure", *rows), "sure", max_missing=0)
    assert (got.classes["total"] == "decisional conflict").sum() == 493


def test_sq48_with_the_study_own_key():
    names = ("MOOD", "ANXI", "SOMA", "AGOR", "AGGR", "COGN", "SOPH", "WORK", "VITA")
    sizes = dict(zip(names, (6, 6, 7, 4, 4, 5, 5, 5, 6), strict=True))
    numbers, key = iter(range(1, 49)), {}
    for name, size in sizes.items():
        key[name] = [next(numbers) for _ in range(size)]
    key["total"] = list(range(1, 38))
    got = score(answers("sq48", [1] * 37 + [4] * 11), "sq48", key=key, max_missing=0)
    assert got.total[0] == 37
    assert got.scores["VITA"][0] == 24
    with pytest.raises(
        DataError, match=r"item numbers of sq48 are not shipped; give key=.*MOOD \(6"
    ):
        score(answers("sq48", [1] * 48), "sq48", max_missing=0)
    with pytest.raises(DataError, match=r"key\['MOOD'\] must name 6 different items of sq48"):
        score(
            answers("sq48", [1] * 48), "sq48", max_missing=0, key=key | {"MOOD": [1, 1, 2, 3, 4, 5]}
        )
    with pytest.raises(DataError, match="phq9 needs no key"):
        score(answers("phq9", [1] * 9), "phq9", key=key)


def test_a_positive_health_profile_is_never_summed():
    got = score(answers("positive_health", [7.5, 3, 4, 5, 6, 8]), "positive_health")
    assert_allclose(got.scores.iloc[0], [7.5, 3, 4, 5, 6, 8])
    with pytest.raises(
        DataError, match=r"opens a conversation .* never summed; use bodily_functions"
    ):
        _ = got.total
    with pytest.raises(DataError, match="positive_health has no total"):
        score(answers("positive_health", [1] * 6), "positive_health", scales=["total"])


def test_the_carerqol_tariff_is_refused_with_its_reason():
    with pytest.raises(
        DataError, match=r"no tariff: .* interaction, so no additive table is right"
    ):
        score(answers("carerqol7d", [1] * 7), "carerqol7d", max_missing=0, scales=["tariff"])


def test_long_and_wide_agree_and_the_table_stays_as_it_was():
    rng = np.random.default_rng(5)
    wide = answers("phq9", *rng.integers(0, 4, (12, 9)))
    wide.insert(0, "participant", [f"P{i}" for i in range(12)])
    wide["wave"] = "T0"
    long = wide.melt(["participant", "wave"], var_name="item").assign(instrument="phq9")
    other = long.assign(instrument="gad7", value=99)
    before = long.copy()
    one = score(wide, "phq9").augment().set_index("participant")["score"]
    shuffled = pd.concat([long, other]).sample(frac=1, random_state=3)
    two = score(shuffled, "phq9").augment().set_index("participant")["score"]
    pd.testing.assert_series_equal(one, two.loc[one.index])
    pd.testing.assert_frame_equal(long, before)


def test_a_row_left_out_of_a_long_table_is_a_missing_answer():
    long = pd.DataFrame({"participant": "P1", "item": range(1, 9), "value": 1})
    assert score(long, "phq9").total.isna().all()
    assert score(long, "phq9", max_missing=1).total[0] == 9


def test_tidy_gives_means_with_student_intervals():
    table = answers("gad7", *[[k % 4] * 7 for k in range(10)], wave="T0")
    table["participant"] = range(10)
    got = score(table, "gad7", conf_level=0.9)
    x = got.total
    low, high = stats.t.interval(0.9, 9, x.mean(), stats.sem(x))
    row = got.tidy().iloc[0]
    assert_allclose([row.estimate, row.conf_low, row.conf_high], [x.mean(), low, high])
    assert (row.wave, row.n, row.n_people) == ("T0", 10, 10)
    assert repr(got).startswith("Generalized Anxiety Disorder-7: 10 questionnaires")
    assert got.glance().loc[0, "n_not_scored"] == 0


def test_row_order_does_not_matter():
    rng = np.random.default_rng(2)
    table = answers("mhcsf", *rng.integers(0, 6, (50, 14)))
    mixed = table.sample(frac=1, random_state=1)
    one, two = (score(t, "mhcsf", max_missing=0) for t in (table, mixed))
    pd.testing.assert_frame_equal(one.scores, two.scores.sort_index())
    pd.testing.assert_frame_equal(one.classes, two.classes.sort_index())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"phq9_3": 5}, r"row 0, column 'phq9_3': 5 is no answer on phq9; allowed are whole n"),
        ({"phq9_3": -1}, "-1 is no answer"),
        ({"phq9_3": 1.5}, "1.5 is no answer on phq9"),
        ({"phq9_3": np.inf}, "inf is no answer"),
        ({"phq9_3": "soms"}, r"row 0, column 'phq9_3': the answer is no number; give the codes"),
        ({"phq9_10": 1}, r"phq9 has 9 items; the table also has phq9_10"),
    ],
)  # fmt: skip
def test_wrong_answers_name_row_and_column(change, sentence):
    with pytest.raises(DataError, match=sentence):
        score(answers("phq9", [1] * 9).assign(**change), "phq9")


def test_refusals():
    table = answers("phq9", [1] * 9)
    with pytest.raises(DataError, match=r"unknown instrument 'phq-9' \(did you mean 'phq9'\?\)"):
        score(table, "phq-9")
    with pytest.raises(DataError, match=r"phq9 needs 9 item columns; phq9_9 not found"):
        score(table.drop(columns="phq9_9"), "phq9")
    with pytest.raises(DataError, match="phq9 has 9 items; 8 different columns were given"):
        score(table, "phq9", items=list(table)[:8])
    with pytest.raises(DataError, match=r"no rule for missing answers on who5 was found; choose"):
        score(answers("who5", [1] * 5), "who5")
    with pytest.raises(DataError, match=r"whodas12 was found \(unverified: up to 1"):
        score(answers("whodas12", [1] * 12), "whodas12")
    with pytest.raises(DataError, match="phq9 has no scale 'mood'; it has total"):
        score(table, "phq9", max_missing={"mood": 1})
    with pytest.raises(
        DataError, match="max_missing is 9 for total of phq9; allowed are whole numbers 0 to 8"
    ):
        score(table, "phq9", max_missing=9)
    with pytest.raises(DataError, match="max_missing is 1, but total of eq5d5l is no sum"):
        score(answers("eq5d5l", [1] * 5), "eq5d5l", max_missing=1)
    with pytest.raises(DataError, match=r"phq9 has no scale 'totaal' \(did you mean 'total'\?\)"):
        score(table, "phq9", scales=["totaal"])
    with pytest.raises(DataError, match="column 'phq9_1' stands in the table twice; rename one"):
        score(pd.concat([table, table[["phq9_1"]]], axis=1), "phq9")
    with pytest.raises(DataError, match="conf_level is 2; it lies between 0 and 1"):
        score(table, "phq9", conf_level=2)
    other = pd.DataFrame({"participant": "P1", "item": [1], "value": 1, "instrument": "gad7"})
    with pytest.raises(DataError, match="no rows of phq9 in column 'instrument'; it has gad7"):
        score(other, "phq9")
    long = pd.DataFrame({"participant": "P1", "item": [1, 1], "value": [1, 2]})
    with pytest.raises(
        DataError, match=r"item 1 of phq9 is answered twice on one questionnaire \(row 1\)"
    ):
        score(long, "phq9")
    with pytest.raises(
        DataError, match="row 1, column 'item': no item of phq9; its items are 1 to 9"
    ):
        score(long.assign(item=[1, 10]), "phq9")
    with pytest.raises(DataError, match="no column says whose questionnaire this is"):
        score(long.drop(columns="participant"), "phq9")


def test_items_reversed_twice_are_noticed():
    rng = np.random.default_rng(8)
    level = rng.integers(0, 5, (60, 1))
    table = answers("oq45", *np.broadcast_to(level, (60, 45)))
    with pytest.raises(
        DataError, match=r"seem to be reversed in the table already; pass already_r"
    ):
        score(table, "oq45", max_missing=0)
    assert_allclose(
        score(table, "oq45", max_missing=0, already_reversed=True).total, 45 * level[:, 0]
    )


def test_an_empty_table_has_an_empty_result():
    got = score(answers("phq9"), "phq9")
    assert len(got.total) == 0
