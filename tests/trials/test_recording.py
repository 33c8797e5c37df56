"""Looking into models: what a Recorder's numbers promise, tried. Nothing here is random but the data, so there is no
null but the label statistics'; truth is torch itself, run by hand."""

from copy import deepcopy
from itertools import pairwise

import numpy as np
import torch
from torch import nn

import deeptheory as dt
from deeptheory.information import ClassStatistics
from trials.frame import Found, Row, all_of, near, quick, refused, same, uniform


def net(rng, widths=(6, 9, 5, 3)):
    torch.manual_seed(int(rng.integers(2**31)))
    layers = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def probe(rng, n=40, width=6):
    return torch.tensor(rng.normal(size=(n, width)), dtype=torch.float32), rng.integers(0, 3, n)


def moved(rng, draws):
    """A model of another dtype at the next snapshot is refused by name, before anything is kept;
    moved back it goes on."""
    found = []
    models = {
        "linear": (net(rng), (6,)),
        "conv": (nn.Sequential(nn.Conv1d(1, 3, 2), nn.BatchNorm1d(3), nn.ReLU()), (1, 6)),
        "recurrent": (nn.GRU(6, 3, batch_first=True), (2, 6)),
        "transformer": (nn.TransformerEncoderLayer(6, 2, 8, batch_first=True), (2, 6)),
    }
    for name, (model, shape) in models.items():
        x, y = torch.tensor(rng.normal(size=(20, *shape)), dtype=torch.float32), rng.integers(0, 2, 20)
        for dtype, batch, readouts in (
            (torch.float64, None, None),
            (torch.float16, 7, dt.Binning(3)),
            (torch.bfloat16, None, dt.Exact()),
        ):
            recorder = dt.Recorder(model, x, y, readouts=readouts, batch=batch)
            recorder.snapshot(0)
            model.to(dtype)
            found.append(refused(lambda r=recorder: r.snapshot(1), "does not take these inputs"))
            model.float()
            recorder.snapshot(2)
            found.append(
                Found(f"{name}: steps {recorder.recording.steps}", "0 and 2", recorder.recording.steps == (0, 2))
            )
    return all_of(*found)


def by_hand(rng, draws):
    """activations against the layers called one after the other."""
    found = []
    for n in (1, 2, 33):
        model, (x, _) = net(rng), probe(rng, n)
        recorder = dt.Recorder(model, x)
        recorder.snapshot(0)
        h = x
        with torch.no_grad():
            for k, layer in enumerate(model):
                h = layer(h)
                name = str(k) if k in (1, 3) else "output" if k == 4 else None
                if name:
                    got = recorder.recording.activations(name, 0)[0]
                    found.append(near(got.numpy(), h.numpy(), 0, f"n = {n}, {name}: "))
    return all_of(*found)


def batches(rng, draws):
    model, (x, y) = net(rng), probe(rng)
    readouts = [dt.Exact(), dt.Binning(4), dt.Binning(4, "unit"), dt.Quantized(3), ClassStatistics()]
    rows = []
    for batch in (None, 1, 7, 39):
        recorder = dt.Recorder(model, x, y, readouts=readouts, batch=batch)
        recorder.snapshot(0)
        rows.append([recorder.recording.summary(r)[k].values for r in readouts[1:4] for k in ("i_x", "i_y")])
    return same(rows, 1e-9)


def who_calls(rng, draws):
    """Modes, threads, default dtype, who called before: the same. The model has layers to which its mode matters."""
    model, (x, y) = net(rng), probe(rng)
    model = nn.Sequential(nn.BatchNorm1d(6), nn.Dropout(0.4), *model)
    model(x + 2)  # running statistics that are not those of the probe

    def values():
        recorder = dt.Recorder(model, x, y)
        recorder.snapshot(0)
        return torch.cat([recorder.recording.activations(name, 0).flatten() for name in recorder.recording.layers])

    model.eval()
    out, threads = [values()], torch.get_num_threads()
    model.train()
    with torch.no_grad():  # a copy, whose running statistics that pass moves
        moved = float((deepcopy(model)(x) - out[0][-3 * len(x) :].reshape(-1, 3)).abs().max())
    out.append(values())
    with torch.inference_mode():
        out.append(values())
    with torch.no_grad():
        out.append(values())
    for dtype in (torch.float64, torch.bfloat16):
        torch.set_default_dtype(dtype)
        try:
            out.append(values())
        finally:
            torch.set_default_dtype(torch.float32)
    torch.set_num_threads(2 if threads == 1 else 1)
    out.append(values())
    torch.set_num_threads(threads)
    return all_of(same(out, 1e-6), Found(f"its own output in train mode is {moved:.2g} away", "above .1", moved > 0.1))


def forms(rng, draws):
    model, (x, _) = net(rng), probe(rng)
    given = (
        x,
        x.numpy(),
        x.double().numpy(),
        list(x),
        x.tolist(),
        torch.utils.data.TensorDataset(x),
        x.t().contiguous().t(),
    )
    return same([dt.Recorder(model, g).activations()["output"].numpy() for g in given], 1e-6)


