"""Words from a PDF, read in a process of its own with limits on time and memory."""

import json
import logging
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdf
from pypdf.errors import FileNotDecryptedError, PdfReadError, PyPdfError

from expertise.errors import FileError
from expertise.files.text import read_bytes
from expertise.words import Note, note

MAX_BYTES = 50_000_000
SECONDS = 4
MEMORY = 280_000_000


def read_pdf(path: Path) -> tuple[str, tuple[Note, ...]]:
    """Return the words of a .pdf, page by page; pages without words are named in a note.

    Raises
    ------
    FileError
        When no page holds words (a scan), when there is a password, when the
        file is damaged, or when reading takes more than 4 seconds or 280 MB.
    """
    read_bytes(path, MAX_BYTES)
    command = [sys.executable, "-m", __name__, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS + 4, check=False)
    except subprocess.TimeoutExpired:
        raise _refused(path, "reading it takes too long") from None
    if done.returncode:
        raise _refused(path, "reading it takes too long or too much memory")
    answer = json.loads(done.stdout)
    if "refused" in answer:
        raise _refused(path, answer["refused"])
    pages: list[str] = answer["pages"]
    empty = [str(number) for number, page in enumerate(pages, 1) if not page.strip()]
    if len(empty) == len(pages):
        raise FileError(
            f"{path.name} holds no text, only pictures of pages; OCR is needed: let a scanner's "
            "program recognise the words first"
        )
    notes = [note("narratives.pdf_lines", file=path.name)]
    if empty:
        notes.append(note("narratives.pdf_pages", file=path.name, pages=", ".join(empty)))
    if answer["pictures"]:
        notes.append(note("narratives.pictures", file=path.name))
    return "\n\n".join(page.strip() for page in pages), tuple(notes)


def _refused(path: Path, why: str) -> FileError:
    return FileError(f"{path.name} is refused: {why}; save it anew, or export it as text")


def words_by_page(data: bytes) -> dict[str, Any]:
    """Return the words of each page, and whether there are pictures; or why it is refused."""
    try:
        reader = pypdf.PdfReader(BytesIO(data))
        pages = list(reader.pages)
        return {
            "pages": [page.extract_text() for page in pages],
            "pictures": any("/XObject" in (page.get("/Resources") or {}) for page in pages),
        }
    except FileNotDecryptedError:
        return {"refused": "it has a password"}
    except (PdfReadError, PyPdfError, RecursionError, KeyError, TypeError, ValueError, OSError):
        return {"refused": "it is damaged or unpacks to more than is read"}


def _limit() -> None:
    """Bound processor time and memory, where the system can."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    _limit()
    logging.disable()
    try:
        found = words_by_page(Path(sys.argv[1]).read_bytes())
    except MemoryError:
        found = {"refused": "it unpacks to more than is read"}
    sys.stdout.write(json.dumps(found))
