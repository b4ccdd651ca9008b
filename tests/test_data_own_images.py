"""A person's own images: read as they should look, kept by content; whatever is hostile is refused by name."""

from __future__ import annotations

import io
import json
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from playground.__main__ import main
from playground.config import ConfigError, build
from playground.data import dataset, own_images, pictures
from playground.data.own_images import Images, OwnImages, images_file, load_images, read_images, save_images
from playground.experiment import Experiment
from playground.store import RunFolder

GREEN = (0, 200, 0)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))


def picture(
    colour: object = 128, size: tuple[int, int] = (28, 28), mode: str = "L", form: str = "PNG", **how: object
) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, form, **how)
    return out.getvalue()


def zipped(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def good(n: int = 12) -> dict[str, bytes]:
    return {f"{'cat' if i % 3 else 'dog'}/{i:02d}.png": picture(10 * i) for i in range(n)}


def why(images: Images) -> dict[str, str]:
    return {name: reason for name, reason in images.refused}


# -- what is good ----------------------------------------------------------------------------------------------------


def test_a_zip_gives_pixels_and_the_names_of_its_folders() -> None:
    images = read_images(zipped(good()), "pets.zip")
    assert images.x.shape == (12, 1, 28, 28)
    assert images.x.dtype == torch.uint8
    assert images.x[:, 0, 5, 5].tolist() == [10 * i for i in range(12)]
    assert images.classes == ("cat", "dog")
    assert images.labels.tolist() == [1 if i % 3 == 0 else 0 for i in range(12)]
    assert images.refused == ()


@pytest.mark.parametrize("side", [8, 16, 28, 32, 64])
@pytest.mark.parametrize("grey", [True, False])
def test_sizes_kinds_and_colours_may_be_mixed(side: int, grey: bool) -> None:
    files = {
        "a.png": picture(GREEN, (100, 40), "RGB"),
        "b.jpg": picture(GREEN, (33, 77), "RGB", "JPEG"),
        "c.jpeg": picture(90, (8, 8), "L", "JPEG"),
        "d.png": picture((0, 200, 0, 255), (5, 5), "RGBA"),
        "e.png": picture(1, (9, 9), "1"),
        "f.png": picture(7, (300, 300), "P"),
        "g.png": picture((100, 255), (12, 12), "LA"),
        "h.PNG": picture(128, (1, 1000)),
        "i.jpg": picture((0, 0, 0, 0), (64, 64), "CMYK", "JPEG"),
        "j.png": picture(20000, (28, 28), "I;16"),
    }
    images = read_images(zipped(files), "mixed.zip", side, grey)
    assert images.refused == ()
    assert images.x.shape == (10, 1 if grey else 3, side, side)
    assert images.labels is None
    assert images.classes == ()
    middle = images.x[:, :, side // 2, side // 2]
    if grey:
        assert middle[[0, 2, 3, 4, 6, 7, 8], 0].tolist() == [117, 90, 117, 255, 100, 128, 255]
        assert int(middle[9, 0]) == round(20000 / 257)
    else:
        assert middle[0].tolist() == list(GREEN)
        assert middle[3].tolist() == list(GREEN)
        assert int((middle[1].int() - torch.tensor(GREEN)).abs().max()) <= 3


def test_the_middle_is_kept_turned_as_the_camera_says_and_clear_is_white() -> None:
    wide = np.zeros((10, 30), np.uint8)
    wide[:, 10:20] = 255
    tall = np.zeros((20, 10), np.uint8)
    tall[:10] = 200  # the upper half is bright, and exif says: turn it by 90 degrees
    exif = Image.Exif()
    exif[0x0112] = 6
    files = good()
    for name, array, how in (("w.png", wide, {}), ("t.jpg", tall, {"exif": exif, "quality": 95})):
        out = io.BytesIO()
        Image.fromarray(array).save(out, "PNG" if name.endswith("png") else "JPEG", **how)
        files[name] = out.getvalue()
    files["z.png"] = picture((0, 0, 0, 0), mode="RGBA")
    x = read_images(zipped(files), "x.zip", 8).x[-3:, 0]
    assert (x[0] > 200).all()  # only the middle of the wide one is seen
    assert float(x[1][:, -2:].float().mean()) > 150  # bright on the right after turning
    assert float(x[1][:, :2].float().mean()) < 50
    assert (x[2] == 255).all()


def test_a_folder_is_read_as_a_zip_is(tmp_path: Path) -> None:
    for name, content in good().items():
        (tmp_path / "pets" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pets" / name).write_bytes(content)
    (tmp_path / "pets" / ".DS_Store").write_bytes(b"left behind")
    told: list[tuple[int, int]] = []
    folder = read_images(tmp_path / "pets", progress=lambda *now: told.append(now))
    archive = read_images(zipped(dict(sorted(good().items()))), "pets.zip")
    assert torch.equal(folder.x, archive.x)
    assert torch.equal(folder.labels, archive.labels)
    assert told == [(i + 1, 12) for i in range(12)]
    (tmp_path / "pets.zip").write_bytes(zipped(good()))
    assert read_images(tmp_path / "pets.zip").classes == ("cat", "dog")


def test_what_operating_systems_add_is_passed_over() -> None:
    more = {"__MACOSX/cat/._00.png": b"fork", "cat/.DS_Store": b"x", "cat/": b"", "cat/Thumbs.db": b"x"}
    assert read_images(zipped(good() | more), "pets.zip").refused == ()


def test_classes_are_sorted_as_people_count_and_loose_pictures_have_one() -> None:
    files = {f"{i}/{k}.png": picture(i) for i in (10, 9, 1) for k in range(4)}
    assert read_images(zipped(files), "x.zip").classes == ("1", "9", "10")
    assert read_images(zipped(files | {"loose.png": picture()}), "x.zip").classes == ("1", "9", "10", "no folder")
    many = {f"{i}/x.png": picture() for i in range(101)}
    with pytest.raises(ConfigError, match="101 classes: at most 100"):
        read_images(zipped(many), "x.zip")


# -- what is hostile or broken ---------------------------------------------------------------------------------------


def huge_png(width: int, height: int) -> bytes:
    """A PNG whose header promises so many pixels, with hardly any data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


BAD = {
    "empty.png": (b"", "is empty"),
    "text.png": (b"hello", "is not a PNG or JPEG picture"),
    "moving.gif": (b"GIF89a....", "is a GIF picture, not a PNG or JPEG picture"),
    "model.pkl": (b"\x80\x04K\x01.", "is a Python pickle, not a PNG or JPEG picture"),
    "nested.zip": (zipped(good()), "is an archive within the archive: unpack it first"),
    "cut.png": (picture(mode="RGB", colour=GREEN, size=(200, 200))[:90], "is damaged: it cannot be decoded"),
    "cut.jpg": (picture(form="JPEG", size=(99, 99))[:-200], "is damaged: it cannot be decoded"),
    "flipped.png": (picture()[:30] + b"\xff" + picture()[31:], "is damaged: it cannot be decoded"),
    "vast.png": (huge_png(8000, 8000), "has 8,000 × 8,000 pixels: at most 50 million are read"),
    "bomb.png": (huge_png(30_000, 30_000), "pixels: at most 50 million are read"),
    "flat.bin": (bytes(5_000_000), "times its size: it is a ZIP bomb"),
    "../climb.png": (picture(), "has a path that climbs out of the archive"),
    "/etc/root.png": (picture(), "has a path that climbs out of the archive"),
    "C:/windows.png": (picture(), "has a path that climbs out of the archive"),
    "a/..\\..\\win.png": (picture(), "has a path that climbs out of the archive"),
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_each_bad_file_is_named_with_its_reason_and_the_good_ones_are_used(tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    images = read_images(zipped(good() | {name: content for name, (content, _) in BAD.items()}), "pets.zip")
    assert len(images.x) == 12
    assert images.classes == ("cat", "dog")
    refused = why(images)
    assert refused.keys() == {name.replace("..\\..\\", "..\\..\\") for name in BAD}
    for name, (_, reason) in BAD.items():
        assert reason in refused[name], name
    assert set(tmp_path.rglob("*")) == before  # nothing is unpacked


def changed(name: str, **fields: int) -> bytes:
    """An archive of good pictures and one of that name whose directory entry was tampered with."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for inside, content in good().items():
            archive.writestr(inside, content)
        entry = zipfile.ZipInfo(name)
        entry.external_attr = fields.pop("mode", 0o644) << 16
        archive.writestr(entry, picture())
    data = bytearray(out.getvalue())
    for at in (data.rfind(b"PK\x03\x04"), data.rfind(b"PK\x01\x02")):
        local = data[at : at + 4] == b"PK\x03\x04"
        for field, value in fields.items():
            place, size = {"flag": (6, 2), "method": (8, 2), "crc": (14, 4), "size": (22, 4)}[field]
            data[at + place + (0 if local else 2) : at + place + (0 if local else 2) + size] = value.to_bytes(
                size, "little"
            )
    return bytes(data)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"flag": 1}, "is encrypted: pack it without a password"),
        ({"mode": stat.S_IFLNK | 0o777}, "is a link, not a file"),
        ({"crc": 7}, "is damaged within the archive"),
        ({"method": 99}, "is packed in a way that cannot be read"),
        ({"size": 3_000_000_000}, "unpacks to 3,000 MB: at most 100 MB are read"),
        ({"size": 20}, "is damaged"),
    ],
)
def test_tampered_entries_are_refused(fields: dict[str, int], reason: str) -> None:
    images = read_images(changed("odd.png", **fields), "pets.zip")
    assert len(images.x) == 12
    assert list(why(images)) == ["odd.png"]
    assert reason in why(images)["odd.png"]


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"", "x.zip", "x.zip is empty: bring a ZIP"),
        (zipped(good())[:-30], "x.zip", "x.zip is damaged or no ZIP archive"),
        (b"PK\x03\x04 nothing else", "x.zip", "x.zip is damaged or no ZIP archive"),
        (zipped({}), "x.zip", "x.zip holds 0 usable images: at least 10 are needed."),
        (zipped(good(9)), "x.zip", "x.zip holds 9 usable images: at least 10 are needed."),
        (zipped({"a.png": b"", "b.png": b"?"}), "../x.zip", r"x.zip holds 0 .* \(a.png is empty; b.png is not a PNG"),
        (picture(), "cat.png", "cat.png is a single picture"),
        (b"\x80\x04K\x01.", "model.pkl", "model.pkl is a Python pickle"),
        (b"\x1f\x8b\x08", "x.tar.gz", "x.tar.gz is a gzip archive"),
    ],
)
def test_what_holds_no_images_is_one_sentence(data: bytes, name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        read_images(data, name)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_too_many_files_are_counted_and_the_first_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pictures, "MAX_IMAGES", 11)
    images = read_images(zipped(good(15)), "pets.zip")
    assert len(images.x) == 11
    assert images.refused == (("4 more", "come after the first 11 pictures"),)
    monkeypatch.setattr(pictures, "MAX_FILES", 14)
    with pytest.raises(ConfigError, match=r"pets.zip holds about 15 files: at most 14 are read"):
        read_images(zipped(good(15)), "pets.zip")
    for i in range(15):
        (tmp_path / f"{i}.png").write_bytes(picture())
    with pytest.raises(ConfigError, match="holds more than 14 files"):
        read_images(tmp_path)


