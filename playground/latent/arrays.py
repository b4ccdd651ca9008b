"""Arrays from whatever holds numbers, so that the other modules take tensors and arrays alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from playground.config import ConfigError


def array(values: Any) -> np.ndarray:
    """Return numbers as a float32 array on the CPU."""
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, np.float32)


def codes_of(values: Any) -> np.ndarray:
    """Return codes as (n, Z) float32; raises `ConfigError` where they are not finite numbers in rows."""
    codes = array(values)
    if codes.ndim != 2 or not codes.size:
        raise ConfigError(f"Codes are rows of numbers, and these have the shape {codes.shape}.")
    if not np.isfinite(codes).all():
        raise ConfigError("Some codes are not finite numbers: look at a moment before training went wrong.")
    return codes
