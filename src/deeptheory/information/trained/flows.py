"""Normalizing flows: x and y each made normal by a map that can be undone, then the information of a normal pair.

Source: Butakov et al. 2024 ("Mutual information estimation via normalizing flows"), with a diagonal correlation: the
latent pair is standard normal but for correlations rho_k of its k-th coordinates. Maps that can be undone keep the
information, and the latent's is -1/2 sum log(1 - rho_k^2). Both maps and the correlations maximize the joint
likelihood (affine coupling: Dinh, Sohl-Dickstein & Bengio 2017).
The value is the mean over rows never trained on of log p(z_x, z_y) - log p(z_x) - log p(z_y) under that normal, which
is the closed form where the latent is normal, and in which what overfits counts against itself. Neither bound.
Pitfall: what these maps cannot make normal is missed or misjudged; one column is left as its normal scores.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate
from deeptheory.information.estimators.limits import nothing
from deeptheory.information.trained.coordinates import paired
from deeptheory.information.trained.critics import HIDDEN, mlp
from deeptheory.information.trained.outcome import Outcome, estimate, learned
from deeptheory.information.trained.rows import rows_of
from deeptheory.information.trained.settings import Settings
from deeptheory.information.trained.training import alone, batches, train

_LAYERS = 4
_FAST = 10.0
_CLOSEST = 0.9999  # correlation
_NEITHER = "neither bound (exact where both maps make the pair normal)"


class Flow(nn.Module):
    """Affine coupling layers [S, B, d] -> [S, B, d], the identity at first, and the log of what they do to volumes."""

    def __init__(self, d: int, seeds: list[int], device: str):
        super().__init__()
        self.d = d
        cut = [torch.arange(d, device=device) % 2 == k % 2 for k in range(_LAYERS if d > 1 else 0)]
        self.cut = [(c.nonzero().ravel(), (~c).nonzero().ravel()) for c in cut]
        self.couplings = [
            mlp([len(keep), HIDDEN, 2 * len(move)], [_LAYERS * s + k for s in seeds], device, 0.0)
            for k, (keep, move) in enumerate(self.cut)
        ]
        self.layers = nn.ModuleList(self.couplings)  # so that they are trained
        self.scale = nn.Parameter(torch.zeros(len(seeds), 2, d, dtype=torch.float32, device=device))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z [S, B, d] and the log of the volume's change [S, B]."""
        volume = torch.zeros_like(x[..., 0])
        for layer, (keep, move) in zip(self.couplings, self.cut):
            log_scale, shift = layer.logits(x[..., keep], apart=True).chunk(2, dim=-1)
            log_scale = 2 * torch.tanh(log_scale / 2)
            x = x.index_copy(2, move, x[..., move] * log_scale.exp() + shift)
            volume = volume + log_scale.sum(-1)
        log_scale, shift = self.scale.split(1, dim=1)
        return x * log_scale.exp() + shift, volume + log_scale.sum(-1)


class Both(nn.Module):
    """A flow of x, one of y, and the correlations of their coordinates."""

    def __init__(self, dx: int, dy: int, seeds: list[int], rho: Tensor):
        super().__init__()
        device = str(rho.device)
        self.of_x, self.of_y = Flow(dx, [2 * s for s in seeds], device), Flow(dy, [2 * s + 1 for s in seeds], device)
        self.bond = nn.Parameter(torch.atanh(rho / _CLOSEST).unsqueeze(1) / _FAST)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """The log likelihood of each pair [S, B], and the log ratio of joint to product density [S, B]."""
        (u, of_x), (v, of_y) = self.of_x(x), self.of_y(y)
        shared = _shared(u, v, _CLOSEST * torch.tanh(_FAST * self.bond))
        return shared + _log_normal(u) + _log_normal(v) + of_x + of_y, shared


def _log_normal(z: Tensor) -> Tensor:
    return -0.5 * z.square().sum(-1) - 0.5 * z.shape[-1] * math.log(2 * math.pi)


def _shared(u: Tensor, v: Tensor, rho: Tensor) -> Tensor:
    """log of a normal pair's density over the product of its marginals', summed over coordinates: [S, B]."""
    both = rho.shape[-1]
    u, v, left = u[..., :both], v[..., :both], 1 - rho.square()
    return ((2 * rho * u * v - rho.square() * (u.square() + v.square())) / (2 * left) - 0.5 * left.log()).sum(-1)


def normalized(x, y, settings: Settings) -> Estimate:
    """I(X;Y) of the normal pair that flows of x and y lead to; see methods.py."""
    pair = paired(x, y, ordered=settings.block is not None, spread=settings.seed)
    if pair.empty:
        return nothing("normalizing flows", pair.notes)
    for name, side in (("x", pair.x), ("y", pair.y)):
        if side.label is not None:
            raise InputError(f"{name} holds labels, and a flow maps numbers; 'infonce', 'doe' and 'labels' take labels")
    with alone():
        rows = rows_of(pair, settings)
        model = Both(rows.x.shape[2], rows.y.shape[2], rows.seeds, rows.rho)
        deciding = rows.deciding(4096)
        done = train(
            model,
            batches([f.train for f in rows.folds], settings.batch, settings.seed),
            lambda index: model(*rows.of(index))[0].mean(1),
            lambda: torch.stack([model(*rows.of(i))[0].mean(1) for i in deciding]).mean(0),
            settings,
            "flow",
        )
        values, influence, pieces = [], [], []
        with torch.no_grad():
            for k, fold in enumerate(rows.folds):
                index = rows.alone(k, fold.test)
                network = torch.full_like(index, k)
                shared = model(rows.x[network, index], rows.y[network, index])[1][k].double().cpu().numpy()
                values.append(shared.mean())
                influence.append(shared - shared.mean())
                pieces.append(rows.pieces[index[0]].cpu().numpy())
    method = f"normalizing flows ({_LAYERS} couplings each), then a normal pair, {learned(len(rows.folds), done.steps)}"
    method += f"; {_NEITHER}"
    notes = (*pair.notes, *((done.note,) if done.note else ()))
    return estimate(Outcome(np.array(values), influence, pieces), method, "consistent", notes, pair)
