"""A person's own images."""

from pathlib import Path

import numpy as np
import torch

with np.load(Path(__file__).parent / DATA) as file:
    brought = dict(file)
items = torch.from_numpy(brought["images"]).float().div(255)
if CLASSES:
    labels = torch.from_numpy(brought["labels"])
    train = training(len(items), labels)
    items = items[train]
    labels = labels[train]
else:
    items = items[training(len(items))]
