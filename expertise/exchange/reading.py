"""Read a QDPX file: any exporter's positions, nothing opened outside the file, nothing lost."""

import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from expertise.errors import FileError, listed
from expertise.exchange.positions import (
    STANDARD,
    UNDETERMINED,
    Convention,
    Positions,
    Ruler,
    convention,
    detect,
    score_of,
)
from expertise.exchange.project import CODES, SELECTIONS, QdaProject, problems_table
from expertise.exchange.tree import (
    P,
    check,
    guid,
    internal,
    is_stated,
    normalise,
    parse,
    paths,
    text_sources,
    whole,
)
from expertise.files.archive import Archive
from expertise.files.text import decode
from expertise.words import Note, note

# What is surely no one's name: one or two letters, a role, or a word with a number.
PSEUDONYM = re.compile(r"[a-z]{1,2}|coder|codeur|user|[a-z]*[-_]?[0-9]+")
BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
MEDIA = ("PictureSelection", "PDFSelection", "AudioSelection", "VideoSelection",
         "TranscriptSelection")  # fmt: skip
BROAD = (f"{P}Sources/*/{P}Coding", f"{P}Cases/{P}Case/{P}CodeRef")
UNKNOWN = "unknown"


def read_qdpx(path: str | Path, positions: str | None = None) -> QdaProject:
    """Read a REFI-QDA project (QDPX) as any program writes it.

    Parameters
    ----------
    path : str or Path
        The file.
    positions : str, optional
        What the exporter counted, as `"utf16 crlf2 nobom exclusive"`: the
        unit of a character (codepoints, utf16, bytes), line ends (crlf2, as in
        the file; crlf1, always one; lf2, always two), the byte-order mark
        counted or not (bom also stands for counting from one), the end
        exclusive or inclusive. By default it is found: the reading in which
        most selections begin and end at a word, when each other reading is
        clearly behind in the selections that it places elsewhere.

    Returns
    -------
    QdaProject
        Tables with positions in code points of the texts shown; `positions`
        says how they were read, `notes` what to look at. Everything else in
        the file is kept, and `write_qdpx` writes it back.

    Raises
    ------
    FileError
        When the archive or XML is unsafe or damaged, a source is missing or
        lies elsewhere, a position is no whole number, a GUID occurs twice, a
        coding refers to no code, or a set contains itself.

    References
    ----------
    REFI-QDA Standard 1.5, www.qdasoftware.org.
    """
    file = Path(path).name
    with Archive(path) as archive:
        inner = _inner(archive.names, file)
        root = parse(archive.read(inner), f"{file}, {inner}")
        normalise(root, file)
        check(root, file)
        kept = {_tidy_folder(name): archive.read(name) for name in archive.names if name != inner}
    outside = _check_paths(root, kept, file)
    root.set("name", root.get("name") or Path(path).stem)
    sources = _sources(root, kept, file)
    how, found = _convention(sources, positions, is_stated(root))
    codes, labels = _codes(root)
    coders, who = _coders(root)
    rows, problems = _selections(sources, how, labels, who)
    for one in sources:
        one.normalise(kept)
    selections = pd.DataFrame(rows, columns=list(SELECTIONS))
    shown = sum(len(one.selections) for one in sources)
    return QdaProject(
        name=root.get("name"), texts={one.label: one.ruler.text for one in sources},
        codes=codes, coders=coders, selections=selections, problems=problems_table(problems),
        positions=found, tree=root, files=kept,
        notes=_notes(root, found, codes, coders, problems, outside, shown),
    )  # fmt: skip


@dataclass(slots=True)
class _Source:
    """A text source: its element, its text, and its selections as the file gives them."""

    label: str
    element: Any
    member: str
    ruler: Ruler
    selections: list[Any]
    start: np.ndarray[Any, np.dtype[np.int64]]
    end: np.ndarray[Any, np.dtype[np.int64]]

    def normalise(self, kept: dict[str, bytes]) -> None:
        """Keep the text as UTF-8 without byte-order mark and CRLF."""
        if self.member:
            kept[self.member] = self.ruler.text.encode()
        elif (content := self.element.find(P + "PlainTextContent")) is not None:
            content.text = self.ruler.text


