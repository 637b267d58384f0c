"""Write reports and remarks; choose formats, width and colour."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from analyzer.base import AnalyzerError

if TYPE_CHECKING:
    from analyzer.base import Gap
    from analyzer.report.letter import Letter
    from analyzer.report.paint import Glyphs
    from analyzer.report.view import Renderer
    from analyzer.request import Request
    from analyzer.select import Selected

#: Every format, and the module that renders it; loaded when it is asked for.
FORMATS: Mapping[str, str] = {
    "text": "analyzer.report.text",
    "terse": "analyzer.report.terse",
    "json": "analyzer.report.json",
    "sarif": "analyzer.report.sarif",
    "rdjson": "analyzer.report.rdjson",
    "rdjsonl": "analyzer.report.rdjsonl",
    "github": "analyzer.report.github",
    "gitlab": "analyzer.report.gitlab",
    "b4": "analyzer.report.b4",
    "coccicheck": "analyzer.report.coccicheck",
    "org": "analyzer.report.org",
    "mail": "analyzer.report.mail",
    "html": "analyzer.report.html",
}
#: So much of what the limits left out is said on stderr.
_SAID = 3
OK, FOUND, USAGE, BLIND, EXHAUSTED, DEFECT, INTERRUPTED = 0, 1, 2, 3, 4, 70, 130


@dataclass(frozen=True, slots=True)
class Output:
    """One report to write: its format, and the file it goes to or None for standard output."""

    format: str
    path: Path | None


def report_path(name: str) -> Path | None:
    """Return the file that an option names for a report; None for `-`, standard output."""
    return None if name == "-" else new_path(name)


def new_path(name: str) -> Path:
    """Return the file that an option names, which is to be written, and can be."""
    path = file_path(name)
    try:
        if not path.parent.is_dir():
            raise click.BadParameter(f"{path.parent}: no such directory")
        wrong = 0
        if path.is_dir():
            wrong = errno.EISDIR
        elif not os.access(path if path.exists() else path.parent, os.W_OK):
            wrong = errno.EACCES
    except OSError as error:  # no permission to look, too long a name
        wrong = error.errno or errno.EINVAL
    if wrong:
        raise click.BadParameter(f"{path}: cannot write: {os.strerror(wrong)}")
    return path


def file_path(name: str) -> Path:
    """Return the file that an option names where no standard stream will do."""
    if name in ("", "-"):
        raise click.BadParameter(f"expected the name of a file, found {name!r}")
    return Path(name)


def chosen_outputs(formats: Sequence[str], output: Path | None) -> tuple[Output, ...]:
    """Return the reports of a check to write; at most one goes where no file is named."""
    return outputs_of(formats, output, tuple(FORMATS))


def outputs_of(
    formats: Sequence[str], output: Path | None, known: Sequence[str]
) -> tuple[Output, ...]:
    """Return the reports to write, of the formats that are known to a command."""
    outputs = []
    for wanted in formats or ("text",):
        name, equals, path = wanted.partition("=")
        if name not in known:
            raise AnalyzerError(f"--format: unknown format {name!r}: one of {', '.join(known)}")
        if equals and not path:
            raise AnalyzerError(f"--format {wanted}: no file behind the `=`")
        try:
            outputs.append(Output(name, report_path(path) if equals else output))
        except click.BadParameter as error:
            raise AnalyzerError(f"--format {wanted}: {error.message}") from error
    targets = [o.path for o in outputs]
    for target in targets:
        if targets.count(target) > 1:
            where = target or "standard output"
            raise AnalyzerError(f"--format: two reports go to {where}: use --format FORMAT=FILE")
    if output is not None and output not in targets:
        raise AnalyzerError("--output: every --format names its own file already")
    return tuple(outputs)


def write_reports(
    selected: Selected, request: Request, outputs: Sequence[Output], *, color: str, anchor: str
) -> None:
    """Render and write every report that was asked for."""
    from analyzer.report.view import Anchor, View
    from analyzer.rules import load_rules

    for output in outputs:
        view = View(
            selected=selected,
            read=request.read,
            changed=request.changed,
            rules=load_rules(),
            letters=_letters(request, output.format),
            anchor=Anchor(anchor),
            width=width_of(output.path),
            colour=is_coloured(color, output.path),
            glyphs=glyphs_of(output.path),
        )
        put(renderer(output.format)(view), output.path)


def _letters(request: Request, format_: str) -> tuple[Letter, ...]:
    """Return what a reply to each patch needs, for the one format that is a reply."""
    if format_ != "mail":
        return ()
    from analyzer.letters import letters_of

    return letters_of(request.series)


def renderer(name: str) -> Renderer:
    """Return the function that renders a format."""
    render: Renderer = import_module(FORMATS[name]).render
    return render


def is_coloured(wish: str, path: Path | None) -> bool:
    """Tell whether to colour; NO_COLOR and a dumb terminal say no unless the user insists."""
    if wish != "auto":
        return wish == "always"
    refused = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return path is None and sys.stdout.isatty() and not refused


def width_of(path: Path | None = None) -> int:
    """Return the width to wrap at: the terminal's within reason, else 80."""
    if path is not None or not sys.stdout.isatty():
        return 80
    return max(40, min(shutil.get_terminal_size((80, 24)).columns, 100))


