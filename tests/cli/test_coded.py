"""`expertise agree` and `expertise exchange`, from the invented codings to files."""

import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from lxml import etree

from expertise.cli import main
from expertise.coding.coded import read_coded
from expertise.exchange.reading import read_qdpx

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "studies" / "drie-kunnen-meer-dan-een"
CORPUS = ROOT / "corpora" / "drie-kunnen-meer-dan-een"
SCHEMA = etree.XMLSchema(etree.parse(ROOT / "tests" / "exchange" / "Project.xsd"))


@pytest.fixture(scope="module")
def coded():
    return read_coded(STUDY / "codings.csv", codebook=STUDY / "codebook.toml", corpus=CORPUS)


def sentences(coded):
    """Stretches of narrative that no table may show."""
    return [
        quote for quote in pd.read_csv(STUDY / "codings.csv")["quote"].dropna() if len(quote) > 25
    ]


def test_agree_shows_differences_first_and_no_words(capsys, coded, tmp_path):
    path, numbers = tmp_path / "verschillen.csv", tmp_path / "getallen.csv"
    files = ["--differences", str(path), "--coefficients", str(numbers)]
    assert main(["agree", str(STUDY), *files]) == 0
    out = capsys.readouterr().out
    titles = ["Passages that differ", "Between and within", "Per code", "Per pair"]
    places = [out.index(title) for title in titles]
    assert places == sorted(places)
    written = path.read_text("utf-8-sig")
    assert not any(quote in out or quote in written for quote in sentences(coded))
    table = pd.read_csv(path)
    assert len(table) == len(coded.compare(n_boot=200).differences)
    assert "text" not in table
    assert {"within", "between", "pair", "code", "document"} == set(
        pd.read_csv(numbers)["component"]
    )


def test_agree_writes_passages_only_when_asked(capsys, coded, tmp_path):
    path = tmp_path / "verschillen.jsonl"
    assert main(["agree", str(STUDY), "--differences", str(path), "--passages"]) == 0
    table = pd.read_json(path, lines=True)
    first = table.iloc[0]
    assert first["text"] == coded.texts[first["document"]][first["start"] : first["end"]]
    assert first["text"] not in capsys.readouterr().out


def test_exchange_writes_every_format_and_reads_back(capsys, coded, tmp_path):
    names = ["uit.qdpx", "uit.csv", "uit.xlsx", "uit.jsonl", "uit.html"]
    assert main(["exchange", str(STUDY), *(str(tmp_path / name) for name in names)]) == 0
    with zipfile.ZipFile(tmp_path / "uit.qdpx") as archive:
        SCHEMA.assertValid(etree.fromstring(archive.read("project.qde")))
    back = read_qdpx(tmp_path / "uit.qdpx").selections
    keys = ["document", "coder", "start", "end", "text"]
    sent = coded.codings.assign(text=[coded.texts[row.document][row.start : row.end]
                                      for row in coded.codings.itertuples()])  # fmt: skip
    pd.testing.assert_frame_equal(
        back[keys].sort_values(keys, ignore_index=True).astype(object),
        sent[keys].sort_values(keys, ignore_index=True).astype(object),
    )
    assert len(pd.read_csv(tmp_path / "uit.csv")) == len(coded.codings)
    assert len(pd.read_json(tmp_path / "uit.jsonl", lines=True)) == len(coded.codings)
    assert "<mark>" in (tmp_path / "uit.html").read_text("utf-8")
    shown = capsys.readouterr().out
    assert not any(quote in shown for quote in sentences(coded))


def test_exchange_says_what_a_qdpx_holds(capsys, tmp_path):
    path = tmp_path / "uit.qdpx"
    assert main(["exchange", str(STUDY / "codings.csv"), str(path)]) == 0
    capsys.readouterr()
    back = str(tmp_path / "terug.csv")
    assert main(["exchange", str(path), back]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Positions: codepoints crlf2 nobom exclusive")
    how = ["--positions", "utf16 crlf2 nobom inclusive"]
    assert main(["exchange", str(path), *how]) == 0
    assert capsys.readouterr().out.startswith("Positions: utf16 crlf2 nobom inclusive")
    assert main(["exchange", str(STUDY / "codings.csv"), *how]) == 1
    assert "is no .qdpx file; --positions is for those only" in capsys.readouterr().err
    assert "480 codings in 16 texts" in out
    assert len(pd.read_csv(tmp_path / "terug.csv")) == 480


def test_an_unknown_ending_is_refused_before_anything_is_written(capsys, tmp_path):
    names = [str(tmp_path / name) for name in ("uit.csv", "uit.docx")]
    assert main(["exchange", str(STUDY), *names]) == 1
    assert "uit.docx: allowed endings are .qdpx, .csv" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_codings_outside_a_study_need_their_places(capsys, tmp_path):
    sheet = shutil.copy(STUDY / "codings.csv", tmp_path)
    assert main(["agree", str(tmp_path / "weg")]) == 1
    assert "weg does not exist; name a study folder, a store or a sheet" in capsys.readouterr().err
    assert main(["agree", str(sheet)]) == 1
    assert "lies in no study folder with a codebook.toml" in capsys.readouterr().err
    places = ["--codebook", str(STUDY / "codebook.toml"), "--corpus", str(CORPUS)]
    assert main(["agree", str(sheet), *places]) == 0
