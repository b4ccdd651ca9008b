"""The command line: list, fetch, bring, train, race, sweep, diagnose, resume, share, receive, export, code, bench.

Nothing here waits for torch.

Exit codes: 0 done; 1 a bench row missed its target; 2 bad arguments, one sentence on stderr; 3 training failed, its
cause on stderr and the run kept; 130 interrupted, the run saved.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from playground.config import ConfigError


class Parser(argparse.ArgumentParser):
    """A parser that answers a mistake with one sentence."""

    def error(self, message: str) -> NoReturn:
        """Leave with code 2; argparse's own message becomes a sentence."""
        sentence = message.removeprefix("argument ").rstrip(".")
        self.exit(2, f"{sentence[0].upper()}{sentence[1:]}. See: {self.prog} --help\n")


def whole(low: int) -> Callable[[str], int]:
    """Return a reader of whole numbers of at least `low`."""

    def read(text: str) -> int:
        try:
            number = int(text.replace("_", ""))
        except ValueError:
            number = low - 1
        if number < low:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {low}")
        return number

    return read


def setting(text: str) -> tuple[str, str]:
    """Read `field=value`."""
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form field=value, such as lr_d=0.001")
    return name.strip(), value.strip()


def describe(verb: argparse.ArgumentParser, by_place: bool = False) -> None:
    """Add the arguments that describe an experiment; its preset is an option, or the word after the verb."""
    what = verb.add_mutually_exclusive_group()
    if by_place:
        what.add_argument("preset", metavar="PRESET", nargs="?", help="a ready experiment; `list` shows them")
    else:
        what.add_argument("--preset", metavar="NAME", help="a ready experiment; `list` shows them")
    what.add_argument("--config", metavar="FILE", help="an experiment as JSON, such as a run's config.json")
    what.add_argument("--family", metavar="F", help="a model family (default: gan)")
    verb.add_argument("--dataset", metavar="D", help="a data set (default: ring8)")
    verb.add_argument(
        "--set", metavar="FIELD=VALUE", type=setting, action="append", default=[], dest="settings",
        help="change one setting; may be given many times",
    )  # fmt: skip
    verb.add_argument("--steps", metavar="N", type=whole(1), help="how many steps (default: what the preset needs)")
    verb.add_argument("--seed", metavar="S", type=whole(0), help="fixes every random number of the run (default: 0)")
    verb.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), help="where to train (default: auto)")


def sweep(verb: argparse.ArgumentParser) -> None:
    """Add the arguments of a sweep."""
    describe(verb, by_place=True)
    verb.add_argument(
        "--vary", metavar="FIELD=VALUES", type=setting, action="append", default=[],
        help="values with commas (loss=hinge,minimax) or a range (lr_g=1e-4..1e-2x5); up to four times",
    )  # fmt: skip
    verb.add_argument("--seeds", metavar="N", type=whole(1), default=1, help="runs of each combination (default: 1)")
    verb.add_argument("--goal", metavar="METRIC", help="what ranks them, such as modes/hq (default: the usual one)")
    verb.add_argument(
        "--reading", choices=("last", "best", "smoothed"), default="last", help="which value of it (default: last)"
    )
    verb.add_argument("--random", metavar="N", type=whole(1), help="only so many combinations, drawn at random")
    verb.add_argument("--workers", metavar="N", type=whole(1), help="how many train at once (default: one a core)")
    verb.add_argument("--estimate", action="store_true", help="only say what it would take")
    verb.add_argument("--resume", metavar="SWEEP", help="go on with a sweep by its id")