def _inner(names: Iterable[str], file: str) -> str:
    found = [name for name in names if name.casefold().endswith(".qde") and "/" not in name]
    named = [name for name in found if name.casefold() == "project.qde"]
    if len(found) == 1 or len(named) == 1:
        return (named or found)[0]
    what = f"holds {listed(found)}" if found else "holds no project (project.qde)"
    raise FileError(f"{file}: {what}; it must hold one; export it anew as REFI-QDA project")


def _tidy_folder(name: str) -> str:
    first, slash, rest = name.partition("/")
    return f"sources/{rest}" if slash and first.casefold() == "sources" else name


def _check_paths(root: Any, kept: Mapping[str, bytes], file: str) -> int:
    """Check every internal path, and take folders out of those that lead elsewhere."""
    outside = 0
    for element, name, value in paths(root):
        if value.startswith("internal://"):
            internal(value, file)
        elif "://" in value:
            outside += 1
            element.set(name, "relative:///" + re.split(r"[/\\]", value)[-1])
            if element.tag in (P + "TextSource", P + "Note") and name == "plainTextPath":
                raise FileError(
                    f"{file}: the text of source {element.get('name', '')[:40]!r} lies outside the "
                    "file and is not read; export it with its sources"
                )
    return outside


def _sources(root: Any, kept: Mapping[str, bytes], file: str) -> list[_Source]:
    out = []
    for label, element in text_sources(root).items():
        member, raw = _raw(element, kept, file)
        found = element.findall(P + "PlainTextSelection")
        start = np.array([whole(one, "startPosition", file) for one in found], dtype=np.int64)
        end = np.array([whole(one, "endPosition", file) for one in found], dtype=np.int64)
        out.append(_Source(label, element, member, Ruler(raw), found, start, end))
    return out


def _raw(element: Any, kept: Mapping[str, bytes], file: str) -> tuple[str, str]:
    """Return the member that holds a text, and the text with BOM and CRLF as they are."""
    content = element.find(P + "PlainTextContent")
    if content is not None:
        return "", content.text or ""
    name = (
        internal(element.get("plainTextPath", "internal://"), file)
        if element.get("plainTextPath")
        else ""
    )
    if not name:
        return "", ""
    member = f"sources/{name}"
    if member not in kept:
        raise FileError(f"{file}: the source {member!r} is missing; export it with its sources")
    data = kept[member]
    if not data.strip():
        return member, ""
    bom = "\ufeff" if data.startswith(BOMS) else ""
    return member, bom + decode(data, f"{file}, {member}").text.removeprefix("\ufeff")


def _convention(
    sources: list[_Source], given: str | None, stated: bool
) -> tuple[Convention, Positions]:
    rulers = {one.label: one.ruler for one in sources}
    marked = {one.label: one.start != one.end for one in sources}
    spans = {one.label: (one.start[marked[one.label]], one.end[marked[one.label]])
             for one in sources}  # fmt: skip
    if given is None:
        return detect(rulers, spans, stated)
    how = convention(given)
    score = score_of(how, rulers, spans)
    return how, Positions(convention=given, read_as=given, score=score, given=True)


