"""`expertise withdraw`: take everything of a participant or a coder out of a study."""

import argparse
from typing import Any

from expertise.cli.secret import add_key, key_of
from expertise.privacy import show_text, withdraw


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("withdraw", help="take everything of a person out, for good")
    parser.add_argument("study", help="the study folder, for example studies/mijn-studie")
    parser.add_argument("--participant", default="", help="id of a participant")
    parser.add_argument("--coder", default="", help="or id of a coder")
    parser.add_argument(
        "--show", metavar="TEXT", help="show a text again that a withdrawal hid: you read it"
    )
    add_key(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Withdraw, and list what is stale, what must be read and what was not reached."""
    if chosen.show:
        show_text(chosen.study, chosen.show)
        print(f"{chosen.show} is shown again")
        return 0
    found = withdraw(
        chosen.study, participant=chosen.participant, coder=chosen.coder, key=key_of(chosen)
    )
    print(found)
    return 1 if found.left else 0
