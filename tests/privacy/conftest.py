"""A small project with everything a person can leave in it."""

import hashlib

import pytest

from expertise.coding.acts import Act, Record
from expertise.coding.opening import open_store
from tests.written import head

CANARY = "kanarie-0123456789-abcdefghijklm"
# Not CANARY and a letter more: in the store a random salt follows a text, with any first letter.
BRAM = "putter-9876543210-mlkjihgfedcba"
OTHER = "een ander verhaal dat gewoon blijft staan, woord voor woord"
STUDY = (
    head("Klein", "patient", more='corpus = "klein"\n')
    + """
[people]
file = "data/mensen.csv"
sha256 = "%s"
participant = "wie"
"""
)


@pytest.fixture
def project(tmp_path):
    """Return the study folder of a project in which T01-patient left a canary everywhere."""
    assert len(CANARY) == 32
    root = tmp_path / "project"
    study, corpus = root / "studies" / "klein", root / "corpora" / "klein"
    for folder in (study / "data", study / "private" / "exports", corpus / "texts",
                   root / "build" / "klein", root / "notebooks"):  # fmt: skip
        folder.mkdir(parents=True)
    people = f'wie;opmerking\r\nT01-patient;"{CANARY};\r\nnog een regel"\r\nT02-patient;goed\r\n'
    (study / "data" / "mensen.csv").write_bytes(people.encode())
    digest = hashlib.sha256(people.encode()).hexdigest()
    (study / "study.toml").write_text(STUDY % digest, "utf-8")
    (study / "README.md").write_text("Een studie.\n")
    lines = ["document,coder,code,memo", f"T01-patient-1,anna,hoop,{CANARY}",
             f"T02-patient-1,anna,hoop,{OTHER}", f"T02-patient-1,bram,hoop,{BRAM}"]  # fmt: skip
    (study / "codings.csv").write_text("\n".join(lines) + "\n")
    (study / "private" / "exports" / "alles.txt").write_text(CANARY)
    (root / "build" / "klein" / "internal.html").write_text(CANARY)
    (root / "notebooks" / "klein.ipynb").write_text("{}")
    texts = {"T01-patient-1": f"Ik vertelde over {CANARY} en meer.", "T02-patient-1": OTHER,
             "T01-naaste-1": "Mijn verhaal over die maanden, van mij."}  # fmt: skip
    listing = 'schema = 1\ntitle = "Klein"\n'
    for name, text in texts.items():
        (corpus / "texts" / f"{name}.txt").write_text(text)
        sha = hashlib.sha256(text.encode()).hexdigest()
        who = name.rsplit("-", 1)[0]
        listing += f'\n[[texts]]\nid = "{name}"\nparticipant = "{who}"\nsha256 = "{sha}"\n'
    (corpus / "corpus.toml").write_text(listing)
    (corpus / "people.csv").write_text(
        "participant,perspective,triad,use,note\n"
        f"T01-patient,patient,T01,yes,{CANARY}\nT01-naaste,naaste,T01,yes,\n"
        "T02-patient,patient,T02,yes,\n"
    )
    (corpus / "gold.csv").write_text(f"text,start,kind\nT01-patient-1,17,{CANARY}\n")
    with open_store(study / "private" / "codings.db") as store:
        for number, (document, coder, words) in enumerate(
            [("T01-patient-1", "anna", CANARY), ("T02-patient-1", "anna", OTHER),
             ("T02-patient-1", "bram", BRAM)], 1):  # fmt: skip
            uuid = f"00000000-0000-4000-8000-{number:012d}"
            act = Act(uuid=uuid, kind="applied", coder=coder, document=document, sha256="0" * 64,
                      start=0, end=5, code="hoop", round="alone", perspective="patient")  # fmt: skip
            record = Record(kind="memo", key=uuid, body=words, document=document, coder=coder)
            store.append(act, records={uuid: record})
    return study
