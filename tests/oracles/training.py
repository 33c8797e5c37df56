"""Training one small network the obvious way: nn.Sequential, torch.optim, one minibatch after the other, float64."""

import torch
from torch import nn


def plain_network(nets, k: int) -> nn.Sequential:
    """Network k of an MLP population, giving logits, in float64."""
    inner = nets.network(k).double()
    return nn.Sequential(*list(inner)[:-1])


def train(
    net,
    x,
    y,
    rows,
    *,
    optimizer: str,
    lr: float,
    batch: int,
    epochs: int,
    drop_last=False,
    momentum=0.0,
    loss=nn.functional.cross_entropy,
):
    """Rows in the order given, every epoch the same. Returns per epoch and linear layer the list of its gradients."""
    x, y = torch.as_tensor(x).double(), torch.as_tensor(y)
    step = {
        "adam": lambda p: torch.optim.Adam(p, lr=lr),
        "sgd": lambda p: torch.optim.SGD(p, lr=lr, momentum=momentum),
        "adadelta": lambda p: torch.optim.Adadelta(p, lr=lr, rho=0.95, eps=1e-6),
    }[optimizer](net.parameters())
    history = []
    for _ in range(epochs):
        seen: dict[str, list] = {}
        for start in range(0, len(rows), batch):
            part = rows[start : start + batch]
            if drop_last and len(part) < batch:
                continue
            step.zero_grad()
            loss(net(x[part]), y[part]).backward()
            for name, module in net.named_modules():
                if isinstance(module, nn.Linear):
                    seen.setdefault(name, []).append(module.weight.grad.clone())
            step.step()
        history.append(seen)
    return history


def moments(gradients) -> tuple[float, float]:
    """Norm of the mean, and root of the trace of the unbiased covariance, over a list of gradients."""
    stacked = torch.stack(gradients).flatten(1)
    return float(stacked.mean(0).norm()), float(stacked.var(0, unbiased=True).sum().sqrt())
