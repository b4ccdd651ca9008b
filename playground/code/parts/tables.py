"""Batches of a data set that is a table: each item once an epoch."""

import itertools

import torch


def shuffled(length):
    """Count through all items for ever, each once an epoch, in an order of the epoch's own."""
    for epoch in itertools.count():
        yield from torch.randperm(length, generator=stream("epoch", epoch)).tolist()


if DEVICE != "cpu":
    torch.set_default_device(DEVICE)
    items = items.to(DEVICE)
    if LABELLED:
        labels = labels.to(DEVICE)
order = shuffled(len(items))


def batch(n):
    """Return the next n items."""
    which = list(itertools.islice(order, n))
    if LABELLED:
        return items[which], labels[which]
    return items[which]
