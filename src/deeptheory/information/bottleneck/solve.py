"""The one entry point to every bottleneck method. A new method: one function (joint, beta, **own options),
one line in METHODS; packages add theirs by entry points "deeptheory.solvers"."""

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, Literal

from deeptheory.core.arrays import is_torch, like
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.plugins import Registry, functions
from deeptheory.information.bottleneck.gaussian import gaussian
from deeptheory.information.bottleneck.joint import as_joint
from deeptheory.information.bottleneck.methods import agglomerative, dib, ib, sequential
from deeptheory.information.bottleneck.solution import BottleneckSolution
from deeptheory.information.bottleneck.squared import squared


def _variational(joint: Any, beta: float, **options: Any) -> BottleneckSolution:
    from deeptheory.information.bottleneck.variational import variational  # torch.nn, only when asked for

    _check_options(variational, "variational", options)
    return variational(joint, beta, **options)


def _check_options(solve: Callable[..., Any], method: str, options: dict[str, Any]) -> None:
    """InputError: an option that the method does not have."""
    known = inspect.signature(solve).parameters
    if any(p.kind is p.VAR_KEYWORD for p in known.values()):
        return
    own = [name for name, p in known.items() if p.kind is p.KEYWORD_ONLY]
    for name in options:
        if name not in own:
            raise InputError(f"method {method!r} has no option {name!r}; its options: {', '.join(own) or 'none'}")


Method = Literal["ib", "dib", "agglomerative", "sequential", "squared", "variational", "gaussian"]


METHODS: Registry[Callable[..., BottleneckSolution]] = Registry(
    "solvers",
    {
        "ib": ib,
        "dib": dib,
        "agglomerative": agglomerative,
        "sequential": sequential,
        "squared": squared,
        "variational": _variational,
        "gaussian": gaussian,
    },
    accept=functions("(joint, beta, **options)"),
)


def bottleneck(p_xy: Any, beta: float, method: Method = "ib", **options: Any) -> BottleneckSolution:
    """The information bottleneck of a joint table p_xy [nx, ny]: T that is least in I(X;T) - beta I(T;Y), bits.

    p_xy: numpy or torch; probabilities that sum to 1 (to 1e-6), or counts as integers. beta: before I(T;Y), 0 or above.
    method, what it minimizes, and its options with their defaults:
    "ib": I(X;T) - beta I(T;Y), the global optimum with a certificate, gap (Tishby, Pereira & Bialek 1999). clusters
    (None: as many as the optimum has), restarts=6, seed=0, certify (None: as far as it pays), seconds, progress(done,
    most).
    "dib": H(T) - alpha H(T|X) - beta I(T;Y) (Strouse & Schwab 2017). alpha=0 (1 is "ib"), clusters (None: 16),
    restarts=12, seed=0.
    "agglomerative": greedy merging (Slonim & Tishby 1999), H(T) - beta I(T;Y); for an infinite beta the lost
    I(X;Y) - I(T;Y). clusters, needed for an infinite beta.
    "sequential": single moves (Slonim, Friedman & Tishby 2002), the same. clusters (None: 16), restarts=10, seed=0.
    "squared": I(X;T)^2 - beta I(T;Y), bits^2 for the first (Kolchinsky, Tracey & Van Kuyk 2019). No options.
    "variational": a Gaussian encoder, trained (Alemi et al. 2017). latent=1, decoder=32, steps=1500, samples=16,
    lr=0.02, seed=0.
    "gaussian": (cov_x, cov_y, cov_xy) in the place of p_xy, exact (Chechik et al. 2005). No options.
    InputError: an unknown method or option, p_xy that is no distribution, beta not one number, negative or (but for
    "agglomerative" and "sequential") not finite, and the method's own.
    """
    solve = pick(METHODS, method, what="bottleneck method")
    _check_options(solve, method, options)
    if solve is gaussian:
        return solve(p_xy, beta, **options)
    found = solve(as_joint(p_xy), beta, **options)
    if is_torch(p_xy):
        kept = {name: like(getattr(found, name), p_xy) for name in ("encoder", "decoder", "p_t")}
        return dataclasses.replace(found, **kept)
    return found
