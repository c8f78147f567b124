"""Minimal important change: how much change people themselves call better."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm

from expertise.errors import DataError, DesignError
from expertise.outcomes.tables import Vector, need_columns, need_level, numbers
from expertise.result import Result, tidy_table
from expertise.words import Note, note


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ImportantChange(Result):
    """The predictive minimal important change, plain and adjusted.

    `estimates` has a row each for "predictive" and "adjusted", with a
    bootstrap interval; `share` of the people called themselves better.
    """

    estimates: pd.DataFrame
    share: float
    correlation: float
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say how many called themselves better and how change and answer go together."""
        return (
            f"Minimal important change; {100 * self.share:.0f} % called themselves better, "
            f"r with the change {self.correlation:.2f}"
        )

    def tidy(self) -> pd.DataFrame:
        """Return a row an estimate, in points of the instrument, better being positive."""
        return tidy_table(self.estimates)

    def glance(self) -> pd.DataFrame:
        """Return one row that sums the result up."""
        return pd.DataFrame(
            [
                {
                    "n_people": int(self.estimates["n_people"].iloc[0]),
                    "share": self.share,
                    "correlation": self.correlation,
                }
            ]
        )


def important_change(
    table: pd.DataFrame,
    *,
    better: str,
    seed: int,
    change: str = "change",
    improved: str = "improved",
    draws: int = 1000,
    conf_level: float = 0.95,
) -> ImportantChange:
    """Estimate the change that is as likely among people who call themselves better as not.

    The predictive method: a logistic regression of the answer on the change.
    It is pulled away when more or fewer than half call themselves better;
    the adjusted estimate corrects for that. It says what matters to people
    and not what exceeds chance: print it beside `reliable_change`.

    Parameters
    ----------
    table : DataFrame
        A row a person: `change` in points (after minus before) and `improved`,
        1 for people who call themselves better, else 0.
    better : {"lower", "higher"}
        Direction of the instrument; estimates are positive for better.
    seed : int
        Of the bootstrap over people.
    draws : int
        Bootstrap samples.

    Returns
    -------
    ImportantChange
        Not computed: whether the answer was given with the first measurement
        in mind; people tend to answer from how they are now.

    Raises
    ------
    DataError
        `improved` is not 0 or 1.
    DesignError
        All give the same answer, or the change does not rise with it.

    References
    ----------
    Terluin et al. 2015, doi:10.1016/j.jclinepi.2015.03.015; Terluin et al.
    2017, doi:10.1016/j.jclinepi.2016.12.015.

    Examples
    --------
    >>> people = pd.DataFrame({"change": [-9, -7, -4, -5, -2, -6, 0, 1, -3, -1] * 6,
    ...                        "improved": [1, 1, 1, 0, 0, 1, 0, 0, 1, 0] * 6})
    >>> found = important_change(people, better="lower", seed=1, draws=100)
    >>> found.estimates["estimate"].round(1).tolist()
    [3.5, 3.5]
    """
    if better not in ("lower", "higher"):
        raise DataError(f"better is {better!r}; allowed are lower, higher")
    need_level(conf_level)
    need_columns(table, [change, improved])
    answer = numbers(table, improved, missing=False)
    gain = numbers(table, change, missing=False) * (1 if better == "higher" else -1)
    if (wrong := ~np.isin(answer, (0, 1))).any():
        row = int(wrong.argmax())
        raise DataError(
            f"row {table.index[row]}, column {improved!r}: {answer[row]:g}; allowed are 0, 1"
        )
    found = _both(gain, answer)
    if found is None:
        raise DesignError(
            f"{100 * answer.mean():.0f} % called themselves better and the change does not rise "
            "with it, or parts them wholly; no minimal important change can be read from this"
        )
    rng = np.random.default_rng(seed)
    samples = (rng.integers(len(gain), size=len(gain)) for _ in range(draws))
    fits = np.array([fit for s in samples if (fit := _both(gain[s], answer[s])) is not None])
    low, high = np.quantile(fits, [(1 - conf_level) / 2, (1 + conf_level) / 2], axis=0)
    estimates = pd.DataFrame(
        {
            "term": ["predictive", "adjusted"], "estimate": found, "conf_low": low,
            "conf_high": high, "conf_level": conf_level, "n_people": len(gain),
            "method": "bootstrap percentile",
        }
    )  # fmt: skip
    lost = draws - len(fits)
    return ImportantChange(
        estimates=estimates,
        share=float(answer.mean()),
        correlation=float(np.corrcoef(gain, answer)[0, 1]),
        notes=(note("outcomes.mic_lost", n=lost, of=draws),) if lost else (),
    )


def _both(gain: Vector, answer: Vector) -> tuple[float, float] | None:
    """Return the predictive and the adjusted estimate, or None where there is none."""
    share = answer.mean()
    if not 0 < share < 1 or np.ptp(gain) == 0:
        return None
    groups = gain[answer == 0], gain[answer == 1]
    if groups[0].max() < groups[1].min() or groups[0].mean() >= groups[1].mean():
        return None
    odds = float(np.log(share / (1 - share)))
    fit = sm.GLM(answer, sm.add_constant(gain), family=sm.families.Binomial()).fit()
    predictive = (odds - fit.params[0]) / fit.params[1]
    # The correction for an uneven split was found by simulation (Terluin 2017).
    r = np.corrcoef(gain, answer)[0, 1]
    return float(predictive), float(predictive - (0.09 + 0.103 * r) * gain.std(ddof=1) * odds)
