"""Hashes, whole-or-not-at-all writing, and paths that stay inside their folder."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from expertise.errors import FileError


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits, reading it in pieces.

    Raises
    ------
    FileError
        The file does not exist or cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: str | Path, error: OSError) -> FileError:
    """Return the error for a file that the system will not open."""
    reason = {
        FileNotFoundError: "does not exist",
        IsADirectoryError: "is a folder, not a file",
        PermissionError: "may not be opened by this user",
    }.get(type(error), f"cannot be opened ({error.strerror})")
    return FileError(f"{path} {reason}; check the path")


@contextmanager
def atomic(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that takes its place only when all is written.

    The bytes go to a temporary file in the same folder, are forced to disk and
    then renamed over `path`. When anything fails the old file is as it was and
    no temporary file is left.

    Raises
    ------
    FileError
        The folder does not exist or may not be written in.
    """
    path = Path(path)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    except OSError as error:
        raise unreadable(path.parent, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Force the rename itself to disk, where the system can open folders."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_atomically(path: str | Path, content: str | bytes) -> Path:
    """Write text (as UTF-8) or bytes to `path`, whole or not at all; return the path.

    Raises
    ------
    FileError
        The folder does not exist or may not be written in.
    """
    with atomic(path) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)
    return Path(path)


def inside(folder: str | Path, relative: str | Path) -> Path:
    """Return the path of `relative` within `folder`, which it may not leave.

    The file itself need not exist. Symbolic links are followed before judging.

    Raises
    ------
    FileError
        The path is absolute, climbs out with `..`, or a link leads out.
    """
    root = Path(folder).resolve()
    text = str(relative)
    drive = len(text) > 1 and text[1] == ":"
    if not text or "\0" in text or "\\" in text or drive or Path(text).is_absolute():
        raise FileError(
            f"path {text!r} is not a relative path with forward slashes;"
            f" name a file inside {root.name}/"
        )
    target = (root / text).resolve()
    if not target.is_relative_to(root):
        raise FileError(f"path {text!r} leads outside {root.name}/; keep the study's files in it")
    return target
