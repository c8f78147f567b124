"""Krippendorff's alpha on every scale, and alphas that weigh or compare sets."""

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias, Unpack

import numpy as np
import pandas as pd
from scipy import sparse

from expertise.agreement.coefficient import Array, Coefficient, Formula, Options, Plan, over
from expertise.agreement.estimate import (
    Weights,
    agreement_weights,
    check_allowed,
    check_few,
    estimate,
    read,
)
from expertise.agreement.ratings import Ratings
from expertise.errors import DataError

Scale: TypeAlias = Literal["nominal", "ordinal", "interval", "ratio"]
# From sums, (..., K), to the number of judgements, the disagreement that was
# observed, the disagreement by chance, and the size beside which the latter is nothing.
Parts: TypeAlias = Callable[[Array], tuple[Array, Array, Array, Array]]

SCALES = ("nominal", "ordinal", "interval", "ratio")
_MOST_ORDINAL = 200


def alpha(
    table: pd.DataFrame,
    *,
    scale: Scale = "nominal",
    categories: Iterable[Any] | None = None,
    **options: Unpack[Options],
) -> Coefficient:
    """Return Krippendorff's alpha: 1 − observed / expected disagreement.

    Parameters
    ----------
    table : DataFrame, (n units, m coders)
        One judgement a cell; NaN, None and pd.NA are missing, the text
        "nan" is a category like any other.
    scale : {"nominal", "ordinal", "interval", "ratio"}
        How far apart two categories are. Ordinal counts the judgements
        between them, as Krippendorff defines it; for the ordinal *weights*
        of others see `weighted_alpha`.
    categories : iterable, optional
        The categories from low to high, when text has an order.
    cluster : Series, array or column name, optional
        Document, or the highest thing that units share, for each unit: the
        interval resamples these. Without it units count as independent.
    conf_level, seed, n_boot
        Level of the interval (0.95), seed (1) and number of resamples (1000).

    Returns
    -------
    Coefficient
        NaN with the reason in `notes` for one coder, no unit that two coders
        judged, or no variation.

    Raises
    ------
    DataError
        For mixed types, text on a numeric scale, or negative ratios.

    References
    ----------
    Krippendorff, K. (2019). Content Analysis (4th ed.), ch. 12. Sage.
    doi:10.4135/9781071878781

    Examples
    --------
    >>> import pandas as pd
    >>> ben = list("aabbdcccedda")
    >>> gerry = list("babbbccceddd")
    >>> round(alpha(pd.DataFrame({"Ben": ben, "Gerry": gerry})).estimate, 4)
    0.692
    """
    check_allowed("scale", scale, SCALES)
    ratings, plan = read(table, categories, options)
    pairs = ratings.only(ratings.judged > 1)
    return alpha_from(pairs, _BY_SCALE[scale](pairs), f"Krippendorff's alpha ({scale})", plan)


def weighted_alpha(
    table: pd.DataFrame,
    *,
    weights: Weights = "identity",
    categories: Iterable[Any] | None = None,
    **options: Unpack[Options],
) -> Coefficient:
    """Return alpha with weights of agreement, as Gwet's irrCAC computes it.

    With ordinal weights this is *not* Krippendorff's ordinal alpha, which
    is `alpha(table, scale="ordinal")`: the two differ on the same data.
    Other parameters as for `alpha`; weights as for `ac2`.

    References
    ----------
    Gwet, K. L. (2014). Handbook of Inter-Rater Reliability (4th ed.).

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"A": [1, 2, 3, 3], "B": [1, 2, 3, 2]})
    >>> weighted_alpha(table, weights="ordinal").method
    "Gwet's weighted alpha (ordinal weights)"
    """
    ratings, plan = read(table, categories, options)
    pairs = ratings.only(ratings.judged > 1)
    parts = from_distances(pairs, 1.0 - agreement_weights(weights, pairs))
    name = weights if isinstance(weights, str) else "own"
    return alpha_from(pairs, parts, f"Gwet's weighted alpha ({name} weights)", plan)


def alpha_from(pairs: Ratings, found: tuple[Any, Parts], method: str, plan: Plan) -> Coefficient:
    """Return alpha from what it sums over patterns, (P, K), and what these sums mean."""
    columns, parts = found

    def formula(less: int) -> Formula:
        def one(sums: Array) -> Array:
            n, seen, by_chance, scale = parts(sums)
            return 1 - over((n - less) * seen, by_chance, scale)

        return one

    # Gwet linearises alpha without its correction for few judgements.
    return estimate(pairs, columns, formula(1), method, plan, formula(0))


