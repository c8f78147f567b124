"""A qualitative project as tables, with everything in its file that the tables do not show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from lxml import etree

from expertise.errors import DataError, FileError, listed, nearest
from expertise.exchange.positions import STANDARD, Positions
from expertise.exchange.tree import PROJECT
from expertise.result import Result
from expertise.words import Note, say

CODES = ("code", "name", "parent", "colour", "description", "guid")
SELECTIONS = ("document", "coder", "code", "start", "end", "text", "guid")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class QdaProject(Result):
    """A project of REFI-QDA: texts, codes, and who marked what.

    Attributes
    ----------
    texts : mapping
        Document → its text, without byte-order mark and with LF at line ends.
    codes : DataFrame
        code (a label that is unique here), name, parent (a label, or empty),
        colour (#rrggbb or empty), description, guid.
    coders : DataFrame
        coder (a pseudonym) and guid.
    selections : DataFrame
        One row per coding: document, coder, code, start, end (code points of
        the text, end exclusive), text, and the guid of the coding.
    problems : DataFrame
        Codings that could not be placed: document, start, end (as the file
        gives them), why, guid. They stay in the file.
    positions : Positions
        How the positions in the file were read.
    """

    name: str
    texts: Mapping[str, str]
    codes: pd.DataFrame
    coders: pd.DataFrame
    selections: pd.DataFrame
    problems: pd.DataFrame
    positions: Positions
    notes: tuple[Note, ...] = ()
    tree: Any = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)

    def heading(self) -> str:
        """Say what the project holds."""
        return say("exchange.project", name=self.name, n=len(self.selections),
                   documents=len(self.texts))  # fmt: skip

    def tidy(self) -> pd.DataFrame:
        """Return the number of codings per code and coder."""
        counts = self.selections.groupby(["code", "coder"], observed=True).size()
        return counts.rename("n").reset_index()


def make_project(
    name: str,
    texts: Mapping[str, str],
    codes: pd.DataFrame,
    selections: pd.DataFrame,
) -> QdaProject:
    """Make a project to be written, from a study's own tables.

    Parameters
    ----------
    texts : mapping
        Document → its text; CRLF is not allowed, since it would move positions.
    codes : DataFrame
        Column code and, where there are any, name, parent, colour, and
        description or definition; `Codebook.table()` fits.
    selections : DataFrame
        Columns document, coder, code, start, end; exact duplicates count once.

    Raises
    ------
    DataError
        When a column is missing, a row names a document or code that is not
        there, or a passage does not lie in its text; the row is named.

    Examples
    --------
    >>> codes = pd.DataFrame({"code": ["hoop"]})
    >>> rows = pd.DataFrame({"document": ["d1"], "coder": ["a"], "code": ["hoop"],
    ...                      "start": [3], "end": [7]})
    >>> make_project("proef", {"d1": "Ik hoop."}, codes, rows).selections["text"].tolist()
    ['hoop']
    """
    for document, text in texts.items():
        if "\r\n" in text or text.startswith("\ufeff"):
            raise DataError(f"text {document!r} has CRLF line ends or a byte-order mark; "
                            "code it without them, else positions move")  # fmt: skip
    _columns(codes, ("code",), "codes")
    table = codes.rename(columns={"definition": "description"})
    table = table.assign(**{n: "" for n in CODES if n not in table and n != "name"})
    table["name"] = table["name"] if "name" in table else table["code"]
    rows = checked(selections, texts, set(table["code"]))
    coders = sorted(set(rows["coder"]) - {""})
    return QdaProject(
        name=name, texts=dict(texts), codes=table[list(CODES)].fillna("").reset_index(drop=True),
        coders=pd.DataFrame({"coder": coders, "guid": ""}, columns=["coder", "guid"]),
        selections=rows, problems=problems_table([]),
        positions=Positions(convention=str(STANDARD)),
        tree=etree.Element(f"{{{PROJECT}}}Project", nsmap={None: PROJECT}, name=name,
                           origin="expertise"),
        files={},
    )  # fmt: skip


def placed(path: str | Path) -> Path:
    """Return the path of a file to write, its folder made.

    Raises
    ------
    FileError
        When the folder cannot be made.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"the folder {path.parent} cannot be made ({error.strerror}); name another place"
        ) from None
    return path


def problems_table(rows: list[tuple[str, int, int, str, str]]) -> pd.DataFrame:
    """Return the table of codings that could not be placed."""
    return pd.DataFrame(rows, columns=["document", "start", "end", "why", "guid"])


def _columns(table: pd.DataFrame, needed: tuple[str, ...], what: str) -> None:
    for name in needed:
        if name not in table:
            near = nearest(name, table.columns)
            raise DataError(
                f"the table of {what} has no column {name!r}{near}; it has {listed(table.columns)}"
            )


def checked(rows: pd.DataFrame, texts: Mapping[str, str], codes: set[str]) -> pd.DataFrame:
    """Return selections that hold together, with their quotes; refuse the first that does not."""
    needed = ("document", "coder", "code", "start", "end")
    _columns(rows, needed, "selections")
    lengths = rows["document"].map({name: len(text) for name, text in texts.items()})
    wrong = {
        "names a document that is not there": lengths.isna(),
        "names a code that is not there": ~rows["code"].isin(codes),
        "has a passage that does not lie in its text": (rows["start"] < 0)
        | (rows["start"] >= rows["end"])
        | (rows["end"] > lengths),
    }
    for what, where in wrong.items():
        if where.any():
            row = int(where.to_numpy().argmax())
            raise DataError(f"row {row + 1} of the selections {what}; mend it")
    out = rows.assign(
        coder=rows["coder"].fillna("").astype(str),
        guid=rows["guid"].fillna("") if "guid" in rows else "",
    ).astype({"start": "int64", "end": "int64"})
    out = out.drop_duplicates([*needed, "guid"]).reset_index(drop=True)
    spans = zip(out["document"], out["start"], out["end"], strict=True)
    out["text"] = [texts[document][start:end] for document, start, end in spans]
    return out[list(SELECTIONS)]
