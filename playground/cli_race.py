"""The verb `race`: one experiment with one field at several values, trained one after the other, and what each became.

Keys of `--json`: `race knob steps collapsed runs`; a run has `label run state error verdict scores`.
"""

from __future__ import annotations

import argparse
from typing import Any

from playground import api, racing
from playground.cli import chosen, progress_bar, say_json
from playground.config import ConfigError
from playground.experiment import Experiment
from playground.figures.comparison import named
from playground.presets import PRESETS

KEYS = (
    "modes/covered", "class/covered", "modes/hq", "prdc/coverage", "dist/fid", "held/mse", "held/elbo", "knn/accuracy",
    "code/active", "dist/sw", "loss/total",
)  # fmt: skip
SHOWN = 4  # numbers a run


def race(args: argparse.Namespace) -> int:
    """Train the racers and print a table of them."""
    base = chosen(args)
    values = values_of(base, args.knob, args.values)
    steps = args.steps or base.steps or (PRESETS[args.preset].steps if args.preset else api.STEPS)
    with progress_bar(f"race in {args.knob}", quiet=args.json) as progress:
        raced = api.race(base, args.knob, values, steps, progress)
    rows = [row(raced, label) for label in raced.runs]
    if args.json:
        share = raced.collapsed
        return say_json(
            {"race": raced.card.id, "knob": args.knob, "steps": steps, "runs": rows}
            | {"collapsed": {"k": share.k, "n": share.n, "low": share.low, "high": share.high}}
        )
    print(
        f"{raced.card.title}, {steps:,} steps each. {racing.starts([r.experiment for r in raced.card.racers]).sentence}"
    )
    wide = max(len(row["label"]) for row in rows)
    for one in rows:
        scores = ", ".join(f"{named(name)} {value:.4g}" for name, value in one["scores"].items())
        print(f"  {one['label']:<{wide}}  {one['run']}  {one['verdict']['sentence']}")
        print(f"  {'':<{wide}}  {scores or one['error']}")
    if args.knob == "seed":
        print(f"Collapsed: {raced.collapsed}.")
    print(f"Side by side: open the app at /race?race={raced.card.id}")
    return 0


def values_of(base: Experiment, knob: str, text: str | None) -> list[Any] | None:
    """Read the values, separated by commas; raises `ConfigError` in one sentence."""
    fields = racing.raced(base)
    if knob not in fields:
        raise ConfigError(f"Runs cannot race in {knob!r}: choose one of {', '.join(fields)}.")
    return None if text is None else [fields[knob].parse(value.strip()) for value in text.split(",") if value.strip()]


def row(raced: api.Raced, label: str) -> dict[str, Any]:
    """Return what became of one racer, as plain data."""
    run, verdict = raced.runs[label], raced.verdicts[label]
    last = run.last()
    scores = {name: last[name] for name in KEYS if name in last}
    return {
        "label": label, "run": run.id, "state": run.state, "error": run.error, "verdict": verdict.to_json(),
        "scores": dict(list(scores.items())[:SHOWN]),
    }  # fmt: skip
