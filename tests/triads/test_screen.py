"""The screen for items that mean something else, and counts of who answered."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError, DesignError
from expertise.triads.presence import triad_completeness
from expertise.triads.screen import omega, same_question

ROLES = ["patient", "naaste", "professional"]


def answers(seed, n=70, unlike=0.0, items=4):
    """Five ordered answers; naasten read item i0 otherwise by `unlike` logits."""
    rng = np.random.default_rng(seed)
    rows = []
    for p in range(n):
        trait = 1.2 * rng.normal()
        for role in ROLES[:2]:
            own = trait + 0.6 * rng.normal()
            for at in range(items):
                shift = unlike * (role == "naaste" and at == 0)
                eta = own + shift + 0.3 * at + rng.logistic()
                score = int(np.searchsorted([-1.5, -0.2, 0.8, 2.2], eta))
                rows.append((f"p{p}", role, f"i{at}", score))
    return pd.DataFrame(rows, columns=["person", "perspective", "item", "score"])


def screened(table, ordinal=True, **more):
    names = {"person": "person", "perspective": "perspective", "item": "item", "value": "score"}
    return same_question(table, **names, **({"minimum": 0, "maximum": 4} | more), ordinal=ordinal)


def test_an_item_that_means_something_else_is_found():
    found = screened(answers(1, unlike=2.0))
    # beside the naaste, the patient's first item stands 2 · 3/4 below their own average
    rows = found.table[found.table["component"] == "item"].set_index("term")
    assert rows.loc["i0", "conf_low"] < -1.5 < rows.loc["i0", "conf_high"]
    assert found.p_value < 0.001
    assert_allclose(rows["estimate"].sum(), 0, atol=1e-8)


def test_the_same_question_passes():
    p = [screened(answers(seed, n=30), ordinal=False).p_value for seed in range(15)]
    assert np.mean(np.array(p) < 0.05) < 0.2
    assert screened(answers(3)).p_value > 0.01


def test_roles_may_be_other_people():
    table = answers(1, unlike=2.0)
    table = table[
        (table["person"].str[1:].astype(int) % 2 == 0) == (table["perspective"] == "naaste")
    ]
    rows = screened(table).table.query("component == 'item'").set_index("term")
    assert rows.loc["i0", "conf_low"] < -1.5 < rows.loc["i0", "conf_high"]


def test_floor_and_ceiling():
    table = answers(2)
    found = screened(table).table
    row = found[(found["component"] == "floor") & (found["term"] == "i0")].iloc[1]
    own = table[(table["perspective"] == "patient") & (table["item"] == "i0")]["score"]
    assert row["perspective"] == "patient"
    assert_allclose(row["estimate"], (own == 0).mean())
    assert row["conf_low"] < row["estimate"] < row["conf_high"]


def test_omega_of_known_loadings():
    """Omega is (Σλ)² / ((Σλ)² + Σψ); for three items the factor solution is exact."""
    loading, psi = np.array([0.9, 0.7, 0.5, 0.6]), np.array([0.4, 0.5, 0.6, 0.7])
    rng = np.random.default_rng(1)
    x = rng.normal(size=(50_000, 1)) * loading + rng.normal(size=(50_000, 4)) * np.sqrt(psi)
    assert_allclose(omega(x), loading.sum() ** 2 / (loading.sum() ** 2 + psi.sum()), atol=0.005)
    S = np.cov(x[:, :3].T)
    exact = np.sqrt([S[0, 1] * S[0, 2] / S[1, 2], S[0, 1] * S[1, 2] / S[0, 2],
                     S[0, 2] * S[1, 2] / S[0, 1]])  # fmt: skip
    assert_allclose(omega(x[:, :3]), exact.sum() ** 2 / S.sum(), rtol=1e-4)
    assert np.isnan(omega(x[:, :2]))


def test_screen_refuses():
    table = answers(4, n=10)

    def says(text, error=DesignError, table=table, **more):
        with pytest.raises(error, match=text):
            screened(table, **more)

    says("one perspective only", table=table[table["perspective"] == "patient"])
    says("one item only", table=table[table["item"] == "i0"])
    says("outside the scale of 1 to 4", minimum=1)
    says("hold the same", DataError, pd.concat([table, table[:1]]))
    says("conf_level is 0", conf_level=0)


def statuses():
    rows = [(f"p{p}", role, "answered") for p in range(30) for role in ROLES]
    table = pd.DataFrame(rows, columns=["person", "perspective", "status"])
    table.loc[table["person"].isin([f"p{p}" for p in range(8)])
              & (table["perspective"] == "naaste"), "status"] = "unavailable"  # fmt: skip
    table.loc[table["person"].isin([f"p{p}" for p in range(8, 10)])
              & (table["perspective"] == "patient"), "status"] = "refused"  # fmt: skip
    return table


def counted(table=None, roles=ROLES, **more):
    names = {"person": "person", "perspective": "perspective", "status": "status"}
    return triad_completeness(statuses() if table is None else table, **names, roles=roles, **more)


def test_who_was_asked_in_counts():
    found = counted(minimum=1)
    table = found.table
    status = table[table["component"] == "status"].set_index(["perspective", "term"])["estimate"]
    assert status["naaste", "unavailable"] == 8
    assert status["patient", "refused"] == 2
    sets = table[table["component"] == "triad"].set_index("term")["estimate"]
    assert sets["patient + naaste + professional"] == 20
    assert sets["patient + professional"] == 8
    assert sets.sum() == found.n_people == 30


def test_small_counts_and_their_complement_are_withheld():
    status = counted().table
    patient = status[(status["component"] == "status") & (status["perspective"] == "patient")]
    shown = patient.set_index("term")["estimate"]
    assert np.isnan(shown["refused"])
    assert np.isnan(shown["answered"])
    assert "p8" not in repr(counted())


def test_consent_per_pair():
    consents = pd.DataFrame({"person": [f"p{p}" for p in range(12, 30)], "first": "naaste",
                             "second": "patient", "consent": True})  # fmt: skip
    consents.loc[0, "consent"] = False
    pairs = counted(consents=consents, minimum=1).table
    pair = pairs[(pairs["component"] == "pair") & (pairs["group"] == "patient + naaste")]
    assert pair["estimate"].tolist() == [20, 17]
    other = pairs[(pairs["component"] == "pair") & (pairs["group"] == "naaste + professional")]
    assert other["estimate"].tolist() == [22, 0]


def test_completeness_refuses():
    table = statuses()

    def says(text, error=DataError, table=table, **more):
        with pytest.raises(error, match=text):
            counted(table, **more)

    says("holds weigerde; allowed are answered", table=table.assign(status="weigerde"))
    says("holds naaste; allowed are", roles=["patient", "professional"])
    says("one perspective only", DesignError, roles=["patient"])
    says("the same 'person' and 'perspective'", table=pd.concat([table, table[:1]]))
    says("has no column 'status'", table=table.drop(columns="status"))
    says("table of consents has no column first", consents=pd.DataFrame({"person": [1]}))
    says("minimum is 0", DesignError, minimum=0)
    says("differ from another only in case", table=table.assign(
        person=table["person"].replace({"p1": "P2"})))  # fmt: skip
