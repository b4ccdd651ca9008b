"""What every script has: the seeds of its random numbers."""

import hashlib

import torch

torch.set_num_threads(1)  # small nets lose more to waiting for threads than they win


def seed(*names):
    """Return the seed of a purpose, such as (SEED, "noise"): each has random numbers of its own."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def stream(*names):
    """Return the random generator of a purpose."""
    return torch.Generator(DEVICE).manual_seed(seed(SEED, *names))


def training(length, labels=None):
    """Return which items are trained on: four fifths, evenly over the classes."""
    order = torch.randperm(length, generator=torch.Generator().manual_seed(seed(0, "split")))
    if CLASSES:
        order = order[labels[order].sort(stable=True).indices]
    return order[torch.arange(length) % 5 != 1].sort().values


init_rng = stream("init")
data_rng = stream("data")
noise_rng = stream("noise")


def autocast():
    """Let layers compute in bfloat16."""
    return torch.autocast(DEVICE, torch.bfloat16)
