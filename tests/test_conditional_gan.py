"""Conditional GAN: labels stay with their images through every trick, only images are blurred, and classes obey."""

import pytest
import torch

from playground import penalties
from playground.config import ConfigError, knobs
from playground.experiment import Experiment
from playground.families.conditional_gan import ConditionalGan
from playground.gan_settings import GanSettings
from playground.rng import Streams, fresh

DENSE = {"g_depth": 1, "g_width": 16, "d_depth": 1, "d_width": 16, "batch": 16, "noise_dim": 4}
DCGAN = {"body": "dcgan", "maps": 4, "batch": 8, "noise_dim": 4, "d_norm": "none"}
WAYS = ("concatenation", "projection")


def build(dataset="digits", seed=0, **values):
    experiment = Experiment.of("conditional-gan").on(dataset).changed(seed=seed, **DENSE | values)
    rng = Streams(seed)
    return ConditionalGan(experiment.model, experiment.data, rng), rng


def advance(gan, rng, n=1, tell=None):
    for i in range(n):
        batch = gan.take(gan.rows, i * gan.rows, rng)
        result = gan.step(batch, rng) if tell is None else gan.step(batch, rng, tell=tell)
    return {name: value.item() for name, value in result.all().items()}


def turns_of(gan, rng):
    heard = {}
    advance(gan, rng, tell=lambda event, turn: heard.setdefault((event, turn.player), turn))
    return heard["gradient", "d"], heard["gradient", "g"]


def test_rows_hold_the_data_sets_own_labels():
    gan, rng = build()
    x, tail = gan.apart(gan.take(20, 100, rng))
    items = gan.data.labelled(20, 100, Streams(0))
    assert torch.allclose((x + 1) / 2, items.x)
    assert torch.equal(tail.argmax(1), items.labels)
    assert torch.equal(tail.sum(1), torch.ones(20))


def test_data_without_classes_is_refused_in_a_sentence():
    with pytest.raises(ConfigError, match=r"learns from points|learns from images"):
        Experiment.of("conditional-gan").on("ring8")


def test_images_without_classes_are_refused(monkeypatch):
    data = Experiment.of("conditional-gan").data
    monkeypatch.setattr(type(data), "classes", ())
    with pytest.raises(ConfigError, match=r"^Conditional GAN .* has none: choose data with classes\.$"):
        ConditionalGan.check(ConditionalGan.Settings(), data)


def test_codes_say_where_the_class_stands():
    gan, _ = build("shapes")
    noise, category = gan.codes()
    z = gan.noise(500, fresh(0, "z"))
    assert z.shape == (500, 4 + len(gan.data.classes))
    assert (noise.start, noise.size) == (0, 4)
    assert (category.start, category.size) == (4, len(category.choices))
    assert category.choices == gan.data.classes
    assert category.given
    one_hot = z[:, category.start : category.start + category.size]
    assert torch.equal(one_hot.sum(1), torch.ones(500))
    assert set(one_hot.unique().tolist()) == {0.0, 1.0}
    assert float((one_hot.mean(0) - gan.shares).abs().max()) < 0.08  # 3.5 standard errors


def test_fakes_are_asked_for_in_the_classes_of_the_real_rows():
    gan, rng = build(packing=2)
    for turn in turns_of(gan, rng)[:1]:
        assert torch.equal(gan.apart(turn.real)[1], gan.apart(turn.fake)[1])
        assert torch.equal(turn.z[:, 4:], gan.apart(turn.fake)[1])


def test_replayed_fakes_keep_their_class():
    """A stored fake comes back as the row it was: image and class together."""
    gan, rng = build(replay=0.5)
    advance(gan, rng, 3)
    stored = gan.replay.rows.clone()
    fake = turns_of(gan, rng)[0].fake
    old = (fake[:, None] == stored[None]).all(2).any(1)
    assert old.tolist() == [False] * 8 + [True] * 8


def test_augmentation_changes_images_and_no_label():
    gan, rng = build("shapes", augment=next(c for c in knobs(GanSettings)["augment"].choices if c != "none"))
    row = gan.take(16, 0, rng)
    (x, labels), (y, same) = gan.apart(row), gan.apart(gan._seen(row, rng))
    assert torch.equal(labels, same)
    assert not torch.allclose(x, y)


def test_noise_blurs_images_and_no_label():
    gan, rng = build(instance_noise=0.5)
    row = gan.take(16, 0, rng)
    seen = gan._seen(row, rng)
    (x, labels), (y, same) = gan.apart(row), gan.apart(seen)
    assert torch.equal(labels, same)
    assert float((x - y).std()) == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("values", [DENSE, DCGAN], ids=["dense", "dcgan"])
@pytest.mark.parametrize("packing", [1, 2])
def test_d_heeds_image_and_class(way, values, packing):
    gan, rng = build(**values | {"label_way": way, "packing": packing})
    rows = gan.take(4 * packing, 0, rng)
    x, labels = gan.apart(rows)
    packs = rows.view(4, -1)
    with torch.no_grad():
        score = gan.d(packs)
        assert score.shape == (4, 1)
        other = gan.d(gan.join(x, labels.roll(1, 1)).view(4, -1))
        mirrored = gan.d(gan.join(-x, labels).view(4, -1))
    assert not torch.allclose(score, other)
    assert not torch.allclose(score, mirrored)


