"""What a fact names as its source must be there: the file, and in it the function or structure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from analyzer.data import names_under, read_facts
from analyzer.tree import Tree

pytestmark = pytest.mark.kernel

FACTS = tuple(f"kernel/{name}.toml" for name in names_under("kernel"))
#: `mm/cma.c: cma_init_reserved_mem, struct cma (since v6.1): what it does`
CLAIM = re.compile(r"([\w*./-]+\.[ch]):((?: (?:struct |enum )?\w+,?)+)(?= \(|:|;|$)")
PATH = re.compile(r"(?:\w[\w*-]*/)+[\w*-]+\.[ch]\b")


def sources(value: Any) -> Iterator[str]:
    """Yield every source that facts name."""
    if isinstance(value, dict):
        if isinstance(value.get("source"), str):
            yield value["source"]
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from sources(part)


def claims(source: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what a source names, as C spells it, with the files that it is said to stand in."""
    for part in source.split("; "):
        if m := CLAIM.match(part):
            for name in filter(None, (n.strip() for n in m[2].split(","))):
                yield (
                    re.split(r"struct |enum |\bPage(?=[A-Z])", name)[-1],
                    tuple(PATH.findall(part)),
                )


def elsewhere(claimed: Iterable[tuple[str, tuple[str, ...]]], tree: Tree) -> set[str]:
    """Return what stands in a tree, and in none of the files that it is said to stand in."""
    claimed = tuple(claimed)
    hits = tree.search(name for name, _ in claimed)
    known = {name for held in hits.values() for name in held}
    return {
        name
        for name, files in claimed
        if name in known
        and not any(
            name in held and any(fnmatchcase(p, f) for f in files) for p, held in hits.items()
        )
    }


def test_claims_are_read() -> None:
    source = (
        "mm/cma.c: cma_init_reserved_mem, struct cma (mm/cma.h since v6.1): what it does; mm/x.c: f"
    )

    both = ("mm/cma.c", "mm/cma.h")
    assert [("cma_init_reserved_mem", both), ("cma", both), ("f", ("mm/x.c",))] == [*claims(source)]
    assert [] == [*claims("include/linux/list.h; mm/Kconfig: MEMORY_HOTPLUG depends on 64BIT")]


@pytest.mark.parametrize("tree", ["kernel", "older"])
def test_what_a_source_names_stands_where_it_says(
    tree: str, request: pytest.FixtureRequest
) -> None:
    claimed = {c for name in FACTS for s in sources(dict(read_facts(name))) for c in claims(s)}

    assert len(claimed) > 60
    assert set() == elsewhere(sorted(claimed), request.getfixturevalue(tree))
