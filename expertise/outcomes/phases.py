"""One person's own series: how far the second phase lies beyond the first."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import brentq

from expertise.errors import DataError, listed
from expertise.figures import Look, StoryAxes, draw
from expertise.outcomes.tables import Vector, need_keys, need_level, numbers
from expertise.result import Result, tidy_table
from expertise.words import Note, note, number, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SingleCase(Result):
    """Overlap measures of one series in two phases.

    `sizes` has a row a measure; only NAP and Tau have intervals, which take
    the measurements as independent. `series` holds both phases in time.
    """

    sizes: pd.DataFrame
    series: pd.DataFrame
    better: str
    n: tuple[int, int]
    autocorrelation: float
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Count the measurements of both phases."""
        return f"One person's series: {self.n[0]} measurements, then {self.n[1]}"

    def tidy(self) -> pd.DataFrame:
        """Return a row a measure."""
        return tidy_table(self.sizes)

    def glance(self) -> pd.DataFrame:
        """Return one row that sums the result up."""
        return pd.DataFrame(
            [{"n_first": self.n[0], "n_second": self.n[1], "acf_1": self.autocorrelation}]
        )

    def augment(self) -> pd.DataFrame:
        """Return a row a measurement: phase and value."""
        return self.series.copy()

    def plot(self, lang: str = "en") -> StoryAxes:
        """Draw the series, each phase with its median."""
        nap = self.sizes.iloc[0]
        low, high = nap["conf_low"], nap["conf_high"]
        kind = "unclear" if low <= 0.5 <= high else "better" if nap["estimate"] > 0.5 else "worse"
        names = list(pd.unique(self.series["phase"]))
        share = [number(100 * x, 0, lang) for x in (nap["estimate"], low, high)]
        words = {
            "first": names[0], "second": names[1], "share": share[0], "n": sum(self.n),
            "range": f"{share[1]} {say('result.to', lang)} {share[2]}",
        }  # fmt: skip

        def paint(axes: StoryAxes, look: Look) -> None:
            x = np.arange(1, sum(self.n) + 1)
            for slot, name in zip((None, 1), names, strict=True):
                here = (self.series["phase"] == name).to_numpy()
                y = self.series.loc[here, "value"]
                axes.plot(x[here], y, **look.style(slot))
                axes.hlines(y.median(), x[here][0], x[here][-1], color=look.color(slot),
                            linewidth=1)  # fmt: skip
                axes.annotate(
                    str(name), (x[here].mean(), 1), xycoords=("data", "axes fraction"),
                    color=look.color(slot), ha="center", fontweight="bold",
                )  # fmt: skip
            axes.axvline(self.n[0] + 0.5, color=look.text, linewidth=1, linestyle=":")
            axes.set_xlabel(say("outcomes.case_axis", lang))

        return draw(
            paint,
            title=say(f"outcomes.case_{kind}", lang, **words),
            subtitle=say(f"outcomes.case_sub_{self.better}", lang, **words),
            alt=say(f"outcomes.case_alt_{kind}", lang, **words),
            table=self.series,
            lang=lang,
        )


