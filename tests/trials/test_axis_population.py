"""Populations, geometry, labels, views, latents and simulations of the axis science: what they promise, tried."""

import numpy as np
import torch
from torch import nn

import deeptheory as dt
from deeptheory import axis as ax
from oracles import areas as oracle
from trials.frame import Found, Row, all_of, covers, near, quick, rare, same


def directions(rng, draws):
    """Random axes: their mean |cosine| and participation lie within the null's 95 % range."""
    hits = 0
    for _ in range(draws):
        g = ax.axes_geometry(rng.standard_normal((20, 8)), draws=100, seed=int(rng.integers(1e6)))
        hits += g.null_mean_absolute[1] <= g.mean_absolute <= g.null_mean_absolute[2]
    return covers(hits, draws)


def directions_by_hand(rng, draws):
    """Cosines, their mean size, participation and rank by numpy; orthogonal axes and copies of one, of any length."""
    out = []
    for kind, axes in (
        ("random", rng.standard_normal((7, 4))), ("orthogonal", np.eye(5)[:3]), ("one", np.ones((6, 1)) * [1.0, 2, 0]),
    ):  # fmt: skip
        found = ax.axes_geometry(axes * np.exp(rng.standard_normal((len(axes), 1))), draws=10)
        unit = axes / np.linalg.norm(axes, axis=1, keepdims=True)
        cosine = unit @ unit.T
        pairs = np.abs(cosine[np.triu_indices(len(axes), 1)])
        values = np.linalg.svd(unit)[1] ** 2
        known = [pairs.mean(), values.sum() ** 2 / (values**2).sum(), (values > 1e-6 * values[0]).sum()]
        known.append((pairs < 0.1).mean())
        got = [found.mean_absolute, found.participation, found.rank, found.orthogonal]
        out += [near(found.cosines, cosine, 1e-9), near(got, known, 1e-9, f"{kind}: ")]
    return all_of(*out)


def angles(rng, draws):
    turn = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    a = np.eye(6)[:2] @ turn
    b = np.array([[np.cos(t), *[0] * k, np.sin(t), *[0] * (4 - k)] for t, k in ((0.3, 1), (0.0, 4))])
    b[1] = np.eye(6)[1]
    found = ax.subspace_angles(a, b @ turn, 1.0)
    return near(found, np.degrees([0.3, 0.0]), 1e-5)


def labels_of_noise(labels, units):
    def check(rng, draws):
        seen = [float(ax.label_decoding(rng.standard_normal((labels, 40, units))).accuracy[0]) for _ in range(draws)]
        return near(np.mean(seen), 1 / labels, 4 * np.sqrt((1 - 1 / labels) / labels / (labels * 20 * draws)))

    return check


def labels_by_loops(rng, draws):
    x = rng.standard_normal((3, 8, 5)) + rng.standard_normal((3, 1, 5))
    return near(ax.label_decoding(x).accuracy[0], oracle.nearest_mean_accuracy(x.tolist(), 0.5), 1e-12)


def view_null(rng, draws):
    """Responses that know neither identity nor view: invariance lies within the shuffled range in 95 %."""
    hits, who, view = 0, np.repeat(np.arange(8), 4), np.tile(np.arange(4), 8)
    for _ in range(draws):
        v = ax.view_tolerance(rng.standard_normal((32, 20)), who, view, permutations=100, seed=int(rng.integers(1e6)))
        hits += v.shuffled_low <= v.invariance <= v.shuffled_high
    return covers(hits, draws)


