"""Comparing to learn: teams against what their people made likely, never a league table."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from scipy.optimize import brentq

from expertise.errors import DataError, DesignError, listed
from expertise.figures import Look, StoryAxes, draw
from expertise.mixed.fit import fit_mixed
from expertise.outcomes.tables import Vector, need_keys, need_level, numbers
from expertise.result import Result, tidy_table
from expertise.words import Note, interval, note, say

ENOUGH = 10  # units from which on a between-unit variance can be estimated and shrunk to


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Comparison(Result):
    """Each unit's difference from what its people made likely, in order of name.

    `units`: n, observed, expected, difference (adjusted, not shrunken) with
    its standard error, estimate (shrunken from ten units on), and the limits
    of the funnel. `between` is the SD between units with its interval.
    """

    units: pd.DataFrame
    between: tuple[float, float, float]
    sigma: float
    shrunken: bool
    adjusted_for: tuple[str, ...]
    measured: str
    better: str
    conf_level: float
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Count units and name the adjustment and the SD between units."""
        low, high = self.between[1:]
        how = "shrunken" if self.shrunken else "not shrunken"
        return (
            f"{len(self.units)} units compared to learn ({how}), adjusted for "
            f"{', '.join(self.adjusted_for) or 'nothing'}; SD between units "
            f"{self.between[0]:.2f} ({low:.2f} to {high:.2f})"
        )

    def tidy(self) -> pd.DataFrame:
        """Return units by name, then the SD between units."""
        units = self.units[["unit", "estimate", "conf_low", "conf_high", "n"]]
        units = units.rename(columns={"unit": "group"}).assign(component="unit")
        sd, low, high = self.between
        row = {"component": "variance", "term": "SD between units", "estimate": sd}
        row |= {"conf_low": low, "conf_high": high, "n": int(self.units["n"].sum())}
        table = pd.concat([units, pd.DataFrame([row])], ignore_index=True)
        return tidy_table(table.assign(conf_level=self.conf_level))

    def glance(self) -> pd.DataFrame:
        """Return one row that sums the result up."""
        return pd.DataFrame(
            [
                {
                    "units": len(self.units),
                    "n": int(self.units["n"].sum()),
                    "sd_between": self.between[0],
                    "sigma": self.sigma,
                }
            ]
        )

    def plot(self, lang: str = "en") -> StoryAxes:
        """Draw the funnel: differences against the number of people."""
        units = self.units
        out = units["beyond"]
        kind = "some" if out.any() else "none"
        words = {
            "n": len(units), "out": int(out.sum()), "measured": self.measured,
            "sd": interval(*self.between, lang=lang),
        }  # fmt: skip

        def paint(axes: StoryAxes, look: Look) -> None:
            sizes = np.linspace(max(units["n"].min() * 0.8, 1), units["n"].max() * 1.05, 200)
            for level, style in ((0.95, (0, (4, 3))), (0.998, "-")):
                half = stats.norm.ppf((1 + level) / 2) * self.sigma / np.sqrt(sizes)
                for side in (-half, half):
                    axes.plot(sizes, side, color=look.text, linewidth=1, linestyle=style)
                axes.annotate(
                    f"{100 * level:g} %".replace(".", "," if lang == "nl" else "."),
                    (sizes[-1], half[-1]), xytext=(4, 0), textcoords="offset points",
                    va="center", fontsize=9, annotation_clip=False,
                )  # fmt: skip
            axes.axhline(0, color=look.text, linewidth=1)
            axes.plot(units["n"][~out], units["difference"][~out], "o", color=look.color(1))
            axes.plot(units["n"][out], units["difference"][out], "s", color=look.color(2))
            axes.locator_params(axis="x", integer=True)
            axes.set(xlabel=say("outcomes.funnel_x", lang), ylabel=say("outcomes.funnel_y", lang))

        return draw(
            paint,
            title=say(f"outcomes.funnel_{kind}", lang, **words),
            subtitle=say(f"outcomes.funnel_sub_{self.better}", lang, **words),
            alt=say(f"outcomes.funnel_alt_{kind}", lang, **words),
            table=units[["unit", "n", "difference", "conf_low", "conf_high"]],
            lang=lang,
        )


