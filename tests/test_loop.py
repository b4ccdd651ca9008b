"""The loop: the same numbers to the last bit however a run is watched, paused, resumed, told slowly or replayed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from playground.config import ConfigError
from playground.engine.frames import LAYERS, Painter
from playground.engine.loop import Loop, TrainingFailed, replay
from playground.engine.metrics import fetched
from playground.engine.trail import MOST, Trail
from playground.experiment import Experiment
from playground.families.base import StepResult
from playground.store import LATEST, RunFolder


def tiny(**values):
    """An experiment whose steps take well under a millisecond."""
    plain = Experiment(device="cpu", seed=3, log_every=5, score_every=80, keyframe_every=50)
    return plain.changed(**{"g_depth": 1, "g_width": 8, "d_depth": 1, "d_width": 8, "batch": 16, **values})


def new_folder(root, experiment):
    return RunFolder.create(root, experiment)


def history(folder):
    train = folder.train()
    return {name: train[name].tobytes() for name in train} | {"scores": folder.scores()}


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A run of 200 steps done in one go: what all others must equal."""
    folder = new_folder(tmp_path_factory.mktemp("straight"), tiny())
    loop = Loop(tiny(), folder)
    loop.advance(200)
    loop.flush()
    folder.release()
    return folder, loop


def same_model(a, b):
    one, two = a.tensors(), b.tensors()
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_points_are_measured_often_at_first_and_then_half_as_often():
    loop = Loop(tiny(score_every=0))
    loop.advance(2100)
    assert [row["step"] for row in loop.scores] == [250, 500, 750, 1000, 1500, 2000]


@pytest.mark.parametrize(
    ("setup", "steps"),
    [
        (Experiment(), [250, 500, 750, 1000, 1500, 2000]),
        (Experiment.of("autoencoder").on("digits"), [250, 500, 750, 1000, 1250, 1500]),
        (Experiment(score_every=400), [400, 800, 1200, 1600, 2000, 2400]),
    ],
)
def test_data_or_a_number_of_ones_own_say_when_to_measure(setup, steps):
    found = [setup.next_score(0)]
    while len(found) < len(steps):
        found.append(setup.next_score(found[-1]))
    assert found == steps
    assert setup.next_score(steps[-1] - 1) == steps[-1]


def test_measuring_at_nearly_every_step_is_refused_and_a_link_that_asks_for_it_keeps_the_rest():
    with pytest.raises(ConfigError, match="score_every is 5: it takes 0, which leaves it to the data, or a whole"):
        Experiment().changed(score_every=5)
    found, notices = Experiment.from_query({"score": "5", "lrd": "0.002"})
    assert (found.score_every, found.value("lr_d")) == (0, 0.002)
    assert "score_every is 5" in notices[0]
    assert [found.knobs()[name].said(0) for name in ("score_every", "steps")] == ["by itself", "until stopped"]


def test_rows_scores_and_keyframes_fall_on_fixed_steps(straight):
    folder, _ = straight
    assert folder.train()["step"].tolist() == [*range(1, 101), *range(105, 201, 5)]
    assert [row["step"] for row in folder.scores()] == [80, 160]
    assert folder.keyframes() == [0, 50, 100, 150, 200]


def test_steps_done_in_pieces_and_flushed_at_odd_moments_are_the_same(straight, tmp_path):
    folder = new_folder(tmp_path, tiny())
    loop = Loop(tiny(), folder)
    for n in (1, 7, 50, 33, 9, 100):
        loop.advance(n)
        loop.flush()
    assert history(folder) == history(straight[0])
    assert same_model(loop, straight[1])


def test_watching_and_measuring_change_nothing(straight, tmp_path):
    folder = new_folder(tmp_path, tiny())
    loop = Loop(tiny(), folder)
    painter = Painter(loop)
    while loop.step < 200:
        loop.advance(10)
        painter.frame(frozenset(LAYERS), {}, turn=loop.step)
        painter.pick(3)
        loop.panel.floors()
    loop.flush()
    assert history(folder) == history(straight[0])


def test_slow_motion_does_the_same_steps(straight, tmp_path):
    folder = new_folder(tmp_path, tiny())
    loop = Loop(tiny(), folder)
    loop.advance(40)
    told = [loop.trace() for _ in range(3)]
    loop.advance(157)
    loop.flush()
    assert all(len(moments) > 2 for moments in told)
    assert history(folder) == history(straight[0])


