"""Individual change and those who left, as the study file declares them."""

import pytest

from expertise import ExpertiseError, check_study, open_study


def test_fireworks_change_is_judged_per_perspective():
    found = open_study("studies/vuurwerkramp").change()
    assert {name: len(it.people) for name, it in found.items()} == {"child": 27, "parent": 40}
    # Jacobson & Truax: 1.96 √2 SD √(1 − r), the SD of those measured twice at the first wave.
    for it in found.values():
        sd = it.people["before"].std(ddof=1)
        assert it.threshold == pytest.approx(1.959964 * (2 * (1 - 0.84)) ** 0.5 * sd, rel=1e-6)


def test_dropout_at_zero_is_the_imputed_answer():
    found = open_study("studies/beat-the-blues").dropout()
    curve = found.curve.set_index("delta")["estimate"]
    # Every point added to the missing scores of an arm raises its mean by the share missing.
    step = (curve[10] - curve[0]) / 10
    study = open_study("studies/beat-the-blues")
    here = study.presence(by="treatment").query("treatment == 'BtheB' and wave == 'm8'").iloc[0]
    assert step == pytest.approx(1 - here["n_people"] / here["eligible"], abs=1e-9)


def test_nothing_declared_is_told(make_study):
    study = open_study(make_study())
    with pytest.raises(ExpertiseError, match=r"declares no \[change\]"):
        study.change()
    with pytest.raises(ExpertiseError, match=r"declares no \[dropout\]"):
        study.dropout()


@pytest.mark.parametrize(
    ("added", "sentence"),
    [
        ('[change]\noutcome = "hoop"\nfirst = "T0"\nlast = "T1"', "change.outcome: unknown 'hoop'"),
        (
            '[change]\noutcome = "hope"\nfirst = "T0"\nlast = "T1"',
            "needs a reliability between 0 and 1",
        ),
        ('[change]\noutcome = "hope"\nfirst = "T0"\nlast = "T7"', "change.last: unknown 'T7'"),
        (
            '[dropout]\noutcome = "hope"\narm = "arm"\narms = ["new"]\nwave = "T1"\ndeltas = [0, 1]',
            "dropout.arms: name two levels",
        ),
        (
            '[dropout]\noutcome = "hope"\narm = "arm"\narms = ["new", "old"]\nwave = "T1"\ndeltas = [0, 1]',
            "dropout.arms: unknown 'old'",
        ),
        (
            '[dropout]\noutcome = "hope"\narm = "arm"\narms = ["new", "usual"]\nwave = "T1"\ndeltas = [1, 2]',
            "dropout.deltas: name at least two, with 0",
        ),
        ('[triads]\noutcome = "hoop"', "triads.outcome: unknown 'hoop'"),
        ('[triads]\noutcome = "hope"\nwave = "T9"', "triads.wave: unknown 'T9'"),
        ('[triads]\noutcome = "hope"\nroles = ["arts"]', "triads.roles: unknown 'arts'"),
        ('[triads]\noutcome = "hope"\nroles = ["patient"]', "name two or more different"),
        ('[triads]\noutcome = "hope"\nrefused = { arts = 1 }', "triads.refused: unknown 'arts'"),
        ('[triads]\noutcome = "hope"\nrefused = { patient = -1 }', "-1 is no count"),
        ('[triads]\noutcome = "hope"\ncriterion = "moed"', "triads.criterion: unknown 'moed'"),
        ('[triads]\noutcome = "hope"\nconsent = "use"', "triads.consent: unknown 'use'"),
        (
            '[triads]\noutcome = "hope"\n[triads.items]\none = ["hope"]',
            "triads.items: name two or more items",
        ),
        (
            '[triads]\noutcome = "hope"\n[triads.items]\none = ["hope"]\ntwo = ["moed"]',
            "triads.items.two: unknown 'moed'",
        ),
    ],
)
def test_a_bad_declaration_is_named(make_study, added, sentence):
    folder = make_study("[models.primary]", f"{added}\n[models.primary]")
    messages = [problem.message for problem in check_study(folder).problems]
    assert any(sentence in message for message in messages), messages
