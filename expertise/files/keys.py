"""Secret keys: outside the project, never inside a git work tree."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from expertise.errors import FileError, PrivacyError
from expertise.files.safe import unreadable

VARIABLE = "EXPERTISE_KEY"


def make_key(path: str | Path) -> Path:
    """Write a new key for pseudonyms, readable by its owner only.

    Parameters
    ----------
    path : path
        Outside every git work tree; whoever has the key can test guesses of
        names, so it belongs with those who may know them.

    Raises
    ------
    PrivacyError
        When the place is inside a git work tree, or there is a key already.
    """
    path = Path(path)
    outside_git(path, "key")
    try:
        with path.open("x", encoding="ascii") as file:
            path.chmod(0o600)
            file.write(secrets.token_hex(32) + "\n")
    except FileExistsError:
        raise PrivacyError(
            f"there is a key at {path} already; with another key every pseudonym changes: "
            "use it, or choose another place"
        ) from None
    except OSError as error:
        raise unreadable(path.parent, error) from None
    return path


def read_key(path: str | Path) -> bytes:
    """Return the key, and refuse one that lies where it could be shared with the data."""
    path = Path(path)
    outside_git(path, "key")
    try:
        text = path.read_text("ascii").strip()
        key = bytes.fromhex(text)
    except OSError as error:
        raise unreadable(path, error) from None
    except ValueError:
        key = b""
    if len(key) < 32:
        raise FileError(
            f"{path.name} is not a key of 64 hexadecimal digits; make one with make_key"
        )
    return key


def outside_git(path: Path, what: str) -> None:
    """Refuse a secret thing inside a git work tree, where it would be shared with the data."""
    for folder in path.absolute().resolve().parents:
        if (folder / ".git").exists():
            raise PrivacyError(
                f"the {what} {path.name} lies inside the git work tree {folder.name}/, where it "
                "could be shared with the data; keep it outside every repository"
            )


def key_at_hand() -> bytes | None:
    """Return the key that EXPERTISE_KEY names, or None when it names none."""
    path = os.environ.get(VARIABLE)
    return read_key(path) if path else None


def keyed(key: bytes, *what: str) -> str:
    """Return a digest that only the key can make (HMAC-SHA256, 128 bits shown)."""
    message = "\x1f".join(what).encode("utf-8")
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:32]
