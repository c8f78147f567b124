"""Who withdrew and may not come back, as keyed digests beside the data."""

from collections.abc import Iterable
from pathlib import Path

from expertise.errors import PrivacyError, listed
from expertise.files.keys import VARIABLE, key_at_hand, keyed
from expertise.files.safe import write_atomically
from expertise.words import Note, note

TOMBSTONES = "withdrawn.txt"


def bury(folder: Path, key: bytes, what: str, ids: Iterable[str]) -> None:
    """Add tombstones to a folder; they hold no readable id."""
    lines = sorted(_buried(folder) | {keyed(key, what, one) for one in ids})
    write_atomically(folder / TOMBSTONES, "\n".join(lines) + "\n")


def is_buried(folder: Path, key: bytes, what: str, one: str) -> bool:
    """Say whether an id has a tombstone in a folder."""
    return keyed(key, what, one) in _buried(folder)


def refuse_withdrawn(
    folder: str | Path, ids: Iterable[str], *, key: bytes | None, what: str = "participant"
) -> None:
    """Refuse ids that were withdrawn from a study or a corpus.

    Parameters
    ----------
    folder : path
        The folder of the study or the corpus.
    ids : iterable of str
        Ids about to be imported or used.
    key : bytes or None
        The key of the tombstones; needed when the folder has any.
    what : {"participant", "coder"}
        Whose ids they are.

    Raises
    ------
    PrivacyError
        At least one was withdrawn; or people withdrew and there is no key.
    """
    buried = _buried(Path(folder))
    if buried and key is None:
        raise PrivacyError(
            f"people withdrew from {Path(folder).name}/; give the key, or set {VARIABLE}, so that "
            "nobody comes back unseen"
        )
    back = [one for one in dict.fromkeys(map(str, ids))
            if key and keyed(key, what, one) in buried]  # fmt: skip
    if back:
        raise PrivacyError(
            f"{len(back)} {what}(s) withdrew ({listed(back)}) and cannot come back; "
            "take their rows out before you go on"
        )


def ask_tombstones(folder: Path, ids: Iterable[str]) -> tuple[Note, ...]:
    """Refuse withdrawn participants when the key is at hand; else note that nobody looked.

    Reading must also work for those who have no business with the key.
    """
    if not _buried(folder):
        return ()
    if (key := key_at_hand()) is None:
        return (note("privacy.not_asked", folder=folder.name, variable=VARIABLE),)
    refuse_withdrawn(folder, ids, key=key)
    return ()


def _buried(folder: Path) -> set[str]:
    path = folder / TOMBSTONES
    return set(path.read_text("ascii").split()) if path.is_file() else set()
