"""Rewrite the finished change without a difference to any page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .faults import SITES
from .syntax import (
    Edit,
    Site,
    applied,
    branches,
    function,
    in_block,
    locals_of,
    renamed,
    statements,
)


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A text that does the same."""

    kind: str
    path: str
    function: str
    text: str


def rewrites(texts: Callable[[str], str]) -> Iterator[Rewrite]:
    """Yield every rewrite of the functions that the faults stand in."""
    seen = tuple(dict.fromkeys((s.path, s.function) for s in SITES))
    for path, name in seen:
        text = texts(path)
        for n, local in enumerate(locals_of(text, name)):
            yield Rewrite("rename", path, name, renamed(text, name, local, f"renamed{n}"))
        for site in in_block(text, name):
            if _is_arm(text, site):
                continue
            for kind, line in (
                ("add logging", 'pr_debug("%s\\n", __func__);'),
                ("add a statement", "cond_resched();"),
                ("add an assertion", "WARN_ON_ONCE(in_interrupt());"),
            ):
                new = Edit(site.start, site.start, f"{line}\n\t")
                yield Rewrite(kind, path, name, applied(text, new))
        yield from _inverted(path, name, text)
    for place in SITES:
        text = texts(place.path)
        (site,) = [s for s in statements(text, place.function) if s.text == place.operation]
        start = function(text, place.function).start_byte
        accessor, _, page = place.operation.rstrip(";").rstrip(")").partition("(")
        helper = f"static void rewrite_helper(struct page *p)\n{{\n\t{accessor}(p);\n}}\n\n"
        for kind, new, before in (
            ("extract a helper", f"rewrite_helper({page});", helper),
            ("braces", f"{{\n\t\t{site.text}\n\t}}", ""),
            ("do once", f"do {{\n\t\t{site.text}\n\t}} while (0);", ""),
            (
                "a variable",
                f"{{\n\t\tstruct page *same = {page};\n\n\t\t{accessor}(same);\n\t}}",
                "",
            ),
        ):
            edits = [Edit(site.start, site.end, new), Edit(start, start, before)]
            yield Rewrite(kind, place.path, place.function, applied(text, *edits))


def _inverted(path: str, name: str, text: str) -> Iterator[Rewrite]:
    """Yield each if with two arms, its condition inverted and its arms swapped."""
    data = text.encode()
    for node in branches(text, name):
        condition = node.child_by_field_name("condition")
        then = node.child_by_field_name("consequence")
        other = node.child_by_field_name("alternative")
        if condition is None or then is None or other is None:
            continue
        arm = other.named_children[0]
        source = {n: data[n.start_byte : n.end_byte].decode() for n in (condition, then, arm)}
        inverted = applied(
            text,
            Edit(condition.start_byte, condition.end_byte, f"(!{source[condition]})"),
            Edit(then.start_byte, then.end_byte, _braced(source[arm])),
            Edit(arm.start_byte, arm.end_byte, _braced(source[then])),
        )
        yield Rewrite("invert an if", path, name, inverted)


def _braced(arm: str) -> str:
    """Return an arm in braces, none of which stands in column 0: there functions end."""
    return arm if arm.startswith("{") else f"{{\n\t\t{arm}\n\t}}"


def _is_arm(text: str, site: Site) -> bool:
    """Tell whether a statement is the arm of an if or else, also behind a line of `#endif`."""
    above = text.encode()[: site.start].decode().splitlines()
    above = [line.strip() for line in above if line.strip() and not line.startswith("#")]
    return bool(above) and above[-1].endswith(("else", ")"))
