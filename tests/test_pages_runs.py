"""The runs page, and the lab with real training behind it, through AppTest."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

import playground.engine
from playground.experiment import Experiment
from playground.store import About, Group, RunFolder, about, fork, group
from playground.store.index import Row
from tests.engine_room import play_to, shared_engine, tiny
from tests.fakes import FakeEngine
from tests.page_room import ROUTER, shows


def runs_page() -> AppTest:
    at = AppTest.from_file(ROUTER, default_timeout=60).run()
    return shows(at.switch_page("runs.py").run())


def words(at: AppTest) -> str:
    html = [re.sub("<[^>]*>", "\n", element.proto.body) for element in at.get("html")]
    return "\n".join([*(element.value for kind in (at.markdown, at.error, at.info) for element in kind), *html])


def test_without_runs_it_says_what_will_be_here(engine: FakeEngine) -> None:
    assert "is kept here" in words(runs_page())


def test_each_run_says_where_it_stands(engine: FakeEngine) -> None:
    first, second, third = (engine.prepare(Experiment()) for _ in range(3))
    engine.become(first, "running", step=1200)
    engine.become(second, "failed", error="The loss of D became NaN at step 7.")
    engine.become(third, "queued", queue=1)
    said = words(runs_page())
    for part in (first, "step 1,200", "NaN at step 7", f"Waiting for a free core: {third}"):
        assert part in said


def test_the_rows_of_runs_that_train_follow_them(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.parts.run_follow.EVERY", 0.0)  # the first look comes at once
    run, known = engine.prepare(Experiment()), engine.rows
    engine.become(run, "running", step=1200)

    def rows(preset: object = None) -> list[Row]:
        engine.become(run, "running", step=engine.status(run).step + 100)
        return known(preset)

    monkeypatch.setattr(engine, "rows", rows)
    said = words(runs_page())
    assert "step 1,400" in said
    assert "step 1,300" not in said  # what was drawn before is replaced


def test_a_run_is_opened_in_the_lab(engine: FakeEngine) -> None:
    run = engine.prepare(Experiment(dataset="moons"))
    engine.become(run, "paused", step=10)
    at = shows(runs_page().button(key=f"open-{run}").click().run())
    assert at.session_state["lab"].run == run


def test_a_run_goes_on_without_a_viewer(engine: FakeEngine) -> None:
    run = engine.prepare(Experiment())
    engine.become(run, "stopped", step=10)
    shows(runs_page().button(key=f"go-{run}").click().run())
    assert engine.status(run).state == "running"
    assert engine.status(run).pinned


def test_a_run_is_pinned_and_let_go(engine: FakeEngine) -> None:
    run = engine.prepare(Experiment())
    engine.become(run, "running", step=10)
    at = shows(runs_page().toggle(key=f"pin-{run}").set_value(True).run())
    assert engine.status(run).pinned
    shows(at.toggle(key=f"pin-{run}").set_value(False).run())
    assert not engine.status(run).pinned


def test_a_run_is_deleted_and_brought_back(engine: FakeEngine) -> None:
    run = engine.prepare(Experiment())
    engine.become(run, "stopped", step=10)
    at = shows(runs_page().button(key=f"delete-{run}").click().run())
    assert run not in engine.known
    assert f"Deleted **{run}**" in words(at)
    at = shows(at.button(key="bring-back").click().run())
    assert run in engine.known
    assert f"Deleted **{run}**" not in words(at)


def test_runs_are_found_by_words_by_stars_and_in_order(engine: FakeEngine, tmp_path: Path) -> None:
    made = {name: on_disk(engine, tmp_path, dataset=name) for name in ("ring8", "moons", "grid9")}
    about.write(engine.folders[made["ring8"]].path, About(name="Zebra", tags=("class 7b",), note="lost two modes"))
    about.write(engine.folders[made["moons"]].path, About(name="Apple", star=True))
    at = shows(runs_page())
    assert listed(at) == list(made.values())[::-1]
    assert "class 7b" in words(at)
    for search, found in (("two 7B", ["ring8"]), ("moon", ["moons"]), ("nothing", []), ("", list(made)[::-1])):
        at = shows(at.text_input(key="search").set_value(search).run())
        assert listed(at) == [made[name] for name in found]
    assert listed(shows(at.toggle(key="starred").set_value(True).run())) == [made["moons"]]
    at.toggle(key="starred").set_value(False)
    at = shows(at.selectbox(key="runs-order").set_value("title").run())
    assert listed(at).index(made["moons"]) < listed(at).index(made["ring8"])


def test_a_run_is_named_tagged_and_starred(engine: FakeEngine, tmp_path: Path) -> None:
    run = on_disk(engine, tmp_path, dataset="ring8")
    at = shows(runs_page().button(key=f"star-{run}").click().run())
    at.text_input(key=f"name-{run}").set_value("  The *good*   one ")
    at.text_area(key=f"note-{run}").set_value("keep")
    at = shows(at.button(key=f"keep-{run}").click().run())
    assert about.read(engine.folders[run].path) == About(name="The *good* one", note="keep", star=True)
    assert "The *good* one" in words(at)


def test_words_that_find_no_room_are_refused_in_a_sentence(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = on_disk(engine, tmp_path, dataset="ring8")
    at = runs_page()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(about, "write_whole", full)
    at = shows(at.button(key=f"star-{run}").click().run())
    assert [error.value for error in at.error] == [
        f"The disk that holds {tmp_path} is full: all that was saved is there; make room on it, then go on."
    ]
    assert not about.read(engine.folders[run].path).star


def test_several_runs_are_tagged_starred_deleted_and_brought_back(engine: FakeEngine, tmp_path: Path) -> None:
    made = [on_disk(engine, tmp_path, dataset=name) for name in ("ring8", "moons", "grid9")]
    at = runs_page()
    for run in made[:2]:
        at = shows(at.checkbox(key=f"pick-{run}").check().run())
    assert "2 selected" in words(at)
    at = shows(at.button(key="star-picked").click().run())
    at.text_input(key="tag-word").set_value("Class 7B").run()
    at = shows(at.button(key="tag-add").click().run())
    said = [about.read(engine.folders[run].path) for run in made]
    assert [one.star for one in said] == [True, True, False]
    assert [one.tags for one in said] == [("class 7b",), ("class 7b",), ()]
    at = shows(at.button(key="delete-picked").click().run())
    assert listed(at) == made[2:]
    assert "Deleted **2 runs**" in words(at)
    at = shows(at.button(key="bring-back").click().run())
    assert sorted(listed(at)) == sorted(made)


def test_ticked_runs_are_compared(engine: FakeEngine, tmp_path: Path) -> None:
    made = [on_disk(engine, tmp_path, dataset=name) for name in ("ring8", "moons", "grid9")]
    at = runs_page()
    for run in made[1:]:
        at = shows(at.checkbox(key=f"pick-{run}").check().run())
    at = shows(at.button(key="compare-picked").click().run())
    assert at.multiselect(key="compared").value == made[1:]


def test_runs_are_sorted_by_a_metric_and_filtered(engine: FakeEngine, tmp_path: Path) -> None:
    made = {name: on_disk(engine, tmp_path, dataset=name) for name in ("ring8", "moons", "grid9")}
    for name, value in (("ring8", 0.2), ("moons", 0.1), ("grid9", 0.3)):
        engine.folders[made[name]].append_scores(10, {"dist/js": value})
        engine.folders[made[name]].append_scores(20, {"dist/js": 1 - value})
    at = shows(runs_page().selectbox(key="runs-order").set_value("dist/js").run())
    assert listed(at) == [made["grid9"], made["ring8"], made["moons"]]  # the smallest first: they are the best
    at = shows(at.segmented_control(key="runs-figure").set_value("best").run())
    assert listed(at) == [made["moons"], made["ring8"], made["grid9"]]
    at = shows(at.button(key="runs-turn").click().run())
    assert listed(at) == [made["grid9"], made["ring8"], made["moons"]]
    at = shows(at.pills(key="filter-datasets").set_value(["moons", "grid9"]).run())
    assert listed(at) == [made["grid9"], made["moons"]]
    assert "2 of 3 runs" in words(at)


def test_the_runs_of_a_race_stand_together(engine: FakeEngine, tmp_path: Path) -> None:
    made = [on_disk(engine, tmp_path, dataset=name) for name in ("ring8", "moons", "grid9")]
    for run, label in ((made[0], "penalty: R1"), (made[2], "penalty: none")):
        group.write(engine.folders[run].path, Group(kind="race", id="race-1", label=label))
    at = runs_page()
    assert listed(at) == [made[2], made[0], made[1]]
    assert at.toggle(key="unfold-race-1").label == "Race of 2 runs"
    assert listed(shows(at.toggle(key="unfold-race-1").set_value(False).run())) == [made[1]]
    at = shows(at.button(key="select-race-1").click().run())
    assert "2 selected" in words(at)


def test_families_are_drawn_and_without_one_it_says_how_to_begin_one(engine: FakeEngine, tmp_path: Path) -> None:
    run = on_disk(engine, tmp_path, dataset="ring8")
    at = shows(runs_page().segmented_control(key="runs-view").set_value("tree").run())
    assert "No run was forked yet" in words(at)
    engine.keep(fork(engine.folders[run]))
    assert shows(at.run()).get("plotly_chart")


def on_disk(engine: FakeEngine, root: Path, **what: str) -> str:
    folder = RunFolder.create(root, Experiment(**what))
    folder.save_keyframe(0, {"x": torch.zeros(1)}, folder.experiment())
    return engine.keep(folder)


def listed(at: AppTest) -> list[str]:
    return [button.key.removeprefix("open-") for button in at.button if str(button.key).startswith("open-")]


def test_a_lab_whose_run_was_deleted_begins_anew(engine: FakeEngine) -> None:
    at = shows(AppTest.from_file(ROUTER, default_timeout=60).run())
    engine.delete(at.session_state["lab"].run)
    shows(at.run())
    assert at.session_state["lab"].run in engine.known


def test_the_lab_shows_what_a_real_run_has_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = shared_engine()
    monkeypatch.setattr(playground.engine, "get_engine", lambda: engine)
    monkeypatch.setattr("pages.parts.live.get_engine", lambda: engine)
    run = engine.prepare(tiny(score_every=20))
    play_to(engine, run, 60)
    at = AppTest.from_file(ROUTER, default_timeout=60)
    at.query_params["run"] = run
    shows(at.run())
    assert at.session_state["lab"].run == run
    for tab in ("Losses", "D(x)", "Gradients", "Modes", "Distances"):
        shows(at.segmented_control(key="curves").select(tab).run())
        assert at.get("plotly_chart")
    runs = shows(at.switch_page("runs.py").run())
    assert "Too early to say" in words(runs)
    engine.delete(run)
