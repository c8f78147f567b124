"""Decision studies: how dependable a score is with so many informants, items or waves."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from expertise.errors import DesignError, listed
from expertise.triads.facets import Study
from expertise.triads.tables import Array


def observed_weights(study: Study) -> Array:
    """Return what is left of each σ² in the mean score of a person, shape (terms,).

    The mean over persons of Σ (rows in a cell / rows of the person)²; one
    over the number of levels where data are balanced.
    """
    person = study.cells[(0,)]
    rows = np.bincount(person)
    out = []
    for term in study.terms:
        cell = study.cells[term] * len(rows) + person
        at, size = np.unique(cell, return_counts=True)
        out.append((size**2 / rows[at % len(rows)] ** 2).sum() / len(rows))
    return np.array(out)


def planned_weights(study: Study, numbers: Sequence[float]) -> Array:
    """Return what is left of each σ² with so many levels of each facet, in their order."""
    every = np.array([1.0, *numbers])
    return np.array([1 / np.prod(every[list(term)]) for term in study.terms])


def coefficients_of(
    study: Study, sigma: Array, weights: Array, fixed: frozenset[int]
) -> tuple[Array, Array]:
    """Return Eρ² and Φ for components (..., terms), the `fixed` facets kept as they are."""
    parts = np.maximum(sigma, 0) * weights
    own = [0 in term for term in study.terms]
    kept = [set(term) - {0} <= fixed for term in study.terms]
    universe = parts[..., [a and b for a, b in zip(own, kept, strict=True)]].sum(-1)
    relative = parts[..., [a and not b for a, b in zip(own, kept, strict=True)]].sum(-1)
    absolute = relative + parts[..., [not a and not b for a, b in zip(own, kept, strict=True)]].sum(
        -1
    )
    with np.errstate(invalid="ignore"):
        return universe / (universe + relative), universe / (universe + absolute)


def plans(
    study: Study, fixed: frozenset[int], numbers: Mapping[str, Sequence[int]] | None
) -> list[tuple[str, Array]]:
    """Return label and weights of every D-study asked for; the data as they are by default."""
    counts = [study.count(at) for at in range(1, len(study.names))]
    if numbers is None:
        return [(_named(study, counts), observed_weights(study))]
    for name in numbers:
        if name not in study.names[1:]:
            raise DesignError(
                f"levels names {name!r}, which is no facet; facets are {listed(study.names[1:])}"
            )
        if not numbers[name] or min(numbers[name]) < 1:
            raise DesignError(f"levels of {name!r} are {list(numbers[name])}; each is 1 or more")
    choices = [
        [count] if at + 1 in fixed else list(numbers.get(study.names[at + 1], [count]))
        for at, count in enumerate(counts)
    ]
    return [(_named(study, n), planned_weights(study, n)) for n in product(*choices)]


def _named(study: Study, numbers: Sequence[int]) -> str:
    return " × ".join(f"{n} {name}" for n, name in zip(numbers, study.names[1:], strict=True))
