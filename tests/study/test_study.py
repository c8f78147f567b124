"""A study becomes two tidy tables; people are counted, not rows."""

import pandas as pd
import pytest

from expertise import ExpertiseError, check_study, open_study


def test_outcomes_are_tidy_and_ids_stay_text(make_study):
    study = open_study(make_study())
    table = study.outcomes
    assert list(table.columns) == [
        "participant", "perspective", "wave", "months", "instrument", "item", "variable", "value",
    ]  # fmt: skip
    assert study.people["participant"].tolist() == ["007", "008", "NA"]
    assert table["value"].isna().sum() == 1
    first = table.iloc[0]
    assert (first["participant"], first["perspective"], first["wave"]) == ("007", "patient", "T0")
    assert first["value"] == 4.5
    assert table["wave"].cat.categories.tolist() == ["T0", "T1"]


def test_flow_counts_people(make_study):
    study = open_study(make_study())
    assert study.flow().to_dict("records") == [
        {"perspective": "patient", "eligible": 3, "measured": 3, "measured_twice": 1},
        {"perspective": "naaste", "eligible": 3, "measured": 2, "measured_twice": 1},
    ]
    by_arm = study.flow(by="arm")
    assert by_arm.loc[by_arm["perspective"] == "patient", "eligible"].tolist() == [1, 2]
    assert study.presence()["n_people"].tolist() == [3, 1, 1, 2]


def test_who_cannot_be_asked_is_not_missing(make_study):
    rule = 'slot = 2\nasked = { covariate = "age", minimum = 45 }'
    study = open_study(make_study("slot = 2", rule))
    assert study.flow()["eligible"].tolist() == [3, 1]


def test_model_data_keeps_the_order_of_the_study_file(make_study):
    data = open_study(make_study()).data()
    assert data["arm"].cat.categories.tolist() == ["usual", "new"]
    assert data["perspective"].cat.categories.tolist() == ["patient", "naaste"]
    assert {"participant", "wave", "months", "hope", "age"} <= set(data.columns)
    assert len(data) == 7


def test_unknown_names_get_the_nearest(make_study):
    study = open_study(make_study())
    with pytest.raises(ExpertiseError, match="no model 'primry' .did you mean 'primary'"):
        study.fit("primry")
    with pytest.raises(ExpertiseError, match="does not measure 'hoop' .did you mean 'hope'"):
        study.levels("hoop")
    with pytest.raises(ExpertiseError, match="people have no column 'amr'"):
        study.flow(by="amr")


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        ("id;role;wave;score\n007;familie;T0;4\n", "unknown role 'familie' (did you mean 'naaste'?)"),
        ("id;role;wave;score\n007;patinet;T0;4\n", "unknown role 'patinet' (did you mean 'patient'?)"),
        ("id;role;wave;score\n007;patient;T9;4\n", "line 2: unknown wave 'T9'"),
        ("id;role;wave;score\n7;patient;T0;4\n", "this participant is not in the people table"),
        ("id;role;wave;score\n007;patient;T0;14\n", "above the maximum 10"),
        ("id;role;wave;score\n007;patient;T0;4\n007;patient;T0;5\n", "row 2, 3: 'hope' is given twice"),
        ("id;role;wave;score\n007;patient;T0;vier\n", "column 'score', line 2"),
        ("id;role;wave\n007;patient;T0\n", "has no column 'score'"),
        ("", "empty"),
    ],
)  # fmt: skip
def test_a_bad_table_is_named_with_row_and_column(make_study, scores, sentence):
    folder = make_study(scores=scores)
    found = check_study(folder)
    assert any(sentence in problem.message for problem in found.problems), found
    assert list(found.table().columns) == ["file", "row", "column", "message"]
    with pytest.raises(ExpertiseError):
        open_study(folder)


def test_people_twice(make_study):
    folder = make_study(people="id,arm,age\n007,usual,30\n007,new,40\n008,new,30\nNA,new,30\n")
    assert "rows of one participant differ in 'arm'" in check_study(folder).problems[0].message


def test_people_in_a_long_file_may_repeat_themselves(make_study):
    folder = make_study(people="id,arm,age\n007,usual,30\n007,usual,30\n008,new,30\nNA,new,30\n")
    assert open_study(folder).people["participant"].tolist() == ["007", "008", "NA"]


def test_a_person_with_two_roles_in_people_is_a_problem(make_study):
    folder = make_study(
        'participant = "id"\n\n[people.covariates.arm]',
        'participant = "id"\nperspective = "role"\n\n[people.covariates.arm]',
        people="id,role,arm,age\n007,patient,usual,30\n007,naaste,usual,30\n",
    )
    assert "differ in 'perspective'" in repr(check_study(folder))


