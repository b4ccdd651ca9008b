"""What scripts of families that code are written from: which sources, and what these ask besides the settings."""

from __future__ import annotations

import math
from typing import Any

from playground import coders
from playground.coders import BodySettings
from playground.data.base import DataSet
from playground.families.base import Listing


def listing(c: BodySettings, data: DataSet, training: str, **own: Any) -> Listing:
    """Return the listing of a family of an encoder and a decoder; `training` is its part."""
    values: dict[str, Any] = {"WIDTHS": c.widths, "NUMBERS": math.prod(data.shape), "TIED": False}
    if c.body == "conv":
        values["STAGES"] = coders.stages(data.shape, c)
    if c.body == "recurrent":
        values["STEPS_OF_ITEM"], values["NUMBERS_A_STEP"] = coders.sequence(data.shape)
    return Listing({"networks": ("coders",), "training": (training,)}, values | own)
