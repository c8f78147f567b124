"""Everything a report says, computed once: for the scientific report and the plain one."""

from dataclasses import dataclass

import pandas as pd

from expertise.coding.coded import CodedCorpus, read_coded
from expertise.cycles import Cycles, read_cycles
from expertise.mixed.fit import MixedFit
from expertise.privacy import suppress_small
from expertise.reporting.audience import Audience
from expertise.reporting.joint import JointDisplay
from expertise.reporting.joint_file import read_joint
from expertise.study import Levels, Study
from expertise.study.schema import Model
from expertise.words import Note, note


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Findings:
    """What a study found, fit for its audience.

    Attributes
    ----------
    study : Study
    audience : {"released", "internal"}
    by : str or None
        Column of people by which levels are split.
    model, fit : Model, MixedFit, or None
        The primary model as named, and fitted.
    levels : Levels
        Average per perspective and wave; small cells left out when released.
    flow, presence : DataFrame
        Counts; small ones are missing when released.
    hidden : tuple of Note
        Said beside counts when some are hidden.
    cycles : Cycles or None
    coded : CodedCorpus or None
    joint : JointDisplay or None
        Checked for the public, or for the house when internal.
    """

    study: Study
    audience: Audience
    by: str | None
    model: Model | None
    fit: MixedFit | None
    levels: Levels
    flow: pd.DataFrame
    presence: pd.DataFrame
    hidden: tuple[Note, ...]
    cycles: Cycles | None
    coded: CodedCorpus | None
    joint: JointDisplay | None

    @property
    def minimum(self) -> int:
        """The smallest number of people that may be shown; 0 inside the house."""
        return self.study.settings.disclosure.minimum if self.audience == "released" else 0


def find(study: Study, *, audience: Audience, by: str | None = None) -> Findings:
    """Compute what a study's report says.

    Raises
    ------
    PrivacyError
        The joint display quotes someone who did not agree to these readers.
    """
    it = study.settings
    name = next((key for key, one in it.models.items() if one.primary), None)
    model = study.model(name) if name else None
    levels = study.levels(model.outcome if model else None, by=by)
    flow, presence = (_eligible(one) for one in (study.flow(by=by), study.presence(by=by)))
    hidden: tuple[Note, ...] = ()
    if audience == "released":
        minimum = it.disclosure.minimum
        levels = levels.of_at_least(minimum)
        safe = [suppress_small(one, minimum=minimum) for one in (flow, presence)]
        flow, presence = (one.table for one in safe)
        if any(one.suppressed for one in safe):
            hidden = (note("study.suppressed_note", minimum=minimum),)
    coded = _coded(study)
    return Findings(
        study=study, audience=audience, by=by, model=model,
        fit=study.fit(name) if name else None,
        levels=levels, flow=flow, presence=presence, hidden=hidden,
        cycles=read_cycles(study.folder / it.cycles, roles=tuple(it.perspectives))
        if it.cycles else None,
        coded=coded,
        joint=read_joint(study, coded.corpus, circle="public" if audience == "released" else
        "inside") if coded and it.joint else None,
    )  # fmt: skip


def _eligible(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["eligible"] > 0].reset_index(drop=True)


def _coded(study: Study) -> CodedCorpus | None:
    it = study.settings
    sheet = study.folder / it.codings
    corpus = study.folder.parent.parent / "corpora" / it.corpus
    # A bundle travels without narratives: its report is then of the numbers alone.
    if not (it.codings and sheet.is_file() and corpus.is_dir()):
        return None
    return read_coded(sheet, codebook=study.folder / it.codebook, corpus=corpus)
