"""What each verb of the command line does: the library's calls, printed for people or as one JSON value."""

from __future__ import annotations

import argparse
import difflib
import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from playground import api
from playground.code import export as export_code
from playground.config import ConfigError
from playground.data import archives
from playground.data.own_images import read_images, save_images
from playground.diagnostics.signals import Verdict
from playground.engine.loop import TrainingFailed
from playground.experiment import Experiment
from playground.presets import PRESETS, preset
from playground.store import StoreError


def catalogue(args: argparse.Namespace) -> int:
    """Print what there is to choose from."""
    there = api.catalogue()
    if args.json:
        return say_json(there)
    for kind in ("families", "datasets", "presets"):
        print(f"{kind.capitalize()}")
        for name, about in there[kind].items():
            away = f" (not here yet: python -m playground fetch {name})" if about.get("missing") else ""
            print(f"  {name:<18} {about['title']}: {about.get('about') or about['paper']}{away}")
    print("\nSettings of each family and data set, with range and help: python -m playground list --json")
    return 0


def train(args: argparse.Namespace) -> int:
    """Train an experiment from the start."""
    experiment = chosen(args)
    steps = args.steps or experiment.steps or (PRESETS[args.preset].steps if args.preset else api.STEPS)
    return go_on(api.create(experiment), steps, args.json)


def sweep(args: argparse.Namespace) -> int:
    """Train every combination of some settings."""
    from playground import cli_sweep

    told, lines = cli_sweep.sweep(args, None if args.resume else chosen(args))
    if args.json:
        return say_json(told)
    print("\n".join(lines))
    return 0


def resume(args: argparse.Namespace) -> int:
    """Go on with a run."""
    return go_on(api.load_run(args.run), args.steps, args.json)


def diagnose(args: argparse.Namespace) -> int:
    """Judge a run."""
    run = api.load_run(args.run)
    verdict = run.diagnose()
    if args.json:
        return say_json(
            {"run": run.id, "experiment": run.experiment.to_json(), "state": run.state, "steps": run.step}
            | {"metrics": run.last(), "verdict": verdict.to_json()}
        )
    print(f"Run {run.id}, {run.state} at step {run.step:,}.")
    say_verdict(verdict)
    return 0


def race(args: argparse.Namespace) -> int:
    """Train an experiment with one field at several values."""
    from playground import cli_race

    return cli_race.race(args)


def export(args: argparse.Namespace) -> int:
    """Write a run's pictures, networks or numbers to a file."""
    from playground import cli_export

    run, out = api.load_run(args.run), Path(args.out)
    told = cli_export.export(run.folder, args.what, out, kind=args.format, step=args.step, seed=args.seed or 0)
    if args.json:
        return say_json({"run": run.id, "what": args.what} | told)
    frames = f"{told['frames']} frames, " if told["frames"] else ""
    print(f"{told['file']}: {frames}{told['bytes']:,} bytes.")
    return 0


def code(args: argparse.Namespace) -> int:
    """Write a run or a preset as a script, and beside it the items that it reads."""
    if args.what in PRESETS:
        experiment, steps = PRESETS[args.what].experiment, PRESETS[args.what].steps
        text = export_code.script(experiment, steps=steps)
    else:
        try:
            run = api.load_run(args.what)
        except StoreError:
            said = f"{args.what!r} is neither a run's id nor a preset: python -m playground list shows the presets, "
            raise ConfigError(said + "the Runs page the ids.") from None
        experiment, text = run.folder.experiment(), run.code()
    if not args.out:
        print(text, end="")
        return 0
    out, others = Path(args.out), experiment.data.beside()
    try:
        for path, content in {out: text.encode(), **{out.parent / name: data for name, data in others.items()}}.items():
            path.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"Cannot write {error.filename}: {error.strerror}.") from None
    beside = f" It reads {', '.join(others)} beside it." if others else ""
    print(f"{out}: {len(text.splitlines())} lines, no package but PyTorch and NumPy.{beside}", file=sys.stderr)
    return 0


def bench(args: argparse.Namespace) -> int:
    """Measure."""
    from playground import cli_bench

    how = {name: value for name in ("steps", "seeds", "recipe") if (value := getattr(args, name))}
    return cli_bench.bench(args.what, args.json, **how)


def fetch(args: argparse.Namespace) -> int:
    """Download a data set."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = bar.add_task(file)
            bar.update(tasks[file], completed=done, total=total or None)

        archives.fetch(args.name, progress)
    data = archives.SETS[args.name]()
    print(f"{data.title} is in {data.cache}: python -m playground train --family autoencoder --dataset {data.id}")
    return 0


def bring(args: argparse.Namespace) -> int:
    """Read a person's own images and keep them."""
    images = read_images(Path(args.path), side=args.side, grey=not args.colour)
    source = save_images(images)
    if args.json:
        return say_json(
            {"source": source, "images": len(images.x), "classes": images.classes}
            | {"refused": [refused._asdict() for refused in images.refused]}
        )
    classes = f" of {len(images.classes)} classes ({', '.join(images.classes)})" if images.classes else ""
    print(f"{len(images.x):,} images{classes}, {len(images.refused):,} files refused.")
    for name, why in images.refused:
        print(f"  {name} {why}")
    print(f"python -m playground train --family autoencoder --dataset own-images --set source={source}")
    return 0


