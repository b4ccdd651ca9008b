"""Images that come as numbers: the arrays of an NPZ file, or the rows of a CSV file.

An NPZ file's images are its largest array with two or more dimensions: (n, h, w), (n, h, w, 3), (n, 3, h, w), or rows
(n, h w) and (n, h w 3) of square ones; labels are an array (n,) of whole numbers or words beside it. A CSV file has an
image a row, with the label in a column called label, class, target or y, or in the first column where there is one more
than a square. Pixels go from 0 to 1, to 16 (as scikit-learn's digits do) or to 255, whichever the largest one fits.
"""

from __future__ import annotations

import math
import zipfile
from itertools import islice
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image

from playground.config import ConfigError
from playground.data.pictures import (
    Form,
    Images,
    Refused,
    Unusable,
    check_entry,
    open_zip,
    squared,
    together,
)
from playground.data.upload import Sheet, short

SCALES = (1, 16, 255)
LABELS = ("label", "labels", "class", "target", "y")
MAX_SIDE = 1024  # of an image in an array
MAX_ARRAY = 500_000_000  # bytes: MNIST in double precision
CHANNELS = (1, 3, 4)


class _Array(NamedTuple):
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype


def from_npz(file: BinaryIO, name: str, form: Form) -> Images:
    """Read the images of an NPZ file; raises `ConfigError` in one sentence. Nothing is unpickled."""
    refused: list[Refused] = []
    with open_zip(file, name) as archive:
        heads = [head for entry in archive.infolist() if (head := _head(archive, entry, refused)) is not None]
        if not (pictures := [head for head in heads if len(head.shape) >= 2 and _numeric(head)]):
            said = f" ({'; '.join(f'{n} {why}' for n, why in refused[:3])})" if refused else ""
            raise ConfigError(f"{name} holds no array of images{said}: it needs one of numbers, (n, height, width).")
        chosen = max(pictures, key=lambda head: math.prod(head.shape))
        beside = next((h for h in heads if h.shape == chosen.shape[:1] and h.dtype.kind in "iubU"), None)
        x = _pixels(_read(archive, chosen, name), chosen.name)
        words = [str(v) for v in _read(archive, beside, name).tolist()] if beside else [""] * len(x)
    if len(x) > form.room:
        refused.append(Refused(f"{len(x) - form.room:,} more", f"come after the first {form.room:,} images"))
    x = x[: form.room]
    bad = _bad(x)
    refused += [Refused(f"image {i + 1}", "holds numbers that are not finite") for i in np.flatnonzero(bad)]
    names = [word for word, wrong in zip(words, bad, strict=False) if not wrong]
    return _images(x[~bad] if bad.any() else x, names, name, refused, form)


def _head(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, refused: list[Refused]) -> _Array | None:
    """Return an array's name, shape and type from its first bytes; note why where it cannot be used."""
    name = short(entry.filename.removesuffix(".npy"), 80)
    try:
        _check_array(entry)
        with archive.open(entry) as file:
            version = np.lib.format.read_magic(file)
            read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            shape, _, dtype = read[version](file)
            body = entry.file_size - file.tell()
    except Unusable as error:
        refused.append(Refused(name, str(error)))
    except Exception:  # parsers meet hostile bytes with errors of any kind
        refused.append(Refused(name, "is damaged or no NumPy array"))
    else:
        if dtype.hasobject:
            refused.append(Refused(name, "holds Python objects (a pickle), and nothing is ever unpickled"))
        elif math.prod(shape) * dtype.itemsize > body:
            refused.append(Refused(name, "promises more numbers than it holds"))
        else:
            return _Array(entry.filename, tuple(shape), dtype)
    return None


def _check_array(entry: zipfile.ZipInfo) -> None:
    """Raise `Unusable` for what is no entry of an NPZ file; numbers may shrink far, so the ratio says nothing."""
    if entry.file_size > MAX_ARRAY:
        raise Unusable(f"unpacks to {entry.file_size / 1e6:,.0f} MB: at most {MAX_ARRAY / 1e6:,.0f} MB are read")
    small = zipfile.ZipInfo(entry.filename)
    small.external_attr, small.flag_bits = entry.external_attr, entry.flag_bits
    check_entry(small)


def _read(archive: zipfile.ZipFile, head: _Array, name: str) -> np.ndarray:
    """Read an array whose head was looked at."""
    try:
        with archive.open(head.name) as file:
            array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
            return array
    except Exception:  # as above
        raise ConfigError(f"The array {short(head.name)} of {name} is damaged: make the file again.") from None


def _numeric(head: _Array) -> bool:
    return head.dtype.kind in "fiub"


