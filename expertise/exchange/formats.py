"""Codings in plain formats: tables for other programs, and a page to read."""

import json
from collections.abc import Iterable, Mapping
from html import escape
from itertools import pairwise
from pathlib import Path

import pandas as pd

from expertise.errors import FileError
from expertise.exchange.project import checked, placed
from expertise.files.safe import write_atomically
from expertise.files.write import write_table
from expertise.words import say

STYLE = """
:root{color-scheme:light dark}
body{font:18px/1.6 system-ui,sans-serif;max-width:70ch;margin:32px auto;padding:0 16px;
color:#1F2937;background:#fff}
.text{white-space:pre-wrap;overflow-wrap:anywhere}
mark{background:#FFF6D6;color:inherit;border-bottom:3px solid #00636B}
.codes{font-size:.75em;color:#00636B;padding:0 .25em;user-select:none}
@media(prefers-color-scheme:dark){body{color:#E5E7EB;background:#111827}
mark{background:#3A3420;border-color:#5FC7CF}.codes{color:#5FC7CF}}
@media print{mark{background:none}}
"""


def write_codings(selections: pd.DataFrame, path: str | Path) -> Path:
    """Write codings as a table, by the name of the file: .csv, .xlsx or .jsonl.

    Parameters
    ----------
    selections : DataFrame
        One row per coding, as `QdaProject.selections`; all columns are written.
    path : str or Path
        Written whole or not at all. In .csv and .xlsx, text that a
        spreadsheet would run stays text; .jsonl has one object a line and
        every character as it is.

    Raises
    ------
    FileError
        When the name ends in something else.
    """
    path = placed(path)
    kind = path.suffix.casefold()
    if kind == ".jsonl":
        rows = json.loads(selections.to_json(orient="records", force_ascii=False))
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        return write_atomically(path, "".join(lines))
    if kind in (".csv", ".xlsx"):
        return write_table(selections, path)
    raise FileError(f"{path.name}: codings are written as .csv, .xlsx or .jsonl; name one of them")


def write_html(
    texts: Mapping[str, str], selections: pd.DataFrame, path: str | Path, *, lang: str = "nl"
) -> Path:
    """Write the texts with their codings marked, as one page that needs nothing else.

    A passage has one tint; where a coding ends its code stands in small
    letters, for readers of the screen as well. Texts without codings are left
    out. Nothing in a text or a name is run.
    """
    rows = checked(selections, texts, set(selections["code"]))
    parts = [
        f"<section><h2>{escape(str(document))}</h2>"
        f'<div class="text">{_marked(texts[str(document)], part)}</div></section>'
        for document, part in rows.groupby("document", sort=False)
    ]
    title = escape(say("exchange.page", lang))
    page = (
        f'<!doctype html><html lang="{escape(lang)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>"
        f"<body><h1>{title}</h1>{''.join(parts)}</body></html>\n"
    )
    return write_atomically(placed(path), page)


def _marked(text: str, rows: pd.DataFrame) -> str:
    """Return a text with a mark around every stretch that is coded."""
    ends: dict[int, list[str]] = {}
    for end, part in rows.groupby("end"):
        ends[int(end)] = _names(part)
    cuts = sorted({0, len(text), *rows["start"].tolist(), *rows["end"].tolist()})
    depth = pd.Series(0, index=cuts)
    depth = depth.add(rows["start"].value_counts(), fill_value=0)
    depth = depth.sub(rows["end"].value_counts(), fill_value=0).cumsum()
    out = []
    for start, end in pairwise(cuts):
        piece = escape(text[start:end])
        out.append(f"<mark>{piece}</mark>" if depth[start] > 0 else piece)
        if end in ends:
            out.append(f'<span class="codes">[{escape("; ".join(ends[end]))}]</span>')
    return "".join(out)


def _names(rows: pd.DataFrame) -> list[str]:
    """Return the codes that end here, with who chose them."""
    coders: Iterable[tuple[object, pd.DataFrame]] = rows.groupby("code")
    return [f"{code}: {', '.join(sorted(set(part['coder'])))}" for code, part in coders]
