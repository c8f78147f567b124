"""What coders mark alike and differently: by hand, by other routes, and what must be missing."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.agreement.alphas import alpha
from expertise.agreement.compare import compare_coders
from expertise.agreement.kappas import kappa
from expertise.agreement.proportions import percent_agreement, positive_agreement
from expertise.errors import CodingError

VIEWS = {"Ans": "patient", "Bo": "patient", "Cas": "naaste", "Dee": "naaste"}
COLUMNS = ["document", "coder", "code", "start", "end"]


def study(documents=14, per=30, seed=1, views=VIEWS, lean=0.0):
    """Return codings, units and who finished: patients mark `lean` more of all units."""
    rng = np.random.default_rng(seed)
    rows = []
    for document in range(documents):
        for unit in range(per):
            told = {"hoop": rng.random() < 0.3, "regie": rng.random() < 0.15}
            for coder, view in views.items():
                for code, there in told.items():
                    chance = (0.85 if there else 0.05) + lean * (view == "patient")
                    if rng.random() < chance:
                        start = 20 * unit + int(rng.integers(0, 8))
                        rows.append((f"d{document:02d}", coder, code, start, start + 9))
    names = [f"d{document:02d}" for document in range(documents)]
    units = pd.DataFrame(
        [(name, 20 * unit, 20 * unit + 19) for name in names for unit in range(per)],
        columns=["document", "start", "end"],
    )
    finished = pd.DataFrame([(n, c) for n in names for c in views], columns=["document", "coder"])
    return {"codings": pd.DataFrame(rows, columns=COLUMNS), "units": units, "finished": finished}


def compared(tables, views=VIEWS, **options):
    tables = dict(tables)
    return compare_coders(tables.pop("codings"), **tables, perspectives=views, **options)


def decisions(tables, code, views=VIEWS):
    """Each coder's yes or no on each unit, by looking at every coding."""
    done = set(tables["finished"].itertuples(index=False, name=None))
    spans = {}
    for row in tables["codings"].query("code == @code").itertuples():
        spans.setdefault((row.document, row.coder), []).append((row.start, row.end))
    rows = [
        [
            any(a < end and b > start for a, b in spans.get((document, coder), []))
            if (document, coder) in done
            else np.nan
            for coder in views
        ]
        for document, start, end in tables["units"].itertuples(index=False, name=None)
    ]
    return pd.DataFrame(rows, tables["units"].index, list(views)).astype(float)


def one(result, **keys):
    rows = result.coefficients
    for column, value in keys.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.fixture(scope="module")
def tables():
    return study(documents=11, per=12)


@pytest.fixture(scope="module")
def found(tables):
    return compared(tables)


def test_codes_are_coefficients_of_decisions(tables, found):
    table = decisions(tables, "hoop")
    direct = alpha(table, cluster=tables["units"]["document"])
    row = one(found, component="code", code="hoop", term="alpha")
    columns = ["estimate", "conf_low", "conf_high", "std_error", "n"]
    assert_allclose(row[columns].astype(float), direct.tidy().loc[0, columns].astype(float))
    row = one(found, component="code", code="hoop", term="positive")
    assert_allclose(row["estimate"], positive_agreement(table).estimate)


def test_pairs_are_cohens_kappa(tables, found):
    table = decisions(tables, "regie")
    row = one(found, component="pair", group="Ans – Cas", code="regie", term="kappa")
    assert_allclose(row["estimate"], kappa(table[["Ans", "Cas"]]).estimate)
    direct = kappa(table[["Ans", "Cas"]], cluster=tables["units"]["document"])
    assert_allclose(row["conf_low"], direct.conf_low, rtol=1e-10)


def test_all_pairs_of_one_perspective_are_congers_kappa(tables):
    same = dict.fromkeys(VIEWS, "patient")
    row = one(compared(tables, same), component="within", code="hoop", term="kappa")
    assert_allclose(row["estimate"], kappa(decisions(tables, "hoop")).estimate)


def test_documents(tables, found):
    row = one(found, component="document", document="d03", term="percent")
    here = tables["units"]["document"] == "d03"
    both = [percent_agreement(decisions(tables, code)[here]).estimate for code in ("hoop", "regie")]
    assert_allclose(row["estimate"], np.mean(both))
    assert row["n"] == 12


def test_difference_between_perspectives():
    tables = study(documents=60, lean=0.1)
    row = one(compared(tables), component="between", code="(all)", term="difference")
    assert row["group"] == "naaste – patient"
    assert row["conf_low"] < -0.1 < row["conf_high"] < 0
    share = decisions(tables, "hoop").mean() + decisions(tables, "regie").mean()
    expected = (share[["Cas", "Dee"]].mean() - share[["Ans", "Bo"]].mean()) / 2
    assert_allclose(row["estimate"], expected)


def test_no_difference_is_covered():
    row = one(compared(study(documents=40)), component="between", code="(all)", term="difference")
    assert row["conf_low"] < 0 < row["conf_high"]


def test_sign_turns_with_the_names():
    tables = study()
    other = {c: {"patient": "a", "naaste": "b"}[v] for c, v in VIEWS.items()}
    plain = one(compared(tables), component="between", code="hoop", term="difference")
    turned = one(compared(tables, other), component="between", code="hoop", term="difference")
    assert_allclose(plain["estimate"], -turned["estimate"])


