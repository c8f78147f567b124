"""Builds a study's two reports in one run: the scientific page and the plain summary."""

import os
import sys
from dataclasses import dataclass, replace
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import mistune
import nbformat
import pandas as pd
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert.exporters.templateexporter import TemplateExporter
from tqdm.auto import tqdm

from expertise.errors import StudyError, listed
from expertise.files.safe import write_atomically
from expertise.files.write import write_table
from expertise.reporting.audience import VARIABLE, Audience
from expertise.reporting.docx_tables import write_docx
from expertise.reporting.facts import named_numbers
from expertise.reporting.findings import Findings, find
from expertise.reporting.pdf import print_page
from expertise.reporting.summary import (
    Plain,
    approve_summary,
    draft_summary,
    fill_summary,
    named_pictures,
    text_path,
    write_draft,
)
from expertise.result import table_html
from expertise.study import Study, open_study
from expertise.study.opening import unwritten
from expertise.words import say

PACKAGES = ("expertise", "numpy", "scipy", "pandas", "statsmodels", "formulaic", "pingouin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Where the reports lie.

    Attributes
    ----------
    html, pdf : Path
        The scientific report; no `pdf` when none was asked for.
    audience : {"released", "internal"}
    tables : Path or None
        Its tables as DOCX.
    summary, summary_pdf : Path or None
        The plain text; an internal report has none.
    text : Path or None
        The file in the study folder where people write the plain text.
    drafted : bool
        Whether that file was made now, because there was none.
    changed : tuple of str
        Numbers in it that are not those that were approved.
    """

    html: Path
    pdf: Path | None
    audience: Audience
    tables: Path | None = None
    summary: Path | None = None
    summary_pdf: Path | None = None
    text: Path | None = None
    drafted: bool = False
    changed: tuple[str, ...] = ()


def build_report(
    folder: str | Path,
    *,
    audience: Audience = "released",
    pdf: bool = False,
    out: str | Path | None = None,
    approve: str = "",
) -> Page:
    """Run the notebook of a study and write its reports.

    Parameters
    ----------
    folder : path
        The study folder; its notebook is ``notebooks/<notebook>.ipynb`` two
        folders up, beside ``studies/``.
    audience : {"released", "internal"}
        A released page holds no persons and no small cells, and comes with
        its tables as DOCX and the plain summary. An internal page may show
        persons and says so at its head.
    pdf : bool
        Also print each page to a tagged PDF (needs Chromium).
    out : path, optional
        Folder to write in; ``build/<name>/`` by default.
    approve : str
        Who read the plain text and agrees with it and its numbers; these are
        kept beside the text.

    Returns
    -------
    Page
        The paths that were written. The notebook itself is left as it is, and
        so is the plain text; where there is none a first draft is written.

    Raises
    ------
    StudyError
        The study has no notebook, or a cell of it fails; the plain text names
        a number that there is not. No page is written then.
    """
    study = open_study(folder)
    if audience == "released" and (keys := unwritten(study.folder)):
        raise StudyError(
            f"{study.name} cannot be released: still to be written in study.toml are "
            f"{listed(keys)}; write them, or use --internal for a look"
        )
    source = notebook_path(study)
    target = Path(out) if out else _root(study) / "build" / study.name
    executed = execute(source, audience=audience)
    found = find(study, audience=audience)
    page = _with_passages(render(executed, study, audience=audience), found)
    name = "report" if audience == "released" else "internal"
    target.mkdir(parents=True, exist_ok=True)
    html = target / f"{name}.html"
    built = Page(html=html, pdf=None, audience=audience)
    if audience == "released":
        built = _plain(built, found, target, approve)
        tables = write_docx(page, target / "tables.docx", title=study.settings.title)
        built = replace(built, tables=tables)
    write_atomically(html, page)
    write_atomically(target / f"{name}.ipynb", nbformat.writes(executed))
    return _printed(built) if pdf else built


def _plain(built: Page, found: Findings, target: Path, approve: str) -> Page:
    """Write the plain summary, the numbers it may name, and the tables of the report."""
    study = found.study
    numbers, pictures = named_numbers(found), named_pictures(found)
    heads = [say(f"reporting.names_{key}", study.lang) for key in ("name", "value")]
    write_table(pd.DataFrame(numbers.items(), columns=heads), target / "numbers.csv")
    text = text_path(study)
    drafted = write_draft(study, draft_summary(found, numbers, pictures))
    plain = fill_summary(study, numbers, pictures)
    if approve:
        approve_summary(study, plain, approve)
        plain = fill_summary(study, numbers, pictures)
    summary = write_atomically(target / f"{text.stem}.html", render_plain(plain, study))
    return replace(
        built, summary=summary, text=text, drafted=drafted,
        changed=plain.changed if plain.by else (),
    )  # fmt: skip


def _with_passages(page: str, found: Findings) -> str:
    """Put passages in the place of ids: a notebook never holds them, a page of their circle may."""
    if found.joint is None:
        return page
    ids = table_html(found.joint.table(), say("joint.caption", found.study.lang))
    return page.replace(ids, found.joint.html())


def _printed(built: Page) -> Page:
    pages = [one for one in (built.html, built.summary) if one]
    printed = [print_page(one, one.with_suffix(".pdf")) for one in tqdm(pages, unit="pdf")]
    return replace(built, pdf=printed[0], summary_pdf=printed[1] if built.summary else None)


def notebook_path(study: Study) -> Path:
    """Return the path of a study's notebook, or say that there is none."""
    path = _root(study) / "notebooks" / f"{study.settings.notebook or study.name}.ipynb"
    if not path.is_file():
        raise StudyError(
            f"study {study.name!r} has no notebook at notebooks/{path.name}; "
            f"make one with: expertise new {study.folder} --notebook"
        )
    return path


def execute(source: Path, *, audience: Audience = "released") -> Any:
    """Return the notebook with fresh outputs, a progress bar over its cells."""
    notebook = nbformat.read(source, as_version=4)
    bar = tqdm(total=sum(cell.cell_type == "code" for cell in notebook.cells), unit="cell")

    def advance(**_: Any) -> None:
        bar.update()

    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(source.parent)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        on_cell_executed=advance,
    )
    env = {**os.environ, VARIABLE: audience, "PYTHONHASHSEED": "0"}
    try:
        with bar:
            client.execute(env=env)
    except CellExecutionError as fault:
        raise StudyError(
            f"notebooks/{source.name} stopped: {fault.ename}: {fault.evalue}; "
            "open it in JupyterLab and mend that cell"
        ) from None
    return notebook


