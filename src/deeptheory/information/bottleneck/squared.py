"""The convex bottleneck: least I(X;T)^2 - beta I(T;Y). Its optimum moves along the whole curve,
straight pieces included.

Sources: Kolchinsky, Tracey & Van Kuyk 2019; Rodriguez Galvez, Thobaben & Skoglund 2020. The optimum lies on the curve
at the point whose slope 1/b, b the trade-off of the ordinary Lagrangian, is 2 I(X;T) / beta; so b is the root of an
equation in the certified optimum of "ib". Where the curve is straight, two optima share one b and the optimum uses
each for part of the time, with T telling which.
"""

import numpy as np
from scipy.optimize import brentq

from deeptheory.information.bottleneck.joint import Joint, informations
from deeptheory.information.bottleneck.methods import check_beta
from deeptheory.information.bottleneck.optimal import encoder_of, nearest, separate, solve_path
from deeptheory.information.bottleneck.products import Optimum
from deeptheory.information.bottleneck.solution import BottleneckSolution, discrete_solution


def squared(joint: Joint, beta: float) -> BottleneckSolution:
    """Least I(X;T)^2 - beta I(T;Y), to rounding. notes say at which ordinary beta it lies,
    and where two optima are mixed."""
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
    else:

        def excess(b: float) -> float:
            nonlocal low, high, at_low, at_high
            at = _optimum(joint, b, at_high[2])
            over = 2 * b * at[1] - beta
            if over < 0:
                low, at_low = b, at
            else:
                high, at_high = b, at
            return over

        brentq(excess, low, high, xtol=1e-14, rtol=np.float64(1e-13))  # to the jump where a straight piece makes one
    b = high if high - low < 1e-9 * high or 2 * high * at_high[1] - beta < beta - 2 * low * at_low[1] else low
    wanted = beta / (2 * b)  # I(X;T) there
    span = at_high[1] - at_low[1]
    share = float(np.clip((wanted - at_low[1]) / span, 0, 1)) if span > 1e-9 * min(1.0, joint.h_x) else 1.0
    encoder = (at_high if share > 0.5 else at_low)[0]
    notes = (f"on the curve at the ordinary beta {b:.6g}",)
    if 1e-9 < share < 1 - 1e-9 and high - low < 1e-9 * high:
        encoder = np.concatenate([(1 - share) * at_low[0], share * at_high[0]], axis=1)
        notes = (
            f"on a straight piece of the curve, at the ordinary beta {b:.6g}: {share:.4g} of one optimum, "
            "the rest of another",
        )
    return _solution(joint, encoder, beta, notes)


def _solution(joint: Joint, encoder: np.ndarray, beta: float, notes: tuple[str, ...]) -> BottleneckSolution:
    return discrete_solution(
        joint, encoder, beta, "squared", lagrangian=lambda x, y, h: x * x - beta * y, gap=float("nan"), notes=notes
    )


def _optimum(joint: Joint, b: float, start: Optimum | None = None) -> tuple[np.ndarray, float, Optimum]:
    """The encoder, I(X;T) and the optimum itself of the ordinary Lagrangian."""
    found = solve_path(joint, np.array([b]), start=start)[0]
    encoder = encoder_of(joint, found.r, found.w, b)
    return encoder, informations(joint, encoder)["i_x"], found


def _trivial(joint: Joint) -> tuple[np.ndarray, float, Optimum]:
    return np.ones((len(joint.p), 1)), 0.0, Optimum(joint.p_y[None], np.ones(1), 0.0)
