"""Rewrite the finished change without a difference to any page."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kernel.pieces import HOTPLUG, HYPERV, VIRTIO
from kernel.places import FAKE_ONLINE, ONLINE, ONLINE_ONE, ONLINE_PAGE

from .faults import SITES
from .syntax import (
    Edit,
    Site,
    applied,
    branches,
    declared,
    function,
    in_block,
    locals_of,
    neighbours,
    nodes,
    renamed,
    statements,
)

#: Functions that hand pages on between those of the sites.
_BETWEEN = ((HYPERV, ONLINE_ONE), (HOTPLUG, ONLINE), (VIRTIO, FAKE_ONLINE), (VIRTIO, ONLINE_PAGE))
#: So many of each kind are taken of those rewrites that could be made anywhere.
_SAMPLE = 8


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


def spellings(texts: Callable[[str], str]) -> Iterator[Rewrite]:
    """Yield some rewrites of the functions that pages come through, the same ones each time."""
    kinds: dict[str, list[Rewrite]] = {}
    for path, name in dict.fromkeys((*((s.path, s.function) for s in SITES), *_BETWEEN)):
        text = texts(path)
        for make in (_asked, _wrapped, _looped, _extracted):
            for made in make(path, name, text):
                kinds.setdefault(made.kind, []).append(made)
    chosen = random.Random(1)
    for made in kinds.values():
        yield from chosen.sample(made, min(_SAMPLE, len(made)))


def _asked(path: str, name: str, text: str) -> Iterator[Rewrite]:
    """Yield each test of a page, made by a helper."""
    start = function(text, name).start_byte
    for n in nodes(function(text, name)):
        asked = n.child_by_field_name("function") if n.type == "call_expression" else None
        if asked is not None and asked.text is not None and re.match(rb"Page[A-Z]", asked.text):
            does = f"{{\n\treturn {asked.text.decode()}(page);\n}}"
            helper = f"static bool rewrite_asks(const struct page *page)\n{does}\n\n"
            edits = (
                Edit(asked.start_byte, asked.end_byte, "rewrite_asks"),
                Edit(start, start, helper),
            )
            yield Rewrite("ask by a helper", path, name, applied(text, *edits))


def _wrapped(path: str, name: str, text: str) -> Iterator[Rewrite]:
    """Yield each call of a function that is passed pages, made by a macro, or by another name."""
    start, types = function(text, name).start_byte, declared(text, name)
    pages = _pages(types)
    for site in statements(text, name):
        m = re.fullmatch(r"([a-z_]\w*[a-z]\w*)(\(([^()]*|[^()]*\([^()]*\)[^()]*)\));", site.text)
        if m is not None and not pages.isdisjoint(re.findall(r"\w+", m[2])):
            params = ", ".join(f"a{n}_" for n in range(m[3].count(",") + 1))
            does = f"do {{ \\\n\t\t{m[1]}({params}); \\\n\t}} while (0)"
            macro = f"#define rewrite_macro({params}) \\\n\t{does}\n\n"
            for kind, called, define in (
                ("call by a macro", "rewrite_macro", macro),
                ("another name", "rewrite_name", f"#define rewrite_name {m[1]}\n\n"),
            ):
                edits = (Edit(site.start, site.end, f"{called}{m[2]};"), Edit(start, start, define))
                yield Rewrite(kind, path, name, applied(text, *edits))


def _pages(types: dict[str, str]) -> set[str]:
    """Return the variables that name pages."""
    return {v for v, of in types.items() if of == "struct page *" or "pfn" in v}


def _looped(path: str, name: str, text: str) -> Iterator[Rewrite]:
    """Yield each `for` in another form."""
    data = text.encode()
    for n in nodes(function(text, name)):
        parts = [n.child_by_field_name(f) for f in ("initializer", "condition", "update", "body")]
        if n.type != "for_statement" or any(p is None for p in parts):
            continue
        init, test, step, body = (data[p.start_byte : p.end_byte].decode() for p in parts if p)
        if "continue;" in body:
            continue
        turn = f"{{\n\t\t{body}\n\t\t{step};\n\t}}"
        for kind, new in (
            ("while", f"while ({test}) {turn}"),
            ("do while", f"if ({test})\n\t\tdo {turn} while ({test});"),
            ("endless", f"for (;;) {{\n\t\tif (!({test}))\n\t\t\tbreak;\n\t\t{turn}\n\t}}"),
        ):
            whole = f"{{\n\t{init.rstrip(';')};\n\t{new}\n\t}}"
            new_text = applied(text, Edit(n.start_byte, n.end_byte, whole))
            yield Rewrite(f"for as {kind}", path, name, new_text)


def _extracted(path: str, name: str, text: str) -> Iterator[Rewrite]:
    """Yield two statements at a time, done by a helper that changes nothing but what they do."""
    start, types = function(text, name).start_byte, declared(text, name)
    for site in neighbours(text, name):
        used = [v for v in types if re.search(rf"(?<![.>])\b{v}\b", site.text)]
        leaves = re.search(r"\b(return|goto|break|continue)\b", site.text)
        makes = any(
            re.search(rf"{re.escape(types[v].strip(' *'))}[ *]+{v}\b", site.text) for v in used
        )
        stores = any(
            re.search(rf"&{v}\b|(\+\+|--){v}\b|(?<![.>])\b{v}\s*([-+|&]?=(?!=)|\+\+|--)", site.text)
            for v in used
        )
        if leaves or makes or stores or _pages(types).isdisjoint(used) or _is_arm(text, site):
            continue
        params = ", ".join(f"{types[v]}{v}" for v in reversed(used)) or "void"
        helper = f"static void rewrite_part({params})\n{{\n\t{site.text}\n}}\n\n"
        call = f"rewrite_part({', '.join(reversed(used))});"
        edits = (Edit(site.start, site.end, call), Edit(start, start, helper))
        yield Rewrite("extract statements", path, name, applied(text, *edits))


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
