"""Action-research cycles: plan, act, observe, reflect, and who was there."""

from expertise.cycles.phases import add_phases, phase_table
from expertise.cycles.reading import Cycle, Cycles, MemberCheck, read_cycles

__all__ = ["Cycle", "Cycles", "MemberCheck", "add_phases", "phase_table", "read_cycles"]
