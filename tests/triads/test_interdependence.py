"""Actor–partner, truth and bias, response surface, incremental validity: published and meant."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError, DesignError
from expertise.triads.accuracy import truth_and_bias
from expertise.triads.actors import actor_partner
from expertise.triads.surface import response_surface
from expertise.triads.validity import incremental_validity


@pytest.fixture(scope="module")
def couples(real_data):
    """Acitelli couples (Kenny's dyadr, CC0): 148 couples."""
    return pd.read_csv(real_data / "outcomes" / "dyadr_acipair.csv")


def paths(table, distinguishable=False, **more):
    names = {"group": "CoupleID", "role": "Gender_A", "outcome": "Satisfaction_A"}
    return actor_partner(
        table, **(names | {"predictor": "OtherPos_A"} | more), distinguishable=distinguishable
    )


def estimates(result):
    return result.table.set_index("term")


def test_couples_alike(couples):
    found = estimates(paths(couples))
    # gls with compound symmetry, REML; slides of Kenny (2013): sum .344, difference .056
    assert_allclose(found.loc["intercept", "estimate"], 0.66975, atol=5e-6)
    assert_allclose(found.loc["actor", "estimate"], 0.40042, atol=5e-6)
    assert_allclose(found.loc["partner", "estimate"], 0.28797, atol=5e-6)
    assert_allclose(found.loc[["actor", "partner"], "std_error"], 0.04731, atol=5e-6)
    assert_allclose(found.loc["residual correlation", "estimate"], 0.4693, atol=5e-5)
    assert_allclose(found.loc["residual SD", "estimate"], 0.41737, atol=5e-6)
    assert_allclose(found.loc["k", "estimate"], 0.719, atol=5e-4)
    # Kenny's interval for k, .484 to 1.027, is another method's
    assert_allclose(found.loc["k", ["conf_low", "conf_high"]].tolist(), [0.484, 1.027], atol=0.03)


def test_couples_apart(couples):
    result = paths(couples, distinguishable=True)
    found = result.table[result.table["component"] == "fixed"]["estimate"]
    # ordinary least squares per role
    assert_allclose(found, [0.6905, 0.4244, 0.2616, 0.6112, 0.3777, 0.3215], atol=6e-5)
    errors = result.table[result.table["component"] == "fixed"]["std_error"].iloc[[1, 2, 4, 5]]
    assert_allclose(errors, [0.0677, 0.0614, 0.0739, 0.0815], atol=5e-5)
    assert result.tests["p_value"].between(0.2, 1).all()


def invented(seed, n=400, k=3, actor=0.5, partner=0.2, rho=0.3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, k))
    E = rng.multivariate_normal(np.zeros(k), (1 - rho) * np.eye(k) + rho, size=n)
    Y = actor * X + partner * (X.sum(axis=1, keepdims=True) - X) + E
    rows = [(g, r, X[g, at], Y[g, at]) for g in range(n) for at, r in enumerate("abc"[:k])]
    return pd.DataFrame(rows, columns=["CoupleID", "Gender_A", "OtherPos_A", "Satisfaction_A"])


@pytest.mark.parametrize("rho", [0.3, -0.3])
def test_triads_recover_known_paths(rho):
    table = invented(1, rho=rho)
    alike = estimates(paths(table))["estimate"]
    assert_allclose(alike[["actor", "partner", "k"]], [0.5, 0.2, 0.4], atol=0.08)
    assert_allclose(alike[["residual SD", "residual correlation"]], [1, rho], atol=0.08)
    apart = paths(table, distinguishable=True)
    fixed = apart.table[apart.table["component"] == "fixed"]
    assert (fixed["term"] == "actor").sum() == 3
    assert fixed["term"].str.startswith("partner").sum() == 6
    assert_allclose(fixed[fixed["term"] == "actor"]["estimate"], 0.5, atol=0.2)
    assert apart.tests["df_num"].tolist() == [2, 5, 7]


def test_equal_paths_hold_their_level():
    p = np.array([paths(invented(seed, n=60), True).tests["p_value"] for seed in range(60)])
    assert ((p < 0.05).mean(axis=0) < 0.13).all()
    other = invented(1)
    other.loc[other["Gender_A"] == "a", "Satisfaction_A"] *= 3
    assert paths(other, True).tests["p_value"].iloc[0] < 0.001


