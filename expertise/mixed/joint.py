"""Tests of whole terms: an F test of every term of the formula, and of any combinations."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.linalg import qr

from expertise.mixed.columns import Array
from expertise.mixed.fitted import Fitted, f_test
from expertise.result import Result, tidy_table
from expertise.words import Note, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class JointTests(Result):
    """One F test per term; made by `joint_tests`."""

    table: pd.DataFrame
    df_method: str
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say what was tested."""
        return say("mixed.joint", method=self.df_method)

    def tidy(self) -> pd.DataFrame:
        """Return `term statistic df_num df p_value method`, in the formula's order."""
        return tidy_table(self.table)


def joint_tests(fit: Fitted) -> JointTests:
    """Test each term given the terms that do not contain it (type II, as SAS and lmerTest).

    A term contains another where it has all its variables, further factors,
    and the same numbers: `arm:sex` contains `arm`; `time:arm` contains
    `time` but not `arm`, which is tested at time 0. The tests do not depend
    on the coding of factors. With df="normal" the F is Wald's chi-square
    over its degrees of freedom.

    Parameters
    ----------
    fit : MixedFit

    Returns
    -------
    JointTests

    Examples
    --------
    >>> from expertise.mixed.fit import fit_mixed
    >>> table = pd.DataFrame(
    ...     {"y": [1.0, 2, 4, 3, 5, 7, 4, 6], "g": list("aabbccdd"), "t": [0, 1] * 4})
    >>> tests = joint_tests(fit_mixed("y ~ t + (1 | g)", table))
    >>> tests.tidy()["df"].round(6).tolist()
    [3.0]
    """
    terms = fit.design.layout.terms
    rows = []
    for at, term in enumerate(terms):
        if term:
            row = {"term": ":".join(map(str, term)), **f_test(fit, hypothesis(fit, at))}
            rows.append({**row, "method": fit.solution.freedom.method})
    return JointTests(
        table=pd.DataFrame(rows), df_method=fit.solution.freedom.method, notes=fit.notes
    )


def test_terms(fit: Fitted, L: ArrayLike) -> dict[str, float]:
    """Test that all rows of L times the fixed effects are zero: F, its degrees of freedom, p."""
    return f_test(fit, L)


def hypothesis(fit: Fitted, term: int) -> Array:
    """Return the type II hypothesis of one term, shape (columns of the term, p).

    Containing terms are made orthogonal to all others, and the term to
    those that do not contain it (the rows of the lower triangle of X'X).
    """
    terms = [frozenset(each) for each in fit.design.layout.terms]
    assign = np.array(fit.design.layout.assign)
    factors = {v.node for v in fit.design.variables if v.levels}
    contains = np.array([terms[term] < each and each - terms[term] <= factors for each in terms])[
        assign
    ]
    own = assign == term
    others = ~contains & ~own
    X = fit.design.X
    order = np.concatenate([np.flatnonzero(others), np.flatnonzero(own), np.flatnonzero(contains)])
    R = qr(X[:, order], mode="r", check_finite=False)[0]
    first, count = int(others.sum()), int(own.sum())
    L = np.zeros((count, X.shape[1]))
    L[:, order] = R[first : first + count]
    return np.asarray(L / np.abs(L).max())
