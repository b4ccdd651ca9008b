"""The training loop of a variational autoencoder."""

import math
from contextlib import nullcontext

import numpy as np
import torch
import torch.nn.functional as F


def log_normal(x, mean, log_variance):
    """Return log N(x; mean, exp(log_variance)) of each number."""
    square = (x - mean).square() * torch.exp(-torch.as_tensor(log_variance))
    return -0.5 * (square + log_variance + math.log(2 * math.pi))


def log_likelihood(x, z):
    """Return log p(x|z) of each item, in nats."""
    if SAMPLES > 1 or "SAMPLES" in VARIES:
        raw = decoder(z.flatten(0, 1))
        raw = raw.view(*z.shape[:2], *x.shape[1:])
    else:
        raw = decoder(z)
    if HALF:
        raw = raw.float()
    if LIKELIHOOD == "bernoulli":
        each = x * raw - F.softplus(raw)
    elif LIKELIHOOD == "gaussian":
        each = log_normal(x, raw, 2 * math.log(SIGMA))
    else:
        each = log_normal(x, raw, 2 * learned_log_sigma())
    return each.flatten(2 if SAMPLES > 1 or "SAMPLES" in VARIES else 1).sum(-1)


def learned_log_sigma():
    """Return the log of the learned deviation, kept above -6 without an edge."""
    return -6 + F.softplus(log_sigma + 6)


encoder = make_encoder(2 * CODINGS)
decoder = make_decoder(CODINGS)
log_sigma = torch.nn.Parameter(torch.zeros(()))
if LIKELIHOOD == "learned":
    opt = torch.optim.Adam(
        [*encoder.parameters(), *decoder.parameters(), log_sigma], lr=LR, fused=True
    )
else:
    opt = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=LR, fused=True)

print("step", *COLUMNS, sep=",")
for step in range(1, STEPS + 1):
    if CHANGES:
        if step - 1 in CHANGES:
            globals().update(CHANGES[step - 1])
            if TUNED:
                opt.param_groups[0]["lr"] = LR
    x = batch(BATCH)
    with autocast() if HALF else nullcontext():
        mean, log_variance = (encoder(x).float() if HALF else encoder(x)).chunk(2, 1)
        log_variance = log_variance.clamp(-20, 20)
        if SAMPLES > 1 or "SAMPLES" in VARIES:
            noise = torch.randn(SAMPLES, *mean.shape, generator=noise_rng)
        else:
            noise = torch.randn(mean.shape, generator=noise_rng)
        z = mean + (0.5 * log_variance).exp() * noise
        fit = log_likelihood(x, z)
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)  # by dimension
    if WARM_UP:
        risen = min(1.0, (step - 1) / WARM_UP)
    if SAMPLES > 1:  # the importance-weighted bound
        ratio = (log_normal(z, 0.0, 0.0) - log_normal(z, mean, log_variance)).sum(-1)
        weights = fit + (risen * BETA if WARM_UP else BETA) * ratio
        loss = -(torch.logsumexp(weights, 0) - math.log(SAMPLES)).mean()
    else:
        cost = kl.mean(0).clamp_min(FREE_BITS).sum() if FREE_BITS else kl.mean(0).sum()
        if CAPACITY:  # the code is asked to hold so many nats
            cost = (cost - (risen * CAPACITY if WARM_UP else CAPACITY)).abs()
            loss = BETA * cost - fit.mean()
        elif WARM_UP:
            loss = risen * BETA * cost - fit.mean()
        else:
            loss = BETA * cost - fit.mean()
    opt.zero_grad()
    loss.backward()
    opt.step()

    if step <= 100 or step % LOG_EVERY == 0:
        told = (loss, -fit.mean(), kl.sum(1).mean())
        print(step, *(f"{value:.8g}" for value in told), sep=",")

# What it came to: 64 samples from the prior
with torch.no_grad():
    samples = decoder(torch.randn(64, CODINGS, generator=noise_rng))
    if LIKELIHOOD == "bernoulli":
        samples = torch.sigmoid(samples)
if DEVICE != "cpu":
    samples = samples.cpu()
np.savez("samples.npz", samples=samples.numpy())
