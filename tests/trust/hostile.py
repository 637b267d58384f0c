"""Write trees that are as much work as a tree can be."""

from __future__ import annotations

import shutil
from pathlib import Path

DEMO = Path(__file__).resolve().parents[2] / "fixtures" / "demo"
PATCH = str(DEMO / "change.patch")


def tower(name: str, levels: int = 10) -> str:
    """Return functions of which each calls the next one three times, never in the same context."""
    parts = [
        (
            f"static void {name}{levels}(struct page *page, int n)\n{{\n"
            "\tif (n == 1)\n\t\t__ClearPageOffline(page);\n"
            "\tif (!PageOffline(page))\n\t\t__SetPageOffline(page);\n}\n\n"
        ),
        *(
            f"static void {name}{n}(struct page *page, int n)\n{{\n"
            f"\t{name}{n + 1}(page, 3 * n);\n"
            f"\t{name}{n + 1}(page, 3 * n + 1);\n"
            f"\t{name}{n + 1}(page, 3 * n + 2);\n}}\n\n"
            for n in reversed(range(levels))
        ),
    ]
    return "".join(parts)


def driver(number: int) -> str:
    """Return a driver that climbs a tower with each page that it brings online."""
    name = f"evil{number}"
    return (
        "// SPDX-License-Identifier: GPL-2.0\n#include <linux/memory_hotplug.h>\n\n"
        f"{tower(f'{name}_t')}"
        f"static void {name}_online(struct page *page, unsigned int order)\n"
        f"{{\n\t{name}_t0(page, 1);\n\tgeneric_online_page(page, order);\n}}\n\n"
        f"int {name}_init(void)\n{{\n\treturn set_online_page_callback(&{name}_online);\n}}\n"
        f"int {name}_more(void)\n{{\n\tstruct page *page = alloc_page(GFP_KERNEL);\n\n"
        f"\t__SetPageOffline(page);\n\t{name}_t0(page, 1);\n\t__ClearPageOffline(page);\n"
        "\t__free_page(page);\n\treturn 0;\n}\n"
    )


def slow_tree(folder: Path, drivers: int = 8) -> str:
    """Return the demonstration's tree with drivers that take the analysis long."""
    shutil.copytree(DEMO / "tree", folder)
    evil = folder / "drivers" / "evil"
    evil.mkdir()
    for n in range(drivers):
        (evil / f"evil{n}.c").write_text(driver(n))
    return str(folder)
