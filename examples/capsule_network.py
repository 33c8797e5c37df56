"""
Ten lines of plain PyTorch train a capsule network
==================================================

A ``CapsuleNetwork`` is an ``nn.Module`` like any other: any image shape, any number of classes. Here: scikit-learn's
8x8 digits. What comes out are lengths (is this class there?), capsules (how is it there?) and a drawing of the winner.
"""

import torch

import deeptheory as dt

data = dt.datasets.digits()
x = torch.as_tensor(data.images)[:, None] / 16
y = torch.as_tensor(data.labels)

# %%
# The ten lines.
torch.manual_seed(0)
net = dt.capsules.CapsuleNetwork(
    (1, 8, 8),
    classes=10,
    reconstruction=(64, 128),
    channels=32,
    kernel_size=3,
    primary=dt.capsules.Primary(types=4, kernel_size=3),
)
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for _epoch in range(14):
    for rows in torch.randperm(1500).split(50):
        lengths, capsules, drawn = net(x[rows], y[rows])
        loss = dt.capsules.margin_loss(lengths, y[rows]) + dt.capsules.reconstruction_loss(drawn, x[rows], 0.005)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

error = dt.capsules.error_rate(net, x[1500:], y[1500:])
print(f"{dt.networks.parameter_count(net)} weights, error on {len(x) - 1500} digits that were held out: {error:.1f} %")

# %%
# What does the routing do? Couplings sharpen, dead parents would show, votes come nearer to their parent.
trace = dt.capsules.trace_routing(net, x[1500:1564])
for name, layer in trace.items():
    print(name)
    print(layer.table().round(3).to_string(index=False))

# %%
# What does one number of a pose mean? Move it and look.
found = dt.capsules.perturb(net, x[1500:1540])
print(found)
print("largest R2 of the drawn width by one number, by class:", found.explained().max(1).round(2))
assert error < 15
found.figure()