def test_links_and_odd_files_of_a_folder_are_not_followed(tmp_path: Path) -> None:
    for name, content in good().items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "secret.png").write_bytes(picture())
    (tmp_path / "in" / "way").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "cat" / "secret.png").symlink_to(tmp_path / "out" / "secret.png")
    os.mkfifo(tmp_path / "in" / "pipe.png")  # reading it would wait forever
    images = read_images(tmp_path / "in")
    assert len(images.x) == 12
    assert why(images) == {
        "way": "is a link, not a file", "cat/secret.png": "is a link, not a file", "pipe.png": "is no ordinary file"
    }  # fmt: skip
    with pytest.raises(ConfigError, match="cannot be read"):
        read_images(tmp_path / "nowhere.zip")


SEEDS = [(zipped(good()), "x.zip"), (zipped(good(), zipfile.ZIP_STORED), "x.zip")]


@given(
    seed=st.sampled_from(range(5)),
    changes=st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), max_size=8),
    cut=st.one_of(st.none(), st.integers(0, 2**14)),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_bytes_are_there_are_images_or_one_sentence(
    seed: int, changes: list[tuple[int, int]], cut: int | None
) -> None:
    seeds = [*SEEDS, (npz(x=LEVELS, y=np.arange(20)), "x.npz"), (npz(x=LEVELS / 255), "x.npz"),
             (csv(LEVELS.reshape(20, 64)), "x.csv")]  # fmt: skip
    data, name = bytearray(seeds[seed][0]), seeds[seed][1]
    for place, value in changes:
        data[place % len(data)] = value
    try:
        images = read_images(bytes(data[:cut]), name, 8)
        said = "."
        assert len(images.x) >= 10
        assert images.labels is None or len(images.labels) == len(images.x)
    except ConfigError as error:
        said = str(error)
    assert said.endswith(".")
    assert "\n" not in said


