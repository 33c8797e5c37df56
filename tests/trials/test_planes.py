"""The information plane and its readouts: what is read from a layer, tried. Bits;
truth by closed form or by counting."""

import numpy as np

import deeptheory as dt
from trials.frame import Found, Row, all_of, covers, near, often, quick, same, uniform
from trials.plane_models import PLANES_OF_MODELS
from trials.plane_pairs import pairs_by_hand, pairs_invariance, pairs_null
from trials.plane_sizes import SIZES

DISCRETE = {
    "Binning": lambda: dt.Binning(4, "unit"),
    "Quantized": lambda: dt.Quantized(2, "unit"),
    "Exact": lambda: dt.Exact(),
}
NOISE = {"GaussianNoise": lambda: dt.GaussianNoise(0.5, relative="distance")}
ALL = DISCRETE | NOISE


def entropy(*columns):
    p = np.unique(np.stack(columns), axis=1, return_counts=True)[1] / len(columns[0])
    return float(-(p * np.log2(p)).sum())


def rows_of(readout, a):
    """Symbols of samples by the definition, unit by unit: the slow way."""
    if isinstance(readout, dt.Exact):
        return np.unique(a + 0.0, axis=0, return_inverse=True)[1].ravel()
    out = []
    for u in a.T:
        low, high = u.min(), u.max()
        if isinstance(readout, dt.Binning):
            edges = np.linspace(low, high if high > low else low + 1, readout.n + 1)
            out.append(np.maximum(np.searchsorted(edges[:-1], u, side="left") - 1, 0))
        else:
            span = high - low if high > low else 1.0
            out.append(np.rint((u - low) / span * (2**readout.bits - 1)))
    return np.unique(np.array(out).T, axis=0, return_inverse=True)[1].ravel()


def layers(rng, n=90):
    """Dense, ReLU zeros, integers, constant and doubled columns, tiny and huge values."""
    dense = rng.normal(size=(n, 3))
    yield "dense", dense
    yield "zeros", np.maximum(dense, 0)
    yield "integers", rng.integers(-2, 3, (n, 4)).astype(float)
    yield "constant and doubled", np.c_[dense[:, :1], dense[:, :1], np.ones(n)]
    yield "1e-200", dense.round(1) * 1e-200
    yield "1e200", dense.round(1) * 1e200


def counted(make):
    def check(rng, draws):
        found, y = [], rng.integers(0, 3, 90)
        for what, a in layers(rng):
            readout = make()
            got = readout.summarize(a[None], y)
            t = rows_of(readout, a)
            h_t, i_y = entropy(t), entropy(t) + entropy(y) - entropy(t, y)
            found.append(
                near(
                    [got["i_x"][0], got["i_y"][0], got["occupied"][0]], [h_t, i_y, len(np.unique(t))], 1e-9, f"{what}: "
                )
            )
        return all_of(*found)

    return check


def counted_plane(rng, draws):
    """The same of a plane of several networks and of labels in words; H(Y) by counting."""
    found, y = [], rng.integers(0, 3, 90)
    for what, a in layers(rng):
        plane = dt.information_plane(
            np.stack([a, a[::-1]]), dt.Binning(4, "unit"), targets=np.array(["u", "v", "w"])[y]
        )
        for k, b in enumerate((a, a[::-1])):
            t = rows_of(dt.Binning(4, "unit"), b)
            want = [entropy(t), entropy(t) + entropy(y) - entropy(t, y), len(np.unique(t)), entropy(y)]
            got = [plane.i_x[k, 0, 0], plane.i_y[k, 0, 0], plane.occupied[k, 0, 0], plane.h_y]
            found.append(near(got, want, 1e-9, f"{what}: "))
    return all_of(*found)


def symbols(make):
    """Which inputs share a symbol, by the definition; blind to the order of units and of samples."""

    def check(rng, draws):
        found = []
        for what, a in layers(rng):
            readout, turn = make(), rng.permutation(len(a))
            want = rows_of(readout, a)
            got = readout.symbols(a[None])[0]
            found.append(near(got[:, None] == got, want[:, None] == want, 0, f"{what}: "))
            turned = readout.symbols(a[None, turn][:, :, ::-1])[0]
            found.append(near(turned[:, None] == turned, (got[:, None] == got)[turn][:, turn], 0, f"{what}, turned: "))
        return all_of(*found)

    return check


