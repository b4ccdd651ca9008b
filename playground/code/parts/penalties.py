"""What D is charged for its slope."""

import torch

penalty_rng = stream("penalty")


def square_slope(critic, x):
    """Return the squared length of D's slope at each row."""
    if not x.requires_grad:
        x = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(x)[:, 0].sum(), x, create_graph=True)
    return slope.square().flatten(1).sum(1)


def off_target(critic, x):
    """Return how far D's slope is from its target, squared."""
    slope = (square_slope(critic, x) + 1e-12).sqrt()
    return (slope - PENALTY_TARGET).square().mean()


def slope_penalty(critic, real, fake):
    """Return what D is charged for its slope."""
    if PENALTY == "gp":  # on a random point between each pair
        u = torch.rand(len(real), *[1] * (real.dim() - 1), generator=penalty_rng)
        return off_target(critic, torch.lerp(real, fake, u))
    elif PENALTY == "dragan":  # around the real rows
        noise = torch.randn(real.shape, generator=penalty_rng)
        return off_target(critic, real + 0.5 * real.std(unbiased=False) * noise)
    elif PENALTY == "r1":
        return 0.5 * square_slope(critic, real).mean()
    else:
        return 0.5 * square_slope(critic, fake).mean()