def render(notebook: Any, study: Study, *, audience: Audience = "released") -> str:
    """Return the page of an executed notebook as HTML."""
    keys = ("skip", "internal", "code", "made", "versions")
    page = {
        "title": study.settings.title,
        "audience": audience,
        "words": {key: say(f"reporting.{key}", study.lang) for key in keys},
        "versions": versions(),
    }
    return _rendered("index", notebook, study, page)


def render_plain(plain: Plain, study: Study) -> str:
    """Return the page of a plain summary as HTML, with what its reader must know at its head."""
    lang = study.lang
    notices = []
    if not plain.by:
        notices.append(say("reporting.draft", lang))
    elif plain.changed:
        notices.append(say("reporting.changed_numbers", lang, n=plain.marked))
    if plain.edited:
        notices.append(say("reporting.edited", lang))
    page = {
        "title": plain.title,
        "kind": "plain",
        "words": {"skip": say("reporting.summary_skip", lang)},
        "notices": notices,
        "body": plain.body,
        "by": say("reporting.approved", lang, by=plain.by) if plain.by else "",
    }
    return _rendered("summary", nbformat.v4.new_notebook(), study, page)


def _rendered(template: str, notebook: Any, study: Study, page: dict[str, Any]) -> str:
    here = files(__package__) / "templates"
    exporter = TemplateExporter(
        template_name="page",
        template_file=f"{template}.html.j2",
        extra_template_basedirs=[str(here)],
    )
    exporter.register_filter("markdown", mistune.create_markdown(escape=True, plugins=["table"]))
    lang: Literal["nl", "en"] = study.settings.language
    style = (here / "page" / "style.css").read_text("utf-8")
    shared = {"lang": lang, "style": style, "kind": "", "audience": "released"}
    body, _ = exporter.from_notebook_node(notebook, resources={"page": shared | page})
    return str(body)


def versions() -> dict[str, str]:
    """Return Python's and the main packages' versions."""
    python = ".".join(map(str, sys.version_info[:3]))
    return {"Python": python} | {name: version(name) for name in PACKAGES}


def _root(study: Study) -> Path:
    return study.folder.parent.parent
