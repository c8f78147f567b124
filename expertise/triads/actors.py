"""Interdependence: what someone's own score and the other's score have to do with an outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import fdtrc, stdtr, stdtrit

from expertise.errors import DataError, DesignError, listed
from expertise.figures import StoryAxes
from expertise.result import Result, tidy_table
from expertise.triads.forest import forest
from expertise.triads.tables import Array, check_level, levels, long_rows, two_or_more
from expertise.words import Note, note, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """An ordinary regression: beta (p,), cov (p, p), residual variance and its df."""

    beta: Array
    cov: Array
    variance: float
    df: int
    residuals: Array


def regress(y: Array, X: Array, what: str) -> Line:
    """Fit by ordinary least squares; DesignError where the columns depend on each other."""
    n, p = X.shape
    if n <= p:
        raise DesignError(f"{n} {what} are too few for {p} coefficients")
    scale = np.sqrt((X**2).mean(axis=0))
    if (scale == 0).any() or np.linalg.matrix_rank(X / scale) < p:
        raise DesignError(
            f"the predictors of {what} depend on each other or do not vary; leave one out"
        )
    inverse = np.linalg.inv(X.T @ X)
    beta = np.asarray(np.linalg.lstsq(X, y, rcond=None)[0], dtype=np.float64)
    rest = y - X @ beta
    variance = float(rest @ rest) / (n - p)
    return Line(beta=beta, cov=variance * inverse, variance=variance, df=n - p, residuals=rest)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Interdependence(Result):
    """Actor and partner effects, their ratio k, the correlation of what is left, and tests.

    `tests` has a row a hypothesis of equal paths: F with its degrees of freedom.
    """

    table: pd.DataFrame
    tests: pd.DataFrame
    roles: tuple[Any, ...]
    distinguishable: bool
    n_people: int
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say how many groups of whom."""
        kind = "distinguishable" if self.distinguishable else "alike"
        return say(f"triads.actors_{kind}", n=self.n_people, roles=listed(self.roles))

    def tidy(self) -> pd.DataFrame:
        """Return paths, k, residual spread and correlations, then the tests of equal paths."""
        return tidy_table(pd.concat([self.table, self.tests], ignore_index=True))

    def glance(self) -> pd.DataFrame:
        """Return one row: groups and roles."""
        row = {"n_people": self.n_people, "n": self.n_people * len(self.roles)}
        return pd.DataFrame([row | {"distinguishable": self.distinguishable}])

    def paths(self) -> pd.DataFrame:
        """Return a row a path: `by` whose score, `of` whose outcome, whether they are `partner`."""
        rows = self.table[
            (self.table["component"] == "fixed") & (self.table["term"] != "intercept")
        ]
        of = rows["group"] if "group" in rows else pd.Series("", rows.index)
        partner = rows["term"].str.startswith("partner")
        by = rows["term"].str.removeprefix("partner: ").where(partner, of)
        return rows.assign(partner=partner, of=of, by=by).reset_index(drop=True)

    def plot(self, lang: str = "en", slots: Mapping[str, int] | None = None) -> StoryAxes:
        """Draw every path with its interval, in the colour of whose outcome it is."""
        rows = self.paths()
        partners = rows[rows["partner"]]
        settled = (partners["conf_low"] > 0) | (partners["conf_high"] < 0)
        words = {"n": int(settled.sum()), "all": len(partners), "groups": self.n_people}
        title = say(f"triads.paths_title_{'some' if words['n'] else 'none'}", lang, **words)
        key = "path" if self.distinguishable else "path_alike"
        labels = [
            say(f"triads.{key}_{'partner' if row.partner else 'actor'}", lang, of=row.of, by=row.by)
            for row in rows.itertuples()
        ]
        return forest(
            rows.assign(label=labels), title=title, alt=title, lang=lang,
            subtitle=say("triads.paths_sub", lang, **words),
            slots=[(slots or {}).get(role) for role in rows["of"]],
            zero=say("triads.paths_zero", lang),
        )  # fmt: skip


