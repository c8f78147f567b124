"""Release, withdraw and guard from the command line, with a key from outside the project."""

import pytest

from expertise.cli import main
from expertise.files.keys import make_key
from expertise.study import simulate_study, write_simulated


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.delenv("EXPERTISE_KEY", raising=False)
    write_simulated(simulate_study(triads=40), tmp_path / "studies" / "proef")
    make_key(tmp_path / "key")
    return tmp_path


def test_release_withdraw_and_release_again(place, capsys):
    study, key = str(place / "studies" / "proef"), ["--key", str(place / "key")]
    assert main(["release", study, *key]) == 0
    assert "released-collaboration" in capsys.readouterr().out
    written = sorted(path.name for path in (place / "studies" / "proef" / "results").iterdir())
    assert "released-wellbeing.csv" in written
    assert main(["withdraw", study, "--participant", "T20-patient", *key]) == 0
    said = capsys.readouterr().out
    assert "results/released-collaboration" in said
    # One person less: the difference with the first release would show them.
    assert main(["release", study, *key]) == 1
    assert "fewer than 10 people tell it from" in capsys.readouterr().err


def test_who_withdrew_stays_out(place, capsys):
    study, key = place / "studies" / "proef", ["--key", str(place / "key")]
    data = {path: path.read_bytes() for path in study.rglob("*") if path.is_file()}
    assert main(["withdraw", str(study), "--participant", "T20-patient", *key]) == 0
    for path, content in data.items():
        path.write_bytes(content)
    assert main(["release", str(study), *key]) == 1
    assert "withdrew (T20-patient) and cannot come back" in capsys.readouterr().err


def test_guard(place, capsys, monkeypatch):
    monkeypatch.chdir(place)
    page = place / "page.md"
    page.write_text("Een zin die nergens anders staat, over de maandagmiddag bij ons thuis.")
    assert main(["guard", str(page)]) == 0
    assert "nothing was checked" in capsys.readouterr().out
    corpus = place / "corpora" / "c"
    (corpus / "texts").mkdir(parents=True)
    (corpus / "texts" / "a.txt").write_text(page.read_text())
    (corpus / "corpus.toml").write_text(
        f'schema = 1\ntitle = "c"\n[[texts]]\nid = "a"\nparticipant = "p"\nsha256 = "{"0" * 64}"\n'
    )
    monkeypatch.setenv("EXPERTISE_KEY", str(place / "key"))
    assert main(["guard", "--corpus", str(corpus), str(page)]) == 1
    assert "words of a narrative stand in" in capsys.readouterr().err
    page.write_text("Iets anders.")
    assert main(["guard", str(page)]) == 0


def test_a_key_is_needed_and_never_lies_in_a_repository(place, capsys):
    study = str(place / "studies" / "proef")
    assert main(["release", study]) == 1
    assert "no key is named; give --key FILE or set EXPERTISE_KEY" in capsys.readouterr().err
    (place / ".git").mkdir()
    assert main(["release", study, "--key", str(place / "key")]) == 1
    assert "inside the git work tree" in capsys.readouterr().err
