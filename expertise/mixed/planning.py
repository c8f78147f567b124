"""How often a planned study would settle a question: simulated, refitted, counted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import ndtri

from expertise.errors import DesignError, ExpertiseError, FitError, listed, nearest
from expertise.mixed.columns import Array
from expertise.mixed.cores import Seeds, spread
from expertise.mixed.design import build_design
from expertise.mixed.fit import fit_mixed
from expertise.mixed.fitted import Fitted
from expertise.mixed.glmm import without_intercept
from expertise.mixed.plan import Assumed, StudyPlan, assume, parts_of, people_of, refuse_unknown
from expertise.mixed.residual import columns_needed
from expertise.mixed.simulation import draw
from expertise.result import Result, tidy_table
from expertise.words import Note, note, number, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Power(Result):
    """What a planned study would find.

    `table` has a row per effect: `power` with its Monte Carlo error and
    interval, the expected width of the effect's interval with its Monte
    Carlo error, and how often that interval holds the truth.
    """

    table: pd.DataFrame
    n: int
    dropout: float
    replicates: int
    conf_level: float
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say for which study this was computed."""
        dropout = number(100 * self.dropout, 0)
        return say("mixed_use.power", n=self.n, dropout=dropout, replicates=self.replicates)

    def tidy(self) -> pd.DataFrame:
        """Return the power to settle each effect and the expected width of its interval."""
        shares = self.table.rename(columns={"power": "estimate"})
        widths = pd.DataFrame(
            {
                "term": [say("mixed_use.width", term=term) for term in self.table["term"]],
                "estimate": self.table["width"],
                "std_error": self.table["width_error"],
            }
        )
        shares = shares[["term", "estimate", "std_error", "conf_low", "conf_high"]]
        both = pd.concat([shares, widths], ignore_index=True)
        return tidy_table(both.assign(n_people=self.n, method="simulation"))


def power(
    design: StudyPlan | Fitted,
    *,
    effect: Mapping[str, float],
    n: int,
    dropout: float,
    seed: int,
    person: str | None = None,
    wave: str | None = None,
    replicates: int = 400,
    conf_level: float = 0.95,
    cores: int | None = None,
    progress: bool = True,
) -> Power:
    """Simulate a study many times, fit each, and count how often the interval excludes zero.

    Parameters
    ----------
    design : StudyPlan or MixedFit
        What is assumed. Of a fit (a pilot) the variances, the other
        coefficients and the pattern of people and waves are used; never its
        estimate of the effect.
    effect : mapping
        The coefficients that matter and the values that would matter, such
        as the smallest worthwhile effect: ``{"month:armpeer": -0.5}``.
    n : int
        People; they are drawn from the design as evenly as possible.
    dropout : float
        Share of people who leave before the last wave; when, is uniform over
        the waves after their first, whatever their outcomes.
    seed : int
        Spread over the replicates.
    person : str, optional
        The grouping whose levels are people; the finest by default.
    wave : str, optional
        The numeric column that orders waves; needed for dropout.
    replicates : int
    conf_level : float
    cores : int, optional
        All by default, where the work is worth it; their number changes
        nothing. A script then needs the usual ``if __name__ == "__main__"``.
    progress : bool

    Returns
    -------
    Power

    Notes
    -----
    A study that cannot be fitted counts as one that settles nothing, and is
    noted. Not computed: dropout that depends on outcomes. Arnold et al.
    (2011), https://doi.org/10.1186/1471-2288-11-94.

    Examples
    --------
    >>> table = pd.DataFrame([(p, "ab"[p % 2], t) for p in range(4) for t in range(3)],
    ...                      columns=["person", "arm", "wave"])
    >>> plan = StudyPlan(formula="score ~ wave * arm + (1 | person)", table=table,
    ...             covariances={"person": 4.0}, sigma=2.0)
    >>> found = power(plan, effect={"wave:armb": 1.5}, n=40, dropout=0.2, seed=1,
    ...               wave="wave", replicates=20, progress=False)
    >>> list(found.table.columns[:3])
    ['term', 'effect', 'power']
    """
    assumed = assume(design)
    people = people_of(assumed, person)
    _check(assumed, effect, n, dropout, wave, replicates)
    beta = assumed.truth.beta.copy()
    for name, value in effect.items():
        beta[assumed.design.names.index(name)] = value
    truth = replace(assumed.truth, beta=beta)
    studies = Studies(
        assumed=replace(assumed, truth=truth), names=list(effect), person=people,
        parts=parts_of(assumed, people), n=n, dropout=dropout, wave=wave, conf_level=conf_level,
    )  # fmt: skip
    rows = spread(
        studies, seed, replicates, cores=cores, progress=progress,
        words=say("mixed_use.power_progress"),
    )  # fmt: skip
    return _summary(rows, effect, n, dropout, conf_level)


