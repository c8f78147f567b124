"""Every format brings its words over, or says what it left behind; nothing comes in by halves."""

import bz2
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from expertise.errors import DataError, FileError, StudyError
from expertise.narratives.corpus import read_corpus
from expertise.narratives.importing import import_texts, normalised

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
ODT = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
)


def write_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def imported(tmp_path, path, **options):
    result = import_texts([path], tmp_path / "corpus", **options)
    words = (tmp_path / "corpus" / "texts" / f"{result.entries[0].id}.txt").read_text("utf-8")
    return words, [str(item) for item in result.notes], result


def test_docx_keeps_insertions_tables_and_boxes_and_says_so(tmp_path):
    body = (
        "<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:r><w:t>Eerst</w:t><w:tab/><w:t>dit</w:t>"
        "</w:r><w:ins><w:r><w:t xml:space='preserve'> erbij</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>weg</w:delText></w:r></w:del></w:p>"
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>I</w:t></w:r></w:p></w:tc>"
        "<w:tc><w:p><w:r><w:t>hoop</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>veld</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    path = write_zip(
        tmp_path / "een.docx",
        {
            "word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>",
            "word/footnotes.xml": f"<w:footnotes {W}/>",
            "word/comments.xml": f"<w:comments {W}/>",
        },
    )
    words, notes, _ = imported(tmp_path, path)
    assert words == "Eerst\tdit erbij\nI\thoop\nveld"
    assert notes == [
        "een.docx: footnotes did not come over.",
        "een.docx: comments did not come over.",
        "een.docx: has tracked changes; inserted words came over, deleted words did not.",
        "een.docx: has a table; its cells came over row by row.",
    ]


def test_docx_from_the_usual_writer(tmp_path):
    docx = pytest.importorskip("docx")
    document = docx.Document()
    document.add_heading("Mijn verhaal")
    document.add_paragraph("Ik héb hoop 👩‍👩‍👧.")
    document.save(str(tmp_path / "b.docx"))
    assert imported(tmp_path, tmp_path / "b.docx")[0] == "Mijn verhaal\nIk héb hoop 👩‍👩‍👧."


def test_odt_leaves_deleted_words_out(tmp_path):
    body = (
        "<text:tracked-changes><text:p>weg</text:p></text:tracked-changes>"
        "<text:h>Kop</text:h><text:p>Ik <text:span>heb<text:s text:c='2'/></text:span>hoop"
        "<text:note><text:p>voet</text:p></text:note>.<text:line-break/>Ja</text:p>"
        "<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell>"
        "<table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table>"
    )
    content = (
        f"<office:document-content {ODT}><office:body><office:text>{body}"
        "</office:text></office:body></office:document-content>"
    )
    path = write_zip(tmp_path / "twee.odt", {"content.xml": content})
    words, notes, _ = imported(tmp_path, path)
    assert words == "Kop\nIk heb  hoop.\nJa\na\tb"
    assert [note.split(": ")[1][:12] for note in notes] == [
        "has tracked ",
        "has a table;",
        "footnotes di",
    ]


def test_odt_with_a_password_is_refused(tmp_path):
    members = {"content.xml": "x", "META-INF/manifest.xml": "<m><encryption-data/></m>"}
    path = write_zip(tmp_path / "slot.odt", members)
    with pytest.raises(FileError, match=r"slot.odt has a password or is an old Word document"):
        imported(tmp_path, path)
    (tmp_path / "slot.docx").write_bytes(b"\xd0\xcf\x11\xe0" + b"x" * 600)
    with pytest.raises(FileError, match=r"slot.docx has a password or is an old Word document"):
        imported(tmp_path, tmp_path / "slot.docx")
    with pytest.raises(FileError, match=r"leeg.docx: holds no word/document.xml"):
        imported(tmp_path, write_zip(tmp_path / "leeg.docx", {"x": "y"}))


def test_html_reads_blocks_as_lines(tmp_path):
    (tmp_path / "a.html").write_text(
        "<html><head><title>t</title></head><body><p>Ik   heb\n<b>hoop</b>.</p><script>x()</script>"
        "<div>Ja<br>nee</div><img src=x></body></html>",
        "utf-8",
    )
    words, notes, _ = imported(tmp_path, tmp_path / "a.html")
    assert words == "Ik   heb hoop.\nJa\nnee"
    assert notes == ["a.html: pictures did not come over."]


def test_rtf_reads_old_letters(tmp_path):
    (tmp_path / "a.rtf").write_bytes(rb"{\rtf1\ansi\ansicpg1252 Zo\'eb had {\b hoop}.\par Ja\pict}")
    words, notes, _ = imported(tmp_path, tmp_path / "a.rtf")
    assert words.startswith("Zoë had hoop.\nJa")
    assert notes == ["a.rtf: pictures did not come over."]
    (tmp_path / "b.rtf").write_text("geen rtf")
    with pytest.raises(FileError, match=r"b.rtf is not RTF, though its name says so"):
        imported(tmp_path, tmp_path / "b.rtf")