def from_distances(pairs: Ratings, distance: Array) -> tuple[Any, Parts]:
    """Return what alpha sums when the distance between categories, (q, q), is known."""
    most = distance.max(initial=0)

    def parts(sums: Array) -> tuple[Array, Array, Array, Array]:
        each = sums[..., 1:]
        n = each.sum(-1)
        return n, sums[..., 0], ((each @ distance) * each).sum(-1), most * n**2

    return _columns(pairs, lambda one, other: distance[one, other]), parts


def _columns(pairs: Ratings, distance: Callable[[Array, Array], Array]) -> Any:
    """Return the disagreement within each pattern and its judgements by category, (P, 1 + q)."""
    apart = pairs.paired(distance) / (pairs.judged - 1)
    return sparse.hstack([sparse.csr_array(apart[:, None]), pairs.counts()], format="csr")


def _nominal(pairs: Ratings) -> tuple[Any, Parts]:
    # As with a distance of 1 between any two categories, however many there are.
    def parts(sums: Array) -> tuple[Array, Array, Array, Array]:
        each = sums[..., 1:]
        n = each.sum(-1)
        return n, sums[..., 0], n**2 - (each**2).sum(-1), n**2

    return _columns(pairs, np.not_equal), parts


def _ratio(pairs: Ratings) -> tuple[Array, Parts]:
    x = _finite(pairs, "ratio")
    if (x < 0).any():
        raise DataError(f"{x.min():g} is below zero; a ratio scale has none, use scale='interval'")
    check_few(pairs)
    total = np.add.outer(x, x)
    return from_distances(pairs, (np.subtract.outer(x, x) / np.where(total > 0, total, 1)) ** 2)


def _interval(pairs: Ratings) -> tuple[Array, Parts]:
    # Sums of x and x² suffice, so that a scale may have any number of values.
    x = _finite(pairs, "interval")
    x = x - x.mean() if len(x) else x
    judgement = np.where(pairs.rows >= 0, x[pairs.rows], 0.0)
    n, first, second = pairs.judged, judgement.sum(1), (judgement**2).sum(1)
    apart = pairs.paired(lambda one, other: (x[one] - x[other]) ** 2)

    def parts(sums: Array) -> tuple[Array, Array, Array, Array]:
        apart, n, first, second = np.moveaxis(sums, -1, 0)
        return n, apart, 2 * (n * second - first**2), n * second

    return np.column_stack([apart / (n - 1), n, first, second]), parts


def _ordinal(pairs: Ratings) -> tuple[Any, Parts]:
    # The number of judgements between two categories is a difference of their mid-ranks.
    q = pairs.q
    pairs.numbers()
    if q > _MOST_ORDINAL:
        raise DataError(
            f"{q} distinct values on an ordinal scale; at most {_MOST_ORDINAL}: "
            "group them, or use scale='interval'"
        )
    cells = []
    for i in range(pairs.m):
        for j in range(pairs.m):
            row = np.flatnonzero((pairs.rows[:, i] >= 0) & (pairs.rows[:, j] >= 0) & (i != j))
            cells.append((row, pairs.rows[row, i] * q + pairs.rows[row, j]))
    row, column = np.concatenate(cells, axis=1) if cells else np.zeros((2, 0), dtype=int)
    found = (1 / (pairs.judged - 1)[row], (row, column))
    columns = sparse.coo_array(found, (len(pairs.rows), q * q)).tocsr()

    def parts(sums: Array) -> tuple[Array, Array, Array, Array]:
        together = sums.reshape(*sums.shape[:-1], q, q)
        each = together.sum(-1)
        n = each.sum(-1)
        rank = each.cumsum(-1) - each / 2 - n[..., None] / 2
        second = (each * rank**2).sum(-1)
        cross = (rank * (together @ rank[..., None])[..., 0]).sum(-1)
        by_chance = 2 * (n * second - (each * rank).sum(-1) ** 2)
        return n, 2 * (second - cross), by_chance, n**4

    return columns, parts


def _finite(pairs: Ratings, scale: str) -> Array:
    if any(isinstance(value, str) for value in pairs.values):
        raise DataError(
            f"scale={scale!r} needs numbers and the table holds text such as "
            f"{next(v for v in pairs.values if isinstance(v, str))!r}; "
            "use scale='nominal' or 'ordinal'"
        )
    x = pairs.numbers()
    if not np.isfinite(x).all():
        strange = x[~np.isfinite(x)][0]
        raise DataError(f"the table holds {strange}; scale={scale!r} needs finite numbers")
    return x


_BY_SCALE = {"nominal": _nominal, "ordinal": _ordinal, "interval": _interval, "ratio": _ratio}
