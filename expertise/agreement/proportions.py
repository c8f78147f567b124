"""Agreement as it is seen, not corrected for chance: per cent, on yes, and on no."""

from collections.abc import Iterable
from typing import Any, Unpack

import numpy as np
import pandas as pd

from expertise.agreement.coefficient import Array, Coefficient, Formula, Options, over
from expertise.agreement.estimate import estimate, read
from expertise.agreement.ratings import Ratings
from expertise.errors import DataError, listed


def percent_agreement(
    table: pd.DataFrame, *, categories: Iterable[Any] | None = None, **options: Unpack[Options]
) -> Coefficient:
    """Return the share of pairs of judgements that agree, averaged over units.

    Not corrected for chance; parameters as for `alpha`.

    Examples
    --------
    >>> import pandas as pd
    >>> percent_agreement(pd.DataFrame({"A": [0, 0, 1, 1], "B": [0, 0, 1, 0]})).estimate
    0.75
    """
    ratings, plan = read(table, categories, options)
    columns = observed(ratings, np.eye(ratings.q))
    return estimate(
        ratings, columns, agreement, "Percent agreement", plan, as_gwet(agreement, ratings)
    )


def positive_agreement(
    table: pd.DataFrame, *, positive: Any = 1, **options: Unpack[Options]
) -> Coefficient:
    """Return agreement on yes: of the judgements beside a yes, the share that are yes.

    For two coders 2a / (2a + b + c); for more, pairs of coders are pooled.

    Parameters
    ----------
    positive : value
        The category that means yes; True equals 1.

    Other parameters as for `alpha`.

    References
    ----------
    Cicchetti, D. V., & Feinstein, A. R. (1990). doi:10.1016/0895-4356(90)90159-M

    Examples
    --------
    >>> import pandas as pd
    >>> round(positive_agreement(pd.DataFrame({"A": [0, 0, 1, 1], "B": [0, 0, 1, 0]})).estimate, 4)
    0.6667
    """
    return _specific(table, positive, True, options)


def negative_agreement(
    table: pd.DataFrame, *, positive: Any = 1, **options: Unpack[Options]
) -> Coefficient:
    """Return agreement on no: of the judgements beside a no, the share that are no.

    Every category but `positive` is a no; see `positive_agreement`.

    Examples
    --------
    >>> import pandas as pd
    >>> negative_agreement(pd.DataFrame({"A": [0, 0, 1, 1], "B": [0, 0, 1, 0]})).estimate
    0.8
    """
    return _specific(table, positive, False, options)


def _specific(table: pd.DataFrame, positive: Any, yes: bool, options: Options) -> Coefficient:
    ratings, plan = read(table, None, options)
    known = positive in ratings.values or all(value in (0, 1) for value in ratings.values)
    if not known:
        raise DataError(
            f"no judgement is {positive!r}; categories are {listed(map(repr, ratings.values))}: "
            "say with positive= which one means yes"
        )
    wanted = np.array([(value == positive) == yes for value in ratings.values], dtype=bool)
    chosen, judged = np.asarray(ratings.counts()[:, wanted].sum(1)), ratings.judged
    beside = np.maximum(judged - 1, 1)
    columns = np.column_stack([chosen * (chosen - 1) / beside, chosen * (judged - 1) / beside])
    name = "Positive agreement" if yes else "Negative agreement"
    return estimate(ratings, columns, lambda sums: over(sums[..., 0], sums[..., 1]), name, plan)


def observed(ratings: Ratings, matrix: Array) -> Array:
    """Return mean agreement within each pattern, whether it has any, and one, (P, 3)."""
    judged = ratings.judged
    within = ratings.paired(lambda one, other: matrix[one, other]) / np.maximum(
        judged * (judged - 1), 1
    )
    return np.column_stack([within, judged > 1, np.ones(len(judged))])


def agreement(sums: Array) -> Array:
    """Return mean agreement over the units that two coders judged."""
    return over(sums[..., 0], sums[..., 1])


def as_gwet(formula: Formula, ratings: Ratings) -> Formula:
    """Return `formula` as Gwet linearises it: the share of units judged twice is fixed."""
    share = ratings.n_pairable / max(ratings.sizes.sum(), 1)
    return lambda sums: formula(sums) * sums[..., 1] / (share * sums[..., 2])
