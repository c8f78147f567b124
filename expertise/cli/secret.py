"""Where a command finds the key that lies outside the project."""

import argparse
import os

from expertise.errors import PrivacyError
from expertise.narratives.pseudonyms import read_key

VARIABLE = "EXPERTISE_KEY"


def add_key(parser: argparse.ArgumentParser) -> None:
    """Add the option to a command."""
    parser.add_argument("--key", help=f"file with the key, outside the project (or set {VARIABLE})")


def key_of(chosen: argparse.Namespace) -> bytes:
    """Return the key of a command.

    Raises
    ------
    PrivacyError
        No key is named, or it lies inside a git work tree.
    """
    path = chosen.key or os.environ.get(VARIABLE)
    if not path:
        raise PrivacyError(
            f"no key is named; give --key FILE or set {VARIABLE} to a file outside the project "
            "(make one with expertise.narratives.pseudonyms.make_key)"
        )
    return read_key(path)
