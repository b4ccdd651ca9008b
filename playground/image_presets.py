"""GANs of images worth opening: the first shows digits within half a minute on one core, `image-mnist` takes minutes.

`image-collapse` ends with four of the ten digits missing on each of three seeds, and `image-collapse-r1` has all ten:
`python -m playground bench presets` prints it. The learning rate is that of Radford et al. 2015 (arXiv 1511.06434),
2e-4; on 28 x 28 D tells real from fake at once with it, and G's is five times as high.
"""

from __future__ import annotations

from playground.preset import Preset

IMAGES = "Images"
DENSE = {"noise_dim": 32, "batch": 64}
DCGAN = DENSE | {"body": "dcgan", "lr_d": 2e-4, "lr_g": 2e-4}
# 28 x 28 with half the feature maps: a step takes 20 ms on one core.
LARGE = DCGAN | {"maps": 16, "lr_g": 1e-3}
# D learns four times as fast as G and grows steep; no norm and no penalty holds it.
STEEP = DENSE | {"lr_d": 4e-3, "lr_g": 1e-3, "activation": "relu", "init": "kaiming"}
SPECTRAL = DCGAN | {"loss": "hinge", "spectral": True, "d_norm": "none", "beta1": 0.0, "lr_d": 4e-4, "lr_g": 1e-4}
# Gulrajani et al. 2017 (arXiv 1704.00028): layer norm, no momentum, more updates of the critic; here two, for speed.
CRITIC = {"loss": "wasserstein-gp", "penalty_weight": 10.0, "d_norm": "layer", "d_steps": 2, "beta1": 0.0, "beta2": 0.9}

# fmt: off
PRESETS: dict[str, Preset] = {
    "image-digits": Preset(
        "Digits out of noise",
        "A DCGAN on digits of 8 × 8: grey fog, blots, then strokes. All ten can be told apart in half a minute.",
        IMAGES, "digits", DCGAN, steps=3000,
    ),
    "image-dense": Preset(
        "Digits, dense",
        "The same digits without convolutions: no pixel knows its neighbours. Quicker steps, and rougher strokes.",
        IMAGES, "digits", DENSE, steps=4000,
    ),
    "image-collapse": Preset(
        "Missing digits",
        "D is quick and steep, and G keeps to what has worked: sharp digits, but of few kinds. Count the classes.",
        IMAGES, "digits", STEEP, steps=2000, cures=("image-collapse-r1",),
    ),
    "image-collapse-r1": Preset(
        "Missing digits, cured by R1",
        "The same, but D is charged for its slope at the data: all ten digits come within seconds, and stay.",
        IMAGES, "digits", STEEP | {"penalty": "r1", "penalty_weight": 1.0}, steps=2000,
    ),
    "image-hinge": Preset(
        "Hinge and spectral norm",
        "In place of batch norm each layer of D is divided by its largest stretch: its slope stays gentle, and G calm.",
        IMAGES, "digits", SPECTRAL, steps=3000,
    ),
    "image-font": Preset(
        "Printed digits",
        "A DCGAN on digits of 28 × 28 in many typefaces: first blots, then thin, bold and slanted ones.",
        IMAGES, "font-digits", LARGE, steps=2000,
    ),
    "image-shapes": Preset(
        "Shapes",
        "Circles, squares, triangles and stars at one angle, drawn on the fly: first blobs, then edges and corners.",
        IMAGES, "shapes", LARGE | {"noise_dim": 16, "turn": False, "largest": 10.0}, steps=2000,
    ),
    "image-upsample": Preset(
        "Upsample, then convolve",
        "G repeats pixels and convolves instead of stepping a filter: look for the checkerboard that is not there.",
        IMAGES, "font-digits", LARGE | {"body": "upsample"}, steps=2000,
    ),
    "image-wgan-gp": Preset(
        "A critic's distance",
        "WGAN-GP: minus D's loss says how far the fakes are from the data. It falls while the digits get better.",
        IMAGES, "digits", DCGAN | CRITIC | {"lr_d": 1e-3, "lr_g": 1e-3}, steps=3000,
    ),
    "image-mnist": Preset(
        "Handwriting",
        "A DCGAN with twice the maps on MNIST: all ten digits within two minutes, a hand of their own within ten.",
        IMAGES, "mnist", LARGE | {"maps": 32, "noise_dim": 64, "precision": "bfloat16"}, steps=8000,
    ),
}
# fmt: on
