"""The plain text: written by people, never overwritten, its numbers kept right."""

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from expertise.errors import StudyError
from expertise.reporting.facts import named_numbers
from expertise.reporting.findings import find
from expertise.reporting.page import render_plain
from expertise.reporting.summary import (
    approval_path,
    approve_summary,
    draft_summary,
    fill_summary,
    named_pictures,
    text_path,
    write_draft,
)
from expertise.study import open_study

NUMBERS = {"people": "417", "primary.difference": "4,9", "quote.naaste.1": "Ik <tel> *niet* mee."}


@pytest.fixture(scope="module")
def found():
    return find(open_study("studies/drie-kunnen-meer-dan-een"), audience="released")


@pytest.fixture
def study(tmp_path):
    folder = shutil.copytree("studies/vuurwerkramp", tmp_path / "studies" / "vuurwerkramp")
    (folder / "samenvatting.nl.md").unlink()
    return open_study(folder)


def write(study, text):
    text_path(study).write_text(text, "utf-8")


def test_a_first_text_is_written_once_and_never_again(study):
    assert write_draft(study, "# Eerste\n")
    write(study, "# Van de raad\n")
    assert not write_draft(study, "# Tweede\n")
    assert text_path(study).read_text("utf-8") == "# Van de raad\n"


def test_numbers_and_quotes_are_filled_in_as_text(study):
    write(study, "# Titel\n\nEr deden {{ people }} mensen mee: “{{quote.naaste.1}}”\n")
    plain = fill_summary(study, NUMBERS, {})
    assert plain.title == "Titel"
    assert "Er deden 417 mensen mee: “Ik &lt;tel&gt; *niet* mee.”" in plain.body
    assert plain.by == ""
    assert "<mark>" not in plain.body
    assert "nog door niemand goedgekeurd" in render_plain(plain, study)


def test_only_the_sentence_whose_number_changed_is_marked(study):
    write(study, "# T\n\nEerst iets. Het verschil is {{ primary.difference }}\npunten. "
                 "Er waren {{ people }} mensen.\n\n- punt met {{ people }}\n")  # fmt: skip
    approve_summary(study, fill_summary(study, NUMBERS, {}), "de naastenraad")
    again = fill_summary(study, NUMBERS, {})
    assert (again.changed, again.marked, again.by) == ((), 0, "de naastenraad")
    now = fill_summary(study, NUMBERS | {"primary.difference": "2,1"}, {})
    assert now.changed == ("primary.difference",)
    assert now.body.count("<mark>") == now.marked == 1
    marked = "<mark>Het verschil is 2,1 <small>(was: 4,9)</small>\npunten.</mark> Er waren 417"
    assert marked in now.body
    page = render_plain(now, study)
    assert "veranderde een getal in 1 gemarkeerde zin" in page
    assert "goedgekeurd door: de naastenraad" in page


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("- een {{ people }}\n- twee\n", "<li><mark>een 9"),
        ("## Kop {{ people }}\n", "<h2><mark>Kop 9"),
        ("| a | b |\n|---|---|\n| {{ people }} | twee |\n", "<td><mark>9"),
        ("> gezegd door {{ people }}\n", "<mark>gezegd door 9"),
    ],
)
def test_marks_stay_inside_lists_headings_and_cells(study, text, marked):
    write(study, text)
    approve_summary(study, fill_summary(study, NUMBERS, {}), "raad")
    body = fill_summary(study, NUMBERS | {"people": "9"}, {}).body
    assert marked in body
    assert body.count("<mark>") == body.count("</mark>") == 1


def test_a_number_that_is_new_since_the_approval_is_marked_and_the_edit_is_told(study):
    write(study, "Er waren {{ people }} mensen.\n")
    approve_summary(study, fill_summary(study, NUMBERS, {}), "raad")
    write(study, "Er waren {{ people }} mensen. Het verschil: {{ primary.difference }}.\n")
    now = fill_summary(study, NUMBERS, {})
    assert "4,9 <small>(nieuw)</small>" in now.body
    assert now.edited
    assert "de tekst veranderd" in render_plain(now, study)


