"""The model's route over a real socket: decodes and encodes of saved moments, and every way to ask wrongly."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import uvicorn
from engine_room import shared_engine, tiny, until
from starlette.applications import Starlette

from playground.blobs import decode
from playground.config import ConfigError
from playground.engine import asked, stream
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.latent import moments
from playground.store import RunFolder, StoreError, new_id


def coder():
    """A small convolution-free model on the small digits."""
    return Experiment.of("vae").changed(device="cpu", seed=6, codings=3, keyframe_every=10, batch=16)


@pytest.fixture(scope="module")
def server():
    """Serve the routes of the shared engine; return host:port."""
    config = uvicorn.Config(Starlette(routes=stream.routes(shared_engine())), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started, "the server")
    yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def run():
    """Train a run in this process under the shared engine's folder; return its id and loop."""
    folder = RunFolder.create(shared_engine().root, coder(), new_id(coder()))
    loop = Loop(coder(), folder)
    loop.advance(20)
    folder.release()
    return folder.run_id, loop


def ask(server, run, body, *, token=None, origin=None):
    """Return the status and the answer: arrays and meta of a blob, or what the JSON says."""
    token = shared_engine().token if token is None else token
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(
        f"http://{server}/playground/model/{run}?token={token}", content,
        {"Origin": origin or f"http://{server}", "Content-Type": "application/json"},
    )  # fmt: skip
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, decode(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def shown(items):
    return (items.clamp(0, 1) * 255).round().to(torch.uint8)[:, 0].numpy()


def test_codes_are_decoded_as_the_model_does(server, run):
    codes = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
    status, (arrays, meta) = ask(server, run[0], {"do": "decode", "codes": codes.tolist()})
    assert status == 200
    assert meta == {"run": run[0], "step": 20, "kind": "images"}
    assert (arrays["items"].shape, arrays["items"].dtype) == ((64, 8, 8), np.uint8)
    np.testing.assert_array_equal(arrays["items"], shown(run[1].family.decode(codes)))


def test_items_are_encoded_and_rebuilt(server, run):
    x = run[1].data.held_out(5, 0).x
    status, (arrays, _) = ask(server, run[0], {"do": "encode", "items": shown(x).tolist(), "step": None})
    assert status == 200
    expected = run[1].family.encode(torch.from_numpy(shown(x)[:, None] / np.float32(255)))
    np.testing.assert_allclose(arrays["codes"], expected, atol=1e-5)
    np.testing.assert_allclose(arrays["items"].astype(float), shown(run[1].family.decode(expected)), atol=1)


def test_an_earlier_moment_answers_as_it_was(server, run):
    codes = [[0.5, -0.5, 1.0]]
    answers = {step: ask(server, run[0], {"do": "decode", "codes": codes, "step": step})[1] for step in (0, 15, 20)}
    assert [meta["step"] for _, meta in answers.values()] == [0, 10, 20]
    assert not np.array_equal(answers[0][0]["items"], answers[20][0]["items"])
    fresh = moments.untrained(coder()).decode(codes)
    np.testing.assert_array_equal(answers[0][0]["items"], shown(torch.from_numpy(fresh)))


def test_a_run_that_was_not_started_answers_untrained(server):
    run = shared_engine().prepare(coder())
    status, (_, meta) = ask(server, run, {"do": "decode", "codes": [[0, 0, 0]]})
    assert (status, meta["step"]) == (200, 0)
    assert shared_engine().folder(run) is None


def test_many_ask_at_once_and_each_gets_its_own(server, run):
    def one(i):
        codes = [[i / 10, 0.0, -i / 10]]
        _, (arrays, _) = ask(server, run[0], {"do": "decode", "codes": codes})
        return np.array_equal(arrays["items"], shown(run[1].family.decode(torch.tensor(codes))))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(24)))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{", "A question is"),
        (b"[]", "A question is"),
        ({"do": "dance"}, "A question is"),
        ({"do": "decode"}, "codes are rows of 3 numbers"),
        ({"do": "decode", "codes": []}, "codes are rows of 3 numbers"),
        ({"do": "decode", "codes": [[0, 0]]}, "codes are rows of 3 numbers"),
        ({"do": "decode", "codes": [[0, 0, 0], [0]]}, "nested lists of numbers"),
        ({"do": "decode", "codes": [["a", 0, 0]]}, "nested lists of numbers"),
        ({"do": "decode", "codes": [[None, 0, 0]]}, "not finite"),
        ({"do": "decode", "codes": [[1e300, 0, 0]]}, "not finite"),
        ({"do": "decode", "codes": [[0, 0, 0]] * 257}, "256 is the most"),
        ({"do": "encode", "items": [[0] * 64]}, "8 x 8"),
        ({"do": "decode", "codes": [[0, 0, 0]], "step": -1}, "step is -1"),
        ({"do": "decode", "codes": [[0, 0, 0]], "step": "last"}, "step is 'last'"),
        (b" " * (asked.LARGEST + 1), "larger than 4 MB"),
    ],
)
def test_what_is_no_question_is_one_sentence(server, run, body, sentence):
    status, told = ask(server, run[0], body)
    assert status == 400
    assert sentence in told["error"]


