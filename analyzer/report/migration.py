"""Render the page of a described migration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from analyzer.migrations import Described, Obligation
from analyzer.report.paint import painter
from analyzer.report.plain import wrap


def render(
    migration: Described, titles: Mapping[str, str], *, width: int = 80, colour: bool = False
) -> str:
    """Return a migration's page: what moves, what stays, what code must not do any more.

    titles says how the populations that the kernel's facts tell of are called.
    """
    paint = painter(colour=colour)
    title = migration.title[:1].upper() + migration.title[1:] + "."
    blocks = [[f"{paint(migration.name, 'title')}  (migration)"], _indented(title, width)]
    blocks.extend(_indented(p, width) for p in migration.text)
    for head, lines in (
        ("What moves", tuple(_moves(migration, titles))),
        ("What stays as it was", tuple(_stays(migration, titles))),
        ("What code must not do any more", tuple(map(_duty, migration.obligations))),
        ("Where that is to be seen", migration.sources),
    ):
        if lines:
            blocks.append([paint(head, "title"), *_listed(lines, width)])
    return "\n\n".join("\n".join(b) for b in blocks) + "\n"


def _moves(migration: Described, titles: Mapping[str, str]) -> Iterator[str]:
    for moved in migration.populations:
        by = f", as {_calls(moved.made_by)} makes them" if moved.made_by else ""
        by += f", as {_calls(moved.handed_on_by)} hands them on" if moved.handed_on_by else ""
        yield f"{moved.title or titles[moved.name]}: {moved.before} -> {moved.after}{by}"
    for label in migration.become_types:
        yield f"Page{label}(): a flag of its own -> a page type, which excludes all others"
    if not migration.populations and not migration.become_types:
        yield f"no pages; {', '.join((*migration.flags, *migration.types))} can be told apart"


def _stays(migration: Described, titles: Mapping[str, str]) -> Iterator[str]:
    for spared in migration.exceptions:
        yield f"{titles[spared.population]}: {spared.state} ({spared.why})"


def _duty(duty: Obligation) -> str:
    below = f", in callbacks of {_calls(duty.callbacks)}" if duty.callbacks else ""
    frees = f" with {_calls(duty.frees)}" if duty.frees else ""
    return f"{duty.must_not} {duty.what}{frees}{below}: {duty.text}"


def _calls(names: Iterable[str]) -> str:
    return " or ".join(f"{name}()" for name in names)


def _indented(text: str, width: int) -> list[str]:
    return wrap(text, width, first="  ", rest="  ")


def _listed(lines: Iterable[str], width: int) -> list[str]:
    return [line for text in lines for line in wrap(text, width, first="  - ", rest="    ")]
