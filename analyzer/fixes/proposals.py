"""Propose repairs of a finding, the likeliest first; none of them is trusted before it is tried."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from analyzer.base import Pair
from analyzer.c.lower import lower
from analyzer.c.unit import Unit, scan_unit
from analyzer.findings import Finding
from analyzer.fixes.arguments import complete_call
from analyzer.fixes.edit import added, dropped, guarded
from analyzer.fixes.expression import is_pure
from analyzer.fixes.site import Site, callee_of, site_at, sites
from analyzer.pages.facts import load_facts

Read = Callable[[str], bytes | None]

#: An accessor of a page's state by name: what it does, and the flag or type.
_ACCESSOR = re.compile(r"_{0,2}(?P<verb>Set|Clear)Page(?P<label>\w+)\Z")
_MEMBER = re.compile(r"_{0,2}folio_(?P<verb>set|clear)_(?P<label>\w+)\Z")
#: What makes an address a number.
_NUMBER_OF = re.compile(r"\A\(\s*(?:unsigned\s+long|uintptr_t)\s*\)\s*")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A file's new text, and what was done to it."""

    path: str
    text: bytes
    what: str


def proposals(finding: Finding, read: Pair[Read], paths: Iterable[str]) -> Iterator[Proposal]:
    """Yield repairs of a finding in the tree after; read gives the files of both trees.

    paths names the files in which other calls were completed already.
    """
    text = read.after(finding.file)
    if finding.by_hand or text is None or not text.endswith(b"\n"):
        return
    unit = scan_unit(finding.file, text)
    if finding.rule == "stale-call":
        found = complete_call(finding, unit, read, tuple(paths))
    else:
        site = site_at(unit, finding.span.start, finding.span.end)
        found = _edits(finding, unit, site)
    seen = {text}
    for new, what in found:
        if new is not None and new not in seen:
            seen.add(new)
            yield Proposal(finding.file, new, what)


Edit = tuple[bytes | None, str]


def _edits(finding: Finding, unit: Unit, site: Site | None) -> Iterator[Edit]:
    match finding.rule:
        case "dead-op" | "early-clear" if site is not None:
            yield dropped(site), f"drop {site.code(site.call)}"
        case "double-set" | "double-clear" | "redundant-op" | "contract-mismatch" if site:
            yield from _changed_operation(site)
        case "leak-to-buddy" | "missing-clear" if finding.missing:
            yield from _missing_clear(finding, unit, site)


def _changed_operation(site: Site) -> Iterator[Edit]:
    """Drop or guard an operation that is one too many."""
    name = callee_of(site.unit, site.call)
    known = _ACCESSOR.match(name) or _MEMBER.match(name)
    if known is None or not site.arguments:
        return
    page, sets = site.arguments[0], known["verb"].lower() == "set"
    drop = (dropped(site), f"drop {site.code(site.call)}")
    if is_pure(page):
        test = _test(name, page)
        guard = guarded(site, f"!{test}" if sets else test), f"only where {'!' * sets}{test}"
    else:
        guard = (None, "")
    if sets:
        yield guard
        yield drop
        yield from _guards_by_parameter(site)
    else:
        yield drop
        yield from _guards_by_parameter(site)
        yield guard


def _test(operation: str, page: str) -> str:
    """Return the call that tests what an accessor changes."""
    if member := _MEMBER.match(operation):
        return f"folio_test_{member['label']}({page})"
    accessor = _ACCESSOR.match(operation)
    assert accessor is not None, "the caller has matched the name"
    return f"Page{accessor['label']}({page})"


def _guards_by_parameter(site: Site) -> Iterator[Edit]:
    """Guard an operation by what the function is told: callers that differ pass different ones."""
    function = lower(site.unit, site.definition)
    conditions = {w for c in site.conditions for w in re.findall(r"\w+", c)}
    for parameter in function.params:
        if parameter.type.strip() == "bool" and parameter.name not in conditions:
            for condition in (parameter.name, f"!{parameter.name}"):
                yield guarded(site, condition), f"only if ({condition})"


def _missing_clear(finding: Finding, unit: Unit, site: Site | None) -> Iterator[Edit]:
    """Add a clear in front of a use, or beside what is done to each page already."""
    clear = finding.missing
    if site is not None and (page := _single_page(site)) is not None:
        yield from _cleared(site, clear, page, after=False)
    for near in sites(unit, *_body(unit, finding)):
        known = _ACCESSOR.match(callee_of(unit, near.call))
        clears = known is not None and known["verb"] == "Clear"
        if clears and near.arguments and is_pure(near.arguments[0]):
            yield from _cleared_in_context(near, finding, near.arguments[0])
            yield from _cleared(near, clear, near.arguments[0], after=True)


def _cleared_in_context(site: Site, finding: Finding, page: str) -> Iterator[Edit]:
    """Add a clear for the population at hand, where a parameter tells it from others."""
    facts = load_facts()
    conditions = [when for p in facts.populations for when in p.when if p.title in finding.message]
    for parameter in lower(site.unit, site.definition).params:
        roles = {r.name for r in facts.roles if r.type and r.type in parameter.type}
        for value in [value for role, value in conditions if role in roles]:
            test = f"if ({parameter.name} == {value})"
            call = f"{finding.missing}({page});"
            what = f"add {test} {call} after {site.code(site.call)}"
            yield added(site, (test, f"\t{call}"), after=True), what


def _cleared(site: Site, clear: str, page: str, *, after: bool) -> Iterator[Edit]:
    where = f"{'after' if after else 'before'} {site.code(site.call)}"
    call = f"{clear}({page});"
    yield added(site, (call,), after=after), f"add {call} {where}"
    test = f"if ({_test(clear, page)})"
    yield added(site, (test, f"\t{call}"), after=after), f"add {test} {call} {where}"


def _body(unit: Unit, finding: Finding) -> tuple[int, int]:
    for definition in unit.definitions.get(finding.function, ()):
        if definition.span.start <= finding.span.start < definition.span.end:
            return definition.body, definition.span.end
    return finding.span.start, finding.span.end


def _single_page(site: Site) -> str | None:
    """Return the one page that a call is about, by its address too; None where it may be more."""
    name = callee_of(site.unit, site.call)
    sink = load_facts().sinks.get(name)
    at = sink.arg if sink is not None else 0
    if len(site.arguments) <= at:
        return None
    page = site.arguments[at]
    if sink is not None and sink.by_address:
        address = _NUMBER_OF.sub("", page)
        page = f"virt_to_page({address if address != page else f'(void *){address}'})"
    others = [a for n, a in enumerate(site.arguments) if n != at]
    # An order or a number behind the page means more pages than the one that is named.
    return page if is_pure(site.arguments[at]) and all(a == "0" for a in others) else None
