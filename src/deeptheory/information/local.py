"""Local values: what each sample adds to an information or entropy, so that their mean is the estimate. Bits.

Sources: Fano 1961 (pointwise information of counts and densities); Lizier 2014 (of neighbor counts: the terms of the
mean that the estimator takes). A local value can be negative: this x made this y less likely than it is at large.
Pitfall: neighbor counts are precise on average only; one sample's value has a standard deviation of about a bit.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate
from deeptheory.information.estimators.columns import comparable
from deeptheory.information.estimators.conditional import conditional_plugin
from deeptheory.information.estimators.gaussian import gaussian
from deeptheory.information.estimators.kozachenko_leonenko import in_scale, kozachenko_leonenko
from deeptheory.information.estimators.ksg import ksg
from deeptheory.information.estimators.mixed import labeled, mixed
from deeptheory.information.estimators.neighbors import counts_around, nearest
from deeptheory.information.estimators.plugin import plugin, plugin_entropy, symbols
from deeptheory.information.estimators.samples import as_samples, rescaled
from deeptheory.information.reading import read

_KNOWN = "'plugin', 'ksg', 'mixed', 'labels' and 'gaussian', of entropies 'plugin' and 'kl', given z 'plugin'"


def local_values(
    function: Callable[..., Estimate], sides: Mapping[str, Any], options: Mapping[str, Any], value: float
) -> np.ndarray:
    """[n] bits of the estimator `function` on these samples, whose mean is `value`. InputError: it has none."""
    if function in (ksg, mixed) and any(read(v, name)[1] for name, v in sides.items()):
        named = [read(v, name)[1] for name, v in sides.items()]
        x, y = sides["x"], sides["y"]
        function, sides = (plugin, sides) if all(named) else (labeled, {"x": y, "y": x} if named[0] else sides)
        options = {} if all(named) else {k: v for k, v in options.items() if k != "variant"}
    if function is labeled and read(sides["x"], "x")[1]:
        function, options = plugin, {}
    if function not in _LOCAL:
        raise InputError(f"{getattr(function, '__name__', 'this estimator')!r} has no local values; {_KNOWN} have")
    others = {"correct": (None, False, True), "variant": (1, "gao"), "weighted": (False,)}
    for name, plain in others.items():
        if name in options and options[name] not in plain:
            raise InputError(f"local values are of the plain form of a method; leave out {name}={options[name]!r}")
    if not np.isfinite(value):
        raise InputError(f"the estimate is {value:g}, which no finite local values have for a mean")
    out = _LOCAL[function](*sides.values(), **{k: v for k, v in options.items() if k in ("k", "standardize", "seed")})
    return out + (value - float(np.nanmean(out)))  # a bias that was taken off, in equal parts


def _plugin(x: Any, y: Any) -> np.ndarray:
    i, j = (symbols(a, "x") for a in as_samples(x=x, y=y))
    both = symbols(np.stack([i, j], axis=1), "")
    return _log(both) - _log(i) - _log(j)


def _plugin_entropy(x: Any) -> np.ndarray:
    return -_log(symbols(as_samples(x=x)[0], "x"))


def _conditional_plugin(x: Any, y: Any, z: Any) -> np.ndarray:
    i, j, k = (symbols(a, "x") for a in as_samples(x=x, y=y, z=z))
    xz, yz = (symbols(np.stack([v, k], axis=1), "") for v in (i, j))
    return _log(symbols(np.stack([xz, yz], axis=1), "")) + _log(k) - _log(xz) - _log(yz)


def _log(codes: np.ndarray) -> np.ndarray:
    """log2 of the relative frequency of each sample's symbol, [n]."""
    return np.log2(np.bincount(codes)[codes] / len(codes))


def _ksg(x: Any, y: Any, *, k: int = 3, standardize: bool = True, seed: int = 0) -> np.ndarray:
    columns = comparable(standardize, seed, **dict(zip("xy", as_samples(x=x, y=y))))
    if columns.empty:
        return np.zeros(columns.plain[0].shape[1])

    def of(pair: list[np.ndarray]) -> np.ndarray:
        (x, y), n = pair, pair[0].shape[1]
        return _terms(counts_around(x, y, np.empty((0, n)), min(k, n - 1)))

    return np.mean([of(v) for v in columns.versions], axis=0)


def _mixed(x: Any, y: Any, *, k: int = 3, standardize: bool = True, seed: int = 0) -> np.ndarray:
    from scipy.special import digamma

    out = _ksg(x, y, k=k, standardize=standardize, seed=seed)
    return out + float(np.log(len(out)) - digamma(len(out))) / np.log(2) * bool(out.any())


def _labeled(x: Any, y: Any, *, k: int = 3, standardize: bool = True, seed: int = 0) -> np.ndarray:
    a, b = as_samples(x=x, y=y)
    label = np.unique(b[:, 0], return_inverse=True)[1].ravel()
    kept = np.bincount(label)[label] > 1
    out = np.full(len(a), np.nan)
    label = np.unique(label[kept], return_inverse=True)[1].ravel()
    columns = comparable(standardize, seed, x=a[kept])
    nobody = np.empty((0, int(kept.sum())))
    if columns.empty or label.max(initial=0) == 0:
        out[kept] = 0.0
        return out
    versions = [_terms(counts_around(v[0], nobody, nobody, k, label_y=label)) for v in columns.versions]
    out[kept] = np.mean(versions, axis=0)
    return out


def _terms(counts: tuple[np.ndarray, ...]) -> np.ndarray:
    """psi(k_i) - psi(n_x + 1) - psi(n_y + 1) + psi(n), per sample, in bits."""
    from scipy.special import digamma

    used, n_x, n_y, n_z = counts
    return (digamma(used) - digamma(n_x + 1) - digamma(n_y + 1) + digamma(n_z + 1)) / np.log(2)


def _gaussian(x: Any, y: Any) -> np.ndarray:
    """log2 of the Gaussian density of the pair over the product of both, at each sample, by the sample's covariance."""
    a, b = (np.linalg.qr(rescaled(v))[0] for v in as_samples(x=x, y=y))
    left, rho, right = np.linalg.svd(a.T @ b, full_matrices=False)
    u, v = a @ left * np.sqrt(len(a)), b @ right.T * np.sqrt(len(a))
    squared = rho**2
    inside = (2 * rho * u * v - squared * (u**2 + v**2)) / (2 * (1 - squared))
    return (-0.5 * np.log1p(-squared).sum() + inside.sum(1)) / np.log(2)


def _kozachenko_leonenko(x: Any, *, k: int = 3, standardize: bool | None = None, seed: int = 0) -> np.ndarray:
    """The terms d log rho_i of the mean, up to a constant that the value fixes."""
    columns = in_scale(as_samples(x=x)[0], standardize)[0]
    return len(columns) * np.log2(nearest(columns, k, euclidean=True)[:, -1])


_LOCAL: dict[Callable[..., Estimate], Callable[..., np.ndarray]] = {
    plugin: _plugin,
    ksg: _ksg,
    mixed: _mixed,
    labeled: _labeled,
    gaussian: _gaussian,
    conditional_plugin: _conditional_plugin,
    plugin_entropy: _plugin_entropy,
    kozachenko_leonenko: _kozachenko_leonenko,
}
