"""Fitting one generator to all units at once: variable projection and Gauss-Newton with Levenberg's damping.

Source: Golub & Pereyra 1973 (the output coefficients are solved for at every step), Kaufman 1975 (the Jacobian's part
within the basis is projected out). For n stimuli and k parameters a step of one unit costs one row of two matrix
products: [units, n] by [n, k] for the gradient, and by [n, k(k+1)/2] for the curvature. The latter is computed at the
start, then kept up to date by Broyden, Fletcher, Goldfarb and Shanno's rule, and computed again where a step gained far
less than predicted.
Pitfall: the ball |e| <= bound. At its surface, with the gradient pointing out, the step is taken within the sphere.
"""

from dataclasses import dataclass

import torch

from deeptheory.axis.models.generators import Basis, Generator, Scale, Stimuli

Tensor = torch.Tensor
RENEWALS = 2  # of the curvature from the stimuli, while a fit goes on; after that steps are shortened
_TABLE = 128  # parameters: up to here the products of all pairs of columns are kept as a table


@dataclass(frozen=True)
class Fit:
    """theta [u, d]; coefficients [u, b]; scale: see Basis; loss [u]: mean squared error, responses having unit
    variance; converged [u]; steps taken."""

    theta: Tensor
    coefficients: Tensor
    scale: Scale
    loss: Tensor
    converged: Tensor
    steps: int

    def predict(self, generator: Generator, stimuli: Stimuli) -> Tensor:
        """[u, m], in the units of the responses fitted to."""
        basis = generator.basis(self.theta, self.theta @ _plain(generator, stimuli).mT, stimuli, self.scale)
        return torch.einsum("ub,ubn->un", self.coefficients, basis.phi)

    def replaced(self, where: Tensor, other: "Fit") -> "Fit":
        """This fit with the units `where` (boolean [u]) taken from another."""

        def put(mine: Tensor, theirs: Tensor) -> Tensor:
            out = mine.clone()
            out[where] = theirs
            return out

        a, b, c, d = (put(mine, theirs) for mine, theirs in zip(self.scale, other.scale))
        loss, converged = put(self.loss, other.loss), put(self.converged, other.converged)
        both = put(self.theta, other.theta), put(self.coefficients, other.coefficients)
        return Fit(*both, (a, b, c, d), loss, converged, max(self.steps, other.steps))


class Design:
    """A generator's rows for some stimuli, and the table of their products, made once for all units."""

    def __init__(self, generator: Generator, stimuli: Stimuli):
        self.generator, self.stimuli = generator, stimuli
        self.rows = generator.rows(stimuli)  # [n, k]
        self.plain = _plain(generator, stimuli)
        self.penalty = torch.diag(torch.tensor(generator.penalty, dtype=torch.float64).to(self.rows) / len(self.rows))
        k = self.rows.shape[1]
        self._pairs = torch.triu_indices(k, k, device=self.rows.device) if k <= _TABLE else None
        self._table = None

    def gram(self, weight: Tensor) -> Tensor:
        """sum_n weight[u, n] u_n u_n^T: [u, k, k]."""
        if self._pairs is None:
            return torch.stack([(self.rows * w[:, None]).mT @ self.rows for w in weight])
        i, j = self._pairs
        if self._table is None:
            self._table = self.rows[:, i] * self.rows[:, j]
        out = weight.new_empty(len(weight), self.rows.shape[1], self.rows.shape[1])
        flat = weight @ self._table
        out[:, i, j] = flat
        out[:, j, i] = flat
        return out

    def basis(self, theta: Tensor) -> Basis:
        """The generator's basis at axes theta [u, d]."""
        return self.generator.basis(theta, theta @ self.plain.mT, self.stimuli)

    def onto_theta(self, theta: Tensor, moments: Tensor) -> Tensor:
        """Moments [u, b, k] of the rows to moments of dx/dtheta [u, b, d]: for a distance, (e - s)."""
        if not self.generator.distance:
            return moments
        return moments[..., -1:] * theta[:, None] - moments[..., :-1]

    def onto_theta_twice(self, theta: Tensor, gram: Tensor) -> Tensor:
        """Gram matrices of the rows [u, k, k] to those of dx/dtheta [u, d, d]."""
        if not self.generator.distance:
            return gram
        d = theta.shape[1]
        cross = theta[:, :, None] * gram[:, None, :d, d]
        return gram[:, :d, :d] - cross - cross.mT + gram[:, d, d, None, None] * theta[:, :, None] * theta[:, None, :]


