"""Matrix products that are quicker on some processors: NumPy's for small nets, oneDNN's for large layers of autograd's.

PyTorch's float32 products go to MKL, which keeps to AVX2 on AMD processors. NumPy's OpenBLAS takes half the time there
where AVX-512 exists, a tenth for narrow matrices, and elsewhere no more. oneDNN takes half the time too, from larger
sizes on. A layer's gradients are products as well, ∂x = δ W and ∂W = δᵀ x, and go the same way; they are made of this
very function, so that a gradient of a gradient (a contractive penalty) is right as well. Where oneDNN is not there
`linear` is `F.linear`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from threadpoolctl import threadpool_info, threadpool_limits
from torch import Tensor, nn

Precision = Literal["float32", "bfloat16"]

WIDE = ("SkylakeX", "Cooperlake", "SapphireRapids")  # kernels of OpenBLAS with AVX-512
LARGE = 2**22  # multiplications in one product; from there on oneDNN's overhead is paid for
THERE: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
ONEDNN: Callable[..., Tensor] | None = (
    getattr(getattr(torch.ops.mkldnn, "_linear_pointwise", None), "default", None) if THERE else None
)


def use_threads(n: int) -> None:
    """Let PyTorch and NumPy compute on so many threads of this process."""
    torch.set_num_threads(n)
    threadpool_limits(n, "blas")


def has_bfloat16(device: torch.device) -> bool:
    """Say whether a device computes in bfloat16 rather than imitating it."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def arithmetic(precision: Precision, device: torch.device) -> AbstractContextManager[None]:
    """Return a context in which layers compute in this precision, in float32 where the device has no other."""
    half = precision == "bfloat16" and has_bfloat16(device)
    return torch.autocast(device.type, torch.bfloat16, enabled=half)


def products(like: Tensor) -> Callable[..., Any]:
    """Return `dot(a, b, out=c)` for matrices on this one's device; on a CPU they are NumPy's."""
    return np.dot if like.is_cpu else torch.mm


@cache
def numpy_is_wide() -> bool:
    """Say whether NumPy's products use AVX-512, so that no other library is quicker on a small net."""
    return any(library.get("architecture") in WIDE for library in threadpool_info())


def onednn_linear(weight: Tensor, rows: int) -> Callable[..., Tensor] | None:
    """Return oneDNN's own linear layer, the one that torch.compile calls, where it is there and worth its overhead."""
    worth = weight.is_cpu and weight.dtype == torch.float32 and rows * weight.numel() >= LARGE
    return ONEDNN if worth else None


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return x Wᵀ + b of (B, in), W (out, in) and b (out,), (B, out)."""
    op = onednn_linear(weight, len(x))
    if op is None or x.dim() != 2 or torch.is_autocast_enabled(x.device.type):
        return F.linear(x, weight, bias)
    x = x if x.is_contiguous() or x.T.is_contiguous() else x.contiguous()  # of gaps between rows it makes 10 ms
    if torch.is_grad_enabled():
        return _Product.apply(op, x, weight, bias)  # type: ignore[no-any-return, no-untyped-call]
    return op(x, weight, bias, "none", [], "")  # most of the way back comes here: a gradient's gradient is rare


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, op: Callable[..., Tensor], x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return op(x, weight, bias, "none", [], "")

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[None, Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        delta, (_, of_x, of_weight, of_bias) = upstream[0], ctx.needs_input_grad
        return (
            None,
            linear(delta, weight.T) if of_x else None,
            linear(delta.T, x.T) if of_weight else None,
            delta.sum(0) if of_bias else None,
        )


# -- transposed convolutions ------------------------------------------------------------------------------------------

FEW = 4  # output channels; oneDNN's own kernel works on eight or sixteen at a time
PARITY = torch.tensor([1, 3, 2, 0])  # of a filter's taps, the last of them none: an even row's two, then an odd row's


class Doubling(nn.ConvTranspose2d):
    """A transposed convolution 3 x 3 of stride 2, padding 1; in half the time where it makes few channels.

    Output rows 2i see the filter's middle row alone, rows 2i + 1 its two others, and so do columns: a 2 x 2 convolution
    with four outputs a channel, one for each parity, whose outputs are then put between each other (Shi et al. 2016,
    arXiv 1609.05158). Only the way there goes so: oneDNN's gradients are quick as they are.
    """

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        slow = x.is_cpu and x.dtype == torch.float32 and self.out_channels <= FEW and THERE
        plain = output_size is not None or torch.onnx.is_in_onnx_export()  # a file names the layer as it is
        if not slow or plain or torch.is_autocast_enabled("cpu"):
            return super().forward(x, output_size)
        return _ByParity.apply(x, self.weight, self.bias, self.output_padding)  # type: ignore[no-any-return, no-untyped-call]


def by_parity(x: Tensor, weight: Tensor, bias: Tensor | None, odd: tuple[int, ...]) -> Tensor:
    """Return `F.conv_transpose2d(x, weight, bias, 2, 1, odd)` of (B, in, h, w) and (in, out, 3, 3)."""
    inputs, outputs = weight.shape[:2]
    taps = F.pad(weight, (0, 1, 0, 1)).index_select(2, PARITY).index_select(3, PARITY)
    kernel = taps.view(inputs, outputs, 2, 2, 2, 2).permute(1, 2, 4, 0, 3, 5).reshape(4 * outputs, inputs, 2, 2)
    fours = F.conv2d(F.pad(x, (0, 1, 0, 1)), kernel, None if bias is None else bias.repeat_interleave(4))
    high, wide = (2 * side - 1 + more for side, more in zip(x.shape[2:], odd, strict=True))
    return F.pixel_shuffle(fours, 2)[..., :high, :wide]


class _ByParity(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, odd: tuple[int, ...]) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.odd = odd
        return by_parity(x, weight, bias, odd)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        x, weight = ctx.saved_tensors
        how = ([weight.shape[1]], [2, 2], [1, 1], [1, 1], True, list(ctx.odd), 1, list(ctx.needs_input_grad[:3]))
        return *torch.ops.aten.convolution_backward(upstream[0], x, weight, *how), None
