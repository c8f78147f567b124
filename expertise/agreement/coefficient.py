"""A coefficient of agreement, with the interval that resampling its documents gives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse, stats

from expertise.errors import ExpertiseError
from expertise.result import Result, tidy_table
from expertise.words import Note, note, say

Array: TypeAlias = npt.NDArray[Any]
# From additive sums, (..., K), to one coefficient each, (...); NaN where it is not defined.
Formula: TypeAlias = Callable[[Array], Array]

FEWEST_CLUSTERS, FEW_CLUSTERS = 10, 20
_CELLS = 2_000_000  # numbers held at once while resampling


class IntervalOptions(TypedDict, total=False):
    """What every coefficient accepts besides its data."""

    conf_level: float
    seed: int
    n_boot: int


class Options(IntervalOptions, total=False):
    """What a coefficient for a table of units × coders accepts besides it."""

    cluster: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How an interval is made."""

    conf_level: float = 0.95
    seed: int = 1
    n_boot: int = 1000

    def __post_init__(self) -> None:
        if not 0 < self.conf_level < 1:
            raise ExpertiseError(
                f"conf_level is {self.conf_level!r}; it lies between 0 and 1, such as 0.95"
            )
        if self.n_boot < 1:
            raise ExpertiseError(f"n_boot is {self.n_boot!r}; draw at least 1 resample")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Coefficient(Result):
    """One coefficient of agreement.

    Attributes
    ----------
    method : str
        Full name of the coefficient, with its scale or weights.
    estimate : float
        NaN where it cannot be computed; `notes` say why.
    conf_low, conf_high : float
        Percentile interval over resampled clusters; NaN below 10 clusters.
    conf_level : float
        Level of that interval.
    std_error : float
        Linearised standard error (Gwet's where he gives one), with the
        clusters as the independent things: a check on the interval.
    n : int
        Units that at least two coders judged.
    n_coders, n_clusters, n_boot, seed : int
        Coders, clusters resampled, number of resamples and their seed.
    notes : tuple of Note
        What was left out, and what cannot be said.
    """

    method: str
    estimate: float
    conf_low: float
    conf_high: float
    conf_level: float
    std_error: float
    n: int
    n_coders: int
    n_clusters: int
    n_boot: int
    seed: int
    notes: tuple[Note, ...] = ()

    def heading(self) -> str:
        """Say what was computed, on how much."""
        return say(
            "agreement.heading", method=self.method, n=self.n, n_coders=self.n_coders,
            n_clusters=self.n_clusters,
        )  # fmt: skip

    def tidy(self) -> pd.DataFrame:
        """Return the coefficient as one row."""
        row = {"estimate": self.estimate, "std_error": self.std_error}
        row |= {"conf_low": self.conf_low, "conf_high": self.conf_high}
        return tidy_table(
            [row | {"conf_level": self.conf_level, "n": self.n, "method": self.method}]
        )

    def glance(self) -> pd.DataFrame:
        """Return numbers of units, coders, clusters and resamples, in one row."""
        names = ("estimate", "n", "n_coders", "n_clusters", "n_boot", "seed")
        return pd.DataFrame([{name: getattr(self, name) for name in names}])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CoefficientByCode(Coefficient):
    """A coefficient over all codes, with the same for each code.

    Attributes
    ----------
    by_code : DataFrame
        A row a code: code, estimate, std_error, conf_low, conf_high, n.
    """

    by_code: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return the coefficient over all codes, then a row for each code."""
        each = self.by_code.assign(conf_level=self.conf_level, method=self.method)
        return tidy_table(
            pd.concat([Coefficient.tidy(self).assign(code="(all)"), each], ignore_index=True)
        )


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums that add up over the things that are resampled.

    `rows` is (G, K), dense or sparse; row g stands for `sizes[g]` equal
    clusters: one document each, or all units with the same pattern.
    """

    rows: Any
    sizes: Array

    @property
    def n_clusters(self) -> int:
        """How many things can be drawn."""
        return int(self.sizes.sum())

    def total(self) -> Array:
        """Return the sums over everything, (K,)."""
        return np.asarray(self.sizes @ self.rows, dtype=float)

    def replicates(self, formula: Formula, plan: Plan) -> Array:
        """Return `formula` for `n_boot` resamples of all clusters, drawn with replacement."""
        rng = np.random.default_rng(plan.seed)
        step = max(1, _CELLS // (sum(self.rows.shape) + 1))
        parts = []
        for start in range(0, plan.n_boot, step):
            counts = self._draw(rng, min(step, plan.n_boot - start))
            parts.append(formula(np.asarray(counts @ self.rows)))
        return np.concatenate(parts)

    def _draw(self, rng: np.random.Generator, size: int) -> Array:
        groups, n = len(self.sizes), self.n_clusters
        if n > groups:
            return rng.multinomial(n, self.sizes / n, size=size).astype(float)
        drawn = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n)
        return counts.reshape(size, n).astype(float)

    def std_error(self, formula: Formula) -> float:
        """Return the linearised standard error of `formula` at the total.

        The derivative to the weight of each cluster is taken along the
        imaginary axis, which is exact: nothing is subtracted.
        """
        total, n, tiny = self.total(), self.n_clusters, 1e-100
        step = max(1, _CELLS // (self.rows.shape[1] + 1))
        squares = 0.0
        for start in range(0, len(self.sizes), step):
            rows = self.rows[start : start + step]
            rows = rows.toarray() if sparse.issparse(rows) else rows
            slopes = formula(total + 1j * tiny * rows).imag / tiny
            squares += float(self.sizes[start : start + step] @ slopes**2)
        return float(np.sqrt(n / (n - 1) * squares))


def over(numerator: Array, denominator: Array, scale: Array | float = 1.0) -> Array:
    """Divide, with NaN where the denominator is nothing beside `scale`."""
    nothing = np.abs(np.asarray(denominator).real) <= 1e-12 * np.abs(np.asarray(scale).real)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(nothing, np.nan, numerator / np.where(nothing, 1.0, denominator))


def chance_corrected(observed: Array, expected: Array) -> Array:
    """Return (observed − expected) / (1 − expected), NaN where chance explains all."""
    return over(observed - expected, 1.0 - expected)


def with_interval(
    sums: Sums,
    formula: Formula,
    plan: Plan,
    n_clusters: int | None = None,
    for_error: Formula | None = None,
) -> tuple[dict[str, float], list[Note]]:
    """Return estimate, standard error and interval, with what must be said of them.

    `n_clusters` counts the clusters that tell something about agreement,
    which may be fewer than those that are drawn.
    """
    n = sums.n_clusters if n_clusters is None else n_clusters
    estimate = float(formula(sums.total()[None])[0])
    found = {"estimate": estimate, "std_error": np.nan, "conf_low": np.nan, "conf_high": np.nan}
    if estimate != estimate:
        return found, [note("agreement.no_variation")]
    if n > 1:
        found["std_error"] = sums.std_error(for_error or formula)
    if n < FEWEST_CLUSTERS:
        return found, [note("agreement.no_interval", n=n, least=FEWEST_CLUSTERS)]
    replicates = sums.replicates(formula, plan)
    found["conf_low"], found["conf_high"] = percentiles(
        replicates[~np.isnan(replicates)], plan.conf_level, n
    )
    said = []
    if n <= FEW_CLUSTERS:
        said.append(note("agreement.few_clusters", n=n))
    if lost := int(np.isnan(replicates).sum()):
        said.append(note("agreement.lost_resamples", n=lost, n_boot=plan.n_boot))
    return found, said


def percentiles(replicates: Array, conf_level: float, n_clusters: int) -> tuple[float, float]:
    """Return a percentile interval whose tails are widened for few clusters.

    The tail is Φ(−√(n/(n−1)) t), t being the quantile of Student's t with
    n − 1 degrees of freedom: Hesterberg's expanded percentile interval. It
    matters for 10 to 20 clusters and fades as clusters become many.

    References
    ----------
    Hesterberg, T. C. (2015). What teachers should know about the bootstrap.
    The American Statistician, 69(4), 371–386. doi:10.1080/00031305.2015.1089789
    """
    if not len(replicates):
        return np.nan, np.nan
    student = stats.t.isf((1 - conf_level) / 2, n_clusters - 1)
    tail = stats.norm.sf(np.sqrt(n_clusters / (n_clusters - 1)) * student)
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return float(low), float(high)
