"""Players who are told the class."""

import torch
import torch.nn.functional as F
from torch import nn


class ClassJudge(nn.Module):
    """D on rows of PACKING images, each followed by its class, one-hot."""

    def __init__(self):
        super().__init__()
        if LABEL_WAY == "projection":  # the image's features times a vector for each class
            shape = (PACKING * SHAPE[0], *SHAPE[1:]) if PACKING > 1 else SHAPE
            self.net = discriminator(shape, 1 + PACKING * CLASSES)
        elif BODY == "dense":
            self.net = d_mlp([PACKING * (NUMBERS + CLASSES), *D_WIDTHS, 1])
        else:  # a plane for each class
            self.net = discriminator((PACKING * (SHAPE[0] + CLASSES), *SHAPE[1:]), 1)

    def forward(self, rows):  # (B, PACKING (NUMBERS + CLASSES)) -> (B, 1)
        if LABEL_WAY == "concatenation" and BODY == "dense":
            return self.net(rows)
        packed = rows.reshape(len(rows), PACKING, -1)
        x, labels = packed[:, :, :NUMBERS], packed[:, :, NUMBERS:]
        x = x.reshape(len(rows), PACKING, *SHAPE)
        if LABEL_WAY == "concatenation":
            planes = labels[..., None, None].expand(-1, -1, -1, *SHAPE[1:])
            return self.net(torch.cat([x, planes], 2).flatten(1, 2))
        out = self.net(x.flatten(1, 2))
        return out[:, :1] + (out[:, 1:] * labels.flatten(1)).sum(1, keepdim=True)


def networks():
    """Return G and D."""
    return Carrying(generator(NOISE_DIM + CLASSES)), ClassJudge()


def rows(n):
    """Return the next n real rows: images from -1 to 1, and their classes."""
    x, labels = batch(n)
    return join(2 * x - 1, F.one_hot(labels, CLASSES).float())


def codes(real, n):
    """Draw n codes that ask for the classes of real rows."""
    return torch.cat([noise(n), apart(real)[1][:n]], 1)


def sample_codes(n):
    """Draw n codes that ask for each class in turn."""
    return torch.cat([noise(n), F.one_hot(torch.arange(n) % CLASSES, CLASSES).float()], 1)
