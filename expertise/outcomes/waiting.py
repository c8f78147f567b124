"""Waiting with more than one way out: who was helped by when, and who left otherwise."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from expertise.errors import DataError, listed
from expertise.figures import Look, StoryAxes, draw, end_labels
from expertise.outcomes.tables import Vector, need_columns, need_keys, need_level, numbers, slot_of
from expertise.result import Result, tidy_table
from expertise.words import Note, interval, note, say

UNITS = ("days", "weeks", "months")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Waiting(Result):
    """Cumulative incidence of each way out, with intervals.

    `curves` has a row a group, way out and time at which something happened:
    estimate, std_error, conf_low, conf_high, at_risk.
    """

    curves: pd.DataFrame
    at: tuple[float, ...]
    unit: str
    conf_level: float
    n_people: int
    n_open: int
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Count the people and those still waiting."""
        return (
            f"Waiting with competing ways out, {self.n_people} people, {self.n_open} still waiting"
        )

    def tidy(self) -> pd.DataFrame:
        """Return the share of each way out at the asked times; `wave` holds the time."""
        rows = []
        for (group, cause), curve in self.curves.groupby(["group", "outcome"], sort=False):
            for time in self.at:
                k = int(np.searchsorted(curve["time"], time, side="right")) - 1
                found = curve.iloc[k].to_dict() if k >= 0 else {"estimate": 0.0}
                row = {"component": "incidence", "outcome": cause, "group": group, "wave": time}
                row |= {name: found.get(name, 0.0) for name in
                        ("estimate", "std_error", "conf_low", "conf_high")}  # fmt: skip
                rows.append(row | {"conf_level": self.conf_level, "n_people": curve["n"].iloc[0]})
        return tidy_table(rows)

    def glance(self) -> pd.DataFrame:
        """Return one row that sums the result up."""
        return pd.DataFrame([{"n_people": self.n_people, "n_open": self.n_open}])

    def augment(self) -> pd.DataFrame:
        """Return the curves, a row a group, way out and time."""
        return self.curves.copy()

    def plot(self, outcome: str, lang: str = "en") -> StoryAxes:
        """Draw the share for whom one way out came true, a line a group."""
        curves = self.curves[self.curves["outcome"] == outcome]
        if curves.empty:
            have = listed(pd.unique(self.curves["outcome"]))
            raise DataError(f"no way out {outcome!r}; the table has {have}")
        last = curves.groupby("group", sort=False).tail(1)
        best = last.loc[last["estimate"].idxmax()]
        share, low, high = (100 * float(best[x]) for x in ("estimate", "conf_low", "conf_high"))
        title = "wait_title" if best["group"] == "all" else "wait_title_group"
        unit = say(f"outcomes.unit_{self.unit}", lang) if self.unit in UNITS else self.unit
        words = {
            "group": best["group"], "outcome": outcome, "n": self.n_people, "unit": unit,
            "time": f"{best['time']:g}", "share": interval(share, low, high, lang),
        }  # fmt: skip

        def paint(axes: StoryAxes, look: Look) -> None:
            # Perspectives keep their colours; other groups are told apart by line and label.
            lines, ends = ("-", "--", ":", "-."), []
            for place, (group, curve) in enumerate(curves.groupby("group", sort=False)):
                slot = 1 if group == "all" else slot_of(group)
                line = look.role(slot).line if slot else lines[place % len(lines)]
                x = np.r_[0, curve["time"]]
                y, low, high = (
                    100 * np.r_[0, curve[name]] for name in ("estimate", "conf_low", "conf_high")
                )
                axes.fill_between(x, low, high, step="post", color=look.color(slot), alpha=0.18,
                                  linewidth=0)  # fmt: skip
                axes.step(x, y, where="post", color=look.color(slot),
                          linestyle=line)  # fmt: skip
                if group != "all":
                    ends.append((x[-1], y[-1], str(group), look.color(slot)))
            axes.set(xlabel=unit, ylim=(0, None), ylabel="%")
            end_labels(axes, ends)

        return draw(
            paint,
            title=say(f"outcomes.{title}", lang, **words),
            subtitle=say("outcomes.wait_sub", lang, **words),
            alt=say("outcomes.wait_alt", lang, **words),
            table=curves.drop(columns="n"),
            lang=lang,
        )


