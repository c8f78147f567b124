"""The instruments that come with the library, and those a study brings itself."""

from functools import cache
from pathlib import Path

import pandas as pd

from expertise.errors import DataError, listed, nearest
from expertise.instruments.schema import Instrument, read_instrument

FOLDER = Path(__file__).parent


@cache
def _shipped(name: str) -> Instrument:
    return read_instrument(FOLDER / f"{name}.toml")


def _names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_instrument(name: str | Path) -> Instrument:
    """Return an instrument by its name, or from a study's own file.

    Parameters
    ----------
    name : str or Path
        A name from `list_instruments()`, or the path of a `.toml` file.

    Returns
    -------
    Instrument
        Frozen; no item texts, except of the library's own collaboration form.

    Raises
    ------
    DataError
        The name is unknown; the nearest one is offered.
    FileError
        The file is missing or does not hold to the schema.

    Examples
    --------
    >>> load_instrument("phq9").title
    'Patient Health Questionnaire-9'
    """
    if isinstance(name, Path) or str(name).endswith(".toml"):
        return read_instrument(Path(name))
    if name not in _names():
        raise DataError(
            f"unknown instrument {name!r}{nearest(name, _names())}; "
            f"allowed are {listed(_names(), 40)}, or the path of a .toml file"
        )
    return _shipped(name)


def list_instruments(lang: str = "en") -> pd.DataFrame:
    """Return the shipped instruments: a row each, with who answers and what may be shown.

    Examples
    --------
    >>> list(list_instruments().columns)
    ['instrument', 'title', 'measures', 'items', 'answered_by', 'licence', 'may_show_items']
    """
    rows = []
    for instrument in map(_shipped, _names()):
        rows.append(
            {
                "instrument": instrument.name,
                "title": instrument.title,
                "measures": instrument.measures[lang],
                "items": instrument.count,
                "answered_by": ", ".join(instrument.answered_by),
                "licence": instrument.licence,
                "may_show_items": instrument.may_show_items,
            }
        )
    return pd.DataFrame(rows)
