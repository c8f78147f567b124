"""Limits of agreement: how far ratings of one person lie apart, in points of the scale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtri, nctdtrit, ndtri, stdtrit

from expertise.errors import DesignError
from expertise.figures import Look, StoryAxes, draw, named_line
from expertise.result import Result, tidy_table
from expertise.triads.forest import forest
from expertise.triads.intraclass import two_way
from expertise.triads.tables import Array, check_level, levels, pair_of, wide_ratings
from expertise.words import Note, interval, note, number, plain, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Limits(Result):
    """Limits of agreement, in points of the scale."""

    kind: str
    table: pd.DataFrame
    points: pd.DataFrame
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say which limits these are."""
        return say(f"triads.{self.kind}")

    def tidy(self) -> pd.DataFrame:
        """Return a row per quantity (and wave), with its interval."""
        return tidy_table(self.table)

    def augment(self) -> pd.DataFrame:
        """Return the points behind a Bland–Altman picture: mean and difference of each pair."""
        return self.points.copy()

    def at(self, term: str) -> pd.Series:
        """Return the row of one quantity, of one pair at one wave."""
        return self.table.set_index("term").loc[term]

    def plot(self, lang: str = "en") -> StoryAxes:
        """Draw differences against means; each point is a person: look at small cells first.

        Raises
        ------
        DesignError
            For several waves at once, or limits with the mean.
        """
        if self.kind != "bland_altman" or self.table["term"].duplicated().any():
            raise DesignError("plot draws one pair at one wave; select one wave first")
        at = self.table.set_index("term")
        middle = at.loc["mean difference"]
        low, high = at.loc["lower limit", "estimate"], at.loc["upper limit", "estimate"]
        first, second = str(middle["group"]).split(" − ")
        words = {
            "first": first, "second": second, "n": int(middle["n_people"]),
            "gap": interval(middle["estimate"], middle["conf_low"], middle["conf_high"], lang),
            "low": number(low, 1, lang), "high": number(high, 1, lang),
        }  # fmt: skip

        def paint(axes: StoryAxes, look: Look) -> None:
            axes.axhspan(middle["conf_low"], middle["conf_high"], color=look.faint, alpha=0.6)
            axes.plot(self.points["mean"], self.points["difference"], ".", color=look.color(None))
            for key, place in (("mean_line", middle["estimate"]), ("limit_line", low),
                               ("limit_line", high)):  # fmt: skip
                named_line(axes, place, say(f"triads.{key}", lang), look)
            axes.set(xlabel=say("triads.mean_of_two", lang))

        return draw(
            paint,
            title=say("triads.ba_title", lang, **words),
            subtitle=say("triads.ba_sub", lang, **words),
            alt=say("triads.ba_alt", lang, **words),
            table=self.table[["term", "estimate", "conf_low", "conf_high"]], lang=lang,
        )  # fmt: skip


def draw_limits(
    found: Mapping[str, Limits], *, what: str, ends: tuple[float | None, float | None], lang: str
) -> StoryAxes:
    """Draw mean differences and limits of several pairs or moments, no person among them.

    Parameters
    ----------
    found : mapping
        Limits of one pair at one wave, by name.
    what : str
        What was measured, in words.
    ends : (float, float)
        Ends of its scale, where it has them.
    lang : {"en", "nl"}

    Returns
    -------
    StoryAxes
    """
    rows = pd.DataFrame([
        {"label": name, "low": one.at("lower limit")["estimate"],
         "high": one.at("upper limit")["estimate"],
         **one.at("mean difference")[["estimate", "conf_low", "conf_high"]]}
        for name, one in found.items()
    ])  # fmt: skip
    scale = ""
    if ends[0] is not None and ends[1] is not None:
        scale = say(
            "triads.limits_scale", lang, low=plain(ends[0], lang), high=plain(ends[1], lang)
        )
    most = number(float(rows[["low", "high"]].abs().to_numpy().max()), 0, lang)
    title = say("triads.limits_title", lang, most=most)
    return forest(
        rows, title=title, alt=title, lang=lang, zero=say("triads.limits_zero", lang),
        subtitle=say("triads.limits_sub", lang, what=what, scale=scale),
    )  # fmt: skip