def waiting_time(
    table: pd.DataFrame,
    *,
    time: str = "time",
    way_out: str = "way_out",
    group: str | None = None,
    at: tuple[float, ...] = (),
    unit: str = "weeks",
    conf_level: float = 0.95,
) -> Waiting:
    """Estimate by when which way out came true (Aalen–Johansen).

    One minus Kaplan–Meier, with other ways out taken as censored, would
    promise help to people who have already left; this does not.

    Parameters
    ----------
    table : DataFrame
        A row a person: `time` waited, `way_out` (a label; empty: still waiting).
    group : str, optional
        Column to estimate separately by.
    at : tuple of float
        Times to report in `tidy()`; by default the last event.
    conf_level : float
        Pointwise intervals on the complementary log-log scale.

    Returns
    -------
    Waiting
        Not computed: a comparison of groups, or why people left.

    Raises
    ------
    DataError
        A time below 0 or missing, or no event at all.

    References
    ----------
    Aalen & Johansen 1978; Putter, Fiocco & Geskus 2007, doi:10.1002/sim.2712.

    Examples
    --------
    >>> queue = pd.DataFrame({
    ...     "time": [2, 3, 3, 5, 8], "way_out": ["helped", "left", "helped", None, "helped"],
    ... })
    >>> waiting_time(queue, at=(4,)).tidy()[["outcome", "estimate"]].values.tolist()
    [['helped', 0.4], ['left', 0.2]]
    """
    need_level(conf_level)
    need_columns(table, [way_out])
    need_keys(table, [group] if group else [])
    waited = numbers(table, time, missing=False)
    if (waited < 0).any():
        row = table.index[(waited < 0).argmax()]
        raise DataError(f"row {row}, column {time!r}: below 0; give the time waited, from 0")
    cause = table[way_out]
    if cause.isna().all():
        raise DataError(f"column {way_out!r} is empty: everyone is still waiting")
    names = sorted(map(str, cause.dropna().unique()))
    codes = cause.astype(object).map(lambda x: -1 if pd.isna(x) else names.index(str(x)))
    groups = table[group].to_numpy() if group else np.full(len(table), "all", dtype=object)
    parts = []
    for name in pd.unique(groups):
        rows = groups == name
        parts.append(
            _incidence(waited[rows], codes.to_numpy(dtype=int)[rows], names, conf_level).assign(
                group=name, n=int(rows.sum())
            )
        )
    curves = pd.concat(parts, ignore_index=True)
    still = int(cause.isna().sum())
    return Waiting(
        curves=curves,
        at=at or (float(waited[codes.to_numpy() >= 0].max()),),
        unit=unit,
        conf_level=conf_level,
        n_people=len(table),
        n_open=still,
        notes=(note("outcomes.wait_open", n=still, of=len(table)),) if still else (),
    )


def _incidence(
    waited: Vector, codes: np.ndarray, names: list[str], conf_level: float
) -> pd.DataFrame:
    """Return the curves of one group; variance by the delta method (Marubini & Valsecchi)."""
    # Without any event the share is known to be 0 for as long as people were seen.
    times = np.unique(waited[codes >= 0]) if (codes >= 0).any() else waited.max(keepdims=True)
    at_risk = (waited >= times[:, None]).sum(axis=1).astype(float)
    happened = waited == times[:, None]
    events = np.stack([(happened & (codes == k)).sum(axis=1) for k in range(len(names))])
    total = events.sum(axis=0)
    stay = np.cumprod(1 - total / at_risk)
    before = np.r_[1.0, stay[:-1]]
    # Greenwood's increments; 0 when everyone left at once, for nobody is left to vary.
    left = at_risk - total
    green = np.divide(total, at_risk * left, out=np.zeros_like(at_risk), where=left > 0)
    quantile = stats.norm.ppf((1 + conf_level) / 2)
    parts = []
    for k, name in enumerate(names):
        d = events[k]
        share = np.cumsum(before * d / at_risk)
        pure = before**2 * d * (at_risk - d) / at_risk**3
        cross = before * d / at_risk**2
        # Var F(t) = Σ (F(t) − F(s))² g + Σ pure − 2 Σ (F(t) − F(s)) cross, expanded in F(t).
        s0, s1, s2 = (np.cumsum(green * share**p) for p in range(3))
        variance = share**2 * s0 - 2 * share * s1 + s2 + np.cumsum(pure)
        variance -= 2 * (share * np.cumsum(cross) - np.cumsum(cross * share))
        error = np.sqrt(np.maximum(variance, 0))
        inside = (share > 0) & (share < 1)
        safe = np.where(inside, share, 0.5)
        half = quantile * error / ((1 - safe) * -np.log1p(-safe))
        level = np.log(-np.log1p(-safe))
        # Above exp(30) the share is 1 to the last digit.
        low, high = (-np.expm1(-np.exp(np.minimum(level + sign * half, 30))) for sign in (-1, 1))
        parts.append(
            pd.DataFrame(
                {
                    "outcome": name, "time": times, "estimate": share, "std_error": error,
                    "conf_low": np.where(inside, low, share),
                    "conf_high": np.where(inside, high, share), "at_risk": at_risk,
                }
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)
