"""One training loop of two players."""

import copy
import math
from contextlib import nullcontext

import numpy as np
import torch


def noise(n):
    """Draw n codes for G."""
    if NOISE_KIND == "gaussian":
        return torch.randn(n, NOISE_DIM, generator=noise_rng)
    return torch.rand(n, NOISE_DIM, generator=noise_rng) * 2 - 1


def objective(critic, real, fake):
    """Return what D descends, and what is told of it."""
    if PACKING > 1:
        real, fake = pack(real), pack(fake)
    if BATCHWISE:  # apart, since D looks at its batch as a whole
        of_real, of_fake = critic(real), critic(fake)
    else:
        of_real, of_fake = critic(torch.cat([real, fake])).chunk(2)
    if HALF:
        of_real, of_fake = of_real.float(), of_fake.float()
    loss = d_loss(of_real[:, 0], of_fake[:, 0])
    told = {"loss/d": loss}
    if PENALTY != "none":
        if TAIL:
            told["loss/penalty"] = item_slope_penalty(critic, real, fake)
        else:
            told["loss/penalty"] = slope_penalty(critic, real, fake)
        loss = loss + PENALTY_WEIGHT * told["loss/penalty"]
    if INFORMS:
        more, _ = information(of_fake, fake)
        loss = loss + more
    return loss, told


@torch.no_grad()
def clip():
    """Cut D's weights to what keeps its slope in bounds."""
    for p in D.parameters():
        p.clamp_(-CLIP, CLIP)


@torch.no_grad()
def follow():
    """Move the average a little towards G."""
    for mine, its in zip(average.parameters(), G.parameters()):
        mine.lerp_(its, 1 - EMA)
    if G_REMEMBERS:
        for mine, its in zip(average.buffers(), G.buffers()):
            mine.copy_(its)


def remember(net, on):
    """Let a net take note of what passes through it, as in its own update, or not."""
    for module in net.modules():
        if hasattr(module, "track_running_stats"):
            module.track_running_stats = on


if GAME:
    G, D = PointGenerator(), LineDiscriminator()
elif TAIL:
    G, D = networks()
elif KIND == "points" and not SPECTRAL and MINIBATCH == "none":
    G = mlp([NOISE_DIM, *G_WIDTHS, *SHAPE])
    D = mlp([PACKING * SHAPE[0], *D_WIDTHS, 1])
else:
    G = generator(NOISE_DIM)
    D = discriminator((PACKING * SHAPE[0], *SHAPE[1:]) if PACKING > 1 else SHAPE, 1)
if G_REMEMBERS:
    remember(G, False)
if D_REMEMBERS:
    remember(D, False)
average = copy.deepcopy(G)  # a moving average of G's weights, which draws the samples

if OPTIMISER_D == "adam":
    opt_d = torch.optim.Adam(D.parameters(), lr=LR_D, betas=(BETA1, BETA2), fused=True)
elif OPTIMISER_D == "sgd":
    opt_d = torch.optim.SGD(D.parameters(), lr=LR_D, momentum=MOMENTUM)
elif OPTIMISER_D == "rmsprop":
    opt_d = torch.optim.RMSprop(D.parameters(), lr=LR_D, alpha=BETA2, momentum=MOMENTUM)
else:
    opt_d = OptimisticAdam(D.parameters(), lr=LR_D, betas=(BETA1, BETA2))
if OPTIMISER_G == "adam":
    opt_g = torch.optim.Adam(G.parameters(), lr=LR_G, betas=(BETA1, BETA2), fused=True)
elif OPTIMISER_G == "sgd":
    opt_g = torch.optim.SGD(G.parameters(), lr=LR_G, momentum=MOMENTUM)
elif OPTIMISER_G == "rmsprop":
    opt_g = torch.optim.RMSprop(G.parameters(), lr=LR_G, alpha=BETA2, momentum=MOMENTUM)
else:
    opt_g = OptimisticAdam(G.parameters(), lr=LR_G, betas=(BETA1, BETA2))

