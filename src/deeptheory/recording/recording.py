"""Recording: what a Recorder kept, labeled over seed, step, layer, sample, unit; in memory, or streamed to a folder.

On disk: recording.json (schema, seeds, layers, which inputs), activations/STEP.npy with STEP.json (`steps.py`), one
zarr group a readout in summaries/K, and gradients; each written under a temporary name and renamed, with checksums.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from deeptheory.core.arrays import as_numpy
from deeptheory.core.errors import InputError, StoreError
from deeptheory.core.names import unknown
from deeptheory.core.notebook import block
from deeptheory.core.places import local_place
from deeptheory.core.shapes import as_step
from deeptheory.core.storage import read_dataset, read_json, write_dataset, write_text
from deeptheory.recording.entering import check_shapes, real, seeds_of
from deeptheory.recording.identity import digest_of, key_of, some_of
from deeptheory.recording.joining import joined
from deeptheory.recording.steps import StepWriter, forget, read_layer, steps_in

if TYPE_CHECKING:
    import xarray

SCHEMA = 2
_ABOUT = "recording.json"
_FORM = dict.fromkeys(("seeds", "layers", "readouts", "keys"), list)
_FORM |= {"inputs": int, "distinct": int, "fingerprint": str}


class Recording:
    """Activations [seed, sample, unit] by step and layer, or the readouts' summaries of them [seed, step, layer].

    Made by a Recorder, `load` or `concatenate`. Attributes: seeds, steps, layers (in the order of the forward pass),
    targets ([n], [n, class] or None), readouts (names of those whose summaries were kept, () where activations were),
    keys (their types and values, by which they are found), inputs (their number), distinct (how many of them differ),
    fingerprint (a checksum of the inputs, "" where unknown), gradients (Dataset [seed, step, layer] of a
    GradientRecorder, or None). store: a folder that receives every step at once; only its names stay in memory.
    Activations keep the model's dtype; bfloat16 is stored as float32, exactly.
    StoreError: the store holds another recording, something else, or is corrupt.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        targets: np.ndarray | None = None,
        *,
        readouts: Sequence[str] = (),
        inputs: int = 0,
        distinct: int = 0,
        fingerprint: str = "",
        store: str | Path | None = None,
        keys: Sequence[str] | None = None,
    ):
        self.seeds, self.targets, self.readouts = seeds_of(seeds), targets, tuple(readouts)
        self.keys = self.readouts if keys is None else tuple(keys)
        self.inputs, self.distinct, self.fingerprint = inputs, distinct, fingerprint
        self.layers: tuple[str, ...] = ()
        self.gradients: xarray.Dataset | None = None
        self._activations: dict[int, dict[str, torch.Tensor] | None] = {}  # None: on disk
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._summaries: dict[int, dict[str, dict[str, dict[str, np.ndarray]]]] = {}
        self._store = None if store is None else local_place(store, "store")
        if self._store is not None:
            self._open()

    def __repr__(self) -> str:
        kept = f"summaries of {', '.join(self.readouts)}" if self.readouts else "activations"
        where = f", in {self._store.name}" if self._store else ""
        sizes = f"{len(self.seeds)} networks, {len(self.steps)} steps, {len(self.layers)} layers, {self.inputs} inputs"
        return f"Recording({sizes}: {kept}{where})"

    def _repr_html_(self) -> str:
        import pandas as pd

        held = next((layers for layers in self._activations.values() if layers), {})
        table = pd.DataFrame({"layer": list(self.layers)})
        if held:
            table["units"] = [held[name].shape[-1] for name in self.layers]
        said = [f"steps {some_of(self.steps)}"] if self.steps else ["nothing was recorded yet; call snapshot(step)"]
        return block(repr(self), table, said, all_rows=".layers names all")

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps recorded, in increasing order."""
        return tuple(sorted(self._summaries if self.readouts else self._activations))

    @property
    def has_activations(self) -> bool:
        """Whether activations are what is kept, rather than summaries."""
        return not self.readouts

    def activations(self, layer: str, step: int | None = None) -> torch.Tensor:
        """[seed, sample, unit] at a step, or [seed, step, sample, unit] of all; a copy on the CPU.

        InputError: unknown layer or step, or only summaries were kept. StoreError: the stored step is corrupt.
        """
        if self.readouts:
            raise InputError(f"only summaries were kept ({', '.join(self.readouts)}); record without readouts=")
        if layer not in self.layers:
            raise InputError(unknown(layer, self.layers, what="layer"))
        if step is None:
            return torch.stack([self.activations(layer, s) for s in self.steps], dim=1)
        step = as_step(step)
        if step not in self._activations:
            raise InputError(f"step {step} was not recorded; recorded: {some_of(self.steps)}")
        held = self._activations[step]
        if held is None:
            assert self._store is not None
            return torch.as_tensor(read_layer(self._store / "activations", step, layer, self.layers))
        return held[layer].clone()  # the caller may change it

    def summary(self, readout: Any) -> "xarray.Dataset":
        """What a readout (or its name among .readouts) gave, over [seed, step, layer], float64, information in bits.

        Variables as the readout's summarize names them. InputError: it was not kept, or nothing is recorded yet.
        """
        import xarray as xr

        name = readout if isinstance(readout, str) else self.named(readout)
        if name not in self.readouts:
            raise InputError(unknown(name or repr(readout), self.readouts, what="readout kept"))
        if not self._summaries:
            raise InputError("nothing was recorded yet; call snapshot(step) first")
        rows = [self._summaries[step][name] for step in self.steps]
        keys = rows[0][self.layers[0]]
        arrays = {k: np.stack([[row[layer][k] for layer in self.layers] for row in rows]) for k in keys}
        return xr.Dataset(
            {k: (("seed", "step", "layer"), np.moveaxis(a, -1, 0)) for k, a in arrays.items()},
            coords={"seed": list(self.seeds), "step": list(self.steps), "layer": list(self.layers)},
            attrs={"readout": name},
        )

    def named(self, readout: Any) -> str | None:
        """The name under which this readout was kept, found by its type and values; None where it was not."""
        key = key_of(readout)
        return self.readouts[self.keys.index(key)] if key in self.keys else None

    def dataset(self) -> "xarray.Dataset":
        """One Dataset: the only readout's summary, or activations, one variable per layer over its own unit axis.

        Those have dims seed, step, sample, "unit of LAYER"; bfloat16 as float32.
        InputError: several readouts (use summary), or nothing recorded.
        """
        import xarray as xr

        if len(self.readouts) > 1:
            raise InputError(f"{len(self.readouts)} readouts were kept; use .summary(readout) or .datatree()")
        if self.readouts:
            return self.summary(self.readouts[0])
        if not self.steps:
            raise InputError("nothing was recorded yet; call snapshot(step) first")
        data = {
            layer: (("seed", "step", "sample", f"unit of {layer}"), as_numpy(self.activations(layer)))
            for layer in self.layers
        }
        return xr.Dataset(data, coords={"seed": list(self.seeds), "step": list(self.steps)})

    def datatree(self) -> Any:
        """xarray.DataTree of all that was kept: /activations/LAYER, or /summaries/READOUT, and /gradients.

        A "/" in a layer's name becomes "|". InputError: readouts, and nothing recorded yet.
        """
        import xarray as xr

        parts: dict[str, Any] = {}
        if self.readouts:
            parts |= {f"summaries/{name}": self.summary(name) for name in self.readouts}
        else:
            for layer in self.layers:
                values = as_numpy(self.activations(layer))
                coords = {"seed": list(self.seeds), "step": list(self.steps)}
                data = {"activation": (("seed", "step", "sample", "unit"), values)}
                parts[f"activations/{layer.replace('/', '|')}"] = xr.Dataset(data, coords=coords)
        if self.gradients is not None:
            parts["gradients"] = self.gradients
        return xr.DataTree.from_dict(parts)

    # growing, for the Recorder

    def check_new(self, step: int) -> None:
        """InputError: the step is recorded already."""
        if step in self.steps:
            raise InputError(f"step {step} is recorded already; give every snapshot a step of its own")

    def add(self, step: int, activations: dict[str, Any]) -> None:
        """Take one step's activations, [seed, sample, unit] by layer, copied; NaN and infinity stay, the masked is NaN.

        InputError: the step is there or no integer, no layer, no real numbers, other layers than before, a shape that
        is not that of a layer of these seeds and inputs, or other than at the steps added before.
        """
        self.take(step, {name: real(name, values).clone() for name, values in activations.items()})

    def take(self, step: int, activations: dict[str, torch.Tensor]) -> None:
        """As add, without a copy: the tensors [seed, sample, unit] are the recording's from now on.

        activations: [seed, sample, unit] by layer. InputError: as add.
        """
        step = as_step(step)
        self.check_new(step)
        if self._store is None:
            self._fits(step, {name: tuple(values.shape) for name, values in activations.items()})
            self._activations[step] = activations
            return
        with self.writing(step, {k: (tuple(v.shape), as_numpy(v[:0]).dtype) for k, v in activations.items()}) as writer:
            for name, values in activations.items():
                writer.put(name, 0, values)

    @contextmanager
    def writing(self, step: int, layers: dict[str, tuple[tuple[int, ...], np.dtype]]) -> Iterator[StepWriter]:
        """A step of the store, filled batch by batch inside the block; not there at all if that fails.

        layers: (shape [seed, sample, unit], dtype) by name. InputError: other layers than at earlier steps. StoreError:
        the disk is full. Only for a recording with a store.
        """
        assert self._store is not None
        self._fits(step, {name: shape for name, (shape, _) in layers.items()})
        if not (self._store / _ABOUT).exists() or not self._activations:
            self._write_about(self._store)
        writer = StepWriter(self._store / "activations", step)
        try:
            writer.reserve(layers)
            yield writer
            writer.close()
        except BaseException:
            writer.abandon()
            raise
        self._activations[step] = None

    def add_summaries(self, step: int, rows: dict[str, dict[str, dict[str, Any]]]) -> None:
        """Take one step's summaries: readout -> layer -> name -> [seed], kept as float64.

        InputError: the step is there already, or other layers than before.
        """
        self.check_new(step)
        self.same_layers(step, next(iter(rows.values())))
        self._summaries[step] = {
            readout: {
                layer: {k: np.asarray(v, dtype=np.float64) for k, v in got.items()} for layer, got in by_layer.items()
            }
            for readout, by_layer in rows.items()
        }

    def _fits(self, step: int, shapes: dict[str, tuple[int, ...]]) -> None:
        n = self.inputs or (0 if self.targets is None else len(self.targets))
        check_shapes(step, shapes, len(self.seeds), n, self._shapes)
        self.same_layers(step, shapes)
        self._shapes |= shapes

    def same_layers(self, step: int, found: Iterable[str]) -> None:
        """Take the layers' names from the first step. InputError: a later one shows others."""
        if self.layers and tuple(found) != self.layers:
            raise InputError(f"step {step} shows layers {list(found)}, earlier steps {list(self.layers)}")
        self.layers = tuple(found)

    def identity(self) -> dict[str, Any]:
        """What two parts of one recording share: seeds, readouts' keys, and checksums of inputs and targets."""
        inputs = self.fingerprint or self.inputs
        return {
            "seeds": list(self.seeds),
            "readouts": list(self.keys),
            "inputs": inputs,
            "targets": digest_of(self.targets),
        }

    # disk

    def save(self, path: str | Path) -> None:
        """Write all of it into a folder, step by step; a folder that holds the same recording gets the steps it lacks.

        Summaries and gradients there are replaced. The same: seeds, layers, readouts, inputs and targets.
        StoreError: the folder holds another recording, or the disk is full; what was there stays.
        """
        path = local_place(path, "path")
        if path == self._store:
            return
        if (path / _ABOUT).exists():
            self._same(_about(path), path)
        self._write_about(path)
        for step in self.steps if self.has_activations else ():
            if step not in steps_in(path / "activations"):
                self._write_step(path, step)
        for k, name in enumerate(self.readouts):
            if self._summaries:
                write_dataset(self.summary(name), path / "summaries" / str(k))
        if self.gradients is not None:
            write_dataset(self.gradients, path / "gradients")

    @classmethod
    def load(cls, path: str | Path) -> "Recording":
        """The recording in a folder, as `save` or a Recorder's store= wrote it; activations stay there until asked for.

        Steps added to one with activations go to the folder, too. StoreError: missing, corrupt, or of another schema.
        """
        path = local_place(path, "path")
        about = _about(path)
        names = ("readouts", "inputs", "distinct", "fingerprint", "keys")
        out = cls(about["seeds"], **{name: about[name] for name in names})
        out.layers = tuple(about["layers"])
        if (path / "targets").exists():
            out.targets = read_dataset(path / "targets")["targets"].values
        if (path / "gradients").exists():
            out.gradients = read_dataset(path / "gradients")
        if not out.readouts:
            out._store = path
            out._activations = dict.fromkeys(steps_in(path / "activations"))
        for k, name in enumerate(out.readouts):
            if (path / "summaries" / str(k)).exists():
                out._take_summary(name, read_dataset(path / "summaries" / str(k)))
        return out

    @classmethod
    def concatenate(cls, recordings: Sequence["Recording"], dim: Literal["seed", "step"] = "seed") -> "Recording":
        """Join recordings of the same inputs and layers along "seed" (other networks) or "step" (later snapshots).

        A new one in memory, seeds in the order given, steps ascending; gradients where all have them, with batches
        [seed, step, layer]. InputError: none given, another dim, they differ in layers, readouts, inputs or targets, or
        (along "seed") in steps, (along "step") in seeds; a seed or step twice; gradients of other steps or layers.
        """
        return joined(cls, recordings, dim)

    def forget_after(self, steps: Sequence[int]) -> None:
        """Keep only these steps' activations, in memory and in the store; summaries are not touched.

        Those after a checkpoint are recorded again when training goes on from it.
        """
        for step in set(self._activations) - set(steps):
            if self._activations.pop(step) is None and self._store is not None:
                forget(self._store / "activations", step)

    def _open(self) -> None:
        assert self._store is not None
        if (self._store / _ABOUT).exists():
            about = _about(self._store)
            self._same(about, self._store)
            self.layers = tuple(about["layers"])
            self._activations = dict.fromkeys(steps_in(self._store / "activations"))
        elif self._store.exists() and (not self._store.is_dir() or any(self._store.iterdir())):
            raise StoreError(f"{self._store.name} is not empty and holds no recording; choose another folder")

    def _same(self, about: dict, path: Path) -> None:
        mine = {**self.identity(), "layers": list(self.layers)}
        theirs = {**about, "inputs": about["fingerprint"] or about["inputs"], "readouts": about["keys"]}
        differ = [k for k in mine if mine[k] != theirs[k] and not (k == "layers" and not (mine[k] and theirs[k]))]
        if differ:
            raise StoreError(
                f"{path.name} holds a recording that differs in {', '.join(differ)}; choose another folder"
            )

    def _write_about(self, path: Path) -> None:
        if self.targets is not None and not (path / "targets").exists():
            import xarray as xr

            axes = ("sample", "class")[: self.targets.ndim]
            write_dataset(xr.Dataset({"targets": (axes, self.targets)}), path / "targets")
        names = ("seeds", "layers", "readouts", "keys", "inputs", "distinct", "fingerprint")
        about = {"schema": SCHEMA, **{n: getattr(self, n) for n in names}, "targets": digest_of(self.targets)}
        write_text(path / _ABOUT, json.dumps(about, indent=1))

    def _write_step(self, path: Path, step: int) -> None:
        writer = StepWriter(path / "activations", step)
        held = {layer: self.activations(layer, step) for layer in self.layers}
        writer.reserve({k: (tuple(v.shape), as_numpy(v[:0]).dtype) for k, v in held.items()})
        for name, values in held.items():
            writer.put(name, 0, values)
        writer.close()

    def _take_summary(self, name: str, data: "xarray.Dataset") -> None:
        for t, step in enumerate(data["step"].values.tolist()):
            by_layer = {
                layer: {str(k): v.values[:, t, j] for k, v in data.data_vars.items()}
                for j, layer in enumerate(self.layers)
            }
            self._summaries.setdefault(step, {})[name] = by_layer


def _about(path: Path) -> dict[str, Any]:
    about = read_json(path / _ABOUT, "recording")
    schema = about.get("schema") if isinstance(about, dict) else None
    if schema != SCHEMA:
        raise StoreError(f"{path.name} has schema {schema}; this version reads {SCHEMA}: record again")
    lost = [name for name, kind in _FORM.items() if not isinstance(about.get(name), kind)]
    lost += [] if lost or all(isinstance(s, int) for s in about["seeds"]) else ["seeds"]
    if lost:
        raise StoreError(f"{path.name}/{_ABOUT} is damaged in {', '.join(lost)}; record again")
    return about