def test_order_and_incomplete_groups(couples):
    whole = estimates(paths(couples))["estimate"]
    mixed = couples.sample(frac=1, random_state=1)
    assert_allclose(estimates(paths(mixed))["estimate"], whole)
    less = paths(couples.iloc[1:])
    assert less.n_people == 147
    assert less.notes[0].values == {"n": 1}


def test_accuracy_of_couples(couples):
    result = truth_and_bias(
        couples, judgement="OtherPos_A", reference="SelfPos_P", own="SelfPos_A", group="CoupleID"
    )
    found = result.table.set_index("term")
    # gls with compound symmetry, REML
    names = ["level difference", "accuracy", "assumed similarity"]
    assert_allclose(found.loc[names, "estimate"], [0.0770, 0.2692, 0.2735], atol=5e-5)
    assert_allclose(found.loc[names, "std_error"], [0.0293, 0.0665, 0.0665], atol=5e-5)
    assert_allclose(found.loc["residual correlation", "estimate"], 0.1406, atol=5e-5)
    assert_allclose(found.loc["residual SD", "estimate"], 0.4721, atol=5e-5)
    assert_allclose(result.centre, 4.1865, atol=5e-5)


def test_nobody_is_called_truth_or_bias(couples):
    result = truth_and_bias(
        couples, judgement="OtherPos_A", reference="SelfPos_P", own="SelfPos_A", group="CoupleID"
    )
    shown = repr(result) + " ".join(note.text("nl") for note in result.notes)
    assert not any(word in shown.lower() for word in ("truth", "bias", "waarheid"))
    once = truth_and_bias(
        couples.drop_duplicates("CoupleID"), judgement="OtherPos_A", reference="SelfPos_P",
        own="SelfPos_A", group="CoupleID",
    )  # fmt: skip
    assert once.notes[0].key == "triads.one_a_group"


def test_response_surface_of_motives(real_data):
    table = pd.read_csv(real_data / "outcomes" / "RSA_motcon.tab", sep=r"\s+")
    result = response_surface(table, first="ePow", second="iPow", outcome="postVA")
    found = result.table.set_index("term")["estimate"]
    # least squares
    computed = [0.4204, 0.2975, 0.2579, -0.0058, 0.1229, -0.1649]
    assert_allclose(found.iloc[:6], computed, atol=5e-5)
    lines = found[["a1", "a2", "a3", "a4", "a5"]]
    assert_allclose(lines, [0.5553, -0.0478, 0.0396, -0.2936, 0.1591], atol=5e-5)
    assert_allclose(result.r_squared, 0.150, atol=5e-4)
    assert "postVA" in result.plot("nl").story.title


def test_equivalence_is_not_absence_of_evidence():
    rng = np.random.default_rng(1)
    for n, verdict in ((40, "open"), (20_000, "equivalent")):
        x, y = rng.normal(size=(2, n))
        z = -((x - y) ** 2) + 2 * rng.normal(size=n)
        table = pd.DataFrame({"x": x, "y": y, "z": z})
        found = response_surface(table, first="x", second="y", outcome="z", bounds=0.2)
        assert found.table.set_index("term").loc["a3", "group"] == verdict
    axis = found.table.set_index("term")["estimate"]
    assert_allclose(axis[["a4", "p10", "p11"]], [-4, 0, 1], atol=0.1)


def test_incremental_validity_of_the_fireworks_study(real_data):
    wide = pd.read_csv(real_data / "outcomes" / "mice_fdd.csv")
    informants = {"yp1": "parent", "yc1": "child", "yc3": "child", "yp3": "parent"}
    # computed by least squares
    for outcome, n, expected, F in (
        ("yc3", 25, [0.2758, 0.1315, 0.2277], [1.460, 4.383]),
        ("yp3", 26, [0.4321, 0.4046, 0.0018], [17.426, 1.114]),
    ):
        found = incremental_validity(
            wide, outcome=outcome, predictors=["yp1", "yc1"], informants=informants
        )
        assert found.n == n
        table = found.table
        alone = table[table["component"].isin(["all", "alone"])]
        assert_allclose(alone["estimate"], expected, atol=6e-5)
        last = table[table["component"] == "partial"]
        assert_allclose(last["statistic"], F, atol=1e-3)
        assert last["estimate"].between(last["conf_low"], last["conf_high"]).all()
        assert found.notes[0].key == "triads.same_informant"