def test_an_answer_without_role_or_wave_is_a_problem(make_study):
    found = check_study(make_study(scores="id;role;wave;score\n007;;T0;4\n008;patient;;5\n"))
    told = [problem.message for problem in found.problems]
    assert any("line 2: the role is empty; write patient, naaste" in one for one in told)
    assert any("line 3: the wave is empty; write T0, T1" in one for one in told)


def test_everything_in_a_table_is_told_at_once(make_study):
    rows = ["007;familie;T0;4", "007;patient;T9;4", "008;patient;T0;55", "008;patient;T1;5"]
    folder = make_study(scores="id;role;wave;score\n" + "\n".join([*rows, rows[-1]]) + "\n")
    told = repr(check_study(folder))
    for sentence in (
        "unknown role 'familie'",
        "unknown wave 'T9'",
        "above the maximum",
        "given twice",
    ):
        assert sentence in told, sentence


def test_a_changed_file_is_noticed(make_study):
    folder = make_study('file = "data/people.csv"', 'file = "data/people.csv"\nsha256 = "abc"')
    assert "people.csv changed since study.toml was written" in repr(check_study(folder))


def test_check_predicts_what_a_release_suppresses(make_study):
    planned = "[planned]\nparticipants = 25\nretention = 0.5\n[models.primary]"
    found = check_study(make_study("[models.primary]", planned))
    assert not found.problems
    kept = found.suppressed
    assert set(kept["table"]) == {"by arm"}
    # A third of 25 people are in usual care; half of the others answer at T1.
    assert kept[kept["level"] == "usual"]["expected"].tolist() == [8, 4, 8, 4]
    assert kept[kept["level"] == "new"]["expected"].tolist() == [8, 8]


def test_a_study_shows_itself(make_study):
    study = open_study(make_study())
    html = study._repr_html_()
    assert "Gaat het beter?" in html
    assert "<figure" in html
    assert "patiënten" in repr(study)
    assert repr(study) == repr(open_study(study.folder))


def test_wide_and_long_give_the_same_table(make_study, tmp_path):
    long = open_study(make_study())
    wide_toml = (long.folder / "study.toml").read_text("utf-8")
    wide_toml = wide_toml.replace('layout = "long"', 'layout = "wide"')
    wide_toml = wide_toml.replace('perspective = "role"\nwave = "wave"\n', "")
    wide_toml = wide_toml.replace(
        'score = { instrument = "hope" }',
        "\n".join(
            f'{role[0]}{wave} = {{ instrument = "hope", perspective = "{role}", wave = "{wave}" }}'
            for role in ("patient", "naaste")
            for wave in ("T0", "T1")
        ),
    )
    folder = tmp_path / "studies" / "breed"
    (folder / "data").mkdir(parents=True)
    (folder / "study.toml").write_text(wide_toml, "utf-8")
    (folder / "data" / "people.csv").write_bytes((long.folder / "data/people.csv").read_bytes())
    rows = ["id,pT0,pT1,nT0,nT1", "007,4.5,6,5,7", "008,3,,,", "NA,2,,,8"]
    (folder / "data" / "scores.csv").write_text("\n".join(rows) + "\n", "utf-8")
    wide = open_study(folder)
    pd.testing.assert_frame_equal(
        wide.outcomes.dropna(ignore_index=True), long.outcomes.dropna(ignore_index=True)
    )


CONSENT = ('participant = "id"\n\n', 'participant = "id"\nconsent = { use = "mag" }\n\n')


def test_who_takes_consent_back_is_left_out_everywhere(make_study):
    people = "id,arm,age,mag\n007,usual,30,Ja\n008,new,40,nee\nNA,new,50,\n"
    study = open_study(make_study(*CONSENT, people=people))
    assert study.people["participant"].tolist() == ["007"]
    assert set(study.outcomes["participant"]) == {"007"}
    assert study.flow()["eligible"].tolist() == [1, 1]
    assert "Of 2 rows of people nothing is used" in " ".join(map(str, study.notes))


def test_consent_is_yes_or_no(make_study):
    people = "id,arm,age,mag\n007,usual,30,ja\n008,new,40,soms\nNA,new,50,ja\n"
    found = check_study(make_study(*CONSENT, people=people)).problems
    assert [problem.message for problem in found] == [
        "people.csv, column 'mag', line 3: write yes or no; left empty it means no"
    ]


def test_seats_need_a_role_and_a_person(make_study):
    folder = make_study(
        'participant = "id"\n\n', 'participant = "id"\nperson = { nasate = "x" }\n\n'
    )
    told = " ".join(problem.message for problem in check_study(folder).problems)
    assert "people.person: unknown 'nasate' (did you mean 'naaste'?)" in told
    assert "people.person: a seat needs a role; name the column perspective as well" in told
