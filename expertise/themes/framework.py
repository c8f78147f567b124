"""A framework matrix: what each case says on each theme, summed up by people."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from expertise.agreement.codings import check_columns, numbered
from expertise.result import Result, tidy_table
from expertise.words import Note, note, say

COLUMNS = ("case", "theme", "summary", "author")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FrameworkMatrix(Result):
    """Cases in rows, themes in columns, summaries written by people in the cells.

    Attributes
    ----------
    matrix : DataFrame, (cases, themes)
        The summaries, several of one cell below each other with their
        author; empty text where nobody wrote one. It is not shown by
        itself: summaries may tell who somebody is.
    written : DataFrame
        case, theme, author: who wrote what.
    """

    matrix: pd.DataFrame
    written: pd.DataFrame
    notes: tuple[Note, ...] = ()

    def heading(self) -> str:
        """Say how large it is, and how far it is filled."""
        filled = int((self.matrix != "").to_numpy().sum())
        n_cases, n_themes = self.matrix.shape
        return say(
            "themes.framework", n_cases=n_cases, n_themes=n_themes, n=filled, of=self.matrix.size
        )

    def tidy(self) -> pd.DataFrame:
        """Return for each theme the share of cases that have a summary."""
        n = (self.matrix != "").sum()
        rows = {"code": self.matrix.columns, "estimate": n / max(len(self.matrix), 1), "n": n}
        return tidy_table(pd.DataFrame(rows).reset_index(drop=True))

    def augment(self) -> pd.DataFrame:
        """Return who wrote which summary."""
        return self.written.copy()


def framework_matrix(
    summaries: pd.DataFrame,
    *,
    cases: Iterable[str] | None = None,
    themes: Iterable[str] | None = None,
) -> FrameworkMatrix:
    """Lay summaries out as case × theme.

    Parameters
    ----------
    summaries : DataFrame
        Columns case, theme, summary, author. Nothing is summed up by this
        function: people write, it arranges.
    cases, themes : iterable, optional
        Their order, and those that nobody wrote on yet.

    Returns
    -------
    FrameworkMatrix
        Two summaries of one cell stay side by side, each with its author:
        a second reading is not averaged away.

    Raises
    ------
    CodingError
        For a summary without case, theme, text or author, or for a case or
        theme that is not among those given.

    References
    ----------
    Gale, N. K., Heath, G., Cameron, E., Rashid, S., & Redwood, S. (2013).
    BMC Medical Research Methodology, 13, 117. doi:10.1186/1471-2288-13-117

    Examples
    --------
    >>> import pandas as pd
    >>> summaries = pd.DataFrame(
    ...     [("T1", "hoop", "Hoopt op werk.", "Ans")],
    ...     columns=["case", "theme", "summary", "author"],
    ... )
    >>> framework_matrix(summaries, themes=["hoop", "regie"]).matrix.loc["T1"].tolist()
    ['Hoopt op werk.', '']
    """
    check_columns(summaries, COLUMNS, "summaries")
    rows = pd.Index(
        sorted(summaries["case"].unique()) if cases is None else list(cases), name="case"
    )
    columns = pd.Index(
        sorted(summaries["theme"].unique()) if themes is None else list(themes), name="theme"
    )
    numbered(summaries, "case", rows, "summaries")
    numbered(summaries, "theme", columns, "summaries")
    cells = summaries.groupby(["case", "theme"], sort=False)
    text = cells.apply(_together) if len(summaries) else pd.Series(dtype=object)
    matrix = pd.DataFrame("", index=rows, columns=columns, dtype=object)
    for (case, theme), summary in text.items():
        matrix.loc[case, theme] = summary
    several = int((cells.size() > 1).sum()) if len(summaries) else 0
    return FrameworkMatrix(
        matrix=matrix, written=summaries[["case", "theme", "author"]].reset_index(drop=True),
        notes=(note("themes.several", n=several),) if several else (),
    )  # fmt: skip


def _together(cell: pd.DataFrame) -> str:
    if len(cell) == 1:
        return str(cell["summary"].iloc[0])
    return "\n".join(f"{row.summary} ({row.author})" for row in cell.itertuples())
