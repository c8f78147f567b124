"""Control charts: is a process changing, or does it vary as it always did?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from expertise.errors import DataError, listed
from expertise.figures import Look, StoryAxes, draw
from expertise.outcomes.tables import Vector, from_then, need_columns, need_time, numbers
from expertise.result import Result, tidy_table
from expertise.words import Note, note, say

KINDS = ("run", "xmr", "p", "u", "g")
SHORTEST = 10  # points a phase: with fewer the runs rules say next to nothing
# Divisors of the mean moving range of two normal values (Montgomery).
TO_SIGMA, TO_RANGE = 1.128, 3.267
RUNS = ("longest_run", "longest_allowed", "crossings", "crossings_needed")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ControlChart(Result):
    """Points with the centre and limits of their phase, and what the runs rules say.

    `points` has a row a measurement: time, value, phase, center, lower, upper,
    outside. `rules` has a row a phase: useful points, longest run, crossings,
    what chance allows, and signal.
    """

    points: pd.DataFrame
    rules: pd.DataFrame
    actions: pd.DataFrame
    kind: str
    measured: str
    better: str
    notes: tuple[Note, ...]

    @property
    def signal(self) -> bool:
        """Whether a point lies outside its limits or a phase breaks a runs rule."""
        return bool(self.points["outside"].any() or self.rules["signal"].any())

    def heading(self) -> str:
        """Name the kind of chart and its size."""
        return f"{self.kind} chart of {len(self.points)} points in {len(self.rules)} phase(s)"

    def tidy(self) -> pd.DataFrame:
        """Return centre, limits at the last point and runs of each phase, a row each."""
        rows = []
        for rule in self.rules.to_dict("records"):
            last = self.points[self.points["phase"] == rule["phase"]].iloc[-1]
            limits = {name: last[name] for name in ("center", "lower", "upper")}
            limits["range_limit"] = rule["range_limit"]
            found = {"limits": limits, "runs": {name: rule[name] for name in RUNS}}
            rows += [
                {"component": component, "term": name, "group": rule["phase"]}
                | {"estimate": float(value), "n": rule["n"]}
                for component, values in found.items()
                for name, value in values.items()
                if not np.isnan(value)
            ]
        return tidy_table(rows)

    def glance(self) -> pd.DataFrame:
        """Return one row: points, phases, points outside, and whether anything signals."""
        row = {"kind": self.kind, "n": len(self.points), "phases": len(self.rules)}
        row |= {"outside": int(self.points["outside"].sum()), "signal": self.signal}
        return pd.DataFrame([row])

    def augment(self) -> pd.DataFrame:
        """Return a row a point."""
        return self.points.copy()

    def plot(self, lang: str = "en") -> StoryAxes:
        """Draw the series with centre, limits and numbered actions."""
        quiet = "quiet_phases" if len(self.rules) > 1 else "quiet"
        state = "signal" if self.signal else quiet
        words: dict[str, object] = {"n": len(self.points)}
        words |= {"outside": int(self.points["outside"].sum())}
        words |= {"runs": int(self.rules["signal"].sum()), "measured": self.measured}
        done = [f"{i}. {text}" for i, text in enumerate(self.actions.get("action", []), start=1)]
        subtitle = say(f"outcomes.chart_sub_{self.better}", lang, **words)

        def paint(axes: StoryAxes, look: Look) -> None:
            x = np.arange(len(self.points))
            points = self.points
            for _, part in points.groupby("phase", sort=False):
                at = x[points.index.get_indexer(part.index)]
                axes.plot(at, part["center"], color=look.text, linewidth=1)
                for side in ("lower", "upper"):
                    axes.step(at, part[side], color=look.text, linewidth=1, linestyle=(0, (4, 3)),
                              where="mid")  # fmt: skip
            axes.plot(
                x, points["value"], color=look.color(1), marker="o", markersize=4, linewidth=1
            )
            out = points["outside"].to_numpy()
            axes.plot(x[out], points["value"][out], linestyle="", marker="s", markersize=8,
                      color=look.color(2))  # fmt: skip
            for number, time in enumerate(self.actions.get("time", []), start=1):
                place = int((~from_then(points["time"], time)).sum()) - 0.5
                axes.axvline(place, color=look.color(3), linewidth=1, linestyle=":")
                axes.annotate(
                    str(number), (place, 1), xycoords=("data", "axes fraction"), va="bottom",
                    ha="center", color=look.color(3), fontweight="bold",
                )  # fmt: skip
            every = max(1, -(-len(x) // (3 if look.phone else 8)))
            axes.set_xticks(x[::every], [_label(time) for time in points["time"][::every]])
            axes.set_ylabel(self.measured)

        return draw(
            paint,
            title=say(f"outcomes.chart_{state}", lang, **words),
            subtitle=" ".join([subtitle, *done]),
            alt=say(f"outcomes.chart_alt_{state}", lang, **words),
            table=self.points,
            lang=lang,
        )


def control_chart(
    series: pd.DataFrame,
    kind: str,
    *,
    phases: pd.DataFrame | None = None,
    actions: pd.DataFrame | None = None,
    measured: str = "",
    better: str = "neither",
) -> ControlChart:
    """Draw up a control chart with Anhøj's rules for runs.

    Parameters
    ----------
    series : DataFrame
        A row a point, in time: `time` and `value` (run, xmr; g: cases or days
        between events), or `time`, `count` and `size` (p: of how many people;
        u: over how much exposure).
    kind : {"run", "xmr", "p", "u", "g"}
        run: median, no limits. xmr: mean ± 2.66 times the mean moving range.
        p: binomial, u: Poisson, g: geometric, each at three sigma.
    phases : DataFrame, optional
        Columns `start` (a time) and `phase` (a name); each phase has its own
        centre and limits. Points before the first start form phase "start".
    actions : DataFrame, optional
        Columns `time` and `action`: what was done when; numbered in the plot.
    measured : str
        What is on the axis, in words.
    better : {"lower", "higher", "neither"}
        Direction, for the words of the plot.

    Returns
    -------
    ControlChart
        Points on the centre line count for no run; runs of a g chart are about
        its median, for its points are skewed. Not computed: the cause of
        a signal, or a comparison between phases (see `interrupted_series`).

    Raises
    ------
    DataError
        An unknown kind, time out of order, a phase shorter than 10 points, a
        size of zero, a count that is impossible.

    References
    ----------
    Anhøj & Olesen 2014, doi:10.1371/journal.pone.0113825.

    Examples
    --------
    >>> weeks = pd.DataFrame({"time": range(12), "value": [5, 7, 6, 5, 8, 6, 7, 5, 6, 7, 19, 6]})
    >>> control_chart(weeks, "xmr").augment().query("outside")["time"].tolist()
    [10]
    """
    if kind not in KINDS:
        raise DataError(f"unknown kind of chart {kind!r}; allowed are {listed(KINDS)}")
    if better not in ("lower", "higher", "neither"):
        raise DataError(f"better is {better!r}; allowed are lower, higher, neither")
    value, size = _values(series, kind)
    need_time(series, "time")
    phase = _phases(series, phases)
    points = pd.DataFrame({"time": series["time"].to_numpy(), "value": value, "phase": phase})
    lines, rules = [], []
    for name, part in points.groupby("phase", sort=False):
        if len(part) < SHORTEST:
            raise DataError(
                f"phase {name!r} has {len(part)} points; a {kind} chart needs at least "
                f"{SHORTEST} in each phase: wait, or join phases"
            )
        at = part.index.to_numpy()
        center, lower, upper = _limits(kind, value[at], size[at])
        lines.append(pd.DataFrame({"center": center, "lower": lower, "upper": upper}, index=at))
        middle = np.full(len(at), np.median(value[at])) if kind == "g" else center
        spread = TO_RANGE * np.abs(np.diff(value[at])).mean() if kind == "xmr" else np.nan
        rules.append(
            {"phase": name, "n": len(at), "range_limit": spread} | runs(value[at] - middle)
        )
    points = points.join(pd.concat(lines))
    points["outside"] = (points["value"] < points["lower"]) | (points["value"] > points["upper"])
    if actions is not None:
        need_columns(actions, ["time", "action"])
        for when in actions["time"]:
            from_then(series["time"], when)
    return ControlChart(
        points=points,
        rules=pd.DataFrame(rules),
        actions=pd.DataFrame() if actions is None else actions.reset_index(drop=True),
        kind=kind,
        measured=measured,
        better=better,
        notes=_notes(kind, points, size),
    )


def runs(distance: Vector) -> dict[str, object]:
    """Return Anhøj's longest run and crossings for distances from the centre line.

    Examples
    --------
    >>> found = runs(np.tile([1.0, -1.0], 12))
    >>> found["longest_allowed"], found["crossings_needed"]
    (8, 8)
    """
    side = np.sign(distance[distance != 0])
    n = len(side)
    if n < 2:
        return {"n_useful": n, "longest_run": n, "longest_allowed": n, "crossings": 0,
                "crossings_needed": 0, "signal": False}  # fmt: skip
    turns = np.flatnonzero(np.diff(side)) + 1
    longest = int(np.diff([0, *turns, n]).max())
    allowed = round(float(np.log2(n))) + 3
    needed = int(stats.binom.ppf(0.05, n - 1, 0.5))
    return {
        "n_useful": n,
        "longest_run": longest,
        "longest_allowed": allowed,
        "crossings": len(turns),
        "crossings_needed": needed,
        "signal": longest > allowed or len(turns) < needed,
    }


def _values(series: pd.DataFrame, kind: str) -> tuple[Vector, Vector]:
    """Return the points to plot and, for p and u, their denominators (else ones)."""
    if kind not in ("p", "u"):
        need_columns(series, ["time", "value"])
        value = numbers(series, "value", missing=False)
        if kind == "g" and (value < 0).any():
            row = series.index[(value < 0).argmax()]
            raise DataError(
                f"row {row}, column 'value': below 0; give what lies between two events"
            )
        return value, np.ones(len(value))
    need_columns(series, ["time", "count", "size"])
    count, size = (numbers(series, name, missing=False) for name in ("count", "size"))
    for wrong, what in (
        (size <= 0, "column 'size': not above 0; leave out a period in which nobody was seen"),
        (count < 0, "column 'count': below 0; give a number of events"),
        ((count > size) & (kind == "p"), "column 'count': more events than people; use a u chart"),
    ):
        if wrong.any():
            raise DataError(f"row {series.index[wrong.argmax()]}, {what}")
    return count / size, size


def _phases(series: pd.DataFrame, phases: pd.DataFrame | None) -> np.ndarray:
    name = np.full(len(series), "start", dtype=object)
    if phases is not None:
        need_columns(phases, ["start", "phase"])
        if phases["phase"].duplicated().any():
            raise DataError("a phase stands twice in the table of phases; name each phase once")
        for row in phases.sort_values("start").itertuples():
            name[from_then(series["time"], row.start)] = row.phase
        if absent := sorted(set(phases["phase"]) - set(name)):
            raise DataError(f"no point falls in phase {absent[0]!r}; check its start")
    return name


def _limits(kind: str, value: Vector, size: Vector) -> tuple[Vector, Vector, Vector]:
    """Return centre, lower and upper limit at every point of one phase."""
    same = np.ones(len(value))
    if kind == "run":
        return np.median(value) * same, np.nan * same, np.nan * same
    center = float((value * size).sum() / size.sum())
    if kind == "xmr":
        half = 3 / TO_SIGMA * np.abs(np.diff(value)).mean() * same
        return center * same, center - half, center + half
    variance = {"p": center * (1 - center), "u": center, "g": center * (center + 1)}[kind]
    half = 3 * np.sqrt(variance / size)
    upper = np.minimum(center + half, 1) if kind == "p" else center + half
    return center * same, np.maximum(center - half, 0), upper


def _notes(kind: str, points: pd.DataFrame, size: Vector) -> tuple[Note, ...]:
    notes = []
    if kind in ("p", "u"):
        # Spread of the standardised points against what counts alone would give (Laney).
        center = points["center"].to_numpy()
        sigma = np.sqrt(center * (1 - center if kind == "p" else 1) / size)
        if (sigma > 0).all():
            z = (points["value"].to_numpy() - center) / sigma
            ratio = float(np.abs(np.diff(z)).mean() / TO_SIGMA)
            if ratio > 1.5:
                notes.append(note("outcomes.chart_overdispersed", ratio=f"{ratio:.1f}"))
    on_line = int((points["value"] == points["center"]).sum())
    if on_line and kind != "g":
        notes.append(note("outcomes.chart_on_line", n=on_line))
    return tuple(notes)


def _label(time: object) -> str:
    return f"{time:%Y-%m}" if isinstance(time, pd.Timestamp) else str(time)
