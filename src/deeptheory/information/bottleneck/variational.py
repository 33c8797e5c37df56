"""The variational bottleneck: a network T ~ N(mean(x), sd(x)^2) that is trained for the bottleneck's Lagrangian.

Source: Alemi, Fischer, Dillon & Murphy 2017. Least rate + beta * cross-entropy, rate = E
KL[p(t|x) || N(0, 1)] >= I(X;T), H(Y) - cross-entropy <= I(T;Y): an upper bound on I(X;T) - beta I(T;Y),
but for the constant beta H(Y).
Pitfall: their beta stands before the rate; it is one over ours.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import nn

from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_real, check_whole
from deeptheory.information.bottleneck.joint import Joint
from deeptheory.information.bottleneck.methods import check_beta
from deeptheory.information.bottleneck.solution import BottleneckSolution

_BITS = 1 / math.log(2)
_DRAWS = 16384  # of T, for the information that the encoder carries


class Terms(NamedTuple):
    """loss = rate + beta * cross_entropy (nats, for the gradient); rate and cross_entropy in bits,
    means over the batch."""

    loss: torch.Tensor
    rate: torch.Tensor
    cross_entropy: torch.Tensor


class VariationalBottleneck(nn.Module):
    """inputs -> hidden layers -> mean and sd of T (latent units) -> decoder -> logits [classes].

    beta: trade-off as everywhere here, before I(T;Y). hidden: widths of the encoder's layers (ReLU); decoder: width of
    the decoder's one hidden layer, 0 for a linear one (the paper's). encoder: any module [n, inputs] ->
    [n, 2 latent] in the place of the layers. InputError: sizes below 1, beta negative.
    """

    def __init__(
        self, inputs: int, classes: int, beta: float, *, latent: int = 2, hidden=(64,), decoder: int = 0, encoder=None
    ):
        super().__init__()
        for size in (inputs, classes, latent, decoder, *hidden):
            check_whole(size=(size, None))
        if min(inputs, classes, latent, *hidden) < 1 or decoder < 0:
            raise InputError(
                f"inputs {inputs}, classes {classes}, latent {latent}, hidden {tuple(hidden)}, decoder {decoder}: "
                "sizes are 1 or more"
            )
        self.beta, self.latent = check_beta(beta), latent
        widths = [inputs, *hidden]
        layers = [part for i, o in pairwise(widths) for part in (nn.Linear(i, o), nn.ReLU())]
        self.encoder = nn.Sequential(*layers, nn.Linear(widths[-1], 2 * latent)) if encoder is None else encoder
        self.decoder = (
            nn.Sequential(nn.Linear(latent, decoder), nn.Tanh(), nn.Linear(decoder, classes))
            if decoder
            else nn.Linear(latent, classes)
        )

    def encode(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """mean and sd of T, each [n, latent]; sd = softplus(. - 5) as in the paper."""
        mean, raw = self.encoder(x).chunk(2, dim=-1)
        return mean, nn.functional.softplus(raw - 5) + 1e-6

    def forward(self, x: torch.Tensor, samples: int = 1, generator: torch.Generator | None = None) -> torch.Tensor:
        """Logits [samples, n, classes], each from its own draw of T."""
        mean, sd = self.encode(x)
        return self.decoder(_draw(mean, sd, samples, generator))

    def terms(self, x, y, *, weight=None, samples: int = 1, generator=None) -> Terms:
        """Loss and its parts on a batch. y: labels [n] or p(y|x) [n, classes]; weight: [n],
        summing to 1 (default equal)."""
        mean, sd = self.encode(x)
        logs = self.decoder(_draw(mean, sd, samples, generator)).log_softmax(-1)
        chosen = logs.gather(-1, y.expand(samples, -1)[..., None])[..., 0] if y.ndim == 1 else (y * logs).sum(-1)
        rate = (0.5 * (mean**2 + sd**2 - 1) - sd.log()).sum(-1)
        weight = torch.full_like(rate, 1 / len(rate)) if weight is None else weight
        rate, cross = (weight * rate).sum(), -(weight * chosen.mean(0)).sum()
        return Terms(rate + self.beta * cross, rate.detach() * _BITS, cross.detach() * _BITS)

    def step(self, x, y, optimizer: torch.optim.Optimizer, **options) -> Terms:
        """One training step on a batch; options as in terms."""
        optimizer.zero_grad()
        found = self.terms(x, y, **options)
        found.loss.backward()
        optimizer.step()
        return Terms(found.loss.detach(), found.rate, found.cross_entropy)


def _draw(mean, sd, samples: int, generator) -> torch.Tensor:
    noise = torch.randn((samples, *mean.shape), generator=generator, dtype=mean.dtype, device=mean.device)
    return mean + sd * noise


def variational(
    joint: Joint,
    beta: float,
    *,
    latent: int = 1,
    decoder: int = 32,
    steps: int = 1500,
    samples: int = 16,
    lr: float = 0.02,
    seed: int = 0,
) -> BottleneckSolution:
    """Method "variational" of dt.bottleneck on a table: a mean and sd for every row, trained on p(x, y) itself.

    encoder: [nx, 2 latent], means then standard deviations; decoder: [nx, ny], its p(y|t) at each row's mean; p_t:
    empty. i_x, i_y: of the encoder that was found, by drawing T, its standard error and the network's own bounds in the
    notes. InputError: steps, samples or sizes below 1, lr not above 0, seed not 0 or more.
    """
    check_real(lr=(lr, 0))
    check_whole(steps=(steps, 1), samples=(samples, 1), latent=(latent, 1), decoder=(decoder, 0), seed=(seed, 0))
    with torch.inference_mode(False), torch.enable_grad():
        return _trained(joint, beta, int(latent), int(decoder), int(steps), int(samples), float(lr), int(seed))


def _trained(
    joint: Joint, beta: float, latent: int, decoder: int, steps: int, samples: int, lr: float, seed: int
) -> BottleneckSolution:
    n, m = joint.q.shape
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        table = nn.Linear(n, 2 * latent)
        net = VariationalBottleneck(n, m, beta, latent=latent, hidden=(), decoder=decoder, encoder=table).float()
        torch.manual_seed(seed)  # drawn again in float32, whatever torch's default dtype is
        for layer in (table, *(part for part in net.decoder.modules() if isinstance(part, nn.Linear))):
            layer.reset_parameters()
    with torch.no_grad():
        table.weight.normal_(generator=generator)
        table.bias[latent:] = 5.0
    net = net.double()
    x, y, p = torch.eye(n, dtype=torch.float64), torch.as_tensor(joint.q), torch.as_tensor(joint.p)
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        net.step(x, y, optimizer, weight=p, samples=samples, generator=generator)
        schedule.step()
    with torch.no_grad():
        end = net.terms(x, y, weight=p, samples=max(16, _DRAWS // n), generator=generator)
        mean, sd = net.encode(x)
        at_mean = net.decoder(mean).softmax(-1).numpy()
        i_x, i_y, error = _informations(p, y, mean, sd, joint.h_y, generator)
    encoder = torch.cat([mean, sd], dim=1).numpy()
    spread = encoder.mean(0)
    return BottleneckSolution(
        method="variational",
        beta=float(beta),
        encoder=joint.widen_encoder(encoder, spread),
        decoder=joint.widen_decoder(joint.widen_encoder(at_mean, at_mean.mean(0))),
        p_t=p.numpy()[:0],
        i_x=i_x,
        i_y=i_y,
        h_t=float("nan"),
        lagrangian=i_x - beta * i_y,
        residual=float("nan"),
        notes=(
            f"i_x and i_y by {_DRAWS} draws of T, standard errors {error[0]:.2g} and {error[1]:.2g} bits",
            f"the network's own bounds: I(X;T) at most {float(end.rate):.4f}, I(T;Y) at least "
            f"{joint.h_y - float(end.cross_entropy):.4f} bits",
        ),
    )


def _informations(p, y, mean, sd, h_y: float, generator) -> tuple[float, float, tuple[float, float]]:
    """I(X;T) and I(T;Y) of a mixture of Gaussians by drawing T; bits, with standard errors."""
    rows = torch.multinomial(p, _DRAWS, replacement=True, generator=generator)
    t = _draw(mean[rows], sd[rows], 1, generator)[0]
    logs = -0.5 * (((t[:, None] - mean) / sd) ** 2).sum(-1) - sd.log().sum(-1)  # [draw, n], but for a constant
    own = logs.gather(1, rows[:, None])[:, 0]
    posterior = (logs + p.log()).softmax(-1)
    gained = (own - (logs + p.log()).logsumexp(-1)) * _BITS
    p_y = posterior @ y
    lost = -torch.special.xlogy(p_y, p_y).sum(-1) * _BITS
    error = (float(gained.std()) / math.sqrt(_DRAWS), float(lost.std()) / math.sqrt(_DRAWS))
    return float(gained.mean()), h_y - float(lost.mean()), error