print("step", *COLUMNS, sep=",")
for step in range(1, STEPS + 1):
    if CHANGES:
        if step - 1 in CHANGES:
            globals().update(CHANGES[step - 1])
            if TUNED:
                for opt, lr in ((opt_d, LR_D), (opt_g, LR_G)):
                    tuned = {
                        "lr": lr,
                        "momentum": MOMENTUM,
                        "alpha": BETA2,
                        "betas": (BETA1, BETA2),
                    }
                    group = opt.param_groups[0]
                    group.update({name: value for name, value in tuned.items() if name in group})
                    if "MOMENTUM" in VARIES and "rmsprop" in (OPTIMISER_D, OPTIMISER_G):
                        for memory in opt.state.values():  # RMSprop has none if it began without
                            if "square_avg" in memory:
                                nothing = torch.zeros_like(memory["square_avg"])
                                memory.setdefault("momentum_buffer", nothing)
    if SOLO:
        players = next((who for first, last, who in SOLO if first <= step <= last), "dg")
    if PARTIAL:
        told = dict.fromkeys(COLUMNS, math.nan)
    else:
        told = {}

    # D learns to tell real rows from fakes
    for real in (rows if KIND == "images" or TAIL else batch)(BATCH * PACKING * D_STEPS).chunk(
        D_STEPS
    ):
        if not SOLO or "d" in players:
            if D_REMEMBERS:
                remember(D, True)
            with torch.no_grad(), autocast() if HALF else nullcontext():
                fake = G(codes(real, len(real)) if TAIL else noise(len(real)))
            if HALF:
                fake = fake.float()
            if REPLAY:
                fake = replay(fake)
            if AUGMENT != "none" or INSTANCE_NOISE:
                shown, fake = seen(real), seen(fake)
            elif "AUGMENT" in VARIES or "INSTANCE_NOISE" in VARIES:
                shown = real
            with autocast() if HALF else nullcontext():
                loss, more = objective(D, shown if EVER_SEEN else real, fake)
            opt_d.zero_grad()
            loss.backward()
            if ORDER == "alternating":
                opt_d.step()
                if LOSS == "wasserstein-clip":
                    clip()
            if D_REMEMBERS:
                remember(D, False)
            told.update(more)

    # G learns to pass its fakes off as real
    if not SOLO or "g" in players:
        for _ in range(G_STEPS):
            if G_REMEMBERS:
                remember(G, True)
            with autocast() if HALF else nullcontext():
                fake = G(codes(real, BATCH * PACKING) if TAIL else noise(BATCH * PACKING))
            if HALF:
                fake = fake.float()
            if G_REMEMBERS:
                remember(G, False)
            if AUGMENT != "none" or INSTANCE_NOISE:
                fake = seen(fake)
            if LOSS == "relativistic" or UNROLL:
                if AUGMENT != "none" or INSTANCE_NOISE:
                    shown = seen(real)
                elif "AUGMENT" in VARIES or "INSTANCE_NOISE" in VARIES:
                    shown = real
            with autocast() if HALF else nullcontext():
                if UNROLL:
                    critic = unrolled(shown if EVER_SEEN else real, fake)
                elif "UNROLL" in VARIES:
                    critic = D
                if PACKING > 1:
                    fake = pack(fake)
                scores = (critic if EVER_UNROLLS else D)(fake)
                if LOSS == "relativistic":
                    rival = shown if EVER_SEEN else real
                    real_scores = (critic if EVER_UNROLLS else D)(
                        pack(rival) if PACKING > 1 else rival
                    )
            if HALF:
                scores = scores.float()
            if LOSS == "relativistic":
                if HALF:
                    real_scores = real_scores.float()
                loss = relativistic_g_loss(real_scores[:, 0], scores[:, 0])
            else:
                loss = g_loss(scores[:, 0])
            told["loss/g"] = loss
            if INFORMS:
                more, said = information(scores, fake)
                loss = loss + more
                told.update(said)
            opt_g.zero_grad()
            if ORDER == "alternating":
                loss.backward()
            else:  # D keeps the gradient that it has
                loss.backward(inputs=list(G.parameters()))
            opt_g.step()
            if EMA:
                follow()
            elif "EMA" in VARIES:
                average.load_state_dict(G.state_dict())
    if ORDER == "simultaneous":
        if not SOLO or "d" in players:
            opt_d.step()
            if LOSS == "wasserstein-clip":
                clip()

    if step <= 100 or step % LOG_EVERY == 0:
        print(step, *(f"{told[name]:.8g}" for name in COLUMNS), sep=",")

# What it came to: 64 samples
if EMA:
    G = average  # draws the samples
if G_REMEMBERS:
    G.eval()
with torch.no_grad():
    samples = G(sample_codes(64) if TAIL else noise(64))
if TAIL:
    samples, _ = apart(samples)
if KIND == "images":
    samples = (samples + 1) / 2
if DEVICE != "cpu":
    samples = samples.cpu()
np.savez("samples.npz", samples=samples.numpy())
