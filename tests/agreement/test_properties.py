"""What must not matter, does not; what cannot be computed says why."""

import krippendorff
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.agreement.alphas import alpha, weighted_alpha
from expertise.agreement.kappas import (
    ac1,
    ac2,
    brennan_prediger,
    fleiss_kappa,
    kappa,
    max_kappa,
    scott_pi,
)
from expertise.agreement.proportions import (
    negative_agreement,
    percent_agreement,
    positive_agreement,
)
from expertise.agreement.sets import set_alpha
from expertise.errors import DataError, ExpertiseError

NOMINAL = [alpha, weighted_alpha, kappa, fleiss_kappa, ac1, brennan_prediger, percent_agreement]
SCALES = ["nominal", "ordinal", "interval", "ratio"]


def judged(seed=0, n=80, m=3, q=4, missing=0.2):
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, q + 1, n)[:, None]
    values = np.where(rng.random((n, m)) < 0.4, rng.integers(1, q + 1, (n, m)), truth).astype(float)
    values[rng.random((n, m)) < missing] = np.nan
    return pd.DataFrame(values, columns=list("ABCDE")[:m])


def keys(result):
    return {note.key.removeprefix("agreement.") for note in result.notes}


@pytest.mark.parametrize("coefficient", NOMINAL)
def test_order_of_coders_and_units_is_nothing(coefficient):
    table = judged()
    found = coefficient(table, cluster=np.arange(80) // 4)
    other = coefficient(table[["C", "A", "B"]].iloc[::-1], cluster=np.arange(80)[::-1] // 4)
    assert_allclose(other.estimate, found.estimate, rtol=1e-13)
    assert_allclose(other.std_error, found.std_error, rtol=1e-9)
    assert_allclose([other.conf_low, other.conf_high], [found.conf_low, found.conf_high], rtol=1e-9)


@pytest.mark.parametrize("coefficient", NOMINAL)
def test_names_of_categories_are_nothing(coefficient):
    table = judged()
    named = table.replace({1.0: "verlies", 2.0: "hoop", 3.0: "nan", 4.0: "regie"}).astype(object)
    named = named.where(table.notna(), None)
    assert_allclose(coefficient(named).estimate, coefficient(table).estimate, rtol=1e-13)


def test_the_word_nan_is_a_category():
    table = pd.DataFrame({"A": ["nan", "x", "nan", "x"], "B": ["nan", "x", "x", "nan"]})
    assert alpha(table).n == 4


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
def test_missing_is_missing(missing):
    table = pd.DataFrame({"A": [1, 2, 1, missing], "B": [1, 2, 2, 1]}, dtype=object)
    assert alpha(table).n == 3
    assert alpha(table).estimate == alpha(table.iloc[:3].astype(int)).estimate


def test_rescaling_an_interval_or_a_ratio():
    table = judged(n=200)
    shifted = alpha(table * 1e-3 + 1e6, scale="interval").estimate
    assert_allclose(shifted, alpha(table, scale="interval").estimate, rtol=1e-6)
    assert_allclose(
        alpha(table * 12.7, scale="ratio").estimate,
        alpha(table, scale="ratio").estimate,
        rtol=1e-12,
    )


def test_only_order_counts_on_an_ordinal_scale():
    table = judged()
    found = alpha(table, scale="ordinal").estimate
    assert_allclose(alpha(np.exp(table), scale="ordinal").estimate, found, rtol=1e-12)
    words = dict(enumerate(["nooit", "soms", "vaak", "altijd"], start=1))
    text = table.replace(words).astype(object).where(table.notna(), None)
    ordered = list(words.values())
    assert_allclose(alpha(text, scale="ordinal", categories=ordered).estimate, found, rtol=1e-12)
    kind = pd.CategoricalDtype(ordered, ordered=True)
    assert_allclose(alpha(text.astype(kind), scale="ordinal").estimate, found, rtol=1e-12)


def test_argument_is_left_alone():
    table = judged().assign(document=np.arange(80) // 4)
    before = table.copy()
    alpha(table, cluster="document")
    pd.testing.assert_frame_equal(table, before)


def test_cluster_as_column_series_or_array():
    table = judged()
    documents = pd.Series(np.arange(80) // 4, name="document")
    found = alpha(table, cluster=documents)
    assert found.n_clusters == 20
    for other in (
        alpha(table.assign(document=documents), cluster="document"),
        alpha(table, cluster=documents.to_numpy()),
        alpha(table, cluster=documents.sample(frac=1, random_state=1)),
    ):
        assert repr(other) == repr(found)


def test_same_seed_same_bytes():
    assert repr(alpha(judged(), seed=4)) == repr(alpha(judged(), seed=4))
    assert alpha(judged(), seed=4).conf_low != alpha(judged(), seed=5).conf_low


@pytest.mark.parametrize("coefficient", [*NOMINAL, ac2, scott_pi, max_kappa, positive_agreement])
def test_one_coder(coefficient):
    found = coefficient(pd.DataFrame({"A": [1, 0, 1]}))
    assert np.isnan(found.estimate)
    assert "one_coder" in keys(found)
    assert "Not computable: agreement needs two coders, and 1 judged anything" in repr(found)


@pytest.mark.parametrize("coefficient", NOMINAL)
def test_no_unit_judged_twice(coefficient):
    found = coefficient(pd.DataFrame({"A": [1, 2, None], "B": [None, None, 1]}))
    assert np.isnan(found.estimate)
    assert "no_pairs" in keys(found)


@pytest.mark.parametrize("coefficient", [alpha, kappa, fleiss_kappa, ac1, brennan_prediger])
@pytest.mark.parametrize("scale", [None, *SCALES[1:]])
def test_no_variation_is_not_perfect(coefficient, scale):
    options = {"scale": scale} if scale and coefficient is alpha else {}
    found = coefficient(pd.DataFrame({"A": [7.1] * 30, "B": [7.1] * 30}), **options)
    assert np.isnan(found.estimate)
    assert "no_variation" in keys(found)


def test_categories_nobody_chose_count_for_ac1():
    table = pd.DataFrame({"A": [0] * 30, "B": [0] * 30})
    assert ac1(table, categories=[0, 1]).estimate == 1
    assert brennan_prediger(table, categories=[0, 1, 2]).estimate == 1


def test_empty_tables():
    for table in (pd.DataFrame(), pd.DataFrame({"A": [], "B": []}), pd.DataFrame({"A": [None]})):
        assert np.isnan(alpha(table).estimate)
        assert np.isnan(kappa(table).estimate)


def test_who_and_what_was_left_out_is_said():
    table = judged(missing=0).assign(D=np.nan)
    table.loc[3] = np.nan
    said = repr(alpha(table))
    assert "Coders without any judgement were left out: D" in said
    assert "1 units that nobody judged were left out" in said
    assert alpha(table).n_coders == 3


def test_views():
    found = alpha(judged(), conf_level=0.9)
    assert list(found.tidy()) == [
        "estimate", "std_error", "conf_low", "conf_high", "conf_level", "n", "method",
    ]  # fmt: skip
    assert found.glance().shape == (1, 6)
    assert found.tidy().loc[0, "conf_level"] == 0.9
    assert "<th" in found._repr_html_()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda t: alpha(t, scale="ordinall"), r"scale is 'ordinall'; .*did you mean 'ordinal'"),
        (lambda t: ac2(t, weights="cubic"), "weights is 'cubic'; allowed are identity, linear"),
        (lambda t: kappa(t, weights=np.eye(3)), r"weights has shape \(3, 3\); .* it is \(4, 4\)"),
        (lambda t: kappa(t, weights=np.eye(4) * 2), "diagonal that is not all 1"),
        (lambda t: scott_pi(t), "scott_pi compares two coders and the table has 3"),
        (lambda t: alpha(t, conf_level=95), "conf_level is 95; it lies between 0 and 1"),
        (lambda t: alpha(t, n_boot=0), "n_boot is 0; draw at least 1"),
        (lambda t: alpha(t, cluster="doc"), "no column 'doc' to cluster by; the table has A, B"),
        (lambda t: alpha(t, cluster=[1, 2]), "cluster has 2 values and the table 80 units"),
        (lambda t: alpha(t, cluster=[None] * 80), "unit 0 has no cluster"),
        (lambda t: alpha(t, cluster=pd.Series([1], index=["x"])), "cluster has another index"),
        (lambda t: alpha(t.set_axis(list("AAB"), axis=1)), "coders appear in two columns: A"),
        (lambda t: alpha(t, categories=[1, 2, 3]), "unknown category 4.0; categories are 1, 2, 3"),
        (lambda t: alpha(t - 2, scale="ratio"), "-1 is below zero; a ratio scale has none"),
        (lambda t: alpha(t.replace(1, np.inf), scale="interval"), "holds inf; scale='interval'"),
        (lambda t: alpha(t.astype(str), scale="interval"), "needs numbers and the table holds"),
        (lambda t: alpha(t.astype(str), scale="ordinal"), "are text, and their order is not known"),
        (lambda t: alpha(t.assign(A=t["A"].astype(str))), "mixes numbers and text, such as"),
        (lambda t: positive_agreement(t.astype(str)), "no judgement is 1; categories are"),
        (lambda t: set_alpha(t.astype(str)), "is not a set of codes; write one code as a set"),
    ],
)
def test_refusals(call, sentence):
    with pytest.raises(ExpertiseError, match=sentence):
        call(judged())


def test_too_many_ordinal_values():
    with pytest.raises(DataError, match="300 distinct values on an ordinal scale; at most 200"):
        alpha(pd.DataFrame({"A": range(300), "B": range(300)}), scale="ordinal")


def test_very_many_categories():
    table = pd.DataFrame({"A": range(4000), "B": np.arange(4000) // 2 * 2})
    found = alpha(table, n_boot=20)
    assert_allclose(found.estimate, 0.5, atol=1e-3)
    for coefficient in (kappa, lambda table: alpha(table, scale="ratio")):
        with pytest.raises(DataError, match="4000 categories; at most 2000 can be weighed"):
            coefficient(table)


@pytest.mark.parametrize("cell", [{"hoop"}, ["hoop"]])
def test_one_category_a_cell(cell):
    table = pd.DataFrame({"A": [cell, cell], "B": [cell, cell]})
    with pytest.raises(DataError, match="a cell holds one category, and set_alpha compares sets"):
        alpha(table)


def test_yes_may_be_a_word():
    table = pd.DataFrame({"A": ["ja", "ja", "nee"], "B": ["ja", "nee", "nee"]})
    assert_allclose(positive_agreement(table, positive="ja").estimate, 2 / 3)
    assert_allclose(negative_agreement(table, positive="ja").estimate, 2 / 3)
    assert_allclose(positive_agreement(table == "ja").estimate, 2 / 3)


def test_real_codings(real_data):
    long = pd.read_csv(real_data / "agreement" / "annomi_coders.csv", keep_default_na=False)
    talk = long[long["client_talk_type"] != "n/a"]
    table = talk.pivot_table(
        index=["transcript_id", "utterance_id"], columns="annotator_id",
        values="client_talk_type", aggfunc="first",
    )  # fmt: skip
    found = alpha(table, cluster=table.index.get_level_values(0).to_numpy())
    numbers = table.replace({"change": 0, "neutral": 1, "sustain": 2}).to_numpy(dtype=float)
    assert_allclose(found.estimate, krippendorff.alpha(numbers.T, level_of_measurement="nominal"))
    assert (found.n, found.n_coders, found.n_clusters) == (212, 10, 7)
    assert "no_interval" in keys(found)
