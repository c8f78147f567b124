"""Alpha for units that may carry several codes at once."""

from collections.abc import Collection
from typing import Any, Literal, TypeAlias, Unpack

import numpy as np
import pandas as pd

from expertise.agreement.alphas import alpha_from, from_distances
from expertise.agreement.coefficient import Array, Coefficient, Options
from expertise.agreement.estimate import check_allowed, read
from expertise.errors import DataError

Distance: TypeAlias = Literal["jaccard", "masi", "masi_dkpro"]
_NAMES = {
    "jaccard": "Jaccard distance",
    "masi": "MASI distance of Passonneau 2006, 1 − J·M",
    "masi_dkpro": "MASI distance as in DKPro, (1 − J)·(1 − M)",
}


def set_alpha(
    table: pd.DataFrame, *, distance: Distance = "masi", **options: Unpack[Options]
) -> Coefficient:
    """Return Krippendorff's alpha for sets of codes.

    Two definitions of MASI are in use and differ: a set and a half of it
    lie .667 apart in the first and .167 in the second.

    Parameters
    ----------
    table : DataFrame, (n units, m coders)
        A set (or list, tuple) of codes in each cell. An empty set means that
        nothing applied; NaN, None and pd.NA mean that the unit was not judged.
    distance : {"jaccard", "masi", "masi_dkpro"}
        With J the size of intersection over union, and M 1 for equal sets,
        2/3 if one holds the other, 1/3 for other overlap, 0 for none:
        1 − J; 1 − J·M (Passonneau 2006, as in NLTK); (1 − J)·(1 − M) (DKPro).
        Two empty sets are equal, at distance 0; an empty set lies at 1
        from any other.

    Other parameters and result as for `alpha`.

    Raises
    ------
    DataError
        For a cell that is not a set: one code is {"hoop"}, not "hoop".

    References
    ----------
    Passonneau, R. (2006). Measuring agreement on set-valued items (MASI).
    Proceedings of LREC 2006.

    Examples
    --------
    >>> import pandas as pd
    >>> a = [{"hoop"}, {"hoop", "angst"}, set(), {"angst"}]
    >>> b = [{"hoop"}, {"hoop"}, set(), {"angst"}]
    >>> round(set_alpha(pd.DataFrame({"A": a, "B": b}), distance="jaccard").estimate, 4)
    0.8293
    """
    check_allowed("distance", distance, tuple(_NAMES))
    ratings, plan = read(_as_sets(table, options.get("cluster")), None, options)
    pairs = ratings.only(ratings.judged > 1)
    parts = from_distances(pairs, set_distances(list(pairs.values), distance))
    return alpha_from(pairs, parts, f"Krippendorff's alpha ({_NAMES[distance]})", plan)


def set_distances(sets: list[frozenset[Any]], distance: Distance) -> Array:
    """Return the distance between any two of the sets, (q, q)."""
    codes = {code: i for i, code in enumerate(sorted(set().union(*sets), key=str))}
    holds = np.zeros((len(sets), len(codes)))
    for row, members in enumerate(sets):
        holds[row, [codes[code] for code in members]] = 1
    shared, size = holds @ holds.T, holds.sum(1)
    union = np.add.outer(size, size) - shared
    alike = np.where(union > 0, shared / np.maximum(union, 1), 1.0)
    if distance == "jaccard":
        return np.asarray(1 - alike)
    smaller = np.minimum.outer(size, size)
    kind = np.select([alike == 1, shared == 0, shared == smaller], [1, 0, 2 / 3], 1 / 3)
    return np.asarray(1 - alike * kind if distance == "masi" else (1 - alike) * (1 - kind))


def _as_sets(table: pd.DataFrame, cluster: Any) -> pd.DataFrame:
    def cell(value: Any) -> Any:
        if value is None or value is pd.NA or value is pd.NaT or value != value:
            return None
        if isinstance(value, str) or not isinstance(value, Collection):
            raise DataError(
                f"{value!r} is not a set of codes; write one code as a set that holds it, "
                "and nothing applied as an empty set"
            )
        return frozenset(value)

    out = pd.DataFrame(table).astype(object)
    coders = [name for name in out if not (isinstance(cluster, str) and name == cluster)]
    for name in coders:
        out[name] = pd.Series([cell(value) for value in out[name]], out.index, dtype=object)
    return out
