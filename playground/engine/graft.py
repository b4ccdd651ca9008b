"""A fork with other settings: the new model takes over each tensor of the old one whose name and shape fit.

A layer's tensors are taken over one by one. What an optimiser remembers stays with the network that it moves, if all of
that network fits and the rule is the same; counters and buffers stay together or begin anew together. All else is as
the new settings make it from their seed. Nothing is cut, padded or guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from playground.config import ConfigError
from playground.diagnostics.signals import listed
from playground.engine.loop import Loop
from playground.experiment import Experiment, changes
from playground.store import Graft, Keyframe, RunFolder, StoreError

NETS = {"d": "D", "g": "G", "average": "the average of G", "encoder": "the encoder", "decoder": "the decoder"}
SHARED = "the optimiser"  # of a model whose networks are moved by one
MANY = 8  # networks and optimisers that are named one by one
TENSORS = 3  # named of a network that fits in part


def grafted(moment: Keyframe, experiment: Experiment) -> Graft:
    """Return the model of `experiment` with what fits of a saved moment; raises `ConfigError` where it has no data."""
    old, new = moment.tensors, Loop(experiment).tensors()
    before = moment.experiment
    fits = {name for name, value in new.items() if name in old and old[name].shape == value.shape}
    if before.dataset != experiment.dataset:
        fits.discard("taken")  # how far the other data were gone through
    kept = {name for name in new if _stays(name, fits, new, old)}
    tensors = {name: old[name] if name in kept else value for name, value in new.items()}
    if before.seed == experiment.seed:  # the streams go on
        tensors |= {name: value for name, value in old.items() if name.startswith("rng/")}
    told = [[name.removeprefix("model/") for name in new if name.startswith("model/") and (name in kept) is stays]
            for stays in (True, False)]  # fmt: skip
    past = (before.family, before.dataset) == (experiment.family, experiment.dataset)
    return Graft(experiment, tensors, tuple(told[0]), tuple(told[1]), tuple(changes(before, experiment)), past)


def grafting(experiment: Experiment) -> Callable[[Keyframe], Graft]:
    """Return what makes the model of `experiment` of whatever moment a fork begins with."""
    return partial(grafted, experiment=experiment)


def foretold(run: RunFolder, experiment: Experiment) -> str:
    """Say what a fork with these settings would keep of a run, before there is one; "" where that cannot be said.

    Every saved moment of a run has the same networks, so that the last one answers for all.
    """
    try:
        graft = grafted(run.load_keyframe(None), experiment)
    except (ConfigError, StoreError):  # the fork itself says why
        return ""
    return words(graft.kept, graft.new)


def _stays(name: str, fits: Collection[str], new: Collection[str], old: Collection[str]) -> bool:
    """Say whether a tensor is taken over: by itself, with its network, or with what is counted."""
    part = name.split("/")[1] if name.startswith("model/") else ""
    if "." in name or not part:
        return name in fits
    if part.startswith("optimiser"):
        net = f"model/{part.removeprefix('optimiser').strip('_') or 'net'}/"
        mine = [{n for n in names if n.startswith(f"model/{part}/")} for names in (new, old)]
        return mine[0] == mine[1] and all(n in fits for n in new if n.startswith((f"model/{part}/", net)))
    rest = {n for n in new if n.startswith("model/") and "." not in n and "/optimiser" not in n}
    return all(n in fits for n in rest)


def words(kept: Sequence[str], new: Sequence[str]) -> str:
    """Say in a sentence or two which networks and optimisers are kept and which begin anew."""
    weights = {name: name in kept for name in (*kept, *new) if "." in name}
    nets: dict[str, dict[str, bool]] = {}
    for name, stays in weights.items():
        nets.setdefault(_net(name), {})[name] = stays
    whole = [_with_optimiser(net, kept) for net, names in nets.items() if all(names.values())]
    none = [net for net, names in nets.items() if not any(names.values())]
    whole += [own for own in _optimisers(kept) if own == SHARED]
    none += _optimisers(new)
    told = [f"{listed(whole, MANY)} {'are' if len(whole) > 1 else 'is'} kept whole." if whole else ""]
    told += _in_part(nets)
    told.append(f"{listed(none, MANY)} {'begin' if len(none) > 1 else 'begins'} anew." if none else "")
    return " ".join(said[:1].upper() + said[1:] for said in told if said)


def _in_part(nets: dict[str, dict[str, bool]]) -> list[str]:
    """Say of which networks which tensors fit where some do and some do not; of those that are alike at once."""
    alike: dict[tuple[tuple[str, ...], int], list[str]] = {}
    for net, names in nets.items():
        fitting = tuple(_inner(name) for name, stays in names.items() if stays)
        if 0 < len(fitting) < len(names):
            alike.setdefault((fitting, len(names)), []).append(net)
    return [
        f"Of {listed(some)} {len(fitting)} of {many} tensors {'each ' if len(some) > 1 else ''}fit "
        f"({', '.join(fitting[:TENSORS])}{', …' if len(fitting) > TENSORS else ''}), the others begin anew."
        for (fitting, many), some in alike.items()
    ]


def _inner(name: str) -> str:
    """Return a tensor's name without that of its network."""
    part, rest = name.split("/", 1)
    return rest.split(".", 1)[1] if part == "net" else rest


def _net(name: str) -> str:
    part, rest = name.split("/", 1)
    key = rest.split(".")[0] if part == "net" else part
    return NETS.get(key, key)


def _optimisers(names: Collection[str]) -> list[str]:
    """Name the optimisers among tensors, by the network that each moves."""
    parts = dict.fromkeys(name.split("/")[0] for name in names if name.startswith("optimiser"))
    return [f"{own[1:].upper()}'s optimiser" if (own := part.removeprefix("optimiser")) else SHARED for part in parts]


def _with_optimiser(net: str, kept: Collection[str]) -> str:
    own = f"optimiser_{net.lower()}/"
    return f"{net} with its optimiser" if any(name.startswith(own) for name in kept) else net
