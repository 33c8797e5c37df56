"""Rows with labels (pandas, xarray) in every function that pairs rows by position:
the labels must not say otherwise."""

from functools import partial

import numpy as np
import pandas as pd
import torch
import xarray as xr

import deeptheory as dt
from deeptheory import statistics as st
from deeptheory.networks import minibatches
from trials.frame import Found, Row, all_of, near, refused

_NOISE = dt.Binning(4, "layer")


def _plane(x, y):
    return dt.information_plane(x, _NOISE, targets=y).i_y[0, 0, 0]


def _recorded(x, y):
    net = torch.nn.Sequential(torch.nn.Linear(x.shape[1], 3), torch.nn.Tanh())
    with torch.no_grad():
        net[0].weight.copy_(torch.linspace(-1, 1, net[0].weight.numel()).reshape(net[0].weight.shape))
        net[0].bias.zero_()
    recorder = dt.Recorder(net, x, y)
    recorder.snapshot(0)
    return dt.information_plane(recorder.recording, _NOISE).i_y[0, 0, -1]


def _fitted(x, y):
    nets = dt.networks.Population.mlp([x.shape[1], 4, 2], seeds=[0])
    dt.networks.fit(nets, x, y, epochs=1, batch=None)
    return np.concatenate([p.detach().numpy().ravel() for p in nets.parameters()])


def _batches(x, y):
    step = minibatches(x, y, batch=len(x))(0, np.random.default_rng(0))
    return np.concatenate([b.numpy().ravel() for b in step])


def _axis(x, y):
    return dt.axis_code(x, y, permutations=0).table().select_dtypes("number").fillna(-9).to_numpy()


# number -> what it gives of x [n, d] and y: numbers [n, 2], labels [n], or one column
CALLS = {
    "mutual_information": (lambda x, y: dt.mutual_information(x, y, "ksg").value, "many"),
    "conditional_mutual_information": (lambda x, y: dt.conditional_mutual_information(x, x, y).value, "many"),
    "information_plane": (_plane, "labels"),
    "Recorder": (_recorded, "labels"),
    "networks.fit": (_fitted, "labels"),
    "networks.minibatches": (_batches, "many"),
    "axis_code": (_axis, "many"),
    "statistics.rank_correlation": (lambda x, y: st.rank_correlation(x, y).value, "one"),
    "statistics.spearman": (st.spearman, "one"),
    "statistics.ratio_interval": (lambda x, y: st.ratio_interval(x, y).low, "one"),
    "statistics.bootstrap_interval": (lambda x, y: st.bootstrap_interval(_covariance, x, y, resamples=99).low, "one"),
}


def _covariance(x, y, axis=-1):
    return (x * y).mean(axis)


def _sides(rng, n, kind):
    x = rng.normal(size=n if kind == "one" else (n, 3)).astype(np.float32)
    if kind == "labels":
        return x, rng.integers(0, 2, n)
    return x, rng.normal(size=n) + x if kind == "one" else rng.normal(size=(n, 2))


def _named(a, index):
    return pd.Series(a, index=index) if a.ndim == 1 else pd.DataFrame(a, index=index)


