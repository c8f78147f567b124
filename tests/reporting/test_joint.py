"""A joint display shows what may be shown, and only verdicts that people made."""

from dataclasses import replace

import pytest

from expertise import open_study, read_corpus
from expertise.errors import DataError, PrivacyError, StudyError
from expertise.reporting.joint import (
    JointRow,
    Quote,
    joint_display,
    number_of,
    propose_cases,
    quote_passage,
)

QUOTE = Quote(document="T08-naaste-1", perspective="naaste", text="Ze <keken> mij aan.",
              quote_to="public", reviewer="A. de Lezer")  # fmt: skip
ROW = JointRow(name="gezien worden", estimate=9.1, conf_low=6.2, conf_high=12.0, n_people=131,
               quotes=(QUOTE,), verdict="convergent", by="cliëntenraad", why="het klopt")  # fmt: skip


def test_number_passage_and_verdict_stand_side_by_side():
    display = joint_display([ROW, JointRow(name="hoop")])
    assert "Ze &lt;keken&gt; mij aan." in display.html()
    table = display.table()
    assert list(table.columns) == ["thema", "gemeten", "verteld", "samen"]
    assert table["samen"].tolist() == [
        "ze zeggen hetzelfde (beoordeeld door cliëntenraad): het klopt", "nog te beoordelen",
    ]  # fmt: skip
    assert table["gemeten"][0].replace("\u00a0", " ") == "9,1 (6,2 tot 12,0); 131 mensen"
    assert table["gemeten"][1] == "niet gemeten"


def test_a_cell_of_a_notebook_holds_no_passage():
    display = joint_display([ROW])
    for shown in (repr(display), display._repr_html_()):
        assert "T08-naaste-1 (naaste)" in shown
        assert "mij aan" not in shown


@pytest.mark.parametrize(
    ("agreed", "circle", "sentence"),
    [
        ("nobody", "inside", "its teller agreed to 'nobody', not to 'inside'; leave it out or ask"),
        ("inside", "council", "its teller agreed to 'inside', not to 'council'"),
        ("council", "public", "quote from 'T08-naaste-1': its teller agreed to 'council', not to"),
    ],
)
def test_a_quote_without_consent_is_refused(agreed, circle, sentence):
    with pytest.raises(PrivacyError, match=sentence) as fault:
        joint_display([replace(ROW, quotes=(replace(QUOTE, quote_to=agreed),))], circle=circle)
    assert "mij aan" not in str(fault.value)


def test_a_quote_that_nobody_reviewed_stays_inside():
    row = replace(ROW, quotes=(replace(QUOTE, reviewer=""),))
    with pytest.raises(PrivacyError, match="nobody read it for what could identify someone"):
        joint_display([row], circle="council")
    assert joint_display([row], circle="inside").rows == (row,)


def test_numbers_of_few_people_stay_inside():
    row = replace(ROW, n_people=9)
    with pytest.raises(PrivacyError, match="its number is of fewer than 10 people"):
        joint_display([row])
    assert joint_display([row], circle="inside").rows == (row,)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"verdict": "convergant"}, "unknown verdict 'convergant' .did you mean 'convergent'"),
        ({"by": ""}, "a verdict is made by people; say in by who judged"),
        ({"quotes": ()}, "'convergent' needs a number and a passage"),
        ({"estimate": None, "conf_low": None, "conf_high": None}, "the verdict is 'silent'"),
        ({"conf_low": None}, "a number needs estimate, conf_low and conf_high; give all three"),
        ({"quotes": (replace(QUOTE, quote_to="all"),)}, "quote_to is 'all'; allowed are nobody"),
    ],
)
def test_rows_that_cannot_be(changes, sentence):
    with pytest.raises(DataError, match=sentence):
        joint_display([replace(ROW, **changes)])
    with pytest.raises(DataError, match="circle is 'all'; allowed are inside, council, public"):
        joint_display([ROW], circle="all")


def test_cases_are_proposed_inside_only():
    fit = open_study("studies/drie-kunnen-meer-dan-een").fit()
    told = [f"T{k:02d}" for k in range(1, 13)]
    found = propose_cases(fit, told=told, audience="internal")
    assert set(found["kind"]) == {"below", "above", "typical"}
    assert set(found["group"]) <= set(told)
    by_kind = found.groupby("kind")["residual"].mean()
    assert by_kind["below"] < by_kind["typical"] < by_kind["above"]
    with pytest.raises(PrivacyError, match="proposed cases are about persons"):
        propose_cases(fit, told=told)
    with pytest.raises(StudyError, match="none of the 1 groups that told is in the model"):
        propose_cases(fit, told=["T999"], audience="internal")
    with pytest.raises(StudyError, match="the model's rows have no 'ward'"):
        propose_cases(fit, group="ward", told=told, audience="internal")


def test_a_passage_brings_the_consent_of_its_teller_along():
    corpus = read_corpus("corpora/drie-kunnen-meer-dan-een")
    for told in corpus:
        quote = quote_passage(corpus, told.id, 0, 20, reviewer="raad")
        assert quote.text == told.text[:20]
        assert (quote.quote_to, quote.perspective) == (told.quote_to, told.role)
        assert quote.text not in repr(quote)
        row = JointRow(name="hoop", quotes=(quote,))
        if told.quote_to != "public":
            with pytest.raises(PrivacyError, match=f"its teller agreed to '{told.quote_to}', not"):
                joint_display([row])
        else:
            assert quote.text in joint_display([row]).html().replace("&#x27;", "'")
    with pytest.raises(DataError, match="passage 5 to 5 does not lie in 'T01-naaste-1'"):
        quote_passage(corpus, "T01-naaste-1", 5, 5)
    with pytest.raises(StudyError, match="unknown text 'T99'"):
        quote_passage(corpus, "T99", 0, 5)


def test_a_number_is_one_row_of_a_result():
    study = open_study("studies/drie-kunnen-meer-dan-een")
    changes = study.levels().changes()
    number = number_of(changes, perspective="naaste", wave="m24")
    row = changes.query("perspective == 'naaste' and wave == 'm24'").iloc[0]
    assert number == {name: row[name] for name in ("estimate", "conf_low", "conf_high", "n_people")}
    with pytest.raises(DataError, match="4 rows have perspective = naaste; name columns until one"):
        number_of(changes, perspective="naaste")
    with pytest.raises(DataError, match="the table has no column 'golf'; it has"):
        number_of(changes, golf="m24")
