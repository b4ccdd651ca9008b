"""A trained model for other tools: its networks as safetensors, its passes as ONNX. Nothing is pickled.

Both are of a saved moment, on the CPU. An ONNX file holds a pass rather than a network, scaling to data units included,
and takes any number of rows: `generator` (z to items), `discriminator` (items to logits), `encoder` (items to codes),
`decoder` (codes to items), whichever the family can do. Watch: a packed or minibatch D judges rows together.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable

import orjson
import safetensors.torch
import torch
from torch import Tensor, nn

from playground.families.base import Ability, Family
from playground.latent import moments
from playground.latent.moments import Moment
from playground.rng import fresh
from playground.store import RunFolder

OPSET = 17
ROWS = 3  # of the example that a network is traced with
PASSES: dict[str, Ability] = {
    "generator": "generate", "discriminator": "score", "encoder": "encode", "decoder": "decode",
}  # fmt: skip


def weights(folder: RunFolder, step: int | None = None) -> bytes:
    """Return the networks' parameters and buffers at a saved moment as a safetensors file, named `network/parameter`.

    Its metadata hold the `experiment` (JSON) and the `step`; optimisers stay behind.
    """
    moment = _own(folder, step)
    state = {
        f"{network}/{name}": value.detach().cpu().clone().contiguous()
        for network, module in moment.family.modules().items()
        for name, value in module.state_dict().items()
    }
    about = {"experiment": orjson.dumps(moment.experiment.to_json()).decode(), "step": str(moment.step)}
    return safetensors.torch.save(state, about)


def onnx(folder: RunFolder, step: int | None = None) -> dict[str, bytes]:
    """Return the passes that the model of a saved moment can do, as ONNX files by their names (see the module)."""
    moment = _own(folder, step)
    moment.family.plainly()
    return {name: _traced(moment, *asked) for name, asked in _passes(moment).items()}


def packed(folder: RunFolder, step: int | None = None) -> bytes:
    """Return those ONNX files in one ZIP, with a `README.txt` of their inputs and outputs."""
    moment = _own(folder, step)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, blob in onnx(folder, step).items():
            archive.writestr(f"{name}.onnx", blob)
        archive.writestr("README.txt", _told(folder.run_id, moment))
    return out.getvalue()


def _own(folder: RunFolder, step: int | None) -> Moment:
    """Return a saved moment whose model nobody else has."""
    return moments.of(folder.load_keyframe(step))


class _Pass(nn.Module):
    """A pass through a model as a module: what it does, and the networks whose weights go along."""

    def __init__(self, family: Family, call: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.networks = nn.ModuleDict(family.modules())
        self.call = call

    def forward(self, x: Tensor) -> Tensor:
        return self.call(x)


def _passes(moment: Moment) -> dict[str, tuple[Callable[[Tensor], Tensor], Tensor]]:
    """Return each pass that the family can do and what it is traced with; a decoder that generates is one of them."""
    family, data = moment.family, moment.experiment.data
    calls = {
        "generate": family.synthesise if "decode" not in family.abilities else family.generate,
        "score": family.discriminate, "encode": family.encode, "decode": family.decode,
    }  # fmt: skip
    there = {name: ability for name, ability in PASSES.items() if ability in family.abilities}
    if "decoder" in there:
        there.pop("generator", None)
    items = torch.rand(ROWS, *data.shape, generator=fresh(0, "export"))
    codes = torch.randn(ROWS, moment.codings, generator=fresh(0, "export"))
    return {name: (calls[a], items if a in ("score", "encode") else codes) for name, a in there.items()}


def _traced(moment: Moment, call: Callable[[Tensor], Tensor], example: Tensor) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        # The tracer is the older of torch's two, which says so: it takes any number of rows and needs no second tool.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Pass(moment.family, call).eval(), (example,), out,  # type: ignore[arg-type]  # a file in memory will do
            dynamo=False, opset_version=OPSET, input_names=["x"], output_names=["y"],
            dynamic_axes={"x": {0: "n"}, "y": {0: "n"}},
        )  # fmt: skip
    return out.getvalue()


def _told(run: str, moment: Moment) -> str:
    family, shape = moment.family, moment.experiment.data.shape
    item, code = f"(n, {', '.join(map(str, shape))})", f"(n, {moment.codings})"
    ways = {
        "generator": (code, item),
        "discriminator": (item, "(n,)"),
        "encoder": (item, code),
        "decoder": (code, item),
    }
    lines = [f"{name}.onnx  x {ways[name][0]} -> y {ways[name][1]}" for name in _passes(moment)]
    units = "images in [0, 1]" if moment.experiment.data.kind == "images" else "data units"
    return "\n".join([f"Run {run}, step {moment.step:,}: {family.title}. float32, {units}.", *lines, ""])
