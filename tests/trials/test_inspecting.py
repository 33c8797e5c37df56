"""Inspecting a model: what an inspection's numbers promise, tried. Truth is a layer of known covariance and known dead
units."""

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from deeptheory.inspection import Joined
from deeptheory.inspection.engine import measure
from trials.frame import Found, Row, all_of, covers, near, often, quick, rare, same


class Fixed(nn.Module):
    """One linear map with given weights, so that its output has a known covariance."""

    def __init__(self, weight):
        super().__init__()
        self.map = nn.Linear(*weight.shape[::-1], bias=False)
        with torch.no_grad():
            self.map.weight.copy_(torch.as_tensor(weight, dtype=torch.float32))

    def forward(self, x):
        return self.map(x)


def rank(model, x, **options):
    return measure(model, x, None, ["health"], twins=0, **options)["health"].at("output", "rank")


def known_rank(rng, draws):
    """x normal, output W x: covariance W W', PR = (tr W W')^2 / tr (W W')^2, for few and for many samples."""
    found = []
    for d, n in ((20, 30), (20, 400), (60, 40)):
        w = np.diag(rng.uniform(0.2, 2, d)) @ np.linalg.qr(rng.normal(size=(d, d)))[0]
        s = w @ w.T
        truth = np.trace(s) ** 2 / np.trace(s @ s)
        values = [rank(Fixed(w), rng.normal(size=(n, d))).value for _ in range(draws)]
        found.append(
            near(np.mean(values), truth, 4 * np.std(values) / np.sqrt(draws) + 0.02 * truth, f"d = {d}, n = {n}: ")
        )
    return all_of(*found)


def rank_interval(rng, draws):
    w = np.diag(np.linspace(0.5, 2, 12))
    s = w @ w.T
    truth = np.trace(s) ** 2 / np.trace(s @ s)
    hits = 0
    for _ in range(draws):
        r = rank(Fixed(w), rng.normal(size=(300, 12)))
        hits += r.low <= truth <= r.high
    return covers(hits, draws)


def one_direction(rng, draws):
    """All samples on a line: 1, whatever the number of units."""
    w = np.outer(rng.normal(size=30), [1.0, 0, 0])
    return near(rank(Fixed(w), rng.normal(size=(80, 3))).value, 1.0, 1e-4)


def rounding(rng, draws):
    """A deep narrow tanh network sends all inputs to one point; what is left is rounding,
    whose directions are no rank."""
    found = []
    for _ in range(draws):
        torch.manual_seed(int(rng.integers(2**31)))
        model = nn.Sequential(*[m for _ in range(50) for m in (nn.Linear(32, 32), nn.Tanh())])
        r = measure(model, rng.normal(size=(200, 32)), None, ["health"], twins=0)["health"].of("rank")
        told, none = ["rounding" in v.note for v in r], [bool(np.isnan(v.value)) for v in r]
        found.append(
            Found(
                f"layers told: {sum(told)} of {len(r)}, last {r[-1].value}",
                "the last is told, the first is not, and NaN is the rank of those that are",
                told[-1] and not told[0] and told == none,
            )
        )
    return all_of(*found)


class Odd(nn.Module):
    """Hidden units that are dead, constant, saturated or infinite, in known numbers."""

    def __init__(self, dead, constant, saturated, infinite, alive):
        super().__init__()
        self.counts = dead, constant, saturated, infinite, alive
        self.map = nn.Linear(4, sum(self.counts))
        with torch.no_grad():
            a, b, c, d, _ = self.counts
            self.map.weight[: a + b] = 0
            self.map.bias[:a] = 0
            self.map.bias[a : a + b] = 0.3
            self.map.bias[a + b : a + b + c] = 60.0
            self.map.bias[a + b + c : a + b + c + d] = torch.nan
        self.act = nn.Tanh()

    def forward(self, x):
        return self.act(self.map(x))


def known_units(rng, draws):
    found = []
    for counts in ((3, 2, 4, 0, 7), (0, 0, 0, 0, 5), (5, 0, 0, 2, 3)):
        r = measure(Odd(*counts), rng.normal(size=(50, 4)), None, ["health"], twins=0, layers=["act"])["health"]
        total = sum(counts)
        for name, k in (("dead", 0), ("constant", 1), ("saturated", 2), ("non_finite", 3)):
            seen = r.at("act", name).value
            truth = counts[k] + (counts[2] if name == "constant" else 0)  # tanh(60) moves by less than 1e-6
            found.append(near(seen, truth / total, 1e-12, f"{counts}, {name}: "))
    return all_of(*found)