@pytest.mark.parametrize("at", [50, 130, LATEST])
def test_a_run_taken_on_from_a_keyframe_is_the_same(straight, tmp_path, at):
    folder = new_folder(tmp_path, tiny())
    first = Loop(tiny(), folder)
    first.advance(173)  # what lies beyond the keyframe is cut and done again
    first.flush()
    folder.release()
    loop = Loop(tiny(), folder, resume=at)
    assert loop.step == min(at, 150) // 50 * 50
    loop.advance(200 - loop.step)
    loop.flush()
    assert history(folder) == history(straight[0])
    assert same_model(loop, straight[1])


def test_edits_and_single_players_are_replayed_from_the_events(tmp_path):
    folder = new_folder(tmp_path, tiny())
    loop = Loop(tiny(), folder)
    loop.advance(30)
    loop.set({"lr_d": 0.01, "batch": 24})
    loop.advance(25)
    loop.advance(4, ["g"])
    loop.advance(3, ["d"])
    loop.set({"n_modes": 5})
    loop.advance(90)
    loop.flush()
    again = replay(folder, until=152)
    assert again.step == loop.step == 152
    assert again.experiment == loop.experiment
    assert same_model(again, loop)
    assert list(again.scores) == list(loop.scores)


def test_an_edit_is_an_event_with_old_and_new_and_acts_on_the_next_step(tmp_path):
    folder = new_folder(tmp_path, tiny())
    loop = Loop(tiny(), folder)
    loop.advance(20)
    loop.set({"lr_g": 0.25, "lr_d": tiny().model.lr_d})
    assert folder.events()[1:] == [{"step": 20, "kind": "set", "field": "lr_g", "value": 0.25, "old": 0.001}]
    assert loop.family.config.lr_g == 0.25
    assert folder.load_keyframe().experiment.model.lr_g == 0.25


def test_a_dragged_slider_leaves_one_keyframe(tmp_path):
    folder = new_folder(tmp_path, tiny())
    loop = Loop(tiny(), folder)
    loop.advance(20)
    for i in range(8):
        loop.set({"lr_g": 0.01 + i / 1000})
        loop.advance(1)
    assert folder.keyframes() == loop.keyframes == [0, 27]
    assert folder.load_keyframe().experiment == loop.experiment


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"g_width": 9}, "g_width cannot change on a running model"),
        ({"seed": 9}, "seed cannot change"),
        ({"lr_d": 99.0}, "lr_d is 99.0: it takes a number from"),
        ({"colour": 1}, "There is no field 'colour'"),
    ],
)
def test_bad_edits_are_refused_in_one_sentence_and_change_nothing(tmp_path, values, sentence):
    folder = new_folder(tmp_path, tiny())
    loop = Loop(tiny(), folder)
    with pytest.raises(ConfigError, match=sentence):
        loop.set({"lr_g": 0.5, **values})
    assert loop.experiment == tiny()
    assert len(folder.events()) == 1


def test_unknown_players_are_refused():
    with pytest.raises(ConfigError, match="choose d, g"):
        Loop(tiny()).advance(1, ["e"])


def test_going_back_cuts_and_going_on_from_there_is_the_same(straight, tmp_path):
    folder = new_folder(tmp_path, tiny())
    loop = Loop(tiny(), folder)
    loop.advance(120)
    loop.set({"lr_d": 0.05})
    loop.advance(40)
    assert loop.rewind(119) == 100
    assert loop.experiment == tiny()
    assert [e["kind"] for e in folder.events()] == ["start", "rewind"]
    loop.advance(100)
    loop.flush()
    assert history(folder) == history(straight[0])


def broken(loop, at, how):
    """Let the loop's family go wrong at step `at`."""
    step = loop.family.step

    def bad_step(batch, rng, players=None):
        result = step(batch, rng, players)
        if loop.step + 1 >= at:
            if isinstance(how, Exception):
                raise how
            return StepResult({**result.metrics, "loss/d": torch.tensor(how)}, result.more)
        return result

    loop.family.step = bad_step


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        (float("nan"), "the loss of D became NaN"),
        (float("inf"), "the loss of D became infinite"),
        (RuntimeError("no luck"), "RuntimeError: no luck"),
    ],
)
def test_a_bad_step_stops_the_run_there_and_the_last_keyframe_stays(tmp_path, how, cause):
    folder = new_folder(tmp_path, tiny())
    loop = Loop(tiny(), folder)
    broken(loop, 117, how)
    with pytest.raises(TrainingFailed, match=f"stopped at step 117: {cause}"):
        loop.advance(150)
    assert loop.step == 117
    assert folder.keyframes() == [0, 50, 100]
    assert folder.train()["step"].max() == 115
    assert folder.events()[-1]["kind"] == "error"
    with pytest.raises(TrainingFailed):
        loop.advance()
    with pytest.raises(ConfigError, match="Go back"):
        loop.set({"lr_d": 0.1})
    assert loop.rewind(LATEST) == 100
    loop.set({"lr_d": 0.0001})
    loop.advance(10)


