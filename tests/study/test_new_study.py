"""A draft from a file's own labels opens after a person completed it; a fault leaves nothing."""

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from expertise import ExpertiseError, check_study, new_study, open_study
from expertise.study.means import cell_means


@pytest.fixture
def sav(tmp_path):
    """An SPSS file as a survey tool writes it: wide, with labels."""
    table = pd.DataFrame(
        {
            "respnr": ["001", "002", "003", "004"],
            "geslacht": [1.0, 2.0, 2.0, 1.0],
            "lft": [34.0, 51.0, 28.0, 63.0],
            "phq_t0": [14.0, 9.0, 20.0, 11.0],
            "phq_t1": [10.0, 8.0, None, 7.0],
        }
    )
    path = tmp_path / "enquete.sav"
    pyreadstat.write_sav(
        table,
        path,
        column_labels=[
            "Respondentnummer",
            "Geslacht",
            "Leeftijd",
            "PHQ-9 bij start",
            "PHQ-9 later",
        ],
        variable_value_labels={"geslacht": {1: "man", 2: "vrouw"}},
    )
    return path


def test_from_spss_to_an_open_study(sav, tmp_path):
    before = sav.read_bytes()
    folder = new_study(
        tmp_path / "studies" / "mijn-studie",
        data=sav,
        title="Mijn studie",
        perspectives=["patient"],
        waves=["T0=0", "T1=6"],
    )
    text = (folder / "study.toml").read_text("utf-8")
    assert "PHQ-9 bij start" in text
    assert "1 = man, 2 = vrouw" in text
    assert sav.read_bytes() == before
    found = check_study(folder)
    assert not found.problems, found
    study = open_study(folder)
    assert study.people["participant"].tolist() == ["001", "002", "003", "004"]
    assert study.outcomes["variable"].unique().tolist() == ["phq"]
    assert study.flow().loc[0, "measured_twice"] == 3
    assert (tmp_path / "notebooks" / "mijn-studie.ipynb").is_file()
    assert "Mijn studie" in study._repr_html_()


def test_from_a_dutch_survey_export_with_roles(tmp_path):
    data = tmp_path / "export.csv"
    data.write_text(
        "deelnemer;rol;meetmoment;hoop\nA1;patient;T0;4,5\nA1;naaste;T0;5\nA1;patient;T1;6,5\n"
        "B2;patient;T0;3\nB2;naaste;T1;4\n",
        "utf-8",
    )
    folder = new_study(
        tmp_path / "studies" / "rollen",
        data=data,
        perspectives=["patient", "naaste"],
        waves=["T0=0", "T1=6"],
    )
    study = open_study(folder)
    assert study.settings.tables["measures"].layout == "long"
    assert study.flow()["measured"].tolist() == [2, 2]
    assert study.outcomes["value"].max() == 6.5
    assert "(1 | participant:perspective)" in study.settings.models["primary"].formula


def test_people_of_one_role_each_get_one_grouping(tmp_path):
    data = tmp_path / "export.csv"
    data.write_text(
        "deelnemer;rol;meetmoment;hoop\nA1;patient;T0;4,5\nA1;patient;T1;6,5\nB2;naaste;T0;3\n",
        "utf-8",
    )
    folder = new_study(
        tmp_path / "studies" / "apart", data=data, perspectives=["patient", "naaste"],
        waves=["T0=0", "T1=6"],
    )  # fmt: skip
    formula = open_study(folder).settings.models["primary"].formula
    assert formula.endswith("+ (1 | participant)")


def test_averages_take_groupings_that_differ():
    rows = [(p, role, wave, p % 3 + 1.0) for p in range(6) for role, wave in ("aT", "bU") * 2]
    data = pd.DataFrame(rows, columns=["participant", "perspective", "wave", "hope"])
    data["hope"] += np.arange(len(data)) % 5
    data["cell"] = data["perspective"].astype("category")
    found = cell_means(data, "hope", 0.95)
    assert [str(term) for term in found.design.random] == [
        "(1 | participant)", "(1 | participant:perspective)"
    ]  # fmt: skip


def test_without_data_the_check_says_what_to_do(tmp_path):
    folder = new_study(tmp_path / "studies" / "leeg", perspectives=["patient"], waves=["T0"])
    assert any("data/" in problem.message for problem in check_study(folder).problems)


def test_an_existing_study_is_left_alone(tmp_path):
    folder = new_study(tmp_path / "studies" / "een")
    before = (folder / "study.toml").read_bytes()
    with pytest.raises(ExpertiseError, match="een/ holds a study already; choose another folder"):
        new_study(folder, title="Anders")
    assert (folder / "study.toml").read_bytes() == before


def test_a_bad_file_leaves_nothing(tmp_path):
    data = tmp_path / "leeg.csv"
    data.write_bytes(b"")
    with pytest.raises(ExpertiseError, match="empty"):
        new_study(tmp_path / "studies" / "nieuw", data=data)
    assert not (tmp_path / "studies").exists()


def test_identifiers_must_be_dropped_by_name(tmp_path):
    data = tmp_path / "namen.csv"
    data.write_text("id,naam,score1,score2\nA1,Jan Jansen,4,5\nA2,Piet Pieters,3,4\n", "utf-8")
    with pytest.raises(ExpertiseError, match="naam"):
        new_study(tmp_path / "studies" / "namen", data=data)
    folder = new_study(
        tmp_path / "studies" / "namen", data=data, drop=["naam"], perspectives=["patient"]
    )
    assert not check_study(folder).problems
    assert "Jansen" not in "".join(
        path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()
    )


def test_whose_view_is_left_to_a_person_when_names_do_not_tell(tmp_path):
    data = tmp_path / "wie.csv"
    data.write_text("id,hoop1,hoop2,kracht_n1,kracht_n2\nA1,4,5,3,4\nA2,3,4,5,6\n", "utf-8")
    folder = new_study(tmp_path / "studies" / "wie", data=data, perspectives=["patient", "naaste"])
    assert '"kracht_n1" = { instrument = "kracht_n", perspective = "naaste"' in (
        folder / "study.toml"
    ).read_text("utf-8")
    told = repr(check_study(folder))
    assert "columns.hoop1.perspective: unknown '…'" in told


def test_names_with_accents_are_quoted(tmp_path):
    folder = new_study(tmp_path / "studies" / "accent", perspectives=["patiënt"], waves=["T0"])
    assert '[perspectives."patiënt"]' in (folder / "study.toml").read_text("utf-8")


def test_a_study_lies_in_studies(tmp_path):
    with pytest.raises(ExpertiseError, match="a study lies in a folder studies/"):
        new_study(tmp_path / "los")


def test_data_of_the_same_name_is_not_replaced(tmp_path):
    there = tmp_path / "studies" / "twee" / "data"
    there.mkdir(parents=True)
    (there / "x.csv").write_text("oud", "utf-8")
    (tmp_path / "x.csv").write_text("id,a1,a2\nA,1,2\n", "utf-8")
    with pytest.raises(ExpertiseError, match=r"twee/data/x\.csv is there already"):
        new_study(there.parent, data=tmp_path / "x.csv")
    assert (there / "x.csv").read_text("utf-8") == "oud"
    assert not (there.parent / "study.toml").exists()


def test_a_wave_needs_a_month(tmp_path):
    with pytest.raises(ExpertiseError, match="wave 'T0=begin' has no month"):
        new_study(tmp_path / "studies" / "x", waves=["T0=begin"])
