"""What a report tells of an action research: hidden where few, filled where the study knows."""

import shutil
from dataclasses import replace
from html import unescape
from io import BytesIO

import pandas as pd
import pytest
from docx import Document

from expertise.coding.codebook import read_codebook
from expertise.cycles.reading import MemberCheck, read_cycles
from expertise.errors import DataError, PrivacyError, StudyError
from expertise.narratives.corpus import read_corpus
from expertise.reporting import action, guidelines, measured, stories
from expertise.reporting.block import Block, Perspectives
from expertise.reporting.content import StudyReport
from expertise.reporting.docx_tables import write_docx
from expertise.reporting.findings import find
from expertise.reporting.joint_file import read_joint
from expertise.reporting.page import _with_passages
from expertise.reporting.told import declared_block, measures_block
from expertise.study import open_study

NAME = "drie-kunnen-meer-dan-een"
FOLDER = f"studies/{NAME}"


@pytest.fixture(scope="module")
def study():
    return open_study(FOLDER)


@pytest.fixture(scope="module")
def found(study):
    return find(study, audience="released")


@pytest.fixture(scope="module")
def inside(study):
    return find(study, audience="internal")


def answers(role, *counts):
    return MemberCheck(theme="gezien", role=role, month=24,
                       **dict(zip(("yes", "partly", "no", "rather_not"), counts, strict=True)))  # fmt: skip


def test_meetings_are_added_up_until_each_role_counts_enough(found, inside):
    presence = found.cycles.presence()
    seen = action.attended(presence, 10)
    assert seen["n_people"].min() >= 10
    assert seen["n_people"].sum() == presence["n_people"].sum()
    assert len(action.attended(presence, 0)) > len(seen)
    assert action.attended(presence, 1000).empty
    assert action.attendance_block(replace(found, audience="internal")).picture is not None


def test_a_last_small_period_joins_the_one_before():
    met = pd.DataFrame({"start": [3, 9, 15], "role": "naaste", "n_people": [12, 11, 2]})
    assert action.attended(met, 10)[["first", "last", "n_people"]].to_numpy().tolist() == [
        [3, 3, 12], [9, 15, 13],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (answers("naaste", 20, 12, 9, 4), [("naaste", 45, 32, True)]),
        (answers("naaste", 20, 12, 3, 2), [("naaste", 37, 28, False)]),
        (answers("naaste", 37, 0, 0, 0), [("naaste", 37, 28, False)]),
        (answers("naaste", 6, 3, 20, 5), []),
        (answers("naaste", 6, 5, 1, 0), []),
    ],
)
def test_few_who_do_not_recognise_a_theme_cannot_be_counted(study, check, expected):
    cycles = replace(read_cycles(study.folder), member_checks=(check,))
    table = action.recognised(cycles, 10)
    told = list(table.drop(columns="theme").itertuples(index=False, name=None))
    assert told == expected


def test_two_groups_with_other_small_counts_look_the_same(study):
    """How many of the few there are, one or nine, cannot be told from what is shown."""
    cycles = read_cycles(study.folder)
    shown = [
        action.recognised(replace(cycles, member_checks=(answers("patient", 40 - n, 0, n, 0),)), 10)
        for n in (1, 9)
    ]
    pd.testing.assert_frame_equal(*shown)


def test_released_tells_no_counts_of_tellers_and_inside_does(found, inside):
    released, internal = stories.told_block(found), stories.told_block(inside)
    assert released.tables == ()
    assert "minder dan 10 mensen" in released.paragraphs[-1]
    assert len(internal.tables) == 1


def test_readers_stand_side_by_side_and_say_where_they_stand(found):
    block = stories.readers_block(found)
    marked, agreement, alphas = (table for _, table in block.tables)
    assert list(marked.columns[1:]) == ["onderzoeker (1)", "patiënt (2)", "naaste (1)"]
    assert agreement.iloc[0, 0] == "binnen: patiënt"
    assert len(alphas) == len(read_codebook(f"{FOLDER}/codebook.toml").codes)
    assert "researcher" not in " ".join(note.text("nl") for note in block.notes)
    coders = stories.coders_block(found).tables[0][1]
    assert set(coders["lezer"]) == set(found.coded.codings["coder"])


def test_a_study_without_stories_says_that_they_stay_in_house(found):
    without = replace(found, coded=None)
    assert "blijven in huis" in stories.told_block(without).paragraphs[0]
    assert not stories.readers_block(without)


def test_a_folder_without_its_stories_still_reports(tmp_path):
    folder = shutil.copytree(FOLDER, tmp_path / "studies" / NAME)
    found = find(open_study(folder), audience="released")
    assert found.coded is None
    assert found.joint is None


def test_phases_compare_before_and_after_with_enough_people(found):
    block = measured.phases_block(found)
    table = block.picture.story.table
    assert table["mensen"].astype(int).min() >= 10
    # What was put in is within each interval: 5, 9 and 5 points.
    for (_, told), truth in zip(block.tables[0][1].itertuples(index=False), (5, 9, 5), strict=True):
        low, high = told.replace("\u00a0", " ").split("(")[1].rstrip(")").split(" tot ")
        assert float(low.replace(",", ".")) < truth < float(high.replace(",", "."))


def test_disagreement_stays_and_names_no_text(found):
    block = action.disagreement_block(found)
    assert any("signaleringsplan" in one for one in block.paragraphs)
    assert set(block.tables[0][1].columns) == {"plek", "lezing", "lezers"}
    assert "T0" not in block._repr_html_()


