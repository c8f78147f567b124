"""Agreement on passages: published examples, the definitions in full, and what must not matter."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.agreement.boundaries import boundary_similarity
from expertise.agreement.unitizing import character_f1, unitizing_alpha
from expertise.errors import CodingError, DataError, ExpertiseError

COLUMNS = ["document", "coder", "code", "start", "end"]


def passages(rows, document="d"):
    return pd.DataFrame([(document, *row) for row in rows], columns=COLUMNS)


def keys(result):
    return {note.key.removeprefix("agreement.") for note in result.notes}


# Krippendorff (2004), p. 254: a continuum from 150 to 450, (begin, length).
BOOK_2004 = passages(
    [
        (coder, code, begin - 150, begin - 150 + length)
        for coder, code, begin, length in [
            ("i", "c", 225, 70), ("i", "c", 370, 30), ("i", "k", 180, 60), ("i", "k", 300, 50),
            ("j", "c", 220, 80), ("j", "c", 355, 20), ("j", "c", 400, 20), ("j", "k", 180, 60),
            ("j", "k", 300, 50),
        ]
    ]
)  # fmt: skip

# Krippendorff (2019), figure 12.11, p. 340: the example of 2016, places 1 to 60.
BOOK_2016 = passages(
    [
        (coder, code, first - 1, last)
        for coder, code, first, last in [
            ("Alex", "1", 1, 7), ("Alex", "2", 8, 13), ("Alex", "5", 31, 32), ("Alex", "6", 33, 37),
            ("Alex", "6", 38, 44), ("Alex", "7", 45, 60), ("Paul", "1", 1, 7), ("Paul", "3", 8, 13),
            ("Paul", "5", 14, 21), ("Paul", "6", 33, 44), ("Suzan", "1", 1, 7),
            ("Suzan", "4", 8, 13), ("Suzan", "5", 14, 21), ("Suzan", "6", 33, 37),
            ("Suzan", "6", 38, 41), ("Suzan", "6", 42, 44),
        ]
    ]
)  # fmt: skip


def random_codings(seed, documents=1, m=3, per=6, length=200, overlapping=False):
    rng = np.random.default_rng(seed)
    rows = []
    for document in range(documents):
        for coder in range(m):
            cuts = np.sort(rng.choice(length + 1, 2 * per, replace=False))
            for start, end in zip(cuts[::2], cuts[1::2], strict=True):
                late = int(rng.integers(0, 30)) if overlapping else 0
                rows.append(
                    (
                        f"d{document}",
                        f"c{coder}",
                        rng.choice(list("xyz")),
                        start,
                        min(end + late, length),
                    )
                )
    return pd.DataFrame(rows, columns=COLUMNS), {f"d{i}": length for i in range(documents)}


def test_book_of_2004():
    found = unitizing_alpha(BOOK_2004, {"d": 300})
    # The book rounds halfway: 1 − .0144 / (.0532 + .0490) = .8591.
    assert_allclose(found.estimate, 1 - 0.014444 / (0.053222 + 0.048979), atol=2e-5)
    assert_allclose(found.estimate, 0.8591, atol=5e-4)
    assert_allclose(found.by_code["estimate"], [0.728599, 1], atol=5e-7)
    assert found.by_code["code"].tolist() == ["c", "k"]


def test_dkpro():
    """DKPro Statistics, UnitizingAgreementTest: −.7003."""
    rows = [("r0", "A", 1, 9), ("r1", "A", 2, 3), ("r1", "A", 4, 5), ("r1", "A", 6, 7)]
    assert_allclose(unitizing_alpha(passages(rows), {"d": 10}).estimate, -0.7003, atol=5e-5)


def test_book_of_2016():
    found = unitizing_alpha(BOOK_2016, {"d": 60}, definition="2016")
    assert_allclose(found.estimate, 0.510, atol=5e-4)


def by_definition_2016(codings, lengths, m):
    """Krippendorff et al. (2016), uα: every pair of sections in turn, blanks included."""
    sections = {}
    for (document, coder), rows in codings.groupby(["document", "coder"]):
        found = [tuple(row) for row in rows[["start", "end", "code"]].to_numpy()]
        edges = [0, *np.sort([x for row in found for x in row[:2]]), lengths[document]]
        found += [(a, b, None) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a]
        sections[document, coder] = found
    alike, length, own = 0.0, {}, 0.0
    for (document, coder), mine in sections.items():
        for start, end, code in mine:
            length[code] = length.get(code, 0) + end - start
            own += end - start if code is None else (end - start) ** 2
            for (elsewhere, other), theirs in sections.items():
                if elsewhere == document and other != coder:
                    for a, b, value in theirs:
                        if value == code:
                            alike += max(0, min(b, end) - max(a, start)) / (m - 1)
    total = sum(length.values())
    by_chance = (sum(x**2 for x in length.values()) - own) / (total**2 - own)
    return 1 - (1 - alike / total) / (1 - by_chance)


@pytest.mark.parametrize("seed", range(5))
def test_2016_by_definition(seed):
    codings, lengths = random_codings(seed, documents=1 + seed, m=2 + seed % 3)
    found = unitizing_alpha(codings, lengths, definition="2016")
    assert_allclose(found.estimate, by_definition_2016(codings, lengths, 2 + seed % 3), rtol=1e-12)
    one, m = codings[codings["code"] == "x"], 2 + seed % 3
    if one.groupby(["coder", "document"]).ngroups == m * (1 + seed):
        code = by_definition_2016(one, lengths, m)
        assert_allclose(found.by_code.loc[0, "estimate"], code, rtol=1e-12)


def by_definition_2004(codings, length, coders):
    """Krippendorff (2004), p. 252–256, for one text: every unit against every unit and gap."""
    m, seen, by_chance = len(coders), 0.0, 0.0
    for _, rows in codings.groupby("code"):
        units, gaps = {}, {}
        for coder in coders:
            mine = rows.loc[rows["coder"] == coder, ["start", "end"]].to_numpy().tolist()
            units[coder] = sorted(mine)
            edges = [0, *np.ravel(units[coder]), length]
            gaps[coder] = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a]
        for i in coders:
            for j in coders:
                if i == j:
                    continue
                for b, e in units[i]:
                    seen += (
                        sum((b - c) ** 2 + (e - f) ** 2 for c, f in units[j] if c < e and b < f) / 2
                    )
                    seen += sum((e - b) ** 2 for c, f in gaps[j] if c <= b and e <= f)
        sizes = [e - b for coder in coders for b, e in units[coder]]
        room = [e - b for coder in coders for b, e in gaps[coder]]
        top = sum(
            (len(sizes) - 1) * (2 * n**3 - 3 * n**2 + n) / 3
            + n**2 * sum(gap - n + 1 for gap in room if gap >= n)
            for n in sizes
        )
        by_chance += (
            2 / length * top / (m * length * (m * length - 1) - sum(n * (n - 1) for n in sizes))
        )
    return 1 - 2 * seen / (m * (m - 1) * length**2) / by_chance


@pytest.mark.parametrize("seed", range(6))
def test_2004_by_definition(seed):
    codings, lengths = random_codings(seed, m=2 + seed % 3)
    coders = sorted(codings["coder"].unique())
    found = unitizing_alpha(codings, lengths)
    # The distances of pairs are met twice and halved; a unit in a gap is met once from each side.
    assert_allclose(found.estimate, by_definition_2004(codings, 200, coders), rtol=1e-12)


@pytest.mark.parametrize("definition", ["2004", "2016"])
def test_order_names_and_places_are_nothing(definition):
    codings, lengths = random_codings(3, documents=12)
    found = unitizing_alpha(codings, lengths, definition=definition)
    renamed = codings.assign(
        coder=codings["coder"].map({"c0": "Q", "c1": "B", "c2": "A"}),
        code=codings["code"].map({"x": "zorg", "y": "angst", "z": "hoop"}),
    )
    other = unitizing_alpha(
        renamed.sample(frac=1, random_state=1), pd.Series(lengths).iloc[::-1], definition=definition
    )
    assert_allclose(
        [other.estimate, other.std_error, other.conf_low, other.conf_high],
        [found.estimate, found.std_error, found.conf_low, found.conf_high],
        rtol=1e-9,
    )  # fmt: skip
    assert found.conf_low < found.estimate < found.conf_high


@pytest.mark.parametrize("definition", ["2004", "2016"])
def test_meaning(definition):
    codings, lengths = random_codings(1, documents=60, m=2, per=10)
    chance = unitizing_alpha(codings, lengths, definition=definition).estimate
    assert abs(chance) < 0.15
    one = codings[codings["coder"] == "c0"]
    same = pd.concat([one, one.assign(coder="c1")])
    assert_allclose(unitizing_alpha(same, lengths, definition=definition).estimate, 1)


def test_bootstrap_of_documents_is_that_of_single_documents():
    """A document twice in the data counts as a document drawn twice."""
    codings, lengths = random_codings(9, documents=12)
    again = pd.concat([codings, codings.assign(document=codings["document"] + "b")])
    twice = lengths | {f"{name}b": length for name, length in lengths.items()}
    for definition in ("2004", "2016"):
        one = unitizing_alpha(codings, lengths, definition=definition)
        two = unitizing_alpha(again, twice, definition=definition)
        assert_allclose(two.std_error, one.std_error / np.sqrt(2), rtol=0.1)
        assert_allclose(
            two.conf_high - two.conf_low, (one.conf_high - one.conf_low) / np.sqrt(2), rtol=0.25
        )


def test_unfinished_is_missing_not_blank():
    codings, lengths = random_codings(4, documents=4, m=3)
    finished = pd.DataFrame(
        [(f"d{d}", f"c{c}") for d in range(4) for c in range(3)], columns=["document", "coder"]
    )
    lacking = finished[~((finished["document"] == "d3") & (finished["coder"] == "c2"))]
    for definition, documents in (("2004", 3), ("2016", 4)):
        found = unitizing_alpha(codings, lengths, definition=definition, finished=lacking)
        assert found.n_clusters == documents
        assert "unfinished" in keys(found)
        without = codings[~((codings["document"] == "d3") & (codings["coder"] == "c2"))]
        skipped = unitizing_alpha(without, lengths, definition=definition, finished=lacking)
        assert skipped.estimate == found.estimate
    full = unitizing_alpha(codings, lengths, finished=finished)
    assert full.estimate == unitizing_alpha(codings, lengths).estimate
    assert "read_all" not in keys(full)


def test_a_reader_who_marks_nothing_disagrees():
    codings = passages([("i", "hoop", 10, 40)])
    finished = pd.DataFrame({"document": ["d", "d"], "coder": ["i", "j"]})
    assert unitizing_alpha(codings, {"d": 100}, finished=finished).estimate < 0.01
    alone = unitizing_alpha(codings, {"d": 100})
    assert np.isnan(alone.estimate)
    assert "one_coder" in keys(alone)


def test_nothing_to_compute():
    empty = pd.DataFrame([], columns=COLUMNS)
    finished = pd.DataFrame({"document": ["d", "d"], "coder": ["i", "j"]})
    apart = pd.DataFrame({"document": ["d", "e"], "coder": ["i", "j"]})
    for measure in (unitizing_alpha, character_f1):
        assert "no_codings" in keys(measure(empty, {"d": 9}, finished=finished))
        assert "no_shared_document" in keys(measure(empty, {"d": 9, "e": 9}, finished=apart))
        assert "one_coder" in keys(measure(empty, {"d": 9}))


def test_overlap_of_codes():
    codings = passages([("i", "a", 0, 9), ("i", "b", 5, 20), ("j", "a", 0, 9), ("j", "b", 5, 20)])
    found = unitizing_alpha(codings, {"d": 50}, definition="2016")
    assert np.isnan(found.estimate)
    assert "overlap" in keys(found)
    assert_allclose(found.by_code["estimate"], 1)
    assert_allclose(unitizing_alpha(codings, {"d": 50}).estimate, 1)


def test_same_code_twice_counts_once():
    codings = passages([("i", "a", 0, 10), ("i", "a", 5, 15), ("i", "a", 5, 15), ("j", "a", 0, 15)])
    for measure in (unitizing_alpha, character_f1):
        found = measure(codings, {"d": 50})
        assert "2 passages that a coder had marked before" in repr(found)
        assert_allclose(found.estimate, 1)
        assert found.n == 2


def test_character_f1_by_hand():
    codings = passages(
        [
            ("i", "a", 0, 10),
            ("j", "a", 5, 20),
            ("k", "a", 30, 40),
            ("i", "b", 0, 4),
            ("j", "b", 0, 4),
        ]
    )
    found = character_f1(codings, {"d": 50})
    # Code a: pairs share 5 of 10 + 15, 0 of 20 and 0 of 25; b: 4 of 8, 4 and 4.
    assert_allclose(found.by_code["estimate"], [2 * 5 / 70, 2 * 4 / 16])
    assert_allclose(found.estimate, 2 * 9 / 86)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"end": 5.5}, "codings, row 0: end is 5.5; positions are whole numbers of code points"),
        ({"end": 100_000}, "codings, row 0: passage 75 to 100000; .* by 300, the length"),
        ({"start": 145, "end": 145}, "codings, row 0: passage 145 to 145"),
        ({"start": -1}, "codings, row 0: passage -1 to 145"),
        (
            {"document": "d99"},
            "codings, row 0: unknown document 'd99'; there are d",
        ),
        ({"coder": None}, "codings, row 0: coder is missing; every row needs one"),
    ],
)
def test_refusals(change, sentence):
    codings = BOOK_2004.astype(object)
    for column, value in change.items():
        codings.loc[0, column] = value
    with pytest.raises(CodingError, match=sentence):
        unitizing_alpha(codings, {"d": 300})


def test_more_refusals():
    with pytest.raises(CodingError, match="codings has no column 'end'; it needs document, coder"):
        unitizing_alpha(BOOK_2004.drop(columns="end"), {"d": 300})
    with pytest.raises(CodingError, match="a document has two lengths: d"):
        unitizing_alpha(BOOK_2004, pd.Series([300, 300], index=["d", "d"]))
    with pytest.raises(
        CodingError, match=r"document 'd' has length 3.5; a length is a whole number"
    ):
        unitizing_alpha(BOOK_2004, {"d": 3.5})
    with pytest.raises(ExpertiseError, match="definition is '1995'; allowed are 2004, 2016"):
        unitizing_alpha(BOOK_2004, {"d": 300}, definition="1995")


def test_bad_inputs(bad_inputs):
    def of(name):
        table = pd.read_csv(bad_inputs / f"cod_{name}.csv")
        names = {"codeur": "coder", "begin": "start", "eind": "end"}
        return unitizing_alpha(table.rename(columns=names), {"d1": 200})

    assert "one_coder" in keys(of("one_coder"))
    assert "joined" in keys(of("exact_dup")) & keys(of("overlap_same_code"))
    for name in ("past_end", "float_offsets", "unknown_doc"):
        with pytest.raises(CodingError, match="codings, row 0"):
            of(name)


def test_segeval():
    """The first two of Hearst's coders (1997), segeval 2.0.11: B = .5."""
    assert boundary_similarity((2, 3, 3, 1, 3, 6, 3), (2, 8, 2, 4, 2, 3)).estimate == 0.5


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        ((2, 3, 6), (5, 6), 0.5), ((2, 3, 6), (2, 3, 3, 3), 2 / 3), ((2, 3, 6), (2, 2, 7), 0.75),
        ((2, 3, 6), (1, 1, 3, 1, 5), 0.5), ((2, 6, 4, 2, 4, 3), (2, 3, 3, 1, 3, 6, 3), 0.57142857),
        ((2, 1, 1, 1, 5, 8, 2, 1), (2, 3, 3, 1, 3, 6, 3), 0.38888888),
        ((2, 6, 4, 2, 4, 3), (2, 8, 2, 4, 2, 3), 0.42857142),
    ],
)  # fmt: skip
def test_segeval_suite(first, second, value):
    """Values of segeval's own tests, the last three on Hearst's text."""
    assert_allclose(boundary_similarity(first, second).estimate, value, atol=1e-8)
    assert_allclose(boundary_similarity(second, first).estimate, value, atol=1e-8)


def test_boundaries_that_cannot_be_compared():
    assert np.isnan(boundary_similarity((5,), (5,)).estimate)
    assert boundary_similarity((5,), (2, 3)).estimate == 0
    with pytest.raises(DataError, match="the segments cover 5 and 6 units"):
        boundary_similarity((2, 3), (6,))
    with pytest.raises(DataError, match="segments of length 0; give the length of each"):
        boundary_similarity((2, 0), (2,))
