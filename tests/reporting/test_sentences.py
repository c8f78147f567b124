"""Sentences follow intervals: what is not settled is never told as if it were."""

import pandas as pd
import pytest

from expertise import ExpertiseError, open_study, study_report
from expertise.reporting.sentences import sentence, settled


def row(estimate, low, high):
    return pd.Series({"estimate": estimate, "conf_low": low, "conf_high": high})


@pytest.mark.parametrize(
    ("low", "high", "known"), [(-3, -1, True), (1, 3, True), (-1, 3, False), (0, 3, False)]
)
def test_a_direction_is_known_when_zero_lies_outside(low, high, known):
    assert settled(row((low + high) / 2, low, high)) is known


def test_a_fall_is_told_without_minus_signs():
    words = {"plural": "ouders", "first": "eerst", "last": "later"}
    told = sentence("answer_change", row(-4.6, -8.7, -0.6), "nl", **words)
    assert told == "ouders gaven later gemiddeld 4,6 punten minder aan dan eerst (0,6 tot 8,7)"
    told = sentence("answer_change", row(4.6, 0.6, 8.7), "en", **words)
    assert told == "ouders reported 4.6 points more on average later than eerst (0.6 to 8.7)"


def test_fireworks_answer_follows_its_intervals():
    study = open_study("studies/vuurwerkramp")
    change, effect, gap = study_report(study).answer.paragraphs
    assert change.startswith(
        "Kinderen gaven 3 maanden na de behandeling gemiddeld 14,8 punten minder aan"
    )
    assert "nul ligt binnen dat interval" in effect
    assert "is niet uitgemaakt" in gap


def test_beat_the_blues_gives_back_the_published_model():
    """Everitt & Hothorn, HSAUR (BtheB, random intercept, ML): to the printed digits."""
    fit = open_study("studies/beat-the-blues").fit()
    table = fit.tidy().query("component == 'fixed'").set_index("term")
    published = {
        "(Intercept)": (5.59239, 2.24244),
        "bdi_pre": (0.63968, 0.07789),
        "months": (-0.70476, 0.14639),
        "treatmentBtheB": (-2.32908, 1.67036),
    }
    for term, (estimate, std_error) in published.items():
        assert abs(table["estimate"][term] - estimate) < 6e-6
        assert abs(table["std_error"][term] - std_error) < 6e-6
    assert fit.glance()["n"].item() == 280
    assert fit.aic == pytest.approx(1887.5, abs=0.05)


def test_an_unknown_term_is_told():
    study = open_study("studies/beat-the-blues")
    object.__setattr__(study.settings.models["primary"], "term", "treatmentBtheX")
    with pytest.raises(ExpertiseError, match="'treatmentBtheX' is not in the model"):
        study_report(study)


def test_words_turn_around_with_the_data():
    """The same study with the scale turned around tells the opposite."""
    study = open_study("studies/vuurwerkramp")
    study.outcomes.loc[:, "value"] = 80 - study.outcomes["value"]
    change = study_report(study).answer.paragraphs[0]
    assert "14,8 punten meer aan" in change


def test_internal_parts_stay_inside(monkeypatch):
    study = open_study("studies/beat-the-blues")
    assert study_report(study).persons.picture is None
    monkeypatch.setenv("EXPERTISE_AUDIENCE", "internal")
    assert study_report(study).persons.picture is not None
    monkeypatch.setenv("EXPERTISE_AUDIENCE", "everyone")
    with pytest.raises(ExpertiseError, match="EXPERTISE_AUDIENCE is 'everyone'"):
        study_report(study)


def test_small_cells_are_hidden_in_the_released_report():
    study = open_study("studies/vuurwerkramp")
    some = study.people["participant"].head(12)
    object.__setattr__(study, "people", study.people[study.people["participant"].isin(some)])
    kept = study.outcomes[study.outcomes["participant"].isin(some)]
    object.__setattr__(study, "outcomes", kept.reset_index(drop=True))
    released = study_report(study, audience="released")
    internal = study_report(study, audience="internal")
    assert "minder dan 10" in released.presence._repr_html_()
    assert "minder dan 10" not in internal.presence._repr_html_()
    few = internal.levels.tables[0][1].shape[0] * 2
    shown = released.levels.tables[0][1].drop(columns="meetmoment").to_numpy()
    assert (shown != "–").sum() < few
