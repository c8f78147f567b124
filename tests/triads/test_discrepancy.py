"""Discrepancy over time: the fireworks study, words that follow intervals, meaning."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError, DesignError
from expertise.triads.differences import discrepancy

COLUMNS = {"person": "id", "perspective": "perspective", "wave": "wave", "value": "ptsd"}


def closer(seed, n=150, gap=(4.0, 0.0), sd=(6.0, 2.0), shared=8.0):
    """Invented pairs at two waves with a known gap and spread."""
    rng = np.random.default_rng(seed)
    person = rng.normal(size=n) * shared
    rows = []
    for at, wave in enumerate(("T1", "T2")):
        first = person + gap[at] / 2 + rng.normal(size=n) * sd[at] / 2**0.5
        second = person - gap[at] / 2 + rng.normal(size=n) * sd[at] / 2**0.5
        for role, scores in (("patient", first), ("naaste", second)):
            rows += [(f"p{i}", role, wave, x) for i, x in enumerate(scores)]
    return pd.DataFrame(rows, columns=list(COLUMNS.values()))


def of(table, pair=("patient", "naaste"), **more):
    return discrepancy(table, pair=pair, **COLUMNS, **({"replicates": 200} | more))


def test_the_fireworks_study_settles_nothing(fireworks):
    found = of(fireworks, ("parent", "child"), replicates=1500)
    rows = found.changes[found.changes["group"] == "all pairs"].set_index("term")
    # computed: change from T1 to T3 on all pairs, people resampled
    assert_allclose(rows.loc["agreement", "estimate"], 0.305, atol=2e-3)
    assert_allclose(rows.loc["spread", "estimate"], -0.23, atol=6e-3)
    assert_allclose(rows.loc["gap", "estimate"], 1.1, atol=0.05)
    bounds = rows[["conf_low", "conf_high"]]
    assert_allclose(bounds.loc["agreement"], [-0.03, 0.67], atol=0.03)
    assert_allclose(bounds.loc["spread"], [-0.60, 0.10], atol=0.04)
    assert_allclose(bounds.loc["gap"], [-3.5, 5.8], atol=0.4)
    for lang, word in (("en", "not settled"), ("nl", "niet uitgemaakt")):
        assert all(word in text for text in found.describe(lang).values())
    assert (found.changes["group"] == "same people").sum() == 3
    assert found.notes[0].values == {"n": 24, "people": 34}
    scale = rows.loc["scale"]
    # R, nlme 3.1-162: gls(d ~ wave, corAR1(~ wave | id), varIdent(~ 1 | wave)), log of varIdent
    assert_allclose(scale["estimate"], -0.26924, atol=5e-5)
    assert_allclose(
        scale[["conf_low", "conf_high"]].tolist(), np.log([0.54653, 1.06789]), atol=2e-3
    )


def test_known_changes_are_found():
    found = of(closer(1))
    rows = found.changes[found.changes["group"] == "all pairs"].set_index("term")
    assert_allclose(rows.loc["gap", "estimate"], -4, atol=1.5)
    assert_allclose(rows.loc["spread", "estimate"], np.log(2 / 6), atol=0.2)
    for lang, words in (
        ("en", ("smaller", "more", "smaller", "smaller")),
        ("nl", ("kleiner", "meer", "kleiner", "kleiner")),
    ):  # fmt: skip
        for text, word in zip(found.describe(lang).values(), words, strict=True):
            assert word in text
    back = of(closer(1), between=("T2", "T1"))
    assert_allclose(back.changes["estimate"], -found.changes["estimate"], rtol=1e-4)


def test_the_questions_are_separate():
    """A gap that closes while the spread stays: one settled, the others open."""
    found = of(closer(2, gap=(5.0, 0.0), sd=(4.0, 4.0)))
    rows = found.changes[found.changes["group"] == "all pairs"].set_index("term")
    assert rows.loc["gap", "conf_high"] < 0
    assert rows.loc["spread", "conf_low"] < 0 < rows.loc["spread", "conf_high"]
    assert "not settled" in found.describe()["spread"]


def test_scale_of_differences_that_are_alike_over_time():
    """The model's ratio of SDs is the real one; people at one wave only count too."""
    rng = np.random.default_rng(6)
    before = rng.normal(size=300)
    after = 0.7 * before + 0.51**0.5 * rng.normal(size=300)
    rows = [
        (f"p{i}", role, wave, sign * sd * x)
        for wave, sd, d in (("T1", 4.0, before), ("T2", 2.0, after))
        for role, sign in (("patient", 0.5), ("naaste", -0.5)) for i, x in enumerate(d)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(COLUMNS.values()))
    found = of(table).changes.query("group == 'all pairs'").set_index("term")
    scale = found.loc["scale"]
    assert scale["conf_low"] < np.log(2 / 4) < scale["conf_high"] < -0.4
    assert_allclose(scale["estimate"], found.loc["spread", "estimate"], atol=0.02)
    half = table["id"].str[1:].astype(int) % 2 == 0
    apart = of(table[half == (table["wave"] == "T1")]).changes.set_index("term")
    assert_allclose(apart.loc["scale", "estimate"], apart.loc["spread", "estimate"], atol=1e-4)


def test_shift_and_order():
    table = closer(3, n=40)
    other = table.sample(frac=1, random_state=1).assign(ptsd=lambda t: t["ptsd"] + 1000)
    assert_allclose(of(other).changes["estimate"], of(table).changes["estimate"], rtol=1e-4)


def test_the_picture(fireworks):
    found = of(fireworks, ("parent", "child"))
    axes = found.plot("nl", labels={"parent": "ouder", "child": "kind"})
    assert "ouder" in axes.story.title
    assert len(axes.figure.axes) == 3
    assert "patient" in of(closer(4)).plot().story.title


@pytest.mark.proof
def test_coverage():
    hits = np.zeros(3)
    truth = [0, 0, 0]
    for seed in range(200):
        rows = of(closer(seed, n=60, gap=(3, 3), sd=(4, 4)), replicates=300).changes[:3]
        hits += rows["conf_low"].le(truth).to_numpy() & rows["conf_high"].ge(truth).to_numpy()
    assert (hits / 200 > 0.89).all()


def test_bad_input():
    table = closer(5, n=20)

    def says(text, error=DesignError, table=table, **more):
        with pytest.raises(error, match=text):
            of(table, **more)

    says("between is two different waves", between=("T1", "T1"))
    says("has no wave 'T9'", DataError, between=("T1", "T9"))
    says("one wave only", table=table[table["wave"] == "T1"])
    says("has no perspective 'arts'", DataError, pair=("patient", "arts"))
    says("fewer than 5 people", table=table[table["id"].isin(["p1", "p2"])])
    says("replicates is 1", replicates=1)
    known = table["perspective"].map({"patient": 1.0, "naaste": 0.0})
    flat = table.assign(ptsd=np.where(table["wave"] == "T1", known, table["ptsd"]))
    says("at wave 'T1' are the same; their spread", table=flat)
    says("conf_level is 95", conf_level=95)
    says("hold the same", DataError, table=pd.concat([table, table[:1]]))
    says("one perspective only", table=table[table["perspective"] == "patient"])