def test_one_holder_gives_a_description_only():
    views = {"Ans": "patient", "Bo": "patient", "Cas": "naaste"}
    found = compared(study(views=views), views)
    rows = found.part("between")
    assert set(rows["term"]) == {"difference", "percent", "positive"}
    assert "conf_low" not in rows
    assert set(found.part("within")["group"]) == {"patient"}
    assert "One coder reads as naaste" in repr(found)


def test_skipping_equals_never_having_been_handed_out():
    tables = study()
    lacking = tables["finished"].query("not (document == 'd02' and coder == 'Dee')")
    never = tables["codings"].query("not (document == 'd02' and coder == 'Dee')")
    skipped = compared(tables | {"finished": lacking})
    handed = compared(tables | {"finished": lacking, "codings": never})
    pd.testing.assert_frame_equal(skipped.tidy(), handed.tidy())
    pd.testing.assert_frame_equal(skipped.differences, handed.differences)
    assert "codings in documents that their coder had not finished" in repr(skipped)
    here = skipped.differences.query("document == 'd02'")
    assert not here["not_marked_by"].map(lambda who: "Dee" in who).any()


def test_order_of_rows_is_nothing(tables, found):
    turned = {name: table.iloc[::-1] for name, table in tables.items()}
    other = compared(turned, dict(reversed(VIEWS.items())))
    pd.testing.assert_frame_equal(other.tidy(), found.tidy())
    pd.testing.assert_frame_equal(other.differences, found.differences)


def small(rows, coders="Ans Bo Cas"):
    finished = pd.DataFrame({"document": "d", "coder": coders.split()})
    units = pd.DataFrame({"document": ["d"], "start": [0], "end": [100]})
    return {"codings": pd.DataFrame(rows, columns=COLUMNS), "units": units, "finished": finished}


def test_differing_passages_by_hand():
    found = compared(
        small(
            [
                ("d", "Ans", "hoop", 10, 30), ("d", "Bo", "hoop", 20, 40),
                ("d", "Ans", "hoop", 30, 35), ("d", "Cas", "regie", 5, 9),
                *(("d", coder, "samen", 0, 4) for coder in ("Ans", "Bo", "Cas")),
            ]
        )
    )  # fmt: skip
    rows = found.differences[["start", "end", "code", "marked_by", "not_marked_by"]]
    assert rows.values.tolist() == [
        [5, 9, "regie", ("Cas",), ("Ans", "Bo")],
        [10, 20, "hoop", ("Ans",), ("Bo", "Cas")],
        [20, 35, "hoop", ("Ans", "Bo"), ("Cas",)],
        [35, 40, "hoop", ("Bo",), ("Ans", "Cas")],
    ]
    assert found.differences.loc[2, "perspectives_marked"] == ("patient",)
    assert found.differences.loc[1, "perspectives_not"] == ("naaste", "patient")
    assert found.marked_only_by("naaste")["code"].tolist() == ["regie"]
    assert found.marked_only_by("patient")["start"].tolist() == [10, 20, 35]


def test_a_document_of_one_reader_is_not_compared():
    tables = small([("d", "Ans", "hoop", 0, 9)], coders="Ans")
    found = compared(tables)
    assert found.n_documents == 0
    assert "no document was finished by all the coders it takes" in repr(found)
    assert not len(found.differences)


def test_nobody_marked_anything():
    found = compared(small([]))
    assert not len(found.differences)
    assert "nobody marked anything" in repr(found)
    assert not len(found.part("between"))


def test_positions_read_as_text():
    tables = small([("d", "Ans", "hoop", 10, 30), ("d", "Bo", "hoop", 5, 9)])
    found = compared(tables | {"codings": tables["codings"].astype(str)})
    pd.testing.assert_frame_equal(found.differences, compared(tables).differences)


def test_without_units_only_passages_are_compared():
    tables = small([("d", "Ans", "hoop", 10, 30)])
    found = compared(tables | {"units": tables["units"].iloc[:0]})
    assert len(found.differences) == 1
    assert "estimate" not in found.part("between")


def test_views(found):
    assert found.glance().loc[0, "n_documents"] == 11
    assert found.augment().equals(found.differences)
    assert repr(found).startswith("4 coders compared on 132 units in 11 documents")
    assert "<th" in found._repr_html_()
    assert set(found.tidy()["component"]) == {"code", "pair", "within", "between", "document"}


def test_refusals():
    tables = small([("d", "Ans", "hoop", 0, 9)])
    with pytest.raises(CodingError, match="no perspective for coder 'Cas'; perspectives has Ans"):
        compared(tables, {"Ans": "patient", "Bo": "patient"})
    units = pd.DataFrame({"document": "d", "start": [0, 40], "end": [50, 100]})
    with pytest.raises(CodingError, match="units, row 1: overlaps another row"):
        compared(tables | {"units": units})
    with pytest.raises(CodingError, match="units has no column 'end'"):
        compared(tables | {"units": units.drop(columns="end")})
    with pytest.raises(CodingError, match="units, row 0: passage 50 to 50"):
        compared(tables | {"units": units.assign(start=50, end=50)})
