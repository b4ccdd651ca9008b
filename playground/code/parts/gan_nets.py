"""The networks of two players, dense or convolutional."""

import itertools
import math

import torch
import torch.nn.functional as F
from torch import nn

if ACTIVATION == "relu":
    bend = nn.ReLU()
elif ACTIVATION == "leaky-relu":
    bend = nn.LeakyReLU(0.2)
elif ACTIVATION == "tanh":
    bend = nn.Tanh()
elif ACTIVATION == "elu":
    bend = nn.ELU()
elif ACTIVATION == "gelu":
    bend = nn.GELU()
else:
    bend = nn.SiLU()


def first_values(layer, inputs):
    """Draw a layer's first weights; each of its outputs is a sum over so many inputs."""
    if INIT == "default":
        bound = INIT_GAIN / math.sqrt(inputs)
        for values in layer.parameters():
            nn.init.uniform_(values, -bound, bound, generator=init_rng)
    else:
        if BIASED:
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        else:
            nn.init.zeros_(layer.bias)
        if INIT == "xavier":
            nn.init.xavier_uniform_(layer.weight, INIT_GAIN, generator=init_rng)
        elif INIT == "kaiming":
            std = INIT_GAIN * math.sqrt(2 / inputs)
            nn.init.normal_(layer.weight, 0.0, std, generator=init_rng)
        elif INIT == "orthogonal":
            nn.init.orthogonal_(layer.weight, INIT_GAIN, generator=init_rng)
        else:
            std = INIT_GAIN * 0.02
            nn.init.normal_(layer.weight, 0.0, std, generator=init_rng)
    return layer


class SpectralNorm(nn.Module):
    """A layer that uses W / s(W), its weight over its largest singular value (power iteration)."""

    def __init__(self, layer):
        super().__init__()
        self.layer, self.track_running_stats = layer, False
        self.u = F.normalize(torch.randn(len(layer.weight), generator=init_rng), dim=0, eps=1e-12)
        for _ in range(30):
            self.iterate()

    @torch.no_grad()
    def iterate(self):
        weight = self.layer.weight.flatten(1)
        self.v = F.normalize(weight.mT @ self.u, dim=0, eps=1e-12)
        self.u = F.normalize(weight @ self.v, dim=0, eps=1e-12)

    def forward(self, x):
        if HALF:
            with torch.autocast(DEVICE, enabled=False):  # 8 bits are too few for this
                weight = self.normalised()
        else:
            weight = self.normalised()
        if BODY != "dense":
            if weight.dim() == 4:
                return F.conv2d(x, weight, self.layer.bias, self.layer.stride, self.layer.padding)
        return F.linear(x, weight, self.layer.bias)

    def normalised(self):
        if self.track_running_stats:
            self.iterate()
        weight = self.layer.weight
        return weight / torch.dot(self.u, weight.flatten(1) @ self.v)


class MinibatchDiscrimination(nn.Module):
    """Append 8 features: how near the batch's other rows are under a learned matrix T."""

    def __init__(self, inputs):
        super().__init__()
        self.width = inputs + 8
        self.T = nn.Parameter(torch.empty(inputs, 8 * 4))
        nn.init.normal_(self.T, 0.0, 1 / math.sqrt(inputs), generator=init_rng)

    def forward(self, h):  # (B, A) -> (B, A + 8)
        m = (h @ self.T).view(len(h), 8, 4).permute(2, 1, 0)  # (4, 8, B)
        others = m[:, :, :: math.ceil(len(h) / 64)]  # about 64 rows to compare with
        apart = sum((a[:, :, None] - b[:, None]).abs() for a, b in zip(m, others))  # (8, B, R)
        return torch.cat([h, apart.neg().exp().mean(2).T], 1)


class MinibatchStd(nn.Module):
    """Append one feature: the standard deviation over the batch, averaged over all features."""

    def __init__(self, inputs):
        super().__init__()
        self.width = inputs + 1

    def forward(self, h):  # (B, A) -> (B, A + 1)
        std = (h.var(0, unbiased=False) + 1e-8).sqrt().mean()
        return torch.cat([h, std.expand(len(h), 1)], 1)


def linear(inputs, outputs):
    """Return a fully connected layer with its first weights."""
    return first_values(nn.Linear(inputs, outputs), inputs)


