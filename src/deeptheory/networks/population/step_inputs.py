"""What the hand-written step is handed, by name: numba compiles named tuples to the same code as loose arguments."""

from typing import NamedTuple

import numpy as np


class Architecture(NamedTuple):
    """What every network of the population has in common."""

    widths: np.ndarray  # [layers + 1] int64, from the inputs to the outputs
    activation: int  # see step.ACTIVATIONS
    head: int  # see step.HEADS
    biased: bool  # whether biases train
    noise: np.float32  # standard deviation of the noise in hidden layers
    levels: int  # of rounding in hidden layers; 0: none
    follows: int  # which ends of rounding follow what is seen: -1 both, 0 none, 1 the upper one


class State(NamedTuple):
    """What training changes, in place."""

    theta: np.ndarray  # [S, P] float32: weights and biases, layer after layer
    m: np.ndarray  # [S, P] float32: first moments
    v: np.ndarray  # [S, P] float32: second moments
    step: np.ndarray  # [S] int64: steps done
    low: np.ndarray  # [S, hidden] float32: ends of rounding
    high: np.ndarray


class Data(NamedTuple):
    """Samples and each network's order of them."""

    x: np.ndarray  # [n, d] float32
    target: np.ndarray  # [S or 1, n, class] float32
    order: np.ndarray  # [S, n] rows, of which the first counts[s] train
    counts: np.ndarray  # [S] int64
    seeds: np.ndarray  # [S] uint64
    pool: np.ndarray  # [S or 1, pool] float32 normals, see disturbances


class Settings(NamedTuple):
    """How it is trained."""

    batch: int
    drop_last: bool
    reshuffle: bool
    optimizer: int  # see optimizers.NUMBERS
    lr: np.ndarray  # [S] float64
    momentum: float
    beta1: float  # Adadelta's rho
    beta2: float
    eps: float
    orthonormal: np.float32  # weight of the penalty


class Scratch(NamedTuple):
    """Room for one tile of samples, filled again for each."""

    act: np.ndarray  # [sum of widths, TILE]: outputs of each layer
    fed: np.ndarray  # the same after noise or rounding: what the next layer sees; act itself where there is neither
    delta: np.ndarray  # [2, widest, TILE]: slopes of the loss
    target: np.ndarray  # [class, TILE]
    tops: np.ndarray  # [hidden]: largest absolute output of the minibatch
