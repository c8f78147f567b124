"""Fits a mixed model to its sums alone."""

from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pandas as pd

from expertise.errors import DesignError
from expertise.mixed.blocks import Blocks
from expertise.mixed.columns import Array
from expertise.mixed.compress import Groups
from expertise.mixed.design import Design
from expertise.mixed.deviance import Deviance
from expertise.mixed.fitted import Fitted, checked_level
from expertise.mixed.groups import Grouping, RandomTerm
from expertise.mixed.identified import dependent_columns
from expertise.mixed.linear import freedom_at, solution_at
from expertise.mixed.links import LINKS
from expertise.mixed.newton import minimise
from expertise.mixed.reduction import Reduction, Units
from expertise.mixed.sumplan import Plan, make_plan
from expertise.mixed.sums import MixedSums
from expertise.mixed.variables import Layout, make_layout
from expertise.words import note


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SumsFit(Fitted):
    """A mixed model fitted to sums; what needs rows says so."""

    sums: MixedSums

    @property
    def n(self) -> int:
        """Rows that were summed."""
        return self.sums.n

    @property
    def n_people(self) -> int:
        """People whose rows were summed."""
        return self.sums.people

    def _refuse(self, what: str) -> NoReturn:
        raise DesignError(
            f"{what} needs the rows, and these are sums; fit the table with fit_mixed"
        )

    def linear_predictor(self, groups: bool = True) -> Array:
        """Refuse: sums have no rows."""
        self._refuse("a linear predictor per row")

    def augment(self) -> pd.DataFrame:
        """Refuse: sums have no rows."""
        self._refuse("augment()")

    def random_effects(self) -> pd.DataFrame:
        """Refuse: sums of people who share a pattern no longer tell one from another."""
        self._refuse("random_effects()")


def fit_sums(
    sums: MixedSums, *, reml: bool = True, df: str = "satterthwaite", conf_level: float = 0.95
) -> SumsFit:
    """Fit the model whose rows were summed; the same fit as of the table.

    Parameters
    ----------
    sums : MixedSums
        From `reduce_mixed` or `MixedSums.total`.
    reml, df, conf_level
        As in `fit_mixed`; df is "satterthwaite", "kenward-roger" or "normal".

    Returns
    -------
    SumsFit

    Raises
    ------
    DesignError
        For dependent columns, a grouping with one level, or an unknown df.
    FitError
        Where no optimum is found.
    """
    if df not in ("satterthwaite", "kenward-roger", "normal"):
        raise DesignError(f"unknown df {df!r}; allowed are satterthwaite, kenward-roger, normal")
    if df == "kenward-roger" and not reml:
        raise DesignError("Kenward–Roger's method is defined for REML; fit with reml=True")
    level = checked_level(conf_level)
    plan = make_plan(sums.formula, sums.levels)
    reduction = _reduction(sums, plan)
    design = _design(sums, plan)
    deviance = Deviance(reduction, reml)
    optimum = minimise(deviance)
    freedom = freedom_at(deviance, optimum.point, df)
    solution = solution_at(design, deviance, optimum, freedom, rows=False)
    return SumsFit(
        design=design, solution=solution, link=LINKS["identity"], conf_level=level,
        sums=sums, notes=(*design.notes, *solution.notes),
    )  # fmt: skip


def _reduction(sums: MixedSums, plan: Plan) -> Reduction:
    """Make the shifted columns of the sums orthonormal, as `prepare` does with rows."""
    blocks = plan.blocks(sums.people)
    d, p = blocks.dense, sums.p
    XX = sums.cross[d : d + p, d : d + p] / sums.n
    _check(XX, sums, plan, blocks)
    root = np.linalg.inv(np.linalg.cholesky(XX)).T
    more = root @ root.T @ sums.cross[d : d + p, -1] / sums.n
    turn = np.eye(d + p + 1)
    turn[d : d + p, d : d + p], turn[d : d + p, -1] = root, -more
    gram = np.tensordot(sums.counts, sums.grams, 1) / sums.n
    inner, units_z = np.zeros_like(gram), []
    for place in blocks.places:
        scale = np.eye(1)
        if place.inside:
            at = place.span
            inner[at, at] = np.linalg.inv(np.linalg.cholesky(gram[at, at])).T
            scale = sums.Z[at, at] @ inner[at, at]
        units_z.append(scale)
    groups = Groups(
        grams=inner.T @ sums.grams @ inner, counts=sums.counts, pattern=sums.pattern,
        V=np.ascontiguousarray(np.einsum("ab,agc->bgc", inner, sums.V @ turn)), B=None,
        weight=sums.weight,
    )  # fmt: skip
    X = sums.X @ root
    units = Units(X=X, shift=sums.X @ (sums.shift + more), Z=tuple(units_z), log_det=0.0)
    return Reduction(
        n=sums.n, p=p, blocks=blocks, groups=groups, every=groups,
        total=turn.T @ sums.cross @ turn, units=units,
    )  # fmt: skip


def _check(XX: Array, sums: MixedSums, plan: Plan, blocks: Blocks) -> None:
    values, vectors = np.linalg.eigh(XX)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    found = dependent_columns(root, plan.fixed.names)
    for place, bar in zip(blocks.places, plan.formula.random, strict=True):
        if place.size == 1:
            found.append(f"the grouping {bar.label!r} has one level; leave it out")
        elif place.size * place.q >= sums.n:
            found.append(f"the random term of {bar.label!r} has as many coefficients as rows")
    if found:
        raise DesignError("; ".join(found))


def _design(sums: MixedSums, plan: Plan) -> Design:
    """Return a design without rows: names, levels and sizes."""
    layouts = iter(plan.inside)
    intercept = make_layout(((),), {})
    random = []
    for bar, place in zip(plan.formula.random, plan.blocks(sums.people).places, strict=True):
        layout: Layout = next(layouts) if place.inside else intercept
        parts: tuple[tuple[object, ...], ...] = (tuple(range(place.size)),)
        if not place.inside:
            parts = tuple(sums.levels[name] for name in bar.group)
        grouping = Grouping(columns=bar.group, parts=parts, cells=np.arange(place.size))
        random.append(
            RandomTerm(
                grouping=grouping, layout=layout, Z=np.zeros((0, place.q)),
                codes=np.zeros(0, dtype=np.intp),
            )
        )  # fmt: skip
    notes = []
    if sums.dropped:
        notes.append(note("mixed.dropped_rows", n=sums.dropped, total=sums.n + sums.dropped))
    return Design(
        formula=plan.formula, family="gaussian", y=np.zeros(0), X=np.zeros((0, sums.p)),
        layout=plan.fixed, random=tuple(random), frame={}, rows=np.zeros(0, dtype=np.intp),
        total=sums.n + sums.dropped, weights=None, offset=None, trials=None, outcome_levels=(),
        notes=tuple(notes),
    )  # fmt: skip
