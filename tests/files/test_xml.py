import codecs

import pytest

from expertise.errors import FileError
from expertise.files.xml import MAX_DEPTH, parse_xml


def nested(depth):
    return b"<a>" * depth + b"</a>" * depth


@pytest.mark.parametrize(
    "data",
    [
        "<a>Zoë</a>".encode(),
        codecs.BOM_UTF8 + "<a>Zoë</a>".encode(),
        '<?xml version="1.0" encoding="UTF-16"?><a>Zoë</a>'.encode("utf-16"),
    ],
)
def test_utf8_and_utf16_are_read(data):
    assert parse_xml(data, "a.xml").text == "Zoë"


def test_depth_has_a_limit():
    assert parse_xml(nested(MAX_DEPTH), "a.xml").tag == "a"
    with pytest.raises(FileError, match=r"a\.xml, line 1: elements are nested deeper than 200"):
        parse_xml(nested(MAX_DEPTH + 1), "a.xml")
    with pytest.raises(FileError, match="nested deeper than 200"):
        parse_xml(nested(1_000_000), "a.xml")


@pytest.mark.parametrize(
    "data",
    [
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
    ],
)
def test_document_types_are_refused(data):
    with pytest.raises(FileError, match="a document type or entity is declared"):
        parse_xml(data, "a.xml")


@pytest.mark.parametrize("encoding", ["UTF-7", "ISO-8859-1", "windows-1252", "x-unknown"])
def test_other_encodings_are_refused(encoding):
    data = f'<?xml version="1.0" encoding="{encoding}"?><a/>'.encode()
    with pytest.raises(FileError, match="only UTF-8 and UTF-16 are read"):
        parse_xml(data, "a.xml")


@pytest.mark.parametrize(
    ("data", "line"), [(b"", 1), (b"<a>\n<b></a>", 2), (b"<a>\n\n&x;</a>", 3), (b"<a/>\n<b/>", 2)]
)
def test_broken_xml_names_its_line(data, line):
    with pytest.raises(FileError, match=rf"a\.xml, line {line}: not well-formed XML"):
        parse_xml(data, "a.xml")
