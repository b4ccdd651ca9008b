"""What the verb `sweep` does: plan, tell the cost, run with a bar, and print the best combinations."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from playground import sweeping
from playground.config import ConfigError
from playground.engine.manager import cores
from playground.engine.sweep import Progress as Step
from playground.experiment import Experiment
from playground.home import home
from playground.store import StoreError
from playground.sweep_cost import Estimate, duration, estimate, room, size
from playground.sweep_goals import goal, words
from playground.sweep_plan import Plan, fields, parse, plan
from playground.sweep_results import number, told

BEST = 10


def sweep(args: argparse.Namespace, base: Experiment | None) -> tuple[dict[str, Any], list[str]]:
    """Run the sweep that the arguments describe; return it as plain data, and as lines for people."""
    workers = args.workers or cores()
    try:
        if base is None:
            found = sweeping.load_sweep(args.resume)
            if not args.estimate:
                with bar(found.id, args.json) as watch:
                    found.resume(workers=workers, progress=watch)
            return outcome(found)
        made = planned(args, base)
        cost = estimate(made, workers)
        room(home(), cost.bytes)
        if args.estimate:
            return {"estimate": cost.__dict__ | {"left_out": len(made.left_out)}}, [said(made, cost)]
        if not args.json:
            print(said(made, cost), file=sys.stderr)
        with bar("sweep", args.json) as watch:
            return outcome(sweeping.start(made, workers, watch))
    except StoreError as error:
        raise ConfigError(str(error)) from None


def planned(args: argparse.Namespace, base: Experiment) -> Plan:
    """Return the plan that the arguments describe; raises `ConfigError` in one sentence."""
    there, vary = fields(base), {}
    for name, text in args.vary:
        if name not in there:
            raise ConfigError(f"There is no setting {name!r} to vary: choose among {', '.join(there)}.")
        vary[name] = parse(there[name], text)
    aim = goal(base, args.goal, args.reading)
    made = plan(base, vary, seeds=args.seeds, steps=args.steps or 2000, goal=aim, pick=args.random or 0)
    made.sweep()  # refused before anything is measured
    return made


def said(made: Plan, cost: Estimate) -> str:
    """Say what a plan costs."""
    out = f", {len(made.left_out)} combinations left out" if made.left_out else ""
    return (
        f"{cost.runs} runs of {made.steps:,} steps{out}: about {duration(cost.seconds)} on {cost.workers} workers, "
        f"{size(cost.bytes)}."
    )


def outcome(found: sweeping.Outcome) -> tuple[dict[str, Any], list[str]]:
    """Return what came of a sweep."""
    now = found.sweep
    best = found.ranked()
    plain = {
        "sweep": now.id, "state": now.state, "goal": now.goal.model_dump(), "runs": found.rows(),
        "best": found.best() if best else None,
    }  # fmt: skip
    failed = sum(cell.result is not None and cell.result.failed for cell in now.cells)
    lines = [f"Sweep {now.id}: {len(now.cells)} runs, {failed} failed. By {words(now.goal)}:"]
    one = now.model_copy(update={"seeds": (0,)})
    for place, spot in enumerate(best[:BEST], 1):
        interval = spot.interval
        assert interval is not None
        sure = f" [{number(interval.low)}, {number(interval.high)}]" if len(spot.numbers) > 1 else ""
        bad = f", {spot.failed} failed" if spot.failed else ""
        lines.append(f"  {place:>2}  {number(interval.mean)}{sure}{bad}  {told(one, now.cells[spot.cells[0]])}")
    return plain, lines


@contextmanager
def bar(name: str, quiet: bool) -> Iterator[sweeping.Watch | None]:
    """Show a bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(name, total=None, left="")

        def watch(now: Step) -> None:
            left = "" if now.left is None else f"about {duration(now.left)} left"
            failed = f"{now.failed} failed  " if now.failed else ""
            shown.update(task, completed=now.done, total=now.total, left=failed + left)

        yield watch
