"""One, two, three perspectives: known truth, copies, missing roles, refusals."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError, DesignError
from expertise.triads.together import perspectives_gain, recovered, shapley
from expertise.triads.truescores import covariance_of, covariances

ROLES = ("patient", "naaste", "professional")
TRUE = np.array([[1.0, 0.5, 0.3], [0.5, 0.8, 0.4], [0.3, 0.4, 0.9]])
ERROR = np.diag([1.0, 1.5, 0.8])


def gain(table, roles=ROLES, item="item", **more):
    more = {"replicates": 20} | more
    return perspectives_gain(table, "person", "perspective", item, "score", roles=roles, **more)


def v(result):
    return result.sets.set_index("term")["estimate"]


def test_known_truth_is_recovered(triads):
    """v against the squared correlation of true targets with their best prediction."""
    found = v(gain(triads(1, n=4000, true=TRUE, error=ERROR)))
    truth = recovered(TRUE, ERROR / 5)
    assert_allclose(found, list(truth.values()), atol=0.03)
    rng = np.random.default_rng(2)
    T = rng.multivariate_normal(np.zeros(3), TRUE, size=200_000)
    X = T + rng.normal(size=T.shape) * np.sqrt(np.diag(ERROR) / 5)
    design = np.column_stack([np.ones(len(X)), X[:, :2]])
    target = T.mean(axis=1)
    fitted = design @ np.linalg.lstsq(design, target, rcond=None)[0]
    assert_allclose(truth[(0, 1)], np.corrcoef(fitted, target)[0, 1] ** 2, atol=0.01)


def test_by_hand_for_two_roles():
    """Equal variances 1, correlation 1/2, error 1: v = .75²/(.75·2) for one, 1.5/2.5 for two."""
    found = recovered(np.array([[1, 0.5], [0.5, 1]]), np.eye(2))
    assert_allclose(list(found.values()), [0.375, 0.375, 0.6])
    assert_allclose(shapley(found, 2), [0.3, 0.3])


def test_a_copy_adds_nothing(triads):
    table = triads(3, true=TRUE, error=ERROR)
    copy = table[table["perspective"] == "naaste"].assign(perspective="copy")
    found = gain(pd.concat([table, copy]), (*ROLES, "copy"))
    sets = v(found)
    everyone = "patient + naaste + professional"
    assert_allclose(sets[f"{everyone} + copy"], sets[everyone], atol=1e-10)
    assert_allclose(sets["naaste + copy"], sets["naaste"], atol=1e-10)
    last = found.shares[found.shares["component"] == "last"].set_index("term")["estimate"]
    assert_allclose(last[["naaste", "copy"]], 0, atol=1e-10)


def test_errors_in_common_are_no_knowledge(triads):
    """An informant whose errors follow another's adds less than one with errors of its own."""
    shared = ERROR.copy()
    shared[0, 1] = shared[1, 0] = 0.95 * np.sqrt(ERROR[0, 0] * ERROR[1, 1])
    one, other = (gain(triads(4, n=2000, true=np.ones((3, 3)), error=E)) for E in (ERROR, shared))
    assert v(other)["patient + naaste"] < v(one)["patient + naaste"] - 0.02


def test_shares_add_up_and_more_never_knows_less(triads):
    found = gain(triads(5, true=TRUE, error=ERROR))
    sets, shares = v(found), found.shares[found.shares["component"] == "shapley"]
    assert_allclose(shares["estimate"].sum(), sets.iloc[-1])
    assert (sets.iloc[-1] >= sets - 1e-12).all()
    assert sets.between(0, 1).all()


def test_shift_unit_and_order_change_nothing(triads):
    table = triads(6, n=60, true=TRUE, error=ERROR)
    other = table.sample(frac=1, random_state=1)
    other = other.assign(score=1e5 + 4 * other["score"] + 9 * (other["perspective"] == "naaste"))
    assert_allclose(v(gain(other)), v(gain(table)), rtol=1e-6)


def test_complete_data_give_mean_products(triads):
    table = triads(7, n=50, true=TRUE, error=ERROR)
    X = table.pivot(index=["person", "item"], columns="perspective", values="score")[list(ROLES)]
    X = X.to_numpy().reshape(50, 5, 3)
    means = X.mean(axis=1)
    rest = X - means[:, None] - X.mean(axis=0) + X.mean(axis=(0, 1))
    within = np.einsum("pir,pis->rs", rest, rest) / (49 * 4)
    found = covariances(X.transpose(0, 2, 1), None)
    assert_allclose(found.error, within / 5)
    assert_allclose(found.true, np.cov(means.T) - within / 5, atol=1e-12)


