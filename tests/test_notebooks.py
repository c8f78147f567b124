"""Notebooks load, show and discuss; nbval passes over a cell without reference output."""

import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_every_code_cell_has_reference_output(notebook):
    assert code(notebook)
    for cell in code(notebook):
        assert cell.outputs, f"no output is stored for: {cell.source}"
        assert all(output.output_type != "error" for output in cell.outputs), cell.source


def test_cells_are_short_and_compute_nothing(notebook):
    for cell in code(notebook):
        assert len(cell.source.splitlines()) <= 5, cell.source
        assert not re.search(r"^\s*(for|while|def|class|lambda)\b|%|!", cell.source, re.M), (
            cell.source
        )


def test_pictures_have_alt_text_and_their_table(notebook):
    for cell in code(notebook):
        for output in cell.outputs:
            html = output.get("data", {}).get("text/html", "")
            for figure in re.findall(r"<figure.*?</figure>", html, re.S):
                assert re.search(r'alt="[^"]{20,}"', figure)
                assert "<table" in figure


def test_headings_are_in_order(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, re.M)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_prose_holds_no_numbers_of_its_own(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"\d+[.,]\d", cell.source), cell.source


def test_a_changed_number_fails(tmp_path):
    """The check itself can fail: one digit changed in a stored output is found."""
    pytest.importorskip("nbval")
    import subprocess
    import sys

    source = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("1 + 1", id="a")],
        metadata={"kernelspec": {"name": "python3", "display_name": "x", "language": "python"}},
    )
    wrong = nbformat.v4.new_output("execute_result", {"text/plain": "3"}, execution_count=1)
    source.cells[0].outputs = [wrong]
    source.cells[0].execution_count = 1
    nbformat.write(source, tmp_path / "x.ipynb")
    made = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider",
         "-q", str(tmp_path / "x.ipynb")],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert made.returncode == 1
    assert "1 failed" in made.stdout
