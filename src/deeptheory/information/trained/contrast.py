"""The estimators that train a critic: one of BOUNDS maximized on training rows, measured on rows never trained on."""

import math
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from deeptheory.core.names import pick
from deeptheory.core.results import Estimate
from deeptheory.information.estimators.limits import nothing
from deeptheory.information.trained.bounds import BOUNDS, Held
from deeptheory.information.trained.coordinates import paired
from deeptheory.information.trained.critics import CRITICS, Joint, Separable
from deeptheory.information.trained.outcome import LN2, Outcome, estimate, learned
from deeptheory.information.trained.rows import Rows, rows_of
from deeptheory.information.trained.settings import Settings
from deeptheory.information.trained.training import Trained, alone, batches, train

_NEAR = 0.75  # of a ceiling
_CUT = 0.1  # of pairs
_JENSEN = 0.02  # bits
_TITLE = {
    "infonce": "InfoNCE",
    "nwj": "NWJ",
    "dv": "Donsker-Varadhan (MINE's gradient)",
    "smile": "SMILE",
}


class Measured(NamedTuple):
    """outcome; jensen: the bias of a logarithm, bits; cut: share of the pairs whose score was cut."""

    outcome: Outcome
    jensen: float
    cut: float


def contrasted(x, y, name: str, critic: str, settings: Settings, clip: float = 5.0) -> Estimate:
    """I(X;Y) by the bound `name` of a critic; see methods.py."""
    kind = pick(CRITICS, critic, what="critic")
    bound = BOUNDS[name]
    pair = paired(x, y, ordered=settings.block is not None)
    if pair.empty:
        return nothing(_TITLE[name], pair.notes)
    with alone():
        rows = rows_of(pair, settings)
        model = kind(rows.x.shape[2], rows.y.shape[2], rows.seeds, rows.rho)
        size = model.rows
        measure = partial(_held, bound, clip)
        done = _train(model, rows, name, size, settings)
        seen = _measured(model, rows, bound.centered, size, measure)
    smallest = min(len(p) for k in range(len(rows.folds)) for p in rows.measured(k, size))
    if bound.centered:
        smallest = rows.deciding(size)[0].shape[1]
    notes = pair.notes + _doubts(name, seen, smallest, clip) + ((done.note,) if done.note else ())
    method = f"{_TITLE[name]}, {critic} critic, {learned(len(rows.folds), done.steps)}"
    if name == "smile":
        method += f"; the ratio is cut at {clip:g} nats, which biases it where the ratio is large: neither bound"
    return estimate(seen.outcome, method, "lower" if bound.lower else "consistent", notes, pair)


def _held(bound, clip: float, scores: Tensor, others: Tensor) -> Held:
    return bound.held(scores, others, clip)


def _train(model: Separable | Joint, rows: Rows, name: str, size: int, settings: Settings) -> Trained:
    bound, memory = BOUNDS[name], {}
    judge = bound.held if bound.lower else BOUNDS["dv"].held  # a value that is no bound may rise without end with f
    deciding = [(*rows.of(index), rows.others(index)) for index in rows.deciding(size)]

    def objective(index: Tensor) -> Tensor:
        return bound.objective(model(*rows.of(index)), rows.others(index), memory)

    def decide() -> Tensor:
        scored = [(model(x, y), others) for x, y, others in deciding]
        if bound.centered or not bound.lower:
            most = scored[0][0].shape[1]
            scored = _capped(scored, _constant(scored, most), most)
        return torch.stack([judge(s, o, math.inf).value for s, o in scored]).mean(0)

    walk = batches([f.train for f in rows.folds], settings.batch, settings.seed, model.usual)
    return train(model, walk, objective, decide, settings, name)


