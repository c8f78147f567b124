"""Cycles are read whole, drawn, and become phases that models and charts understand."""

import numpy as np
import pandas as pd
import pytest

from expertise import control_chart, interrupted_series, open_study, read_table
from expertise.cycles import add_phases, phase_table, read_cycles
from expertise.errors import DataError, StudyError
from expertise.figures import png
from expertise.outcomes.stepped import stepped_wedge
from expertise.study import Truth, simulate_study

STUDY = "studies/drie-kunnen-meer-dan-een"
CYCLE = """
[[cycles]]
id = "C1"
team = "a"
start = 3
end = 9
plan = "p"
act = "doen"
observe = "o"
learned = "l"
[cycles.present]
patient = 2
naaste = 3
professional = 4
"""
CHECK = """
[themes.hoop]
nl = "hoop"
en = "hope"
[[member_checks]]
theme = "hoop"
role = "naaste"
month = 12
yes = 6
partly = 3
no = 2
rather_not = 1
"""


@pytest.fixture
def write(tmp_path):
    def write(text, old="", new=""):
        assert old in text
        path = tmp_path / "cycles.toml"
        path.write_text("schema = 1\n" + (text.replace(old, new, 1) if old else text), "utf-8")
        return path

    return write


def test_a_cycle_is_read(write):
    cycles = read_cycles(write(CYCLE + CHECK))
    assert cycles.notes == ()
    assert cycles.presence()["n_people"].tolist() == [2, 3, 4]
    check = cycles.member_check()
    assert check["n_people"].tolist() == [6, 3, 2, 1]
    assert set(check["asked"]) == {12}
    assert "1 action cycles of 1 teams" in repr(cycles)


def test_a_cycle_without_a_role_is_noted(write):
    cycles = read_cycles(write(CYCLE, "naaste = 3\n", ""))
    assert str(cycles.notes[0]) == (
        "Cycle C1 (a) had nobody with role naaste: what they know is missing from what was decided."
    )
    assert "wat zij weten, ontbreekt" in cycles.notes[0].text("nl")
    assert (
        "In 1 of the 1 cycles one of the roles was missing"
        in cycles.plot_presence("en").story.title
    )


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "naaste = 3",
            "nasate = 3",
            "cycle 'C1', present: unknown 'nasate' .did you mean 'naaste'",
        ),
        ("naaste = 3", "naaste = -3", "cycle 'C1', present: a count is negative"),
        ("end = 9", "end = 2", "cycle 'C1' ends in month 2 and begins in 3; swap them"),
        ("plan =", "plna =", "unknown key 'plna' .did you mean 'plan'"),
        ('theme = "hoop"', 'theme = "hop"', "member check of 'hop': unknown 'hop' .did you mean"),
        ('role = "naaste"', 'role = "buur"', "member check of 'hoop': unknown 'buur'; allowed"),
        ("yes = 6", "yes = -6", "member check of 'hoop': a count is negative"),
    ],
)
def test_faults_are_sentences(write, old, new, sentence):
    with pytest.raises(StudyError, match=sentence):
        read_cycles(write(CYCLE + CHECK, old, new))


def test_more_faults(write, tmp_path):
    with pytest.raises(StudyError, match="cycle 'C1' is given twice; each cycle has its own id"):
        read_cycles(write(CYCLE + CYCLE))
    (tmp_path / "old.toml").write_text("schema = 0\n")
    with pytest.raises(StudyError, match=r"old.toml: schema is 0; this version of expertise reads"):
        read_cycles(tmp_path / "old.toml")


def test_phases(write):
    later = CYCLE.replace("C1", "C2").replace("start = 3", "start = 9").replace("end = 9", "")
    cycles = read_cycles(write(CYCLE + later))
    assert phase_table(cycles)["phase"].tolist() == ["before", "C1", "C2"]
    rows = pd.DataFrame({"team": "a", "months": [0, 3, 4, 9, 10]}, index=[5, 6, 7, 8, 9])
    found = add_phases(rows, cycles)
    assert found["phase"].tolist() == ["before", "before", "C1", "C1", "C2"]
    assert found["treated"].tolist() == [0, 0, 1, 1, 1]
    assert found["since"].tolist() == [0, 0, 1, 6, 7]
    assert list(rows.columns) == ["team", "months"]
    with pytest.raises(DataError, match="team b has no cycle in cycles.toml; it has a"):
        add_phases(rows.assign(team="b"), cycles)
    with pytest.raises(DataError, match="no column 'maand'; it has team, months"):
        add_phases(rows, cycles, months="maand")


