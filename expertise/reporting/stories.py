"""The stories in a report: themes by who told, how readers agree, where readers stand."""

import pandas as pd

from expertise.agreement.compare import ALL, CoderComparison
from expertise.coding.codebook import Codebook
from expertise.coding.coded import CodedCorpus
from expertise.reporting.action import reader
from expertise.reporting.block import Block
from expertise.reporting.findings import Findings
from expertise.study import Study
from expertise.themes.counts import code_counts
from expertise.words import Note, interval, note, number, say


def told_block(found: Findings) -> Block:
    """Return how many people of each role told about each theme; small cells are hidden."""
    coded, study = found.coded, found.study
    if coded is None:
        absent = say("reporting.stories_absent", study.lang)
        return Block(paragraphs=(absent,) * bool(study.settings.codings), lang=study.lang)
    lang, roles = study.lang, study.settings.perspectives
    # Once or more in all one's stories: a person counts once, whatever the wave.
    about = coded.documents.assign(wave="all")
    counts = code_counts(coded.codings, about, codes=[code.key for code in coded.book.codes]).table
    texts, tellers = len(about), about["participant"].nunique()
    notes: tuple[Note, ...] = ()
    shown = counts
    if found.minimum:
        # Who did not tell is a group of people too.
        silent = counts["n_people"] - counts["n_told"]
        few = (counts[["n_told", "n_people"]].min(axis=1) < found.minimum) | (
            silent < found.minimum
        )
        shown = counts.assign(n_told=counts["n_told"].astype("Int64").mask(few))
        if few.any():
            notes = (note("study.suppressed_note", minimum=found.minimum),)
    told = say("reporting.stories_read", lang, texts=texts, people=_people(found, tellers))
    if shown["n_told"].isna().all():
        hidden = say("reporting.told_hidden", lang, minimum=found.minimum)
        return Block(paragraphs=(told, hidden), lang=lang)
    names = {code.key: code.name for code in coded.book.codes}
    wide = pd.DataFrame({say("reporting.theme", lang): list(names.values())})
    for role, rows in shown.groupby("perspective", sort=False):
        by_code = rows.set_index("code").loc[list(names)]
        wide[roles[str(role)].plural(lang)] = [
            _people(found, row.n_told, row.n_people)
            for row in by_code.itertuples()
        ]  # fmt: skip
    caption = say("reporting.told_caption", lang)
    return Block(paragraphs=(told,), tables=((caption, wide),), notes=notes, lang=lang)


def _people(found: Findings, n: object, of: int | None = None) -> str:
    lang = found.study.lang
    if pd.isna(n) or int(n) < found.minimum:  # type: ignore[call-overload]
        return say("reporting.not_shown", lang) if of else say(
            "study.suppressed", lang, minimum=found.minimum
        )  # fmt: skip
    return say("study.of", lang, n=n, total=of) if of else str(n)


def readers_block(found: Findings) -> Block:
    """Return what readers of each perspective marked, and how far they agree."""
    coded, study = found.coded, found.study
    if coded is None:
        return Block(lang=study.lang)
    compared = coded.compare()
    lang = study.lang
    talked = coded.readings.table.drop_duplicates(["document", "start"])
    told = say(
        "reporting.readers_told", lang, coders=compared.n_coders, documents=compared.n_documents,
        sentences=compared.n_units, n=len(compared.differences), talked=len(talked),
    )  # fmt: skip
    tables = (
        (say("reporting.marked_caption", lang), _marked(study, coded)),
        (say("reporting.agree_caption", lang), _agreement(study, compared)),
        (say("reporting.alpha_caption", lang), _by_code(study, coded.book, compared)),
    )
    notes = [
        note(one.key, **one.values | {"perspective": reader(study, one.values["perspective"])})
        if "perspective" in one.values else one
        for one in compared.notes
    ]  # fmt: skip
    return Block(paragraphs=(told,), tables=tables, notes=tuple(notes), lang=lang)


def _marked(study: Study, coded: CodedCorpus) -> pd.DataFrame:
    """Return passages per code, averaged over the readers of a perspective."""
    codings, lang = coded.codings, study.lang
    readers = codings.groupby("perspective", sort=False)["coder"].nunique()
    counts = codings.groupby(["code", "perspective"]).size().unstack(fill_value=0)
    names = {code.key: code.name for code in coded.book.codes}
    counts = counts.reindex(list(names), fill_value=0)
    wide = pd.DataFrame({say("reporting.theme", lang): list(names.values())})
    for role, people in readers.items():
        head = say("reporting.reader_n", lang, who=reader(study, str(role)), n=people)
        wide[head] = [number(n / people, 0, lang) for n in counts[role]]
    return wide


def _agreement(study: Study, compared: CoderComparison) -> pd.DataFrame:
    """Return agreement within and between perspectives, over all codes."""
    rows = compared.tidy()
    rows = rows[rows["component"].isin(["within", "between"]) & (rows["code"] == ALL)]
    lang, out = study.lang, []
    for (kind, group), part in rows.groupby(["component", "group"], sort=False):
        value = part.set_index("term")
        who = [reader(study, one) for one in str(group).split(" – ")]
        where = say(f"reporting.{kind}", lang, first=who[0], second=who[-1])
        out.append([where, _share(value.loc["positive"], lang), _share(value.loc["percent"], lang)])
    heads = [say(f"reporting.{key}", lang) for key in ("readers", "positive", "same")]
    return pd.DataFrame(out, columns=heads)


def _share(row: "pd.Series[float]", lang: str) -> str:
    digits = int(row["conf_high"] - row["conf_low"] < 0.02)
    share, low, high = (
        number(100 * row[key], digits, lang) + "%" for key in ("estimate", "conf_low", "conf_high")
    )  # fmt: skip
    bounds = say("study.range", lang, low=low, high=high)
    return share if pd.isna(row["conf_low"]) else f"{share} ({bounds})"


def _by_code(study: Study, book: Codebook, compared: CoderComparison) -> pd.DataFrame:
    lang, rows = study.lang, compared.part("code")
    rows = rows[rows["term"] == "alpha"]
    return pd.DataFrame(
        {
            say("reporting.theme", lang): [book[code].name for code in rows["code"]],
            say("reporting.alpha", lang): [
                interval(row.estimate, row.conf_low, row.conf_high, lang)
                for row in rows.itertuples()
            ],
        }
    )


def coders_block(found: Findings) -> Block:
    """Return who coded, from which perspective, and where they say they stand."""
    study = found.study
    lang, coders = study.lang, study.settings.coders
    if not coders:
        return Block(lang=lang)
    table = pd.DataFrame(
        {
            say("reporting.coder", lang): list(coders),
            say("reporting.reads_as", lang): [
                reader(study, one.perspective) for one in coders.values()
            ],
            say("reporting.stands", lang): [one.stands for one in coders.values()],
        }
    )
    return Block(tables=((say("reporting.coders_caption", lang), table),), lang=lang)
