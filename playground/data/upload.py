"""A person's own points: read from a CSV file or a drawing, scaled into view, kept on disk under their content's hash.

A file is a table with two or more columns of numbers, with or without a header, its cells parted by commas, semicolons
(then 1,5 may mean one and a half), tabs or spaces. Points are moved and scaled into [-2, 2]^2 by one map
(x - centre) / scale, the same scale for both axes so that shapes stay. Whatever is wrong with a file is said in one
sentence that names the row, counted as an editor or a spreadsheet counts it: the first line is row 1.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath
from typing import NoReturn

import numpy as np
import torch
from torch import Tensor

from playground.config import ConfigError

ID = "custom"  # the data set that holds such points

MAX_ROWS = 1_000_000
MAX_BYTES = 200_000_000
MAX_DRAWN = 100_000
MIN_DRAWN = 10
HALF = 2.0  # half the side of the square that points are scaled into
PROBE = 200  # rows that decide which columns hold numbers

MAGIC = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"PK\x03\x04": "a zip archive or Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel or Office file",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF document",
    b"PAR1": "a Parquet file",
    b"\x93NUMPY": "a NumPy file",
    b"\x89HDF": "an HDF5 file",
    b"SQLite": "an SQLite database",
    **{bytes([0x80, protocol]): "a Python pickle" for protocol in (2, 3, 4, 5)},
}


@dataclass(frozen=True)
class Points:
    """Points (n, 2), float32, scaled into view; x * scale + centre gives back the original units of `names`."""

    points: Tensor
    names: tuple[str, str]
    centre: tuple[float, float]
    scale: float
    source: str

    def original(self, x: Tensor) -> Tensor:
        """Return points (n, 2) of the view in original units, float64."""
        return x.double().cpu() * self.scale + torch.tensor(self.centre, dtype=torch.float64)


def read_points(data: bytes, filename: str, columns: tuple[str, str] | None = None) -> Points:
    """Read two columns of a CSV file, the first two of numbers unless named; raises `ConfigError` in one sentence."""
    table = Sheet(data, filename)
    first, second = table.choose(columns)
    return _scaled(table.read(first, second), (table.header[first], table.header[second]), table.name)


def numeric_columns(data: bytes, filename: str) -> list[str]:
    """Return the names of the columns that hold numbers, for a choice of two; raises `ConfigError` in one sentence."""
    table = Sheet(data, filename)
    table.choose(None)
    return [table.header[i] for i in table.numeric()]


def from_drawing(strokes: Sequence[Sequence[float]]) -> Points:
    """Take points [x, y] in [-1, 1] drawn by hand, at most 100,000 of them; raises `ConfigError` in one sentence."""
    try:
        drawn = np.asarray(strokes, dtype=np.float64)
    except (TypeError, ValueError):
        drawn = np.empty((0, 0))
    if len(strokes) < MIN_DRAWN:
        raise ConfigError(f"The drawing has {len(strokes)} points: draw at least {MIN_DRAWN}.")
    if drawn.ndim != 2 or drawn.shape[1] != 2 or not np.isfinite(drawn).all():
        raise ConfigError("The drawing is not a list of points [x, y]: clear it and draw again.")
    if (drawn == drawn[0]).all():
        raise ConfigError("All drawn points lie on one spot: draw a line or several spots.")
    kept = drawn[np.linspace(0, len(drawn) - 1, min(len(drawn), MAX_DRAWN)).astype(int)]
    points = torch.from_numpy(kept.clip(-1, 1) * HALF).float()
    return Points(points, ("x", "y"), (0.0, 0.0), 1 / HALF, "drawing")


def short(text: str, most: int = 60) -> str:
    clean = "".join(c if c.isprintable() else "?" for c in text)
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def _scaled(raw: np.ndarray, names: tuple[str, str], source: str) -> Points:
    low, high = raw.min(0), raw.max(0)
    centre, half = low / 2 + high / 2, float((high / 2 - low / 2).max())
    if half == 0:
        raise ConfigError(f"All rows of {source} hold the same point: at least two different ones are needed.")
    scale = half / HALF
    return Points(
        torch.from_numpy((raw - centre) / scale).float(), names, (float(centre[0]), float(centre[1])), scale, source
    )


def _check(data: bytes, name: str) -> None:
    """Raise `ConfigError` for what can be seen without parsing: kind, size and encoding of a file."""
    for magic, kind in MAGIC.items():
        if data.startswith(magic):
            raise ConfigError(f"{name} is {kind}, not a text table: save the numbers as CSV.")
    head = data[:4096]
    ends = max(head[0::2].count(0), head[1::2].count(0))
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or (len(head) > 3 and ends >= len(head) // 2):
        raise ConfigError(f"{name} is UTF-16 or UTF-32 text: save it as UTF-8.")
    if b"\0" in data or any(byte < 32 and byte not in b"\t\n\v\f\r\x1a" for byte in head):
        raise ConfigError(f"{name} is a binary file, not a text table: save the numbers as CSV.")
    rows = data.count(b"\n") or data.count(b"\r")
    if rows > MAX_ROWS + 1:  # a header and the last line's end are no rows of numbers
        raise ConfigError(f"{name} has about {rows:,} rows: at most {MAX_ROWS:,} are read, so take a sample of them.")
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{name} has {len(data) / 1e6:.0f} MB: at most {MAX_BYTES / 1e6:.0f} MB are read.")
    if not data.removeprefix(codecs.BOM_UTF8).strip():
        raise ConfigError(f"{name} is empty: it needs rows of two or more columns of numbers.")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        row, byte = data.count(b"\n", 0, error.start) + 1, data[error.start]
        raise ConfigError(
            f"Row {row} of {name} is not UTF-8 text (byte 0x{byte:02X}, Latin-1 or Windows-1252 perhaps): "
            "save it as UTF-8."
        ) from None


class Sheet:
    """The rows of a file: how its cells are parted, its header, and which columns hold numbers."""

    def __init__(self, data: bytes, filename: str) -> None:
        self.name = short(PurePath(filename.replace("\\", "/")).name or "The file")
        _check(data, self.name)
        self.data = data
        self.delimiter = self._delimiter()
        self.decimal_comma = self.delimiter in ";\t"
        probe = list(islice(self.rows(), PROBE + 1))
        if not probe:
            raise ConfigError(f"{self.name} is empty: it needs rows of two or more columns of numbers.")
        first = _filled(probe[0][1])
        self.width = len(first)
        self.has_header = all(self._number(cell) is None for cell in first)
        self.header = _names(first) if self.has_header else [f"column {i + 1}" for i in range(self.width)]
        self.body = probe[self.has_header :]

    def _delimiter(self) -> str:
        text = self.data[:100_000].decode("utf-8-sig", "ignore")
        lines = [line for line in text.splitlines() if line.strip()][:20]
        for mark in "\t;,":
            if mark in lines[0] or all(mark in line for line in lines):
                return mark
        return " " if any(len(line.split()) > 1 for line in lines) else ","

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (row number, cells) of every row that is not blank; raises `ConfigError` where the file is no CSV."""
        lines = io.TextIOWrapper(io.BytesIO(self.data), "utf-8-sig", newline="")  # no second copy of a large file
        tidy = (" ".join(line.split()) + "\n" for line in lines) if self.delimiter == " " else lines
        reader = csv.reader(tidy, delimiter=self.delimiter, skipinitialspace=True)
        try:
            for row in reader:
                if len(row) > 1 or (row and row[0].strip(" \x1a")):
                    yield reader.line_num, row
        except csv.Error as error:
            raise ConfigError(f"Row {reader.line_num} of {self.name} cannot be read as CSV ({error}).") from None

    def _number(self, cell: str) -> float | None:
        """Return a cell's value, which may be NaN or infinite, or None where it is no number."""
        text = cell.strip()
        if self.decimal_comma and text.count(",") == 1 and "." not in text:
            text = text.replace(",", ".")
        try:
            return float(text)
        except ValueError:
            return None

    def numeric(self) -> list[int]:
        """Return the columns in which at least half of the first rows are numbers."""
        counts = [0] * self.width
        for _, row in self.body:
            for i, cell in enumerate(row[: self.width]):
                counts[i] += self._number(cell) is not None
        return [i for i, count in enumerate(counts) if 2 * count >= len(self.body)]

    def choose(self, columns: tuple[str, str] | None) -> tuple[int, int]:
        """Return the two columns to read; raises `ConfigError` where there are no such two."""
        if not self.body and self.has_header:
            raise ConfigError(f"{self.name} has a header but no rows: add rows of numbers below it.")
        if self.width < 2:
            raise ConfigError(f"{self.name} has only one column: two columns of numbers are needed.")
        for column in columns or ():
            if column not in self.header:
                raise ConfigError(
                    f"{self.name} has no column {short(column)!r}: choose of {short(', '.join(self.header), 100)}."
                )
        if columns:
            return self.header.index(columns[0]), self.header.index(columns[1])
        found = self.numeric()
        if len(found) < 2:
            wrong = next(i for i in range(self.width) if i not in found)
            self._refuse(*next((n, r) for n, r in self.body if self._at(r, wrong) is None), wrong)
        return found[0], found[1]

    def _at(self, row: list[str], column: int) -> float | None:
        return self._number(row[column]) if column < len(row) else None

    def read(self, first: int, second: int) -> np.ndarray:
        """Return the two columns' values (n, 2), float64; raises `ConfigError` naming the first bad row."""
        kept = array("d")
        for number, row in islice(self.rows(), int(self.has_header), None):
            if len(row) != self.width and len(_filled(row)) > self.width:
                self._refuse(number, row, len(row))
            for column in (first, second):
                try:
                    value = float(row[column])
                except (ValueError, IndexError):  # perhaps a decimal comma
                    found = self._at(row, column)
                    value = self._refuse(number, row, column) if found is None else found
                kept.append(value if math.isfinite(value) else self._refuse(number, row, column))
        if len(kept) > 2 * MAX_ROWS:
            raise ConfigError(f"{self.name} has more than {MAX_ROWS:,} rows: take a sample of them.")
        return np.frombuffer(kept).reshape(-1, 2)

    def _refuse(self, number: int, row: list[str], column: int) -> NoReturn:
        """Raise `ConfigError` on a bad row or cell."""
        at = f"Row {number} of {self.name}"
        if column >= len(row):
            cells = f"{len(row)} cell{'s' * (len(row) != 1)}"
            raise ConfigError(f"{at} has {cells} where the first row has {self.width}: mend it or take it out.")
        cell, name = row[column].strip(), self.header[column]
        if not cell:
            raise ConfigError(f"{at} has an empty cell in {name!r}: fill it or take the row out.")
        if self._number(cell) is not None:
            raise ConfigError(f"{at} holds {short(cell, 30)} in {name!r}: use finite numbers only.")
        raise ConfigError(f"{at} holds the text {short(cell, 30)!r} in {name!r}: two columns of numbers are needed.")


def _filled(row: list[str]) -> list[str]:
    """Return a row without the empty cells at its end, of which a spreadsheet may add some; at least one cell."""
    width = max((i + 1 for i, cell in enumerate(row) if cell.strip()), default=1)
    return row[:width]


def _names(first: list[str]) -> list[str]:
    names: list[str] = []
    for i, cell in enumerate(first):
        name = short(cell.strip(), 40) or f"column {i + 1}"
        names.append(name if name not in names else f"{name} ({i + 1})")
    return names
