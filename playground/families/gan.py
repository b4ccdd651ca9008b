"""Generative adversarial networks: two nets, every common loss, penalty and trick as a setting; on points or images.

Goodfellow et al. 2014, "Generative adversarial nets", arXiv 1406.2661:

    min_G max_D  E_x log σ(D(x)) + E_z log(1 - σ(D(G(z))))

D learns to tell real points x from fakes G(z); G moves its fakes where D is fooled. For G fixed the best D is
σ(D(x)) = p/(p+q); where q = p it says ½ everywhere and D's loss is 2 ln 2. Watch whether the fakes reach every part of
the data (collapse: they do not), and whether D's surface still slopes where the fakes are (if not, G has no gradient).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from playground import gan_listing, gan_nets, slowmotion
from playground.adversarial import Adversarial
from playground.config import Config
from playground.data.base import DataSet
from playground.families.base import Listing, SubStep
from playground.gan_settings import GOODFELLOW, GanSettings
from playground.rng import Streams


class Gan(Adversarial):
    """The plain GAN: two multilayer perceptrons on points, dense or convolutional networks on images."""

    id = "gan"
    title = "GAN"
    paper = GOODFELLOW
    Settings = GanSettings
    takes = frozenset({"points", "images"})

    def networks(self, generator: torch.Generator) -> tuple[nn.Module, nn.Module]:
        game = self.data.players()
        if game is not None:
            return game[0].to(generator.device), game[1].to(generator.device)
        shape, z = self.data.shape, self.config.noise_dim
        return gan_nets.generator(self.config, shape, z, generator), gan_nets.discriminator(
            self.config, shape, 1, generator
        )

    @classmethod
    def listing(cls, config: Config, data: DataSet) -> Listing:
        assert isinstance(config, GanSettings)
        return gan_listing.listing(config, data, GAME=data.players() is not None)

    def trace(self, batch: Tensor, rng: Streams) -> list[SubStep]:
        if self.data.kind != "points":  # what is told is drawn among points
            return super().trace(batch, rng)
        return slowmotion.trace(self, batch, rng)