def test_interval_of_partial_r2_covers():
    rng, hits = np.random.default_rng(2), 0
    X = rng.normal(size=(40, 2))
    rest = X[:, 1] - np.polyval(np.polyfit(X[:, 0], X[:, 1], 1), X[:, 0])
    signal = 0.36 * rest @ rest
    truth = signal / (signal + 40 - 1)
    for _ in range(120):
        table = pd.DataFrame({"a": X[:, 0], "b": X[:, 1]})
        table["y"] = X[:, 0] + 0.6 * X[:, 1] + rng.normal(size=40)
        found = incremental_validity(
            table, outcome="y", predictors=["a", "b"], informants={"a": "A", "b": "B", "y": "C"}
        ).table
        row = found[(found["component"] == "partial") & (found["term"] == "b")].iloc[0]
        hits += row["conf_low"] <= truth <= row["conf_high"]
    assert 0.89 <= hits / 120 <= 0.99


def test_bad_input(couples):
    def says(text, error, call, *rest, **more):
        with pytest.raises(error, match=text):
            call(*rest, **more)

    says("one perspective only", DesignError, paths, couples[couples["Gender_A"] == "Wife"])
    says("depend on each other", DesignError, paths,
         couples.assign(OtherPos_A=couples["CoupleID"] % 3), True)  # fmt: skip
    says("are too few", DesignError, paths, couples[:4], True)
    says("hold the same", DataError, paths, pd.concat([couples, couples[:1]]))
    hidden = couples.assign(OtherPos_A=couples["OtherPos_A"].where(couples["Gender_A"] == "Wife"))
    says("has no complete answers of Husband", DataError, paths, hidden)
    says("conf_level is 2", DesignError, paths, couples, conf_level=2)
    judged = {"judgement": "OtherPos_A", "reference": "SelfPos_P", "own": "SelfPos_A"}
    says("has no column 'pair'", DataError, truth_and_bias, couples, **judged, group="pair")
    says("answers must be numbers", DataError, truth_and_bias, couples,
         **(judged | {"own": "Gender_A"}), group="CoupleID")  # fmt: skip
    says("must vary", DesignError, truth_and_bias, couples[:2], **judged, group="CoupleID")
    table = pd.DataFrame({"x": [1.0, 2, 3], "y": [2.0, 1, 3], "z": [1.0, 2, 2], "t": list("abc")})
    surface = {"first": "x", "second": "y", "outcome": "z"}
    says("are too few", DesignError, response_surface, table, **surface)
    says("bounds is 0", DesignError, response_surface, table, **surface, bounds=0)
    says("has no column 'q'", DataError, response_surface, table, **(surface | {"first": "q"}))
    says("must be numbers", DataError, response_surface, table, **(surface | {"first": "t"}))

    def add(text, error=DesignError, predictors=("x", "y"), outcome="z", **more):
        who = {"informants": {"x": "A", "y": "B", "z": "C", "t": "C", "q": "D"}}
        says(text, error, incremental_validity, table, outcome=outcome, predictors=predictors,
             **(who | more))  # fmt: skip

    add("two or more different columns", predictors=["x"])
    add("does not say who answered 'z'", informants={"x": "A", "y": "B"})
    add("has no column 'q'", DataError, predictors=["x", "q"])
    add("must be numbers", DataError, predictors=["x", "t"])
    add("are too few")
    flat = pd.DataFrame({"x": [1.0, 2, 3, 5], "y": [2.0, 1, 3, 3], "z": 1.0})
    says("the outcome does not vary", DesignError, incremental_validity, flat, outcome="z",
         predictors=["x", "y"], informants={"x": "A", "y": "B", "z": "C"})  # fmt: skip
