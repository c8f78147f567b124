"""Generalizability: Brennan's published studies, the fireworks study, properties and meaning."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError, DesignError, FitError
from expertise.triads import squares
from expertise.triads.components import estimate
from expertise.triads.facets import lay_out
from expertise.triads.generalizability import dependability
from expertise.triads.redraws import redraw_roles, resample_persons
from expertise.triads.squares import analogous_anova

# Brennan (2001), Generalizability Theory, synthetic data sets 1, 3 and 4 (unbalanced), and
# the p × i example with missing data; printed components and coefficients.
ONE = [
    "101000000000", "111001000000", "111110000000", "110110010000", "111110100000",
    "111011100000", "111111100000", "111101111100", "111111111110", "111111111111",
]  # fmt: skip
THREE = [
    [2, 6, 7, 5, 2, 5, 5, 5], [4, 5, 6, 7, 6, 7, 5, 7], [5, 5, 4, 6, 5, 4, 5, 5],
    [5, 9, 8, 6, 5, 7, 7, 6], [4, 3, 5, 6, 4, 5, 6, 4], [4, 4, 4, 7, 6, 4, 7, 8],
    [2, 6, 6, 5, 2, 7, 7, 5], [3, 4, 4, 5, 6, 6, 6, 4], [0, 5, 4, 5, 5, 5, 5, 3],
    [6, 8, 7, 6, 6, 8, 8, 6],
]  # fmt: skip
FOUR = [
    [4, 5, 3, 3, 5, 4, 5, 7], [2, 1, 2, 3, 1, 4, 4, 6], [2, 4, 4, 7, 6, 5, 8, 7],
    [1, 3, 5, 4, 5, 5, 4, 5], [3, 3, 6, 7, 5, 7, 8, 9], [1, 2, 5, 6, 4, 4, 5, 6],
    [3, 5, 6, 8, 6, 7, 7, 8], [0, 1, 1, 2, 0, 4, 7, 8],
]  # fmt: skip
MISSING = ["111101", "101111", "-11100", "0--101", "1-010-", "111101", "0-1-00", "0-1111",
           "1101-0", "-000-0", "111111", "-0-001"]  # fmt: skip


def digits(lines):
    return [[None if x == "-" else int(x) for x in line] for line in lines]


@pytest.fixture
def three(long):
    table = long(THREE)
    at = table["rater"].astype(int)
    return table.assign(occasion=(at // 4).astype(str), item=(at % 4).astype(str))


def found(result, component, group="exchangeable"):
    table = result.tidy()
    rows = table[table["component"] == component]
    return rows[rows["group"] == ("" if component == "variance" else group)]["estimate"].to_numpy()


def quick(table, person, facets, value="score", **more):
    return dependability(table, person, facets, value, replicates=20, **more)


def test_synthetic_one_with_its_d_study(long):
    result = quick(long(digits(ONE)), "person", ["rater"])
    assert_allclose(found(result, "variance"), [0.0574, 0.0754, 0.1269], atol=5e-5)
    assert_allclose(found(result, "relative"), 0.844, atol=5e-4)
    assert_allclose(found(result, "absolute"), 0.773, atol=5e-4)
    plan = quick(long(digits(ONE)), "person", ["rater"], levels={"rater": [5, 10, 15, 20]})
    # The printed D-study starts from rounded components: .002.
    assert_allclose(found(plan, "relative"), [0.693, 0.819, 0.871, 0.901], atol=2e-3)
    assert_allclose(found(plan, "absolute"), [0.586, 0.740, 0.810, 0.850], atol=2e-3)


def test_synthetic_two_items_nested_in_persons(long):
    result = quick(long(THREE), "person", ["rater:person"])
    assert_allclose(found(result, "variance"), [0.6108, 2.0250], atol=5e-5)
    assert_allclose(found(result, "relative"), 0.707, atol=5e-4)
    assert_allclose(found(result, "absolute"), 0.707, atol=5e-4)


def test_synthetic_three_random_and_with_items_fixed(three):
    result = quick(three, "person", ["item", "occasion"], fixed=["item"])
    printed = [0.5528, 0.4417, 0.0074, 0.5750, 0.1009, 0.1565, 0.9352]
    assert_allclose(found(result, "variance"), printed, atol=5e-5)
    assert_allclose(found(result, "relative"), 0.6399, atol=5e-5)
    assert_allclose(found(result, "absolute"), 0.5541, atol=5e-5)
    assert_allclose(found(result, "relative", "fixed"), 0.8063, atol=5e-5)
    assert_allclose(found(result, "absolute", "fixed"), 0.7851, atol=5e-5)
    assert "triads.exchangeable" in {note.key for note in result.notes}


def test_synthetic_four_unbalanced(long):
    table = long(FOUR)
    table["section"] = table["rater"].map(dict(zip("01234567", "aabbbbcc", strict=True)))
    result = quick(table, "person", ["section", "rater:section"], method="anova")
    # Printed person × section is .9913; the printed T terms give .99143.
    printed = [1.2014, 2.9161, 0.9914, 0.2946, 0.8429]
    assert_allclose(found(result, "variance"), printed, atol=5e-5)
    assert_allclose(found(result, "relative"), 0.716, atol=5e-4)
    assert_allclose(found(result, "absolute"), 0.4277, atol=5e-5)


def test_persons_by_items_with_missing_answers(long):
    result = quick(long(digits(MISSING)), "person", ["rater"], method="anova")
    assert_allclose(found(result, "variance"), [0.0473, 0.0117, 0.1840], atol=5e-5)
    # Printed .5507 and .5354 start from the rounded components.
    assert_allclose(found(result, "relative"), 0.5507, atol=3e-4)
    assert_allclose(found(result, "absolute"), 0.5354, atol=3e-4)
    assert "triads.unbalanced" in {note.key for note in result.notes}


def test_shrout_and_fleiss_as_a_g_study(shrout_fleiss):
    result = quick(shrout_fleiss, "person", ["rater"], levels={"rater": [1, 2, 3, 4]})
    assert_allclose(found(result, "variance"), [2.5556, 5.2444, 1.0194], atol=5e-5)
    # computed by plain ANOVA
    assert_allclose(found(result, "relative"), [0.7149, 0.8337, 0.8826, 0.9093], atol=1e-4)
    assert_allclose(found(result, "absolute"), [0.2898, 0.4493, 0.5504, 0.6201], atol=1e-4)


def test_the_fireworks_study(fireworks):
    plan = {"perspective": [1, 2, 3], "wave": [1, 3]}
    result = quick(
        fireworks, "id", ["perspective", "wave"], "ptsd", fixed=["perspective"], levels=plan
    )
    variance = result.tidy().set_index("term")["estimate"]
    # lme4 REML, informant and wave fixed
    assert_allclose(variance["id"], 21.36, atol=5e-3)
    assert_allclose(variance["id × perspective"], 38.96, atol=5e-3)
    assert_allclose(variance["id × wave"], 30.00, atol=5e-3)
    assert_allclose(variance["id × perspective × wave"], 29.39, atol=5e-3)
    table = result.tidy().query("component == 'relative' and group == 'exchangeable'")
    computed = [0.178, 0.267, 0.250, 0.383, 0.288, 0.449]
    assert_allclose(table["estimate"], computed, atol=5e-4)
    # Computed from components rounded to two decimals.
    assert_allclose(found(result, "relative", "fixed"), [0.4775, 0.7327], atol=1e-4)
    assert "triads.few_levels" in {note.key for note in result.notes}


def test_newton_steps_agree_with_full_refits(fireworks):
    study = lay_out(fireworks, "id", ["perspective", "wave"], "ptsd", None)
    fit = estimate(study, "reml")[1]
    stepped = resample_persons(study, "reml", fit, 50, 3, False)
    refitted = resample_persons(study, "reml", None, 50, 3, False)
    spread = refitted.std(axis=0)
    assert (np.sqrt(((stepped - refitted) ** 2).mean(axis=0)) < 0.03 * spread).all()


def test_closed_form_draws_agree_with_refits(three):
    study = lay_out(three, "person", ["item", "occasion"], "score", 2)
    closed = resample_persons(study, "reml", None, 20, 3, False)
    again = [estimate(study.drawn(np.sort(np.random.default_rng(one).integers(10, size=10))),
                      "reml")[0] for one in np.random.SeedSequence(3).spawn(20)]  # fmt: skip
    people = [0 in term for term in study.terms]
    assert_allclose(closed[:, people], np.array(again)[:, people] * 10 / 9, rtol=1e-6, atol=1e-6)


def test_balanced_and_mixed_model_estimates_agree(long):
    """REML from mean squares is REML: the engine on all rows but one is hardly elsewhere."""
    rng = np.random.default_rng(8)
    scores = rng.normal(size=(40, 1)) + rng.normal(size=(40, 8))
    whole = estimate(lay_out(long(scores), "person", ["rater"], "score", None), "reml")[0]
    less = estimate(lay_out(long(scores)[1:], "person", ["rater"], "score", None), "reml")[0]
    assert_allclose(whole, less, atol=0.05)


def test_order_labels_units_and_a_constant_change_nothing(three):
    first = quick(three, "person", ["item", "occasion"])
    other = three.sample(frac=1, random_state=1).assign(
        item=lambda t: "x" + t["item"], score=lambda t: 1e6 + 10 * t["score"]
    )
    second = quick(other, "person", ["item", "occasion"])
    assert_allclose(found(second, "variance"), 100 * found(first, "variance"), rtol=1e-5)
    assert_allclose(found(second, "absolute"), found(first, "absolute"), rtol=1e-5)


def test_shifting_one_informant_changes_absolute_not_relative(shrout_fleiss):
    shifted = shrout_fleiss.assign(
        score=shrout_fleiss["score"] + 5 * (shrout_fleiss["rater"] == "0")
    )
    before, after = (quick(table, "person", ["rater"]) for table in (shrout_fleiss, shifted))
    assert_allclose(found(after, "relative"), found(before, "relative"))
    assert found(after, "absolute")[0] < found(before, "absolute")[0] - 0.05


def test_resampled_components_are_unbiased(long):
    """Relabelled persons and n/(n − 1): the mean of the draws is the estimate."""
    rng = np.random.default_rng(4)
    scores = rng.normal(size=(12, 1)) + rng.normal(size=(12, 6)) + rng.normal(size=6)
    study = lay_out(long(scores), "person", ["rater"], "score", None)
    squares = estimate(study, "anova")[0]
    draws = resample_persons(study, "anova", None, 600, 1, False)
    assert_allclose(draws.mean(axis=0), squares, atol=4 * (draws.std(axis=0) / 600**0.5).max())


@pytest.mark.proof
@pytest.mark.parametrize("holes", [0.0, 0.15])
def test_coverage_of_phi_with_three_random_roles(long, holes):
    """Persons alone cover .825 at 60 persons; with the roles redrawn it is what it says."""
    rng, hits, truth = np.random.default_rng(1), 0, 1 / (1 + (0.3 + 1) / 3)
    for _ in range(300):
        scores = rng.normal(size=(60, 1)) + rng.normal(size=3) * 0.3**0.5 + rng.normal(size=(60, 3))
        rows = long(scores)
        rows = rows[rng.random(len(rows)) >= holes]
        table = dependability(
            rows, "person", ["rater"], "score", levels={"rater": [3]}, replicates=400
        ).tidy()
        row = table[table["component"] == "absolute"].iloc[0]
        hits += row["conf_low"] <= truth <= row["conf_high"]
    assert 0.92 <= hits / 300 <= 0.985


def test_disconnected_data_are_refused(long):
    table = long([[1, 2, None, None], [2, 4, None, None], [None, None, 1, 3], [None, None, 5, 2]])
    apart = table.assign(site=[0, 0, 0, 0, 1, 1, 1, 1], person=table["person"] % 2)
    with pytest.raises(DesignError, match="cannot tell the variance terms apart"):
        quick(apart[["person", "rater", "site", "score"]], "person", ["site", "rater"],
              method="anova")  # fmt: skip


def test_scoring_that_ends_too_soon_is_no_result(monkeypatch, three):
    """An ANOVA component below zero sends the balanced case to scoring."""
    rng = np.random.default_rng(2)
    flat = three.assign(score=rng.normal(size=len(three)))
    study = lay_out(flat, "person", ["item", "occasion"], "score", None)
    assert (analogous_anova(study) < 0).any()
    assert (estimate(study, "reml")[0][[0, 3, 4, 5, 6]] >= 0).all()
    monkeypatch.setattr(squares, "_MOST", 1)
    with pytest.raises(FitError, match="no optimum found in 1 steps; leave out a variance term"):
        estimate(study, "reml")


def test_bad_input(three):
    def says(text, error=DesignError, table=three, facets=("item", "occasion"), **more):
        with pytest.raises(error, match=text):
            quick(table, "person", facets, **more)

    says("facets is a list of columns", facets="item")
    says("each factor is named once", facets=["item", "item"])
    says("nested in 'section'", facets=["item:section"])
    says("all facets are fixed", fixed=["item", "occasion"])
    says("fixed is a list", fixed="item")
    says("fixed names 'wave'", fixed=["wave"])
    says("levels names 'wave'", levels={"wave": [2]})
    says("each is 1 or more", levels={"item": [0]})
    says("order is 0", order=0)
    says("unknown method 'ml'", method="ml")
    says("conf_level is 95", conf_level=95)
    says("'item' has one level only", table=three[three["item"] == "0"])
    says("one level in each", facets=["rater:item", "rater2:item"][:1] + ["item"],
         table=three.drop_duplicates(["person", "item"]))  # fmt: skip
    says("all values of 'score' are the same", table=three.assign(score=1.0))
    says("hold the same 'person'", DataError, pd.concat([three, three.iloc[:1]]))
    says("has no column 'itm'", DataError, facets=["itm"])
    says("differ from another only in case", DataError,
         three.assign(person=["P1", "p1"] * 40))  # fmt: skip
    says("values must be numbers", DataError, three.assign(score="x"))
    says("values must be finite", DataError, three.assign(score=[np.inf] + [1.0] * 79))
    says("is missing in row 0", DataError, three.assign(item=[None, *three["item"][1:]]))
    says("holds no values", table=three.assign(score=np.nan))
    sparse = three.drop_duplicates(["person", "item"])
    sparse = sparse.assign(occasion=np.resize(["a", "b"], len(sparse)))
    study = lay_out(sparse[:12], "person", ["item", "occasion"], "score", None)
    with pytest.raises(DesignError, match="too few rows per combination"):
        redraw_roles(study, np.ones(len(study.terms)), 5, 0)
    with pytest.raises(DesignError, match="replicates is 1"):
        dependability(three, "person", ["item"], "score", replicates=1)


def test_the_picture(three):
    result = quick(three, "person", ["item", "occasion"], levels={"item": [2, 4, 8]})
    for lang in ("en", "nl"):
        assert "8 item × 2 occasion" in result.plot(lang).story.title
    assert "Dependability" in repr(result)
