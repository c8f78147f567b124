"""Codes beside each other: by hand, within bounds, and as a picture."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import CodingError, ExpertiseError
from expertise.figures import png
from expertise.themes.beside import c_coefficient, co_occurrence

COLUMNS = ["document", "code", "start", "end"]


def study(documents=12, per=40, seed=1, together=0.5):
    rng = np.random.default_rng(seed)
    rows = []
    for document in range(documents):
        for at in range(per):
            here = (f"d{document:02d}", 20 * at + 2, 20 * at + 18)
            told = rng.random() < 0.2
            for code, chance in (("hoop", told), ("werk", told * together + 0.03), ("rust", 0.1)):
                if rng.random() < chance:
                    rows.append((here[0], code, *here[1:]))
    segments = pd.DataFrame(
        [(f"d{d:02d}", 20 * s, 20 * s + 20) for d in range(documents) for s in range(per)],
        columns=["document", "start", "end"],
    )
    return pd.DataFrame(rows, columns=COLUMNS), segments


def test_the_manual():
    """ATLAS.ti manual: n1 = 100, n2 = 10, n12 = 5 gives 0.048."""
    assert_allclose(c_coefficient(100, 10, 5), 0.048, atol=5e-4)
    assert np.isnan(c_coefficient(0, 0, 0))
    assert c_coefficient(3, 3, 3) == 1


def test_quotation_pairs_are_refused():
    with pytest.raises(ExpertiseError, match="5 segments with both codes, 4 and 9 with each"):
        c_coefficient(4, 9, 5)


def test_by_hand():
    rows = [
        ("d", "a", 0, 25),
        ("d", "b", 15, 30),
        ("d", "b", 18, 40),
        ("e", "a", 5, 6),
        ("d", "c", 41, 42),
    ]
    segments = pd.DataFrame(
        [("d", 0, 10), ("d", 10, 20), ("d", 20, 30), ("d", 30, 40), ("d", 40, 50), ("e", 0, 10)],
        columns=["document", "start", "end"],
    )
    found = co_occurrence(pd.DataFrame(rows, columns=COLUMNS), segments)
    top = found.table.iloc[0]
    # a lies on four segments, b on three, two of them shared.
    assert top[["first", "second", "n_first", "n_second", "n_both"]].tolist() == ["a", "b", 4, 3, 2]
    assert_allclose(top["estimate"], 2 / 5)
    assert found.codes.to_dict() == {"a": 4, "b": 3, "c": 1}
    assert found.table["estimate"].iloc[1:].tolist() == [0, 0]
    assert "No interval: it takes 10 clusters, and with 2" in repr(found)


def test_by_definition():
    codings, segments = study()
    found = co_occurrence(codings, segments)
    carried = []
    for segment in segments.itertuples():
        here = codings[
            (codings["document"] == segment.document)
            & (codings["start"] < segment.end)
            & (codings["end"] > segment.start)
        ]
        carried.append(set(here["code"]))
    for row in found.table.itertuples():
        both = sum({row.first, row.second} <= each for each in carried)
        counts = [sum(code in each for each in carried) for code in (row.first, row.second)]
        assert [row.n_first, row.n_second, row.n_both] == [*counts, both]
        assert_allclose(row.estimate, c_coefficient(*counts, both))


def test_overlapping_quotations_stay_within_bounds():
    rows = [("d", "a", 0, 10), ("d", "b", 0, 6), ("d", "b", 4, 10), ("d", "b", 2, 8)]
    segments = pd.DataFrame({"document": ["d"], "start": [0], "end": [10]})
    assert (
        co_occurrence(pd.DataFrame(rows, columns=COLUMNS), segments).table.loc[0, "estimate"] == 1
    )


def test_meaning():
    near = co_occurrence(*study(together=0.9)).table.iloc[0]
    assert {near["first"], near["second"]} == {"hoop", "werk"}
    assert near["conf_low"] < near["estimate"] < near["conf_high"]
    far = co_occurrence(*study(together=0.0)).table.set_index(["first", "second"])
    assert far.loc[("hoop", "werk"), "estimate"] < 0.1


def test_order_is_nothing():
    codings, segments = study()
    other = co_occurrence(codings.iloc[::-1], segments.iloc[::-1])
    pd.testing.assert_frame_equal(other.table, co_occurrence(codings, segments).table)


def test_uneven_pairs_are_flagged():
    rows = [("d", "a", 0, 70), ("d", "b", 0, 5), ("d", "c", 0, 12)]
    segments = pd.DataFrame(
        [("d", 10 * i, 10 * i + 10) for i in range(7)], columns=["document", "start", "end"]
    )
    found = co_occurrence(pd.DataFrame(rows, columns=COLUMNS), segments)
    flagged = found.table.set_index(["first", "second"])["uneven"]
    assert flagged.loc[("a", "b")]
    assert not flagged.loc[("a", "c")]
    assert "In 1 pairs one code has over 5 times the segments" in repr(found)


def test_only_some_codes():
    found = co_occurrence(*study(), codes=["werk", "rust", "rouw"])
    assert found.codes.index.tolist() == ["werk", "rust", "rouw"]
    assert found.codes["rouw"] == 0
    assert np.isnan(co_occurrence(*study(), codes=["rouw", "pijn"]).table.loc[0, "estimate"])


def test_views():
    found = co_occurrence(*study())
    assert list(found.tidy()["n"]) == found.table["n_both"].tolist()
    assert found.glance().loc[0, "n"] == 480
    story = found.plot("nl").story
    assert story.title.startswith("hoop en werk horen het meest bij elkaar")
    assert png(found.plot(), phone=True, dark=True)[:4] == b"\x89PNG"
    apart = co_occurrence(*study(), codes=["rouw", "pijn"]).plot()
    assert apart.story.title == "No two codes mark the same segment"
    assert png(apart)[:4] == b"\x89PNG"


def test_refusals():
    codings, segments = study()
    with pytest.raises(CodingError, match="segments, row 1: overlaps another row"):
        co_occurrence(codings, segments.assign(start=segments["start"].replace(20, 15)))
    with pytest.raises(CodingError, match=r"codings, row .*: unknown document 'd11'"):
        co_occurrence(codings, segments[segments["document"] != "d11"])
    with pytest.raises(CodingError, match="segments has no column 'end'"):
        co_occurrence(codings, segments.drop(columns="end"))
