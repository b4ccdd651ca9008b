"""The training loop of an autoencoder."""

import math
from contextlib import nullcontext

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

corruption_rng, contractive_rng = stream("corruption"), stream("contractive")


def corrupt(x):
    """Return items as the encoder sees them, with noise."""
    if "STRENGTH" in VARIES or "CORRUPTION" in VARIES:
        if CORRUPTION == "none" or STRENGTH == 0:
            return x
    if CORRUPTION == "gaussian":
        return x + STRENGTH * torch.randn(x.shape, generator=corruption_rng)
    chance = torch.rand(x.shape, generator=corruption_rng)
    if CORRUPTION == "mask":
        return torch.where(chance < STRENGTH, 0.0, x)
    if KIND == "images":
        low, high = 0.0, 1.0
    else:
        low, high = x.amin(), x.amax()
    pepper = torch.where(chance < STRENGTH / 2, low, high)
    return torch.where(chance < STRENGTH, pepper, x)


def bent(codes):
    """Return codes after their own activation."""
    if BEND == "sigmoid":
        codes = torch.sigmoid(codes)
    elif BEND == "tanh":
        codes = torch.tanh(codes)
    elif BEND == "relu":
        codes = torch.relu(codes)
    if SPARSITY == "k-sparse":  # of each item only the largest KEEP stay
        if KEEP < CODINGS:
            values, at = codes.topk(KEEP, dim=1)
            codes = torch.zeros_like(codes).scatter(1, at, values)
    return codes


def squared(y, x):
    """Return the squared error of each item."""
    return (y - x).square().flatten(1).sum(1)


def ssim(y, x):
    """Return the structural similarity of images, 1 where they are equal."""
    means = F.avg_pool2d(torch.cat([x, y, x * x, y * y, x * y]), 7, 1)
    mx, my, xx, yy, xy = means.chunk(5)
    vx, vy, cov = (49 / 48 * part for part in (xx - mx * mx, yy - my * my, xy - mx * my))
    c1, c2 = 0.01**2, 0.03**2
    alike = (2 * mx * my + c1) * (2 * cov + c2)
    alike = alike / ((mx * mx + my * my + c1) * (vx + vy + c2))
    return alike.flatten(1).mean(1)


def error(y, x):
    """Return how far each reconstruction is from its item."""
    if LOSS == "bce":  # y are logits
        return F.binary_cross_entropy_with_logits(y, x, reduction="none").flatten(1).sum(1)
    if OUTPUT == "sigmoid":
        y = torch.sigmoid(y)
    if LOSS == "mse":
        return squared(y, x)
    elif LOSS == "l1":
        return (y - x).abs().flatten(1).sum(1)
    else:
        return (1 - ssim(y, x)) * NUMBERS


def sparse_penalty(codes):
    """Return what codes are charged for not being quiet."""
    if SPARSITY == "l1":
        return codes.abs().sum(1).mean()
    p = codes.mean(0).clamp(1e-6, 1 - 1e-6)  # each coding's mean is to be RHO
    return (RHO * (RHO / p).log() + (1 - RHO) * ((1 - RHO) / (1 - p)).log()).sum()


def contractive_penalty(codes, x):
    """Return how much the codes move when the item does, |dcodes/dx|^2 of each item."""
    if BODY == "linear" and BEND == "sigmoid" and SPARSITY != "k-sparse":
        weight = next(layer for layer in encoder if isinstance(layer, nn.Linear)).weight
        return (codes * (1 - codes)).square() @ weight.square().sum(1)
    n, z = codes.shape
    if CODINGS <= 8:
        directions = torch.eye(z).unsqueeze(1).expand(z, n, z)
    else:  # along one random direction, whose mean it is
        directions = torch.randint(0, 2, (1, n, z), generator=contractive_rng) * 2.0 - 1
    total = 0
    for v in directions:
        if HALF:
            v = v.to(codes.dtype)
        (slope,) = torch.autograd.grad(codes, x, v, create_graph=True)
        total = total + slope.square().flatten(1).sum(1)
    return total


def optimiser():
    """Return a fresh optimiser of all parameters."""
    parameters = [*encoder.parameters(), *decoder.parameters()]
    if OPTIMISER == "adam":
        return torch.optim.Adam(parameters, lr=LR, fused=True)
    elif OPTIMISER == "nadam":
        return torch.optim.NAdam(parameters, lr=LR)
    elif OPTIMISER == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=LR, alpha=0.999, momentum=MOMENTUM)
    else:
        return torch.optim.SGD(parameters, lr=LR, momentum=MOMENTUM)


