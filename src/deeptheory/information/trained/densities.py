"""DoE, a difference of entropies: I(X;Y) = H(Y) - H(Y|X), each by the cross-entropy of a trained density of y.

Source: McAllester & Stratos 2020. The cross-entropies bound their entropies from above, so that their
difference bounds nothing; it needs no exponential of the information, and so it reaches far.
Densities: mixtures of normals with axes along the coordinates; a label's are its probabilities. q(y) is trained first;
q(y|x) begins at it, in what correlations with x leave of y, and learns what x changes, so that where x tells nothing
both are alike.
Pitfall: values that repeat have no density; here ranks of equal values are drawn at random, which keeps the
information, since y is known from them.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from deeptheory.core.results import Estimate
from deeptheory.information.estimators.limits import nothing
from deeptheory.information.trained.coordinates import paired
from deeptheory.information.trained.critics import HIDDEN, mlp
from deeptheory.information.trained.outcome import Outcome, estimate, learned
from deeptheory.information.trained.rows import Rows, rows_of
from deeptheory.information.trained.settings import Settings
from deeptheory.information.trained.training import alone, batches, train

_NORMALS = 6
_LEAST, _MOST = 0.02, 5.0  # standard deviations of a normal in the mixture
_NEITHER = "neither bound (each cross-entropy is too large by what its density misses)"


class Free(nn.Module):
    """Numbers [S, outputs] of their own per network, that are trained."""

    def __init__(self, start: Tensor):
        super().__init__()
        self.numbers = nn.Parameter(start)

    def forward(self) -> Tensor:
        """[S, 1, outputs]."""
        return self.numbers.unsqueeze(1)


class Given(nn.Module):
    """What x adds to these numbers: a linear part and a perceptron, both 0 at first."""

    def __init__(self, dx: int, outputs: int, seeds: list[int], device: str):
        super().__init__()
        self.linear = nn.Parameter(torch.zeros(len(seeds), dx, outputs, dtype=torch.float32, device=device))
        self.curved = mlp([dx, HIDDEN, HIDDEN, outputs], seeds, device, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """[S, B, dx] -> [S, B, outputs]."""
        return torch.bmm(x, self.linear) + self.curved.logits(x, apart=True)


def log_mixture(numbers: Tensor, y: Tensor) -> Tensor:
    """log density of y [S, B, d] in a mixture given by numbers [S, B or 1, K (1 + 2 d)]; -> [S, B]."""
    d = y.shape[-1]
    weight, place, width = numbers.split([_NORMALS, _NORMALS * d, _NORMALS * d], dim=-1)
    place, width = (v.unflatten(-1, (_NORMALS, d)) for v in (place, width))
    log_width = math.log(_LEAST) + (math.log(_MOST) - math.log(_LEAST)) * torch.sigmoid(width)
    z = (y.unsqueeze(2) - place) * (-log_width).exp()
    each = (-0.5 * z.square() - log_width).sum(-1) - 0.5 * d * math.log(2 * math.pi)
    return (weight.log_softmax(-1) + each).logsumexp(-1)


def log_probability(numbers: Tensor, label: Tensor) -> Tensor:
    """log probability of labels [S, B] from logits [S, B or 1, classes]; -> [S, B]."""
    logs = numbers.log_softmax(-1).expand(*label.shape, -1)
    return logs.gather(-1, label.unsqueeze(-1)).squeeze(-1)


def entropies(x, y, settings: Settings) -> Estimate:
    """I(X;Y) by the difference of two cross-entropies; see methods.py."""
    pair = paired(x, y, ordered=settings.block is not None, spread=settings.seed)
    if pair.empty:
        return nothing("DoE", pair.notes)
    with alone():
        rows = rows_of(pair, settings)
        label = None if pair.y.label is None else rows.index(pair.y.label)
        target = rows.y if label is None else label.expand(len(rows.folds), -1)
        log_density = log_mixture if label is None else log_probability
        base = Free(_start(rows, label))
        steps, note = _train(rows, lambda i: log_density(base(), _at(target, i)), base, settings, "doe, y alone")
        numbers = base().detach()
        more = Given(rows.x.shape[2], numbers.shape[2], rows.seeds, settings.device)

        def given(index: Tensor) -> Tensor:
            x, own = _at(rows.x, index), _at(target, index)
            if label is not None:
                return log_density(numbers + more(x), own)
            left, volume = _beyond(own, x, rows.rho)
            return log_density(numbers + more(x), left) + volume

        more_steps, more_note = _train(rows, given, more, settings, "doe, y given x")
        with torch.no_grad():
            values, influence, pieces = [], [], []
            for k, fold in enumerate(rows.folds):
                index = rows.alone(k, fold.test)
                added = (given(index) - log_density(numbers, _at(target, index)))[k].double().cpu().numpy()
                values.append(added.mean())
                influence.append(added - added.mean())
                pieces.append(rows.pieces[index[0]].cpu().numpy())
    kind = "labels" if label is not None else f"mixtures of {_NORMALS} normals"
    method = f"DoE (difference of entropies), {kind}, {learned(len(rows.folds), f'{steps} + {more_steps}')}; {_NEITHER}"
    told = tuple(dict.fromkeys(t for t in (note, more_note) if t))
    return estimate(Outcome(np.array(values), influence, pieces), method, "consistent", (*pair.notes, *told), pair)


def _beyond(y: Tensor, x: Tensor, rho: Tensor) -> tuple[Tensor, Tensor]:
    """What correlations rho [S, k] leave of y's first k coordinates given x's, at their own scale, and the log of the
    volume's change [S, 1]: a change of variables, exact for normals."""
    k, narrow = rho.shape[1], (1 - rho.square()).sqrt().unsqueeze(1)
    left = (y[..., :k] - rho.unsqueeze(1) * x[..., :k]) / narrow
    return torch.cat([left, y[..., k:]], dim=-1), -narrow.log().sum(-1)


def _at(a: Tensor, index: Tensor) -> Tensor:
    return a[torch.arange(len(index), device=index.device)[:, None], index]


def _train(rows: Rows, log_density, model: nn.Module, settings: Settings, what: str) -> tuple[int, str]:
    deciding = rows.deciding(4096)
    walk = batches([f.train for f in rows.folds], settings.batch, settings.seed)
    done = train(
        model,
        walk,
        lambda index: log_density(index).mean(1),
        lambda: torch.stack([log_density(i).mean(1) for i in deciding]).mean(0),
        settings,
        what,
    )
    return done.steps, done.note


def _start(rows: Rows, label: Tensor | None) -> Tensor:
    """The numbers of q(y) at first: frequencies of labels in the training rows, or normals spread over the columns."""
    if label is not None:
        classes = int(label.max()) + 1
        seen = [torch.bincount(label[rows.index(f.train)], minlength=classes) for f in rows.folds]
        return (torch.stack(seen).to(torch.float32) + 0.5).log()
    d = rows.y.shape[2]
    out = torch.zeros(len(rows.folds), _NORMALS * (1 + 2 * d), dtype=torch.float32)
    for k, seed in enumerate(rows.seeds):
        drawn = np.random.default_rng([seed, 16]).normal(size=_NORMALS * d)
        out[k, _NORMALS : _NORMALS * (1 + d)] = torch.as_tensor(0.5 * drawn, dtype=torch.float32)
    out[:, _NORMALS * (1 + d) :] = float(np.log(-np.log(_LEAST) / np.log(_MOST)))  # standard deviation 1
    return out.to(rows.x.device)
