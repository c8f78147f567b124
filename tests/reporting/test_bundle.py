"""A bundle runs elsewhere, says what differs by name, and gives no one's data away."""

import hashlib
import json
import re
import shutil
import tomllib
import zipfile

import nbformat
import pandas as pd
import pytest

from expertise import check_study, open_study
from expertise.cli import main
from expertise.errors import FileError, PrivacyError, StudyError
from expertise.privacy import withdraw
from expertise.reporting.bundle import bundle_study
from expertise.reporting.expected import write_expected
from expertise.reporting.reproduce import reproduce_bundle, reproduce_study
from expertise.reporting.twin import _new, _rename_teams, _seats, write_twin
from expertise.study import simulate_study, write_simulated


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Return a project with a small study and a notebook of one cell."""
    root = tmp_path_factory.mktemp("project")
    write_simulated(simulate_study(triads=40), root / "studies" / "proef")
    cell = nbformat.v4.new_code_cell("print(6 * 7)", id="een")
    cell.outputs = [nbformat.v4.new_output("stream", text="42\n")]
    (root / "notebooks").mkdir()
    notebook = nbformat.v4.new_notebook(cells=[cell])
    (root / "notebooks" / "proef.ipynb").write_text(nbformat.writes(notebook))
    (root / "uv.lock").write_text("version = 1\n")
    return root


@pytest.fixture(scope="module")
def bundle(root):
    return bundle_study(root / "studies" / "proef", data="travel")


def changed(bundle, path, name, change):
    """Write the bundle with one member changed (or taken out)."""
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(path, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            content = change(content) if member == name else content
            if content is not None:
                new.writestr(member, content)
    return path


def test_a_bundle_is_an_ro_crate_with_everything_that_a_run_needs(bundle):
    with zipfile.ZipFile(bundle) as archive:
        names = set(archive.namelist())
        crate = json.loads(archive.read("ro-crate-metadata.json"))
        expected = json.loads(archive.read("expected.json"))
    assert {
        "bundle.json", "manifest.json", "expected.json", "disclosure.json", "uv.lock",
        "notebooks/proef.ipynb", "studies/proef/study.toml", "studies/proef/cycles.toml",
        "studies/proef/data/answers.csv", "ro-crate-metadata.json", "README.md",
    } <= names  # fmt: skip
    described = {item["@id"] for item in crate["@graph"]}
    assert "studies/proef/data/answers.csv" in described
    assert any(row["result"].startswith("model primary: fixed active") for row in expected["real"])


def test_it_gives_the_same_and_says_first_what_it_runs(bundle):
    said = []
    found = reproduce_bundle(bundle, tell=said.append)
    assert found.ok
    assert set(found.results["state"]) <= {"same", "within tolerance"}
    assert found.results["result"].iloc[-1] == "notebook proef.ipynb"
    assert said == [
        "This bundle runs 1 notebook(s): proef.ipynb. Nothing else in it is run."
    ]  # fmt: skip


def test_one_changed_datum_names_the_file_and_the_results(bundle, tmp_path, capsys):
    name = "studies/proef/data/answers.csv"
    bad = changed(bundle, tmp_path / "b.zip", name, lambda c: c.replace(b"m0,0,5", b"m0,0,9", 1))
    found = reproduce_bundle(bad, notebooks=False)
    assert not found.ok
    assert found.altered == (name,)
    differs = found.results.loc[found.results["state"] == "differs", "result"]
    assert any(one.startswith("model primary") for one in differs)
    assert any(one.startswith("average: patient m0") for one in differs)
    assert main(["reproduce", str(bad), "--no-notebooks"]) == 1
    out = capsys.readouterr().out
    assert f"altered file: {name}" in out
    assert "differs: model primary: fixed active estimate" in out


def test_a_study_in_a_clone_is_reproduced_too(root, tmp_path, capsys):
    study = tmp_path / "studies" / "proef"
    shutil.copytree(root / "studies" / "proef", study)
    with pytest.raises(StudyError, match=r"proef/ has no results/expected.csv; make it with"):
        reproduce_study(study)
    write_expected(study)
    assert set(reproduce_study(study).results["state"]) == {"same"}
    answers = study / "data" / "answers.csv"
    answers.write_bytes(answers.read_bytes().replace(b"m0,0,5", b"m0,0,9", 1))
    stale = "results/expected is stale: data/answers.csv changed since it was made."
    assert stale in map(str, check_study(study).notes)
    assert main(["reproduce", str(study)]) == 1
    out = capsys.readouterr().out
    assert "altered file: data/answers.csv" in out
    assert "differs: model primary: fixed active estimate" in out


def test_an_altered_notebook_is_named_and_not_run(bundle, tmp_path):
    name = "notebooks/proef.ipynb"
    trace = tmp_path / "ran"
    code = f"open({str(trace)!r}, 'w')".encode()
    bad = changed(bundle, tmp_path / "b.zip", name, lambda c: c.replace(b"print(6 * 7)", code))
    found = reproduce_bundle(bad)
    assert found.altered == (name,)
    assert not trace.exists()
    gone = changed(bundle, tmp_path / "c.zip", "uv.lock", lambda _: None)
    assert reproduce_bundle(gone, notebooks=False).altered == ("uv.lock",)


def test_what_a_notebook_could_import_is_refused_before_anything_runs(bundle, tmp_path):
    trace, bad = tmp_path / "ran", tmp_path / "b.zip"
    shutil.copyfile(bundle, bad)
    with zipfile.ZipFile(bad, "a") as archive:
        archive.writestr("notebooks/nbformat.py", f"open({str(trace)!r}, 'w')")
    with pytest.raises(FileError, match=r"holds notebooks/nbformat.py, which it does not list"):
        reproduce_bundle(bad)
    assert not trace.exists()


def test_an_older_study_file_is_named(bundle, tmp_path, capsys):
    name = "studies/proef/study.toml"
    old = changed(
        bundle, tmp_path / "o.zip", name, lambda c: c.replace(b"schema = 1", b"schema = 0")
    )
    assert main(["reproduce", str(old), "--no-notebooks"]) == 1
    assert "schema: 0 is no schema that this version of expertise reads" in capsys.readouterr().err


def test_other_versions_are_named(bundle, tmp_path):
    other = changed(
        bundle,
        tmp_path / "v.zip",
        "bundle.json",
        lambda c: c.replace(b'"numpy": "', b'"numpy": "0.'),
    )
    found = reproduce_bundle(other, notebooks=False)
    assert found.other_versions["package"].tolist() == ["numpy"]
    assert "other versions here: numpy" in repr(found)


def test_a_twin_keeps_who_sits_in_several_seats(root):
    real = open_study(root / "studies" / "proef")
    codes = pd.factorize(_seats(real, "professional", "professional"))[0]
    own = pd.factorize(real.people["professional"])[0]
    assert (codes == own).all()
    assert not set(_seats(real, "professional", "professional")) & set(real.people["person"])


def test_a_twin_names_its_teams_alike_in_tables_and_cycles(tmp_path):
    real = open_study("studies/drie-kunnen-meer-dan-een")
    names = ["study.toml", "cycles.toml", "codebook.toml"]
    for name in names:
        shutil.copyfile(real.folder / name, tmp_path / name)
    write_twin(real, tmp_path, seed=1)
    people = pd.read_csv(tmp_path / "data" / "people.csv")
    cycles = tomllib.loads((tmp_path / "cycles.toml").read_text())["cycles"]
    written = (real.folder / "cycles.toml").read_text()
    old = tomllib.loads(written)["cycles"]
    begun = {one["team"] for one in cycles}
    assert begun <= set(people["team"])
    assert not begun & set(real.people["team"])
    assert [{**one, "team": ""} for one in cycles] == [{**one, "team": ""} for one in old]
    # However a line is spelled, no real name stays, and one that nobody is in gets a new one.
    spelled = re.sub(r'^team = "(.*)"', r"  team = '\1' # was \1", written, flags=re.M)
    (tmp_path / "cycles.toml").write_text(spelled + '\n[[cycles]]\nteam = "Nergens"\n')
    _rename_teams(real.people, tmp_path / "cycles.toml")
    again = (tmp_path / "cycles.toml").read_text()
    assert [one["team"] for one in tomllib.loads(again)["cycles"][:-1]] == [
        one["team"] for one in cycles
    ]
    assert "Nergens" not in again
    assert _new("team", pd.Series(["Noord", None, "Zuid"])) == ["team 1", "", "team 2"]


def test_a_twin_holds_nobody(root, tmp_path):
    path = bundle_study(root / "studies" / "proef", data="twin", out=tmp_path / "t.zip")
    real = open_study(root / "studies" / "proef")
    with zipfile.ZipFile(path) as archive:
        twin = archive.read("studies/proef/data/answers.csv").decode()
        everything = b"".join(archive.read(name) for name in archive.namelist() if ".csv" in name)
    assert not any(one.encode() in everything for one in real.people["participant"])
    assert len(twin.splitlines()) == 1 + len(real.people) * 5
    found = reproduce_bundle(path, notebooks=False)
    assert found.ok
    counts = found.results["state"].value_counts()
    assert counts["not checkable here"] == counts["same"] + counts.get("within tolerance", 0)
    assert "synthetic twin: the same means the same shape only" in repr(found)


@pytest.mark.parametrize("name", ["vuurwerkramp", "beat-the-blues"])
def test_twins_of_other_layouts_open_and_run(name, tmp_path):
    path = bundle_study(f"studies/{name}", data="twin", out=tmp_path / "t.zip")
    assert reproduce_bundle(path, notebooks=False).ok


def test_who_withdrew_is_in_no_bundle(root, tmp_path):
    project = tmp_path / "p"
    shutil.copytree(root, project)
    study = project / "studies" / "proef"
    kept = {path: path.read_bytes() for path in study.rglob("*") if path.is_file()}
    withdraw(study, participant="T20-patient", key=b"k" * 32)
    with pytest.raises(PrivacyError, match="people withdrew from proef/; give the key"):
        bundle_study(study, data="travel")
    bundle_study(study, data="travel", key=b"k" * 32)
    for path, content in kept.items():
        path.write_bytes(content)
    with pytest.raises(PrivacyError, match="withdrew .T20-patient. and cannot come back"):
        bundle_study(study, data="travel", key=b"k" * 32)


def test_refusals(bundle, tmp_path):
    with pytest.raises(StudyError, match="data is 'all'; say 'travel' or 'twin'"):
        bundle_study("studies/vuurwerkramp", data="all")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(FileError, match=r"x.zip is no bundle of a study; make one with"):
        reproduce_bundle(tmp_path / "x.zip")
    newer = changed(
        bundle, tmp_path / "n.zip", "bundle.json",
        lambda c: json.dumps(json.loads(c) | {"schema": 9}).encode(),
    )  # fmt: skip
    with pytest.raises(
        StudyError, match=r"n.zip has schema 9 and this version of expertise reads 1"
    ):
        reproduce_bundle(newer)


def test_results_know_their_inputs(tmp_path):
    from expertise.study.results import stale_results, write_result

    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("x\n1\n")
    write_result(tmp_path, "n", pd.DataFrame({"n": [1]}), ["data/a.csv"])
    assert stale_results(tmp_path).empty
    (tmp_path / "data" / "a.csv").write_text("x\n2\n")
    (tmp_path / "results" / "n.csv").write_text("n\n7\n")
    found = stale_results(tmp_path)
    assert found.to_dict("records") == [
        {"result": "n", "file": "results/n.csv", "why": "changed"},
        {"result": "n", "file": "data/a.csv", "why": "changed"},
    ]
    (tmp_path / "data" / "a.csv").unlink()
    assert stale_results(tmp_path)["why"].tolist() == ["changed", "gone"]
    (tmp_path / "results" / "made.json").write_text("[]")
    with pytest.raises(StudyError, match=r"results/made.json is no list of results; delete it"):
        stale_results(tmp_path)


def with_corpus(root, tmp_path, *, invented):
    """Return the project with a corpus of one story that its notebook opens."""
    project = tmp_path / "p"
    shutil.copytree(root, project, ignore=shutil.ignore_patterns("build"))
    corpus, study = project / "corpora" / "verhalen", project / "studies" / "proef"
    (corpus / "texts").mkdir(parents=True)
    (corpus / "texts" / "a.txt").write_text("Ik zat op de gang.")
    sha = hashlib.sha256(b"Ik zat op de gang.").hexdigest()
    (corpus / "corpus.toml").write_text(
        f'schema = 1\ntitle = "v"\ninvented = {str(invented).lower()}\n'
        f'[[texts]]\nid = "a"\nparticipant = "p"\nsha256 = "{sha}"\n'
    )
    (corpus / "people.csv").write_text("participant,perspective,use\np,patient,yes\n")
    toml = study / "study.toml"
    toml.write_text(toml.read_text().replace("seed =", 'corpus = "verhalen"\nseed =', 1))
    code = 'print(open("../corpora/verhalen/texts/a.txt").read())'
    cell = nbformat.v4.new_code_cell(code, id="een")
    cell.outputs = [nbformat.v4.new_output("stream", text="Ik zat op de gang.\n")]
    notebook = nbformat.v4.new_notebook(cells=[cell])
    (project / "notebooks" / "proef.ipynb").write_text(nbformat.writes(notebook))
    return bundle_study(study, data="travel", out=tmp_path / "b.zip")


def test_stories_that_people_told_stay_in_house(root, tmp_path):
    path = with_corpus(root, tmp_path, invented=False)
    with zipfile.ZipFile(path) as archive:
        assert not [name for name in archive.namelist() if "corpora" in name]
    found = reproduce_bundle(path)
    assert found.results.iloc[-1][["result", "state"]].tolist() == [
        "notebook proef.ipynb, which stopped", "not checkable here",
    ]  # fmt: skip
    assert found.ok


def test_stories_that_nobody_told_travel_with_the_data(root, tmp_path):
    path = with_corpus(root, tmp_path, invented=True)
    found = reproduce_bundle(path)
    assert found.results.iloc[-1][["result", "state"]].tolist() == ["notebook proef.ipynb", "same"]
    other = changed(path, tmp_path / "o.zip", "corpora/verhalen/texts/a.txt", lambda _: b"Nee.")
    found = reproduce_bundle(other)
    assert found.altered == ("corpora/verhalen/texts/a.txt",)
    assert "differs: notebook proef.ipynb, cell 1" in repr(found)