def _codes(root: Any) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the table of codes, and the label of each GUID."""
    found: list[tuple[Any, tuple[str, ...]]] = []
    ahead: list[tuple[Any, tuple[str, ...]]] = []
    ahead += [(code, ()) for code in reversed(root.findall(f"{P}CodeBook/{P}Codes/{P}Code"))]
    while ahead:
        code, above = ahead.pop()
        trail = (*above, code.get("name", ""))
        found.append((code, trail))
        ahead += [(inner, trail) for inner in reversed(code.findall(P + "Code"))]
    names = [trail[-1] for _, trail in found]
    longer = [" / ".join(trail) for _, trail in found]
    labels: dict[str, str] = {}
    rows = []
    for (code, trail), path in zip(found, longer, strict=True):
        one = guid(code.get("guid"))
        label = trail[-1] if names.count(trail[-1]) == 1 else path
        labels[one] = label if label not in labels.values() else f"{label} ({one[:8]})"
        above = code.getparent()
        parent = labels.get(guid(above.get("guid")), "")
        rows.append((labels[one], trail[-1], parent, code.get("color", ""),
                     code.findtext(P + "Description") or "", one))  # fmt: skip
    return pd.DataFrame(rows, columns=list(CODES)), labels


def _coders(root: Any) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return pseudonyms for coders: a name that could be a person's does not leave the file."""
    who: dict[str, str] = {}
    users = root.findall(f"{P}Users/{P}User")
    for number, user in enumerate(users, start=1):
        name = user.get("name") or ""
        fits = PSEUDONYM.fullmatch(name) and name not in who.values()
        who[guid(user.get("guid"))] = name if fits else f"coder-{number}"
    table = pd.DataFrame({"coder": list(who.values()), "guid": list(who)}, dtype=object)
    return table, who


def _selections(
    sources: list[_Source], how: Convention, labels: Mapping[str, str], who: Mapping[str, str]
) -> tuple[list[tuple[Any, ...]], list[tuple[str, int, int, str, str]]]:
    """Return a row per coding, those that cannot be placed apart; positions become ours."""
    rows, problems = [], []
    coding_tag, ref_tag = P + "Coding", P + "CodeRef"
    for source in sources:
        text = source.ruler.text
        (starts, ends), _ = source.ruler.read(source.start, source.end, how)
        places = zip(source.selections, source.start.tolist(), source.end.tolist(),
                     starts.tolist(), ends.tolist(), strict=True)  # fmt: skip
        for element, was, until, start, end in places:
            why = "" if start < end else "empty" if start == end >= 0 else "outside"
            if start >= 0:
                element.set("startPosition", str(start))
                element.set("endPosition", str(end))
            maker = element.get("creatingUser")
            for coding in element.iterchildren(coding_tag):
                one = guid(coding.get("guid"))
                if why:
                    problems.append((source.label, was, until, why, one))
                    continue
                coder = who.get(guid(coding.get("creatingUser", maker)), UNKNOWN)
                code = labels[guid(coding.find(ref_tag).get("targetGUID"))]
                rows.append((source.label, coder, code, start, end, text[start:end], one))
    return rows, problems


def _notes(
    root: Any, found: Positions, codes: pd.DataFrame, coders: pd.DataFrame,
    problems: list[tuple[str, int, int, str, str]], outside: int, shown: int,
) -> tuple[Note, ...]:  # fmt: skip
    notes = []
    elsewhere = sum(1 for _ in root.iter(P + "PlainTextSelection")) - shown
    if found.score == found.score:
        score = f"{found.score:.0%}"
        if found.convention == UNDETERMINED:
            notes.append(note("exchange.undetermined", score=score, read_as=found.read_as))
        elif found.convention != str(STANDARD):
            notes.append(note("exchange.read_as", convention=found.convention, score=score))
    if problems:
        reasons = pd.Series([why for *_, why, _ in problems]).value_counts()
        why = ", ".join(f"{n} {reason}" for reason, n in reasons.items())
        notes.append(note("exchange.not_taken", n=len(problems), why=why))
    if media := sum(1 for name in MEDIA for _ in root.iter(P + name)) + elsewhere:
        notes.append(note("exchange.not_shown", n=media))
    if broad := sum(len(root.findall(path)) for path in BROAD):
        notes.append(note("exchange.whole", n=broad))
    if replaced := int(coders["coder"].str.fullmatch(r"coder-\d+").sum()):
        notes.append(note("exchange.names", n=replaced))
    plain = codes["name"].str.strip().str.casefold()
    if len(same := codes.loc[plain.duplicated(keep=False), "name"]):
        notes.append(note("exchange.same_names", names=listed(map(repr, same))))
    if outside:
        notes.append(note("exchange.outside", n=outside))
    return tuple(notes)
