"""Players one of whom reads the codes off a fake."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Reader(nn.Module):
    """D with a head that reads the codes off an item; the codes in a row are not looked at."""

    def __init__(self):
        super().__init__()
        shape = (PACKING * SHAPE[0], *SHAPE[1:]) if PACKING > 1 else SHAPE
        self.net = discriminator(shape, 1 + PACKING * (CATEGORIES + 2 * CONTINUOUS))

    def forward(self, rows):  # (B, PACKING (NUMBERS + TAIL)) -> (B, 1 + PACKING what it reads)
        items = rows.reshape(len(rows), PACKING, -1)[:, :, :NUMBERS]
        return self.net(items.reshape(len(rows), PACKING * SHAPE[0], *SHAPE[1:]))


def networks():
    """Return G and D."""
    return Carrying(generator(NOISE_DIM + TAIL)), Reader()


def rows(n):
    """Return the next n real rows; nobody knows their codes, and nobody asks."""
    x = 2 * batch(n) - 1 if KIND == "images" else batch(n)
    return join(x, torch.zeros(n, TAIL))


def sample_codes(n):
    """Draw noise, a category and some numbers from -1 to 1 for each of n fakes."""
    first = noise(n)
    choice = torch.randint(CATEGORIES, (n,), generator=noise_rng)
    numbers = torch.rand(n, CONTINUOUS, generator=noise_rng) * 2 - 1
    return torch.cat([first, F.one_hot(choice, CATEGORIES).float(), numbers], 1)


def codes(real, n):
    """Draw n codes; those of real rows are nobody's."""
    return sample_codes(n)


def information(outputs, fake):
    """Return minus the weighted bounds on what the fakes tell of their codes, and the bounds."""
    tail = fake.reshape(len(fake), PACKING, -1)[:, :, NUMBERS:]
    category, numbers = tail.split_with_sizes([CATEGORIES, CONTINUOUS], 2)
    read = outputs[:, 1:].reshape(len(outputs), PACKING, -1)
    logits, mean, spread = read.split_with_sizes([CATEGORIES, CONTINUOUS, CONTINUOUS], 2)
    of_category = (F.log_softmax(logits, 2) * category).sum(2).mean() + math.log(CATEGORIES)
    log_std = spread.clamp(min=math.log(0.25))  # finer reading is not paid for
    density = -0.5 * ((numbers - mean) / log_std.exp()).square()
    density = density - log_std - 0.5 * math.log(2 * math.pi)
    of_numbers = density.sum(2).mean() + CONTINUOUS * math.log(2)
    told = {"info/categorical": of_category, "info/continuous": of_numbers}
    return -(INFO_CATEGORY * of_category + INFO_CONTINUOUS * of_numbers), told
