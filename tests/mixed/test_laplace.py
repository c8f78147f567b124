"""The integrated likelihood: exact gradients, and the integral itself by brute force."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.special import gammaln

from expertise.mixed.elimination import Term
from expertise.mixed.families import Binomial, Logistic, NegativeBinomial, Poisson, rising
from expertise.mixed.integrated import estimate
from expertise.mixed.laplace import Integrated
from expertise.mixed.ordinal import Cumulative

RNG = np.random.default_rng(20240101)
N, GROUPS = 120, 15
CODES = np.sort(np.concatenate([np.arange(GROUPS), RNG.integers(0, GROUPS, N - GROUPS)]))
OTHER = RNG.integers(0, 5, N)
COLUMNS = np.column_stack([np.ones(N), RNG.normal(size=N)])
COUNTS = RNG.poisson(2.0, N).astype(float)
EVENTS = np.minimum(COUNTS, 4.0)
ANSWERS = np.minimum(COUNTS, 3.0).astype(int)
FOUR = np.full(N, 4.0)
CUTS = np.array([-1.5, 0.2, 1.7])

LIKELIHOODS = {
    "logit": (Logistic(EVENTS, FOUR), np.zeros(0)),
    "probit": (Binomial(EVENTS, FOUR, "probit"), np.zeros(0)),
    "cloglog": (Binomial(EVENTS, FOUR, "cloglog"), np.zeros(0)),
    "poisson": (Poisson(COUNTS), np.zeros(0)),
    "negative-binomial": (NegativeBinomial(COUNTS), np.array([0.6])),
    "nearly poisson": (NegativeBinomial(COUNTS), np.array([0.01])),
    "cumulative logit": (Cumulative(ANSWERS, 3), CUTS),
    "cumulative probit": (Cumulative(ANSWERS, 3, "probit"), CUTS),
}


def numeric(f, at, width=1e-5):
    steps = np.eye(len(at)) * width
    return np.array([(f(at + h)[0] - f(at - h)[0]) / (2 * width) for h in steps])


@pytest.mark.parametrize("name", LIKELIHOODS)
@pytest.mark.parametrize("quadrature", [1, 2, 7])
def test_gradient_is_exact(name, quadrature):
    likelihood, extra = LIKELIHOODS[name]
    terms = [Term(CODES, COLUMNS, GROUPS)]
    if quadrature == 1:
        terms.append(Term(OTHER, COLUMNS, 5))
    surface = Integrated(likelihood, COLUMNS, terms, np.full(N, 0.1), quadrature)
    at = np.concatenate([[0.1, 0.2], [0.7, 0.2, 0.5] * len(terms), extra])
    assert_allclose(surface(at)[1], numeric(surface, at), rtol=1e-6, atol=2e-6)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_derivatives_of_each_row(name):
    likelihood, extra = LIKELIHOODS[name]
    eta, h = np.linspace(-2, 2, N), 1e-5
    at, up, down = (likelihood.rows(eta + shift, extra) for shift in (0, h, -h))
    for value, slope in (("value", "d1"), ("d1", "d2"), ("d2", "d3")):
        difference = (getattr(up, value) - getattr(down, value)) / (2 * h)
        assert_allclose(getattr(at, slope), difference, rtol=1e-6, atol=1e-7)
    for m in range(likelihood.n_extra):
        shift = np.eye(likelihood.n_extra)[m] * h
        high, low = likelihood.rows(eta, extra + shift), likelihood.rows(eta, extra - shift)
        for part, name_of in enumerate(("value", "d1", "d2")):
            difference = (getattr(high, name_of) - getattr(low, name_of)) / (2 * h)
            assert_allclose(at.extra[part][m], difference, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["logit", "negative-binomial", "cumulative probit"])
def test_quadrature_is_the_integral(name):
    likelihood, extra = LIKELIHOODS[name]
    ones = np.ones((N, 1))
    surface = Integrated(likelihood, ones, [Term(CODES, ones, GROUPS)], np.zeros(N), 25)
    beta, sd = 0.2, 0.8
    value, _ = surface(np.concatenate([[beta, sd], extra]))

    def group(u, rows):
        heights = likelihood.mode(np.full(N, beta + sd * u), extra)[0]
        return np.exp(heights[rows].sum() + 40 - u**2 / 2) / np.sqrt(2 * np.pi)

    exact = sum(
        np.log(quad(group, -9, 9, args=(g == CODES,), epsabs=0, epsrel=1e-11, points=[0])[0]) - 40
        for g in range(GROUPS)
    )
    assert_allclose(value, exact + likelihood.constant(), rtol=1e-9)


def test_impossible_thresholds_are_minus_infinity():
    surface = Integrated(
        Cumulative(ANSWERS, 3), COLUMNS[:, 1:], [Term(CODES, COLUMNS[:, :1], GROUPS)], np.zeros(N)
    )
    assert surface(np.array([0.1, 1.0, 1.0, 0.0, 2.0]))[0] == -np.inf


def test_rising_factorial_holds_for_large_sizes():
    y = np.array([0.0, 1.0, 7.0, 250.0])
    for size in (0.3, 99.0, 101.0, 1e4):
        direct = gammaln(y + size) - gammaln(size) - y * np.log(size)
        assert_allclose(rising(y, size)[0], direct, rtol=1e-9, atol=1e-9)
    steps = [np.log1p(np.arange(count) / 1e9).sum() for count in (0, 1, 7, 250)]
    assert_allclose(rising(y, 1e9)[0], steps, rtol=1e-6, atol=1e-14)


def fitted(counts, columns, others=(), family=NegativeBinomial, order=None):
    order = np.arange(N) if order is None else order
    terms = [Term(codes[order], z[order], size) for codes, z, size in others]
    return estimate(
        lambda rows: family(counts[order][rows]),
        columns[order],
        terms,
        np.zeros(N),
        (np.zeros(columns.shape[1]), family(counts).start()),
    )


def test_row_order_and_order_of_terms_change_nothing():
    effects = RNG.normal(size=GROUPS)[CODES] * 0.6 + RNG.normal(size=5)[OTHER] * 0.5
    counts = RNG.poisson(np.exp(0.8 + effects)).astype(float)
    first, second = (CODES, COLUMNS[:, :1], GROUPS), (OTHER, COLUMNS[:, :1], 5)
    one = fitted(counts, COLUMNS, (first, second), Poisson)
    two = fitted(counts, COLUMNS, (second, first), Poisson, RNG.permutation(N))
    assert_allclose(one.log_likelihood, two.log_likelihood, rtol=1e-11)
    assert_allclose(one.beta, two.beta, rtol=1e-7)
    assert_allclose(one.groups[0], two.groups[1], rtol=1e-6)
    assert_allclose(np.delete(one.covariance, [2, 3], 0)[:, :2], two.covariance[:2, :2], rtol=1e-6)


def test_shift_and_scale_of_a_predictor_change_only_its_units():
    effects = (COLUMNS * (RNG.normal(size=(GROUPS, 2)) * [0.6, 0.5])[CODES]).sum(axis=1)
    counts = RNG.poisson(np.exp(0.8 + effects)).astype(float)
    moved = np.column_stack([np.ones(N), 1e6 + 100 * COLUMNS[:, 1]])
    one = fitted(counts, COLUMNS, [(CODES, COLUMNS, GROUPS)], Poisson)
    two = fitted(counts, moved, [(CODES, moved, GROUPS)], Poisson)
    assert_allclose(two.log_likelihood, one.log_likelihood, rtol=1e-11)
    assert_allclose(two.beta[1] * 100, one.beta[1], rtol=1e-6)
    assert_allclose(two.groups[0][1, 1] * 1e4, one.groups[0][1, 1], rtol=1e-5)
    assert_allclose(two.covariance[1, 1] * 1e4, one.covariance[1, 1], rtol=1e-5)


def test_counts_without_excess_lie_on_both_boundaries():
    counts = np.tile([1.0, 2.0, 3.0], N // 3)
    found = fitted(counts, COLUMNS[:, :1], [(CODES, COLUMNS[:, :1], GROUPS)])
    assert found.boundary == (True, True)
    assert found.groups[0] == 0
    assert found.extra == 0
    assert_allclose(found.beta, np.log(2.0), rtol=1e-9)
    assert_allclose(found.covariance[0, 0], 1 / counts.sum(), rtol=1e-6)
