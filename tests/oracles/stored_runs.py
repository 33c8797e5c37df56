"""Small runs of every study, stored: what steps gave once, and which claims and figures were made of it.

stored/NAME.xz holds the results of a run with tiny settings (weights as zeros, floats to about four digits);
stored/NAME.json the numbers of its claims and what its figures draw. Rewriting how a study decides or draws must leave
these as they are. `PYTHONPATH=src:tests python -m oracles.stored_runs NAME [RUN]` writes them again, from the run
folder RUN where one is given; say why in the commit.
"""

import json
import lzma
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from deeptheory.runs import Page, Results, decide, read_record
from deeptheory.runs.steps import in_order
from deeptheory.studies import find
from deeptheory.studies.pages import page

FOLDER = Path(__file__).parent.parent / "studies" / "stored"
IMAGES = ("reconstructed", "metamers", "drawings", "pictures", "image", "images", "shown")  # stored in few levels


def pack(name: str, run: Path) -> None:
    """The results of a finished run, compactly."""
    record = read_record(run)
    settings = {**record.settings, "seed": record.seed}
    results = Results(run, in_order(find(name).part("steps").STEPS), settings)
    blobs, header = [], {"settings": settings, "scale": record.scale, "steps": {}}
    for step, data in results.items():
        variables = {}
        for variable, values in data.variables.items():
            kept = values.values if variable in data.coords else _compact(str(variable), values.values)
            blobs.append(np.ascontiguousarray(kept).tobytes())
            variables[str(variable)] = [
                list(values.dims),
                list(kept.shape),
                kept.dtype.str,
                values.dtype.str,
                variable in data.coords,
            ]
        header["steps"][step] = {"variables": variables, "attrs": data.attrs, "sizes": dict(data.sizes)}
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.xz").write_bytes(
        lzma.compress(b"\n".join([json.dumps(header).encode(), b"".join(blobs)]), preset=9)
    )


def _compact(name: str, values: np.ndarray) -> np.ndarray:
    if name == "weights":
        return np.zeros(1, dtype=np.float32)
    if values.dtype.kind != "f":
        return values
    if name in IMAGES or values.size > 5000:
        return values.round(1).astype(np.float16)
    return (values.astype(np.float32).view(np.uint32) & np.uint32(0xFFFFF000)).view(
        np.float32
    )  # 11 bits after the point


def load(name: str) -> tuple[dict[str, xr.Dataset], dict[str, Any], str]:
    """Results by step, settings and scale of the stored run."""
    text, data = lzma.decompress((FOLDER / f"{name}.xz").read_bytes()).split(b"\n", 1)
    header, results, at = json.loads(text), {}, 0
    for step, said in header["steps"].items():
        variables, coords = {}, {}
        for variable, (dims, shape, dtype, original, is_coord) in said["variables"].items():
            values = np.frombuffer(data, dtype, count=int(np.prod(shape)), offset=at).reshape(shape).astype(original)
            at += int(np.prod(shape)) * np.dtype(dtype).itemsize
            values = np.broadcast_to(values, [said["sizes"][d] for d in dims])
            (coords if is_coord else variables)[variable] = (dims, values)
        results[step] = xr.Dataset(variables, coords=coords, attrs=said["attrs"])
    return results, header["settings"], header["scale"]


def described(ledger: Any, made: Page) -> dict[str, Any]:
    """The numbers of the claims, and of every figure the columns of its table and the values that it draws."""
    claims = {
        e.id: [e.verdict, e.setting, e.region, e.unit, e.seeds, *map(_digits, (e.measured, e.low, e.high))]
        for e in ledger
    }
    figures = {
        drawn.name: {
            "claims": list(drawn.claims),
            "table": {str(c): _column(drawn.table[c]) for c in drawn.table},
            "drawn": _drawn(drawn.figure),
        }
        for section in made.sections
        for drawn in section.figures
    }
    return {"claims": claims, "figures": figures, "notices": list(made.notices)}


def _digits(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.9g}")


def _column(values: Any) -> list:
    """Rows, and of numbers how many are finite, their mean, and a sum that knows their order;
    of names the different ones."""
    array = np.asarray(values)
    if array.dtype.kind in "fiub":
        array = array.astype(np.float64)
        finite = np.isfinite(array)
        kept = array[finite]
        order = np.cos(np.arange(len(array))[finite])
        return [len(array), int(finite.sum()), _digits(kept.mean() if kept.size else 0.0), _digits(float(kept @ order))]
    names = list(dict.fromkeys(map(str, array)))
    return [len(array), *names[:20]]


def _drawn(figure: Any) -> list[float]:
    """How many finite values all traces draw along y (z of heat maps), their mean and mean square, to three digits."""
    found: list[float] = []
    for trace in figure.data:
        values = getattr(trace, "z" if trace.type == "heatmap" else "y", None) if trace.type != "image" else None
        for v in np.ravel(np.array([] if values is None else list(values), dtype=object)):
            if isinstance(v, int | float | np.number) and np.isfinite(v):
                found.append(float(v))
    array = np.array(found or [0.0])
    return [len(found), *(float(f"{v:.3g}") for v in (array.mean(), (array**2).mean()))]


def measure(name: str) -> dict[str, Any]:
    """What today's claims and figures make of the stored results."""
    results, settings, scale = load(name)
    known = find(name)
    setting = known.claim_setting(scale, settings["protocol"])
    ledger = decide(known.part("claims").CLAIMS, results, scale=scale, setting=setting)
    return described(ledger, page(known.name, known.part("figures"), results, settings, scale, {}))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        pack(sys.argv[1], Path(sys.argv[2]))
    (FOLDER / f"{sys.argv[1]}.json").write_text(json.dumps(measure(sys.argv[1]), ensure_ascii=False, indent=0) + "\n")
