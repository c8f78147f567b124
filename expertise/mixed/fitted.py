"""What a fitted mixed model offers: estimates, tables, group effects, tests."""

from dataclasses import dataclass
from itertools import pairwise
from numbers import Real
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import fdtrc, ndtri, stdtr, stdtrit

from expertise.errors import DesignError
from expertise.mixed.columns import Array
from expertise.mixed.design import Design
from expertise.mixed.links import LINKS, Link
from expertise.mixed.residual import Whitened
from expertise.result import Result, tidy_table
from expertise.words import Note, say


class Freedom(Protocol):
    """How sure the fixed effects are: their covariance and their degrees of freedom."""

    @property
    def method(self) -> str:
        """`satterthwaite`, `kenward-roger` or `normal`."""

    @property
    def covariance(self) -> Array:
        """Covariance of the fixed effects, shape (p, p), adjusted where the method does so."""

    def df(self, L: Array) -> float:
        """Return the denominator degrees of freedom of one combination L, shape (p,)."""

    def joint(self, L: Array, estimate: Array) -> tuple[float, float]:
        """Return F and its denominator degrees of freedom for rows L, shape (k, p)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Normal:
    """Large-sample inference: infinite degrees of freedom."""

    covariance: Array
    method: str = "normal"

    def df(self, L: Array) -> float:
        """Return infinity."""
        return np.inf

    def joint(self, L: Array, estimate: Array) -> tuple[float, float]:
        """Return Wald's chi-square over its degrees of freedom, and infinity."""
        return wald(L, estimate, self.covariance), np.inf