def _constant(scored: list[tuple[Tensor, Tensor]], size: int) -> Tensor:
    """c, [S], with which the mean of min(e^(f - c), size) over all the others is 1."""
    scores = torch.cat([s.masked_fill(~o, -torch.inf).flatten(1) for s, o in scored], 1)
    number = torch.isfinite(scores).sum(1, keepdim=True)
    cut = torch.arange(min(int(number.max()) // size + 1, scores.shape[1]), device=scores.device)  # so many are cut
    top = scores.topk(len(cut)).values
    least = top[:, -1:]
    equal = (scores == least).sum(1, keepdim=True) - (top == least).sum(1, keepdim=True)
    below = scores.masked_fill(scores >= least, -torch.inf).logsumexp(1, keepdim=True)
    rest = torch.cat([top, torch.logaddexp(below, least + equal.to(scores).log())], 1)
    left = (number - cut * size).to(scores)
    found = rest.flip(1).logcumsumexp(1).flip(1)[:, :-1] - left.log()
    enough = (left > 0) & ((top - found <= math.log(size)) | (left <= size))
    return found.gather(1, enough.int().argmax(1, keepdim=True)).squeeze(1)


def _capped(scored: list[tuple[Tensor, Tensor]], constant: Tensor, size: int) -> list[tuple[Tensor, Tensor]]:
    """f less a constant, and at most log of the rows scored with each other: more could not be borne out by them, and
    one pair would decide the mean of e^f. A critic so cut is a critic."""
    return [((s - constant[:, None, None]).clamp(max=math.log(size)), o) for s, o in scored]


@torch.no_grad()
def _measured(model: Separable | Joint, rows: Rows, centered: bool, size: int, measure) -> Measured:
    """What every fold's network says of its own rows."""
    deciding = [(model(*rows.of(i)), rows.others(i)) for i in rows.deciding(size)] if centered else []
    most = deciding[0][0].shape[1] if centered else 0
    constant = _constant(deciding, most) if centered else None
    values, influence, pieces, jensen, cut = [], [], [], [], 0
    for k in range(len(rows.folds)):
        parts, means, bias = [], [], []
        for part in rows.measured(k, size):
            index = rows.alone(k, part)
            x, y = rows.x[k : k + 1, index[0]], rows.y[k : k + 1, index[0]]
            networks = len(rows.folds)
            scores = model(x.expand(networks, -1, -1).contiguous(), y.expand(networks, -1, -1).contiguous())[k : k + 1]
            shown = (scores, rows.others(index[k : k + 1]))
            if constant is not None:
                (shown,) = _capped([shown], constant[k : k + 1], most)
                cut += int((shown[0].diagonal(dim1=1, dim2=2) >= math.log(most) - 1e-6).sum())
            got = measure(*shown)
            means.append((len(part), got.value.double().item()))
            parts.append(got.influence[0].double().cpu().numpy())
            bias.append(got.jensen.item())
        weights, each = zip(*means)
        values.append(np.average(each, weights=weights))
        influence.append(np.concatenate(parts))
        pieces.append(rows.pieces[rows.index(rows.folds[k].test)].cpu().numpy())
        jensen.append(np.mean(bias))
    share = cut / sum(map(len, influence))
    return Measured(Outcome(np.array(values), influence, pieces), float(np.mean(jensen)) / LN2, share)


def _doubts(name: str, seen: Measured, rows: int, clip: float) -> tuple[str, ...]:
    """What is known of a bound's reach. rows: that the bound ends near the log of."""
    value, ceiling = seen.outcome.mean / LN2, float(np.log2(rows))
    if name == "infonce":
        if value > _NEAR * ceiling:
            return (
                f"near InfoNCE's ceiling, log2 of the {rows} rows scored with each other = {ceiling:.3g} bits, which "
                "it cannot exceed: likely too small; 'smile' and 'doe' have no such ceiling",
            )
        return ()
    notes: tuple[str, ...] = ()
    if name == "smile":
        if value > _NEAR * clip / LN2:
            notes += (f"near the cut of {clip:g} nats ({clip / LN2:.3g} bits), beyond which it is biased",)
        return notes
    if value > _NEAR * ceiling or seen.cut > _CUT:
        notes += (
            f"{seen.cut:.0%} of pairs are cut at log2 of the {rows} rows that bear the critic out, {ceiling:.3g} bits: "
            "no lower bound that holds for every distribution is larger (McAllester & Stratos 2020); likely too small",
        )
    if seen.jensen > _JENSEN:
        notes += (
            f"the logarithm of a mean over {rows} rows is biased upwards, here by about {seen.jensen:.2g} bits: no "
            "lower bound to that extent",
        )
    return notes
