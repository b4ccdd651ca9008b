"""The stream over a real socket: frames when asked for, verbs acknowledged, strangers refused, files from assets."""

from __future__ import annotations

import csv
import io
import json
import threading
import urllib.error
import urllib.request

import pytest
import uvicorn
from engine_room import becomes, play_to, shared_engine, tiny, until
from starlette.applications import Starlette
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from playground.engine import stream
from playground.engine.frames import decode


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


@pytest.fixture
def run():
    """Prepare a run, stopped after the test."""
    engine = shared_engine()
    made = engine.prepare(tiny())
    yield made
    engine.send(made, "stop")


def watch(server, run, token=None, origin=None):
    token = shared_engine().token if token is None else token
    return connect(f"ws://{server}/playground/stream/{run}?token={token}", origin=origin or f"http://{server}")


def say(socket, **message):
    socket.send(json.dumps(message))


def receive(socket, kind):
    """Return the next message of a kind: "frame" (number, arrays, meta), "ack" or "idle"."""
    while True:
        message = socket.recv(timeout=60)
        if isinstance(message, bytes):
            if kind == "frame":
                return int.from_bytes(message[:8], "little"), *decode(message[8:])
        elif kind in (told := json.loads(message)):
            return told


def test_frames_come_when_asked_for_and_only_then(server, run):
    with watch(server, run) as socket:
        say(socket, next=0, layers=["real", "fake"])
        number, arrays, meta = receive(socket, "frame")
        assert set(arrays) == {"real", "fake"}
        assert meta["state"] == "ready"
        say(socket, id=1, do="play")
        assert receive(socket, "ack")["ok"]
        say(socket, next=number)
        later, _, meta = receive(socket, "frame")
        assert later > number
        until(lambda: shared_engine().frame(run)[0] > later + 1, "frames that a slow reader skips")
        say(socket, next=later)
        newest, _, meta = receive(socket, "frame")
        assert newest > later + 1


def test_verbs_are_acknowledged_in_order_and_refusals_are_sentences(server, run):
    with watch(server, run) as socket:
        for i in range(1, 6):
            say(socket, id=i, do="step", n=i)
        say(socket, id=6, do="set", values={"g_width": 9})
        say(socket, id=7, do="pick", i=2)
        answers = [receive(socket, "ack") for _ in range(7)]
    assert [a["ack"] for a in answers] == [1, 2, 3, 4, 5, 6, 7]
    assert [a["step"] for a in answers[:5]] == [1, 3, 6, 10, 15]
    assert "cannot change on a running model" in answers[5]["error"]
    assert set(answers[6]["data"]) == {"z", "x", "d"}


def test_the_status_is_told_where_nothing_new_is_to_be_seen(server, run):
    with watch(server, run) as socket:
        say(socket, next=0, layers=["fake"])
        number = receive(socket, "frame")[0]
        say(socket, next=number)
        idle = receive(socket, "idle")["idle"]
    assert {"state", "step", "sps", "queue", "error", "past", "keyframes", "experiment_version"} <= idle.keys()
    assert idle["state"] == "ready"


def test_a_number_from_before_a_restart_does_not_keep_frames_away(server, run):
    with watch(server, run) as socket:
        say(socket, next=10_000, layers=["fake"])
        assert receive(socket, "frame")[0] < 10_000


def test_a_connection_is_a_viewer(server, run):
    engine = shared_engine()
    with watch(server, run), watch(server, run):
        until(lambda: engine.status(run).viewers == 2, "two viewers")
    until(lambda: engine.status(run).viewers == 0, "no viewer")


@pytest.mark.parametrize("wrong", [{"token": "guess"}, {"token": ""}, {"origin": "http://elsewhere.example"}])
def test_strangers_are_refused(server, run, wrong):
    with pytest.raises(InvalidStatus, match="403"):
        watch(server, run, **wrong)


def test_who_names_no_origin_is_refused(server, run):
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://{server}/playground/stream/{run}?token={shared_engine().token}")


def test_an_unknown_run_is_told_and_closed(server):
    with watch(server, "ring8-0000dead") as socket:
        assert "There is no run" in receive(socket, "error")["error"]


def test_nonsense_is_answered_and_the_connection_stays(server, run):
    with watch(server, run) as socket:
        for nonsense in ("{", "[]", "7", '{"next": "x"}', '{"do": 5}'):
            socket.send(nonsense)
        say(socket, id=1, do="dance")
        while (answer := receive(socket, "ack"))["ack"] != 1:
            assert not answer["ok"]
        assert "no command" in answer["error"]


def fetch(server, path, **headers):
    request = urllib.request.Request(f"http://{server}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


def test_assets_come_with_a_tag_and_only_from_their_folder(server, tmp_path, monkeypatch):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "stage.js").write_text("export {}")
    (tmp_path / "assets" / "notes.txt").write_text("no script")
    (tmp_path / "secret.js").write_text("secret")
    (tmp_path / "assets" / "link.js").symlink_to(tmp_path / "secret.js")
    monkeypatch.setattr(stream, "ASSETS", tmp_path / "assets")
    status, content, headers = fetch(server, "/playground/assets/stage.js")
    assert (status, content) == (200, b"export {}")
    assert headers["content-type"].startswith("text/javascript")
    assert fetch(server, "/playground/assets/stage.js", **{"If-None-Match": headers["etag"]})[0] == 304
    for path in ("../secret.js", "%2e%2e%2fsecret.js", "..%5csecret.js", "notes.txt", "none.js", "", ".js", "link.js"):
        assert fetch(server, f"/playground/assets/{path}")[0] == 404, path


def test_metrics_are_one_table(server, run):
    engine = shared_engine()
    assert fetch(server, f"/playground/runs/{run}/metrics.csv")[1] == b"step\n"
    play_to(engine, run, 510)
    becomes(engine, run, "paused")
    status, content, headers = fetch(server, f"/playground/runs/{run}/metrics.csv")
    assert status == 200
    assert run in headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    train = engine.folder(run).train()
    assert [int(row["step"]) for row in rows] == train["step"].tolist()
    assert float(rows[3]["loss/d"]) == pytest.approx(float(train["loss/d"][3]), rel=1e-8)
    assert rows[3]["dist/js"] == ""
    assert float(next(row for row in rows if row["step"] == "500")["dist/js"]) > 0
    assert fetch(server, "/playground/runs/ring8-0000dead/metrics.csv")[0] == 404