def _indices(rng, n):
    words = pd.Index([f"cell {k}" for k in rng.permutation(n)])
    dates = pd.date_range("2020-01-01", periods=n, freq="h")
    pairs = pd.MultiIndex.from_arrays([np.arange(n) // 7, np.arange(n) % 7])
    return words, dates, pairs, pd.RangeIndex(n), pd.Index(np.arange(n) // 2)


def paired(number):
    of, kind = CALLS[number]

    def check(rng, draws):
        out = []
        for n in (40, 61, 150) if number != "axis_code" else (40,):  # seconds each
            x, y = _sides(rng, n, kind)
            plain = of(x, y)
            for index in _indices(rng, n) if number != "axis_code" else _indices(rng, n)[2:4]:
                out.append(near(of(_named(x, index), _named(y, index)), plain, 0, f"{type(index).__name__}: "))
                for other in (index[::-1], index[rng.permutation(n)]):
                    swapped = _named(y, other)
                    out.append(refused(partial(of, _named(x, index), swapped), "in another order"))
            late = _named(y, pd.Index([f"cell {k}" for k in range(n, 2 * n)]))
            out.append(near(of(_named(x, _indices(rng, n)[0]), late), plain, 0, "no label in common: "))
            out.append(near(of(_named(x, _indices(rng, n)[0]), y), plain, 0, "labels on one side: "))
            gaps = [pd.Index(np.delete(np.arange(n + 1) + 5, k)) for k in (3, n // 2)]
            out.append(refused(partial(of, _named(x, gaps[0]), _named(y, gaps[1])), "in different rows"))
        return all_of(*out)

    return check


def lags(rng, draws):
    """A lag, and a default index that says otherwise, are noted; groups are asked, too; xarray's labels count."""
    MI, out = dt.mutual_information, []
    for n in (60, 200):
        x, y = (pd.Series(rng.normal(size=n)) for _ in range(2))
        for k in (1, 5):
            notes = " ".join(MI(x[k:], y[:-k]).notes)
            out.append(Found(notes, f"a lag of {k}", f"{k} row{'s' * (k > 1)} apart by their labels: a lag" in notes))
        kept = x.drop(7)
        notes = " ".join(MI(kept, y[:-1]).notes)
        out.append(Found(notes, "against labels", "against their row labels: row 7" in notes))
        notes = MI(x[:-1], y[:-1].to_numpy()).notes
        out.append(Found(str(notes), "no note", not any("labels" in t for t in notes)))
        groups = pd.Series(np.arange(n) // 2)[::-1]
        out.append(refused(partial(MI, x, y, groups=groups), "x and groups have the same row labels"))
        a, b = (xr.DataArray(v.to_numpy(), dims="cell", coords={"cell": [f"{k}" for k in range(n)]}) for v in (x, y))
        out.append(near(MI(a, b).value, MI(x, y).value, 0, "xarray: "))
        out.append(refused(partial(MI, a, b[::-1]), "in another order"))
    return all_of(*out)


def tables(rng, draws):
    """Covariances and distortions whose rows and columns have names."""
    out = []
    for d in (2, 3, 5):
        names = [f"u{k}" for k in range(d)]
        turned = names[::-1]
        mix = rng.normal(size=(2 * d, 4 * d))
        cov = mix @ mix.T / d
        blocks = cov[:d, :d], cov[d:, d:], cov[:d, d:]
        plain = dt.gaussian_bottleneck(*blocks, [3.0]).i_x
        x, y, xy = (pd.DataFrame(b, index=names, columns=names) for b in blocks)
        out.append(near(dt.gaussian_bottleneck(x, y, xy, [3.0]).i_x, plain, 0))
        for other in (
            (x.loc[turned], y, xy),
            (x.loc[turned, turned], y, xy),
            (x, y[turned], xy),
            (x, y, xy.loc[turned]),
            (x, y, xy[turned]),
        ):
            out.append(refused(partial(dt.gaussian_bottleneck, *other, [3.0]), "in another order"))
        p, far = pd.Series(rng.dirichlet(np.ones(d)), names), pd.DataFrame(1 - np.eye(d), index=names)
        known = dt.rate_distortion(p.to_numpy(), far.to_numpy(), 2.0).rate
        out.append(near(dt.rate_distortion(p, far, 2.0).rate, known, 0))
        out.append(refused(partial(dt.rate_distortion, p, far.loc[turned], 2.0), "in another order"))
    return all_of(*out)


ROW_LABELS = [
    *(Row(number, "invariance", "row labels of pandas: aligned, turned, shuffled, others, gaps", paired(number))
        for number in CALLS),
    Row("mutual_information", "invariance", "row labels: lags, default indices, groups, xarray", lags),
    Row("gaussian_bottleneck", "invariance", "named rows and columns, and those of rate_distortion", tables),
]  # fmt: skip
