"""Frames of a model that codes: the wall of items and reconstructions, the moving map of codes, a look inside.

The items and all noise on them are fixed, so that what moves is the model. The columns of the wall show every class in
turn. What the encoder sees there is what it sees in training: with corruption on, `recon` and `pca` start from the
corrupted item, and their errors are against the clean one. `docs/contracts.md` has the layers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.config import ConfigError
from playground.diagnostics.coding import never_and_always
from playground.engine.frames import VERSION, encode, rounded, to_i16
from playground.engine.items import packed, pixels, shrunk, signed
from playground.engine.loop import Loop
from playground.latent.baseline import baseline
from playground.latent.moving import MovingMap
from playground.rng import fresh
from playground.variational import kl_normal

COLUMNS, POINTS = 10, 400  # items side by side; of a cloud, points in one picture
MAPPED, NUMBERS = 1000, 4_000_000  # items on the map, and how many numbers they may have together
SAMPLES, FILTERS = 20, 36
BYTES = 32 * 1024  # of a frame for its samples, and as much for its filters
INSIDE = 128  # items whose way through the network is watched
BINS, BINNED = 24, 200_000  # of a histogram, and how many outputs of a wide layer are enough for it
SLICES = 8  # where all codes in each frame would make frames rare, each has so many of them anew
ROWS = frozenset(["inputs", "corrupted", "recon", "pca", "residual"])


class Wall:
    """Makes frames of one loop whose family encodes and decodes."""

    layers = ("inputs", "corrupted", "recon", "pca", "residual", "samples", "codes", "classes", "filters", "acts")

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self._for: Any = None
        self._refresh()

    def _refresh(self) -> None:
        """Choose the items anew where the data's settings have changed."""
        loop = self.loop
        if loop.data == self._for:
            return
        mapped = min(MAPPED, max(COLUMNS, NUMBERS // math.prod(loop.data.shape)))
        held = loop.data.held_out(mapped, loop.experiment.seed, loop.device)
        n = COLUMNS if loop.data.kind in ("images", "sequences") else POINTS
        columns = every_class(held.labels, len(held.x), n)
        self.mapped, self.x = held.x, held.x[columns]
        self.labels = np.full(len(held.x), -1) if held.labels is None else held.labels.cpu().numpy()
        self.names = [self._name(i) for i in columns.tolist()]
        self._for = loop.data
        self._layers: dict[str, np.ndarray] = {"classes": marks(self.labels)}
        self._about: dict[str, Any] = {"columns": [], "map": None, "acts": [], "kl": None}
        self._codes = np.zeros((0, 0), np.float32)
        self._map, self._map_at = MovingMap(), -1

    def _name(self, i: int) -> str | None:
        """Return the class of the i-th item of the map in words."""
        label, names = int(self.labels[i]), self.loop.data.classes
        return None if label < 0 else names[label] if label < len(names) else str(label)

    def frame(self, layers: frozenset[str], about: dict[str, Any], turn: int | None = None) -> bytes:
        """Return a frame with these layers, as far as the model has them; `about` joins the description.

        With a `turn` a slice of the codes is made anew, and the look inside only now and then.
        """
        self._refresh()
        if layers & ROWS:
            self._draw_rows("pca" in layers)
        if "codes" in layers:
            self._draw_codes(turn)
        if "samples" in layers and "generate" in self.loop.family.abilities:
            self._draw_samples()
        if "filters" in layers:
            self._draw_filters()
        if "acts" in layers and (turn is None or turn % SLICES == 0 or "acts" not in self._layers):
            self._draw_inside()
        shown = {name: array for name, array in self._layers.items() if name in layers}
        data = self.loop.data
        here = {"v": VERSION, "layers": sorted(shown), "kind": data.kind, "shape": data.shape}
        here |= {"classes": data.classes, "map_extent": self._map.extent, **self._about}
        return encode(shown, here | about)

    # -- layers -------------------------------------------------------------------------------------------------------

    def _pack(self, items: Tensor) -> np.ndarray:
        return packed(shrunk(items, self.loop.data.kind), self.loop.data.kind)

    def _draw_rows(self, with_pca: bool) -> None:
        """Make the rows of the wall, and tell each column's class and error."""
        loop, x, layers = self.loop, self.x, self._layers
        noise = fresh(loop.experiment.seed, "wall", "corruption", device=loop.device)
        noisy = loop.family.corrupt(x, noise)
        codes = loop.family.encode(noisy)
        recon = loop.family.decode(codes)
        layers["inputs"], layers["recon"] = self._pack(x), self._pack(recon)
        layers["residual"] = signed(shrunk(recon - x, loop.data.kind), loop.data.kind)
        layers.pop("corrupted", None)
        if not torch.equal(noisy, x):
            layers["corrupted"] = self._pack(noisy)
        errors, by_pca = errors_of(recon, x), [None] * len(x)
        if with_pca:
            flat = baseline(loop.data, codes.shape[1], loop.device)
            rebuilt = flat.decode(flat.encode(noisy))
            layers["pca"], by_pca = self._pack(rebuilt), errors_of(rebuilt, x)
        cells = zip(self.names, errors, by_pca, strict=True)
        shown = COLUMNS if loop.data.kind in ("images", "sequences") else 0
        self._about["columns"] = [{"class": name, "error": e, "pca": p} for name, e, p in cells][:shown]

    def _draw_codes(self, turn: int | None) -> None:
        """Make the map; in turns, with a slice of the codes anew and the others as they were."""
        family, at = self.loop.family, self.loop.step
        n = len(self.mapped)
        if turn is None or not len(self._codes):
            self._codes = family.encode(self.mapped).float().cpu().numpy()
        else:
            here = slice(turn % SLICES * n // SLICES, (turn % SLICES + 1) * n // SLICES)
            self._codes[here] = family.encode(self.mapped[here]).float().cpu().numpy()
        found = self._map.look(np.nan_to_num(self._codes, posinf=0, neginf=0), anew=at < self._map_at)
        self._map_at = at
        dim = self._codes.shape[1]
        self._layers["codes"] = to_i16(found.points, self._map.extent)
        self._about["map"] = {"dim": dim, "projection": "raw" if dim <= 2 else "pca", "explained": found.explained}

    def _draw_samples(self) -> None:
        """Decode the same draws from the prior."""
        loop = self.loop
        room = BYTES // self._pack(self.x[:1]).nbytes
        z = loop.family.noise(max(4, min(SAMPLES, room)), fresh(loop.experiment.seed, "wall", device=loop.device))
        self._layers["samples"] = self._pack(loop.family.generate(z))

    def _draw_filters(self) -> None:
        """Draw what the first units look for, each scaled to its largest weight."""
        weights = self.loop.family.filters()
        if weights is None or weights.dim() != 4 or weights.shape[1] not in (1, 3):
            return
        seen = shrunk(weights.float(), "images")
        seen = seen[: max(1, min(FILTERS, BYTES // seen[0].numel()))]
        largest = seen.abs().flatten(1).amax(1).clamp_min(1e-12)[:, None, None, None]
        self._layers["filters"] = pixels(128 + 127 * seen / largest)

    def _draw_inside(self) -> None:
        """Count what each hidden layer puts out, and how far each coding's distribution is from the prior."""
        family, x = self.loop.family, self.mapped[:INSIDE]
        found = [histogram(name, h.float()) for name, h in family.activations(x).items()]
        if found:
            self._layers["acts"] = np.stack([shares for _, shares in found])
        self._about["acts"] = [about for about, _ in found]
        std = family.spread(x)
        if std is not None:
            self._about["kl"] = rounded(kl_normal(family.encode(x), 2 * std.clamp_min(1e-12).log()).mean(0))

    # -- what is behind one thing -------------------------------------------------------------------------------------

    def pick(self, i: int) -> dict[str, Any]:
        """Return the i-th item of the map: its class, code, picture and reconstruction."""
        self._refresh()
        if not 0 <= i < len(self.mapped):
            raise ConfigError(f"There is no point {i}: the map shows points 0 to {len(self.mapped) - 1}.")
        x, family = self.mapped[i : i + 1], self.loop.family
        code = family.encode(x)
        shown = {"x": self._tell(x), "recon": self._tell(family.decode(code))}
        return {"i": i, "class": self._name(i), "code": rounded(code[0]), **shown}

    def decode(self, at: list[float] | None = None, code: list[float] | None = None) -> dict[str, Any]:
        """Return the code at a place of the map, or this code, with the item that the decoder makes of it."""
        self._refresh()
        if (at is None) == (code is None):
            raise ConfigError('decode takes either "at": a place [x, y] on the map, or "code": a code.')
        if self._map.map is None:
            self._draw_codes(None)
        assert self._map.map is not None
        size = self._codes.shape[1]
        given = np.asarray(at if code is None else code, np.float32)
        wanted = 2 if code is None else size
        if given.shape != (wanted,) or not np.isfinite(given).all():
            raise ConfigError(f"{'A place' if code is None else 'A code'} is {wanted} finite numbers here.")
        z = self._map.map.code(given[None]) if code is None else given[None]
        item = self.loop.family.decode(torch.from_numpy(z).to(self.loop.device))
        return {"code": rounded(torch.from_numpy(z[0])), "x": self._tell(item)}

    def _tell(self, item: Tensor) -> Any:
        """Return one item (1, *shape) as nested lists."""
        kind = self.loop.data.kind
        return packed(item, kind)[0].tolist() if kind == "images" else rounded(item[0])


def every_class(labels: Tensor | None, n: int, wanted: int) -> Tensor:
    """Return which of n items show every class in turn: the first of each, then the second of each (wanted,)."""
    if labels is None:
        return torch.arange(min(n, wanted))
    labels = labels.cpu()
    place = torch.zeros_like(labels)
    for label in set(labels.tolist()):
        mine = labels == label
        place[mine] = torch.arange(int(mine.sum()))
    return (place * (int(labels.max()) + 1) + labels).argsort(stable=True)[:wanted]


def marks(labels: np.ndarray) -> np.ndarray:
    """Return labels as u8, 255 where there is none."""
    return np.where((labels < 0) | (labels > 254), 255, labels).astype(np.uint8)


def errors_of(recon: Tensor, x: Tensor) -> list[Any]:
    """Return each item's mean squared error a number (n,)."""
    errors: list[Any] = rounded((recon - x).square().flatten(1).mean(1))
    return errors


def histogram(name: str, h: Tensor) -> tuple[dict[str, Any], np.ndarray]:
    """Return what is said of a layer's outputs (n, units), and the shares of them in bins from lowest to highest."""
    h = h.nan_to_num()
    never, always = never_and_always(h)
    some = h[: max(1, BINNED // h.shape[1])].cpu()
    low, high = float(some.min()), float(some.max())
    counts = torch.histc(some, BINS, low, high if high > low else low + 1)
    told = {"dead": float(never.float().mean()), "always": float(always.float().mean()), "low": low, "high": high}
    return {"name": name, "units": h.shape[1], **told}, (counts / some.numel()).numpy().astype(np.float32)
