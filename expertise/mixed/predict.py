"""Predictions with intervals, for people as a whole, for known groups and for new ones."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, stdtrit

from expertise.errors import DesignError, listed
from expertise.mixed.columns import Array
from expertise.mixed.contrast import on_response
from expertise.mixed.estimates import Estimates
from expertise.mixed.fitted import Fitted
from expertise.mixed.grid import reference_grid
from expertise.mixed.ordinal import Cumulative
from expertise.mixed.posterior import posterior_of
from expertise.words import Note, note


def predictions(
    fit: Fitted,
    grid: pd.DataFrame | Mapping[str, Any] | None = None,
    *,
    groups: bool = False,
    observation: bool = False,
    scale: str = "response",
    conf_level: float | None = None,
) -> Estimates:
    """Return the expected outcome at each row of a grid, with its interval.

    Parameters
    ----------
    fit : MixedFit
    grid : DataFrame, mapping or None
        Rows to predict for; or values of some columns, from which every
        combination is made, other factors at all levels and other numbers
        at their mean.
    groups : bool
        False: group effects are zero (a typical person). True: the grid
        names the groups; those the model knows get their own effect, and new
        ones none, but an interval that holds how much groups differ.
    observation : bool
        Gaussian only: an interval for one new observation, residual included.
        Where `dispersion=` was given the grid has its columns too, and the
        residual is as large as it is in each row.
    scale : {"response", "link"}
        Probabilities for ordered outcomes, one row per answer.
    conf_level : float, optional

    Returns
    -------
    Estimates
        `table` has the grid's columns, then estimate and interval, and
        `answer` for an ordered outcome.

    Notes
    -----
    Intervals are made on the link scale and carried over (for an ordered
    outcome on the logit of each probability). They leave out that variances
    are estimated, and the offset, which is 0. With a curved link the
    prediction for a typical person is not the mean over people.
    Skrondal & Rabe-Hesketh (2009), https://doi.org/10.1111/j.1467-985X.2009.00587.x.

    Examples
    --------
    >>> from expertise.mixed.fit import fit_mixed
    >>> rows = [(p, t, p % 5 + t + (p * t) % 3) for p in range(12) for t in range(3)]
    >>> table = pd.DataFrame(rows, columns=["person", "wave", "score"])
    >>> fit = fit_mixed("score ~ wave + (1 | person)", table)
    >>> predictions(fit, {"wave": [0, 2]}).table["estimate"].round(2).tolist()
    [1.92, 4.92]
    >>> new = pd.DataFrame({"person": [3, 99], "wave": 2})
    >>> predictions(fit, new, groups=True).table["estimate"].round(2).tolist()
    [5.46, 4.92]
    """
    if scale not in ("response", "link"):
        raise DesignError(f"unknown scale {scale!r}; allowed are response and link")
    if observation and fit.family != "gaussian":
        raise DesignError(f"observation=True is for the family gaussian, not for {fit.family}")
    if groups and not isinstance(grid, pd.DataFrame):
        raise DesignError("groups=True needs a grid, a table whose rows name their groups")
    whitening = fit.solution.whitening if observation else None
    if isinstance(grid, pd.DataFrame):
        rows = grid
    else:
        rows = reference_grid(fit.design, (), grid, None if whitening is None else whitening.layout)
    if not len(rows):
        raise DesignError("the grid has no rows; give one for each prediction")
    level = fit.level(conf_level)
    X = fit.design.fixed_matrix(rows)
    eta, slope, beside = X @ fit.beta, X, np.zeros(len(X))
    if groups:
        eta, slope, beside = _with_groups(fit, rows, X)
    if fit.family == "cumulative":
        table, label = _answers(fit, rows, eta, slope, beside, level), "probability"
    else:
        if observation and fit.sigma is not None:
            times = np.ones(len(X)) if whitening is None else whitening.variance(rows)
            beside = beside + fit.sigma**2 * times
        table, label = _expected(fit, rows, X, eta, slope, beside, level, scale), scale
    return Estimates(
        kind="predictions",
        outcome=fit.design.outcome,
        scale=label,
        keys=tuple(name for name in table if name in rows or name == "answer"),
        table=table,
        notes=_notes(fit, rows, groups),
    )


def _with_groups(fit: Fitted, rows: pd.DataFrame, X: Array) -> tuple[Array, Array, Array]:
    known = posterior_of(fit)
    both = [fit.design.random_matrix(term, rows) for term in fit.design.random]
    columns, codes = [z for z, _ in both], [code for _, code in both]
    eta = X @ fit.beta
    for z, code, modes in zip(columns, codes, fit.solution.modes, strict=True):
        eta = eta + np.where(code >= 0, np.einsum("rq,rq->r", z, modes[code]), 0.0)
    wide = np.hstack([X, np.zeros((len(X), len(known.covariance) - X.shape[1]))])
    return eta, *known.variance(wide, columns, codes)


def _expected(
    fit: Fitted, rows: pd.DataFrame, X: Array, eta: Array, slope: Array,
    beside: Array, level: float, scale: str,
) -> pd.DataFrame:  # fmt: skip
    error = np.sqrt(np.einsum("rp,pq,rq->r", slope, fit.cov_beta, slope) + beside)
    df = np.array([fit.solution.freedom.df(row) for row in X])
    half = stdtrit(df, (1 + level) / 2) * error
    values = pd.DataFrame(
        {
            "estimate": eta, "std_error": error, "df": df,
            "conf_low": eta - half, "conf_high": eta + half, "conf_level": level,
        },
        index=rows.index,
    )  # fmt: skip
    if scale == "response":
        values = on_response(fit, values)
    return pd.concat([rows.drop(columns=list(values.columns), errors="ignore"), values], axis=1)


def _answers(
    fit: Fitted, rows: pd.DataFrame, eta: Array, slope: Array, beside: Array, level: float
) -> pd.DataFrame:
    """Return the probability of each answer, by the delta method on its logit."""
    design, cuts = fit.design, fit.solution.thresholds
    joint = fit.solution.cov_joint
    assert cuts is not None
    assert joint is not None
    p, m = len(fit.beta), len(cuts)
    wide = np.hstack([slope, np.zeros((len(slope), p + m - slope.shape[1]))])
    tables = []
    for at, answer in enumerate(design.outcome_levels):
        one = Cumulative(np.full(len(eta), at), m, fit.link.name)
        found = one.rows(eta, cuts)
        chance = np.exp(found.value)
        gradient = found.d1[:, None] * wide
        gradient[:, p:] += found.extra[0].T
        spread = np.einsum("rp,pq,rq->r", gradient, joint, gradient) + found.d1**2 * beside
        error = np.sqrt(spread)  # of log P
        half = stdtrit(np.inf, (1 + level) / 2) * error / (1 - chance)
        odds = found.value - np.log1p(-chance)
        values = {
            "answer": answer, "estimate": chance, "std_error": error * chance,
            "conf_low": expit(odds - half), "conf_high": expit(odds + half), "conf_level": level,
        }  # fmt: skip
        tables.append(rows.assign(**values, _row=np.arange(len(rows))))
    every = pd.concat(tables).sort_values("_row", kind="stable")
    return every.drop(columns="_row")


def _notes(fit: Fitted, rows: pd.DataFrame, groups: bool) -> tuple[Note, ...]:
    notes = [note("mixed_use.offset_zero")] if fit.design.offset is not None else []
    if groups:
        for term in fit.design.random:
            codes = fit.design.random_matrix(term, rows)[1]
            if (new := int((codes < 0).sum())) > 0:
                notes.append(note("mixed_use.new_groups", n=new, group=term.group))
    outside = [
        name
        for name in fit.design.layout.columns
        if name in fit.design.frame
        and (numbers := fit.design.frame[name].numbers) is not None
        and ((rows[name] < numbers.min()) | (rows[name] > numbers.max())).any()
    ]
    if outside:
        notes.append(note("mixed_use.outside", columns=listed(outside)))
    return tuple(notes)
