"""What every family keeps to, whatever it is: the engine, the pages and the command line rely on nothing else."""

import itertools
import json
import re

import pytest
import torch

from playground.config import ConfigError, knobs
from playground.data import datasets
from playground.experiment import RESERVED, Experiment
from playground.families import families, family
from playground.families.base import Family, View
from playground.rng import Streams, fresh

# Each family as it opens, and a GAN with each kind of body on images.
DIGITS = Experiment.of("gan").on("digits")
BASES = {
    **{name: Experiment.of(name) for name in families()},
    "gan-digits": DIGITS,
    "gan-dcgan": DIGITS.changed(body="dcgan"),
    "gan-upsample": DIGITS.changed(body="upsample", d_norm="layer"),
}
FAMILIES = list(BASES)
VIEW = View(
    extent=3.0, layers=frozenset({"fake", "surface", "manifold", "arrows"}), fakes=50, grid=10, mesh=5, arrows=7
)


def smallest(name: str) -> dict:
    """Return each structural whole number at its lower bound."""
    return {n: int(k.low) for n, k in settings(name).items() if k.kind == "int" and not k.live}


def settings(name: str) -> dict:
    """Return the knobs of a base's family."""
    return knobs(type(BASES[name].model))


def build(name: str, seed: int = 0, **values) -> tuple[Experiment, Family, Streams]:
    experiment = BASES[name].changed(seed=seed, **smallest(name), **values)
    rng = Streams(seed)
    return experiment, made(experiment, rng), rng


def made(experiment: Experiment, rng: Streams) -> Family:
    return family(experiment.family)(experiment.model, experiment.data, rng)


def advance(experiment, model, rng, n=1, *, players=None, start=0):
    """Do n steps of a run that has done `start` before."""
    for i in range(start, start + n):
        result = model.step(model.take(model.rows, i * model.rows, rng), rng, players)
    return result


def look(experiment, model):
    """Do all that a page does with a model."""
    x = experiment.data.held_out(9, 0).x
    if "generate" in model.abilities:
        z = model.noise(20, fresh(0, "picture"))
        model.picture(VIEW, z)
        model.generate(z)
    if "encode" in model.abilities:
        model.decode(model.encode(x))
        model.spread(x)
        model.corrupt(x, fresh(0, "look"))
        model.activations(x)
        model.filters()
        model.layout()
    if "score" in model.abilities:
        model.discriminate(x)
    model.describe()


