"""What a person brought, kept in `<home>/data/<hash>.safetensors`: named by the hash of its content, never unpickled.

So a link or a saved run finds the same items again, the same items are kept once, and a file of others cannot pose as
them. One tensor and a few words about it make a file.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from playground.config import ConfigError
from playground.files import write_whole
from playground.home import home

HASH = re.compile(r"[0-9a-f]{16}")


def kept_file(source: str, what: str, first: str) -> Path:
    """Return where the items of that hash lie, there or not; raises `ConfigError` that ends with what to do `first`."""
    if not HASH.fullmatch(source):
        raise ConfigError(f"{source[:40]!r} names no saved {what}: {first}.")
    return home() / "data" / f"{source}.safetensors"


def keep(name: str, tensor: Tensor, about: dict[str, Any]) -> str:
    """Write a tensor under the hash of its content and return that, 16 hex digits; the same content, the same hash.

    Raises `ConfigError` where the disk takes no more.
    """
    words = json.dumps(about, sort_keys=True)
    rows = tensor.detach().cpu().contiguous()
    source = content_name(rows, words)
    path = home() / "data" / f"{source}.safetensors"
    if not path.exists():
        content = safetensors.torch.save({name: rows}, {"about": words})
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content)
        except OSError as error:
            said = f"The {name} cannot be kept in {path.parent}: {error.strerror}. Make room there, then try again."
            raise ConfigError(said) from None
    return source


def content_name(rows: Tensor, words: str) -> str:
    """Return the hash that names a tensor with words about it, 16 hex digits."""
    little = rows.numpy().astype(rows.numpy().dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(words.encode() + little.tobytes()).hexdigest()[:16]


def kept(path: Path, name: str, again: str) -> tuple[Tensor, dict[str, Any]]:
    """Read what `keep` wrote; raises `ConfigError` that ends with what to do `again`."""
    try:
        with safetensors.safe_open(path, "pt") as file:
            tensor, about = file.get_tensor(name), json.loads(file.metadata()["about"])
    except FileNotFoundError:
        raise ConfigError(f"The {name} {path.stem} are not on this machine: {again} again.") from None
    except (safetensors.SafetensorError, OSError, KeyError, TypeError, ValueError):
        raise damaged(path, name, again) from None
    return tensor, about


def damaged(path: Path, name: str, again: str) -> ConfigError:
    """Return the error of a file that does not hold what its kind should."""
    return ConfigError(f"The file of the {name} {path.stem} is damaged: {again} again.")
