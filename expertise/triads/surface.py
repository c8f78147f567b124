"""Response surfaces: does it matter whether two perspectives agree, and at which height?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from expertise.errors import DataError, DesignError, nearest
from expertise.figures import Look, StoryAxes, draw
from expertise.mixed.fitted import intervals
from expertise.result import Result, tidy_table
from expertise.triads.actors import regress
from expertise.triads.tables import Array, check_level
from expertise.words import Note, note, say

_TERMS = ("intercept", "first", "second", "first²", "first × second", "second²")
# a1 … a5 as combinations of the coefficients: slope and curvature along agreement, then across.
_LINES = np.array([
    [0, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [0, 1, -1, 0, 0, 0], [0, 0, 0, 1, -1, 1],
    [0, 0, 0, 1, 0, -1],
], dtype=np.float64)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Surface(Result):
    """A quadratic surface of an outcome over two perspectives.

    `table` holds coefficients, a1–a5 and the first principal axis; with
    bounds, `group` of a1, a3 and a5 says equivalent, different or open.
    """

    table: pd.DataFrame
    r_squared: float
    reach: tuple[float, float]
    names: tuple[str, str, str]
    n: int
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Name outcome and perspectives."""
        first, second, outcome = self.names
        return say("triads.surface", outcome=outcome, first=first, second=second, n=self.n)

    def tidy(self) -> pd.DataFrame:
        """Return a row per coefficient, a1–a5, and the axis (p10, p11)."""
        return tidy_table(self.table)

    def glance(self) -> pd.DataFrame:
        """Return one row: n and R²."""
        return pd.DataFrame([{"n": self.n, "r_squared": self.r_squared}])

    def plot(self, lang: str = "en") -> StoryAxes:
        """Draw the surface as a map, agreement as its diagonal."""
        beta = self.table[self.table["component"] == "fixed"]["estimate"].to_numpy()
        line = np.linspace(*self.reach, 41)
        x, y = np.meshgrid(line, line)
        z = np.tensordot(beta, np.array([np.ones_like(x), x, y, x**2, x * y, y**2]), 1)
        first, second, outcome = self.names

        def paint(axes: StoryAxes, look: Look) -> None:
            drawn = axes.contour(x, y, z, levels=8, colors=look.color(1), linewidths=1.2)
            axes.clabel(drawn, fontsize=8)
            axes.plot(self.reach, self.reach, "--", color=look.text, linewidth=1)
            axes.set(xlabel=first, ylabel=second)

        words = {"first": first, "second": second, "outcome": outcome, "n": self.n}
        return draw(
            paint,
            title=say("triads.surface_title", lang, **words),
            subtitle=say("triads.surface_sub", lang, **words),
            alt=say("triads.surface_alt", lang, **words),
            table=self.table[["term", "estimate", "conf_low", "conf_high"]],
            lang=lang,
        )


