"""Perspectives side by side in a report: order, words, counts that stay inside, what does not apply."""

import dataclasses

import pytest

from expertise.reporting.block import Blocks
from expertise.reporting.perspectives import Perspectives, perspectives_of
from expertise.study import open_study
from expertise.words import say


@pytest.fixture(scope="module")
def fireworks():
    return open_study("studies/vuurwerkramp")


@pytest.fixture(scope="module")
def released(fireworks):
    return perspectives_of(fireworks, "released")


def changed(study, **plan):
    """The same study with another declaration."""
    triads = dataclasses.replace(study.settings.triads, **plan)
    return dataclasses.replace(
        study, settings=dataclasses.replace(study.settings, triads=triads)
    )  # fmt: skip


def text(blocks):
    return "\n".join(line for part in blocks.parts for line in part.paragraphs)


def test_every_part_has_a_figure(released):
    for name in Perspectives.__slots__:
        parts = getattr(released, name).parts
        assert parts
        assert all(part.picture is not None for part in parts), name
        assert all(part.picture.story.alt for part in parts)
    assert "kind + ouder" in repr(released)


def test_the_screen_comes_before_any_comparison():
    order = list(Perspectives.__slots__)
    assert order[:2] == ["asked", "question"]


def test_words_follow_the_intervals(released):
    assert text(released.closer).count("niet uitgemaakt") == 4
    assert "Voegt kind iets toe na de rest? Ja" in text(released.together)
    assert text(released.paths).count("niet uitgemaakt") == 2


def test_small_counts_stay_inside(released, fireworks):
    """Three children alone and one without an answer: neither shows, nor what tells them."""
    shown = repr(released.asked)
    assert "34" in shown
    assert say("triads.not_shown", "nl") in shown
    table = released.asked.parts[0].picture.story.table
    assert set(table["n"]) == {"34", "14", "niet getoond"}
    ends = released.question.parts[0].tables[0][1]
    assert "3%" not in set(ends.iloc[:, 2])
    inside = perspectives_of(fireworks, "internal").asked.parts[0].picture.story.table
    assert "3" in set(inside["n"])


def test_outcome_warns_of_a_shared_informant(released):
    keys = {note.key for part in released.outcome.parts for note in part.notes}
    assert "triads.same_informant" in keys


def test_parts_that_do_not_apply_say_so_in_a_sentence(fireworks):
    less = changed(fireworks, items={}, criterion="", refused={"child": 12, "parent": 2})
    found = perspectives_of(less, "released")
    assert text(found.question) == say("perspectives.no_items", "nl")
    assert text(found.dependability) == say("perspectives.no_replicates", "nl")
    assert text(found.outcome) == say("perspectives.no_criterion", "nl")
    # The instrument states a reliability, so the joint picture can still be told from chance.
    assert found.together.parts[0].picture is not None
    refused = found.asked.parts[0].tables[0][1].iloc[:, -1]
    assert refused.tolist() == ["12", "niet getoond"]


def test_waves_are_a_facet_only_where_no_change_is_expected(fireworks):
    found = perspectives_of(changed(fireworks, stable=True, items={}), "released")
    parts = found.dependability.parts[0].tables[0][1].iloc[:, 0]
    assert "persoon × moment" in set(parts)
    assert say("perspectives.stable", "nl") in text(found.dependability)


def test_too_few_people_to_speak_of(fireworks):
    few = dataclasses.replace(
        fireworks.settings,
        disclosure=dataclasses.replace(fireworks.settings.disclosure, minimum=32),
    )
    found = perspectives_of(dataclasses.replace(fireworks, settings=few), "released")
    assert text(found.agreement) == say("perspectives.few_pairs", "nl", minimum=32)
    words = {"first": "kind", "second": "ouder", "minimum": 32}
    assert text(found.closer) == say("perspectives.no_waves", "nl", **words)
    assert text(found.paths) == say("perspectives.few_groups", "nl", minimum=32)
    assert "minder dan 32 mensen" in text(found.outcome).lower()


def test_a_study_without_triads_has_empty_parts():
    study = open_study("studies/beat-the-blues")
    found = perspectives_of(study, "released")
    assert found.asked.parts == ()
    assert Blocks()._repr_html_() == ""


def test_what_data_cannot_carry_is_told(fireworks):
    outcomes = fireworks.outcomes
    odd = (outcomes["variable"] == "ptsd") & (outcomes["wave"] == "T1")
    flat = outcomes.assign(value=outcomes["value"].mask(odd & outcomes["value"].notna(), 30.0))
    found = perspectives_of(dataclasses.replace(fireworks, outcomes=flat), "released")
    assert "niet te berekenen" in text(found.agreement)