def actor_partner(
    table: pd.DataFrame,
    *,
    group: str,
    role: str,
    outcome: str,
    predictor: str,
    distinguishable: bool,
    conf_level: float = 0.95,
) -> Interdependence:
    """Relate everyone's outcome to their own score (actor) and the others' scores (partner).

    Distinguishable: does it matter who is who (patient, naaste,
    professional)? Then every role has its own paths: for a triad three
    actor and six partner paths, with tests whether they are equal. Not
    distinguishable: roles are interchangeable labels (two brothers), one
    actor and one partner effect. Theory decides; the tests of equal paths
    advise. The ratio k = partner / actor says what kind of pattern it is:
    1 the group as a whole, 0 the actor only, −1 contrast.

    Parameters
    ----------
    table : DataFrame
        Long: one row per group (dyad, triad) and role.
    group, role, outcome, predictor : str
        Columns. A group with an answer missing is left out and counted.
    distinguishable : bool
    conf_level : float

    Returns
    -------
    Interdependence
        Exact least squares: for distinguishable roles a regression per role
        on all predictors, errors correlated over roles; otherwise of group
        means and of deviations from them, which is generalized least
        squares with compound symmetry, negative correlations included. k
        has Fieller's interval: unbounded (missing) where the actor effect
        may be zero.

    Raises
    ------
    DataError, DesignError
        One role only, too few complete groups, predictors that do not vary.

    Notes
    -----
    Not computed: causes. With cross-sectional data a path is an
    association. Kenny, Kashy & Cook (2006), Dyadic Data Analysis; Kenny &
    Ledermann (2010), doi:10.1037/a0019651 (k); Fieller (1954).

    Examples
    --------
    >>> table = pd.DataFrame({"couple": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5],
    ...     "role": ["a", "b"] * 5, "x": [1, 2, 2, 4, 3, 1, 5, 4, 2, 2.5],
    ...     "y": [2, 3, 3, 5, 3, 2, 5, 5, 3, 2.0]})
    >>> found = actor_partner(table, group="couple", role="role", outcome="y", predictor="x",
    ...                       distinguishable=False)
    >>> found.table["term"].tolist()
    ['intercept', 'actor', 'partner', 'k', 'residual SD', 'residual correlation']
    """
    check_level(conf_level)
    roles, X, Y, dropped = _read(table, group, role, outcome, predictor)
    paths = _apart if distinguishable else _alike
    rows, tests = paths(X, Y, roles, conf_level)
    notes = (note("triads.groups_left_out", n=dropped),) if dropped else ()
    return Interdependence(
        table=pd.DataFrame(rows), tests=pd.DataFrame(tests), roles=tuple(roles),
        distinguishable=distinguishable, n_people=len(X), notes=notes,
    )  # fmt: skip


def _read(
    table: pd.DataFrame, group: str, role: str, outcome: str, predictor: str
) -> tuple[list[Any], Array, Array, int]:
    wide = []
    for name in (predictor, outcome):
        rows = long_rows(table, (group, role), name)
        wide.append(rows.astype({group: object, role: object}).pivot(
            index=group, columns=role, values=name
        ))  # fmt: skip
    roles = levels(table[role].dropna())
    two_or_more(roles, role)
    for part in wide:
        absent = [one for one in roles if one not in part]
        if absent:
            raise DataError(f"column {role!r} has no complete answers of {listed(absent)}")
    both = wide[0][roles].join(wide[1][roles], lsuffix="_x", rsuffix="_y", how="outer")
    complete = both.dropna()
    values = complete.to_numpy(dtype=np.float64)
    return roles, values[:, : len(roles)], values[:, len(roles) :], len(both) - len(complete)


def _row(
    component: str, term: str, line: tuple[float, float, float], conf_level: float, **more: Any
) -> dict[str, Any]:
    """Return a row from estimate, standard error and degrees of freedom."""
    estimate, error, df = line
    half = float(stdtrit(df, (1 + conf_level) / 2)) * error
    return {
        "component": component, "term": term, "estimate": estimate, "std_error": error,
        "statistic": estimate / error, "df": df,
        "p_value": float(2 * stdtr(df, -abs(estimate / error))), "conf_low": estimate - half,
        "conf_high": estimate + half, "conf_level": conf_level, **more,
    }  # fmt: skip


