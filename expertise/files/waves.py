"""Waves in the order of their dates."""

from collections.abc import Sequence

import pandas as pd

from expertise.files.grid import some
from expertise.files.tables import TableFile
from expertise.words import Note, note


def wave_order(
    file: TableFile, *, participant: str, wave: str, date: str, order: Sequence[object] = ()
) -> tuple[Note, ...]:
    """Return a note for each participant whose later wave has an earlier date.

    Parameters
    ----------
    file
        A long table.
    participant, wave, date
        Names of its columns.
    order
        The waves from first to last; sorted when absent. Rows of other waves
        are left aside.

    Returns
    -------
    tuple of Note
        Each names the participant, the two waves and their rows in the file.
    """
    table = file.table[[participant, wave, date]].dropna()
    waves = list(order) or sorted(table[wave].unique())
    table = table[table[wave].isin(waves)]
    table = table.assign(rank=table[wave].map(waves.index), row=file.where.rows[table.index])
    table = table.sort_values([participant, "rank"], kind="stable")
    before = table.groupby(participant, sort=False).shift()
    late = pd.to_datetime(before[date]) > table[date]
    return tuple(
        note(
            "files.wave_order",
            file=file.source.file,
            participant=table.at[index, participant],
            earlier=before.at[index, wave],
            later=table.at[index, wave],
            rows=some([int(before.at[index, "row"]), int(table.at[index, "row"])]),
        )
        for index in table.index[late]
    )