def copy(state):
    return {name: value.clone() for name, value in state.items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def another(k, value):
    """Return a valid value of a field that differs from `value`."""
    if k.kind == "bool":
        return not value
    if k.kind == "choice":
        return next(c for c in k.choices if c != value)
    return next(
        kind(v) for kind in ({"int": int, "float": float}[k.kind],) for v in (k.low, k.high) if kind(v) != value
    )


# Batch norm refuses penalties, so fields are tried without it; fields for other kinds of data are tried there.
FIELDS = [
    (name, field)
    for name in FAMILIES
    if name not in ("gan-digits", "gan-dcgan")
    for field, k in settings(name).items()
    if not k.kinds or BASES[name].data.kind in k.kinds
]
LIVE = [(name, field) for name, field in FIELDS if settings(name)[field].live]
STRUCTURAL = [pair for pair in FIELDS if pair not in LIVE]


@pytest.mark.parametrize("name", FAMILIES)
def test_default_settings_build_and_step(name):
    experiment, rng = BASES[name], Streams(0)
    model = made(experiment, rng)
    told = advance(experiment, model, rng)
    assert any(metric.startswith("loss/") for metric in told.metrics)  # of every step: they tell when it breaks
    assert not told.metrics.keys() & told.more().keys()
    for metric, value in told.all().items():
        assert "/" in metric
        assert (value.dim(), value.dtype) == (0, torch.float32)
        assert not value.requires_grad
        assert torch.isfinite(value)


@pytest.mark.parametrize("name", FAMILIES)
def test_same_seed_same_numbers_other_seed_other_numbers(name):
    runs = [build(name, seed) for seed in (0, 0, 1)]
    metrics = [advance(*run, n=3).all() for run in runs]
    states = [run[1].state() for run in runs]
    assert same(metrics[0], metrics[1])
    assert same(states[0], states[1])
    assert not same(states[0], states[2])


@pytest.mark.parametrize("name", FAMILIES)
def test_global_random_state_is_neither_used_nor_moved(name):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    experiment, model, rng = build(name)
    advance(experiment, model, rng, n=2)
    look(experiment, model)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("name", FAMILIES)
def test_resuming_is_exact_to_the_last_bit(name):
    experiment, model, rng = build(name)
    advance(experiment, model, rng, n=4)
    kept, streams = copy(model.state()), copy(rng.state())
    expected = advance(experiment, model, rng, n=4, start=4).all()
    assert not same(kept, model.state())

    _, again, other = build(name, seed=99)  # nothing of its own start may survive the loading
    other.seed = rng.seed
    again.load(kept)
    other.load(streams)
    assert same(kept, again.state())
    assert same(expected, advance(experiment, again, other, n=4, start=4).all())
    assert same(model.state(), again.state())


@pytest.mark.parametrize("name", FAMILIES)
def test_state_is_tensors_and_loading_copies(name):
    experiment, model, rng = build(name)
    saved = copy(model.state())
    model.load(saved)
    kept = copy(saved)
    advance(experiment, model, rng, n=2)
    assert same(saved, kept)
    assert all(isinstance(value, torch.Tensor) for value in saved.values())


@pytest.mark.parametrize(("name", "field"), LIVE)
def test_live_fields_act_on_the_running_model(name, field):
    experiment, model, rng = build(name)
    advance(experiment, model, rng)
    k = experiment.knobs()[field]
    changed = experiment.changed(**{field: another(k, experiment.value(field))})
    state = copy(model.state())
    model.set(changed.model)
    assert model.config == changed.model
    assert state.keys() == model.state().keys()
    assert all(torch.isfinite(v) for v in advance(changed, model, rng).all().values())


@pytest.mark.parametrize(("name", "field"), STRUCTURAL)
def test_structural_fields_need_a_new_model(name, field):
    experiment, model, rng = build(name)
    changed = experiment.changed(**{field: another(experiment.knobs()[field], experiment.value(field))})
    with pytest.raises(ConfigError, match=field):
        model.set(changed.model)
    assert model.config == experiment.model
    rng = Streams(0)
    advance(changed, made(changed, rng), rng)


@pytest.mark.parametrize("name", FAMILIES)
def test_pictures_have_their_shapes_and_change_nothing(name):
    experiment, model, rng = build(name)
    advance(experiment, model, rng, n=2)
    state, streams = copy(model.state()), copy(rng.state())
    if experiment.data.kind != "points":
        assert model.picture(VIEW, torch.empty(0, 2)) == {}
        return
    z = model.noise(60, fresh(0, "picture"))
    layers = model.picture(VIEW, z)
    shapes = {"fake": (50, 2), "surface": (10, 10), "manifold": (5, 5, 2), "arrows": (7, 2)}
    assert {layer: tuple(value.shape) for layer, value in layers.items()} == {
        layer: shape for layer, shape in shapes.items() if layer in layers
    }
    assert torch.allclose(layers["fake"], model.generate(z[:50]), atol=1e-5)
    assert not any(value.requires_grad for value in layers.values())
    assert same(layers, model.picture(VIEW, z))
    assert same(state, model.state())
    assert same(streams, rng.state())
    for layer in shapes:
        only = View(3.0, frozenset({layer}), fakes=50, grid=10, mesh=5, arrows=7)
        assert model.picture(only, z).keys() <= {layer}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_watched_run_has_the_same_numbers(name):
    runs = [build(name), build(name)]
    for _ in range(3):
        for watched, (experiment, model, rng) in enumerate(runs):
            advance(experiment, model, rng)
            if watched:
                look(experiment, model)
    assert same(runs[0][1].state(), runs[1][1].state())
    assert same(runs[0][2].state(), runs[1][2].state())


@pytest.mark.parametrize("name", FAMILIES)
def test_tracing_is_a_step_told(name):
    (experiment, stepped, rng), (_, traced, other) = build(name), build(name)
    for i in range(3):
        advance(experiment, stepped, rng, start=i)
        told = traced.trace(traced.take(traced.rows, i * traced.rows, other), other)
    assert same(stepped.state(), traced.state())
    assert same(rng.state(), other.state())
    for moment in told:
        assert moment.player in traced.players
        assert moment.title
        assert moment.formula
        assert moment.note
        assert moment.shapes.keys() == moment.tensors.keys()


@pytest.mark.parametrize("name", FAMILIES)
def test_each_player_can_step_alone(name):
    for player in family(BASES[name].family).players:
        experiment, model, rng = build(name)
        before = copy(model.state())
        metrics = advance(experiment, model, rng, players=(player,)).all()
        assert f"loss/{player}" in metrics
        after = model.state()
        moved = {part.split("/")[0] for part in before if not torch.equal(before[part], after[part])}
        others = {other for other in model.players if other != player}
        assert player in moved
        assert not moved & others


@pytest.mark.parametrize("name", FAMILIES)
def test_abilities_are_there_and_the_rest_says_so(name):
    experiment, model, _ = build(name)
    x = experiment.data.held_out(12, 0).x
    if "generate" in model.abilities:
        z = model.noise(12, fresh(0, "z"))
        assert len(z) == 12
        assert model.generate(z).shape == (12, *experiment.data.shape)
        assert torch.equal(z, model.noise(12, fresh(0, "z")))
    else:
        with pytest.raises(LookupError, match="does not generate"):
            model.noise(12, fresh(0, "z"))
    if "score" in model.abilities:
        assert model.discriminate(x).shape == (12,)
        assert not model.discriminate(x).requires_grad
    else:
        with pytest.raises(LookupError, match="does not score"):
            model.discriminate(x)
    for ability in ("encode", "decode"):
        if ability not in model.abilities:
            with pytest.raises(LookupError, match=f"does not {ability}"):
                getattr(model, ability)(x)


@pytest.mark.parametrize("name", FAMILIES)
def test_what_codes_goes_to_codes_and_back(name):
    experiment, model, _ = build(name)
    if "encode" not in model.abilities:
        return
    x, shape = experiment.data.held_out(12, 0).x, experiment.data.shape
    codes = model.encode(x)
    assert codes.shape[0] == 12
    assert codes.dim() == 2
    assert torch.equal(codes, model.encode(x))
    assert model.decode(codes).shape == x.shape
    spread = model.spread(x)
    assert spread is None or spread.shape == codes.shape
    assert model.corrupt(x, fresh(0, "noise")).shape == x.shape
    outputs = [codes, model.decode(codes), *model.activations(x).values()]
    assert not any(value.requires_grad for value in outputs)
    assert all(value.dim() == 2 and len(value) == 12 for value in model.activations(x).values())
    way = model.layout()
    assert way[0].shape == way[-1].shape == shape
    assert {"encoder", "code", "decoder"} <= {piece.part for piece in way}
    trained = sum(value.numel() for value in model.flat.parameters)
    assert sum(piece.parameters for piece in way) == trained


@pytest.mark.parametrize("name", FAMILIES)
def test_model_card_gives_layers_and_parameter_counts(name):
    _, model, _ = build(name)
    facts = model.describe()
    assert facts
    for fact in facts.values():
        assert "parameter" in fact
    assert model.title
    assert re.search(r"\b(19|20)\d\d\b", model.paper)
    assert model.rows >= 1


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_every_field_is_explained(name, field):
    k = settings(name)[field]
    assert k.help.endswith(".")
    assert k.group
    assert k.label
    if k.kind in ("int", "float"):
        assert k.low is not None
        assert k.high is not None
        assert k.low <= k.default <= k.high
    if k.scale == "log":
        assert k.low >= 0  # a log slider has 0, "off", at its left end
    if k.choices:
        assert len(k.choice_labels) == len(k.choices)
        assert k.default in k.choices
    if k.needs is not None:
        assert hasattr(BASES[name].model, k.needs[0])
    assert k.parse(str(k.default)) == k.default


@pytest.mark.parametrize("name", FAMILIES)
def test_every_field_of_a_config_is_a_knob(name):
    assert set(settings(name)) == set(type(BASES[name].model).model_fields)


@pytest.mark.parametrize(("name", "data"), list(itertools.product(families(), datasets())))
def test_url_names_are_unique(name, data):
    parts = [knobs(Experiment), knobs(datasets()[data]), knobs(family(name).Settings)]
    names = [k for part in parts for k in part]
    shorts = [*RESERVED, *(k.short for part in parts for k in part.values())]
    assert len(names) == len(set(names))
    assert len(shorts) == len(set(shorts)), sorted(s for s in shorts if shorts.count(s) > 1)


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_settings_survive_url_and_json(name, field):
    k = settings(name)[field]
    experiment = BASES[name].changed(**{field: another(k, k.default)})
    query = experiment.to_query()
    assert k.short in query
    assert Experiment.from_query(query) == (experiment, [])
    assert Experiment.from_json(json.loads(json.dumps(experiment.to_json()))) == experiment


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_a_bad_value_names_field_and_range(name, field):
    k = settings(name)[field]
    bad = "elephant" if k.kind in ("choice", "bool") else k.high + 1
    with pytest.raises(ConfigError, match=field):
        BASES[name].changed(**{field: bad})
    back, notices = Experiment.from_query(BASES[name].to_query() | {"f": BASES[name].family, k.short: str(bad)})
    assert back == BASES[name].changed(**{field: k.default})
    assert len(notices) == 1
    assert field in notices[0]
