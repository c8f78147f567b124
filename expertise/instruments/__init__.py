"""Questionnaires as data, one TOML file each, and their scoring."""

from expertise.instruments.collaboration import collaboration_form
from expertise.instruments.library import list_instruments, load_instrument
from expertise.instruments.schema import Instrument, Scale
from expertise.instruments.scoring import Scored, score

__all__ = [
    "Instrument",
    "Scale",
    "Scored",
    "collaboration_form",
    "list_instruments",
    "load_instrument",
    "score",
]
