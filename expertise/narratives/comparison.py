"""Which words one perspective uses more than another, by how much, and how surely."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.special import xlogy

from expertise.errors import DataError, listed, nearest
from expertise.figures import Look, StoryAxes, draw
from expertise.narratives.corpus import Corpus
from expertise.narratives.counting import count_words
from expertise.result import Result, tidy_table
from expertise.words import Note, note, number, say

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Keyness(Result):
    """Words of one perspective against another; `table` has everything that was counted.

    `table`, a row per word: word, n_people (who say it, both sides), target
    and reference (how often), target_people, reference_people, estimate (log
    ratio), conf_low, conf_high, statistic (G²), dispersion (Gries's DP over
    people, 0 even to 1 uneven).
    """

    target: str
    reference: str
    conf_level: float
    n_people: int
    slots: tuple[int | None, int | None]
    table: pd.DataFrame
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say what was compared."""
        return say(
            "narratives.keyness", target=self.target, reference=self.reference,
            words=len(self.table), people=self.n_people,
        )  # fmt: skip

    def tidy(self) -> pd.DataFrame:
        """Return a row per word: log ratio with its interval, G², people; surest words first."""
        rows = self.table.rename(columns={"word": "term"})
        rows = rows.assign(
            n=rows["target"] + rows["reference"], conf_level=self.conf_level, method="log ratio"
        )
        names = ("term", "estimate", "statistic", "conf_low", "conf_high", "conf_level", "n",
                 "n_people", "method")  # fmt: skip
        return tidy_table(rows[list(names)])

    def glance(self) -> pd.DataFrame:
        """Return one row: words and people."""
        return pd.DataFrame([{"n": len(self.table), "n_people": self.n_people}])

    def plot(self, words: int = 12, *, lang: str = "en") -> StoryAxes:
        """Draw the log ratios of the words that differ most surely, with their intervals."""
        shown = self.table.dropna(subset=["conf_low"]).head(words)
        shown = shown.sort_values("estimate", ignore_index=True)

        def paint(axes: StoryAxes, look: Look) -> None:
            rows = np.arange(len(shown))
            axes.axvline(0, color=look.text, linewidth=1)
            axes.hlines(rows, shown["conf_low"], shown["conf_high"], color=look.faint, linewidth=4)
            more = (shown["estimate"] > 0).to_numpy()
            for slot, here in zip(self.slots, (more, ~more), strict=True):
                style = look.style(slot) | {"linestyle": "none"}
                axes.plot(shown["estimate"][here], rows[here], **style)
            axes.set_yticks(rows, shown["word"].to_list())
            axes.grid(False)

        return draw(
            paint,
            title=say(
                "narratives.keyness_title", lang, target=self.target, reference=self.reference
            ),
            subtitle=say("narratives.keyness_subtitle", lang, n=self.n_people),
            alt=say("narratives.keyness_alt", lang, words=listed(
                f"{row.word} {number(float(row.estimate), 1, lang)}"
                for row in shown[::-1].itertuples()
            )),
            table=shown.drop(columns=["statistic", "dispersion"]),
            lang=lang,
            wide=(6.4, 1.6 + 0.3 * max(len(shown), 1)),
            phone=(4.0, 1.8 + 0.32 * max(len(shown), 1)),
        )  # fmt: skip


