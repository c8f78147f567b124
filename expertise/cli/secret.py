"""Where a command finds the key that lies outside the project."""

import argparse

from expertise.errors import PrivacyError
from expertise.files.keys import VARIABLE, key_at_hand, read_key


def add_key(parser: argparse.ArgumentParser) -> None:
    """Add the option to a command."""
    parser.add_argument("--key", help=f"file with the key, outside the project (or set {VARIABLE})")


def key_if_named(chosen: argparse.Namespace) -> bytes | None:
    """Return the key that the command or the environment names, or None."""
    return read_key(chosen.key) if chosen.key else key_at_hand()


def key_of(chosen: argparse.Namespace) -> bytes:
    """Return the key of a command.

    Raises
    ------
    PrivacyError
        No key is named, or it lies inside a git work tree.
    """
    key = key_if_named(chosen)
    if key is None:
        raise PrivacyError(
            f"no key is named; give --key FILE or set {VARIABLE} to a file outside the project "
            "(make one with expertise.files.keys.make_key)"
        )
    return key
