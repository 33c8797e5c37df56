"""Files inside the page come out as they went in."""

import base64
import csv
import gzip
import io
import json

import pytest

from deeptheory.report.downloads import as_csv, as_json, link, packed, rounded


def unpacked(made):
    data = base64.b64decode(made["href"].partition(",")[2])
    return gzip.decompress(data).decode() if made["packed"] else data.decode()


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", 'ü,"x, y"\n', "1.0\n" * 50_000])
def test_what_goes_in_comes_out(text):
    made = link("t.csv", text)
    assert unpacked(made) == text
    assert made["name"] == ("t.csv.gz" if made["packed"] else "t.csv")
    assert made["packed"] == (len(text) > 40_000)
    assert made == link("t.csv", text)  # the same bytes each time


def test_a_packed_file_says_so():
    made = packed("f.json", b"{}")
    assert (made["name"], made["packed"], unpacked(made)) == ("f.json.gz", True, "{}")


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("0.123456789", "0.123457"),
        ("12345678", "12345678"),
        ("123456789.25", "1.23457e+08"),
        ("layer1.0.relu#2", "layer1.0.relu#2"),
        ("1.2.3456789", "1.2.3456789"),
        ("nan", "nan"),
        ("", ""),
        ("-0.00012345678", "-0.000123457"),
        ("tanh, variance 0.001000001", "tanh, variance 0.001000001"),
        ("0.5", "0.5"),
    ],
)
def test_numbers_are_shortened_and_names_are_not(cell, kept):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([["name", "x"], [cell, cell]])
    (_, row) = csv.reader(io.StringIO(rounded(out.getvalue())))
    assert row == [kept, kept]


def test_rows_of_the_ledger():
    rows = [{"id": "a", "measured": 1.5, "note": "x, y"}, {"id": "b", "measured": None, "note": ""}]
    assert list(csv.DictReader(io.StringIO(as_csv(rows)))) == [
        {"id": "a", "measured": "1.5", "note": "x, y"},
        {"id": "b", "measured": "", "note": ""},
    ]
    assert as_csv([]) == ""
    assert json.loads(as_json(rows)) == rows
