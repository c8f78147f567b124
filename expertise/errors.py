"""Every error the library raises: one sentence that says what, where, what is allowed, what to do.

ExpertiseError (a ValueError)
├── FileError        a file that cannot be read, or must not be
├── DataError        a value in a table
├── StudyError       a study folder and its study.toml
├── DesignError      a model that the data cannot carry
│   └── FormulaError a formula that cannot be read, or must not be run
├── FitError         an optimum that was not found
├── CodingError      a codebook, a coding, a store
│   └── ConflictError someone else changed it meanwhile
└── PrivacyError     a result, a quote or a key that must stay inside
"""

from collections.abc import Iterable
from difflib import get_close_matches


class ExpertiseError(ValueError):
    """Base of all errors; in JupyterLab its sentence shows, not the traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class FileError(ExpertiseError):
    """A file that cannot be read, or must not be."""


class DataError(ExpertiseError):
    """A value in a table that is impossible or ambiguous."""


class StudyError(ExpertiseError):
    """A study folder or a study.toml that does not hold together."""


class DesignError(ExpertiseError):
    """A model that these data cannot carry."""


class FormulaError(DesignError):
    """A formula that cannot be read, or that must not be run."""


class FitError(ExpertiseError):
    """An optimum that was not found."""


class CodingError(ExpertiseError):
    """A codebook, a coding or a store that does not hold together."""


class ConflictError(CodingError):
    """A memo or definition that someone else changed since it was read."""


class PrivacyError(ExpertiseError):
    """Something that must stay inside: a small cell, a quote, a key."""


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Return " (did you mean 'x'?)" for the closest allowed name, or nothing.

    >>> nearest("familie", ["patient", "famile"])
    " (did you mean 'famile'?)"
    """
    names = {option.casefold(): option for option in map(str, allowed)}
    close = get_close_matches(str(name).casefold(), list(names), n=1, cutoff=0.6)
    return f" (did you mean {names[close[0]]!r}?)" if close else ""


def listed(names: Iterable[object], most: int = 8) -> str:
    """Join names for a sentence, at most `most` of them.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    every = [str(name) for name in names]
    rest = len(every) - most
    return ", ".join(every[:most]) + (f" and {rest} more" if rest > 0 else "")
