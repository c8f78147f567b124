"""`expertise agree`: where coders differ, and how much they agree."""

import argparse
from typing import Any

import pandas as pd

from expertise.agreement.compare import ALL, CoderComparison
from expertise.cli.coded import add_places, find_coded
from expertise.coding.coded import CodedCorpus
from expertise.exchange.formats import write_codings
from expertise.result import shown

TABLES = {
    "Between and within perspectives": ("within", "between"),
    "Per code": ("code",),
    "Per pair of coders": ("pair",),
}


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "agree", help="where coders differ, and how much they agree, in the round alone"
    )
    add_places(parser)
    parser.add_argument(
        "--differences",
        metavar="FILE",
        help="write every passage that differs (.csv, .xlsx, .jsonl)",
    )
    parser.add_argument(
        "--passages", action="store_true", help="with the words of the narratives in that file"
    )
    parser.add_argument(
        "--coefficients", metavar="FILE",
        help="write every coefficient, also per code within and between (.csv, .xlsx, .jsonl)",
    )  # fmt: skip
    parser.add_argument("--conf-level", type=float, default=0.95)
    parser.add_argument("--seed", type=int, default=1)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Print the differences per code first, then the coefficients; never words of a narrative."""
    coded = find_coded(chosen)
    compared = coded.compare(conf_level=chosen.conf_level, seed=chosen.seed)
    print(compared.heading())
    counts = compared.differences.groupby(["code", "perspectives_marked"]).size()
    print(f"\nPassages that differ, by who marked them\n{_listed(counts)}")
    for title, components in TABLES.items():
        rows = compared.coefficients[compared.coefficients["component"].isin(components)]
        rows = rows[(rows["code"] == ALL) | (rows["component"] == "code")]
        print(f"\n{title}\n{shown(rows.dropna(axis=1, how='all')).to_string(index=False)}")
    for note in compared.notes:
        print(f"- {note}")
    if chosen.coefficients:
        print(f"Written: {write_codings(compared.tidy(), chosen.coefficients)}")
    if chosen.differences:
        path = write_codings(differing(coded, compared, passages=chosen.passages),
                             chosen.differences)  # fmt: skip
        print(f"Written: {path}")
    return 0


def differing(
    coded: CodedCorpus, compared: CoderComparison, *, passages: bool = False
) -> pd.DataFrame:
    """Return the passages that differ as a flat table, with their words only when asked for."""
    table = compared.differences.copy()
    for name in ("marked_by", "not_marked_by", "perspectives_marked", "perspectives_not"):
        table[name] = table[name].map(", ".join)
    if passages:
        texts = coded.texts
        spans = zip(table["document"], table["start"], table["end"], strict=True)
        table["text"] = [texts[document][start:end] for document, start, end in spans]
    return table


def _listed(counts: "pd.Series[int]") -> str:
    table = counts.rename("n").reset_index().sort_values("n", ascending=False, kind="stable")
    table["perspectives_marked"] = table["perspectives_marked"].map(", ".join)
    return str(table.to_string(index=False))
