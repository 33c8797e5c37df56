"""A peer's side: python peer_worker.py NAME, then one path of a .npz with x and y per line; one line of JSON each.

Run by the peer's own Python, so it imports nothing but that package and numpy.
"""

import json
import math
import os
import sys
import time
import warnings

import numpy as np

BITS = 1 / math.log(2)
_MIST: list = []


class Refused(Exception):
    """The package does not take such data."""


def numbers(*sides):
    """Columns of float64; labels are refused."""
    if any(s.dtype.kind in "iub" for s in sides):
        raise Refused("labels or counts: it takes numbers")
    return columns(*sides)


def columns(*sides):
    return [np.asarray(s, dtype=np.float64).reshape(len(s), -1) for s in sides]


def single(*sides):
    if any(s.ndim > 1 and s.shape[1] > 1 for s in sides):
        raise Refused("more than one column: it takes one per side")
    return [s.reshape(-1) for s in sides]


def ennemi(x, y):
    from ennemi import estimate_mi

    whole = [s.dtype.kind in "iub" for s in (x, y)]
    a, b = single(x, y)
    nats = estimate_mi(b, a, discrete_x=whole[0], discrete_y=whole[1], max_threads=1)
    return float(np.squeeze(nats)) * BITS, None, None


def infomeasure(approach):
    def run(x, y):
        import infomeasure as im

        if approach == "discrete":
            if not all(s.dtype.kind in "iub" for s in (x, y)):
                raise Refused("numbers: it counts symbols")
            a, b = single(x, y)
            return float(im.mutual_information(a, b, approach="discrete", base=2)), None, None
        a, b = numbers(x, y)
        more = {"bandwidth": 0.5, "kernel": "box"} if approach == "kernel" else {}
        if approach == "kernel":
            a, b = (v / v.std(0) for v in (a, b))
        return float(im.mutual_information(a, b, approach=approach, base=2, **more)), None, None

    return run


def benchmark_mi(which):
    def run(x, y):
        import bmi.estimators as e

        a, b = numbers(x, y)
        made = {
            "KSG": lambda: e.KSGEnsembleFirstEstimator(neighborhoods=(5,)),
            "CCA": e.CCAMutualInformationEstimator,
            "histogram": e.HistogramEstimator,
        }[which]()
        if which == "histogram" and a.shape[1] + b.shape[1] > 4:
            raise Refused("more than 4 columns: 5 bins in each are too many cells")
        return float(made.estimate(a, b)) * BITS, None, None

    return run


def gmm_mi(x, y):
    from gmm_mi.mi import EstimateMI

    whole = [s.dtype.kind in "iub" for s in (x, y)]
    a, b = single(x, y)
    if all(whole):
        raise Refused("two labels: it takes numbers, or numbers beside a label")
    if any(whole):
        label, value = (a, b) if whole[0] else (b, a)
        mean, sd = EstimateMI().fit_estimate_categorical(value.astype(float).reshape(-1, 1), label)
    else:
        mean, sd = EstimateMI().fit_estimate(np.stack([a, b], axis=1).astype(float))
    return mean * BITS, (mean - 1.96 * sd) * BITS, (mean + 1.96 * sd) * BITS


def latentmi(x, y):
    from latentmi import lmi

    a, b = numbers(x, y)
    np.random.seed(0)  # noqa: NPY002  # the package draws from it
    pmi = lmi.estimate(a, b, quiet=True)[0]  # bits
    return float(np.nanmean(np.asarray(pmi))), None, None


def mist(x, y):
    """The quantile model, its 2.5, 50 and 97.5 % quantiles; its wheel has no weights, its repository has."""
    weights = os.path.join(sys.prefix, "checkpoints", "mist_qr", "weights.ckpt")
    if not os.path.exists(weights):
        raise Refused("no weights: the wheel has none; checkpoints/ of its repository belongs beside bin/")
    a, b = numbers(x, y)
    if a.shape[1] + b.shape[1] > 64:
        raise Refused("more than 64 columns: it takes 32 a side")
    if not _MIST:
        from mist_statinf import MISTQuickEstimator

        _MIST.append(MISTQuickEstimator(loss="qr", checkpoint=weights, device="cpu"))
    low, middle, high = (float(_MIST[0].estimate_point(a, b, tau=t)) * BITS for t in (0.025, 0.5, 0.975))
    return middle, min(low, high), max(low, high)


def torch_mist(which):
    def run(x, y):
        from torch_mist import estimate_mi

        a, b = (v.astype(np.float32) for v in numbers(x, y))
        nats, _ = estimate_mi(
            data=(a, b), estimator=which, hidden_dims=[64, 64], max_epochs=200, batch_size=128, verbose=False,
            valid_percentage=0.25,
        )  # fmt: skip
        return float(nats) * BITS, None, None

    return run


WORK = {
    "ennemi": ennemi,
    "infomeasure KSG": infomeasure("ksg"),
    "infomeasure discrete": infomeasure("discrete"),
    "infomeasure kernel": infomeasure("kernel"),
    "benchmark-mi KSG": benchmark_mi("KSG"),
    "benchmark-mi CCA": benchmark_mi("CCA"),
    "benchmark-mi histogram": benchmark_mi("histogram"),
    "gmm-mi": gmm_mi,
    "mist-statinf": mist,
    "latentmi": latentmi,
    "torch-mist MINE": torch_mist("mine"),
    "torch-mist NWJ": torch_mist("nwj"),
    "torch-mist InfoNCE": torch_mist("infonce"),
    "torch-mist SMILE": torch_mist("smile"),
}


def main():
    warnings.simplefilter("ignore")
    work, out = WORK[sys.argv[1]], os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the package prints goes to stderr, stdout is ours
    for line in sys.stdin:
        data = np.load(line.strip())
        start = time.process_time()
        try:
            value, low, high = work(data["x"], data["y"])
            told = {"value": value, "low": low, "high": high, "method": sys.argv[1]}
            told["seconds"] = time.process_time() - start
        except Refused as refused:
            told = {"refused": str(refused)}
        except Exception as error:
            told = {"failed": f"{type(error).__name__}: {error}"}
        out.write(json.dumps(told) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