def glyphs_of(path: Path | None = None) -> Glyphs:
    """Return the signs to draw with: lines on a terminal that shows UTF-8, else ASCII."""
    from analyzer.report.paint import ASCII, LINES, PLAIN

    if path is not None or not sys.stdout.isatty():
        return PLAIN
    return LINES if is_utf8() else ASCII


def is_utf8() -> bool:
    """Tell whether the terminal shows UTF-8.

    Python writes UTF-8 in the C locale as well, so that only the locale's name tells; where that
    comes from LANG, it has put another into LC_CTYPE.
    """
    every, types, rest = (os.environ.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    if types == "C.UTF-8" and rest in ("C", "POSIX"):
        types = ""
    locale = every or types or rest
    encodings = (locale.partition(".")[2].partition("@")[0], sys.stdout.encoding)
    return all(e.lower().replace("-", "") == "utf8" for e in encodings)


def put(text: str | bytes, path: Path | None) -> None:
    """Write a report to a file or to standard output; a reader that has left is no error."""
    narrow = path is None and sys.stdout.isatty() and not is_utf8()
    encoding = "ascii" if narrow else "utf-8"
    data = text.encode(encoding, "backslashreplace") if isinstance(text, str) else text
    if path is not None:
        try:
            path.write_bytes(data)
        except OSError as error:
            raise AnalyzerError(f"{path}: cannot write: {error.strerror}") from error
        return
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        _give_up(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            raise AnalyzerError(f"standard output: cannot write: {error.strerror}") from error


def say(message: str) -> None:
    """Write a message to stderr, wrapped where that is a terminal."""
    from analyzer.report.plain import harmless, wrap

    for n, line in enumerate(message.splitlines() or [""]):
        text = f"offlint: {harmless(line)}" if n == 0 else harmless(line)
        width = _stderr_width() if sys.stderr.isatty() else len(text) + 2
        indent = text[: len(text) - len(text.lstrip(" "))]
        tell("\n".join(wrap(text, max(width, 40), rest=f"{indent}  ")))


def say_left_out(gaps: Sequence[Gap], more: str) -> None:
    """Say what the limits left out: the first of it, and which option lists the rest."""
    from analyzer.report.words import gap_place

    cut = [gap for gap in gaps if gap.kind == "budget"]
    for gap in cut[:_SAID]:
        at = gap_place(gap)
        say(f"left out: {gap.detail} ({at})" if at else f"left out: {gap.detail}")
    if len(cut) > _SAID:
        say(f"left out: {len(cut) - _SAID} more; {more} lists them all")


def tell(line: str) -> None:
    """Write a line to stderr as it is."""
    with remarking():
        click.echo(line, err=True)


@contextmanager
def remarking() -> Iterator[None]:
    """Write to stderr; where nobody takes it, nothing else can be done about it."""
    try:
        yield
    except OSError:
        _give_up(sys.stderr)


def _give_up(stream: TextIO) -> None:
    """Let what is left in a stream's buffer go nowhere, or the interpreter complains at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _stderr_width() -> int:
    return shutil.get_terminal_size((80, 24)).columns