def view_by_loops(rng, draws):
    """Mean correlations of pairs of pictures of standardized units, one by one: the same identity less others across
    views, others in one view less in different ones, mirrored views less other ones. Strong identities are found."""
    who, view = np.repeat(np.arange(5), 3), np.tile(np.array([-30, 0, 30]), 5)
    y = rng.standard_normal((15, 12)) + rng.standard_normal((5, 12))[who] + rng.standard_normal((3, 12))[view // 30]
    found = ax.view_tolerance(y, who, view, mirrors=[(-30, 30)], permutations=50)
    z = (y - y.mean(0)) / y.std(0)
    like = {(a, b): np.corrcoef(z[a], z[b])[0, 1] for a in range(15) for b in range(15) if a != b}

    def mean(*asked):
        return np.mean([v for (a, b), v in like.items() if all(ask(a, b) for ask in asked)])

    other, apart = (lambda a, b: who[a] != who[b]), (lambda a, b: view[a] != view[b])
    mirrored = lambda a, b: view[a] == -view[b] != 0  # noqa: E731
    by_views = [
        mean(lambda a, b: who[a] == who[b], lambda a, b, p=p: (view[a], view[b]) == p)
        - mean(other, lambda a, b, p=p: (view[a], view[b]) == p)
        for p in ((-30, 0), (-30, 30), (0, 30))
    ]
    strong = ax.view_tolerance(3 * rng.standard_normal((5, 12))[who] + y, who, view, permutations=50)
    return all_of(
        near(found.invariance, np.mean(by_views), 1e-9, "invariance: "),
        near(found.view_grouping, mean(other, lambda a, b: view[a] == view[b]) - mean(other, apart), 1e-9),
        near(
            found.mirror,
            mean(other, mirrored) - mean(other, apart, lambda a, b: not mirrored(a, b)),
            1e-9,
            "mirror: ",
        ),
        Found(
            f"{strong.invariance:.2f}, shuffled up to {strong.shuffled_high:.2f}", "above",
            strong.invariance > strong.shuffled_high,
        ),
    )  # fmt: skip


def latents_of_noise(rng, draws):
    found = [ax.latent_alignment(rng.standard_normal((200, 3)), rng.standard_normal((200, 4))) for _ in range(draws)]
    return near(np.mean([f.explained for f in found]), 0, 0.03)


def latents_of_one(rng, draws):
    z = rng.standard_normal((200, 3))
    found = ax.latent_alignment(z[:, [2, 0, 1]] + 0.05 * rng.standard_normal((200, 3)), z)
    return all_of(near(found.mean, 1, 0.1), near(found.matches[np.argsort(found.matches[:, 0]), 1], [2, 0, 1], 0))


def ranking(rng, draws):
    z = rng.standard_normal((1000, 4))
    return all_of(near(ax.udr([z, -z[:, ::-1]]), 0.9, 0.08), same([ax.udr([z, 3 * z]), ax.udr([np.exp(z), z])], 1e-9))


def chance_of_strangers(rng, draws):
    p, a = rng.standard_normal((30, 3)), rng.standard_normal((30, 3))
    return near(ax.distractor_ratio(p, a), oracle.distractor_ratio(p, a), 1e-9)


def strangers_elsewhere(rng, draws):
    p, a = rng.standard_normal((30, 3)), rng.standard_normal((30, 3))
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    return same([ax.distractor_ratio(p, a), ax.distractor_ratio(7 * p @ turn + 1e7, 7 * a @ turn + 1e7)], 1e-6)


def simulated(noise):
    """Signal variance over all variance of the mean is what was asked for; another seed gives other noise,
    the same cells."""

    def check(rng, draws):
        out = []
        for rho in (0.2, 0.5, 0.9):
            sim = ax.simulate(
                {"axis": 0.5, "energy": 0.5},
                n=3000,
                d=5,
                units=8,
                reliability=rho,
                trials=3,
                noise=noise,
                seed=int(rng.integers(1e6)),
            )
            mean = sim.responses.mean(1)
            out.append(near(sim.rates.var(0) / mean.var(0), rho, 0.08))
            again = sim.respond(sim.features, 5)
            out.append(near(np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(mean.T, again.mean(1).T)]), rho, 0.05))
        return all_of(*out)

    return check


def variances(rng, draws):
    v = ax.paper_variances()
    return all_of(near(v.sum(), 1, 1e-12), near(v[:25].sum(), 0.5, 1e-12))


def spikes(rng, draws):
    r = np.abs(rng.standard_normal((2000, 4))) * [1, 10, 1e-6, 0]
    y = ax.Poisson(rate=8.0, trials=4)(r, 3)
    fano = y.var(1, ddof=1).mean(0) / y.mean((0, 1)).clip(1e-9) * 0.251
    return all_of(near(y.mean((0, 1)), [8, 8, 8, 0], 0.4), near(fano[:3], 1, 0.1))


