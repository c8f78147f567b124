"""`expertise simulate`: invent a study of triads whose truth is known."""

import argparse
from pathlib import Path
from typing import Any

from expertise.files.tables import read_table
from expertise.study import simulate_study, write_simulated


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("simulate", help="write a study with invented data")
    parser.add_argument("study", help="the folder to make, for example studies/proef")
    parser.add_argument("--triads", type=int, default=144, help="how many triads (144)")
    parser.add_argument("--seed", type=int, default=2020, help="start of everything random (2020)")
    parser.add_argument(
        "--corpus", help="folder of a corpus whose people keep their ids, teams and consent"
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Write the study and say that nobody lived it."""
    telling, corpus = None, Path(chosen.corpus or "")
    if chosen.corpus:
        telling = read_table(corpus / "people.csv", ids=("participant",)).table
    made = simulate_study(telling, triads=chosen.triads, seed=chosen.seed)
    folder = write_simulated(made, chosen.study, corpus=corpus.name)
    print(f"{made.notes[0]}\nThe study lies in {folder}; what was put in stands in truth.csv.")
    return 0
