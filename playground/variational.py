"""What variational autoencoders are made of: pure functions on tensors, in nats; a further kind is then a small file.

Kingma and Welling 2013, arXiv 1312.6114. An item x has a code z with prior p(z) = N(0, I), the encoder says
q(z|x) = N(μ, diag exp(ℓ)), ℓ its log variance, and the decoder p(x|z):

    log p(x) ≥ E_q log p(x|z) - KL(q(z|x) ‖ p(z))                  the ELBO, one sampled z at least, never z = μ
    log p(x) ≥ E log 1/k Σ p(x|zᵢ) p(zᵢ) / q(zᵢ|x)                 k samples (Burda et al. 2015, arXiv 1509.00519)

Every likelihood is summed over an item's numbers and every KL comes by dimension, so that means over a batch are the
caller's, once. Watch the units: with means over pixels instead, the KL would weigh some hundred times too much.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

Likelihood = Literal["bernoulli", "gaussian", "learned"]

LOG_2PI = math.log(2 * math.pi)
# Of an encoder's log variance: exp overflows at 88 in float32. A trained one lies between about -8 and 0.
LOWEST, HIGHEST = -20.0, 20.0
# Of a learned log σ, approached smoothly: below it the likelihood of a perfectly predicted number grows without end
# (Rybkin et al. 2021, arXiv 2006.13202).
LOG_SIGMA = -6.0


class Posterior(NamedTuple):
    """What an encoder says of n items: means and log variances of the codes, both (n, Z)."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """Return codes μ + σε of standard normal noise (..., n, Z): the reparameterised draw."""
        return self.mean + (0.5 * self.log_variance).exp() * noise

    def kl(self) -> Tensor:
        """Return the KL divergence from the standard normal prior by item and dimension (n, Z)."""
        return kl_normal(self.mean, self.log_variance)

    def log_density(self, z: Tensor) -> Tensor:
        """Return log q(z|x) of codes (..., n, Z), (..., n)."""
        return log_normal(z, self.mean, self.log_variance).sum(-1)


def posterior(outputs: Tensor) -> Posterior:
    """Read an encoder's outputs (n, 2 Z): means, then log variances cut to [-20, 20]."""
    mean, log_variance = outputs.chunk(2, 1)
    return Posterior(mean, log_variance.clamp(LOWEST, HIGHEST))


def kl_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(μ, exp ℓ) ‖ N(0, 1)) = ½(μ² + exp ℓ - 1 - ℓ) of each number."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def log_normal(x: Tensor, mean: Tensor | float, log_variance: Tensor | float) -> Tensor:
    """Return log N(x; μ, exp ℓ) of each number."""
    log_variance = torch.as_tensor(log_variance, dtype=x.dtype, device=x.device)
    return -0.5 * ((x - mean).square() * (-log_variance).exp() + log_variance + LOG_2PI)


def log_prior(z: Tensor) -> Tensor:
    """Return log N(z; 0, I) of codes (..., Z), (...)."""
    return log_normal(z, 0.0, 0.0).sum(-1)


def log_likelihood(x: Tensor, raw: Tensor, kind: Likelihood, log_sigma: Tensor | float = 0.0) -> Tensor:
    """Return log p(x|z) of items (n, *shape) under a decoder's outputs (..., n, *shape), (..., n).

    "bernoulli" takes `raw` as logits and any x in [0, 1] (of grey values it is a cross-entropy, not a density);
    "gaussian" and "learned" take it as means, with one log σ for all numbers.
    """
    if kind == "bernoulli":
        each = x * raw - F.softplus(raw)
    else:
        each = log_normal(x, raw, 2 * torch.as_tensor(log_sigma, dtype=x.dtype, device=x.device))
    return each.flatten(raw.dim() - x.dim() + 1).sum(-1)


def data_mean(raw: Tensor, kind: Likelihood) -> Tensor:
    """Return the mean of p(x|z), in data units, of a decoder's outputs."""
    return torch.sigmoid(raw) if kind == "bernoulli" else raw


def soft_floor(log_sigma: Tensor) -> Tensor:
    """Return a learned log σ kept above -6 without an edge: -6 + softplus(log σ + 6)."""
    return LOG_SIGMA + F.softplus(log_sigma - LOG_SIGMA)


def importance_bound(log_weights: Tensor) -> Tensor:
    """Return log 1/k Σ wᵢ of log weights (k, n), (n,): at least their mean, and for k = 1 the ELBO itself."""
    return torch.logsumexp(log_weights, 0) - math.log(len(log_weights))


def free_bits(kl: Tensor, free: float) -> Tensor:
    """Return Σⱼ max(free, mean over the batch of KLⱼ) of (n, Z): a dimension pays nothing for its first nats.

    Kingma et al. 2016, arXiv 1606.04934, equation 15, each dimension a group of its own.
    """
    return kl.mean(0).clamp_min(free).sum()


def towards(kl: Tensor, capacity: float) -> Tensor:
    """Return |KL - C| (Burgess et al. 2018, arXiv 1804.03599): the code is asked to carry C nats, not as few as may."""
    return (kl - capacity).abs()


def ramp(step: int, steps: int) -> float:
    """Return how far a warm-up of so many steps is at this one, 0 to 1; without steps it is over at once."""
    return min(1.0, step / steps) if steps else 1.0
