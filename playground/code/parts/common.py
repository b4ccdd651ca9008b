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


def split(items, labels=None):
    """Return four fifths of the items to train on, evenly over the classes, and their labels."""
    order = torch.randperm(len(items), generator=torch.Generator().manual_seed(seed(0, "split")))
    if CLASSES:
        order = order[labels[order].sort(stable=True).indices]
    train = order[torch.arange(len(order)) % 5 != 1].sort().values
    return items[train], labels[train] if LABELLED else None


init_rng = stream("init")
data_rng = stream("data")
noise_rng = stream("noise")
