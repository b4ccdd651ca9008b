"""Where a data set without end is drawn."""

import torch

if DEVICE != "cpu":
    torch.set_default_device(DEVICE)