def keyness(
    corpus: Corpus,
    target: str,
    reference: str | None = None,
    *,
    by: str = "lemma",
    min_people: int = 3,
    conf_level: float = 0.95,
    n_process: int = 1,
) -> Keyness:
    """Compare how often two perspectives use each word.

    Parameters
    ----------
    corpus : Corpus
        The texts.
    target : str
        A perspective.
    reference : str, optional
        Another; by default all others together.
    by : {"lemma", "word"}
        What counts as the same word.
    min_people : int
        Words that fewer people use are left out, however often they do.
    conf_level : float
        Confidence of the intervals, between 0 and 1.
    n_process : int
        Processes on this machine.

    Returns
    -------
    Keyness
        The log ratio (1: twice as often, −1: half as often) with an interval
        that lets words cluster within people: the variance of a rate is that
        of a ratio estimator over people, the quantile Student's t. A word that
        one side never uses gets half a use there and no interval.

    Raises
    ------
    DataError
        When a perspective is not in the corpus, has fewer than two people, or
        `conf_level` or `min_people` is out of range.

    Notes
    -----
    G² (two cells against expected uses) says how much evidence there is if
    every use were independent, which it is not: read the interval. Nothing is
    corrected for the number of words; the table is for exploring.

    References
    ----------
    P. Rayson and R. Garside (2000), Comparing corpora using frequency
    profiling, doi:10.3115/1117729.1117730. S. Th. Gries (2008), Dispersions
    and adjusted frequencies in corpora, doi:10.1075/ijcl.13.4.02gri.
    W. G. Cochran (1977), Sampling Techniques, ch. 6 (ratio estimators).
    """
    if not 0 < conf_level < 1:
        raise DataError(f"conf_level is {conf_level}; write a number between 0 and 1, such as 0.95")
    if min_people < 1:
        raise DataError(f"min_people is {min_people}; write a whole number of 1 or more")
    roles = list(dict.fromkeys(narrative.role for narrative in corpus))
    for role in (target, reference):
        if role is not None and role not in roles:
            raise DataError(
                f"unknown perspective {role!r}; the corpus has {listed(roles)}"
                f"{nearest(role, roles)}"
            )
    if target == reference:
        raise DataError(f"target and reference are both {target!r}; compare two perspectives")
    counts = count_words(corpus, by=by, n_process=n_process)
    if reference is not None:
        counts = counts[counts["perspective"].isin([target, reference])]
    # A person with two roles is two tellers.
    people = counts["participant"] + "\x1f" + counts["perspective"]
    uses = counts["n"].groupby([people, counts["word"]]).sum().unstack(fill_value=0)
    ours = uses.index.str.endswith(f"\x1f{target}")
    for name, size in ((target, ours.sum()), (reference or "others", (~ours).sum())):
        if size < 2:
            raise DataError(f"{name} has {size} people with words; a comparison needs at least 2")
    table = _compared(uses.to_numpy(float), ours, conf_level)
    table.insert(0, "word", uses.columns.to_list())
    kept = table[table["n_people"] >= min_people].copy()
    kept["sure"] = np.fmax(kept["conf_low"], -kept["conf_high"]).fillna(-np.inf)
    kept = kept.sort_values(["sure", "n_people", "word"], ascending=[False, False, True])
    left_out = len(table) - len(kept)
    notes = (note("narratives.few_people", n=left_out, least=min_people),) * (left_out > 0)
    return Keyness(
        target=target, reference=reference or "others", conf_level=conf_level, n_people=len(uses),
        slots=(_slot(roles, target), _slot(roles, reference)),
        table=kept.drop(columns="sure").reset_index(drop=True), notes=notes,
    )  # fmt: skip


def _slot(roles: list[str], role: str | None) -> int | None:
    """Return the colour slot of a perspective: the order of the corpus, three at most."""
    return roles.index(role) + 1 if role in roles[:3] else None


def _compared(uses: Floats, ours: NDArray[np.bool_], conf_level: float) -> pd.DataFrame:
    """Compare the columns of `uses`, shape (n_people, n_words), between two groups of rows."""
    (a, size_a, var_a), (b, size_b, var_b) = (_rate(uses[rows]) for rows in (ours, ~ours))
    ratio = (np.maximum(a, 0.5) / size_a) / (np.maximum(b, 0.5) / size_b)
    spread = np.sqrt(var_a + var_b) / np.log(2)
    reach = stats.t.ppf((1 + conf_level) / 2, len(uses) - 2) * spread
    reach[(a == 0) | (b == 0)] = np.nan
    estimate = np.log2(ratio)
    return pd.DataFrame(
        {
            "n_people": (uses > 0).sum(axis=0),
            "target": a.astype(np.int64),
            "reference": b.astype(np.int64),
            "target_people": (uses[ours] > 0).sum(axis=0),
            "reference_people": (uses[~ours] > 0).sum(axis=0),
            "estimate": estimate,
            "conf_low": estimate - reach,
            "conf_high": estimate + reach,
            "statistic": g_squared(a, b, size_a, size_b),
            "dispersion": dispersion(uses),
        }
    )


def _rate(uses: Floats) -> tuple[Floats, float, Floats]:
    """Return total uses of each word, size in words, and the variance of the log of each rate."""
    total, sizes = uses.sum(axis=0), uses.sum(axis=1)
    size, people = float(sizes.sum()), len(uses)
    rest = uses - np.outer(sizes, total / size)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = people / (people - 1) * (rest**2).sum(axis=0) / total**2
    return total, size, variance


def g_squared(a: Floats, b: Floats, size_a: float, size_b: float) -> Floats:
    """Return Rayson and Garside's log-likelihood of uses `a` and `b` in corpora of two sizes.

    >>> float(g_squared(np.array([10.0]), np.array([5.0]), 100, 100)[0].round(3))
    1.699
    """
    both = (a + b) / (size_a + size_b)
    return np.asarray(2 * (xlogy(a, a / (size_a * both)) + xlogy(b, b / (size_b * both))))


def dispersion(uses: Floats) -> Floats:
    """Return Gries's deviation of proportions of each word over people, 0 (even) to 1.

    Parameters
    ----------
    uses : ndarray, shape (n_people, n_words)
        How often each person uses each word; sizes are the sums of the rows.
    """
    expected = uses.sum(axis=1, keepdims=True) / uses.sum()
    observed = uses / np.maximum(uses.sum(axis=0), 1)
    return np.asarray(np.abs(observed - expected).sum(axis=0) / 2)
