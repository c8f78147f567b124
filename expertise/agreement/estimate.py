"""From patterns of judgement to one coefficient, or to the reason why there is none."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from expertise.agreement.coefficient import (
    Array,
    Coefficient,
    Formula,
    Options,
    Plan,
    with_interval,
)
from expertise.agreement.ratings import Ratings, read_ratings
from expertise.errors import DataError, ExpertiseError, listed, nearest
from expertise.words import note

Weights: TypeAlias = str | Sequence[Sequence[float]] | Array
_MOST_CATEGORIES = 2000
WEIGHTS = ("identity", "linear", "quadratic", "ordinal")


def read(
    table: pd.DataFrame, categories: Iterable[Any] | None, options: Options
) -> tuple[Ratings, Plan]:
    """Return the patterns in a table of units × coders, and how the interval is made."""
    rest: dict[str, Any] = dict(options)
    cluster = rest.pop("cluster", None)
    return read_ratings(table, cluster, categories), Plan(**rest)


def check_allowed(name: str, value: object, allowed: Sequence[str]) -> None:
    """Refuse an argument that is not one of the allowed words."""
    if value not in allowed:
        raise ExpertiseError(
            f"{name} is {value!r}; allowed are {listed(allowed)}{nearest(str(value), allowed)}"
        )


def estimate(
    ratings: Ratings,
    columns: Any,
    formula: Formula,
    method: str,
    plan: Plan,
    for_error: Formula | None = None,
) -> Coefficient:
    """Estimate `formula` over the sums of `columns`, (P, K), or say why that cannot be done.

    `for_error` replaces the formula in the linearised standard error.
    """
    n = informed = ratings.n_pairable
    if ratings.by_cluster is not None:
        informed = int((ratings.by_cluster[:, ratings.judged > 1].sum(1) > 0).sum())
    found = dict.fromkeys(("estimate", "std_error", "conf_low", "conf_high"), np.nan)
    if ratings.m < 2:
        said = [note("agreement.one_coder", n=ratings.m)]
    elif not n:
        said = [note("agreement.no_pairs")]
    else:
        sums = ratings.sums(columns)
        found, said = with_interval(sums, formula, plan, informed, for_error)
    return Coefficient(
        method=method, **found, conf_level=plan.conf_level, n=n, n_coders=ratings.m,
        n_clusters=informed, n_boot=plan.n_boot, seed=plan.seed, notes=(*said, *ratings.notes),
    )  # fmt: skip


def check_few(ratings: Ratings) -> None:
    """Refuse more categories than can be compared one by one."""
    if ratings.q > _MOST_CATEGORIES:
        raise DataError(
            f"{ratings.q} categories; at most {_MOST_CATEGORIES} can be weighed against each other"
        )


def agreement_weights(weights: Weights, ratings: Ratings) -> Array:
    """Return how far two categories agree, (q, q), 1 on the diagonal."""
    check_few(ratings)
    if not isinstance(weights, str):
        return _own_weights(np.asarray(weights, dtype=float), ratings)
    check_allowed("weights", weights, WEIGHTS)
    if weights == "identity" or ratings.q < 2:
        return np.eye(ratings.q)
    x = ratings.numbers()
    if weights == "ordinal":
        between = np.abs(np.subtract.outer(np.arange(ratings.q), np.arange(ratings.q))) + 1
        return np.asarray(1 - between * (between - 1) / (ratings.q * (ratings.q - 1)))
    apart = np.abs(np.subtract.outer(x, x)) / (x.max() - x.min())
    return np.asarray(1 - (apart if weights == "linear" else apart**2))


def _own_weights(matrix: Array, ratings: Ratings) -> Array:
    q = ratings.q
    if matrix.shape != (q, q):
        raise ExpertiseError(
            f"weights has shape {matrix.shape}; for the categories {listed(ratings.values)} "
            f"it is ({q}, {q})"
        )
    diagonal = np.diag(matrix)
    if (diagonal == 0).all() and matrix.max(initial=0) > 0:
        return np.asarray(1 - matrix / matrix.max())
    if (diagonal == 1).all():
        return matrix
    raise ExpertiseError(
        "weights has a diagonal that is not all 1 (agreement) or all 0 (disagreement)"
    )
