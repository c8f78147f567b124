"""QDPX in and out: every exporter's positions, nothing lost, valid by the schema."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lxml import etree

from expertise.errors import DataError, FileError
from expertise.exchange.formats import write_codings, write_html
from expertise.exchange.positions import CONVENTIONS, Positions, Ruler, convention
from expertise.exchange.project import make_project
from expertise.exchange.qdc import QdaCodebook, read_qdc, write_qdc
from expertise.exchange.reading import read_qdpx
from expertise.exchange.writing import write_qdpx

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parent / "Project.xsd"))
NS = "urn:QDA-XML:project:1.0"
WORDS = ["hoop", "verzet", "café", "cafe\u0301", "licht", "👩‍👩‍👧", "moe", "zus", "naïef", "nee"]


def story(seed=3, n=400):
    """An invented text with CRLF ends, emoji and combining accents."""
    rng = np.random.default_rng(seed)
    lines = (" ".join(rng.choice(WORDS, 7)) for _ in range(n // 7))
    return "\r\n".join(f"{line}." for line in lines) + "\r\n"


def spans(text, n=60, seed=5):
    """Passages of one to four words, as code points of the text with LF."""
    rng = np.random.default_rng(seed)
    starts = [i for i in range(len(text)) if text[i].isalpha() and not text[i - 1 : i].isalpha()]
    found = []
    for start in rng.choice(starts[:-30], n, replace=False).tolist():
        end = start + 1
        for _ in range(int(rng.integers(1, 4))):
            while text[end].isalpha() or text[end] == "\u0301":
                end += 1
            if text[end] == " " and text[end + 1].isalpha():
                end += 1
        found.append((start, end if text[end - 1] != " " else end - 1))
    return found


def foreign(raw, passages, how):
    """Positions of passages (code points, LF, no BOM) as an exporter counts them."""
    ours = raw.removeprefix("\ufeff").replace("\r\n", "\n")
    size = {"codepoints": len, "utf16": lambda t: len(t.encode("utf-16-le")) // 2,
            "bytes": lambda t: len(t.encode())}[how.unit]  # fmt: skip
    two = how.newline == "lf2" or (how.newline == "crlf2" and "\r\n" in raw)
    first = size("\ufeff") if how.bom == "bom" else 0

    def count(position):
        before = ours[:position]
        return first + size(before) + two * before.count("\n")

    return [(count(s), count(e) - (how.end == "inclusive")) for s, e in passages]


def guid(kind, n):
    return f"{kind * 8}-0000-0000-0000-{n:012x}"


def qde(selections, *, source='plainTextPath="internal://a.txt"', extra="", inside="", users=""):
    coded = "".join(
        f'<PlainTextSelection guid="{guid("e", i)}" startPosition="{s}" endPosition="{e}" '
        f'creatingUser="{guid("a", 1)}"><Coding guid="{guid("f", i)}" '
        f'creatingUser="{guid("a", 1)}"><CodeRef targetGUID="{guid("c", 1 + i % 2)}"/></Coding>'
        "</PlainTextSelection>"
        for i, (s, e) in enumerate(selections)
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><Project xmlns="{NS}" name="proef" origin="x">'
        f'<Users><User guid="{guid("a", 1)}" name="c01"/>{users}</Users>'
        f'<CodeBook><Codes><Code guid="{guid("c", 1)}" name="Hoop" isCodable="true" '
        f'color="#00636B"><Description>Kijkt vooruit.</Description><Code guid="{guid("c", 2)}" '
        f'name="Verzet" isCodable="true"/></Code></Codes></CodeBook>'
        f'<Sources><TextSource guid="{guid("b", 1)}" name="a" {source}>{inside}{coded}'
        f"</TextSource></Sources>{extra}</Project>"
    )


def packed(path, inner, files=None, name="project.qde", folder="sources"):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, inner)
        for member, data in (files or {}).items():
            archive.writestr(f"{folder}/{member}", data)
    return path


def found(tmp_path, raw, passages, how):
    """Read passages that an exporter counted in its way."""
    positions = foreign(raw, passages, how)
    return read_qdpx(packed(tmp_path / "x.qdpx", qde(positions), {"a.txt": raw.encode()}))


# With CRLF in the file, lf2 is crlf2.
@pytest.mark.parametrize("how", [one for one in CONVENTIONS if one.newline != "lf2"], ids=str)
def test_every_convention_is_found(tmp_path, how):
    raw = "\ufeff" + story()
    text = raw[1:].replace("\r\n", "\n")
    passages = spans(text)
    file = packed(tmp_path / "x.qdpx", qde(foreign(raw, passages, how)), {"a.txt": raw.encode()})
    project = read_qdpx(file)
    assert project.positions.convention == str(how)
    assert project.positions.score > 0.9
    assert project.positions.runner_up < 0.5
    assert project.texts["a"] == text
    read = list(zip(project.selections["start"], project.selections["end"], strict=True))
    assert read == passages
    assert project.selections["text"].tolist() == [text[s:e] for s, e in passages]
    again = read_qdpx(file, positions=str(how))
    assert again.positions.given
    pd.testing.assert_frame_equal(again.selections, project.selections)


@pytest.mark.parametrize("how", [one for one in CONVENTIONS if one.newline != "crlf1"], ids=str)
def test_the_same_without_a_mark_and_with_lf(tmp_path, how):
    """An exporter may count a mark and two for a line end that are not in the file."""
    raw = story().replace("\r\n", "\n")
    project = found(tmp_path, raw, spans(raw), how)
    assert project.positions.convention == str(how)
    assert project.selections["text"].tolist() == [raw[s:e] for s, e in spans(raw)]


@pytest.mark.parametrize("last", ["👧 licht", "café licht", "nee\r\nlicht"])
@pytest.mark.parametrize("unit", ["codepoints", "utf16", "bytes"])
def test_few_selections_decide_when_only_they_differ(tmp_path, unit, last):
    """Fifty passages that all readings place alike say nothing about the fifty-first."""
    raw = "hoop " * 300 + last + " op weg naar huis"
    text = raw.replace("\r\n", "\n")
    passages = [(5 * i, 5 * i + 4) for i in range(50)] + [(text.index("licht"), text.index(" op"))]
    for newline in ("crlf2", "crlf1") if "\r" in raw else ("crlf2",):
        how = convention(f"{unit} {newline} nobom exclusive")
        project = found(tmp_path, raw, passages, how)
        assert project.selections["text"].tolist() == ["hoop"] * 50 + ["licht"]
        assert project.positions.score == 1
        same = foreign(raw, passages, how) == foreign(raw, passages, CONVENTIONS[0])
        assert (project.positions.convention == str(CONVENTIONS[0])) == same


def test_what_every_reading_places_alike_is_the_letter_of_the_standard(tmp_path):
    project = read_qdpx(
        packed(tmp_path / "x.qdpx", qde([(12, 16)]), {"a.txt": b"Ik heb weer hoop."})
    )
    assert project.positions == Positions(convention=str(CONVENTIONS[0]), score=1.0, runner_up=0.0)


def test_what_decides_nothing_is_left_open_and_the_rest_is_used(tmp_path):
    """Ends are surely inclusive; the one cut after the emoji fits no unit."""
    raw = "hoop " * 50 + "👧 licht op weg"
    passages = [(5 * i, 5 * i + 4) for i in range(50)] + [(raw.index("icht"), raw.index("ht"))]
    project = found(tmp_path, raw, passages, convention("codepoints crlf2 nobom inclusive"))
    assert project.positions.convention == "undetermined"
    assert project.positions.read_as == "codepoints crlf2 nobom inclusive"
    assert set(project.selections["text"]) == {"hoop", "ic"}
    assert "positions were read as codepoints crlf2 nobom inclusive" in str(project.notes[0])


def test_sentences_without_their_stop_may_be_sentences_with_the_end_inclusive(tmp_path):
    text = "Ik hoop. Ik zie licht! Nee, zei zij. En dan? Moe."
    cuts = [(0, 7), (9, 21), (23, 35), (37, 43), (45, 48)]
    project = read_qdpx(packed(tmp_path / "x.qdpx", qde(cuts), {"a.txt": text.encode()}))
    assert project.positions.convention == "undetermined"
    assert project.selections["text"].tolist()[0] == "Ik hoop"


def test_whole_sentences_decide_too(tmp_path):
    text = "Ik hoop. Ik zie licht! Nee, zei zij. En dan? Moe."
    cuts = [(0, 8), (9, 22), (23, 36), (37, 44), (45, 49)]
    project = read_qdpx(packed(tmp_path / "x.qdpx", qde(cuts), {"a.txt": text.encode()}))
    assert project.positions.convention == "codepoints crlf2 nobom exclusive"
    assert project.notes == ()


@pytest.mark.parametrize("text", [b"Ik hoop.", b"", b" \n"])
def test_positions_past_every_end_are_listed(tmp_path, text):
    project = read_qdpx(packed(tmp_path / "x.qdpx", qde([(90, 99)]), {"a.txt": text}))
    assert project.selections.empty
    assert project.problems[["start", "end", "why"]].to_numpy().tolist() == [[90, 99, "outside"]]
    assert valid(write_qdpx(project, tmp_path / "out.qdpx"))


def test_arbitrary_cuts_are_undetermined(tmp_path):
    text = story().replace("\r\n", "\n")
    cuts = [(at, at + 37) for at in range(0, len(text) - 40, 37)]
    project = read_qdpx(packed(tmp_path / "x.qdpx", qde(cuts), {"a.txt": text.encode()}))
    assert project.positions.convention == "undetermined"
    assert "could not be determined" in str(project.notes[0])
    assert project.selections["start"].tolist() == [start for start, _ in cuts]


def test_an_unknown_convention_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"unknown convention 'utf16'.*allowed are codepoints"):
        convention("utf16")
    assert str(convention("utf16 crlf1 bom inclusive")) == "utf16 crlf1 bom inclusive"


@pytest.mark.parametrize("newline", ["crlf2", "lf2"])
def test_text_inside_the_xml_is_measured_too(tmp_path, newline):
    """XML has only LF: by the letter that is one, and who counted CRLF before counts two."""
    raw = story().replace("\r\n", "\n")
    how = convention(f"utf16 {newline} nobom exclusive")
    inside = f"<PlainTextContent>{raw}</PlainTextContent>"
    inner = qde(foreign(raw, spans(raw), how), source="", inside=inside)
    project = read_qdpx(packed(tmp_path / "x.qdpx", inner))
    assert project.positions.convention == str(how)
    rows = project.selections
    assert list(zip(rows["start"], rows["end"], strict=True)) == spans(raw)


def test_arbitrary_cuts_inside_the_xml_are_read_by_the_letter(tmp_path):
    raw = story().replace("\r\n", "\n")
    cuts = [(at, at + 37) for at in range(0, len(raw) - 40, 37)]
    inside = f"<PlainTextContent>{raw}</PlainTextContent>"
    project = read_qdpx(packed(tmp_path / "x.qdpx", qde(cuts, source="", inside=inside)))
    assert project.positions.convention == "undetermined"
    assert project.selections["text"].tolist() == [raw[s:e] for s, e in cuts]


def test_utf16_files_are_read(tmp_path):
    text = "Ik hoop op licht."
    file = packed(tmp_path / "x.qdpx", qde([(3, 7)]), {"a.txt": text.encode("utf-16")})
    assert read_qdpx(file).selections["text"].tolist() == ["hoop"]


def test_positions_within_a_pair_are_listed_not_moved(tmp_path):
    ruler = Ruler("👧 hoop")
    start, end = np.array([1]), np.array([7])
    places, _ = ruler.read(start, end, convention("utf16 crlf2 nobom exclusive"))
    assert places.tolist() == [[-1], [-1]]
    file = packed(tmp_path / "x.qdpx", qde([(3, 7), (1, 7), (3, 90)]),
                  {"a.txt": "👧 hoop".encode()})  # fmt: skip
    project = read_qdpx(file, positions="utf16 crlf2 nobom exclusive")
    assert project.selections["text"].tolist() == ["hoop"]
    assert project.problems["why"].tolist() == ["outside", "outside"]
    assert "2 codings could not be placed" in " ".join(map(str, project.notes))


RICH = (
    f'<Notes><Note guid="{guid("9", 1)}" name="memo"><PlainTextContent>waarom</PlainTextContent>'
    f'</Note></Notes><Links><Link guid="{guid("9", 2)}" originGUID="{guid("e", 0)}" '
    f'targetGUID="{guid("e", 1)}"/></Links><Sets><Set guid="{guid("9", 3)}" name="s">'
    f'<MemberCode targetGUID="{guid("c", 1)}"/><MemberSource targetGUID="{guid("b", 1)}"/></Set>'
    "</Sets>"
)


def rich(tmp_path, **more):
    media = (
        f'<PictureSource guid="{guid("8", 1)}" name="foto" path="internal://foto.png">'
        f'<PictureSelection guid="{guid("8", 2)}" firstX="1" firstY="1" secondX="2" secondY="2">'
        f'<Coding guid="{guid("8", 3)}"><CodeRef targetGUID="{guid("c", 1)}"/></Coding>'
        "</PictureSelection></PictureSource>"
    )
    inner = qde([(3, 7), (8, 10), (5, 5)], extra=RICH).replace("</Sources>", media + "</Sources>")
    cases = (
        f'<Variables><Variable guid="{guid("7", 1)}" name="leeftijd" typeOfVariable="Integer"/>'
        f'</Variables><Cases><Case guid="{guid("7", 2)}" name="P1"><VariableValue><VariableRef '
        f'targetGUID="{guid("7", 1)}"/><IntegerValue>41</IntegerValue></VariableValue></Case>'
        "</Cases>"
    )
    inner = inner.replace("<Sources>", cases + "<Sources>")
    files = {"a.txt": b"Ik hoop op licht.", "foto.png": b"\x89PNG..."}
    return packed(tmp_path / "rich.qdpx", inner, files, **more)


def flat(path):
    """Every element of the project with its attributes and text, and the other members."""
    with zipfile.ZipFile(path) as archive:
        root = etree.fromstring(archive.read("project.qde"))
        members = {n: archive.read(n) for n in archive.namelist() if n != "project.qde"}
    found = [(e.tag, sorted(e.attrib.items()), (e.text or "").strip()) for e in root.iter()]
    return found, members


def valid(path):
    with zipfile.ZipFile(path) as archive:
        SCHEMA.assertValid(etree.fromstring(archive.read("project.qde")))
    return True


def test_nothing_is_lost_on_a_round_trip(tmp_path):
    file = rich(tmp_path)
    assert valid(file)
    project = read_qdpx(file)
    out = write_qdpx(project, tmp_path / "out.qdpx")
    assert flat(out) == flat(file)
    assert valid(out)
    assert write_qdpx(read_qdpx(out), tmp_path / "again.qdpx").read_bytes() == out.read_bytes()
    assert "1 selections of pictures" in " ".join(map(str, project.notes))
    assert "1 codings could not be placed" in " ".join(map(str, project.notes))


def test_everything_the_schema_knows_comes_back(tmp_path):
    inner = (Path(__file__).parent / "everything.qde").read_text("utf-8")
    files = {"a.txt": "Ik hoop op licht 👧.".encode(), "a.docx": b"PK", "foto.png": b"\x89PNG",
             "brief.pdf": b"%PDF", "brief.txt": b"Beste.", "opname.mp3": b"ID3",
             "memo.txt": b"Let op."}  # fmt: skip
    file = packed(tmp_path / "all.qdpx", inner, files)
    assert valid(file)
    project = read_qdpx(file)
    rows = project.selections[["coder", "code", "start", "end"]].to_numpy().tolist()
    assert rows == [["c01", "Hoop", 3, 7], ["c02", "Verzet", 3, 7], ["c02", "Hoop", 0, 16]]
    assert "6 selections of pictures" in " ".join(map(str, project.notes))
    assert "2 codes on whole sources or cases" in " ".join(map(str, project.notes))
    out = write_qdpx(project, tmp_path / "out.qdpx")
    assert valid(out)
    assert flat(out) == flat(file)
    with zipfile.ZipFile(out) as archive:
        assert b"<!-- Invented" in archive.read("project.qde")


def test_a_foreign_file_is_written_by_the_letter(tmp_path):
    """BOM, CRLF and UTF-16 units go; the same passages, ids and codes stay."""
    raw = "\ufeff" + story()
    how = convention("utf16 crlf2 nobom exclusive")
    passages = spans(raw[1:].replace("\r\n", "\n"))
    file = packed(tmp_path / "x.qdpx", qde(foreign(raw, passages, how)), {"a.txt": raw.encode()},
                  name="Proef.qde", folder="Sources")  # fmt: skip
    out = write_qdpx(read_qdpx(file), tmp_path / "out.qdpx")
    assert valid(out)
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == ["project.qde", "sources/a.txt"]
        text = archive.read("sources/a.txt").decode()
    assert "\r" not in text
    assert not text.startswith("\ufeff")
    again = read_qdpx(out, positions="codepoints crlf2 nobom exclusive")
    assert list(zip(again.selections["start"], again.selections["end"], strict=True)) == passages
    assert again.selections["guid"].tolist() == [guid("f", i) for i in range(len(passages))]


def test_what_exporters_vary_is_brought_to_the_schema(tmp_path):
    inner = qde([(3, 7)]).replace("<CodeBook>", '<CodeBook xmlns="urn:QDA-XML:codebook:0:4">')
    member = f'<MemberCode guid="{guid("c", 1)}"/>'
    sets = f'<Sets><Set guid="{guid("9", 3)}" name="s">{member}</Set></Sets>'
    inner = inner.replace("</Codes>", f"</Codes>{sets}")
    inner = inner.replace(guid("b", 1), "{" + guid("b", 1) + "}")
    inner = inner.replace("<Users>", "<!-- van een ander programma --><Users>")
    inner = inner.replace('origin="x"', 'origin="x" basePath="/home/samira/onderzoek"')
    file = packed(tmp_path / "x.qdpx", inner, {"a.txt": b"Ik hoop op licht."}, folder="Sources")
    project = read_qdpx(file)
    assert project.codes["code"].tolist() == ["Hoop", "Verzet"]
    assert project.codes["parent"].tolist() == ["", "Hoop"]
    out = write_qdpx(project, tmp_path / "out.qdpx")
    assert valid(out)
    with zipfile.ZipFile(out) as archive:
        data = archive.read("project.qde")
    assert b"samira" not in data
    assert f'MemberCode targetGUID="{guid("c", 1)}"'.encode() in data


def test_paths_of_a_user_are_not_written(tmp_path):
    video = (
        f'<VideoSource guid="{guid("8", 1)}" path="absolute:///home/samira/film.mp4"/></Sources>'
    )
    inner = qde([(3, 7)]).replace("</Sources>", video)
    project = read_qdpx(packed(tmp_path / "x.qdpx", inner, {"a.txt": b"Ik hoop op licht."}))
    assert "1 sources lie outside the file" in " ".join(map(str, project.notes))
    out = write_qdpx(project, tmp_path / "out.qdpx")
    with zipfile.ZipFile(out) as archive:
        assert b"samira" not in archive.read("project.qde")
        assert b"relative:///film.mp4" in archive.read("project.qde")


def test_names_of_people_stay_in_the_file(tmp_path):
    users = f'<User guid="{guid("a", 2)}" name="Joost de Vries"/>'
    users += f'<User guid="{guid("a", 3)}" name="samira"/>'
    file = packed(tmp_path / "x.qdpx", qde([(3, 7)], users=users), {"a.txt": b"Ik hoop op licht."})
    project = read_qdpx(file)
    assert project.coders["coder"].tolist() == ["c01", "coder-2", "coder-3"]
    assert "Joost" not in repr(project)
    assert "2 names of coders were replaced" in str(project.notes[0])


def small(**more):
    texts = {"d1": "Ik hoop op 👧 licht.", "d2": "Nee."}
    codes = pd.DataFrame({"code": ["hoop", "verzet"], "parent": ["", "hoop"],
                          "colour": ["#00636B", ""],
                          "definition": ["Kijkt vooruit.", ""]})  # fmt: skip
    rows = pd.DataFrame({"document": ["d1", "d1", "d2"], "coder": ["a", "b", "a"],
                         "code": ["hoop", "verzet", "verzet"], "start": [3, 11, 0],
                         "end": [7, 18, 3]})  # fmt: skip
    return make_project("proef", texts, codes, rows)


def test_a_project_of_our_own_is_valid_and_comes_back(tmp_path):
    project = small()
    out = write_qdpx(project, tmp_path / "own.qdpx")
    assert valid(out)
    assert write_qdpx(small(), tmp_path / "again.qdpx").read_bytes() == out.read_bytes()
    again = read_qdpx(out)
    columns = ["document", "coder", "code", "start", "end", "text"]
    pd.testing.assert_frame_equal(again.selections[columns], project.selections[columns])
    assert again.texts == project.texts
    assert again.codes["description"].tolist() == ["Kijkt vooruit.", ""]
    assert again.codes["parent"].tolist() == ["", "hoop"]
    assert again.coders["coder"].tolist() == ["a", "b"]
    assert "proef: 3 codings in 2 texts" in repr(again)


def test_the_folder_is_made_or_the_place_named(tmp_path):
    write_qdpx(small(), tmp_path / "new" / "deep" / "own.qdpx")
    assert read_qdpx(tmp_path / "new" / "deep" / "own.qdpx").name == "proef"
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match=r"the folder .*file/in cannot be made \(Not a directory\)"):
        write_qdpx(small(), tmp_path / "file" / "in" / "own.qdpx")


def test_a_file_of_ours_says_how_it_counts(tmp_path):
    """Cuts that fit nothing come back by the letter; what was never known stays open."""
    text = story().replace("\r\n", "\n")
    cuts = [(at, at + 37) for at in range(0, len(text) - 40, 37)]
    rows = pd.DataFrame(cuts, columns=["start", "end"]).assign(document="a", coder="z", code="hoop")
    ours = make_project("p", {"a": text}, pd.DataFrame({"code": ["hoop"]}), rows)
    again = read_qdpx(write_qdpx(ours, tmp_path / "own.qdpx"))
    assert again.positions.convention == ours.positions.convention == str(CONVENTIONS[0])
    assert again.notes == ()
    foreign = read_qdpx(packed(tmp_path / "x.qdpx", qde(cuts), {"a.txt": text.encode()}))
    again = read_qdpx(write_qdpx(foreign, tmp_path / "out.qdpx"))
    assert again.positions.convention == "undetermined"


def test_rows_can_be_added_and_taken_out(tmp_path):
    project = read_qdpx(rich(tmp_path))
    rows = project.selections.iloc[1:]
    new = pd.DataFrame({"document": ["a"], "coder": ["z"], "code": ["Verzet"], "start": [0],
                        "end": [2]})  # fmt: skip
    changed = replace(project, selections=pd.concat([rows, new], ignore_index=True))
    out = write_qdpx(changed, tmp_path / "out.qdpx")
    assert valid(out)
    again = read_qdpx(out)
    assert again.selections["text"].tolist() == ["op", "Ik"]
    assert again.coders["coder"].tolist() == ["c01", "z"]
    assert len(again.problems) == 1
    third = write_qdpx(again, tmp_path / "third.qdpx")
    assert third.read_bytes() == out.read_bytes()


def test_a_changed_codebook_is_followed(tmp_path):
    project = read_qdpx(rich(tmp_path))
    codes = project.codes.assign(name=["Hoop!", "Nee"], colour="#123456", description="Anders.")
    again = read_qdpx(write_qdpx(replace(project, codes=codes), tmp_path / "out.qdpx"))
    columns = ["name", "parent", "colour", "description"]
    assert again.codes[columns].to_numpy().tolist() == [
        ["Hoop!", "", "#123456", "Anders."], ["Nee", "Hoop!", "#123456", "Anders."],
    ]  # fmt: skip
    assert again.selections["code"].tolist() == ["Hoop!", "Nee"]


def test_what_does_not_hold_together_is_not_written(tmp_path):
    project = small()

    def rows(**more):
        return replace(project, selections=project.selections.assign(**more))

    with pytest.raises(DataError, match="row 1 of the selections names a document that is not"):
        write_qdpx(rows(document="d9"), tmp_path / "x.qdpx")
    with pytest.raises(DataError, match="row 1 of the selections names a code that is not there"):
        write_qdpx(rows(code="x"), tmp_path / "x.qdpx")
    with pytest.raises(DataError, match="row 3 of the selections has a passage that does not lie"):
        write_qdpx(rows(end=[7, 18, 99]), tmp_path / "x.qdpx")
    with pytest.raises(DataError, match="the table of selections has no column 'code'"):
        make_project("x", project.texts, project.codes, project.selections.drop(columns="code"))
    with pytest.raises(DataError, match="text 'd' has CRLF line ends or a byte-order mark"):
        make_project("x", {"d": "a\r\nb"}, project.codes, project.selections)
    codes = project.codes.assign(name=["a\x01", "b"])
    with pytest.raises(DataError, match=r"the name of code 'a\\x01' holds a control character"):
        write_qdpx(replace(project, codes=codes), tmp_path / "x.qdpx")
    with pytest.raises(DataError, match="the parent 'x' of code 'hoop' is no code above it"):
        write_qdpx(replace(project, codes=project.codes.assign(parent="x")), tmp_path / "x.qdpx")
    kept = read_qdpx(rich(tmp_path))
    with pytest.raises(DataError, match="text 'a' is not what its file holds; a text never"):
        write_qdpx(replace(kept, texts={"a": "Iets anders, even lang."}), tmp_path / "x.qdpx")
    assert not (tmp_path / "x.qdpx").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("plainTextPath", "plainTextPath='internal://weg.txt' x"), "'sources/weg.txt' is missing"),
        (('name="proef"', 'name="proef"><'), "not well-formed XML"),
        (("Project", "Projekt"), "its first element is 'Projekt'"),
        ((NS, "urn:iets"), "its first element is 'Project'"),
        (('startPosition="3"', 'startPosition="3.0"'), "startPosition is '3.0'; positions are"),
        (('startPosition="3"', 'startPosition="٣"'), "startPosition is '٣'; positions are whole"),
        (('startPosition="3"', ""), "startPosition is ''; positions are whole numbers"),
        ((guid("e", 0), guid("f", 0)), "stands there twice"),
        ((f'targetGUID="{guid("c", 1)}"', 'targetGUID="x"'), "refers to code 'x', which is not in"),
        (("internal://a.txt", "internal://../a.txt"), "leads outside the file; it is not read"),
        (("internal://a.txt", "relative:///a.txt"), "lies outside the file and is not read"),
        (("<?xml version", "<!DOCTYPE x><?xml version"), "a document type or entity is"),
    ],
)
def test_files_that_are_refused(tmp_path, change, sentence):
    inner = qde([(3, 7)])
    assert change[0] in inner
    file = packed(tmp_path / "x.qdpx", inner.replace(*change), {"a.txt": b"Ik hoop op licht."})
    with pytest.raises(FileError) as caught:
        read_qdpx(file)
    assert sentence in str(caught.value)
    assert "hoop op" not in str(caught.value)


def test_sets_that_contain_each_other_are_refused(tmp_path):
    def one(n, target):
        member = f'<MemberCode targetGUID="{guid("9", target)}"/>'
        return f'<Set guid="{guid("9", n)}" name="s">{member}</Set>'

    file = packed(tmp_path / "x.qdpx", qde([], extra=f"<Sets>{one(1, 2)}{one(2, 1)}</Sets>"),
                  {"a.txt": b"Ik."})  # fmt: skip
    with pytest.raises(FileError, match="contains itself; export it anew"):
        read_qdpx(file)
    fine = f"<Sets>{one(1, 3)}{one(2, 3)}{one(3, 4)}</Sets>"
    read_qdpx(packed(tmp_path / "y.qdpx", qde([], extra=fine), {"a.txt": b"Ik."}))


def test_two_projects_in_one_file_are_refused(tmp_path):
    file = packed(tmp_path / "x.qdpx", qde([]), name="a.qde")
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("b.qde", qde([]))
    with pytest.raises(FileError, match=r"holds a.qde, b.qde; it must hold one"):
        read_qdpx(file)


def test_codes_with_one_name_keep_apart(tmp_path):
    inner = qde([(3, 7), (8, 10)]).replace('name="Verzet"', 'name="Hoop"')
    project = read_qdpx(packed(tmp_path / "x.qdpx", inner, {"a.txt": b"Ik hoop op licht."}))
    assert project.codes["code"].tolist() == ["Hoop", "Hoop / Hoop"]
    assert project.selections["code"].tolist() == ["Hoop", "Hoop / Hoop"]


NOTED = {
    "qdpx_sel_zero.qdpx": "1 codings could not be placed",
    "qdpx_dup_code_names.qdpx": "Codes have the same name but for case or blanks",
    "qdpx_real_names.qdpx": "names of coders were replaced",
}


def test_bad_inputs(bad_inputs):
    index = pd.read_csv(bad_inputs / "index.csv").query("name.str.endswith('.qdpx')")
    assert len(index) > 20
    for name, outcome in zip(index["name"], index["outcome"], strict=True):
        if outcome == "reject":
            with pytest.raises(FileError, match=name):
                read_qdpx(bad_inputs / name)
        else:
            project = read_qdpx(bad_inputs / name)
            assert project.name in repr(project)
            notes = " ".join(map(str, project.notes))
            assert NOTED.get(name, "") in notes
            assert bool(notes) == (outcome == "warn")


CODEBOOK = f"""<?xml version="1.0" encoding="utf-8"?>
<CodeBook xmlns="urn:QDA-XML:codebook:1.0" origin="x"><Codes>
<Code guid="{guid("c", 1)}" name="Hoop" isCodable="false" color="#00636B">
<Description>Kijkt vooruit.</Description>
<Code guid="{guid("c", 2)}" name="Licht" isCodable="true"/></Code></Codes>
<Sets><Set guid="{guid("9", 1)}" name="s"><Description>d</Description>
<MemberCode guid="{guid("c", 2)}"/></Set><Set guid="{guid("9", 2)}" name="leeg"/></Sets></CodeBook>
"""


def test_a_qdc_codebook_comes_back(tmp_path):
    file = tmp_path / "x.qdc"
    file.write_text(CODEBOOK)
    book = read_qdc(file)
    assert book.codes["parent"].tolist() == ["", "Hoop"]
    assert book.codes["codable"].tolist() == [False, True]
    out = write_qdc(book, tmp_path / "out.qdc")

    def shape(path):
        root = etree.parse(path).getroot()
        return [(e.tag, sorted(e.attrib.items()), (e.text or "").strip()) for e in root.iter()][1:]

    assert shape(out) == shape(file)
    again = read_qdc(out)
    pd.testing.assert_frame_equal(again.codes, book.codes)
    pd.testing.assert_frame_equal(again.sets, book.sets)


def test_old_qdc_and_our_own_codebook(tmp_path):
    file = tmp_path / "x.qdc"
    file.write_text(CODEBOOK.replace("codebook:1.0", "codebook:0:4").replace(
        "MemberCode guid", "MemberCode targetGUID"))  # fmt: skip
    assert read_qdc(file).sets["code"].tolist() == ["Licht", ""]
    out = write_qdc(pd.DataFrame({"code": ["a", "b"], "parent": ["b", ""]}), tmp_path / "o.qdc")
    assert dict(zip(*[read_qdc(out).codes[n] for n in ("code", "parent")], strict=True)) == {
        "a": "b", "b": "",
    }  # fmt: skip


def test_a_qdc_that_does_not_hold_together_is_refused(tmp_path):
    file = tmp_path / "x.qdc"
    for old, new, sentence in [
        ("CodeBook", "Book", "its first element is 'Book'; a QDC file begins with CodeBook"),
        (guid("c", 2), guid("c", 1), "stands there twice"),
        (f'MemberCode guid="{guid("c", 2)}"', 'MemberCode guid="x"', "a set has the code 'x'"),
        ("<CodeBook", "<!DOCTYPE x [<!ENTITY y 'z'>]><CodeBook", "document type or entity"),
    ]:
        file.write_text(CODEBOOK.replace(old, new))
        with pytest.raises(FileError) as caught:
            read_qdc(file)
        assert sentence in str(caught.value)
    with pytest.raises(DataError, match="a codebook needs a table with a column 'code'"):
        write_qdc(QdaCodebook(codes=pd.DataFrame(), sets=pd.DataFrame()), file)


def test_plain_formats(tmp_path):
    rows = small().selections.assign(text=["=1+1", "👧 licht", "\u2028nee"])
    csv = write_codings(rows, tmp_path / "x.csv").read_text("utf-8")
    assert "'=1+1" in csv
    lines = write_codings(rows, tmp_path / "x.jsonl").read_text("utf-8").split("\n")
    assert [json.loads(line)["text"] for line in lines if line] == rows["text"].tolist()
    xlsx = write_codings(rows, tmp_path / "x.xlsx")
    assert pd.read_excel(xlsx)["text"].tolist() == rows["text"].tolist()
    with pytest.raises(FileError, match=r"codings are written as .csv, .xlsx or .jsonl; name"):
        write_codings(rows, tmp_path / "x.ods")


def test_the_page_marks_passages_and_runs_nothing(tmp_path):
    texts = {"<d>": "Ik <b>hoop</b> & licht. <script>x()</script>"}
    rows = pd.DataFrame({"document": "<d>", "coder": ["a", "b", "<i>"], "code": ["h", "h", "<u>"],
                         "start": [6, 6, 8], "end": [10, 10, 22]})  # fmt: skip
    page = write_html(texts, rows, tmp_path / "x.html", lang="en").read_text("utf-8")
    assert '<mark>ho</mark><mark>op</mark><span class="codes">[h: a, b]</span>' in page
    assert "[&lt;u&gt;: &lt;i&gt;]" in page
    assert "<script>" not in page
    assert "<i>" not in page
    assert "<title>Texts with their codes</title>" in page
