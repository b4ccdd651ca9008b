"""Projection into the latent space: what a generator made is found again, by a job that can be asked and cancelled."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from playground.config import ConfigError
from playground.engine.loop import Loop
from playground.experiment import Experiment
from playground.latent import moments, projections
from playground.latent.coded import sampled
from playground.latent.invert import Search, invert, starts
from playground.store import RunFolder


def gan(family="gan", **values):
    plain = {"g_depth": 1, "g_width": 32, "d_depth": 1, "d_width": 16, "noise_dim": 6, "device": "cpu"}
    plain["init_gain"] = 3.0  # samples that differ
    return Experiment(family=family, dataset="digits").changed(**plain | values)


def model(family="gan", **values):
    return moments.build(gan(family, **values))


# -- finding ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [{}, {"noise_kind": "uniform"}, {"body": "dcgan"}])
def test_what_the_generator_made_is_found_again(values):
    g = model(**values)
    made = sampled(g, 1, seed=5)
    spread = sampled(g, 100).x.std(0).mean() ** 2
    found = invert(g, made.x[0], prior=0.0, steps=300)
    assert found.error < 1e-3 * spread
    assert np.abs(found.item - made.x[0]).max() < 0.05
    assert (found.z.shape, found.item.shape, found.errors.shape) == ((6,), (1, 8, 8), (300,))
    assert np.allclose(moments.Moment(gan(**values), g, 0).decode(found.z[None])[0], found.item, atol=1e-5)
    assert found.error == pytest.approx(((found.item - made.x[0]) ** 2).mean(), rel=1e-4)
    if values.get("noise_kind") == "uniform":
        assert np.abs(found.z).max() <= 1


def test_the_same_seed_finds_the_same_and_weights_stay():
    g = model()
    x = g.data.held_out(1, 0).x[0]
    before = {name: value.clone() for name, value in g.state().items()}
    one, two = invert(g, x, steps=20, seed=3), invert(g, x, steps=20, seed=3)
    assert np.array_equal(one.z, two.z)
    assert np.array_equal(one.errors, two.errors)
    assert all(torch.equal(value, before[name]) for name, value in g.state().items())


def test_the_prior_pulls_codes_in():
    g = model()
    x = g.data.held_out(1, 0).x[0]
    free, pulled = (invert(g, x, steps=150, prior=prior) for prior in (0.0, 1.0))
    assert np.linalg.norm(pulled.z) < 0.5 * np.linalg.norm(free.z)
    assert pulled.error > free.error


def test_features_are_matched_where_they_are_given():
    g = model()
    x = g.data.held_out(1, 0).x[0]

    def left(images):
        return images[..., :4].flatten(1)

    plain, halved = (invert(g, x, steps=150, features=f, weight=100.0) for f in (None, left))
    off = [float((left(torch.from_numpy(f.item)) - left(x)).square().mean()) for f in (plain, halved)]
    assert off[1] < off[0]


@pytest.mark.parametrize("family", ["conditional-gan", "infogan"])
def test_every_choice_of_a_category_is_tried_and_stays_one(family):
    g = model(family)
    category = next(part for part in g.codes() if part.kind == "category")
    here = slice(category.start, category.start + category.size)
    made = sampled(g, 1, seed=2)
    z = starts(g, torch.from_numpy(made.x), 8, 0)
    assert sorted(z[:, here].argmax(1).tolist()) == list(range(10))
    found = invert(g, made.x[0], steps=100, prior=0.0)
    assert np.array_equal(found.z[here], made.codes[0, here])
    for part in g.codes():
        if part.kind == "continuous":
            assert abs(found.z[part.start]) <= 1


def test_late_only_the_best_go_on():
    g = model()
    x = g.data.held_out(1, 0).x
    search = Search(g, x, g.noise(5, torch.Generator().manual_seed(0)), prior=0.0)
    search.step(0.1)
    loss = search.loss.clone()
    search.keep(2)
    assert len(search.z) == len(search.m) == 2
    assert torch.equal(search.loss, loss.sort().values[:2])


def test_progress_is_told_and_what_is_no_question_is_one_sentence():
    g, told = model(), []
    x = g.data.held_out(1, 0).x[0]
    invert(g, x, steps=40, progress=lambda share, error: told.append((share, error)))
    assert len(told) == 20
    assert told[-1][0] == 1
    for target in (np.zeros((8, 8)), np.full((1, 8, 8), np.nan)):
        with pytest.raises(ConfigError, match="1 x 8 x 8 finite numbers"):
            invert(g, target)
    with pytest.raises(ConfigError, match="at least 1"):
        invert(g, x, steps=0)
    for coder in ("autoencoder", "vae"):
        with pytest.raises(ConfigError, match="encode the item instead"):
            invert(moments.build(Experiment.of(coder)), x)


# -- as a job ---------------------------------------------------------------------------------------------------------


def moment(**values):
    return moments.Moment(gan(**values), model(**values), 7)


def test_a_job_does_what_was_asked_and_is_remembered():
    here = moment()
    x = here.experiment.data.held_out(1, 0).x[0].numpy()
    job = projections.start(here, None, x, steps=30, seed=1).wait(60)
    assert (job.state, job.progress, job.note, job.over) == ("done", 1.0, "", True)
    expected = invert(here.family, x, steps=30, seed=1)
    assert np.array_equal(job.result.z, expected.z)
    assert job.error == job.result.error
    assert projections.start(here, None, x, steps=30, seed=1) is job
    assert projections.start(here, None, x, steps=30, seed=2) is not job
    assert projections.start(here, None, 1 - x, steps=30, seed=1) is not job
    assert projections.start(moment(), None, x, steps=30, seed=1) is not job


def test_a_run_s_moment_is_told_by_its_step(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    folder = RunFolder.create(tmp_path, gan(keyframe_every=10))
    Loop(gan(keyframe_every=10), folder).advance(10)
    folder.release()
    x = gan().data.held_out(1, 0).x[0].numpy()
    job = projections.start(folder.run_id, 10, x, steps=3)
    moments._kept.clear()  # many others were asked for since
    assert projections.start(folder.run_id, None, x, steps=3) is job
    assert projections.start(folder.run_id, 0, x, steps=3) is not job
    assert job.wait(60).state == "done"


def test_a_job_is_cancelled_the_next_has_its_turn_and_nobody_waits():
    here = moment()
    x = here.experiment.data.held_out(1, 0).x[0].numpy()
    began = time.monotonic()
    endless = projections.start(here, None, x, steps=10_000_000)
    after = projections.start(here, None, x, steps=5)
    assert time.monotonic() - began < 5
    assert after.state == "waiting"
    with here.lock:  # a page is at work on the same moment
        assert not endless.wait(0.3).over
    assert here.decode(np.zeros((1, 6))).shape == (1, 1, 8, 8)
    endless.cancel()
    assert endless.wait(60).state == "cancelled"
    assert endless.result is None
    assert after.wait(60).state == "done"


def test_a_cancelled_job_can_be_begun_anew():
    here = moment()
    x = here.experiment.data.held_out(1, 0).x[0].numpy()
    other = projections.start(here, None, x, steps=10_000_000)
    job = projections.start(here, None, x, steps=5)
    job.cancel()
    other.cancel()
    assert job.wait(60).state == "cancelled"
    assert projections.start(here, None, x, steps=5) is job
    again = projections.start(here, None, x, steps=5, again=True)
    assert again is not job
    assert again.wait(60).state == "done"
    again.cancel()
    assert projections.start(here, None, x, steps=5, again=True) is again


def test_a_job_that_cannot_be_done_says_why():
    here = moment()
    assert "finite numbers" in projections.start(here, None, np.zeros((2, 2))).wait(60).note
    broken = moment()
    broken.family.state = None
    job = projections.start(broken, None, np.zeros((1, 8, 8))).wait(60)
    assert job.state == "failed"
    assert "TypeError" in job.note