def test_projection_is_a_product_of_features_with_a_vector_for_each_class():
    """D(x, y) - D(x, y') depends on x through φ alone: it is (V_y - V_y')φ(x) + constant, linear in φ(x)."""
    gan, rng = build(label_way="projection")
    x, labels = gan.apart(gan.take(6, 0, rng))
    with torch.no_grad():
        mlp = gan.d.net[1]
        phi = torch.nn.functional.leaky_relu(mlp.layers[0](x.flatten(1)), 0.2)
        weight, bias = mlp.layers[1].weight, mlp.layers[1].bias
        which = labels.argmax(1)
        expected = phi @ weight[0] + bias[0] + (phi * weight[1 + which]).sum(1) + bias[1 + which]
        assert torch.allclose(gan.d(gan.join(x, labels))[:, 0], expected, atol=1e-6)


@pytest.mark.parametrize("name", ["r1", "r2", "gp", "dragan"])
def test_penalties_charge_the_slope_at_images_alone(name):
    """On D(x, y) = 3 Σ pixels + 100 Σ labels: |∇| is 3 √64, whatever the labels."""
    gan, rng = build(loss="non-saturating", penalty=name, penalty_target=0.0)
    weights = torch.cat([torch.full((64,), 3.0), torch.full((10,), 100.0)])
    real, fake = gan.take(16, 0, rng), gan.take(16, 16, rng)
    found = gan._slope(name, lambda rows: (rows @ weights)[:, None], real, fake, rng)
    expected = 9.0 * 64
    assert found.item() == pytest.approx(expected if name in ("gp", "dragan") else expected / 2, rel=1e-4)


def test_penalties_see_the_labels_of_the_rows_they_are_taken_at():
    gan, rng = build()
    real, fake = gan.take(16, 0, rng), gan.take(16, 16, rng)
    seen = []

    def critic(rows):
        seen.append(gan.apart(rows)[1].argmax(1))
        return rows.square().sum(1, keepdim=True)

    for name, expected in (("r1", real), ("gp", real), ("dragan", real), ("r2", fake)):
        gan._slope(name, critic, real, fake, rng)
        assert torch.equal(seen[-1], gan.apart(expected)[1].argmax(1)), name


def test_an_image_without_a_label_is_scored_under_the_class_d_likes_best():
    gan, rng = build(loss="hinge", packing=2)
    advance(gan, rng, 3)
    x = gan.data.held_out(5, 0).x
    with torch.no_grad():
        every = [gan.d(gan.join(2 * x - 1, row.expand(5, -1)).repeat(1, 2))[:, 0] for row in torch.eye(10)]
    assert torch.allclose(gan.discriminate(x), torch.stack(every).amax(0), atol=1e-6)


EVERY = [
    {"packing": 2}, {"replay": 0.5}, {"unroll": 2}, {"ema": 0.9}, {"minibatch": "std"}, {"minibatch": "discrimination"},
    {"spectral": True}, {"instance_noise": 0.3}, {"smoothing": 0.1}, {"d_steps": 2, "g_steps": 2},
    {"order": "simultaneous"}, {"optimiser_d": "optimistic-adam"},
    *[{"penalty": name, "packing": 2, "replay": 0.5} for name in ("gp", "r1", "r2", "dragan")],
    *[{"loss": name} for name in ("minimax", "least-squares", "hinge", "wasserstein-clip", "relativistic")],
    {"loss": "wasserstein-gp", "unroll": 1},
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("values", EVERY, ids=str)
def test_every_loss_penalty_and_trick_trains(values, way):
    gan, rng = build(label_way=way, **values)
    told = advance(gan, rng, 3)
    assert all(abs(value) < 1e6 for value in told.values())
    assert ("loss/penalty" in told) == (gan.config.penalty_in_use != "none")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "values",
    [{}, {"packing": 2, "d_norm": "batch"}, {"penalty": "r1"}, {"unroll": 1}, {"precision": "bfloat16"}],
    ids=str,
)
def test_convolutions_take_the_class_too(values, way):
    gan, rng = build(**DCGAN | {"label_way": way} | values)
    assert all(abs(value) < 1e6 for value in advance(gan, rng, 2).values())
    assert gan.generate(gan.noise(3, fresh(0, "z"))).shape == (3, 1, 8, 8)
    assert gan.synthesise(gan.noise(3, fresh(0, "z")).requires_grad_()).requires_grad


def test_r1_with_the_critics_of_penalties_is_the_mean_square_slope():
    """The family's own D, by hand: ½ mean over rows of |∂D/∂image|²."""
    gan, rng = build(label_way="projection")
    real = gan.take(8, 0, rng)
    x, labels = gan.apart(real)
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(gan.d(gan.join(x, labels)).sum(), x)
    expected = 0.5 * slope.square().flatten(1).sum(1).mean()
    assert torch.allclose(gan._slope("r1", gan.d, real, real, rng), expected, atol=1e-6)
    assert penalties.r1(gan.d, real).item() > expected.item()  # on whole rows it would charge for labels as well


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_the_class_asked_for_is_the_class_that_comes(way):
    from sklearn.svm import SVC

    gan, rng = build(label_way=way, g_width=128, d_width=128, g_depth=3, d_depth=3, batch=64, noise_dim=16)
    advance(gan, rng, 2000)
    known = gan.data.known(2000, 0)
    judge = SVC().fit(known.x.flatten(1).numpy(), known.labels.numpy())
    asked = torch.arange(10).repeat_interleave(50)
    z = gan.noise(500, fresh(0, "asked"))
    z[:, 16:] = gan.one_hot(asked)
    came = judge.predict(gan.generate(z).flatten(1).numpy())
    assert (came == asked.numpy()).mean() > 0.85
