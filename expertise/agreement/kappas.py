"""Agreement corrected for chance: the kappas, Scott's pi, and Gwet's AC1 and AC2."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, Unpack

import numpy as np
import pandas as pd

from expertise.agreement.coefficient import (
    Array,
    Coefficient,
    Options,
    Plan,
    chance_corrected,
    over,
)
from expertise.agreement.estimate import Weights, agreement_weights, estimate, read
from expertise.agreement.proportions import agreement, as_gwet, observed
from expertise.agreement.ratings import Ratings
from expertise.errors import DataError

# From the mean share of each category, (..., q), and the weights, (q, q), to chance agreement.
Chance: TypeAlias = Callable[[Array, Array], Array]


def kappa(
    table: pd.DataFrame,
    *,
    weights: Weights = "identity",
    categories: Iterable[Any] | None = None,
    **options: Unpack[Options],
) -> Coefficient:
    """Return Cohen's kappa for two coders, Conger's for more.

    Each coder has their own marginal distribution. With two coders only
    units that both judged count; with more, Conger's kappa takes each
    coder's distribution from all units which that coder judged.

    Parameters
    ----------
    weights : {"identity", "linear", "quadratic", "ordinal"} or (q, q) table
        Agreement between categories (1 on the diagonal), or Cohen's weights
        of disagreement (0 on the diagonal).

    Other parameters, result and errors as for `alpha`.

    References
    ----------
    Cohen, J. (1960). doi:10.1177/001316446002000104;
    Cohen, J. (1968). doi:10.1037/h0026256;
    Conger, A. J. (1980). doi:10.1037/0033-2909.88.2.322

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"A": [0, 0, 1, 1], "B": [0, 0, 1, 0]})
    >>> kappa(table).estimate
    0.5
    """
    ratings, plan = read(table, categories, options)
    name = "Conger's kappa"
    if ratings.m == 2:
        ratings, name = ratings.only(ratings.judged == 2), "Cohen's kappa"
    matrix = agreement_weights(weights, ratings)
    shape = (ratings.m, ratings.q)

    def formula(sums: Array) -> Array:
        each = sums[..., 3:].reshape(*sums.shape[:-1], *shape)
        share = over(each, each.sum(-1, keepdims=True))
        together = share.sum(-2)
        chance = _bilinear(together, matrix, together) - _bilinear(share, matrix, share).sum(-1)
        return chance_corrected(agreement(sums), chance / (shape[0] * (shape[0] - 1)))

    columns = np.column_stack([observed(ratings, matrix), _chosen(ratings)])
    error = as_gwet(formula, ratings)
    return estimate(ratings, columns, formula, _weighted(name, weights), plan, error)


def max_kappa(
    table: pd.DataFrame, *, categories: Iterable[Any] | None = None, **options: Unpack[Options]
) -> Coefficient:
    """Return the largest Cohen's kappa that the two coders' marginals allow.

    Raises
    ------
    DataError
        For more than two coders. Other parameters as for `alpha`.

    References
    ----------
    Cohen, J. (1960). doi:10.1177/001316446002000104

    Examples
    --------
    >>> import pandas as pd
    >>> max_kappa(pd.DataFrame({"A": [0, 0, 1, 1], "B": [0, 0, 1, 0]})).estimate
    0.5
    """
    ratings, plan = read(table, categories, options)
    both = _two(ratings, "max_kappa", "kappa")
    columns = _chosen(both)

    def formula(sums: Array) -> Array:
        first, second = sums[..., : both.q], sums[..., both.q :]
        n = first.sum(-1)
        most = np.minimum(first, second).sum(-1) / n
        return chance_corrected(most, (first * second).sum(-1) / n**2)

    return estimate(both, columns, formula, "Largest Cohen's kappa", plan)


def scott_pi(
    table: pd.DataFrame, *, categories: Iterable[Any] | None = None, **options: Unpack[Options]
) -> Coefficient:
    """Return Scott's pi for two coders: one marginal distribution for both.

    Raises
    ------
    DataError
        For more than two coders: that is `fleiss_kappa`. Other parameters
        as for `alpha`; units that one coder left open do not count.

    References
    ----------
    Scott, W. A. (1955). doi:10.1086/266577

    Examples
    --------
    >>> import pandas as pd
    >>> round(scott_pi(pd.DataFrame({"A": [0, 0, 1, 1], "B": [0, 0, 1, 0]})).estimate, 4)
    0.4667
    """
    ratings, plan = read(table, categories, options)
    both = _two(ratings, "scott_pi", "fleiss_kappa")
    return _by_share(both, "identity", _common_chance, "Scott's pi", plan)


def fleiss_kappa(
    table: pd.DataFrame,
    *,
    weights: Weights = "identity",
    categories: Iterable[Any] | None = None,
    **options: Unpack[Options],
) -> Coefficient:
    """Return Fleiss' kappa, also when judgements are missing.

    Parameters, result and errors as for `alpha` and `kappa`.

    References
    ----------
    Fleiss, J. L. (1971). doi:10.1037/h0031619; with missing judgements
    Gwet, K. L. (2014). Handbook of Inter-Rater Reliability (4th ed.).

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"A": [0, 0, 1], "B": [0, 1, 1], "C": [0, 0, None]})
    >>> round(fleiss_kappa(table).estimate, 4)
    0.55
    """
    ratings, plan = read(table, categories, options)
    return _by_share(ratings, weights, _common_chance, "Fleiss' kappa", plan)


def ac1(
    table: pd.DataFrame, *, categories: Iterable[Any] | None = None, **options: Unpack[Options]
) -> Coefficient:
    """Return Gwet's AC1, which holds up when one category is very common.

    Parameters, result and errors as for `alpha`; the number of categories
    counts, so name them in `categories` when some were never chosen.

    References
    ----------
    Gwet, K. L. (2008). doi:10.1348/000711006X126600

    Examples
    --------
    >>> import pandas as pd
    >>> round(ac1(pd.DataFrame({"A": [0, 0, 0, 0, 1], "B": [0, 0, 0, 0, 0]})).estimate, 4)
    0.7561
    """
    ratings, plan = read(table, categories, options)
    return _by_share(ratings, "identity", _gwet_chance, "Gwet's AC1", plan)


def ac2(
    table: pd.DataFrame,
    *,
    weights: Weights = "quadratic",
    categories: Iterable[Any] | None = None,
    **options: Unpack[Options],
) -> Coefficient:
    """Return Gwet's AC2: AC1 with weights of partial agreement.

    Parameters
    ----------
    weights : {"identity", "linear", "quadratic", "ordinal"} or (q, q) table
        Linear and quadratic weights use the categories as numbers (or their
        ranks, for text in a known order); ordinal weights use ranks only.

    Other parameters, result and errors as for `alpha`.

    References
    ----------
    Gwet, K. L. (2014). Handbook of Inter-Rater Reliability (4th ed.).

    Examples
    --------
    >>> import pandas as pd
    >>> round(ac2(pd.DataFrame({"A": [1, 2, 3, 3], "B": [1, 2, 2, 3]})).estimate, 4)
    0.8182
    """
    ratings, plan = read(table, categories, options)
    return _by_share(ratings, weights, _gwet_chance, "Gwet's AC2", plan)


def brennan_prediger(
    table: pd.DataFrame,
    *,
    weights: Weights = "identity",
    categories: Iterable[Any] | None = None,
    **options: Unpack[Options],
) -> Coefficient:
    """Return Brennan and Prediger's kappa: every category is equally likely by chance.

    Parameters, result and errors as for `alpha` and `ac1`.

    References
    ----------
    Brennan, R. L., & Prediger, D. J. (1981). doi:10.1177/001316448104100307

    Examples
    --------
    >>> import pandas as pd
    >>> brennan_prediger(pd.DataFrame({"A": [0, 0, 1, 1], "B": [0, 0, 1, 0]})).estimate
    0.5
    """
    ratings, plan = read(table, categories, options)
    return _by_share(ratings, weights, _flat_chance, "Brennan and Prediger's kappa", plan)


def _chosen(ratings: Ratings) -> Array:
    """Return which category each coder chose in each pattern, (P, m · q)."""
    chosen = ratings.rows[:, :, None] == np.arange(ratings.q)
    return np.asarray(chosen.reshape(len(chosen), ratings.m * ratings.q))


def _two(ratings: Ratings, name: str, instead: str) -> Ratings:
    if ratings.m > 2:
        raise DataError(f"{name} compares two coders and the table has {ratings.m}; use {instead}")
    return ratings.only(ratings.judged == 2)


def _by_share(
    ratings: Ratings, weights: Weights, chance: Chance, name: str, plan: Plan
) -> Coefficient:
    """Correct agreement for a chance that depends on the mean share of each category."""
    matrix = agreement_weights(weights, ratings)
    share = ratings.counts().toarray() / ratings.judged[:, None]
    columns = np.column_stack([observed(ratings, matrix), share])

    def formula(sums: Array) -> Array:
        share = sums[..., 3:] / sums[..., 2:3]
        return chance_corrected(agreement(sums), chance(share, matrix))

    error = as_gwet(formula, ratings)
    return estimate(ratings, columns, formula, _weighted(name, weights), plan, error)


def _common_chance(share: Array, matrix: Array) -> Array:
    return _bilinear(share, matrix, share)


def _gwet_chance(share: Array, matrix: Array) -> Array:
    q = len(matrix)
    return over(matrix.sum() * (share * (1 - share)).sum(-1), np.array(q * (q - 1.0)))


def _flat_chance(share: Array, matrix: Array) -> Array:
    return np.full(share.shape[:-1], matrix.mean())


def _weighted(name: str, weights: Weights) -> str:
    if isinstance(weights, str):
        return name if weights == "identity" else f"{name} ({weights} weights)"
    return f"{name} (own weights)"


def _bilinear(left: Array, matrix: Array, right: Array) -> Array:
    return np.asarray(((left @ matrix) * right).sum(-1))
