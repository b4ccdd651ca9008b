"""Scripts in a process of their own, in single precision, as everybody runs them: the run's own curves."""

import subprocess
import sys

import numpy as np
import pytest

from playground.code.export import script
from playground.experiment import Experiment
from playground.families import families
from tests.scripts import trained

STEPS = 30
RUN = """
import contextlib, runpy, sys
for name in sys.argv[1:]:
    with open(f"{name}.csv", "w") as file, contextlib.redirect_stdout(file):
        runpy.run_path(f"{name}.py")
assert not [name for name in sys.modules if name.startswith(("playground", "streamlit", "pydantic"))]
"""


def test_scripts_of_every_family_run_without_this_package(tmp_path):
    for name in families():
        (tmp_path / f"{name}.py").write_text(script(Experiment.of(name), steps=STEPS))
    subprocess.run([sys.executable, "-I", "-c", RUN, *families()], cwd=tmp_path, check=True)
    for name in families():
        head, *lines = (tmp_path / f"{name}.csv").read_text().splitlines()
        logged = dict(trained(Experiment.of(name), STEPS).rows)
        assert [int(line.split(",")[0]) for line in lines] == list(logged)
        for line in lines:
            step, *values = (float(cell) for cell in line.split(","))
            near = 1e-3 if step <= 20 else 0.1  # rounding grows: two GANs part as two pendulums do
            for metric, value in zip(head.split(",")[1:], values, strict=True):
                assert value == pytest.approx(logged[step][metric], near, near / 10), (name, metric, step)
    with np.load(tmp_path / "samples.npz") as saved:
        assert saved["samples"].shape == (64, 1, 8, 8)
