"""What flattening a linear network costs: synapses of the product against synapses of the factors.

Source: Rolnick & Tegmark 2018, section 2, and Lin, Tegmark & Rolnick 2017, section III: C_s = N_s(flat) / N_s(deep) at
zero error. The FFT has 2 n log2 n synapses against n^2, a rank-k map 2 n k, two random 0/1 matrices of density p
2 p n^2 against n^2 (1 - (1 - p^2)^n). Pitfall: entries of a product that cancel come out as 1e-17, not 0; they count as
0 when small against the sum of the sizes of what canceled.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.core.arrays import as_numpy
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_number

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FlatteningCost(Result):
    """Synapses of a stack of linear maps, of their product, and of the product's best factorization by rank.

    deep: weights of the factors that are not 0. flat: entries of the product that are not 0. cost: flat / deep, above 1
    where flattening costs. rank: of the product. low_rank: synapses of its factorization by rank, rank (n_in + n_out).
    shapes: of the factors, first applied first.
    """

    deep: int
    flat: int
    rank: int
    low_rank: int
    shapes: tuple[tuple[int, int], ...]

    @property
    def cost(self) -> float:
        """flat / deep, above 1 where flattening costs synapses; NaN where every weight is 0."""
        return self.flat / self.deep if self.deep else float("nan")

    @property
    def least(self) -> int:
        """Synapses of the cheapest of the three forms."""
        return min(self.deep, self.flat, self.low_rank)

    def __repr__(self) -> str:
        return (
            f"FlatteningCost({self.cost:.4g}: {self.flat} synapses flat, {self.deep} deep, "
            f"{self.low_rank} by rank {self.rank})"
        )

    def scalars(self) -> dict[str, float]:
        """deep, flat, rank, low_rank and cost, by name."""
        return {"deep": self.deep, "flat": self.flat, "rank": self.rank, "low_rank": self.low_rank, "cost": self.cost}

    def table(self) -> "pandas.DataFrame":
        """One row per form (deep, flat, by rank): form, synapses and ratio, to the deep form's."""
        import pandas as pd

        rows = [("deep", self.deep), ("flat", self.flat), (f"rank {self.rank}", self.low_rank)]
        return pd.DataFrame(
            [{"form": n, "synapses": s, "ratio": s / self.deep if self.deep else np.nan} for n, s in rows]
        )


def flattening_cost(module: Any, *, tolerance: float = 1e-9) -> FlatteningCost:
    """The cost of flattening a linear network: synapses of its factors and of their product.

    Source: Lin, Tegmark & Rolnick 2017, section III; Rolnick & Tegmark 2018, section 2.
    module: torch Linears in a Sequential (biases count for nothing), or a list of matrices [out, in], first applied
    first; numpy, torch or scipy sparse, real or complex. tolerance: an entry of the product counts as 0 below this
    share of the sum of the sizes of its summands (float64). So integers are counted exactly while for every entry that
    sum is below 1 / tolerance, 1e9 by default.
    InputError: a module that is not linear, matrices that do not fit together, no matrix, NaN or infinity, a tolerance
    outside [0, 1).
    """
    check_number(tolerance=tolerance)
    if not 0 <= tolerance < 1:
        raise InputError(f"tolerance is {tolerance}; needed: a fraction from 0 to below 1")
    matrices = [_dense(m) for m in _matrices(module)]
    if not matrices:
        raise InputError("module holds no linear map; give Linears in a Sequential, or a list of matrices [out, in]")
    check_finite(**{f"matrix {k}": m for k, m in enumerate(matrices)})
    for k, (a, b) in enumerate(pairwise(matrices)):
        if a.shape[0] != b.shape[1]:
            raise InputError(
                f"matrix {k} has shape {list(a.shape)} and the next {list(b.shape)}; out of one must be in of the other"
            )
    product, sizes = _product(matrices)
    alive = np.abs(product) > (tolerance if len(matrices) > 1 else 0) * sizes
    kept = np.where(alive, product, 0)
    rank = int(np.linalg.matrix_rank(_scaled(kept, -_exponents(kept, 0)))) if product.size else 0
    return FlatteningCost(
        deep=int(sum(np.count_nonzero(m) for m in matrices)),
        flat=int(alive.sum()),
        rank=rank,
        low_rank=rank * sum(product.shape),
        shapes=tuple((int(m.shape[0]), int(m.shape[1])) for m in matrices),
    )


def _product(matrices: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The product and the same of absolute values, both with rows divided by powers of two, which neither zeros nor
    ranks see: units of inputs, outputs and hidden units do not matter, and nothing leaves float64."""
    power = np.zeros(matrices[0].shape[1], dtype=np.int64)
    product = sizes = np.zeros((0, 0))
    for k, m in enumerate(matrices):
        top = _exponents(m, 1, power)
        m = _scaled(m, power - top)
        product, sizes = (m @ product, np.abs(m) @ sizes) if k else (m, np.abs(m))
        row = _exponents(sizes, 1)
        product, sizes = _scaled(product, -row), _scaled(sizes, -row)
        power = (top + row)[:, 0]
    return product, sizes


def _exponents(m: np.ndarray, axis: int, power: Any = 0) -> np.ndarray:
    """The largest exponent of two along an axis, of entries times 2^power; 0 where all are 0."""
    size = np.maximum(np.abs(np.real(m)), np.abs(np.imag(m)))
    none = -(2**40)
    top = np.where(size > 0, np.frexp(size)[1].astype(np.int64) + power, none).max(axis, keepdims=True, initial=none)
    return np.where(top > none, top, 0)


def _scaled(m: np.ndarray, power: np.ndarray) -> np.ndarray:
    """m 2^power, exactly but for what is 2^1074 times smaller than the rest."""
    power = np.clip(power, -5_000, 5_000).astype(np.int32)
    return np.ldexp(np.real(m), power) + 1j * np.ldexp(np.imag(m), power) if np.iscomplexobj(m) else np.ldexp(m, power)


def _matrices(module: Any) -> Iterable[Any]:
    import torch
    from torch import nn

    if isinstance(module, nn.Linear):
        return [module.weight]
    if isinstance(module, nn.Sequential):
        return [m for part in module for m in _matrices(part)]
    if isinstance(module, (nn.Identity, nn.Flatten)):
        return []
    if isinstance(module, nn.Module):
        raise InputError(
            f"{type(module).__name__} is not linear; flattening is about Linears in a Sequential (cost(module) counts "
            "any network)"
        )
    if isinstance(module, Sequence):
        return list(module)
    if isinstance(module, (np.ndarray, torch.Tensor)) or hasattr(module, "toarray"):
        return [module]
    raise InputError(f"module is a {type(module).__name__}; give Linears in a Sequential, or a list of matrices")


def _dense(matrix: Any) -> np.ndarray:
    dense = (
        matrix.toarray()
        if hasattr(matrix, "toarray")
        else as_numpy(matrix.to_dense() if hasattr(matrix, "to_dense") else matrix)
    )
    if dense.ndim != 2:
        raise InputError(f"a matrix has shape {list(dense.shape)}; needed: [out, in]")
    return dense.astype(np.complex128 if np.iscomplexobj(dense) else np.float64)
