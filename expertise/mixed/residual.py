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

from expertise.errors import DataError, DesignError, FormulaError, listed
from expertise.mixed.columns import Array, Codes, Frame, read_columns
from expertise.mixed.formula import parse_formula
from expertise.mixed.identified import dependent_columns
from expertise.mixed.variables import Layout, make_layout, make_variable
from expertise.words import Note, note

FARTHEST = 18.0  # of an inner parameter: there a correlation is 0 or 1 to seven digits
NEAR = 14.0  # of a correlation that is held at its edge
EDGE = 1.0 - FARTHEST  # where one that is none is held
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
    time since, in steps of `unit`; rows without one have `before` −1.
    `group` (n,) codes the groups, None where nothing is correlated. `spread`
    (n, k) are the columns w of the log-variance.

    Parameters phi are ordered: correlation over one step, then τ. They are
    free of the units of time and w: the correlation as a tangent (a logit
    where it cannot be negative), w less its `centre` over its `width`.
    """

    kind: str
    before: Codes
    gap: Array
    unit: float
    group: Codes | None
    spread: Array
    centre: Array
    width: Array
    layout: Layout | None
    names: tuple[str, ...]

    @property
    def signed(self) -> bool:
        """Whether the correlation may be negative: over an odd number of waves."""
        return self.kind == "ar1" and self.unit % 2 == 1

    @property
    def edges(self) -> list[tuple[float, float]]:
        """The range of each parameter as people know it."""
        first = [(-1.0 if self.signed else 0.0, 1.0)] if self.kind else []
        return [*first, *[(-np.inf, np.inf)] * self.spread.shape[1]]

    @property
    def start(self) -> Array:
        """Where the search begins: hardly any correlation, equal variances."""
        first = [0.1 if self.signed else logit(0.1)] if self.kind else []
        return np.array([*first, *np.zeros(self.spread.shape[1])])

    @property
    def starts(self) -> list[Array]:
        """Where the search begins, and begins again: with a high correlation."""
        return [self.start, np.append(1.0, self.start[1:])] if self.kind else [self.start]

    @property
    def lift(self) -> Array:
        """How far log σ at the centre of w lies above log σ where w is 0, per unit of phi."""
        return np.append([0.0] * bool(self.kind), 0.5 * self.centre / self.width)

    def step(self, phi: Array) -> float:
        """Return the correlation over one step."""
        return float(np.tanh(phi[0]) if self.signed else expit(phi[0]))

    def natural(self, phi: Array) -> Array:
        """Return the parameters as people know them: the correlation over time 1, and τ."""
        out = phi[bool(self.kind) :] / self.width
        if not self.kind:
            return out
        r = self.step(phi)
        return np.append(np.sign(r) * abs(r) ** (1 / self.unit), out)

    def steepness(self, phi: Array) -> Array:
        """Return the derivative of `natural` by phi, element by element."""
        out = 1 / self.width
        if not self.kind:
            return out
        r = self.step(phi)
        own = abs(r) ** (1 / self.unit - 1) / self.unit
        return np.append(own * (1 - r**2 if self.signed else r * (1 - r)), out)

    def inner(self, values: Array) -> Array:
        """Return phi at parameters as people know them; a correlation keeps off its edges."""
        out = values[bool(self.kind) :] * self.width
        if not self.kind:
            return out
        r = (np.sign(values[0]) if self.signed else 1.0) * abs(values[0]) ** self.unit
        first = logit((1 + r) / 2) / 2 if self.signed else logit(r)
        return np.append(np.clip(first, -NEAR, NEAR), out)

    def at_edge(self, phi: Array) -> bool:
        """Tell whether a correlation that cannot be negative is none."""
        return bool(self.kind) and not self.signed and float(phi[0]) <= EDGE

    def remarks(self, phi: Array) -> list[Note]:
        """Say so where a correlation is at its edge."""
        return [note("mixed.no_correlation", term=self.names[0])] if self.at_edge(phi) else []

    def whitening(self, phi: Array, *, centred: bool = True) -> "Whitened":
        """Return the whitening at phi; σ is that at the centre of w, or where w is 0."""
        log_sd = 0.5 * self.spread @ phi[bool(self.kind) :]
        if not centred:
            log_sd = log_sd + self.lift @ phi
        carry, left = np.zeros(len(self.gap)), np.ones(len(self.gap))
        if self.kind:
            follows, r = self.before >= 0, self.step(phi)
            gap = self.gap[follows]
            carry[follows] = r**gap
            left[follows] = -np.expm1(2 * gap * np.log(max(abs(r), 1e-300)))
        return Whitened(
            scale=np.exp(-log_sd), carry=carry, left=np.sqrt(left), before=self.before,
            log_det=float(-2 * log_sd.sum() - np.log(left).sum()), layout=self.layout,
            tau=self.natural(phi)[bool(self.kind) :],
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
        """Return the residual variance over σ² of new rows, shape (rows,).

        Raises
        ------
        DesignError, DataError
            For a column of the dispersion that is not there, and a missing value in one.
        """
        if self.layout is None:
            return np.ones(len(data))
        columns = self.layout.columns
        if lost := [name for name in columns if name not in data]:
            raise DesignError(
                f"the residual variance differs by {lost[0]!r} (dispersion=); add that column to "
                f"the rows, which have {listed(data.columns)}"
            )
        out = self.layout.matrix(read_columns(data, columns), len(data))[:, 1:] @ self.tau
        if np.isnan(out).any():
            row = data.index[int(np.isnan(out).argmax())]
            raise DataError(
                f"{listed(columns)} is missing in row {row}; how far a new observation lies off "
                "depends on it (dispersion=), so give its value"
            )
        return np.asarray(np.exp(out))

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


def structure_of(frame: Frame, n: int, residual: str | None, dispersion: str | None) -> Structure:
    """Lay a residual structure over the complete rows of a table; independence without any."""
    correlation = None if residual is None else parse_correlation(residual)
    names: list[str] = []
    before, gap, unit, group = np.full(n, -1), np.ones(n), 1.0, None
    if correlation is not None:
        names.append(f"{correlation.kind} correlation: {correlation.time}")
        group = frame[correlation.group].as_factor().filled
        before, gap = _neighbours(frame, correlation, group)
        between = gap[before >= 0]
        if not len(between):
            raise DesignError(
                f"{correlation.group!r} has one row per level, so nothing is correlated in "
                f"{correlation.time!r}; leave out residual="
            )
        unit = float(
            np.median(between) if correlation.kind == "car1"
            else np.gcd.reduce(between.astype(np.int64))
        )  # fmt: skip
    spread, layout = np.zeros((n, 0)), None
    if dispersion is not None:
        layout = dispersion_layout(dispersion, frame)
        columns = layout.matrix(frame, n)
        if dependent := dependent_columns(columns, layout.names):
            raise DesignError(f"dispersion={dispersion!r}: {'; '.join(dependent)}")
        spread = columns[:, 1:]
        names += [f"log variance: {name}" for name in layout.names[1:]]
    centre = spread.mean(axis=0)
    width = abs(spread - centre).max(axis=0)
    return Structure(
        kind="" if correlation is None else correlation.kind,
        before=before, gap=gap / unit, unit=unit, group=group, spread=(spread - centre) / width,
        centre=centre, width=width, layout=layout, names=tuple(names),
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


def columns_needed(residual: str | None, dispersion: str | None) -> Sequence[str]:
    """Return the columns of the table that a residual structure needs."""
    correlation = None if residual is None else parse_correlation(residual)
    names = [] if correlation is None else [correlation.time, correlation.group]
    return [*names, *(parse_formula(dispersion).columns if dispersion else ())]
