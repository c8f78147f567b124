"""The XML of a REFI-QDA project: parsed safely, brought to one form, and checked."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from expertise.errors import FileError
from expertise.files.xml import check_xml

PROJECT = "urn:QDA-XML:project:1.0"
CODEBOOKS = ("urn:QDA-XML:codebook:1.0", "urn:QDA-XML:codebook:0:4")
P = f"{{{PROJECT}}}"
# What an element holds first, in the order of the schema.
ORDER = ("Users", "CodeBook", "Variables", "Cases", "Sources", "Notes", "Links", "Sets",
         "Graphs", "Description", "NoteRef")  # fmt: skip
# An instruction that other programs skip: positions here follow the letter of the standard.
STATED = ("expertise-positions", "codepoints crlf2 nobom exclusive")
PATHS = ("plainTextPath", "richTextPath", "path", "currentPath")
WHOLE = re.compile(r"\s*[+-]?[0-9]{1,18}\s*", re.ASCII)


def parse(data: bytes, name: str) -> Any:
    """Return the root element; no DTD, no entities, no network, no deep nesting."""
    check_xml(data, name)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True,
        remove_comments=False, remove_pis=False,
    )  # fmt: skip
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise FileError(f"{name}: not well-formed XML ({error})") from None


def is_stated(root: Any) -> bool:
    """Say whether the file tells, as ours do, that it follows the letter of the standard."""
    before = root.itersiblings(etree.ProcessingInstruction, preceding=True)
    return any((one.target, one.text) == STATED for one in before)


def state(root: Any) -> None:
    """Write, once, that positions follow the letter of the standard."""
    if not is_stated(root):
        root.addprevious(etree.ProcessingInstruction(*STATED))


def guid(text: str | None) -> str:
    """Return a GUID in one form: lower case, without braces.

    >>> guid("{00000000-0000-0000-0000-0000000000C1}")
    '00000000-0000-0000-0000-0000000000c1'
    """
    return (text or "").strip().strip("{}").lower()


def normalise(root: Any, file: str) -> None:
    """Bring what exporters vary to the form of the schema, losing nothing.

    Codebooks in a namespace of their own, members of sets named by `guid`,
    sets inside the codebook, and paths that show a user's folders.
    """
    for element in root.iter(etree.Element):
        space, _, name = element.tag[1:].rpartition("}")
        if space in CODEBOOKS:
            element.tag = P + name
        elif space != PROJECT:
            continue
        if name == "MemberCode" and "targetGUID" not in element.attrib and "guid" in element.attrib:
            element.set("targetGUID", element.attrib.pop("guid"))
    if root.tag != P + "Project":
        raise FileError(f"{file}: its first element is {etree.QName(root).localname!r}, "
                        "a REFI-QDA project begins with Project")  # fmt: skip
    etree.cleanup_namespaces(root)
    root.attrib.pop("basePath", None)
    book = root.find(P + "CodeBook")
    if book is not None and (sets := book.find(P + "Sets")) is not None:
        book.remove(sets)
        child(root, "Sets").extend(list(sets))


def child(root: Any, name: str) -> Any:
    """Return a child of the project, made at its place in the schema when it is not there."""
    found = root.find(P + name)
    if found is None:
        found = etree.Element(P + name)
        before = {P + other for other in ORDER[: ORDER.index(name)]}
        places = [place for place, one in enumerate(root) if one.tag in before]
        root.insert(places[-1] + 1 if places else 0, found)
    return found


def check(root: Any, file: str) -> None:
    """Refuse double GUIDs, references to no code, and sets that contain themselves."""
    seen: set[str] = set()
    for element in root.iter(etree.Element):
        if (value := element.get("guid")) is not None:
            if (one := guid(value)) in seen:
                raise FileError(f"{file}: the GUID {one[:40]!r} stands there twice; export it anew")
            seen.add(one)
    codes = {guid(code.get("guid")) for code in root.iter(P + "Code")}
    for reference in root.iter(P + "CodeRef"):
        if (target := guid(reference.get("targetGUID"))) not in codes:
            raise FileError(
                f"{file}, line {reference.sourceline}: a coding refers to code {target[:40]!r}, "
                "which is not in the codebook; export it anew"
            )
    _check_sets(root, file)


def _check_sets(root: Any, file: str) -> None:
    members: Mapping[str, set[str]] = {
        guid(one.get("guid")): {guid(member.get("targetGUID")) for member in one}
        for one in root.iter(P + "Set")
    }
    done: set[str] = set()
    for first in members:
        trail, ahead = [first], [iter(sorted(members[first]))]
        while ahead:
            inner = next((name for name in ahead[-1] if name in members), None)
            if inner is None:
                done.add(trail.pop())
                ahead.pop()
            elif inner in trail:
                raise FileError(f"{file}: the set {inner!r} contains itself; export it anew")
            elif inner not in done:
                trail.append(inner)
                ahead.append(iter(sorted(members[inner])))


def whole(element: Any, name: str, file: str) -> int:
    """Return a position, which must be a whole number in plain digits."""
    text = element.get(name, "")
    if not WHOLE.fullmatch(text):
        raise FileError(
            f"{file}, line {element.sourceline}: {name} is {text[:40]!r}; "
            "positions are whole numbers"
        )
    return int(text)


def internal(path: str, file: str) -> str:
    """Return the name inside sources/ that an internal:// path points to."""
    name = path.removeprefix("internal://")
    if not name or "/" in name or "\\" in name or name in (".", "..") or "\0" in name:
        raise FileError(f"{file}: the source {path[:80]!r} leads outside the file; it is not read")
    return name


def paths(root: Any) -> Iterator[tuple[Any, str, str]]:
    """Give every path to a source: element, attribute, value."""
    for element in root.iter(etree.Element):
        for name in PATHS:
            if value := element.get(name):
                yield element, name, value


def prune(root: Any) -> None:
    """Take out containers that hold nothing, which the schema does not allow."""
    for name in ("Users", "Variables", "Cases", "Sources", "Notes", "Links", "Sets", "Graphs"):
        found = root.find(P + name)
        if found is not None and len(found) == 0:
            root.remove(found)
    book = root.find(P + "CodeBook")
    if book is not None and not list(book.iter(P + "Code")):
        root.remove(book)


def text_sources(root: Any) -> dict[str, Any]:
    """Return every text source under a label of its own, in the file's order."""
    found = root.findall(f"{P}Sources/{P}TextSource")
    names = [one.get("name") or guid(one.get("guid")) for one in found]
    return {
        name if names.count(name) == 1 else f"{name} ({guid(one.get('guid'))[:8]})": one
        for name, one in zip(names, found, strict=True)
    }