def loam(
    table: pd.DataFrame, target: str, rater: str, value: str, *, conf_level: float = 0.95
) -> Limits:
    """Return limits of agreement with the mean, for two or more raters.

    Where 95 % of single ratings lie around the mean of all raters of that
    person, raters' own levels included. In points: ask whether a difference
    that large would matter.

    Parameters
    ----------
    table : DataFrame
        Long: one row per target and rater. With missing ratings the
        components come from REML on all ratings.
    target, rater, value : str
        Columns.
    conf_level : float
        Of the interval; the limits themselves are 95 % limits.

    Returns
    -------
    Limits
        The half-width, as ±; the interval is Satterthwaite's, raters a
        random sample: with two or three of them it is wide, and it should be.

    Raises
    ------
    DataError, DesignError
        As for `icc`.

    Notes
    -----
    Christensen et al. (2020), doi:10.1186/s12874-020-01022-x.

    Examples
    --------
    >>> scores = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9],
    ...           [6, 2, 4, 7]]
    >>> table = pd.DataFrame(
    ...     [(p, j, x) for p, row in enumerate(scores) for j, x in enumerate(row)],
    ...     columns=["person", "judge", "score"])
    >>> float(round(loam(table, "person", "judge", "score").table["estimate"][0], 3))
    4.248
    """
    check_level(conf_level)
    wide = wide_ratings(table, target, rater, value)
    parts = two_way(wide)
    k = wide.shape[1]
    (_, msc, mse), (_, dfc, dfe) = parts.squares, parts.df
    # SSB + SSE over the number of ratings, written in components for missing ratings.
    weights = np.array([(k - 1) / (k * parts.n), (k - 1) * (1 - 1 / parts.n) / k])
    pieces = weights * np.array([msc, mse])
    spread = float(pieces.sum())
    if spread > 0:
        df = spread**2 / float((pieces**2 / np.array([dfc, dfe])).sum())
        tail = np.array([(1 + conf_level) / 2, (1 - conf_level) / 2])
        low, high = np.sqrt(df * spread / chdtri(df, 1 - tail))
    else:  # everyone got the same rating from all
        low = high = np.nan
    z = float(ndtri(0.975))
    row = {
        "component": "agreement", "term": "limits with the mean (±)",
        "estimate": z * spread**0.5, "conf_low": z * low, "conf_high": z * high,
        "conf_level": conf_level, "n": int(wide.notna().to_numpy().sum()), "n_people": len(wide),
    }  # fmt: skip
    return Limits(kind="loam", table=pd.DataFrame([row]), points=pd.DataFrame(), notes=parts.notes)


def bland_altman(
    table: pd.DataFrame,
    pair: Sequence[Any],
    person: str,
    perspective: str,
    value: str,
    *,
    wave: str | None = None,
    conf_level: float = 0.95,
) -> Limits:
    """Return the mean difference of two perspectives and where 95 % of differences lie.

    Parameters
    ----------
    table : DataFrame
        Long: one row per person and perspective (and wave).
    pair : (first, second)
        Differences are first − second.
    person, perspective, value : str
        Columns.
    wave : str, optional
        A column; then a set of rows per wave, each on the pairs complete there.
    conf_level : float
        Of all intervals; those of the limits are exact for normal differences.

    Returns
    -------
    Limits
        Mean difference, SD (interval by chi-square), lower and upper limit.

    Raises
    ------
    DataError, DesignError
        A perspective that is not there, fewer than three complete pairs, as for `icc`.

    Notes
    -----
    Not computed: limits that change with the height of the score; look at
    the picture. Bland & Altman (1986), doi:10.1016/S0140-6736(86)90837-8;
    Carkeet (2015), doi:10.1097/OPX.0000000000000513.
    """
    check_level(conf_level)
    if wave is None:
        parts = [("", table)]
    else:
        if wave not in table.columns:
            raise DesignError(f"the table has no column {wave!r} for the wave")
        parts = [(at, table[table[wave] == at]) for at in levels(table[wave].dropna())]
    rows, points = [], []
    for at, part in parts:
        both = pair_of(wide_ratings(part, person, perspective, value), pair, perspective)
        if len(both) < 3:
            raise DesignError(
                f"{len(both)} people have answers of both {pair[0]!r} and {pair[1]!r}"
                f"{f' at {at}' if wave else ''}; three or more are needed"
            )
        rows += [
            {**row, "group": f"{pair[0]} − {pair[1]}"} | ({"wave": at} if wave else {})
            for row in _limits(both[:, 0] - both[:, 1], conf_level)
        ]
        points.append(pd.DataFrame({
            "wave": at, "mean": both.mean(axis=1), "difference": both[:, 0] - both[:, 1]
        }))  # fmt: skip
    return Limits(
        kind="bland_altman", table=pd.DataFrame(rows), points=pd.concat(points),
        notes=(note("triads.limits_normal"),),
    )  # fmt: skip


def _limits(d: Array, conf_level: float) -> list[dict[str, Any]]:
    n, mean, sd = len(d), float(d.mean()), float(d.std(ddof=1))
    tail, z = np.array([(1 - conf_level) / 2, (1 + conf_level) / 2]), float(ndtri(0.975))
    half = sd / n**0.5
    bounds = {
        "mean difference": (mean, mean + stdtrit(n - 1, tail) * half),
        "SD of differences": (sd, sd * np.sqrt((n - 1) / chdtri(n - 1, tail))),
        "lower limit": (mean - z * sd, mean - nctdtrit(n - 1, n**0.5 * z, tail[::-1]) * half),
        "upper limit": (mean + z * sd, mean + nctdtrit(n - 1, n**0.5 * z, tail) * half),
    }
    return [
        {"component": "agreement", "term": term, "estimate": estimate, "conf_low": float(low),
         "conf_high": float(high), "conf_level": conf_level, "n_people": n}
        for term, (estimate, (low, high)) in bounds.items()
    ]  # fmt: skip
