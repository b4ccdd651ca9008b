"""What each score of a collapse report is: a title, one plain sentence, who proposed it, and how to write its value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Form = Literal["share", "count", "nats", "number"]

SRIVASTAVA = "Srivastava et al. 2017, arXiv 1705.07761"
KYNKAANNIEMI = "Kynkäänniemi et al. 2019, arXiv 1904.06991"
NAEEM = "Naeem et al. 2020, arXiv 2002.09797"
HEUSEL = "Heusel et al. 2017, arXiv 1706.08500"
BINKOWSKI = "Bińkowski et al. 2018, arXiv 1801.01401"
ODENA = "Odena et al. 2016, arXiv 1610.09585; Wang et al. 2003"
CARLINI = "Carlini et al. 2023, arXiv 2301.13188"
GRETTON = "Gretton et al. 2012, JMLR 13"
SALIMANS = "Salimans et al. 2016, arXiv 1606.03498"
LIN = "Lin et al. 2018, arXiv 1712.04086"
ARORA = "Arora et al. 2018, arXiv 1706.08224"


@dataclass(frozen=True)
class Definition:
    """How a score reads."""

    title: str
    definition: str
    source: str
    form: Form = "number"


NEIGHBOURS: dict[str, Definition] = {
    "prdc/precision": Definition(
        "Precision", "Share of fakes that lie nearer to some real item than its fifth nearest real neighbour does.",
        KYNKAANNIEMI, "share",
    ),
    "prdc/recall": Definition(
        "Recall", "Share of real items that lie nearer to some fake than its fifth nearest fake neighbour does.",
        KYNKAANNIEMI, "share",
    ),
    "prdc/density": Definition(
        "Density", "How many real items' neighbourhoods hold a fake, over the five expected; it may exceed 1.", NAEEM,
    ),
    "prdc/coverage": Definition(
        "Coverage", "Share of real items with a fake in their neighbourhood of five.", NAEEM, "share",
    ),
}  # fmt: skip

IMAGES: dict[str, Definition] = {
    "class/covered": Definition(
        "Classes covered", "Classes that get at least a fifth of the share they have in the data.", SRIVASTAVA, "count",
    ),
    "class/entropy": Definition(
        "Class entropy", "Entropy of the fakes' classes; the logarithm of their number where all are as frequent.",
        SALIMANS, "nats",
    ),
    "class/kl": Definition(
        "KL of the classes", "KL divergence of the fakes' class shares from the data's.", SRIVASTAVA, "nats",
    ),
    "class/sure": Definition(
        "Classifier's certainty", "Mean probability that the classifier gives to the class it chose for a fake.",
        SALIMANS, "share",
    ),
    **NEIGHBOURS,
    "dist/fid": Definition(
        "FID on our features", "Fréchet distance of two Gaussians fitted to the features of real images and of fakes; "
        "not comparable with FIDs of other networks.", HEUSEL,
    ),
    "dist/kid": Definition(
        "Kernel distance on our features", "Unbiased squared distance of the mean cubic-kernel embeddings of the "
        "features; about 0, and as often below, for a perfect sampler.", BINKOWSKI,
    ),
    "diversity/ssim": Definition(
        "Similarity within a class", "Mean MS-SSIM of pairs of fakes of the same class, at as many scales as the image "
        "has room for; higher is more alike.", ODENA,
    ),
    "diversity/pixels": Definition(
        "Distance between fakes", "Mean distance of two fakes over that of two real images, over all pixels.", SALIMANS,
    ),
    "copies/share": Definition(
        "Copies of training images", "Share of fakes closer to a training image, for its surroundings, than 99 % of "
        "held-out images are.", CARLINI, "share",
    ),
}  # fmt: skip

POINTS: dict[str, Definition] = {
    "modes/covered": Definition(
        "Modes with a sharp fake", "Modes with at least one fake within three standard deviations.", SRIVASTAVA, "count"
    ),
    "modes/eight_percent": Definition(
        "Modes covered", "Modes that get at least 8 % of the share of sharp fakes that they should have.", LIN, "count"
    ),
    "modes/hq": Definition(
        "Sharp fakes", "Share of fakes within three standard deviations of a mode.", SRIVASTAVA, "share"
    ),
    "modes/entropy": Definition(
        "Mode entropy", "Entropy of the nearest modes of the fakes; the logarithm of their number for even modes.",
        SALIMANS, "nats",
    ),
    "modes/reverse_kl": Definition(
        "KL of the modes", "KL divergence of the sharp fakes' mode shares from the data's.", SRIVASTAVA, "nats"
    ),
    "modes/tv": Definition(
        "Misplaced mass", "Share of fakes that would have to move for every mode to have its share of sharp ones.", LIN,
        "share",
    ),
    "spread": Definition(
        "Width within modes", "Standard deviation of the fakes around their mode over that of the data.", LIN
    ),
    **NEIGHBOURS,
    "dist/frechet": Definition(
        "Fréchet distance", "Squared Fréchet distance of two Gaussians fitted to real points and to fakes, in squared "
        "data units; it sees means and covariances only.", HEUSEL,
    ),
    "dist/mmd": Definition(
        "Kernel distance", "Unbiased squared MMD with Gaussians of five widths; about 0, and as often below, for a "
        "perfect sampler.", GRETTON,
    ),
    "dist/sw": Definition(
        "Sliced Wasserstein", "Mean distance that the sorted projections on sixteen directions have to move, in data "
        "units.", "Rabin et al. 2012",
    ),
    "dist/js": Definition(
        "Jensen-Shannon", "Divergence of the fakes' shares of 32 × 32 cells from the data's; at most ln 2.",
        "Lin 1991, IEEE Trans. Inf. Theory 37", "nats",
    ),
    "spread/all": Definition("Width of all fakes", "Standard deviation of all fakes over that of the data.", LIN),
    "diversity/points": Definition(
        "Distance between fakes", "Mean distance of two fakes over that of two real points.", SALIMANS
    ),
}  # fmt: skip
