"""What leaves the house shows no small group, directly, by sums or by differences."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from expertise import open_study
from expertise.errors import DataError, FileError, PrivacyError
from expertise.privacy import TablePlan, release_tables
from expertise.privacy.cells import _lines, hide_small
from expertise.reporting.sharing import release_study
from expertise.study import simulate_study, write_simulated

KEY = b"k" * 32


def rows_of(**sizes):
    levels = [level for level, n in sizes.items() for _ in range(n)]
    return pd.DataFrame({"participant": [f"p{k}" for k in range(len(levels))], "team": levels})


TEAMS = TablePlan(name="teams", by=("team",))


def shown(released, name="teams"):
    table = released.tables[name]
    return {row.team: row.n_people for row in table.itertuples() if not pd.isna(row.n_people)}


def test_nine_people_are_hidden_with_their_complement():
    released = release_tables(rows_of(a=30, b=21, c=9), [TEAMS])
    assert shown(released) == {"a": 30, "total": 60}
    counted = released.report.iloc[0]
    assert (counted["small"], counted["complement"]) == (1, 1)
    assert "fewer than 10" in str(released.notes[0])


def test_ten_people_are_shown():
    released = release_tables(rows_of(a=30, b=10), [TEAMS])
    assert shown(released) == {"a": 30, "b": 10, "total": 40}
    assert released.notes == ()


def test_people_are_counted_not_rows():
    rows = pd.concat([rows_of(a=30, b=9)] * 5)
    assert "b" not in shown(release_tables(rows, [TEAMS]))


def test_two_hidden_groups_that_are_small_together_take_a_third():
    released = release_tables(rows_of(a=40, b=20, c=3, d=4), [TEAMS])
    assert shown(released) == {"a": 40, "total": 67}


def test_small_groups_are_put_together_before_anything_is_blanked():
    plan = TablePlan(name="teams", by=("team",), merge=("team",))
    released = release_tables(rows_of(a=40, b=20, c=6, d=7), [plan])
    assert shown(released) == {"a": 40, "b": 20, "other": 13, "total": 73}
    assert released.report["merged"].tolist() == [2]
    lone = release_tables(rows_of(a=40, b=20, c=6), [plan])
    assert shown(lone) == {"a": 40, "other": 26, "total": 66}


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("shape", [(4,), (3, 3), (4, 5)])
def test_no_hidden_count_follows_from_the_others(seed, shape):
    rng = np.random.default_rng(seed)
    inner = rng.poisson(rng.choice([6, 14, 30], shape), shape)
    counts = inner
    for axis in range(inner.ndim):
        counts = np.concatenate([counts, counts.sum(axis=axis, keepdims=True)], axis=axis)
    hidden = hide_small(counts, 10)
    assert hidden[counts < 10].all()
    cells = [tuple(cell) for cell in np.argwhere(hidden)]
    place = {cell: k for k, cell in enumerate(cells)}
    A, b = [], []
    for line in _lines(counts.shape):
        signs = [1] * (len(line) - 1) + [-1]
        row = np.zeros(len(cells))
        for cell, sign in zip(line, signs, strict=True):
            if cell in place:
                row[place[cell]] = sign
        known = sum(s * counts[c] for c, s in zip(line, signs, strict=True) if c not in place)
        A.append(row)
        b.append(-known)
    for k in range(len(cells)):
        c = np.eye(len(cells))[k]
        low, high = (linprog(sign * c, A_eq=A, b_eq=b, bounds=(0, None)) for sign in (1, -1))
        reach = np.inf if high.status == 3 else -high.fun
        assert reach - low.fun > 1e-6, (counts, hidden, cells[k])


def test_means_and_shares_show_no_person_and_no_whole_group():
    rng = np.random.default_rng(1)
    rows = rows_of(a=40, b=40).assign(score=rng.normal(size=80))
    rows["better"] = [1] * 40 + [1] * 25 + [0] * 15
    plans = [
        TablePlan(name="score", by=("team",), value="score", statistics=("mean", "sd")),
        TablePlan(name="better", by=("team",), value="better", statistics=("share",)),
    ]
    released = release_tables(rows, plans)
    score, better = (released.tables[name].set_index("team") for name in ("score", "better"))
    assert score.loc["a", "mean"] == pytest.approx(rows["score"][:40].mean())
    assert better["share"].isna().tolist() == [True, False, False]  # team a: 100 %
    assert better.loc["b", "share"] == 25 / 40
    assert released.report["group"].tolist() == [0, 1]


def test_waves_are_tables_of_their_own():
    rows = pd.concat([rows_of(a=30, b=20).assign(wave=wave) for wave in ("m0", "m6")])
    plan = TablePlan(name="teams", by=("team",), within=("wave",))
    table = release_tables(rows, [plan]).tables["teams"]
    assert list(table.columns) == ["wave", "team", "n_people"]
    assert len(table) == 6


def test_two_releases_whose_difference_is_one_person_are_refused(tmp_path):
    register = tmp_path / "register.json"
    rows = rows_of(a=30, b=20)
    release_tables(rows, [TEAMS], register=register, key=KEY)
    before = register.read_bytes()
    with pytest.raises(PrivacyError, match="fewer than 10 people tell it from cell a of table"):
        release_tables(rows[1:], [TEAMS], register=register, key=KEY)
    assert register.read_bytes() == before
    # The same people again show nothing new, nor does another measure of fewer people.
    release_tables(rows, [TEAMS], register=register, key=KEY)
    other = TablePlan(name="scores", by=("team",), value="score")
    release_tables(rows[1:].assign(score=1.0), [other], register=register, key=KEY)


def test_another_split_of_the_same_people_is_compared_too(tmp_path):
    rows = rows_of(a=30, b=30).assign(place=["x"] * 33 + ["y"] * 27)
    register = tmp_path / "register.json"
    release_tables(rows, [TEAMS], register=register, key=KEY)
    plan = TablePlan(name="places", by=("place",))
    with pytest.raises(PrivacyError, match="table 'places', cell x"):
        release_tables(rows, [plan], register=register, key=KEY)


def test_the_register_holds_no_ids(tmp_path):
    register = tmp_path / "register.json"
    release_tables(rows_of(a=30, b=20), [TEAMS], register=register, key=KEY)
    assert "p1" not in json.dumps(json.loads(register.read_text())["cells"][0]["people"])


@pytest.mark.parametrize("name", ["min", "max", "median"])
def test_scores_of_one_person_are_refused(name):
    plan = TablePlan(name="t", by=("team",), value="x", statistics=(name,))
    with pytest.raises(PrivacyError, match=f"{name!r} can be the score of one person"):
        release_tables(rows_of(a=20).assign(x=1.0), [plan])


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        ({"by": ("tema",)}, "no column 'tema' .did you mean 'team'"),
        ({"by": ()}, "has 0 columns in by; give one or two"),
        ({"by": ("team",), "value": "x", "statistics": ("mode",)}, "unknown statistic 'mode'"),
        ({"by": ("team",), "statistics": ("mean",)}, "has statistics and no value"),
        ({"by": ("team",), "value": "x", "statistics": ("share",)}, "a share needs values 0 and 1"),
    ],
)
def test_plans_that_cannot_be(plan, sentence):
    with pytest.raises(DataError, match=sentence):
        release_tables(rows_of(a=20).assign(x=2.0), [TablePlan(name="t", **plan)])


def test_other_refusals(tmp_path):
    with pytest.raises(PrivacyError, match="minimum is 4; a released count is of 5 people or more"):
        release_tables(rows_of(a=20), [TEAMS], minimum=4)
    with pytest.raises(PrivacyError, match="a register of releases needs a key"):
        release_tables(rows_of(a=20), [TEAMS], register=tmp_path / "r.json")
    (tmp_path / "r.json").write_text("[]")
    with pytest.raises(FileError, match=r"r.json is no register of releases; restore it"):
        release_tables(rows_of(a=20), [TEAMS], register=tmp_path / "r.json", key=KEY)
    moved = pd.concat([rows_of(a=20), rows_of(b=20)])
    with pytest.raises(DataError, match="20 people stand in more than one group of team"):
        release_tables(moved, [TEAMS])


def test_groups_are_merged_until_every_cell_they_are_shown_in_is_large_enough():
    rows = pd.concat([rows_of(a=40, b=40, c=12), rows_of(a=20, b=16, c=9)], ignore_index=True)
    rows["participant"], rows["role"] = range(len(rows)), ["x"] * 92 + ["y"] * 45
    plan = TablePlan(name="teams", by=("role", "team"), merge=("team",))
    table = release_tables(rows, [plan]).tables["teams"]
    assert table["n_people"].notna().all()
    assert set(table["team"]) == {"a", "other", "total"}


def test_a_professional_of_several_patients_counts_once(tmp_path):
    study = write_simulated(simulate_study(triads=40), tmp_path / "studies" / "proef")
    released = release_study(study, key=KEY).tables["released-collaboration"]
    shown = released.set_index(["perspective", "wave"])["n_people"]
    opened = open_study(study)
    rated = opened.data_for("collaboration")
    staff = rated[(rated["perspective"] == "professional") & (rated["wave"] == "m0")]
    assert shown["professional", "m0"] == staff["professional"].nunique() < len(staff)
    # Seven professionals with three patients each are seven people, and stay hidden.
    few = rated.groupby("team")["professional"].nunique()
    by_team = release_study(study, by=["team"], key=KEY).tables["released-collaboration-team"]
    cells = by_team[(by_team["perspective"] == "professional") & (by_team["team"] != "total")]
    assert (few < 10).all()
    assert cells["n_people"].isna().all()
