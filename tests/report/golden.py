"""Render every format of one result, and keep what it is to look like under `golden/`.

Run as a module to write what the formats render now; read the difference before it is committed.
"""

from __future__ import annotations

from pathlib import Path

from analyzer.cli.output import FORMATS, renderer
from analyzer.report.view import View
from analyzer.select import select

from .mails import letters
from .results import EVERYTHING, RESULT, ROWS, RULES, changed, read

FOLDER = Path(__file__).resolve().parent / "golden"
VIEW = View(
    selected=select(RESULT, EVERYTHING),
    read=read,
    changed=changed,
    rules=RULES,
    sites=ROWS,
    letters=letters(),
)


def rendered(name: str, view: View = VIEW) -> str:
    """Return what a format makes of a view, as text."""
    out = renderer(name)(view)
    return out if isinstance(out, str) else out.decode()


def accept() -> None:
    """Write every golden file."""
    for name in FORMATS:
        (FOLDER / name).write_text(rendered(name), encoding="utf-8")


if __name__ == "__main__":
    accept()
