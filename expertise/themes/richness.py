"""How many codes there may be in all, judged by how many were met once or twice."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from expertise.errors import DataError, ExpertiseError
from expertise.result import Result, tidy_table
from expertise.words import Note, note, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Richness(Result):
    """An estimate of the number of codes, met or not.

    Attributes
    ----------
    estimate, std_error : float
        Codes in all, and its standard error.
    conf_low, conf_high : float
        Chao's log-normal interval, never below the codes that were met.
    n_met, n_once, n_twice : int
        Codes met at all, once and twice.
    """

    method: str
    estimate: float
    std_error: float
    conf_low: float
    conf_high: float
    conf_level: float
    n_met: int
    n_once: int
    n_twice: int
    notes: tuple[Note, ...] = ()

    def heading(self) -> str:
        """Say what was estimated from what."""
        return say("themes.richness", method=self.method, n=self.n_met)

    def tidy(self) -> pd.DataFrame:
        """Return the estimate as one row."""
        names = ("estimate", "std_error", "conf_low", "conf_high", "conf_level", "method")
        return tidy_table([{name: getattr(self, name) for name in names} | {"n": self.n_met}])

    def glance(self) -> pd.DataFrame:
        """Return codes met, met once and met twice."""
        return pd.DataFrame(
            [{name: getattr(self, name) for name in ("n_met", "n_once", "n_twice")}]
        )


def chao1(counts: Iterable[int], *, conf_level: float = 0.95) -> Richness:
    """Estimate the number of codes from how many passages each has (bias-corrected Chao1).

    A lower bound: codes that are rarely told, and told by nobody yet, stay
    out of sight. The standard error is that of the bias-corrected form
    itself, by the delta method, as in vegan.

    Parameters
    ----------
    counts : iterable of int
        Passages of each code; zeros are codes that were not met.

    Raises
    ------
    DataError
        For counts that are negative or not whole.

    References
    ----------
    Chao, A. (1987). Biometrics, 43, 783–791. doi:10.2307/2531532

    Examples
    --------
    >>> chao1([10, 6, 4, 2, 2, 1, 1, 1, 1]).estimate
    11.0
    """
    met = _counted(counts)
    once, twice = int((met == 1).sum()), int((met == 2).sum())
    unseen = once * (once - 1) / (2 * (twice + 1))
    total = len(met) + unseen
    slope = np.ones(len(met))
    slope[met == 1] += (2 * once - 1) / (2 * (twice + 1))
    slope[met == 2] -= once * (once - 1) / (2 * (twice + 1) ** 2)
    variance = float((slope**2).sum() - slope.sum() ** 2 / total) if total else 0.0
    return _richness("Chao1, bias-corrected", len(met), once, twice, unseen, variance, conf_level)


def chao2(presence: pd.DataFrame, *, conf_level: float = 0.95) -> Richness:
    """Estimate the number of codes from the documents in which each occurs (Chao2).

    Parameters
    ----------
    presence : DataFrame, (n documents, codes)
        Whether the code occurs in the document. Documents are taken as a
        sample of all that might be told.

    Raises
    ------
    DataError
        For a cell that is missing or neither yes nor no.

    References
    ----------
    Chao, A. (1987). Biometrics, 43, 783–791. doi:10.2307/2531532; with the
    factor (n − 1)/n for few documents, as in vegan.

    Examples
    --------
    >>> import pandas as pd
    >>> chao2(pd.DataFrame({"hoop": [1, 1, 1], "angst": [1, 0, 1], "rouw": [0, 1, 0]})).estimate
    3.3333333333333335
    """
    cells = pd.DataFrame(presence).to_numpy(dtype=float, na_value=np.nan)
    if not np.isin(cells, (0.0, 1.0)).all():
        raise DataError(
            "presence holds a cell that is neither 0 nor 1; say for each document yes or no"
        )
    n, found = len(cells), cells.sum(axis=0)
    once, twice, met = int((found == 1).sum()), int((found == 2).sum()), int((found > 0).sum())
    small = (n - 1) / n if n else 0.0
    if twice:
        ratio = once / twice
        unseen = small * once**2 / (2 * twice)
        variance = twice * small * (0.5 + small * (1 + ratio / 4) * ratio) * ratio**2
        name = "Chao2"
    else:
        unseen = small * once * (once - 1) / 2
        total = met + unseen
        variance = small * once * (once - 1) / 2 + small**2 * once * (2 * once - 1) ** 2 / 4
        variance -= small**2 * once**4 / (4 * total) if total else 0.0
        name = "Chao2, bias-corrected"
    return _richness(name, met, once, twice, unseen, variance, conf_level)


def _richness(
    method: str, met: int, once: int, twice: int, unseen: float, variance: float, conf_level: float
) -> Richness:
    if not 0 < conf_level < 1:
        raise ExpertiseError(f"conf_level is {conf_level!r}; it lies between 0 and 1, such as 0.95")
    low = high = met + unseen
    said = []
    if unseen > 0:
        z = stats.norm.isf((1 - conf_level) / 2)
        factor = np.exp(z * np.sqrt(np.log1p(max(variance, 0.0) / unseen**2)))
        low, high = met + unseen / factor, met + unseen * factor
    else:
        said.append(note("themes.none_unseen", n=once))
    return Richness(
        method=method, estimate=met + unseen, std_error=float(np.sqrt(max(variance, 0.0))),
        conf_low=float(low), conf_high=float(high), conf_level=conf_level, n_met=met, n_once=once,
        n_twice=twice, notes=tuple(said),
    )  # fmt: skip


def _counted(counts: Iterable[int]) -> npt.NDArray[np.float64]:
    values = np.asarray(list(counts), dtype=float)
    wrong = values[~(values >= 0) | (values != np.floor(values))]
    if len(wrong):
        raise DataError(f"a count is {wrong[0]:g}; counts of passages are 0, 1, 2 and so on")
    return values[values > 0]