def propagated(apart):
    """Inputs far apart under the noise: log2 of their number, and the label's bit; all at one point: 0."""

    def check(rng, draws):
        readout = dt.PropagatedNoise(0.1, inputs=16, chosen=16, repeats=8)
        rows = readout.rows()
        a = apart * rows[:, None] + 0.1 * rng.normal(size=(len(rows), 1)) * (apart > 0)
        got = readout.summarize(a[None], (np.arange(16) % 2)[rows])
        return near([got["i_x"][0], got["i_y"][0]], [4, 1] if apart else [0, 0], 0.02)

    return check


def permuted(make):
    """p-values of permutations= on independent labels are uniform."""

    def check(rng, draws):
        p = []
        for _ in range(draws):
            a, y = rng.normal(size=(1, 40, 2)), rng.integers(0, 2, 40)
            plane = dt.information_plane(a, make(), targets=y, permutations=99, seed=int(rng.integers(2**31)))
            p.append(plane.p_value.item())
        return uniform(p)

    return check


def null_is_the_mean(make):
    """With labels without meaning i_y is a draw from its null: the mean of i_y - null_mean is 0."""

    def check(rng, draws):
        off = []
        for _ in range(draws):
            a = np.maximum(rng.normal(size=(1, 60, 3)), 0)
            plane = dt.information_plane(a, make(), targets=rng.integers(0, 4, 60), permutations=40)
            off.append(plane.i_y.item() - plane.null_mean.item())
        return near(np.mean(off), 0, 4 * np.std(off, ddof=1) / np.sqrt(draws))

    return check


def power(make):
    def check(rng, draws):
        hits = 0
        for _ in range(draws):
            y = np.arange(60) % 2
            a = rng.normal(size=(1, 60, 2)) + 1.5 * y[:, None]
            hits += dt.information_plane(a, make(), targets=y, permutations=99).p_value.item() <= 0.05
        return often(hits, draws, 0.8)

    return check


def what_must_not_matter(make):
    def check(rng, draws):
        a = np.round(rng.normal(size=(1, 80, 4)), 1)
        y = rng.integers(0, 3, 80)
        names = np.array(["b", "c", "a"])
        rows, units = rng.permutation(80), rng.permutation(4)
        given = [
            (a, y), (a[:, rows], y[rows]), (a[:, :, units], y), (a, names[y]), (a, np.array([0, 100_000, 7])[y]),
            (a, np.eye(3)[y]),
            (a * 2.0**300, y), (a * 2.0**-300, y), (np.asfortranarray(a), y), (a.repeat(2, 0)[:1], y),
        ]  # fmt: skip
        planes = [dt.information_plane(x, make(), targets=t) for x, t in given]
        return same([[p.i_x.item(), p.i_y.item(), p.occupied.item(), p.h_y] for p in planes], 1e-5)

    return check


def noise_truth(rng, draws):
    """Two clusters far beyond the noise: I(X;T) between the bounds, and 1 bit;
    one unit with known mixture by quadrature."""
    a = np.repeat([-50.0, 50.0], 30)[None, :, None]
    got = dt.GaussianNoise(1.0).summarize(a, np.repeat([0, 1], 30))
    found = [near([got[k][0] for k in ("i_x", "i_x_lower", "i_y", "i_y_lower", "i_y_upper")], 1, 1e-5)]
    for sigma in (0.3, 1.0):
        h = rng.normal(size=12)
        t = np.linspace(-12, 12, 40_001)
        p = np.exp(-((t[:, None] - h) ** 2) / (2 * sigma**2)).mean(1) / np.sqrt(2 * np.pi * sigma**2)
        truth = -(p * np.log2(np.maximum(p, 1e-300))).sum() * (t[1] - t[0]) - 0.5 * np.log2(2 * np.pi * np.e * sigma**2)
        got = dt.GaussianNoise(sigma).summarize(h[None, :, None], np.arange(12) % 2)
        low, high = got["i_x_lower"][0], got["i_x"][0]
        found.append(
            Found(
                f"{low:.3f} <= {truth:.3f} <= {high:.3f}",
                "the truth between the bounds",
                low - 1e-6 <= truth <= high + 1e-6,
            )
        )
    return all_of(*found)


