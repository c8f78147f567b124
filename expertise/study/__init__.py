"""Studies: a folder with a study.toml and data, opened, checked, drafted, simulated."""

from expertise.study.check import StudyCheck, check_study
from expertise.study.draft import add_notebook, new_study
from expertise.study.levels import Levels, estimate_levels
from expertise.study.opening import open_study
from expertise.study.simulate import Simulation, Truth, simulate_study
from expertise.study.simulated import write_simulated
from expertise.study.study import Study

__all__ = [
    "Levels", "Simulation", "Study", "StudyCheck", "Truth", "add_notebook", "check_study",
    "estimate_levels", "new_study", "open_study", "simulate_study", "write_simulated",
]  # fmt: skip
