"""Experiments worth opening: each shows one thing within a minute, and those that go wrong name what mends them.

Two GANs collapse reliably: `collapse` (all fakes on few blobs, for good) and `hopping` (all in one place, which moves);
`vanishing` and `diverging` go wrong in other ways. `cures` names the presets that change as little as it takes to go
right. `python -m playground bench presets` trains them over several seeds and prints how many modes each ended with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground import image_presets
from playground.config import ConfigError
from playground.preset import Preset

if TYPE_CHECKING:
    from playground.experiment import Experiment

__all__ = ["PRESETS", "Preset", "preset"]

SMALL = {"g_depth": 2, "g_width": 64, "d_depth": 2, "d_width": 64, "activation": "relu", "init": "kaiming"}
# D learns four times as fast as G (two time scales, Heusel et al. 2017, arXiv 1706.08500).
CALM = SMALL | {"noise_dim": 2, "lr_d": 2e-3, "lr_g": 5e-4}
# D learns so fast that its surface is a cliff at the data: all fakes run up to what is nearest, and there they stay.
STEEP = SMALL | {"noise_dim": 16, "lr_d": 4e-3, "lr_g": 1e-3}
# G learns ten times as fast as D and has more noise than it needs: it runs to where D is weakest, all of it at once.
HASTY = SMALL | {"noise_dim": 16, "lr_d": 1e-4, "lr_g": 1e-3}
# G starts as a dot and takes plain steps: Adam would scale a vanishing gradient up again.
DULL = CALM | {"loss": "minimax", "init": "normal-0.02", "optimiser_g": "sgd", "lr_g": 0.1}
GAME = {"optimiser_d": "sgd", "optimiser_g": "sgd", "lr_d": 0.05, "lr_g": 0.05, "batch": 8, "order": "simultaneous"}
DIRAC = GAME | {"loss": "minimax"}
BILINEAR = GAME | {"loss": "wasserstein-clip", "clip": 1.0}
# Momentum carries a circling pair outwards (Gidel et al. 2019, arXiv 1807.04740), so optimism goes without it.
OPTIMISTIC = {
    "optimiser_d": "optimistic-adam", "optimiser_g": "optimistic-adam", "lr_d": 0.02, "lr_g": 0.02, "beta1": 0.0,
}  # fmt: skip

START, COLLAPSE, WRONG = "Start here", "Collapse and its cures", "When it goes wrong"
SHAPES, GAMES = "Shapes and tricks", "Games of two numbers"
# The textbook's stacked autoencoder 784-100-30-100-784 (Géron 2019, "Hands-on machine learning", chapter 17).
STACKED = {"layers": 1, "width1": 100, "codings": 30, "activation": "selu", "optimiser": "nadam", "batch": 32}
# Twice as many codings as pixels, and nothing that keeps them from passing each pixel through.
ROOMY = {"layers": 1, "width1": 256, "codings": 128, "lr": 3e-3}
# A learning rate at which ReLU units are thrown to where they are 0 for every item, and stay there.
NUMB = {"codings": 32, "activation": "relu", "code_bend": "relu", "lr": 3e-2}
CONV = {"body": "conv", "codings": 16, "maps": 8, "batch": 64, "lr": 3e-3}
SEQUENCE = {"body": "recurrent", "layers": 1, "width1": 48, "batch": 64, "lr": 5e-3}

# β holds the code to so few nats that on digits none is worth its price.
STRICT = {"codings": 16, "lr": 3e-3}
WIDE = {"width1": 256, "lr": 2e-3}

SQUEEZE, BODIES, HINDERED, DRAWN, TROUBLE = (
    "Squeeze and rebuild",
    "Images and waves",
    "Made to learn",
    "Codes to draw from",
    "When coding goes wrong",
)

# Images by name, or named by the model itself.
ASKED = "Images on demand"
ROOM = {"g_width": 256, "d_width": 256, "batch": 128, "noise_dim": 32}
# D learns five times more slowly than G: on clean shapes a quicker one is sure at once, and G learns nothing.
UPRIGHT = {"body": "dcgan", "maps": 16, "noise_dim": 16, "batch": 64, "lr_d": 2e-4, "turn": False, "largest": 10.0}
# Little noise besides the codes, so that they have to carry what differs; R1 keeps D from tearing the fakes about.
FEW = {"noise_dim": 4, "batch": 64, "penalty": "r1", "penalty_weight": 0.05}
NAMED = SMALL | {"noise_dim": 2, "categories": 8, "continuous": 1, "penalty": "r1", "penalty_weight": 0.1}

# fmt: off
PRESETS: dict[str, Preset] = {
    "first-steps": Preset(
        "First steps",
        "Eight blobs on a ring. The fakes start as one wisp and find all eight within some seconds.",
        START, values=CALM, steps=5000,
    ),
    "moons": Preset(
        "Two moons",
        "Two bent pieces that reach into each other: how closely do the fakes follow, and what bridges the gap?",
        START, "moons", CALM,
    ),
    "swiss-roll": Preset(
        "Swiss roll",
        "A rolled-up line. G must roll its square of noise up: switch on the manifold and watch it fold.",
        START, "swiss-roll", CALM, steps=6000,
    ),
    "collapse": Preset(
        "Mode collapse",
        "D learns four times as fast as G and grows steep: all fakes run up to one blob, or a few, and stay there.",
        COLLAPSE, values=STEEP, steps=3000, cures=("collapse-r1",),
    ),
    "collapse-r1": Preset(
        "Mode collapse, cured by R1",
        "The same, but D is charged for its slope at the data (R1): it stays smooth, and the fakes keep all eight.",
        COLLAPSE, values=STEEP | {"penalty": "r1", "penalty_weight": 0.1},
    ),
    "hopping": Preset(
        "Collapse that hops",
        "G learns ten times as fast as D: all fakes rush to one place, D answers, they rush on. It never settles.",
        COLLAPSE, values=HASTY, cures=("hopping-packing",),
    ),
    "hopping-packing": Preset(
        "Collapse that hops, cured by packing",
        "The same, but D judges two points at once: fakes that are all alike give themselves away. Slow but sure.",
        COLLAPSE, values=HASTY | {"packing": 2},
    ),
    "rare-mode": Preset(
        "The rare mode",
        "The blob on the right is one point in fifty. Few batches show it to D: count how few fakes go there.",
        COLLAPSE, "ring8-rare", CALM,
    ),
    "vanishing": Preset(
        "Vanishing gradient",
        "The minimax loss and a G that starts as a dot: D is sure, its surface is flat there, and G stands still.",
        WRONG, values=DULL, steps=1500, cures=("vanishing-cured",),
    ),
    "vanishing-cured": Preset(
        "Vanishing gradient, cured",
        "First fakes spread among the data leave D in doubt, and Adam scales even a faint gradient up: G learns again.",
        WRONG, values=CALM | {"loss": "minimax"},
    ),
    "diverging": Preset(
        "Steps too long",
        "Plain gradient steps with a learning rate of 1: within ten steps the numbers are no numbers any more.",
        WRONG, values=SMALL | {"optimiser_d": "sgd", "optimiser_g": "sgd", "lr_d": 1.0, "lr_g": 1.0}, steps=1000,
    ),
    "grid25": Preset(
        "A grid of 25",
        "Twenty-five blobs: count those that G has found, and the fakes that lie on the way between them.",
        SHAPES, "grid25", {"activation": "relu", "init": "kaiming", "noise_dim": 2, "std": 0.1}, steps=6000,
    ),
    "checkerboard": Preset(
        "Checkerboard",
        "Sharp edges and empty squares, drawn by a smooth function: a hard one.",
        SHAPES, "checkerboard", CALM, steps=8000,
    ),
    "pinwheel": Preset(
        "Pinwheel, averaged G",
        "What you see is a moving average of G: it stands still in the middle of what G circles around.",
        SHAPES, "pinwheel", CALM | {"ema": 0.995}, steps=5000,
    ),
    "spectral-norm": Preset(
        "Spectral norm and hinge",
        "Every layer of D is kept from stretching: the surface stays gentle, and there is a slope everywhere.",
        SHAPES, values=SMALL | {"loss": "hinge", "spectral": True, "noise_dim": 2},
    ),
    "dirac": Preset(
        "Dirac-GAN: round and out",
        "One number against one. Both step at once along their gradients, and the path winds outwards for ever.",
        GAMES, "dirac", DIRAC, steps=2000, cures=("dirac-r1",),
    ),
    "dirac-r1": Preset(
        "Dirac-GAN with R1",
        "The same with a penalty on D's slope at the data: the path winds into the middle.",
        GAMES, "dirac", DIRAC | {"penalty": "r1", "penalty_weight": 1.0}, steps=2000,
    ),
    "bilinear": Preset(
        "Bilinear game, optimistic",
        "On the value xy plain steps run away. Optimism looks where the gradient is heading and turns them inwards.",
        GAMES, "bilinear", BILINEAR | OPTIMISTIC, steps=2000,
    ),
    **image_presets.PRESETS,
    "two-numbers": Preset(
        "Ten digits, two numbers",
        "Each digit becomes a point of a map and is drawn again from it. Watch like digits gather on the map.",
        SQUEEZE, "digits", {"lr": 3e-3}, steps=3000, family="autoencoder",
    ),
    "linear": Preset(
        "Linear: PCA by descent",
        "One matrix in, one out. Its error falls to the line of PCA and stays there: no linear coding does better.",
        SQUEEZE, "digits", {"body": "linear", "lr": 2e-2}, steps=1000, family="autoencoder",
    ),
    "unrolled": Preset(
        "Unroll the roll",
        "A rolled-up sheet in space and two codings: can a curved net lay it flat where PCA only looks from the side?",
        SQUEEZE, "swiss-roll-3d", {"layers": 3, "activation": "tanh", "lr": 3e-3}, family="autoencoder",
    ),
    "stacked": Preset(
        "Stacked, on clothes",
        "784-100-30-100-784, SELU, Nadam: a textbook's recipe. Outlines come first, folds and prints late or never.",
        SQUEEZE, "fashion-mnist", STACKED, steps=5000, family="autoencoder",
    ),
    "tied": Preset(
        "Tied weights",
        "The decoder uses the encoder's weights, turned round: half as many to learn, and the error is no worse.",
        SQUEEZE, "font-digits", {"tied": True, "layers": 1, "width1": 256, "codings": 16}, steps=2000,
        family="autoencoder",
    ),
    "layer-by-layer": Preset(
        "Layer by layer",
        "Each layer learns alone to rebuild what the one before puts out; then all together: see the error drop.",
        SQUEEZE, "font-digits", {"codings": 8, "stack_steps": 400, "lr": 2e-3}, steps=2000, family="autoencoder",
    ),
    "convolutional": Preset(
        "Convolutional",
        "The same small filters look everywhere in the image: a tenth of the weights, and digits sharper than PCA's.",
        BODIES, "font-digits", CONV, steps=1500, family="autoencoder",
    ),
    "recurrent": Preset(
        "Recurrent, on waves",
        "A GRU reads a wave, keeps four numbers and plays it again: first the mean, then suddenly the right rhythm.",
        BODIES, "sines", SEQUENCE | {"codings": 4}, steps=600, family="autoencoder",
    ),
    "heartbeats": Preset(
        "Rare heartbeats",
        "Most beats are alike. Those that are not are rebuilt worst: a large error is an alarm.",
        BODIES, "ecg", {"codings": 4, "lr": 3e-3}, steps=1500, family="autoencoder",
    ),
    "denoising": Preset(
        "Denoising",
        "A third of the pixels is salt or pepper, and the clean digit is asked for: compare the rows on the wall.",
        HINDERED, "font-digits", {"layers": 1, "width1": 256, "codings": 32, "corruption": "salt-pepper", "lr": 2e-3},
        steps=3000, family="autoencoder",
    ),
    "sparse": Preset(
        "Sparse: one in twenty",
        "64 codings between 0 and 1, each pulled to a mean of 0.05: watch their histogram lean on 0.",
        HINDERED, "digits", {"layers": 1, "codings": 64, "sparsity": "kl", "lr": 3e-3}, steps=3000,
        family="autoencoder",
    ),
    "k-sparse": Preset(
        "k-sparse",
        "Only the 12 largest of 64 codings are kept for each digit. Move k while it runs: how few will do?",
        HINDERED, "digits", {"body": "linear", "tied": True, "codings": 64, "sparsity": "k-sparse", "keep": 12},
        steps=3000, family="autoencoder",
    ),
    "contractive": Preset(
        "Contractive",
        "Codings are charged for moving when the pixels do: they keep still but for what tells digits apart.",
        HINDERED, "digits", {"body": "linear", "code_bend": "sigmoid", "codings": 100, "contractive": 0.1, "lr": 3e-3},
        steps=3000, family="autoencoder",
    ),
    "vae": Preset(
        "Draw new digits",
        "Each digit becomes a small cloud on the map, and all clouds together a round one: draw a point, get a digit.",
        DRAWN, "digits", {"lr": 3e-3}, steps=3000, family="vae",
    ),
    "beta-vae": Preset(
        "β-VAE: what matters first",
        "With β 4 each nat is dear: of five codings three survive. Move one at a time: does it shift, rise or grow?",
        DRAWN, "shapes", WIDE | {"codings": 5, "beta": 4.0}, steps=2500, family="vae",
    ),
    "vae-shapes": Preset(
        "Shapes out of thin air",
        "Eight codings for shapes made on the fly: place and size come first, then corners. The samples show it.",
        DRAWN, "shapes", WIDE | {"codings": 8}, family="vae",
    ),
    "vae-learned": Preset(
        "How sure is it?",
        "The decoder learns its own σ: as it gets surer, finer differences pay, and the code holds more nats.",
        DRAWN, "digits", STRICT | {"likelihood": "learned"}, steps=3000, family="vae",
    ),
    "copying": Preset(
        "The copier",
        "128 codings for 64 pixels and nothing to hinder it: it passes anything through and learns no digit at all.",
        TROUBLE, "digits", ROOMY, steps=1500, cures=("copying-denoised",), family="autoencoder",
    ),
    "copying-denoised": Preset(
        "The copier, cured by noise",
        "The same, but half the pixels are hidden from it: to fill them in it has to know what digits look like.",
        TROUBLE, "digits", ROOMY | {"corruption": "mask", "strength": 0.5}, steps=1500, family="autoencoder",
    ),
    "posterior-collapse": Preset(
        "Posterior collapse",
        "With β 8 no coding is worth its nats: all sixteen fall silent, and every digit is rebuilt as the same blur.",
        TROUBLE, "digits", STRICT | {"beta": 8.0}, steps=1500, cures=("posterior-collapse-cured",), family="vae",
    ),
    "posterior-collapse-cured": Preset(
        "Posterior collapse, cured",
        "β back at 1 and a quarter of a nat free for each coding: all sixteen speak, and digits look like themselves.",
        TROUBLE, "digits", STRICT | {"free_bits": 0.25}, steps=2000, family="vae",
    ),
    "dead-units": Preset(
        "Dead units",
        "Steps too long for ReLUs: most fall silent for every digit, and what is silent learns no more.",
        TROUBLE, "digits", NUMB, steps=1500, cures=("dead-units-cured",), family="autoencoder",
    ),
    "dead-units-cured": Preset(
        "Dead units, cured",
        "The same steps with ELUs and free codings: they have a slope below zero too, so nearly all live on.",
        TROUBLE, "digits", NUMB | {"activation": "elu", "code_bend": "none"}, steps=1500, family="autoencoder",
    ),
    "conditional-digits": Preset(
        "Digits by name",
        "Both players are told the digit. Each row of the wall asks for one: seconds later it is the one that comes.",
        ASKED, "digits", ROOM, steps=2500, family="conditional-gan",
    ),
    "conditional-shapes": Preset(
        "Shapes by name",
        "Upright circles, triangles, squares and stars on request, wherever and however large the noise says.",
        ASKED, "shapes", UPRIGHT, steps=1500, family="conditional-gan",
    ),
    "infogan-digits": Preset(
        "Codes that name themselves",
        "Nobody tells it which digit is which. D must read a code of ten off each fake: watch its rows become digits.",
        ASKED, "digits", FEW, steps=2500, family="infogan",
    ),
    "infogan-ring": Preset(
        "Eight blobs, eight codes",
        "The same in the plane: a code of eight, eight blobs, and no label. Most codes end with a blob of their own.",
        ASKED, "ring8", NAMED, steps=2500, family="infogan",
    ),
    "began": Preset(
        "A judge that rebuilds",
        "D is an autoencoder, and a controller keeps it from winning. M falls while they learn, as no GAN's loss does.",
        ASKED, "digits", {"gamma": 1.0, "ema": 0.99}, steps=4000, family="began",
    ),
}
# fmt: on


def preset(name: str) -> Preset:
    """Return a preset by name; raises `ConfigError` naming those there are."""
    if name not in PRESETS:
        raise ConfigError(f"There is no preset {name!r}: the presets are {', '.join(PRESETS)}.")
    return PRESETS[name]


def preset_of(experiment: Experiment) -> str | None:
    """Return the name of the preset that an experiment is, whatever its seed, device, end and scores; None if none."""
    aside = {name: experiment.value(name) for name in ("seed", "device", "steps", "score_every")}
    alike = [
        n for n, p in PRESETS.items() if (p.experiment.family, p.dataset) == (experiment.family, experiment.dataset)
    ]
    return next((name for name in alike if PRESETS[name].experiment.changed(**aside) == experiment), None)
