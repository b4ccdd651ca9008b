"""The losses of two players."""

from torch.nn.functional import relu, softplus


def cross_entropy(a, b):
    """Return the cross-entropy of the labels 1 for a and 0 for b."""
    return softplus(-a).mean() + softplus(b).mean()


def d_loss(a, b):
    """Return D's loss on its outputs of real rows (a) and of fakes (b)."""
    if LOSS in ("minimax", "non-saturating"):
        if SMOOTHING:
            return softplus(-a).mean() + SMOOTHING * a.mean() + softplus(b).mean()
        return softplus(-a).mean() + softplus(b).mean()
    elif LOSS == "least-squares":
        if SMOOTHING:
            return 0.5 * (a - (1 - SMOOTHING)).square().mean() + 0.5 * b.square().mean()
        return 0.5 * (a - 1).square().mean() + 0.5 * b.square().mean()
    elif LOSS == "hinge":
        return relu(1 - a).mean() + relu(1 + b).mean()
    elif LOSS == "relativistic":
        if SMOOTHING:
            smoothed = SMOOTHING * (a - b.mean()).mean()
            return cross_entropy(a - b.mean(), b - a.mean()) + smoothed
        return cross_entropy(a - b.mean(), b - a.mean())
    else:
        return b.mean() - a.mean()


def g_loss(b):
    """Return G's loss on D's outputs of fakes."""
    if LOSS == "minimax":
        return -softplus(b).mean()
    elif LOSS == "non-saturating":
        return softplus(-b).mean()
    elif LOSS == "least-squares":
        return 0.5 * (b - 1).square().mean()
    else:
        return -b.mean()


def relativistic_g_loss(a, b):
    """Return G's loss: D's with real rows (a) and fakes (b) swapped."""
    return cross_entropy(b - a.mean(), a - b.mean())