def order(rng, draws):
    """Samples in another order, other batches, units in another order, another unit of measure: the same numbers."""
    model, x = Fixed(rng.normal(size=(9, 6))), rng.normal(size=(60, 6))
    turned = Fixed(model.map.weight.detach().numpy()[rng.permutation(9)] * 1000)
    values = [
        rank(model, x),
        rank(model, x[rng.permutation(60)]),
        rank(model, x, batch=7),
        rank(turned, x),
        rank(model, x, seed=5),
    ]
    return same([[v.value, v.low, v.high] for v in values], 1e-3)


def never_trained(rng, draws):
    """A model that was never trained lies beyond k twins as often as any of k + 1 like ones: 2 / (k + 1), no more and
    no less."""
    hits = 0
    for k in range(draws):
        torch.manual_seed(int(rng.integers(2**31)))
        model = nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, 6))
        r = measure(model, rng.normal(size=(60, 8)), None, ["health"], twins=5, seed=k)["health"].at("1", "rank")
        hits += r.value > r.twin_most or r.value < r.twin_least
    return all_of(rare(hits, draws, 2 / 6), often(hits, draws, 2 / 6))


def controls_by_hand(rng, draws):
    values = rng.normal(size=20)
    j = Joined(
        layer="a", depth=0, quantity="q", value=9.0, low=8.0, high=10.0, twins=(1.0, 2.0, 6.0), permuted=tuple(values)
    )
    found = [
        near([j.twin_mean, j.twin_least, j.twin_most], [3, 1, 6], 1e-12),
        near(
            [j.permuted_mean, j.permuted_low, j.permuted_high],
            [values.mean(), *np.quantile(values, [0.025, 0.975])],
            1e-12,
        ),
    ]
    told = [
        j.beyond_twins, j.beyond_permuted, replace(j, low=5.0).beyond_twins,
        replace(j, twins=()).beyond_twins,
    ]  # fmt: skip
    return all_of(*found, Found(str(told), "[True, True, False, None]", told == [True, True, False, None]))


def left_as_found(rng, draws):
    """Whether the labels, the batch or the twins are there changes no number of an instrument that uses none of
    them."""
    model, x = Fixed(rng.normal(size=(9, 6))), rng.normal(size=(60, 6))
    y = rng.integers(0, 3, 60)
    some = [
        measure(model, x, t, ["health"], twins=k, permutations=p)["health"].at("output", "rank").value
        for t, k, p in ((None, 0, 20), (y, 0, 0), (y, 2, 20))
    ]
    return same(some, 0)


ROWS = [
    Row("inspection.inspect", "truth",
        "participation ratio of a known covariance, n below and above d (Srivastava 2005)", known_rank, 8, 100),
    Row("inspection.inspect", "truth", "95 % interval of the participation ratio holds it", rank_interval, 60, 2000),
    Row("inspection.inspect", "truth", "one direction reads 1", one_direction),
    Row("inspection.inspect", "null", "a layer that is constant up to rounding has no rank", rounding, 3, 20),
    Row("inspection.inspect", "truth", "dead, constant, saturated and non-finite units in known numbers", known_units),
    Row("inspection.inspect", "null", "a network that was never trained is beyond 5 twins in 1 of 3 cases",
        never_trained, 25, 1000),
    Row("inspection.inspect", "invariance", "order of samples and units, batches, unit of measure, seed", order),
    Row("inspection.inspect", "invariance", "labels and twins change no number that uses neither", left_as_found),
    Row("inspection.Joined", "truth", "controls summed up by hand; beyond: outside their whole range",
        controls_by_hand),
]  # fmt: skip

EXEMPT = {
    "inspection.Context.labels": "its own targets, refused without classes: tests/inspection/test_rows.py",
    "inspection.Inspection.steps": "the numbers in the names of the checkpoints, as they were given",
    "inspection.Inspection.findings": "sentences that instruments write from the numbers tried here",
}


@quick(ROWS)
def test_row(row):
    found = row.run()
    assert found.held, f"{found.measured}; needed: {found.needed}"
