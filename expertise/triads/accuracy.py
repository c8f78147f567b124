"""How one perspective judges another: level, accuracy and assumed similarity."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from expertise.errors import DataError, DesignError, nearest
from expertise.mixed.fit import fit_mixed
from expertise.mixed.fitted import intervals
from expertise.result import Result, tidy_table
from expertise.triads.actors import regress
from expertise.triads.tables import check_ids, check_level
from expertise.words import Note, note, say

TERMS = ("level difference", "accuracy", "assumed similarity")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Accuracy(Result):
    """Level difference (points), accuracy and assumed similarity (slopes) of judgements."""

    table: pd.DataFrame
    centre: float
    n: int
    n_people: int
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say how many judgements in how many groups."""
        return say("triads.accuracy", n=self.n, groups=self.n_people)

    def tidy(self) -> pd.DataFrame:
        """Return the three terms, then the residual SD and correlation within groups."""
        return tidy_table(self.table)

    def glance(self) -> pd.DataFrame:
        """Return one row: sizes and the mean on which all is centred."""
        return pd.DataFrame([{"n": self.n, "n_people": self.n_people, "centre": self.centre}])


def truth_and_bias(
    table: pd.DataFrame,
    *,
    judgement: str,
    reference: str,
    own: str,
    group: str,
    conf_level: float = 0.95,
) -> Accuracy:
    """Split how people judge another into level, accuracy and assumed similarity.

    West and Kenny's model; the literature calls the answer that is compared
    with the truth, and the pull of one's own answer bias. Which answer is
    compared with is a choice, not a fact: a patient's own answer is no truth
    about which a naaste errs. In results the terms are therefore level
    difference (how much higher judgements are on average), accuracy (how
    far they move with the other's own answer), and assumed similarity (how
    far they move with one's own).

    Parameters
    ----------
    table : DataFrame
        One row per judgement.
    judgement : str
        Column: A's answer about B.
    reference : str
        Column: B's own answer.
    own : str
        Column: A's answer about themselves.
    group : str
        Column: dyad or triad; judgements in a group are correlated.
    conf_level : float

    Returns
    -------
    Accuracy
        All centred on the mean of `reference`. REML with a random intercept
        per group and Satterthwaite's degrees of freedom; where judgements
        in a group are no more alike than across groups the correlation is
        at its boundary of 0, with a note. One judgement per group is
        ordinary regression.

    Raises
    ------
    DataError, DesignError
        Columns, ids or numbers that cannot be used; answers that do not vary.

    Notes
    -----
    Not computed: moderators; add them with `fit_mixed` (docs/triads.md).
    West & Kenny (2011), doi:10.1037/a0022936.
    """
    check_level(conf_level)
    columns = [judgement, reference, own]
    for name in (*columns, group):
        if name not in table.columns:
            raise DataError(f"the table has no column {name!r}{nearest(name, table.columns)}")
    for name in columns:
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise DataError(f"column {name!r} holds {table[name].dtype}; answers must be numbers")
    check_ids(table[group])
    rows = table[[*columns, group]].dropna()
    rows = pd.DataFrame({
        "j": rows[judgement].astype(float), "r": rows[reference].astype(float),
        "o": rows[own].astype(float), "g": rows[group].astype(str),
    })  # fmt: skip
    if len(rows) < 4 or rows[["j", "r", "o"]].nunique().min() < 2:
        raise DesignError("judgement, reference and own answer must vary, in 4 rows or more")
    centre = float(rows["r"].mean())
    rows[["j", "r", "o"]] -= centre
    left_out = len(table) - len(rows)
    if rows["g"].nunique() == len(rows):
        X = np.column_stack([np.ones(len(rows)), rows[["r", "o"]]])
        line = regress(rows["j"].to_numpy(), X, "judgements")
        df = np.full(3, float(line.df))
        table_ = intervals(line.beta, np.sqrt(np.diag(line.cov)), df, conf_level)
        notes = [note("triads.one_a_group")]
        residual = [("residual SD", line.variance**0.5)]
    else:
        fit = fit_mixed("j ~ r + o + (1 | g)", rows, conf_level=conf_level)
        assert fit.sigma is not None
        table_, notes = fit.estimates(np.eye(3)), list(fit.solution.notes)
        shared = float(fit.solution.covariances[0][0, 0])
        total = shared + fit.sigma**2
        residual = [("residual SD", total**0.5), ("residual correlation", shared / total)]
    table_ = table_.assign(component="fixed", term=list(TERMS))
    rest = pd.DataFrame([{"component": "residual", "term": a, "estimate": b} for a, b in residual])
    notes += [note("triads.rows_left_out", n=left_out)] * bool(left_out)
    return Accuracy(
        table=pd.concat([table_, rest], ignore_index=True), centre=centre, n=len(rows),
        n_people=rows["g"].nunique(), notes=(*notes, note("triads.no_standard")),
    )  # fmt: skip
