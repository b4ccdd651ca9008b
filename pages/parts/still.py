"""The still wall of the Reconstructions page: items beside what a model makes of them, column by column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from pages.parts.mounts import Action, component, nothing
from pages.parts.source import Source, blob, f32, pack
from playground.engine.wall import marks

_columns = component("columns", "coding.css")


def columns(
    source: Source,
    inputs: ArrayLike,
    recon: ArrayLike,
    *,
    corrupted: ArrayLike | None = None,
    pca: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    errors: ArrayLike | None = None,
    ids: Sequence[int] | None = None,
    key: str,
) -> Action | None:
    """Mount a still wall of n items, column by column: input, corrupted, reconstruction, PCA's, residual.

    `errors` (n,) stand under the reconstructions (the mean squared error where not given). Returns {"do": "point", "i":
    ids[column]} in the one run after a column was clicked.
    """
    arrays = {"inputs": pack(source, inputs), "recon": pack(source, recon)}
    for name, given in (("corrupted", corrupted), ("pca", pca)):
        if given is not None:
            arrays[name] = pack(source, given)
    if labels is not None:
        arrays["classes"] = marks(np.asarray(labels))
    if errors is not None:
        arrays["errors"] = f32(errors)
    about = {"ids": list(range(len(arrays["inputs"]))) if ids is None else [int(i) for i in ids]}
    return _columns(key=key, data=blob(source, arrays, about), on_action_change=nothing).action  # type: ignore[no-any-return]
