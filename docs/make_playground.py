"""Pack what the playground shows: python docs/make_playground.py [MEASURED], or --unpack FOLDER

MEASURED, a folder that `deeptheory playground --measure` filled, becomes docs/playground/planes.gz (all of it) and
the package's own planes.gz (what the questions ask for). Without it only tables.json.gz is made again: one neuron,
the gate, and the verdicts of docs/ledgers/runs. --unpack fills FOLDER with the settings of docs/playground/planes.gz,
so that --measure FOLDER measures what they lack."""

import gzip
import json
import sys
from pathlib import Path

from deeptheory.playground.grid import grid
from deeptheory.playground.measuring import read_setting
from deeptheory.playground.packing import pack, pack_folder, unpack_folder
from deeptheory.playground.page import PLANES, TABLES
from deeptheory.playground.questions import QUESTIONS, asked_for
from deeptheory.playground.tables import gate_table, neuron_table

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "deeptheory" / "playground"
KEYS = ("statement", "quantity", "unit", "measured", "low", "high", "region", "verdict", "setting")


def verdicts(runs: Path = ROOT / "docs" / "ledgers" / "runs") -> dict[str, dict]:
    """study/claim -> what the ledger says, of every claim that a question names."""
    out = {}
    for study, claim in sorted({pair for q in QUESTIONS for pair in q.claims}):
        rows = json.loads((runs / study / "claims.json").read_text())
        (row,) = (r for r in rows if r["id"] == claim)
        out[f"{study}/{claim}"] = {"study": study, **{k: row[k] for k in KEYS}}
    return out


def main(measured: str | None = None) -> None:
    found = {"neuron": neuron_table(), "gate": gate_table(), "verdicts": verdicts()}
    (PACKAGE / TABLES).write_bytes(gzip.compress(json.dumps(found, separators=(",", ":")).encode(), 9, mtime=0))
    if measured is None:
        return
    folder, docs = Path(measured), ROOT / "docs" / "playground"
    docs.mkdir(exist_ok=True)
    (docs / PLANES).write_bytes(pack_folder(folder))
    few = [s for s in grid() if s in asked_for() and (folder / f"{s.key}.json").exists()]
    (PACKAGE / PLANES).write_bytes(pack(read_setting(folder / f"{s.key}.json") for s in few))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--unpack"]:
        print(len(unpack_folder((ROOT / "docs" / "playground" / PLANES).read_bytes(), sys.argv[2])), "settings")
    else:
        main(*sys.argv[1:])
