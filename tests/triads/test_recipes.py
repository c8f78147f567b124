"""The recipes of docs/triads.md run as they are written, and recover what is known."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.testing import assert_allclose

from expertise.mixed.fit import fit_mixed

GUIDE = Path(__file__).parents[2] / "docs" / "triads.md"
SOCIAL, ONE, BOTH = re.findall(r'fit_mixed\("([^"]+)"', GUIDE.read_text("utf-8"))


def variances(fit):
    table = fit.tidy()
    return table[table["component"] == "variance"].set_index(["group", "term"])["estimate"]


def test_social_relations():
    rng = np.random.default_rng(1)
    roles = ["patient", "naaste", "professional", "sibling"]
    rows = []
    for triad in range(250):
        own = rng.normal() * 0.6
        actor, partner = rng.normal(size=4) * 0.9, rng.normal(size=4) * 0.5
        rows += [(f"t{triad}", a, b, own + actor[i] + partner[j] + 0.7 * rng.normal())
                 for i, a in enumerate(roles) for j, b in enumerate(roles) if i != j]  # fmt: skip
    table = pd.DataFrame(rows, columns=["triad", "actor", "partner", "rating"])
    found = variances(fit_mixed(SOCIAL, table))
    assert_allclose(found["triad:actor"], 0.81, atol=0.12)
    assert_allclose(found["triad:partner"], 0.25, atol=0.08)
    assert_allclose(found["residual"], 0.49, atol=0.05)


def test_one_with_many():
    rng = np.random.default_rng(2)
    rows = []
    for professional in range(120):
        both = rng.multivariate_normal([0, 0], [[0.5, 0.3], [0.3, 0.8]])
        for patient in range(6):
            shared = rng.normal() * 0.6
            rows += [(f"c{professional}", f"p{patient}", side, both[at] + shared + rng.normal())
                     for at, side in enumerate(("patient", "professional"))]  # fmt: skip
    table = pd.DataFrame(rows, columns=["professional", "patient", "side", "rating"])
    found = variances(fit_mixed(BOTH, table))
    assert_allclose(found["professional"], [0.5, 0.3, 0.8], atol=0.2)
    assert_allclose(found["professional:patient"], 0.36, atol=0.15)
    one = variances(fit_mixed(ONE, table[table["side"] == "patient"]))
    assert_allclose(one["professional"], 0.5, atol=0.2)