def test_subtitles_become_turns(tmp_path):
    (tmp_path / "a.vtt").write_text(
        "WEBVTT\n\n00:00.000 --> 00:01.000\n<v Interviewer>Hoe <i>gaat</i> het?</v>\n\n"
        "00:01.000 --> 00:02.000\n<v Ria>Ik hield</v>\n\n"
        "00:02.000 --> 00:03.000\n<v Ria>vol.</v>\n",
        "utf-8",
    )
    words, _, result = imported(tmp_path, tmp_path / "a.vtt")
    assert words == "Interviewer: Hoe <i>gaat</i> het?\nRia: Ik hield vol."
    assert result.entries[0].speakers == {"Interviewer": "interviewer", "Ria": "narrator"}


def make_pdf(path, words, password=None):
    pypdf = pytest.importorskip("pypdf")
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = pypdf.PdfWriter()
    for line in words:
        page = writer.add_blank_page(300, 300)
        font = DictionaryObject({
            NameObject("/Type"): NameObject("/Font"), NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        })  # fmt: skip
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
        )
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 20 100 Td ({line}) Tj ET".encode() if line else b"")
        page[NameObject("/Contents")] = writer._add_object(stream)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    writer.write(path)
    return path


def test_pdf_is_read_page_by_page(tmp_path):
    words, notes, _ = imported(tmp_path, make_pdf(tmp_path / "a.pdf", ["Ik heb hoop.", "", "Nog."]))
    assert words == "Ik heb hoop.\n\nNog."
    assert "a.pdf: pages without text (pictures?): 2." in notes


def test_pdf_with_a_password_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"slot.pdf is refused: it has a password"):
        imported(tmp_path, make_pdf(tmp_path / "slot.pdf", ["x"], "geheim"))


