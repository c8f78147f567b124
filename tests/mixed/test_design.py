"""Designs: R's columns, and every reason to refuse with its sentence."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError, DesignError, FormulaError
from expertise.mixed.design import build_design
from expertise.mixed.fit import fit_mixed

N = 24


def table(**changes):
    rng = np.random.default_rng(3)
    data = pd.DataFrame(
        {
            "y": rng.normal(size=N),
            "x": np.tile(np.arange(4.0), 6),
            "arm": np.repeat(["a", "b", "c"], 8),
            "g": np.repeat(list("pqrstu"), 4),
        }
    )
    return data.assign(**changes)


def test_columns_are_those_of_r():
    design = build_design("y ~ arm * x + (x | g)", table())
    names = ("(Intercept)", "armb", "armc", "x", "armb:x", "armc:x")
    assert design.names == names
    assert design.references == {"arm": "a"}
    assert build_design("y ~ 0 + arm + x + (1 | g)", table()).names == ("arma", "armb", "armc", "x")
    assert build_design("y ~ x + arm:x + (1 | g)", table()).names[2:] == ("x:armb", "x:armc")
    other = build_design('y ~ C(arm, ref="b") + (1 | g)', table())
    assert other.names == ("(Intercept)", "arma", "armc")
    assert "Reference levels: arm = b." in [str(note) for note in other.notes]


def test_categoricals_keep_their_order_and_unused_levels_are_named():
    arm = pd.Categorical(table()["arm"], ["c", "b", "a", "z"])
    design = build_design("y ~ arm + (1 | g)", table(arm=arm))
    assert design.names == ("(Intercept)", "armb", "arma")
    assert "Levels of arm without any row left out: z." in [str(note) for note in design.notes]


def test_poly_and_bs_are_those_of_r():
    # R 4.2.2: poly(c(0,1,2,3), 2); splines::bs(0:3, df = 4)
    design = build_design("y ~ poly(x, 2) + (1 | g)", table())
    own = np.array([[-3, 1], [-1, -1], [1, -1], [3, 1]]) / np.sqrt([[20, 4]])
    assert_allclose(design.X[:4, 1:] * np.sqrt(6), own, atol=1e-14)
    new = design.fixed_matrix(pd.DataFrame({"x": [1.0, 2.0]}))
    assert_allclose(new, design.X[1:3], atol=1e-14)
    x = np.tile(np.arange(8.0), 3)
    spline = build_design("y ~ bs(x, df=4) + (1 | g)", table(x=x)).X[:8, 1:]
    third = [0.5714285714286, 0.3032069970845, 0.0466472303207, 0]
    assert_allclose(spline[2], third, atol=1e-10)
    assert_allclose(spline[7], [0, 0, 0, 1], atol=1e-14)


def test_new_data_is_coded_as_fitted():
    design = build_design("y ~ arm + (1 | g)", table())
    new = pd.DataFrame({"arm": ["c"], "g": ["new"]})
    assert design.fixed_matrix(new).tolist() == [[1, 0, 1]]
    assert design.random_matrix(design.random[0], new)[1].tolist() == [-1]
    with pytest.raises(DataError, match=r"'arm' is 'd' in row 0; the model knows a, b, c"):
        design.fixed_matrix(pd.DataFrame({"arm": ["d"]}))
    with pytest.raises(DataError, match="'arm' is missing in row 0"):
        design.fixed_matrix(pd.DataFrame({"arm": [None, "a"]}))


def test_missing_rows_are_counted_and_named_and_the_table_is_untouched():
    data = table()
    data.loc[[1, 2], "y"] = np.nan
    data.loc[[2, 5], "x"] = np.nan
    before = data.copy()
    design = build_design("y ~ x + (1 | g)", data)
    assert str(design.notes[0]) == (
        "3 of 24 rows left out because of missing values, by column: y (2), x (2)."
    )
    pd.testing.assert_frame_equal(data, before)
    assert "3 van de 24 rijen" in design.notes[0].text("nl")


def changed(column, row, value):
    data = table()
    data.loc[row, column] = value
    return data


@pytest.mark.parametrize(
    ("formula", "data", "error", "sentence"),
    [
        ("y ~ xx + (1 | g)", table(), DesignError, r"no column .* you mean 'x'"),
        ("y ~ x + (1 | g)", changed("y", 7, np.inf), DataError, "'y' is infinite in row 7"),
        ("y ~ x + (1 | g)", changed("y", 7, 1e200), DataError, r"'y' is 1e\+200 in row 7"),
        ("y ~ x + (0 + z | g)", table(z=0.0), DesignError, r"z in \(z \| g\) is 0 in every row"),
        ("y ~ log(x) + (1 | g)", table(), DataError, r"log\(x\) is not a finite number in row 0"),
        ("y ~ x + z + (1 | g)", table(z=2 * table().x + 1), DesignError, "'z' depends on x"),
        ("y ~ x + z + (1 | g)", table(z=1.0), DesignError, "'z' is constant, like the intercept"),
        ("y ~ x + (1 | i)", table(i=range(N)), DesignError, "cannot be told from the residual"),
        ("y ~ x + (1 | i)", table(i="one"), DesignError, "'i' has one level"),
        ("y ~ x + (1 | g) + (x | g)", table(), DesignError, r"variances of \(Intercept\) cannot be"),
        ("y ~ x + (1 | g)", table(y=np.arange(N) * 1e-80), DesignError, "in a smaller unit"),
        ("y ~ x + (1 | g)", table(y=3.0), DesignError, "'y' is 3 in all 24 rows"),
        ("y ~ x + (1 | g)", table(y="a"), DesignError, "the family gaussian needs numbers"),
        ("y ~ x + (1 | g)", table(y=table().x), DesignError, "reproduce the outcome exactly"),
        ("y ~ arm + (1 | g)", table(y=table().y.where(table().arm != "b")), DesignError,
         "level b of 'arm' has no complete row"),
        ("y ~ arm + (1 | g)", table(arm="a"), DesignError, "the factor 'arm' has one level, a"),
        ("y ~ x + (1 | g)", table(y=np.nan), DesignError, "none of the 24 rows is complete"),
        ("y ~ x + (1 | g)", table(x=[1, "a"] * 12), DataError, "'x' mixes text and numbers"),
        ("y ~ x + (1 | g)", table(x=pd.Timestamp("2024-01-01")), DesignError, "datetime64"),
        ("y ~ arm * half + (1 | g)", table(half=["u", "v"] * 8 + ["u"] * 8), DesignError,
         "'armc:halfv' is 0 in every row; leave it out, or join categories"),
        ("y ~ x + (1 | g)", table().iloc[:0], DesignError, "the table has no rows"),
        ("y ~ `3` + (1 | g)", table().rename(columns={"x": 3}), DesignError,
         "the name of column 3 is no text; rename it"),
        ("y ~ x", table(), DesignError, "has no random term"),
        ("~ x + (1 | g)", table(), DesignError, "has no outcome"),
        ("y ~ 0 + (1 | g)", table(), DesignError, "has no fixed part"),
        ("y ~ arm + I(arm) + (1 | g)", table(), DesignError, "'arm' is a category where a number"),
        ('y ~ C(arm, ref="q") + (1 | g)', table(), DesignError, "the reference level q is not"),
        ("y ~ poly(x, 9) + (1 | g)", table(), DesignError, "more than its 4 distinct values"),
        ("y ~ poly(x, x) + (1 | g)", table(), FormulaError, "in whole numbers"),
        ("y ~ I(x | g)", table(), FormulaError, "is expected where"),
    ],
)  # fmt: skip
def test_what_is_refused(formula, data, error, sentence):
    with pytest.raises(error, match=sentence):
        fit_mixed(formula, data)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"family": "gamma"}, "unknown family 'gamma'"),
        ({"df": "exact"}, "unknown df 'exact'"),
        ({"link": "log"}, "the family gaussian has no link 'log'"),
        ({"conf_level": 95}, "conf_level is 95"),
        ({"conf_level": "95"}, "conf_level is 95"),
        ({"quadrature": 9}, "quadrature=9 is for other families"),
        ({"trials": np.ones(N)}, "trials= is for the family binomial, not for gaussian"),
        ({"precision_weights": ["a"] * N}, "weights are numbers, or the name of a column"),
        ({"dispersion": "~ one"}, "dispersion='~ one' is the same in every row"),
        ({"precision_weights": "arm"}, "weights are numbers; column 'arm' holds categories"),
        ({"precision_weights": [1.0]}, r"weights have shape \(1,\)"),
        ({"precision_weights": np.zeros(N)}, "weights are above 0"),
        (
            {"precision_weights": pd.Series(1.0, range(1, N + 1))},
            "labels are not those of the table",
        ),
        ({"reml": False, "df": "kenward-roger"}, "defined for REML"),
        ({"dispersion": "~ x", "df": "kenward-roger"}, "linear in their parameters"),
        ({"residual": "arma(x | g)"}, r"write ar1\(wave \| group\)"),
        ({"residual": "ar1(arm | g)"}, "needs numbers or an ordered categorical"),
        ({"residual": "ar1(x | arm)"}, "has the same 'x' as another row of its 'arm'"),
        ({"residual": "ar1(h | g)"}, "ar1 needs whole waves"),
        ({"residual": "car1(x | i)"}, "has one row per level"),
        ({"dispersion": "y ~ x"}, "is not of the form ~ column"),
    ],
)
def test_options_that_are_refused(options, sentence):
    data = table(h=table().x / 2, i=range(N), one="a")
    with pytest.raises((DesignError, DataError), match=sentence):
        fit_mixed("y ~ x + (1 | g)", data, **options)


def test_bad_inputs(bad_inputs):
    index = pd.read_csv(bad_inputs / "index.csv")
    refused = 0
    for row in index[index["kind"] == "model"].itertuples():
        data = pd.read_csv(bad_inputs / row.name)
        try:
            fit = fit_mixed(row.formula, data, family=row.family)
        except (DesignError, DataError):
            refused += 1
        else:
            assert row.outcome == "warn", row.name
            assert fit.notes, row.name
    assert refused >= 9


def test_a_variance_near_zero_is_said(bad_inputs):
    # lme4 1.1-31: sd .27219, not singular; the file's own label says singular
    data = pd.read_csv(bad_inputs / "mod_singular_re.csv")
    fit = fit_mixed("uitkomst ~ meetmoment + thema + (1 | deelnemer)", data)
    assert_allclose(fit.solution.covariances[0][0, 0] ** 0.5, 0.27219, atol=5e-6)
    assert "barely tell it from zero" in str(fit.notes[-1])


def test_singular_fit_names_its_term():
    g = table().groupby("g")["y"].transform("mean")
    fit = fit_mixed("y ~ x + (1 | g)", table(y=table()["y"] - g))
    assert fit.singular
    assert fit.solution.covariances[0][0, 0] == 0
    assert str(fit.notes[-1]).startswith("The term (1 | g) is at its boundary")
    assert np.isfinite(fit.tidy()["df"].iloc[:2]).all()


def test_perfect_correlation_is_singular():
    x, g = table()["x"], table()["g"]
    line = g.map({name: at for at, name in enumerate("pqrstu")}) * (1 + x)
    fit = fit_mixed("y ~ x + (x | g)", table(y=line + 0.3 * table()["y"]))
    G = fit.solution.covariances[0]
    assert fit.singular
    assert_allclose(G[0, 1] ** 2, G[0, 0] * G[1, 1], rtol=1e-9)
