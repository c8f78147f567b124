"""Rules for calling one person's change more than chance, and the cut-off between two groups.

Each rule gives an index: change over a standard error. They differ in what
they expect of someone who did not change (regression to the mean) and in
the error they divide by. Formulas as reviewed by Bauer, Lambert & Nielsen
2004, doi:10.1207/s15327752jpa8201_11.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd

from expertise.errors import DataError
from expertise.mixed.fit import fit_mixed
from expertise.outcomes.tables import Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Scores of the people with two measurements, and what is known of the instrument.

    `before` and `after`: shape (people,), in points of the instrument;
    `slopes`: each person's slope over all waves, over its own error.
    """

    before: Vector
    after: Vector
    mean: float
    sd: float
    reliability: float
    reliability_after: float
    slopes: Vector | None = None

    @property
    def error(self) -> float:
        """Standard error of measurement."""
        return float(self.sd * sqrt(1 - self.reliability))

    @property
    def expected_true(self) -> Vector:
        """True score expected from the first measurement (Kelley)."""
        return self.mean + self.reliability * (self.before - self.mean)

    @property
    def difference_reliability(self) -> float:
        """Reliability of differences (Hageman & Arrindell); not a number where undefined."""
        after_sd = float(self.after.std(ddof=1)) if len(self.after) > 2 else 0.0
        if not after_sd or self.true_share(after_sd) <= 0 or not np.ptp(self.before):
            return float("nan")
        shared = 2 * self.sd * after_sd * float(np.corrcoef(self.before, self.after)[0, 1])
        true = self.sd**2 * self.true_share(self.sd) + after_sd**2 * self.true_share(after_sd)
        return (true - shared) / (self.sd**2 + after_sd**2 - shared)

    def true_share(self, sd: float) -> float:
        """Reliability at another spread, with the same error of measurement."""
        return 1 - self.error**2 / sd**2


def jacobson_truax(b: Basis) -> Vector:
    """Difference over the error of a difference."""
    return (b.after - b.before) / (sqrt(2) * b.error)


def edwards_nunnally(b: Basis) -> Vector:
    """Distance from the expected true score, over the error of measurement."""
    return (b.after - b.expected_true) / b.error


def gulliksen_lord_novick(b: Basis) -> Vector:
    """Distance from the expected true score, over the error of prediction."""
    return (b.after - b.expected_true) / (b.sd * sqrt(1 - b.reliability**2))


def hsu_linn_lord(b: Basis) -> Vector:
    """Centre both scores at their own wave: change relative to the group."""
    own = b.after - float(b.after.mean())
    return (own - b.reliability * (b.before - b.mean)) / (b.sd * sqrt(1 - b.reliability**2))


def nunnally_kotsch(b: Basis) -> Vector:
    """Distance from the expected true score, with a reliability for each wave."""
    spread = b.reliability**2 * (1 - b.reliability) + (1 - b.reliability_after)
    return (b.after - b.expected_true) / (b.sd * sqrt(spread))


def hageman_arrindell(b: Basis) -> Vector:
    """Change weighed by the reliability of differences (Hageman & Arrindell 1999)."""
    r_dd = b.difference_reliability
    if not 0 < r_dd <= 1:
        raise DataError(
            f"the reliability of differences is {r_dd:.2f}, so rule HA does not apply; leave it out"
        )
    weighed = (b.after - b.before) * r_dd + (b.after.mean() - b.mean) * (1 - r_dd)
    return np.asarray(weighed / (sqrt(r_dd) * sqrt(2) * b.error))


def person_slopes(b: Basis) -> Vector:
    """Take each slope against the mean slope, by a mixed model (Speer & Greenbaum 1995)."""
    if b.slopes is None:
        raise DataError("rule HLM needs the scores of all waves; name it only in reliable_change")
    return b.slopes


# Name → (index, whether its threshold is one-sided).
RULES: dict[str, tuple[Callable[[Basis], Vector], bool]] = {
    "JT": (jacobson_truax, False),
    "EN": (edwards_nunnally, False),
    "GLN": (gulliksen_lord_novick, False),
    "HLL": (hsu_linn_lord, False),
    "NK": (nunnally_kotsch, False),
    "HA": (hageman_arrindell, True),
    "HLM": (person_slopes, False),
}


def slope_index(table: pd.DataFrame, people: pd.Series, person: str, score: str) -> Vector:
    """Return each person's slope, as a departure from the mean slope, over its standard error."""
    time = table["months"] if "months" in table else table["wave"]
    if not pd.api.types.is_numeric_dtype(time):
        raise DataError("rule HLM needs time as a number; give a column months")
    data = pd.DataFrame({"person": table[person], "time": time, "score": table[score]}).dropna()
    if data["time"].nunique() < 3:
        raise DataError(f"rule HLM needs 3 or more waves; there are {data['time'].nunique()}")
    slopes = fit_mixed("score ~ time + (time | person)", data).random_effects()
    slopes = slopes[slopes["term"] == "time"].set_index("level")
    index: Vector = (slopes["estimate"] / slopes["std_error"]).loc[people].to_numpy()
    return index


def cut_off(
    kind: str, clinical: tuple[float, float], functional: tuple[float, float] | None, up: bool
) -> float:
    """Return Jacobson and Truax's cut-off a, b or c between two groups' (mean, SD).

    a: two SD from the clinical mean; b: two SD from the functional mean; c:
    between both means, weighed by the spreads.

    Examples
    --------
    >>> [cut_off(kind, (40, 7.5), (60, 7.5), True) for kind in "abc"]
    [55.0, 45.0, 50.0]
    """
    sign = 1 if up else -1
    mean, sd = clinical
    if kind == "a":
        return float(mean + sign * 2 * sd)
    if functional is None:
        raise DataError(
            f"cut-off {kind!r} needs functional=(mean, sd) of people without the complaint"
        )
    other, other_sd = functional
    if kind == "b":
        return float(other - sign * 2 * other_sd)
    return float((other_sd * mean + sd * other) / (other_sd + sd))


def hageman_arrindell_passed(
    b: Basis, kind: str | float, functional: tuple[float, float] | None, up: bool, critical: float
) -> np.ndarray:
    """Return who passed the cut-off by their own true score, beyond its error."""
    after_mean, after_sd = float(b.after.mean()), float(b.after.std(ddof=1))
    true = (b.mean, float(b.sd * sqrt(b.true_share(b.sd))))
    if functional is not None:
        mean, sd = functional
        functional = (mean, sd * sqrt(max(b.true_share(sd), 0.0)))
    cut = cut_off(kind, true, functional, up) if isinstance(kind, str) else float(kind)
    share = b.true_share(after_sd)
    distance = (after_mean + (b.after - after_mean) * share - cut) / (sqrt(share) * b.error)
    sign = 1 if up else -1
    passed = (sign * b.before < sign * cut) & (sign * distance > critical)
    return np.asarray(passed)
