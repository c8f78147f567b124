"""The page stands on its own, reads in order, and shows no persons when released."""

import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from pypdf import PdfReader

from expertise import ExpertiseError
from expertise.reporting import build_report


def test_page_needs_nothing_from_elsewhere(page):
    html = page.html.read_text("utf-8")
    assert '<html lang="nl">' in html
    assert "<script" not in html
    assert not re.findall(r'(?:src|srcset|href)="(?!data:|#)[^"]*"', html)
    assert "default-src 'none'" in html


def test_first_screen_is_question_answer_picture(page):
    html = page.html.read_text("utf-8")
    places = [
        html.index(mark) for mark in ("<h1", 'class="lead"', 'class="answer"', "<figure", "<h2")
    ]
    assert places == sorted(places)
    answer = re.search(r'class="answer">(.*?)</div>', html, re.S)[1]
    assert 2 <= answer.count("<p>") <= 3


def test_headings_are_in_order(page):
    levels = [int(level) for level in re.findall(r"<h(\d)", page.html.read_text("utf-8"))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_pictures_carry_their_finding_and_their_table(page):
    html = page.html.read_text("utf-8")
    figures = re.findall(r"<figure.*?</figure>", html, re.S)
    assert figures
    for figure in figures:
        assert re.search(r'alt="[^"]{40,}"', figure)
        assert "<caption>" in figure


def test_released_page_shows_no_persons(page, internal_page):
    """The table of persons is what the internal page adds; the released one has no such column."""
    html = page.html.read_text("utf-8")
    assert ">participant</th>" in internal_page.html.read_text("utf-8")
    assert ">participant</th>" not in html
    assert "B001" not in html
    assert 'class="banner"' not in html


def test_provenance_names_data_and_versions(page):
    html = page.html.read_text("utf-8")
    assert re.search(r"sha256 [0-9a-f]{64}", html)
    assert "<dt>numpy</dt>" in html


def test_internal_page_says_so(internal_page):
    html = internal_page.html.read_text("utf-8")
    assert 'class="banner"' in html
    assert "B001" in html
    assert internal_page.html.name == "internal.html"


@pytest.mark.browser
def test_pdf_is_tagged_and_has_an_outline(internal_page):
    pdf = PdfReader(internal_page.pdf)
    root = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "nl"
    assert len(pdf.outline) >= 1


def test_one_run_gives_the_page_the_tables_and_the_plain_summary(page):
    names = {path.name for path in page.html.parent.iterdir()}
    assert names >= {"report.html", "report.ipynb", "samenvatting.nl.html", "tables.docx",
                     "numbers.csv"}  # fmt: skip
    assert not page.drafted
    assert "nog door niemand goedgekeurd" in page.summary.read_text("utf-8")


def test_an_internal_run_leaves_the_plain_summary_alone(internal_page):
    assert internal_page.summary is None
    assert not (internal_page.html.parent / "tables.docx").exists()


def test_the_whole_study_is_marked_as_simulated_and_holds_passages_but_no_ids(stored):
    html = stored.html.read_text("utf-8")
    assert "gesimuleerd" in html[html.index("<h1") :][:200]
    assert "aan je eigen tafel ben je de baas" in html
    assert not re.search(r"T\d\d-(patient|naaste|professional)", html)
    assert html.count("☐") > 20
    notebook = Path("notebooks/drie-kunnen-meer-dan-een.ipynb").read_text("utf-8")
    assert "aan je eigen tafel" not in notebook


@pytest.mark.browser
def test_the_plain_summary_is_two_tagged_pages(printed):
    pdf = PdfReader(printed)
    assert len(pdf.pages) == 2
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert "Herkent u dit?" in pdf.pages[1].extract_text()


def test_a_study_without_a_notebook_is_told(tmp_path):
    folder = shutil.copytree("studies/vuurwerkramp", tmp_path / "studies" / "geen")
    with pytest.raises(ExpertiseError, match=r"has no notebook at notebooks/vuurwerkramp\.ipynb"):
        build_report(folder)
    assert not (tmp_path / "build").exists()


def test_a_draft_is_not_released(tmp_path):
    folder = shutil.copytree("studies/vuurwerkramp", tmp_path / "studies" / "half")
    text = (folder / "study.toml").read_text("utf-8")
    question = next(line for line in text.splitlines() if line.startswith("question"))
    (folder / "study.toml").write_text(text.replace(question, 'question = "…"'), "utf-8")
    with pytest.raises(ExpertiseError, match=r"still to be written in study\.toml are question"):
        build_report(folder)
