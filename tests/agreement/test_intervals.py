"""What an interval means: it covers the truth as often as it says, and says when it cannot."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.agreement.alphas import alpha
from expertise.agreement.coefficient import Plan, Sums, percentiles
from expertise.agreement.kappas import ac1, fleiss_kappa, kappa


def clustered(rng, documents, units=20, m=3):
    """Return binary judgements whose difficulty varies between documents."""
    hard = rng.beta(1.2, 2.0, documents).repeat(units)[:, None]
    truth = rng.random((documents * units, 1)) < 0.5
    guess = rng.random((documents * units, m)) < 0.5
    table = np.where(rng.random((documents * units, m)) < hard, guess, truth)
    return pd.DataFrame(table.astype(int)), np.repeat(np.arange(documents), units)


# With a guess in a share h of judgements, alpha is E(1 − h)², at a half by chance.
HARD = 1.2 / 3.2
TRUE_ALPHA = (1 - HARD) ** 2 + HARD * (1 - HARD) / 4.2


def notes(found):
    return {note.key for note in found.notes}


@pytest.mark.parametrize("coefficient", [alpha, kappa, fleiss_kappa, ac1])
def test_guessing_is_no_agreement(coefficient):
    rng = np.random.default_rng(2)
    found = coefficient(pd.DataFrame(rng.integers(3, size=(20_000, 3))))
    assert abs(found.estimate) < 0.01
    assert found.conf_low < 0 < found.conf_high


def test_one_judge_twice_is_full_agreement():
    one = np.random.default_rng(2).integers(3, size=500)
    found = alpha(pd.DataFrame({"A": one, "B": one}))
    assert (found.estimate, found.conf_low, found.conf_high) == (1, 1, 1)


def test_alpha_finds_what_was_simulated():
    table, documents = clustered(np.random.default_rng(5), 3000)
    assert_allclose(alpha(table, cluster=documents).estimate, TRUE_ALPHA, atol=0.01)


def test_standard_error_agrees_with_the_bootstrap():
    table, documents = clustered(np.random.default_rng(6), 200)
    found = alpha(table, cluster=documents, conf_level=0.6827)
    assert_allclose(found.std_error, (found.conf_high - found.conf_low) / 2, rtol=0.08)


def test_documents_make_the_interval_wider_than_units():
    table, documents = clustered(np.random.default_rng(7), 40)
    alone, together = alpha(table), alpha(table, cluster=documents)
    assert together.conf_high - together.conf_low > 1.3 * (alone.conf_high - alone.conf_low)
    assert "agreement.units_alone" in notes(alone)
    assert "agreement.units_alone" not in notes(together)


@pytest.mark.parametrize(
    ("documents", "said"),
    [(9, "no_interval"), (10, "few_clusters"), (20, "few_clusters"), (21, None)],
)
def test_few_documents(documents, said):
    table, cluster = clustered(np.random.default_rng(8), documents)
    found = alpha(table, cluster=cluster)
    assert np.isnan(found.conf_low) == (documents < 10)
    assert notes(found) == ({f"agreement.{said}"} if said else set())


def test_documents_without_a_pair_do_not_count():
    table, cluster = clustered(np.random.default_rng(8), 12)
    table = table.astype(float)
    table.loc[cluster > 7, [1, 2]] = np.nan
    found = alpha(table, cluster=cluster)
    assert found.n_clusters == 8
    assert "agreement.no_interval" in notes(found)


def test_resamples_without_variation_are_counted():
    table = pd.DataFrame({"A": [1] + [0] * 11, "B": [1] + [0] * 11})
    said = [str(note) for note in alpha(table).notes]
    assert any("resamples held no variation" in sentence for sentence in said)


def test_tails_widen_for_few_clusters():
    draws = np.random.default_rng(1).normal(size=200_000)
    # Φ(−√(12/11) t₁₁) with t₁₁ = 2.200985: a normal quantile of 2.298824.
    assert_allclose(percentiles(draws, 0.95, 12), [-2.2988, 2.2988], atol=0.03)
    assert_allclose(percentiles(draws, 0.95, 100_000), [-1.96, 1.96], atol=0.02)


def test_patterns_and_single_units_are_drawn_alike():
    rng = np.random.default_rng(3)
    rows = rng.random((4, 2))
    folded = Sums(rows, np.array([30, 10, 5, 5]))
    single = Sums(rows.repeat([30, 10, 5, 5], axis=0), np.ones(50, dtype=int))

    def formula(sums):
        return sums[..., 0] / sums[..., 1]

    plan = Plan(n_boot=20_000)
    one, two = folded.replicates(formula, plan), single.replicates(formula, plan)
    assert_allclose(folded.std_error(formula), single.std_error(formula))
    assert_allclose(one.std(), two.std(), rtol=0.03)
    assert_allclose(one.mean(), two.mean(), rtol=0.003)


def coverage(documents, runs=1000):
    rng = np.random.default_rng(11)
    hits = 0
    for _ in range(runs):
        table, cluster = clustered(rng, documents)
        found = alpha(table, cluster=cluster, n_boot=500, seed=int(rng.integers(2**31)))
        hits += found.conf_low <= TRUE_ALPHA <= found.conf_high
    return hits / runs


@pytest.mark.proof
@pytest.mark.parametrize("documents", [10, 12, 20, 50])
def test_coverage(documents):
    assert coverage(documents) > 0.92