def order_of_samples(rng, draws):
    model, (x, y) = net(rng), probe(rng)
    turn = rng.permutation(len(x))
    r = [dt.Exact(), dt.Binning(3), ClassStatistics()]
    out = []
    for a, b in ((x, y), (x[turn], y[turn])):
        recorder = dt.Recorder(model, a, b, readouts=r)
        recorder.snapshot(0)
        out.append([recorder.recording.summary(q)[k].values for q, k in zip(r, ("i_y", "i_y", "separation"))])
    return same(out, 1e-5)


def stored(rng, draws):
    import tempfile
    from pathlib import Path

    model, (x, y) = net(rng), probe(rng)
    out = []
    with tempfile.TemporaryDirectory() as folder:
        for k, how in enumerate(({}, {"store": Path(folder) / "a"}, {"store": Path(folder) / "b", "batch": 7})):
            recorder = dt.Recorder(model, x, y, **how)
            recorder.snapshot(0), recorder.snapshot(3)
            recording = recorder.recording
            recording.save(Path(folder) / f"s{k}")
            for r in (recording, dt.Recording.load(Path(folder) / f"s{k}")):
                out.append(torch.cat([r.activations(name, s).flatten() for name in r.layers for s in (0, 3)]).numpy())
    return same(out, 1e-6)


def preview_is_what_is_recorded(rng, draws):
    model, (x, _) = net(rng), probe(rng, 12)
    table = dt.layers(model, x).table().set_index("name")
    recorder = dt.Recorder(model, x)
    found = recorder.activations()
    ok = set(table.index[table.kept]) == set(found) and all(
        table.bytes[k] == a.numel() * a.element_size() for k, a in found.items()
    )
    return Found(f"{len(found)} layers, bytes {'as said' if ok else 'others'}", "the same layers and bytes", ok)


def cost_is_what_is_held(rng, draws):
    model, (x, y) = net(rng), probe(rng, 50)
    whole = dt.Recorder(model, x, batch=8)
    lean = dt.Recorder(model, x, y, readouts=[dt.Exact(), dt.Binning(3)], batch=8)
    held = sum(a.numel() * a.element_size() for a in whole.activations().values())
    keys = 2 * 16 * 50 * 3  # two readouts, 16 bytes a sample, three layers
    units, classes = 9 + 5 + 3, len(np.unique(y))
    alone = {
        dt.Quantized(3): 16 * 50 * 3,
        dt.Quantized(3, "unit"): 16 * 50 * 3 + 16 * units,  # the ends of every unit
        dt.Binning(4, "unit"): 16 * 50 * 3 + units * 8 * (3 + 4),  # ends, width and edges of every unit
        dt.Binning(4, "unit", spacing="count"): 4 * 50 * units,  # the float32 numbers themselves
        ClassStatistics(): units * 8 * (classes + 1),  # float64 sums of every class, and of squares
    }
    each = [near(dt.Recorder(model, x, y, readouts=r).cost().held, n, 0, f"{r}: ") for r, n in alone.items()]
    total = near([whole.cost().held, lean.cost().held, lean.cost().passes, lean.cost().batches], [held, keys, 2, 7], 0)
    return all_of(total, *each)


def gradients(rng, draws):
    """Moments of minibatch gradients against those of the stacked gradients."""
    found = []
    for batches_ in (2, 5, 12):
        model, (x, _) = net(rng), probe(rng, 60)
        recorder, seen = dt.GradientRecorder(model), []
        for part in x.chunk(batches_):
            model.zero_grad()
            model(part).square().mean().backward()
            recorder.collect()
            seen.append(model[2].weight.grad.double().flatten())
        recorder.snapshot(0)
        g, at = torch.stack(seen), recorder.dataset().sel(layer="2").isel(seed=0, step=0)
        found.append(
            near(
                [float(at.mean_norm) / float(g.mean(0).norm()), float(at.std_norm) / float(g.var(0).sum().sqrt())],
                1,
                1e-6,
            )
        )
    return all_of(*found)


def gradient_noise(rng, draws):
    """Pure noise of B minibatches: mean^2 over variance is 1 / B in the mean (unbiased covariance)."""
    ratios = []
    for _ in range(draws):
        layer = nn.Linear(30, 20, bias=False)
        recorder = dt.GradientRecorder(layer)
        for _ in range(8):
            layer.weight.grad = torch.tensor(rng.normal(size=(20, 30)), dtype=torch.float32)
            recorder.collect()
        recorder.snapshot(0)
        at = recorder.dataset()
        ratios.append((at.mean_norm**2 / at.std_norm**2).item())
    return near(np.mean(ratios), 1 / 8, 5 * 0.125 * np.sqrt(2 / 600 / draws) * 1.2)


