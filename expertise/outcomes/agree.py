"""Kendall's W: how far people put the same things first, within and between groups."""

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


def concordance(
    orders: dict[str, list[NDArray[np.int64]]], k: int, conf_level: float
) -> pd.DataFrame:
    """Return W within each group, and of the groups' mean ranks as judges.

    Only people who ranked everything take part. The interval is the
    jackknife's for the mean Spearman correlation r of two judges, with
    W = (1 + (m − 1) r) / m: a bootstrap would draw the same judge twice and
    so overstate agreement.
    """
    rows, means = [], []
    for group, votes in orders.items():
        whole = [np.argsort(order) + 1.0 for order in votes if len(order) == k]
        m = len(whole)
        if m < 2:
            continue
        ranks = np.array(whole)
        means.append(stats.rankdata(ranks.mean(axis=0)))
        r, low, high = _mean_correlation(ranks, conf_level)
        w = [(1 + (m - 1) * x) / m for x in (r, low, high)]
        rows.append(
            {"group": group, "estimate": w[0], "conf_low": max(w[1], 0.0)}
            | {"conf_high": min(w[2], 1.0), "conf_level": conf_level, "n_people": m, "mean_r": r}
        )
    if len(means) > 1:
        between = kendalls_w(np.array(means))
        rows.append({"group": "between", "estimate": between, "n_people": len(means)})
    return pd.DataFrame(rows)


def _mean_correlation(ranks: Ranks, conf_level: float) -> tuple[float, float, float]:
    """Return the mean correlation of two judges with its jackknife interval."""
    m = len(ranks)
    pairs = np.corrcoef(ranks)
    total = (pairs.sum() - m) / 2
    mean = total / (m * (m - 1) / 2)
    if m < 3:
        return float(mean), float("nan"), float("nan")
    without = (total - (pairs.sum(axis=1) - 1)) / ((m - 1) * (m - 2) / 2)
    error = np.sqrt((m - 1) / m * ((without - without.mean()) ** 2).sum())
    half = stats.t.ppf((1 + conf_level) / 2, m - 1) * error
    return float(mean), float(mean - half), float(mean + half)
