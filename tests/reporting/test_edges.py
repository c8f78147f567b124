"""Reports of other studies: one wave, one role, few people, groups, turned gaps."""

import numpy as np
import pandas as pd
import pytest

from expertise import ExpertiseError, open_study, study_report
from expertise.reporting.sentences import _gap_change, _worthwhile, gap_sentences

HEAD = """
schema = 1
title = "Rand"
question = "Wat ziet wie?"
asked_by = "De raad"
{roles}
{waves}
[instruments.hope]
nl = "hoop"
en = "hope"
better = "higher"
[people]
file = "data/people.csv"
participant = "id"
[people.covariates.arm]
column = "arm"
levels = ["usual", "new", "third"]
[people.covariates.sex]
column = "sex"
levels = ["f", "m"]
labels.f = {{ nl = "vrouw", en = "woman" }}
[people.covariates.age]
column = "age"
kind = "number"
[tables.t]
file = "data/t.csv"
layout = "long"
participant = "id"
perspective = "role"
wave = "wave"
[tables.t.columns]
score = {{ instrument = "hope" }}
{model}
"""
ROLE = '[perspectives.{0}]\nnl = {{ label = "{0}", plural = "{0}en" }}\nen = {{ label = "{0}", plural = "{0}s" }}'
WAVE = '[[waves]]\nid = "{0}"\nmonths = {1}\nnl = "moment {0}"\nen = "moment {0}"'
MODEL = (
    '[models.primary]\nprimary = true\noutcome = "hope"\nformula = "{}"\n'
    'estimand = {{ nl = "a", en = "a" }}'
)


@pytest.fixture
def study(tmp_path):
    def make(
        roles=("patient", "naaste"), waves=("T0", "T1"), n=40, keep=None, formula=None, shift=0
    ):
        rng = np.random.default_rng(1)
        folder = tmp_path / "studies" / "rand"
        (folder / "data").mkdir(parents=True)
        ids = [f"P{i:02d}" for i in range(n)]
        people = pd.DataFrame(
            {
                "id": ids,
                "arm": np.resize(["usual", "new", "third"], n),
                "sex": np.resize(["f", "m"], n),
                "age": rng.integers(18, 80, n),
            }
        )
        level = rng.normal(0, 1, n)
        rows = [
            (who, role, wave, round(5 + level[i] + j * (r * shift + 1) + rng.normal(0, 0.5), 2))
            for i, who in enumerate(ids)
            for r, role in enumerate(roles)
            for j, wave in enumerate(waves)
            if keep is None or keep(i, role, wave)
        ]
        people.to_csv(folder / "data" / "people.csv", index=False)
        table = pd.DataFrame(rows, columns=["id", "role", "wave", "score"])
        table.to_csv(folder / "data" / "t.csv", index=False)
        text = HEAD.format(
            roles="\n".join(ROLE.format(role) for role in roles),
            waves="\n".join(WAVE.format(wave, 3 * i) for i, wave in enumerate(waves)),
            model=MODEL.format(formula) if formula else "",
        )
        (folder / "study.toml").write_text(text, "utf-8")
        return open_study(folder)

    return make


def html(report):
    return "".join(getattr(report, name)._repr_html_() for name in report.__dataclass_fields__)


@pytest.mark.parametrize("roles", [("patient",), ("patient", "naaste"), ("a", "b", "c")])
@pytest.mark.parametrize("waves", [("T0",), ("T0", "T1"), ("T0", "T1", "T2")])
def test_every_shape_of_study_has_a_report(study, roles, waves):
    report = study_report(study(roles, waves))
    assert report.picture.picture is not None
    assert "geen hoofdmodel" in repr(report.estimand)
    assert html(report)


def test_one_wave_and_one_role_is_a_plain_mean(study):
    made = study(("patient",), ("T0",))
    values = made.outcomes["value"]
    row = made.levels().tidy().iloc[0]
    half = 2.0226909 * values.std(ddof=1) / np.sqrt(len(values))  # t, 39 df
    assert row["estimate"] == pytest.approx(values.mean())
    assert row["conf_high"] - row["estimate"] == pytest.approx(half, rel=1e-6)


