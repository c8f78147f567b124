"""Each study's page is built once for the whole run."""

from pathlib import Path

import nbformat
import pytest

from expertise.reporting import Page, build_report
from expertise.reporting.facts import named_numbers
from expertise.reporting.findings import find
from expertise.reporting.page import _with_passages, render, render_plain
from expertise.reporting.pdf import print_page
from expertise.reporting.summary import fill_summary, named_pictures
from expertise.study import open_study


@pytest.fixture(scope="session", params=["vuurwerkramp", "beat-the-blues"])
def page(request, tmp_path_factory):
    out = tmp_path_factory.mktemp(request.param)
    return build_report(f"studies/{request.param}", out=out)


@pytest.fixture(scope="session")
def internal_page(tmp_path_factory):
    out = tmp_path_factory.mktemp("internal")
    return build_report("studies/beat-the-blues", out=out, audience="internal", pdf=True)


@pytest.fixture(scope="session")
def stored(tmp_path_factory):
    """The two pages of the simulated study, from the outputs that its notebook is stored with."""
    name, out = "drie-kunnen-meer-dan-een", tmp_path_factory.mktemp("stored")
    found = find(open_study(f"studies/{name}"), audience="released")
    notebook = nbformat.read(Path("notebooks") / f"{name}.ipynb", as_version=4)
    plain = fill_summary(found.study, named_numbers(found), named_pictures(found))
    pages = {
        "report": _with_passages(render(notebook, found.study), found),
        "summary": render_plain(plain, found.study),
    }
    for kind, html in pages.items():
        (out / f"{kind}.html").write_text(html, "utf-8")
    summary = out / "summary.html"
    return Page(html=out / "report.html", pdf=None, audience="released", summary=summary)


@pytest.fixture(scope="session")
def printed(stored):
    return print_page(stored.summary, stored.summary.with_suffix(".pdf"))
