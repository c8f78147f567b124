"""How alike two segmentations of one text are, near misses counted in part."""

from collections.abc import Sequence

import numpy as np

from expertise.agreement.coefficient import Coefficient
from expertise.errors import DataError
from expertise.words import note


def boundary_similarity(
    first: Sequence[int], second: Sequence[int], *, near: int = 2
) -> Coefficient:
    """Return Fournier's boundary similarity B, 1 for equal segmentations.

    Parameters
    ----------
    first, second : sequences of int
        Lengths of the segments, in sentences or another unit: (2, 3, 6)
        has boundaries after units 2 and 5. Both cover the same text.
    near : int
        A boundary that another coder put fewer than `near` places away is
        moved, at a cost of its distance / `near`, rather than missed; 2
        means neighbouring places.

    Returns
    -------
    Coefficient
        No interval, since one pair says nothing of others; NaN with the
        reason in `notes` when neither has a boundary. `n` counts the
        boundaries compared. Not corrected for chance.

    Raises
    ------
    DataError
        For segments without length, or texts of different length.

    References
    ----------
    Fournier, C. (2013). Evaluating text segmentation using boundary edit
    distance. Proceedings of ACL 2013, 1702–1712.

    Examples
    --------
    >>> boundary_similarity((2, 3, 6), (2, 2, 7)).estimate
    0.75
    """
    mine, theirs = _boundaries(first), _boundaries(second)
    if sum(first) != sum(second):
        raise DataError(
            f"the segments cover {sum(first)} and {sum(second)} units; both segment one text"
        )
    cost, moved, apart = 0.0, 0, mine ^ theirs
    for distance in range(1, near):
        for place in sorted(apart):
            pair = {place, place + distance}
            if pair <= apart and len(pair & mine) == 1:
                apart -= pair
                moved, cost = moved + 1, cost + distance / near
    n = len(mine & theirs) + moved + len(apart)
    return Coefficient(
        method="Boundary similarity B", estimate=1 - (cost + len(apart)) / n if n else np.nan,
        conf_low=np.nan, conf_high=np.nan, conf_level=np.nan, std_error=np.nan, n=n, n_coders=2,
        n_clusters=1, n_boot=0, seed=0,
        notes=(note("agreement.one_pair" if n else "agreement.no_boundaries"),),
    )  # fmt: skip


def _boundaries(lengths: Sequence[int]) -> set[int]:
    wrong = [length for length in lengths if length < 1 or length != int(length)]
    if wrong or not lengths:
        raise DataError(
            f"segments of length {', '.join(map(str, wrong)) or 'none'}; give the length of each "
            "segment, 1 unit or more"
        )
    return set(np.cumsum(lengths[:-1]).tolist())
