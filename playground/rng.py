"""Random streams: one generator a purpose, so that watching, measuring or pausing a run changes no number of it."""

from __future__ import annotations

import hashlib

import torch


def derive(seed: int, *names: str | int) -> int:
    """Return a 63-bit seed for a named purpose; the same names give the same seed on every machine."""
    text = "/".join(str(n) for n in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def fresh(seed: int, *names: str | int, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a new generator for a purpose, such as ("score", step): stateless, so it leaves no trace in a run."""
    return torch.Generator(device).manual_seed(derive(seed, *names))


class Streams:
    """The generators of one run by purpose: `streams["noise"]`; made on first use, saved and restored as tensors."""

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        self.seed, self.device = seed, torch.device(device)
        self._made: dict[str, torch.Generator] = {}

    def __getitem__(self, name: str) -> torch.Generator:
        if name not in self._made:
            self._made[name] = fresh(self.seed, name, device=self.device)
        return self._made[name]

    def state(self) -> dict[str, torch.Tensor]:
        """Return each generator's state, uint8 tensors by name."""
        return {name: g.get_state() for name, g in sorted(self._made.items())}

    def load(self, state: dict[str, torch.Tensor]) -> None:
        """Set every stream to a saved state; streams not in it start afresh."""
        self._made = {}
        for name, saved in state.items():
            self[name].set_state(saved.cpu().to(torch.uint8))
