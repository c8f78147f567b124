"""How large a change is in standard units: each size with its formula and denominator."""

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import fill

import numpy as np
import pandas as pd
from scipy import stats

from expertise.errors import DataError
from expertise.figures import Look, StoryAxes, draw
from expertise.outcomes.tables import Vector, before_after, need_level
from expertise.result import Result, tidy_table
from expertise.words import Note, note, number, say

# Name → (denominator as a function of both variances and the covariance, its formula).
SIZES: dict[str, tuple[Callable[[Vector], float], str]] = {
    "d_av": (lambda s: float(np.sqrt((s[0] + s[1]) / 2)), "root of the mean variance"),
    "d_av_mean_sd": (lambda s: float((np.sqrt(s[0]) + np.sqrt(s[1])) / 2), "mean of both SDs"),
    "d_pre": (lambda s: float(np.sqrt(s[0])), "SD before"),
    "d_z": (lambda s: float(np.sqrt(s[0] + s[1] - 2 * s[2])), "SD of the differences"),
    "d_rm": (
        lambda s: float(
            np.sqrt((s[0] + s[1] - 2 * s[2]) / (2 * (1 - s[2] / np.sqrt(s[0] * s[1]))))
        ),
        "SD of the differences over root 2(1 − r)",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Effects(Result):
    """Standardised mean changes of the same people, each with its denominator."""

    sizes: pd.DataFrame
    correlation: float
    n: int
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Name the number of people and the correlation between the waves."""
        return f"Mean change in standard units, {self.n} people, r = {self.correlation:.2f}"

    def tidy(self) -> pd.DataFrame:
        """Return a row an effect size; `method` holds the denominator."""
        return tidy_table(self.sizes)

    def glance(self) -> pd.DataFrame:
        """Return one row that sums the result up."""
        return pd.DataFrame([{"n_people": self.n, "correlation": self.correlation}])

    def plot(self, lang: str = "en") -> StoryAxes:
        """Draw the same change over each denominator."""
        sizes = self.sizes.iloc[::-1]
        low, high = (
            number(size, 2, lang) for size in (sizes["estimate"].min(), sizes["estimate"].max())
        )
        words = {"low": low, "high": high, "n": self.n}

        def paint(axes: StoryAxes, look: Look) -> None:
            y = np.arange(len(sizes))
            axes.hlines(y, sizes["conf_low"], sizes["conf_high"], color=look.color(1))
            axes.plot(sizes["estimate"], y, "o", color=look.color(1))
            axes.axvline(0, color=look.text, linewidth=1)
            names = [fill(say(f"outcomes.{term}", lang), 16) for term in sizes["term"]]
            axes.set_yticks(y, names, fontsize=9.5)
            axes.set_xlabel(say("outcomes.effect_axis", lang))

        return draw(
            paint,
            title=say("outcomes.effect_title", lang, **words),
            subtitle=say("outcomes.effect_sub", lang, **words),
            alt=say("outcomes.effect_title", lang, **words),
            table=self.sizes,
            lang=lang,
        )


def effect_sizes(
    table: pd.DataFrame,
    *,
    waves: tuple[object, object],
    person: str = "participant",
    score: str = "score",
    conf_level: float = 0.95,
) -> Effects:
    """Return the mean change between two waves over five different denominators.

    On one data set the sizes can differ by a factor of two, so each row names
    its denominator and none is called "the" effect size.

    Parameters
    ----------
    table : DataFrame
        Long: columns `person`, `wave`, `score`.
    waves : (first, last)
        Which two waves to compare; the change is last minus first.
    conf_level : float
        Of the intervals, by the delta method under normal scores with
        Student's quantile (n − 1 degrees of freedom).

    Returns
    -------
    Effects
        Not computed: corrections for small samples; people with one
        measurement take no part.

    Raises
    ------
    DataError
        Fewer than three people measured twice, or a spread of zero.

    References
    ----------
    Lakens 2013, doi:10.3389/fpsyg.2013.00863; Morris & DeShon 2002,
    doi:10.1037/1082-989X.7.1.105.

    Examples
    --------
    >>> scores = pd.DataFrame({
    ...     "participant": [1, 2, 3, 4] * 2,
    ...     "wave": [0] * 4 + [1] * 4,
    ...     "score": [10, 12, 14, 16, 9, 9, 13, 13],
    ... })
    >>> effect_sizes(scores, waves=(0, 1)).tidy()["estimate"].round(2).tolist()
    [-0.82, -0.82, -0.77, -1.73, -0.8]
    """
    need_level(conf_level)
    pairs = before_after(table, waves, person, score).dropna(subset=["before", "after"])
    n = len(pairs)
    if n < 3:
        raise DataError(f"{n} people have both measurements; at least 3 are needed for an interval")
    cov = np.cov(pairs["before"], pairs["after"])
    spread = np.array([cov[0, 0], cov[1, 1], cov[0, 1]])
    if min(spread[0], spread[1], spread[0] + spread[1] - 2 * spread[2]) <= 0:
        raise DataError(
            "scores, or their differences, do not vary, so no effect size can be divided by it; "
            "report the mean change in points"
        )
    gain = float((pairs["after"] - pairs["before"]).mean())
    quantile = stats.t.ppf((1 + conf_level) / 2, n - 1)
    rows = []
    for name, (denominator, formula) in SIZES.items():
        size, error = _delta(gain, spread, n, denominator)
        rows.append(
            {
                "term": name,
                "estimate": size,
                "std_error": error,
                "conf_low": size - quantile * error,
                "conf_high": size + quantile * error,
                "conf_level": conf_level,
                "n_people": n,
                "method": formula,
            }
        )
    return Effects(
        sizes=pd.DataFrame(rows),
        correlation=float(spread[2] / np.sqrt(spread[0] * spread[1])),
        n=n,
        notes=(note("outcomes.denominators"),),
    )


def _delta(
    gain: float, spread: Vector, n: int, denominator: Callable[[Vector], float]
) -> tuple[float, float]:
    """Return gain / denominator and its standard error under normal scores."""
    v1, v2, c = spread
    # Sampling covariance of two variances and a covariance (Wishart).
    sampling = np.array(
        [
            [2 * v1**2, 2 * c**2, 2 * v1 * c],
            [2 * c**2, 2 * v2**2, 2 * v2 * c],
            [2 * v1 * c, 2 * v2 * c, v1 * v2 + c**2],
        ]
    ) / (n - 1)
    base = denominator(spread)
    step = 1e-6 * float(np.sqrt(v1 * v2))
    slope = np.array(
        [
            (denominator(spread + step * e) - denominator(spread - step * e)) / (2 * step)
            for e in np.eye(3)
        ]
    )
    size = gain / base
    variance = (v1 + v2 - 2 * c) / n / base**2 + (size / base) ** 2 * slope @ sampling @ slope
    return size, float(np.sqrt(variance))
