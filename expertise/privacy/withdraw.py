"""Takes everything of a participant or a coder out of a project, for good."""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from expertise.coding.opening import open_store
from expertise.coding.planning import fragments_of
from expertise.errors import PrivacyError, StudyError, listed, nearest
from expertise.files.safe import sha256, write_atomically
from expertise.files.settings import load_toml
from expertise.narratives.corpus import TextEntry, read_listing
from expertise.privacy.places import Places, find_places
from expertise.privacy.register import keyed
from expertise.privacy.rows import cut_entries, cut_rows, words_in
from expertise.study.results import stale_results
from expertise.words import Note, note

TOMBSTONES = "withdrawn.txt"


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
        Texts of others of the same triad, which may be about the person:
        someone must read them and decide.
    left : tuple of str
        Files that still hold a passage of the person's texts.
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

    Rows of every CSV of the study and its corpus, texts, codings and memos in
    the study's stores, drafts and exports in ``private/exports``, and what was
    built or cached from the study go. The hashes in study.toml follow. A keyed
    tombstone stays, by which `refuse_withdrawn` knows the id again.

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
    texts, about = _texts(places, participant)
    quotes = words_in([places.corpus_folder / _file(text) for text in texts])
    _refuse_uncuttable(places)
    _refuse_unknown(places, what, who, key)
    _bury(places.study, keyed(key, what, who))
    removed = [
        *_rows(places, what, who, [text.id for text in texts]),
        *_text_files(places, texts),
        *_records(places, texts, coder, store_key, by),
        *_derived(places),
    ]
    return Withdrawal(
        who=who,
        removed=pd.DataFrame(removed, columns=["file", "what", "n"]),
        stale=_stale(places),
        about=about,
        left=tuple(places.named(path) for path in places.holding(quotes)),
        notes=(note("privacy.not_reached"),),
    )


def refuse_withdrawn(
    folder: str | Path, ids: Iterable[str], *, key: bytes, what: str = "participant"
) -> None:
    """Refuse ids that were withdrawn from a study.

    Parameters
    ----------
    folder : path
        The study folder.
    ids : iterable of str
        Ids about to be imported or used.
    key : bytes
        The key of the tombstones.
    what : {"participant", "coder"}
        Whose ids they are.

    Raises
    ------
    PrivacyError
        At least one was withdrawn; it is not named in full.
    """
    buried = _buried(Path(folder))
    back = [one for one in dict.fromkeys(map(str, ids)) if keyed(key, what, one) in buried]
    if back:
        raise PrivacyError(
            f"{len(back)} {what}(s) withdrew ({listed(back)}) and cannot come back; "
            "take their rows out before you import"
        )


def _buried(folder: Path) -> set[str]:
    path = folder / TOMBSTONES
    return set(path.read_text("ascii").split()) if path.is_file() else set()


def _bury(folder: Path, digest: str) -> None:
    lines = sorted(_buried(folder) | {digest})
    write_atomically(folder / TOMBSTONES, "\n".join(lines) + "\n")


def _texts(places: Places, participant: str) -> tuple[list[TextEntry], tuple[str, ...]]:
    """Return a participant's own texts, and those of others of the triad."""
    if not participant or not (places.corpus_folder / "corpus.toml").is_file():
        return [], ()
    entries = read_listing(places.corpus_folder).texts
    triads = places.triads()
    own = triads.get(participant)
    others = [
        text.id
        for text in entries
        if own and triads.get(text.participant) == own and text.participant != participant
    ]
    return [text for text in entries if text.participant == participant], tuple(others)


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


def _refuse_unknown(places: Places, what: str, who: str, key: bytes) -> None:
    known = places.ids(what)
    again = keyed(key, what, who) in _buried(places.study)
    # A coder may stand in the store only, which knows its coders itself.
    if who not in known and not again and (what == "participant" or not places.stores()):
        raise StudyError(
            f"{what} {who!r} is not in {places.study.name}/{nearest(who, known)}; check the id"
        )


def _rows(
    places: Places, what: str, who: str, documents: Sequence[str]
) -> list[tuple[str, str, int]]:
    wanted = {what: {who}, "document": set(documents)}
    if what == "coder":
        wanted["entered_by"] = {who}
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
