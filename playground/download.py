"""Downloads: files known by their SHA-256, tried from mirror after mirror, gone on with where they broke off.

`pooch` decides whether a file is there already and checks its hash; what arrives is kept in `<file>.part` until whole.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pooch
import requests
import urllib3

from playground.config import ConfigError

TIMEOUT = 20.0  # seconds without a byte
CHUNK = 1 << 16

Progress = Callable[[str, int, int], None]  # file name, bytes done, bytes in all (0 where unknown)
_one_at_a_time = threading.Lock()


class Source(NamedTuple):
    """A file: its name, the addresses before it, and its hash."""

    name: str
    mirrors: tuple[str, ...]
    sha256: str


def download(source: Source, folder: Path, progress: Progress | None, failed: str) -> Path:
    """Return the file in `folder`, downloaded unless it is there whole; raises `ConfigError` that starts `failed`."""
    part = folder / f"{source.name}.part"
    causes: list[str] = []
    pooch.get_logger().setLevel("WARNING")
    with _one_at_a_time:
        for mirror in source.mirrors:
            try:
                path = pooch.retrieve(
                    mirror + source.name, f"sha256:{source.sha256}", source.name, folder,
                    downloader=_resuming(part, source.name, progress),
                )  # fmt: skip
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                causes.append(f"{_host(mirror)}: {_cause(error)}")
            except ValueError:  # what arrived is something else: start afresh elsewhere
                part.unlink(missing_ok=True)
                causes.append(f"{_host(mirror)}: not the file that is known by this name")
            except OSError as error:
                raise ConfigError(f"{failed}: {folder} cannot be written ({error.strerror}).") from None
            else:
                part.unlink(missing_ok=True)
                return Path(path)
    raise ConfigError(
        f"{failed} ({'; '.join(causes)}): check the connection and ask again, it goes on where it broke off, "
        "or set PLAYGROUND_DATA to a folder that holds the files."
    )


def _resuming(part: Path, name: str, progress: Progress | None) -> Callable[[str, Any, Any], None]:
    """Return what `pooch` calls to get a file: it adds what is missing to `part`, then copies it."""

    def get(url: str, output: Any, _: Any) -> None:
        have = part.stat().st_size if part.exists() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                part.unlink()  # longer than the file: it is no part of it
                return get(url, output, _)
            response.raise_for_status()
            going_on = response.status_code == requests.codes.partial_content
            done = have if going_on else 0
            length = int(response.headers.get("Content-Length", 0))
            with part.open("ab" if going_on else "wb") as file:
                for chunk in response.raw.stream(CHUNK, decode_content=False):
                    file.write(chunk)
                    done += len(chunk)
                    if progress is not None:
                        progress(name, done, length + (have if going_on else 0) if length else 0)
        shutil.copyfile(part, output)

    return get


def _host(mirror: str) -> str:
    return mirror.split("/")[2]


def _cause(error: requests.RequestException | urllib3.exceptions.HTTPError) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"answers {error.response.status_code}"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    return "no connection" if isinstance(error, requests.ConnectionError) else "broke off"
