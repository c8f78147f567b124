"""Goals people set themselves: goal attainment scaling, with the raw levels beside it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from expertise.errors import DataError
from expertise.figures import Look, StoryAxes, draw
from expertise.outcomes.tables import Vector, need_keys, need_level, numbers
from expertise.result import Result, tidy_table
from expertise.words import Note, note, number, say

LEVELS = (-2, -1, 0, 1, 2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Goals(Result):
    """T-scores of each person's goals, and how many goals reached which level.

    `scores` has a row a person (and wave): `n_goals`, `t_score`. `levels` has
    a row a level: how many goals.
    """

    scores: pd.DataFrame
    levels: pd.DataFrame
    conf_level: float
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Count people and goals."""
        goals = int(self.levels["n"].sum())
        people = self.scores["participant"].nunique()
        return f"Goal attainment: {goals} goals of {people} people"

    def tidy(self) -> pd.DataFrame:
        """Return the mean T-score with Student's interval, then the share at each level.

        Shares have no interval: goals of one person are not independent.
        """
        rows = []
        by = ["wave"] * ("wave" in self.scores)
        parts = self.scores.groupby(by, sort=False) if by else [((), self.scores)]
        for key, part in parts:
            t = part["t_score"]
            error = float(t.std() / np.sqrt(len(t))) if len(t) > 1 else np.nan
            half = (
                error * stats.t.ppf((1 + self.conf_level) / 2, len(t) - 1) if len(t) > 1 else np.nan
            )
            rows.append(
                dict(zip(by, key, strict=True))
                | {"component": "T-score", "term": "mean", "estimate": float(t.mean())}
                | {"std_error": error, "conf_low": t.mean() - half, "conf_high": t.mean() + half}
                | {"conf_level": self.conf_level, "n_people": part["participant"].nunique()}
                | {"n": int(part["n_goals"].sum())}
            )
        levels = self.levels.rename(columns={"share": "estimate"})
        levels = levels.assign(component="level", term=levels["level"].map("{:+d}".format))
        return tidy_table([*rows, *levels.drop(columns="level").to_dict("records")])

    def glance(self) -> pd.DataFrame:
        """Return one row that sums the result up."""
        return pd.DataFrame(
            [{"n_people": self.scores["participant"].nunique(), "n": int(self.levels["n"].sum())}]
        )

    def plot(self, lang: str = "en") -> StoryAxes:
        """Draw how many goals reached each level, as people set them."""
        levels = self.levels
        reached = int(levels.loc[levels["level"] >= 0, "n"].sum())
        words = {"reached": reached, "n": int(levels["n"].sum())}
        words["people"] = int(self.scores["participant"].nunique())

        def paint(axes: StoryAxes, look: Look) -> None:
            colors = [look.color(1 if level >= 0 else None) for level in levels["level"]]
            bars = axes.bar(levels["level"], levels["n"], color=colors, width=0.7)
            axes.bar_label(bars, color=look.text)
            axes.set_xticks(LEVELS, [number(level, 0, lang) for level in LEVELS])
            axes.locator_params(axis="y", integer=True)
            axes.set(xlabel=say("outcomes.goals_x", lang), ylabel=say("outcomes.goals_y", lang))

        return draw(
            paint,
            title=say("outcomes.goals_title", lang, **words),
            subtitle=say("outcomes.goals_sub", lang, **words),
            alt=say("outcomes.goals_title", lang, **words),
            table=levels,
            lang=lang,
        )

    def augment(self) -> pd.DataFrame:
        """Return a row a person (and wave)."""
        return self.scores.copy()


def t_score(levels: Vector, weights: Vector, rho: float = 0.3) -> float:
    """Return Kiresuk and Sherman's T of one person's goals.

    T = 50 + 10 Σwx / √((1 − ρ)Σw² + ρ(Σw)²), with ρ the mean correlation
    between goals.

    Examples
    --------
    >>> round(t_score(np.array([2, 1, 0]), np.array([3, 2, 1])), 3)
    67.626
    """
    spread = (1 - rho) * (weights**2).sum() + rho * weights.sum() ** 2
    return float(50 + 10 * (weights * levels).sum() / np.sqrt(spread))


def goal_attainment(
    table: pd.DataFrame, *, start: int, rho: float = 0.3, conf_level: float = 0.95
) -> Goals:
    """Score the goals that people set for themselves.

    Parameters
    ----------
    table : DataFrame
        A row a goal: `participant`, `level` (−2 … 2; 0 is what was expected),
        optionally `weight` (above 0) and `wave`.
    start : {-2, -1}
        The level at which goals began. Both conventions are in use: with −1,
        −2 means "worse than at the start"; with −2 no one can get worse.
    rho : float
        Assumed mean correlation between goals, 0 to below 1.
    conf_level : float
        Of the mean T-score's interval.

    Returns
    -------
    Goals
        Not computed: differences between people. T-scores treat ordered
        levels as numbers; the levels themselves stand beside them.

    Raises
    ------
    DataError
        A level outside −2 … 2, a weight that is not above 0, or no start.

    References
    ----------
    Kiresuk & Sherman 1968, doi:10.1007/BF01530764.

    Examples
    --------
    >>> goals = pd.DataFrame({"participant": "P1", "level": [1, 1, 1]})
    >>> goal_attainment(goals, start=-1).augment()["t_score"].round(3).tolist()
    [63.693]
    """
    need_level(conf_level)
    need_keys(table, ["participant", "wave"] if "wave" in table else ["participant"])
    if start not in (-2, -1):
        raise DataError(f"start is {start}; say at which level goals began: -2 or -1")
    if not 0 <= rho < 1:
        raise DataError(f"rho is {rho:g}; it must be at least 0 and below 1")
    levels = numbers(table, "level", missing=False)
    if (wrong := ~np.isin(levels, LEVELS)).any():
        row = int(wrong.argmax())
        raise DataError(
            f"row {table.index[row]}, column 'level': {levels[row]:g}; "
            "allowed are -2, -1, 0, 1 and 2"
        )
    weights = numbers(table, "weight", missing=False) if "weight" in table else levels * 0 + 1
    if (wrong := weights <= 0).any():
        row = int(wrong.argmax())
        raise DataError(
            f"row {table.index[row]}, column 'weight': {weights[row]:g}; a weight must be above 0"
        )
    by = ["participant", *(["wave"] if "wave" in table else [])]
    goals = table[by].assign(level=levels, weight=weights)
    rows = [
        dict(zip(by, key, strict=True))
        | {
            "n_goals": len(part),
            "t_score": t_score(part["level"].to_numpy(), part["weight"].to_numpy(), rho),
        }
        for key, part in goals.groupby(by, sort=False)
    ]
    counts = pd.Series(levels).value_counts().reindex(LEVELS, fill_value=0).to_numpy()
    return Goals(
        scores=pd.DataFrame(rows),
        levels=pd.DataFrame({"level": LEVELS, "n": counts, "share": counts / len(levels)}),
        conf_level=conf_level,
        notes=(note(f"outcomes.goals_start_{abs(start)}"), note("outcomes.goals_ordinal")),
    )
