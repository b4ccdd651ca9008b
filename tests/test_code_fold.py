"""What is left of a source when settings have answered its questions."""

import textwrap

import pytest

from playground.code.fold import fold
from playground.code.tidy import blocks, kept


def left(source: str, *versions: dict) -> str:
    return fold(textwrap.dedent(source), versions)


def test_the_branch_that_is_taken_stays_and_moves_left():
    source = """
        def f(x):
            # first
            if WAY == "a":
                # of a
                y = 1
                return y
            elif WAY == "b":
                return 2
            else:
                return 3
        """
    assert left(source, {"WAY": "a"}).strip() == "def f(x):\n    # first\n    # of a\n    y = 1\n    return y"
    assert left(source, {"WAY": "b"}).strip() == "def f(x):\n    # first\n    return 2"
    assert left(source, {"WAY": "c"}).strip() == "def f(x):\n    # first\n    return 3"


def test_a_question_with_two_answers_stays_without_the_branches_nobody_takes():
    source = """
        if WAY == "a":
            x = 1
        elif WAY == "b":
            x = 2
        elif WAY == "c":
            x = 3
        else:
            x = 4
        """
    both = 'if WAY == "b":\n    x = 2\nelif WAY == "c":\n    x = 3\nelse:\n    x = 4'
    assert left(source, {"WAY": "b"}, {"WAY": "c"}).strip() == both
    assert left(source, {"WAY": "a"}, {"WAY": "z"}).strip() == 'if WAY == "a":\n    x = 1\nelse:\n    x = 4'


@pytest.mark.parametrize(
    ("source", "settings", "answer"),
    [
        ("y = f(x) if ON else x", {"ON": True}, "y = f(x)"),
        ("y = (f if ON else g)(x)", {"ON": False}, "y = g(x)"),
        ("y = f(a + (b if ON else c))", {"ON": True}, "y = f(a + b)"),
        ("if x and ON:\n    y", {"ON": True}, "if x:\n    y"),
        ("if not ON or x:\n    y", {"ON": True}, "if x:\n    y"),
        ("if x or ON:\n    y", {"ON": True}, "y"),
        ("y = N * x", {"N": 1}, "y = x"),
        ("y = N * x", {"N": 2}, "y = N * x"),
        ("for _ in range(N):\n    y", {"N": 1}, "y"),
        ("for _ in range(N):\n    y", {"N": 3}, "for _ in range(N):\n    y"),
        ("for a in f(x).chunk(N):\n    y", {"N": 1}, "a = f(x)\ny"),
        ("with g() if ON else nullcontext():\n    y", {"ON": False}, "y"),
        ("with a(), g() if ON else nullcontext():\n    y", {"ON": False}, "with a():\n    y"),
        ("def f():\n    if ON:\n        return 1\n    return 2", {"ON": True}, "def f():\n    return 1"),
        ("x = 'é' if ON else 'ü'; y = 1", {"ON": False}, "x = 'ü'; y = 1"),
    ],
)
def test_small_decisions(source, settings, answer):
    assert left(source, settings).strip() == answer


def test_only_what_is_reached_from_what_happens_is_kept():
    source = "N = 1\ndef used():\n    return N\ndef idle():\n    return other()\ndef other():\n    pass\nused()"
    names = [next(iter(block.defines), "") for block in kept({"": blocks(source)})[""]]
    assert names == ["N", "used", ""]
