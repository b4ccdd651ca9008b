"""Differentiable augmentation: D sees nothing but changed images, real and fake alike, so that it cannot learn few by
heart (Zhao et al. 2020, arXiv 2006.10738).

    translation   moved by up to an eighth of the side each way; what comes in is grey
    cutout        a square of half the side turned grey, its centre anywhere
    colour        brightness x + U(-½, ½), then (of RGB) saturation times U(0, 2), then contrast times U(½, 1½)

G learns through the same changes, so each must pass gradients on: T(x) is differentiable in x. Images are in [-1, 1],
and grey is 0. Each image is changed by itself. Watch D's scores: with few images they part later, or not at all.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Augment = Literal["none", "translation", "cutout", "colour"]

REACH = 1 / 8  # of the side
HOLE = 1 / 2  # of the side


def augment(x: Tensor, kind: str, generator: torch.Generator) -> Tensor:
    """Return images (n, C, H, W) changed by chance, by all of "colour", "cutout", "translation" from `kind` on.

    "none" draws nothing.
    """
    if kind == "none":
        return x
    if kind == "colour":
        x = tint(x, chance(x, 3, generator))
    x = translate(x, shifts(x, generator))
    return x if kind == "translation" else cut(x, chance(x, 2, generator))


def chance(x: Tensor, numbers: int, generator: torch.Generator) -> Tensor:
    """Draw so many numbers from U(0, 1) for each image, (n, numbers)."""
    return torch.rand(len(x), numbers, generator=generator, device=x.device)


def shifts(x: Tensor, generator: torch.Generator) -> Tensor:
    """Draw how many pixels down and right each image moves, whole numbers (n, 2)."""
    most = torch.tensor([int(side * REACH + 0.5) for side in x.shape[2:]], device=x.device)
    return (chance(x, 2, generator) * (2 * most + 1)).long() - most


def translate(x: Tensor, by: Tensor) -> Tensor:
    """Move each image (n, C, H, W) down and right by whole pixels (n, 2); grey follows."""
    n, _, high, wide = x.shape
    edge = max(int(high * REACH + 0.5), int(wide * REACH + 0.5))
    at = torch.arange(max(high, wide), device=x.device) + edge
    rows, columns = at[:high] - by[:, :1], at[:wide] - by[:, 1:]  # (n, H), (n, W): where each pixel comes from
    image = torch.arange(n, device=x.device)[:, None, None]
    padded = F.pad(x, [edge] * 4).movedim(1, -1)
    return padded[image, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


def cut(x: Tensor, where: Tensor) -> Tensor:
    """Turn a square of each image (n, C, H, W) grey; `where` (n, 2) in [0, 1) is its centre over the sides."""
    masks: list[Tensor] = []
    for side, centre in zip(x.shape[2:], where.T, strict=True):
        hole = int(side * HOLE + 0.5)
        first = (centre * side).floor() - hole // 2
        off = torch.arange(side, device=x.device) - first[:, None]
        masks.append((off >= 0) & (off < hole))  # (n, side)
    hole_at = masks[0][:, None, :, None] & masks[1][:, None, None, :]
    return x.masked_fill(hole_at, 0.0)


def tint(x: Tensor, by: Tensor) -> Tensor:
    """Change brightness, saturation and contrast of images (n, C, H, W) by numbers (n, 3) in [0, 1); ½ changes none."""
    bright, vivid, sharp = by.T[:, :, None, None, None]
    x = x + bright - 0.5
    if x.shape[1] == 3:
        grey = x.mean(1, keepdim=True)
        x = grey + (x - grey) * 2 * vivid
    middle = x.mean((1, 2, 3), keepdim=True)
    tinted: Tensor = middle + (x - middle) * (sharp + 0.5)
    return tinted
