"""The published forms of claims.json and run.json are the forms of the files that are written and kept."""

import json
from dataclasses import fields
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import deeptheory as dt
from deeptheory.core.storage import CLAIMS_SCHEMA, RUN_SCHEMA
from deeptheory.core.verdicts import SETTINGS, VERDICTS
from deeptheory.runs import Claim, NotRun, Run, Step, decide
from deeptheory.runs.ledger import Entry
from deeptheory.runs.record import Record

DOCS = Path(__file__).parents[1] / "docs"
CLAIMS = json.loads((DOCS / "schemas" / f"claims-{CLAIMS_SCHEMA}.schema.json").read_text())
RUN = json.loads((DOCS / "schemas" / f"run-{RUN_SCHEMA}.schema.json").read_text())
KEPT = sorted(p.parent for p in (DOCS / "ledgers" / "runs").glob("*/run.json"))


def wrong(schema: dict, document: object) -> list[str]:
    return [f"{list(e.absolute_path)}: {e.message}" for e in Draft202012Validator(schema).iter_errors(document)]


def test_the_forms_are_forms_and_state_their_number():
    for schema, number in ((CLAIMS["items"], CLAIMS_SCHEMA), (RUN, RUN_SCHEMA)):
        assert schema["properties"]["schema"]["const"] == number
        assert all(p.get("description") for p in schema["properties"].values())
    for schema in (CLAIMS, RUN):
        Draft202012Validator.check_schema(schema)


def test_they_name_what_the_package_writes():
    said = CLAIMS["items"]["properties"]
    assert list(said) == [f.name for f in fields(Entry)]
    assert said["verdict"]["enum"] == list(VERDICTS)
    assert said["setting"]["enum"] == list(SETTINGS)
    assert list(RUN["properties"]) == ["schema", *(f.name for f in fields(Record))]


@pytest.mark.parametrize("folder", KEPT, ids=[f.name for f in KEPT])
def test_every_ledger_of_the_docs_is_of_that_form(folder):
    assert wrong(RUN, json.loads((folder / "run.json").read_text())) == []
    assert wrong(CLAIMS, json.loads((folder / "claims.json").read_text())) == []


def draw(settings, unit, inputs, workspace, progress):
    import numpy as np
    import xarray as xr

    return xr.Dataset({"value": ("seed", np.arange(8.0))}, coords={"seed": range(8)})


def said(name: str, measure, region: str | None) -> Claim:
    return Claim(
        id=name, figure="", source="s", statement="t", quantity="q", unit="1", region=region, criterion="c",
        protocol="p", measure=measure,
    )  # fmt: skip


def test_a_run_as_it_is_written_is_of_that_form(tmp_path):
    run = Run(tmp_path / "r", study="s", scale="quick", seed=0, settings={"n": 8}, seeds=range(8), command="again")
    results = run.execute([Step(name="draw", function=draw)], progress=False)
    claims = [
        said("mean", lambda r: r["draw"]["value"].values, ">= 0"),
        said("unbounded", lambda r: dt.Estimate(value=1, low=-float("inf"), high=float("inf"), method="m"), ">= 0"),
        said("exact", lambda r: 3, "= 3"),
        said("unjudged", lambda r: r["draw"]["value"].values, None),
        said("undone", lambda r: NotRun("no data"), ">= 0"),
    ]
    ledger = decide(claims, results, scale="quick", command="again", changed={}, setting="published")
    ledger.write(run.folder)
    rows = json.loads((run.folder / "claims.json").read_text())
    assert {r["verdict"] for r in rows} >= {"reproduced", "inconclusive", "measured, not judged", "not run"}
    assert rows[1]["low"] == "-inf"
    assert wrong(CLAIMS, rows) == []
    assert wrong(RUN, json.loads((run.folder / "run.json").read_text())) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [("verdict", "true"), ("schema", 1), ("p", 1.5), ("measured", "nan"), ("seeds", 2.5), ("mine", 0), ("id", "")],
)
def test_another_row_is_refused(key, value):
    rows = json.loads((KEPT[0] / "claims.json").read_text())
    assert wrong(CLAIMS, [{**rows[0], key: value}])
    assert wrong(CLAIMS, [{k: v for k, v in rows[0].items() if k != "note"}])


@pytest.mark.parametrize(
    ("key", "value"),
    [("seed", "0"), ("seeds", [1, 1]), ("settings", {"seed": 0}), ("threads", 0), ("machine", {}), ("host", "mine")],
)
def test_another_record_is_refused(key, value):
    assert wrong(RUN, {**json.loads((KEPT[0] / "run.json").read_text()), key: value})
