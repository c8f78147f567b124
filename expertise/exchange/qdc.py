"""Codebooks of other programs: REFI-QDA QDC in and out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from lxml import etree

from expertise.errors import DataError, FileError
from expertise.exchange.project import placed
from expertise.exchange.tree import CODEBOOKS, guid, parse
from expertise.exchange.writing import code_ids, depth, named, new_id
from expertise.files.safe import write_atomically
from expertise.files.text import read_bytes

Q = f"{{{CODEBOOKS[0]}}}"
COLUMNS = ("code", "name", "parent", "colour", "description", "codable", "guid")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QdaCodebook:
    """A codebook as tables.

    Attributes
    ----------
    codes : DataFrame
        code (a unique label), name, parent (a label, or empty), colour,
        description, codable, guid.
    sets : DataFrame
        One row per member: name of the set, code (a label; empty for a set
        without members), description, guid of the set.
    origin : str
        The program that wrote it.
    """

    codes: pd.DataFrame
    sets: pd.DataFrame
    origin: str = ""


def read_qdc(path: str | Path) -> QdaCodebook:
    """Read a codebook (QDC), of version 1.0 or the older 0:4.

    Raises
    ------
    FileError
        When the XML is unsafe or damaged, is no codebook, or has a GUID twice
        or a set of unknown codes.
    """
    file = Path(path).name
    root = parse(read_bytes(path), file)
    space, _, name = root.tag.lstrip("{").rpartition("}")
    if space not in CODEBOOKS or name != "CodeBook":
        raise FileError(f"{file}: its first element is {name!r}; a QDC file begins with CodeBook")
    tag = f"{{{space}}}"
    labels: dict[str, str] = {}
    rows = []
    for code in root.iterfind(f"{tag}Codes//{tag}Code"):
        one, name = guid(code.get("guid")), code.get("name", "")
        if one in labels:
            raise FileError(f"{file}: the GUID {one[:40]!r} stands there twice; export it anew")
        labels[one] = name if name not in labels.values() else f"{name} ({one[:8]})"
        above = labels.get(guid(code.getparent().get("guid")), "")
        codable = code.get("isCodable", "true") in ("true", "1")
        rows.append((labels[one], name, above, code.get("color", ""),
                     code.findtext(tag + "Description") or "", codable, one))  # fmt: skip
    sets = [row for one in root.iterfind(f"{tag}Sets/{tag}Set")
            for row in _members(one, tag, labels, file)]  # fmt: skip
    return QdaCodebook(
        codes=pd.DataFrame(rows, columns=list(COLUMNS)),
        sets=pd.DataFrame(sets, columns=["name", "code", "description", "guid"]),
        origin=root.get("origin", ""),
    )


def _members(
    one: Any, tag: str, labels: dict[str, str], file: str
) -> list[tuple[str, str, str, str]]:
    words = (one.findtext(tag + "Description") or "", guid(one.get("guid")))
    found = [guid(m.get("guid") or m.get("targetGUID")) for m in one.iterfind(tag + "MemberCode")]
    for member in found:
        if member not in labels:
            raise FileError(f"{file}: a set has the code {member[:40]!r}, which is not in the "
                            "codebook; export it anew")  # fmt: skip
    return [(one.get("name", ""), labels.get(member, ""), *words) for member in found or [""]]


def write_qdc(book: QdaCodebook | pd.DataFrame, path: str | Path) -> Path:
    """Write a codebook as QDC 1.0.

    Parameters
    ----------
    book : QdaCodebook or DataFrame
        From `read_qdc`, or a table with a column code and, where there are
        any, name, parent, colour, description or definition, codable, guid:
        `Codebook.table()` fits.

    Raises
    ------
    DataError
        When there are no codes, a parent is no code, or a name holds a
        character that XML cannot carry.
    """
    given = book.codes if isinstance(book, QdaCodebook) else book
    codes = given.rename(columns={"definition": "description"})
    if codes.empty or "code" not in codes:
        raise DataError("a codebook needs a table with a column 'code' and at least one row")
    defaults = {"parent": "", "colour": "", "description": "", "guid": "", "codable": True}
    codes = codes.assign(**{n: v for n, v in defaults.items() if n not in codes})
    codes = codes.assign(name=codes["name"] if "name" in codes else codes["code"])
    root = etree.Element(Q + "CodeBook", nsmap={None: CODEBOOKS[0]}, origin="expertise")
    holder = etree.SubElement(root, Q + "Codes")
    ids, rows = code_ids(codes), {row.code: row for row in codes.itertuples()}
    made: dict[str, Any] = {"": holder}
    for label in sorted(rows, key=lambda name: depth(name, rows)):
        row = rows[label]
        element = etree.SubElement(made[row.parent], Q + "Code", guid=ids[label],
                                   name=named(row.name, "code"),
                                   isCodable="true" if row.codable else "false")  # fmt: skip
        if row.colour:
            element.set("color", row.colour)
        if row.description:
            words = etree.Element(Q + "Description")
            words.text = named(row.description, "code")
            element.insert(0, words)
        made[label] = element
    if isinstance(book, QdaCodebook) and len(book.sets):
        _write_sets(root, book.sets, ids)
    data = etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
    return write_atomically(placed(path), data)


def _write_sets(root: Any, sets: pd.DataFrame, ids: dict[str, str]) -> None:
    holder = etree.SubElement(root, Q + "Sets")
    for (name, one), rows in sets.groupby(["name", "guid"], sort=False):
        element = etree.SubElement(holder, Q + "Set", guid=one or new_id("set", name),
                                   name=named(name, "set"))  # fmt: skip
        if rows["description"].iloc[0]:
            etree.SubElement(element, Q + "Description").text = rows["description"].iloc[0]
        for code in rows["code"]:
            if code:
                etree.SubElement(element, Q + "MemberCode", guid=ids[code])
