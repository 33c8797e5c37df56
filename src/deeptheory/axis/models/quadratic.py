"""The full quadratic: every feature, every product of two, ridge-penalized; what any code with one direction must
match.

Scored on the folds of the other models, in closed form: (I - H_TT)^-1 e_T for the left-out rows T and each penalty of a
grid; the best is taken for each unit (one number chosen, an optimism far below that of a parameter). The eigenvectors
are of the smaller of the two Gram matrices.
"""

import torch

Tensor = torch.Tensor
_ALPHAS = tuple(10.0**k for k in (-2, -1, -0.5, 0, 0.5, 1, 2, 4))  # times the mean eigenvalue
MOST = 4000  # products: beyond that the features' leading directions only


class Quadratic:
    """Made once for the stimuli s [n, d] and the folds; errors(y) for each chunk of units."""

    def __init__(self, s: Tensor, folds: list[tuple[Tensor, Tensor]]):
        n, d = s.shape
        most = int((2 * MOST) ** 0.5) - 2
        self.directions = min(d, most)
        s = s[:, : self.directions]  # features come in order of their variance
        i, j = torch.triu_indices(self.directions, self.directions, device=s.device)
        x = torch.cat([s, s[:, i] * s[:, j]], 1)
        x = x - x.mean(0)
        deviation = x.square().mean(0).sqrt()
        own = s.square().mean(0).sqrt()  # of its factors: a feature in small units has products as good as any
        size = torch.cat([own, own[i] * own[j]])
        x = x / torch.where(deviation > 1e-6 * size, deviation, torch.full_like(deviation, torch.inf))
        if x.shape[1] < n:
            values, vectors = torch.linalg.eigh(x.mT @ x)
            values = values.clamp_min(1e-6 * values[-1])
            self.basis = (x @ vectors) / values.sqrt()  # [n, p], orthonormal
        else:
            values, vectors = torch.linalg.eigh(x @ x.mT)
            keep = values > 1e-6 * values[-1]
            values, self.basis = values[keep], vectors[:, keep]
        self.values = values
        self.tests = [test for _, test in folds]
        self.solved: list[list[Tensor]] = []  # (I - H_TT)^-1 by penalty and fold
        for alpha in _ALPHAS:
            shrink = self._shrink(alpha)
            self.solved.append([self._inverse(self.basis[test], shrink, n) for test in self.tests])

    def _shrink(self, alpha: float) -> Tensor:
        return self.values / (self.values + alpha * self.values.mean())

    @staticmethod
    def _inverse(rows: Tensor, shrink: Tensor, n: int) -> Tensor:
        hat = ((rows * shrink) @ rows.mT).double() + 1 / n
        return torch.linalg.inv(torch.eye(len(hat), dtype=hat.dtype, device=hat.device) - hat).to(rows)

    def errors(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """y [u, n], mean 0 -> errors on left-out rows [u, n], mean squared error in sample [u], effective
        parameters [u].
        """
        inside = y @ self.basis  # [u, p]
        best = None
        for alpha, solved in zip(_ALPHAS, self.solved):
            shrink = self._shrink(alpha)
            residual = y - (inside * shrink) @ self.basis.mT
            out = torch.empty_like(y)
            for test, inverse in zip(self.tests, solved):
                out[:, test] = -residual[:, test] @ inverse
            found = (out.square().mean(1), out, residual.square().mean(1), shrink.sum().expand(len(y)) + 1)
            if best is None:
                best = found
            else:
                better = found[0] < best[0]
                best = tuple(torch.where(better if a.ndim == 1 else better[:, None], a, b) for a, b in zip(found, best))
        assert best is not None
        return best[1], best[2], best[3]
