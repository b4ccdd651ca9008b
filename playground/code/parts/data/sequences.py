"""Sequences made by formulas."""

import math

import torch

generator = torch.Generator().manual_seed(seed(0, DATASET))


def even(n, low, high):
    """Draw even numbers between two ends, (n, 1)."""
    return low + (high - low) * torch.rand(n, 1, generator=generator)


if DATASET == "ecg":
    # P, Q, R, S, T: angle in the cycle of a beat, height over R's, width (McSharry et al. 2003)
    angles = (-math.pi / 3, -math.pi / 12, 0.0, math.pi / 12, math.pi / 2)
    widths = (0.25, 0.1, 0.1, 0.1, 0.4)
    heights = [a * w * w / (30 * 0.1**2) for a, w in zip((1.2, -5.0, 30.0, -7.5, 0.75), widths)]
    bad = max(3, round(RARE * ITEMS))
    labels = torch.where(torch.arange(ITEMS) < bad, 1 + torch.arange(ITEMS) % 3, 0)
    rate, phase = even(ITEMS, 0.9, 1.1), even(ITEMS, -0.35, 0.35)
    height = even(ITEMS, 0.9, 1.1)
    place = (torch.arange(LENGTH) / LENGTH - 0.5) * 3 * rate  # in beats
    early, missed, turned = ((labels == kind)[:, None] for kind in (1, 2, 3))
    waves = torch.zeros(ITEMS, LENGTH)
    for beat in range(-2, 3):
        angle = 2 * math.pi * (place - phase - beat)
        if beat == 0:  # an early one comes 0.3 beats before its time
            angle = angle + early * (2 * math.pi * 0.3)
        for i, (at, size, wide) in enumerate(zip(angles, heights, widths)):
            if beat == 0:
                silent, upside_down = missed | (early & (i == 0)), turned & (i == 4)
                sign = torch.where(silent, 0.0, torch.where(upside_down, -1.0, 1.0))
                size, wide = size * sign, wide * torch.where(early, 2.0, 1.0)
            waves += size * (-((angle - at) / wide).square() / 2).exp()
    waves = height * waves
elif DATASET == "sines":
    labels = torch.arange(ITEMS) % 4
    turns = torch.arange(LENGTH) / LENGTH * (labels[:, None] + 1)
    height, phase = even(ITEMS, 0.5, 1), even(ITEMS, 0, 1)
    waves = height * (2 * math.pi * (turns + phase)).sin()
else:
    labels = torch.arange(ITEMS) % 3
    height, periods, phase = even(ITEMS, 0.5, 1), even(ITEMS, 1, 4), even(ITEMS, 0, 1)
    rising = 2 * ((torch.arange(LENGTH) / LENGTH * periods + phase) % 1) - 1
    forms = torch.stack([rising, -rising, 2 * rising.abs() - 1])
    waves = height * forms[labels, torch.arange(ITEMS)]
waves = waves + JITTER * torch.randn(waves.shape, generator=generator)
items = waves[training(ITEMS, labels)][..., None]  # (n, LENGTH, 1)