def parser() -> Parser:
    """Return the parser of all verbs; `args.verb` names the chosen one."""
    top = Parser(prog="python -m playground", description="Train small generative models and see what they do.")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="verb")
    as_json = Parser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="print one JSON value on stdout and nothing else")

    verbs.add_parser("list", parents=[as_json], help="families with their settings, data sets, presets")

    fetch = verbs.add_parser("fetch", help="download a data set, checked by its known hash")
    fetch.add_argument("name", choices=("mnist", "fashion-mnist", "kmnist"), help="which one")

    bring = verbs.add_parser("bring", parents=[as_json], help="read your own images and keep them for experiments")
    bring.add_argument("path", metavar="PATH", help="a folder or ZIP of PNG and JPEG pictures, an NPZ or a CSV file")
    bring.add_argument("--side", type=int, choices=(8, 16, 28, 32, 64), default=28, help="pixels a side (default: 28)")
    bring.add_argument("--colour", action="store_true", help="keep three colours (default: grey)")

    train = verbs.add_parser("train", parents=[as_json], help="train an experiment and say what came out")
    describe(train)

    race = verbs.add_parser("race", parents=[as_json], help="train an experiment with one field at several values")
    describe(race)
    race.add_argument("--knob", metavar="FIELD", required=True, help="where the runs differ, such as loss")
    race.add_argument("--values", metavar="A,B,...", help="2 to 6, of seed up to 12 (default: some worth racing)")

    sweep(verbs.add_parser("sweep", parents=[as_json], help="train every combination of some settings, rank them"))

    diagnose = verbs.add_parser("diagnose", parents=[as_json], help="judge a run: what it is doing, and the usual cure")
    diagnose.add_argument("run", metavar="RUN", help="a run's id")

    share = verbs.add_parser("share", parents=[as_json], help="write a whole run into one file to hand on")
    share.add_argument("run", metavar="RUN", help="a run's id")
    share.add_argument("--out", metavar="FILE", help="where to (default: RUN.zip here)")

    receive = verbs.add_parser("receive", parents=[as_json], help="take in a run that somebody shared")
    receive.add_argument("file", metavar="FILE", help="the file that `share` or the Runs page wrote")

    resume = verbs.add_parser("resume", parents=[as_json], help="go on with a run from its last saved moment")
    resume.add_argument("run", metavar="RUN", help="a run's id")
    resume.add_argument("--steps", metavar="N", type=whole(1), help="how many more (default: those that were left)")

    export = verbs.add_parser("export", parents=[as_json], help="write pictures, networks or numbers of a run")
    export.add_argument("run", metavar="RUN", help="a run's id")
    export.add_argument("--out", metavar="FILE", required=True, help="where to, such as film.gif or model.onnx.zip")
    export.add_argument(
        "--what", choices=("training", "walk", "samples"), default="training",
        help="training: the same codes at each saved moment; walk: from sample to sample and back (default: training)",
    )  # fmt: skip
    kinds = ("png", "gif", "webp", "mp4", "safetensors", "onnx.zip", "csv", "parquet", "tfevents")
    export.add_argument("--format", choices=kinds, help="kind of file (default: what its name says)")
    export.add_argument(
        "--step", metavar="N", type=whole(0), help="the saved moment of samples and walks (default: last)"
    )
    export.add_argument("--seed", metavar="S", type=whole(0), help="which samples and walks (default: 0)")

    code = verbs.add_parser("code", help="write a run or a preset as one plain PyTorch script")
    code.add_argument("what", metavar="RUN_OR_PRESET", help="a run's id, or a preset; `list` shows them")
    code.add_argument("-o", "--out", metavar="FILE", help="where to, such as gan.py (default: print it)")

    bench = verbs.add_parser("bench", parents=[as_json], help="measure speed, known answers (exams), presets and modes")
    parts = ("speed", "exams", "presets", "modes")
    bench.add_argument("what", nargs="?", choices=parts, help="one of the four (default: all)")
    bench.add_argument("--steps", metavar="N", type=whole(1), help="of each run of modes (default: 2,000)")
    bench.add_argument("--recipe", choices=("even", "steep"), help="of modes: how fast D learns (default: both)")
    bench.add_argument("--seeds", metavar="N", type=whole(1), help="runs of each remedy in modes (default: 5)")
    return top


def check(args: argparse.Namespace) -> None:
    """Refuse what does not go together before anything slow is imported."""
    if args.verb == "bench" and args.what != "modes" and (args.steps or args.seeds or args.recipe):
        raise ConfigError("--steps, --seeds and --recipe are of modes: say bench modes.")
    if args.verb not in ("train", "race", "sweep") or getattr(args, "resume", None):
        return
    named = args.preset or args.config or args.family or args.dataset
    if args.verb == "train" and not named:
        raise ConfigError("Say what to train: --preset NAME, --config FILE, or --family F --dataset D.")
    if args.verb == "sweep" and not (named and args.vary):
        raise ConfigError("Say what to sweep, and over what: PRESET --vary lr_g=1e-4,1e-3 --vary loss=hinge,minimax.")
    if args.dataset and (args.preset or args.config):
        raise ConfigError("A preset or a config names its own data set: leave --dataset out.")
    if args.preset:
        from playground.presets import preset

        preset(args.preset)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    args = parser().parse_args(argv)
    try:
        check(args)
        from playground import cli
        from playground.store import StoreError

        try:
            return int(getattr(cli, args.verb if args.verb != "list" else "catalogue")(args))
        except StoreError as error:  # a run that is not there, or a disk that takes none
            raise ConfigError(str(error)) from None
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt as stopped:
        print(str(stopped) or "Interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `... | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
