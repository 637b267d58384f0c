"""Write what a rule can say without flow as a semantic patch, in the kernel's coccicheck form.

What is forbidden comes from a described migration; with a tree at hand from its law as well, which
knows the accessors, and what traps or is done by itself. A registered callback and the functions
that it calls, two calls deep and in its own file, stand for "pages of that population come here".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from analyzer.base import AnalyzerError, Pair
from analyzer.flow.analyse import prepare
from analyzer.migrations import Described, Forbidden, Obligation
from analyzer.pages.facts import load_facts
from analyzer.pages.machine import TYPE, UNTYPED, Operation, Space, Verb
from analyzer.pipeline import demand_law
from analyzer.program.cache import Cache
from analyzer.report.words import sentence
from analyzer.rules import Rule
from analyzer.tree import Tree

#: Rule -> what an obligation forbids, and whether it is one of callbacks.
_SAYS: Mapping[str, tuple[Forbidden, bool]] = {
    "double-set": (Forbidden.SET, False),
    "dead-op": (Forbidden.CLEAR, False),
    "double-clear": (Forbidden.CLEAR, True),
    "stale-test": (Forbidden.TEST, False),
    "early-clear": (Forbidden.CLEAR_BEFORE_FREEING, False),
}
_VERBS = {
    Forbidden.SET: Verb.SET,
    Forbidden.CLEAR: Verb.CLEAR,
    Forbidden.TEST: Verb.TEST,
    Forbidden.CLEAR_BEFORE_FREEING: Verb.CLEAR,
}
#: How far from the callback: the rule that finds the function, and its metavariable.
_REACH = (("callback", "f"), ("called", "g"), ("further", "h"))


@dataclass(frozen=True, slots=True)
class _Parts:
    operations: tuple[str, ...]
    test: str
    message: str


@dataclass(frozen=True, slots=True)
class Lawful:
    """What operations do in one tree, and whether freeing a page forgets its type."""

    tree: str
    space: Space
    types_forgotten: bool


def law_of(tree: Tree, types: Iterable[str]) -> Lawful:
    """Return what a tree's own headers and page allocator say, for these page types.

    Raise AnalyzerError where the tree defines no page states.
    """
    facts, cache = replace(load_facts(), types=tuple(types)), Cache()
    demand_law(Pair(tree, tree), cache, facts)
    prepared = prepare(tree.read, lambda _words, _folders: {}, cache, facts, {})
    return Lawful(tree.name, prepared.law.space, prepared.types_forgotten)


def semantic_patch(
    rule: Rule, migrations: Iterable[Described], lawful: Lawful | None = None
) -> str:
    """Return the semantic patch for a rule, of the first migration that has something to say.

    Raise AnalyzerError where the rule takes flow, no migration forbids anything of the kind, or
    the tree's law allows it.
    """
    if rule.id not in _SAYS:
        raise AnalyzerError(
            f"{rule.id}: cannot be said without flow; rules that can: {', '.join(sorted(_SAYS))}"
        )
    forbidden, of_callbacks = _SAYS[rule.id]
    for migration in migrations:
        registrars = tuple(dict.fromkeys(c for o in migration.obligations for c in o.callbacks))
        for duty in migration.obligations:
            fits = duty.must_not is forbidden and bool(duty.callbacks) == of_callbacks
            if duty.must_not is Forbidden.CLEAR_BEFORE_FREEING:
                duty = replace(duty, frees=duty.frees or _frees())
            if fits and (duty.frees or registrars):
                if lawful is not None and (why := _allowed(duty, lawful)):
                    raise AnalyzerError(f"{rule.id}: nothing to keep out of {lawful.tree}: {why}")
                return _written(rule, migration, duty, registrars, lawful)
    raise AnalyzerError(f"{rule.id}: no migration at hand forbids anything that this rule finds")


def _frees() -> tuple[str, ...]:
    """Return the calls that are known to free the page that they are passed."""
    return tuple(sorted(n for n, f in load_facts().frees.items() if not f.each))


def _written(
    rule: Rule,
    migration: Described,
    duty: Obligation,
    registrars: tuple[str, ...],
    lawful: Lawful | None,
) -> str:
    parts = _parts(rule, duty, lawful)
    head = _HEAD.format(summary=sentence(duty.text), title=migration.title, rule=rule.id)
    if duty.frees:
        body = _freeing(parts, duty)
    else:
        body = _reaching(registrars) + _hits(parts, duty) + _modes(parts, duty)
    return head + body


def _allowed(duty: Obligation, lawful: Lawful) -> str:
    """Return why a tree's law has nothing against what a duty forbids; nothing where it has."""
    what, space = duty.what, lawful.space
    if duty.must_not is Forbidden.CLEAR_BEFORE_FREEING:
        return "" if lawful.types_forgotten else "freeing a page does not forget its type there"
    ops = _operations(duty, lawful)
    if not ops:
        return f"no accessor of {what} there does that"
    if duty.must_not is Forbidden.TEST or any(op.dimension != TYPE for op in ops):
        return ""  # no law forbids to look, or to clear a flag: they are as useless as anywhere
    sets = duty.must_not is Forbidden.SET
    states = space.holding(what) if sets else UNTYPED
    traps = [n for op in ops for n, to in enumerate(op.steps) if states >> n & 1 and to is None]
    again = f"setting Page{what} twice" if sets else f"clearing Page{what} twice"
    return "" if traps else f"{again} is harmless there"


