"""Rows of test_bottleneck.py: layers against the bound, gradient phases, fit and compression."""

import numpy as np
import torch
import xarray as xr

import deeptheory as dt
from deeptheory.core.statistics import rank_correlation
from deeptheory.information import fall, fits_before_compressing, fraction_of_information
from oracles import layers as oracle
from trials.bottleneck_tables import channel, soft
from trials.frame import Found, Row, all_of, covers, near, rare, refused


def recording_of(symbols):
    """A Recording whose layers are given symbols [seed, layer, sample], read out exactly."""
    symbols = np.asarray(symbols)
    rec = dt.Recording(range(len(symbols)), np.zeros(symbols.shape[2], dtype=int), inputs=symbols.shape[2])
    rec.add(
        0, {f"layer{k}": torch.as_tensor(symbols[:, k, :, None].astype(np.float64)) for k in range(symbols.shape[1])}
    )
    return rec


def bound(symbols, p_xy, **options):
    return dt.layer_bound(recording_of(np.asarray(symbols)[None]), p_xy, readout=dt.Exact(), **options)


def two_labels(one):
    """p(x, y) of equal inputs with p(y = 1 | x) = one, the other label exact where one is tiny."""
    one = np.asarray(one, dtype=float)
    return np.stack([1 - one, one], 1) / len(one)


def nearest_cluster(rng, least):
    """Random nested layers over p(y|x) spread in the logarithm from `least` to 1/2."""
    one = np.exp(rng.uniform(np.log(least), np.log(0.5), 12))
    order = np.argsort(one)
    layers = [np.arange(12), np.empty(12, dtype=int), np.empty(12, dtype=int), rng.integers(0, 3, 12)]
    layers[1][order] = np.arange(12) // 2
    layers[2][order] = np.arange(12) // 5
    return two_labels(one), layers


def fitted(least):
    """beta against 80 digits: layers that keep all, join neighbors, or mix."""

    def check(rng, draws):
        out = []
        for _ in range(draws):
            p, layers = nearest_cluster(rng, least)
            found = bound(layers, p).beta[0, 0]
            known = np.array([oracle.fitted_beta(p.tolist(), [int(v) for v in s]) for s in layers])
            with np.errstate(invalid="ignore"):
                ratio = np.where(found == known, 1.0, found / np.where(known > 0, known, np.nan))
            out.append(near(ratio, 1, 1e-4, f"{found} against {known}: "))
        return all_of(*out)

    return check


def small_losses(rng, draws):
    """A layer that loses 1e-2 to 1e-12 nats about Y, its inputs shuffled between clusters, has a finite beta:
    the oracle's."""
    out = []
    for d in (1e-1, 1e-2, 1e-4, 1e-6):
        p = two_labels(0.5 + d * np.array([-3, -2, -1, 1, 2, 3]) / 7)
        symbols = [0, 1, 0, 1, 0, 1]
        found, known = bound([symbols], p).beta[0, 0, 0], oracle.fitted_beta(p.tolist(), symbols)
        out.append(Found(f"beta {found}", "finite", bool(np.isfinite(found))))
        out.append(near(found / known, 1, 1e-4, f"d {d}: "))
    return all_of(*out)


def keeps_all(rng, draws):
    """Every input its own symbol: beta infinite, nothing lost, on and above the bound's right end."""
    out = []
    for p in (
        two_labels(np.geomspace(1e-300, 0.4, 15)),
        two_labels(np.geomspace(1e-16, 1e-13, 9)),
        rng.dirichlet(np.ones(5), 30) / 30,
        soft(),
    ):
        found = bound([np.arange(len(p)), rng.permutation(len(p))], p)
        out.append(near(found.beta, np.inf, 0))
        out.append(near([found.lost, found.distance], 0, 1e-9))
        out.append(near(found.i_x, np.log2(len(p)), 1e-9))
        out.append(Found(f"criterion {found.criterion.max():.3g}", "finite", bool(np.isfinite(found.criterion).all())))
    return all_of(*out)


