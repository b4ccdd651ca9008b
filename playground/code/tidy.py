"""Keep of a source what is used, and put a script together: imports, settings, then its sections."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

WIDTH = 100  # columns of a script
Sections = Mapping[str, Sequence["Block"]]


class Block(NamedTuple):
    """A statement at the top of a source with the comments above it: its text, what it defines, what it uses."""

    text: str
    defines: frozenset[str]
    uses: frozenset[str]
    whole: bool  # whether it is a function or a class
    imports: bool
    apart: bool  # whether the source has an empty line before it


def blocks(source: str) -> list[Block]:
    """Return the statements of a source, in order."""
    lines = source.splitlines()
    found, at = [], 0
    for node in ast.parse(source).body:
        assert node.end_lineno is not None
        text = "\n".join(lines[at : node.end_lineno])
        at = node.end_lineno
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # what a part says of itself
        found.append(Block(text.strip("\n"), *_names(node), apart=text.startswith("\n")))
    return found


def _names(node: ast.stmt) -> tuple[frozenset[str], frozenset[str], bool, bool]:
    """Return what a statement defines and uses, and its kind; one that does more than define defines nothing."""
    read = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    stored = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    match node:
        case ast.FunctionDef() | ast.ClassDef():
            return frozenset({node.name}), frozenset(read - (stored - _shared(node))), True, False
        case ast.Import() | ast.ImportFrom():
            names = {alias.asname or alias.name.split(".")[0] for alias in node.names}
            return frozenset(names), frozenset(), False, True
        case ast.Assign(targets=[ast.Name() | ast.Tuple()]):
            return frozenset(stored), frozenset(read), False, False
    return frozenset(), frozenset(read), False, False


def _shared(node: ast.AST) -> set[str]:
    return {name for n in ast.walk(node) if isinstance(n, ast.Global) for name in n.names}


def kept(sections: Sections) -> dict[str, list[Block]]:
    """Return what is reached from the statements that do something, by section."""
    every = [block for section in sections.values() for block in section]
    wanted = {name for block in every if not block.defines for name in block.uses}
    reached: set[int] = {i for i, block in enumerate(every) if not block.defines}
    while fresh := [i for i, block in enumerate(every) if i not in reached and block.defines & wanted]:
        reached.update(fresh)
        wanted.update(name for i in fresh for name in every[i].uses)
    numbers = iter(range(len(every)))
    return {name: [block for block in section if next(numbers) in reached] for name, section in sections.items()}


def written(head: str, constants: Sequence[str], sections: Sections) -> str:
    """Return the script: its docstring, imports, settings and sections."""
    texts = [head, "\n".join(imports(sections)), "\n".join(constants)]
    for name, section in sections.items():
        own = [block for block in section if not block.imports]
        if own:
            texts.append(f"\n# -- {name} {'-' * (94 - len(name))}\n\n{body(own)}")
    return re.sub(r"\n{4,}", "\n\n\n", "\n\n".join(texts)) + "\n"


def body(section: Sequence[Block]) -> str:
    """Return statements with two empty lines around functions and classes, one where the source has one."""
    parts = [section[0].text]
    for before, block in itertools.pairwise(section):
        parts.append(("\n\n\n" if before.whole or block.whole else "\n\n" if block.apart else "\n") + block.text)
    text = re.sub(r"\n{3,}(?=[ \t])", "\n\n", "".join(parts))
    return re.sub(r"^( *)(\S.*[(\[])\n +(.+)\n *([)\]]+)$", _joined, text, flags=re.MULTILINE)


def _joined(found: re.Match[str]) -> str:
    """Return a line that had been broken, whole where it has become short enough and ends in no comma."""
    indent, start, inside, end = found.groups()
    whole = f"{indent}{start}{inside}{end}"
    return whole if len(whole) <= WIDTH and not inside.endswith(",") and "#" not in whole else found.group()


def imports(sections: Sections) -> list[str]:
    """Return the import lines, each once: the standard library's, an empty line, then the others'."""
    lines = {block.text.strip() for section in sections.values() for block in section if block.imports}
    names = {name for section in sections.values() for block in section if not block.imports for name in block.uses}
    used = {line for line in (_used(line, names) for line in lines) if line}
    other = {line for line in used if line.split()[1].split(".")[0] in ("numpy", "torch", "sklearn", "PIL")}
    own = sorted(used - other, key=_key)
    return [*own, *([""] if own and other else []), *sorted(other, key=_key)]


def _used(line: str, names: set[str]) -> str:
    """Return an import line with only the names that are used."""
    if not line.startswith("from "):
        return line
    where, _, what = line.partition(" import ")
    there = [name for name in what.split(", ") if name.split(" as ")[-1] in names]
    return f"{where} import {', '.join(there)}" if there else ""


def _key(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line
