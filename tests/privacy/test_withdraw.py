"""A withdrawal leaves no word behind, and nothing else touched."""

import pytest

from expertise import check_study
from expertise.coding.opening import open_store
from expertise.errors import PrivacyError, StudyError
from expertise.privacy import refuse_withdrawn, withdraw
from expertise.privacy.rows import cut_rows
from expertise.study.results import write_result

from .conftest import CANARY, OTHER

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
    # Bram's memo about another text stays.
    mine = CANARY.encode()
    assert [n for n, data in after.items() if mine in data.replace(mine + b"b", b"")] == []
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
    assert [n for n, data in after.items() if (CANARY + "b").encode() in data] == []
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
