"""Says why a design cannot be fitted: dependent columns, one group, one observation per group."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from expertise.errors import DesignError, listed
from expertise.mixed.blocks import same_split
from expertise.mixed.columns import Array
from expertise.mixed.groups import RandomTerm
from expertise.mixed.roots import eigen
from expertise.mixed.separation import separating

_DEPENDENT = 1e-7


def check_identified(
    family: str,
    X: Array,
    names: Sequence[str],
    random: Sequence[RandomTerm],
    trials: Array | None,
    y: Array,
) -> None:
    """Refuse a model that these rows do not identify, with every reason in one sentence.

    Raises
    ------
    DesignError
        For dependent fixed columns, a grouping with one level, two random
        terms that say the same, and as many random coefficients as rows
        (allowed for counts and for several trials).
    """
    n = len(X)
    found = []
    counts = family in ("poisson", "negative-binomial") or (
        trials is not None and bool((trials > 1).any())
    )
    for term in random:
        coefficients = term.size * len(term.names)
        if empty := [term.names[at] for at in np.flatnonzero(~term.Z.any(axis=0))]:
            found.append(f"{listed(empty)} in {term} is 0 in every row; leave it out")
        if term.size == 1:
            found.append(
                f"the grouping {term.group!r} has one level; a random term needs several, "
                "so leave it out"
            )
        elif not counts and coefficients >= n:
            found.append(
                f"the random term of {term.group!r} has {coefficients} coefficients for {n} rows "
                f"({n / term.size:.3g} per {term.group}), so it cannot be told from the residual; "
                "leave it out (ordinary regression), or add repeated measurements"
            )
    found += _alike(random)
    if n <= len(names):
        found.append(f"{n} complete rows cannot carry {len(names)} fixed coefficients")
    elif dependent := dependent_columns(X, names):
        found += dependent
    if found and family == "binomial" and trials is None:
        found += _thin_answers(y, X, names)
    if found:
        raise DesignError("; ".join(found))


def _alike(random: Sequence[RandomTerm]) -> list[str]:
    """Name each pair of terms that say the same: one split of the rows, one coefficient."""
    return [
        f"{one} and {two} split the rows alike, so the variances of {listed(shared)} cannot be "
        "told apart; leave one of them out"
        for one, two in combinations(random, 2)
        if (shared := [v for v in one.names if v in two.names]) and same_split(one, two)
    ]


def _thin_answers(y: Array, X: Array, names: Sequence[str]) -> list[str]:
    """Say beside another reason what else keeps two answers from carrying the model."""
    found = []
    if told := separating(y.astype(np.intp), X, names):
        found.append(f"{listed(told)} predicts the outcome without error (separation)")
    if (events := int(min(y.sum(), len(y) - y.sum()))) < 10 * len(names):
        found.append(f"{events} events in {len(y)}, fewer than 10 per coefficient")
    return found


def dependent_columns(X: Array, names: Sequence[str]) -> list[str]:
    """Name each column that the ones before it determine, with those that do so.

    Columns are centred where there is an intercept, and scaled; a pivot
    below 1e-7 counts as zero. A cheap look at the cross-products comes first:
    columns that are independent as they stand stay so when centred.
    """
    products = X.T @ X
    size = np.sqrt(products.diagonal())
    if size.all() and eigen(products / (size[:, None] * size))[0][0] > 1e-6:
        return []
    centre = X.mean(axis=0)
    constant = (X[0] == X).all(axis=0)
    intercept = int(constant.argmax()) if constant.any() else None
    if intercept is None:
        centre = np.zeros_like(centre)
    else:
        centre[intercept] = 0.0
    work = X - centre
    scale = np.sqrt(np.einsum("ij,ij->j", work, work))
    empty = scale <= 1e-14 * np.sqrt(len(X)) * abs(centre)
    work /= np.where(empty, 1.0, scale)
    found = [
        f"the column {names[at]!r} is constant, like the intercept; leave it out" if X[0, at]
        else f"the column {names[at]!r} is 0 in every row; leave it out, or join categories"
        for at in empty.nonzero()[0]
    ]  # fmt: skip
    keep: list[int] = []
    for at in np.flatnonzero(~empty):
        basis = work[:, keep]
        coefficients = np.linalg.lstsq(basis, work[:, at], rcond=None)[0]
        rest = work[:, at] - basis @ coefficients
        if keep and np.linalg.norm(rest) < _DEPENDENT:
            on = [names[keep[k]] for k in range(len(keep)) if abs(coefficients[k]) > _DEPENDENT]
            found.append(
                f"the column {names[int(at)]!r} depends on {listed(on)}; leave one of them out"
            )
        else:
            keep.append(int(at))
    return found
