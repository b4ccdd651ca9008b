"""Frames of an image generator: the wall of samples at codes that stay the same through all of training, and D's view.

The codes come from a stream of their own, so that what moves on the wall is the generator. Where a part of z is a
category each row of the wall shows one, in turn. D is told as a person reads it: probability of real, or critic value.
`docs/contracts.md` has the layers.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.config import ConfigError
from playground.diagnostics import features
from playground.engine.frames import VERSION, encode, rounded
from playground.engine.items import packed, shrunk
from playground.engine.loop import Loop
from playground.families.base import Code, Family
from playground.rng import fresh

ROWS, MOST_ROWS, COLUMNS = 8, 10, 8
DEAR = 0.015  # seconds: a wall that costs more is made anew a slice a frame while frames take turns
SLICES = 16  # at most


class Samples:
    """Makes frames of one loop whose family generates images and scores them."""

    layers = ("fake", "real", "scores")

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self._for: Any = None
        self._cost = 0.0
        self._refresh()

    def _refresh(self) -> None:
        """Choose codes and real items anew where the data's settings have changed."""
        loop = self.loop
        if loop.data == self._for:
            return
        self._for, family, seed = loop.data, loop.family, loop.experiment.seed
        self.code = rowwise(family.codes())
        self.classes = classes_in_rows(self.code)
        self.rows = len(self.classes) // COLUMNS
        self.z = wall_codes(family, seed, loop.device)
        held = loop.data.held_out(len(self.z), seed, loop.device).x
        self.real = held[torch.arange(len(self.z), device=loop.device) % len(held)]  # few: again from the first on
        self._layers: dict[str, np.ndarray] = {}
        self._labels: np.ndarray | None = None

    def frame(self, layers: frozenset[str], about: dict[str, Any], turn: int | None = None) -> bytes:
        """Return a frame with these layers; `about` joins the description.

        With a `turn` a wall that is dear to make is made anew a slice at a time.
        """
        self._refresh()
        whole = turn is None or not self._drawn(layers)
        slices = 1 if whole else min(SLICES, int(self._cost / DEAR) + 1)
        began = time.process_time()
        n = len(self.z)
        at = 0 if turn is None else turn % slices
        here = slice(at * n // slices, (at + 1) * n // slices)
        if layers & {"fake", "scores"}:
            self._draw(here, scored="scores" in layers)
        if "real" not in self._layers:
            self._layers["real"] = self._pack(self.real)
        if whole:
            self._cost = time.process_time() - began
        shown = {name: array for name, array in self._layers.items() if name in layers}
        return encode(shown, self._describe(sorted(shown), about) | about)

    def _drawn(self, layers: frozenset[str]) -> bool:
        """Say whether all that these layers need was drawn before, so that a part of it may be made anew."""
        there = {"fake", *layers} & set(self.layers) <= self._layers.keys()
        return there and (self._labels is not None or self._space() is None)

    def _draw(self, here: slice, scored: bool) -> None:
        """Make these samples anew, and what is said of them: D's scores, beside those of real items, and classes."""
        fake = self.loop.family.generate(self.z[here])
        made, n = self._pack(fake), len(self.z)
        if "fake" not in self._layers:
            self._layers["fake"] = np.zeros((n, *made.shape[1:]), np.uint8)
        self._layers["fake"][here] = made
        if scored:
            self._layers.setdefault("scores", np.zeros((2, n), np.float32))
            self._layers["scores"][:, here] = self._score(fake), self._score(self.real[here])
        if (space := self._space()) is not None:
            self._labels = np.zeros(n, np.int64) if self._labels is None else self._labels
            self._labels[here] = space.classify(fake).argmax(1).cpu().numpy()

    def _space(self) -> features.Features | None:
        """Return the app's own classifier of this data, where it was trained already."""
        data = self.loop.data
        if len(data.classes) < 2 or not features.ready(data):
            return None
        return features.features(data, self.loop.device)

    def _describe(self, shown: list[str], about: dict[str, Any]) -> dict[str, Any]:
        data, family = self.loop.data, self.loop.family
        return {
            "v": VERSION, "layers": shown, "kind": data.kind, "shape": data.shape, "classes": data.classes,
            "critic": self.critic, "rows": self.rows, "row_names": self._row_names(), "labels": self._labels,
            "codes": [told(code) for code in family.codes()],
            "counts": counts(about.get("scores") or {}, features.shares(data)),
        }  # fmt: skip

    @property
    def critic(self) -> bool:
        """Whether D's output is a free score rather than a probability."""
        return bool(getattr(self.loop.family, "critic", False))

    def _row_names(self) -> list[str] | None:
        """Return what each row of the wall shows, where rows show a category."""
        if self.code is None:
            return None
        return [choice(self.code, int(c)) for c in self.classes[:: len(self.classes) // self.rows]]

    def _score(self, x: Tensor) -> np.ndarray:
        """Return D of items as a person reads it (n,)."""
        d = self.loop.family.discriminate(x).float().reshape(-1)
        read = d if self.critic else torch.sigmoid(d)
        return np.asarray(read.nan_to_num().cpu().numpy(), np.float32)

    def _pack(self, items: Tensor) -> np.ndarray:
        return packed(shrunk(items, "images"), "images")

    # -- what is behind one thing -------------------------------------------------------------------------------------

    def pick(self, i: int) -> dict[str, Any]:
        """Return the i-th sample of the wall: its code, its picture in full size, D of it and its class."""
        self._refresh()
        if not 0 <= i < len(self.z):
            raise ConfigError(f"There is no sample {i}: the wall shows samples 0 to {len(self.z) - 1}.")
        return {"i": i, "z": rounded(self.z[i]), "class": self._class(i), **self._made(self.z[i : i + 1])}

    def _class(self, i: int) -> str | None:
        """Return the class that a sample was asked for in, else the one it looks like."""
        if self.code is not None and self.code.given:
            return choice(self.code, int(self.classes[i]))
        return None if self._labels is None else self.loop.data.classes[int(self._labels[i])]

    def decode(self, at: list[float] | None = None, code: list[float] | None = None) -> dict[str, Any]:
        """Return the sample that G makes of a code, and D of it."""
        self._refresh()
        size = self.z.shape[1]
        given = np.asarray([] if code is None else code, np.float32)
        if at is not None or given.shape != (size,) or not np.isfinite(given).all():
            raise ConfigError(f'decode takes "code": {size} finite numbers, the z of a sample; this model has no map.')
        return {"code": rounded(torch.from_numpy(given)), **self._made(torch.from_numpy(given[None]))}

    def _made(self, z: Tensor) -> dict[str, Any]:
        item = self.loop.family.generate(z.to(self.loop.device))
        return {"x": packed(item, "images")[0].tolist(), "d": rounded(torch.from_numpy(self._score(item)))[0]}


def wall_codes(family: Family, seed: int, device: torch.device | str = "cpu") -> Tensor:
    """Return the codes (n, Z) of a run's wall, which its seed decides."""
    code = rowwise(family.codes())
    classes = classes_in_rows(code)
    z = family.noise(len(classes), fresh(seed, "wall", device=device))
    return z if code is None else with_category(z, code, classes)


def rowwise(codes: list[Code]) -> Code | None:
    """Return the category that rows of the wall show: one that labels gave, else the first that the model found."""
    categories = [code for code in codes if code.kind == "category"]
    return next((code for code in categories if code.given), categories[0] if categories else None)


def classes_in_rows(code: Code | None) -> np.ndarray:
    """Return the class of each sample of the wall, row by row: each row one class, in turn, and all 0 without any.

    With more classes than rows, the columns go on through them.
    """
    if code is None:
        return np.zeros(ROWS * COLUMNS, np.int64)
    rows = min(max(code.size, ROWS), MOST_ROWS)
    row, column = np.divmod(np.arange(rows * COLUMNS), COLUMNS)
    return (row if code.size <= MOST_ROWS else row + rows * column) % code.size


def with_category(z: Tensor, code: Code, classes: np.ndarray) -> Tensor:
    """Return codes (n, Z) with these categories (n,), one-hot."""
    z = z.clone()
    z[:, code.start : code.start + code.size] = 0
    z[torch.arange(len(z)), code.start + torch.from_numpy(classes)] = 1
    return z


def choice(code: Code, i: int) -> str:
    """Return the name of a category's i-th choice; what a person reads counts from 1."""
    return code.choices[i] if i < len(code.choices) else f"{code.name} {i + 1}"


def told(code: Code) -> dict[str, Any]:
    """Return a code as plain data."""
    names = ("name", "kind", "start", "size", "choices", "given")
    return {name: getattr(code, name) for name in names}


def counts(scores: dict[str, float], shares: Sequence[float]) -> dict[str, list[float]] | None:
    """Return the classes' shares among the fakes, as last scored, and in the data; None where there are none."""
    fake = [scores.get(f"class/{i}") for i in range(len(shares))]
    if not fake or None in fake:
        return None
    return {"fake": [float(s) for s in fake if s is not None], "data": [round(s, 4) for s in shares]}
