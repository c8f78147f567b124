"""What [triads] of a study file declares: tables in words, broken rules, refusals."""

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import StudyError
from expertise.study import open_study, simulate_study, write_simulated
from expertise.study.schema import People, Perspective, StudyFile, Triads, Wave
from expertise.study.triad_tables import triad_tables


@pytest.fixture(scope="module")
def fireworks():
    return open_study("studies/vuurwerkramp")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    made = write_simulated(simulate_study(triads=30, seed=3), tmp_path_factory.mktemp("s") / "sim")
    return open_study(made)


def test_scores_and_items_in_words(fireworks):
    tables = fireworks.triads()
    assert tables.roles == ("kind", "ouder")
    assert tables.wave == "voor de behandeling"
    counts = tables.scores.groupby(["wave", "perspective"], observed=True).size()
    assert counts.tolist() == [36, 46, 30, 44, 28, 42]
    assert list(tables.items["item"].cat.categories) == [
        "herbeleven",
        "vermijden",
        "gespannen zijn",
    ]
    assert tables.scale == (0, 100)
    assert tables.items["score"].between(0, 100).all()


def test_unlike_ranges_become_percentages(fireworks):
    """The parent of child 1 gave 14 of 20 for intrusion and 4 of 28 for avoidance."""
    items = fireworks.triads().items
    one = items[(items["person"] == "1") & (items["wave"] == "voor de behandeling")]
    assert_allclose(one["score"], [70, 400 / 28, 90])


def test_who_answered_and_who_could_not_be_asked(fireworks):
    statuses = fireworks.triads().statuses
    counts = statuses.groupby(["perspective", "status"], observed=True).size()
    assert counts["kind", "unavailable"] == 12
    assert counts["kind", "answered"] + counts["kind", "missing"] == 40
    assert counts["ouder"].sum() == 52


def test_triads_consents_and_means_of_variables(simulated):
    tables = simulated.triads()
    assert tables.roles == ("patiënt", "naaste", "professional")
    assert tables.slots == {"patiënt": 1, "naaste": 2, "professional": 3}
    assert tables.scores["person"].nunique() <= 30
    answers = simulated.outcomes.dropna(subset="value")
    seat = answers[(answers["participant"] == "T01-patient") & (answers["wave"] == "m0")]
    first = seat[seat["item"].isin(["naaste_1", "professional_1"])]["value"]
    found = tables.items.query("person == 'T01' and perspective == 'patiënt' and item == 'item_1'")
    assert_allclose(found[found["wave"] == "bij het begin"]["score"], first.mean())
    pairs = tables.consents
    assert set(pairs["first"]) == {"patiënt", "naaste"}
    said = simulated.people.set_index("participant")["consent_own_triad_may_read"] == "yes"
    seats = {"patiënt": "patient", "naaste": "naaste", "professional": "professional"}
    for row in pairs.itertuples():
        both = [said[f"{row.person}-{seats[role]}"] for role in (row.first, row.second)]
        assert row.consent == all(both)
    assert 0 < pairs["consent"].sum() < len(pairs)


def small(plan, people, outcomes=None):
    """A study of two roles, as little as the tables need."""
    words = {"nl": {"label": "x", "plural": "x"}, "en": {"label": "x", "plural": "x"}}
    study = StudyFile(
        schema=1, title="", question="", asked_by="", triads=plan,
        people=People(file="p.csv", participant="id"),
        perspectives={name: Perspective(**words) for name in ("a", "b")},
        waves=(Wave(id="T1", months=0, nl="nu", en="now"),),
    )  # fmt: skip
    columns = ["participant", "perspective", "wave", "variable", "value"]
    return triad_tables(study, people, pd.DataFrame(outcomes or [], columns=columns), "nl")


def test_refusals():
    people = pd.DataFrame({"participant": ["1", "2"]})
    with pytest.raises(StudyError, match=r"declares no \[triads\]"):
        small(None, people)
    answers = [("1", "a", "T1", "hope", 3.0), ("2", "a", "T1", "hope", 4.0)]
    with pytest.raises(StudyError, match="'hope' was answered by a only"):
        small(Triads(outcome="hope"), people, answers)
    twins = pd.DataFrame(
        {"participant": ["1", "2"], "triad": ["t", "t"], "perspective": ["a", "a"]}
    )
    with pytest.raises(StudyError, match="1 triads hold several people of a"):
        small(Triads(outcome="hope"), twins)
