"""The walls of the house, read from the source: who may import whom, what is never called, how long a file may be."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = sorted((ROOT / "playground").rglob("*.py"))
PAGES = sorted((ROOT / "pages").rglob("*.py"))
OURS = [*PACKAGE, *PAGES, *sorted((ROOT / "benchmarks").rglob("*.py")), *ROOT.glob("*.py")]
TESTS = sorted((ROOT / "tests").rglob("*.py"))

# The parts of the package from the ground up: one may import from those before it, and from itself. `presets` and the
# faces stand on all; `families` may use every shared block.
LAYERS = (
    ("config", "rng", "home", "heap", "files", "download", "blobs"),
    ("games", "data"),
    (
        "nets",
        "losses",
        "penalties",
        "optim",
        "tricks",
        "explicit",
        "entrance",
        "stage",
        "slowmotion",
        "families",
        "coders",
        "recurrent",
        "reconstruction",
        "corruption",
        "sparsity",
        "variational",
        "fast",
        "adversarial",
        "gan_listing",
        "coder_listing",
        "gan_nets",
        "conv_nets",
        "augmentation",
        "gan_settings",
        "joint",
    ),
    (
        "experiment",
        "diagnostics",
        "latent",
        "figures",
        "store",
        "intervals",
        "sweep_plan",
        "sweep_goals",
        "sweep_results",
    ),
    ("engine",),
    ("film", "thumbs", "exports", "code", "racing", "sweep_cost", "sweeping"),
    ("preset", "presets", "image_presets", "race_presets"),
    ("exams", "exam_rows", "exams_coding", "exams_metrics", "exams_vae"),
    ("api", "cli", "cli_bench", "cli_race", "cli_sweep", "bench_modes", "cli_export", "__main__", "__init__"),
)
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
# Names looked up when first used, so that the bottom can name what stands above it.
LAZY = {("__init__", "api")}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def part(path: Path) -> str:
    return path.relative_to(ROOT / "playground").parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Return the dotted names that a file imports; `from a import b` counts as a and a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def calls(path: Path) -> set[str]:
    return {
        ast.unparse(n.func) for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)
    }


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_no_streamlit_inside_the_package_and_no_page_either(path):
    tops = {imported.split(".")[0] for imported in imports(path)}
    assert not tops & {"streamlit", "pages", "app", "tests"}


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_imports_go_down_only(path):
    assert part(path) in LEVEL, f"{part(path)} has no layer yet: give it one in LAYERS"
    above = {
        imported
        for imported in imports(path)
        if imported.startswith("playground.") and LEVEL.get(imported.split(".")[1], -1) > LEVEL[part(path)]
    }
    assert not above


@pytest.mark.parametrize("path", OURS, ids=name)
def test_nothing_is_unpickled_or_evaluated(path):
    assert not imports(path) & {"pickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"}
    called = calls(path)
    assert not called & {"eval", "exec", "torch.load", "torch.save", "np.save", "numpy.load"}
    assert "allow_pickle=True" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [*OURS, *TESTS], ids=name)
def test_a_file_fits_in_a_head(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    most = 700 if path in TESTS else 60 if path.name == "app.py" else 150 if path in PAGES else 400
    assert lines <= most


@pytest.mark.parametrize("path", [*OURS, *TESTS], ids=name)
def test_a_file_opens_with_what_it_is(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "a module docstring says what the file is"


@pytest.mark.parametrize("path", OURS, ids=name)
def test_the_source_is_python_3_11(path):
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 11))


def test_the_page_loads_nothing_from_elsewhere():
    """No CDN, no web font: what the browser gets comes from this server (links that a person may follow are fine)."""
    outside = re.compile(r"""(?:src=|href=|url\(|import\s|from\s|fetch\()\s*["']?https?://""")
    for path in [*(ROOT / "assets").rglob("*.*"), *PAGES]:
        if path.suffix in (".js", ".css", ".py", ".html"):
            assert not outside.search(path.read_text(encoding="utf-8")), name(path)


def test_nothing_is_told_to_anybody_else():
    assert "gatherUsageStats = false" in (ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8")