def _operations(duty: Obligation, lawful: Lawful) -> list[Operation]:
    verb = _VERBS[duty.must_not]
    found = (op for op in lawful.space.operations.values() if op.label == duty.what)
    return sorted((op for op in found if op.verb is verb), key=lambda op: op.name)


def _parts(rule: Rule, duty: Obligation, lawful: Lawful | None) -> _Parts:
    what = duty.what
    verb = {Verb.SET: "Set", Verb.CLEAR: "Clear", Verb.TEST: ""}[_VERBS[duty.must_not]]
    usual = (f"Page{what}",) if not verb else (f"{verb}Page{what}", f"__{verb}Page{what}")
    names = usual if lawful is None else tuple(op.name for op in _operations(duty, lawful))
    message = f"WARNING: {rule.id}: {duty.text}".replace('"', "'")
    return _Parts(names, f"Page{what}", message)


def _reaching(registrars: tuple[str, ...]) -> str:
    return f"""
@initialize:python@
@@
reached = set()

@callback@
identifier f, reg = {{{", ".join(registrars)}}};
position fp;
@@
(
 reg@fp(&f)
|
 reg@fp(f)
)

@called@
identifier callback.f, g;
position gp;
@@
 f(...) {{ <+... g@gp(...) ...+> }}

@further@
identifier called.g, h;
position hp;
@@
 g(...) {{ <+... h@hp(...) ...+> }}
""" + "".join(
        f"""
@script:python@
{name} << {rule}.{name};
p << {rule}.{name}p;
@@
reached.add((p[0].file, {name}))
"""
        for rule, name in _REACH
    )


def _hits(parts: _Parts, duty: Obligation) -> str:
    guard, but = "", ""
    if duty.must_not is Forbidden.SET:
        but = " != guarded.q"
        # Which condition is meant takes flow: what has any is passed over.
        guard = f"""
@guarded@
identifier op = {{{", ".join(parts.operations)}}};
expression E;
position q;
statement S;
@@
(
 if (...) {{ <+... op@q(E) ...+> }}
|
 if (...) {{ <+... op@q(E) ...+> }} else S
|
 if (...) S else {{ <+... op@q(E) ...+> }}
)
"""
    return f"""{guard}
@hit@
identifier op = {{{", ".join(parts.operations)}}};
expression E;
position p{but};
@@
 op@p(E)
"""


def _modes(parts: _Parts, duty: Obligation) -> str:
    """Return what is done with the hits in functions that are reached, in each mode."""
    change = _change(parts, duty)
    mend = (
        f"""
@depends on patch && here@
identifier hit.op;
expression hit.E;
position hit.p;
@@
{change}
"""
        if change
        else ""
    )
    return f"""
@script:python here@
p << hit.p;
@@
if (p[0].file, p[0].current_element) not in reached:
    cocci.include_match(False)

@depends on context && here@
identifier hit.op;
expression hit.E;
position hit.p;
@@
* op@p(E)
{mend}
@script:python depends on org && here@
p << hit.p;
@@
coccilib.org.print_todo(p[0], "{parts.message}")

@script:python depends on report && here@
p << hit.p;
@@
coccilib.report.print_report(p[0], "{parts.message}")
"""


def _change(parts: _Parts, duty: Obligation) -> str:
    match duty.must_not:
        case Forbidden.SET:
            return f"- op@p(E);\n+ if (!{parts.test}(E))\n+ \top(E);"
        case Forbidden.CLEAR:
            return "- op@p(E);"
    return ""


def _freeing(parts: _Parts, duty: Obligation) -> str:
    names, frees = ", ".join(parts.operations), ", ".join(duty.frees)
    return f"""
@hit@
identifier op = {{{names}}}, free = {{{frees}}};
expression E;
position p;
@@
 op@p(E);
 ... when != op(E)
 free(E, ...)

@depends on context@
identifier hit.op;
expression hit.E;
position hit.p;
@@
* op@p(E)

@depends on patch@
identifier hit.op;
expression hit.E;
position hit.p;
@@
- op@p(E);

@script:python depends on org@
p << hit.p;
@@
coccilib.org.print_todo(p[0], "{parts.message}")

@script:python depends on report@
p << hit.p;
@@
coccilib.report.print_report(p[0], "{parts.message}")
"""


_HEAD = """\
// SPDX-License-Identifier: MIT
/// {summary}
//# {title}.
//# Written by: offlint export --rule {rule} --coccinelle
//# No flow: only callbacks and the functions of their file that they call are looked at.
///
// Confidence: Low
// Options: --no-includes --include-headers

virtual patch
virtual context
virtual org
virtual report
"""
