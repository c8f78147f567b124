"""Keeps passages of narratives out of what is shared, by keyed hashes of six words in a row."""

import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from expertise.errors import FileError, PrivacyError, listed
from expertise.files.archive import Archive
from expertise.files.safe import inside, unreadable, write_atomically
from expertise.narratives.corpus import read_listing

Place = tuple[str, str]
DEEPEST = 3  # archives within archives
WORDS = 6  # in a row, the length of a shingle
_WORD = re.compile(r"\w+")
_INLINE = re.compile(
    r"</?(?:a|abbr|b|code|em|i|mark|q|s|small|span|strong|sub|sup|u)\b[^<>]*>", re.I
)
_TAG = re.compile(r"<[^<>]*>")
_PICTURE = re.compile(r"^(image/(?!svg)|application/(pdf|octet-stream)|video/|audio/)")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Guarded:
    """What `check_for_quotes` found.

    Attributes
    ----------
    found : tuple of (str, str, int)
        File, place in it, and how many runs of six words stand there that
        also stand in a narrative. Never the words.
    checked : int
        How many files were read.
    """

    found: tuple[tuple[str, str, int], ...]
    checked: int

    def __repr__(self) -> str:
        lines = [f"{file}, {place}: {n} runs of {WORDS} words" for file, place, n in self.found]
        state = "hold words of a narrative" if lines else "no words of a narrative found"
        files = len({file for file, _, _ in self.found})
        head = (
            f"{files} of {self.checked} files {state}"
            if lines
            else f"{self.checked} files: {state}"
        )
        return "\n".join([head, *lines])


def index_texts(texts: Iterable[str], path: str | Path, *, key: bytes) -> Path:
    """Write an index by which passages of texts are recognised without the texts.

    Parameters
    ----------
    texts : iterable of str
        The narratives.
    path : path
        Where the index goes; it holds keyed hashes only and may be shared.
    key : bytes
        The secret; without it nobody can tell whether a sentence is in the index.

    Returns
    -------
    Path

    Examples
    --------
    >>> key, folder = b"x" * 32, getfixture("tmp_path")
    >>> index = index_texts(["Zij belde elke dag en niemand nam de telefoon op."],
    ...                     folder / "i.json", key=key)
    >>> page = folder / "page.md"
    >>> _ = page.write_text("Ze zei: *elke dag en niemand nam* de telefoon op")
    >>> [n for _, _, n in check_for_quotes([page], index=index, key=key).found]
    [3]
    """
    digests = sorted({digest for text in texts for digest in _digests(text, key)})
    return write_atomically(path, json.dumps({"schema": 1, "words": WORDS, "digests": digests}))


def check_for_quotes(paths: Iterable[str | Path], *, index: str | Path, key: bytes) -> Guarded:
    """Look for passages of narratives in files that are about to be shared.

    Parameters
    ----------
    paths : iterable of path
        Files; of a notebook every source, output, metadata and attachment is
        read, of archives (bundles, QDPX, DOCX, XLSX) every member, of other
        files the whole text. Pictures are not read.
    index : path
        What `index_texts` wrote.
    key : bytes
        The key it was written with.

    Returns
    -------
    Guarded

    Raises
    ------
    FileError
        The index, a notebook or an archive cannot be read.

    Notes
    -----
    Case, accents, punctuation, markup and line breaks make no difference; a
    changed word does. Passages of fewer than six words are not seen.
    """
    known = _index(Path(index))
    files = [Path(path) for path in paths]
    found = []
    for path in tqdm(files, unit="file", disable=len(files) < 50):
        for place, text in _parts(path):
            if hits := sum(digest in known for digest in _digests(text, key)):
                found.append((str(path), place, hits))
    return Guarded(found=tuple(found), checked=len(files))


def _index(path: Path) -> frozenset[str]:
    try:
        made = json.loads(path.read_text("utf-8"))
        if made["words"] != WORDS:
            raise KeyError
        return frozenset(made["digests"])
    except OSError as error:
        raise unreadable(path, error) from None
    except (ValueError, KeyError, TypeError):
        raise FileError(f"{path.name} is no index of narratives; make it again") from None


def _digests(text: str, key: bytes) -> Iterator[str]:
    """Yield a keyed hash of every run of six words; accents and case make no difference."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    words = _WORD.findall("".join(char for char in plain if not unicodedata.combining(char)))
    for start in range(len(words) - WORDS + 1):
        shingle = " ".join(words[start : start + WORDS]).encode("utf-8")
        yield hmac.new(key, shingle, hashlib.sha256).hexdigest()[:20]


def _parts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the places of a file with their text, as written and without markup."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None
    yield from _places(path.name, content)


def _places(name: str, content: bytes, within: str = "", depth: int = 0) -> Iterator[Place]:
    """Yield the places of a file, of a member of an archive, or of a member of that."""
    if content.startswith(b"PK\x03\x04"):
        if depth == DEEPEST:
            raise FileError(f"{name} lies too deep in other archives to look into; unpack it")
        with Archive(content, name) as archive:
            for member in archive.names:
                yield from _places(member, archive.read(member), f"{within}{member}, ", depth + 1)
        return
    text = content.decode("utf-8", errors="replace")
    if name.endswith(".ipynb"):
        try:
            notebook = json.loads(text)
            places = [*_cells(notebook), ("metadata", _strings(notebook.get("metadata", {})))]
        except (ValueError, AttributeError, TypeError):
            raise FileError(f"{name} is no notebook; open and save it in JupyterLab") from None
    else:
        places = [("text", text)]
    for place, words in places:
        # Markdown's marks are no word characters; underscores are.
        # A tag like <b> may stand within a word.
        yield within + place, unescape(_TAG.sub(" ", _INLINE.sub("", words))).replace("_", " ")


def _cells(notebook: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for number, cell in enumerate(notebook.get("cells", []), 1):
        for part in ("source", "outputs", "metadata", "attachments"):
            if text := _strings(cell.get(part, "")):
                yield f"cell {number}, {part}", text


def _strings(tree: Any) -> str:
    """Return all text in a tree of JSON, in order; lines of a list belong together."""
    if isinstance(tree, str):
        return tree
    if isinstance(tree, list):
        joint = "" if all(isinstance(item, str) for item in tree) else "\n\n"
        return joint.join(map(_strings, tree))
    if isinstance(tree, dict):
        kept = (value for name, value in tree.items() if not _PICTURE.match(name))
        return "\n\n".join(map(_strings, kept))
    return ""


def corpus_texts(folder: str | Path) -> list[str]:
    """Return every text of a corpus, also those whose teller did not agree to its use."""
    listing = read_listing(Path(folder))
    files = (inside(folder, entry.file or f"texts/{entry.id}.txt") for entry in listing.texts)
    return [path.read_text("utf-8") for path in files if path.is_file()]


def refuse_quotes(guarded: Guarded) -> None:
    """Raise a PrivacyError when something was found.

    Raises
    ------
    PrivacyError
        Files hold words of a narrative.
    """
    if guarded.found:
        places = listed(f"{file} ({place})" for file, place, _ in guarded.found)
        raise PrivacyError(
            f"words of a narrative stand in {places}; take them out, and clear the outputs of "
            "notebooks, before you share this"
        )