def compare_units(
    table: pd.DataFrame,
    *,
    outcome: str,
    unit: str = "team",
    adjust: tuple[str, ...] = (),
    better: str = "higher",
    measured: str = "",
    conf_level: float = 0.95,
) -> Comparison:
    """Compare teams or institutions after allowing for whom they see.

    Parameters
    ----------
    table : DataFrame
        A row a person: outcome, unit and what to adjust for.
    adjust : tuple of str
        Case mix: columns known before care began (numbers or labels). Never
        adjust for what the care itself changes.
    better : {"lower", "higher"}
        Direction, for the words of the plot.
    conf_level : float
        Of the units' intervals and of the SD between units.

    Returns
    -------
    Comparison
        From ten units on the estimates are shrunken towards the whole by a
        mixed model; with fewer they are fixed effects about their mean. The
        interval of the SD between units inverts the generalised Q (Viechtbauer
        2007). Not computed: ranks. Adjustment never makes units equal in what
        was not measured, so a difference is a question, not a verdict.

    Raises
    ------
    DataError
        A missing value in what is adjusted for or in the unit.
    DesignError
        Fewer than two units, or a unit with fewer than two people.

    References
    ----------
    Spiegelhalter 2005, doi:10.1002/sim.1970; Viechtbauer 2007,
    doi:10.1002/sim.2514.

    Examples
    --------
    >>> people = pd.DataFrame({"team": list("AABBCC") * 5, "score": [5, 6, 5, 7, 6, 6] * 5})
    >>> compare_units(people, outcome="score").units["difference"].round(2).tolist()
    [-0.33, 0.17, 0.17]
    """
    if better not in ("lower", "higher"):
        raise DataError(f"better is {better!r}; allowed are lower, higher")
    need_level(conf_level)
    data = _read(table, outcome, unit, adjust)
    sizes = data.groupby("unit")["y"].size()
    if len(sizes) < 2 or sizes.min() < 2:
        raise DesignError(
            f"{len(sizes)} units, the smallest ({sizes.idxmin()!r}) with {sizes.min()} people; "
            "at least 2 units of 2 people are needed"
        )
    dummies = pd.get_dummies(data["unit"], dtype=float)
    design = dummies
    if adjust:
        mix = pd.get_dummies(data.drop(columns=["y", "unit"]), drop_first=True, dtype=float)
        design = dummies.join(mix - mix.mean())
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise DesignError(
            f"units and case mix ({listed(adjust)}) cannot be told apart; adjust for less"
        )
    fixed = sm.OLS(data["y"], design).fit()
    if fixed.scale <= 1e-20 * float((data["y"] ** 2).mean()):
        raise DesignError("the outcome does not vary between people, so chance has no size here")
    names, k = list(dummies.columns), len(sizes)
    level, cov = fixed.params.to_numpy()[:k], fixed.cov_params().to_numpy()[:k, :k]
    # Each unit against the mean over people: what the whole made of such people.
    contrast = np.eye(k) - (sizes / sizes.sum()).to_numpy()
    difference, error = contrast @ level, np.sqrt(np.diag(contrast @ cov @ contrast.T))
    sigma = float(np.sqrt(fixed.scale))
    units = pd.DataFrame(
        {
            "unit": names, "n": sizes.to_numpy(), "difference": difference, "std_error": error,
            "observed": data.groupby("unit")["y"].mean().to_numpy(),
        }
    )  # fmt: skip
    units["expected"] = units["observed"] - difference
    units["beyond"] = np.abs(difference) > stats.norm.ppf(0.999) * sigma / np.sqrt(units["n"])
    shrunken = len(names) >= ENOUGH
    if shrunken:
        case_mix = "".join(f" + x{k}" for k in range(len(adjust)))
        mixed = fit_mixed(f"y ~ 1{case_mix} + (1 | unit)", data, conf_level=conf_level)
        pulled = mixed.random_effects().set_index("level").loc[names]
        units[["estimate", "conf_low", "conf_high"]] = pulled[
            ["estimate", "conf_low", "conf_high"]
        ].to_numpy()
    else:
        units["estimate"] = difference
        half = stats.t.ppf((1 + conf_level) / 2, fixed.df_resid) * error
        units["conf_low"], units["conf_high"] = difference - half, difference + half
    few = note("outcomes.units_few", n=len(names), enough=ENOUGH)
    return Comparison(
        units=units,
        between=_between(level, np.sqrt(np.diag(cov)), conf_level),
        sigma=sigma,
        shrunken=shrunken,
        adjusted_for=tuple(adjust),
        measured=measured or outcome,
        better=better,
        conf_level=conf_level,
        notes=(*([] if shrunken else [few]), note("outcomes.units_question")),
    )


def _read(table: pd.DataFrame, outcome: str, unit: str, adjust: tuple[str, ...]) -> pd.DataFrame:
    """Return outcome, unit and centred case mix under plain names, people without outcome out."""
    seen = table[~np.isnan(numbers(table, outcome))]
    need_keys(seen, [unit, *adjust])
    data = pd.DataFrame({"y": numbers(seen, outcome), "unit": seen[unit].astype(str).to_numpy()})
    for k, column in enumerate(adjust):
        values = seen[column].reset_index(drop=True)
        plain = pd.api.types.is_numeric_dtype(values)
        data[f"x{k}"] = values - values.mean() if plain else values.astype(str)
    return data.sort_values("unit", kind="stable").reset_index(drop=True)


def _between(effect: Vector, error: Vector, conf_level: float) -> tuple[float, float, float]:
    """Return the SD between units and its interval, by the generalised Q."""
    k = len(effect)

    def q(tau2: float) -> float:
        w = 1 / (error**2 + tau2)
        return float((w * (effect - (w @ effect) / w.sum()) ** 2).sum())

    def solve(target: float) -> float:
        if q(0) <= target:
            return 0.0
        high = float(np.ptp(effect) ** 2)
        while q(high) > target:
            high *= 2
        return float(brentq(lambda t: q(t) - target, 0, high))

    tail = (1 - conf_level) / 2
    targets = (k - 1, stats.chi2.ppf(1 - tail, k - 1), stats.chi2.ppf(tail, k - 1))
    sd, low, high = (float(np.sqrt(solve(float(t)))) for t in targets)
    return sd, low, high
