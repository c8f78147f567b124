"""Interrupted time series: did the counts change when the service did?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import minimize_scalar

from expertise.errors import DataError, DesignError, FitError, listed
from expertise.figures import Look, StoryAxes, draw, end_labels
from expertise.outcomes.tables import Vector, from_then, need_level, need_time, numbers
from expertise.result import Result, tidy_table
from expertise.words import Note, interval, note, number, say

FAMILIES = ("poisson", "quasipoisson", "negbin")
CHANGES = ("level", "slope")
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Interrupted(Result):
    """A segmented count model: rate ratios, fitted and counterfactual course.

    `effect` is the ratio of fitted to expected-without-change at the last
    point, with its interval; `acf` holds the correlations of the residuals
    from lag 1 on; `dispersion` is Pearson's (for negbin: the alpha).
    """

    ratios: pd.DataFrame
    course: pd.DataFrame
    effect: tuple[float, float, float]
    start: object
    family: str
    dispersion: float
    acf: tuple[float, ...]
    log_likelihood: float
    measured: str
    conf_level: float
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Name the model, its length and its dispersion."""
        return (
            f"Interrupted series ({self.family}), {len(self.course)} points, "
            f"dispersion {self.dispersion:.3f}"
        )

    def tidy(self) -> pd.DataFrame:
        """Return a rate ratio a row; `std_error` is that of its logarithm."""
        return tidy_table(self.ratios)

    def glance(self) -> pd.DataFrame:
        """Return one row: points, dispersion, first autocorrelation, log-likelihood."""
        row = {"n": len(self.course), "method": self.family, "dispersion": self.dispersion}
        row |= {"acf_1": self.acf[0], "log_likelihood": self.log_likelihood}
        return pd.DataFrame([row])

    def augment(self) -> pd.DataFrame:
        """Return a row a point: observed, fitted and counterfactual with intervals."""
        return self.course.copy()

    def plot(self, lang: str = "en") -> StoryAxes:
        """Draw what was counted, what fits, and what was to be expected without the change."""
        ratio, low, high = self.effect
        gain = [100 * (x - 1) for x in (ratio, low, high)]
        kind = "unclear" if low <= 1 <= high else "less" if ratio < 1 else "more"
        ends = sorted(abs(x) for x in gain[1:])
        words = {
            "measured": self.measured, "n": len(self.course), "start": self.start,
            "size": number(abs(gain[0]), 0, lang),
            "range": f" {say('result.to', lang)} ".join(number(end, 0, lang) for end in ends),
            "ratio": interval(ratio, low, high, lang),
        }  # fmt: skip
        course = self.course

        def paint(axes: StoryAxes, look: Look) -> None:
            x = np.arange(len(course))
            axes.plot(x, course["observed"], ".", color=look.color(None), alpha=0.6,
                      markersize=6)  # fmt: skip
            axes.fill_between(x, course["conf_low"], course["conf_high"], color=look.color(1),
                              alpha=0.2, linewidth=0)  # fmt: skip
            axes.plot(x, course["fitted"], color=look.color(1))
            after = course["after"].to_numpy()
            axes.plot(x[after], course["expected"][after], color=look.color(2), linestyle="--")
            axes.axvline(x[after][0] - 0.5, color=look.text, linewidth=1, linestyle=":")
            every = max(1, -(-len(x) // (3 if look.phone else 7)))
            axes.set_xticks(x[::every], [str(t)[:10] for t in course["time"][::every]])
            axes.set_ylabel(self.measured)
            end = course.iloc[-1]
            end_labels(axes, [
                (x[-1], end["fitted"], say("outcomes.its_fitted", lang), look.color(1)),
                (x[-1], end["expected"], say("outcomes.its_expected", lang), look.color(2)),
            ])  # fmt: skip

        return draw(
            paint,
            title=say(f"outcomes.its_{kind}", lang, **words),
            subtitle=say("outcomes.its_sub", lang, **words),
            alt=say(f"outcomes.its_alt_{kind}", lang, **words),
            table=course,
            lang=lang,
        )


def interrupted_series(
    table: pd.DataFrame,
    *,
    outcome: str,
    start: object,
    time: str = "time",
    exposure: str | None = None,
    family: str = "quasipoisson",
    change: tuple[str, ...] = ("level",),
    harmonics: int = 0,
    period: float = 12,
    lags: int = 0,
    measured: str = "",
    conf_level: float = 0.95,
) -> Interrupted:
    """Fit a segmented regression of counts with a log link.

    Parameters
    ----------
    table : DataFrame
        A row a period, evenly spaced and in time.
    outcome : str
        Column of counts (or of hours: anything not below 0).
    start : value of the time column
        First period of the new situation, chosen before looking.
    exposure : str, optional
        Column of people or days at risk; enters as an offset.
    family : {"poisson", "quasipoisson", "negbin"}
        How counts vary about their mean.
    change : tuple of {"level", "slope"}
        What may change at `start`; also chosen before looking.
    harmonics : int
        Pairs of sine and cosine for the season, with `period` rows a cycle.
    lags : int
        Above 0: standard errors of Newey and West (Bartlett weights, no
        small-sample factor), which allow for correlation of what is left over
        up to so many periods apart. They need a long series: below some 50
        periods they tend to be too small.
    measured : str
        What was counted, in words, for the plot.
    conf_level : float
        Of the intervals, by the normal distribution on the log scale.

    Returns
    -------
    Interrupted
        Not computed: what else happened at that time; a control series is the
        best guard and can be fitted the same way. Without `lags`, correlation of
        the residuals is noted and not corrected.

    Raises
    ------
    DataError
        Rows out of time, a count below 0, an exposure of 0, a start outside the series.
    DesignError
        Too few periods before or after for what is asked.

    References
    ----------
    Lopez Bernal, Cummins & Gasparrini 2017, doi:10.1093/ije/dyw098; Newey &
    West 1987, doi:10.2307/1913610.

    Examples
    --------
    >>> months = pd.DataFrame({"time": range(24), "n": [20, 22, 19, 21] * 3 + [10, 11, 9, 10] * 3})
    >>> found = interrupted_series(months, outcome="n", start=12, change=("level",))
    >>> bool(found.effect[2] < 1)
    True
    """
    need_level(conf_level)
    y, offset, after = _series(table, outcome, start, time, exposure)
    if family not in FAMILIES:
        raise DataError(f"unknown family {family!r}; allowed are {listed(FAMILIES)}")
    if not change or not set(change) <= set(CHANGES):
        raise DataError(f"change is {change!r}; give one or both of {listed(CHANGES)}")
    design, names = _design(len(y), after, change, harmonics, period)
    if min(after.sum(), (~after).sum()) < 3 or len(y) < design.shape[1] + 3:
        raise DesignError(
            f"the series has {(~after).sum()} periods before and {after.sum()} after {start!r}; "
            f"at least 3 of each, and {design.shape[1] + 3} in all, are needed for this model"
        )
    if not 0 <= lags < len(y) // 2:
        raise DesignError(
            f"lags is {lags}; give 0 to {len(y) // 2 - 1} for a series of {len(y)} periods"
        )
    beta, cov, dispersion, log_likelihood = _fit(y, design, offset, family, lags)
    quantile = float(stats.norm.ppf((1 + conf_level) / 2))
    without = design.copy()
    without[:, [i for i, name in enumerate(names) if name in CHANGES]] = 0
    fitted, low, high = _band(design, beta, cov, offset, quantile)
    expected, expected_low, expected_high = _band(without, beta, cov, offset, quantile)
    gap = design[-1] - without[-1]
    size, error = float(gap @ beta), float(np.sqrt(gap @ cov @ gap))
    spread = fitted + dispersion * fitted**2 if family == "negbin" else fitted
    acf = _acf((y - fitted) / np.sqrt(spread), min(12, len(y) // 4))
    ratios = _ratios(names, beta, cov, conf_level, len(y))
    course = pd.DataFrame(
        {
            "time": table[time].to_numpy(), "observed": y, "after": after, "fitted": fitted,
            "conf_low": low, "conf_high": high, "expected": expected,
            "expected_low": expected_low, "expected_high": expected_high,
        }
    )  # fmt: skip
    ends = np.exp([size, size - quantile * error, size + quantile * error])
    return Interrupted(
        ratios=ratios,
        course=course,
        effect=(float(ends[0]), float(ends[1]), float(ends[2])),
        start=start,
        family=family,
        dispersion=dispersion,
        acf=acf,
        log_likelihood=log_likelihood,
        measured=measured or outcome,
        conf_level=conf_level,
        notes=_notes(acf, len(y), family, dispersion, lags),
    )


def _series(
    table: pd.DataFrame, outcome: str, start: object, time: str, exposure: str | None
) -> tuple[Vector, Vector, NDArray[np.bool_]]:
    need_time(table, time)
    when = table[time]
    y = numbers(table, outcome, missing=False)
    if (y < 0).any():
        raise DataError(f"row {table.index[(y < 0).argmax()]}, column {outcome!r}: below 0")
    size = numbers(table, exposure, missing=False) if exposure else np.ones(len(y))
    if (size <= 0).any():
        row = table.index[(size <= 0).argmax()]
        raise DataError(f"row {row}, column {exposure!r}: not above 0; leave out such a period")
    after = from_then(when, start)
    if not 0 < after.sum() < len(y):
        raise DataError(
            f"start {start!r} does not split the series, which runs from {when.iloc[0]} "
            f"to {when.iloc[-1]}"
        )
    if not (y[after].any() and y[~after].any()):
        raise DesignError(
            f"every count {'before' if y[after].any() else 'from'} {start!r} is 0, "
            "so a ratio has no end; use longer periods"
        )
    if np.ptp(y / size) == 0:
        raise DesignError("the rate is the same in every period; there is nothing to model")
    return y, np.log(size), after


def _design(
    n: int, after: NDArray[np.bool_], change: tuple[str, ...], harmonics: int, period: float
) -> tuple[Matrix, list[str]]:
    """Return the columns: intercept, trend, what may change, season."""
    if harmonics < 0 or period <= 0:
        raise DesignError(
            f"{harmonics} harmonics of period {period:g}; give 0 or more, of a period above 0"
        )
    at = np.arange(n, dtype=float)
    columns = {"intercept": np.ones(n), "trend": at}
    if "level" in change:
        columns["level"] = after.astype(float)
    if "slope" in change:
        columns["slope"] = np.where(after, at - at[after][0], 0.0)
    for k in range(1, harmonics + 1):
        angle = 2 * np.pi * k * at / period
        columns |= {f"sin {k}": np.sin(angle), f"cos {k}": np.cos(angle)}
    design = np.column_stack(list(columns.values()))
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise DesignError(
            f"{harmonics} harmonics of period {period:g} cannot be told apart in this series; "
            "use fewer"
        )
    return design, list(columns)


def _fit(
    y: Vector, design: Matrix, offset: Vector, family: str, lags: int
) -> tuple[Vector, Matrix, float, float]:
    """Return coefficients, their covariance, the dispersion and the log-likelihood."""
    errors: dict[str, Any] = {}
    if lags:
        errors = {"cov_type": "HAC", "cov_kwds": {"maxlags": lags, "use_correction": False}}
    fit = sm.GLM(y, design, family=sm.families.Poisson(), offset=offset).fit(
        scale="X2" if family == "quasipoisson" else 1.0, **errors
    )
    if not fit.converged:
        raise FitError("the count model did not converge; try fewer terms")
    dispersion = float(fit.pearson_chi2 / fit.df_resid)
    if family != "negbin":
        likelihood = float(fit.llf) if family == "poisson" else np.nan
        return fit.params, fit.cov_params(), dispersion, likelihood
    # Counts that vary less than Poisson's have no negative binomial: alpha would fall below 0.
    if dispersion <= 1:
        raise FitError(
            f"the counts vary less than Poisson's (dispersion {dispersion:.2f}), so the negative "
            "binomial has no optimum; use family='quasipoisson'"
        )

    def at(log_alpha: float, **errors: Any) -> Any:
        kind = sm.families.NegativeBinomial(alpha=float(np.exp(log_alpha)))
        return sm.GLM(y, design, family=kind, offset=offset).fit(start_params=fit.params, **errors)

    # Coefficients and alpha are orthogonal, so the profile over alpha gives both.
    guess = np.log((dispersion - 1) / y.mean())
    best = minimize_scalar(
        lambda x: -at(x).llf, bounds=(guess - 6, guess + 6), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    full = at(best.x, **errors)
    return full.params, full.cov_params(), float(np.exp(best.x)), float(full.llf)


def _ratios(names: list[str], beta: Vector, cov: Matrix, conf_level: float, n: int) -> pd.DataFrame:
    """Return rate ratios with intervals, symmetric on the log scale."""
    se = np.sqrt(np.diag(cov))
    half = stats.norm.ppf((1 + conf_level) / 2) * se
    table = {"component": "fixed", "term": names, "estimate": np.exp(beta), "std_error": se}
    table |= {"statistic": beta / se, "p_value": 2 * stats.norm.sf(np.abs(beta / se))}
    table |= {"conf_low": np.exp(beta - half), "conf_high": np.exp(beta + half)}
    return pd.DataFrame(table | {"conf_level": conf_level, "n": n, "method": "rate ratio"})


def _band(
    design: Matrix, beta: Vector, cov: Matrix, offset: Vector, quantile: float
) -> tuple[Vector, Vector, Vector]:
    line = design @ beta + offset
    half = quantile * np.sqrt(np.einsum("ij,jk,ik->i", design, cov, design))
    return np.exp(line), np.exp(line - half), np.exp(line + half)


def _acf(rest: Vector, lags: int) -> tuple[float, ...]:
    rest = rest - rest.mean()
    total = float(rest @ rest)
    return tuple(float(rest[k:] @ rest[:-k]) / total for k in range(1, max(lags, 1) + 1))


def _notes(
    acf: tuple[float, ...], n: int, family: str, dispersion: float, lags: int
) -> tuple[Note, ...]:
    notes = []
    if lags:
        notes.append(note("outcomes.its_lags", lags=lags))
    elif abs(acf[0]) > stats.norm.ppf(0.975) / np.sqrt(n):
        notes.append(note("outcomes.its_autocorrelation", r=f"{acf[0]:.2f}"))
    if family == "poisson" and dispersion > 1.5:
        notes.append(note("outcomes.its_dispersion", ratio=f"{dispersion:.2f}"))
    return tuple(notes)
