"""The convex bottleneck: least I(X;T)^2 - beta I(T;Y). Its optimum moves along the whole curve, straight pieces included.

Sources: Kolchinsky, Tracey & Van Kuyk 2019; Rodriguez Galvez, Thobaben & Skoglund 2020. The optimum lies on the curve at
the point whose slope 1/b, b the trade-off of the ordinary Lagrangian, is 2 I(X;T) / beta; so b is found by halving, each
time with the certified optimum of "ib". Where the curve is straight, two optima share one b and the optimum uses each for
part of the time, with T telling which.
"""

import numpy as np

from deeptheory.information.bottleneck.joint import Joint, informations
from deeptheory.information.bottleneck.methods import check_beta
from deeptheory.information.bottleneck.optimal import encoder_of, nearest, separate, solve_path
from deeptheory.information.bottleneck.solution import BottleneckSolution, discrete_solution

_HALVINGS = 60


def squared(joint: Joint, beta: float) -> BottleneckSolution:
    """Least I(X;T)^2 - beta I(T;Y), to rounding. notes say at which ordinary beta it lies, and where two optima are mixed."""
    beta = check_beta(beta)
    if len(joint.p) == 1:  # every p(y|x) is the same: no beta is large enough
        return _solution(joint, _trivial(joint)[0], beta, ("x tells nothing of y, so that nothing is worth keeping",))
    low, high = 1.0, 2.0  # ordinary betas: T is trivial at 1 and below
    at_low, at_high = _trivial(joint), _optimum(joint, high)
    least = nearest(joint)
    while 2 * high * at_high[1] < beta and separate(joint, high, least) is None:  # the optimum has 2 b I(X;T)(b) = beta
        low, at_low = high, at_high
        high *= 4
        at_high = _optimum(joint, high)
    if 2 * high * at_high[1] < beta:
        low = high = beta / (2 * at_high[1])  # beyond it T = X, whatever the trade-off
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        at_middle = _optimum(joint, middle)
        if 2 * middle * at_middle[1] < beta:
            low, at_low = middle, at_middle
        else:
            high, at_high = middle, at_middle
        if high - low < 1e-13 * high:
            break
    b = (low + high) / 2
    wanted = beta / (2 * b)  # I(X;T) there
    span = at_high[1] - at_low[1]
    share = float(np.clip((wanted - at_low[1]) / span, 0, 1)) if span > 1e-9 else 1.0
    encoder = at_high[0] if share == 1.0 else at_low[0]
    notes = (f"on the curve at the ordinary beta {b:.6g}",)
    if 1e-9 < share < 1 - 1e-9:
        encoder = np.concatenate([(1 - share) * at_low[0], share * at_high[0]], axis=1)
        notes = (f"on a straight piece of the curve, at the ordinary beta {b:.6g}: {share:.4g} of one optimum, the rest of another",)  # fmt: skip
    return _solution(joint, encoder, beta, notes)


def _solution(joint: Joint, encoder: np.ndarray, beta: float, notes: tuple[str, ...]) -> BottleneckSolution:
    return discrete_solution(
        joint, encoder, beta, "squared", lagrangian=lambda x, y, h: x * x - beta * y, gap=float("nan"), notes=notes
    )


def _optimum(joint: Joint, b: float) -> tuple[np.ndarray, float]:
    found = solve_path(joint, np.array([b]))[0]
    encoder = encoder_of(joint, found.r, found.w, b)
    return encoder, informations(joint, encoder)["i_x"]


def _trivial(joint: Joint) -> tuple[np.ndarray, float]:
    return np.ones((len(joint.p), 1)), 0.0
