"""Stepped wedge: clusters cross over to a new way of working, one after another."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from expertise.errors import DataError, DesignError
from expertise.figures import Look, StoryAxes, draw, named_line
from expertise.mixed.fit import MixedFit, fit_mixed
from expertise.outcomes.tables import need_keys, numbers
from expertise.result import Result, tidy_table
from expertise.words import Note, interval, note, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SteppedWedge(Result):
    """The effect as one step (Hussey & Hughes) and by time since the step.

    `effects` has a row an effect: "step" (one effect at once, for good),
    "mean over time" and "after k" periods of exposure. `constant` and
    `varying` are the two mixed models.
    """

    effects: pd.DataFrame
    constant: MixedFit
    varying: MixedFit
    clusters: int
    measured: str
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Count clusters, and name the correction."""
        return f"Stepped wedge, {self.clusters} clusters, {self.effects['method'].iloc[0]} df"

    def tidy(self) -> pd.DataFrame:
        """Return an effect a row."""
        return tidy_table(self.effects)

    def glance(self) -> pd.DataFrame:
        """Return one row that sums the result up."""
        return pd.DataFrame([{"n": int(self.effects["n"].iloc[0]), "clusters": self.clusters}])

    def plot(self, lang: str = "en") -> StoryAxes:
        """Draw the effect by time since the step, beside the one-step effect."""
        steps = self.effects[self.effects["term"].str.startswith("after")].reset_index(drop=True)
        mean = self.effects.set_index("term").loc["mean over time"]
        size = interval(mean["estimate"], mean["conf_low"], mean["conf_high"], lang)
        clear = mean["conf_low"] > 0 or mean["conf_high"] < 0
        kind = "clear" if clear else "unclear"
        words = {"size": size, "n": self.clusters, "measured": self.measured}

        def paint(axes: StoryAxes, look: Look) -> None:
            x = np.arange(1, len(steps) + 1)
            axes.vlines(x, steps["conf_low"], steps["conf_high"], color=look.color(1))
            axes.plot(x, steps["estimate"], color=look.color(1), marker="o", linestyle="")
            named_line(axes, 0, say("outcomes.no_difference", lang), look)
            axes.set_xticks(x)
            axes.set(xlabel=say("outcomes.wedge_x", lang), ylabel=self.measured, xlim=(0.4, None))

        return draw(
            paint,
            title=say(f"outcomes.wedge_{kind}", lang, **words),
            subtitle=say("outcomes.wedge_sub", lang, **words),
            alt=say(f"outcomes.wedge_{kind}", lang, **words),
            table=tidy_table(self.effects),
            lang=lang,
        )


