"""The full quadratic: a feature in small units has products as good as any."""

import numpy as np
import pytest
import torch

from deeptheory.axis.models.quadratic import Quadratic


@pytest.mark.parametrize("unit", [1e-4, 1e4])
def test_products_of_small_features_stay(unit):
    rng = np.random.default_rng(14)
    s = torch.as_tensor(rng.standard_normal((200, 3)))
    y = ((s[:, 2] ** 2 - 1) / 2**0.5)[None]
    folds = [(torch.arange(200)[torch.arange(200) % 4 != k], torch.arange(200)[torch.arange(200) % 4 == k])
        for k in range(4)]  # fmt: skip
    plain, other = (Quadratic(s * torch.tensor([1, 1, u]), folds).errors(y)[0].square().mean() for u in (1, unit))
    assert plain < 0.05
    assert other == pytest.approx(float(plain), rel=1e-6)
