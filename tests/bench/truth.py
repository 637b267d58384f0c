"""Count the true uses of a flag without any of the tool's own code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

#: The test of the flag that the change takes away: what a reviewer would look for.
TOKEN = "PageReserved"
#: A file by its path in the tree, and a line.
Place = tuple[str, int]

_WORD = re.compile(rb"(?<![A-Za-z0-9_])PageReserved(?![A-Za-z0-9_])")
_QUIET = re.compile(
    rb"""//(?:\\\n|[^\n])*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'""", re.DOTALL
)


def true_uses(tree: Path) -> frozenset[Place]:
    """Return the lines of code on which the token stands: a word search without comments."""
    listing = subprocess.run(
        ("grep", "-rlwF", "--include=*.[chS]", TOKEN, "."),
        cwd=tree,
        check=True,
        capture_output=True,
        text=True,
    )
    return frozenset(
        (path.removeprefix("./"), line)
        for path in listing.stdout.splitlines()
        for line in lines_with(Path(tree, path).read_bytes())
    )


def lines_with(text: bytes) -> frozenset[int]:
    """Return the lines of a text on which the token stands, outside comments and strings."""
    code = _QUIET.sub(lambda m: b"\n" * m.group().count(b"\n"), text)
    return frozenset(code.count(b"\n", 0, m.start()) + 1 for m in _WORD.finditer(code))
