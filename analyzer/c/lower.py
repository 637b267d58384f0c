"""Lower one function definition: all of its variants, each to a control-flow graph."""

from __future__ import annotations

import re
from collections.abc import Mapping

from analyzer.base import Gap
from analyzer.c.body import Body, Rules, uncommented
from analyzer.c.borrowed import with_own
from analyzer.c.branches import lower_branch
from analyzer.c.heads import Head, find_head, paired_parameters, parse_parameters, plain_type
from analyzer.c.ir import Definition, Function, Param, Return, Signature, Stop, Variant
from analyzer.c.own import NOTHING, Own
from analyzer.c.parser import parse_body
from analyzer.c.prepare import prepare
from analyzer.c.statements import block_value, lower_statement
from analyzer.c.unit import Unit
from analyzer.c.values import lower_effect, lower_value
from analyzer.c.variants import Choice, Choices, choose

#: A body longer than this was written by a machine.
_LARGEST = 1 << 19
_LABEL = re.compile(rb"[;{}]\s*([A-Za-z_]\w*)\s*:(?!:)")
#: How each kind of syntax is lowered.
RULES = Rules(lower_value, lower_effect, lower_branch, lower_statement, block_value)


def lower(
    unit: Unit,
    definition: Definition,
    *,
    max_variants: int = 16,
    config: Mapping[str, bool] | None = None,
    own: Own = NOTHING,
) -> Function:
    """Return the lowered function. Never raises: what cannot be read is a gap.

    A variant is a consistent choice of the `#if` arms in the body. config fixes symbols; so do
    the conditions around the definition. own says which names mean something else in this file.
    """
    end = definition.span.end
    signature = read_signature(unit, definition)
    known = {**dict(definition.conditions), **(config or {})}
    gaps: list[Gap] = []
    chosen = Choices((), True)
    if end - definition.span.start > _LARGEST:
        detail = f"longer than {_LARGEST >> 10} KB; not read"
        gaps.append(Gap("size", unit.path, definition.span.line, definition.name, detail))
    else:
        chosen = choose(unit, definition.body, end, known, max_variants=max_variants)
    if not chosen.complete:
        detail = f"more than {max_variants} ways to compile it; only the extreme two are read"
        gaps.append(Gap("variants", unit.path, definition.span.line, definition.name, detail))
    variants = []
    for choice in chosen.choices:
        variant, found = _lower_variant(unit, definition, signature.params, choice, own)
        gaps += (g for g in found if g not in gaps)
        if variant is not None:
            variants.append(variant)
    return Function(
        name=definition.name,
        path=unit.path,
        span=definition.span,
        static=definition.static,
        returns=signature.returns,
        params=signature.params,
        conditions=definition.conditions,
        variants=tuple(variants),
        gaps=tuple(gaps),
    )


def read_signature(unit: Unit, definition: Definition) -> Signature:
    """Return what a definition returns and takes, without a look at its body."""
    head = find_head(unit.flat, definition.span.start, definition.body)
    return (
        Signature("", ())
        if head is None
        else Signature(_returns(unit, head), _parameters(unit, head))
    )


def _parameters(unit: Unit, head: Head) -> tuple[Param, ...]:
    text = unit.flat[head.opening + 1 : head.closing].decode("latin-1")
    if head.definer is None:
        return parse_parameters(text)
    return paired_parameters(text) if head.definer.pairs else ()


def _returns(unit: Unit, head: Head) -> str:
    if head.definer is not None:
        return "long" if head.definer.pairs else ""
    before = uncommented(unit, head.start, head.opening).rstrip()
    return plain_type(before.removesuffix(head.name))


def _lower_variant(
    unit: Unit, definition: Definition, params: tuple[Param, ...], choice: Choice, own: Own
) -> tuple[Variant | None, list[Gap]]:
    try:
        tree = parse_body(prepare(choice.text, unit.attributes), definition.body)
        if tree is None:
            detail = "the braces of its body do not match"
            return None, [Gap("syntax", unit.path, definition.span.line, definition.name, detail)]
        b = Body(unit, definition.name, RULES, own)
        b.params = {p.name: p.type for p in params if p.name}
        b.scopes[0] = {name: name for name in b.params}
        b.targets = frozenset(m[1].decode("latin-1") for m in _LABEL.finditer(choice.text))
        b.graph.place(b.graph.block())
        b.statement(tree)
    except RecursionError:
        detail = "nested too deeply"
        return None, [Gap("depth", unit.path, definition.span.line, definition.name, detail)]
    b.graph.end(Return(None, unit.span(tree.end - 1, tree.end)))
    for name, block in b.labels.items():
        if not b.graph.is_placed(block):
            b.gap("goto", tree, f"no label {name}")
            b.graph.place(block)
            b.graph.end(Stop(b.span(tree)))
    for block in b.graph.missing():
        b.gap("syntax", tree, "a way leads into what could not be read")
        b.graph.place(block)
        b.graph.end(Stop(b.span(tree)))
    reached = b.graph.reachable() if b.labels else frozenset()
    for name, block in b.labels.items():
        if block not in reached:
            b.gap("goto", tree, f"nothing in sight jumps to label {name}")
    variables = frozenset(b.locals) | b.scopes[0].keys()
    blocks, loops = b.graph.finish(variables)
    variant = Variant(conditions=choice.conditions, blocks=blocks, loops=loops, locals=b.locals)
    start = unit.span(definition.body, definition.body + 1)
    return with_own(variant, b.params, start), b.gaps