def _check(
    assumed: Assumed, effect: Mapping[str, float], n: int, dropout: float, wave: str | None,
    replicates: int,
) -> None:  # fmt: skip
    if not effect:
        raise DesignError(
            "effect is empty; name the coefficient that matters and the smallest value that would"
        )
    refuse_unknown(effect, assumed.design)
    if n < 2 or replicates < 2:
        raise DesignError(f"n is {n} and replicates {replicates}; both are whole numbers from 2")
    if not 0 <= dropout < 1:
        raise DesignError(f"dropout is {dropout}; it is a share from 0 to below 1, such as 0.2")
    if dropout and wave is None:
        raise DesignError("dropout needs wave, the numeric column that orders the waves")
    if wave is not None and (
        wave not in assumed.table or not pd.api.types.is_numeric_dtype(assumed.table[wave])
    ):
        raise DesignError(
            f"wave is {wave!r}, which is no numeric column of the design"
            f"{nearest(wave, assumed.table.columns)}; it has {listed(assumed.table.columns)}"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Studies:
    """What a process needs to simulate a study and fit it."""

    assumed: Assumed
    names: list[str]
    person: str
    parts: list[str]
    n: int
    dropout: float
    wave: str | None
    conf_level: float

    def run(self, seeds: Seeds) -> Iterator[Array | None]:
        """Yield the interval of each effect (k, 2) per study; None where it cannot be fitted."""
        for seed in seeds:
            rng = np.random.default_rng(seed)
            try:
                yield self._intervals(self._table(rng), rng)
            except ExpertiseError:
                yield None

    def _table(self, rng: np.random.Generator) -> pd.DataFrame:
        """Draw n people from the design, each as often as the others, and let some leave."""
        table, n, wave = self.assumed.table, self.n, self.wave
        rows = list(table.groupby(self.person, sort=False, observed=True).indices.values())
        order = np.concatenate([rng.permutation(len(rows)) for _ in range(-(-n // len(rows)))])[:n]
        chosen = np.concatenate([rows[at] for at in order])
        owner = np.repeat(np.arange(n), [len(rows[at]) for at in order])
        study = table.iloc[chosen].reset_index(drop=True)
        for name in self.parts:  # what is one person's is not shared by two who are drawn alike
            study[name] = [f"{at:06d} {part}" for at, part in zip(owner, study[name], strict=True)]
        study[self.person] = [f"{at:06d}" for at in owner]
        if not self.dropout or wave is None:
            return study
        when = study.groupby(owner)[wave].rank(method="dense").to_numpy()
        waves = study.groupby(owner)[wave].nunique().to_numpy()
        leaves = 2 + np.floor(rng.uniform(size=n) * np.maximum(waves - 1, 0))
        stays = (rng.uniform(size=n) >= self.dropout) | (waves < 2)
        return study[stays[owner] | (when < leaves[owner])].reset_index(drop=True)

    def _intervals(self, table: pd.DataFrame, rng: np.random.Generator) -> Array | None:
        formula, truth = self.assumed.design.formula.text, self.assumed.truth
        given = {name: value for name, value in self.assumed.options.items() if value is not None}
        design = build_design(
            formula, table, family=given["family"], weights=given.get("precision_weights"),
            offset=given.get("offset"), trials=given.get("trials"),
            extra=columns_needed(given.get("residual"), given.get("dispersion")),
        )  # fmt: skip
        if truth.thresholds is not None:
            design = without_intercept(design)
        if design.names != self.assumed.design.names:  # nobody of some arm was drawn
            return None
        truth = replace(truth, whitening=self.assumed.whitening(design, table))
        eta = design.X @ truth.beta + (0.0 if design.offset is None else design.offset)
        study = table.assign(**{self.assumed.design.outcome: draw(design, eta, truth, rng)})
        fit = fit_mixed(formula, study, conf_level=self.conf_level, **given)
        tidy = fit.tidy().set_index("term")
        tidy = tidy[tidy["component"] == "fixed"]
        found: Array = tidy.loc[self.names, ["conf_low", "conf_high"]].to_numpy(np.float64)
        return found


def _summary(
    rows: list[Array | None], effect: Mapping[str, float], n: int, dropout: float, conf_level: float
) -> Power:
    fitted = np.array([row for row in rows if row is not None]).reshape(-1, len(effect), 2)
    failed, count = len(rows) - len(fitted), len(rows)
    if len(fitted) < 2:
        raise FitError(
            f"{failed} of {count} simulated studies could not be fitted; simplify the random terms"
        )
    low, high = fitted[:, :, 0], fitted[:, :, 1]
    share = ((low > 0) | (high < 0)).sum(axis=0) / count
    z = float(ndtri((1 + conf_level) / 2))
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * np.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2) / (1 + z**2 / count)
    truth = np.array(list(effect.values()))
    table = pd.DataFrame(
        {
            "term": list(effect), "effect": truth, "power": share,
            "std_error": np.sqrt(share * (1 - share) / count),
            "conf_low": centre - half, "conf_high": centre + half,
            "width": (high - low).mean(axis=0),
            "width_error": (high - low).std(axis=0, ddof=1) / np.sqrt(len(fitted)),
            "coverage": ((low <= truth) & (truth <= high)).mean(axis=0),
        }
    )  # fmt: skip
    notes = (note("mixed_use.power_failed", failed=failed, n=count),) if failed else ()
    return Power(
        table=table, n=n, dropout=dropout, replicates=count, conf_level=conf_level, notes=notes
    )
