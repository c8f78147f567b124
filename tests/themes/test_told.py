"""Counts of people and passages, trajectories over waves, and framework matrices."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from statsmodels.stats.proportion import proportion_confint

from expertise.errors import CodingError, ExpertiseError
from expertise.figures import png
from expertise.themes.counts import code_counts
from expertise.themes.framework import framework_matrix
from expertise.themes.paths import trajectories

MONTHS = {"T0": 0, "T1": 6, "T2": 12}


def study(seed=1, n=8):
    """Return invented codings and documents of three perspectives in three waves."""
    rng = np.random.default_rng(seed)
    documents, codings = [], []
    for view in ("patient", "naaste", "professional"):
        for person in range(n):
            for wave in MONTHS:
                if rng.random() < 0.15:
                    continue
                name = f"{view}{person}{wave}"
                documents.append((name, f"{view}{person}", view, wave))
                for code in ("hoop", "regie", "wachten"):
                    for start in np.flatnonzero(rng.random(4) < 0.2):
                        codings.append((name, code, 100 * int(start), 100 * int(start) + 50))
    return (
        pd.DataFrame(codings, columns=["document", "code", "start", "end"]),
        pd.DataFrame(documents, columns=["document", "participant", "perspective", "wave"]),
    )


def small():
    rows = [
        ("a0", "hoop", 0, 10), ("a0", "hoop", 5, 20), ("a0", "hoop", 20, 30), ("a1", "regie", 0, 9),
        ("b0", "hoop", 0, 5),
    ]  # fmt: skip
    about = [
        ("a0", "Ans", "patient", "T0"), ("a1", "Ans", "patient", "T1"),
        ("b0", "Bo", "patient", "T0"), ("b1", "Bo", "patient", "T1"),
        ("c0", "Cas", "naaste", "T0"), ("d0", "Dee", "patient", "T0"),
    ]  # fmt: skip
    names = ["document", "participant", "perspective", "wave"]
    return pd.DataFrame(rows, columns=["document", "code", "start", "end"]), pd.DataFrame(
        about, columns=names
    )


def cell(found, code, perspective, wave):
    rows = found.table.query("code == @code and perspective == @perspective and wave == @wave")
    return rows.iloc[0]


def test_counts_by_hand():
    found = code_counts(*small())
    row = cell(found, "hoop", "patient", "T0")
    # Marks 0–10 and 5–20 overlap: one passage; 20–30 only touches: another.
    assert row[["n_told", "n_people", "n_passages"]].tolist() == [2, 3, 3]
    assert_allclose(row["estimate"], 2 / 3)
    assert cell(found, "regie", "naaste", "T0")["estimate"] == 0
    assert np.isnan(cell(found, "regie", "naaste", "T1")["estimate"])
    assert found.glance().loc[0, "n_people"] == 4


def test_several_coders_do_not_make_more_passages():
    codings, documents = small()
    twice = pd.concat([codings.assign(coder="A"), codings.assign(coder="B")])
    pd.testing.assert_frame_equal(
        code_counts(twice, documents).table, code_counts(codings, documents).table
    )


def test_counts_by_another_route():
    codings, documents = study()
    found = code_counts(codings, documents)
    merged = codings.merge(documents, on="document")
    keys = ["code", "perspective", "wave"]
    people = merged.groupby(keys)["participant"].nunique()
    for row in found.table.itertuples():
        key = (row.code, row.perspective, row.wave)
        assert row.n_told == people.get(key, 0)
        assert row.n_passages == len(merged[(merged[keys] == key).all(axis=1)])


def test_wilson_is_statsmodels():
    found = code_counts(*study(), conf_level=0.9).table
    low, high = proportion_confint(found["n_told"], found["n_people"], alpha=0.1, method="wilson")
    assert_allclose(found["conf_low"], low, atol=1e-12)
    assert_allclose(found["conf_high"], high, atol=1e-12)


def test_row_order_is_nothing():
    codings, documents = study()
    other = code_counts(codings.iloc[::-1], documents.iloc[::-1])
    pd.testing.assert_frame_equal(other.table, code_counts(codings, documents).table)


def test_codes_nobody_used_and_given_order():
    found = code_counts(*small(), codes=["regie", "rouw", "hoop"], waves=["T1", "T0"])
    assert found.codes == ("regie", "rouw", "hoop")
    assert found.waves == ("T1", "T0")
    assert cell(found, "rouw", "patient", "T0")["n_told"] == 0


def test_perspectives_come_in_the_house_order():
    assert code_counts(*study()).perspectives == ("patient", "naaste", "professional")
    slots = {"professional": 1, "naaste": 2, "patient": 3}
    assert code_counts(*study(), slots=slots).perspectives == ("professional", "naaste", "patient")


def test_counts_views():
    found = code_counts(*study())
    assert set(found.tidy()) >= {"code", "perspective", "wave", "estimate", "n", "n_people"}
    story = found.plot("nl", wave="T1").story
    assert "meting T1" in story.subtitle
    assert "perspectieven het verst uit elkaar" in story.alt
    assert png(found.plot(), phone=True, dark=True)[:4] == b"\x89PNG"
    assert png(code_counts(*small()).plot(wave="T1"))[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c, d: (c, d.iloc[1:]), "codings, row 0: unknown document 'a0'; there are a1"),
        (lambda c, d: (c, pd.concat([d, d.iloc[:1]])), "documents holds a0 twice"),
        (lambda c, d: (c.drop(columns="code"), d), "codings has no column 'code'"),
        (lambda c, d: (c.assign(end=c["start"]), d), "codings, row 0: passage 0 to 0"),
        (
            lambda c, d: (c, d.assign(perspective=["x", "y", "x", "x", "x", "x"])),
            "participant 'Ans' has two perspectives",
        ),
    ],
)
def test_refusals(change, sentence):
    with pytest.raises(CodingError, match=sentence):
        code_counts(*change(*small()))


def test_more_refusals():
    with pytest.raises(CodingError, match="documents, row 1: unknown wave 'T1'; there are T0"):
        code_counts(*small(), waves=["T0"])
    with pytest.raises(
        CodingError, match=r"unknown code 'hoop'; there are hop .did you mean 'hop'"
    ):
        code_counts(*small(), codes=["hop"])
    with pytest.raises(ExpertiseError, match="conf_level is 95"):
        code_counts(*small(), conf_level=95)
    with pytest.raises(CodingError, match="no wave 'T9'; there are T0, T1"):
        code_counts(*small()).plot(wave="T9")
    with pytest.raises(
        CodingError, match=r"no code 'hop'; there are hoop, regie .did you mean 'hoop'"
    ):
        trajectories(*small(), months={"T0": 0, "T1": 6}).plot("hop")


def test_changes_by_hand():
    found = trajectories(*small(), months={"T1": 6, "T0": 0})
    rows = found.changes.query("perspective == 'patient'").set_index("code")
    assert rows.loc["hoop", ["wave", "next_wave", "n_people"]].tolist() == ["T0", "T1", 2]
    assert rows.loc["hoop", ["kept", "new", "gone", "silent"]].tolist() == [0, 0, 2, 0]
    assert rows.loc["regie", ["kept", "new", "gone", "silent"]].tolist() == [0, 1, 0, 1]
    assert "2 people were heard in one wave only" in repr(found)


def test_changes_add_up():
    found = trajectories(*study(), months=MONTHS)
    parts = found.changes[["kept", "new", "gone", "silent"]].sum(axis=1)
    assert (parts == found.changes["n_people"]).all()
    assert found.augment().equals(found.changes)


def test_trajectories_views():
    found = trajectories(*study(), months=MONTHS)
    assert len(found.tidy()) == 3 * 3 * 3
    assert found.glance().loc[0, "n_waves"] == 3
    story = found.plot("hoop", "nl").story
    assert story.title.startswith("hoop: van ")
    assert png(found.plot("hoop"), phone=True)[:4] == b"\x89PNG"
    lonely = trajectories(*small(), months={"T0": 0, "T1": 6}).plot("regie")
    assert png(lonely)[:4] == b"\x89PNG"


SUMMARIES = pd.DataFrame(
    [
        ("T2", "hoop", "Ziet weer een weg.", "Ans"), ("T1", "regie", "Wil zelf kiezen.", "Bo"),
        ("T2", "hoop", "Hoopt voorzichtig.", "Cas"),
    ],
    columns=["case", "theme", "summary", "author"],
)  # fmt: skip


def test_framework_matrix():
    found = framework_matrix(SUMMARIES, themes=["regie", "hoop", "rouw"])
    assert found.matrix.index.tolist() == ["T1", "T2"]
    assert found.matrix.loc["T1"].tolist() == ["Wil zelf kiezen.", "", ""]
    assert found.matrix.loc["T2", "hoop"] == "Ziet weer een weg. (Ans)\nHoopt voorzichtig. (Cas)"
    assert found.tidy()["estimate"].tolist() == [0.5, 0.5, 0]
    assert "1 cells hold more than one summary" in repr(found)
    assert found.augment()["author"].tolist() == ["Ans", "Bo", "Cas"]


def test_summaries_do_not_show_by_themselves():
    found = framework_matrix(SUMMARIES)
    assert "weg" not in repr(found) + found._repr_html_()


def test_framework_refusals_and_emptiness():
    with pytest.raises(CodingError, match="summaries, row 1: author is missing"):
        framework_matrix(SUMMARIES.assign(author=["Ans", None, "Cas"]))
    with pytest.raises(
        CodingError, match="summaries, row 1: unknown theme 'regie'; there are hoop"
    ):
        framework_matrix(SUMMARIES, themes=["hoop"])
    empty = framework_matrix(SUMMARIES.iloc[:0], cases=["T1"], themes=["hoop"])
    assert empty.matrix.loc["T1", "hoop"] == ""
