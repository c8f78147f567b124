"""Agreement of informants: intraclass correlations, from variance components."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import fdtri

from expertise.errors import DesignError
from expertise.mixed.fit import fit_mixed
from expertise.result import Result, tidy_table
from expertise.triads.tables import check_level, wide_ratings
from expertise.words import Note, note, say

ROLES = ("fixed", "random", "interchangeable")
DEFINITIONS = ("absolute", "consistency")
UNITS = ("single", "average")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TwoWay:
    """Components of people × raters, and the mean squares and degrees of freedom they amount to.

    σ² of `people`, `raters` and `rest` (may be negative where data are
    complete); `k` ratings a person and `n` people a rater, effectively.
    """

    people: float
    raters: float
    rest: float
    k: float
    n: float
    df: tuple[float, float, float]
    complete: bool
    notes: tuple[Note, ...]

    @property
    def squares(self) -> tuple[float, float, float]:
        """Mean squares of people, raters and the rest."""
        return self.k * self.people + self.rest, self.n * self.raters + self.rest, self.rest


def two_way(wide: pd.DataFrame) -> TwoWay:
    """Return the components of a table with a row a person and a column a rater."""
    n, k = wide.shape
    if not wide.isna().to_numpy().any():
        x = wide.to_numpy(dtype=np.float64)
        x = x - x.mean()
        rows, columns = x.mean(axis=1), x.mean(axis=0)
        msr = float(k * (rows @ rows) / (n - 1)) if n > 1 else np.nan
        msc = float(n * (columns @ columns) / (k - 1))
        if n < 2:
            raise DesignError("one person only was rated; agreement needs two or more people")
        rest = x - rows[:, None] - columns
        mse = float((rest**2).sum() / ((n - 1) * (k - 1)))
        return TwoWay(
            people=(msr - mse) / k, raters=(msc - mse) / n, rest=mse, k=k, n=n,
            df=(n - 1, k - 1, (n - 1) * (k - 1)), complete=True, notes=(),
        )  # fmt: skip
    return _incomplete(wide)


def _incomplete(wide: pd.DataFrame) -> TwoWay:
    """Return the REML components, the raters' means fixed, all ratings used."""
    n, k = wide.shape
    at = np.argwhere(wide.notna().to_numpy())
    rows = pd.DataFrame({"person": at[:, 0].astype(str), "rater": at[:, 1].astype(str)})
    rows["value"] = wide.to_numpy(dtype=np.float64)[at[:, 0], at[:, 1]]
    rows["rater"] = pd.Categorical(rows["rater"], [str(j) for j in range(k)])
    fit = fit_mixed("value ~ rater + (1 | person)", rows, df="normal")
    assert fit.sigma is not None
    Q = np.eye(k)[1:, 1:] - 1 / k
    beta, covariance = fit.beta[1:], fit.cov_beta[1:, 1:]
    sampling = float(np.trace(Q @ covariance)) / (k - 1)
    rest = fit.sigma**2
    counts = wide.notna().sum(axis=1).to_numpy()
    return TwoWay(
        people=float(fit.solution.covariances[0][0, 0]),
        raters=float(beta @ Q @ beta) / (k - 1) - sampling, rest=rest,
        k=float(1 / np.mean(1 / counts)), n=rest / sampling,
        df=(n - 1, k - 1, len(at) - n - k + 1), complete=False,
        notes=(*fit.solution.notes, note("triads.incomplete", n=len(at), all=n * k)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Agreement(Result):
    """An intraclass correlation with its interval, and the components behind it."""

    form: str
    estimate: float
    conf_low: float
    conf_high: float
    conf_level: float
    components: pd.DataFrame
    n: int
    n_people: int
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Name the form, in McGraw and Wong's notation."""
        return say("triads.icc", form=self.form, people=self.n_people, n=self.n)

    def tidy(self) -> pd.DataFrame:
        """Return the coefficient, then σ² of people, raters and the rest."""
        first = {
            "component": "agreement", "term": self.form, "estimate": self.estimate,
            "conf_low": self.conf_low, "conf_high": self.conf_high,
            "conf_level": self.conf_level, "n": self.n, "n_people": self.n_people,
        }  # fmt: skip
        return tidy_table([first, *self.components.to_dict("records")])

    def glance(self) -> pd.DataFrame:
        """Return one row: form and sizes."""
        return pd.DataFrame([{"form": self.form, "n": self.n, "n_people": self.n_people}])


def icc(
    table: pd.DataFrame,
    target: str,
    rater: str,
    value: str,
    *,
    roles: str,
    definition: str,
    unit: str,
    conf_level: float,
) -> Agreement:
    """Return the intraclass correlation that the question asks for.

    Nothing is chosen for you: which form is right cannot be read off the data.

    - Were the raters named roles (patient, naaste, professional) that will be
      the same next time? ``roles="fixed"``. A sample from many raters, each
      rating everyone? ``"random"``. Is each person rated by others, so that
      "rater 1" means nothing? ``"interchangeable"``: McGraw and Wong's one-way
      form.
    - Does it matter that one perspective scores higher throughout? Then
      ``definition="absolute"``; if only the order of persons matters,
      ``"consistency"``.
    - Will one rating be used, or the mean of as many as here? ``unit``.

    Fixed and random roles give the same numbers (Shrout and Fleiss's 2 and 3
    differ in the definition); they differ in whom the answer is about. With
    fixed roles the average of several presumes that roles do not see
    different things in different persons; `dependability` does not.

    Parameters
    ----------
    table : DataFrame
        Long: one row per target and rater.
    target, rater, value : str
        Columns.
    roles : {"fixed", "random", "interchangeable"}
    definition : {"absolute", "consistency"}
    unit : {"single", "average"}
    conf_level : float

    Returns
    -------
    Agreement
        Intervals by McGraw and Wong: exact for consistency and the one-way
        form where data are complete, Satterthwaite's for absolute agreement.
        With missing ratings the components come from REML on all ratings and
        the intervals from the mean squares they amount to (approximate).
        The coefficient may be negative where data are complete.

    Raises
    ------
    DataError, DesignError
        One rater, nobody rated twice, constant ratings, ids or rows that
        are double, an unknown choice.

    Notes
    -----
    Not computed: a test whether raters differ; the F test of other programs
    compares targets. See `limits of agreement` (`loam`) in points of the scale.
    Shrout & Fleiss (1979), doi:10.1037/0033-2909.86.2.420; McGraw & Wong
    (1996), doi:10.1037/1082-989X.1.1.30.

    Examples
    --------
    >>> scores = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9],
    ...           [6, 2, 4, 7]]
    >>> table = pd.DataFrame(
    ...     [(p, j, x) for p, row in enumerate(scores) for j, x in enumerate(row)],
    ...     columns=["person", "judge", "score"])
    >>> found = icc(table, "person", "judge", "score", roles="random",
    ...             definition="absolute", unit="single", conf_level=0.95)
    >>> round(found.estimate, 4), round(found.conf_low, 4), round(found.conf_high, 4)
    (0.2898, 0.0188, 0.7611)
    """
    check_level(conf_level)
    for name, value_, allowed in (
        ("roles", roles, ROLES), ("definition", definition, DEFINITIONS), ("unit", unit, UNITS),
    ):  # fmt: skip
        if value_ not in allowed:
            raise DesignError(f"{name} is {value_!r}; allowed are {', '.join(allowed)}")
    if roles == "interchangeable" and definition == "consistency":
        raise DesignError(
            "interchangeable raters have no level of their own, so consistency has no meaning; "
            'use definition="absolute"'
        )
    wide = wide_ratings(table, target, rater, value)
    parts = two_way(wide)
    msr, msc, mse = parts.squares
    tiny = 1e-14 * (abs(msr) + abs(msc) + abs(mse))
    if max(msr, mse) <= tiny:
        raise DesignError(
            f"all people got the same ratings in {value!r}; agreement about them needs variation"
        )
    perfect = mse <= tiny and (definition == "consistency" or msc <= tiny)
    one, low, high = (
        (1.0, np.nan, np.nan) if perfect else _single(parts, roles, definition, conf_level)
    )
    k = parts.k if unit == "average" else 1.0
    values = [float(k * x / (1 + (k - 1) * x)) for x in (one, low, high)]
    letter = {"absolute": "A", "consistency": "C"}[definition]
    form = (
        f"ICC({'1' if roles == 'interchangeable' else letter},{'1' if unit == 'single' else 'k'})"
    )
    notes = [*parts.notes, *[note("triads.perfect")] * perfect]
    if roles == "fixed" and unit == "average":
        notes.append(note("triads.fixed_average"))
    components = pd.DataFrame({
        "component": "variance", "term": ["people", "raters", "rest"],
        "estimate": [parts.people, parts.raters, parts.rest],
    })  # fmt: skip
    return Agreement(
        form=form, estimate=values[0], conf_low=values[1], conf_high=values[2],
        conf_level=conf_level, components=components, n=int(wide.notna().to_numpy().sum()),
        n_people=len(wide), notes=tuple(notes),
    )  # fmt: skip


def _single(
    parts: TwoWay, roles: str, definition: str, conf_level: float
) -> tuple[float, float, float]:
    """Return the single-rating coefficient and its bounds."""
    (msr, msc, mse), (dfr, dfc, dfe) = parts.squares, parts.df
    upper = (1 + conf_level) / 2
    if roles == "interchangeable":
        df = dfc + dfe
        msc, mse = np.nan, (dfc * msc + dfe * mse) / df
        return _ratio(msr / mse, parts.k, dfr, df, upper)
    if definition == "consistency":
        return _ratio(msr / mse, parts.k, dfr, dfe, upper)
    k, n = parts.k, parts.n
    value = (msr - mse) / (msr + (k - 1) * mse + k * (msc - mse) / n)
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    df = (a * msc + b * mse) ** 2 / ((a * msc) ** 2 / dfc + (b * mse) ** 2 / dfe)
    down, up = fdtri(dfr, df, upper), fdtri(df, dfr, upper)
    noise = k * msc + (k * n - k - n) * mse
    low = n * (msr - down * mse) / (down * noise + n * msr)
    high = n * (up * msr - mse) / (noise + n * up * msr)
    return value, float(low), float(high)


def _ratio(
    F: float, k: float, df_above: float, df_below: float, upper: float
) -> tuple[float, float, float]:
    """Return (F − 1) / (F + k − 1), and the same at the bounds of F."""
    every = np.array([
        F, F / fdtri(df_above, df_below, upper), F * fdtri(df_below, df_above, upper)
    ])  # fmt: skip
    value, low, high = (every - 1) / (every + k - 1)
    return float(value), float(low), float(high)
