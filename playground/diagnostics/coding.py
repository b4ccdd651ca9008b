"""The scores of a model that codes: how well it rebuilds what it has never seen, and what its codings are worth.

At most 512 held-out items (256 through convolutions, 128 through a recurrent net: a score must not hold a run up) and
as many of the training items, the same ones every time, without corruption unless said.

    held/recon train/recon   the training loss's own error an item; for a VAE -log p(x|z) in nats from sampled z
    held/mse train/mse       mean squared error a number of decode(encode(x)); pca/mse the same of PCA with as many
                             codings, mean/mse of rebuilding every item as the mean item
    held/elbo held/iw        E_q log p(x|z) - KL, and its importance-weighted cousin of 8 samples; held/kl, kl/j each
    code/active code/dead    codings that vary over items. VAE: Var_x(μ) > 0.01 (Burda et al. 2015, arXiv 1509.00519);
                             else a hundredth of the most varied one's standard deviation
    unit/dead unit/always    shares of hidden units that put out the same for all items, and that are above 0 for all
    sparse/rho               with a sparsity penalty: mean of codings from 0 to 1, else the share of them that is not 0
    blur/sharpness           energy of the reconstructions' pixel differences over that of the items'; 1 is as sharp
    denoise/mse denoise/pca  where training sees corrupted items: mean squared error a number of what is made of such an
                             item, from the clean one; and of what PCA makes of it
    copy/noise               error on items whose numbers are shuffled among the items, over their variance: they
                             look like none, so near 0 anything at all is copied; about 1 knows what data looks like
    knn/accuracy knn/pca     5 nearest training codings vote on the class of a held-out one; the same on PCA's codings

Watch held/recon leave train/recon (overfitting), and pca/mse: an autoencoder above that line has not learned yet.
"""

from __future__ import annotations

import math
from functools import cached_property

import torch
from torch import Tensor

from playground.data.base import DataSet, Items
from playground.diagnostics.panel import Floor
from playground.families.base import Bounds, Family
from playground.latent.baseline import baseline
from playground.latent.neighbours import knn_accuracy
from playground.rng import fresh

N = 512  # items of each kind that a score looks at, half of them for units, a VAE's bounds and noise
FEWER = {"conv": 256, "recurrent": 128}  # where a body makes an item dear
SAMPLES = 8  # codes of each item in a VAE's bounds
NEIGHBOURS = 5
ACTIVE = 0.01  # variance of a mean code, of 1 at most where codes keep to the prior
VARIED = 0.01  # of the most varied coding's standard deviation
CONSTANT = 1e-4  # standard deviation of a unit's output that says the same whatever it sees


