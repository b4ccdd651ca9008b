"""What `make` calls on a bare machine: it finds a Python and a browser, or says in one sentence what to install."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(os.name == "nt", reason="make and its scripts are for POSIX systems")


def script(name: str, folder: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a script on a machine that has nothing but what is in `folder`."""
    shell = shutil.which("sh")
    assert shell
    return subprocess.run(
        [shell, str(ROOT / "scripts" / name), *args],
        env={"PATH": str(folder), "HOME": str(folder), **env}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def program(folder: Path, name: str, body: str) -> Path:
    path = folder / name
    path.write_text(f"#!{shutil.which('sh')}\n{body}\n")
    path.chmod(0o755)
    return path


def test_no_python_is_one_sentence(tmp_path):
    done = script("python.sh", tmp_path)
    assert done.returncode == 1
    assert "3.11 or newer" in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_an_old_python_does_not_do(tmp_path):
    program(tmp_path, "python3", "exit 1")
    assert "none was found" in script("python.sh", tmp_path).stderr


def test_a_python_without_venv_is_told_what_to_install(tmp_path):
    program(tmp_path, "python3", 'case "$2" in *ensurepip*) exit 1;; esac')
    done = script("python.sh", tmp_path)
    assert done.returncode == 1
    assert "python3-venv" in done.stderr


def test_the_newest_known_python_that_can_make_an_environment_is_taken(tmp_path):
    program(tmp_path, "python3.13", 'case "$2" in *ensurepip*) exit 1;; esac')
    program(tmp_path, "python3.12", "exit 1")
    expected = program(tmp_path, "python3.11", "exit 0")
    program(tmp_path, "python3", "exit 0")
    done = script("python.sh", tmp_path)
    assert done.stdout.strip() == str(expected)


def test_no_browser_is_one_sentence_and_a_failure(tmp_path):
    program(tmp_path, "id", "echo 1000")
    done = script("chromium.sh", tmp_path, "no-such-python")
    assert done.returncode == 1
    assert "install chromium" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_browser_named_or_on_the_path_is_taken(tmp_path):
    program(tmp_path, "google-chrome", "exit 0")
    found = script("chromium.sh", tmp_path, "no-such-python")
    assert (found.returncode, found.stdout.strip()) == (0, str(tmp_path / "google-chrome"))
    named = program(tmp_path, "my-browser", "exit 0")
    assert script("chromium.sh", tmp_path, "no-such-python", CHROMIUM=str(named)).stdout.strip() == str(named)


@pytest.mark.skipif(not Path("/etc/debian_version").exists(), reason="apt is Debian's")
def test_on_debian_as_root_a_browser_is_installed(tmp_path):
    program(tmp_path, "id", "echo 0")
    chromium, chmod = tmp_path / "chromium", shutil.which("chmod")
    install = f'echo "$*" >> {tmp_path}/asked; [ "$1" = update ] || {{ echo > {chromium}; {chmod} 755 {chromium}; }}'
    program(tmp_path, "apt-get", install)
    done = script("chromium.sh", tmp_path, "no-such-python")
    assert done.stdout.strip() == str(chromium)
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith("update")
    assert " chromium" in asked


def test_the_scripts_are_what_ci_calls():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert sys.version_info >= (3, 11)
