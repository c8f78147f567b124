"""Write a QDPX file by the letter of the standard, the same bytes each time."""

import hashlib
import re
import zipfile
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from lxml import etree

from expertise.errors import DataError
from expertise.exchange.positions import UNDETERMINED
from expertise.exchange.project import QdaProject, checked, placed
from expertise.exchange.reading import UNKNOWN
from expertise.exchange.tree import P, child, guid, internal, prune, state, text_sources
from expertise.files.safe import write_atomically

# Under this name every id is made of what it names: the same study gives the same ids.
IDS = "expertise"
SELECTION, CODING, CODE_REF = P + "PlainTextSelection", P + "Coding", P + "CodeRef"
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
DATE = (1980, 1, 1, 0, 0, 0)


def write_qdpx(project: QdaProject, path: str | Path) -> Path:
    """Write a project as QDPX: code points, end exclusive, LF, no byte-order mark.

    Parameters
    ----------
    project : QdaProject
        From `read_qdpx`, with all that its file held, or from `make_project`.
        With other `selections` (`dataclasses.replace`), rows that are gone
        are taken out and rows without a guid are added.
    path : str or Path
        Written whole or not at all; its folder is made.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        When a passage does not lie in its text, or a name holds a character
        that XML cannot carry.
    FileError
        When the folder cannot be made or written in.

    Notes
    -----
    Ids that a file had are kept; new ones are made of what they name, so
    that a second export gives the same file. No path of a user is written.
    """
    rows = checked(project.selections, project.texts, set(project.codes["code"]))
    tree = deepcopy(project.tree.getroottree())
    root = tree.getroot()
    files = dict(project.files)
    _codes(root, project.codes)
    users = _users(root, project)
    _selections(root, project, rows, users, files)
    prune(root)
    if project.positions.convention != UNDETERMINED:
        state(root)
    data = etree.tostring(tree, xml_declaration=True, encoding="utf-8")
    return write_atomically(placed(path), _zipped({"project.qde": data} | files))


def new_id(kind: str, *parts: object) -> str:
    """Return the id of a thing, made of what it is."""
    return new_ids(kind, *parts)[0]


def new_ids(kind: str, *parts: object) -> tuple[str, str]:
    """Return two ids, of a selection and of its coding say, made of what they are."""
    digest = hashlib.sha256("\x1f".join([IDS, kind, *map(str, parts)]).encode()).hexdigest()
    first, second = digest[:32], digest[32:]
    return _written(first), _written(second)


def _written(digest: str) -> str:
    """Return 32 hex digits as a UUID of version 8: its maker's own."""
    parts = (digest[:8], digest[8:12], "8" + digest[13:16], "8" + digest[17:20], digest[20:])
    return "-".join(parts)


def named(text: str, what: str) -> str:
    """Return a name that XML can carry."""
    if found := NOT_XML.search(text):
        raise DataError(f"the name of {what} {text[:40]!r} holds a control character at "
                        f"{found.start()}; take it out")  # fmt: skip
    return text


def _codes(root: Any, codes: pd.DataFrame) -> None:
    """Add codes that the file does not have; follow names, colours and words of those it has."""
    if codes.empty:
        return
    book = child(root, "CodeBook")
    holder = book.find(P + "Codes")
    holder = etree.SubElement(book, P + "Codes") if holder is None else holder
    known = {guid(code.get("guid")): code for code in holder.iter(P + "Code")}
    ids = code_ids(codes)
    rows = {row.code: row for row in codes.itertuples()}
    for label in sorted(rows, key=lambda name: depth(name, rows)):
        row = rows[label]
        element = known.get(ids[label])
        if element is None:
            above = known[ids[row.parent]] if row.parent else holder
            element = etree.SubElement(above, P + "Code", guid=ids[label])
            known[ids[label]] = element
        element.set("name", named(row.name, "code"))
        if "isCodable" not in element.attrib:
            element.set("isCodable", "true")
        if row.colour:
            element.set("color", row.colour)
        if row.description:
            words = element.find(P + "Description")
            if words is None:
                words = etree.Element(P + "Description")
                element.insert(0, words)
            words.text = named(row.description, "code")


