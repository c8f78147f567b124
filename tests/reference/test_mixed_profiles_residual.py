"""Profile intervals with residual structures against a dense likelihood in R (R 4.2.2)."""

from pathlib import Path

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.mixed.fit import fit_mixed
from expertise.mixed.profiles import profile_intervals

HERE = Path(__file__).parent
REFERENCE = pd.read_csv(HERE / "mixed_profiles_residual.csv")
GONE = [2, 9, 17, 29, 30, 49, 76]
CASES = {
    "ar1": (" + (1 | Subject)", {"residual": "ar1(wave | Subject)"}),
    "both": (" + (1 | Subject)", {"residual": "car1(age | Subject)", "dispersion": "~ Sex"}),
    "slope": (" + (age | Subject)", {"dispersion": "~ Sex"}),
    "gls": ("", {"residual": "ar1(wave | Subject)"}),
}
TERMS = {
    "sd (Intercept)": "sd",
    "sd age": "sd_age",
    "cor (Intercept), age": "cor",
    "sd": "sigma",
    "ar1 correlation: wave": "phi",
    "car1 correlation: age": "phi",
    "log variance: SexFemale": "tau",
}


def fitted(case, **options):
    """Return the fit of a case and what R says of it."""
    random, structure = CASES[case]
    table = pd.read_csv(HERE / "mixed_residual_data.csv")
    table["Sex"] = pd.Categorical(table["Sex"], ["Male", "Female"])
    table = table.drop(index=GONE) if case == "both" else table
    want = REFERENCE[REFERENCE["case"] == case].set_index("what")["value"]
    return fit_mixed(f"distance ~ age * Sex{random}", table, **structure, **options), want


@pytest.mark.parametrize("case", CASES)
def test_limits_are_those_of_the_dense_likelihood(case):
    fit, want = fitted(case)
    found = profile_intervals(fit, ["age", "age:SexFemale", "sd"], progress=False).tidy()
    assert len(found) == sum(what.startswith("low ") for what in want.index)
    for row in found.to_dict("records"):
        name = TERMS.get(row["term"], row["term"])
        assert_allclose(row["estimate"], want[f"estimate {name}"], rtol=2e-5, err_msg=name)
        assert_allclose(row["conf_low"], want[f"low {name}"], rtol=1e-5, err_msg=name)
        assert_allclose(row["conf_high"], want[f"high {name}"], rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("case", CASES)
def test_the_optimum_is_that_of_nlme(case):
    fit, want = fitted(case, reml=False)
    assert_allclose(fit.log_likelihood, want["nlme log_likelihood"], rtol=1e-10)
    assert_allclose(fit.log_likelihood, want["log_likelihood"], rtol=1e-10)
