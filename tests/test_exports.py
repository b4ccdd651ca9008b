"""What other tools read of a run: each file is read back by its own tool and holds the run's numbers."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import onnxruntime
import pyarrow.parquet
import pytest
import torch
from safetensors import safe_open
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from playground import exports
from playground.__main__ import main
from playground.config import ConfigError
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.families import families
from playground.latent import moments
from playground.rng import fresh
from playground.store import RunFolder, tables

DIGITS = Experiment.of("gan").on("digits")
AUTOENCODER = Experiment.of("autoencoder").on("digits")
RUNS = {
    **{name: Experiment.of(name) for name in families()},
    "wgan": Experiment().changed(loss="wasserstein-gp", packing=2, spectral=True, ema=0.9),
    "minibatch": Experiment().changed(minibatch="std"),
    "dcgan": DIGITS.changed(body="dcgan", maps=4),
    "upsample": DIGITS.changed(body="upsample", maps=4),
    "convolutional": AUTOENCODER.changed(body="conv", maps=4),
    "tied": AUTOENCODER.changed(tied=True),
    "recurrent": Experiment.of("autoencoder").on("sines").changed(body="recurrent"),
}


def trained(root, experiment: Experiment, steps: int = 2) -> RunFolder:
    folder = RunFolder.create(root, experiment.changed(device="cpu", score_every=10, keyframe_every=10))
    loop = Loop(folder.experiment(), folder)
    loop.advance(steps)
    loop.keyframe()
    folder.release()
    return folder


@pytest.mark.parametrize("name", RUNS)
def test_onnx_files_do_what_the_model_does(tmp_path, name):
    folder = trained(tmp_path, RUNS[name])
    model, shape = moments.of(folder.load_keyframe()), RUNS[name].data.shape
    theirs = {"discriminator": "discriminate", "encoder": "encode", "decoder": "decode", "generator": "generate"}
    made = exports.onnx(folder)
    assert made.keys() <= theirs.keys()
    assert len(made) == (2 if {"score", "encode"} & model.family.abilities else 1)
    for part, blob in made.items():
        session = onnxruntime.InferenceSession(blob)
        for n in (1, 5):  # any number of rows, not that of the example
            size = shape if part in ("discriminator", "encoder") else (model.codings,)
            x = torch.rand(n, *size, generator=fresh(n, "test"))
            (y,) = session.run(None, {"x": x.numpy()})
            expected = getattr(model.family, theirs[part])(x).numpy()
            np.testing.assert_allclose(y, expected, atol=1e-4, rtol=1e-3)


def test_weights_hold_the_networks_and_say_what_they_are(tmp_path):
    folder = trained(tmp_path, Experiment().changed(ema=0.5), 3)
    (tmp_path / "w.safetensors").write_bytes(exports.weights(folder))
    model = moments.of(folder.load_keyframe()).family
    with safe_open(tmp_path / "w.safetensors", "pt") as file:
        about = file.metadata()
        assert about["step"] == "3"
        assert Experiment.from_json(json.loads(about["experiment"])) == folder.experiment()
        assert {name.split("/")[0] for name in file.keys()} == {"g", "d", "average"}  # noqa: SIM118  # not a dict
        for network, module in model.modules().items():
            for name, value in module.state_dict().items():
                assert torch.equal(file.get_tensor(f"{network}/{name}"), value)


def test_a_zip_of_onnx_files_says_what_goes_in_and_out(tmp_path):
    folder = trained(tmp_path, DIGITS)
    with zipfile.ZipFile(io.BytesIO(exports.packed(folder, 0))) as archive:
        assert sorted(archive.namelist()) == ["README.txt", "discriminator.onnx", "generator.onnx"]
        told = archive.read("README.txt").decode()
    assert "step 0: " in told
    assert f"generator.onnx  x (n, {folder.experiment().model.noise_dim}) -> y (n, 1, 8, 8)" in told


@pytest.fixture(scope="module")
def scored(tmp_path_factory) -> RunFolder:
    return trained(tmp_path_factory.mktemp("runs"), Experiment(), 25)


def test_the_table_has_a_row_a_step_and_gaps_where_nothing_was_measured(scored):
    table, train, scores = tables.table(scored), scored.train(), scored.scores()
    assert table["step"].tolist() == train["step"].tolist()
    np.testing.assert_array_equal(table["loss/d"], train["loss/d"])
    found = table["dist/sw"]
    assert np.flatnonzero(~np.isnan(found)).tolist() == [table["step"].tolist().index(step) for step in (10, 20)]
    assert found[~np.isnan(found)].tolist() == [row["dist/sw"] for row in scores]


def test_csv_and_parquet_hold_the_same_numbers(scored):
    table = tables.table(scored)
    read = pyarrow.parquet.read_table(io.BytesIO(tables.numbers(scored, "parquet")))
    assert read.column_names == list(table)
    assert json.loads(read.schema.metadata[b"experiment"]) == scored.experiment().to_json()
    for name, column in table.items():
        np.testing.assert_array_equal(read[name].to_numpy(), column)
    assert read["dist/sw"].null_count == len(table["step"]) - 2
    lines = tables.numbers(scored, "csv").decode().splitlines()
    assert lines[0].split(",") == list(table)
    last = dict(zip(lines[0].split(","), lines[-1].split(","), strict=True))
    assert last["step"] == str(table["step"][-1])
    assert float(last["loss/g"]) == pytest.approx(table["loss/g"][-1], rel=1e-8)
    assert last["dist/sw"] == ""


def test_tensorboard_reads_its_file(scored, tmp_path):
    (tmp_path / "events.out.tfevents.1.run").write_bytes(tables.numbers(scored, "tfevents"))
    read = EventAccumulator(str(tmp_path))
    read.Reload()
    table = tables.table(scored)
    assert set(read.Tags()["scalars"]) == set(table) - {"step"}
    for name in ("loss/d", "dist/sw"):
        there = ~np.isnan(table[name])
        assert [event.step for event in read.Scalars(name)] == table["step"][there].tolist()
        assert [event.value for event in read.Scalars(name)] == pytest.approx(table[name][there].tolist(), rel=1e-6)


@pytest.mark.parametrize("file", ["w.safetensors", "m.onnx.zip", "n.csv", "n.parquet", "events.tfevents"])
def test_the_command_line_writes_each_of_them(tmp_path, monkeypatch, capsys, file):
    folder = trained(tmp_path, Experiment())
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    assert main(["export", folder.run_id, "--out", str(tmp_path / file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["bytes"] == (tmp_path / file).stat().st_size > 0
    assert told["format"] == file.split(".", 1)[1]
    said = ["--format", told["format"], "--out", str(tmp_path / "named-otherwise")]
    assert main(["export", folder.run_id, *said]) == 0
    assert (tmp_path / "named-otherwise").stat().st_size > 0


def test_what_cannot_be_written_is_one_sentence(scored):
    with pytest.raises(ConfigError, match="csv, parquet, tfevents"):
        tables.numbers(scored, "xlsx")
