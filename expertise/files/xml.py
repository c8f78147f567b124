"""XML without surprises: no DTD, no entities, no deep nesting, UTF-8 or UTF-16 only."""

from xml.etree.ElementTree import Element
from xml.parsers.expat import ExpatError, ParserCreate, errors

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from expertise.errors import FileError

MAX_DEPTH = 200
_ENCODINGS = {"utf-8", "utf-16", "utf-16le", "utf-16be", "us-ascii"}


def parse_xml(data: bytes, name: str) -> Element:
    """Return the root element of an XML document that holds nothing dangerous.

    Parameters
    ----------
    data
        The document as bytes, so that its own encoding counts.
    name
        What messages call the document.

    Raises
    ------
    FileError
        A DTD or entity, an encoding other than UTF-8 or UTF-16, elements
        nested deeper than 200, or text that is not well formed (with its line).

    >>> parse_xml(b"<a><b/></a>", "a.xml").tag
    'a'
    """
    check_xml(data, name)
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise FileError(f"{name}: not well-formed XML ({error})") from None
    return root


def check_xml(data: bytes, name: str) -> None:
    """Refuse what `parse_xml` refuses, keeping nothing in memory."""
    parser = ParserCreate()
    depth = 0

    def refuse(what: str) -> None:
        raise FileError(f"{name}, line {parser.CurrentLineNumber}: {what}")

    def start(tag: str, attributes: object) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            refuse(f"elements are nested deeper than {MAX_DEPTH}")

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1

    def declaration(version: str, encoding: str | None, standalone: int) -> None:
        if encoding and encoding.lower() not in _ENCODINGS:
            refuse(f"encoding {encoding!r} is declared; only UTF-8 and UTF-16 are read")

    def doctype(*_: object) -> None:
        refuse("a document type or entity is declared, which is not read; remove it")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.XmlDeclHandler = declaration
    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = doctype
    try:
        parser.Parse(data, True)
    except ExpatError as error:
        unknown = errors.messages.get(error.code) == errors.XML_ERROR_UNKNOWN_ENCODING
        what = "only UTF-8 and UTF-16 are read" if unknown else "not well-formed XML"
        raise FileError(f"{name}, line {error.lineno}: {what}") from None
