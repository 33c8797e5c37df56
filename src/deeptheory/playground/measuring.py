"""Trains the networks of one setting and reads their planes, one file per setting, so that an interrupted run goes on.

Every number is one of `information_plane`: bits, by network, logged epoch and layer. Pitfall: the run's range is
known only when the run is over, so a setting's activations stay in memory (about 50 MB) until its planes are made.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from deeptheory import __version__
from deeptheory.core.errors import InputError, StoreError
from deeptheory.core.names import pick
from deeptheory.core.storage import read_json, write_text
from deeptheory.playground.grid import PROTOCOL, READOUTS, Setting, grid

SCHEMA = 1
DIGITS = 4  # of bits that are saved
_KEYS = {"setting", "protocol", "epochs", "layers", "range", "train_accuracy", "test_accuracy", "planes"}


def measure(
    folder: str | Path,
    settings: Sequence[Setting] | None = None,
    protocol: dict[str, Any] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> list[Path]:
    """Train and read the settings (default: the whole grid) that have no file in the folder yet; the paths of all.

    One file KEY.json each: under "planes" i_x and i_y [network, epoch, layer] and floor [epoch, layer], in bits to four
    decimals, for each of READOUTS; train_accuracy and test_accuracy [network, epoch]. Killed, it goes on where it was.
    protocol: changes to PROTOCOL, whose seed decides all that is random. say: told of every setting as it is finished.
    InputError: the folder is a file, an unknown key in protocol, or what training refuses. StoreError: a file of
    another protocol, or one that cannot be read or written.
    """
    for name in protocol or {}:
        pick(PROTOCOL, name, what="key of the protocol")
    folder, protocol = Path(folder), PROTOCOL | (protocol or {})
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is no folder; name one to measure into")
    wanted = grid() if settings is None else list(settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)  # before anything is trained
    except OSError as error:
        raise StoreError(f"{folder} cannot be made ({error.strerror}); name another folder") from error
    for k, setting in enumerate(wanted, start=1):
        path = folder / f"{setting.key}.json"
        if path.exists():
            read_setting(path, protocol)
            continue
        found = planes(setting, protocol)
        try:
            text = json.dumps(found, separators=(",", ":"), allow_nan=False)
        except ValueError as error:
            raise InputError(f"{setting.key} gave values that are not finite; take a smaller lr") from error
        write_text(path, text + "\n")
        say(f"{k} of {len(wanted)}: {setting.key}")
    return [folder / f"{setting.key}.json" for setting in wanted]


def read_setting(path: Path, protocol: dict[str, Any] | None = None) -> dict[str, Any]:
    """What `planes` gave, from its file. StoreError: missing, damaged, or measured under another protocol or form."""
    found = read_json(path, "measured setting")
    if not isinstance(found, dict) or found.get("schema") != SCHEMA or not found.keys() >= _KEYS:
        raise StoreError(f"{path.name} is of another form than this version reads; delete it to measure it again")
    key = key_of(found)
    if key != path.stem:
        raise StoreError(f"{path.name} holds the setting {key}; give it its name again, or delete it")
    if protocol is not None and found["protocol"] != protocol:
        changed = [k for k in protocol if found["protocol"].get(k) != protocol[k]]
        raise StoreError(
            f"{path.name} was measured under another protocol ({', '.join(changed)}); delete it, or name another folder"
        )
    return found


def key_of(measured: dict[str, Any]) -> str:
    """`Setting.key` of what was measured."""
    return "-".join(str(v) for v in measured["setting"].values())


def planes(setting: Setting, protocol: dict[str, Any]) -> dict[str, Any]:
    """Train the setting's networks and read every plane.

    planes: readout -> i_x, i_y, nested lists [network, epoch, layer] of bits rounded to four decimals, and floor
    [epoch, layer]: I of T with labels permuted once more, after training, the mean over networks (for noise the first
    network's). train_accuracy, test_accuracy: [network, epoch]. range: least and largest activation of the whole run,
    which the readouts "run" bin."""
    import deeptheory as dt
    from deeptheory.runs import generator, members

    data, seed = dt.datasets.icosahedron(), protocol["seed"]
    order = generator(seed, "shuffled labels").permutation(len(data.y))
    y = data.y[order] if setting.labels == "permuted" else data.y
    nets = dt.networks.Population.mlp(
        setting.widths, setting.activation, seeds=members(seed, protocol["networks"]), init=protocol["init"]
    )
    recorder = dt.Recorder(nets, data.x, y, layers="layer*")
    history = dt.networks.fit(
        nets,
        data.x,
        y,
        train_fraction=setting.share / 100,
        optimizer=protocol["optimizer"],
        lr=protocol["lr"],
        batch=protocol["batch"] if setting.batch == "mini" else None,
        epochs=protocol["epochs"],
        reshuffle=protocol["reshuffle"],
        drop_last=protocol["drop_last"],
        recorder=recorder,
        record_at=dt.networks.log_epochs(protocol["epochs"], protocol["points"]),
        seed=seed,
    )
    recording = recorder.recording
    few = generator(seed, "noise readout").permutation(len(y))[: protocol["noise_inputs"]]
    others = y[generator(seed, "floor").permutation(len(y))]
    read = {name: _plane(name, recording, y, others, np.sort(few)) for name in READOUTS}
    return {
        "schema": SCHEMA,
        "version": __version__,
        "setting": asdict(setting),
        "protocol": protocol,
        "epochs": [int(step) for step in recording.steps],
        "layers": list(recording.layers),
        "range": [float(end) for end in _range(recording)],
        "train_accuracy": _rounded(history.train_accuracy),
        "test_accuracy": _rounded(history.test_accuracy),
        "planes": {
            name: {"i_x": _rounded(i_x), "i_y": _rounded(i_y), "floor": _rounded(floor)}
            for name, (i_x, i_y, floor) in read.items()
        },
    }


def _plane(name: str, recording: Any, y: np.ndarray, others: np.ndarray, few: np.ndarray) -> tuple[np.ndarray, ...]:
    """I(X;T) and I(T;Y) in bits, [network, epoch, layer], of a readout of READOUTS, and its I(T;other labels),
    [epoch, layer]."""
    import deeptheory as dt

    kind, *rest = name.split("-")
    if kind == "noise":
        return _noisy(dt.GaussianNoise(float(rest[0]) ** 0.5), recording, y[few], others[few], few)
    readout = dt.Exact() if kind == "exact" else dt.Binning(int(rest[0]), "global" if rest[1] == "run" else "layer")
    plane = dt.information_plane(recording, readout=readout)
    return plane.i_x, plane.i_y, dt.information_plane(recording, readout=readout, targets=others).i_y.mean(0)


def _noisy(readout: Any, recording: Any, y: np.ndarray, others: np.ndarray, few: np.ndarray) -> tuple[np.ndarray, ...]:
    """The same over some of the inputs, whose labels are y."""
    steps, layers = recording.steps, recording.layers
    out, floor = np.empty((2, len(recording.seeds), len(steps), len(layers))), np.empty((len(steps), len(layers)))
    for t, step in enumerate(steps):
        for k, layer in enumerate(layers):
            a = recording.activations(layer, step)[:, few]
            row = readout.summarize(a, y)
            out[:, :, t, k] = row["i_x"], row["i_y"]
            floor[t, k] = readout.summarize(a[:1], others)["i_y"][0]
    return out[0], out[1], floor


def _range(recording: Any) -> tuple[float, float]:
    seen = [recording.activations(layer, step) for step in recording.steps for layer in recording.layers]
    return min(float(a.min()) for a in seen), max(float(a.max()) for a in seen)


def _rounded(values: np.ndarray) -> list:
    return np.round(values, DIGITS).tolist()
