"""The frontend reads a real kernel: nothing raises, little is lost, no call goes missing."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from analyzer.c import ir
from analyzer.c.constants import FUNCTIONS
from analyzer.c.dump import dump
from analyzer.c.facts import macros, words
from analyzer.c.lower import lower
from analyzer.c.macros import expand, macro_definitions
from analyzer.c.parser import parse_body
from analyzer.c.prepare import prepare
from analyzer.c.unit import Unit, scan_unit

pytestmark = pytest.mark.kernel

FOLDERS = ("mm", "drivers/virtio", "drivers/hv", "drivers/xen", "fs/proc")
DEBIAN = Path("/usr/src/linux-source-6.12")
_CALL = re.compile(rb"(?<![\w.>*])([A-Za-z_]\w*)\s*\(")


@pytest.fixture(scope="module")
def tree() -> Path:
    """Return the real tree."""
    root = Path(os.environ.get("OFFLINT_TREE", DEBIAN))
    if not (root / "mm").is_dir():
        pytest.skip(f"no kernel tree at {root}: set OFFLINT_TREE")
    return root


@pytest.fixture(scope="module")
def units(tree: Path) -> tuple[Unit, ...]:
    """Return the files of the folders that the project promises to read."""
    paths = sorted(p for folder in FOLDERS for p in (tree / folder).rglob("*.[ch]"))
    return tuple(scan_unit(p.relative_to(tree).as_posix(), p.read_bytes()) for p in paths)


@pytest.fixture(scope="module")
def functions(units: tuple[Unit, ...]) -> tuple[tuple[Unit, ir.Definition, ir.Function], ...]:
    """Return every function, lowered."""
    return tuple(
        (u, d, lower(u, d)) for u in units for found in u.definitions.values() for d in found
    )


Lowered = tuple[tuple[Unit, ir.Definition, ir.Function], ...]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Return what prints a line whatever pytest captures."""

    def printed(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"{line}\n")

    return printed


def test_at_least_98_of_100_functions_have_no_gap(
    functions: Lowered, say: Callable[[str], None]
) -> None:
    gaps = [g for _, _, f in functions for g in f.gaps]
    clean = sum(not f.gaps for _, _, f in functions)
    share = 100 * clean / len(functions)
    say(f"\n{clean} of {len(functions)} functions without a gap: {share:.2f} %")
    for gap in gaps:
        say(f"  {gap.file}:{gap.line}: {gap.function}: {gap.kind}: {gap.detail}")

    assert share >= 98


def test_every_function_has_a_body_and_a_return_type(functions: Lowered) -> None:
    odd = [
        f"{f.path}:{f.span.line}: {f.name}"
        for _, d, f in functions
        if not f.variants or not (f.returns or f.name.isupper()) or d.body <= d.span.start
    ]

    assert [] == odd


def _starts(function: ir.Function) -> set[int]:
    found: set[int] = set()
    for variant in function.variants:
        for block in variant.blocks:
            found.update(i.span.start for i in block.instructions)
            if not isinstance(block.end, ir.Jump):
                found.add(block.end.span.start)
    return found


def _missing(unit: Unit, definition: ir.Definition, function: ir.Function) -> Iterator[str]:
    """Yield the calls in a body's text that are no instruction, and no macro that is none."""
    known, m = words(), macros()
    starts = _starts(function)
    no_calls = {
        *("if", "for", "while", "switch", "return", "case", "do", "else", "defined", "asm"),
        *("void", "int", "long", "bool", "char"),  # declarators: void (*fn)(...)
        *known.calls, *known.typeof, *known.opaque, *known.scoped,
        *m.transparent, *m.stores, *m.loads, *m.exchanges, *m.configuration, *m.nothing,
        *m.opaque, *m.noreturn, *m.counted, *m.compared, *FUNCTIONS,
    }  # fmt: skip
    for call in _CALL.finditer(unit.flat, definition.body, definition.span.end):
        name = call[1].decode("latin-1")
        declares = any(d.pattern.fullmatch(name) for d in m.declarers)
        if name not in no_calls and not declares and call.start() not in starts:
            yield f"{unit.path}:{unit.line_of(call.start())}: {name}"


def test_nearly_no_call_goes_missing(functions: Lowered, say: Callable[[str], None]) -> None:
    """Compare with a search of the text; what is left are operands that are not evaluated."""
    missing = [m for u, d, f in functions if not f.gaps for m in _missing(u, d, f)]
    calls = sum(
        isinstance(i, ir.Call)
        for _, _, f in functions
        for v in f.variants
        for b in v.blocks
        for i in b.instructions
    )
    say(f"\n{len(missing)} of {calls} calls are no instruction")
    for place in missing:
        say("  " + place)

    assert len(missing) < calls / 1000


def test_raw_parsing_would_lose_much(units: tuple[Unit, ...]) -> None:
    """Show that preparation earns its keep."""
    raw = prepared = 0
    for u in (u for u in units if u.path.startswith("drivers/virtio")):
        for d in (d for found in u.definitions.values() for d in found):
            body = u.flat[d.body : d.span.end]
            trees = parse_body(body, 0), parse_body(prepare(body, u.attributes), 0)
            raw += trees[0] is None or trees[0].broken
            prepared += trees[1] is None or trees[1].broken

    assert prepared * 10 < raw


def test_the_initialiser_that_a_directive_splits(tree: Path) -> None:
    path = "mm/mm_init.c"
    unit = scan_unit(path, (tree / path).read_bytes())
    if "memmap_init_range" not in unit.definitions:
        pytest.skip(f"{path} of this tree has no such function: it came in v6.4")
    function = lower(unit, unit.definitions["memmap_init_range"][0])

    assert () == function.gaps
    assert [True, False] == [dict(v.conditions)["CONFIG_ZONE_DEVICE"] for v in function.variants]
    with_device, without = (
        {i.callee.id for b in v.blocks for i in b.instructions
         if isinstance(i, ir.Call) and isinstance(i.callee, ir.Name)}
        for v in function.variants
    )  # fmt: skip
    assert {"__SetPageReserved", "__SetPageOffline"} <= with_device
    assert "__SetPageReserved" not in without


def test_page_flag_macros_define_functions(tree: Path) -> None:
    path = "include/linux/page-flags.h"
    known = macro_definitions(scan_unit(path, (tree / path).read_bytes()))
    for use, names in (
        ("PAGE_TYPE_OPS(Offline, offline, offline)", ["PageOffline", "__SetPageOffline"]),
        ("PAGEFLAG(Reserved, reserved, PF_NO_COMPOUND)", ["PageReserved", "SetPageReserved"]),
    ):
        made = scan_unit(path, expand(use, known).encode())
        for name in names:
            function = lower(made, made.definitions[name][0])
            assert () == function.gaps
            assert "##" not in dump(function)
            assert [("page", "struct page *")] == [
                (p.name, p.type.removeprefix("const ")) for p in function.params
            ]


def test_speed(units: tuple[Unit, ...], functions: Lowered, say: Callable[[str], None]) -> None:
    """Print the rates; the bounds are far below them, for slow and busy machines."""
    size = sum(len(u.text) for u in units)
    begin = time.process_time()
    for u in units:
        scan_unit(u.path, u.text)
    scanned = time.process_time()
    for u, d, _ in functions[:2000]:
        lower(u, d)
    lowered = time.process_time()
    rates = size / 1e6 / (scanned - begin), 2000 / (lowered - scanned)
    say(f"\nscanned {rates[0]:.0f} MB/s, lowered {rates[1]:.0f} functions/s")

    assert rates[0] > 5
    assert rates[1] > 300