def mlp(sizes):
    """Return linear layers of these sizes with a bend after each but the last."""
    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [linear(inputs, outputs), bend]
    return nn.Sequential(*layers[:-1])


def d_mlp(sizes):
    """Return linear layers of these sizes, and what D has besides."""
    if not SPECTRAL and MINIBATCH == "none":
        return mlp(sizes)
    *widths, last, outputs = sizes
    if MINIBATCH == "discrimination":
        seeing = MinibatchDiscrimination(last)
    elif MINIBATCH == "std":
        seeing = MinibatchStd(last)
    layers = []
    for before, after in itertools.pairwise([*widths, last]):
        layers += [SpectralNorm(linear(before, after)) if SPECTRAL else linear(before, after), bend]
    if MINIBATCH != "none":
        layers.append(seeing)
        last = seeing.width
    layers.append(SpectralNorm(linear(last, outputs)) if SPECTRAL else linear(last, outputs))
    return nn.Sequential(*layers)


def generator(codes):
    """Return G, from codes to items."""
    if BODY == "dense":
        if KIND == "points":
            return mlp([codes, *G_WIDTHS, *SHAPE])
        else:
            net = mlp([codes, *G_WIDTHS, math.prod(SHAPE)])
            return nn.Sequential(net, nn.Tanh(), nn.Unflatten(1, SHAPE))
    else:
        first = (G_MAPS[0], *SIDES[-1])
        start = nn.Linear(codes, math.prod(first), bias=G_NORM == "none")
        layers = [first_values(start, codes), nn.Unflatten(1, first)]
        if G_NORM == "batch":
            layers.append(nn.BatchNorm2d(G_MAPS[0]))
        layers.append(nn.ReLU())
        for before, after, size in zip(G_MAPS, G_MAPS[1:], SIDES[-2::-1]):
            last = size == SIDES[0]
            bias = last or G_NORM == "none"
            if BODY == "upsample":
                conv = nn.Conv2d(before, after, 3, padding=1, bias=bias)
                layers += [nn.Upsample(size), first_values(conv, before * 9)]
            else:
                odd = (size[0] % 2, size[1] % 2)
                conv = nn.ConvTranspose2d(before, after, 4, 2, 1, output_padding=odd, bias=bias)
                layers.append(first_values(conv, before * 4))  # a pixel meets 4 of the 16 weights
            if G_NORM == "batch" and not last:
                layers.append(nn.BatchNorm2d(after))
            layers.append(nn.Tanh() if last else nn.ReLU())
        return nn.Sequential(*layers)


def discriminator(shape, outputs):
    """Return D, from rows of this shape to scores."""
    if BODY == "dense":
        sizes = [math.prod(shape), *D_WIDTHS, outputs]
        if KIND != "points":
            if SPECTRAL or MINIBATCH != "none":
                return nn.Sequential(nn.Flatten(), d_mlp(sizes))
            return nn.Sequential(nn.Flatten(), mlp(sizes))
        elif SPECTRAL or MINIBATCH != "none":
            return d_mlp(sizes)
        else:
            return mlp(sizes)
    else:
        layers = []
        for i, (before, after) in enumerate(itertools.pairwise([shape[0], *D_MAPS])):
            conv = nn.Conv2d(before, after, 4, 2, 1, bias=i == 0 or D_NORM != "batch")
            first_values(conv, before * 16)
            layers.append(SpectralNorm(conv) if SPECTRAL else conv)
            if D_NORM == "batch" and i > 0:
                layers.append(nn.BatchNorm2d(after))
            if D_NORM == "layer" and i > 0:
                layers.append(nn.GroupNorm(1, after))
            layers.append(nn.LeakyReLU(0.2))
        layers.append(nn.Flatten())
        last = math.prod((D_MAPS[-1], *SIDES[-1]))
        if MINIBATCH != "none":
            if MINIBATCH == "discrimination":
                seeing = MinibatchDiscrimination(last)
            else:
                seeing = MinibatchStd(last)
            layers.append(seeing)
            last = seeing.width
        layers.append(SpectralNorm(linear(last, outputs)) if SPECTRAL else linear(last, outputs))
        return nn.Sequential(*layers)