@dataclass
class Point:
    """Where a fit stands: everything about theta that a step needs."""

    theta: Tensor
    loss: Tensor  # mean squared error, and the penalty on the coefficients
    error: Tensor
    coefficients: Tensor
    center: Tensor
    spread: Tensor
    least: Tensor
    most: Tensor
    gradient: Tensor  # of -loss/2 with respect to theta
    cross: Tensor  # [u, b, d], basis by Jacobian, whitened by the basis's own Gram
    weight: Tensor  # [u, n], dr/dt squared: what the curvature is made of


def look(design: Design, y: Tensor, theta: Tensor) -> Point:
    """Solve for the coefficients at theta, and take the derivatives there. y: [u, n]."""
    basis = design.basis(theta)
    n = y.shape[1]
    phi = basis.phi
    gram = phi @ phi.mT / n + design.penalty  # [u, b, b]
    root = _cholesky(gram)
    right = (phi @ y[:, :, None]) / n
    c = torch.cholesky_solve(right, root)[..., 0]
    residual = y - torch.einsum("ub,ubn->un", c, phi)
    slope = basis.slope(c)
    moments = torch.cat([phi, residual[:, None]], 1) * (slope[:, None] / n)
    moments = design.onto_theta(theta, moments @ design.rows)
    cross = torch.linalg.solve_triangular(root, moments[:, :-1], upper=False)
    error = residual.square().mean(1)
    loss = error + (c.square() * design.penalty.diagonal()).sum(1)
    return Point(theta, loss, error, c, *basis.scale, moments[:, -1], cross, slope.square() / n)


def loss_at(design: Design, y: Tensor, theta: Tensor) -> Tensor:
    """Mean squared error with the best coefficients: [u]."""
    phi = design.basis(theta).phi
    n = y.shape[1]
    right = (phi @ y[:, :, None]) / n
    half = torch.linalg.solve_triangular(_cholesky(phi @ phi.mT / n + design.penalty), right, upper=False)
    return y.square().mean(1) - half.square().sum((1, 2))


def fit(
    design: Design, y: Tensor, theta: Tensor, bound: float | None = None, steps: int = 40, tolerance: float = 1e-6
) -> Fit:
    """The least squares fit of every unit from the start theta [u, d]; y [u, n] of mean 0 and variance 1.

    bound: largest |theta|. Ends where a step gains less than `tolerance` of the variance.
    """
    theta = _into(theta, bound)
    at = look(design, y, theta)
    curvature = _curvature(design, at)
    renewals = torch.zeros_like(at.loss, dtype=torch.int64)
    renewals = torch.zeros_like(at.loss, dtype=torch.int64)
    exact = torch.ones_like(at.loss, dtype=torch.bool)  # the curvature is that of the present theta, not an update
    damping = torch.full_like(at.loss, 1e-3)
    done = torch.zeros_like(exact)
    taken = 0
    active = torch.arange(len(y), device=y.device)
    for taken in range(1, steps + 1):  # noqa: B007  # returned: how many were needed
        here = at if len(active) == len(y) else _rows(at, active)
        step, predicted = _step(here, curvature[active], damping[active], bound)
        new = look(design, y[active], _into(here.theta + step, bound))
        gained = here.loss - new.loss
        better, share = gained > 0, gained / predicted.clamp_min(1e-12)
        curvature[active] = _updated(curvature[active], new.theta - here.theta, here.gradient - new.gradient)
        _put(at, active[better], new, better)
        poor = share < 0.1
        stale = poor & ~exact[active] & (renewals[active] < RENEWALS)
        exact[active] = stale
        renew = active[stale]
        if len(renew):
            curvature[renew] = _curvature(design, _rows(at, renew))
            renewals[renew] += 1
        one = torch.ones_like(share)  # numbers alone would be of torch's default dtype
        factor = torch.where(share > 0.8, 0.2 * one, torch.where(poor & ~stale, 6 * one, one))
        damping[active] = (damping[active] * factor).clamp_min(1e-7)
        small = (predicted < tolerance / 2) | (better & (gained < tolerance) & (predicted < 4 * tolerance))
        ended = (small & (damping[active] < 1)) | (damping[active] > 1e4)
        done[active[ended]] = True
        active = active[~ended]
        if not len(active):
            break
    return Fit(at.theta, at.coefficients, (at.center, at.spread, at.least, at.most), at.error, done, taken)


