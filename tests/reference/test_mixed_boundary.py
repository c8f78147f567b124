"""Crossed models at or near their boundary, against the best of lme4 (1.1-31) and pbkrtest (0.5.2)."""

from pathlib import Path

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.mixed.fit import fit_mixed

HERE = Path(__file__).parent
REFERENCE = {key: part.set_index("what")["value"]
             for key, part in pd.read_csv(HERE / "mixed_boundary.csv").groupby(["case", "formula"])}  # fmt: skip


def rows(case):
    table = pd.read_csv(HERE / "mixed_boundary_data.csv", dtype={"b": object})
    return table[table["case"] == case].dropna(axis="columns", how="all")


@pytest.mark.parametrize(("case", "formula"), REFERENCE)
def test_the_optimum_is_found_where_average_information_creeps(case, formula):
    want = REFERENCE[case, formula]
    fit = fit_mixed(formula, rows(case), reml=case != "creeping")
    assert fit.log_likelihood >= want["log_likelihood"] - 1e-6
    assert_allclose(fit.sigma, want["sigma"], rtol=1e-4)
    assert fit.solution.evaluations < 80


@pytest.mark.parametrize(("case", "formula"), [key for key in REFERENCE if key[0] != "creeping"])
def test_kenward_roger_where_a_crossed_variance_is_zero(case, formula):
    want = REFERENCE[case, formula]
    fixed = fit_mixed(formula, rows(case), df="kenward-roger").tidy().query("component == 'fixed'")
    assert_allclose(fixed["std_error"], want.filter(like="std_error"), rtol=1e-4)
    assert_allclose(fixed["df"], want.filter(like="df"), rtol=1e-4)
