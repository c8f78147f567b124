"""When have we heard enough? Saturation as it was reached, and the number to plan for."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log1p
from typing import Any

import numpy as np
import pandas as pd

from expertise.agreement.codings import check_columns, numbered
from expertise.errors import DataError, ExpertiseError
from expertise.figures import Look, StoryAxes, draw
from expertise.result import Result, tidy_table
from expertise.themes.richness import Richness, chao2
from expertise.words import Note, note, number, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Saturation(Result):
    """New codes from document to document, and the point where they all but stop.

    Attributes
    ----------
    table : DataFrame
        document, order, new (codes met for the first time), met (codes met
        so far), and ratio: new codes in the run that ends here, as a share
        of those in the base; NaN before the first full run.
    reached : int or None
        Documents read before the first run whose ratio is at or under the
        threshold; report it with the run: "6+2". None when not reached.
    richness : Richness
        Chao2 over the documents: how many codes there may be in all.
    """

    table: pd.DataFrame
    base: int
    run: int
    threshold: float
    reached: int | None
    richness: Richness
    notes: tuple[Note, ...] = ()

    @property
    def label(self) -> str:
        """The report of Guest, Namey and Chen, such as "6+2"; "not reached" otherwise."""
        if self.reached is None:
            return say("themes.not_reached")
        return f"{self.reached}+{self.run}"

    def heading(self) -> str:
        """Say whether saturation was reached, by what rule."""
        return say(
            "themes.saturation", base=self.base, run=self.run, label=self.label,
            threshold=number(100 * self.threshold, 0),
        )  # fmt: skip

    def tidy(self) -> pd.DataFrame:
        """Return the ratio of each run, by its last document."""
        rows = self.table.dropna(subset="ratio")
        return tidy_table(
            pd.DataFrame(
                {"document": rows["document"], "estimate": rows["ratio"], "n": rows["order"]}
            )
        )

    def glance(self) -> pd.DataFrame:
        """Return documents, codes met, the report and the estimated number of codes."""
        met = int(self.table["new"].sum())
        row = {"n": len(self.table), "n_met": met, "saturation": self.label}
        return pd.DataFrame([row | {"codes_in_all": self.richness.estimate}])

    def plot(self, lang: str = "en") -> StoryAxes:
        """Draw the codes met so far, the point of saturation, and how many there may be."""
        x, met = self.table["order"].tolist(), self.table["met"].tolist()
        rich = self.richness

        def paint(axes: Any, look: Look) -> None:
            right = max(x) + 0.5
            axes.axhspan(rich.conf_low, rich.conf_high, color=look.faint, alpha=0.5, linewidth=0)
            axes.axhline(rich.estimate, color=look.text, linewidth=1, linestyle=(0, (4, 3)))
            axes.annotate(
                say("themes.in_all", lang, n=number(rich.estimate, 1, lang)), (0.5, rich.estimate),
                xytext=(4, 4), textcoords="offset points", fontsize=9, color=look.text,
            )  # fmt: skip
            if self.reached is not None:
                axes.vlines(self.reached, 0, met[self.reached - 1], color=look.text, linewidth=1,
                            linestyle=(0, (1, 2)))  # fmt: skip
                axes.annotate(
                    self.label, (self.reached, 0), xytext=(5, 6), textcoords="offset points",
                    fontweight="bold", color=look.text,
                )  # fmt: skip
            axes.bar(x, self.table["new"], color=look.faint, width=0.6)
            axes.plot(x, met, **look.style(1))
            axes.set_xlim(0.5, right)
            axes.set_ylim(0, max(rich.conf_high, met[-1]) * 1.12 + 0.5)
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.set_xlabel(say("themes.documents_axis", lang))
            axes.set_ylabel(say("themes.codes_axis", lang))

        words = {"n": met[-1], "label": self.label, "documents": len(x), "run": self.run}
        words |= {"in_all": number(rich.estimate, 0, lang), "reached": self.reached}
        words |= {"threshold": number(100 * self.threshold, 0, lang), "base": self.base}
        words |= {"low": number(rich.conf_low, 0, lang), "high": number(rich.conf_high, 0, lang)}
        title = "themes.saturated_title" if self.reached is not None else "themes.unsaturated_title"
        return draw(
            paint, title=say(title, lang, **words), alt=say("themes.saturation_alt", lang, **words),
            subtitle=say("themes.saturation_subtitle", lang, **words), table=self.table, lang=lang,
        )  # fmt: skip


def saturation(
    codings: pd.DataFrame,
    order: Sequence[str],
    *,
    base: int = 4,
    run: int = 2,
    threshold: float = 0.05,
    conf_level: float = 0.95,
) -> Saturation:
    """Return where new codes all but stop, by base size, run length and threshold.

    The ratio is the number of new codes in `run` documents in a row, over
    the number of codes in the first `base` documents. Runs begin after the
    base and move on by one document.

    Parameters
    ----------
    codings : DataFrame
        Columns document and code.
    order : sequence of str
        All documents that were read, in the order of reading; those without
        a coding count too.
    base, run : int
        Sizes; the authors advise 4 and 2 or 3.
    threshold : float
        Share of new codes that still counts as enough: 0.05 or 0.
    conf_level : float
        Level of the interval for the number of codes in all.

    Raises
    ------
    CodingError
        For a coding in a document that is not in `order`.
    DataError
        For sizes under 1, a document named twice, or a base without codes.

    References
    ----------
    Guest, G., Namey, E., & Chen, M. (2020). A simple method to assess and
    report thematic saturation. PLoS ONE, 15(5), e0232076.
    doi:10.1371/journal.pone.0232076

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [("d1", "a"), ("d1", "b"), ("d2", "c"), ("d3", "a"), ("d4", "b")]
    >>> codings = pd.DataFrame(rows, columns=["document", "code"])
    >>> saturation(codings, ["d1", "d2", "d3", "d4"], base=2, run=2).label
    '2+2'
    """
    check_columns(codings, ("document", "code"), "codings")
    documents = pd.Index(order)
    if base < 1 or run < 1 or not 0 <= threshold < 1:
        raise ExpertiseError(
            f"base {base}, run {run}, threshold {threshold}; base and run are 1 or more, "
            "and the threshold is a share from 0 up to 1"
        )
    if not documents.is_unique:
        raise DataError(f"order names {documents[documents.duplicated()][0]!r} twice")
    place = numbered(codings, "document", documents, "codings")
    first = pd.Series(place).groupby(codings["code"].to_numpy()).min().to_numpy(dtype=int)
    new = np.bincount(first, minlength=len(documents))
    met = new.cumsum()
    ratio = np.full(len(documents), np.nan)
    said, reached = [], None
    if len(documents) < base + run:
        said.append(note("themes.too_few", n=len(documents), least=base + run))
    elif not met[base - 1]:
        raise DataError(f"the first {base} documents have no code; the base needs at least one")
    else:
        ends = np.arange(base + run - 1, len(documents))
        ratio[ends] = (met[ends] - met[ends - run]) / met[base - 1]
        enough = np.flatnonzero(ratio <= threshold)
        reached = int(enough[0]) + 1 - run if len(enough) else None
    table = pd.DataFrame({"document": documents, "order": np.arange(len(documents)) + 1})
    code, names = pd.factorize(codings["code"])
    presence = np.zeros((len(documents), len(names)), dtype=int)
    presence[place, code] = 1
    return Saturation(
        table=table.assign(new=new, met=met, ratio=ratio), base=base, run=run, threshold=threshold,
        richness=chao2(pd.DataFrame(presence), conf_level=conf_level), reached=reached,
        notes=tuple(said),
    )  # fmt: skip


def people_needed(prevalence: float, *, power: float = 0.95) -> int:
    """Return how many people to ask so that a theme is heard at least once.

    Assumes that each of them tells it with the same chance, on their own.

    Parameters
    ----------
    prevalence : float
        Share of people who would tell it, between 0 and 1.
    power : float
        Wanted chance of hearing it.

    Raises
    ------
    ExpertiseError
        For shares outside 0 and 1.

    References
    ----------
    Galvin, R. (2015). How many interviews are enough? Journal of Building
    Engineering, 1, 2–12. doi:10.1016/j.jobe.2014.12.001

    Examples
    --------
    >>> [people_needed(share) for share in (0.05, 0.10, 0.20, 0.30)]
    [59, 29, 14, 9]
    """
    for name, share in (("prevalence", prevalence), ("power", power)):
        if not 0 < share < 1:
            raise ExpertiseError(f"{name} is {share!r}; it lies between 0 and 1")
    # The tiny step back keeps 0.75 with prevalence 0.5 at exactly 2 people.
    return ceil(log1p(-power) / log1p(-prevalence) - 1e-9)


def chance_to_hear(prevalence: float, n_people: int) -> float:
    """Return the chance that at least one of `n_people` tells a theme.

    Examples
    --------
    >>> round(chance_to_hear(0.1, 12), 3)
    0.718
    """
    if not 0 <= prevalence <= 1 or n_people < 0:
        raise ExpertiseError(
            f"prevalence {prevalence!r}, n_people {n_people!r}; a share from 0 to 1, and 0 or more"
        )
    return 1 - (1 - prevalence) ** n_people