@pytest.mark.parametrize("pauses", [(), (103, 117, 121)])
def test_where_a_run_ends_is_decided_by_its_steps_not_by_who_looks(tmp_path, pauses):
    loop = Loop(tiny(log_every=1000), new_folder(tmp_path, tiny(log_every=1000)))
    loop.advance(101)
    step = loop.family.step
    # A gradient that is infinite once does no harm that lasts, and is read on logged steps alone.
    infinite = {"grad/g": torch.tensor(float("inf"))}
    loop.family.step = lambda *given: StepResult(step(*given).metrics, lambda: infinite)
    for pause in pauses:
        loop.advance(pause - loop.step)
        loop.flush()
    with pytest.raises(TrainingFailed, match="stopped at step 1,000: the gradient of G became infinite"):
        loop.advance(1000)


def test_a_learning_rate_that_blows_up_is_noticed(tmp_path):
    wild = tiny(optimiser_d="sgd", optimiser_g="sgd", lr_d=1.0, lr_g=1.0, loss="least-squares")
    loop = Loop(wild, new_folder(tmp_path, wild))
    with pytest.raises(TrainingFailed, match=r"became (NaN|infinite)"):
        loop.advance(3000)


def test_a_state_that_is_not_finite_is_never_saved(tmp_path):
    folder = new_folder(tmp_path, tiny())
    loop = Loop(tiny(), folder)
    loop.advance(10)
    next(iter(loop.family.state().values())).fill_(float("nan"))
    with pytest.raises(TrainingFailed, match="NaN or infinite"):
        loop.keyframe()
    assert folder.keyframes() == [0]


def test_recent_gives_a_verdict_what_it_needs():
    loop = Loop(tiny())
    loop.advance(160)
    train, scores, _ = loop.recent()
    assert train["step"][-1] == 160
    assert len(train["loss/d"]) == len(train["step"])
    assert [row["step"] for row in scores] == [80, 160]


def test_metrics_on_a_gpu_are_fetched_together():
    waiting = [(i, {"loss/d": torch.tensor(i / 4), "loss/g": torch.tensor(-1.0 * i)}) for i in range(1, 4)]
    assert fetched(waiting) == [(i, {"loss/d": i / 4, "loss/g": -i}) for i in range(1, 4)]


def test_a_game_leaves_a_trail(tmp_path):
    game = tiny(optimiser_d="sgd", optimiser_g="sgd", lr_d=0.1, lr_g=0.1).on("dirac")
    loop = Loop(game, new_folder(tmp_path, game))
    loop.advance(30)
    loop.flush()
    trail = np.array(loop.trail.points)
    assert trail.shape == (30, 2)
    loop.rewind(0)
    assert loop.trail.points == []
    loop.advance(30)
    loop.flush()
    np.testing.assert_array_equal(np.array(loop.trail.points), trail)


def test_a_long_trail_stays_a_smooth_curve_in_bounded_memory():
    trail = Trail()
    for k in range(200_000):  # winds inwards in 100 turns, then stands still
        turn = 2 * np.pi * min(k, 100_000) / 1000
        radius = 1.5 - 1.4 * min(k, 100_000) / 100_000
        trail.add([radius * np.cos(turn), radius * np.sin(turn)])
    points = np.array(trail.points)
    gaps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert MOST // 2 < len(points) <= MOST
    assert gaps.max() < 1.25 * gaps.min() <= 1.25 * 1.2 * 2 * 1.5 / 16  # even, and never coarser than can be seen
    assert trail.points[-1] == pytest.approx([0.1, 0.0], abs=0.2)


def test_a_trail_of_long_steps_loses_its_oldest_not_its_corners():
    corners = [[np.cos(2.5 * k), np.sin(2.5 * k)] for k in range(5000)]
    trail = Trail()
    for corner in corners:
        trail.add(corner)
    assert len(trail.points) > MOST // 2
    assert trail.points == corners[-len(trail.points) :]
    assert not trail.whole
