"""Which codes are told in the same breath: co-occurrence on segments of text."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from math import cos, pi, sin
from typing import Any

import numpy as np
import pandas as pd

from expertise.agreement.codings import check_columns, meet
from expertise.agreement.coefficient import Array, Plan, Sums, over, with_interval
from expertise.errors import ExpertiseError
from expertise.figures import Look, StoryAxes, draw
from expertise.result import Result, tidy_table
from expertise.themes.told import joined
from expertise.words import Note, note, number, say

UNEVEN = 5
ROWS = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CoOccurrence(Result):
    """How often two codes mark the same segment.

    Attributes
    ----------
    table : DataFrame
        A row for each pair of codes: first, second, n_first, n_second,
        n_both (segments), estimate (the c-coefficient), conf_low,
        conf_high, uneven (one code has more than five times the segments
        of the other, so that c stays small whatever they share).
    codes : Series
        Segments by code.
    """

    table: pd.DataFrame
    codes: pd.Series
    conf_level: float
    n_segments: int
    n_documents: int
    notes: tuple[Note, ...] = ()

    def heading(self) -> str:
        """Say what was counted."""
        return say(
            "themes.beside",
            n_codes=len(self.codes),
            n=self.n_segments,
            n_documents=self.n_documents,
        )

    def tidy(self) -> pd.DataFrame:
        """Return the c-coefficient of each pair, the strongest first."""
        rows = self.table.assign(
            code=self.table["first"], group=self.table["second"], n=self.table["n_both"],
            conf_level=self.conf_level, method=say("themes.c_method"),
        )  # fmt: skip
        names = ["code", "group", "estimate", "conf_low", "conf_high", "conf_level", "n", "method"]
        return tidy_table(rows[names])

    def glance(self) -> pd.DataFrame:
        """Return one row of totals."""
        return pd.DataFrame([{"n": self.n_segments, "n_codes": len(self.codes)}])

    def plot(self, lang: str = "en") -> StoryAxes:
        """Draw codes on a ring, joined by lines as wide as their c-coefficient.

        On a phone, where names would not fit around a ring, the strongest pairs below each other.
        """
        pairs = self.table[self.table["n_both"] > 0]

        def paint(axes: Any, look: Look) -> None:
            if look.phone:
                _ladder(axes, look, pairs.head(ROWS))
            else:
                _ring(axes, look, pairs, self.codes)

        words: dict[str, Any] = {"n": self.n_segments, "n_documents": self.n_documents}
        title = "themes.beside_none"
        if len(pairs):
            top, title = pairs.iloc[0], "themes.beside_title"
            words |= {"first": top["first"], "second": top["second"], "both": int(top["n_both"])}
            words["c"] = number(float(top["estimate"]), 2, lang)
        return draw(
            paint, title=say(title, lang, **words),
            subtitle=say("themes.beside_subtitle", lang, **words),
            alt=say("themes.beside_alt" if len(pairs) else title, lang, **words), table=self.table,
            lang=lang, phone=(4.0, 2.2 + 0.45 * min(len(pairs), ROWS)),
        )  # fmt: skip


def _ring(axes: Any, look: Look, pairs: pd.DataFrame, codes: "pd.Series[int]") -> None:
    """Draw every code on a ring, as large as it is common, and a line for each pair."""
    turns = 2 * pi * np.arange(len(codes)) / max(len(codes), 1)
    at = {code: (sin(turn), cos(turn)) for code, turn in zip(codes.index, turns, strict=True)}
    most = pairs["estimate"].max()
    for row in pairs.iloc[::-1].itertuples():
        (x, y), (u, v) = at[row.first], at[row.second]
        share = row.estimate / most
        axes.plot(
            [x, u], [y, v], color=look.color(1), linewidth=0.6 + 7 * share,
            alpha=0.25 + 0.6 * share, linestyle=":" if row.uneven else "-",
            solid_capstyle="round",
        )  # fmt: skip
    xy = np.array(list(at.values())).reshape(-1, 2)
    axes.scatter(
        xy[:, 0], xy[:, 1], s=30 + 300 * codes / max(codes.max(), 1), color=look.page,
        edgecolors=look.text, linewidths=1.5, zorder=3,
    )  # fmt: skip
    for code, (x, y) in at.items():
        side = "center" if abs(x) < 0.3 else "left" if x > 0 else "right"
        axes.annotate(
            f"{code} ({codes[code]})", (1.17 * x, 1.17 * y), ha=side, va="center",
            annotation_clip=False,
        )  # fmt: skip
    axes.set_xlim(-2.1, 2.1)
    axes.set_ylim(-1.35, 1.35)
    axes.set_axis_off()
    axes.set_aspect("equal")


def _ladder(axes: Any, look: Look, pairs: pd.DataFrame) -> None:
    """Draw a line for each pair, as long as its c-coefficient, below its two names."""
    for y, row in enumerate(pairs.itertuples()):
        axes.hlines(y, row.conf_low, row.conf_high, color=look.color(None), linewidth=2, alpha=0.6)
        axes.plot(
            [0, row.estimate], [y, y], color=look.color(1), linewidth=5, solid_capstyle="butt",
            linestyle=":" if row.uneven else "-",
        )  # fmt: skip
        axes.annotate(
            f"{row.first} · {row.second} ({row.n_both})", (0, y), xytext=(0, 6),
            textcoords="offset points", fontsize=9.5, annotation_clip=False,
        )  # fmt: skip
    axes.set_ylim(max(len(pairs), 1) - 0.5, -0.9)
    axes.set_xlim(left=0)
    axes.set_yticks([])
    axes.xaxis.get_major_locator().set_params(nbins=4)
    axes.grid(True, axis="x")


def c_coefficient(n_first: float, n_second: float, n_both: float) -> float:
    """Return both / (first + second − both): 0 never together, 1 always.

    NaN when neither code was used.

    Raises
    ------
    ExpertiseError
        When both is more than either, as when pairs of quotations are
        counted in place of segments of text.

    Examples
    --------
    >>> round(c_coefficient(100, 10, 5), 4)
    0.0476
    """
    if not 0 <= n_both <= min(n_first, n_second):
        raise ExpertiseError(
            f"{n_both} segments with both codes, {n_first} and {n_second} with each; "
            "count segments of text, so that both is no more than either"
        )
    either = n_first + n_second - n_both
    return n_both / either if either else float("nan")


def co_occurrence(
    codings: pd.DataFrame,
    segments: pd.DataFrame,
    *,
    codes: Iterable[str] | None = None,
    conf_level: float = 0.95,
    seed: int = 1,
    n_boot: int = 1000,
) -> CoOccurrence:
    """Return how often codes mark the same segments, pair by pair.

    A segment carries a code when a passage with it covers at least one of
    its characters, whoever marked it. Segments are counted once, so that c
    stays between 0 and 1; pairs of overlapping quotations, which ATLAS.ti
    counts, can push it past 1.

    Parameters
    ----------
    codings : DataFrame
        Columns document, code, start, end.
    segments : DataFrame
        Columns document, start, end: sentences, turns or paragraphs, side
        by side, of all documents that were read.
    codes : iterable, optional
        The codes to pair; all without it.
    conf_level, seed, n_boot
        Of the percentile interval over documents (10 or more).

    Raises
    ------
    CodingError
        For segments that overlap or a coding in a document without segments.

    References
    ----------
    ATLAS.ti manual, Code co-occurrence tools: the c-coefficient.

    Examples
    --------
    >>> import pandas as pd
    >>> segments = pd.DataFrame({"document": "d", "start": [0, 10, 20], "end": [10, 20, 30]})
    >>> codings = pd.DataFrame(
    ...     [("d", "hoop", 2, 15), ("d", "regie", 12, 28)],
    ...     columns=["document", "code", "start", "end"],
    ... )
    >>> co_occurrence(codings, segments).table.loc[0, ["n_both", "estimate"]].tolist()
    [1.0, 0.3333333333333333]
    """
    plan = Plan(conf_level=conf_level, seed=seed, n_boot=n_boot)
    document, held, names = _carried(codings, segments, codes)
    n_documents = int(document.max(initial=-1)) + 1
    per_document = np.zeros((n_documents, len(names)))
    np.add.at(per_document, document, held)
    rows, said = [], []
    for i, j in combinations(range(len(names)), 2):
        both = np.bincount(document, held[:, i] * held[:, j], minlength=n_documents)
        counts = np.column_stack([per_document[:, i], per_document[:, j], both])
        found, notes = with_interval(Sums(counts, np.ones(n_documents, dtype=int)), _share, plan)
        n = counts.sum(0).astype(int)
        uneven = bool(n[:2].max() > UNEVEN * n[:2].min())
        rows.append(
            (
                names[i],
                names[j],
                *n,
                found["estimate"],
                found["conf_low"],
                found["conf_high"],
                uneven,
            )
        )
        said += notes if n[:2].any() else []
    columns = ["first", "second", "n_first", "n_second", "n_both"]
    table = pd.DataFrame(rows, columns=[*columns, "estimate", "conf_low", "conf_high", "uneven"])
    table = table.sort_values(
        ["estimate", "n_both"], ascending=False, kind="stable", ignore_index=True
    )
    if n_uneven := int((table["uneven"] & (table["n_both"] > 0)).sum()):
        said.append(note("themes.uneven", n=n_uneven, times=UNEVEN))
    return CoOccurrence(
        table=table, codes=pd.Series(held.sum(0).astype(int), index=pd.Index(names, name="code")),
        conf_level=conf_level, n_segments=len(document), n_documents=n_documents,
        notes=tuple({str(each): each for each in said}.values()),
    )  # fmt: skip


def _share(sums: Array) -> Array:
    return over(sums[..., 2], sums[..., 0] + sums[..., 1] - sums[..., 2])


def _carried(
    codings: pd.DataFrame, segments: pd.DataFrame, codes: Iterable[str] | None
) -> tuple[Array, Array, list[str]]:
    """Return each segment's document, (N,), which codes it carries, (N, C), and their names."""
    check_columns(segments, ("document", "start", "end"), "segments")
    documents = pd.Index(pd.unique(segments["document"])).sort_values()
    passages = joined(codings, documents)
    names = sorted(passages["code"].unique()) if codes is None else list(codes)
    passages = passages[passages["code"].isin(names)]
    place = documents.get_indexer(passages["document"])
    spans = place, passages["start"].to_numpy(), passages["end"].to_numpy()
    document, segment, passage = meet(segments, "segments", documents, spans)
    held = np.zeros((len(segments), len(names)))
    held[segment, pd.Index(names).get_indexer(passages["code"])[passage]] = 1
    return document, held, names