def _updated(curvature: Tensor, moved: Tensor, turned: Tensor) -> Tensor:
    """BFGS: the nearest curvature that predicts how the gradient turned over a step; [u, d, d], [u, d], [u, d].

    Powell 1978: where the turn is against the step, a part of the old curvature is kept so that it stays positive.
    """
    held = (curvature @ moved[:, :, None])[..., 0]
    old, seen = (held * moved).sum(1), (turned * moved).sum(1)
    keep = torch.where(seen < 0.2 * old, 0.8 * old / (old - seen).clamp_min(1e-30), torch.ones_like(old))[:, None]
    turned = keep * turned + (1 - keep) * held
    seen = (turned * moved).sum(1).clamp_min(1e-30)[:, None]
    a, b = turned / seen.sqrt(), held / old.clamp_min(1e-30).sqrt()[:, None]
    return curvature + a[:, :, None] * a[:, None, :] - b[:, :, None] * b[:, None, :]


def _curvature(design: Design, at: Point) -> Tensor:
    """J^T P J, P projecting out the basis: [u, d, d]."""
    return design.onto_theta_twice(at.theta, design.gram(at.weight)) - at.cross.mT @ at.cross


def _step(at: Point, curvature: Tensor, damping: Tensor, bound: float | None) -> tuple[Tensor, Tensor]:
    """The damped step and the gain in loss that it predicts."""
    g = at.gradient
    if bound is not None:
        norm = at.theta.norm(dim=1)
        out = at.theta / norm.clamp_min(1e-12)[:, None]
        pressed = ((norm > bound * (1 - 1e-4)) & ((g * out).sum(1) > 0)).to(g.dtype)[:, None]
        g = g - pressed * (g * out).sum(1, keepdim=True) * out
        side = (curvature @ out[:, :, None])[..., 0]
        along = (side * out).sum(1)[:, None, None]
        both = out[:, :, None] * side[:, None, :]
        outer = out[:, :, None] * out[:, None, :]
        bend = ((at.gradient * out).sum(1) / norm.clamp_min(1e-12))[:, None, None]  # of the sphere itself
        eye = torch.eye(out.shape[1], dtype=out.dtype, device=out.device)
        curvature = curvature + pressed[:, :, None] * (2 * along * outer - both - both.mT + bend * (eye - outer))
    diagonal = curvature.diagonal(dim1=1, dim2=2)
    floor = diagonal.mean(1, keepdim=True).clamp_min(1e-12)
    damped = curvature + torch.diag_embed(damping[:, None] * (diagonal.clamp_min(0) + 0.01 * floor) + 1e-6 * floor)
    step = torch.cholesky_solve(g[:, :, None], _cholesky(damped))[..., 0]
    return step, 2 * (g * step).sum(1) - ((curvature @ step[:, :, None])[..., 0] * step).sum(1)


def _cholesky(a: Tensor) -> Tensor:
    """Lower factor; where rounding spoils it, with as much added to the diagonal as it takes."""
    root, bad = torch.linalg.cholesky_ex(a)
    extra = 1e-6
    while bool(bad.any()) and extra < 1e3:
        size = a.diagonal(dim1=-2, dim2=-1).abs().mean(-1).clamp_min(1e-12)
        eye = torch.eye(a.shape[-1], dtype=a.dtype, device=a.device)
        root, bad = torch.linalg.cholesky_ex(a + (bad > 0)[:, None, None] * extra * size[:, None, None] * eye)
        extra *= 10
    return root


def _into(theta: Tensor, bound: float | None) -> Tensor:
    if bound is None:
        return theta
    norm = theta.norm(dim=1, keepdim=True)
    return theta * (bound / norm.clamp_min(1e-12)).clamp_max(1)


def _plain(generator: Generator, stimuli: Stimuli) -> Tensor:
    """The rows whose product with theta is t."""
    return stimuli.s if generator.distance else generator.rows(stimuli)


def _rows(at: Point, index: Tensor) -> Point:
    return Point(**{name: value[index] for name, value in vars(at).items()})


def _put(at: Point, index: Tensor, new: Point, which: Tensor) -> None:
    for name, value in vars(new).items():
        getattr(at, name)[index] = value[which]