def levels(net):
    """Return each linear layer of a net with the bend after it."""
    found = []
    for layer in net:
        if isinstance(layer, (nn.Linear, TiedLinear) if TIED else nn.Linear):
            found.append([layer])
        elif found and layer is bend:
            found[-1].append(layer)
    return [nn.Sequential(*level) for level in found]


def one_layer(x, noisy, level):
    """Return error and codes of the autoencoder of one layer, fed by the ones before it."""
    down, up = levels(encoder), levels(decoder)[::-1]
    clean, entering = x.flatten(1), noisy.flatten(1)
    with torch.no_grad():
        for finished in down[:level]:
            clean, entering = finished(clean), finished(entering)
    codes = down[level](entering)
    if level == len(down) - 1:
        codes = bent(codes)
    y = up[level](codes)
    if HALF:
        y, clean = y.float(), clean.float()
    return squared(y, clean) if level else error(y.view_as(x), x), codes


encoder = make_encoder(CODINGS)
decoder = make_decoder(CODINGS)
opt = optimiser()

print("step", *COLUMNS, sep=",")
for step in range(1, STEPS + 1):
    if CHANGES:
        if step - 1 in CHANGES:
            globals().update(CHANGES[step - 1])
            if TUNED:
                opt.param_groups[0]["lr"] = LR
                if OPTIMISER in ("sgd", "rmsprop") and "MOMENTUM" in VARIES:
                    opt.param_groups[0]["momentum"] = MOMENTUM
                    if OPTIMISER == "rmsprop":
                        for memory in opt.state.values():  # it has none if it began without
                            nothing = torch.zeros_like(memory["square_avg"])
                            memory.setdefault("momentum_buffer", nothing)
    if STACK_STEPS:
        # Layer by layer from the outside in, then (None) all together; each time the optimiser forgets
        stage = (step - 1) // STACK_STEPS
        level = stage if stage <= len(WIDTHS) else None
        if (step - 1) % STACK_STEPS == 0 and stage <= len(WIDTHS) + 1:
            opt = optimiser()
    if PARTIAL:
        told = dict.fromkeys(COLUMNS, math.nan)
    x = batch(BATCH)
    if CORRUPTION != "none" and STRENGTH:
        noisy = corrupt(x)
    elif EVER_NOISY:
        noisy = x
    if CONTRACTIVE:
        noisy = noisy.detach().requires_grad_()
    with autocast() if HALF else nullcontext():
        if STACK_STEPS:
            if level is None:
                codes = encoder(noisy if EVER_NOISY else x)
                if BENDS:
                    codes = bent(codes)
                errors = error(decoder(codes).float() if HALF else decoder(codes), x)
            else:
                errors, codes = one_layer(x, noisy if EVER_NOISY else x, level)
        else:
            codes = encoder(noisy if EVER_NOISY else x)
            if BENDS:
                codes = bent(codes)
            errors = error(decoder(codes).float() if HALF else decoder(codes), x)
    loss = errors.mean()
    if EVER_TERMS:
        if PARTIAL:
            told["loss/recon"] = loss
        else:
            told = {"loss/recon": loss}
    if SPARSITY in ("l1", "kl"):
        if HALF:
            codes = codes.float()
        if STACK_STEPS:
            if level in (None, len(WIDTHS)):
                told["loss/sparse"] = sparse_penalty(codes)
                loss = loss + SPARSE_WEIGHT * told["loss/sparse"]
        else:
            told["loss/sparse"] = sparse_penalty(codes)
            loss = loss + SPARSE_WEIGHT * told["loss/sparse"]
    if CONTRACTIVE:
        if STACK_STEPS:
            if level is None:
                told["loss/contractive"] = contractive_penalty(codes, noisy).mean()
                loss = loss + CONTRACTIVE * told["loss/contractive"]
        else:
            told["loss/contractive"] = contractive_penalty(codes, noisy).mean()
            loss = loss + CONTRACTIVE * told["loss/contractive"]
    opt.zero_grad()
    loss.backward()
    opt.step()

    if step <= 100 or step % LOG_EVERY == 0:
        if EVER_TERMS:
            told["loss/total"] = loss
            print(step, *(f"{told[name]:.8g}" for name in COLUMNS), sep=",")
        else:
            print(step, f"{loss:.8g}", sep=",")

# What it came to: 64 items (each first) and what the net makes of them
x = batch(64)
with torch.no_grad():
    y = decoder(bent(encoder(x)) if BENDS else encoder(x))
    if OUTPUT == "sigmoid":
        y = torch.sigmoid(y)
pairs = torch.stack([x, y], 1)
if DEVICE != "cpu":
    pairs = pairs.cpu()
np.savez("reconstructions.npz", pairs=pairs.numpy())
