"""A small study in a folder of its own, to be broken one fault at a time."""

import pytest

TOML = """
schema = 1
title = "Kleine studie"
question = "Gaat het beter?"
asked_by = "De cliëntenraad"

[perspectives.patient]
slot = 1
nl = { label = "patiënt", plural = "patiënten" }
en = { label = "patient", plural = "patients" }

[perspectives.naaste]
slot = 2
nl = { label = "naaste", plural = "naasten" }
en = { label = "relative", plural = "relatives" }

[[waves]]
id = "T0"
months = 0
nl = "start"
en = "start"

[[waves]]
id = "T1"
months = 6
nl = "na 6 maanden"
en = "after 6 months"

[instruments.hope]
nl = "hoop"
en = "hope"
better = "higher"
minimum = 0
maximum = 10

[people]
file = "data/people.csv"
participant = "id"

[people.covariates.arm]
column = "arm"
levels = ["usual", "new"]

[people.covariates.age]
column = "age"
kind = "number"
minimum = 16
maximum = 99

[tables.scores]
file = "data/scores.csv"
layout = "long"
participant = "id"
perspective = "role"
wave = "wave"

[tables.scores.columns]
score = { instrument = "hope" }

[models.primary]
primary = true
outcome = "hope"
formula = "hope ~ perspective * wave + arm + (1 | participant)"
estimand = { nl = "de verandering", en = "the change" }
"""
PEOPLE = "id,arm,age\n007,usual,30\n008,new,40\nNA,new,50\n"
SCORES = (
    "id;role;wave;score\n"
    "007;patient;T0;4,5\n007;patient;T1;6\n007;naaste;T0;5\n007;naaste;T1;7\n"
    "008;patient;T0;3\n008;patient;T1;\nNA;patient;T0;2\nNA;naaste;T1;8\n"
)


@pytest.fixture
def make_study(tmp_path):
    """Return a function that writes the small study, with a text replaced."""

    def make(old="", new="", *, people=PEOPLE, scores=SCORES):
        folder = tmp_path / "studies" / "klein"
        (folder / "data").mkdir(parents=True)
        assert old in TOML, f"{old!r} is not in the study file"
        (folder / "study.toml").write_text(TOML.replace(old, new, 1) if old else TOML, "utf-8")
        (folder / "data" / "people.csv").write_text(people, "utf-8")
        (folder / "data" / "scores.csv").write_text(scores, "utf-8")
        return folder

    return make