def test_phases_agree_with_the_simulation_and_feed_a_stepped_wedge():
    study = open_study(STUDY)
    data = study.data_for("collaboration")
    data = add_phases(data, read_cycles(study.folder))
    active = study.data()[["participant", "wave", "active"]]
    both = data.merge(active, on=["participant", "wave"])
    assert (both["treated"] == both["active"]).all()
    means = data.groupby(["team", "months", "treated"], as_index=False)["collaboration"].mean()
    found = stepped_wedge(means, outcome="collaboration", period="months", cluster_period=False)
    step = found.tidy().set_index("term").loc["step"]
    assert step["conf_low"] < 6.3 < step["conf_high"]


def test_figures_say_what_they_show():
    cycles = read_cycles(STUDY)
    timeline, check = cycles.plot("nl"), cycles.plot_member_check("nl")
    assert timeline.story.title == "12 teams begonnen op 4 momenten"
    assert "herkent het" in check.story.title
    for axes in (timeline, check, cycles.plot_presence("en")):
        assert png(axes)[:4] == b"\x89PNG"


def test_few_answers_are_left_out(write):
    cycles = read_cycles(write(CYCLE + CHECK))
    assert len(cycles.plot_member_check("nl", minimum=10).story.table) == 1
    assert cycles.plot_member_check("nl", minimum=13).story.table.empty


@pytest.fixture(scope="module")
def series():
    """Return each month of each team with its phase, from the simulated study."""
    months = read_table(f"{STUDY}/data/conversations.csv").table
    return add_phases(months, read_cycles(STUDY), months="month")


def test_a_cycle_is_a_phase_of_a_control_chart(series):
    names = {"month": "time", "with_naaste": "count", "conversations": "size"}
    for team, rows in series.groupby("team"):
        one = rows.rename(columns=names).reset_index(drop=True)
        starts = one.drop_duplicates("phase").rename(columns={"time": "start"})[["start", "phase"]]
        assert starts["phase"].tolist()[0] == "before"
        chart = control_chart(one, "p", phases=starts)
        # The chart's phases are those of the cycles, month by month.
        assert chart.points["phase"].tolist() == one["phase"].tolist(), team
        centers = chart.points.drop_duplicates("phase")["center"].tolist()
        held = one.groupby("phase", sort=False)[["count", "size"]].sum()
        assert centers == pytest.approx((held["count"] / held["size"]).tolist())


def test_a_cycle_interrupts_a_series_and_the_truth_comes_back(series):
    logs, errors = [], []
    for _, rows in series.groupby("team"):
        begun = int(rows.loc[rows["treated"] == 1, "month"].min())
        found = interrupted_series(
            rows, outcome="with_naaste", time="month", start=begun, exposure="conversations"
        )
        level = found.tidy().set_index("term").loc["level"]
        logs.append(np.log(level["estimate"]))
        errors.append(np.log(level["conf_high"] / level["conf_low"]) / 2 / 1.96)
    weights = 1 / np.square(errors)
    pooled, error = np.average(logs, weights=weights), weights.sum() ** -0.5
    assert abs(pooled - np.log(Truth().joining_ratio)) < 2.5 * error
    assert pooled - 3 * error > 0


def test_without_a_gain_no_step_is_found():
    still = Truth(joining_ratio=1.0, gain=dict.fromkeys(["patient", "naaste", "professional"], 0.0))
    made = simulate_study(truth=still, seed=3)
    rows = made.conversations.merge(made.people.drop_duplicates("team")[["team", "start"]])
    after = (rows["month"] > rows["start"]).rename("after")
    shares = rows.groupby(after)[["with_naaste", "conversations"]].sum()
    ratio = shares["with_naaste"] / shares["conversations"]
    assert ratio[True] / ratio[False] == pytest.approx(1.0, abs=0.05)


def test_each_team_steps_in_at_its_own_moment(series):
    first = series[series["treated"] == 1].groupby("team")["month"].min()
    begun = read_cycles(STUDY).table().groupby("team")["start"].min()
    # The month in which a cycle begins still counts as before it.
    assert (first == begun[first.index] + 1).all()
    assert sorted(first.unique()) == [4, 10, 16, 22]
    assert (series.groupby("team")["since"].max() == 36 - begun).all()


def test_roles_are_those_of_the_study_in_its_own_words(write, tmp_path):
    study = tmp_path / "study.toml"
    study.write_text(
        '[perspectives.patient]\nnl = { label = "patiënt" }\nen = { label = "patient" }\n'
        '[perspectives.buddy]\nnl = { label = "maatje" }\nen = { label = "buddy" }\n', "utf-8"
    )  # fmt: skip
    text = CYCLE.replace("naaste = 3\nprofessional = 4", "buddy = 3")
    cycles = read_cycles(write(text))
    assert cycles.roles == ("patient", "buddy")
    assert cycles.notes == ()
    assert list(cycles.plot_presence("nl").story.table.columns) == ["start", "patiënt", "maatje"]
    assert list(read_cycles(STUDY).plot_presence("nl").story.table.columns) == [
        "start", "patiënt", "naaste", "professional"
    ]  # fmt: skip
