"""How many people, and how many passages, carry each code, by perspective and wave."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from expertise.errors import CodingError, listed
from expertise.figures import Look, StoryAxes, draw
from expertise.result import Result, tidy_table
from expertise.themes.told import Told, in_order, percent, read_told, slot_of, wilson
from expertise.words import Note, say

SIGNS = {"o": "●", "s": "■", "^": "▲", "D": "◆"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CodeCounts(Result):
    """People and passages by code, perspective and wave.

    Attributes
    ----------
    table : DataFrame
        code, perspective, wave, n_told (people with at least one such
        passage), n_people (people heard), n_passages, estimate (share of
        people), conf_low, conf_high (Wilson's). Small cells are not hidden
        here: that is for whoever releases the table.
    codes, perspectives, waves : tuple
        In the order in which they show.
    """

    table: pd.DataFrame
    codes: tuple[str, ...]
    perspectives: tuple[str, ...]
    waves: tuple[Any, ...]
    conf_level: float
    n_people: int
    slots: Mapping[str, int] | None
    notes: tuple[Note, ...] = ()

    def heading(self) -> str:
        """Say what was counted."""
        n = int(self.table["n_passages"].sum())
        return say("themes.counts", n_codes=len(self.codes), n=n, n_people=self.n_people)

    def tidy(self) -> pd.DataFrame:
        """Return the share of people by code, perspective and wave; n counts passages."""
        rows = self.table.rename(columns={"n_passages": "n"}).drop(columns="n_told")
        return tidy_table(rows.assign(conf_level=self.conf_level))

    def glance(self) -> pd.DataFrame:
        """Return one row of totals."""
        n = int(self.table["n_passages"].sum())
        return pd.DataFrame([{"n": n, "n_people": self.n_people, "n_codes": len(self.codes)}])

    def plot(self, lang: str = "en", *, wave: Any = None) -> StoryAxes:
        """Draw the share of people with each code, a marker a perspective.

        Parameters
        ----------
        lang : {"en", "nl"}
            Language of the words.
        wave : value, optional
            The wave to show; the first without it.
        """
        wave = self.waves[0] if wave is None else wave
        rows = self.table[self.table["wave"] == wave]
        if rows.empty:
            raise CodingError(f"no wave {wave!r}; there are {listed(self.waves)}")
        shares = rows.pivot(index="code", columns="perspective", values="estimate")
        shares = shares.reindex(index=list(self.codes), columns=list(self.perspectives))
        # Most told at the top, whoever tells it.
        codes = shares.max(axis=1).sort_values(kind="stable").index.tolist()
        gap = (shares.max(axis=1) - shares.min(axis=1)).fillna(0)
        code = gap.idxmax()
        most, least = shares.loc[code].idxmax(), shares.loc[code].idxmin()

        def paint(axes: Any, look: Look) -> None:
            for at, perspective in enumerate(self.perspectives):
                style = look.style(slot_of(perspective, self.slots)) | {"linestyle": "none"}
                up = 0.27 * ((len(self.perspectives) - 1) / 2 - at)
                heard = rows[(rows["perspective"] == perspective) & rows["estimate"].notna()]
                y = heard["code"].map(codes.index).astype(float) + up
                low, high = 100 * heard["conf_low"], 100 * heard["conf_high"]
                axes.hlines(y, low, high, color=style["color"], linewidth=2, alpha=0.45)
                axes.plot(100 * heard["estimate"], y, **style)
                bold = {"color": style["color"], "fontsize": 9, "fontweight": "bold"}
                if look.phone:  # beside the first line there is no room
                    axes.annotate(
                        f"{SIGNS[style['marker']]} {perspective}",
                        (0.02 + at / len(self.perspectives), 1.01),
                        xycoords=("figure fraction", "axes fraction"), **bold,
                    )  # fmt: skip
                for top in y.index[(heard["code"] == codes[-1]) & (not look.phone)]:
                    right = high[top] + low[top] < 100
                    axes.annotate(
                        perspective, (high[top] if right else low[top], y[top]),
                        xytext=(4 if right else -4, 0), textcoords="offset points", va="center",
                        ha="left" if right else "right", annotation_clip=False, **bold,
                    )  # fmt: skip
            axes.set_yticks(range(len(codes)), codes)
            axes.set_xlim(-3, 103)
            axes.grid(False, axis="y")
            axes.grid(True, axis="x")
            axes.set_xlabel(say("themes.share_axis", lang))

        words = {"code": code, "most": most, "least": least}
        words |= {"most_share": percent(shares.at[code, most], lang)}
        words |= {"least_share": percent(shares.at[code, least], lang)}
        words |= {"wave": wave, "n": self._heard(wave), "level": percent(self.conf_level, lang)}
        title = say("themes.counts_title", lang, **words)
        return draw(
            paint, title=title, alt=say("themes.counts_alt", lang, **words), table=rows, lang=lang,
            subtitle=say("themes.counts_subtitle", lang, **words),
            wide=(6.4, 1.5 + 0.5 * len(codes)), phone=(4.0, 1.9 + 0.55 * len(codes)),
        )  # fmt: skip

    def _heard(self, wave: Any) -> int:
        first = self.table[(self.table["wave"] == wave) & (self.table["code"] == self.codes[0])]
        return int(first["n_people"].sum())


def code_counts(
    codings: pd.DataFrame,
    documents: pd.DataFrame,
    *,
    waves: Iterable[Any] | None = None,
    codes: Iterable[str] | None = None,
    slots: Mapping[str, int] | None = None,
    conf_level: float = 0.95,
) -> CodeCounts:
    """Count the people and the passages that carry each code, by perspective and wave.

    Parameters
    ----------
    codings : DataFrame
        Columns document, code, start, end; others are not used. Marks of
        several coders that overlap are one passage.
    documents : DataFrame
        Columns document, participant, perspective, wave: every document
        that was read, coded or not. A document without a code counts as
        silence on it.
    waves, codes : iterable, optional
        Their order, and codes that nobody used.
    slots : mapping, optional
        Colour slot 1, 2 or 3 of each perspective.
    conf_level : float
        Level of Wilson's interval for the share of people.

    Returns
    -------
    CodeCounts
        Also for codes, perspectives and waves without a passage; the share
        is NaN where nobody was heard.

    Raises
    ------
    CodingError
        For a document that is not in `documents`, and the like.

    Examples
    --------
    >>> import pandas as pd
    >>> codings = pd.DataFrame({"document": ["d"], "code": ["hoop"], "start": [0], "end": [9]})
    >>> documents = pd.DataFrame({"document": ["d", "e"], "participant": ["P1", "P2"]})
    >>> documents = documents.assign(perspective="patient", wave=1)
    >>> code_counts(codings, documents).table.loc[0, ["n_told", "n_people", "estimate"]].tolist()
    [1.0, 2.0, 0.5]
    """
    told = read_told(codings, documents, waves, codes)
    table = count_people(told, in_order(told.documents["perspective"], slots), conf_level)
    return CodeCounts(
        table=table, codes=tuple(told.codes), waves=tuple(told.waves),
        perspectives=tuple(in_order(told.documents["perspective"], slots)), slots=slots,
        conf_level=conf_level, n_people=told.documents["participant"].nunique(),
    )  # fmt: skip


def count_people(told: Told, perspectives: list[str], conf_level: float) -> pd.DataFrame:
    """Return people and passages for every code, perspective and wave."""
    keys = ["code", "perspective", "wave"]
    cells = pd.MultiIndex.from_product([told.codes, perspectives, told.waves], names=keys)
    by_cell = told.passages.groupby(keys)
    out = pd.DataFrame(index=cells)
    out["n_told"] = by_cell["participant"].nunique().reindex(cells, fill_value=0)
    heard = told.people().reindex(cells.droplevel("code"), fill_value=0)
    out["n_people"] = heard.to_numpy()
    out["n_passages"] = by_cell.size().reindex(cells, fill_value=0)
    count, n = out["n_told"].to_numpy(dtype=float), out["n_people"].to_numpy(dtype=float)
    out["conf_low"], out["conf_high"] = wilson(count, n, conf_level)
    out.insert(3, "estimate", out["n_told"] / out["n_people"].where(out["n_people"] > 0))
    return out.reset_index()
