"""A linear teacher with noise: Gaussian inputs, labels y = W0 x + noise, and the exact error of any linear student.

Source: Saxe et al. 2018, section 3, after Advani & Saxe 2017: X ~ N(0, I / N), signal-to-noise ratio = variance of the
signal / variance of the label noise.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_number, check_shapes, check_whole, finite_floats

if TYPE_CHECKING:
    import pandas

_LEAST_SNR = 1e-60  # below it the noise leaves float32


@dataclass(frozen=True, kw_only=True, eq=False)
class StudentTeacher(Result):
    """Samples of a linear teacher: y = teacher x + N(0, label_noise^2).

    Source: Saxe et al. 2018, section 3. x: [n, inputs] float32, N(0, 1 / inputs); y: [n, outputs] float32; teacher:
    [outputs, inputs] float64, the columns of irrelevant inputs 0; label_noise: standard deviation; relevant: how many
    inputs, the first ones, the labels depend on; seed: of all draws.
    """

    x: np.ndarray
    y: np.ndarray
    teacher: np.ndarray
    label_noise: float
    relevant: int
    seed: int

    def __repr__(self) -> str:
        n, d = self.x.shape
        return f"StudentTeacher({n} samples, {d} inputs, {self.relevant} of them relevant, noise {self.label_noise:g})"

    def error(self, weight, bias=0.0) -> np.ndarray:
        """Expected squared error of y ~ weight x + bias on new samples, noise included, exact.

        tr[(W0 - W) S (W0 - W)'] + |b|^2 + outputs * noise^2 with S = I / inputs, summed over outputs. weight: [...,
        outputs, inputs]; bias: [..., outputs] or a number. Returns [...] float64, infinite where
        a square is. InputError: other shapes, weights or biases that are not finite.
        """
        outputs, inputs = self.teacher.shape
        weight, bias = finite_floats("weight", weight), finite_floats("bias", bias)
        check_shapes(weight=(weight, f"... {outputs} {inputs}"))
        gap = self.teacher - weight
        try:
            off = np.broadcast_to(bias, gap.shape[:-1])
        except ValueError as error:
            raise InputError(
                f"bias has shape {list(bias.shape)}; needed: {list(gap.shape[:-1])} or a number"
            ) from error
        with np.errstate(over="ignore"):
            return (gap**2).sum((-2, -1)) / inputs + (off**2).sum(-1) + outputs * self.label_noise**2

    def table(self) -> "pandas.DataFrame":
        """One row per output: output, signal and noise (variances over samples), ratio (signal / noise)."""
        import pandas as pd

        signal = (self.teacher**2).sum(1) / self.x.shape[1]
        noise = self.label_noise**2
        ratio = signal / noise if noise else np.full(len(signal), np.inf)
        return pd.DataFrame({"output": range(len(signal)), "signal": signal, "noise": noise, "ratio": ratio})


def student_teacher(
    n: int, inputs: int = 100, outputs: int = 1, *, snr: float = 1.0, relevant: int | None = None, seed: int = 0
) -> StudentTeacher:
    """n samples y = W0 x + noise of the linear teacher of Saxe et al. 2018, section 3.

    The signal has expected variance 1 per output, however many inputs carry it (weights N(0, inputs / relevant)), and
    the label noise variance 1 / snr (snr infinite: none). x: [n, inputs] float32, N(0, 1 / inputs); y: [n, outputs]
    float32; teacher W0: [outputs, inputs] float64; all drawn by seed. relevant: only the first so many inputs carry the
    label; default all.
    InputError: n, inputs or outputs no integer of 1 or more, relevant outside 1..inputs, snr not above 1e-60.
    """
    check_whole(n=(n, 1), inputs=(inputs, 1), outputs=(outputs, 1), seed=(seed, 0))
    relevant = inputs if relevant is None else relevant
    check_whole(relevant=(relevant, 1))
    if relevant > inputs:
        raise InputError(f"relevant is {relevant} of {inputs} inputs; it lies in 1..{inputs}")
    check_number(snr=snr)
    if not snr > _LEAST_SNR:
        raise InputError(f"snr is {snr}; needed: above 0, and not below {_LEAST_SNR:g}")
    rng = np.random.default_rng(seed)
    teacher = np.zeros((outputs, inputs))
    teacher[:, :relevant] = np.sqrt(inputs / relevant) * rng.standard_normal((outputs, relevant))
    noise = float(snr) ** -0.5
    x = rng.standard_normal((n, inputs)) / np.sqrt(inputs)
    y = x @ teacher.T + noise * rng.standard_normal((n, outputs))
    return StudentTeacher(
        x=x.astype(np.float32), y=y.astype(np.float32), teacher=teacher, label_noise=noise, relevant=relevant, seed=seed
    )