def code_ids(codes: pd.DataFrame) -> dict[str, str]:
    """Return the id of each code: its own, or one made of its label."""
    return {row.code: row.guid or new_id("code", row.code) for row in codes.itertuples()}


def depth(label: str, rows: dict[str, Any]) -> int:
    """Return how many codes lie above one, so that parents come first."""
    above, seen = rows[label].parent, {label}
    while above:
        if above not in rows or above in seen:
            raise DataError(f"the parent {above!r} of code {label!r} is no code above it; mend it")
        seen.add(above)
        above = rows[above].parent
    return len(seen)


def _users(root: Any, project: QdaProject) -> dict[str, str]:
    """Return the id of each coder, new ones added."""
    rows = project.coders.itertuples()
    ids = {row.coder: row.guid or new_id("coder", row.coder) for row in rows}
    for name in sorted(set(project.selections["coder"]) - ids.keys() - {UNKNOWN, ""}):
        ids[name] = new_id("coder", name)
    holder = child(root, "Users")
    known = {guid(user.get("guid")) for user in holder}
    for name, one in ids.items():
        if one not in known:
            etree.SubElement(holder, P + "User", guid=one, name=named(name, "coder"))
    return ids


def _selections(
    root: Any, project: QdaProject, rows: pd.DataFrame, users: dict[str, str],
    files: dict[str, bytes],
) -> None:  # fmt: skip
    known = _drop(root, rows, set(project.problems["guid"]))
    ids = code_ids(project.codes)
    holder = child(root, "Sources")
    sources = text_sources(root)
    ends: dict[Any, Any] = {}
    makers = {name: {"creatingUser": one} for name, one in users.items()}
    for document, text in project.texts.items():
        if document not in sources:
            one = new_id("document", document)
            sources[document] = etree.SubElement(
                holder, P + "TextSource", guid=one, name=named(document, "document"),
                plainTextPath=f"internal://{one}.txt",
            )  # fmt: skip
            files[f"sources/{one}.txt"] = text.encode()
        elif text != held(sources[document], files):
            raise DataError(f"text {document!r} is not what its file holds; a text never changes")
    columns = (
        rows[name].tolist() for name in ("document", "coder", "code", "start", "end", "guid")
    )
    for document, coder, code, start, end, one in zip(*columns, strict=True):
        if one and one in known:
            continue
        parts = (document, coder, code, start, end)
        maker = makers.get(coder, {})
        selection_id, coding_id = new_ids("coding", *parts)
        element = etree.Element(
            SELECTION, guid=selection_id, startPosition=str(start), endPosition=str(end), **maker
        )
        coding = etree.SubElement(element, CODING, guid=one or coding_id, **maker)
        etree.SubElement(coding, CODE_REF, targetGUID=ids[code])
        source = sources[document]
        if source not in ends:
            ends[source] = _last(source)
        if ends[source] is None:
            source.insert(0, element)
        else:
            ends[source].addnext(element)
        ends[source] = element


def held(source: Any, files: dict[str, bytes]) -> str:
    """Return the text of a source that was read."""
    content = source.find(P + "PlainTextContent")
    if content is not None:
        return content.text or ""
    path = source.get("plainTextPath")
    return files[f"sources/{internal(path, '')}"].decode() if path else ""


def _last(source: Any) -> Any:
    """Return the element after which the schema wants a source's selections, if any."""
    before = (P + "Description", P + "PlainTextContent", P + "PlainTextSelection")
    found = None
    for element in source:
        if element.tag in before:
            found = element
    return found


def _drop(root: Any, rows: pd.DataFrame, problems: set[str]) -> set[str]:
    """Take out codings that the table no longer has; return the ids of those that stay."""
    keep = set(rows["guid"]) | problems
    known = set()
    for element in list(root.iterfind(f"{P}Sources/{P}TextSource/{P}PlainTextSelection")):
        codings = element.findall(P + "Coding")
        gone = [coding for coding in codings if guid(coding.get("guid")) not in keep]
        for coding in gone:
            element.remove(coding)
        if gone and len(gone) == len(codings) and element.find(P + "NoteRef") is None:
            element.getparent().remove(element)
        known |= {guid(coding.get("guid")) for coding in codings}
    return known


def _zipped(files: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return out.getvalue()
