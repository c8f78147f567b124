"""Kendall's W: how far people put the same things first, within and between groups."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

Ranks = NDArray[np.float64]


def kendalls_w(ranks: Ranks) -> float:
    """Return Kendall's coefficient of concordance, corrected for ties.

    Parameters
    ----------
    ranks : array, shape (judges, objects)
        Each row the ranks that one judge gave.

    Examples
    --------
    >>> kendalls_w(np.array([[1.0, 2, 3], [1, 2, 3]]))
    1.0
    """
    m, n = ranks.shape
    spread = ((ranks.sum(axis=0) - m * (n + 1) / 2) ** 2).sum()
    ties = 0.0
    for row in ranks:
        counts = np.unique(row, return_counts=True)[1]
        ties += float((counts**3 - counts).sum())
    most = m**2 * (n**3 - n) - m * ties
    return float(12 * spread / most) if most else float("nan")


W, R = "Kendall's W", "mean Spearman r"


def concordance(
    orders: dict[str, list[NDArray[np.int64]]], k: int, conf_level: float
) -> pd.DataFrame:
    """Return Kendall's W and the mean Spearman r of two people, within and between groups.

    Only people who ranked everything take part. Within a group
    W = (1 + (m − 1) r) / m, so both share the jackknife's interval: a
    bootstrap would draw the same judge twice and so overstate agreement.
    Between groups, r is the mean over pairs from different groups, which can
    be laid beside r within them; W takes the groups' mean ranks as judges and
    has no interval, for the rank of a mean jumps.
    """
    judges = {}
    for group, votes in orders.items():
        whole = [np.argsort(order) + 1.0 for order in votes if len(order) == k]
        if len(whole) > 1:
            judges[group] = np.array(whole)
    rows = []
    for group, ranks in judges.items():
        m = len(ranks)
        ends = _mean_correlation([ranks], conf_level)
        w = [min(max((1 + (m - 1) * x) / m, 0.0), 1.0) for x in ends]
        rows += [_row(group, W, w, conf_level, m), _row(group, R, ends, conf_level, m)]
    if len(judges) > 1:
        people = sum(len(ranks) for ranks in judges.values())
        means = [stats.rankdata(ranks.mean(axis=0)) for ranks in judges.values()]
        w = [kendalls_w(np.array(means)), np.nan, np.nan]
        ends = _mean_correlation(list(judges.values()), conf_level)
        rows += [_row("between", W, w, conf_level, people)]
        rows += [_row("between", R, ends, conf_level, people)]
    return pd.DataFrame(rows)


def _row(
    group: str, term: str, ends: Sequence[float], conf_level: float, people: int
) -> dict[str, object]:
    estimate, low, high = ends
    return {
        "group": group, "term": term, "estimate": estimate, "conf_low": low, "conf_high": high,
        "conf_level": conf_level, "n_people": people,
    }  # fmt: skip


def _mean_correlation(groups: list[Ranks], conf_level: float) -> tuple[float, float, float]:
    """Return the mean correlation of two judges with its jackknife interval.

    Of all pairs in one group; of pairs from different groups where there are
    several. Judges are left out one at a time, each within its own group.
    """
    home = np.repeat(np.arange(len(groups)), [len(ranks) for ranks in groups])
    pairs = np.corrcoef(np.concatenate(groups))
    apart = home[:, None] != home if len(groups) > 1 else ~np.eye(len(home), dtype=bool)
    sums, counts = (pairs * apart).sum(axis=1), apart.sum(axis=1)
    total, count = sums.sum() / 2, counts.sum() / 2
    mean = float(total / count)
    sizes = np.bincount(home)
    if (count == counts).any():  # someone is in every pair, so cannot be left out
        return mean, float("nan"), float("nan")
    without = (total - sums) / (count - counts)
    centred = without - (np.bincount(home, without) / sizes)[home]
    error = np.sqrt((((sizes - 1) / sizes)[home] * centred**2).sum())
    half = float(stats.t.ppf((1 + conf_level) / 2, len(home) - len(groups)) * error)
    return mean, mean - half, mean + half
