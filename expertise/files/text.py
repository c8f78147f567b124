"""The text in a file and the encoding it was found in."""

import codecs
import re
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

from expertise.errors import FileError, listed
from expertise.files.safe import unreadable
from expertise.words import Note, note

MAX_BYTES = 500_000_000
_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_TEXT = {
    b"PK\x03\x04": "a ZIP archive",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\x1f\x8b": "compressed",
    b"BZh": "compressed",
    b"$FL2": "an SPSS file",
    b"$FL3": "an SPSS file",
    b"\x7fELF": "a program",
    b"SQLite format 3": "a database",
}
# UTF-8 letters that were read as CP1252 and saved again: ë became Ã«, ’ became â€™.
_MOJIBAKE = re.compile(
    "[ÃÂ][\u0080-\u00bf\u0152-\u0192\u02c6\u02dc\u2013-\u2122]|â€[\u0080-\u2122]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A decoded text, how it was encoded, and what its reader must know.

    The byte-order mark is not part of `text`; line ends are as in the file.
    """

    text: str
    encoding: str
    notes: tuple[Note, ...] = ()


def read_text(path: str | Path, *, legacy: bool = True, max_bytes: int = MAX_BYTES) -> Text:
    """Read a text file: UTF-8, UTF-16 or UTF-32 by their marks, or CP1252.

    Parameters
    ----------
    path
        The file.
    legacy
        Read bytes that are not UTF-8 as CP1252, with a note; otherwise refuse them.
    max_bytes
        Larger files are refused before they are read.

    Returns
    -------
    Text
        With a note when the encoding was a guess or letters look doubly encoded.

    Raises
    ------
    FileError
        Empty, too large, not text, an encoding that is not recognised, bytes
        that no encoding explains (the byte is named), or NUL characters.
    """
    path = Path(path)
    found = decode(read_bytes(path, max_bytes), path.name, legacy=legacy)
    if "\0" in found.text:
        line = lines_of(found.text, [found.text.index("\0")])[0]
        raise FileError(f"{path.name}, line {line}: holds a NUL character; remove it")
    return found


def read_bytes(path: str | Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a file that is neither absent, empty nor too large."""
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise FileError(
                f"{path.name} has {size / 1e6:,.0f} MB;"
                f" at most {max_bytes / 1e6:,.0f} MB is read; split it"
            )
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None
    if not data.strip():
        raise FileError(f"{path.name} is empty; nothing was read")
    return data


def decode(data: bytes, name: str, *, legacy: bool = True) -> Text:
    """Decode bytes as `read_text` does, NUL characters left in; `name` is for messages."""
    for start, what in _NOT_TEXT.items():
        if data.startswith(start):
            raise FileError(f"{name} is {what}, not text; export it as text")
    bom = next((known for known in _BOMS if data.startswith(known[0])), None)
    notes: tuple[Note, ...] = ()
    if bom:
        encoding = bom[1]
        text = _strict(data.removeprefix(bom[0]) if encoding == "utf-8" else data, encoding, name)
    else:
        if data.count(0) * 10 > len(data) * 3:
            raise FileError(
                f"{name}: encoding not recognised (it looks like UTF-16 without its mark);"
                " save it as UTF-8"
            )
        text, encoding = _unmarked(data, name, legacy)
        notes += (note("files.cp1252", file=name),) * (encoding == "cp1252")
    if not text.strip("\ufeff\u200b\u2060 \t\r\n\v\f\xa0\x85"):
        raise FileError(f"{name} is empty: it holds only white space")
    return Text(text=text, encoding=encoding, notes=notes + _mojibake(text, name))


def _strict(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise FileError(
            f"{name}: byte {error.start} is not {encoding.upper()},"
            " which the start of the file announces; save it anew as UTF-8"
        ) from None


def _unmarked(data: bytes, name: str, legacy: bool) -> tuple[str, str]:
    """Return text and encoding of bytes without a mark: UTF-8, else CP1252 if that fits."""
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        where = error.start
    line = data.count(b"\n", 0, where) + 1
    broken = FileError(f"{name}, line {line}: byte {where} is not UTF-8; save it anew as UTF-8")
    # Letters that are good UTF-8 elsewhere mean a damaged UTF-8 file, not an older encoding.
    damaged = re.search("[^\x00-\x7f\ufffd]", data.decode("utf-8", errors="replace"))
    if damaged or not legacy:
        raise broken
    try:
        return data.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:
        raise broken from None


def _mojibake(text: str, name: str) -> tuple[Note, ...]:
    if text.isascii() or not (hits := [hit.start() for hit in _MOJIBAKE.finditer(text)]):
        return ()
    return (note("files.mojibake", file=name, lines=listed(dict.fromkeys(lines_of(text, hits)))),)


def lines_of(text: str, positions: list[int]) -> list[int]:
    r"""Return the line numbers of positions; CR, LF and CRLF end a line.

    >>> lines_of("a\r\nb\nc", [0, 5])
    [1, 3]
    """
    ends = [match.end() for match in re.finditer(r"\r\n?|\n", text)]
    return [bisect_right(ends, position) + 1 for position in positions]
