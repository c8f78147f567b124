"""Brings a column of texts, such as the answers to an open question, into a corpus."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from expertise.errors import DataError, listed, nearest
from expertise.narratives.corpus import TextEntry
from expertise.narratives.importing import Imported, Source, bring_in, text_id
from expertise.words import note

FIELDS = ("id", "participant", "wave", "genre", "licence")


def import_rows(
    table: pd.DataFrame,
    folder: str | Path,
    *,
    text: str,
    about: Mapping[str, str],
    language: str = "nl",
    key: bytes | None = None,
) -> Imported:
    """Bring a column of texts into a corpus, a text per row.

    Parameters
    ----------
    table : DataFrame
        A row per text.
    folder : path
        The corpus; made when it does not exist.
    text : str
        The column that holds the texts.
    about : mapping of str to str
        What is known → the column that holds it: ``id`` (required) and any of
        ``participant``, ``wave``, ``genre``, ``licence``. Without a
        participant every text is somebody's own.
    language : str
        Of all texts.
    key : bytes, optional
        Needed where people withdrew: they may not come back.

    Returns
    -------
    Imported
        With a note on rows without words, which are left out. Labels such as
        "Good:" at the start of a line are not taken for speakers.

    Raises
    ------
    DataError
        When a column is not in the table, `about` names something unknown or
        no id, or a row has no id.
    FileError, PrivacyError
        As `import_texts`; then nothing is imported.

    Examples
    --------
    >>> answers = pd.DataFrame({"nr": [1, 2], "verhaal": ["Het hielp.", None]})
    >>> folder = getfixture("tmp_path") / "antwoorden"
    >>> done = import_rows(answers, folder, text="verhaal", about={"id": "nr"})
    >>> print(done.heading(), *done.notes)
    Texts imported into antwoorden: 1. 1 rows hold no words and are left out.
    """
    for name in about:
        if name not in FIELDS:
            raise DataError(f"about has {name!r}; allowed are {listed(FIELDS)}")
    if "id" not in about:
        raise DataError('about has no id; give the column with a number per text: {"id": "…"}')
    for column in (text, *about.values()):
        if column not in table.columns:
            raise DataError(
                f"the table has no column {column!r}{nearest(column, map(str, table.columns))}; "
                f"it has {listed(table.columns)}"
            )
    wanted = table[[text, *dict.fromkeys(about.values())]].astype(object)
    rows = wanted.where(wanted.notna(), "").astype(str)
    told = rows[rows[text].str.strip() != ""]
    sources = (
        _source(row[text], {name: row[column] for name, column in about.items()}, language)
        for row in tqdm(told.to_dict("records"), desc="import", unit="row", delay=1)
    )
    done = bring_in(Path(folder), sources, speakers={}, key=key)
    empty = len(rows) - len(told)
    return done.noting(*[note("narratives.empty_rows", n=empty)] * (empty > 0))


def _source(words: str, known: Mapping[str, str], language: str) -> Source:
    if not known["id"].strip():
        raise DataError("a row with words has no id; give every text its own")
    own = text_id(known["id"])
    facts = {"participant": own, **{name: value for name, value in known.items() if value}}
    entry = TextEntry(**facts | {"id": own, "language": language, "sha256": ""})  # type: ignore[arg-type]
    return Source(own, entry, words, ())
