"""Every bad input that concerns tables and archives meets the fate its index names.

Run as a program this file reads them all in one process and prints what came
of each, so that the test can hold time, memory and the folder it ran in.
"""

import csv
import json
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

import expertise
from expertise.errors import ExpertiseError
from expertise.files.archive import Archive
from expertise.files.reading import Column
from expertise.files.tables import check_table, read_table
from expertise.files.waves import wave_order
from expertise.files.xml import parse_xml

ITEM = Column("integer", minimum=1, maximum=5)
NUMBER = Column("number")

# Name of the file: options, outcome, fragments that the problems or notes must hold.
# Where the index says "warn" and allows refusal ("reject or …"), the outcome here is ours.
EXPECTED = {
    "tab_empty.csv": ({}, "reject", ["tab_empty.csv is empty; nothing was read"]),
    "tab_utf16le.csv": ({}, "accept", ["utf-16"]),
    "tab_utf16_nobom.csv": ({}, "reject", ["encoding not recognised"]),
    "tab_latin1_vs_cp1252.csv": ({}, "warn", ["read as CP1252", "“ik kan weer” – zei ze"]),
    "tab_mojibake.csv": ({}, "warn", ["doubly encoded on line 2", "ZoÃ«"]),
    "tab_nul_bytes.csv": ({}, "reject", ["column 'score', line 2: holds a NUL"]),
    "tab_semicolon.csv": ({}, "accept", ['delimiter=";"', 'decimal=","', '"score": [12.5]']),
    "tab_decimal_comma_in_comma_csv.csv": ({}, "warn", ["rows 2, 3", '"score": ["12,5", "13,0"]']),
    "tab_mixed_decimal.csv": ({}, "reject", ["lines 2, 3, 4, 5: decimal points and commas"]),
    "tab_tabs.tsv.csv": ({}, "accept", ['delimiter="\\t"', '"score": [12]']),
    "tab_sniffer_trap.csv": ({}, "accept", ['"tekst": ["a;b;c;d;e;f;g", "h;i;j;k;l;m;n"]']),
    "tab_ragged.csv": ({}, "reject", ["lines 2 (has 3), 3 (has 5)"]),
    "tab_unclosed_quote.csv": ({}, "reject", ["line 2: a quote opens here"]),
    "tab_newline_in_quotes.csv": ({}, "accept", ['"tekst": ["regel 1\\nregel 2"]']),
    "tab_dup_header.csv": ({}, "reject", ["columns 2, 3 are both called 'score'"]),
    "tab_dup_header_unicode.csv": ({}, "reject", ["columns 2, 3 are both called 'café'"]),
    "tab_blank_header.csv": ({}, "reject", ["column 2 has no name"]),
    "tab_missing_required.csv": (
        {"required": ["deelnemer"]},
        "reject",
        ["no column 'deelnemer'", "it has meetmoment, score"],
    ),
    "tab_id_whitespace.csv": ({}, "reject", ["lines 2, 3, 4: ids differ only in blanks"]),
    "tab_id_leading_zero.csv": ({}, "warn", ["leading zeros (rows 2, 3)", '["007", "7"]']),
    "tab_id_float.csv": ({}, "reject", ["line 4: the id is empty"]),
    "tab_id_scientific.csv": ({}, "accept", ['"deelnemer": ["1E5", "12345678901234567890"]']),
    "tab_id_null_like.csv": ({}, "warn", ['"deelnemer": ["NA", "null", "None", "nan", "N/A"]']),
    "tab_bsn_column.csv": ({}, "reject", ["column 'bsn': seems to hold a citizen service number"]),
    "tab_pii_columns.csv": (
        {},
        "reject",
        [f"column '{name}'" for name in ("naam", "email", "telefoon", "postcode")],
    ),
    "tab_formula_injection.csv": ({}, "accept", ['"+SOM(1)", "-2+3", "@SUM(1)", "\\tcmd"']),
    "tab_dates_mixed.csv": (
        {},
        "reject",
        ["lines 2, 4, 5: no existing date written as 2025-01-31"],
    ),
    "tab_dates_impossible.csv": ({}, "reject", ["lines 2, 3: no such day", "line 4: no existing"]),
    "tab_dates_excel_serial.csv": ({}, "reject", ["lines 2, 3", "45678 would be 2025-01-21"]),
    "tab_dst_time.csv": ({}, "reject", ["lines 2, 3: the clock changes", "add the UTC offset"]),
    "tab_moment_order.csv": ({}, "warn", ["participant P01: wave 2 is dated before wave 1"]),
    "tab_nonint_likert.csv": (
        {"columns": {"item1": ITEM}},
        "reject",
        ["column 'item1', line 2: not a whole number ('2.5')"],
    ),
    "tab_number_text.csv": (
        {"columns": {"score": NUMBER}},
        "reject",
        ["lines 2, 3, 4, 5: not a number"],
    ),
    "tab_nan_inf.csv": ({}, "reject", ["lines 2, 3, 4: not a finite number"]),
    "tab_bool_mixed.csv": ({}, "reject", ["lines 2, 3, 4, 5: yes and no are written in several"]),
    "tab_arabic_digits.csv": ({}, "reject", ["lines 2, 3: digits other than 0-9"]),
    "tab_wide_10k_cols.csv": ({}, "reject", ["10,000 columns; at most 2,000"]),
    "tab_long_cell.csv": ({}, "accept", ['"tekst": ["aaaa']),
    "tab_sql_injection.csv": ({}, "reject", ["column 'deelnemer', line 3: an id holds letters"]),
    "tab_trailing_totals.csv": ({}, "reject", ["line 4: holds no value", "line 5: a total stands"]),
    "tab_preamble.csv": ({}, "reject", ["the header seems to be on line 3"]),
    "xls_mixed_dates.xlsx": ({}, "reject", ["cell B3: a serial number", "cell B4: no existing"]),
    "xls_formulas_no_cache.xlsx": ({}, "reject", ["cells B2, B3: formulas without values"]),
    "xls_error_cells.xlsx": ({}, "reject", ["cells B2, B3: Excel reports an error"]),
    "xls_merged_cells.xlsx": ({}, "reject", ["cell A2:A3: merged"]),
    "xls_two_sheets.xlsx": ({"sheet": "Sheet"}, "warn", ["sheet Sheet was read; not read: data2"]),
    "xls_1904_dates.xlsx": ({}, "accept", ['"datum": ["2025-01-01T00:00:00.000"]']),
    "zip_bomb.xlsx": ({}, "reject", ["more than 50 MB unpacked"]),
    "xls_truncated.xlsx": ({}, "reject", ["damaged file"]),
    "xls_is_html.xls": ({}, "reject", ["is a web page, whatever its name says"]),
    "sav_value_labels_incomplete.sav": ({}, "warn", ["without a label were kept (3)", "[1, 2, 3]"]),
    "sav_user_missing.sav": ({}, "accept", ['"score": [12.0, null]', '"value": "99"']),
    "sav_truncated.sav": ({}, "reject", ["damaged file"]),
    "qdpx_ok.qdpx": ("archive", "accept", ["project.qde"]),
    "docx_ok.docx": ("archive", "accept", ["word/document.xml"]),
    "odt_ok.odt": ("archive", "accept", ["content.xml"]),
    "qdpx_slip_dotdot.qdpx": ("archive", "reject", ["leads outside the archive"]),
    "qdpx_slip_abs.qdpx": ("archive", "reject", ["leads outside the archive"]),
    "qdpx_deep_xml.qdpx": ("archive", "reject", ["unpacks to more than 100 times its size"]),
    "qdpx_not_wellformed.qdpx": ("archive", "reject", ["line 2: not well-formed XML"]),
    "qdpx_utf7.qdpx": ("archive", "reject", ["only UTF-8 and UTF-16 are read"]),
    "docx_laughs.docx": ("archive", "reject", ["a document type or entity is declared"]),
    "docx_internal_entity.docx": ("archive", "reject", ["a document type or entity is declared"]),
    "zip_bomb_ratio.qdpx": ("archive", "reject", ["more than 50 MB unpacked"]),
    "zip_lying_size.qdpx": ("archive", "reject", ["damaged file"]),
    "zip_many_members.qdpx": ("archive", "reject", ["6,001 members; at most 5,000"]),
    "zip_overlap.qdpx": ("archive", "reject", ["unpacks to more than 100 times its size"]),
    "zip_dup_names.qdpx": ("archive", "reject", ["two members are called"]),
    "zip_encrypted.qdpx": ("archive", "reject", ["it is encrypted"]),
    "zip_truncated.qdpx": ("archive", "reject", ["damaged file"]),
}
STRICTER = {"tab_dst_time.csv"}


