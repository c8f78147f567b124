"""Designs that go wrong easily, against lme4 at tight tolerance."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.mixed.fit import fit_mixed

HERE = Path(__file__).parent
REFERENCE = pd.read_csv(HERE / "mixed_designs.csv", comment="#")
MODELS = {
    "crossed": ("y ~ wave * arm + (1 | person) + (1 | item)", {}),
    "weights": (
        "y ~ wave * arm + (wave | person) + (1 | team) + (1 | item)",
        {"precision_weights": "w"},
    ),
    "factor varies": ("y ~ wave + (0 + kind | team) + (1 | person)", {}),
    "double bar": ("y ~ wave + (wave || person) + (1 | item)", {}),
    "offset": ("y ~ wave + arm + (1 | person)", {"offset": "off", "precision_weights": "w"}),
    "ml": ("y ~ wave * kind + (wave | person)", {"reml": False}),
    "truth values": ("y ~ wave * yes + (1 | person)", {}),
    "two groups": ("y ~ wave + (1 | two) + (1 | person)", {}),
    "singular": ("flat ~ wave + (1 | person) + (1 | team)", {}),
    "no intercept": ("y ~ 0 + arm + wave:arm + (0 + wave | person) + (1 | person)", {}),
    "poly": ("y ~ poly(wave, 2) * arm + (1 | person)", {}),
    "splines": ("y ~ bs(wave, df=4) + (1 | person)", {}),
    "cells": ("y ~ wave + (1 | team:kind) + (1 | person)", {}),
    "missing rows": ("ymiss ~ wave * arm + (wave | person)", {}),
    "arithmetic": ("y ~ log(month + 1) + I(month^2) + (1 | person)", {}),
    "odd name": ("`my score (0-10)` ~ wave + (1 | person)", {}),
}


@pytest.mark.parametrize("model", MODELS)
def test_lme4_gives_the_same(model):
    formula, options = MODELS[model]
    fit = fit_mixed(formula, pd.read_csv(HERE / "mixed_designs_data.csv"), df="normal", **options)
    rows = REFERENCE[REFERENCE["model"] == model]
    values = {name: part.to_numpy() for name, part in rows.groupby("component")["value"]}
    elements = [G[np.tril_indices(len(G))] for G in fit.solution.covariances]
    assert_allclose(fit.beta, values["fixed"], rtol=1e-6, atol=1e-9)
    assert_allclose(np.sqrt(np.diag(fit.cov_beta)), values["std_error"], rtol=1e-6)
    assert_allclose(np.sort(np.concatenate(elements)), values["variance"], rtol=1e-5, atol=1e-6)
    assert_allclose(fit.sigma, values["sigma"][0], rtol=1e-6)
    assert fit.log_likelihood >= values["log_likelihood"][0] - 1e-6
    assert_allclose(fit.log_likelihood, values["log_likelihood"][0], atol=1e-6)