def test_an_unknown_name_is_one_sentence_with_the_near_name(study):
    write(study, "# T\n\nEr is {{ primary.diference }} verschil.\n")
    with pytest.raises(
        StudyError,
        match=r"samenvatting.nl.md, line 3: there is no number 'primary.diference' "
        r"\(did you mean 'primary.difference'\?\); every name stands in numbers.csv",
    ):
        fill_summary(study, NUMBERS, {})


def test_a_figure_stands_on_a_line_of_its_own(study, found):
    pictures = named_pictures(found)
    assert set(pictures) == {f"figure.{name}" for name in
                             ("levels", "phases", "cycles", "attendance", "recognised")}  # fmt: skip
    write(study, "Kijk: {{ figure.levels }}\n")
    with pytest.raises(StudyError, match="line 1: 'figure.levels' is a figure; put it on a line"):
        fill_summary(study, {}, pictures)
    write(study, "{{ figure.levels }}\n{{ figure.attendance }}\n")
    body = fill_summary(study, {}, pictures).body
    assert body.count('<div class="pictures">') == 1
    assert body.count("<figure") == 2


def test_an_approval_names_who_and_must_be_readable(study):
    write(study, "{{ people }}")
    plain = fill_summary(study, NUMBERS, {})
    with pytest.raises(StudyError, match="an approval needs to say by whom"):
        approve_summary(study, plain, "  ")
    approval_path(study).write_text("[]", "utf-8")
    with pytest.raises(StudyError, match=r"samenvatting.nl.json is no approval .*--approve"):
        fill_summary(study, NUMBERS, {})


@pytest.mark.parametrize("name", ["vuurwerkramp", "beat-the-blues", "drie-kunnen-meer-dan-een"])
def test_texts_and_drafts_of_all_studies_name_only_numbers_that_there_are(name, tmp_path):
    found = find(open_study(f"studies/{name}"), audience="released")
    numbers, pictures = named_numbers(found), named_pictures(found)
    fill_summary(found.study, numbers, pictures)
    folder = shutil.copytree(f"studies/{name}", tmp_path / name)
    for lang, file in (("nl", "samenvatting.nl.md"), ("en", "summary.en.md")):
        settings = (folder / "study.toml").read_text("utf-8").replace('language = "nl"',
                                                                      f'language = "{lang}"')  # fmt: skip
        (folder / "study.toml").write_text(settings, "utf-8")
        study = open_study(folder)
        (folder / file).write_text(draft_summary(found, numbers, pictures), "utf-8")
        body = fill_summary(study, numbers, pictures).body
        assert "{{" not in body
        assert body.count("<h2>") >= 5


def test_the_simulated_study_says_that_it_is_invented_and_its_numbers_are_those_approved(found):
    plain = fill_summary(found.study, named_numbers(found), named_pictures(found))
    assert "alles hier is verzonnen" in plain.body[:300]
    assert plain.changed == ()
    assert "verzonnen" in plain.by
    assert 3 <= plain.body.count("<figure") <= 4


def test_both_reports_give_the_same_number(found):
    numbers = named_numbers(found)
    row = found.fit.tidy().set_index("term").loc["active"]
    assert numbers["primary.difference"] == f"{row['estimate']:.1f}".replace(".", ",")
    change = found.levels.changes().set_index(["perspective", "wave"]).loc[("naaste", "m24")]
    assert numbers["change.naaste"] == f"{change['estimate']:.1f}".replace(".", ",")


def test_small_counts_and_quotes_without_consent_have_no_name(found):
    numbers = named_numbers(found)
    counts = [text for name, text in numbers.items() if name.startswith(("people", "answered"))]
    assert all(int(text) >= 10 for text in counts if text.isdigit())
    texts = {one.id: one for one in found.coded.corpus}
    quoted = [quote for row in found.joint.rows for quote in row.quotes]
    assert {texts[one.document].quote_to for one in quoted} == {"public"}
    assert sum(name.startswith("quote.") for name in numbers) == len(quoted)


def test_the_approved_values_of_the_repository_are_a_plain_list():
    text = Path("studies/drie-kunnen-meer-dan-een/samenvatting.nl.md")
    about = json.loads(text.with_suffix(".json").read_text("utf-8"))
    assert set(about) == {"by", "sha256", "values"}
    assert about["sha256"] == sha256(text.read_bytes()).hexdigest(), "approve the text again"
