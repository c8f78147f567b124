"""The tables of a study that may leave the house, with their register."""

from collections.abc import Sequence
from pathlib import Path

from expertise.privacy import Released, TablePlan, refuse_withdrawn, release_tables
from expertise.study import open_study
from expertise.study.load import persons
from expertise.study.results import write_result
from expertise.study.rules import variables

REGISTER = "private/releases.json"


def release_study(
    folder: str | Path, *, by: Sequence[str] = (), merge: bool = False, key: bytes
) -> Released:
    """Release the averages of a study per perspective and wave, and per group.

    Parameters
    ----------
    folder : path
        The study folder.
    by : sequence of str
        Columns of people to split by as well, such as team.
    merge : bool
        Put small groups of `by` together before hiding cells.
    key : bytes
        For the register of releases in ``private/``.

    Returns
    -------
    Released
        As written to ``results/released-….csv``, with the hashes of the data.

    Raises
    ------
    PrivacyError
        Someone in the data withdrew, or the difference with an earlier
        release shows a few people; nothing is written then.
    StudyError
        People have no such column.
    """
    study = open_study(folder)
    refuse_withdrawn(study.folder, study.people["participant"], key=key)
    plans, rows = [], study.outcomes.drop(columns=["value"])
    people = study.people.drop(columns=["perspective"], errors="ignore")
    rows = rows.merge(people, on="participant", how="left")
    # Someone who holds several seats counts once.
    rows["person"] = rows["participant"].map(persons(study.people))
    totals = [name for name in variables(study.settings) if name in study.settings.instruments]
    for name in totals:
        rows[name] = study.outcomes["value"].where(study.outcomes["variable"] == name).to_numpy()
        for split in ((), *((study._column(one),) for one in by)):
            plans.append(
                TablePlan(
                    name="-".join(("released", name, *map(str, split))),
                    by=("perspective", *map(str, split)), within=("wave",),
                    value=name, statistics=("mean", "sd"), merge=tuple(map(str, split)) * merge,
                )
            )  # fmt: skip
    released = release_tables(
        rows, plans, person="person", minimum=study.settings.disclosure.minimum,
        register=study.folder / REGISTER, key=key,
    )  # fmt: skip
    for name, table in released.tables.items():
        write_result(study.folder, name, table, study.files["file"].unique())
    return released
