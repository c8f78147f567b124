"""Takes everything of a participant or a coder out of a project, for good."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from expertise.coding.opening import open_store
from expertise.coding.planning import fragments_of
from expertise.errors import PrivacyError, StudyError, listed, nearest
from expertise.files.safe import sha256, write_atomically
from expertise.files.settings import load_toml
from expertise.files.tombstones import bury, is_buried
from expertise.narratives.corpus import TextEntry, read_listing
from expertise.privacy.places import Places, find_places
from expertise.privacy.rows import cut_entries, cut_rows, hide_entries, show_entries, words_in
from expertise.study.results import stale_results
from expertise.words import Note, note, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Withdrawal:
    """What was taken out.

    Attributes
    ----------
    who : str
        The participant or coder.
    removed : DataFrame
        Columns `file what n`: rows, entries, texts, records and whole files.
    stale : tuple of str
        Results, notebooks and releases that were made with the data; make
        them again, or say in them that they are older than the withdrawal.
    about : tuple of str
        Texts of others of the same triad, which may be about the person. They
        are hidden until someone has read them and decided (`show_text`).
    left : tuple of str
        Files that still hold a passage of the person's texts, and columns in
        which rows of others name the person.
    notes : tuple of Note
        What this cannot reach.
    """

    who: str
    removed: pd.DataFrame
    stale: tuple[str, ...]
    about: tuple[str, ...]
    left: tuple[str, ...]
    notes: tuple[Note, ...]

    def __repr__(self) -> str:
        lines = [f"{self.who}: taken out", self.removed.to_string(index=False)]
        for name, these in (("stale", self.stale), ("about", self.about), ("left", self.left)):
            lines += [f"{name}:", *(f"- {one}" for one in these)] if these else []
        return "\n".join([*lines, *(f"- {one}" for one in self.notes)])


def withdraw(
    folder: str | Path,
    *,
    participant: str = "",
    coder: str = "",
    key: bytes,
    store_key: bytes | None = None,
    by: str = "withdraw",
) -> Withdrawal:
    """Take everything of a participant, or of a coder, out of a study.

    A person who holds several seats is named by their own id, and every seat goes.
    Rows of every CSV of the study and its corpus, texts, codings and memos in
    the study's stores, drafts and exports in ``private/exports``, and what was
    built or cached from the study go. Texts of others of their triads are
    hidden. The hashes in study.toml follow. Keyed tombstones stay, in the study
    and in its corpus, by which `refuse_withdrawn` knows the ids again.

    Parameters
    ----------
    folder : path
        The study folder; its corpus lies in ``corpora/`` beside ``studies/``.
    participant, coder : str
        One of the two.
    key : bytes
        Secret from outside the project, for the tombstone.
    store_key : bytes, optional
        Key of the store of codings, when it has one.
    by : str
        Who does this, for the audit of the store.

    Returns
    -------
    Withdrawal

    Raises
    ------
    PrivacyError
        Data lie in a file that cannot be cut (XLSX, SPSS); nothing is changed then.
    StudyError
        Nobody of that id is in the study, and none was withdrawn before.

    Notes
    -----
    May be run again: what is gone stays gone. Other files keep every byte.
    Not reached: the history of git, backups, and copies that were sent out.
    """
    if bool(participant) == bool(coder):
        raise StudyError("name one participant or one coder to withdraw")
    places = find_places(Path(folder))
    who, what = (participant, "participant") if participant else (coder, "coder")
    ids = places.seats(participant) if participant else [coder]
    texts, about = _texts(places, ids)
    quotes = words_in([places.corpus_folder / _file(text) for text in texts])
    _refuse_uncuttable(places)
    _refuse_unknown(places, what, ids, key)
    for folder in (places.study, places.corpus_folder):
        if folder.is_dir():
            bury(folder, key, what, {who, *ids})
    removed = [
        *_rows(places, what, ids, [text.id for text in texts]),
        *_text_files(places, texts),
        *_hide(places, about),
        *_records(places, texts, coder, store_key, by),
        *_derived(places),
    ]
    return Withdrawal(
        who=who,
        removed=pd.DataFrame(removed, columns=["file", "what", "n"]),
        stale=_stale(places),
        about=about,
        left=(*map(places.named, places.holding(quotes)), *places.naming(who)),
        notes=(note("privacy.not_reached"),),
    )


def show_text(folder: str | Path, text: str) -> None:
    """Show a hidden text again, after someone read it and decided that it may be.

    Parameters
    ----------
    folder : path
        The study folder.
    text : str
        Id of the text.

    Raises
    ------
    StudyError
        No text of that id is hidden.
    """
    places = find_places(Path(folder))
    listing = places.corpus_folder / "corpus.toml"
    if not listing.is_file() or not show_entries(listing, "texts", {text}):
        raise StudyError(
            f"no text {text!r} is hidden in {places.corpus_folder.name}/; check the id"
        )


def _texts(places: Places, ids: Sequence[str]) -> tuple[list[TextEntry], tuple[str, ...]]:
    """Return the texts of a person, and those of others of their triads."""
    if not (places.corpus_folder / "corpus.toml").is_file():
        return [], ()
    entries = read_listing(places.corpus_folder).texts
    triads = places.triads()
    near = {triads[one] for one in ids if triads.get(one)}
    others = [
        text.id
        for text in entries
        if text.participant not in ids and triads.get(text.participant) in near
    ]
    return [text for text in entries if text.participant in ids], tuple(others)


def _hide(places: Places, texts: Sequence[str]) -> list[tuple[str, str, int]]:
    """Hide texts of others that may be about the person; the reason names nobody."""
    listing = places.corpus_folder / "corpus.toml"
    n = hide_entries(listing, "texts", set(texts), say("privacy.hidden_why")) if texts else 0
    return [(places.named(listing), "hidden", n)] * bool(n)


def _file(text: TextEntry) -> str:
    return text.file or f"texts/{text.id}.txt"


def _refuse_uncuttable(places: Places) -> None:
    whole = [
        path for path in places.files() if path.suffix.casefold() in {".xlsx", ".sav", ".zsav"}
    ]
    if whole:
        raise PrivacyError(
            f"{listed(map(places.named, whole))} cannot be cut row by row; write it as CSV, "
            "delete the original and withdraw again (nothing was changed)"
        )


def _refuse_unknown(places: Places, what: str, ids: Sequence[str], key: bytes) -> None:
    known, who = places.ids(what), ids[0]
    again = is_buried(places.study, key, what, who)
    # A coder may stand in the store only, which knows its coders itself.
    if who not in known and not again and (what == "participant" or not places.stores()):
        raise StudyError(
            f"{what} {who!r} is not in {places.study.name}/{nearest(who, known)}; check the id"
        )


def _rows(
    places: Places, what: str, ids: Sequence[str], documents: Sequence[str]
) -> list[tuple[str, str, int]]:
    wanted = {what: set(ids), "document": set(documents)}
    if what == "coder":
        wanted["entered_by"] = set(ids)
    removed = []
    for path in places.tables():
        before = sha256(path)
        if n := cut_rows(path, {name: wanted.get(kind, set())
                                for name, kind in places.columns(path).items()}):  # fmt: skip
            removed.append((places.named(path), "rows", n))
            _follow(places.study / "study.toml", before, sha256(path))
    return removed


def _follow(study: Path, old: str, new: str) -> None:
    """Write the new hash of a table in study.toml; every other byte stays."""
    text = study.read_bytes()
    if old.encode() in text:
        write_atomically(study, text.replace(old.encode(), new.encode()))


def _text_files(places: Places, texts: Sequence[TextEntry]) -> list[tuple[str, str, int]]:
    removed = []
    for text in texts:
        path = places.corpus_folder / _file(text)
        path.unlink(missing_ok=True)
        removed.append((places.named(path), "text", 1))
    if texts:
        listing = places.corpus_folder / "corpus.toml"
        n = cut_entries(listing, "texts", {text.id for text in texts})
        removed.append((places.named(listing), "entries", n))
    return removed


def _records(
    places: Places,
    texts: Sequence[TextEntry],
    coder: str,
    store_key: bytes | None,
    by: str,
) -> list[tuple[str, str, int]]:
    removed = []
    for path in places.stores():
        with open_store(path, key=store_key) as store:
            ids = [text.id for text in texts]
            documents = [*ids, *fragments_of(store, ids)]
            erased = store.withdraw(documents=documents, coder=coder, by=by)
        removed.append((places.named(path), "records", erased))
    return removed


def _derived(places: Places) -> list[tuple[str, str, int]]:
    """Delete what can be built again and may hold words or rows of the person."""
    removed = []
    for path in places.derived():
        shutil.rmtree(path)
        removed.append((places.named(path), "folder", 1))
    return removed


def _stale(places: Places) -> tuple[str, ...]:
    results = [f"results/{name}" for name in stale_results(places.study)["result"].unique()]
    settings = load_toml(places.study / "study.toml")
    notebook = places.root / "notebooks" / f"{settings.get('notebook') or places.study.name}.ipynb"
    return (*results, *([places.named(notebook)] if notebook.is_file() else []))