def a_layer_is_its_numbers(rng, draws):
    net = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3))
    x, s = torch.as_tensor(rng.standard_normal((150, 6)), dtype=torch.float32), rng.standard_normal((150, 4))
    by_hand = dt.axis_code(net[:2](x).detach(), s, models=False, permutations=9)
    of = dt.axis_code_of(net, "1", x, s, models=False, permutations=9)
    cells = ax.record_units(net, ["1"], x)["1"].responses
    depth = ax.axis_code_by_layer(net, ["1"], x, s, models=False, permutations=9, pixels=False, untrained=net)
    table = depth.table()
    return all_of(
        same([by_hand.axes.sta, of.axes.sta, depth.trained["1"].axes.sta, depth.untrained["1"].axes.sta], 1e-6),
        near(cells, net[:2](x).detach().numpy(), 1e-6),
        near(ax.activations_of(net, ["1"], x)["1"], cells, 0),
        near(table["tuned"], by_hand.ramp.tuned.mean(), 1e-12),
    )


def pixels(rng, draws):
    x = rng.standard_normal((20, 3, 4))
    values, at = ax.pixels_of(x, 5, 0)
    return all_of(near(values, x.reshape(20, -1)[:, at], 0), near(len(set(at.tolist())), 5, 0, "different pixels: "))


def planes(rng, draws):
    s = rng.standard_normal((200, 5))
    w = rng.standard_normal(5)
    code = dt.axis_code((s @ w)[:, None] + 5, s, models=False, permutations=0, normalize="none")
    null, along = ax.null_plane(code, 0, [1, 2, 3]).change(lambda f: f @ w)
    made = code.metamers(0, 10)
    return all_of(
        near(null / along, 0, 1e-4),
        Found(f"{along:.3g}", "above 1", along > 1),
        near(made.ratio(lambda f: f @ w), 0, 1e-6),
    )


def metric(rng, draws):
    found = ax.metric_efficiency((5, 20), n=120, d=10, candidates=10, seeds=(0,))
    ratio = found.ratio(float(found.accuracy[0, :, 1, 0].min()))
    at_most_one = bool(((found.accuracy >= 0) & (found.accuracy <= 1)).all())
    return Found(
        f"ratio {ratio}, accuracies in [0, 1]: {at_most_one}",
        "a ratio above 0",
        at_most_one and bool((ratio > 0).all()),
    )


def powers(rng, draws):
    found = ax.verdict_power({"axis": 0.5, "none": 0.5}, n=300, d=4, units=6, folds=3, permutations=19)
    total = [found.share(c, c, "undetermined")[0] + found.wrong(c)[0] for c in ("axis", "none")]
    return all_of(near(total, 1, 1e-12), near([found.cells("axis"), found.cells("none")], 3, 0))


def preference_null(rng, draws):
    code = dt.axis_code(
        rng.standard_normal((200, draws)),
        rng.standard_normal((200, 6)),
        {"a": slice(0, 3), "b": slice(3, 6)},
        models=False,
        permutations=199,
    )
    return all_of(rare(int((code.preference.p[:, 0] <= 0.05).sum()), draws), near(code.preference.index.mean(), 0, 0.1))


def preference_truth(rng, draws):
    s = rng.standard_normal((2000, 4))
    code = dt.axis_code(
        s @ np.array([[3.0, 4, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]]).T,
        s,
        {"a": slice(0, 2), "b": slice(2, 4)},
        models=False,
        permutations=99,
    )
    p = code.preference.p[:, 0]
    return all_of(
        near(code.preference.index, [1, 1, -1], 0.1), Found(f"p {p}", "below .05 in each", bool((p < 0.05).all()))
    )