def _alike(
    X: Array, Y: Array, roles: Sequence[Any], conf_level: float
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    n, k = X.shape
    middle_x, middle_y = X.mean(axis=1), Y.mean(axis=1)
    between = regress(middle_y, np.column_stack([np.ones(n), middle_x]), "group means")
    turn = np.linalg.svd(np.eye(k) - 1 / k)[0][:, : k - 1]
    within = regress((Y @ turn).ravel(), (X @ turn).reshape(-1, 1), "deviations within groups")
    # The slope of means is a + (k − 1) p, that of deviations a − p.
    L = np.array([[1.0, k - 1.0], [1.0, -1.0]]) / k
    slopes = np.array([between.beta[1], within.beta[0]])
    spread = np.diag([between.cov[1, 1], within.cov[0, 0]])
    value, cov = L @ slopes, L @ spread @ L.T
    df = [_pooled(row**2 * np.diag(spread), (between.df, within.df)) for row in L]
    rows = [_row("fixed", "intercept", (between.beta[0], between.cov[0, 0] ** 0.5, between.df),
                 conf_level)]  # fmt: skip
    rows += [
        _row("fixed", name, (float(value[at]), float(cov[at, at]) ** 0.5, df[at]), conf_level)
        for at, name in enumerate(("actor", "partner"))
    ]
    rows.append(_ratio(value, cov, min(df), conf_level))
    one, other = k * between.variance, within.variance  # σ²(1 + (k − 1) ρ) and σ²(1 − ρ)
    total = (one + (k - 1) * other) / k
    rows.append({"component": "residual", "term": "residual SD", "estimate": total**0.5})
    rows.append({"component": "residual", "term": "residual correlation",
                 "estimate": (one - other) / (k * total)})  # fmt: skip
    return rows, []


def _pooled(parts: Array, df: tuple[int, int]) -> float:
    """Return Satterthwaite's degrees of freedom of a sum of two variances."""
    return float(parts.sum() ** 2 / (parts**2 / np.array(df)).sum())


def _ratio(
    value: Array, cov: Array, df: float, conf_level: float, group: str = ""
) -> dict[str, Any]:
    """Return k = partner / actor with Fieller's interval."""
    t2 = float(stdtrit(df, (1 + conf_level) / 2)) ** 2
    a = value[0] ** 2 - t2 * cov[0, 0]
    b = value[0] * value[1] - t2 * cov[0, 1]
    c = value[1] ** 2 - t2 * cov[1, 1]
    root = b**2 - a * c
    bounded = a > 0 and root >= 0
    low, high = ((b - root**0.5) / a, (b + root**0.5) / a) if bounded else (np.nan, np.nan)
    return {
        "component": "ratio", "term": "k", "group": group, "estimate": float(value[1] / value[0]),
        "conf_low": float(low), "conf_high": float(high), "conf_level": conf_level,
        "method": "Fieller",
    }  # fmt: skip


def _apart(
    X: Array, Y: Array, roles: Sequence[Any], conf_level: float
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    n, k = X.shape
    design = np.column_stack([np.ones(n), X])
    lines = [regress(Y[:, at], design, "complete groups") for at in range(k)]
    df = lines[0].df
    rest = np.column_stack([line.residuals for line in lines])
    sigma = rest.T @ rest / df
    inverse = np.linalg.inv(design.T @ design)
    beta = np.array([line.beta for line in lines])
    cov = np.asarray(np.kron(sigma, inverse), dtype=np.float64)
    rows = []
    for at, name in enumerate(roles):
        rows.append(_row("fixed", "intercept", (beta[at, 0], lines[at].cov[0, 0] ** 0.5, df),
                         conf_level, group=str(name)))  # fmt: skip
        for of in [at, *(other for other in range(k) if other != at)]:
            term = "actor" if of == at else f"partner: {roles[of]}"
            error = lines[at].cov[of + 1, of + 1] ** 0.5
            rows.append(_row("fixed", term, (float(beta[at, of + 1]), error, df), conf_level,
                             group=str(name)))  # fmt: skip
        if k == 2:
            pick = [at + 1, 2 - at]
            own = lines[at].cov[np.ix_(pick, pick)]
            rows.append(_ratio(beta[at, pick], own, df, conf_level, str(name)))
    rows += [
        {"component": "residual", "term": "residual SD", "group": str(name),
         "estimate": float(sigma[at, at]) ** 0.5}
        for at, name in enumerate(roles)
    ]  # fmt: skip
    for a, b in product(range(k), repeat=2):
        if a < b:
            rho = float(sigma[a, b] / (sigma[a, a] * sigma[b, b]) ** 0.5)
            rows.append({"component": "residual", "term": "residual correlation",
                         "group": f"{roles[a]}, {roles[b]}", "estimate": rho})  # fmt: skip
    return rows, _equal_paths(beta, cov, df)


def _equal_paths(beta: Array, cov: Array, df: int) -> list[dict[str, Any]]:
    """Return Wald tests that all actor paths, all partner paths, or both are equal."""
    k = len(beta)
    place = np.arange(k * (k + 1)).reshape(k, k + 1)
    actors = [place[at, at + 1] for at in range(k)]
    partners = [place[a, b + 1] for a, b in product(range(k), repeat=2) if a != b]

    def equal(places: list[Any]) -> Array:
        L = np.zeros((len(places) - 1, k * (k + 1)))
        L[:, places[0]] = 1
        L[np.arange(len(places) - 1), places[1:]] = -1
        return L

    tests = {"equal actor paths": equal(actors), "equal partner paths": equal(partners)}
    tests["equal actor and equal partner paths"] = np.vstack(list(tests.values()))
    out = []
    for term, L in tests.items():
        gap = L @ beta.ravel()
        F = float(gap @ np.linalg.solve(L @ cov @ L.T, gap)) / len(L)
        out.append({"component": "test", "term": term, "statistic": F, "df_num": float(len(L)),
                    "df": float(df), "p_value": float(fdtrc(len(L), df, F))})  # fmt: skip
    return out