def test_transcripts_say_who_narrates(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("A: hoe was het?\nB: zwaar\nC: ja\n", "utf-8")
    with pytest.raises(FileError, match="3 speakers have labels, and it is not clear who narrates"):
        imported(tmp_path, path)
    roles = {"A": "interviewer", "B": "narrator", "C": "naaste", "D": "interviewer"}
    _, _, result = imported(tmp_path, path, speakers=roles)
    assert result.entries[0].speakers == {"A": "interviewer", "B": "narrator", "C": "naaste"}
    plain = tmp_path / "verhaal.txt"
    plain.write_text("Ik zei: ga.\nEn toen\nging hij: weg\nlet op: zo\n", "utf-8")
    assert import_texts([plain], tmp_path / "corpus").entries[0].speakers == {}


def test_what_came_in_opens_as_a_corpus(tmp_path):
    (tmp_path / "Één Verhaal.txt").write_bytes(
        "re\u0301gel 1\r\nregel 2\rregel \x073\u2028".encode()
    )
    about = pd.DataFrame({"file": ["Één Verhaal.txt"], "participant": ["p1"], "wave": ["T1"]})
    result = import_texts([tmp_path / "Één Verhaal.txt"], tmp_path / "corpus", about)
    assert "Texts imported into corpus: 1." in repr(result)
    assert "gel 1" not in repr(result) + result._repr_html_()
    people = pd.DataFrame({"participant": ["p1"], "perspective": ["patient"], "use": ["yes"]})
    corpus = read_corpus(tmp_path / "corpus", people)
    assert corpus["een-verhaal"].text == "régel 1\nregel 2\nregel 3"
    assert result.glance().to_dict("records") == [{"n": 1, "n_people": 1}]
    again = import_texts([tmp_path / "Één Verhaal.txt"], tmp_path / "corpus", about)
    assert (len(again.entries), str(again.notes[-1])[:25]) == (0, "1 files were imported bef")
    (tmp_path / "Één Verhaal.txt").write_text("anders")
    with pytest.raises(FileError, match="'een-verhaal' is already in the corpus with other words"):
        import_texts([tmp_path / "Één Verhaal.txt"], tmp_path / "corpus", about)


def test_nothing_is_imported_by_halves(tmp_path):
    good, bad = tmp_path / "a.txt", tmp_path / "b.txt"
    good.write_text("hoop")
    bad.write_bytes(b"ho\xc0op")
    with pytest.raises(FileError, match=r"b.txt, line 1: byte 2 is not UTF-8"):
        import_texts([good, bad], tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()
    (tmp_path / "corpus" / "texts").mkdir(parents=True)
    (tmp_path / "corpus" / "texts" / "c.txt").write_text("van een ander")
    (tmp_path / "c.txt").write_text("hoop")
    with pytest.raises(StudyError, match=r"texts/c.txt is there, but corpus.toml does not list it"):
        import_texts([good, tmp_path / "c.txt"], tmp_path / "corpus")
    assert [path.name for path in (tmp_path / "corpus").rglob("*.*")] == ["c.txt"]


def test_doubles_are_named(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text("zelfde verhaal")
    result = import_texts([tmp_path / "a.txt", tmp_path / "b.txt"], tmp_path / "corpus")
    assert str(result.notes[0]) == "1 texts have the same words as another: b (as a)."
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.txt").write_text("nog een")
    with pytest.raises(FileError, match="two sources would become text 'a'"):
        import_texts([tmp_path / "a.txt", tmp_path / "x" / "a.txt"], tmp_path / "corpus")


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ({"bestand": ["a.txt"]}, "about has a column 'bestand'; allowed are file, id"),
        ({"id": ["a"]}, "about has no column 'file'"),
        ({"file": ["z.txt"]}, "about names z.txt, which is not among the files"),
        ({"file": ["a.txt"], "id": ["../a"]}, r"gives a.txt the id '../a'; an id has letters"),
    ],
)
def test_impossible_facts_are_refused(tmp_path, about, sentence):
    (tmp_path / "a.txt").write_text("hoop")
    with pytest.raises(DataError, match=sentence):
        import_texts([tmp_path / "a.txt"], tmp_path / "corpus", pd.DataFrame(about))


def test_unknown_formats_are_refused(tmp_path):
    with pytest.raises(FileError, match=r"a.pages: files that end in '.pages' are not read"):
        imported(tmp_path, tmp_path / "a.pages")


def test_normalising_twice_changes_nothing():
    text, notes = normalised("\u202ea\ufeffb\r\n\n\n\nc \x1b[31m" + "h" + "\u0301" * 20 + "\r", "f")
    assert normalised(text, "f")[0] == text
    assert {note.key.split(".")[1] for note in notes} == {
        "mixed_ends", "controls", "bom_inside", "direction", "stacked",
    }  # fmt: skip


BAD = {
    "txt_whitespace.txt": "is empty", "txt_control_chars.txt": "NUL|byte",
    "txt_lone_surrogate.txt": "byte 3",
    "txt_invalid_utf8.txt": "byte", "txt_1gb_line.txt.bz2": "at most 20 MB",
    "txt_many_tiny_lines.txt.bz2": "empty", "txt_is_binary.txt": "not UTF-8",
    "srt_bad_numbers.srt": "line 6", "docx_laughs.docx": "document type",
    "docx_internal_entity.docx": "document type", "odt_space_bomb.odt": "blanks",
    "pdf_no_text.pdf": "OCR is needed", "pdf_page_loop.pdf": "refused", "pdf_flate_bomb.pdf": "pdf",
}  # fmt: skip


@pytest.fixture
def apart():
    """Import one file in a process of its own: what came of it, CPU seconds, MB on top."""
    # Not a fork of this process, whose size would count as the importer's.
    runner = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("apart.py"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip

    def ask(path, folder):
        runner.stdin.write(json.dumps([str(path), str(folder)]) + "\n")
        runner.stdin.flush()
        return json.loads(runner.stdout.readline())

    yield ask
    runner.communicate(timeout=30)


def test_bad_inputs_end_as_their_index_says(bad_inputs, tmp_path, apart):
    index = pd.read_csv(bad_inputs / "index.csv", keep_default_na=False)
    rows = index[index["name"].str.match(r"(txt|vtt|srt|docx|odt|pdf)_")]
    assert set(rows["name"][rows["outcome"] == "reject"]) == set(BAD)
    for name, outcome in zip(rows["name"], rows["outcome"], strict=True):
        path = bad_inputs / name
        if path.suffix == ".bz2":
            path = tmp_path / path.stem
            with bz2.open(bad_inputs / name) as packed, path.open("wb") as out:
                if "1gb" in name:
                    out.truncate(1_074_000_000)
                else:
                    out.write(packed.read())
        came, seconds, megabytes = apart(path, tmp_path / f"c-{name}")
        if outcome == "reject":
            assert re.search(BAD[name], came)
            assert not (tmp_path / f"c-{name}").exists()
        else:
            assert came == "1 texts"
        assert seconds < 5
        assert megabytes < 300


def test_direct_identifiers_are_counted_and_not_repeated(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("Bel 06-12345678 of mail ria@voorbeeld.nl. Mijn BSN is 123456782.", "utf-8")
    notes = [str(item) for item in import_texts([path], tmp_path / "corpus").notes]
    assert "(1 bsn, 1 e-mail, 1 telefoonnummer)" in notes[0]
    assert "123" not in notes[0]
    assert "ria" not in notes[0]
