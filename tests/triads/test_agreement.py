"""Intraclass correlations and limits of agreement: published values, properties, meaning."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError, DesignError
from expertise.triads.intraclass import icc
from expertise.triads.limits import bland_altman, loam

FORMS = {
    ("interchangeable", "absolute", "single"): 0.1657, ("random", "absolute", "single"): 0.2898,
    ("fixed", "consistency", "single"): 0.7148, ("interchangeable", "absolute", "average"): 0.4428,
    ("random", "absolute", "average"): 0.6201, ("fixed", "consistency", "average"): 0.9093,
}  # fmt: skip


def of(table, roles="random", definition="absolute", unit="single", conf_level=0.95, **names):
    columns = {"target": "person", "rater": "rater", "value": "score"} | names
    return icc(
        table, **columns, roles=roles, definition=definition, unit=unit, conf_level=conf_level
    )


@pytest.mark.parametrize("form", FORMS)
def test_shrout_and_fleiss(shrout_fleiss, form):
    assert_allclose(of(shrout_fleiss, *form).estimate, FORMS[form], atol=5e-5)


def test_intervals_of_shrout_and_fleiss(shrout_fleiss):
    absolute = of(shrout_fleiss)
    assert_allclose([absolute.conf_low, absolute.conf_high], [0.0188, 0.7611], atol=5e-5)
    consistency = of(shrout_fleiss, "fixed", "consistency")
    assert_allclose([consistency.conf_low, consistency.conf_high], [0.3425, 0.9459], atol=1e-4)


def test_anxiety_of_irr(real_data, long):
    table = pd.read_csv(real_data / "outcomes" / "irr_anxiety.csv")
    table = long(table.to_numpy().tolist())
    assert_allclose(of(table).estimate, 0.198, atol=5e-4)
    assert_allclose(of(table, "fixed", "consistency").estimate, 0.216, atol=5e-4)


def test_limits_with_the_mean(shrout_fleiss):
    row = loam(shrout_fleiss, "person", "rater", "score").tidy().iloc[0]
    assert_allclose(row["estimate"], 4.248, atol=5e-4)
    assert row["conf_low"] < row["estimate"] < row["conf_high"]


def test_missing_ratings_are_used(long):
    """REML on all ratings: a complete table is the limit of a nearly complete one."""
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(300, 1)) + 0.5 * rng.normal(size=3) + rng.normal(size=(300, 3))
    whole = of(long(scores), "fixed", "consistency")
    holes = [[None if (p + 7 * j) % 10 == 0 else x for j, x in enumerate(row)]
             for p, row in enumerate(scores)]  # fmt: skip
    some = of(long(holes), "fixed", "consistency")
    assert_allclose(some.estimate, whole.estimate, atol=0.05)
    assert some.conf_low < whole.estimate < some.conf_high
    assert "270" not in str(some.n)
    assert [note.key for note in some.notes] == ["triads.incomplete"]
    one = [list(map(float, row)) for row in scores[:40]]
    one[0][0] = None
    assert_allclose(of(long(one)).estimate, of(long(scores[:40].tolist())).estimate, atol=0.03)


def test_order_labels_and_units_change_nothing(shrout_fleiss):
    other = shrout_fleiss.sample(frac=1, random_state=2)
    other = other.assign(rater="r" + other["rater"], score=1e6 - 3 * other["score"])
    for form in FORMS:
        assert_allclose(of(other, *form).estimate, of(shrout_fleiss, *form).estimate, rtol=1e-8)


def test_shifting_a_rater_changes_absolute_agreement_only(shrout_fleiss):
    shifted = shrout_fleiss.assign(
        score=shrout_fleiss["score"] + 10 * (shrout_fleiss["rater"] == "1")
    )
    first, second = (of(t, "fixed", "consistency").estimate for t in (shrout_fleiss, shifted))
    assert_allclose(first, second)
    assert abs(of(shrout_fleiss).estimate - of(shifted).estimate) > 0.1


@pytest.mark.proof
@pytest.mark.parametrize("hole", [0, 10])
def test_coverage(long, hole):
    rng, hits = np.random.default_rng(5), np.zeros(2)
    for _ in range(400):
        bias = rng.normal(size=6) * 0.5**0.5
        scores = rng.normal(size=(30, 1)) + bias + rng.normal(size=(30, 6))
        if hole:
            scores = [[None if rng.random() < 0.15 else x for x in row] for row in scores]
        for at, (form, truth) in enumerate([("absolute", 0.4), ("consistency", 0.5)]):
            found = of(long(scores), "random", form)
            hits[at] += found.conf_low <= truth <= found.conf_high
    assert ((hits / 400 > 0.92) & (hits / 400 < 0.98)).all()


def test_bland_altman_of_the_fireworks_study(fireworks):
    found = bland_altman(
        fireworks, ("parent", "child"), "id", "perspective", "ptsd", wave="wave"
    ).tidy()
    at = found.pivot(index="wave", columns="term", values="estimate")
    # computed
    assert_allclose(at["mean difference"], [4.65, 4.83, 5.78], atol=5e-3)
    assert_allclose(at["SD of differences"], [13.83, 10.11, 11.05], atol=5e-3)
    assert_allclose(at["lower limit"], [-22.5, -15.0, -15.9], atol=0.05)
    assert_allclose(at["upper limit"], [31.8, 24.7, 27.4], atol=0.06)
    assert found.drop_duplicates("wave")["n_people"].tolist() == [31, 30, 27]
    assert found["estimate"].between(found["conf_low"], found["conf_high"]).all()


def test_icc_of_the_fireworks_study(fireworks):
    computed = {"T1": 0.215, "T2": 0.507, "T3": 0.521}
    pairs = fireworks.groupby(["id", "wave"])["perspective"].transform("size") == 2
    for wave, value in computed.items():
        table = fireworks[pairs & (fireworks["wave"] == wave)]
        found = of(table, target="id", rater="perspective", value="ptsd")
        assert_allclose(found.estimate, value, atol=5e-4)


def test_the_picture(shrout_fleiss):
    found = bland_altman(shrout_fleiss, ("0", "1"), "person", "rater", "score")
    assert "0" in found.plot("nl").story.title
    assert found.plot().story.alt
    with pytest.raises(DesignError, match="one pair at one wave"):
        loam(shrout_fleiss, "person", "rater", "score").plot()


def test_bad_input(shrout_fleiss):
    def says(text, error=DesignError, table=shrout_fleiss, **more):
        with pytest.raises(error, match=text):
            of(table, **more)

    says("roles is 'mixed'; allowed are fixed, random", roles="mixed")
    says("interchangeable raters have no level", roles="interchangeable", definition="consistency")
    says("holds one perspective only", table=shrout_fleiss[shrout_fleiss["rater"] == "0"])
    alone = shrout_fleiss.drop_duplicates("person").assign(rater=list("010101"))
    says("nobody in 'person' has a second informant", table=alone)
    says("all values of 'score' are the same", table=shrout_fleiss.assign(score=2.0))
    says("hold the same", DataError, pd.concat([shrout_fleiss, shrout_fleiss[:1]]))
    says("differ from another only in case", DataError,
         shrout_fleiss.assign(person=["a", "A", "b", "c"] * 6))  # fmt: skip
    says("one person only was rated", table=shrout_fleiss[shrout_fleiss["person"] == 0])
    says("conf_level is 95", conf_level=95)
    flat = shrout_fleiss.assign(score=shrout_fleiss["rater"].astype(float))
    says("all people got the same ratings in 'score'", table=flat)

    def pair(text, error=DesignError, pair=("0", "1"), table=shrout_fleiss, **more):
        with pytest.raises(error, match=text):
            bland_altman(table, pair, "person", "rater", "score", **more)

    pair("a pair is two different", pair=("0", "0"))
    pair("has no perspective 'naaste'", DataError, pair=("0", "naaste"))
    pair("three or more are needed", table=shrout_fleiss[shrout_fleiss["person"] < 2])
    pair("no column 'wave'", wave="wave")


def test_perfect_agreement(long):
    same = long([[x] * 3 for x in (1, 4, 2, 5)])
    for form in FORMS:
        found = of(same, *form)
        assert found.estimate == 1
        assert np.isnan(found.conf_low)
        assert found.notes[0].key == "triads.perfect"
    row = loam(same, "person", "rater", "score").tidy().iloc[0]
    assert_allclose(row["estimate"], 0, atol=1e-12)
    shifted = same.assign(score=same["score"] + same["rater"].astype(float))
    assert of(shifted, "fixed", "consistency").estimate == 1
    assert 0 < of(shifted).conf_low < of(shifted).estimate < 1