def noise_bounds_hold(rng, draws):
    """Random mixtures in one unit: the bounds of I(X;T) hold the truth by quadrature, always."""
    hits = 0
    for _ in range(draws):
        h, sigma = rng.normal(size=10) * rng.choice([0.1, 1, 5]), 0.5
        t = np.linspace(h.min() - 5, h.max() + 5, 20_001)
        p = np.exp(-((t[:, None] - h) ** 2) / (2 * sigma**2)).mean(1) / np.sqrt(2 * np.pi * sigma**2)
        truth = -(p * np.log2(np.maximum(p, 1e-300))).sum() * (t[1] - t[0]) - 0.5 * np.log2(2 * np.pi * np.e * sigma**2)
        got = dt.GaussianNoise(sigma).summarize(h[None, :, None], np.arange(10) % 2)
        hits += got["i_x_lower"][0] - 1e-4 <= truth <= got["i_x"][0] + 1e-4
    return covers(hits, draws, 1.0)


def noise_scales(rng, draws):
    """Relative noise in units from 1e-300 to 1e300, float32 from 1e-30 to 1e30;
    absolute noise with its sigma in the same unit."""
    out, y = [], rng.integers(0, 3, 40)
    a = rng.normal(size=(1, 40, 3))
    for power in (0, -900, 900):
        for readout in (
            dt.GaussianNoise(0.4, relative="distance"),
            dt.GaussianNoise(0.4 * 3**0.5 * a.std(), relative=False),
        ):
            sigma = readout.sigma if readout.relative else readout.sigma * 2.0**power
            got = dt.GaussianNoise(sigma, readout.relative).summarize(a * 2.0**power, y)
            out.append((readout.relative, [got["i_x"][0], got["i_y"][0], got["h_t"][0] - 3 * power]))
    single = [
        dt.GaussianNoise(0.4, relative=True).summarize((a * 2.0**p).astype(np.float32), y)["i_x"][0]
        for p in (0, -90, 90)
    ]
    return all_of(same([v for r, v in out if r], 1e-9), same([v for r, v in out if not r], 1e-9), same(single, 1e-4))


def noise_extremes(rng, draws):
    """Noise far below or above every distance: log2 n, and 0."""
    a, y = rng.normal(size=(1, 32, 2)), np.arange(32) % 2
    out = [
        dt.GaussianNoise(s).summarize(x, y)["i_x"][0]
        for s in (1e-300, 1e-30, 1e-12, 1e20, 1e300)
        for x in (a, a.astype(np.float32))
    ]
    return near(out, [5] * 6 + [0] * 4, 1e-5)


def width_does_not_blind(rng, draws):
    """The same two-dimensional picture in 2, 200 and 2,000 units (rotated): noise by distance sees the same."""
    y = np.arange(60) % 3
    flat = rng.normal(size=(60, 2)) + 2 * rng.normal(size=(3, 2))[y]
    out = []
    for units in (2, 200, 2000):
        turn = np.linalg.qr(rng.normal(size=(units, 2)))[0]
        got = dt.GaussianNoise(0.5, relative="distance").summarize((flat @ turn.T)[None], y)
        out.append([got["i_x"][0], got["i_y"][0]])
    return same(out, 1e-6)


def memory_of_labels(rng, draws):
    """Peak memory with labels {0, 10^9} is that with {0, 1}."""
    import tracemalloc

    peaks = []
    a, codes = rng.normal(size=(1, 2000, 2)), rng.integers(0, 2, 2000)
    for make in ALL.values():  # compiled and imported before: that takes 14 MB once
        dt.information_plane(a, make(), targets=codes)
    for big in (1, 10**9):
        tracemalloc.start()
        for make in ALL.values():
            dt.information_plane(a, make(), targets=codes * big)
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
    return near(peaks[1], peaks[0], 1, "MB: ")


