"""The average of every cell, with people as random effects where they answered more than once."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from expertise.errors import StudyError
from expertise.mixed.fit import MixedFit, fit_mixed
from expertise.mixed.fitted import intervals

Array = NDArray[np.float64]
NESTED: tuple[list[str], ...] = ([], ["perspective"], ["wave"])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlainMeans:
    """Averages of independent answers with one spread: what is left when nobody answers twice."""

    mean: Array
    count: Array
    sigma: float
    df: int
    conf_level: float

    def estimates(self, L: Array) -> pd.DataFrame:
        """Return estimate and interval of combinations L (rows, cells) of the averages."""
        std_error = self.sigma * np.sqrt((L**2 / self.count).sum(axis=1))
        df = np.full(len(L), float(self.df))
        return intervals(L @ self.mean, std_error, df, self.conf_level)


def cell_means(data: pd.DataFrame, variable: str, conf_level: float) -> MixedFit | PlainMeans:
    """Estimate the average of each cell.

    Parameters
    ----------
    data : DataFrame
        A row an answer, with `cell` (categorical), `participant`, `perspective`, `wave`.
    variable : str
        Column with the values.
    conf_level : float
        Level of the intervals.

    Returns
    -------
    MixedFit or PlainMeans
        REML with a random effect for people, for a person's perspective and
        for a person's moment, each where the answers can tell it apart; where
        everyone has one perspective, the triad takes the person's place.

    Raises
    ------
    StudyError
        There are as many cells as answers.
    """
    random = _random_terms(data)
    if random:
        formula = f"`{variable}` ~ 0 + cell + " + " + ".join(random)
        return fit_mixed(formula, data, conf_level=conf_level)
    cells = data.groupby("cell", observed=False)[variable]
    df = len(data) - cells.ngroups
    if df < 1:
        raise StudyError(
            f"{variable!r} has one answer in every cell; an average with an interval needs more"
        )
    spread = float(((data[variable] - cells.transform("mean")) ** 2).sum())
    return PlainMeans(
        mean=cells.mean().to_numpy(), count=cells.count().to_numpy(dtype=float),
        sigma=float(np.sqrt(spread / df)), df=df, conf_level=conf_level,
    )  # fmt: skip


def _random_terms(data: pd.DataFrame) -> list[str]:
    """Return the groupings that hold several answers and differ from each other."""
    unit = _shared(data)
    splits: dict[bytes, str] = {}
    for more in NESTED:
        keys = [unit, *more]
        codes = data.groupby(keys, observed=True, sort=False).ngroup().to_numpy()
        if codes.max() + 1 < len(data):
            splits.setdefault(codes.tobytes(), f"(1 | {':'.join(keys)})")
    return list(splits.values())


def _shared(data: pd.DataFrame) -> str:
    """Return whom several perspectives look at: a participant, or else a triad."""
    for unit in ("participant", "triad"):
        if unit in data and (data.groupby(unit)["perspective"].nunique() > 1).any():
            return unit
    return "participant"
