"""One self-contained page: planes, tables, questions and scripts in a file that makes no request and runs under a
strict policy.

In a clone the planes are those of docs/playground; an installed package has those that the questions ask for, and
says so."""

import base64
import gzip
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from deeptheory.core.errors import InputError, StoreError
from deeptheory.core.names import count_of
from deeptheory.core.storage import write_text
from deeptheory.playground.drawing import draw_plane
from deeptheory.playground.grid import BINS, VARIANCES, Setting, grid
from deeptheory.playground.packing import pack_folder, unpack
from deeptheory.playground.questions import answers, told_of
from deeptheory.report.assets import hash_of
from deeptheory.report.page import interval

NAME = "playground.html"
PLANES, TABLES = "planes.gz", "tables.json.gz"  # beside this file; made by docs/make_playground.py
CLONE = Path(__file__).parents[3] / "docs" / "playground" / PLANES
_TABS = (("plane", "Information plane"), ("neuron", "One neuron"), ("gate", "Product gate"))
_FINISH = "deeptheory playground --measure FOLDER measures what is planned."
_SCRIPTS = ("page.js", "plane.js", "curves.js")


def write_playground(out: str | Path = NAME, planes: str | Path | None = None) -> Path:
    """Write the playground, one HTML file that loads nothing else, and return its path.

    The same planes give the same bytes; a file that is there is replaced. planes: a folder that `measure` filled or a
    packed file; default: those that come with the package. InputError: no such file, or a folder to write to that is
    missing. StoreError: planes that cannot be read, or lack the setting that the page opens with, Setting().
    """
    out = Path(out)
    if not out.parent.is_dir():
        raise InputError(f"the page was to be {out}; there is no folder {out.parent}")
    if out.is_dir():
        raise InputError(f"the page was to be {out}, which is a folder; name a file")
    write_text(out, render(packed_planes(planes)))
    return out


def packed_planes(planes: str | Path | None = None) -> bytes:
    """The packed planes of a folder or a file, or those that come with the package. Errors as `write_playground`."""
    if planes is None:
        return CLONE.read_bytes() if CLONE.is_file() else _beside(PLANES)
    planes = Path(planes)
    if planes.is_dir():
        return pack_folder(planes)
    if not planes.is_file():
        raise InputError(f"--planes is {planes}; name a folder that --measure filled, or a file {PLANES}")
    return planes.read_bytes()


def tables() -> dict[str, Any]:
    """What comes with the package beside the planes: one neuron, the gate, verdicts of the stored ledgers."""
    return json.loads(gzip.decompress(_beside(TABLES)))


def render(packed: bytes) -> str:
    """The page of packed planes. StoreError: they cannot be read, or lack the setting that the page opens with."""
    from jinja2 import Environment, StrictUndefined

    header, planes = unpack(packed)
    known, first = tables(), Setting()
    if first.key not in planes:
        raise StoreError(f"the planes lack {first.key}, with which the page opens; --measure FOLDER measures it")
    missing = [s.key for s in grid() if s.key not in planes]
    finish = f"Not in it: {count_of(len(missing), 'planned setting')}; {_FINISH}" if missing else ""
    defaults = {
        **{k: str(v) for k, v in vars(first).items()},
        "readout": "bins-30-run", "epoch": header["epochs"][-1], "hold": "",
        "unit": "tanh", "look": "bins-30", "w": 1, "gate": "softplus", "dtype": "float32", "scale": 0.0625,
    }  # fmt: skip
    data = {
        "defaults": defaults,
        "inputs": 4096,
        "missing": missing,
        "finish": _FINISH,
        **{k: known[k] for k in ("neuron", "gate")},
    }
    style, script = _text("page.css"), "\n".join(_text(name) for name in _SCRIPTS)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["interval"] = interval
    # style attributes: the color of a layer is set on its group
    policy = (
        f"default-src 'none'; script-src {hash_of(script)}; style-src {hash_of(style)}; "
        "style-src-attr 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    )
    protocol = header["protocol"]
    return environment.from_string(_text("page.html.j2")).render(
        policy=policy,
        style=style,
        script=script,
        tabs=_TABS,
        defaults=defaults,
        readouts=_readouts(),
        questions=answers(planes, known),
        told=told_of(protocol["networks"]),
        drawing=draw_plane(planes[first.key]["bins-30-run"], header["epochs"]),
        protocol=protocol,
        networks=protocol["networks"],
        epochs=len(header["epochs"]),
        settings=len(planes),
        planned=len(grid()),
        weights=len(known["neuron"]["w"]),
        version=header["version"],
        finish=finish,
        data=json.dumps(data, separators=(",", ":")).replace("</", "<\\/"),
        planes=base64.b64encode(packed).decode(),
    )


def _readouts() -> list[tuple[str, list[tuple[str, str]]]]:
    """The rows of the readout's buttons: title, (name, text)."""
    return [
        ("bins over the whole run's range", [(f"bins-{n}-run", str(n)) for n in BINS]),
        ("bins over each layer's range", [(f"bins-{n}-layer", str(n)) for n in BINS]),
        ("added noise of variance", [(f"noise-{v}", str(v)) for v in VARIANCES]),
        ("none: every bit of single precision", [("exact", "exact")]),
    ]


def _text(name: str) -> str:
    return files("deeptheory.playground").joinpath(name).read_text(encoding="utf-8")


def _beside(name: str) -> bytes:
    try:
        return files("deeptheory.playground").joinpath(name).read_bytes()
    except OSError as error:
        raise StoreError(f"the package lacks {name} ({error}); install it again") from error
