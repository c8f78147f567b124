"""Runs a study's notebook and renders it as one self-contained, accessible page."""

import os
import sys
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import mistune
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert.exporters.templateexporter import TemplateExporter
from tqdm.auto import tqdm

from expertise.errors import StudyError, listed
from expertise.files.safe import write_atomically
from expertise.reporting.audience import VARIABLE, Audience
from expertise.reporting.pdf import print_page
from expertise.study import Study, open_study
from expertise.study.opening import unwritten
from expertise.words import say

PACKAGES = ("expertise", "numpy", "scipy", "pandas", "statsmodels", "formulaic", "pingouin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Where the rendered report lies."""

    html: Path
    pdf: Path | None
    audience: Audience


def build_report(
    folder: str | Path,
    *,
    audience: Audience = "released",
    pdf: bool = False,
    out: str | Path | None = None,
) -> Page:
    """Run the notebook of a study and write its page.

    Parameters
    ----------
    folder : path
        The study folder; its notebook is ``notebooks/<notebook>.ipynb`` two
        folders up, beside ``studies/``.
    audience : {"released", "internal"}
        A released page holds no persons and no small cells. An internal page
        may show persons and says so at its head.
    pdf : bool
        Also print the page to a tagged PDF (needs Chromium).
    out : path, optional
        Folder to write in; ``build/<name>/`` by default.

    Returns
    -------
    Page
        The paths that were written. The notebook itself is left as it is.

    Raises
    ------
    StudyError
        The study has no notebook, or a cell of it fails; nothing is written.
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
    name = "report" if audience == "released" else "internal"
    target.mkdir(parents=True, exist_ok=True)
    html = target / f"{name}.html"
    write_atomically(html, render(executed, study, audience=audience).encode("utf-8"))
    write_atomically(target / f"{name}.ipynb", nbformat.writes(executed).encode("utf-8"))
    printed = print_page(html, html.with_suffix(".pdf")) if pdf else None
    return Page(html=html, pdf=printed, audience=audience)


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
    lang: Literal["nl", "en"] = study.settings.language
    here = files(__package__) / "templates"
    exporter = TemplateExporter(
        template_name="page",
        template_file="index.html.j2",
        extra_template_basedirs=[str(here)],
    )
    exporter.register_filter("markdown", mistune.create_markdown(escape=True, plugins=["table"]))
    words = {
        key: say(f"reporting.{key}", lang)
        for key in ("skip", "internal", "code", "made", "versions")
    }
    page = {
        "lang": lang,
        "title": study.settings.title,
        "style": (here / "page" / "style.css").read_text("utf-8"),
        "audience": audience,
        "words": words,
        "versions": versions(),
    }
    body, _ = exporter.from_notebook_node(notebook, resources={"page": page})
    return str(body)


def versions() -> dict[str, str]:
    """Return Python's and the main packages' versions."""
    python = ".".join(map(str, sys.version_info[:3]))
    return {"Python": python} | {name: version(name) for name in PACKAGES}


def _root(study: Study) -> Path:
    return study.folder.parent.parent
