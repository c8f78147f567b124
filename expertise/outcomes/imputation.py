"""Multiple imputation over perspectives, waves and arms, and what would tip the answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from expertise.errors import DataError, DesignError, listed
from expertise.figures import Look, StoryAxes, draw, named_line
from expertise.outcomes.joint import Array, Gaps, posterior_fills
from expertise.outcomes.tables import need_columns, need_keys, need_level, numbers
from expertise.result import Result, tidy_table
from expertise.words import Note, note, number, say

FEWEST = 50


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Imputed(Result):
    """Completed copies of the scores, with what was filled in still marked.

    `fills`: shape (m, people, columns); `filled`: (people, columns), true
    where a score was missing; `columns`: a row a column: perspective, wave;
    `arm`: an arm a person ("all" without arms).
    """

    fills: Array
    filled: NDArray[np.bool_]
    columns: pd.DataFrame
    arm: NDArray[np.object_]
    seed: int
    conf_level: float
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Count copies, people, and the share that was filled in."""
        m, n, _ = self.fills.shape
        return f"{m} imputations of {n} people, {100 * self.filled.mean():.0f} % filled in"

    def tidy(self) -> pd.DataFrame:
        """Return the pooled mean of each arm, perspective and wave."""
        rows = []
        for arm in pd.unique(self.arm):
            for column in self.columns.itertuples():
                row = self.mean(str(arm), column.perspective, column.wave)
                rows.append({"group": arm, "perspective": column.perspective} | row)
        return tidy_table(rows)

    def glance(self) -> pd.DataFrame:
        """Return one row that sums the result up."""
        return pd.DataFrame(
            [
                {
                    "m": len(self.fills),
                    "n_people": len(self.arm),
                    "filled": self.filled.mean(),
                    "seed": self.seed,
                }
            ]
        )

    def mean(self, arm: str, perspective: str, wave: object) -> dict[str, object]:
        """Return the pooled mean of one cell, as a row of a tidy table."""
        j = self._column(perspective, wave)
        values = self.fills[:, self.arm == arm, j]
        n = values.shape[1]
        pooled = _pool(values.mean(axis=1), values.var(axis=1, ddof=1) / n, n - 1, self.conf_level)
        return {"component": "mean", "wave": wave, "n_people": n} | pooled

    def effect(
        self,
        arms: tuple[str, str],
        wave: object,
        *,
        perspective: str = "all",
        since: object | None = None,
        delta: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """Return the pooled difference between two arms at a wave.

        Parameters
        ----------
        arms : (first, second)
            The difference is first minus second.
        since : wave, optional
            Compare the change since this wave instead of the level.
        delta : DataFrame, optional
            Columns `arm`, `perspective`, `wave`, `delta`: points added to what
            was filled in there. Without it, missing at random.

        Returns
        -------
        DataFrame
            One tidy row: estimate, std_error, df (Barnard & Rubin), interval.
        """
        for arm in arms:
            if arm not in self.arm:
                raise DataError(f"no arm {arm!r}; the table has {listed(pd.unique(self.arm))}")
        fills = self.fills if delta is None else self.shifted(delta)
        value = fills[:, :, self._column(perspective, wave)]
        if since is not None:
            value = value - fills[:, :, self._column(perspective, since)]
        first, second = (value[:, self.arm == arm] for arm in arms)
        variance = sum(part.var(axis=1, ddof=1) / part.shape[1] for part in (first, second))
        people = first.shape[1] + second.shape[1]
        estimate = first.mean(axis=1) - second.mean(axis=1)
        pooled = _pool(estimate, np.asarray(variance), people - 2, self.conf_level)
        row = {"component": "effect", "term": f"{arms[0]} − {arms[1]}", "wave": wave}
        return tidy_table([row | {"perspective": perspective, "n_people": people} | pooled])

    def shifted(self, delta: pd.DataFrame) -> Array:
        """Return the completed copies with `delta` added to what was filled in."""
        need_columns(delta, ["arm", "perspective", "wave", "delta"])
        fills = self.fills.copy()
        for row in delta.itertuples():
            j = self._column(row.perspective, row.wave)
            fills[:, (self.arm == row.arm) & self.filled[:, j], j] += row.delta
        return fills

    def _column(self, perspective: object, wave: object) -> int:
        found = (self.columns["perspective"] == perspective) & (self.columns["wave"] == wave)
        if not found.any():
            have = [f"{c.perspective} {c.wave}" for c in self.columns.itertuples()]
            raise DataError(
                f"no scores of {perspective!r} at {wave!r}; there are {listed(have, 20)}"
            )
        return int(found.to_numpy().argmax())


def impute_scores(
    table: pd.DataFrame,
    *,
    seed: int,
    m: int = FEWEST,
    steps: int = 100,
    unit: str = "participant",
    arm: str | None = None,
    score: str = "score",
    conf_level: float = 0.95,
) -> Imputed:
    """Fill in missing scores from a joint normal model, many times.

    All perspectives and waves of a person (or triad) inform each other; means
    may differ by arm, the covariance is common to the arms.

    Parameters
    ----------
    table : DataFrame
        Long: `unit`, `wave`, `score`, optionally `perspective` and an arm.
    seed : int
        Of the random streams, one an imputation.
    m : int
        Imputations, at least 50.
    steps : int
        Length of each chain; more when much is missing.
    unit : str
        Who belongs together: a participant, or a triad.
    conf_level : float
        Of pooled intervals.

    Returns
    -------
    Imputed
        Use `.effect(…)` and `tipping_point`. Not computed: imputation of what
        is no score (choices, counts), or of people never seen.

    Raises
    ------
    DataError
        Two scores in one cell, an arm that changes, a column without scores.
    DesignError
        More columns than the people can carry, or fewer than 50 imputations.

    References
    ----------
    Schafer 1997, doi:10.1201/9780367803025; Barnard & Rubin 1999,
    doi:10.1093/biomet/86.4.948.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> made = pd.DataFrame({"participant": np.repeat(range(30), 2), "wave": ["T0", "T1"] * 30})
    >>> made["score"] = rng.normal(size=60).round(2)
    >>> made.loc[[3, 9, 21], "score"] = None
    >>> impute_scores(made, seed=1).filled.sum()
    np.int64(3)
    """
    if m < FEWEST:
        raise DesignError(f"m is {m}; give at least {FEWEST} imputations")
    need_level(conf_level)
    need_keys(table, [unit, "wave", *(["perspective"] if "perspective" in table else [])])
    need_columns(table, [arm] if arm else [])
    data = pd.DataFrame(
        {"unit": table[unit], "wave": table["wave"], "score": numbers(table, score)}
    )
    data["perspective"] = table.get("perspective", "all")
    if (twice := data.duplicated(["unit", "perspective", "wave"]).to_numpy()).any():
        raise DataError(
            f"row {table.index[twice.argmax()]}: a second score of one unit, perspective and wave; "
            "keep one"
        )
    columns = data[["perspective", "wave"]].drop_duplicates(ignore_index=True)
    wide = data.pivot(index="unit", columns=["perspective", "wave"], values="score")
    wide = wide[list(columns.itertuples(index=False, name=None))]
    wide = wide[wide.notna().any(axis=1)]
    if (empty := wide.isna().all()).any():
        raise DataError(f"nobody has a score of {' '.join(map(str, wide.columns[empty.argmax()]))}")
    _check_together(wide)
    arms = _arms(table, unit, arm, wide.index)
    names = pd.unique(arms)
    X = (arms[:, None] == names).astype(float)
    Y = wide.to_numpy(dtype=float)
    fills = posterior_fills(Gaps(Y=Y, X=X), m, steps, seed)
    filled = np.isnan(Y)
    notes = (note("outcomes.imputed_model", m=m, share=f"{100 * filled.mean():.0f}"),)
    return Imputed(
        fills=fills, filled=filled, columns=columns, arm=arms, seed=seed,
        conf_level=conf_level, notes=notes,
    )  # fmt: skip


def _check_together(wide: pd.DataFrame) -> None:
    """Refuse columns of one value, that nobody has both of, or that say the same."""
    names = [" ".join(map(str, column)) for column in wide.columns]
    seen = wide.notna().to_numpy(dtype=float)
    both = seen.T @ seen
    if (few := both < 3).any():
        i, j = np.argwhere(few)[0]
        raise DesignError(
            f"{int(both[i, j])} people have both {names[i]} and {names[j]}, so nothing says how "
            "they go together; leave one out"
        )
    if (same := wide.max() == wide.min()).any():
        raise DesignError(f"all scores of {names[int(same.argmax())]} are equal; leave it out")
    alike = np.abs(wide.corr().to_numpy()) - np.eye(len(names)) > 1 - 1e-9
    if alike.any():
        i, j = np.argwhere(alike)[0]
        raise DesignError(f"{names[i]} and {names[j]} say exactly the same; leave one out")


def _arms(table: pd.DataFrame, unit: str, arm: str | None, people: pd.Index) -> NDArray[np.object_]:
    if arm is None:
        return np.full(len(people), "all", dtype=object)
    own = table.groupby(unit)[arm].agg(["first", "nunique"]).loc[people]
    if (own["nunique"] != 1).any():
        raise DataError(
            f"column {arm!r} is missing or changes within one {unit}; give one arm each"
        )
    return np.asarray(own["first"].astype(str), dtype=object)


def _pool(
    estimate: Array, variance: Array, df_complete: float, conf_level: float
) -> dict[str, object]:
    """Combine m estimates and variances by Rubin's rules, df by Barnard and Rubin."""
    m = len(estimate)
    center, within = float(estimate.mean()), float(variance.mean())
    between = float(estimate.var(ddof=1)) * (1 + 1 / m)
    total = within + between
    share = between / total if total else 0.0
    observed = (df_complete + 1) / (df_complete + 3) * df_complete * (1 - share)
    df = observed if share < 1e-12 else 1 / (1 / ((m - 1) / share**2) + 1 / observed)
    error = float(np.sqrt(total))
    half = float(stats.t.ppf((1 + conf_level) / 2, df)) * error
    return {
        "estimate": center, "std_error": error, "df": df, "conf_low": center - half,
        "conf_high": center + half, "conf_level": conf_level,
    }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Tipping(Result):
    """The difference between two arms for a range of deltas, and where it tips.

    `curve`: delta, estimate, conf_low, conf_high. `tips`: the delta nearest
    to 0 at which the interval's answer about 0 changes; None within the range.
    """

    curve: pd.DataFrame
    tips: float | None
    arms: tuple[str, str]
    measured: str
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say where the answer changes."""
        low, high = self.curve["delta"].min(), self.curve["delta"].max()
        where = "nowhere" if self.tips is None else f"at {self.tips:.2f} points"
        return f"The answer changes {where} (deltas {low:g} to {high:g})"

    def tidy(self) -> pd.DataFrame:
        """Return a row a delta; `term` holds it."""
        return tidy_table(self.curve.rename(columns={"delta": "term"}))

    def glance(self) -> pd.DataFrame:
        """Return one row that sums the result up."""
        return pd.DataFrame([{"tips": self.tips, "deltas": len(self.curve)}])

    def plot(self, lang: str = "en") -> StoryAxes:
        """Draw estimate and interval against delta."""
        curve = self.curve
        kind = "never" if self.tips is None else "at"
        tips = "" if self.tips is None else number(self.tips, 1, lang)
        words = {"tips": tips, "arm": self.arms[0], "other": self.arms[1],
                 "measured": self.measured}  # fmt: skip

        def paint(axes: StoryAxes, look: Look) -> None:
            axes.fill_between(curve["delta"], curve["conf_low"], curve["conf_high"],
                              color=look.color(1), alpha=0.2, linewidth=0)  # fmt: skip
            axes.plot(curve["delta"], curve["estimate"], color=look.color(1))
            named_line(axes, 0, say("outcomes.no_difference", lang), look)
            if self.tips is not None:
                axes.axvline(self.tips, color=look.color(2), linestyle="--", linewidth=1.5)
            axes.set(xlabel=say("outcomes.tipping_x", lang, **words),
                     ylabel=say("outcomes.tipping_y", lang, **words))  # fmt: skip

        return draw(
            paint,
            title=say(f"outcomes.tipping_{kind}", lang, **words),
            subtitle=say("outcomes.tipping_sub", lang, **words),
            alt=say(f"outcomes.tipping_{kind}", lang, **words),
            table=curve,
            lang=lang,
        )


def tipping_point(
    imputed: Imputed,
    arms: tuple[str, str],
    wave: object,
    *,
    deltas: Sequence[float],
    perspective: str = "all",
    since: object | None = None,
    measured: str = "",
) -> Tipping:
    """Shift what was filled in for the first arm until the answer changes.

    Parameters
    ----------
    imputed : Imputed
        From `impute_scores`.
    arms : (first, second)
        The difference is first minus second; the first arm is shifted.
    deltas : sequence of float
        Points to add, 0 among them (missing at random).

    Returns
    -------
    Tipping
        Whether a delta is believable is for people who know the care to say.

    Raises
    ------
    DataError
        Fewer than two deltas, or 0 not among them.
    """
    grid = sorted({float(delta) for delta in deltas})
    if 0.0 not in grid or len(grid) < 2:
        raise DataError("give at least two deltas, 0 (missing at random) among them")
    rows = []
    for delta in grid:
        shift = pd.DataFrame(
            {"arm": [arms[0]], "perspective": perspective, "wave": [wave], "delta": delta}
        )
        row = imputed.effect(arms, wave, perspective=perspective, since=since, delta=shift)
        rows.append({"delta": delta} | row.iloc[0].to_dict())
    curve = pd.DataFrame(rows).drop(columns=["component", "term", "wave", "perspective"])
    side = np.where(curve["conf_low"] > 0, 1, np.where(curve["conf_high"] < 0, -1, 0))
    return Tipping(
        curve=curve, tips=_crossing(curve, side), arms=arms, measured=measured,
        notes=(note("outcomes.tipping_judge"),),
    )  # fmt: skip


def _crossing(curve: pd.DataFrame, side: NDArray[np.int64]) -> float | None:
    """Return the delta nearest to 0 at which a bound passes 0, between two points of the grid."""
    delta = curve["delta"].to_numpy()
    changed = np.flatnonzero(side != side[np.abs(delta).argmin()])
    if not len(changed):
        return None
    k = int(changed[np.abs(delta[changed]).argmin()])
    j = k - int(np.sign(delta[k]))
    bound = curve["conf_low" if 1 in (side[j], side[k]) else "conf_high"].to_numpy()
    return float(delta[j] - bound[j] * (delta[k] - delta[j]) / (bound[k] - bound[j]))