class CodingPanel:
    """Scores for one data set on one device. Make a new one when the data's settings change; what is dear is lazy."""

    def __init__(self, data: DataSet, seed: int, device: torch.device | str = "cpu") -> None:
        self.data, self.seed, self.device = data, seed, torch.device(device)
        self.n = N
        self._pca: dict[tuple[int, int], dict[str, float]] = {}

    def ready(self) -> bool:
        """Say that a score answers at once."""
        return True

    def score(self, family: Family, step: int) -> dict[str, float]:
        """Measure the model as it is now; only what applies and is finite is returned. Draws from its own stream."""
        rng = fresh(self.seed, "score", step, device=self.device)
        self.n = FEWER.get(getattr(family.config, "body", ""), N)
        held, train, labelled = self._held.x, self._train.x, self._train.labels is not None
        codes, known = family.encode(held), family.encode(self._voters.x if labelled else train)
        recon = family.decode(codes)
        scores = {"held/mse": mse(recon, held), "train/mse": mse(family.decode(known[: len(train)]), train)}
        scores |= self._errors(family, rng)
        scores |= codings(family, codes, held) | units(family.activations(held[: self.n // 2]))
        if self.data.kind == "images":
            scores["blur/sharpness"] = sharpness(recon, held)
        scores["copy/noise"] = self._copied(family)
        if labelled:
            scores["knn/accuracy"] = self._knn(known, codes)
        scores |= self._by_pca(codes.shape[1]) | self._denoised(family, codes.shape[1], rng)
        return {name: value for name, value in scores.items() if math.isfinite(value)}

    def floors(self) -> dict[str, Floor]:
        """Return perfection of those scores that have one: rebuilt sharply, and the best there is to tell classes."""
        known = {"blur/sharpness": Floor(1.0, 1.0, 1.0)} if self.data.kind == "images" else {}
        return known | ({"knn/accuracy": Floor(1.0, 1.0, 1.0)} if self.data.classes else {})

    def _errors(self, family: Family, rng: torch.Generator) -> dict[str, float]:
        """Return the training loss's own errors, and a VAE's bounds."""
        held = family.bounds(self._held.x[: self.n // 2], SAMPLES, rng)
        train = family.bounds(self._train.x[: self.n // 2], 1, rng)
        if held is None or train is None:
            errors = (family.errors(items.x) for items in (self._held, self._train))
            return dict(zip(("held/recon", "train/recon"), (float(e.mean()) for e in errors), strict=True))
        return bounds(held) | {"train/recon": float(train.recon.mean())}

    def _copied(self, family: Family) -> float:
        """Return the error on items whose numbers come each from another item, over what their mean would cost."""
        x, noise = self._held.x[: self.n // 2], self._noise[: self.n // 2]
        return mse(family.decode(family.encode(noise)), noise) / max(mse(x.mean(0), x), 1e-12)

    def _denoised(self, family: Family, codings: int, rng: torch.Generator) -> dict[str, float]:
        """Return how near to the clean items corrupted ones come, by the model and by PCA; {} where none are shown."""
        held = self._held.x
        noisy = family.corrupt(held, rng)
        if noisy is held:
            return {}
        pca = baseline(self.data, codings, self.device)
        ours, theirs = family.decode(family.encode(noisy)), pca.decode(pca.encode(noisy))
        return {"denoise/mse": mse(ours, held), "denoise/pca": mse(theirs, held)}

    def _knn(self, voters: Tensor, codes: Tensor) -> float:
        labels, known = self._held.labels, self._voters.labels
        assert labels is not None
        assert known is not None
        return knn_accuracy(codes, labels.cpu(), NEIGHBOURS, voters, known.cpu())

    def _by_pca(self, codings: int) -> dict[str, float]:
        """Return what PCA with as many codings makes of the same items; fitted once."""
        if (codings, self.n) not in self._pca:
            pca = baseline(self.data, codings, self.device)
            held = self._held.x
            codes = pca.encode(held)
            found = {"pca/mse": mse(pca.decode(codes), held), "mean/mse": mse(self._known.x.mean(0), held)}
            if self._train.labels is not None:
                found["knn/pca"] = self._knn(pca.encode(self._voters.x), codes)
            self._pca[codings, self.n] = found
        return self._pca[codings, self.n]

    @property
    def _held(self) -> Items:
        return first(self._unseen, self.n)

    @property
    def _train(self) -> Items:
        return first(self._known, self.n)

    @property
    def _voters(self) -> Items:
        return first(self._known, 2 * self.n)

    @cached_property
    def _unseen(self) -> Items:
        return self.data.held_out(N, self.seed, self.device)

    @cached_property
    def _noise(self) -> Tensor:
        """Items whose numbers come each from another held-out item, the same ones every time."""
        x = self._unseen.x[: N // 2]
        order = torch.rand(x.shape, generator=fresh(self.seed, "shuffled", device=self.device), device=self.device)
        return x.gather(0, order.argsort(0))

    @cached_property
    def _known(self) -> Items:
        return self.data.known(2 * N, self.seed, self.device)


def first(items: Items, n: int) -> Items:
    """Return the first n of some items."""
    return Items(items.x[:n], None if items.labels is None else items.labels[:n])


def mse(a: Tensor, b: Tensor) -> float:
    """Return the mean squared difference a number."""
    return float((a - b).square().mean())


def bounds(b: Bounds) -> dict[str, float]:
    """Return a VAE's scores: means over the items, in nats."""
    kl = b.kl.mean(0)  # (Z,)
    total, recon = float(kl.sum()), float(b.recon.mean())
    scores = {"held/recon": recon, "held/kl": total, "held/elbo": -recon - total, "held/iw": float(b.weighted.mean())}
    return scores | {f"kl/{j}": value for j, value in enumerate(kl.tolist())}


def codings(family: Family, codes: Tensor, x: Tensor) -> dict[str, float]:
    """Return how many codings (n, Z) vary over items and how many do not, and how busy sparse ones are."""
    varied = alive(codes, probabilistic=family.spread(x[:1]) is not None)
    scores = {"code/active": float(varied.sum()), "code/dead": float((~varied).sum())}
    if getattr(family.config, "sparsity", "none") != "none":
        scores["sparse/rho"] = busy(codes)
    return scores


def alive(codes: Tensor, *, probabilistic: bool) -> Tensor:
    """Say which codings (n, Z) vary over items, (Z,) bool; probabilistic ones are means of standard normal codes."""
    std = codes.std(0)
    return std.square() > ACTIVE if probabilistic else std > max(VARIED * float(std.max()), CONSTANT)


def busy(codes: Tensor) -> float:
    """Return the mean of codings (n, Z) that lie from 0 to 1, of others the share that is not 0."""
    if float(codes.min()) >= 0 and float(codes.max()) <= 1:
        return float(codes.mean())
    return float((codes.abs() > VARIED * codes.abs().max()).float().mean())


def never_and_always(h: Tensor) -> tuple[Tensor, Tensor]:
    """Say which units (n, units) put out the same for all items, and which vary but are above 0 for all, (units,)."""
    constant: Tensor = (h - h.mean(0)).square().mean(0) < CONSTANT**2  # a tenth of what `std` takes
    return constant, ~constant & (h.amin(0) > 0)


def units(activations: dict[str, Tensor]) -> dict[str, float]:
    """Return which shares of all hidden units never and always fire."""
    if not activations:
        return {}
    never, always = zip(*map(never_and_always, activations.values()), strict=True)
    return {"unit/dead": float(torch.cat(never).float().mean()), "unit/always": float(torch.cat(always).float().mean())}


def sharpness(recon: Tensor, x: Tensor) -> float:
    """Return the gradient energy (squared differences of neighbouring pixels) of images over that of the originals."""
    return _energy(recon) / max(_energy(x), 1e-12)


def _energy(x: Tensor) -> float:
    return float(x.diff(dim=-1).square().mean() + x.diff(dim=-2).square().mean())
