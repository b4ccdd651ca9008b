"""BEGAN: a discriminator that is an autoencoder, and a controller."""

import copy
import math

import numpy as np
import torch
from torch import nn


def noise(n):
    """Draw n codes for G."""
    if NOISE_KIND == "gaussian":
        return torch.randn(n, NOISE_DIM, generator=noise_rng)
    return torch.rand(n, NOISE_DIM, generator=noise_rng) * 2 - 1


class Rebuilder(nn.Module):
    """D: an autoencoder, which says of each image how badly it rebuilds it."""

    def __init__(self):
        super().__init__()
        self.encoder = discriminator(SHAPE, CODINGS)
        self.decoder = generator(CODINGS)

    def forward(self, x):  # (B, C, H, W) -> (B,)
        return (x - self.decoder(self.encoder(x))).abs().flatten(1).mean(1)


@torch.no_grad()
def follow():
    """Move the average a little towards G."""
    for mine, its in zip(average.parameters(), G.parameters()):
        mine.lerp_(its, 1 - EMA)


G = generator(NOISE_DIM)
D = Rebuilder()
average = copy.deepcopy(G)  # a moving average of G's weights, which draws the samples
opt_d = torch.optim.Adam(D.parameters(), lr=LR, betas=(BETA1, 0.999), fused=True)
opt_g = torch.optim.Adam(G.parameters(), lr=LR, betas=(BETA1, 0.999), fused=True)
k = torch.zeros(())  # how much D cares to rebuild fakes badly

print("step", *COLUMNS, sep=",")
for step in range(1, STEPS + 1):
    if CHANGES:
        if step - 1 in CHANGES:
            globals().update(CHANGES[step - 1])
            if TUNED:
                for opt in (opt_d, opt_g):
                    opt.param_groups[0].update(lr=LR, betas=(BETA1, 0.999))
    if SOLO:
        players = next((who for first, last, who in SOLO if first <= step <= last), "dg")
    if PARTIAL:
        told = dict.fromkeys(COLUMNS, math.nan)
    else:
        told = {}
    x = batch(BATCH) * 2 - 1

    # D learns to rebuild real images, and, weighted by k, not to rebuild fakes
    if not SOLO or "d" in players:
        with torch.no_grad():
            fake = G(noise(len(x)))
        of_real, of_fake = D(torch.cat([x, fake])).chunk(2)
        real, made = of_real.mean(), of_fake.mean()
        loss = real - k * made
        opt_d.zero_grad()
        loss.backward()
        opt_d.step()
        told["loss/d"] = loss

    # G learns to make what D rebuilds
    if not SOLO or "g" in players:
        loss = D(G(noise(len(x)))).mean()
        opt_g.zero_grad()
        loss.backward()
        opt_g.step()
        told["loss/g"] = made = loss
        if EMA:
            follow()
        elif "EMA" in VARIES:
            average.load_state_dict(G.state_dict())

    # k keeps the balance: fakes are to be rebuilt with GAMMA times the error of real images
    if not SOLO or "d" in players:
        off = GAMMA * real.detach() - made.detach()
        k = (k + LAMBDA_K * off).clamp(0, 1)
        told["began/k"], told["began/m"] = k, real + off.abs()

    if step <= 100 or step % LOG_EVERY == 0:
        print(step, *(f"{told[name]:.8g}" for name in COLUMNS), sep=",")

# What it came to: 64 samples
if EMA:
    G = average  # draws the samples
with torch.no_grad():
    samples = (G(noise(64)) + 1) / 2
if DEVICE != "cpu":
    samples = samples.cpu()
np.savez("samples.npz", samples=samples.numpy())