def _pixels(array: np.ndarray, name: str) -> np.ndarray:
    """Return images (n, h, w) or (n, h, w, c) of an array; raises `ConfigError` where it holds none."""
    array = array[..., None] if array.ndim == 3 else array
    if array.ndim == 2:
        array = unrolled(array, short(name))
    elif array.ndim == 4 and array.shape[-1] not in CHANNELS and array.shape[1] in CHANNELS:
        array = array.transpose(0, 2, 3, 1)
    if array.ndim != 4 or array.shape[-1] not in CHANNELS or not 0 < max(array.shape[1:3]) <= MAX_SIDE:
        sizes = " × ".join(str(size) for size in array.shape)
        raise ConfigError(
            f"The array {short(name)} has the sizes {sizes}: images are (n, height, width) with 1 or 3 channels, "
            f"at most {MAX_SIDE:,} pixels a side."
        )
    return array


def unrolled(rows: np.ndarray, name: str) -> np.ndarray:
    """Return square images (n, h, h, c) of rows; raises `ConfigError` where their length is no square."""
    width = rows.shape[1]
    for channels in (1, 3):
        side = math.isqrt(width // channels)
        if channels * side * side == width and 2 <= side <= MAX_SIDE:
            return rows.reshape(-1, side, side, channels)
    raise ConfigError(
        f"{name} has {width:,} numbers a row: a square of pixels is needed, such as 64 or 784 (or 3 times)."
    )


def _bad(x: np.ndarray) -> np.ndarray:
    """Say which images (n, ...) hold a NaN or an infinity."""
    return ~np.isfinite(x).all((1, 2, 3)) if x.dtype.kind == "f" else np.zeros(len(x), bool)


def _images(x: np.ndarray, names: list[str], source: str, refused: list[Refused], form: Form) -> Images:
    """Scale and resize images (n, h, w, c)."""
    low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 1.0)
    scale = next((s for s in SCALES if high <= s), None)
    if low < 0 or scale is None:
        raise ConfigError(f"{source} holds pixels from {low:g} to {high:g}: they go from 0 to 1, 16 or 255.")
    done = []
    for image in x:
        level = image if scale == 255 and image.dtype == np.uint8 else (image * (255 / scale)).round().astype(np.uint8)
        done.append(squared(Image.fromarray(level.squeeze(2) if level.shape[2] == 1 else level), form))
    return together(done, names, source, refused)


def from_csv(data: bytes, filename: str, form: Form) -> Images:
    """Read the images of a CSV file, one a row; raises `ConfigError` in one sentence."""
    sheet = Sheet(data, filename)
    refused: list[Refused] = []
    at = _label_column(sheet)
    width = sheet.width - (at is not None)
    rows: list[np.ndarray] = []
    names: list[str] = []
    for number, row in islice(sheet.rows(), int(sheet.has_header), None):
        if len(rows) == form.room:
            refused.append(Refused(f"row {number} and all after it", f"come after the first {form.room:,} images"))
            break
        if at is not None and not rows and row[0].strip().lower() in LABELS:
            continue  # a header whose other names are numbers
        try:
            cells = row[: sheet.width]
            names.append("" if at is None else cells.pop(at).strip())
            rows.append(_numbers(cells, width, row, sheet.width))
        except (Unusable, IndexError) as error:
            refused.append(Refused(f"row {number}", str(error) if isinstance(error, Unusable) else "has no label"))
            del names[len(rows) :]
    images = unrolled(np.stack(rows) if rows else np.zeros((0, width), np.float32), sheet.name)
    return _images(images, names, sheet.name, refused, form)


def _label_column(sheet: Sheet) -> int | None:
    """Return which column holds labels, None where none does."""
    if sheet.has_header:
        named = [i for i, cell in enumerate(sheet.header) if cell.strip().lower() in LABELS]
        if named:
            return named[0]
    more = [s for c in (1, 3) for s in range(2, MAX_SIDE) if c * s * s == sheet.width - 1]
    whole = any(c * math.isqrt(sheet.width // c) ** 2 == sheet.width for c in (1, 3))
    return 0 if more and not whole else None


def _numbers(cells: list[str], width: int, row: list[str], whole: int) -> np.ndarray:
    """Return a row's pixels; raises `Unusable`."""
    if len(cells) != width or any(cell.strip() for cell in row[whole:]):
        raise Unusable(f"has {len(row)} cells where the first row has {whole}")
    try:
        numbers = np.array(cells, np.float32)
    except ValueError:
        wrong = next(cell for cell in cells if not _is_number(cell))
        raise Unusable(f"holds {short(wrong.strip(), 20)!r} where a number should be") from None
    if not np.isfinite(numbers).all():
        raise Unusable("holds numbers that are not finite")
    return numbers


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
