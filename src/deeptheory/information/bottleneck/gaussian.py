"""The bottleneck of jointly Gaussian X and Y, in closed form.

Source: Chechik, Globerson, Tishby & Weiss 2005. With v_i the left eigenvectors of Sigma_{x|y} Sigma_x^-1, eigenvalues
lambda_i ascending: direction i enters at beta_i = 1 / (1 - lambda_i), T = A X + unit noise with rows alpha_i v_i,
alpha_i^2 = (beta (1 - lambda_i) - 1) / (lambda_i r_i), r_i = v_i' Sigma_x v_i.
1 - lambda_i is the square of the i-th canonical correlation rho_i. Where it is 1,
X and Y share a variable without noise: error.
Pitfall: 1 - rho^2 has no digit of a correlation of 1e-8, so the formulas are written in rho: with g = beta rho^2 - 1
above 0 a direction gives I(X;T) = 1/2 log(1 + g / lambda) and I(T;Y) = 1/2 log(1 + g / (beta lambda)).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.core.arrays import Array, as_floats, as_numpy, check_paired, like, row_labels
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_shapes
from deeptheory.information.bottleneck.curve import draw_curve
from deeptheory.information.bottleneck.methods import check_beta, check_betas
from deeptheory.information.bottleneck.solution import BottleneckSolution

if TYPE_CHECKING:
    import plotly.graph_objects
    import xarray

_ROUNDING = (
    8 * np.finfo(np.float64).eps
)  # of the largest correlation, times the number of columns: below it a correlation is 0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GaussianBottleneck(Result):
    """The information curve of a Gaussian pair, at the betas given and in their order; T = A X + N(0, I).

    i_x = I(X;T), i_y = I(T;Y) [b], bits; dimension [b]: of T, how many directions are in use. critical_beta [c]: where
    a direction enters, ascending, infinite where it is beyond float64. Of the dx directions: correlation [dx]
    (canonical, descending), lambdas [dx] = 1 - correlation^2, vectors v [dx, dx] as rows, v' cov_x v = 1. projections:
    A [b, dx, dx], rows of 0 not in use. i_xy = I(X;Y), bits. Arrays are float64, torch where cov_x was.
    """

    beta: Array
    i_x: Array
    i_y: Array
    dimension: Array
    critical_beta: Array
    correlation: Array
    lambdas: Array
    vectors: Array
    projections: Array
    i_xy: float
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        enters = ", ".join(f"{b:.4g}" for b in self.critical_beta[:4])
        return f"GaussianBottleneck({len(self.beta)} betas, I(X;Y) {self.i_xy:.4f} bits, directions enter at {enters})"

    def dataset(self) -> "xarray.Dataset":
        """xarray.Dataset over beta: i_x, i_y (bits), dimension."""
        import xarray as xr

        columns = {k: ("beta", as_numpy(getattr(self, k))) for k in ("i_x", "i_y", "dimension")}
        return xr.Dataset(columns, coords={"beta": as_numpy(self.beta)})

    def figure(self) -> "plotly.graph_objects.Figure":
        """I(T;Y) against I(X;T) at the betas given, marked where the dimension of T changes."""
        return draw_curve(self.table(), self.i_xy)


def gaussian_bottleneck(cov_x, cov_y, cov_xy, betas) -> GaussianBottleneck:
    """The exact bottleneck of Gaussians: least I(X;T) - beta I(T;Y), in bits, in closed form.

    cov_x: [dx, dx]; cov_y: [dy, dy]; cov_xy: [dx, dy]; betas: a number or [b], above 0, any order.
    Source: Chechik, Globerson, Tishby & Weiss 2005. Relative precision is that of the canonical correlations, however
    small; one below 2e-15 max(dx, dy) of the largest counts as 0.
    InputError: shapes, labels of rows and columns (pandas) in another order, NaN, a covariance that is not symmetric or
    not positive definite, covariances that no variables have together, a canonical correlation of 1, betas not above 0.
    """
    correlation, vectors = _directions(cov_x, cov_y, cov_xy)
    beta = check_betas(betas, above=True)
    given, cov_x = cov_x, as_floats(cov_x)
    lambdas = (1 - correlation) * (1 + correlation)  # ascending, as correlations fall
    scaled = np.sqrt(beta)[:, None] * correlation  # a square of 1e-170 is 0
    active = scaled > 1  # [b, d]
    gain = np.where(active, (scaled - 1) * (scaled + 1), 0.0)
    i_x = 0.5 * np.log1p(gain / lambdas).sum(1) / np.log(2)
    i_y = 0.5 * np.log1p(gain / lambdas / beta[:, None]).sum(1) / np.log(2)
    r = np.einsum("di,ij,dj->d", vectors, cov_x, vectors)
    alpha = np.sqrt(gain / (lambdas * r))
    with np.errstate(over="ignore"):  # of 1e-160: infinite
        critical = np.sort((1 / correlation[correlation > 0]) ** 2)
    arrays = {
        "beta": beta,
        "i_x": i_x,
        "i_y": i_y,
        "dimension": active.sum(1),
        "critical_beta": critical,
        "correlation": correlation,
        "lambdas": lambdas,
        "vectors": vectors,
        "projections": alpha[:, :, None] * vectors,
    }
    kinds: dict[str, Any] = {name: like(value, given) for name, value in arrays.items()}
    return GaussianBottleneck(
        **kinds,
        i_xy=float(-0.5 * np.log1p(-(correlation**2)).sum() / np.log(2)) + 0.0,
    )


def gaussian(covariances, beta: float) -> BottleneckSolution:
    """Method "gaussian" of dt.bottleneck: covariances = (cov_x, cov_y, cov_xy) in the place of p_xy.

    encoder: A [dimension, dx] of T = A X + unit noise; decoder: [dy, dimension], the regression of Y on T; p_t: empty;
    h_t: differential entropy of T. Lagrangian I(X;T) - beta I(T;Y). InputError: as gaussian_bottleneck, or no triple.
    """
    if hasattr(covariances, "shape") or not hasattr(covariances, "__len__") or len(covariances) != 3:
        raise InputError('method "gaussian" takes (cov_x, cov_y, cov_xy) in the place of p_xy')
    cov_x, cov_y, cov_xy = (as_floats(c) for c in covariances)
    found = gaussian_bottleneck(cov_x, cov_y, cov_xy, [check_beta(beta)])
    used = int(found.dimension[0])
    a = found.projections[0, :used]
    cov_t = a @ cov_x @ a.T + np.eye(used)
    i_x, i_y = float(found.i_x[0]), float(found.i_y[0])
    h_t = 0.5 * (np.linalg.slogdet(cov_t)[1] / np.log(2) + used * np.log2(2 * np.pi * np.e))
    return BottleneckSolution(
        method="gaussian",
        beta=float(beta),
        encoder=a,
        decoder=np.linalg.solve(cov_t, a @ cov_xy).T,
        p_t=np.zeros(0),
        i_x=i_x,
        i_y=i_y,
        h_t=float(h_t),
        lagrangian=i_x - beta * i_y,
        residual=0.0,
        gap=0.0,
    )


def _directions(cov_x, cov_y, cov_xy) -> tuple[np.ndarray, np.ndarray]:
    """Canonical correlations [dx], descending, and their vectors, rows [dx, dx]."""
    from scipy.linalg import solve_triangular, svd

    check_paired(**{"cov_x": cov_x, "cov_x's columns": row_labels(cov_x, 1), "cov_xy": cov_xy})
    check_paired(**{"cov_y": cov_y, "cov_y's columns": row_labels(cov_y, 1), "cov_xy's columns": row_labels(cov_xy, 1)})
    check_shapes(cov_x=(cov_x, "x x"), cov_y=(cov_y, "y y"), cov_xy=(cov_xy, "x y"))
    check_finite(cov_x=cov_x, cov_y=cov_y, cov_xy=cov_xy)
    sx, sy, sxy = (as_floats(c) for c in (cov_x, cov_y, cov_xy))
    if 0 in sxy.shape:
        raise InputError(f"cov_xy has shape {list(sxy.shape)}; needed: one or more columns of X and of Y")
    roots = []
    for name, s in (("cov_x", sx), ("cov_y", sy)):
        scale = np.sqrt(np.abs(np.diag(s)))
        size = scale[:, None] * scale
        if not (np.abs(s - s.T) <= 1e-8 * np.maximum(size, np.abs(s))).all():
            raise InputError(f"{name} is not symmetric; needed: a covariance matrix")
        even = (s + s.T) / 2 if np.abs(s).max() < 8e307 else s / 2 + s.T / 2  # whose sum leaves float64
        try:
            roots.append(np.linalg.cholesky(even))
        except np.linalg.LinAlgError as error:
            least = float(np.linalg.eigvalsh(even)[0])
            if least < -1e-8 * float(np.abs(s).max()):
                raise InputError(
                    f"{name} has the eigenvalue {least:.3g}, so it is no covariance: variances are 0 or above"
                ) from error
            raise InputError(f"{name} is not positive definite; drop the directions without variance") from error
    lx, ly = roots
    half = solve_triangular(lx, sxy, lower=True)
    whitened = solve_triangular(ly, half.T, lower=True).T  # [dx, dy]
    left, s, _ = svd(
        whitened, lapack_driver="gesvd"
    )  # the other driver loses the digits of small values beside large ones
    s[s < _ROUNDING * max(whitened.shape) * s[0]] = 0.0
    correlation = np.zeros(len(sx))
    correlation[: len(s)] = s
    if correlation[0] > 1 + 1e-9:
        raise InputError(
            f"the largest canonical correlation is {correlation[0]:.6g}, above 1: no variables have these covariances "
            "(the joint matrix of cov_x, cov_y and cov_xy has a negative eigenvalue); check cov_xy, "
            "its unit and its order"
        )
    if correlation[0] > 1 - 1e-12:
        raise InputError(
            f"the largest canonical correlation is {correlation[0]:.6g}; X and Y share a variable without noise, and "
            "I(X;Y) is infinite"
        )
    vectors = solve_triangular(lx.T, left).T  # rows, so that v' Sigma_x v = 1
    return correlation, vectors
