"""The results of a study as named numbers, and how close another run must come."""

from pathlib import Path

import pandas as pd

from expertise.errors import StudyError
from expertise.privacy import suppress_small
from expertise.privacy.suppress import COUNTS
from expertise.study import Study, open_study
from expertise.study.results import FOLDER, write_result

# Another machine's BLAS moves an optimum; counts are exact.
MODELS = 1e-6
EXPECTED = "expected"
COLUMNS = ["result", "value", "tolerance"]


def expected_results(study: Study) -> pd.DataFrame:
    """Compute every number of a study's counts and models.

    Parameters
    ----------
    study : Study
        An opened study.

    Returns
    -------
    DataFrame
        Columns `result value tolerance` (relative; 0 for counts). Small cells
        are left out, as in a released report.
    """
    minimum = study.settings.disclosure.minimum
    rows = []
    for name, table in (("flow", study.flow()), ("presence", study.presence())):
        safe = suppress_small(table, minimum=minimum).table
        counts = [column for column in COUNTS if column in safe]
        keys = [column for column in safe if column not in counts and column != "eligible"]
        for row in safe.to_dict("records"):
            where = " ".join(str(row[key]) for key in keys)
            rows += [
                (f"{name}: {where} {count}", float(row[count]), 0.0)
                for count in counts
                if not pd.isna(row[count])
            ]
    for name in study.settings.models:
        for row in study.fit(name).tidy().fillna("").to_dict("records"):
            where = " ".join(row[key] for key in ("component", "term", "group") if row.get(key))
            rows += [
                (f"model {name}: {where} {value}", float(row[value]), MODELS)
                for value in ("estimate", "std_error")
                if row[value] != ""
            ]
    if study.settings.models:
        levels = study.levels().of_at_least(minimum)
        rows += [
            (f"average: {row['perspective']} {row['wave']}", float(row["estimate"]), MODELS)
            for row in levels.tidy().to_dict("records")
        ]
    return pd.DataFrame(rows, columns=COLUMNS)


def write_expected(folder: str | Path) -> Path:
    """Write the expected results of a study to ``results/expected.csv``, with their inputs' hashes.

    Returns
    -------
    Path
    """
    study = open_study(folder)
    inputs = ["study.toml", *study.files["file"]]
    return write_result(study.folder, EXPECTED, expected_results(study), inputs)


def read_expected(folder: Path) -> pd.DataFrame:
    """Read what `write_expected` wrote.

    Raises
    ------
    StudyError
        The study has no expected results.
    """
    path = folder / FOLDER / f"{EXPECTED}.csv"
    if not path.is_file():
        raise StudyError(
            f"{folder.name}/ has no {FOLDER}/{EXPECTED}.csv; make it with: "
            f"expertise bundle {folder.name} --data travel"
        )
    return pd.read_csv(path, float_precision="round_trip")


def compare_results(expected: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Say for each expected result: same, within tolerance, or differs.

    Returns
    -------
    DataFrame
        Columns `result expected found state`. "same" allows 1e-12 relative,
        less than what is ever printed.

    Examples
    --------
    >>> one = pd.DataFrame([("a", 1.0, 1e-6), ("b", 2.0, 0.0)], columns=COLUMNS)
    >>> other = one.assign(value=[1.0 + 1e-9, 3.0])
    >>> compare_results(one, other)["state"].tolist()
    ['within tolerance', 'differs']
    """
    values = found.drop_duplicates("result").set_index("result")["value"]
    got = expected["result"].map(values)
    size = expected["value"].abs().clip(lower=1e-12)
    apart = (got - expected["value"]).abs() / size
    state = pd.Series("differs", index=expected.index)
    state[apart <= expected["tolerance"]] = "within tolerance"
    state[apart <= 1e-12] = "same"
    return pd.DataFrame(
        {"result": expected["result"], "expected": expected["value"], "found": got, "state": state}
    )
