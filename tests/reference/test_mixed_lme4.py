"""Linear mixed models against lme4, lmerTest and pbkrtest at tight tolerance."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.mixed.compare import compare_fits
from expertise.mixed.fit import fit_mixed
from expertise.mixed.fitted import f_test
from expertise.mixed.joint import joint_tests
from expertise.mixed.profiles import profile_intervals

MODELS = {
    "a": ("sleepstudy.csv", "Reaction ~ Days + (Days | Subject)"),
    "u": ("sleepunb.csv", "Reaction ~ Days * group + (Days | Subject)"),
    "b": ("penicillin.csv", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
    "c": ("pastes.csv", "strength ~ 1 + (1 | sample) + (1 | batch)"),
    "i": ("btheb.csv", "bdi ~ bdi.pre + time + treatment + drug + length + (1 | subject)"),
    "i2": ("btheb.csv", "bdi ~ bdi.pre + time + treatment + drug + length + (time | subject)"),
}


def table(folder, name):
    data = pd.read_csv(folder / "mixed" / name)
    if "treatment" in data:
        data["treatment"] = pd.Categorical(data["treatment"], ["TAU", "BtheB"])
    return data


@pytest.mark.parametrize(
    ("df", "se", "degrees"),
    [("satterthwaite", "se", "df_sat"), ("kenward-roger", "se_kr", "df_kr")],
)
@pytest.mark.parametrize("case", MODELS)
def test_lmer(real_data, case, df, se, degrees):
    want = json.loads((real_data / "mixed" / "reference.json").read_text())[case]
    name, formula = MODELS[case]
    fit = fit_mixed(formula, table(real_data, name), df=df)
    fixed = fit.tidy().query("component == 'fixed'")
    assert fixed["term"].tolist() == np.atleast_1d(want["terms"]).tolist()
    assert fit.log_likelihood >= want["logLik"] - 1e-6
    assert_allclose(fixed["estimate"], want["est"], rtol=1e-6)
    assert_allclose(fixed["std_error"], want[se], rtol=1e-6 if se == "se" else 1e-4)
    assert_allclose(fixed["df"], want[degrees], rtol=1e-4)
    assert_allclose(fit.sigma**2, want["sigma2"], rtol=1e-5)
    for term, G in zip(fit.design.random, fit.solution.covariances, strict=True):
        assert_allclose(G.ravel(), want["vc"][term.group], rtol=1e-5)


def test_kenward_roger_on_unbalanced_data(real_data):
    fit = fit_mixed(MODELS["u"][1], table(real_data, "sleepunb.csv"), df="kenward-roger")
    fixed = fit.tidy().query("component == 'fixed'")
    assert_allclose(fixed["df"], [16.147697, 15.657620, 15.865322, 15.738616], rtol=1e-6)
    adjusted = [12.97485045, 3.01115334, 15.84532547, 3.69599431]
    assert_allclose(fixed["std_error"], adjusted, rtol=1e-7)


@pytest.mark.parametrize(
    ("formula", "beta", "variances", "sigma2", "log_likelihood"),
    [
        (
            "y ~ service + (1|s) + (1|d) + (1|dept)", [3.282587756, -0.092641703],
            [0.10599796, 0.26522122, 0.00691194], 1.38650036, -118866.917064,
        ),
        (
            "y ~ service + (1|s) + (1|d) + (1|dept:service)", [3.28067248, -0.05349530],
            [0.10542664, 0.26256847, 0.01202479], 1.38495984, -118830.767860,
        ),
    ],
)  # fmt: skip
def test_insteval(real_data, formula, beta, variances, sigma2, log_likelihood):
    data = table(real_data, "insteval.csv")
    fit = fit_mixed(formula, data, df="normal")
    assert fit.log_likelihood >= log_likelihood - 1e-6
    assert_allclose(fit.beta, beta, rtol=1e-6)
    found = [float(G[0, 0]) for G in fit.solution.covariances]
    assert_allclose([*found, fit.sigma**2], [*variances, sigma2], rtol=1e-5)


def test_patients_in_teams(real_data):
    fit = fit_mixed(
        "y ~ time*trt + age + sex + (time | patient) + (1 | team)",
        table(real_data, "outcome50k.csv"),
    )
    fixed = fit.tidy().query("component == 'fixed'")
    beta = [20.26804186, -0.79651540, 0.36304220, 0.57439733, 0.94865583, -0.70641924]
    assert fit.log_likelihood >= -124814.111642 - 1e-6
    assert_allclose(fixed["estimate"], beta, rtol=1e-6)
    G, team = fit.solution.covariances
    assert_allclose(G[np.tril_indices(2)], [8.7305588, -0.5883586, 0.2469826], rtol=1e-5)
    assert_allclose([team[0, 0], fit.sigma**2], [1.9753266, 6.2682445], rtol=1e-5)
    # lmerTest says 140.22 and 4997.96 by a numerical Hessian; balance makes the latter 4998
    df = [140.22, 4997.96, 4942.88, 4911.31, 4913.53, 4997.96]
    assert_allclose(fixed["df"], df, rtol=3e-4)
    assert_allclose(fixed["df"].iloc[[1, 5]], 4998, rtol=1e-9)


def test_generalizability_study(real_data):
    terms = ["p", "v", "i", "o", "pv", "pi", "po", "vi", "vo", "io"]
    formula = "y ~ 1 + " + " + ".join(f"(1 | {term})" for term in terms)
    fit = fit_mixed(formula, table(real_data, "gstudy.csv"), df="normal")
    want = [
        0.64357728, 0.04968161, 0.19236678, 0.01632740, 0.24264936, 0.15688341, 0.06101913,
        0.04318854, 0.00727678, 0.00703797,
    ]  # fmt: skip
    assert fit.log_likelihood >= -43288.835390264 - 1e-6
    assert_allclose([G[0, 0] for G in fit.solution.covariances], want, rtol=1e-5)
    assert_allclose(fit.sigma**2, 0.48402758, rtol=1e-5)


TRIAL = "bdi ~ bdi.pre + time * length + treatment * drug + (time | subject)"


@pytest.mark.parametrize(
    ("df", "F", "degrees"),
    [
        (
            "satterthwaite",
            [63.0277627428, 20.7482370731, 0.0740357098, 1.6859166188, 2.7962419969,
             0.5798316535, 1.6950149056],
            [96.3054860013, 56.3472866966, 94.3215486681, 90.0766279369, 91.0177504421,
             56.5172405203, 88.8605941511],
        ),
        (
            "kenward-roger",
            [61.7901841573, 20.4058271156, 0.0737838189, 1.6416389113, 2.7230665768,
             0.5698766211, 1.6492444228],
            [95.2189387463, 56.3757761782, 93.3358985924, 89.1727668279, 90.0991231960,
             56.5961980968, 87.9943442145],
        ),
    ],
)  # fmt: skip
def test_whole_terms(real_data, df, F, degrees):
    fit = fit_mixed(TRIAL, table(real_data, "btheb.csv"), df=df)
    tests = joint_tests(fit).tidy()
    order = ["bdi.pre", "time", "length", "treatment", "drug", "time:length", "treatment:drug"]
    tests = tests.set_index("term").loc[order]
    assert_allclose(tests["statistic"], F, rtol=1e-4)
    assert_allclose(tests["df"], degrees, rtol=1e-4)


@pytest.mark.parametrize(
    ("df", "F", "degrees"),
    [("satterthwaite", 6.31499054304, 78.4906438602),
     ("kenward-roger", 6.15491573816, 90.9175305091)],
)  # fmt: skip
def test_two_rows_together(real_data, df, F, degrees):
    fit = fit_mixed(TRIAL, table(real_data, "btheb.csv"), df=df)
    L = np.zeros((2, 8))
    names = list(fit.names)
    L[0, names.index("time")] = 1
    L[1, [names.index("length>6m"), names.index("treatmentBtheB")]] = 1
    found = f_test(fit, L)
    assert_allclose([found["statistic"], found["df"]], [F, degrees], rtol=1e-4)


def test_likelihood_ratio_refits_by_ml_and_says_so(real_data):
    data = table(real_data, "btheb.csv")
    smaller = fit_mixed(TRIAL.replace("time * length", "time + length"), data)
    comparison = compare_fits(fit_mixed(TRIAL, data), smaller)
    last = comparison.tidy().iloc[-1]
    assert_allclose(last["statistic"], 0.62127, atol=6e-6)
    assert_allclose(last["p_value"], 0.43057, atol=6e-6)
    assert_allclose(comparison.glance()["aic"], [1891.319725, 1892.698451], atol=2e-6)
    assert "refitted by maximum likelihood" in str(comparison.notes[0])


@pytest.mark.parametrize(
    ("case", "limits"),
    [
        (
            "a",
            [(237.6806955, 265.1295147), (7.3586532751, 13.5759187517),
             (14.3814181608, 37.7159953183), (3.8011640533, 8.7533807531),
             (-0.4815007583, 0.6849862733), (22.8982668821, 28.8579965114)],
        ),
        (
            "c",
            [(58.6636503787, 61.443016368), (2.1579337083, 4.053588937), (0, 2.946591098),
             (0.6520233593, 1.085448104)],
        ),
    ],
)  # fmt: skip
def test_profile_intervals(real_data, case, limits):
    # lme4 interpolates its profiles, so it is the cruder of the two
    name, formula = MODELS[case]
    profiles = profile_intervals(fit_mixed(formula, table(real_data, name))).tidy()
    if case == "a":
        order = ["(Intercept)", "Days", "sd (Intercept)", "sd Days", "cor (Intercept), Days", "sd"]
        profiles = profiles.set_index("term").loc[order]
    assert_allclose(profiles[["conf_low", "conf_high"]], limits, rtol=1e-4, atol=1e-4)
