"""Energy matching, a generator without a discriminator. Add it: cp docs/example_family.py playground/families/energy.py

Székely and Rizzo 2013; as a loss for generators Bellemare et al. 2017, arXiv 1705.10743:

    min_G  2 E|x - G(z)| - E|x - x'| - E|G(z) - G(z')|,    0 where fakes and data are distributed alike
"""

import torch

from playground import nets, optim
from playground.config import Config, knob
from playground.families.base import Family, StepResult, only_live


class EnergySettings(Config):
    width: int = knob(64, "Units in each of two layers.", short="gw", group="Generator", low=4, high=256)
    lr: float = knob(1e-3, "Learning rate.", short="lr", group="Training", live=True, low=1e-6, high=0.1, scale="log")


class Energy(Family):
    id, title, paper = "energy", "Energy matching", "Bellemare et al. 2017, arXiv 1705.10743"
    Settings, abilities = EnergySettings, frozenset({"generate"})
    rows = 256  # of the data that a step takes

    def __init__(self, config, data, rng):
        self.config, self.data, self.device = config, data, rng.device
        self.g = nets.MLP([2, config.width, config.width, data.dim], activation="relu", generator=rng["init"])
        self.flat = nets.flatten(self.g)
        self.adam = optim.make("adam", self.flat, lr=config.lr)

    def set(self, config):
        only_live(self.config, config)
        self.config, self.adam.lr = config, config.lr

    def step(self, batch, rng, players=None):
        fake = self.g(self.noise(len(batch), rng["noise"]))  # (B, dim)
        between, real, own = (torch.cdist(a, b).mean() for a, b in ((batch, fake), (batch, batch), (fake, fake)))
        self.flat.backward(loss := 2 * between - real - own)
        self.adam.step()
        return StepResult({"loss/g": loss.detach(), "grad/g": self.flat.grad_norm()})

    def state(self):
        return {"weights": self.flat.data} | self.adam.state()

    def load(self, state):
        self.flat.data.copy_(state["weights"])
        self.adam.load(state)

    def describe(self):
        return {"Generator": nets.words(self.g)}

    def noise(self, n, generator):
        return torch.randn(n, 2, generator=generator, device=self.device)

    @torch.no_grad()
    def generate(self, z):
        return self.g(z)

    def picture(self, view, z):
        return {"fake": self.generate(z[: view.fakes])} if "fake" in view.layers else {}
