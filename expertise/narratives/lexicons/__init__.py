"""Word lists as data: what they look for, and who wrote them."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from expertise.errors import StudyError, listed, nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """A list of phrases under one or more labels, with its source."""

    name: str
    title: dict[str, str]
    source: str
    phrases: dict[str, tuple[str, ...]]


def list_lexicons() -> tuple[str, ...]:
    """Return the names of the lexicons that come with the library.

    >>> list_lexicons()
    ('agency', 'contact', 'emotion', 'experiential', 'hope', 'loss_of_control')
    """
    found = (path.name for path in files(__package__).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml")))


@cache
def read_lexicon(name: str) -> Lexicon:
    """Read one of the library's lexicons.

    Parameters
    ----------
    name : str
        One of `list_lexicons()`.

    Returns
    -------
    Lexicon
        Its title in English and Dutch, its source, and its phrases by label.

    Raises
    ------
    StudyError
        When there is no lexicon of that name.

    Examples
    --------
    >>> sorted(read_lexicon("hope").phrases)
    ['despair', 'hope']
    """
    if name not in list_lexicons():
        raise StudyError(
            f"unknown lexicon {name!r}; allowed are {listed(list_lexicons())}"
            f"{nearest(name, list_lexicons())}"
        )
    table = tomllib.loads((files(__package__) / f"{name}.toml").read_text("utf-8"))
    phrases = {label: tuple(texts) for label, texts in table.pop("phrases").items()}
    return Lexicon(**table, phrases=phrases)
