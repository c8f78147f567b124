"""Studies: a folder with a study.toml and data, opened, checked, drafted."""

from expertise.study.check import StudyCheck, check_study
from expertise.study.draft import add_notebook, new_study
from expertise.study.levels import Levels, estimate_levels
from expertise.study.opening import open_study
from expertise.study.study import Study

__all__ = [
    "Levels", "Study", "StudyCheck", "add_notebook", "check_study", "estimate_levels",
    "new_study", "open_study",
]  # fmt: skip
