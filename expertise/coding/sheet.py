"""Acts from a table that people can read: a row an act, in the order in which it was done."""

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import NAMESPACE_OID, uuid5

import pandas as pd

from expertise.coding.acts import SPANNED, Act, Record
from expertise.coding.codebook import Codebook
from expertise.coding.importing import import_codings
from expertise.errors import CodingError, listed, nearest

COLUMNS = ("when", "coder", "perspective", "round", "act", "document", "code", "start", "end",
           "value", "quote", "memo")  # fmt: skip
PASSAGE = ["document", "code", "start", "end"]
ON_CODING = ("removed", "doubted", "undone")


class Sheet(NamedTuple):
    """Acts, and the words that go with them, as `Store.append` takes them."""

    acts: tuple[Act, ...]
    records: dict[str, Record]


def read_sheet(
    path: str | Path,
    texts: Mapping[str, str],
    book: Codebook,
    *,
    without: Collection[str] = (),
) -> Sheet:
    """Read acts from a CSV file that was written, or looked over, by people.

    Parameters
    ----------
    path : str or Path
        UTF-8, comma-separated, a row an act, in the order in which they were done. Columns:
        when (ISO 8601, with offset), coder, perspective, round, act (a kind of `Act`),
        document, code, start, end (code points, end exclusive), value, quote (the passage,
        for applied and resolved), memo (why, for applied; the wording of a reading, for
        resolved). An act on a coding (doubted, removed, undone) names it by coder, document,
        code, start and end; approved names a reading by document, code, start and end.
    texts : mapping
        Document → its text.
    book : Codebook
        The codes that may be used.
    without : collection of str
        Documents whose rows are left out.

    Returns
    -------
    Sheet
        `acts`, for `acts_table` and `Store.append`, and `records`. The ids follow from the
        rows, so that a sheet stored twice is stored once.

    Raises
    ------
    CodingError
        When a column is missing, a passage or quote is not in its text, a code is unknown,
        or an act names a coding or reading that no earlier row made.

    Examples
    --------
    >>> read_sheet("nowhere.csv", {}, Codebook())
    Traceback (most recent call last):
    expertise.errors.CodingError: nowhere.csv is not there; name a sheet of codings
    """
    path = Path(path)
    if not path.is_file():
        raise CodingError(f"{path.name} is not there; name a sheet of codings")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name in COLUMNS:
        if name not in table:
            raise CodingError(
                f"{path.name} has no column {name!r}{nearest(name, table.columns)}; "
                f"it has {listed(table.columns, len(COLUMNS))}"
            )
    table = table[~table["document"].isin(without)]
    _check_passages(table, texts, book)
    hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    acts: list[Act] = []
    records: dict[str, Record] = {}
    made: dict[tuple[str, ...], str] = {}
    for line, row in zip(table.index + 2, table.to_dict("records"), strict=True):
        try:
            act = _act(row, made, hashes)
        except CodingError as error:
            raise CodingError(f"{path.name}, line {line}: {error}") from None
        acts.append(act)
        if act.kind in ("applied", "resolved"):
            made[_key(row, act.kind)] = act.uuid
            kind, body = ("quote", row["quote"]) if act.kind == "applied" else (
                "reading", row["memo"])  # fmt: skip
            records[act.uuid] = Record(kind=kind, key=act.uuid, body=body,
                                       document=act.document, coder=act.coder)  # fmt: skip
        if act.kind == "applied" and row["memo"]:
            memo = _memo(act)
            acts.append(memo)
            records[memo.uuid] = Record(kind="memo", key=f"{act.coder}/{act.uuid}",
                                        body=row["memo"], document=act.document,
                                        coder=act.coder)  # fmt: skip
    return Sheet(tuple(acts), records)


def _check_passages(table: pd.DataFrame, texts: Mapping[str, str], book: Codebook) -> None:
    """Hold every passage and quote against its text."""
    spanned = table[table["act"].isin(SPANNED) & (table["code"] != "")]
    named = spanned.drop(columns="memo").rename(columns={"quote": "text"})
    import_codings(named, texts, book)


def _key(row: Mapping[str, str], kind: str) -> tuple[str, ...]:
    """Return how later rows name what this row made; a reading is everyone's."""
    who = row["coder"] if kind == "applied" else ""
    return (kind, who, *(row[name] for name in PASSAGE))


def _act(row: Mapping[str, Any], made: Mapping[tuple[str, ...], str],
         hashes: Mapping[str, str]) -> Act:  # fmt: skip
    kind, target = row["act"], ""
    spanned = kind in SPANNED
    if kind in ON_CODING or kind == "approved":
        key = _key(row, "resolved" if kind == "approved" else "applied")
        if key not in made:
            raise CodingError(f"{kind} names a passage that no earlier row made; mend the row")
        target = made[key]
    elif kind == "resolved":
        target = _id("decision", *(row[name] for name in ("when", "document", "start", "end")))
    return Act(
        uuid=_id(*(str(row[name]) for name in COLUMNS[:10])), kind=kind, coder=row["coder"],
        perspective=row["perspective"], round=row["round"], document=row["document"],
        sha256=hashes.get(row["document"], ""), when=row["when"], value=row["value"],
        target=target, code=row["code"] if spanned else "",
        start=int(row["start"]) if spanned else None, end=int(row["end"]) if spanned else None,
    )  # fmt: skip


def _memo(act: Act) -> Act:
    return Act(
        uuid=_id("memo", act.uuid), kind="memo", coder=act.coder, perspective=act.perspective,
        round=act.round, document=act.document, sha256=act.sha256, when=act.when,
        value="shared", target=act.uuid,
    )  # fmt: skip


def _id(*parts: str) -> str:
    return str(uuid5(NAMESPACE_OID, "\x1f".join(parts)))
