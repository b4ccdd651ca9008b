"""A run as one short plain PyTorch script: same first weights, same batches, same noise, and so the same loss curve.

The script is written from small sources (`parts/`): what all share, the part of the data set (named like its module in
`playground.data`), and those that the family names in its `listing`. Of these only what this run's settings use stays:
`fold` decides every question that the settings answer, `kept` then drops each function that nobody calls. Settings that
were changed while the run trained stay questions, and the changes become a table by step.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import torch

from playground import fast
from playground.code.fold import fold
from playground.code.tidy import WIDTH, blocks, kept, written
from playground.config import ConfigError, knobs
from playground.data.base import Table
from playground.engine.loop import edited
from playground.experiment import Experiment, pick_device
from playground.families import family
from playground.store import RunFolder, parent

PARTS = Path(__file__).parent / "parts"
STEPS = 5000  # of an experiment without an end
Event = Mapping[str, Any]
SAID = {
    "SHAPE": "of one item",
    "G_WIDTHS": "units of G's hidden layers",
    "D_WIDTHS": "units of D's hidden layers",
    "WIDTHS": "units of the hidden layers",
    "CHANGES": "what was changed while it ran, by the step after which",
    "NUMBERS": "in an item",
    "D_MAPS": "feature maps of D",
    "G_MAPS": "feature maps of G",
    "STAGES": "maps, height and width on the way",
    "SIDES": "of an image, halving by halving",
    "SOLO": "first step, last step, who moved alone",
}


def script(
    experiment: Experiment, events: Sequence[Event] = (), steps: int | None = None, device: str | None = None
) -> str:
    """Return the script that repeats a run of this experiment, with what its events changed on the way.

    `device` is the type of that on which the run was trained, by default of what this machine would take. Raises
    `ConfigError` in one sentence for what cannot be written as a script.
    """
    kind = device or pick_device(experiment.device).type
    if kind not in ("cpu", "cuda"):
        raise ConfigError(f"No script draws the random numbers of {kind}: train the run on a CPU or a CUDA GPU.")
    versions = changes(experiment, events)
    solo = alone(events)
    told = [values(version, solo, torch.device(kind)) for _, version in versions]
    columns = list(dict.fromkeys(name for each in told for name in each["COLUMNS"]))
    partial = bool(solo) or any(each["COLUMNS"] != columns or each["PARTIAL"] for each in told)
    varies = tuple(name for name in told[0] if any(each[name] != told[0][name] for each in told))
    tuned = not {"LR", "LR_D", "LR_G", "BETA1", "BETA2", "MOMENTUM"}.isdisjoint(varies)
    common = {
        "COLUMNS": columns, "PARTIAL": partial, "VARIES": varies, "TUNED": tuned, "CHANGES": len(told) > 1,
        "STEPS": steps or experiment.steps or STEPS,
    }  # fmt: skip
    told = [each | common for each in told]
    ever = {name: any(each[name] for each in told) for name in told[0] if name.startswith("EVER_")}
    told = [each | ever for each in told]
    sections = {name: fold(source, told) for name, source in sources(experiment).items()}
    parts = kept({name: blocks(text) for name, text in sections.items()})
    names = {name for section in parts.values() for block in section for name in block.uses}
    if "CHANGES" in names:
        table = {
            step: {name: new[name] for name in new if name in names and new[name] != old[name]}
            for (step, _), old, new in zip(versions[1:], told[:-1], told[1:], strict=True)
        }
        told[0]["CHANGES"] = {step: values for step, values in table.items() if values}
    constants = [constant(experiment, name, told[0][name]) for name in told[0] if name in names]
    needs = "scikit-learn" if any("sklearn" in block.text for block in parts["data"]) else ""
    return written(head(experiment, needs), constants, parts)


def of_run(folder: RunFolder) -> str:
    """Return the script that repeats a run up to where it stands; raises `ConfigError` in one sentence."""
    check(folder)
    status = folder.status()
    reached = max([int(status["step"]), *folder.keyframes()])
    return script(folder.experiment(), folder.events(), reached or None, status.get("device"))


def check(folder: RunFolder) -> None:
    """Raise `ConfigError` in one sentence where no script can repeat a run from the start."""
    came = parent(folder.path)
    if came is not None and (came.kept or came.new):
        raise ConfigError(
            f"Run {folder.run_id} began with what run {came.run} had learned, and a script begins with random weights: "
            f"export the code of {came.run}."
        )


def changes(experiment: Experiment, events: Sequence[Event]) -> list[tuple[int, Experiment]]:
    """Return the experiment as it started and after each step at which something was set."""
    versions = [(0, experiment)]
    for step, group in groupby((e for e in events if e["kind"] == "set"), key=lambda e: int(e["step"])):
        changed = edited(versions[-1][1], {e["field"]: e["value"] for e in group})
        if step == versions[-1][0]:
            versions.pop()
        versions.append((step, changed))
    return versions if versions[0][0] == 0 else [(0, experiment), *versions]


def alone(events: Sequence[Event]) -> tuple[tuple[int, int, str], ...]:
    """Return which players stepped alone: first step, last step, their letters. Going back ends a row of such steps."""
    steps = [e for e in events if e["kind"] == "step"]
    found = [(int(e["step"]), int(e["step"] + e["n"]), "".join(e["players"])) for e in steps]
    back = [int(e["step"]) for e in events if e["kind"] == "rewind"]
    return tuple((first + 1, min([last, *(b for b in back if b > first)]), who) for first, last, who in found)


def values(experiment: Experiment, solo: tuple[tuple[int, int, str], ...], device: torch.device) -> dict[str, Any]:
    """Return every setting by its name in a script, and what follows from them."""
    data, model = experiment.data, experiment.model
    elsewhere = device.type == "cuda" and not torch.cuda.is_available()  # all of those have bfloat16 by now
    own = {name.upper(): getattr(part, name) for part in (experiment, data, model) for name in knobs(type(part))}
    derived = {
        "FAMILY": experiment.family, "DATASET": experiment.dataset, "KIND": data.kind, "SHAPE": data.shape,
        "CLASSES": len(data.classes), "LABELLED": False, "PARTIAL": False, "DEVICE": device.type, "SOLO": solo,
        "HALF": own.get("PRECISION") == "bfloat16" and (elsewhere or fast.has_bfloat16(device)),
    }  # fmt: skip
    return own | derived | data.listing() | family(experiment.family).listing(model, data).values


def sources(experiment: Experiment) -> dict[str, str]:
    """Return the sources of a script by section, in order."""
    data = experiment.data
    kind = type(data).__module__.rsplit(".", 1)[-1]
    listing = family(experiment.family).listing(experiment.model, data)
    parts = {"seeds": ("common",), "data": (f"data/{kind}", "tables" if isinstance(data, Table) else "endless")}
    return {name: source(named, data.title) for name, named in (parts | listing.parts).items()}


def source(names: Sequence[str], what: str) -> str:
    """Return the sources of these parts, one after the other; a part with line breaks is a source itself."""
    for name in names:
        if "\n" not in name and not (PARTS / f"{name}.py").is_file():
            raise ConfigError(f"{what} cannot be written as a script yet: nobody wrote the part {name}.")
    texts = (name if "\n" in name else (PARTS / f"{name}.py").read_text(encoding="utf-8") for name in names)
    return "\n\n".join(texts)


def head(experiment: Experiment, needs: str = "") -> str:
    """Return the script's docstring; `needs` is a package that the data comes with."""
    kind, beside = family(experiment.family), experiment.data.beside()
    reads = f" It reads {', '.join(beside)} beside it." if beside else ""
    about = (
        f"{kind.paper}. It draws the same random numbers as the run that it was exported from: the same first weights, "
        "batches and noise. It prints its losses as CSV, and needs "
        f"{f'PyTorch, NumPy and, for the data, {needs}' if needs else 'only PyTorch and NumPy'}.{reads}"
    )
    title = f'"""{kind.title} on the data set "{experiment.data.title}", in plain PyTorch.'
    return "\n".join([title, "", *textwrap.wrap(about, WIDTH, break_on_hyphens=False), '"""'])


def constant(experiment: Experiment, name: str, value: Any) -> str:
    """Return the line of a setting, with its label beside it."""
    known = {field.upper(): k for field, k in experiment.knobs().items()}
    line = f"{name} = {literal(value)}"
    if name in known and name not in ("STEPS", "SEED"):
        k = known[name]
        line += f"  # {k.group}: {k.label[0].lower() + k.label[1:]}"
    elif name in SAID:
        line += f"  # {SAID[name]}"
    return line if len(line) <= WIDTH else f"{name} = {literal(value)}"


def literal(value: Any) -> str:
    """Return a value as Python writes it, text in double quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        lines = (f"    {literal(key)}: {literal(item)},\n" for key, item in value.items())
        short = "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
        tall = any(isinstance(key, int) for key in value) or len(short) > WIDTH - 20
        return "{\n" + "".join(lines) + "}" if tall else short
    if isinstance(value, list | tuple):
        inside = ", ".join(literal(item) for item in value)
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' if len(value) == 1 else ''})"
    return repr(value)
