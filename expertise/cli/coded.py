"""Where a command finds codings, the codebook and the texts of a study."""

import argparse
from pathlib import Path

from expertise.coding.coded import CodedCorpus, read_coded
from expertise.errors import CodingError, StudyError
from expertise.files.settings import load_toml


def add_places(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say where codings, codebook and texts are."""
    parser.add_argument(
        "codings",
        help="a study folder; or a store (file or postgresql://…) or sheet (.csv) of codings",
    )
    parser.add_argument("--codebook", help="default: codebook.toml of the study")
    parser.add_argument("--corpus", help="folder of the texts; default: the study's corpus")


def find_coded(chosen: argparse.Namespace) -> CodedCorpus:
    """Open the codings that were asked for, beside their texts.

    A study folder has them in `private/codings.db`, or else in `codings.csv`. A store or sheet
    in a study folder finds the codebook and corpus of that study. The corpus is the one that
    study.toml names, or else the one with the name of the study.

    Raises
    ------
    StudyError
        When nothing is there, or there is no study around the codings and no place was given.
    CodingError
        When a store's round together was not opened yet.
    """
    where = chosen.codings
    if "://" not in where and not Path(where).exists():
        raise StudyError(f"{where} does not exist; name a study folder, a store or a sheet (.csv)")
    study = _study(where)
    if study is None and not (chosen.codebook and chosen.corpus):
        raise StudyError(
            f"{where} lies in no study folder with a codebook.toml; name --codebook and --corpus"
        )
    if study is not None and Path(where).is_dir():
        store = study / "private" / "codings.db"
        where = store if store.is_file() else study / "codings.csv"
    coded = read_coded(
        where,
        codebook=chosen.codebook or _in(study, "codebook.toml"),
        corpus=chosen.corpus or _corpus(_in(study)),
    )
    if not str(where).endswith(".csv") and "revealed" not in set(coded.acts["kind"]):
        raise CodingError(
            "people still read alone: agreement and export come after the round together was "
            "opened; the one who leads the study opens it on their page of `expertise code`"
        )
    return coded


def _in(study: Path | None, *names: str) -> Path:
    assert study is not None
    return study.joinpath(*names)


def _study(where: str) -> Path | None:
    """Return the study folder that a path is, or lies in (private/ included)."""
    if "://" in where:
        return None
    path = Path(where).resolve()
    near = (path, *path.parents[:2])
    return next((folder for folder in near if (folder / "codebook.toml").is_file()), None)


def _corpus(study: Path) -> Path:
    settings = load_toml(study / "study.toml") if (study / "study.toml").is_file() else {}
    return study.parents[1] / "corpora" / str(settings.get("corpus") or study.name)
