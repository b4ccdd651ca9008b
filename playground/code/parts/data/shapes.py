"""Shapes made on the fly."""

import math

import torch

taken = 0  # items drawn so far


def hashed(first, n):
    """Return five numbers in [0, 1) for each of n items: SplitMix64 of a counter."""

    def signed(constant):
        return constant - (1 << 64) if constant >> 63 else constant

    def shift(z, bits):
        return (z >> bits) & ((1 << (64 - bits)) - 1)

    item = torch.arange(first, first + n)
    z = (item * 5 + torch.arange(5)[:, None]) * signed(0x9E3779B97F4A7C15)
    z = z + seed(SEED, "shapes", "batch")
    z = (z ^ shift(z, 30)) * signed(0xBF58476D1CE4E5B9)
    z = (z ^ shift(z, 27)) * signed(0x94D049BB133111EB)
    return shift(z ^ shift(z, 31), 40).float() / 2**24


def batch(n):
    """Draw the next n images: a star or polygon each, its factors from a hash of its number."""
    global taken
    u = hashed(taken, n)
    taken += n
    points, sharpness = torch.tensor(list(STARS.values())).T
    kind = (u[0] * len(STARS)).long()
    points, sharpness = points[kind], sharpness[kind]
    size = LARGEST * (0.5 + 0.5 * u[1]) if GROW else torch.full_like(u[1], LARGEST)
    if TURN:
        angle = u[2] * (360 / points) * (points < 100)
    else:
        angle = torch.zeros_like(u[2])
    if MOVE:
        x, y = (28 / 2 - 1.5 - LARGEST) * (2 * u[3:] - 1)  # as far as it stays in the picture
    else:
        x = y = torch.zeros_like(u[3])
    line = torch.arange(28) - 27 / 2
    right, up = line - x[:, None, None], -line[:, None] - y[:, None, None]
    star = points[:, None, None], sharpness[:, None, None]
    pixels = (0.5 - distance(right, up, size[:, None, None], angle[:, None, None], *star)).clamp(
        0, 1
    )
    images = pixels[:, None]
    if JITTER:
        noise = torch.randn(images.shape, generator=data_rng)
        images = (images + JITTER * noise).clamp(0, 1)
    if LABELLED:
        return images, kind
    return images


def distance(right, up, size, angle, points, sharpness):
    """Return signed distances, negative inside, of places to stars around the origin."""
    half, edge = math.pi / points, math.pi / sharpness
    turned = torch.atan2(up, right) - (angle * (math.pi / 180) + math.pi / 2)
    folded = turned.remainder(2 * half) - half  # 0 in the middle of a sector
    radius = (right.square() + up.square()).sqrt()
    along = folded.cos() * radius - size * half.cos()  # from the corner
    across = folded.sin().abs() * radius - size * half.sin()
    way = (-(along * edge.cos() + across * edge.sin())).clamp(min=0)
    way = torch.minimum(way, size * half.sin() / edge.sin())
    along, across = along + way * edge.cos(), across + way * edge.sin()
    return (along.square() + across.square()).sqrt().copysign(along)
