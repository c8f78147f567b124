"""A corpus that people coded: its texts, the codebook, and what stands, side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import pandas as pd

from expertise.agreement.coefficient import IntervalOptions
from expertise.agreement.compare import CoderComparison, compare_coders
from expertise.coding.acts import acts_table
from expertise.coding.assignment import Fragment
from expertise.coding.codebook import Codebook, read_codebook
from expertise.coding.folding import Ledger, ledger
from expertise.coding.fragments import fragment_text, in_whole_texts, placed
from expertise.coding.opening import open_store
from expertise.coding.sheet import read_sheet
from expertise.coding.together import Readings, kept_readings
from expertise.errors import CodingError, listed, nearest
from expertise.narratives.corpus import Corpus, read_corpus
from expertise.narratives.sentences import sentence_table


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CodedCorpus:
    """What coders did with a corpus; shows counts, never text.

    Attributes
    ----------
    corpus : Corpus
    book : Codebook
    found : Ledger
        What stands after all acts.
    acts : DataFrame
        The acts themselves.
    wordings : mapping
        Id of each reading that was made together → its words.
    """

    corpus: Corpus
    book: Codebook
    found: Ledger
    acts: pd.DataFrame
    wordings: Mapping[str, str]

    def __repr__(self) -> str:
        return f"{self.corpus!r}\n{self.found!r}"

    def _repr_html_(self) -> str:
        return f"{self.corpus._repr_html_()}{self.found._repr_html_()}"

    @property
    def codings(self) -> pd.DataFrame:
        """Codings that count in the round alone, as `Ledger.coded` gives them."""
        return self.found.coded("alone")

    @property
    def documents(self) -> pd.DataFrame:
        """A row per text that someone finished alone: who told it, when; in order of reading."""
        order = self.found.finished("alone")["document"].unique()
        table = self.corpus.table.set_index("document")
        about = table.loc[[placed(one, table.index)[0] for one in order]]
        return about.set_axis(pd.Index(order, name="document")).reset_index()

    @property
    def texts(self) -> dict[str, str]:
        """Document → text, or the fragment that was read, of what someone finished alone."""
        whole = self.whole_texts
        return {one: fragment_text(one, whole) for one in self.documents["document"]}

    @property
    def whole_texts(self) -> dict[str, str]:
        """Text id → the whole text, where someone finished it or a fragment of it alone."""
        ids = self.corpus.table["document"].tolist()
        read = dict.fromkeys(placed(one, ids)[0] for one in self.documents["document"])
        return {one: self.corpus[one].text for one in read}

    @property
    def whole_codings(self) -> pd.DataFrame:
        """`codings` at their place in the whole texts; `fragment` says what was read."""
        return in_whole_texts(self.codings, self.whole_texts)

    @property
    def sentences(self) -> pd.DataFrame:
        """Where the sentences of these texts begin and end."""
        return sentence_table(self.texts)

    @property
    def readings(self) -> Readings:
        """The readings that the group kept, a minority's as well."""
        return kept_readings(self.found, self.wordings)

    def compare(self, **options: Unpack[IntervalOptions]) -> CoderComparison:
        """Compare the coders of the round alone, sentence by sentence; see `compare_coders`."""
        alone = self.acts[self.acts["round"] == "alone"]
        return compare_coders(
            self.codings,
            units=self.sentences,
            finished=self.found.finished("alone")[["document", "coder"]],
            perspectives=dict(zip(alone["coder"], alone["perspective"], strict=True)),
            **options,
        )


def read_coded(
    codings: str | Path, *, codebook: str | Path, corpus: str | Path, key: bytes | None = None
) -> CodedCorpus:
    """Read what coders did with a corpus.

    Parameters
    ----------
    codings : str or Path
        A sheet of acts (.csv, see `read_sheet`), or the address of a store that is there.
    codebook, corpus : str or Path
        `codebook.toml`, and the folder of the corpus.
    key : bytes, optional
        The store's key, when it has one of its own.

    Returns
    -------
    CodedCorpus
        Without what was done with texts that are withheld: their teller took
        consent back, or they are hidden.

    Raises
    ------
    CodingError
        When there are no codings at that place, or they name a text that is not in the
        corpus, or that changed since it was coded.

    Examples
    --------
    >>> read_coded("nowhere.db", codebook="codebook.toml", corpus="corpus")
    Traceback (most recent call last):
    expertise.errors.CodingError: no codings at nowhere.db; name a sheet (.csv) or a store
    """
    where = str(codings)
    if "://" not in where and not Path(where).is_file():
        raise CodingError(f"no codings at {where}; name a sheet (.csv) or a store")
    book, told = read_codebook(codebook), read_corpus(corpus)
    texts = {one.id: one.text for one in told}
    if where.endswith(".csv"):
        sheet = read_sheet(where, texts, book, without=told.withheld)
        acts = acts_table(sheet.acts)
        wordings = {uuid: each.body for uuid, each in sheet.records.items()
                    if each.kind == "reading"}  # fmt: skip
    else:
        with open_store(where, key=key) as store:
            acts = store.table()
            acts = acts[~acts["document"].isin(told.withheld)]
            wordings = {uuid: each.body for uuid, each in store.records("reading").items()}
    found = ledger(acts)
    _check_texts(found, texts)
    return CodedCorpus(corpus=told, book=book, found=found, acts=acts, wordings=wordings)


def _check_texts(found: Ledger, texts: Mapping[str, str]) -> None:
    """Refuse codings of a text that is not here, or is no longer what was read."""
    read = found.finished("alone")["document"].unique()
    lacking = [document for document in read if placed(document, texts)[0] not in texts]
    if lacking:
        raise CodingError(
            f"text {lacking[0]!r} was coded and is not in the corpus"
            f"{nearest(lacking[0], texts)}; it has {listed(texts)}"
        )
    coded = found.coded("alone")[["document", "sha256"]].drop_duplicates()
    for document, sha256 in coded.itertuples(index=False):
        if Fragment(id=document, text=fragment_text(document, texts)).sha256 != sha256:
            raise CodingError(
                f"text {document!r} is not the text that was coded; positions would be wrong: "
                "put the coded version back"
            )