def test_measures_and_declarations_are_told(study):
    assert "0–100" in measures_block(study).tables[0][1]["schaal"].tolist()
    assert declared_block(study, "ethics").paragraphs[0].startswith("Wie dit onderzoek beoordeelde")
    assert not declared_block(open_study("studies/vuurwerkramp"), "ethics")


def test_guidelines_are_whole_and_name_parts_that_exist(study):
    parts = {*StudyReport.__slots__, *(f"perspectives.{name}" for name in Perspectives.__slots__)}
    tables = {name: type(getattr(study.settings, name)).__slots__
              for name in ("ethics", "together", "mixing")}  # fmt: skip
    counts = {}
    for name, one in guidelines.guidelines().items():
        counts[name] = [item.id for item in one.items]
        for item in one.items:
            for source in item.known:
                table, _, key = source.partition(".")
                assert source in parts or key in tables[table], source
    assert counts == {name: [str(k) for k in range(1, n + 1)]
                      for name, n in (("gripp2", 5), ("gramms", 6), ("strobe", 22), ("coreq", 32))}  # fmt: skip


def test_checklists_know_what_the_study_knows_and_leave_the_rest_open(study):
    known = {"coders": True, "joint": False, "perspectives.question": True}
    table = guidelines.guideline_block("coreq", study.settings, known).tables[0][1]
    here = table.set_index("nr.")["in dit verslag"]
    assert here["8"] == "☑ Zie: Wie lazen, en waar zij staan."
    assert here["1"] == here["29"] == "☐ Nog te schrijven door mensen"
    written = replace(study.settings, written={"coreq.1": "Een ervaringswerker en een student."})
    table = guidelines.guideline_block("coreq", written, known).tables[0][1]
    assert table["in dit verslag"][0] == "☑ Een ervaringswerker en een student."
    none = replace(study.settings, together=None)
    gripp2 = guidelines.guideline_block("gripp2", none, {}).tables[0][1]
    assert set(gripp2["in dit verslag"]) == {"☐ Nog te schrijven door mensen"}


def test_an_answer_to_an_unknown_item_is_refused(study):
    wrong = replace(study.settings, written={"coreq.33": "…"})
    with pytest.raises(StudyError, match=r"written: unknown item 'coreq.33' \(did you mean"):
        guidelines.check_written(wrong)


def joint_of(study, tmp_path, old, new):
    folder = shutil.copytree(FOLDER, tmp_path / NAME)
    text = (folder / "joint.toml").read_text("utf-8")
    assert old in text
    (folder / "joint.toml").write_text(text.replace(old, new, 1), "utf-8")
    return open_study(folder)


@pytest.mark.parametrize(
    ("old", "new", "error", "sentence"),
    [
        ('"T10-professional-1"', '"T07-patient-1"', PrivacyError, "its teller agreed to 'nobody'"),
        ('"T01-patient-1"', '"T99"', StudyError, "unknown text 'T99'"),
        ("end = 2002", "end = 99999", DataError, "does not lie in 'T01-patient-1'"),
        ('terms = ["active"]', 'terms = ["activ"]', StudyError,
         r"joint.toml: row 'Aan tafel meedoen': the term 'activ' is not in the model"),
        ('said = "ver', 'sayd = "ver', StudyError, r"joint.toml: rows.1: unknown key 'sayd'"),
    ],
)  # fmt: skip
def test_what_a_joint_file_may_not_hold(study, tmp_path, old, new, error, sentence):
    changed = joint_of(study, tmp_path, old, new)
    with pytest.raises(error, match=sentence):
        read_joint(changed, read_corpus(f"corpora/{NAME}"))


def test_passages_reach_the_page_of_their_circle_and_no_notebook(found):
    block = Block(tables=((("Wat is gemeten naast wat is verteld"), found.joint.table()),))
    cell = block._repr_html_()
    quote = found.joint.rows[0].quotes[0].text
    assert quote not in unescape(cell)
    page = _with_passages(f"<main>{cell}</main>", found)
    assert quote in unescape(page)
    assert "T01-patient-1" not in page


def test_tables_in_docx_have_a_header_and_leave_figures_behind(tmp_path):
    page = (
        '<p class="content-note">Alles is verzonnen.</p><h2>Wie</h2>'
        "<figure><table><tr><th>x</th></tr></table></figure>"
        "<table><caption>Wie &amp; wat</caption><tr><th>rol</th><th>n</th></tr>"
        "<tr><td>naaste</td><td>12</td></tr></table>"
    )
    path = write_docx(page, tmp_path / "t.docx", title="Titel")
    document = Document(BytesIO(path.read_bytes()))
    assert [[cell.text for cell in row.cells] for row in document.tables[0].rows] == [
        ["rol", "n"], ["naaste", "12"],
    ]  # fmt: skip
    assert len(document.tables) == 1
    told = [one.text for one in document.paragraphs]
    assert told == ["Titel", "Alles is verzonnen.", "Wie", "Wie & wat"]
    assert "w:tblHeader" in document.tables[0].rows[0]._tr.xml


@pytest.mark.parametrize("key", ["codings", "joint"])
def test_codings_need_their_codebook_and_texts(tmp_path, key):
    folder = shutil.copytree(FOLDER, tmp_path / NAME)
    text = (folder / "study.toml").read_text("utf-8")
    gone = {"codings": "codebook", "joint": "codings"}[key]
    line = next(one for one in text.splitlines() if one.startswith(f"{gone} = "))
    (folder / "study.toml").write_text(text.replace(line + "\n", ""), "utf-8")
    with pytest.raises(StudyError, match=f"{key}: this needs the key {gone}, which is missing"):
        open_study(folder)