def test_a_role_that_starts_later_still_counts(study):
    made = study(keep=lambda i, role, wave: not (role == "naaste" and wave == "T0"))
    levels = made.levels()
    assert len(levels.tidy()) == 3
    assert levels.changes()["perspective"].tolist() == ["patient"]
    assert html(study_report(made))


def test_few_people_at_the_first_wave_give_no_change(study):
    made = study(("patient",), keep=lambda i, role, wave: wave == "T1" or i < 4)
    report = study_report(made)
    assert made.levels().of_at_least(10).changes().empty
    assert report.answer.paragraphs[0] == "" or "punten" not in report.answer.paragraphs[0]


def test_few_people_at_the_last_wave_are_not_told(study):
    made = study(("patient",), keep=lambda i, role, wave: wave == "T0" or i < 4)
    told = html(study_report(made))
    assert "nog minder dan 10 van de 40" in told
    assert "nog 4 van" not in told
    assert html(study_report(made, audience="internal")).count("nog 4 van de 40") == 1


def test_nobody_left_after_suppression_is_no_crash(study):
    made = study(("patient",), n=6)
    report = study_report(made)
    assert report.picture.picture is None
    assert html(report)


def test_groups_keep_their_own_labels(study):
    made = study(("patient",))
    table = study_report(made, by="arm").levels.tables[0][1]
    assert list(table.columns[1:]) == ["usual", "new", "third"]
    table = study_report(made, by="sex").levels.tables[0][1]
    assert list(table.columns[1:]) == ["vrouw", "m"]
    with pytest.raises(ExpertiseError, match="'age' holds numbers"):
        study_report(made, by="age")


def test_groups_and_roles_get_a_panel_a_role(study):
    axes = study().levels(by="sex").plot()
    assert len(axes.figure.axes) == 2
    assert [len(each.lines) for each in axes.figure.axes] == [2, 2]


def test_three_roles_tell_their_gaps_below(study):
    made = study(("a", "b", "c"), shift=1)
    report = study_report(made)
    assert "staat hieronder" in " ".join(report.answer.paragraphs)
    assert len(report.levels.paragraphs) == 3


def row(estimate, low, high):
    return pd.Series({"estimate": estimate, "conf_low": low, "conf_high": high})


@pytest.mark.parametrize(
    ("start", "gap", "change", "word"),
    [
        ((-3, -4, -2), (-6, -7, -5), (-3, -4, -2), "groter"),
        ((-6, -7, -5), (-3, -4, -2), (3, 2, 4), "kleiner"),
        ((-3, -4, -2), (1.6, 0.5, 2.7), (4.6, 3, 6), "keerde om"),
        ((-3, -4, -2), (0.2, -1, 1.4), (3.2, 2, 4), "veranderde"),
        ((-3, -4, -2), (-2, -4, 0), (1, -1, 3), "niet uitgemaakt"),
    ],
)
def test_what_a_gap_did_is_told_as_it_was(start, gap, change, word):
    assert word in _gap_change(row(*start), row(*gap), row(*change), "nl")


def test_harm_is_never_called_worthwhile():
    made = open_study("studies/beat-the-blues")
    model = made.model()
    assert list(_worthwhile(made, model, row(5, 4, 6))) == []
    assert "groter dan" in next(_worthwhile(made, model, row(-5, -6, -4)))
    assert "kleiner dan" in next(_worthwhile(made, model, row(-1, -2, 0.5)))


def test_gaps_follow_the_data(study):
    told = gap_sentences(made := study(shift=2), made.levels())
    assert "werd groter" in told[0] or "veranderde" in told[0]


def test_an_unreadable_language_is_one_sentence(study):
    with pytest.raises(ExpertiseError, match="unknown language 'fr'; allowed are en, nl"):
        study().levels().plot("fr")
