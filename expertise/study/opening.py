"""Opens a study folder: every check comes before any computation."""

from pathlib import Path

from expertise.errors import ExpertiseError, StudyError
from expertise.files.grid import Problem
from expertise.files.settings import leaves, load_toml, read_settings
from expertise.study.load import Loaded, load_tables
from expertise.study.rules import broken_rules, broken_schema
from expertise.study.schema import StudyFile
from expertise.study.study import Study

FILE = "study.toml"


def open_study(folder: str | Path) -> Study:
    """Open a study folder.

    Parameters
    ----------
    folder : path
        A folder with a study.toml.

    Returns
    -------
    Study
        Its settings and tidy tables.

    Raises
    ------
    StudyError
        The first problem, with how many more there are; `check_study` lists
        them all. Nothing has been computed then.

    Examples
    --------
    >>> study = open_study("studies/vuurwerkramp")
    >>> study.flow()["measured"].tolist()
    [37, 48]
    """
    path, settings, loaded, problems = examine(folder)
    if problems or settings is None or loaded is None:
        more = len(problems) - 1
        rest = f" (and {more} more; see all with: expertise check {folder})" if more else ""
        raise StudyError(f"{problems[0].message}{rest}")
    return Study(
        folder=path,
        settings=settings,
        people=loaded.people,
        outcomes=loaded.outcomes,
        files=loaded.files,
        notes=loaded.notes,
    )


def examine(
    folder: str | Path,
) -> tuple[Path, StudyFile | None, Loaded | None, list[Problem]]:
    """Read a study as far as it goes and gather every problem."""
    path = Path(folder).resolve()
    settings, sentences = read_study_file(path)
    problems = [Problem(file=FILE, message=f"{FILE}: {one}") for one in sentences]
    # A table is only read when what study.toml says of it makes sense.
    if settings is None or problems:
        return path, settings, None, problems
    loaded = load_tables(path, settings)
    return path, settings, loaded, list(loaded.problems)


def read_study_file(folder: Path) -> tuple[StudyFile | None, list[str]]:
    """Read study.toml; return it, or None, with a sentence a fault."""
    if not folder.is_dir():
        raise StudyError(
            f"there is no folder {folder.name!r} in {folder.parent}; "
            f"make a study with: expertise new {folder.name}"
        )
    if not (folder / FILE).is_file():
        raise StudyError(
            f"{folder.name}/ has no {FILE}; make a study with: expertise new {folder.name}"
        )
    try:
        tree = load_toml(folder / FILE)
    except ExpertiseError as fault:
        return None, [str(fault).removeprefix(f"{FILE} ")]
    sentences = list(broken_schema(tree))
    if any(one.startswith("schema:") for one in sentences):
        return None, sentences
    settings, faults = read_settings(StudyFile, tree)
    sentences += faults
    if settings is not None:
        sentences += broken_rules(settings, folder)
    return settings, sentences


def unwritten(folder: Path) -> list[str]:
    """Return the keys of study.toml that a draft left for a person to write ("…")."""
    try:
        tree = load_toml(folder / FILE)
    except ExpertiseError:
        return []
    return [where for where, value in leaves(tree) if value == "…"]
