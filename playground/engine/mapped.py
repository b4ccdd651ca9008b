"""The newest frame in mapped memory: one process writes, others read it whole or not at all (a sequence lock).

Layout: lock (odd while it is written), number, length, checksum, frame. Latest wins: a slow reader skips.
"""

from __future__ import annotations

import mmap
import struct
import time
import zlib
from pathlib import Path

SIZE = 512 * 1024
HEAD = struct.Struct("<QQII")  # lock, number, length, CRC-32


class FrameWriter:
    """The one writer of a frame file."""

    def __init__(self, path: Path, number: int = 0) -> None:
        """Open or make the file, empty; the first frame's number is to be above `number`."""
        if not path.exists() or path.stat().st_size != SIZE:
            path.write_bytes(bytes(SIZE))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), SIZE)
        self._lock = HEAD.unpack_from(self._map)[0] // 2 * 2 + 2
        HEAD.pack_into(self._map, 0, self._lock, number, 0, 0)

    def write(self, number: int, frame: bytes) -> None:
        """Put a frame in place; raises `ValueError` where it does not fit."""
        if len(frame) > SIZE - HEAD.size:
            raise ValueError(f"A frame of {len(frame):,} bytes is too large: {SIZE - HEAD.size:,} is the most.")
        HEAD.pack_into(self._map, 0, self._lock + 1, number, len(frame), 0)
        self._map[HEAD.size : HEAD.size + len(frame)] = frame
        self._lock += 2
        HEAD.pack_into(self._map, 0, self._lock, number, len(frame), zlib.crc32(frame))

    def close(self) -> None:
        """Give the memory back."""
        self._map.close()


class FrameReader:
    """Any reader of a frame file."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), SIZE, access=mmap.ACCESS_READ)

    def read(self, newer_than: int = 0) -> tuple[int, bytes] | None:
        """Return the newest frame and its number, or None where none is newer than `newer_than`."""
        for _ in range(100):
            lock, number, length, checksum = HEAD.unpack_from(self._map)
            if lock % 2 == 0:
                if number <= newer_than or length == 0:
                    return None
                frame = self._map[HEAD.size : HEAD.size + length]
                if zlib.crc32(frame) == checksum:
                    return number, frame
            time.sleep(0.0002)
        return None

    def close(self) -> None:
        """Give the memory back."""
        self._map.close()
