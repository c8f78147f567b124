import codecs

import pytest

from expertise.errors import FileError
from expertise.files.text import lines_of, read_text


@pytest.fixture
def written(tmp_path):
    def write(data):
        path = tmp_path / "verhaal.txt"
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("Zoë".encode(), "utf-8"),
        (codecs.BOM_UTF8 + "Zoë".encode(), "utf-8"),
        (codecs.BOM_UTF16_LE + "Zoë".encode("utf-16-le"), "utf-16"),
        (codecs.BOM_UTF16_BE + "Zoë".encode("utf-16-be"), "utf-16"),
        (codecs.BOM_UTF32_LE + "Zoë".encode("utf-32-le"), "utf-32"),
        ("Zoë".encode("cp1252"), "cp1252"),
    ],
)
def test_encodings_give_the_same_text(written, data, encoding):
    found = read_text(written(data))
    assert (found.text, found.encoding) == ("Zoë", encoding)
    assert bool(found.notes) == (encoding == "cp1252")


def test_cp1252_is_noted_in_both_languages(written):
    (note,) = read_text(written("“hoop”".encode("cp1252"))).notes
    assert str(note).startswith("verhaal.txt is not UTF-8 and was read as CP1252")
    assert note.text("nl").startswith("verhaal.txt is geen UTF-8")


def test_double_encoding_is_noted_with_its_lines_and_left(written):
    twice = "een\nZoë’s café".encode().decode("cp1252")
    found = read_text(written(twice.encode()))
    assert found.text == twice
    assert "doubly encoded on line 2" in str(found.notes[0])


@pytest.mark.parametrize("text", ["Ã is a letter", "SÃO PAULO", "€ 5 – “ja”", "Âge"])
def test_real_letters_are_no_double_encoding(written, text):
    assert read_text(written(text.encode())).notes == ()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "verhaal.txt is empty; nothing was read"),
        (b" \r\n\t", "verhaal.txt is empty; nothing was read"),
        ("\u200b \xa0\n".encode(), "verhaal.txt is empty: it holds only white space"),
        ("tekst".encode("utf-16-le"), "encoding not recognised"),
        (b"een\ntw\0ee", "verhaal.txt, line 2: holds a NUL character"),
        ("Zoë".encode() + b"\n\xff", "verhaal.txt, line 2: byte 5 is not UTF-8; save it anew"),
        (b"ab\x81", "line 1: byte 2 is not UTF-8"),
        (codecs.BOM_UTF8 + b"a\xff", "byte 1 is not UTF-8, which the start of the file announces"),
        (codecs.BOM_UTF16_LE + b"a", "is not UTF-16"),
        (b"PK\x03\x04rest", "verhaal.txt is a ZIP archive, not text"),
        (b"%PDF-1.7", "is a PDF, not text"),
        (b"\x7fELF", "is a program, not text"),
    ],
)
def test_what_is_no_text_is_refused(written, data, sentence):
    with pytest.raises(FileError, match=sentence):
        read_text(written(data))


def test_old_encodings_can_be_refused(written):
    with pytest.raises(FileError, match="byte 2 is not UTF-8"):
        read_text(written("Zoë".encode("cp1252")), legacy=False)


def test_size_is_judged_before_reading(written):
    with pytest.raises(FileError, match="at most 0 MB is read; split it"):
        read_text(written(b"a" * 100), max_bytes=10)


def test_absent_file(tmp_path):
    with pytest.raises(FileError, match=r"weg\.txt does not exist; check the path"):
        read_text(tmp_path / "weg.txt")


def test_lines_end_as_editors_end_them():
    text = "a\r\nb\rc\nd\u2028e\x0bf"
    assert lines_of(text, [text.index(letter) for letter in "abcdf"]) == [1, 2, 3, 4, 4]