def test_missing_roles_are_not_imputed_but_used(triads):
    table = triads(8, n=1500, true=TRUE, error=ERROR)
    absent = table["person"].isin(sorted(table["person"].unique())[:450])
    uneven = table[~(absent & (table["perspective"] == "naaste"))]
    found = gain(uneven, replicates=3)
    assert_allclose(v(found), list(recovered(TRUE, ERROR / 5).values()), atol=0.05)
    note = next(note for note in found.notes if note.key == "triads.uneven")
    assert note.values == {"n": 450, "people": 1500}


def test_em_matches_the_monotone_closed_form():
    """Anderson (1957): with y missing for some, regress y on x and carry it to all x."""
    rng = np.random.default_rng(9)
    x = rng.normal(size=80)
    y = 0.6 * x + rng.normal(size=80)
    rows = np.column_stack([x, np.where(np.arange(80) < 50, y, np.nan)])
    slope, _ = np.polyfit(x[:50], y[:50], 1)
    rest = np.var(y[:50]) - slope**2 * np.var(x[:50])
    expected = [[np.var(x), slope * np.var(x)], [slope * np.var(x), rest + slope**2 * np.var(x)]]
    assert_allclose(covariance_of(rows), expected, rtol=1e-5)


def test_stated_error_variance(triads):
    table = triads(10, n=3000, items=1, true=TRUE, error=ERROR)
    stated = dict(zip(ROLES, np.diag(ERROR), strict=True))
    found = gain(table, item=None, error_variance=stated, replicates=3)
    assert_allclose(v(found), list(recovered(TRUE, ERROR).values()), atol=0.05)


def test_the_picture(triads):
    found = gain(triads(11, true=TRUE, error=ERROR), replicates=200)
    axes = found.plot("nl")
    assert "perspectief" in axes.story.title
    assert len(axes.story.table) == 7
    assert "perspective" in found.plot("en", labels={"naaste": "family"}).story.alt
    assert found.glance()["all"][0] > found.glance()["best_single"][0]


@pytest.mark.proof
@pytest.mark.timeout(1800)
def test_coverage(triads):
    """1,000 studies of 100 persons; the first 200 alone vary more than most and cover .90 to .96."""
    truth = recovered(TRUE, ERROR / 5)
    everyone = truth[0, 1, 2]
    last = [everyone - truth[rest] for rest in ((1, 2), (0, 2), (0, 1))]
    real = np.array([*truth.values(), *shapley(truth, 3), *last])
    hits = np.zeros(len(real))
    for seed in range(1000):
        rows = gain(triads(seed, n=100, true=TRUE, error=ERROR), replicates=400).tidy()
        hits += ((rows["conf_low"] <= real) & (rows["conf_high"] >= real)).to_numpy()
    assert (abs(hits[:7] / 1000 - 0.95) < 0.02).all()
    assert (abs(hits[7:] / 1000 - 0.95) < 0.03).all()


def test_bad_input(triads):
    table = triads(12, n=20, true=TRUE, error=ERROR)

    def says(text, error=DesignError, table=table, **more):
        with pytest.raises(error, match=text):
            gain(table, **more)

    says("nothing tells error from perspective; give item=", item=None)
    says("not both", error_variance=dict.fromkeys(ROLES, 1.0))
    says("error_variance needs a number", item=None, error_variance={"patient": 1.0},
         table=table[table["item"] == "i0"])  # fmt: skip
    says("one perspective only", roles=["patient"])
    says("a role twice", roles=["patient", "patient"])
    says("no answers of buur", DataError, roles=["patient", "buur"])
    says("has one level only, so nothing", table=table[table["item"] == "i0"])
    alone = table[(table["perspective"] == "patient") == (table["person"] < "p010")]
    says("fewer than 3 people have answers of both 'patient' and 'naaste'", table=alone)
    says("replicates is 1", replicates=1)
    says("conf_level is 95", conf_level=95)
    assert list(recovered(np.zeros((2, 2)), np.eye(2)).values()) == [0, 0, 0]
    noise = table.assign(score=np.random.default_rng(1).normal(size=len(table)))
    own = noise.groupby(["person", "perspective"])["score"].transform("mean")
    says("share no true differences", table=noise.assign(score=noise["score"] - own))
