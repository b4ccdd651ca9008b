"""Bringing one's own points: whatever is wrong with a file, it is said in a sentence and the run stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.thumbnails import thumbnail
from playground.data import datasets, upload
from tests.fakes import FakeEngine
from tests.page_room import ROUTER

GOOD = b"height,weight,age\n" + b"\n".join(b"%d,%d,%d" % (i % 10, i // 10, i) for i in range(100))


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))


def dialog() -> AppTest:
    at = AppTest.from_file(ROUTER, default_timeout=60)
    at.session_state["bring"] = "upload"
    at.run()
    assert not at.exception
    return at


def give(at: AppTest, content: bytes) -> AppTest:
    at.session_state["bring"] = "upload"
    at.file_uploader(key="csv").set_value(("points.csv", content, "text/csv")).run()
    assert not at.exception
    return at


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2\n3,x\n", "Row 3"),
        (b"a,b\n1,2\nnan,4\n", "Row 3"),
        (b"a\n1\n2\n", "one column"),
        (b"a,b\n", "no rows"),
        ("a,b\n1,é\n".encode("latin-1"), "UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0", "PNG"),
        (b"1,2\n" * 1_100_000, "1,100,000 rows"),
    ],
    ids=["text", "nan", "one-column", "no-rows", "encoding", "binary", "too-long"],
)
def test_a_bad_file_gets_a_sentence_and_the_run_stays(engine: FakeEngine, content: bytes, said: str) -> None:
    at = dialog()
    run = at.session_state["lab"].run
    engine.become(run, "running", step=10)
    give(at, content)
    assert said in "\n".join(e.value for e in at.error)
    assert at.session_state["lab"].run == run
    assert engine.status(run).state == "running"


def test_two_columns_of_a_file_become_the_data(engine: FakeEngine) -> None:
    at = give(dialog(), GOOD)
    assert not at.error
    at.session_state["bring"] = "upload"
    at.button(key="use-csv").click().run()
    assert not at.exception
    experiment = engine.experiment(at.session_state["lab"].run)
    assert experiment.dataset == upload.ID
    assert experiment.value("source")


def test_every_data_set_has_a_picture_of_its_own() -> None:
    here = [name for name, kind in datasets().items() if kind().players() is None and not kind().missing()]
    pictures = [thumbnail(name) for name in here]
    assert len(set(pictures)) == len(pictures)
    assert all(p.startswith("data:image/png;base64,") for p in pictures)
