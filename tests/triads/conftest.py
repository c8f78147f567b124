"""Published tables, typed in, and builders of invented triads."""

import numpy as np
import pandas as pd
import pytest


def _long(scores, row="person", column="rater", value="score"):
    """A row per cell of a matrix that is not None."""
    return pd.DataFrame(
        [(p, str(j), float(x)) for p, line in enumerate(scores) for j, x in enumerate(line)
         if x is not None],
        columns=[row, column, value],
    )  # fmt: skip


@pytest.fixture(scope="session")
def shrout_fleiss():
    """Shrout & Fleiss (1979), Psychological Bulletin 86:420, table 2."""
    return _long([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9],
                 [6, 2, 4, 7]])  # fmt: skip


@pytest.fixture(scope="session")
def fireworks(real_data):
    """Children after the fireworks disaster (R package mice, fdd), long."""
    wide = pd.read_csv(real_data / "outcomes" / "mice_fdd.csv")
    columns = {f"y{role}{wave}": (name, f"T{wave}")
               for role, name in (("p", "parent"), ("c", "child")) for wave in "123"}  # fmt: skip
    table = wide[["id", *columns]].melt("id", value_name="ptsd").dropna()
    table["perspective"] = [columns[name][0] for name in table["variable"]]
    table["wave"] = [columns[name][1] for name in table["variable"]]
    return table.drop(columns="variable").reset_index(drop=True)


def _triads(seed, n=200, roles=("patient", "naaste", "professional"), items=5, *, true, error):
    """Scores from known true-score and error covariances of the roles."""
    rng = np.random.default_rng(seed)
    T = rng.multivariate_normal(np.zeros(len(roles)), true, size=n, method="eigh")
    E = rng.multivariate_normal(np.zeros(len(roles)), error, size=(n, items), method="eigh")
    scores = T[:, None] + E
    rows = [(f"p{p:03d}", role, f"i{i}", scores[p, i, r])
            for p in range(n) for r, role in enumerate(roles) for i in range(items)]  # fmt: skip
    return pd.DataFrame(rows, columns=["person", "perspective", "item", "score"])


@pytest.fixture(scope="session")
def long():
    """Return the function that turns a matrix into a long table."""
    return _long


@pytest.fixture(scope="session")
def triads():
    """Return the function that invents triads."""
    return _triads
