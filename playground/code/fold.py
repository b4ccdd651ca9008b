"""Decide what settings decide: keep the branches of a source that a run takes, and the text of what is kept.

A source asks its settings as any program does: `if PENALTY == "r1":`. Of each question with the same answer throughout
the run the answer's own lines stay, moved left; of a conditional expression, `and`, `or` and a product with 1 likewise.
A loop that is passed once and a context that does nothing leave their body. Comments and line breaks stay as they were
written, since text is cut and nothing is printed anew.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Settings = Mapping[str, Any]
BINARY: dict[type, Callable[[Any, Any], Any]] = {ast.Add: operator.add, ast.Mult: operator.mul}
COMPARE: dict[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.Gt: operator.gt, ast.LtE: operator.le,
    ast.GtE: operator.ge, ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip


class Unknown(Exception):
    """A value that settings alone do not decide."""


class Edit(NamedTuple):
    """Text to put in place of a span of the source, in bytes."""

    start: int
    end: int
    text: bytes


def fold(source: str, versions: Sequence[Settings]) -> str:
    """Return the source with all that every one of these versions of the settings decides alike."""
    while edits := list(Folder(source, versions).edits()):
        text = source.encode()
        for edit in sorted(edits, reverse=True):
            text = text[: edit.start] + edit.text + text[edit.end :]
        source = text.decode()
    return source


def value(node: ast.expr, settings: Settings) -> Any:  # noqa: PLR0911  # a case each
    """Return what an expression of settings and constants comes to; raises `Unknown` for any other."""
    match node:
        case ast.Constant():
            return node.value
        case ast.Name() if node.id in settings:
            return settings[node.id]
        case ast.Tuple() | ast.List():
            return tuple(value(item, settings) for item in node.elts)
        case ast.UnaryOp(op=ast.Not()):
            return not value(node.operand, settings)
        case ast.BinOp() if type(node.op) in BINARY:
            return BINARY[type(node.op)](value(node.left, settings), value(node.right, settings))
        case ast.Compare(ops=[op]) if type(op) in COMPARE:
            return COMPARE[type(op)](value(node.left, settings), value(node.comparators[0], settings))
        case ast.BoolOp():
            decisive = isinstance(node.op, ast.Or)  # what one such operand decides, the others need not be known
            found = [_known(item, settings) for item in node.values]
            if any(item is not None and bool(item) == decisive for item in found):
                return decisive
            if None in found:
                raise Unknown
            return not decisive
    raise Unknown


def _known(node: ast.expr, settings: Settings) -> bool | None:
    try:
        return bool(value(node, settings))
    except Unknown:
        return None


class Folder:
    """One pass over a source: the outermost things that can be decided in it."""

    def __init__(self, source: str, versions: Sequence[Settings]) -> None:
        self.text, self.versions = source.encode(), versions
        self.tree = ast.parse(source)
        self.starts = [0]
        for line in self.text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def edits(self, node: ast.AST | None = None) -> Iterator[Edit]:
        """Yield edits of parts that do not overlap."""
        for child in ast.iter_child_nodes(self.tree if node is None else node):
            edit = self.edit(child)
            if edit is None:
                yield from self.edits(child)
            else:
                yield edit

    def unreached(self, node: ast.AST) -> Edit | None:
        """Return the cut of what follows a return in the same block, if anything does."""
        for rows in (getattr(node, "body", None), getattr(node, "orelse", None)):
            for row in rows[:-1] if isinstance(rows, list) else ():
                if isinstance(row, ast.Return):
                    last: ast.stmt = rows[-1]  # type: ignore[index]
                    return Edit(self.starts[row.end_lineno or 0], self.starts[last.end_lineno or 0], b"")
        return None

    def edit(self, node: ast.AST) -> Edit | None:  # noqa: PLR0911  # a case each
        """Return what becomes of a node that can be decided, else None."""
        if (cut := self.unreached(node)) is not None:
            return cut
        match node:
            case ast.If():
                return self.branches(node)
            case ast.IfExp() if (answer := self.decided(node.test)) is not None:
                return self.put(node, self.segment(node.body if answer else node.orelse))
            case ast.BoolOp() | ast.Compare() if (answer := self.decided(node)) is not None:
                return self.put(node, str(answer).encode())
            case ast.BoolOp():
                left = [item for item in node.values if self.decided(item) is None]
                if 0 < len(left) < len(node.values):
                    word = b" and " if isinstance(node.op, ast.And) else b" or "
                    return self.put(node, word.join(self.segment(item) for item in left))
            case ast.BinOp(op=ast.Mult()):
                for one, other in ((node.right, node.left), (node.left, node.right)):
                    if self.is_one(one):
                        return self.put(node, self.segment(other))
            case ast.With():
                return self.contexts(node)
            case ast.For(iter=ast.Call(func=ast.Name(id="range"), args=[many])) if self.is_one(many):
                return self.lines(node, self.body(node.iter, node.body, node))
            case ast.For(iter=ast.Call(func=ast.Attribute(attr="chunk") as whole, args=[many])) if self.is_one(many):
                first = self.indent(node) + self.segment(node.target) + b" = " + self.segment(whole.value) + b"\n"
                return self.lines(node, first + self.body(node.iter, node.body, node))
        return None

    def contexts(self, node: ast.With) -> Edit | None:
        """Return a `with` without the contexts that do nothing, None where all do something."""
        items = [item.context_expr for item in node.items]
        left = [item for item in items if not is_nothing(item)]
        if not left:
            return self.lines(node, self.body(items[-1], node.body, node))
        return self.put(items[0], b", ".join(map(self.segment, left)), items[-1]) if len(left) < len(items) else None

    def decided(self, node: ast.expr) -> bool | None:
        """Return whether an expression is true under every version of the settings, None where they differ."""
        answers = {_known(node, settings) for settings in self.versions}
        return answers.pop() if len(answers) == 1 else None

    def is_one(self, node: ast.expr) -> bool:
        """Say whether a setting is 1 throughout."""
        try:
            return isinstance(node, ast.Name) and all(value(node, settings) == 1 for settings in self.versions)
        except Unknown:
            return False

    def branches(self, node: ast.If) -> Edit | None:
        """Return what is left of an `if` with all its `elif`, None where nothing of it is decided."""
        kept: list[bytes] = []
        changed, at = False, node
        while True:
            answer = self.decided(at.test)
            changed |= answer is not None
            if answer is not False:
                body = self.body(at.test, at.body, None if answer is None or kept else node)
                kept.append(self.arm(b"if " if not kept else b"elif ", at, node) + body if answer is None else
                            (self.indent(node) + b"else:\n" if kept else b"") + body)  # fmt: skip
            if answer or not at.orelse:
                break
            if len(at.orelse) == 1 and isinstance(at.orelse[0], ast.If) and self.is_elif(at.orelse[0]):
                at = at.orelse[0]
                continue
            head = self.indent(node) + b"else:\n" if kept else b""
            kept.append(head + self.after(at.body[-1], at.orelse, None if kept else node))
            break
        return self.lines(node, b"".join(kept)) if changed else None

    def is_elif(self, node: ast.If) -> bool:
        return self.text[self.offset(node.lineno, node.col_offset) :].startswith(b"elif")

    def arm(self, word: bytes, arm: ast.If, whole: ast.If) -> bytes:
        return self.indent(whole) + word + self.segment(arm.test) + b":\n"

    # -- text ---------------------------------------------------------------------------------------------------------

    def offset(self, line: int, column: int) -> int:
        return self.starts[line - 1] + column

    def segment(self, node: ast.expr) -> bytes:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.text[self.offset(node.lineno, node.col_offset) : self.offset(node.end_lineno, node.end_col_offset)]

    def indent(self, node: ast.stmt) -> bytes:
        return b" " * node.col_offset

    def body(self, head: ast.expr, body: Sequence[ast.stmt], moved_to: ast.stmt | None) -> bytes:
        """Return the lines after a head up to the body's end, moved left to where a statement stands."""
        assert head.end_lineno is not None
        return self.moved(head.end_lineno + 1, body, moved_to)

    def after(self, last: ast.stmt, body: Sequence[ast.stmt], moved_to: ast.stmt | None) -> bytes:
        """Return the lines of an `else` that follows this statement."""
        assert last.end_lineno is not None
        first = last.end_lineno + 1
        while not self.text[self.starts[first - 1] : self.starts[first]].strip().startswith(b"else"):
            first += 1
        return self.moved(first + 1, body, moved_to)

    def moved(self, first: int, body: Sequence[ast.stmt], moved_to: ast.stmt | None) -> bytes:
        last = body[-1].end_lineno
        assert last is not None
        left = 0 if moved_to is None else body[0].col_offset - moved_to.col_offset
        lines = self.text[self.starts[first - 1] : self.starts[last]].lstrip(b"\n").splitlines(keepends=True)
        return b"".join(line[left:] if line.strip() else line for line in lines)

    def put(self, node: ast.expr, text: bytes, last: ast.expr | None = None) -> Edit:
        """Return the edit that puts text in the place of an expression, or of all from it to a `last` one."""
        last = last or node
        assert last.end_lineno is not None
        assert last.end_col_offset is not None
        start, end = self.offset(node.lineno, node.col_offset), self.offset(last.end_lineno, last.end_col_offset)
        before, after = self.text[start - 2 : start], self.text[end : end + 1]
        if before in (b" (", b"*(") and after == b")" and b" " not in text.split(b"(")[0]:
            return Edit(start - 1, end + 1, text)  # brackets that held a choice together
        return Edit(start, end, text)

    def lines(self, node: ast.stmt, text: bytes) -> Edit:
        assert node.end_lineno is not None
        return Edit(self.starts[node.lineno - 1], self.starts[node.end_lineno], text)


def is_nothing(node: ast.expr) -> bool:
    """Say whether a context is one that does nothing."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "nullcontext"
