"""Ten words of a narrative are caught wherever they stand; ordinary text is left alone."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from expertise.errors import FileError, PrivacyError
from expertise.privacy import check_for_quotes, index_texts
from expertise.privacy.guard import refuse_quotes

KEY = b"g" * 32
TEXTS = sorted(Path("corpora/drie-kunnen-meer-dan-een/texts").glob("*.txt"))
PLANTS = 500


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    path = tmp_path_factory.mktemp("guard") / "index.json"
    return index_texts((text.read_text("utf-8") for text in TEXTS), path, key=KEY)


def notebook(place, words):
    code = {"cell_type": "code", "metadata": {}, "source": "report.answer\n", "outputs": []}
    page = {"cell_type": "markdown", "metadata": {}, "source": ["# Verslag\n", "Een regel.\n"]}
    made = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [page, code]}
    half = words.index(" ", len(words) // 3)
    if place == 0:
        page["source"] = ["Iemand zei:\n", f"> *{words[:half]}\n", f"> {words[half:]}*\n"]
    elif place == 1:
        html = f"<p>{words[: half - 1]}<b>{words[half - 1 : half + 1]}</b>{words[half + 1 :]}</p>"
        code["outputs"] = [{"output_type": "display_data", "data": {"text/html": [html]}}]
    elif place == 2:
        code["source"] = f"quote = '''{words.upper()}'''"
    elif place == 3:
        code["outputs"] = [{"output_type": "stream", "text": words.split(" ", 1)}]
        code["outputs"][0]["text"][0] += " "
    else:
        made["metadata"] = {"comment": {"by": "ik", "said": words}}
    return json.dumps(made)


def test_every_planted_quote_is_caught(index, tmp_path):
    rng = np.random.default_rng(6)
    paths = []
    for number in range(PLANTS):
        words = TEXTS[rng.integers(len(TEXTS))].read_text("utf-8").split()
        start = rng.integers(len(words) - 10)
        path = tmp_path / f"{number:03d}.ipynb"
        path.write_text(notebook(number % 5, " ".join(words[start : start + 10])), "utf-8")
        paths.append(path)
    caught = {file for file, _, _ in check_for_quotes(paths, index=index, key=KEY).found}
    assert len(caught) == PLANTS


def test_ordinary_text_gives_no_alarm(index, tmp_path):
    """Sentences about the same subjects, put together from other words: 200 notebooks."""
    rng = np.random.default_rng(7)
    who = ["De patiënt", "Een naaste", "De professional", "Het team", "Iemand uit de raad"]
    did = ["vertelde over", "vroeg naar", "dacht lang na over", "schreef iets op over"]
    what = ["de opname", "het gesprek", "medicatie", "de wachtlijst", "hoop", "wat thuis speelt"]
    how = ["en dat hielp.", "maar niet vaak.", "zoals eerder afgesproken.", "na een half jaar."]
    paths = []
    for number in range(200):
        lines = [" ".join(map(rng.choice, (who, did, what, how))) for _ in range(25)]
        path = tmp_path / f"{number:03d}.ipynb"
        path.write_text(notebook(number % 5, " ".join(lines)), "utf-8")
        paths.append(path)
    paths += [*Path("docs").rglob("*.md"), *Path("notebooks").glob("*.ipynb")]
    found = check_for_quotes(paths, index=index, key=KEY)
    assert found.found == ()
    assert found.checked >= 200


def test_what_it_says_holds_no_words(index, tmp_path):
    words = TEXTS[0].read_text("utf-8")[:200]
    path = tmp_path / "a.md"
    path.write_text(words)
    found = check_for_quotes([path], index=index, key=KEY)
    assert "1 of 1 files hold words of a narrative" in repr(found)
    with pytest.raises(PrivacyError, match=r"a.md .text.; take them out") as error:
        refuse_quotes(found)
    for text in (repr(found), str(error.value), Path(index).read_text()):
        assert not any(word in text for word in words.split() if len(word) > 7)


def test_without_the_key_the_index_says_nothing(index, tmp_path):
    path = tmp_path / "a.md"
    path.write_text(TEXTS[0].read_text("utf-8"))
    assert check_for_quotes([path], index=index, key=b"another key").found == ()


def test_pictures_are_not_read_and_a_changed_word_is_not_seen(index, tmp_path):
    path = tmp_path / "a.ipynb"
    words = " ".join(TEXTS[0].read_text("utf-8").split()[:10])
    cell = {"cell_type": "code", "metadata": {}, "source": "",
            "outputs": [{"data": {"image/png": words}}]}  # fmt: skip
    path.write_text(json.dumps({"cells": [cell], "metadata": {}}))
    assert check_for_quotes([path], index=index, key=KEY).found == ()


def test_files_that_cannot_be_read(index, tmp_path):
    bad = tmp_path / "x.ipynb"
    bad.write_text("niet")
    with pytest.raises(FileError, match=r"x.ipynb is no notebook"):
        check_for_quotes([bad], index=index, key=KEY)
    with pytest.raises(FileError, match=r"x.ipynb is no index of narratives; make it again"):
        check_for_quotes([], index=bad, key=KEY)
    with pytest.raises(FileError, match="does not exist"):
        check_for_quotes([tmp_path / "weg.md"], index=index, key=KEY)
    with pytest.raises(FileError, match="does not exist"):
        check_for_quotes([], index=tmp_path / "weg.json", key=KEY)


@pytest.mark.parametrize("inner", ["page.md", "notebooks/a.ipynb", "texts/doc.xml"])
def test_words_within_an_archive_are_found(index, tmp_path, inner):
    words = " ".join(TEXTS[0].read_text("utf-8").split()[10:30])
    cell = {"cell_type": "code", "metadata": {}, "source": "", "outputs": [{"text": [words]}]}
    content = {
        "page.md": words, "texts/doc.xml": f"<w:p><w:t>{words}</w:t></w:p>",
        "notebooks/a.ipynb": json.dumps({"cells": [cell], "metadata": {}}),
    }[inner]  # fmt: skip
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.md", "Niets bijzonders hier.")
        archive.writestr(inner, content)
    outer = tmp_path / "outer.zip"
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(path, "bundle.zip")
    for file, place in ((path, inner), (outer, f"bundle.zip, {inner}")):
        found = check_for_quotes([file], index=index, key=KEY).found
        assert [where.startswith(place) for _, where, _ in found] == [True]


def test_an_archive_that_cannot_be_looked_into_is_not_let_through(index, tmp_path):
    content, name = b"", "kern.zip"
    for depth in range(5):
        path = tmp_path / f"{depth}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, content)
        content, name = path.read_bytes(), path.name
    with pytest.raises(FileError, match=r"1.zip lies too deep in other archives .* unpack it"):
        check_for_quotes([path], index=index, key=KEY)
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(FileError, match="damaged file"):
        check_for_quotes([path], index=index, key=KEY)


def test_the_stored_notebooks_and_codings_of_this_repository(index):
    """The notebooks hold no narrative; the invented codings do, and would be refused."""
    notebooks = sorted(Path("notebooks").glob("*.ipynb"))
    assert check_for_quotes(notebooks, index=index, key=KEY).found == ()
    codings = Path("studies/drie-kunnen-meer-dan-een/codings.csv")
    assert check_for_quotes([codings], index=index, key=KEY).found
