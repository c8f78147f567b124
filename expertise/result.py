"""What every result offers: three views, its notes, and one look in text and in HTML."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import pandas as pd

from expertise.words import Note, digits_for, number, say

KEYS = ("component", "term", "group", "outcome", "perspective", "wave", "code", "document", "coder")
VALUES = (
    "estimate", "std_error", "statistic", "df_num", "df", "p_value",
    "conf_low", "conf_high", "conf_level", "n", "n_people", "method",
)  # fmt: skip
ON_REQUEST = ("std_error", "statistic", "df_num", "df", "p_value", "conf_level")


def tidy_table(rows: Iterable[Mapping[str, Any]] | pd.DataFrame) -> pd.DataFrame:
    """Return rows as a table with the closed set of columns, keys first.

    Columns that no row has are left out.

    >>> list(tidy_table([{"estimate": 1.0, "term": "x"}]))
    ['term', 'estimate']
    """
    table = pd.DataFrame(rows) if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    unknown = set(table.columns) - set(KEYS + VALUES)
    assert not unknown, f"columns outside the closed set: {sorted(unknown)}"
    return table[[name for name in KEYS + VALUES if name in table]]


class Result(ABC):
    """A frozen, complete result: `tidy()` a row per term, `glance()` one row, `notes`.

    A subclass is a frozen dataclass with a field `notes`, and says in
    `heading()` in one line what was computed. Nothing is rounded inside;
    the renderers round by the width of each interval and leave p-values to
    `tidy()`, where they are asked for.
    """

    __slots__ = ()
    notes: tuple[Note, ...]

    @abstractmethod
    def heading(self) -> str:
        """Say in one line what this is."""

    @abstractmethod
    def tidy(self) -> pd.DataFrame:
        """Return one row per term or component."""

    def glance(self) -> pd.DataFrame:
        """Return one row that sums the result up."""
        return pd.DataFrame([{}])

    def __repr__(self) -> str:
        parts = [self.heading(), shown(self.tidy()).to_string(index=False)]
        parts += [f"{say('result.notes')}:"] * bool(self.notes)
        return "\n".join(parts + [f"- {note}" for note in self.notes])

    def _repr_html_(self) -> str:
        return (
            f"<p><strong>{escape(self.heading())}</strong></p>"
            + table_html(shown(self.tidy()))
            + notes_html(self.notes)
        )


def shown(table: pd.DataFrame, lang: str = "en") -> pd.DataFrame:
    """Return a tidy table as text for people: estimate and interval, sensibly rounded."""
    if not {"estimate", "conf_low", "conf_high"} <= set(table.columns):
        return rounded(table, lang)
    out = table.drop(columns=[name for name in ON_REQUEST if name in table]).astype(object)
    for row in table.index:
        low, high = table.at[row, "conf_low"], table.at[row, "conf_high"]
        digits = _digits(float(table.at[row, "estimate"]), float(high) - float(low))
        for name in ("estimate", "conf_low", "conf_high"):
            out.at[row, name] = number(float(table.at[row, name]), digits, lang)
    return rounded(out, lang)


def _digits(estimate: float, width: float) -> int:
    return digits_for(width if width == width and width > 0 else abs(estimate) / 10)


def rounded(table: pd.DataFrame, lang: str = "en", significant: int = 3) -> pd.DataFrame:
    """Return a table with its numbers as text, missing cells as an en dash."""

    def cell(value: Any) -> str:
        if value is None or value is pd.NA or value is pd.NaT:
            return "–"
        if isinstance(value, float):
            return number(value, digits_for(abs(value), significant), lang)
        return str(value)

    return table.astype(object).map(cell)


def table_html(table: pd.DataFrame, caption: str = "") -> str:
    """Return a plain, accessible HTML table: header cells with scope, all text escaped.

    A wide table scrolls in its own box, which the keyboard can reach.
    """
    kinds = [
        "" if _numeric(table.iloc[:, place]) else ' class="t"' for place in range(table.shape[1])
    ]
    head = "".join(
        f'<th scope="col"{kind}>{escape(str(name))}</th>'
        for name, kind in zip(table.columns, kinds, strict=True)
    )
    rows = (
        "<tr>"
        + "".join(
            f"<td{kind}>{escape(str(value))}</td>" for value, kind in zip(row, kinds, strict=True)
        )
        + "</tr>"
        for row in table.itertuples(index=False, name=None)
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    body = "".join(rows)
    return (
        f'<div class="table" tabindex="0"><table>{title}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _numeric(column: "pd.Series[Any]") -> bool:
    """Whether a column reads as numbers, which stand right; words stand left."""
    return all(str(value)[:1] in "0123456789−-–∞<" for value in column)


def notes_html(notes: Iterable[Note], lang: str = "en") -> str:
    """Return the notes as an HTML list, or nothing."""
    items = "".join(f"<li>{escape(note.text(lang))}</li>" for note in notes)
    return f"<p>{say('result.notes', lang)}</p><ul>{items}</ul>" if items else ""
