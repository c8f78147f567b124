"""One reader a format: the words of a file, who speaks, and notes on what stays behind."""

import re
from collections.abc import Callable
from pathlib import Path

import webvtt
from bs4 import BeautifulSoup
from striprtf.striprtf import rtf_to_text
from webvtt.errors import MalformedCaptionError, MalformedFileError

from expertise.errors import FileError, listed
from expertise.files.text import Text, read_text
from expertise.narratives.office import left_behind, read_docx, read_odt
from expertise.narratives.pdf import read_pdf
from expertise.words import Note

MAX_BYTES = 20_000_000
Reading = tuple[str, tuple[Note, ...]]
_TIMING = {
    ".srt": re.compile(r"\d{1,3}:\d\d:\d\d,\d{3} --> \d{1,3}:\d\d:\d\d,\d{3}.*"),
    ".vtt": re.compile(r"(\d{1,3}:)?\d\d:\d\d\.\d{3}[ \t]+-->[ \t]+(\d{1,3}:)?\d\d:\d\d\.\d{3}.*"),
}
_VOICE = re.compile(r"<v(?:\.[^ >]*)? [^>]*>|</v>")
_BLOCKS = [
    "p",
    "div",
    "br",
    "li",
    "ul",
    "ol",
    "dl",
    "dt",
    "dd",
    "tr",
    "table",
    "section",
    "article",
    "header",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "pre",
    "figure",
    "figcaption",
    "hr",
]


def read_words(path: Path) -> Reading:
    """Return the words of a file and notes on what its reader could not bring over.

    Raises
    ------
    FileError
        When the format is not known, or the file cannot be read whole.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise FileError(
            f"{path.name}: files that end in {path.suffix or 'nothing'!r} are not read; "
            f"allowed are {listed(READERS, most=20)}; export it as one of these"
        )
    return reader(path)


def _plain(path: Path) -> Reading:
    found = _decoded(path)
    return found.text, found.notes


def _decoded(path: Path, legacy: bool = False) -> Text:
    return read_text(path, max_bytes=MAX_BYTES, legacy=legacy)


def _html(path: Path) -> Reading:
    found = _decoded(path)
    if found.text.count("<") > 1_000_000:
        raise FileError(f"{path.name} has more than a million tags; export it as text")
    soup = BeautifulSoup(found.text, "html.parser")
    beside = {
        "pictures": soup.find(["img", "svg", "video", "audio"]) is not None,
        "tables": soup.find("table") is not None,
    }
    for element in soup(["script", "style", "template", "head", "noscript"]):
        element.decompose()
    for element in soup(_BLOCKS):
        element.append("\n")
    # A line end in the source is a blank; a new line comes from a block.
    lines = "".join(
        text if text == "\n" else re.sub(r"\s", " ", text) for text in soup.find_all(string=True)
    )
    return lines, found.notes + left_behind(path.name, beside)


def _rtf(path: Path) -> Reading:
    found = _decoded(path, legacy=True)
    if not found.text.startswith("{\\rtf"):
        raise FileError(f"{path.name} is not RTF, though its name says so; export it as text")
    beside = {
        "pictures": "\\pict" in found.text,
        "tables": "\\trowd" in found.text,
        "tracked": "\\deleted" in found.text or "\\revised" in found.text,
        "footnotes": "\\footnote" in found.text,
    }
    words: str = rtf_to_text(found.text, errors="strict")  # type: ignore[no-untyped-call]
    return words, left_behind(path.name, beside)


def _subtitles(path: Path) -> Reading:
    """Read cues in order; successive cues of one speaker become one turn."""
    found, suffix = _decoded(path), path.suffix.lower()
    for number, line in enumerate(found.text.splitlines(), 1):
        if "->" in line and not _TIMING[suffix].fullmatch(line.strip()):
            raise FileError(
                f"{path.name}, line {number}: the time is not written as {suffix} files write it; "
                "mend that line"
            )
    parse = webvtt.from_srt if suffix == ".srt" else webvtt.read
    try:
        cues = parse(str(path), encoding=found.encoding)
    except (MalformedFileError, MalformedCaptionError) as error:
        raise FileError(f"{path.name} is not a {suffix} file ({error}); export it anew") from None
    lines: list[str] = []
    speaker = None
    for cue in cues.captions:
        said = " ".join(_VOICE.sub("", cue.raw_text).split())
        if cue.voice and cue.voice != speaker:
            lines.append(f"{cue.voice}: {said}")
        elif lines and cue.voice == speaker and speaker:
            lines[-1] += f" {said}"
        else:
            lines.append(said)
        speaker = cue.voice
    return "\n".join(lines), found.notes


READERS: dict[str, Callable[[Path], Reading]] = {
    ".txt": _plain, ".md": _plain, ".docx": read_docx, ".odt": read_odt, ".pdf": read_pdf,
    ".html": _html, ".htm": _html, ".rtf": _rtf, ".vtt": _subtitles, ".srt": _subtitles,
}  # fmt: skip
