"""One number or more of every science, computed in whatever surroundings this process was started with;
printed as JSON.

`python -m trials.ambient CONDITION`: default dtypes, inference mode and start methods are set here, what belongs to the
environment (CC, caches, cores) by the caller. A call that is refused prints the error's text instead of numbers.
"""

import json
import sys

import numpy as np

SLOW = {"axis"}  # seconds each: tried where the surroundings reach them


def _data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    return rng, x, x @ [1.0, 0.5] + rng.normal(size=300), rng.integers(0, 3, 300)


def information():
    import deeptheory as dt

    _, x, y, labels = _data()
    out = [dt.mutual_information(x, y[:, None], m).value for m in ("ksg", "gaussian", "wkl")]
    out += [
        dt.mutual_information(np.maximum(x, 0), labels, "labels").value,
        dt.mutual_information(labels, labels % 2).value,
    ]
    out += [dt.conditional_mutual_information(x[:, 0], y, labels).value, dt.entropy(x).value]
    p = np.array([[0.3, 0.1, 0.1], [0.05, 0.2, 0.25]])
    solved = dt.bottleneck(p, 4.0)
    return [*out, solved.i_x, solved.i_y, dt.capacity(p / p.sum(1, keepdims=True)).value]


def plane():
    import torch

    import deeptheory as dt

    _, x, _, labels = _data()
    generator = torch.Generator().manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3)).to(torch.float32)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float32))
    recorder = dt.Recorder(model, torch.tensor(x, dtype=torch.float32), labels)
    recorder.snapshot(0)
    readouts = (dt.Binning(8), dt.GaussianNoise(0.3), dt.Exact())
    return np.concatenate(
        [np.ravel(dt.information_plane(recorder.recording, readout=r).i_x) for r in readouts]
    ).tolist()


def training():
    import torch

    import deeptheory as dt

    data = dt.datasets.icosahedron()
    nets = dt.networks.Population.mlp([12, 4, 2], seeds=range(2))
    dt.networks.fit(nets, data.x, data.y, epochs=2, batch=512)
    return [float(p.detach().to(torch.float64).abs().sum()) for p in nets.parameters()]


def capsules():
    import torch

    import deeptheory as dt

    g = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(*shape, generator=g, dtype=torch.float32)

    v = dt.capsules.dynamic_routing(draw(3, 6, 4), draw(6, 5, 8, 4))
    pose, activation = dt.capsules.em_routing(draw(2, 6, 5, 4, 4), draw(2, 6).sigmoid(), draw(5), draw(5))
    margin = dt.capsules.margin_loss(draw(4, 3).sigmoid(), torch.tensor([0, 1, 2, 1]))
    return [float(t.detach().double().sum()) for t in (v, pose, activation, margin)]


def cheap():
    import torch

    import deeptheory as dt

    module = dt.cheap.compile_polynomial("x*y + x**3", tolerance=1e-6)
    at = torch.tensor([[0.3, -0.7], [1.0, 0.5]], dtype=torch.float64)
    spins = np.sign(np.random.default_rng(1).normal(size=(400, 4)))
    fit = dt.cheap.hamiltonian_fit(spins, 2)
    gate = dt.cheap.product_gate()(at)
    count = dt.cheap.neuron_count("x*y*z")
    values = [*np.ravel(module(at).detach().numpy()), *np.ravel(gate.detach().numpy()), module.certificate.total]
    return [float(v) for v in values] + [float(count.lower), float(fit.parameters)]


def faces():
    import deeptheory as dt

    images, landmarks, latents = dt.faces.ProceduralFaces(size=24).sample(12, 0)
    space = dt.faces.FaceSpace.fit(images, landmarks, shape=3, appearance=3)
    code = np.asarray(space.encode(images, landmarks))
    return [
        float(np.mean(np.asarray(images))),
        float(np.abs(code).sum()),
        float(np.abs(np.asarray(latents.shape if hasattr(latents, "shape") else 0)).sum()),
    ]


def axis():
    import deeptheory as dt

    rng = np.random.default_rng(2)
    features = rng.normal(size=(120, 4))
    responses = features @ rng.normal(size=(4, 6)) + rng.normal(size=(120, 6))
    code = dt.axis_code(responses, features, folds=3, permutations=20)
    return [float(v) for v in code.scalars().values()]


CALLS = {f.__name__: f for f in (information, plane, training, capsules, cheap, faces, axis)}


def everything(names=tuple(CALLS)) -> dict:
    from deeptheory.core.errors import DeeptheoryError

    out = {}
    for name in names:
        try:
            out[name] = [float(v) for v in CALLS[name]()]
        except DeeptheoryError as error:
            out[name] = f"refused: {error}"
    return out


def _child(queue):
    queue.put(everything())


def main(condition: str) -> dict:
    import torch

    torch.set_num_threads(2 if condition == "two threads" else 1)
    if condition.startswith("default "):
        torch.set_default_dtype(getattr(torch, condition.removeprefix("default ")))
    if condition == "inference mode":
        with torch.inference_mode():
            return everything()
    if condition == "after inference mode":
        with torch.inference_mode():
            everything(("capsules", "plane", "cheap"))
    if condition in ("spawn", "fork"):
        import multiprocessing as mp

        context = mp.get_context(condition)
        queue = context.Queue()
        process = context.Process(target=_child, args=(queue,))
        process.start()
        found = queue.get(timeout=150)
        process.join()
        return found
    return everything()


if __name__ == "__main__":
    print("FOUND " + json.dumps(main(sys.argv[1])))
