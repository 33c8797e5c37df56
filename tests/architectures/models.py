"""Small versions of the architectures that people bring, each with an input: a Recorder must see through them."""

import math

import torch
from torch import nn
from torch.nn import functional as F


def mlp():
    return nn.Sequential(nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 3)), torch.randn(6, 12)


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(256, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x)))))


class VGG(nn.Module):
    def __init__(self):
        super().__init__()
        layers, c = [], 3
        for v in (8, "M", 16, 16, "M"):
            if v == "M":
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(c, v, 3, padding=1), nn.BatchNorm2d(v), nn.ReLU(inplace=True)]
                c = v
        self.features, self.avgpool = nn.Sequential(*layers), nn.AdaptiveAvgPool2d(2)
        self.classifier = nn.Sequential(nn.Linear(64, 32), nn.ReLU(True), nn.Dropout(), nn.Linear(32, 5))

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


class Bottleneck(nn.Module):
    def __init__(self, i, width, out, stride=1):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, out, 1, bias=False), nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or i != out:
            self.downsample = nn.Sequential(nn.Conv2d(i, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    """He et al. 2016; blocks (3, 4, 6, 3) and width 64 are ResNet-50."""

    def __init__(self, blocks=(2, 1), width=8, classes=5):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        i, stages = width, []
        for k, n in enumerate(blocks):
            out = width * 4 * 2**k
            first = Bottleneck(i, out // 4, out, 2 if k else 1)
            stages.append(nn.Sequential(first, *[Bottleneck(out, out // 4, out, 1) for _ in range(n - 1)]))
            i = out
        self.layers = nn.ModuleList(stages)
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(i, classes)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in self.layers:
            x = stage(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


class InvertedResidual(nn.Module):
    def __init__(self, c, expand=2):
        super().__init__()
        h = c * expand
        begin = nn.Conv2d(c, h, 1), nn.BatchNorm2d(h), nn.ReLU6()
        middle = nn.Conv2d(h, h, 3, padding=1, groups=h), nn.BatchNorm2d(h), nn.Hardswish()
        self.block = nn.Sequential(*begin, *middle, nn.Conv2d(h, c, 1))
        self.down, self.up = nn.Conv2d(c, 2, 1), nn.Conv2d(2, c, 1)

    def forward(self, x):
        y = self.block(x)
        y = y * F.hardsigmoid(self.up(F.relu(self.down(y.mean((2, 3), keepdim=True)))))  # squeeze and excite
        return x + y


class MobileNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.blocks = nn.Conv2d(3, 8, 3, 2, 1), nn.Sequential(InvertedResidual(8), InvertedResidual(8))
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        return self.head(self.blocks(F.hardswish(self.stem(x))).mean((2, 3)))


class ConvNeXtBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.dwconv, self.norm = nn.Conv2d(c, c, 3, padding=1, groups=c), nn.LayerNorm(c)
        self.pwconv1, self.act, self.pwconv2 = nn.Linear(c, 4 * c), nn.GELU(), nn.Linear(4 * c, c)
        self.gamma = nn.Parameter(0.1 * torch.ones(c))

    def forward(self, x):
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.gamma * self.pwconv2(self.act(self.pwconv1(y)))
        return x + y.permute(0, 3, 1, 2)


class ConvNeXt(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.stages = nn.Conv2d(3, 8, 4, 4), nn.Sequential(ConvNeXtBlock(8), ConvNeXtBlock(8))
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        return self.head(self.stages(self.stem(x)).mean((-2, -1)))


class Attention(nn.Module):
    def __init__(self, d, heads=2, causal=False):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv, self.proj, self.drop = nn.Linear(d, 3 * d), nn.Linear(d, d), nn.Dropout(0.1)

    def forward(self, x):
        B, T, D = x.shape
        q, k, v = self.qkv(x).reshape(B, T, 3, self.heads, D // self.heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) / math.sqrt(D // self.heads)
        if self.causal:
            scores = scores.masked_fill(torch.triu(torch.ones(T, T, dtype=torch.bool), 1), float("-inf"))
        y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(B, T, D)
        return self.drop(self.proj(y))


class NewGELU(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class TransformerMLP(nn.Module):
    def __init__(self, d, act):
        super().__init__()
        self.fc1, self.act, self.fc2, self.drop = nn.Linear(d, 2 * d), act, nn.Linear(2 * d, d), nn.Dropout(0.1)

    def forward(self, x):
        return self.drop(self.fc2(self.act(self.fc1(x))))


class Block(nn.Module):
    def __init__(self, d, act, causal=False):
        super().__init__()
        self.norm1, self.attn, self.norm2 = nn.LayerNorm(d), Attention(d, causal=causal), nn.LayerNorm(d)
        self.mlp = TransformerMLP(d, act)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 4, 4)
        self.cls, self.pos = nn.Parameter(torch.randn(1, 1, 8)), nn.Parameter(torch.randn(1, 17, 8))
        self.blocks, self.norm = nn.ModuleList([Block(8, nn.GELU()) for _ in range(2)]), nn.LayerNorm(8)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1) + self.pos
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


class SwinBlock(nn.Module):
    """Attention within windows of 2x2, shifted; [B, H, W, C]."""

    def __init__(self, d, shift):
        super().__init__()
        self.shift, self.norm1, self.attn, self.norm2 = shift, nn.LayerNorm(d), Attention(d), nn.LayerNorm(d)
        self.mlp = TransformerMLP(d, nn.GELU())

    def forward(self, x):
        B, H, W, C = x.shape
        y = torch.roll(self.norm1(x), (-self.shift, -self.shift), (1, 2))
        y = y.view(B, H // 2, 2, W // 2, 2, C).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, C)
        y = self.attn(y).view(B, H // 2, W // 2, 2, 2, C).permute(0, 1, 3, 2, 4, 5).reshape(B, H, W, C)
        x = x + torch.roll(y, (self.shift, self.shift), (1, 2))
        return x + self.mlp(self.norm2(x))


class Swin(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch, self.blocks = nn.Conv2d(3, 8, 4, 4), nn.Sequential(SwinBlock(8, 0), SwinBlock(8, 1))
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        return self.head(self.blocks(self.patch(x).permute(0, 2, 3, 1)).mean((1, 2)))


class MixerBlock(nn.Module):
    def __init__(self, tokens, d):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.tokens, self.channels = TransformerMLP(tokens, nn.GELU()), TransformerMLP(d, nn.GELU())

    def forward(self, x):
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.channels(self.norm2(x))


class Mixer(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch, self.blocks, self.head = nn.Conv2d(3, 8, 4, 4), nn.Sequential(MixerBlock(16, 8)), nn.Linear(8, 5)

    def forward(self, x):
        return self.head(self.blocks(self.patch(x).flatten(2).transpose(1, 2)).mean(1))


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.rnn, self.head = kind(4, 6, batch_first=True), nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


class PostNormLayer(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.attn, self.norm1 = nn.MultiheadAttention(d, 2, batch_first=True), nn.LayerNorm(d)
        self.norm2 = nn.LayerNorm(d)
        self.fc1, self.fc2 = nn.Linear(d, 2 * d), nn.Linear(2 * d, d)

    def forward(self, x):
        x = self.norm1(x + self.attn(x, x, x)[0])
        return self.norm2(x + self.fc2(F.gelu(self.fc1(x))))


class BERT(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions, self.norm = nn.Embedding(20, 8), nn.Embedding(7, 8), nn.LayerNorm(8)
        self.layer, self.pooler = nn.ModuleList([PostNormLayer(8) for _ in range(2)]), nn.Linear(8, 8)

    def forward(self, ids):
        x = self.norm(self.tokens(ids) + self.positions(torch.arange(ids.shape[1])))
        for layer in self.layer:
            x = layer(x)
        return {"last": x, "pooled": torch.tanh(self.pooler(x[:, 0]))}


class GPT2(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(20, 8), nn.Embedding(7, 8)
        self.h, self.ln_f = nn.ModuleList([Block(8, NewGELU(), causal=True) for _ in range(2)]), nn.LayerNorm(8)
        self.lm_head = nn.Linear(8, 20, bias=False)

    def forward(self, ids):
        x = self.wte(ids) + self.wpe(torch.arange(ids.shape[1]))
        for block in self.h:
            x = block(x)
        return self.lm_head(self.ln_f(x))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2 = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
        self.up, self.merge = nn.ConvTranspose2d(8, 4, 2, 2), nn.Conv2d(8, 4, 3, padding=1)
        self.out = nn.Conv2d(4, 1, 1)

    def forward(self, x):
        a = F.relu(self.down1(x))
        b = F.relu(self.down2(F.max_pool2d(a, 2)))
        return self.out(F.relu(self.merge(torch.cat([a, F.interpolate(self.up(b), a.shape[2:])], 1))))


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc, self.mu, self.logvar = nn.Linear(12, 8), nn.Linear(8, 3), nn.Linear(8, 3)
        self.dec, self.out = nn.Linear(3, 8), nn.Linear(8, 12)

    def forward(self, x):
        h = F.silu(self.enc(x))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return torch.sigmoid(self.out(torch.relu(self.dec(z)))), mu, logvar


class Siren(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers, self.last = nn.ModuleList([nn.Linear(2, 8), *[nn.Linear(8, 8) for _ in range(4)]]), nn.Linear(8, 1)

    def forward(self, x):
        for layer in self.layers:
            x = torch.sin(30 * layer(x))
        return self.last(x)


class Experts(nn.Module):
    """A mixture of experts with an early exit: experts see only some samples, the exit runs for some batches."""

    def __init__(self):
        super().__init__()
        self.stem, self.gate = nn.Linear(6, 8), nn.Linear(8, 3)
        self.experts = nn.ModuleList([nn.Sequential(nn.Linear(8, 8), nn.ReLU()) for _ in range(3)])
        self.exit = nn.Linear(8, 4)

    def forward(self, x):
        h = torch.tanh(self.stem(x))
        weight, chosen = torch.softmax(self.gate(h), -1).max(-1)
        out = torch.zeros_like(h)
        for k, expert in enumerate(self.experts):
            mine = chosen == k
            if mine.any():
                out[mine] = expert(h[mine]) * weight[mine, None]
        if weight.mean() > 0.99:
            return self.exit(h)
        return self.exit(h + out)


class PINN(nn.Module):
    """u(x) and its derivative, differentiated in the forward pass."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(1, 8), nn.Linear(8, 1)

    def forward(self, x):
        x = x.requires_grad_()
        u = self.b(torch.tanh(self.a(x)))
        (du,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        return torch.cat([u, du], 1)


def exported():
    model, x = mlp()
    return torch.export.export(model, (x,)).module(), x


def images(n=6, size=16, c=3):
    return torch.randn(n, c, size, size)


ZOO = {
    "MLP": mlp,
    "LeNet": lambda: (LeNet(), images(size=28, c=1)),
    "VGG": lambda: (VGG(), images()),
    "ResNet": lambda: (ResNet(), images()),
    "MobileNet": lambda: (MobileNet(), images()),
    "ConvNeXt": lambda: (ConvNeXt(), images()),
    "ViT": lambda: (ViT(), images()),
    "Swin": lambda: (Swin(), images()),
    "MLP-Mixer": lambda: (Mixer(), images()),
    "GRU": lambda: (Recurrent(nn.GRU), torch.randn(6, 5, 4)),
    "LSTM": lambda: (Recurrent(nn.LSTM), torch.randn(6, 5, 4)),
    "BERT": lambda: (BERT(), torch.randint(0, 20, (6, 7))),
    "GPT-2": lambda: (GPT2(), torch.randint(0, 20, (6, 7))),
    "U-Net": lambda: (UNet(), images(c=1)),
    "VAE": lambda: (VAE(), torch.randn(6, 12)),
    "SIREN": lambda: (Siren(), torch.randn(6, 2)),
    "experts": lambda: (Experts(), torch.randn(6, 6)),
    "PINN": lambda: (PINN(), torch.randn(6, 1)),
    ".pt2": exported,
}