ROWS = [
    *(Row(f"information.{name}.symbols", "truth", "pairs of inputs by the definition, six kinds of layers, any order",
        symbols(make)) for name, make in DISCRETE.items()),
    *(Row("information.PropagatedNoise.summarize", "truth", f"16 inputs {apart} apart, noise .1",
        propagated(apart)) for apart in (0, 10)),
    *(Row(f"information.{name}.summarize", "truth", "counting of cells by the definition, six kinds of layers",
        counted(make)) for name, make in DISCRETE.items()),
    # of GaussianNoise ten times as many: .065 of 4,000 were below .05 once, .0495 of 12,000 others
    *(Row(f"information.{name}.summarize", "null", "p-values of independent labels are uniform", permuted(make), 60,
        40_000 if name == "GaussianNoise" else 4000) for name, make in ALL.items()),
    *(Row(f"information.{name}.summarize", "null", "i_y of labels without meaning is its null in the mean",
        null_is_the_mean(make), 40, 1000) for name, make in ALL.items()),
    *(Row(f"information.{name}.summarize", "power", "two classes 1.5 apart, 60 inputs: p <= .05", power(make), 30,
        300) for name, make in (DISCRETE | NOISE).items() if name != "Exact"),
    *(Row(f"information.{name}.summarize", "invariance", "order, names of labels, units of measurement, contiguity",
        what_must_not_matter(make)) for name, make in DISCRETE.items()),
    Row("information.GaussianNoise.summarize", "invariance",
        "order, names of labels, units of measurement, contiguity", what_must_not_matter(NOISE["GaussianNoise"])),
    Row("information.GaussianNoise.summarize", "truth", "far clusters: 1 bit; 12 centers: quadrature", noise_truth),
    Row("information.GaussianNoise.summarize", "truth", "the bounds hold the truth by quadrature", noise_bounds_hold,
        100, 2000),
    Row("information.GaussianNoise.summarize", "truth", "noise far below or above every distance: log2 n, and 0",
        noise_extremes),
    Row("information.GaussianNoise.summarize", "invariance", "units of measurement from 2^-900 to 2^900", noise_scales),
    Row("information.GaussianNoise.summarize", "invariance", "number of units, relative='distance'",
        width_does_not_blind),
    Row("information_plane", "truth", "counting of cells by the definition, six kinds of layers",
        counted_plane),
    Row("information_plane", "null", "p-values of independent labels are uniform", permuted(lambda: dt.Binning(3)), 60,
        4000),
    Row("information_plane", "invariance", "order, names of labels, units of measurement, contiguity",
        what_must_not_matter(lambda: dt.Binning(5))),
    Row("information_plane", "invariance", "memory with labels {0, 10^9}", memory_of_labels),
    *SIZES,
    *PLANES_OF_MODELS,
    Row("information.Clusters.summarize", "truth", "all pairs one by one; Cosines as well", pairs_by_hand),
    Row("information.Clusters.summarize", "null", "labels without meaning: within is between; Cosines as well",
        pairs_null, 100, 2000),
    Row("information.Clusters.summarize", "invariance", "order, units, names; Cosines as well", pairs_invariance),
    Row("information.Cosines.summarize", "truth", "all pairs one by one, Clusters as well", pairs_by_hand),
    Row("information.Cosines.summarize", "null", "labels without meaning: within is between, Clusters as well",
        pairs_null, 100, 2000),
    Row("information.Cosines.summarize", "invariance", "order, units, names, Clusters as well", pairs_invariance),
]  # fmt: skip

EXEMPT = {
    **{
        f"information.{name}.held": "bytes said beforehand; compared in the row of Recorder.cost"
        for name in ("Binning", "Exact", "Quantized", "ClassStatistics")
    },
    "information.InformationPlane.blind": "a comparison of occupied with the number of inputs "
    "(tests/information/test_plane.py)",
    "information.InformationPlane.nearly_blind": "the same with nine tenths of them; tried in the figure's rows "
    "(plane_models.py)",
}


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