def single_case(
    series: pd.DataFrame,
    *,
    phases: tuple[object, object],
    better: str,
    value: str = "value",
    conf_level: float = 0.95,
) -> SingleCase:
    """Compare two phases of one person's series by non-overlap measures.

    Parameters
    ----------
    series : DataFrame
        A row a measurement, in time: columns `phase` and `value`.
    phases : (first, second)
        The phases to compare, for instance ("A", "B").
    better : {"lower", "higher"}
        Direction; above 0.5 (NAP) or 0 (Tau) means better.
    conf_level : float
        For NAP and Tau: score intervals of Newcombe (2006, method 5).

    Returns
    -------
    SingleCase
        NAP, Tau (2 NAP − 1), Tau-U (Tau less the trend of the first phase),
        Tau-BC (Tau after a Theil–Sen trend of the first phase is taken off),
        PND, PAND, PEM and IRD (the phi of PAND, overlap split evenly). Not
        computed: a test that allows for autocorrelation; its size at lag 1 is
        in the notes.

    Raises
    ------
    DataError
        An unknown phase, or a phase with fewer than three measurements.

    References
    ----------
    Parker & Vannest 2009, doi:10.1016/j.beth.2008.10.006; Parker et al. 2011,
    doi:10.1016/j.beth.2010.08.006; Tarlow 2017, doi:10.1177/0145445516676750.

    Examples
    --------
    >>> days = pd.DataFrame({"phase": list("AAAABBBBB"), "value": [3, 3, 4, 5, 4, 5, 6, 7, 7]})
    >>> found = single_case(days, phases=("A", "B"), better="higher").tidy()
    >>> dict(zip(found["term"], found["estimate"].round(2)))["Tau-U"]
    0.55
    """
    need_level(conf_level)
    need_keys(series, ["phase"])
    if better not in ("lower", "higher"):
        raise DataError(f"better is {better!r}; allowed are lower, higher")
    y = numbers(series, value) * (1 if better == "higher" else -1)
    phase = series["phase"].to_numpy()
    if phases[0] == phases[1]:
        raise DataError(f"both phases are {phases[0]!r}; name two different ones")
    parts = []
    for name in phases:
        part = y[(phase == name) & ~np.isnan(y)]
        if name not in phase:
            raise DataError(f"no phase {name!r} in the series; it has {listed(pd.unique(phase))}")
        if len(part) < 3:
            raise DataError(
                f"phase {name!r} has {len(part)} measurements; at least 3 are needed to compare"
            )
        parts.append(part)
    a, b = parts
    nap = float(((b[:, None] > a) + 0.5 * (b[:, None] == a)).mean())
    low, high = _newcombe(nap, len(a), len(b), conf_level)
    share = _pand(a, b)
    overlap = (1 - share) * (len(a) + len(b)) / 2
    ird = (len(b) - overlap) / len(b) - overlap / len(a)
    tau = 2 * nap - 1
    sizes = {
        "NAP": (nap, low, high),
        "Tau": (tau, 2 * low - 1, 2 * high - 1),
        "Tau-U": (tau - _signs(a) / (len(a) * len(b)), np.nan, np.nan),
        "Tau-BC": (_corrected(a, b), np.nan, np.nan),
        "PND": (float((b > a.max()).mean()), np.nan, np.nan),
        "PAND": (share, np.nan, np.nan),
        "PEM": (_beyond_median(a, b), np.nan, np.nan),
        "IRD": (ird, np.nan, np.nan),
    }
    rows = [
        {"term": term, "estimate": size, "conf_low": lo, "conf_high": hi}
        | {"conf_level": conf_level, "n": len(a) + len(b)}
        for term, (size, lo, hi) in sizes.items()
    ]
    r = _autocorrelation(a, b)
    taken = pd.DataFrame(
        {"phase": np.repeat(np.array(phases, dtype=object), [len(a), len(b)])}
    ).assign(value=np.concatenate(parts) * (1 if better == "higher" else -1))
    return SingleCase(
        sizes=pd.DataFrame(rows),
        series=taken,
        better=better,
        n=(len(a), len(b)),
        autocorrelation=r,
        notes=(note("outcomes.single_case", r=f"{r:.2f}"),),
    )


def _newcombe(nap: float, m: int, n: int, conf_level: float) -> tuple[float, float]:
    """Return the score interval of an area under the curve (Newcombe 2006, method 5)."""
    z2 = stats.norm.ppf((1 + conf_level) / 2) ** 2
    h = (m + n) / 2 - 1

    def distance(t: float) -> float:
        spread = t * (1 - t) * (1 + h * (1 - t) / (2 - t) + h * t / (1 + t)) / (m * n)
        return float((nap - t) ** 2 - z2 * spread)

    # The ends 0, nap and 1 are roots of their own when nap is 0 or 1.
    edge = 1e-9
    low = brentq(distance, edge, nap - edge) if nap > 0 else 0.0
    high = brentq(distance, nap + edge, 1 - edge) if nap < 1 else 1.0
    return float(low), float(high)


def _signs(y: Vector) -> float:
    """Return rises minus falls over all pairs in time."""
    return float(np.triu(np.sign(y[None, :] - y[:, None]), 1).sum())


def _corrected(a: Vector, b: Vector) -> float:
    """Return Kendall's tau of phase and series, less the first phase's Theil–Sen line."""
    y, time = np.concatenate([a, b]), np.arange(len(a) + len(b), dtype=float)
    line = stats.theilslopes(a, time[: len(a)])
    rest = y - line.slope * time
    rest = np.where(np.isclose(rest, np.round(rest, 9)), np.round(rest, 9), rest)
    if np.ptp(rest) < 1e-9:
        return 0.0
    return float(stats.kendalltau(np.arange(len(y)) >= len(a), rest).statistic)


def _pand(a: Vector, b: Vector) -> float:
    """Return the largest share of measurements that remains when all overlap is taken out."""
    keep = [(a < cut).sum() + (b >= cut).sum() for cut in np.unique(np.concatenate([a, b]))]
    return float(max(*keep, len(a), len(b)) / (len(a) + len(b)))


def _beyond_median(a: Vector, b: Vector) -> float:
    middle = np.median(a)
    return float(((b > middle) + 0.5 * (b == middle)).mean())


def _autocorrelation(a: Vector, b: Vector) -> float:
    """Return the lag-1 correlation within phases."""
    rest = np.concatenate([a - a.mean(), b - b.mean()])
    spread = float((rest**2).sum())
    steps = np.concatenate(
        [rest[1 : len(a)] * rest[: len(a) - 1], rest[len(a) + 1 :] * rest[len(a) : -1]]
    )
    return float(steps.sum() / spread) if spread else 0.0
