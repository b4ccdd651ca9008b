"""Rows that carry more than an item."""

import torch
from torch import nn

# A row is an item's numbers and its tail: the class it is of, or the codes that it was made from.


def join(x, tail):
    """Return the rows of items and their tails."""
    return torch.cat([x.flatten(1), tail], 1)


def apart(rows):
    """Return the items and the tails of rows."""
    x, tail = rows.split_with_sizes([NUMBERS, TAIL], 1)
    return x.reshape(len(x), *SHAPE), tail


class Carrying(nn.Module):
    """A generator whose rows end with the last numbers of their code."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, z):  # (B, Z) -> (B, NUMBERS + TAIL)
        return torch.cat([self.net(z).flatten(1), z[:, -TAIL:]], 1)


def item_slope_penalty(critic, real, fake):
    """Return the penalty on D's slope in the items; each keeps its tail."""
    x, y = (rows.reshape(len(rows), PACKING, -1)[:, :, :NUMBERS] for rows in (real, fake))
    rows = fake if PENALTY == "r2" else real
    kept = rows.reshape(len(rows), PACKING, -1)[:, :, NUMBERS:].detach()
    return slope_penalty(lambda items: critic(torch.cat([items, kept], 2).flatten(1)), x, y)
