"""Digits from fonts."""

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

with np.load(Path(__file__).parent / DATA) as file:
    drawn = dict(file)
glyphs = torch.from_numpy(drawn["glyphs"]).float() / 255


def draw(digits, chunk):
    """Draw digits (n,) in random fonts, each through a random affine map."""
    generator = torch.Generator().manual_seed(seed(0, "font-digits", chunk))
    font = torch.randint(len(glyphs), digits.shape, generator=generator)
    chance = WOBBLE * (2 * torch.rand(6, len(digits), generator=generator) - 1)
    turn, slant, wide, high, right, down = chance
    turn, slant = turn * math.radians(30), (slant * math.radians(30)).tan()
    across, up = 1.25**wide * 28 / 20, 1.25**high * 28 / 20
    cos, sin = turn.cos(), turn.sin()
    row1 = torch.stack([across * (cos + slant * sin), across * (slant * cos - sin)], 1)
    row2 = torch.stack([up * sin, up * cos], 1)
    linear = torch.stack([row1, row2], 1)
    place = torch.stack([right, down], 1) * 0.2
    maps = torch.cat([linear, -(linear @ place[..., None])], 2)
    grid = F.affine_grid(maps, [len(digits), 1, 28, 28], align_corners=False)
    return F.grid_sample(glyphs[font, digits][:, None], grid, align_corners=False).clamp(0, 1)


labels = torch.arange(ITEMS) % 10
items = torch.cat([draw(part, i) for i, part in enumerate(torch.split(labels, 1000))])
train = training(len(items), labels)
items = items[train]
labels = labels[train]
