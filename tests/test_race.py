"""Races: equal starts, runs that keep together, and what becomes of a race when one of its runs does not."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest
import torch

import playground
from playground import racing
from playground.config import ConfigError
from playground.engine import Engine, EngineError
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.store import Group, group, races
from tests.engine_room import becomes, history, reference, shared_engine, tiny, until

LOSSES = ["non-saturating", "hinge", "least-squares"]


def weights(experiment: Experiment, net: str) -> list[torch.Tensor]:
    return [tensor for name, tensor in Loop(experiment).family.state().items() if name.startswith(f"{net}/")]


def batch(experiment: Experiment, taken: int = 0) -> torch.Tensor:
    loop = Loop(experiment)
    return loop.family.take(loop.family.rows, taken, loop.rng)


def steps(race: str) -> list[int]:
    engine = shared_engine()
    return [engine.status(run).step for run in engine.races.get(race).card.runs]


def started(knob: str = "loss", values: list | None = None, **base) -> str:
    engine = shared_engine()
    card = racing.plan(tiny(**base), knob, LOSSES if values is None else values)
    engine.races.start(card)
    return card.id


@pytest.fixture(scope="module")
def losses():
    name = started()
    yield name
    shared_engine().send(name, "stop")


@pytest.fixture
def race(losses: str):
    """A race of three losses that nobody minds, back at its start."""
    shared_engine().send(losses, "pause")
    shared_engine().send(losses, "reset")
    shared_engine().send(losses, "until")
    return losses


# -- plans ------------------------------------------------------------------------------------------------------------


def test_racers_differ_in_nothing_but_the_knob() -> None:
    base = tiny(lr_d=3e-3)
    card = racing.plan(base, "loss", LOSSES)
    assert [racer.label for racer in card.racers] == ["non-saturating", "hinge", "least squares"]
    for racer, loss in zip(card.racers, LOSSES, strict=True):
        assert racer.experiment == base.changed(loss=loss)


def test_a_race_starts_from_the_same_weights_and_sees_the_same_batches() -> None:
    starts = [racer.experiment for racer in racing.plan(tiny(), "loss", LOSSES).racers]
    for other in starts[1:]:
        for net in ("g", "d"):
            for a, b in zip(weights(starts[0], net), weights(other, net), strict=True):
                assert torch.equal(a, b)
        for taken in (0, 16, 160):
            assert torch.equal(batch(starts[0], taken), batch(other, taken))
    assert racing.starts(starts).sentence == "All start from the same weights and see the same batches."


def test_a_structural_knob_says_which_networks_differ() -> None:
    told = racing.starts([tiny(d_width=8), tiny(d_width=12)])
    assert told.nets == {"discriminator": False, "generator": True}
    assert told.batches
    assert told.sentence == ("The same first weights of the generator, others of the discriminator; the same batches.")


def test_seeds_share_nothing() -> None:
    told = racing.starts([tiny(seed=1), tiny(seed=2)])
    assert told.sentence == "All networks start from weights of their own, and see batches of their own."


def test_codes_of_an_autoencoder_change_shapes_and_not_the_batches() -> None:
    base = Experiment.of("autoencoder").changed(device="cpu")
    told = racing.starts([racer.experiment for racer in racing.plan(base, "codings", [2, 8]).racers])
    assert told.batches
    assert told.nets == {"encoder": False, "decoder": False}


@pytest.mark.parametrize(
    ("knob", "values", "says"),
    [
        ("loss", ["hinge"], "takes 2 to 6 values"),
        ("loss", ["hinge", "hinge"], "there twice"),
        ("lr_d", [1e-3 * i for i in range(1, 8)], "takes 2 to 6 values"),
        ("seed", list(range(13)), "takes 2 to 12 values"),
        ("steps", [10, 20], "cannot race"),
        ("lr_d", [1e-3, 7.0], "it takes a number"),
    ],
)
def test_what_is_no_race_is_refused_in_a_sentence(knob: str, values: list, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        racing.plan(tiny(), knob, values)


def test_values_worth_racing_are_suggested_for_every_field() -> None:
    for base in (Experiment(), Experiment.of("autoencoder"), Experiment.of("gan").on("digits")):
        for knob in racing.raced(base):
            values = racing.suggested(base, knob)
            if len(values) > 1:
                assert racing.plan(base, knob, values).knob == knob
    assert racing.suggested(tiny(lr_d=1e-3), "lr_d") == [1e-4, 1e-3, 1e-2]
    assert racing.suggested(tiny(), "spectral") == [False, True]
    assert racing.suggested(tiny(seed=7), "seed") == [7, 8, 9, 10]


def test_wilsons_interval_has_its_known_values() -> None:
    none, half = racing.wilson(0, 10), racing.wilson(5, 10)
    assert (round(none.low, 4), round(none.high, 4)) == (0.0, 0.2775)
    assert (round(half.low, 4), round(half.high, 4)) == (0.2366, 0.7634)
    assert str(racing.wilson(0, 0)) == "none judged yet"


def test_the_share_that_collapsed_leaves_out_who_is_not_judged_yet() -> None:
    early, learning = ("warming", "Warming up: 20 steps so far."), ("warming", "Still learning: 6 of 8 modes.")
    told = [(state, "") for state in ("healthy", "partial-collapse", "full-collapse", "diverged")]
    share = racing.collapsed([*told, early, learning])
    assert (share.k, share.n) == (2, 5)


# -- together ---------------------------------------------------------------------------------------------------------


def test_racers_keep_together_and_pause_at_the_same_step(race: str) -> None:
    engine = shared_engine()
    apart = []
    engine.send(race, "play")

    def far() -> bool:
        now = steps(race)
        apart.append(max(now) - min(now))
        return min(now) > 200

    until(far, "step 200")
    engine.send(race, "pause")
    assert len(set(steps(race))) == 1
    beat = engine.races.get(race)._beat
    assert max(apart) <= max(4 * beat, 1000)
    engine.send(race, "step", n=7)
    assert len(set(steps(race))) == 1
    assert {engine.status(run).state for run in engine.races.get(race).card.runs} == {"paused"}


def test_a_target_is_met_by_all_exactly(race: str) -> None:
    engine = shared_engine()
    engine.send(race, "until", steps=123)
    engine.send(race, "play")
    becomes(engine, race, "paused")
    assert steps(race) == [123, 123, 123]
    assert engine.status(race).until is None
    engine.send(race, "step", n=1)
    assert steps(race) == [124, 124, 124]
    until(lambda: engine.status(race).keyframes[-1] == 124, "the moment to be kept")


def test_racing_changes_no_number(race: str) -> None:
    engine = shared_engine()
    engine.send(race, "until", steps=600)
    engine.send(race, "play")
    becomes(engine, race, "paused")
    assert steps(race) == [600, 600, 600]
    for run, loss in zip(engine.races.get(race).card.runs, LOSSES, strict=True):
        assert history(engine.folder(run)) == reference(600, loss=loss)


def test_three_losses_on_the_ring_are_told_apart(race: str) -> None:
    engine = shared_engine()
    engine.send(race, "step", n=40)
    losses = [engine.folder(run).train()["loss/g"][-1] for run in engine.races.get(race).card.runs]
    assert len(set(losses)) == 3


def test_an_edit_acts_on_all_at_one_step_but_not_on_what_they_differ_in(race: str) -> None:
    engine = shared_engine()
    engine.send(race, "play")
    until(lambda: min(steps(race)) > 20, "step 20")
    engine.send(race, "set", values={"lr_g": 1e-4})
    until(lambda: all(engine.experiment(r).model.lr_g == 1e-4 for r in engine.races.get(race).card.runs), "the edit")
    engine.send(race, "pause")
    told = [
        [e["step"] for e in engine.folder(run).events() if e["kind"] == "set"]
        for run in engine.races.get(race).card.runs
    ]
    assert told[0] == told[1] == told[2]
    assert len(told[0]) == 1
    with pytest.raises(EngineError, match="start another race"):
        engine.send(race, "set", values={"loss": "hinge"})
    with pytest.raises(EngineError, match="cannot change on a running model"):
        engine.send(race, "set", values={"g_width": 12})


def test_reset_starts_all_again(race: str) -> None:
    engine = shared_engine()
    engine.send(race, "step", n=30)
    engine.send(race, "reset")
    assert steps(race) == [0, 0, 0]
    engine.send(race, "step", n=3)
    assert steps(race) == [3, 3, 3]


def test_a_race_takes_one_place_and_its_runs_know_it(race: str) -> None:
    engine = shared_engine()
    engine.send(race, "step", n=1)
    runs = engine.races.get(race).card.runs
    assert all(engine.record(run).worker for run in runs)
    assert engine.launcher._parties() <= engine.launcher.limit
    for run, label in zip(runs, ["non-saturating", "hinge", "least squares"], strict=True):
        assert group.read(engine.folder(run).path) == Group(kind="race", id=race, label=label)
    with pytest.raises(EngineError, match="drive it on the Race page"):
        engine.send(runs[0], "play")


def test_the_bar_of_a_race_speaks_like_a_run(race: str) -> None:
    engine = shared_engine()
    assert engine.status(started()).state == "ready"
    heard = []
    unlisten = engine.listen(race, lambda: heard.append(engine.status(race).state))
    engine.send(race, "step", n=2)
    unlisten()
    number, frame = engine.frame(race, 0)
    assert number > 0
    assert b'"step":2' in frame.replace(b"\\", b"").replace(b" ", b"")
    assert "paused" in heard
    with pytest.raises(EngineError, match="A race has no command 'trace'"):
        engine.send(race, "trace")


# -- when not all goes well -------------------------------------------------------------------------------------------


def test_a_race_that_finds_no_room_says_so_and_starts_when_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, name = shared_engine(), started()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(races, "write_whole", full)
        with pytest.raises(EngineError, match=r"The disk that holds .* is full"):
            engine.send(name, "play")
    assert engine.status(name).state == "ready"
    engine.send(name, "step", n=5)
    assert steps(name) == [5, 5, 5]
    engine.send(name, "stop")


def test_one_that_fails_is_left_behind_and_the_others_go_on() -> None:
    engine = shared_engine()
    plain = {"optimiser_d": "sgd", "optimiser_g": "sgd", "lr_g": 1.0, "d_width": 32, "g_width": 32}
    race = started("lr_d", [1.0, 1e-3, 1e-4], **plain, d_depth=3, g_depth=3)
    engine.send(race, "until", steps=300)
    engine.send(race, "play")
    becomes(engine, race, "paused")
    bad, *good = engine.races.get(race).card.runs
    assert engine.status(bad).state == "failed"
    assert [engine.status(run).step for run in good] == [300, 300]
    engine.send(race, "step", n=5)
    assert [engine.status(run).step for run in good] == [305, 305]
    engine.send(race, "stop")


def test_one_whose_worker_is_killed_catches_up(race: str) -> None:
    engine = shared_engine()
    engine.send(race, "step", n=300)
    victim = engine.races.get(race).card.runs[1]
    os.kill(engine.record(victim).worker.pid, signal.SIGKILL)
    becomes(engine, victim, "failed")
    assert engine.status(race).state == "paused"
    engine.send(race, "step", n=10)
    assert steps(race) == [310, 310, 310]
    assert history(engine.folder(victim)) == reference(310, loss="hinge")


@pytest.mark.slow
def test_a_deleted_racer_is_missed_by_nobody() -> None:
    engine = shared_engine()
    race = started()
    engine.send(race, "step", n=5)
    gone, *left = engine.races.get(race).card.runs
    engine.delete(gone)
    engine.send(race, "step", n=5)
    assert [engine.status(run).step for run in left] == [10, 10]
    engine.send(race, "stop")


@pytest.mark.slow
def test_a_race_survives_the_server_and_nobody_watching(tmp_path: Path) -> None:
    first = Engine(tmp_path, workers=1, grace=600)
    card = racing.plan(tiny(), "loss", LOSSES[:2])
    first.races.start(card)
    first.send(card.id, "step", n=20)
    first.send(card.id, "play")
    first.shutdown()
    second = Engine(tmp_path, workers=1, grace=2)
    try:
        assert [kept.id for kept in second.races.cards()] == [card.id]
        assert second.status(card.id).state == "stopped"
        second.watch(card.id, "me", [])
        second.send(card.id, "step", n=10)
        now = [second.status(run).step for run in card.runs]
        assert now[0] == now[1] >= 30
        second.unwatch(card.id, "me")
        becomes(second, card.id, "stopped")
        until(lambda: second.record(card.runs[0]).race is None, "the runs to be let go")
    finally:
        second.shutdown()


def test_a_race_that_was_never_begun_leaves_nothing_behind() -> None:
    engine = shared_engine()
    race = started()
    assert race not in [card.id for card in engine.races.cards()]
    with pytest.raises(EngineError, match="There is no race"):
        engine.status("race-00000000")


def test_many_seeds_go_through_the_queue() -> None:
    engine = shared_engine()
    race = started("seed", list(range(7)))
    with pytest.raises(EngineError, match="say first until which step"):
        engine.send(race, "play")
    engine.send(race, "until", steps=30)
    engine.send(race, "play")
    becomes(engine, race, "paused")
    assert steps(race) == [30] * 7
    assert len([run for run in engine.races.get(race).card.runs if engine.record(run).worker]) <= 2
    engine.send(race, "stop")


def test_from_python_a_race_trains_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    raced = playground.race(tiny(), "loss", LOSSES[:2], steps=20)
    assert {label: run.step for label, run in raced.runs.items()} == {"non-saturating": 20, "hinge": 20}
    assert races.read(tmp_path, raced.card.id) == raced.card
    assert raced.collapsed.n == 0


def test_workers_are_started_while_a_race_is_lined_up() -> None:
    engine = shared_engine()
    started("seed", [1, 2, 3])
    assert len(engine.launcher.pool._spares) >= 3
