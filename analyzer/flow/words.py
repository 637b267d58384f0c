"""Follow stores straight into the words of a page that hold its type and its flags."""

from __future__ import annotations

from dataclasses import replace

from analyzer.c import ir
from analyzer.flow import operations
from analyzer.flow.callsite import CallSite
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import Page
from analyzer.flow.expressions import evaluate, word_of
from analyzer.flow.operations import Results
from analyzer.flow.run import Run
from analyzer.pages.machine import EITHER, Operation, Verb, unknown_page
from analyzer.program.storing import flag_of


def stored(step: ir.Assign, state: State, act: Activation, run: Run) -> State | None:
    """Return the state after a store into a word of a page; None where it goes elsewhere.

    The dimension that the word holds is unknown from here on, whatever is stored. Of a type, which
    nobody but its accessors writes, that is a gap.
    """
    target = step.target
    word = word_of(target, state, act, run)
    if word is not None:
        if word[0] in state.pages and word[1] in run.facts.words.types:
            run.gap("store", act, step.span.line, run.text(act, step.span))
        return _lost(*word, "", state, run)
    if isinstance(target, ir.Unary) and target.op == "*":
        value = evaluate(target.operand, state, act, run)
        if isinstance(value, Page) and value.form == "page":
            return state.with_page(value.key, unknown_page(run.space))
    return None


def passed(site: CallSite, state: State) -> State:
    """Return the state after a call that is passed the address of a word of a page."""
    step, act, run = site.step, site.act, site.run
    words = run.facts.words
    if site.name in words.read_by:
        return state
    first = step.args[0] if step.args else None
    bit = first.id if isinstance(first, ir.Name) and first.id.startswith(words.bits) else ""
    for arg in step.args:
        if isinstance(arg, ir.Unary) and arg.op == "&":
            word = word_of(arg.operand, state, act, run)
            state = state if word is None else _lost(*word, bit, state, run)
    return state


def by_bit(site: CallSite, state: State) -> Results | None:
    """Return what a call does to one flag of a page by its bit: what accessors of the flag do.

    None for a call that does nothing of the kind, or that no accessors of the tree do.
    """
    step, act, run = site.step, site.act, site.run
    words = run.facts.words
    match step:
        case ir.Call(_, ir.Name(name), (ir.Name(bit), ir.Unary("&", operand))):
            kinds = (
                (Verb.TEST, words.tested_by),
                (Verb.SET, words.set_by),
                (Verb.CLEAR, words.cleared_by),
            )
            verbs = [verb for verb, names in kinds if name in names]
            word = word_of(operand, state, act, run) if verbs else None
        case _:
            return None
    if word is None or word[1] not in words.flags or not bit.startswith(words.bits):
        return None
    label = flag_of(bit, words, run.interest.flags)
    accessors = [op for verb in verbs if (op := _accessor(verb, label, run)) is not None]
    if len(accessors) < len(verbs):
        return None
    page = Page(word[0], "page")
    results = site.unknown(state)
    for op in accessors:
        results = [
            (after, told if op.is_test else answer)
            for before, answer in results
            for after, told in operations.apply(op, [page], before, act, step.span, run)
        ]
    return results


def _accessor(verb: Verb, label: str | None, run: Run) -> Operation | None:
    """Return the accessor that does something to a flag, if the tree has one."""
    found = (op for op in run.space.operations.values() if op.verb is verb)
    return min((op for op in found if op.dimension == label), key=lambda op: op.name, default=None)


def _lost(key: str, field: str, bit: str, state: State, run: Run) -> State:
    """Forget a page's type, and with it all else; or its flags, or the one that is named."""
    page = state.pages.get(key)
    if page is None:
        return state
    words = run.facts.words
    if field in words.types:
        return state.with_page(key, unknown_page(run.space))
    if bit:
        label = flag_of(bit, words, run.interest.flags)
        return state.with_page(key, page.with_flag(label, EITHER)) if label else state
    return state.with_page(key, replace(page, flags=(), rest=EITHER))