def gradient_scale(rng, draws):
    out = []
    model, (x, _) = net(rng), probe(rng)
    for c in (1e-12, 1.0, 1e12):
        recorder = dt.GradientRecorder(model)
        for part in x.chunk(4):
            model.zero_grad()
            (model(part).square().mean() * c).backward()
            recorder.collect()
        recorder.snapshot(0)
        at = recorder.dataset()
        out.append((at.mean_norm / at.std_norm).values)
    return same(out, 1e-4)


def separation_null(units):
    """Labels without meaning: the mean separation is 0."""

    def check(rng, draws):
        found = []
        for _ in range(draws):
            a = np.maximum(rng.normal(size=(1, 60, units)), 0)
            found.append(float(ClassStatistics().summarize(a, rng.integers(0, 6, 60))["separation"][0]))
        spread = np.std(found, ddof=1) / np.sqrt(draws)
        return near(np.mean(found), 0, 4 * spread)

    return check


def separation_ranks(rng, draws):
    """Among permuted labels the separation of labels without meaning ranks uniformly."""
    p = []
    for _ in range(draws):
        a, y = rng.normal(size=(1, 40, 4)), np.arange(40) % 4
        seen, *others = [float(ClassStatistics().summarize(a, rng.permutation(y))["separation"][0]) for _ in range(100)]
        p.append((1 + sum(o >= seen for o in others)) / 100)
    return uniform(p)


def separation_truth(rng, draws):
    """Class means N(0, s^2) and noise N(0, 1) in 50 units: s^2 / (1 + s^2), within what 30 classes give."""
    found = []
    for s in (0.5, 1.0, 2.0):
        y = np.repeat(np.arange(30), 40)
        a = s * rng.normal(size=(30, 50))[y] + rng.normal(size=(1200, 50))
        found.append(near(ClassStatistics().summarize(a[None], y)["separation"], s**2 / (1 + s**2), 0.06))
    return all_of(*found)


def separation_units(rng, draws):
    a, y = rng.normal(size=(1, 80, 7)), rng.integers(0, 3, 80)
    a = a + y[:, None]
    said = np.array(["x", "y", "z"])
    turn = rng.permutation(7)
    out = [
        ClassStatistics().summarize(a * c + d, said[y])["separation"]
        for c, d in ((1, 0), (1e-100, 0), (1e100, 0), (-3, 1e6))
    ]
    return same([*out, ClassStatistics().summarize(a[:, :, turn], y)["separation"]], 1e-6)


ROWS = [
    Row("Recorder.activations", "truth", "the layers called by hand, 1, 2 and 33 samples: the same bits", by_hand),
    Row("Recorder.activations", "invariance", "train mode, inference mode, default dtype, threads", who_calls),
    Row("Recorder.activations", "invariance", "inputs as tensor, arrays, lists, dataset", forms),
    Row("Recorder.snapshot", "truth", "models moved to another dtype between snapshots are refused by name", moved),
    Row("Recorder.snapshot", "invariance", "batches of all, 1, 7 and 39 samples", batches),
    Row("Recorder.snapshot", "invariance", "order of samples", order_of_samples),
    Row("Recorder.cost", "truth", "bytes held, passes and batches, counted by hand", cost_is_what_is_held),
    Row("Recording.activations", "invariance", "in memory, stored, stored in batches, saved and loaded", stored),
    Row("layers", "truth", "what is said before is what is recorded", preview_is_what_is_recorded),
    Row("recording.GradientRecorder", "truth", "moments of stacked gradients, 2, 5 and 12 minibatches", gradients),
    Row("recording.GradientRecorder", "null", "noise of 8 minibatches: squared ratio 1/8", gradient_noise, 20, 200),
    Row("recording.GradientRecorder", "invariance", "units of the loss from 1e-12 to 1e12", gradient_scale),
    *(Row("information.ClassStatistics.summarize", "null", f"random labels, {u} ReLU units: separation 0 in the mean",
        separation_null(u), 100, 2000) for u in (1, 10, 200)),
    Row("information.ClassStatistics.summarize", "null", "ranks among permuted labels are uniform", separation_ranks,
        40, 400),
    Row("information.ClassStatistics.summarize", "truth", "normal class means: s^2 / (1 + s^2)", separation_truth),
    Row("information.ClassStatistics.summarize", "invariance", "units of measurement, order of units, names of labels",
        separation_units),
]  # fmt: skip

EXEMPT = {
    "Recording.load": "a loader of what was saved",
    "Recording.concatenate": "a constructor; its values are those of the parts (tests/recording)",
    "Recorder.callback": "a constructor of callbacks",
    "recording.GradientRecorder.layers": "names, no numbers (tests/recording/test_gradients.py)",
    "recording.GradientRecorder.steps": "the steps as they were given",
    "recording.Recorder.steps": "the steps as they were given",
    "recording.Recording.steps": "the steps as they were given",
    "information.ClassStatistics.pool": "units averaged; tried in tests/information/test_streams.py",
}


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
