"""Small cells leave no released table, nor the cells from which they could be computed."""

from dataclasses import dataclass

import pandas as pd

from expertise.errors import PrivacyError

LEAST = 5
COUNTS = ("eligible", "measured", "measured_twice", "n_people")
MARGINS = ("perspective", "wave")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Suppressed:
    """A table fit to release.

    Attributes
    ----------
    table : DataFrame
        The same rows and columns; a suppressed count is missing.
    suppressed : int
        How many counts were suppressed.
    """

    table: pd.DataFrame
    suppressed: int


def suppress_small(table: pd.DataFrame, *, minimum: int = 10) -> Suppressed:
    """Suppress counts of few people, and one more where a total would give them away.

    Parameters
    ----------
    table : DataFrame
        Counts of distinct people in columns `eligible measured measured_twice
        n_people`; every other column is a key. Keys other than `perspective`
        and `wave` split a perspective's people into groups.
    minimum : int
        The smallest count that may be shown, 5 or more.

    Returns
    -------
    Suppressed
        Counts as nullable integers. Where exactly one group of a perspective
        and wave is suppressed, the smallest of the others is too, since the
        total over groups is often known.

    Raises
    ------
    PrivacyError
        `minimum` is below 5.

    Examples
    --------
    >>> counts = pd.DataFrame({"arm": ["a", "b", "c"], "n_people": [4, 30, 12]})
    >>> suppress_small(counts).table["n_people"].tolist()
    [<NA>, 30, <NA>]
    """
    if minimum < LEAST:
        raise PrivacyError(f"minimum is {minimum}; a released count is of {LEAST} people or more")
    out = table.copy()
    counts = [name for name in COUNTS if name in out]
    margins = [name for name in MARGINS if name in out]
    groups = [name for name in out if name not in (*counts, *margins)]
    for name in counts:
        small = out[name] < minimum
        if groups:
            rest = out[name].where(~small)
            families = out.groupby(margins, observed=True, sort=False) if margins else [((), out)]
            for _, family in families:
                if small[family.index].sum() == 1 and rest[family.index].notna().any():
                    small[rest[family.index].idxmin()] = True
        out[name] = out[name].astype("Int64").mask(small)
    return Suppressed(table=out, suppressed=int(out[counts].isna().to_numpy().sum()))