def stepped_wedge(
    table: pd.DataFrame,
    *,
    outcome: str,
    cluster: str = "team",
    period: str = "period",
    treated: str = "treated",
    df: str = "kenward-roger",
    cluster_period: bool = True,
    measured: str = "",
    conf_level: float = 0.95,
) -> SteppedWedge:
    """Estimate the effect of a change that reaches clusters one after another.

    Two models: one effect at once and for good (Hussey & Hughes), and an
    effect that may grow or fade with time since the step. When the effect
    does vary, the first can even have the wrong sign; so the mean over the
    observed exposure times always stands beside it.

    Parameters
    ----------
    table : DataFrame
        A row a person or measurement; periods are whole numbers in time.
    treated : str
        Column of 0 and 1: whether the cluster had crossed over by then.
    df : {"kenward-roger", "satterthwaite"}
        Correction for few clusters; Kenward–Roger also widens standard errors.
    cluster_period : bool
        Let periods differ at random between clusters; without it the interval
        is too narrow when they do. False for one row a cluster and period.
    measured : str
        What is on the axis, in words.

    Returns
    -------
    SteppedWedge
        Not computed: effects that differ between clusters, or cohorts measured repeatedly (a random
        person effect): fit those with `fit_mixed`.

    Raises
    ------
    DataError
        `treated` is not 0 or 1, differs within a cluster and period, or turns back.
    DesignError
        Fewer than three clusters, or all cross over at once.

    References
    ----------
    Hussey & Hughes 2007, doi:10.1016/j.cct.2006.05.007; Kenny et al. 2022,
    doi:10.1002/sim.9511.

    Examples
    --------
    >>> import itertools
    >>> rows = [(c, p, int(p > c)) for c, p, _ in itertools.product(range(4), range(5), range(6))]
    >>> made = pd.DataFrame(rows, columns=["team", "period", "treated"])
    >>> noise = np.random.default_rng(1).normal(size=len(made))
    >>> found = stepped_wedge(made.assign(score=2 * made["treated"] + noise), outcome="score")
    >>> found.tidy()["term"].tolist()[:3]
    ['step', 'mean over time', 'after 1']
    """
    data, exposure = _read(table, outcome, cluster, period, treated)
    random = "(1 | cluster)" + " + (1 | cell)" * cluster_period
    # Dummies by exposure time; the reference is "not yet".
    dummies = {f"after{k}": (data["exposure"] == k).astype(float) for k in exposure}
    constant, varying = (
        fit_mixed(
            f"y ~ C(period) + {terms} + {random}",
            data.assign(**dummies),
            df=df,
            conf_level=conf_level,
        )
        for terms in ("treated", " + ".join(dummies))
    )
    picks = [np.array([float(name == f"after{k}") for name in varying.names]) for k in exposure]
    one = constant.estimates([float(name == "treated") for name in constant.names])
    many = varying.estimates([np.mean(picks, axis=0), *picks])
    effects = pd.concat([one, many], ignore_index=True)
    effects["term"] = ["step", "mean over time", *(f"after {k}" for k in exposure)]
    effects["component"] = "fixed"
    effects["n"] = len(varying.design.y)
    effects["method"] = df
    notes = [*varying.notes]
    clusters = data["cluster"].nunique()
    if clusters < 10:
        notes.append(note("outcomes.wedge_few", n=clusters))
    return SteppedWedge(
        effects=effects,
        constant=constant,
        varying=varying,
        clusters=clusters,
        measured=measured or outcome,
        notes=tuple(notes),
    )


def _read(
    table: pd.DataFrame, outcome: str, cluster: str, period: str, treated: str
) -> tuple[pd.DataFrame, list[int]]:
    """Return the rows under plain names with time since the step, and the exposure times."""
    need_keys(table, [cluster, period, treated])
    on = numbers(table, treated, missing=False)
    if (wrong := ~np.isin(on, (0, 1))).any():
        row = int(wrong.argmax())
        raise DataError(
            f"row {table.index[row]}, column {treated!r}: {on[row]:g}; allowed are 0, 1"
        )
    when = numbers(table, period, missing=False)
    data = pd.DataFrame(
        {
            "y": numbers(table, outcome), "cluster": table[cluster].astype(str).to_numpy(),
            "period": when, "treated": on,
        }
    )  # fmt: skip
    cells = data.groupby(["cluster", "period"])["treated"].agg(["min", "max"])
    if (mixed := cells["min"] != cells["max"]).any():
        name, at = cells.index[mixed.to_numpy().argmax()]
        raise DataError(
            f"cluster {name!r} has both treated and untreated rows in period {at:g}; "
            "a cluster crosses over as a whole"
        )
    for name, part in cells["max"].groupby(level=0):
        if (np.diff(part.to_numpy()) < 0).any():
            raise DataError(f"cluster {name!r} turns back to untreated; a wedge goes one way")
    starts = data[data["treated"] == 1].groupby("cluster")["period"].min()
    if data["cluster"].nunique() < 3 or starts.nunique() < 2:
        raise DesignError(
            f"{data['cluster'].nunique()} clusters cross over at {starts.nunique()} moment(s); "
            "a stepped wedge needs at least 3 clusters and 2 moments"
        )
    order = {p: k for k, p in enumerate(sorted(data["period"].unique()))}
    step = data["cluster"].map(starts).map(order)
    since = data["period"].map(order) - step + 1
    data["exposure"] = since.where(data["treated"] == 1, 0).astype(int)
    data["cell"] = data["cluster"] + ":" + data["period"].map("{:g}".format)
    return data, sorted(data.loc[data["exposure"] > 0, "exposure"].unique().tolist())
