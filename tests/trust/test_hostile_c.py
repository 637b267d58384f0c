"""Text that was written to hurt costs no more than its length, and is admitted."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator

import pytest

from analyzer.base import Gap
from analyzer.c.constants import constants, enumerators
from analyzer.c.lower import lower
from analyzer.c.prepare import prepare
from analyzer.c.prototypes import prototypes
from analyzer.c.unit import scan_unit
from analyzer.patch import read_series
from analyzer.pipeline import check
from analyzer.program.shape import shape_of
from analyzer.tree import MemoryTree

from .fuzz import demonstration, fuzz

HEAD, TAIL = b"int f(int a)\n{\n", b"\n}\n"


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    """Time what is read here without what other tests have left to the garbage collector."""
    gc.freeze()
    yield
    gc.unfreeze()


def each(line: str, count: int) -> bytes:
    """Return numbered lines."""
    return "".join(line.format(n) for n in range(count)).encode()


def inside(text: bytes) -> bytes:
    """Return a function with a body."""
    return HEAD + text + TAIL


SHAPES: dict[str, Callable[[int], bytes]] = {
    "functions that do not close": lambda n: b"f(){ {\n}\n" * n,
    "functions in one line": lambda n: b"f(){}" * n + b"\n}",
    "braces that only open": lambda n: b"int f()" + b"{" * n,
    "blocks in blocks": lambda n: inside(b"{" * n + b"}" * n),
    "parentheses": lambda n: inside(b"(" * n + b")" * n + b";"),
    "parentheses that only open": lambda n: inside(b"(" * n),
    "if in if": lambda n: inside(b"if (a) " * n + b";"),
    "else if": lambda n: inside(b"if (a) b(); else " * n + b";"),
    "loops in loops": lambda n: inside(b"for (;;) " * n + b";"),
    "loops in a row": lambda n: inside(b"while (f(a)) a++;\n" * n),
    "conditions": lambda n: inside(b"a = " + b"a ? a : " * n + b"a;"),
    "calls in calls": lambda n: inside(b"f(" * n + b")" * n + b";"),
    "labels": lambda n: inside(each("l{0}: if (a()) goto l0;\n", n)),
    "statement expressions": lambda n: inside(b"a = " + b"({ " * n + b"a;" + b" })" * n + b";"),
    "macros that look like loops": lambda n: inside(b"for_each_thing(a, b) " * n + b";"),
    "a tower of #ifdef": lambda n: inside(each("#ifdef CONFIG_A{0}\na();\n", n) + b"#endif\n" * n),
    "a tower of #else": lambda n: inside(
        each("#ifdef CONFIG_A{0}\na();\n#else\nb();\n", n) + b"#endif\n" * n
    ),
    "#ifdef in a row": lambda n: inside(each("#ifdef CONFIG_A{0}\na();\n#endif\n", n)),
    "a long #elif": lambda n: inside(
        b"#ifdef X\n" + each("#elif defined(CONFIG_A{0})\na();\n", n) + b"#endif\n"
    ),
    "a test of many symbols": lambda n: inside(
        b"#if 0" + each(" || defined(CONFIG_A{0})", n) + b"\na();\n#endif\n"
    ),
    "parentheses in a test": lambda n: b"#if " + b"(" * n + b"1" + b")" * n + b"\n#endif\n",
    "#if that only open": lambda n: b"#if A\n" * n + b"int f(void)\n{\n}\n",
    "functions between #ifdef": lambda n: (
        each("#ifdef CONFIG_A{0}\nint f{0}(void)\n{{\n}}\n", n) + b"#endif\n" * n
    ),
    "enumerations that only open": lambda n: b"enum {\n" * n,
    "initialisers that only open": lambda n: b"struct x y = {\n" * n,
    "macros that name each other": lambda n: (
        each("#define A{0} (A{1} + A{1})\n", 0)
        + "".join(f"#define A{k} (A{k + 1} + A{k + 1})\n" for k in range(n)).encode()
    ),
    "trigraphs": lambda n: b"??=define A ??< ??>\n" * n,
    "comments that only open": lambda n: b"/*" * n,
    "quotes": lambda n: b"'\"" * n,
    "lines that go on": lambda n: b"#define A \\\n" * n,
    "nothing but NUL": lambda n: b"\0" * n,
}


def read(text: bytes) -> list[Gap]:
    """Read a text in every way there is, and return what was not understood."""
    unit = scan_unit("evil.c", text)
    prototypes(unit)
    constants(unit)
    enumerators(unit)
    gaps = []
    for found in unit.definitions.values():
        for definition in found:
            function = lower(unit, definition)
            gaps += function.gaps
            for variant in function.variants:
                shape_of(variant)
    return gaps


@pytest.mark.parametrize("name", SHAPES)
def test_four_hundred_are_read_at_once(name: str) -> None:
    start = time.process_time()
    read(SHAPES[name](400))

    assert time.process_time() - start < 2


@pytest.mark.slow
@pytest.mark.parametrize("name", SHAPES)
def test_four_thousand_cost_about_ten_times_as_much(name: str) -> None:
    start = time.process_time()
    read(SHAPES[name](4000))

    assert time.process_time() - start < 12


def test_a_tower_of_conditions_is_read_at_its_extremes_and_admitted() -> None:
    gaps = read(SHAPES["a tower of #else"](300))

    assert [("variants", "f", 1)] == [(g.kind, g.function, g.line) for g in gaps]


def test_nesting_without_end_is_admitted() -> None:
    assert ["depth"] == [g.kind for g in read(inside(b"if (a) " * 60_000 + b";"))]


@pytest.mark.slow
def test_a_function_of_fifty_megabytes_is_admitted() -> None:
    start = time.process_time()
    gaps = read(inside(b"\ta = f(a);\n" * 4_700_000))

    assert [("size", "f")] == [(g.kind, g.function) for g in gaps]
    assert time.process_time() - start < 20


def test_a_jump_into_what_cannot_be_read_is_admitted() -> None:
    gaps = read(
        b"int f(int a)\n{\n\tswitch (a) {\n\tcase 1:\n\t\tf#ifdef A\nb();\n\tcase 2:\n\t}\n}\n"
    )

    assert "syntax" in {g.kind for g in gaps}


def test_a_word_that_begins_with_a_digit_is_no_iterator() -> None:
    assert [] == read(b"age, 0list_for_each_entry(")


@pytest.mark.parametrize(
    "text", [b"scoped_guard(\n\n) f();", b"scoped_guard\n\n(\n) f();", b"guarded_by(\n) { f(); }"]
)
def test_an_empty_argument_list_over_lines_keeps_its_lines(text: bytes) -> None:
    prepared = prepare(text)

    assert [n for n, c in enumerate(text) if c == 10] == [
        n for n, c in enumerate(prepared) if c == 10
    ]


def test_two_thousand_fuzzed_inputs_break_nothing() -> None:
    done = fuzz(2000, 20240607)

    assert (1000, 1000) == (done["C"], done["patch"])


@pytest.mark.slow
def test_thirty_trees_with_a_broken_driver_are_checked() -> None:
    assert 30 == fuzz(30, 20240608, targets=("tree",))["tree"]


def ring(count: int) -> str:
    """Return a driver in which every function calls the next one through a pointer, and it, too."""
    parts = ["// SPDX-License-Identifier: GPL-2.0\n#include <linux/memory_hotplug.h>\n\n"]
    for n in range(count):
        follows = (n + 1) % count
        parts.append(
            f"static void (*ring_next{follows})(struct page *page, unsigned int order);\n"
            f"static void ring_step{n}(struct page *page, unsigned int order)\n{{\n"
            f"\tring_next{follows}(page, order);\n"
            f"\tif (order == {n})\n\t\t__SetPageOffline(page);\n}}\n\n"
        )
    stores = "".join(f"\tring_next{n} = ring_step{n};\n" for n in range(count))
    return (
        f"{''.join(parts)}int ring_init(void)\n{{\n{stores}"
        "\treturn set_online_page_callback(&ring_step0);\n}\n"
    )


@pytest.mark.slow
def test_a_ring_of_callbacks_ends_and_is_admitted() -> None:
    texts, patch = demonstration()
    tree = MemoryTree({**texts, "drivers/ring/ring.c": ring(100)})
    start = time.process_time()
    result = check(read_series(patch, "demo", tree), tree)

    assert time.process_time() - start < 20
    assert "drivers/ring/ring.c" in {g.file for g in result.gaps if g.kind in ("depth", "budget")}
    assert {"mm/memory_hotplug.c"} <= {f.file for f in result.findings}
