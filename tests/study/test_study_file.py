"""Every fault of a study.toml is one sentence, before any computation."""

import pytest

from expertise import ExpertiseError, check_study, open_study

FAULTS = {
    "unknown key": (
        'asked_by = "De',
        'asked_bij = "De',
        "top level: unknown key 'asked_bij' (did you mean 'asked_by'?)",
    ),
    "missing key": ('title = "Kleine studie"\n', "", "title: this key is missing; write text"),
    "unknown key in a table": (
        "better = ",
        "beter = ",
        "instruments.hope: unknown key 'beter' (did you mean 'better'?)",
    ),
    "wrong type": ("months = 6", 'months = "zes"', "waves.2.months: 'zes' has the wrong type"),
    "a table for text": (
        'title = "Kleine studie"',
        "title = { nl = 'a' }",
        "title: a table has the wrong type; write text",
    ),
    "yes and no for a number": (
        "months = 6",
        "months = true",
        "waves.2.months: True has the wrong",
    ),
    "not allowed": (
        'better = "higher"',
        'better = "hihger"',
        "instruments.hope.better: 'hihger' is not allowed (did you mean 'higher'?)",
    ),
    "minimum above maximum": (
        "minimum = 0\nmaximum = 10",
        "minimum = 10\nmaximum = 0",
        "instruments.hope: the minimum 10 lies above the maximum 0; swap them",
    ),
    "covariate with minimum above maximum": (
        "minimum = 16",
        "minimum = 160",
        "people.covariates.age: the minimum 160 lies above the maximum 99",
    ),
    "column no table has": (
        "+ arm +",
        "+ amr +",
        "models.primary.formula: unknown 'amr' (did you mean 'arm'?)",
    ),
    "outcome predicts itself": (
        "+ arm +",
        "+ arm + hope +",
        "'hope' is the outcome and predicts itself",
    ),
    "outcome predicts itself inside a function": (
        "+ arm +",
        "+ log(hope) +",
        "'hope' is the outcome and predicts itself",
    ),
    "formula runs code": (
        "+ arm +",
        "+ open(arm) +",
        "models.primary.formula: ",
    ),
    "unknown outcome": (
        'outcome = "hope"',
        'outcome = "hoop"',
        "models.primary.outcome: unknown 'hoop' (did you mean 'hope'?)",
    ),
    "path that climbs out": (
        "data/people.csv",
        "../../people.csv",
        "people.file: path '../../people.csv' leads outside klein/",
    ),
    "absolute path": (
        "data/scores.csv",
        "/etc/passwd",
        "tables.scores.file: path '/etc/passwd' is not a relative path",
    ),
    "notebook in a folder": (
        "[perspectives.patient]",
        'notebook = "../x"\n[perspectives.patient]',
        "notebook: '../x' must be a plain name",
    ),
    "secret by its key": (
        'asked_by = "De',
        'api_key = "abc"\nasked_by = "De',
        "api_key: this looks like a secret",
    ),
    "secret by its value": (
        'question = "Gaat het beter?"',
        'question = "postgresql://jan:geheim@db/x"',
        "question: this looks like a secret",
    ),
    "newer schema": (
        "schema = 1",
        "schema = 2",
        "schema: this study file has schema 2 and this version of expertise reads schema 1",
    ),
    "schema that never was": (
        "schema = 1",
        "schema = 0",
        "schema: 0 is no schema that this version of expertise reads; bring the file up to date",
    ),
    "waves out of order": (
        "months = 6",
        "months = -6",
        "waves: T1 (month -6) does not come after T0 (month 0)",
    ),
    "a wave twice": ('id = "T1"', 'id = "T0"', "waves: the id 'T0' is given 2 times"),
    "a colour twice": ("slot = 2", "slot = 1", "perspectives.patient.slot: 1 is given twice"),
    "a colour that is not": ("slot = 2", "slot = 4", "perspectives.naaste.slot: 4 is not allowed"),
    "unknown instrument": (
        'instrument = "hope"',
        'instrument = "hoop"',
        "tables.scores.columns.score.instrument: unknown 'hoop' (did you mean 'hope'?)",
    ),
    "no wave column": ('wave = "wave"\n', "", "tables.scores.wave: this key is missing"),
    "REML without a normal outcome": (
        "primary = true",
        'primary = true\nfamily = "poisson"\nreml = true',
        "models.primary.reml: REML exists for gaussian models only",
    ),
    "two primary models": (
        "[models.primary]",
        '[models.other]\nprimary = true\noutcome = "hope"\nformula = "hope ~ 1"\n'
        'estimand = { nl = "a", en = "a" }\n[models.primary]',
        "models: other, primary are all primary",
    ),
    "disclosure too small": (
        "[models.primary]",
        "[disclosure]\nminimum = 3\n[models.primary]",
        "disclosure.minimum: 3 is too small; write 5 or more",
    ),
    "retention that is no share": (
        "[models.primary]",
        "[planned]\nparticipants = 30\nretention = 80.0\n[models.primary]",
        "planned.retention: 80 is no share",
    ),
    "not TOML": ("schema = 1", "schema = ", "is not valid TOML"),
    "a covariate with a taken name": (
        "[people.covariates.arm]",
        "[people.covariates.hope]",
        "people.covariates.hope: the name is taken",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(make_study, fault):
    old, new, sentence = FAULTS[fault]
    folder = make_study(old, new)
    before = sorted(folder.rglob("*"))
    messages = [problem.message for problem in check_study(folder).problems]
    assert any(sentence in message for message in messages), messages
    assert all("\n" not in message for message in messages)
    with pytest.raises(ExpertiseError):
        open_study(folder)
    assert sorted(folder.rglob("*")) == before


def test_all_faults_are_told_at_once(make_study):
    folder = make_study()
    text = (folder / "study.toml").read_text("utf-8")
    for old, new in [
        ("better = ", "beter = "),
        ("months = 6", "months = -6"),
        ("slot = 2", "slot = 9"),
    ]:
        text = text.replace(old, new)
    (folder / "study.toml").write_text(text, "utf-8")
    assert len(check_study(folder).problems) >= 1
    fixed = text.replace("beter = ", "better = ")
    (folder / "study.toml").write_text(fixed, "utf-8")
    assert len(check_study(folder).problems) == 2
    with pytest.raises(ExpertiseError, match="and 1 more; see all with: expertise check"):
        open_study(folder)


def test_no_study_there(tmp_path):
    with pytest.raises(ExpertiseError, match="there is no folder 'geen'"):
        open_study(tmp_path / "geen")
    with pytest.raises(ExpertiseError, match=r"has no study\.toml; make a study with"):
        open_study(tmp_path)


def test_a_study_in_latin_1_is_refused(make_study):
    folder = make_study()
    path = folder / "study.toml"
    path.write_bytes(path.read_text("utf-8").encode("latin-1"))
    with pytest.raises(ExpertiseError, match="is not UTF-8"):
        open_study(folder)
