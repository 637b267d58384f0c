"""A definition near the caller settles a name only where every configuration has one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.budget import Budget
from analyzer.c.ir import Conditions
from analyzer.c.unit import scan_unit
from analyzer.pipeline import check
from analyzer.program.cache import Cache
from analyzer.program.lookup import covers, folders_near, macros_of
from analyzer.program.names import NO_SOURCES
from analyzer.program.program import Program
from analyzer.tree import Folders, Hits, MemoryTree

from .driver import DRIVER, PATH, requested
from .fixture.harness import common_files

SHARED = ("arch", "include", "mm")
SYMBOLS = ("CONFIG_A", "CONFIG_B", "CONFIG_C")
CONDITIONS = st.frozensets(
    st.dictionaries(st.sampled_from(SYMBOLS), st.booleans()).map(lambda d: tuple(d.items())),
    max_size=6,
)


@given(CONDITIONS)
def test_conditions_cover_what_a_table_of_all_configurations_says(
    conditions: frozenset[Conditions],
) -> None:
    tables = (
        dict(zip(SYMBOLS, values, strict=True)) for values in product((True, False), repeat=3)
    )
    met = all(any(all(t[s] == v for s, v in c) for c in conditions) for t in tables)

    assert met == covers(conditions)


@pytest.mark.parametrize(
    ("paths", "folders"),
    [
        (("mm/a.c", "include/linux/b.h"), SHARED),
        (("drivers/toy/a.c",), (*SHARED, "drivers/toy")),
        (("drivers/gpu/toy/deep/a.c", "fs/b.c"), (*SHARED, "drivers/gpu", "fs")),
        (("top.c", "mm/a.c"), ()),
        (("drivers/-odd/a.c", "drivers/[ab]/a.c"), ()),
    ],
)
def test_near_are_the_callers_folders_and_those_for_all(
    paths: tuple[str, ...], folders: tuple[str, ...]
) -> None:
    assert folders == folders_near(paths, SHARED)


def test_nothing_is_near_where_no_folder_is_for_all() -> None:
    assert () == folders_near(("mm/a.c",), ())


def test_macros_are_told_by_their_whole_name_and_where_they_count() -> None:
    text = b"""#define stop_all(p) f(p)
#ifdef CONFIG_A
#  define stop(p)\t\\
\tf(p)
#else
/* #define stop(p) */
#define stop\t0
#endif
#define other stop
"""

    found = tuple(macros_of(scan_unit("a.h", text), b"stop"))

    assert ((("CONFIG_A", True),), (("CONFIG_A", False),)) == found


HEADER = "include/linux/toy.h"
DISTANT, CALLER = "drivers/toy/toy.c", "mm/caller.c"
REAL = "void stop(struct page *page)\n{\n\tSetPageReserved(page);\n}\n"
STUB = "static inline void stop(struct page *page)\n{\n}\n"
FILES = {CALLER: "void f(struct page *page)\n{\n\tstop(page);\n}\n", DISTANT: REAL}
ELSEWHERE, NEAR = {DISTANT}, set[str]()


@pytest.mark.parametrize(
    ("files", "beyond"),
    [
        ({}, ELSEWHERE),
        ({HEADER: STUB}, NEAR),
        ({HEADER: f"#ifdef CONFIG_TOY\nvoid stop();\n#else\n{STUB}#endif\n"}, ELSEWHERE),
        ({HEADER: f"#ifdef CONFIG_TOY\n{REAL}#else\n{STUB}#endif\n"}, NEAR),
        ({HEADER: "#define stop(page) do { } while (0)\n"}, NEAR),
        ({HEADER: f"#ifdef CONFIG_TOY\n#define stop(page) g(page)\n#else\n{STUB}#endif\n"}, NEAR),
        ({HEADER: "#ifndef CONFIG_TOY\n#define stop(page) do { } while (0)\n#endif\n"}, ELSEWHERE),
        ({"mm/stop.c": REAL}, NEAR),
        ({"mm/stop.c": f"static {REAL}"}, ELSEWHERE),
        ({"mm/stop.c": "void stop_all(void)\n{\n\tstop(0);\n}\n"}, ELSEWHERE),
        ({"drivers/more/stop.c": REAL}, {DISTANT, "drivers/more/stop.c"}),
    ],
)  # fmt: skip
def test_the_whole_tree_is_read_for_a_name_that_is_not_settled_near(
    files: dict[str, str], beyond: set[str]
) -> None:
    tree = MemoryTree({**FILES, **files})
    program = Program(tree.read, tree.search, Cache(), {}, Budget(), NO_SOURCES, SHARED)
    program.add([CALLER])

    program.define(["stop"])

    assert beyond == {p for p in program.paths if p.startswith("drivers")}


def test_a_settled_name_is_not_looked_for_again() -> None:
    tree = MemoryTree({**FILES, HEADER: "#define stop(page) do { } while (0)\n"})
    asked: list[tuple[str, ...]] = []

    def search(words: object, folders: tuple[str, ...] = ()) -> dict[str, frozenset[str]]:
        asked.append(folders)
        return dict(tree.search(list(words), folders))  # type: ignore[call-overload]

    program = Program(tree.read, search, Cache(), {}, Budget(), NO_SOURCES, SHARED)
    program.add([CALLER])
    program.define(["stop"])
    program.define(["stop"])

    assert [SHARED] == asked


def test_words_are_looked_up_in_the_whole_tree_even_so() -> None:
    tree = MemoryTree({**FILES, HEADER: STUB})
    program = Program(tree.read, tree.search, Cache(), {}, Budget(), NO_SOURCES, SHARED)
    program.add([CALLER])
    program.define(["stop"])

    program.look_up(["stop"])

    assert DISTANT in program.paths


HELD = ("\tSetPageKeptBack(page);\n", "\t__SetPageOffline(page);\n\tSetPageKeptBack(page);\n")


class Asked(MemoryTree):
    """A tree that notes the words that it is searched for."""

    words: frozenset[str] = frozenset()

    def search(self, words: Iterable[str], folders: Folders = ()) -> Hits:
        listed = tuple(words)
        self.words |= frozenset(listed)
        return super().search(listed, folders)


def test_what_facts_call_harmless_is_not_looked_for() -> None:
    calls = "\tlist_move(&page->lru, &foo_pages);\n\tfoo_note(page);\n\tdev_pagemap_note(page);\n"
    before = DRIVER.replace("\tSetPageKeptBack(page);\n", f"\tSetPageKeptBack(page);\n{calls}")
    request = requested(before, before.replace(*HELD))
    tree = Asked({**common_files("strict", "after"), PATH: before})

    check(request.series, tree)

    assert {"foo_note", "dev_pagemap_note"} == tree.words & {
        "foo_note",
        "dev_pagemap_note",
        "list_move",
    }
