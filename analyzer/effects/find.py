"""Find the function that a user names."""

from __future__ import annotations

import re

from analyzer.base import AnalyzerError, FunctionId, Pair
from analyzer.flow.analyse import Prepared
from analyzer.pages.laws import HEADER
from analyzer.pages.machine import called
from analyzer.tree import Tree, why_unread

#: A name in more files than this is not looked for in all of them.
_MANY = 400
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def find_function(name: str, prepared: Pair[Prepared], trees: Pair[Tree]) -> FunctionId:
    """Return what FUNCTION or FILE:FUNCTION means; raise AnalyzerError where that is not one."""
    path, _, function = name.rpartition(":")
    if not _NAME.fullmatch(function):
        raise AnalyzerError(f"expected the name of a function, or FILE:FUNCTION, found {name!r}")
    found: dict[FunctionId, bool] = {}
    for program, tree in (
        (prepared.after.program, trees.after),
        (prepared.before.program, trees.before),
    ):
        hits = [path] if path else [p for p, _ in sorted(tree.search([function]).items())]
        if len(hits) > _MANY:
            raise AnalyzerError(
                f"{function}: stands in {len(hits)} files; say which one means: FILE:{function}"
            )
        head = re.compile(
            rb"^[A-Za-z_][^\n;={}]*\b" + re.escape(function.encode()) + rb"\s*\(", re.M
        )
        program.add(p for p in hits if (text := tree.read(p)) is not None and head.search(text))
        for id in program.named(function):
            if not path or id[0] == path:
                found.setdefault(id, id[0].endswith(".c"))
    in_sources = [id for id, is_source in found.items() if is_source]
    chosen = in_sources if len(in_sources) == 1 else list(found)
    if len(chosen) == 1:
        return chosen[0]
    if not chosen and (op := prepared.after.law.space.operations.get(function)):
        raise AnalyzerError(
            f"{function}: no function, but an accessor of {called(op.label)}, which {HEADER} makes "
            "by a macro: name a function that calls it"
        )
    if not chosen:
        where = f"in {path} " if path else ""
        raise AnalyzerError(f"{function}: no function of this name is defined {where}in the tree")
    listed = "\n".join(f"  {p}:{f}" for p, f in chosen)
    raise AnalyzerError(f"{function}: defined in {len(chosen)} files; say which one:\n{listed}")


def line_of(tree: Tree, path: str, line: int) -> str:
    """Return a line of a tree; raise AnalyzerError where there is none."""
    data = tree.read(path)
    if data is None:
        raise AnalyzerError(f"{path}: {why_unread(tree, path)}")
    lines = data.split(b"\n")
    if line > len(lines):
        raise AnalyzerError(f"{path}:{line}: the file has only {len(lines)} lines")
    return " ".join(lines[line - 1].decode("utf-8", "replace").split())
