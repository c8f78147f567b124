"""Compares nested mixed models by their likelihoods, with the boundary of a variance in mind.

Reference: Self & Liang (1987), doi:10.1080/01621459.1987.10478472; Stram &
Lee (1994), doi:10.2307/2533455.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from expertise.errors import DesignError
from expertise.mixed.blocks import same_split
from expertise.mixed.columns import Array
from expertise.mixed.fit import MixedFit, refit
from expertise.mixed.residual import structure_of
from expertise.result import Result, tidy_table
from expertise.words import Note, note, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Comparison(Result):
    """Likelihood-ratio tests of models in rising order; made by `compare_fits`."""

    fits: tuple[MixedFit, ...]
    table: pd.DataFrame
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say what was compared."""
        return say("mixed.comparison", n=len(self.fits))

    def tidy(self) -> pd.DataFrame:
        """Return one row per model: its formula, and the test against the model before."""
        names = {"formula": "term", "statistic": "statistic", "df": "df", "p_value": "p_value"}
        return tidy_table(self.table.rename(columns=names)[[*names.values(), "method"]])

    def glance(self) -> pd.DataFrame:
        """Return one row per model: parameters, log-likelihood, AIC, BIC."""
        return self.table[["formula", "n_parameters", "log_likelihood", "aic", "bic"]]


def compare_fits(*fits: MixedFit) -> Comparison:
    """Compare nested models of the same rows by the likelihood ratio.

    Models that differ in their fixed part are refitted by maximum
    likelihood first, which a note says. Where one variance more is tested
    the p-value comes from the half-and-half mixture of chi-squares: a
    variance cannot be negative, nor can a residual correlation in
    continuous time. Models that are not nested, since the larger lacks a
    column, a random term or a residual parameter of the smaller, get no test.

    Raises
    ------
    DesignError
        For models of different rows or outcomes, or fewer than two.
    """
    if len(fits) < 2:
        raise DesignError("compare two fits or more")
    first = fits[0]
    for fit in fits[1:]:
        same = fit.design.y.shape == first.design.y.shape and fit.family == first.family
        if not same or not np.array_equal(fit.design.y, first.design.y):
            raise DesignError(
                f"{fit.design.formula.text!r} and {first.design.formula.text!r} were fitted to "
                "different rows or outcomes; fit both to the rows that are complete in both"
            )
    notes = []
    differ = any(set(fit.names) != set(first.names) for fit in fits)
    if any(fit.solution.method == "REML" for fit in fits) and (
        differ or len({fit.solution.method for fit in fits}) > 1
    ):
        fits = tuple(refit(fit, reml=False) for fit in fits)
        notes.append(note("mixed.refitted"))
    ordered = sorted(fits, key=lambda fit: fit.solution.n_parameters)
    rows = [_row(ordered[0], None)]
    rows += [_row(fit, before) for before, fit in pairwise(ordered)]
    methods = {row["method"] for row in rows}
    notes += [note(key) for key, method in (("mixed.mixture", "mixture"),
                                            ("mixed.not_nested", "not nested"))
              if method in methods]  # fmt: skip
    return Comparison(fits=tuple(ordered), table=pd.DataFrame(rows), notes=tuple(notes))


def _nested(small: MixedFit, large: MixedFit) -> bool:
    """Tell whether the larger model has all of the smaller, and fits no worse."""
    X = large.design.X
    if small.family == "cumulative":  # its thresholds hold the intercept
        X = np.column_stack([np.ones(large.n), X])
    held = [
        any(same_split(one, two) and _spans(two.Z, one.Z) for two in large.design.random)
        for one in small.design.random
    ]
    names = [{name for name, *_ in fit.solution.dispersion} for fit in (small, large)]
    return (
        _spans(X, small.design.X) and all(held) and names[0] <= names[1]
        and small.options.residual in (None, large.options.residual)
        and large.log_likelihood > small.log_likelihood - 1e-4
    )  # fmt: skip


def _spans(columns: Array, others: Array) -> bool:
    """Tell whether all other columns are combinations of these."""
    rest = others - columns @ np.linalg.lstsq(columns, others, rcond=None)[0]
    return bool((np.linalg.norm(rest, axis=0) <= 1e-7 * np.linalg.norm(others, axis=0)).all())


def _row(fit: MixedFit, before: MixedFit | None) -> dict[str, object]:
    row: dict[str, object] = {
        "formula": fit.model,
        "n_parameters": fit.solution.n_parameters,
        "log_likelihood": fit.log_likelihood,
        "aic": fit.aic,
        "bic": fit.bic,
    }
    if before is None:
        return {**row, "statistic": np.nan, "df": np.nan, "p_value": np.nan, "method": ""}
    df = fit.solution.n_parameters - before.solution.n_parameters
    ratio = max(2 * (fit.log_likelihood - before.log_likelihood), 0.0)
    if df == 0 or not _nested(before, fit):
        return {**row, "statistic": np.nan, "df": float(df), "p_value": np.nan,
                "method": "not nested"}  # fmt: skip
    p = float(chdtrc(df, ratio))
    if _bounded(fit, before) == 1 and fit.names == before.names:
        below = float(chdtrc(df - 1, ratio)) if df > 1 else float(ratio == 0)
        return {**row, "statistic": ratio, "df": float(df), "p_value": (p + below) / 2,
                "method": "mixture"}  # fmt: skip
    return {**row, "statistic": ratio, "df": float(df), "p_value": p, "method": "chi-square"}


def _bounded(fit: MixedFit, before: MixedFit) -> int:
    """Count the added parameters that cannot be negative: variances, and a first correlation."""
    count = [sum(len(term.names) for term in one.design.random) for one in (fit, before)]
    residual = fit.options.residual if before.options.residual is None else None
    structure = structure_of(fit.design.frame, fit.n, residual, None)
    return count[0] - count[1] + (residual is not None and not structure.signed)