def wald(L: Array, estimate: Array, covariance: Array) -> float:
    """Return the quadratic form of L @ estimate in its inverse covariance, per row of L."""
    value = L @ estimate
    return float(value @ np.linalg.solve(L @ covariance @ L.T, value)) / len(L)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """What an engine found.

    beta (p,); `covariances` one (q, q) per random term of the design, on the
    scale of the linear predictor; `modes` one (levels, q) per random term,
    the conditional estimates, with conditional covariances (levels, q, q);
    `freedom` holds the covariance of beta. `thresholds` (k,) of an ordered
    outcome, with `cov_joint` (p + k, p + k) of beta and thresholds together;
    `dispersion` holds (term, estimate, standard error) of further parameters;
    `covariance_errors` the standard errors of `covariances`, where the engine has them;
    `whitening` what makes the residuals independent, where they have a structure.
    `gradient` is the largest scaled slope left at the optimum.
    """

    method: str
    beta: Array
    freedom: Freedom
    covariances: tuple[Array, ...]
    sigma: float | None
    modes: tuple[Array, ...]
    mode_covariances: tuple[Array, ...]
    log_likelihood: float
    n_parameters: int
    converged: bool
    singular: bool
    evaluations: int
    gradient: float
    thresholds: Array | None = None
    cov_joint: Array | None = None
    dispersion: tuple[tuple[str, float, float], ...] = ()
    covariance_errors: tuple[Array, ...] | None = None
    whitening: Whitened | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Fitted(Result):
    """A design and the solution found for it."""

    design: Design
    solution: Solution
    link: Link
    conf_level: float
    notes: tuple[Note, ...]

    @property
    def family(self) -> str:
        """Family of the outcome."""
        return self.design.family

    @property
    def model(self) -> str:
        """The formula."""
        return self.design.formula.text

    @property
    def n(self) -> int:
        """Rows used."""
        return len(self.design.y)

    @property
    def n_people(self) -> int:
        """Levels of the finest grouping."""
        return self.design.n_people

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the p fixed coefficients."""
        return self.design.names

    @property
    def beta(self) -> Array:
        """Fixed coefficients, shape (p,)."""
        return self.solution.beta

    @property
    def cov_beta(self) -> Array:
        """Covariance of the fixed coefficients, shape (p, p)."""
        return self.solution.freedom.covariance

    @property
    def sigma(self) -> float | None:
        """Residual standard deviation; None where the family has none."""
        return self.solution.sigma

    @property
    def log_likelihood(self) -> float:
        """Log-likelihood at the optimum (restricted under REML)."""
        return self.solution.log_likelihood

    @property
    def singular(self) -> bool:
        """Whether a covariance lies at its boundary."""
        return self.solution.singular

    @property
    def aic(self) -> float:
        """Akaike's criterion: −2 log-likelihood + 2 × parameters."""
        return -2 * self.log_likelihood + 2 * self.solution.n_parameters

    @property
    def bic(self) -> float:
        """Schwarz's criterion with the number of rows, as lme4 does."""
        price = float(np.log(self.n))
        return -2 * self.log_likelihood + price * self.solution.n_parameters

    def heading(self) -> str:
        """Say in one line what was fitted, to how many rows and groups."""
        groups = {term.group: term.size for term in self.design.random}
        counts = ", ".join(f"{group} {size}" for group, size in groups.items())
        return say(
            "mixed.heading",
            formula=self.model,
            family=self.family,
            method=self.solution.method,
            n=self.n,
            groups=counts or "–",
        )

    def estimates(self, L: ArrayLike, conf_level: float | None = None) -> pd.DataFrame:
        """Return estimate, interval and test of linear combinations of the fixed effects.

        Parameters
        ----------
        L : array (k, p) or (p,)
            One row per combination.
        conf_level : float, optional
            Level of the intervals; that of the fit by default.

        Returns
        -------
        DataFrame
            `estimate std_error statistic df p_value conf_low conf_high conf_level`, k rows.

        Raises
        ------
        DesignError
            For rows of another length than p, and a level outside 0 to 1.
        """
        rows = np.atleast_2d(np.asarray(L, dtype=np.float64))
        if rows.shape[1] != len(self.beta):
            raise DesignError(
                f"L has {rows.shape[1]} columns; give one for each of the {len(self.beta)} fixed "
                "coefficients"
            )
        estimate = rows @ self.beta
        std_error = np.sqrt(np.einsum("ij,jk,ik->i", rows, self.cov_beta, rows))
        df = np.array([self.solution.freedom.df(row) for row in rows])
        return intervals(estimate, std_error, df, self.level(conf_level))

    def level(self, conf_level: float | None) -> float:
        """Return the level of intervals that is asked for; that of the fit by default."""
        return self.conf_level if conf_level is None else checked_level(conf_level)

    def tidy(self) -> pd.DataFrame:
        """Return fixed effects, then thresholds, variances and covariances, then dispersion."""
        fixed = self.estimates(np.eye(len(self.beta)))
        fixed.insert(0, "term", list(self.names))
        fixed.insert(0, "component", "fixed")
        rows = [*self._thresholds(), *self._variances()]
        rows += [
            {"component": "dispersion", "term": term, "estimate": value, "std_error": error}
            for term, value, error in self.solution.dispersion
        ]
        both = [*fixed.to_dict("records"), *rows]
        for row in both:
            row["method"] = self.solution.method
        return tidy_table(both)

    def _thresholds(self) -> list[dict[str, Any]]:
        thresholds, joint = self.solution.thresholds, self.solution.cov_joint
        if thresholds is None or joint is None:
            return []
        std_error = np.sqrt(np.diag(joint)[len(self.beta) :])
        table = intervals(thresholds, std_error, np.full(len(thresholds), np.inf), self.conf_level)
        levels = self.design.outcome_levels
        table.insert(0, "term", [f"{a}|{b}" for a, b in pairwise(levels)])
        table.insert(0, "component", "threshold")
        rows: list[dict[str, Any]] = table.to_dict("records")
        return rows

    def _variances(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        errors = self.solution.covariance_errors
        for at, (term, matrix) in enumerate(
            zip(self.design.random, self.solution.covariances, strict=True)
        ):
            for i, name in enumerate(term.names):
                for j in range(i, len(term.names)):
                    both = name if i == j else f"{name}, {term.names[j]}"
                    row = {"term": both, "group": term.group, "estimate": matrix[i, j]}
                    if errors is not None:
                        row |= self._wald(matrix[i, j], errors[at][i, j], logarithmic=i == j)
                    rows.append(row)
        if self.sigma is not None:
            rows.append({"term": "", "group": "residual", "estimate": self.sigma**2})
        return [{"component": "variance", **row} for row in rows]

    def _wald(self, estimate: float, error: float, *, logarithmic: bool) -> dict[str, float]:
        """Return Wald's interval; of a variance on the log scale, none at its boundary."""
        half = float(ndtri((1 + self.conf_level) / 2)) * error
        if not error > 0:
            low = high = np.nan
        elif logarithmic:
            low, high = estimate * np.exp(np.clip(np.array([-half, half]) / estimate, -700, 700))
        else:
            low, high = estimate - half, estimate + half
        return {
            "std_error": error if error > 0 else np.nan, "conf_low": low, "conf_high": high,
            "conf_level": self.conf_level,
        }  # fmt: skip

    def glance(self) -> pd.DataFrame:
        """Return one row: sizes, fit, convergence."""
        return pd.DataFrame(
            [
                {
                    "n": self.n,
                    "n_people": self.n_people,
                    "n_dropped": self.design.total - self.n,
                    "log_likelihood": self.log_likelihood,
                    "aic": self.aic,
                    "bic": self.bic,
                    "sigma": np.nan if self.sigma is None else self.sigma,
                    "n_parameters": self.solution.n_parameters,
                    "method": self.solution.method,
                    "df_method": self.solution.freedom.method,
                    "converged": self.solution.converged,
                    "singular": self.singular,
                    "evaluations": self.solution.evaluations,
                    "gradient": self.solution.gradient,
                }
            ]
        )

    def linear_predictor(self, groups: bool = True) -> Array:
        """Return Xβ plus offset, and the group effects where `groups`, shape (n,)."""
        eta: Array = self.design.X @ self.beta
        if self.design.offset is not None:
            eta = eta + self.design.offset
        if groups:
            for term, modes in zip(self.design.random, self.solution.modes, strict=True):
                eta = eta + np.einsum("ij,ij->i", term.Z, modes[term.codes])
        return eta

    def augment(self) -> pd.DataFrame:
        """Return the rows used with their fitted values and residuals, labels as in the table.

        `fixed` leaves the group effects out, `fitted` has them in; both are
        expected outcomes (per trial for successes out of trials; on the
        scale of the linear predictor for an ordered outcome).
        """
        link = LINKS["identity"] if self.family == "cumulative" else self.link
        table = pd.DataFrame({self.design.outcome: self.design.y}, index=self.design.index)
        for term in self.design.random:
            table[term.group] = np.asarray(term.levels, dtype=object)[term.codes]
        table["fixed"] = link.inverse(self.linear_predictor(groups=False))
        table["fitted"] = link.inverse(self.linear_predictor())
        if self.family != "cumulative":
            trials = 1.0 if self.design.trials is None else self.design.trials
            table["residual"] = self.design.y / trials - table["fitted"]
        return table

    def random_effects(self) -> pd.DataFrame:
        """Return the conditional estimates of every group, with their intervals.

        The standard deviation is conditional on the estimated parameters, as
        lme4's `condVar`; the interval uses the normal distribution.
        """
        tables = []
        z = ndtri((1 + self.conf_level) / 2)
        parts = zip(
            self.design.random, self.solution.modes, self.solution.mode_covariances, strict=True
        )
        for term, modes, covariances in parts:
            sd = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
            q = len(term.names)
            table = pd.DataFrame(
                {
                    "group": term.group,
                    "level": np.repeat(np.asarray(term.levels, dtype=object), q),
                    "term": np.tile(np.asarray(term.names, dtype=object), term.size),
                    "estimate": modes.ravel(),
                    "std_error": sd.ravel(),
                }
            )
            table["conf_low"] = table["estimate"] - z * table["std_error"]
            table["conf_high"] = table["estimate"] + z * table["std_error"]
            tables.append(table)
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def checked_level(conf_level: float) -> float:
    """Return the level of intervals, or refuse what is none."""
    if not isinstance(conf_level, Real) or not 0 < conf_level < 1:
        raise DesignError(f"conf_level is {conf_level}; it lies between 0 and 1, such as 0.95")
    return conf_level


def intervals(estimate: Array, std_error: Array, df: Array, conf_level: float) -> pd.DataFrame:
    """Return the interval and the two-sided test of each estimate by Student's t."""
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / std_error
    half = stdtrit(df, (1 + conf_level) / 2) * std_error
    return pd.DataFrame(
        {
            "estimate": estimate,
            "std_error": std_error,
            "statistic": statistic,
            "df": df,
            "p_value": 2 * stdtr(df, -abs(statistic)),
            "conf_low": estimate - half,
            "conf_high": estimate + half,
            "conf_level": conf_level,
        }
    )


def f_test(fit: Fitted, L: ArrayLike) -> dict[str, float]:
    """Test that all rows of L times the fixed effects are zero: F, its degrees of freedom, p."""
    rows = np.atleast_2d(np.asarray(L, dtype=np.float64))
    value, df = fit.solution.freedom.joint(rows, fit.beta)
    p = fdtrc(len(rows), min(df, 1e12), value)
    return {"statistic": value, "df_num": float(len(rows)), "df": df, "p_value": float(p)}
