"""Words from Word and OpenDocument files, in reading order, with what stays behind."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from expertise.errors import FileError
from expertise.files.archive import Archive
from expertise.files.text import read_bytes
from expertise.files.xml import check_xml, parse_xml
from expertise.words import Note, note

MAX_BYTES = 50_000_000
MAX_BLANKS = 1_000  # <text:s text:c="2000000000"/> is thirty bytes long
_CELL = "\x1f"  # the end of a cell, until the paragraph end before it is dropped
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"


def read_docx(path: Path) -> tuple[str, tuple[Note, ...]]:
    """Return the words of a .docx: paragraphs, tables, text boxes and inserted words.

    Read from the XML itself: the usual reader drops tracked insertions, text
    boxes and content controls without a word. Deleted words stay out.
    """
    with _opened(path) as archive:
        _holds(archive, "word/document.xml")
        for name in archive.names:
            if name.endswith((".xml", ".rels")) and name != "word/document.xml":
                check_xml(archive.read(name), f"{path.name}, {name}")
        root = parse_xml(archive.read("word/document.xml"), path.name)
        beside = {
            "footnotes": "word/footnotes.xml" in archive.names,
            "endnotes": "word/endnotes.xml" in archive.names,
            "comments": "word/comments.xml" in archive.names,
            "headers": any(
                name.startswith(("word/header", "word/footer")) for name in archive.names
            ),
        }
    found = {_local(element) for element in root.iter()}
    beside |= {
        "tracked": bool(found & {"ins", "del", "moveFrom", "moveTo"}),
        "pictures": bool(found & {"blip", "pict", "object"}),
        "tables": "tbl" in found,
    }
    return _joined(_walk(root, _docx_piece)), left_behind(path.name, beside)


def read_odt(path: Path) -> tuple[str, tuple[Note, ...]]:
    """Return the words of an .odt: headings, paragraphs, lists and tables; not deleted words."""
    with _opened(path) as archive:
        _holds(archive, "content.xml")
        if "META-INF/manifest.xml" in archive.names:
            manifest = archive.read("META-INF/manifest.xml")
            check_xml(manifest, f"{path.name}, manifest.xml")
            if b"encryption-data" in manifest:
                raise _locked(path.name)
        root = parse_xml(archive.read("content.xml"), path.name)
    found = {_local(element) for element in root.iter()}
    for element in root.iter():
        if _local(element) == "s" and _blanks(element) > MAX_BLANKS:
            raise FileError(
                f"{path.name}: one element stands for more than {MAX_BLANKS:,} blanks; "
                "open it, remove them and save it again"
            )
    beside = {
        "tracked": "tracked-changes" in found,
        "pictures": "image" in found,
        "tables": "table" in found,
        "comments": "annotation" in found,
        "footnotes": "note" in found,
    }
    body = next((element for element in root.iter() if _local(element) == "body"), root)
    return _joined(_walk(body, _odt_piece)), left_behind(path.name, beside)


def left_behind(file: str, found: dict[str, bool]) -> tuple[Note, ...]:
    """Return a note for each thing in a file that did not come over, or not as it was."""
    return tuple(note(f"narratives.{what}", file=file) for what, here in found.items() if here)


def _opened(path: Path) -> Archive:
    if read_bytes(path, MAX_BYTES).startswith(_OLD_OFFICE):
        raise _locked(path.name)
    return Archive(path)


def _locked(name: str) -> FileError:
    return FileError(
        f"{name} has a password or is an old Word document; save it as .docx or .odt without one"
    )


def _holds(archive: Archive, member: str) -> None:
    if member not in archive.names:
        raise FileError(f"{archive.name}: holds no {member}; open it and save it again")


# What an element puts before and after its contents; None leaves the contents out.
Piece = tuple[str, str] | None


def _walk(element: Element, piece: Callable[[Element], Piece]) -> Iterator[str]:
    around = piece(element)
    if around is None:
        return
    yield around[0]
    for child in element:
        yield from _walk(child, piece)
        if piece is _odt_piece and child.tail and _holds_words(element):
            yield child.tail
    yield around[1]


def _joined(pieces: Iterator[str]) -> str:
    return re.sub(f"\n*{_CELL}", "\t", "".join(pieces))


def _docx_piece(element: Element) -> Piece:
    name = _local(element)
    if name in {"del", "moveFrom", "Fallback", "instrText"}:
        return None
    ends = {"p": "\n", "tc": _CELL, "tr": "\n"}
    starts = {"t": element.text or "", "tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
    # Tab stops in a paragraph's settings are called "tab" as well.
    if name == "pPr":
        return None
    return starts.get(name, ""), ends.get(name, "")


def _odt_piece(element: Element) -> Piece:
    name = _local(element)
    if name in {"tracked-changes", "annotation", "note", "forms", "sequence-decls"}:
        return None
    words = (element.text or "") if _holds_words(element) else ""
    starts = {"s": " " * _blanks(element), "tab": "\t", "line-break": "\n"}
    ends = {"p": "\n", "h": "\n", "table-cell": _CELL, "table-row": "\n"}
    return starts.get(name, words), ends.get(name, "")


def _holds_words(element: Element) -> bool:
    return _local(element) in {"p", "h", "span", "a", "meta", "ruby-base", "bookmark-ref"}


def _blanks(element: Element) -> int:
    counts = [value for name, value in element.attrib.items() if name.endswith("}c")]
    digits = counts[0] if counts else "1"
    return (
        int(digits)
        if digits.isascii() and digits.isdigit() and len(digits) < 10
        else MAX_BLANKS + 1
    )


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
