"""What is done to keep a GAN from collapsing or circling."""

import torch
import torch.nn.functional as F
from torch.func import functional_call

instance_rng, replay_rng, augment_rng = stream("instance"), stream("replay"), stream("augment")


def pack(x):
    """Join PACKING rows at a time, which D judges as one."""
    return x.reshape(len(x) // PACKING, PACKING * x.shape[1], *x.shape[2:])


def blur(x):
    """Add Gaussian noise to what D sees."""
    if INSTANCE_NOISE_DECAY:
        std = INSTANCE_NOISE * max(0.0, 1 - (step - 1) / INSTANCE_NOISE_DECAY)
        return x + std * torch.randn(x.shape, generator=instance_rng) if std else x
    else:
        if "INSTANCE_NOISE" in VARIES:
            if not INSTANCE_NOISE:
                return x
        return x + INSTANCE_NOISE * torch.randn(x.shape, generator=instance_rng)


def translate(x):
    """Move each image by up to an eighth of its side."""
    n, _, high, wide = x.shape
    most = torch.tensor([int(side / 8 + 0.5) for side in (high, wide)])
    by = (torch.rand(n, 2, generator=augment_rng) * (2 * most + 1)).long() - most
    edge = int(most.max())
    at = torch.arange(max(high, wide)) + edge
    rows, columns = at[:high] - by[:, :1], at[:wide] - by[:, 1:]
    padded = F.pad(x, [edge] * 4).movedim(1, -1)
    image = torch.arange(n)[:, None, None]
    return padded[image, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


def cut(x):
    """Turn a square of half the side grey in each image."""
    where = torch.rand(len(x), 2, generator=augment_rng)
    masks = []
    for side, centre in zip(x.shape[2:], where.T):
        hole = int(side / 2 + 0.5)
        off = torch.arange(side) - ((centre * side).floor() - hole // 2)[:, None]
        masks.append((off >= 0) & (off < hole))
    return x.masked_fill(masks[0][:, None, :, None] & masks[1][:, None, None, :], 0.0)


def tint(x):
    """Change brightness, saturation and contrast of each image."""
    by = torch.rand(len(x), 3, generator=augment_rng)
    bright, vivid, sharp = by.T[:, :, None, None, None]
    x = x + bright - 0.5
    if SHAPE[0] == 3:
        grey = x.mean(1, keepdim=True)
        x = grey + (x - grey) * 2 * vivid
    middle = x.mean((1, 2, 3), keepdim=True)
    return middle + (x - middle) * (sharp + 0.5)


def augment(x):
    """Change images, real and fake, so that D cannot learn them by heart."""
    if "AUGMENT" in VARIES:
        if AUGMENT == "none":
            return x
    if AUGMENT == "colour":
        x = tint(x)
    x = translate(x)
    if AUGMENT != "translation":
        x = cut(x)
    return x


def seen(x):
    """Return rows as D gets to see them."""
    if TAIL:
        x, tail = apart(x)
    if AUGMENT != "none":
        x = augment(x)
    if INSTANCE_NOISE:
        x = blur(x)
    if TAIL:
        x = join(x, tail)
    return x


past, written = torch.zeros(REPLAY_SIZE, *ROW), 0


def replay(fake):
    """Swap the last REPLAY of the fakes for earlier ones, and remember the new ones."""
    global written
    old = min(written, REPLAY_SIZE)
    count = int(REPLAY * len(fake)) if old else 0
    which = torch.randint(max(old, 1), (count,), generator=replay_rng)
    mixed = torch.cat([fake[: len(fake) - count], past[which]])
    new = fake[:REPLAY_SIZE]
    past[torch.arange(written, written + len(new)) % REPLAY_SIZE] = new
    written += len(new)
    return mixed


def safe_root(x):
    """Return the root of x, with slope 0 at 0."""
    return torch.where(x > 0, x, 1.0).sqrt() * (x > 0)


def moved(weight, grad, s):
    """Return a weight after one update of D's optimiser, as a function of the gradient."""
    if OPTIMISER_D == "sgd":
        s["momentum_buffer"] = MOMENTUM * s.get("momentum_buffer", 0) + grad
        return weight - LR_D * s["momentum_buffer"]
    elif OPTIMISER_D == "rmsprop":
        s["square_avg"] = BETA2 * s.get("square_avg", 0) + (1 - BETA2) * grad.square()
        way = grad / (safe_root(s["square_avg"]) + 1e-8)
        if MOMENTUM:
            way = s["momentum_buffer"] = MOMENTUM * s.get("momentum_buffer", 0) + way
        return weight - LR_D * way
    else:
        if OPTIMISER_D == "adam":
            names = ("step", "exp_avg", "exp_avg_sq")
        else:
            names = ("t", "mean", "square")
        t, mean, square = (s.get(name, 0) for name in names)
        t = t + 1
        mean = BETA1 * mean + (1 - BETA1) * grad
        square = BETA2 * square + (1 - BETA2) * grad.square()
        s.update(zip(names, (t, mean, square)))
        root = safe_root(square / (1 - BETA2**t)) + 1e-8
        direction = mean / (1 - BETA1**t) / root
        if OPTIMISER_D == "adam":
            return weight - LR_D * direction
        else:
            last = s.get("last", direction)
            s["last"] = direction
            return weight - LR_D * (2 * direction - last)


def unrolled(real, fake):
    """Return D as it would be UNROLL of its updates from now, as a function of what it is now."""

    def at(weights):
        return lambda x: functional_call(D, weights, (x,))

    weights = {name: p.detach().requires_grad_() for name, p in D.named_parameters()}
    memory = {name: dict(opt_d.state[p]) for name, p in D.named_parameters()}
    for _ in range(UNROLL):
        loss, _ = objective(at(weights), real, fake)
        grads = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
        pairs = zip(weights.items(), grads)
        weights = {name: moved(p, grad, memory[name]) for (name, p), grad in pairs}
        if LOSS == "wasserstein-clip":
            weights = {name: p.clamp(-CLIP, CLIP) for name, p in weights.items()}
    return at(weights)
