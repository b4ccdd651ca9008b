"""Where a code enters a generator: the weights it meets first, and what the first hidden layer makes of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

WEIGHTED = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)


def weights(net: nn.Module) -> Tensor | None:
    """Return the weights (units, Z) that codes meet first in a network; None where it has no such layer.

    A transposed convolution of a code as a map of one pixel counts as the dense layer that it is.
    """
    first = next((m for m in net.modules() if isinstance(m, WEIGHTED)), None)
    if first is None:
        return None
    weight = first.weight.detach()
    if isinstance(first, nn.ConvTranspose2d):
        weight = weight.transpose(0, 1)  # (in, out, h, w)
    if weight.dim() == 4:
        weight = weight.movedim(1, -1)
    return weight.reshape(-1, weight.shape[-1])


@torch.no_grad()
def activations(net: nn.Module, z: Tensor) -> Tensor | None:
    """Return what the first hidden layer makes of codes (n, Z), normalised and bent, (n, units): what enters the second
    layer with weights, or the output where there is no second; None where no layer has weights."""
    layers = [m for m in net.modules() if isinstance(m, WEIGHTED)]
    if not layers:
        return None
    if len(layers) == 1:
        out: Tensor = net(z)
        return out.flatten(1)
    met: list[Tensor] = []
    hook = layers[1].register_forward_pre_hook(lambda _layer, inputs: met.append(inputs[0].flatten(1)))
    try:
        net(z)
    finally:
        hook.remove()
    return met[0]
