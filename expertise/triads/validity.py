"""What does one informant add to another in foretelling an outcome?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import fdtrc
from scipy.stats import ncf

from expertise.errors import DataError, DesignError, listed, nearest
from expertise.figures import StoryAxes
from expertise.result import Result, tidy_table
from expertise.triads.actors import regress
from expertise.triads.forest import forest
from expertise.triads.tables import Array, check_level
from expertise.words import Note, note, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Validity(Result):
    """R² of each informant alone and of all, and what each adds when asked last."""

    table: pd.DataFrame
    outcome: str
    n: int
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Name the outcome and the number of people."""
        return say("triads.validity", outcome=self.outcome, n=self.n)

    def tidy(self) -> pd.DataFrame:
        """Return `alone` and `all` (R²), `added` (rise of R²) and `partial` (partial R²)."""
        return tidy_table(self.table)

    def glance(self) -> pd.DataFrame:
        """Return one row: n and R² of all informants together."""
        whole = self.table[self.table["component"] == "all"]["estimate"]
        return pd.DataFrame([{"n": self.n, "r_squared": float(whole.iloc[0])}])

    def plot(
        self, lang: str = "en", labels: Mapping[str, str] | None = None,
        slots: Mapping[str, int] | None = None,
    ) -> StoryAxes:  # fmt: skip
        """Draw R² of each informant alone and of all, and partial R² when asked last.

        `labels` are words for the columns, `slots` the informants' places in
        the house's colours.
        """
        named = labels or {}
        rows = self.table[self.table["component"].isin(["alone", "partial", "all"])]
        rows = rows.sort_values("component", kind="stable", key=lambda kinds: kinds.map(
            {"alone": 0, "partial": 1, "all": 2}))  # fmt: skip
        label = [
            say(f"triads.validity_{kind}", lang, who=named.get(term, term))
            for kind, term in zip(rows["component"], rows["term"], strict=True)
        ]
        last = rows[rows["component"] == "partial"]
        outcome = named.get(self.outcome, self.outcome)
        words = {"n": self.n, "outcome": outcome, "adds": int((last["conf_low"] > 0).sum()),
                 "all": len(last)}  # fmt: skip
        title = say(f"triads.validity_title_{'some' if words['adds'] else 'none'}", lang, **words)
        return forest(
            rows.assign(label=label), title=title, alt=title, lang=lang, shares=True,
            subtitle=say("triads.validity_sub", lang, **words),
            slots=[(slots or {}).get(who) for who in rows["group"]],
        )  # fmt: skip


def incremental_validity(
    table: pd.DataFrame,
    *,
    outcome: str,
    predictors: Sequence[str],
    informants: Mapping[str, str],
    conf_level: float = 0.95,
) -> Validity:
    """Say what each informant adds to the others in explaining an outcome, in every order.

    Whoever is entered first takes what informants share; so each is shown
    alone and last. Where predictor and outcome come from the same person
    their way of answering is part of the relation, which a note says.

    Parameters
    ----------
    table : DataFrame
        One row per person; rows with a missing value are left out, so that
        all models rest on the same people.
    outcome : str
        Column.
    predictors : sequence of str
        Two or more columns, one per informant.
    informants : mapping
        Who answered, for each predictor and the outcome:
        ``{"parent_T1": "parent", "child_T1": "child", "child_T3": "child"}``.
        A register or interviewer is an informant too.
    conf_level : float

    Returns
    -------
    Validity
        R², its rise with F, and partial R² with an interval by inversion of
        the noncentral F distribution (predictors as given).

    Raises
    ------
    DataError, DesignError
        Columns or informants that are missing, too few rows.

    Notes
    -----
    Not computed: shrunken or cross-validated R²; with few people R² flatters.
    Steiger (2004), doi:10.1037/1082-989X.9.2.164.
    """
    check_level(conf_level)
    names = list(predictors)
    if isinstance(predictors, str) or len(names) < 2 or len(set(names)) < len(names):
        raise DesignError("predictors are two or more different columns, one per informant")
    for name in (outcome, *names):
        if name not in table.columns:
            raise DataError(f"the table has no column {name!r}{nearest(name, table.columns)}")
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise DataError(f"column {name!r} holds {table[name].dtype}; values must be numbers")
        if name not in informants:
            raise DesignError(f"informants does not say who answered {name!r}")
    rows = table[[outcome, *names]].astype(float).dropna()
    y, X = rows[outcome].to_numpy(), rows[names].to_numpy()
    n, k = X.shape
    full = _r2(y, X)
    out = [_row("all", " + ".join(names), "", full, full, (k, n - k - 1), n, conf_level)]
    for at, name in enumerate(names):
        who, rest = informants[name], _r2(y, np.delete(X, at, axis=1))
        alone = _r2(y, X[:, [at]])
        out.append(_row("alone", name, who, alone, alone, (1, n - 2), n, conf_level))
        added, partial = full - rest, (full - rest) / (1 - rest)
        last = _row("partial", name, who, partial, partial, (1, n - k - 1), n, conf_level)
        out += [{key: last[key] for key in ("term", "group", "statistic", "df_num", "df",
                                            "p_value", "n_people")}
                | {"component": "added", "estimate": added}, last]  # fmt: skip
    shared = [name for name in names if informants[name] == informants[outcome]]
    notes = []
    if shared:
        notes.append(note("triads.same_informant", columns=listed(shared),
                          who=informants[outcome], outcome=outcome))  # fmt: skip
    if len(rows) < len(table):
        notes.append(note("triads.rows_left_out", n=len(table) - len(rows)))
    return Validity(table=pd.DataFrame(out), outcome=outcome, n=n, notes=tuple(notes))


def _r2(y: Array, X: Array) -> float:
    line = regress(y, np.column_stack([np.ones(len(y)), X]), "complete rows")
    total = float(((y - y.mean()) ** 2).sum())
    if not total > 0:
        raise DesignError("the outcome does not vary; nothing can be explained")
    return 1 - float(line.residuals @ line.residuals) / total


def _row(
    component: str, term: str, group: str, estimate: float, share: float,
    df: tuple[int, int], n: int, conf_level: float,
) -> dict[str, float | str]:  # fmt: skip
    F = share / (1 - share) * df[1] / df[0]
    low, high = (
        _noncentrality(F, df, tail) for tail in ((1 + conf_level) / 2, (1 - conf_level) / 2)
    )
    scale = df[0] + df[1] + 1
    return {
        "component": component, "term": term, "group": group, "estimate": estimate,
        "statistic": F, "df_num": float(df[0]), "df": float(df[1]),
        "p_value": float(fdtrc(df[0], df[1], F)), "conf_low": low / (low + scale),
        "conf_high": high / (high + scale), "conf_level": conf_level, "n_people": n,
    }  # fmt: skip


def _noncentrality(F: float, df: tuple[int, int], tail: float) -> float:
    """Return the noncentrality at which F lies at this quantile; 0 where none does."""

    def above(nc: float) -> float:
        return float(ncf.cdf(F, df[0], df[1], nc)) - tail

    if above(1e-12) <= 0:
        return 0.0
    top = 10.0 + 4 * F * df[0]
    while above(top) > 0:
        top *= 2
    return float(brentq(above, 1e-12, top))