@pytest.mark.parametrize("run_id", ["ring8-0000dead", "..", "x"])
def test_an_unknown_run_is_one_sentence(server, run_id):
    status, told = ask(server, run_id, {"do": "decode", "codes": [[0]]})
    assert status == 400
    assert "run" in told["error"]


def test_a_generator_makes_samples_of_codes_and_does_not_encode(server):
    run = shared_engine().prepare(tiny(noise_dim=2))
    status, (arrays, meta) = ask(server, run, {"do": "decode", "codes": [[0, 0], [1, -1]]})
    made = moments.untrained(tiny(noise_dim=2)).family.generate(torch.tensor([[0.0, 0], [1, -1]]))
    assert status == 200
    assert meta["kind"] == "points"
    assert np.allclose(arrays["items"], made.detach().numpy())
    status, told = ask(server, run, {"do": "encode", "items": [[0, 0]]})
    assert status == 400
    assert "does not encode: project the items" in told["error"]


@pytest.mark.parametrize("wrong", [{"token": "guess"}, {"token": ""}, {"origin": "http://elsewhere.example"}])
def test_strangers_are_refused(server, run, wrong):
    status, told = ask(server, run[0], {"do": "decode", "codes": [[0, 0, 0]]}, **wrong)
    assert status == 403
    assert "Only this server" in told["error"]


# -- moments in memory ------------------------------------------------------------------------------------------------


def test_moments_are_kept_and_told_apart(run, monkeypatch, tmp_path):
    monkeypatch.setenv("PLAYGROUND_HOME", str(shared_engine().root))
    last = moments.moment(run[0])
    assert last.step == 20
    assert last is moments.moment(run[0], 25)
    assert moments.moment(run[0], 12).step == 10
    assert last.codings == 3
    with pytest.raises(StoreError, match="no run"):
        moments.moment("digits-00000000")
    monkeypatch.setattr(moments, "KEPT", 2)
    for step in (0, 10, 20, 0):
        assert moments.moment(run[0], step).step == step
    assert len(moments._kept) == 2


def test_a_moment_that_was_lived_again_is_another(tmp_path):
    folder = RunFolder.create(tmp_path, coder())
    loop = Loop(coder(), folder)
    loop.advance(20)
    before = moments.saved(folder, 20).decode([[1.0, 0, 0]])
    loop.rewind(10)
    loop.set({"lr": 0.05})
    loop.advance(10)
    folder.release()
    assert not np.array_equal(before, moments.saved(folder, 20).decode([[1.0, 0, 0]]))


def test_a_moment_of_a_generator_says_what_it_cannot_do():
    made = moments.untrained(tiny(noise_dim=7))
    assert made.codings == 7
    assert made.decode(np.zeros((3, 7))).shape == (3, 2)
    with pytest.raises(ConfigError, match="does not encode"):
        made.encode(np.zeros((1, 2)))