def keeps_nothing(rng, draws):
    """One symbol for all: beta 0 and I = 0. X independent of Y: no beta (NaN), I(T;Y) 0, whatever the layer keeps."""
    out = []
    for p in (two_labels(np.geomspace(1e-16, 0.4, 15)), rng.dirichlet(np.ones(3), 40) / 40):
        found = bound([np.zeros(len(p), dtype=int)], p)
        out.append(near([found.beta, found.i_x, found.i_y, found.residual, found.distance], 0, 1e-12))
    for n in (6, 30):
        found = bound([np.arange(n), np.arange(n) // 2], np.outer(np.ones(n) / n, [0.3, 0.7]))
        out.append(near([found.i_y, found.distance, found.lost], 0, 1e-12))
        out.append(Found(str(found.beta), "NaN", bool(np.isnan(found.beta).all())))
    return all_of(*out)


def depth(networks, epochs):
    """Trained on the 12-bit rule: layers that keep every input have beta infinity, and beta falls with depth."""

    def check(rng, draws):
        data = dt.datasets.icosahedron(gamma=50)
        nets = dt.networks.Population.mlp(
            [12, 10, 7, 5, 4, 3, 2], activation="tanh", seeds=range(networks), init="truncated_normal"
        )
        rec = dt.Recorder(nets, inputs=data.x, targets=data.y)
        dt.networks.fit(
            nets,
            data.x,
            data.y,
            train_fraction=0.8,
            optimizer="adam",
            lr=2e-3,
            batch=512,
            epochs=epochs,
            recorder=rec,
            record_at=[epochs],
            seed=0,
        )
        found = dt.layer_bound(rec.recording, data.p_xy, readout=dt.Binning(30, (-1, 1)))
        beta, i_x = found.beta[:, -1], found.i_x[:, -1]
        rho = np.array([rank_correlation(np.arange(beta.shape[1]), row).value for row in beta])
        whole = beta[i_x > 12 - 1e-9]
        return all_of(
            Found(
                f"{len(whole)} layers keep all: {set(whole.tolist())}",
                "infinite",
                len(whole) > 0 and bool(np.isinf(whole).all()),
            ),
            Found(
                f"rank correlation of layer and beta {rho.round(2)}", "at most -.8 in each", bool((rho <= -0.8).all())
            ),
        )

    return check


def shuffled(rng, draws):
    """The null of permuted labels: a layer made without looking at Y fits as badly as with them permuted."""
    above, ratio, p = 0, [], rng.dirichlet(np.ones(2), 40) / 40
    curve = dt.bottleneck_curve(p, [2.0, 10.0], locate=False)
    for _ in range(draws):
        found = bound([rng.integers(0, 4, 40)], p, permutations=9, seed=int(rng.integers(2**31)), curve=curve)
        ratio.append(found.residual.item() / found.residual_shuffled.item())
        above += ratio[-1] < 0.9
    return all_of(rare(above, draws, 0.05), near(np.mean(ratio), 1, 0.05, "mean ratio "))


def layer_invariance(rng, draws):
    """Order of inputs, names of symbols, counts, an input without mass, torch and float32."""
    out = []
    for n, k in ((8, 2), (20, 4)):
        counts = rng.integers(1, 30, (n, k))
        p, layers = counts / counts.sum(), [rng.integers(0, 6, n), rng.integers(0, 3, n)]
        curve = dt.bottleneck_curve(p, [1.5, 4.0, 20.0], locate=False)
        first, turn = bound(layers, p, curve=curve), rng.permutation(n)
        forms = [
            bound([s[turn] for s in layers], p[turn], curve=curve),
            bound([7 - 2 * s for s in layers], p, curve=curve),
            bound(layers, counts, curve=curve),
            bound(layers, torch.as_tensor(p), curve=curve),
            bound([np.append(s, 0) for s in layers], np.vstack([p, np.zeros(k)]), curve=curve),
            bound(layers, p[:, ::-1].copy(), curve=curve),
        ]
        for f in forms:
            for name in ("i_x", "i_y", "distance", "excess", "beta", "residual", "i_previous", "lost", "criterion"):
                a, b = getattr(f, name), getattr(first, name)
                if name in ("i_previous", "lost", "criterion"):
                    a, b = a[..., 1:], b[..., 1:]
                with np.errstate(invalid="ignore"):
                    ratio = np.where(a == b, 0.0, np.abs(a - b) / (1 + np.abs(b)))
                out.append(near(ratio, 0, 1e-5, f"{name}: "))
    return all_of(*out)


def layer_refusals(rng, draws):
    p, other = channel(0.1), channel(0.2)
    rec = recording_of(np.arange(2)[None, None])
    curves = [dt.bottleneck_curve(t) for t in (other, np.eye(2) / 2, np.array([[0.3, 0.2], [0.1, 0.4]]))]
    calls = [(lambda c=c: dt.layer_bound(rec, p, readout=dt.Exact(), curve=c), "another table") for c in curves]
    calls += [
        (lambda c=c: dt.layer_bound(rec, p, readout=dt.Exact(), curve=c), "what dt.bottleneck_curve") for c in (3, "x")
    ]
    calls += [
        (lambda a=a: dt.layer_bound(a, p, readout=dt.Exact()), "needed: a Recording")
        for a in (np.ones((2, 3)), torch.ones(2), [1], None)
    ]
    calls += [(lambda: dt.layer_bound(dt.Recording([0], inputs=2), p, readout=dt.Exact()), "empty")]
    right = dt.layer_bound(rec, p, readout=dt.Exact(), curve=dt.bottleneck_curve(p[::-1].copy()))
    return all_of(near(right.distance, 0, 1e-9), *(refused(call, match) for call, match in calls))


def moments(mean, std, steps, layers=1, batches=None):
    """A Dataset of gradient moments from mean, std [seed, step]."""
    mean, std = (np.repeat(np.asarray(v, dtype=float)[:, :, None], layers, 2) for v in (mean, std))
    axes = ("seed", "step", "layer")
    data = {"mean_norm": (axes, mean), "std_norm": (axes, std), "weight_norm": (axes, np.ones_like(mean))}
    if batches:
        data["batches"] = (("step", "layer"), np.full((len(steps), layers), batches))
    names = [f"layer{k}" for k in range(layers)]
    return xr.Dataset(data, coords={"seed": range(len(mean)), "step": list(steps), "layer": names})


def power_laws(rng, draws):
    """SNR = ((t0 + 1) / (step + 1))^a falls through 1 at t0, exactly, since interpolation is on logarithmic axes."""
    out, steps = [], np.unique(np.geomspace(1, 5000, 60).astype(int)) - 1
    for t0 in (3.3, 40.0, 900.0, 1e6):
        for a in (0.2, 1.0, 4.0):
            snr = ((t0 + 1) / (steps + 1)) ** a
            found = dt.gradient_phases(moments([snr], [np.ones_like(snr)], steps)).crossing
            out.append(near(found / t0 if t0 < 5000 else found, 1 if t0 < 5000 else np.inf, 1e-9))
    low = dt.gradient_phases(moments([[0.5, 0.1]], [[1, 1]], [0, 5]))
    return all_of(*out, near(low.crossing, 0, 0))


def undefined(rng, draws):
    """0/0 is no ratio: never below 1, whichever steps it strikes; a layer without gradient has no crossing."""
    out = []
    for steps in ([0, 1, 2], [0, 10, 1000], [3, 4, 5, 6]):
        n = len(steps)
        dead = dt.gradient_phases(moments(np.zeros((3, n)), np.zeros((3, n)), steps))
        out.append(Found(str(dead.crossing.ravel()), "NaN", bool(np.isnan(dead.crossing).all())))
        out.append(Found(str(dead.notes), "said", any("no gradient" in note for note in dead.notes)))
        mean, std = np.full((1, n), 0.5), np.ones((1, n))
        mean[0, 0] = 4
        mean[0, 1] = std[0, 1] = 0
        found = dt.gradient_phases(moments(mean, std, steps))
        out.append(
            Found(
                f"{found.crossing.item():.3g}",
                f"between steps {steps[0]} and {steps[2]}",
                steps[0] < found.crossing.item() < steps[2],
            )
        )
        out.append(
            Found(f"{found.crossing.item():.3g}", "not next to the first step", found.crossing.item() > steps[0] + 0.1)
        )
        mean[0, 0] = std[0, 0] = 0
        early = dt.gradient_phases(moments(mean, std, steps)).crossing
        out.append(Found(str(early), "NaN: the first step has no ratio", bool(np.isnan(early).all())))
    return all_of(*out)


def phase_invariance(rng, draws):
    """Order of steps, seeds and layers, units of gradients and weights."""
    steps = np.array([0, 1, 3, 10, 40, 200])
    mean, std = np.exp(rng.normal(size=(7, 6)) + np.linspace(1, -1, 6)), np.exp(0.3 * rng.normal(size=(7, 6)))
    data = moments(mean, std, steps, layers=2)
    first, out = dt.gradient_phases(data), []
    for _ in range(3):
        turned = data.isel(step=rng.permutation(6), seed=rng.permutation(7))
        found = dt.gradient_phases(turned)
        out.append(near(np.sort(found.crossing, 0), np.sort(first.crossing, 0), 0))
        out.append(near([found.crossing_low, found.crossing_high], [first.crossing_low, first.crossing_high], 0))
        out.append(Found(str(found.steps), "ascending", found.steps == tuple(steps.tolist())))
    for scale in (1e-200, 1e-8, 1e8, 1e150):
        out.append(
            near(dt.gradient_phases(moments(mean * scale, std * scale, steps, layers=2)).crossing, first.crossing, 1e-9)
        )
    twice = xr.concat([data, data.isel(step=[2])], "step")
    return all_of(*out, refused(lambda: dt.gradient_phases(twice), "step 3 appears 2 times"))


def medians(n):
    """The interval of the median crossing holds the true median in 95 % (order statistics)."""

    def check(rng, draws):
        steps = np.unique(np.geomspace(1, 1e5, 40).astype(int)) - 1
        hits = 0
        for _ in range(draws):
            t0 = np.exp(rng.normal(np.log(100), 1, n))
            found = dt.gradient_phases(moments(((t0[:, None] + 1) / (steps + 1)) ** 2, np.ones((n, len(steps))), steps))
            hits += bool(found.crossing_low[0] <= 100 <= found.crossing_high[0])
        return covers(hits, draws)

    return check


def median_ends(rng, draws):
    """Both ends are the order statistics of the crossings that the sign test's tables name."""
    steps, out = np.unique(np.geomspace(1, 1e5, 40).astype(int)) - 1, []
    for n, k in ((6, 1), (9, 2), (18, 5)):
        t0 = np.sort(np.exp(rng.normal(np.log(100), 1, n)))
        snr = ((rng.permutation(t0)[:, None] + 1) / (steps + 1)) ** 2
        found = dt.gradient_phases(moments(snr, np.ones_like(snr), steps))
        ends = [found.crossing_low[0] / t0[k - 1], found.crossing_high[0] / t0[n - k]]
        out.append(near(ends, 1, 1e-9, f"{n} networks: "))
    return all_of(*out)


def no_interval(rng, draws):
    found = [dt.gradient_phases(moments(np.ones((n, 2)) * [2, 0.5], np.ones((n, 2)), [0, 9])) for n in (1, 2, 5)]
    none = all(np.isnan(f.crossing_low).all() and np.isnan(f.crossing_high).all() for f in found)
    return Found(f"none below 6: {none}", "NaN", none and all("interval from 6" in " ".join(f.notes) for f in found))


def noise_floor(rng, draws):
    """B minibatches of pure noise: the SNR is 1/sqrt(B), the note says that, and with B = 1 there is nothing to say."""
    out = []
    for b in (4, 16, 100):
        model = torch.nn.Linear(60, 40, bias=False)
        recorder = dt.GradientRecorder(model)
        for _ in range(b):
            model.weight.grad = torch.as_tensor(rng.standard_normal((40, 60)), dtype=torch.float32)
            recorder.collect()
        recorder.snapshot(0)
        found = dt.gradient_phases(recorder.dataset())
        out.append(near(found.snr.item() * np.sqrt(b), 1, 0.1, f"{b} batches: "))
        out.append(Found(found.notes[-1], "the floor is said", f"= {1 / np.sqrt(b):.3g}" in found.notes[-1]))
    return all_of(*out)


def falls(rng, draws):
    """Monotone series do not fall; a bump of height h over the end falls by h; NaN is not hidden."""
    out = []
    for n in (2, 9, 400):
        up = np.sort(rng.normal(size=(3, n)), axis=1)
        out.append(near(fall(up), 0, 0))
        out.append(near(fall(up[:, ::-1]), np.ptp(up, axis=1), 1e-12))
        out.append(near(fall(np.concatenate([up, up[:, -1:] - 0.7], 1) * 1e150), 0.7e150, 1e138))
        out.append(Found("NaN", "stays NaN", bool(np.isnan(fall(np.where(np.arange(n) == n - 1, np.nan, up))).all())))
    return all_of(
        *out, refused(lambda: fall(np.zeros((3, 0))), "one or more steps"), refused(lambda: fall(1.0), "shape")
    )


def fits(rng, draws):
    """I(T;Y) that is there first, and that comes last; no fall, no compression; NaN is never a yes."""
    i_x = np.array([[1, 4, 4, 3, 2, 1.0]])
    early, late = np.array([[0, 0.5, 1, 1, 1, 1.0]]), np.array([[0, 0.1, 0.2, 0.3, 0.5, 1.0]])
    got = [
        fits_before_compressing(i_x, early)[0],
        not fits_before_compressing(i_x, late)[0],
        not fits_before_compressing(np.sort(i_x), early)[0],
        not fits_before_compressing(i_x, np.full_like(i_x, np.nan))[0],
        not fits_before_compressing(np.full_like(i_x, np.nan), early)[0],
    ]
    return all_of(
        Found(str(got), "all", all(got)),
        refused(lambda: fits_before_compressing(i_x, early[:, :3]), "both need the same"),
    )


def fractions(rng, draws):
    i_y = rng.random((4, 7, 3))
    wrong = {0.0: "above 0", -1.0: "above 0", np.nan: "a finite number"}
    calls = [(lambda v=v: fraction_of_information(i_y, v), said) for v, said in wrong.items()]
    return all_of(near(fraction_of_information(i_y, 0.5), 2 * i_y[:, -1], 1e-12), *(refused(c, m) for c, m in calls))


LAYERS = [
    Row("layer_bound", "null", "layers that tell nothing; inputs that tell nothing", keeps_nothing),
    Row("layer_bound", "null", "40 inputs, layers blind to Y: residual under .9 of its permuted null", shuffled, 60,
        400),
    *(Row("layer_bound", "truth", f"beta in 80 digits, p(y|x) from {p:g} to 1/2", fitted(p), 3, 30)
        for p in (1e-2, 1e-13, 1e-16, 1e-100)),
    Row("layer_bound", "truth", "layers that lose .01 to 1e-12 nats: the finite beta of 80 digits", small_losses),
    Row("layer_bound", "truth", "layers that keep every input: beta infinite, p(y|x) down to 1e-300", keeps_all),
    Row("layer_bound", "truth", "3 networks trained on the 12-bit rule, gamma 50", depth(3, 150)),
    Row("layer_bound", "truth", "20 networks trained on the 12-bit rule, gamma 50", depth(20, 1500), quick=0),
    Row("layer_bound", "truth", "curves of other tables and what is no recording are refused", layer_refusals),
    Row("layer_bound", "invariance", "order of inputs, names of symbols, counts, torch, an input without mass",
        layer_invariance),
    Row("gradient_phases", "null", "minibatches of pure noise", noise_floor),
    *(Row("gradient_phases", "null", f"median crossing of {n} networks", medians(n), 100, 1000) for n in (6, 18)),
    Row("gradient_phases", "truth", "ends of the median's interval: order statistics, 6 to 18 networks", median_ends),
    Row("gradient_phases", "null", "no interval below 6 networks", no_interval),
    Row("gradient_phases", "truth", "power laws: closed form", power_laws),
    Row("gradient_phases", "truth", "0/0 at the first, a middle, every step", undefined),
    Row("gradient_phases", "invariance", "order of steps and networks, units from 1e-200 to 1e150, doubled steps",
        phase_invariance),
    Row("information.fall", "truth", "monotone series and bumps", falls),
    Row("information.fits_before_compressing", "truth", "early, late, without fall, NaN", fits),
    Row("information.fraction_of_information", "truth", "ratio at the last step", fractions),
]  # fmt: skip