def consistent(rng, draws):
    sim = ax.simulate({"axis": 0.5, "exemplar": 0.5}, n=150, d=4, units=6, trials=3, reliability=0.7, seed=1)
    code = dt.axis_code(sim.responses, sim.features, folds=3, permutations=19)
    m = code.models
    return all_of(
        near(sum(code.share.values()), 1, 1e-12),
        near(sum(m.counts.values()), 6, 0),
        near(m.aic_weights.sum(0), 1, 1e-9),
        near(m.normalized, m.r2 / m.ceiling, 1e-12),
        near(m.of("axis"), m.r2[0], 0),
        near(code.flatness.relative, code.flatness.share / np.maximum(code.flatness.along, 1e-12), 1e-9),
        near(code.identification([2, 5]).chance, [0.5, 0.2], 0),
        near(code.scalars()["share/tuned"], code.ramp.tuned.mean(), 1e-12),
        near(
            code.reconstruct(lambda f: f),
            code.decoding.predicted * code._entered.scale.numpy() + code._entered.center.numpy(),
            1e-9,
        ),
        near(code.geometry().cosines.diagonal(), 1, 1e-9),
    )


def similarities(rng, draws):
    y = rng.standard_normal((9, 7))
    z = (y - y.mean(0)) / y.std(0)
    space = ax.object_space(rng.standard_normal((40, 9)), 4)
    return all_of(
        near(ax.similarity_matrix(y), np.corrcoef(z), 1e-9),
        near(ax.rdm(y), 1 - np.corrcoef(y), 1e-9),
        same([ax.rdm(y), ax.rdm(1e-9 * y), ax.rdm(3 * y + 5)], 1e-7),
        near(space.encode(space.mean[None]), 0, 1e-9),
        near(space.quadrants([[1, 1], [-1, 1], [-1, -1], [1, -1]]), [0, 1, 2, 3], 0),
    )


ROWS = [
    Row("axis.axes_geometry", "null", "random directions against their own null", directions, 40, 400),
    Row("axis.subspace_angles", "truth", "planes at .3 and 0 radians", angles),
    Row("axis.axes_geometry", "truth", "random, orthogonal and equal axes by numpy", directions_by_hand),
    *(Row("axis.label_decoding", "null", f"noise, {k} labels, {u} units", labels_of_noise(k, u), 10, 100)
        for k, u in ((2, 3), (5, 100), (10, 10))),
    Row("axis.label_decoding", "truth", "loops over trials (oracle)", labels_by_loops),
    Row("axis.view_tolerance", "null", "neither identity nor view", view_null, 40, 400),
    Row("axis.view_tolerance", "truth", "pairs of pictures one by one; strong identities lie above the shuffled range",
        view_by_loops),
    Row("axis.latent_alignment", "null", "unrelated latents are not predicted", latents_of_noise, 1, 20),
    Row("axis.latent_alignment", "truth", "each unit one latent", latents_of_one),
    Row("axis.udr", "truth", "order, sign and monotone scale of latents", ranking),
    Row("axis.distractor_ratio", "truth", "loops over stimuli (oracle)", chance_of_strangers),
    Row("axis.distractor_ratio", "invariance", "features turned, scaled, 10,000,000 units away", strangers_elsewhere),
    *(Row("axis.simulate", "truth", f"reliability as asked for, {n} noise", simulated(n))
        for n in ("gaussian", "poisson")),
    Row("axis.paper_variances", "truth", "two blocks of half the variance", variances),
    Row("axis.Poisson", "truth", "mean rate and Fano factor of 1, at any scale", spikes),
    Row("axis_code_of", "truth", "the same as axis_code of the layer's numbers", a_layer_is_its_numbers),
    Row("axis.pixels_of", "truth", "the stimuli's own numbers", pixels),
    Row("axis.null_plane", "truth", "a linear cell does not answer its null plane", planes),
    Row("axis.metric_efficiency", "truth", "accuracies are shares, ratios positive", metric),
    Row("axis.verdict_power", "truth", "right, undetermined and wrong add up", powers),
    Row("axis.Preference.index", "null", "noise prefers no block", preference_null, 100, 1000),
    Row("axis.Preference.index", "truth", "axes within one block", preference_truth),
    Row("axis.AxisCode.scalars", "invariance", "the parts agree with each other", consistent),
    Row("axis.similarity_matrix", "truth", "numpy's correlations; scale and offset do not matter", similarities),
]  # fmt: skip


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
