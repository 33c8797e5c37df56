"""Losses and accuracies of single networks: by hand, and with what must not matter."""

import numpy as np
import torch
from torch import nn

from deeptheory import capsules, networks
from trials.frame import Row, all_of, near, quick, rare, same


class _Fixed(nn.Module):
    """A classifier that gives the logits that it is asked about."""

    def forward(self, x):
        return x


def _logits(rng, n=64, classes=5):
    return torch.as_tensor(rng.normal(size=(n, classes))), torch.as_tensor(rng.integers(0, classes, n))


def cross_entropy(loss):
    """Mean of ln sum exp z - z_y, by numpy."""

    def check(rng, draws):
        z, y = _logits(rng)
        a = z.numpy()
        hand = np.mean(np.log(np.exp(a).sum(1)) - a[np.arange(len(a)), y.numpy()])
        return near(float(loss(_Fixed(), (z, y))), hand, 1e-12)

    return check


def several_dtypes(loss):
    def check(rng, draws):
        z, y = _logits(rng)
        turn = torch.as_tensor(rng.permutation(len(z)))
        before = torch.get_default_dtype()
        out = [loss(_Fixed(), (z, y)), loss(_Fixed(), (z[turn], y[turn])), loss(_Fixed(), (z.float(), y))]
        try:
            torch.set_default_dtype(torch.bfloat16)
            with torch.inference_mode():
                out.append(loss(_Fixed(), (z, y)))
        finally:
            torch.set_default_dtype(before)
        return same([float(v) for v in out], 1e-6)

    return check


def chance(rng, draws):
    """Logits that have nothing to do with the labels are right once in `classes`."""
    right = sum(round(networks.accuracy(_Fixed(), *_logits(rng)) * 64) for _ in range(draws))
    return all_of(rare(right, 64 * draws, 0.2), rare(64 * draws - right, 64 * draws, 0.8))


def batches(rng, draws):
    z, y = _logits(rng)
    return same([networks.accuracy(_Fixed(), z, y, batch=b) for b in (1, 7, 64, 512)])


def counted(rng, draws):
    """Those whose label has the largest logit, one by one."""
    out = []
    for n, classes in ((1, 2), (33, 3), (200, 7)):
        z, y = _logits(rng, n, classes)
        right = sum(max(range(classes), key=row.__getitem__) == label for row, label in zip(z.tolist(), y.tolist()))
        for labels in (y, y.numpy(), y.int()):
            out.append(near(networks.accuracy(_Fixed(), z, labels), right / n, 1e-12, f"{n}: "))
        out.append(near(networks.accuracy(_Fixed(), z, z.argmax(1)), 1, 0))
    return all_of(*out)


def squared_error(rng, draws):
    a, b = torch.as_tensor(rng.normal(size=(2, 6, 3, 4, 4)))
    hand = 0.0005 * ((a.numpy() - b.numpy()) ** 2).sum() / 6
    return all_of(
        near(float(capsules.reconstruction_loss(a, b)), hand, 1e-12),
        near(float(capsules.reconstruction_loss(a, a)), 0, 0),
    )


def back_from_probabilities(rng, draws):
    z = torch.as_tensor(rng.normal(0, 4, 500))
    return near(networks.logit_of_probability(z.sigmoid()), z, 1e-6)


_LOSSES = {
    "networks.classification_loss": networks.classification_loss,
    "capsules.classifier_objective": capsules.classifier_objective,
}
ROWS = [
    *(Row(name, "truth", "cross-entropy by hand", cross_entropy(loss)) for name, loss in _LOSSES.items()),
    *(Row(name, "invariance", "order, dtype, default dtype, inference mode", several_dtypes(loss))
        for name, loss in _LOSSES.items()),
    Row("networks.accuracy", "null", "logits without a label: one in five", chance, 20, 200),
    Row("networks.accuracy", "truth", "counted one by one, 2 to 7 classes", counted),
    Row("networks.accuracy", "invariance", "batches of 1 to 512", batches),
    Row("capsules.reconstruction_loss", "truth", "summed over pixels, mean over the batch; 0 of equal pictures",
        squared_error),
    Row("networks.logit_of_probability", "truth", "undoes a sigmoid", back_from_probabilities),
]  # fmt: skip
EXEMPT = {
    "inspection.write_axis_page": "writes a page of axis_code's numbers",
    "runs.Ledger.headline": "counts verdicts; tests/runs compares them",
    "information.BottleneckCurve": "fields of bottleneck_curve, whose rows try them",
    "cheap.CompiledNetwork": "counts and bounds of compile_polynomial, whose rows try them",
    "cheap.Count": "bounds of neuron_count, whose rows try them",
    "cheap.Distillation": "fields of MarkovHierarchy's distillation, whose rows try them",
    "cheap.FlatteningCost": "fields of flattening_cost, whose rows try them",
    "cheap.PolynomialApproximation": "fields of to_polynomial, whose rows try them",
}


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