@pytest.fixture(scope="module")
def outcomes(bad_inputs, tmp_path_factory):
    """What came of every file, read in one process of its own."""
    folder = tmp_path_factory.mktemp("empty")
    found = subprocess.run(
        [sys.executable, "-W", "error", __file__, str(bad_inputs)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(expertise.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert not any(folder.iterdir()), "something was written"
    return json.loads(found.stdout)


@pytest.mark.parametrize("name", EXPECTED)
def test_bad_input_meets_its_fate(outcomes, name):
    _, outcome, fragments = EXPECTED[name]
    found = outcomes[name]
    assert found["outcome"] == outcome, found["said"]
    for fragment in fragments:
        assert fragment in found["said"]
    assert found["seconds"] < 5
    assert found["megabytes"] < 300


def test_every_tabular_input_has_its_row_here(bad_inputs):
    with (bad_inputs / "index.csv").open(encoding="utf-8", newline="") as file:
        index = {row["name"]: row for row in csv.DictReader(file)}
    tabular = {name for name, row in index.items() if row["kind"] == "tabular"}
    assert tabular <= set(EXPECTED)
    differing = {name for name in EXPECTED if EXPECTED[name][1] != index[name]["outcome"]}
    assert differing == STRICTER


def read_tabular(path, options):
    problems = check_table(path, **options)
    if problems:
        with pytest.raises(ExpertiseError, match=re.escape(problems[0].message)):
            read_table(path, **options)
        return "reject", list(map(str, problems))
    file = read_table(path, **options)
    notes = [str(note) for note in file.notes]
    if {"deelnemer", "meetmoment", "datum"} <= set(file.table):
        notes += map(
            str, wave_order(file, participant="deelnemer", wave="meetmoment", date="datum")
        )
    source = f'{file.source.encoding} delimiter="{file.source.delimiter}"'
    said = [
        *notes,
        source.replace("\t", "\\t") + f' decimal="{file.source.decimal}"',
        json.dumps(
            {
                name: json.loads(column.to_json(orient="values", date_format="iso"))
                for name, column in file.table.items()
            },
            ensure_ascii=False,
        ),
        file.missing.to_json(orient="records").replace('":"', '": "'),
    ]
    return ("warn" if notes else "accept"), said


def read_archive(path):
    try:
        with Archive(path) as archive:
            for member in archive.names:
                content = archive.read(member)
                if member.endswith((".xml", ".qde")):
                    parse_xml(content, f"{path.name}, {member}")
            return "accept", list(archive.names)
    except ExpertiseError as error:
        return "reject", [str(error)]


def main(folder):
    found = {}
    for name, (options, _, _) in EXPECTED.items():
        start = time.process_time()
        path = Path(folder) / name
        outcome, said = read_archive(path) if options == "archive" else read_tabular(path, options)
        found[name] = {
            "outcome": outcome,
            "said": "\n".join(said),
            "seconds": time.process_time() - start,
            "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
