"""One update of one network's parameters from its gradient: Adam, SGD with momentum, Adadelta, all [P] float32, in
place.
"""

from typing import Literal

import numpy as np
from numba import njit

from deeptheory.networks.population.elementary import FAST

Optimizer = Literal["adam", "sgd", "adadelta"]
OPTIMIZERS = {"adam": 0, "sgd": 1, "adadelta": 2}


@njit(**FAST)
def adam(theta, grad, m, v, lr, beta1, beta2, eps, step):
    """One step of Adam (Kingma & Ba 2015) in place: theta, grad, m, v are [parameter] float32; step counts from 1."""
    correct1 = 1.0 - beta1**step
    correct2 = 1.0 - beta2**step
    rate, root = np.float32(lr / correct1), np.float32(1.0 / np.sqrt(correct2))
    b1, b2, c1, c2, e = (
        np.float32(beta1),
        np.float32(beta2),
        np.float32(1 - beta1),
        np.float32(1 - beta2),
        np.float32(eps),
    )
    for p in range(len(theta)):
        m[p] = b1 * m[p] + c1 * grad[p]
        v[p] = b2 * v[p] + c2 * grad[p] * grad[p]
        theta[p] -= rate * m[p] / (np.sqrt(v[p]) * root + e)


@njit(**FAST)
def sgd(theta, grad, m, lr, momentum):
    """One step of gradient descent with momentum, in place: theta, grad, m are [parameter] float32."""
    rate, mu = np.float32(lr), np.float32(momentum)
    for p in range(len(theta)):
        m[p] = mu * m[p] + grad[p]
        theta[p] -= rate * m[p]


@njit(**FAST)
def adadelta(theta, grad, moved, v, lr, rho, eps):
    """Zeiler 2012, algorithm 1; moved, v: running means of the squares of past steps and gradients."""
    rate, r, c, e = np.float32(lr), np.float32(rho), np.float32(1 - rho), np.float32(eps)
    for p in range(len(theta)):
        v[p] = r * v[p] + c * grad[p] * grad[p]
        step = np.sqrt((moved[p] + e) / (v[p] + e)) * grad[p]
        moved[p] = r * moved[p] + c * step * step
        theta[p] -= rate * step
