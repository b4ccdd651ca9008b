"""The README says what is so: its files, commands, settings and the example family are there and work."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from playground.__main__ import parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_every_folder_of_the_tree_is_named_and_every_name_exists():
    named = re.findall(r"^\| `([a-z][\w/.]+)` \|", README, re.MULTILINE)
    assert len(named) > 10
    for name in named:
        assert (ROOT / name).exists(), name
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    tops = {path.split("/")[0] for path in tracked if "/" in path and not path.startswith(".")}
    parts = {"/".join(path.split("/")[:2]) for path in tracked if re.match(r"playground/\w+/", path)}
    assert tops | parts <= {name.rstrip("/") for name in named}


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).is_file(), target


def test_the_picture_is_small():
    for picture in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README):
        assert 10_000 < (ROOT / picture).stat().st_size < 1_000_000


def test_every_make_target_is_in_the_makefile():
    targets = set(re.findall(r"`?\bmake ([a-z-]+)\b(?=`|  |\s+#| PORT)", README))
    assert {"run", "test", "test-all", "bench", "lint", "clean"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def test_every_command_parses():
    lines = re.findall(r"^python -m playground ([^#\n]+)", README, re.MULTILINE)
    verbs = "list fetch bring train race sweep diagnose resume export share code bench"
    assert {line.split()[0] for line in lines} == set(verbs.split())
    for line in lines:
        parser().parse_args(line.split())


def test_every_setting_is_read_somewhere_and_every_one_read_is_told():
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))
    sources = [*(ROOT / "playground").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "app.py"]
    read = {v for p in sources for v in re.findall(r"PLAYGROUND_[A-Z_]+", p.read_text(encoding="utf-8"))}
    assert told - {"CHROMIUM"} == read


def test_torch_is_pinned_and_comes_first():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    assert packages[0] == "torch==2.13.0"
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in packages)
    assert f"pip install {packages[0]}" in README
    assert (
        tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"] == ">=3.11"
    )


EXAMPLE = """
import sys
import pytest
from playground.__main__ import main

main(["list", "--json"])
print("---")
main(["train", "--family", "energy", "--dataset", "moons", "--set", "width=16", "--steps", "120", "--json"])
print("---", flush=True)
sys.exit(pytest.main(["tests/test_families_contract.py", "-k", "energy", "-p", "no:cacheprovider"]))
"""


def test_the_example_family_is_short_works_by_being_there_and_keeps_the_contract(tmp_path):
    """In a copy of the package with the family dropped in, as the README says."""
    assert len((ROOT / "docs" / "example_family.py").read_text(encoding="utf-8").splitlines()) <= 60
    shutil.copytree(ROOT / "playground", tmp_path / "playground", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "docs" / "example_family.py", tmp_path / "playground" / "families" / "energy.py")
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "test_families_contract.py", tmp_path / "tests")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    env = os.environ | {"PLAYGROUND_HOME": str(tmp_path / "runs"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", EXAMPLE], cwd=tmp_path, env=env, capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()[-3000:]
    there, trained, contract = done.stdout.decode().split("---\n", 2)
    told, made = json.loads(there)["families"]["energy"], json.loads(trained)
    assert told["title"] == "Energy matching"
    assert "width" in told["schema"]["properties"]
    assert made["steps"] == 120
    assert made["metrics"]["loss/g"] > 0
    assert made["experiment"]["model"]["width"] == 16
    assert re.search(r"\d+ passed", contract)
