"""A withdrawal leaves no word behind, and nothing else touched."""

import pandas as pd
import pytest

from expertise import check_study, open_study, read_corpus
from expertise.cli import main
from expertise.coding.opening import open_store
from expertise.errors import PrivacyError, StudyError
from expertise.narratives.importing import import_texts
from expertise.narratives.rows import import_rows
from expertise.privacy import refuse_withdrawn, show_text, withdraw
from expertise.privacy.rows import cut_rows
from expertise.study.results import write_result
from tests.written import head

from .conftest import BRAM, CANARY, OTHER

KEY = b"k" * 32


def contents(study):
    root = study.parents[1]
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_no_word_of_a_participant_is_left(project):
    before = contents(project)
    holding = {name for name, data in before.items() if CANARY.encode() in data}
    assert len(holding) >= 7
    found = withdraw(project, participant="T01-patient", key=KEY)
    after = contents(project)
    assert [name for name, data in after.items() if CANARY.encode() in data] == []
    assert BRAM.encode() in after["studies/klein/private/codings.db"]
    changed = {name for name in before if after.get(name) != before[name]}
    assert changed - holding <= {
        "studies/klein/study.toml", "corpora/klein/corpus.toml",
        "studies/klein/private/codings.db-wal", "studies/klein/private/codings.db-shm",
    }  # fmt: skip
    assert after["corpora/klein/texts/T02-patient-1.txt"] == OTHER.encode()
    assert after["studies/klein/data/mensen.csv"] == b"wie;opmerking\r\nT02-patient;goed\r\n"
    assert found.left == ()
    assert found.about == ("T01-naaste-1",)
    assert "notebooks/klein.ipynb" in found.stale
    assert "history of git" in repr(found)
    with open_store(project / "private" / "codings.db") as store:
        assert store.verify().ok


def test_the_hash_in_study_toml_follows(project):
    withdraw(project, participant="T01-patient", key=KEY)
    assert check_study(project).problems == ()


def test_a_withdrawal_can_be_run_again(project):
    withdraw(project, participant="T01-patient", key=KEY)
    once = contents(project)
    withdraw(project, participant="T01-patient", key=KEY)
    again = contents(project)
    skip = ("studies/klein/private/codings.db",)
    assert {k: v for k, v in once.items() if not k.startswith(skip)} == {
        k: v for k, v in again.items() if not k.startswith(skip)
    }


def test_who_withdrew_cannot_come_back(project):
    withdraw(project, participant="T01-patient", key=KEY)
    refuse_withdrawn(project, ["T02-patient"], key=KEY)
    with pytest.raises(PrivacyError, match=r"1 participant.s. withdrew .T01-patient. and cannot"):
        refuse_withdrawn(project, ["T02-patient", "T01-patient"], key=KEY)
    text = (project / "withdrawn.txt").read_text()
    assert "T01" not in text
    assert len(text.split()) == 1


def test_a_coder_withdraws(project):
    found = withdraw(project, coder="bram", key=KEY)
    after = contents(project)
    assert [name for name, data in after.items() if BRAM.encode() in data] == []
    assert OTHER.encode() in after["studies/klein/codings.csv"]
    assert CANARY.encode() in after["studies/klein/data/mensen.csv"]
    assert found.about == ()
    with pytest.raises(PrivacyError, match="1 coder.s. withdrew"):
        refuse_withdrawn(project, ["bram"], key=KEY, what="coder")


def test_files_it_cannot_reach_are_named(project):
    elsewhere = project.parents[1] / "aantekeningen.md"
    elsewhere.write_text(f"Gisteren: Ik vertelde over {CANARY} en meer.")
    assert withdraw(project, participant="T01-patient", key=KEY).left == ("aantekeningen.md",)


def test_results_made_with_the_data_are_stale(project):
    import pandas as pd

    write_result(project, "aantal", pd.DataFrame({"n": [2]}), ["data/mensen.csv"])
    found = withdraw(project, participant="T01-patient", key=KEY)
    assert "results/aantal" in found.stale


def test_refusals_change_nothing(project):
    before = contents(project)
    with pytest.raises(
        StudyError, match=r"participant 'T01-patiënt' is not in klein/ .did you mean"
    ):
        withdraw(project, participant="T01-patiënt", key=KEY)
    with pytest.raises(StudyError, match="name one participant or one coder"):
        withdraw(project, key=KEY)
    with pytest.raises(StudyError, match="private/ has no study.toml"):
        withdraw(project / "private", participant="T01-patient", key=KEY)
    assert {k: v for k, v in contents(project).items() if ".db" not in k} == {
        k: v for k, v in before.items() if ".db" not in k
    }
    (project / "data" / "scores.xlsx").write_bytes(b"PK")
    with pytest.raises(PrivacyError, match=r"scores.xlsx cannot be cut row by row"):
        withdraw(project, participant="T01-patient", key=KEY)


def test_rows_are_cut_and_other_bytes_stay(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b'\xef\xbb\xbfid,x\r\na,"1\r\n""2"""\r\nb,\xe9\nA,3')
    assert cut_rows(path, {"id": {"a"}, "nope": {"b"}}) == 1
    assert path.read_bytes() == b"\xef\xbb\xbfid,x\r\nb,\xe9\nA,3"
    assert cut_rows(path, {"id": {"zz"}}) == 0


