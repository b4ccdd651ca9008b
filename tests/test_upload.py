"""A person's own points: every good form of a CSV file is read, every bad one refused in one sentence."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch

from playground.config import ConfigError
from playground.data import upload
from playground.data.upload import from_drawing, numeric_columns, read_points

GOOD = {
    "header": b"x,y\n0,0\n10,20\n",
    "no header": b"0,0\n10,20\n",
    "semicolons": b"x;y\n0;0\n10;20\n",
    "decimal commas": b"x;y\n0,0;0,0\n10,0;20,0\n",
    "tabs": b"x\ty\n0\t0\n10\t20\n",
    "spaces": b"  x   y\n  0   0\n 10  20\n",
    "byte order mark": b"\xef\xbb\xbfx,y\n0,0\n10,20\n",
    "windows line ends": b"x,y\r\n0,0\r\n10,20\r\n",
    "old mac line ends": b"x,y\r0,0\r10,20",
    "quotes": b'"x","y"\n"0","0"\n"10","20"\n',
    "blank lines and no last line end": b"\nx,y\n\n0,0\n\n10,20",
    "empty cells at the ends of rows": b"x,y,,\n0,0,,\n10,20,,\n",
    "exponents": b"x,y\n0e0,-0.0\n1e1,+2.0E1\n",
    "a column of words": b"name,x,y\nleft,0,0\nright,10,20\n",
    "a third column": b"x,y,z\n0,0,7\n10,20,8\n",
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_reads_two_columns_into_view(data: bytes) -> None:
    points = read_points(data, "points.csv")
    assert points.points.dtype == torch.float32
    assert points.points.tolist() == [[-1, -2], [1, 2]]
    assert points.centre == (5, 10)
    assert points.scale == 5
    assert points.names in {("x", "y"), ("column 1", "column 2")}
    assert points.original(points.points).tolist() == [[0, 0], [10, 20]]


def test_columns_are_chosen_by_name() -> None:
    data = b"label,a,b,c\nu,1,5,0\nv,2,6,4\n"
    assert numeric_columns(data, "t.csv") == ["a", "b", "c"]
    points = read_points(data, "t.csv", ("c", "a"))
    assert points.names == ("c", "a")
    assert points.original(points.points).tolist() == [[0, 1], [4, 2]]
    with pytest.raises(ConfigError, match=r"t.csv has no column 'd': choose of label, a, b, c."):
        read_points(data, "t.csv", ("d", "a"))
    with pytest.raises(ConfigError, match=r"Row 2 of t.csv holds the text 'u' in 'label'"):
        read_points(data, "t.csv", ("label", "a"))


def test_shape_is_kept_and_large_numbers_stay_apart() -> None:
    raw = np.array([[1.7e9, 1e-3], [1.7e9 + 1, 1e-3], [1.7e9, 0.501]])
    text = "\n".join(",".join(repr(float(v)) for v in row) for row in raw).encode()
    points = read_points(text, "times.csv")
    sides = points.points.diff(dim=0).norm(dim=1)
    assert float(points.points.abs().max()) == 2
    assert float(sides[0]) == pytest.approx(4)
    assert float(points.points[2, 1] - points.points[0, 1]) == pytest.approx(2)
    torch.testing.assert_close(points.original(points.points), torch.from_numpy(raw), rtol=0, atol=1e-6)


BAD = {
    "no bytes": (b"", "p.csv is empty"),
    "only blanks": (b" \n\n  \n", "p.csv is empty"),
    "only a byte order mark": (b"\xef\xbb\xbf", "p.csv is empty"),
    "only a header": (b"x,y\n", "p.csv has a header but no rows"),
    "one column": (b"x\n1\n2\n", "p.csv has only one column"),
    "one column, no header": (b"1\n2\n", "p.csv has only one column"),
    "one column of two is text": (b"x,y\n1,a\n2,b\n", "Row 2 of p.csv holds the text 'a' in 'y'"),
    "a text cell": (b"x,y\n1,2\n3,oops\n", "Row 3 of p.csv holds the text 'oops' in 'y'"),
    "a text cell far down": (b"x,y\n" + b"1,2\n" * 500 + b"1,NA\n", "Row 502 of p.csv holds the text 'NA' in 'y'"),
    "a text cell in the first row": (b"a,2\n3,4\n5,6\n", "Row 1 of p.csv holds the text 'a' in 'column 1'"),
    "nan": (b"x,y\n1,2\nnan,4\n", "Row 3 of p.csv holds nan in 'x': use finite numbers only"),
    "infinity": (b"x,y\n1,2\n3,4\n3,-inf\n", "Row 4 of p.csv holds -inf in 'y': use finite numbers only"),
    "too large": (b"1,2\n3,1e999\n", "Row 2 of p.csv holds 1e999 in 'column 2': use finite numbers only"),
    "an empty cell": (b"x,y\n1,2\n,4\n", "Row 3 of p.csv has an empty cell in 'x'"),
    "an empty last cell": (b"x,y\n1,2\n3,\n", "Row 3 of p.csv has an empty cell in 'y'"),
    "a short row": (b"x,y\n1,2\n3\n", "Row 3 of p.csv has 1 cell where the first row has 2"),
    "a long row": (b"x,y\n1,2\n3,4,5\n", "Row 3 of p.csv has 3 cells where the first row has 2"),
    "all the same": (b"x,y\n1,2\n1,2\n", "All rows of p.csv hold the same point"),
    "prose": (b"Dear reader,\nthis is a letter.\n", "p.csv has only one column"),
    "latin-1": ("größe,y\n1,2\n".encode("latin-1"), "Row 1 of p.csv is not UTF-8 text (byte 0xF6"),
    "latin-1 further down": (b"x,y,n\n1,2,a\n3,4,caf\xe9\n", "Row 3 of p.csv is not UTF-8 text (byte 0xE9"),
    "utf-16": ("x,y\n1,2\n".encode("utf-16"), "p.csv is UTF-16 or UTF-32 text: save it as UTF-8"),
    "utf-16 without a mark": ("x,y\n1,2\n".encode("utf-16-le"), "p.csv is UTF-16 or UTF-32 text"),
    "utf-32": ("x,y\n1,2\n".encode("utf-32"), "p.csv is UTF-16 or UTF-32 text"),
    "png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "p.csv is a PNG picture, not a text table"),
    "zip": (b"PK\x03\x04\x14\0\0\0", "p.csv is a zip archive or Excel workbook"),
    "pickle": (b"\x80\x04\x95\x0b\0\0\0]q\0.", "p.csv is a Python pickle"),
    "gzip": (b"\x1f\x8b\x08\0abc", "p.csv is a gzip archive"),
    "zeros": (b"1,2\n\0\0\0abc\n3,4\n5,6\n7,8\n", "p.csv is a binary file"),
    "control bytes": (b"\x01\x02\x03\x04,\n", "p.csv is a binary file"),
    "an endless cell": (b'x,y\n1,"' + b"9" * 200_000 + b'"\n', "Row 2 of p.csv cannot be read as CSV (field larger"),
}


@pytest.mark.parametrize(("data", "sentence"), BAD.values(), ids=BAD)
def test_bad_file_gets_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_points(data, "folder/p.csv")
    said = str(error.value)
    assert said.startswith(sentence)
    assert said.endswith(".")
    assert "\n" not in said
    assert len(said) < 200


def test_ten_million_rows_are_refused_without_parsing_them() -> None:
    data = b"1,2\n" * 10_000_000
    tracemalloc.start()
    with pytest.raises(ConfigError, match=r"big.csv has about 10,000,000 rows: at most 1,000,000 are read"):
        read_points(data, "big.csv")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6


def test_the_row_limit_itself_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MAX_ROWS", 3)
    assert len(read_points(b"x,y\n1,2\n3,4\n5,6\n", "p.csv").points) == 3
    with pytest.raises(ConfigError, match="has more than 3 rows"):
        read_points(b"1,2\n3,4\n5,6\n7,8", "p.csv")
    monkeypatch.setattr(upload, "MAX_BYTES", 10)
    with pytest.raises(ConfigError, match="at most 0 MB are read"):
        read_points(b"1,2\n3,4444444\n", "p.csv")


def test_file_name_cannot_break_the_sentence() -> None:
    with pytest.raises(ConfigError) as error:
        read_points(b"", "C:\\tmp\\evil\n" + "x" * 500 + ".csv")
    assert "\n" not in str(error.value)
    assert "tmp" not in str(error.value)
    assert len(str(error.value)) < 200


def test_drawing_fills_the_view() -> None:
    drawn = [[i / 10, -i / 10] for i in range(11)]
    points = from_drawing(drawn)
    assert points.points.shape == (11, 2)
    assert points.points[-1].tolist() == [2, -2]
    torch.testing.assert_close(points.original(points.points), torch.tensor(drawn, dtype=torch.float64))
    assert float(from_drawing([[5.0, 0.0], *drawn]).points.max()) == 2
    many = from_drawing([[0.0, 0.0], [1.0, 1.0]] * 80_000)
    assert len(many.points) == 100_000


@pytest.mark.parametrize(
    ("drawn", "sentence"),
    [
        ([], "The drawing has 0 points: draw at least 10."),
        ([[0.0, 0.1]] * 9, "The drawing has 9 points: draw at least 10."),
        ([[0.0, 0.1]] * 20, "All drawn points lie on one spot: draw a line or several spots."),
        ([[0.0, 0.1, 0.2]] * 20, "The drawing is not a list of points [x, y]: clear it and draw again."),
        ([[0.0, float("nan")]] * 20, "The drawing is not a list of points [x, y]: clear it and draw again."),
        ([[0.0, 0.1], [0.0]] * 20, "The drawing is not a list of points [x, y]: clear it and draw again."),
        ([["a", "b"]] * 20, "The drawing is not a list of points [x, y]: clear it and draw again."),
    ],
)
def test_bad_drawing_gets_one_sentence(drawn: list[list[float]], sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        from_drawing(drawn)
    assert str(error.value) == sentence
