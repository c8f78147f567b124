"""Residuals alike in time or unequal in size: AR(1), continuous-time AR, log-linear variance.

The residuals of a row have standard deviation σ exp(w'τ / 2) and, within a
group, correlation φ to the power of the distance in time. Both are undone
by whitening the rows; the rest is the ordinary engine.

References
----------
Pinheiro & Bates (2000), chapter 5, doi:10.1007/b98882. Hedeker, Mermelstein
& Demirtas (2008), doi:10.1111/j.1541-0420.2007.00924.x.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from expertise.errors import DataError, DesignError, FormulaError
from expertise.mixed.columns import Array, Codes, Frame, read_columns
from expertise.mixed.formula import parse_formula
from expertise.mixed.variables import Layout, make_layout, make_variable

_CORRELATION = re.compile(r"\s*(\w+)\s*\(\s*(`[^`]+`|[^|`()]+?)\s*\|\s*(`[^`]+`|[^|`()]+?)\s*\)\s*")


@dataclass(frozen=True, slots=True)
class Correlation:
    """`ar1(wave | person)` or `car1(months | person)` as read."""

    kind: str
    time: str
    group: str


def parse_correlation(text: str) -> Correlation:
    """Read a residual correlation.

    >>> parse_correlation("ar1(wave | participant)")
    Correlation(kind='ar1', time='wave', group='participant')
    """
    match = _CORRELATION.fullmatch(text)
    if match is None or match[1] not in ("ar1", "car1"):
        raise FormulaError(
            f"the residual {text!r} cannot be read; write ar1(wave | group) or car1(time | group)"
        )
    return Correlation(match[1], match[2].strip("`"), match[3].strip("`"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Structure:
    """A residual structure laid over the rows of a design.

    `before` and `gap` (n,) give the previous row of the same group and the
    time since; rows without one have `before` −1. `group` (n,) codes the
    groups, None where nothing is correlated. `spread` (n, k) are the
    columns w of the log-variance. Parameters are ordered: correlation, then τ.
    """

    kind: str
    before: Codes
    gap: Array
    group: Codes | None
    spread: Array
    layout: Layout | None
    names: tuple[str, ...]

    def steepness(self, phi: Array) -> Array:
        """Return the derivative of `natural` by phi, element by element."""
        out = np.ones(len(phi))
        if self.kind:
            value = self.natural(phi)[0]
            out[0] = 1 - value**2 if self.kind == "ar1" else value * (1 - value)
        return out

    @property
    def start(self) -> Array:
        """Where the search begins: hardly any correlation, equal variances."""
        first = {"ar1": [0.1], "car1": [logit(0.1)], "": []}[self.kind]
        return np.array([*first, *np.zeros(self.spread.shape[1])])

    def natural(self, phi: Array) -> Array:
        """Return the parameters as people know them: the correlation itself, and τ."""
        out = phi.copy()
        if self.kind:
            out[0] = np.tanh(phi[0]) if self.kind == "ar1" else expit(phi[0])
        return out

    def whitening(self, phi: Array) -> "Whitened":
        """Return the whitening at parameters phi."""
        values = self.natural(phi)
        tau = values[bool(self.kind) :]
        log_sd = 0.5 * self.spread @ tau
        follows = self.before >= 0
        carry = np.zeros(len(self.gap))
        if self.kind:
            carry[follows] = values[0] ** self.gap[follows]
        left = 1 - carry**2
        return Whitened(
            scale=np.exp(-log_sd), carry=carry, left=np.sqrt(left), before=self.before,
            log_det=float(-2 * log_sd.sum() - np.log(left).sum()), layout=self.layout, tau=tau,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Whitened:
    """Rows over their standard deviation, less what the row before already says."""

    scale: Array
    carry: Array
    left: Array
    before: Codes
    log_det: float
    layout: Layout | None
    tau: Array

    def variance(self, data: pd.DataFrame) -> Array:
        """Return the residual variance over σ² of new rows, shape (rows,)."""
        if self.layout is None:
            return np.ones(len(data))
        frame = read_columns(data, self.layout.columns)
        return np.asarray(np.exp(self.layout.matrix(frame, len(data))[:, 1:] @ self.tau))

    def __call__(self, rows: Array) -> Array:
        """Whiten rows (n, k)."""
        scaled = rows * self.scale[:, None]
        return np.asarray((scaled - self.carry[:, None] * scaled[self.before]) / self.left[:, None])

    def of_term(self, codes: Codes, columns: Array) -> list[tuple[Codes, Array]]:
        """Return what the columns (n, q) of a random term become, with the level of each row.

        A row has two where the row before it was of another level.
        """
        carries = self.carry != 0
        if np.array_equal(codes[carries], codes[self.before[carries]]):
            return [(codes, self(columns))]
        own = columns * (self.scale / self.left)[:, None]
        return [(codes, own), (codes[self.before], self(columns) - own)]

    def residuals(self, noise: Array) -> Array:
        """Turn independent noise (n,) into residuals, the other way round."""
        out = self.left * noise
        after = np.full(len(noise), -1)
        rows = np.flatnonzero(self.before >= 0)
        after[self.before[rows]] = rows
        rows = after[self.before < 0]
        while len(rows := rows[rows >= 0]):
            out[rows] += self.carry[rows] * out[self.before[rows]]
            rows = after[rows]
        return np.asarray(out / self.scale)


def dispersion_layout(text: str, frame: Frame) -> Layout:
    """Return the columns of a log-variance formula such as `~ perspective`."""
    formula = parse_formula(text)
    if formula.outcome is not None or formula.random or not any(formula.terms):
        raise FormulaError(f"the dispersion {text!r} is not of the form ~ column")
    seen = {name: c if c.numbers is not None else c.seen() for name, c in frame.items()}
    variables = {node: make_variable(node, seen) for term in formula.terms for node in term}
    layout = make_layout(tuple(dict.fromkeys([(), *formula.terms])), variables)
    if len(layout.names) == 1:
        raise DesignError(f"dispersion={text!r} is the same in every row; leave it out")
    return layout


def structure_of(
    frame: Frame, n: int, correlation: Correlation | None, dispersion: str | None
) -> Structure:
    """Lay a residual structure over the complete rows of a table."""
    names: list[str] = []
    before, gap, group = np.full(n, -1), np.ones(n), None
    if correlation is not None:
        names.append(f"{correlation.kind} correlation: {correlation.time}")
        group = frame[correlation.group].as_factor().filled
        before, gap = _neighbours(frame, correlation, group)
        if (before < 0).all():
            raise DesignError(
                f"{correlation.group!r} has one row per level, so nothing is correlated in "
                f"{correlation.time!r}; leave out residual="
            )
    spread, layout = np.zeros((n, 0)), None
    if dispersion is not None:
        layout = dispersion_layout(dispersion, frame)
        spread = layout.matrix(frame, n)[:, 1:]
        names += [f"log variance: {name}" for name in layout.names[1:]]
    return Structure(
        kind="" if correlation is None else correlation.kind,
        before=before, gap=gap, group=group, spread=spread, layout=layout,
        names=tuple(names),
    )  # fmt: skip


def _neighbours(frame: Frame, correlation: Correlation, group: Codes) -> tuple[Codes, Array]:
    time = frame[correlation.time].numbers
    if time is None:
        if correlation.kind == "car1" or not frame[correlation.time].ordered:
            raise DesignError(
                f"{correlation.time!r} is a category; {correlation.kind} needs numbers"
                + (" or an ordered categorical" if correlation.kind == "ar1" else "")
            )
        time = frame[correlation.time].filled.astype(float)
    index = frame[correlation.time].index
    if correlation.kind == "ar1" and (time % 1 != 0).any():
        raise DesignError(
            f"{correlation.time!r} is {time[(time % 1 != 0).argmax()]:g} in row "
            f"{index[int((time % 1 != 0).argmax())]}; ar1 needs whole waves, car1 takes any time"
        )
    order = np.lexsort((time, group))
    same = group[order][1:] == group[order][:-1]
    step = np.diff(time[order])
    if (same & (step == 0)).any():
        at = order[1:][same & (step == 0)][0]
        raise DataError(
            f"row {index[at]} has the same {correlation.time!r} as another row of its "
            f"{correlation.group!r}; a residual correlation needs one row per time"
        )
    before, gap = np.full(len(time), -1), np.ones(len(time))
    before[order[1:][same]] = order[:-1][same]
    gap[order[1:][same]] = step[same]
    return before, gap


def columns_needed(correlation: Correlation | None, dispersion: str | None) -> Sequence[str]:
    """Return the columns of the table that a residual structure needs."""
    names = [] if correlation is None else [correlation.time, correlation.group]
    return [*names, *(parse_formula(dispersion).columns if dispersion else ())]
