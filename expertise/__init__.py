"""What do patient, naaste and professional know together, in numbers and in stories?

Public names load when first used, so that ``import expertise`` stays light.
"""

from importlib import import_module

__version__ = "0.1.0"

_ROOM = {
    "ExpertiseError": "errors",
    "MixedFit": "mixed.fit",
    "Study": "study",
    "StudyCheck": "study",
    "StudyReport": "reporting",
    "build_report": "reporting",
    "check_study": "study",
    "fit_mixed": "mixed.fit",
    "new_study": "study",
    "open_study": "study",
    "read_table": "files.tables",
    "study_report": "reporting",
}

__all__ = ["__version__", *sorted(_ROOM)]


def __getattr__(name: str) -> object:
    """Load a public name from its room at first use."""
    if name not in _ROOM:
        raise AttributeError(f"module 'expertise' has no attribute {name!r}")
    value = getattr(import_module(f"expertise.{_ROOM[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Offer the public names to tab completion."""
    return list(__all__)