def test_what_others_told_about_the_person_is_hidden_until_someone_decides(project, capsys):
    folder = project.parents[1] / "corpora" / "klein"
    assert [text.id for text in read_corpus(folder)] == [
        "T01-patient-1", "T02-patient-1", "T01-naaste-1"
    ]  # fmt: skip
    found = withdraw(project, participant="T01-patient", key=KEY)
    assert found.about == ("T01-naaste-1",)
    assert "hidden" in set(found.removed["what"])
    corpus = read_corpus(folder)
    assert [text.id for text in corpus] == ["T02-patient-1"]
    assert corpus.withheld == {"T01-naaste-1"}
    assert "1 texts are hidden: after a withdrawal" in repr(corpus)
    # The words themselves are untouched, and who decides gives them back.
    listing = (folder / "corpus.toml").read_text()
    withdraw(project, participant="T01-patient", key=KEY)
    assert (folder / "corpus.toml").read_text() == listing
    assert main(["withdraw", str(project), "--show", "T01-naaste-1"]) == 0
    assert "T01-naaste-1 is shown again" in capsys.readouterr().out
    assert "T01-naaste-1" in [text.id for text in read_corpus(folder)]
    with pytest.raises(StudyError, match="no text 'T01-naaste-1' is hidden in klein/; check"):
        show_text(project, "T01-naaste-1")


def test_no_import_brings_a_withdrawn_person_back(project, tmp_path, monkeypatch):
    folder = project.parents[1] / "corpora" / "klein"
    withdraw(project, participant="T01-patient", key=KEY)
    before = contents(project)
    (tmp_path / "T01-patient.txt").write_text("Ik vertel het nog een keer.")
    with pytest.raises(PrivacyError, match=r"1 participant.s. withdrew .T01-patient. and cannot"):
        import_texts([tmp_path / "T01-patient.txt"], folder, about_file("T01-patient"), key=KEY)
    rows = pd.DataFrame({"nr": ["a1"], "wie": ["T01-patient"], "verhaal": ["Nog een keer."]})
    about = {"id": "nr", "participant": "wie"}
    with pytest.raises(PrivacyError, match="cannot come back"):
        import_rows(rows, folder, text="verhaal", about=about, key=KEY)
    with pytest.raises(PrivacyError, match="people withdrew from klein/; give the key, or set"):
        import_rows(rows, folder, text="verhaal", about=about)
    assert contents(project) == before
    import_rows(rows.assign(wie="T03-naaste"), folder, text="verhaal", about=about, key=KEY)


def test_reading_asks_for_tombstones_when_the_key_is_at_hand(project, tmp_path, monkeypatch):
    root, kept = project.parents[1], contents(project)
    monkeypatch.delenv("EXPERTISE_KEY", raising=False)
    (tmp_path / "key").write_text(KEY.hex())
    withdraw(project, participant="T01-patient", key=KEY)
    for name, content in kept.items():  # a backup is put back
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    assert "whether one of them is in it was not looked up" in repr(check_study(project))
    assert "not looked up" in repr(read_corpus(root / "corpora" / "klein"))
    monkeypatch.setenv("EXPERTISE_KEY", str(tmp_path / "key"))
    with pytest.raises(PrivacyError, match="withdrew .T01-patient. and cannot come back"):
        check_study(project)
    with pytest.raises(PrivacyError, match="withdrew .T01-patient. and cannot come back"):
        read_corpus(root / "corpora" / "klein")


def about_file(participant):
    return pd.DataFrame({"file": [f"{participant}.txt"], "participant": [participant]})


@pytest.fixture
def seats(tmp_path):
    """Return a study in which professional P1 sits in three triads, each with a patient."""
    study = tmp_path / "studies" / "zetels"
    (study / "data").mkdir(parents=True)
    rows = ["id,rol,triade,staf,antwoord"]
    for triad, staff in (("T1", "P1"), ("T2", "P1"), ("T3", "P1"), ("T4", "P2")):
        rows += [
            f"{triad}-pat,patient,{triad},{staff},4",
            f"{triad}-pro,professional,{triad},{staff},5",
        ]
    (study / "data" / "p.csv").write_text("\n".join(rows) + "\n")
    (study / "study.toml").write_text(SEATS)
    return study


SEATS = (
    head("Zetels", "patient", "professional")
    + """
[instruments.goed]
nl = "goed"
en = "good"
better = "higher"
[people]
file = "data/p.csv"
participant = "id"
perspective = "rol"
triad = "triade"
person = { professional = "staf" }
[tables.p]
file = "data/p.csv"
participant = "id"
columns = { antwoord = { instrument = "goed" } }
"""
)


def test_a_professional_of_several_patients_leaves_every_seat(seats):
    assert open_study(seats).flow()["eligible"].tolist() == [4, 2]
    found = withdraw(seats, participant="P1", key=KEY)
    people = open_study(seats).people
    assert people["participant"].tolist() == ["T1-pat", "T2-pat", "T3-pat", "T4-pat", "T4-pro"]
    # Whom the patients worked with is theirs too: a person must decide on that.
    assert found.left == ("studies/zetels/data/p.csv, column staf",)
    for seat in ("P1", "T1-pro", "T3-pro"):
        with pytest.raises(PrivacyError, match="cannot come back"):
            refuse_withdrawn(seats, [seat], key=KEY)
    refuse_withdrawn(seats, ["P2", "T1-pat"], key=KEY)


def test_one_seat_can_be_left_without_the_others(seats):
    withdraw(seats, participant="T2-pro", key=KEY)
    assert open_study(seats).flow()["eligible"].tolist() == [4, 2]
    assert "T2-pro" not in (seats / "data" / "p.csv").read_text()
