"""`expertise new`: draft a study folder, by questions or by flags."""

import argparse
import sys
from typing import Any

from expertise.study import add_notebook, new_study

QUESTIONS = {
    "title": ("What is the study called?", "Mijn studie"),
    "perspectives": ("Whose perspectives? (separated by commas)", "patient, naaste, professional"),
    "waves": ("Which waves, in order? (name=months)", "T0=0, T1=6"),
    "data": ("Which file holds the data? (CSV, XLSX or SAV; empty for none yet)", ""),
    "language": ("Language of the report, nl or en?", "nl"),
}


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("new", help="draft a study folder")
    parser.add_argument("study", help="the folder to make, for example studies/mijn-studie")
    parser.add_argument("--title")
    parser.add_argument("--perspectives", help='for example "patient, naaste"')
    parser.add_argument("--waves", help='for example "T0=0, T1=6"')
    parser.add_argument("--data", help="a CSV, XLSX or SAV file to copy into data/")
    parser.add_argument("--drop", help='columns never to read or copy, for example "naam, bsn"')
    parser.add_argument("--language", choices=("nl", "en"))
    parser.add_argument(
        "--notebook", action="store_true", help="only add the notebook to an existing study"
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Ask what was not given when a person is there; write the folder and say what comes next."""
    if chosen.notebook:
        print(f"The notebook lies at {add_notebook(chosen.study)}")
        return 0
    answers = {name: getattr(chosen, name) for name in QUESTIONS}
    if not any(answers.values()) and sys.stdin.isatty():
        answers = {name: _ask(*question) for name, question in QUESTIONS.items()}
    given = {name: value for name, value in answers.items() if value}
    given |= {"drop": chosen.drop} if chosen.drop else {}
    for name in ("perspectives", "waves", "drop"):
        if name in given:
            given[name] = [part.strip() for part in given[name].split(",") if part.strip()]
    folder = new_study(chosen.study, **given)
    print(f"The study lies in {folder}. Read {folder / 'study.toml'}, complete it, then run:")
    print(f"  expertise check {folder}")
    return 0


def _ask(question: str, default: str) -> str:
    answer = input(f"{question} [{default}] ").strip()
    return answer or default
