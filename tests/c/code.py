"""Read small C in tests."""

from __future__ import annotations

from analyzer.c import ir
from analyzer.c.dump import dump
from analyzer.c.lower import lower
from analyzer.c.unit import Unit, scan_unit


def unit(text: str, path: str = "mm/small.c") -> Unit:
    """Scan C text."""
    return scan_unit(path, text.encode())


def lowered(body: str, params: str = "int a, int b, int c", **choices: object) -> ir.Function:
    """Lower a function f with the given body."""
    u = unit(f"static int f({params})\n{{\n{body}\n}}\n")
    return lower(u, u.definitions["f"][0], **choices)  # type: ignore[arg-type]


def graph(body: str, params: str = "int a, int b, int c") -> list[str]:
    """Return the dump of f without its head."""
    return dump(lowered(body, params)).split("\n")[1:]
