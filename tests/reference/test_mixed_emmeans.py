"""Marginal means, contrasts and slopes against emmeans with Kenward–Roger."""

from pathlib import Path

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.mixed.contrast import contrasts, marginal_means, slopes
from expertise.mixed.fit import fit_mixed

REFERENCE = pd.read_csv(Path(__file__).with_name("mixed_emmeans.csv"), comment="#")


def fitted(folder, right):
    table = pd.read_csv(folder / "mixed" / "btheb.csv", dtype={"subject": str})
    order = pd.CategoricalDtype(["TAU", "BtheB"])
    table = table.astype({"treatment": order})
    formula = f"bdi ~ `bdi.pre` + {right} + drug + length + (1 | subject)"
    return fit_mixed(formula, table, df="kenward-roger")


@pytest.fixture(scope="module")
def fit(real_data):
    return fitted(real_data, "time * treatment")


def compare(found, what):
    expected = REFERENCE[REFERENCE["what"] == what].set_index("term")
    tidy = found.tidy().set_index("term")
    names = [name.replace(" − ", " - ") for name in tidy.index]
    assert sorted(names) == sorted(expected.index)
    expected = expected.loc[names]
    assert_allclose(tidy["estimate"], expected["estimate"], rtol=1e-6)
    assert_allclose(tidy["std_error"], expected["std_error"], rtol=1e-4)
    assert_allclose(tidy["df"], expected["df"], rtol=1e-4)


def test_means(fit):
    compare(marginal_means(fit, "treatment", at={"time": 8}), "means")
    compare(marginal_means(fit, ["treatment", "drug"]), "two")


def test_contrasts(fit):
    compare(contrasts(fit, "treatment", by="time", at={"time": [2, 8]}), "contrasts")


def test_slopes(fit):
    compare(slopes(fit, "time", by="treatment"), "slopes")


def test_printed_means_of_the_model_without_interaction(real_data):
    """TAU 16.2 (SE 1.25, df 88.9), BtheB 13.9 (1.12, 93.0)."""
    table = marginal_means(fitted(real_data, "time + treatment"), "treatment").table
    assert_allclose(table["estimate"], [16.2, 13.9], atol=0.05)
    assert_allclose(table["std_error"], [1.25, 1.12], atol=0.005)
    assert_allclose(table["df"], [88.9, 93.0], atol=0.05)