def response_surface(
    table: pd.DataFrame,
    *,
    first: str,
    second: str,
    outcome: str,
    bounds: float | None = None,
    centre: float = 0.0,
    conf_level: float = 0.95,
) -> Surface:
    """Fit outcome = b0 + b1 X + b2 Y + b3 X² + b4 XY + b5 Y² and read its surface.

    Never use |X − Y|: it takes for granted what should be tested. Agreement
    as such matters where the surface is highest along agreement: across it
    curved downwards (a4 < 0), not sloping (a3 ≈ 0), its ridge on the
    diagonal (a5 ≈ 0). "≈ 0" is a claim of its own: an interval that holds
    zero does not show it, an interval within `bounds` does.

    Parameters
    ----------
    table : DataFrame
        One row per person; rows with a missing value are left out.
    first, second, outcome : str
        Columns; both perspectives on the same scale.
    bounds : float, optional
        Largest |a| that does not matter, in points of outcome per point (a1,
        a3) or per squared point (a5). A term is `equivalent` where its
        interval at level 2 · conf_level − 1 (90 % for 95 %) lies within,
        `different` where its interval excludes zero, else `open`.
    centre : float
        Subtracted from both perspectives: the middle of their scale, the
        same for both.
    conf_level : float

    Returns
    -------
    Surface

    Raises
    ------
    DataError, DesignError

    Notes
    -----
    Not computed: a verdict on congruence. Intervals of the axis come from
    the delta method. Edwards & Parry (1993), doi:10.5465/256822; Humberg,
    Nestler & Back (2019), doi:10.1177/1948550618757600.
    """
    check_level(conf_level)
    if bounds is not None and not bounds > 0:
        raise DesignError(f"bounds is {bounds}; it is the largest difference that does not matter")
    names = (first, second, outcome)
    for name in names:
        if name not in table.columns:
            raise DataError(f"the table has no column {name!r}{nearest(name, table.columns)}")
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise DataError(f"column {name!r} holds {table[name].dtype}; values must be numbers")
    rows = table[list(names)].astype(float).dropna()
    x, y = (rows[name].to_numpy() - centre for name in (first, second))
    z = rows[outcome].to_numpy()
    X = np.column_stack([np.ones(len(x)), x, y, x**2, x * y, y**2])
    line = regress(z, X, "complete rows")
    df = np.full(6, float(line.df))
    parts = [intervals(line.beta, np.sqrt(np.diag(line.cov)), df, conf_level)]
    parts[0] = parts[0].assign(component="fixed", term=list(_TERMS))
    error = np.sqrt(np.diag(_LINES @ line.cov @ _LINES.T))
    lines = intervals(_LINES @ line.beta, error, df[:5], conf_level)
    lines = lines.assign(component="surface", term=[f"a{at}" for at in range(1, 6)])
    if bounds is not None:
        inner = stdtrit(line.df, conf_level) * error
        lines["group"] = _verdicts(lines, inner, bounds)
    parts += [lines, _axis(line.beta, line.cov, line.df, conf_level)]
    left_out = len(table) - len(rows)
    notes = [note("triads.rows_left_out", n=left_out)] * bool(left_out)
    if bounds is None:
        notes.append(note("triads.no_bounds"))
    total = float(((z - z.mean()) ** 2).sum())
    return Surface(
        table=pd.concat(parts, ignore_index=True),
        r_squared=1 - float(line.residuals @ line.residuals) / total,
        reach=(float(min(x.min(), y.min())), float(max(x.max(), y.max()))),
        names=names, n=len(rows), notes=tuple(notes),
    )  # fmt: skip


def _verdicts(lines: pd.DataFrame, inner: Array, bounds: float) -> list[str]:
    out = []
    for at, row in lines.reset_index(drop=True).iterrows():
        within = abs(row["estimate"]) + inner[int(str(at))] <= bounds
        apart = row["conf_low"] > 0 or row["conf_high"] < 0
        verdict = "equivalent" if within else "different" if apart else "open"
        out.append(verdict if row["term"] in ("a1", "a3", "a5") else "")
    return out


def _axis(beta: Array, cov: Array, df: float, conf_level: float) -> pd.DataFrame:
    """Return intercept and slope of the first principal axis, by the delta method."""

    def axis(b: Array) -> Array:
        _, b1, b2, b3, b4, b5 = b
        bend = 4 * b3 * b5 - b4**2
        x0, y0 = (b2 * b4 - 2 * b1 * b5) / bend, (b1 * b4 - 2 * b2 * b3) / bend
        slope = (b5 - b3 + np.sqrt((b3 - b5) ** 2 + b4**2)) / b4
        return np.array([y0 - slope * x0, slope])

    steps = 1e-6 * np.sqrt(np.diag(cov))
    with np.errstate(divide="ignore", invalid="ignore"):
        J = np.array([
            (axis(beta + step) - axis(beta - step)) / (2 * size)
            for step, size in zip(np.diag(steps), steps, strict=True)
        ]).T  # fmt: skip
        error = np.sqrt(np.diag(J @ cov @ J.T))
        rows = intervals(axis(beta), error, np.full(2, df), conf_level)
    return rows.assign(component="axis", term=["p10", "p11"])