def share(args: argparse.Namespace) -> int:
    """Write a run into one file."""
    run = api.load_run(args.run)
    try:
        file = run.share(args.out or f"{run.id}.zip")
    except OSError as error:
        raise ConfigError(f"{error.filename} cannot be written: {error.strerror}.") from None
    if args.json:
        return say_json({"run": run.id, "file": str(file), "bytes": file.stat().st_size})
    print(f"{file} holds run {run.id} ({file.stat().st_size / 2**20:.1f} MB): python -m playground receive {file.name}")
    return 0


def receive(args: argparse.Namespace) -> int:
    """Take in a shared run."""
    if not Path(args.file).is_file():
        raise ConfigError(f"There is no file {args.file}: name one that `share` wrote.")
    run = api.receive(args.file)
    if args.json:
        return say_json({"run": run.id, "steps": run.step, "experiment": run.experiment.to_json()})
    print(f"Run {run.id} is here, at step {run.step:,}: open it on the Runs page, or ask what it came to:")
    print(f"python -m playground diagnose {run.id}")
    return 0


# -- parts ------------------------------------------------------------------------------------------------------------


def chosen(args: argparse.Namespace) -> Experiment:
    """Return the experiment that the arguments describe; raises `ConfigError` in one sentence."""
    if args.preset:
        experiment = preset(args.preset).experiment
    elif args.config:
        experiment = from_file(Path(args.config))
    else:
        experiment = Experiment.from_json({"family": args.family or "gan", "dataset": args.dataset or "ring8"})
    fields = experiment.knobs()
    values: dict[str, Any] = {}
    for name, text in args.settings:
        if name not in fields:
            near = difflib.get_close_matches(name, fields, 1)
            hint = f"did you mean {near[0]}?" if near else "python -m playground list --json shows those there are."
            raise ConfigError(f"There is no setting {name!r}: {hint}")
        values[name] = fields[name].parse(text)
    given = {"seed": args.seed, "device": args.device}
    return experiment.changed(**values | {name: value for name, value in given.items() if value is not None})


def from_file(path: Path) -> Experiment:
    """Read an experiment from a JSON file."""
    try:
        value = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}.") from None
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{path} is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{path} does not hold an experiment: a JSON object is expected.")
    return Experiment.from_json(value)


def go_on(run: api.Run, steps: int | None, as_json: bool) -> int:
    """Train on, tell what came out, and return the exit code."""
    started, before, failure = time.perf_counter(), run.step, None
    try:
        with progress_bar(run.id, quiet=as_json) as progress:
            run.resume(steps, progress)
    except TrainingFailed as error:
        failure = str(error)
    except KeyboardInterrupt as stopped:
        raise KeyboardInterrupt(f"{stopped} Go on with: python -m playground resume {run.id}") from None
    seconds = time.perf_counter() - started
    reached = int(run.folder.status()["step"])
    speed = (reached - before) / seconds
    verdict, device = run.diagnose(), run.folder.status()["device"]
    if as_json:
        say_json(
            {"run": run.id, "experiment": run.experiment.to_json(), "device": device, "steps": reached}
            | {"seconds": round(seconds, 3), "steps_per_second": round(speed, 1)}
            | {"metrics": run.last(), "verdict": verdict.to_json()}
            | ({"error": failure} if failure else {})
        )
    else:
        print(f"Run {run.id} on {device}: step {reached:,} after {seconds:.1f} s ({speed:,.0f} steps/s).")
        say_verdict(verdict)
    if failure:
        kept = f"The run stays, saved at step {run.step:,}: python -m playground diagnose {run.id}"
        print(f"{failure} {kept}", file=sys.stderr)
    return 3 if failure else 0


@contextmanager
def progress_bar(name: str, quiet: bool) -> Iterator[api.Progress | None]:
    """Show a bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[losses]}"), console=console, transient=True) as bar:
        task = bar.add_task(name, total=None, losses="")

        def progress(step: int, end: int, metrics: dict[str, float]) -> None:
            losses = [f"{n.removeprefix('loss/').upper()} {v:.3f}" for n, v in metrics.items() if n.startswith("loss/")]
            bar.update(task, completed=step, total=end, losses="loss " + "  ".join(losses))

        yield progress


def say_verdict(verdict: Verdict) -> None:
    """Print the sentence, its evidence, and the cure as a command-line setting."""
    print(verdict.sentence)
    for row in verdict.evidence:
        print(f"  {row.label:<40} {row.value:<20} {row.reference and f'({row.reference})'}".rstrip())
    if verdict.cure:
        settings = " ".join(f"--set {name}={value}" for name, value in verdict.cure.values.items())
        print(f"Usual cure: {verdict.cure.label} ({settings}). {verdict.cure.why}")


def say_json(value: Any) -> int:
    """Print one JSON value; a number that is NaN or infinite is null."""
    print(orjson.dumps(_plain(value), option=orjson.OPT_INDENT_2).decode())
    return 0


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
