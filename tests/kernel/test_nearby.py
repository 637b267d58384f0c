"""What is told to be idle without a search, the analysis of no real tree goes through."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest

from analyzer.base import FunctionId, Pair
from analyzer.c.macros import macro_definitions
from analyzer.c.unit import scan_unit
from analyzer.flow.analyse import Prepared, prepare
from analyzer.idle.nearby import idle_nearby
from analyzer.migrations import load_migrations
from analyzer.pages.aside import is_harmless, speaks_of_pages
from analyzer.pages.extended import extended
from analyzer.pages.facts import load_facts
from analyzer.program.cache import Cache
from analyzer.program.params import passes_pages
from analyzer.tree import MemoryTree, Tree

from .trees import open_older

pytestmark = pytest.mark.kernel

FACTS = extended(load_facts(), load_migrations().values())


@pytest.fixture(scope="module", params=["6.12", "6.12 before the change", "6.1"])
def tree(request: pytest.FixtureRequest, kernel: Tree, befores: Mapping[str, Tree]) -> Prepared:
    if request.param == "6.1":
        found = open_older()
    else:
        found = kernel if request.param == "6.12" else befores["strict"]
    return prepare(found.read, found.search, Cache(), FACTS, {})


def followed(tree: Prepared) -> list[FunctionId]:
    interest = tree.interest()
    return sorted(interest.strong | interest.weak)


def idle(tree: Prepared, id: FunctionId) -> bool:
    """Tell whether a harmless line more in a function is called idle."""
    path, name = id
    text = tree.program.unit(path).text
    at = scan_unit(path, text).definitions[name][0].body + 1
    edited = text[:at] + b"\n\tcpu_relax();\n" + text[at:]
    trees = Pair(MemoryTree({path: text}), MemoryTree({path: edited}))
    return idle_nearby(trees, (path,), FACTS) is not None


def test_no_function_that_pages_come_through_is_idle(
    tree: Prepared, row: Callable[[str, tuple[str, ...]], None]
) -> None:
    ids = followed(tree)
    others = [f for f in tree.program.functions() if f[0].endswith(".c") and f not in set(ids)]

    wrong = [id for id in ids if idle(tree, id)]

    some = others[::7]
    aside = sum(idle(tree, id) for id in some)
    row("idle without a search", (f"{len(ids)} followed", f"{aside} of {len(some)} others"))
    assert [] == wrong
    assert aside


def test_no_macro_that_such_a_function_names_can_change_without_a_search(
    tree: Prepared, row: Callable[[str, tuple[str, ...]], None]
) -> None:
    ids, wrong, aside, tried = followed(tree), [], 0, 0
    for path in sorted({path for path, _ in ids if path.endswith(".c")}):
        unit = tree.program.unit(path)
        named = b"\n".join(
            unit.code[d.span.start : d.span.end]
            for at, name in ids
            if at == path
            for d in unit.definitions[name]
        )
        for name, macro in macro_definitions(unit).items():
            edited = unit.text[: macro.span.end] + b" + 1" + unit.text[macro.span.end :]
            trees = Pair(MemoryTree({path: unit.text}), MemoryTree({path: edited}))
            tried += 1
            if idle_nearby(trees, (path,), FACTS) is not None:
                aside += 1
                if re.search(rf"\b{name}\b".encode(), named):
                    wrong.append(f"{name} in {path}")

    row("macros idle without a search", (f"{len(ids)} followed", f"{aside} of {tried} beside them"))
    assert [] == wrong
    assert aside


def test_no_call_that_the_facts_call_harmless_passes_a_page_on(tree: Prepared) -> None:
    wrong = [
        f"{name}() in {path}"
        for path, name in followed(tree)
        if is_harmless(name) and not speaks_of_pages(name)
        if passes_pages(tree.program, tree.facts, (path, name))
    ]

    assert [] == wrong
