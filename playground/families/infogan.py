"""InfoGAN: part of z is a code that D must be able to read off the fake again, so that it comes to mean something.

Chen et al. 2016, "InfoGAN: interpretable representation learning by information maximizing GANs", arXiv 1606.03657:

    min_(G,Q) max_D  V(D, G) - λ L_I(G, Q),    L_I = E log Q(c | G(z, c)) + H(c) ≤ I(c; G(z, c))

c is a category and some numbers from U(-1, 1); Q is a second head on D's layers that guesses c from the fake. L_I is a
lower bound of the mutual information, in nats: of the category at most H(c) = ln K, which it reaches where every fake
tells its category; of a number at most ln 2 - ½ ln(2π σ²), as Q may claim to read it to within σ = 0.25. Nobody labels
anything: which digit a category stands for, or what a number turns, is found out by moving it. Watch L_I rise to its
dotted line, then sweep the codes.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from playground import gan_listing, gan_nets, penalties
from playground.config import Config, knob
from playground.data.base import DataSet
from playground.families.base import Code, Listing
from playground.gan_settings import GanSettings
from playground.joint import Carrying, Joint
from playground.rng import Streams

CHEN = "Chen et al. 2016, arXiv 1606.03657"
CODES = "Codes"
# The smallest standard deviation that Q may claim of a number: finer is not paid for. Without it the information has no
# bound, and the numbers crowd out the category; the paper's own code fixes it at 1.
NARROWEST = 0.25


class InfoSettings(GanSettings):
    """A GAN's settings, its codes and how much they must say."""

    # fmt: off
    categories: int = knob(10, "Categories that a code chooses from; each should become one kind of item.",
        short="cat", group=CODES, low=2, high=50, paper=CHEN)
    continuous: int = knob(2, "Numbers from -1 to 1 in the code; each should come to turn one thing.", short="con",
        group=CODES, label="Continuous codes", low=1, high=4, paper=CHEN)
    info_category: float = knob(1.0, "Weight λ of the information in the category.", short="lcat", group=CODES,
        live=True, label="λ of the category", low=0.0, high=10.0, step=0.05, paper=CHEN)
    info_continuous: float = knob(0.1, "Weight λ of the information in the continuous codes.", short="lcon",
        group=CODES, live=True, label="λ of the numbers", low=0.0, high=10.0, step=0.05, paper=CHEN)
    # fmt: on

    @property
    def theory(self) -> dict[str, tuple[float, str]]:
        """The most that each bound can say, in nats: all of a category, numbers to within what Q may claim."""
        a_number = math.log(2) - 0.5 * math.log(2 * math.pi * NARROWEST**2)
        return {
            "info/categorical": (math.log(self.categories), f"H(c) = ln {self.categories}"),
            "info/continuous": (self.continuous * a_number, f"read to within {NARROWEST:g}"),
        }


class Reader(nn.Module):
    """D with the head Q, on packed rows of m items; the codes that follow each item are not looked at."""

    def __init__(self, net: nn.Module, shape: tuple[int, ...], packing: int) -> None:
        super().__init__()
        self.net, self.shape, self.packing = net, shape, packing

    def forward(self, rows: Tensor) -> Tensor:  # (B, m (numbers + tail)) -> (B, 1 + m Q)
        items = rows.reshape(rows.shape[0], self.packing, -1)[:, :, : math.prod(self.shape)]
        first, *rest = self.shape
        return self.net(items.reshape(rows.shape[0], self.packing * first, *rest))  # type: ignore[no-any-return]


class InfoGan(Joint):
    """A GAN whose D also reads the codes."""

    id = "infogan"
    title = "InfoGAN"
    paper = CHEN
    Settings = InfoSettings
    takes = frozenset({"points", "images"})
    opens_on = "digits"
    config: InfoSettings
    d: Reader

    @classmethod
    def listing(cls, config: Config, data: DataSet) -> Listing:
        assert isinstance(config, InfoSettings)
        tail, told = config.categories + config.continuous, ("info/categorical", "info/continuous")
        return gan_listing.listing(config, data, "infogan", tail=tail, told=told)

    @property
    def tail(self) -> int:
        return self.config.categories + self.config.continuous

    @property
    def judge(self) -> nn.Module:
        return self.d.net

    def networks(self, generator: torch.Generator) -> tuple[nn.Module, nn.Module]:
        c, shape = self.config, self.data.shape
        g = gan_nets.generator(c, shape, c.noise_dim + self.tail, generator)
        outputs = 1 + c.packing * (c.categories + 2 * c.continuous)  # a mean and a spread for each number
        d = gan_nets.discriminator(c, shape, outputs, generator)
        return Carrying(g, self.tail), Reader(d, shape, c.packing)

    def take(self, n: int, taken: int, rng: Streams) -> Tensor:
        """Return real rows; nobody knows their codes, and nobody asks."""
        x = super().take(n, taken, rng)
        return self.join(x, x.new_zeros(x.shape[0], self.tail))

    def noise(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw noise, an even choice of the categories and numbers from U(-1, 1)."""
        c, noise = self.config, super().noise(n, generator)
        choice = torch.randint(c.categories, (n,), generator=generator, device=self.device)
        numbers = torch.rand(n, c.continuous, generator=generator, device=self.device).mul_(2).sub_(1)
        return torch.cat([noise, F.one_hot(choice, c.categories).float(), numbers], 1)

    def codes(self) -> list[Code]:
        c = self.config
        first = c.noise_dim + c.categories
        return [
            Code("noise", "noise", 0, c.noise_dim),
            Code("category", "category", c.noise_dim, c.categories),
            *[Code(f"code {i + 1}", "continuous", first + i, 1) for i in range(c.continuous)],
        ]

    def _own_term(self, outputs: Tensor, fake: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return minus the weighted bounds on the information, from Q's reading of packed fakes."""
        c = self.config
        category, numbers = self.unpacked(fake)[1].split_with_sizes([c.categories, c.continuous], 2)  # (B, m, ...)
        read = outputs[:, 1:].reshape(outputs.shape[0], c.packing, -1)
        logits, mean, spread = read.split_with_sizes([c.categories, c.continuous, c.continuous], 2)
        of_category = (F.log_softmax(logits, 2) * category).sum(2).mean() + math.log(c.categories)
        of_numbers = normal_log_density(numbers, mean, spread).sum(2).mean() + c.continuous * math.log(2)
        told = {"info/categorical": of_category.detach(), "info/continuous": of_numbers.detach()}
        return -(c.info_category * of_category + c.info_continuous * of_numbers), told

    def _judge(self, d: penalties.Critic, x: Tensor) -> Tensor:
        return super()._judge(d, self.join(x, x.new_zeros(x.shape[0], self.tail)))


def normal_log_density(x: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Return log N(x; mean, std²) in nats, number by number; the spread is kept above NARROWEST."""
    log_std = log_std.clamp(min=math.log(NARROWEST))
    return -0.5 * ((x - mean) / log_std.exp()).square() - log_std - 0.5 * math.log(2 * math.pi)
