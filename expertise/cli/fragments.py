"""`expertise fragments`: selected passages, divided over the people who code."""

import argparse
from typing import Any

from expertise.cocoding.circle import open_circle


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "fragments",
        help="selected passages, divided over the people who code",
        description="Shows who would read what; nothing is stored without --keep.",
    )
    parser.add_argument("study", help="the study folder, for example studies/vuurwerkramp")
    parser.add_argument("--readers", type=int, default=2, help="people who read each (default 2)")
    parser.add_argument("--words", type=int, default=150, help="about how long (default 150)")
    parser.add_argument("--whole", action="store_true", help="whole texts instead of fragments")
    parser.add_argument("--n", type=int, help="how many, spread over perspectives; default all")
    parser.add_argument(
        "--of", nargs="+", default=[], metavar="TEXT", help="from these texts, as T01 or T01#2-4"
    )
    parser.add_argument("--find", default="", help="only with these words, as 'hoop*'")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="store it: this is what people get")
    parser.add_argument("--store", help="postgresql://…; default SQLite in the study's private/")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Show the plan as tables, a row per person and per fragment, and store it when asked."""
    circle = open_circle(chosen.study, chosen.store)
    try:
        plan = circle.plan(
            readers=chosen.readers, words=None if chosen.whole else chosen.words, n=chosen.n,
            of=chosen.of, find=chosen.find, seed=chosen.seed,
        )  # fmt: skip
        names = {key: one.name for key, one in circle.members.items()}
        print(plan.heading())
        print(
            plan.tidy().assign(coder=lambda table: table["coder"].map(names)).to_string(index=False)
        )
        print(plan.augment().to_string(index=False))
        for note in plan.notes:
            print(f"- {note}")
        if chosen.keep:
            circle.keep(plan, by=circle.facilitator().coder.id)
        print("Stored." if chosen.keep else "Nothing is stored yet; add --keep when it is right.")
    finally:
        circle.store.close()
    return 0
