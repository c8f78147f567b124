"""Every coefficient against the numbers that its authors, or irrCAC, print."""

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
from expertise.agreement.sets import set_distances

# Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, data C.
FOUR_OBSERVERS = """
1 1 . 1 | 2 2 3 2 | 3 3 3 3 | 3 3 3 3 | 2 2 2 2 | 1 2 3 4
4 4 4 4 | 1 1 2 1 | 2 2 2 2 | . 5 5 5 | . . 1 1 | . 3 . ."""
# irrCAC's cac.raw4raters has the lone last judgement under the third rater.
FOUR_RATERS = FOUR_OBSERVERS[:-7] + ". . 3 ."

# Fleiss (1971), table 1: 30 patients, 6 psychiatrists, 5 diagnoses.
DIAGNOSES = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"""

# Hayes and Krippendorff (2007), table 1: 40 units, 5 observers.
REPORTERS = """
112.2 1101. 2333. .00.0 000.0 000.0 102.1 1.20. 222.2 2111. .100. 0000. 1222. 33223 111.1 111.1
212.2 1233. 1101. 000.0 0011. 00.00 2333. 0000. 12.22 0111. 00010 1212. 1122. 112.2 110.0 2121.
22.22 3222. 222.2 223.2 222.2 22.12 2222. 111.1"""


def units(text):
    rows = [list(row.replace(" ", "")) for row in text.replace("\n", "|").split("|") if row.strip()]
    return pd.DataFrame(rows).replace(".", np.nan).astype(float)


def from_square(square):
    pairs = [(i, j) for i, row in enumerate(square) for j, n in enumerate(row) for _ in range(n)]
    return pd.DataFrame(pairs, columns=["first", "second"])


def diagnoses(n=30):
    rows = [np.repeat(range(5), list(map(int, counts))) for counts in DIAGNOSES.split()[:n]]
    return pd.DataFrame(rows)


COHEN = from_square([[88, 14, 18], [10, 40, 10], [2, 6, 12]])


def test_two_observers_binary():
    meg, owen = list("0100000010"), list("1110010000")
    assert_allclose(alpha(pd.DataFrame({"Meg": meg, "Owen": owen})).estimate, 0.095, atol=5e-4)


def test_two_observers_nominal():
    ben, gerry = list("aabbdcccedda"), list("babbbccceddd")
    assert_allclose(alpha(pd.DataFrame({"Ben": ben, "Gerry": gerry})).estimate, 0.692, atol=5e-4)


@pytest.mark.parametrize(
    ("scale", "published"),
    [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)],
)
def test_four_observers(scale, published):
    assert_allclose(alpha(units(FOUR_OBSERVERS), scale=scale).estimate, published, atol=5e-4)


def test_seventy_digits_are_not_rounded():
    found = [alpha(units(FOUR_OBSERVERS), scale=s).estimate for s in ("nominal", "interval")]
    assert_allclose(found, [0.7434210526315790, 0.8491071428571428], rtol=1e-14)


@pytest.mark.parametrize(
    ("coefficient", "estimate", "std_error"),
    [
        (percent_agreement, 0.81818, 0.12561),
        (ac1, 0.77544, 0.14295),
        (fleiss_kappa, 0.76117, 0.15302),
        (alpha, 0.74342, 0.14548),
        (kappa, 0.76282, 0.14917),
        (brennan_prediger, 0.77273, 0.14472),
    ],
)
def test_irrcac_with_missing_judgements(coefficient, estimate, std_error):
    """irrCAC 1.4 on cac.raw4raters; 1.0 gave alpha the standard error .14557."""
    found = coefficient(units(FOUR_RATERS))
    assert_allclose([found.estimate, found.std_error], [estimate, std_error], atol=6e-6)


def test_conger_depends_on_who_judged():
    """irrCAC 1.4 on Krippendorff's own table, where the lone judgement is the second's."""
    found = kappa(units(FOUR_OBSERVERS))
    assert_allclose([found.estimate, found.std_error], [0.76207, 0.15011], atol=6e-6)


@pytest.mark.parametrize(
    ("coefficient", "weights", "estimate", "std_error"),
    [
        (ac2, "quadratic", 0.91400, 0.10396),
        (ac2, "ordinal", 0.89894, 0.10690),
        (ac2, "linear", 0.85874, 0.11733),
        (fleiss_kappa, "quadratic", 0.86494, 0.14603),
        (kappa, "ordinal", 0.84308, 0.14482),
        (brennan_prediger, "linear", 0.84848, 0.12336),
        (weighted_alpha, "quadratic", 0.84911, 0.12905),
        (weighted_alpha, "ordinal", 0.83364, 0.13099),
        (weighted_alpha, "linear", 0.80038, 0.13538),
    ],
)
def test_irrcac_with_weights(coefficient, weights, estimate, std_error):
    found = coefficient(units(FOUR_OBSERVERS), weights=weights)
    assert_allclose([found.estimate, found.std_error], [estimate, std_error], atol=6e-6)


def test_ordinal_weights_are_not_the_ordinal_scale():
    table = units(FOUR_OBSERVERS)
    weighted, ordinal = weighted_alpha(table, weights="ordinal"), alpha(table, scale="ordinal")
    assert weighted.estimate - ordinal.estimate > 0.018
    assert weighted.method != ordinal.method


def test_hayes_and_krippendorff():
    found = alpha(units(REPORTERS.replace(" ", "|")), scale="ordinal", n_boot=4000)
    assert_allclose(found.estimate, 0.7598, atol=5e-5)
    # Resampling the 40 units gives .622 to .840; here the tails are a little wider.
    assert_allclose([found.conf_low, found.conf_high], [0.622, 0.840], atol=0.02)


def test_fleiss():
    assert_allclose(fleiss_kappa(diagnoses()).estimate, 0.4302, atol=5e-5)


@pytest.mark.parametrize(
    ("coefficient", "estimate"),
    [(ac1, 0.44480), (fleiss_kappa, 0.41393), (alpha, 0.42044), (brennan_prediger, 0.43889)],
)
def test_irrcac_first_fifteen_patients(coefficient, estimate):
    assert_allclose(coefficient(diagnoses(15)).estimate, estimate, atol=6e-6)


def test_cohen():
    assert_allclose(kappa(COHEN).estimate, 0.492, atol=5e-4)
    assert_allclose(max_kappa(COHEN).estimate, 0.831, atol=5e-4)
    assert_allclose(ac1(COHEN).estimate, 0.5760, atol=5e-5)


def test_cohen_weighs_disagreement():
    weights = np.array([[0, 1, 3], [1, 0, 6], [3, 6, 0]])
    assert_allclose(kappa(COHEN, weights=weights).estimate, 0.348, atol=5e-4)
    assert kappa(COHEN, weights=1 - weights / 6).estimate == kappa(COHEN, weights=weights).estimate


def test_masi_has_two_definitions():
    two = [frozenset("A"), frozenset("AB")]
    assert_allclose(set_distances(two, "masi")[0, 1], 2 / 3)
    assert_allclose(set_distances(two, "masi_dkpro")[0, 1], 1 / 6)
    assert_allclose(set_distances(two, "jaccard")[0, 1], 1 / 2)


@pytest.mark.parametrize("distance", ["jaccard", "masi", "masi_dkpro"])
def test_nobody_coded_this(distance):
    found = set_distances([frozenset(), frozenset("A"), frozenset("B")], distance)
    assert_allclose(found, 1 - np.eye(3))


@pytest.mark.parametrize(
    ("square", "published"),
    [
        ([[20, 5], [10, 15]], 0.40),
        ([[45, 15], [25, 15]], 0.1304),
        ([[25, 35], [5, 35]], 0.2593),
        # Feinstein and Cicchetti (1990): 85 % agree in both.
        ([[40, 9], [6, 45]], 0.6995),
        ([[80, 10], [5, 5]], 0.3182),
        # Gwet (2002), where AC1 is .9408.
        ([[118, 5], [2, 0]], -0.0234),
    ],
)
def test_kappa_and_its_paradox(square, published):
    assert_allclose(kappa(from_square(square)).estimate, published, atol=5e-5)


def test_ac1_where_kappa_falls():
    assert_allclose(ac1(from_square([[118, 5], [2, 0]])).estimate, 0.9408, atol=5e-5)


def test_fourteen_raters():
    """Ten subjects and five categories, the well-known worked example of Fleiss' kappa: .210."""
    rows = [[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0],
            [0, 2, 2, 3, 7]]  # fmt: skip
    table = pd.DataFrame([np.repeat(range(5), row) for row in rows])
    assert_allclose(fleiss_kappa(table).estimate, 0.210, atol=5e-4)


@pytest.mark.parametrize(("scale", "published"), [("nominal", 0.691), ("interval", 0.811)])
def test_three_observers(scale, published):
    """Fifteen units of which three observers judged parts: .691 and .811."""
    coders = ["*****34121133*3", "1*213343*******", "**21344*21133*4"]
    table = pd.DataFrame([list(row) for row in coders]).T.replace("*", np.nan).astype(float)
    assert_allclose(alpha(table, scale=scale).estimate, published, atol=5e-4)


def test_agreement_on_yes_and_no():
    """2a / (2a + b + c) and 2d / (2d + b + c), with a 40, b 9, c 6 and d 45."""
    table = from_square([[45, 6], [9, 40]])
    assert_allclose(positive_agreement(table).estimate, 80 / 95)
    assert_allclose(negative_agreement(table).estimate, 90 / 105)


def test_pi_lies_between():
    found = scott_pi(COHEN)
    both = np.bincount(COHEN.to_numpy().ravel()) / 400
    chance = (both**2).sum()
    assert_allclose(found.estimate, (0.7 - chance) / (1 - chance))
