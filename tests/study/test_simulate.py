"""A simulated study is whole, the same for the same seed, and gives its truth back."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from expertise import check_study, fit_mixed, open_study
from expertise.errors import DataError, DesignError, StudyError
from expertise.study import Truth, simulate_study, write_simulated

STUDY = "studies/drie-kunnen-meer-dan-een"
CORPUS = "corpora/drie-kunnen-meer-dan-een/people.csv"
FORMULA = (
    "collaboration ~ perspective * active + months + (1 | team) + (1 | professional)"
    " + (1 | triad) + (1 | participant)"
)


@pytest.fixture(scope="module")
def telling():
    return pd.read_csv(CORPUS, dtype=str, keep_default_na=False).astype({"age": int})


@pytest.fixture(scope="module")
def made(telling):
    return simulate_study(telling)


def recover(made):
    data = made.answers.merge(made.people, on="participant")
    data["months"] = data["wave"].str[1:].astype(float)
    roles = ["patient", "naaste", "professional"]
    data["perspective"] = pd.Categorical(data["perspective"], categories=roles)
    table = fit_mixed(FORMULA, data).tidy()
    fixed = table[table["component"] == "fixed"].set_index("term")
    truth = pd.Series(made.truth.coefficients())[fixed.index]
    inside = (fixed["conf_low"] < truth) & (truth < fixed["conf_high"])
    return table, (fixed["estimate"] - truth) / fixed["std_error"], inside


def test_the_study_in_the_repository_is_what_the_command_writes(made, tmp_path):
    name = "drie-kunnen-meer-dan-een"
    folder = write_simulated(made, tmp_path / name, corpus=name)
    (folder / "README.md").unlink()  # people write on in that one
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder)
        assert path.read_bytes() == (Path(STUDY) / name).read_bytes(), name


def test_it_opens_and_says_that_it_is_simulated():
    assert check_study(STUDY).problems == ()
    study = open_study(STUDY)
    assert "gesimuleerd" in study.settings.title
    assert "gesimuleerd" in study.levels().plot().story.subtitle
    assert "verzonnen" in study.settings.unknown[0]
    assert study.people["triad"].nunique() >= 120
    assert study.people["institution"].nunique() == 4


def test_who_tells_keeps_everything(made, telling):
    here = made.people.set_index("participant").loc[telling["participant"]].reset_index()
    same = ["triad", "perspective", "team", "institution", "age", "relation", "profession",
            "use", "coded_by", "quote_to", "own_triad_may_read"]  # fmt: skip
    pd.testing.assert_frame_equal(here[same], telling[same], check_dtype=False)


def test_the_design_is_that_of_an_action_research(made):
    people = made.people
    sizes = people.groupby("triad")["perspective"].nunique()
    assert set(sizes) == {1, 2, 3} or set(sizes) == {2, 3}
    caseload = people.groupby("professional")["triad"].nunique()
    assert caseload.max() >= 3
    starts = people.groupby("team")["start"].unique()
    assert all(len(months) == 1 for months in starts)
    # No institution begins first as a whole.
    by_place = people.drop_duplicates("team").groupby("institution")["start"].nunique()
    assert (by_place > 1).all()


def test_who_rated_low_leaves_sooner(made):
    wide = made.answers.pivot(index="participant", columns="wave", values="collaboration")
    left = wide["m24"].isna() & wide["m18"].isna()
    assert wide.loc[left, "m0"].mean() < wide.loc[~left, "m0"].mean() - 2


def test_the_truth_comes_back(made):
    table, away, _ = recover(made)
    assert (away.abs() < 3).all(), away
    noise = table[(table["component"] == "variance") & (table["group"] == "residual")]
    pooled = np.mean([value**2 for value in made.truth.noise.values()])
    assert noise["estimate"].item() == pytest.approx(pooled, rel=0.15)


def test_another_truth_comes_back_too(telling):
    none = Truth(gain=dict.fromkeys(["patient", "naaste", "professional"], 0.0), trend=0.0)
    _, away, _ = recover(simulate_study(telling, truth=none, seed=5))
    assert (away.abs() < 3.5).all(), away


@pytest.mark.proof
def test_intervals_hold_the_truth(telling):
    found = [recover(simulate_study(telling, seed=seed))[1:] for seed in range(100)]
    covered = pd.DataFrame([inside for _, inside in found]).mean()
    assert covered.between(0.88, 1.0).all(), covered
    away = pd.DataFrame([away for away, _ in found]).mean()
    assert (away.abs() < 0.35).all(), away


def test_wellbeing_is_the_scored_items(made):
    items = made.items.filter(like="item_")
    np.testing.assert_array_equal(made.items["wellbeing"], 4 * items.sum(axis=1, skipna=False))
    roles = made.items["participant"].str.split("-").str[1]
    assert set(roles) == {"patient", "naaste"}


def test_seeds(telling):
    one, again, other = (simulate_study(telling, triads=24, seed=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one.answers, again.answers)
    assert not one.answers["collaboration"].equals(other.answers["collaboration"])


def test_a_professional_has_one_profession(made):
    told = made.people["triad"].isin([f"T{k:02d}" for k in range(1, 13)])
    others = made.people[(made.people["perspective"] == "professional") & ~told]
    assert (others.groupby("professional")["profession"].nunique() == 1).all()


def test_refusals(telling, tmp_path):
    with pytest.raises(DesignError, match="11 triads is too few"):
        simulate_study(triads=11)
    with pytest.raises(DataError, match="no column 'team'; add it"):
        simulate_study(telling.drop(columns="team"))
    made = simulate_study(triads=12)
    write_simulated(made, tmp_path / "x")
    with pytest.raises(StudyError, match="x/ holds a study already"):
        write_simulated(made, tmp_path / "x")
