"""`expertise import`: documents, transcripts and columns come in whole, and nothing is quoted."""

import pandas as pd
import pytest

from expertise.cli import main
from expertise.narratives.corpus import read_corpus
from expertise.narratives.rows import import_rows


def test_documents_come_in_with_what_is_known(tmp_path, capsys):
    docx = pytest.importorskip("docx")
    document = docx.Document()
    document.add_paragraph("Ik kreeg weer hoop.")
    document.save(str(tmp_path / "Een.docx"))
    (tmp_path / "twee.txt").write_text("I: hoe was dat?\nR: zwaar\n", "utf-8")
    (tmp_path / "over.csv").write_text(
        "file;participant;wave\nEen.docx;p1;T1\ntwee.txt;p2;T1\n", "utf-8"
    )
    files = [str(tmp_path / "Een.docx"), str(tmp_path / "twee.txt")]
    into = tmp_path / "verhalen"
    assert main(["import", *files, "--into", str(into), "--about", str(tmp_path / "over.csv"),
                 "--speakers", "I=interviewer", "R=narrator"]) == 0  # fmt: skip
    out = capsys.readouterr().out
    assert out.startswith("Texts imported into verhalen: 2.")
    assert "people.csv" in out
    assert "hoop" not in out
    people = pd.DataFrame({"participant": ["p1", "p2"], "perspective": "patient", "use": "yes"})
    corpus = read_corpus(into, people)
    assert corpus["een"].text == "Ik kreeg weer hoop."
    assert corpus["twee"].speakers == {"I": "interviewer", "R": "narrator"}


TABLE = 'Nr,Wie,Telefoon,Verhaal\nA 1,p1,06-12345678,"Goed: fijn\nSlecht: wachten"\nA 2,p2,,\nA 3,p3,,Goed: fijn\n'


def test_a_column_comes_in_and_other_columns_do_not_matter(tmp_path, capsys):
    (tmp_path / "open.csv").write_text(TABLE, "utf-8")
    into = tmp_path / "open"
    assert main(["import", str(tmp_path / "open.csv"), "--into", str(into), "--text", "Verhaal",
                 "--id", "Nr", "--participant", "Wie"]) == 0  # fmt: skip
    out = capsys.readouterr().out
    assert "Texts imported into open: 2." in out
    assert "1 rows hold no words and are left out." in out
    assert "fijn" not in out
    people = pd.DataFrame({"participant": ["p1", "p3"], "perspective": "naaste", "use": "yes"})
    corpus = read_corpus(into, people)
    assert corpus["a-1"].text == "Goed: fijn\nSlecht: wachten"
    assert corpus["a-1"].speakers == {}
    assert corpus["a-3"].participant == "p3"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            [],
            'open.csv: a table comes in alone, with the columns of its texts and ids: --text "You',
        ),
        (["--text", "Verhaal"], "a table comes in alone"),
        (["--text", "Verhaal", "--id", "Nummer"], "open.csv: has no column 'Nummer'"),
    ],
)
def test_tables_that_are_not_explained_are_refused(tmp_path, capsys, options, sentence):
    (tmp_path / "open.csv").write_text(TABLE, "utf-8")
    into = tmp_path / "open"
    assert main(["import", str(tmp_path / "open.csv"), "--into", str(into), *options]) == 1
    assert sentence in capsys.readouterr().err
    assert not into.exists()


def test_speakers_without_a_role_are_refused(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("hoop")
    assert main(["import", str(tmp_path / "a.txt"), "--into", "x", "--speakers", "I"]) == 1
    assert "--speakers has 'I'; write label=role" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ({}, "about has no id; give the column with a number per text"),
        ({"id": "nr", "kleur": "nr"}, "about has 'kleur'; allowed are id, participant"),
        ({"id": "nummer"}, r"the table has no column 'nummer'.*; it has nr, t"),
    ],
)
def test_columns_that_are_not_there_are_refused(tmp_path, about, sentence):
    table = pd.DataFrame({"nr": ["1"], "t": ["hoop"]})
    with pytest.raises(ValueError, match=sentence):
        import_rows(table, tmp_path / "c", text="t", about=about)
    with pytest.raises(ValueError, match="a row with words has no id"):
        import_rows(table.assign(nr=""), tmp_path / "c", text="t", about={"id": "nr"})
    assert not (tmp_path / "c").exists()