def test_sides_are_a_choice() -> None:
    with pytest.raises(ConfigError, match="The side is 29: it takes one of 8, 16, 28, 32, 64"):
        read_images(zipped(good()), "x.zip", 29)


# -- numbers ---------------------------------------------------------------------------------------------------------


def npz(**arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


RNG = np.random.default_rng(0)
LEVELS = RNG.integers(0, 256, (20, 8, 8)).astype(np.uint8)


@pytest.mark.parametrize(
    "array",
    [LEVELS, LEVELS.reshape(20, 64), LEVELS[..., None], LEVELS[:, None], LEVELS / 255, LEVELS.astype(np.int64),
     LEVELS.astype(np.float32), np.repeat(LEVELS[..., None], 3, 3), np.repeat(LEVELS[:, None], 3, 1),
     np.repeat(LEVELS.reshape(20, 64, 1), 3, 2).reshape(20, 192)],
)  # fmt: skip
def test_every_usual_form_of_an_array_is_the_same_image(array: np.ndarray) -> None:
    images = read_images(npz(x=array, y=np.arange(20) % 3), "x.npz", 8)
    np.testing.assert_allclose(images.x[:, 0].numpy().astype(int), LEVELS, atol=1)
    assert images.classes == ("0", "1", "2")
    assert images.labels.tolist() == [i % 3 for i in range(20)]


def test_labels_may_be_words_or_missing_and_images_are_resized() -> None:
    words = read_images(npz(a=LEVELS, b=np.array(["b", "a"] * 10)), "x.npz", 28, grey=False)
    assert words.x.shape == (20, 3, 28, 28)
    assert words.classes == ("a", "b")
    assert words.labels.tolist() == [1, 0] * 10
    assert read_images(npz(images=LEVELS), "x.npz", 8).labels is None


def test_digits_to_16_use_the_whole_range() -> None:
    images = read_images(npz(x=(LEVELS // 16 + LEVELS // 255).astype(float)), "x.npz", 8)
    assert int(images.x.max()) == 255


def test_a_pickle_in_an_npz_is_refused_and_never_read() -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (pytest.fail, ("unpickled",))

    trapped = npz(x=LEVELS, evil=np.array([Trap()] * 20, object))
    images = read_images(trapped, "x.npz", 8)
    assert len(images.x) == 20
    assert why(images) == {"evil": "holds Python objects (a pickle), and nothing is ever unpickled"}
    with pytest.raises(ConfigError, match=r"holds no array of images \(evil holds Python objects"):
        read_images(npz(evil=np.array([Trap()] * 20, object)), "x.npz", 8)


def head(shape: tuple[int, ...], body: bytes = b"") -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return out.getvalue() + body


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (zipped({"x.npy": head((10**9, 28, 28))}), "x promises more numbers than it holds"),
        (zipped({"x.npy": b"\x93NUMPY\x01\x00\xff\xff{'descr'"}), "x is damaged or no NumPy array"),
        (zipped({"x.npy": b"no array"}), "x is damaged or no NumPy array"),
        (zipped({"../x.npy": head((12, 8, 8), bytes(768))}), "has a path that climbs out"),
        (zipped({"x.npy": head((12, 8, 8), bytes(700))}), "promises more numbers"),
        (npz(x=np.zeros(50)), "holds no array of images: it needs one of numbers"),
        (npz(x=np.array(["a"] * 20)), "holds no array of images"),
        (npz(x=np.zeros((20, 63))), "63 numbers a row: a square of pixels is needed"),
        (npz(x=np.zeros((20, 5, 5, 7))), "has the sizes 20 × 5 × 5 × 7"),
        (npz(x=np.zeros((20, 2000, 1))), "has the sizes 20 × 2000 × 1 × 1"),
        (npz(x=np.full((20, 8, 8), 300)), "pixels from 300 to 300"),
        (npz(x=np.full((20, 8, 8), -1)), "pixels from -1 to -1"),
        (npz(x=np.zeros((3, 8, 8))), "holds 3 usable images"),
        (npz(x=np.full((20, 8, 8), np.nan)), "holds 0 usable images"),
        (npz(x=np.zeros((0, 8, 8))), "holds 0 usable images"),
    ],
)
def test_bad_arrays_are_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        read_images(data, "x.npz", 8)
    assert str(caught.value).endswith(".")


def test_images_with_holes_are_refused_one_by_one() -> None:
    holes = LEVELS / 255.0
    holes[3, 0, 0] = np.nan
    holes[7, 0, 0] = np.inf
    images = read_images(npz(x=holes), "x.npz", 8)
    assert len(images.x) == 18
    assert why(images) == dict.fromkeys(["image 4", "image 8"], "holds numbers that are not finite")


def csv(rows: np.ndarray, header: str = "", labels: bool = True) -> bytes:
    lines = [",".join(map(str, ([i % 2] if labels else []) + row.tolist())) for i, row in enumerate(rows)]
    return "\n".join([header] * bool(header) + lines).encode()


@pytest.mark.parametrize(
    "header",
    ["", "label," + ",".join(f"pixel{i}" for i in range(64)), "y," + ",".join(map(str, range(64))),
     "what," + ",".join(f"p{i}" for i in range(64))],
)  # fmt: skip
def test_a_csv_has_an_image_a_row_with_or_without_a_header(header: str) -> None:
    images = read_images(csv(LEVELS.reshape(20, 64), header), "x.csv", 8)
    np.testing.assert_array_equal(images.x[:, 0].numpy(), LEVELS)
    assert images.labels.tolist() == [0, 1] * 10
    assert images.refused == ()


def test_a_csv_without_labels_and_with_the_label_last() -> None:
    plain = read_images(csv(LEVELS.reshape(20, 64), labels=False), "x.csv", 8)
    np.testing.assert_array_equal(plain.x[:, 0].numpy(), LEVELS)
    assert plain.labels is None
    header = ",".join(f"p{i}" for i in range(64)) + ",class"
    lines = [",".join(map(str, row.tolist())) + f",{'ab'[i % 2]}" for i, row in enumerate(LEVELS.reshape(20, 64))]
    last = read_images("\n".join([header, *lines]).encode(), "x.csv", 8)
    np.testing.assert_array_equal(last.x[:, 0].numpy(), LEVELS)
    assert last.classes == ("a", "b")


def test_bad_rows_are_named_and_the_others_used() -> None:
    lines = csv(LEVELS.reshape(20, 64), labels=False).decode().split("\n")
    lines[2], lines[4], lines[6] = "1,2,3", lines[4] + ",9", lines[6].replace(lines[6].split(",")[5], "x", 1)
    lines[8] = "nan" + lines[8][lines[8].index(",") :]
    images = read_images("\n".join(lines).encode(), "x.csv", 8)
    assert len(images.x) == 16
    assert why(images)["row 3"] == "has 3 cells where the first row has 64"
    assert why(images)["row 5"] == "has 65 cells where the first row has 64"
    assert "where a number should be" in why(images)["row 7"]
    assert why(images)["row 9"] == "holds numbers that are not finite"
    with pytest.raises(ConfigError, match=r"x.csv has 63 numbers a row"):
        read_images(csv(LEVELS.reshape(20, 64)[:, :63], labels=False), "x.csv")


def test_the_command_line_brings_a_folder_and_names_what_it_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in (good() | {"cat/empty.png": b""}).items():
        (tmp_path / "pets" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pets" / name).write_bytes(content)
    assert main(["bring", str(tmp_path / "pets"), "--side", "16", "--colour"]) == 0
    said = capsys.readouterr().out
    assert "12 images of 2 classes (cat, dog), 1 files refused.\n  cat/empty.png is empty\n" in said
    assert main(["bring", str(tmp_path / "pets"), "--side", "16", "--colour", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert f"--set source={told['source']}" in said
    assert load_images(told["source"]).x.shape == (12, 3, 16, 16)
    assert main(["bring", str(tmp_path / "nowhere.zip")]) == 2
    assert capsys.readouterr().err == "nowhere.zip cannot be read (No such file or directory): check the path.\n"


# -- as a data set ---------------------------------------------------------------------------------------------------


def test_saved_images_come_back_under_the_hash_of_their_content(tmp_path: Path) -> None:
    images = read_images(zipped(good(30)), "pets.zip", 16, grey=False)
    source = save_images(images)
    assert source == save_images(read_images(zipped(good(30)), "other.zip", 16, grey=False))
    back = load_images(source)
    assert torch.equal(back.x, images.x)
    assert torch.equal(back.labels, images.labels)
    assert back.classes == images.classes
    data = OwnImages(source=source)
    assert data.shape == (3, 16, 16)
    assert data.classes == ("cat", "dog")
    train, held = data.load()
    assert (len(train.x), len(held.x)) == (24, 6)
    assert torch.bincount(held.labels).tolist() == [4, 2]
    assert float(train.x.max()) <= 1
    assert data.missing() is None
    assert save_images(read_images(zipped(good(29)), "pets.zip", 16, grey=False)) != source


def test_an_experiment_names_them_and_takes_them_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = save_images(read_images(zipped(good(20)), "pets.zip", 8))
    experiment = Experiment(family="autoencoder", dataset="own-images", data={"source": source})
    assert Experiment.from_query(experiment.to_query()) == (experiment, [])
    made = RunFolder.create(tmp_path / "one", experiment)
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "two"))
    own_images._load.cache_clear()
    assert "are not on this machine: upload them again." in str(experiment.data.missing())
    assert RunFolder(made.path).experiment() == experiment
    assert experiment.data.missing() is None


@pytest.mark.parametrize("source", ["../../etc/passwd", "0" * 15, "g" * 16])
def test_only_a_hash_names_images(source: str) -> None:
    with pytest.raises(ConfigError, match="names no saved images: upload some first"):
        build(OwnImages, {"source": source})


def test_damaged_or_foreign_files_are_said(tmp_path: Path) -> None:
    from playground.data.custom import save_points
    from playground.data.upload import from_drawing

    points = save_points(from_drawing([[0.1 * i, 0.2 * i] for i in range(-4, 5)] * 2))
    with pytest.raises(ConfigError, match="is damaged: upload them again"):
        OwnImages(source=points).load()
    images_file("1" * 16).write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(ConfigError, match="is damaged"):
        load_images("1" * 16)


def test_the_example_is_there_without_any_upload() -> None:
    data = dataset("own-images")()
    assert data.shape == (1, 28, 28)
    assert data.classes == ("square", "star")
    assert len(data.load()[0].x) == 240
