"""Tell which steps of a function may matter to a page; all others are walked past."""

from __future__ import annotations

import re

from analyzer.c.ir import (
    Assign,
    Binary,
    Call,
    Check,
    Const,
    Expr,
    Field,
    Index,
    Name,
    Unary,
)
from analyzer.flow.domain.activation import Activation
from analyzer.flow.run import Run, Sliced
from analyzer.pages.aside import is_harmless
from analyzer.pages.machine import TYPE
from analyzer.program.asked import Asked
from analyzer.program.params import is_of_pages, is_page_pointer
from analyzer.program.shape import names_in
from analyzer.program.slices import Slice, slice_of
from analyzer.program.storing import is_word

_WORD = re.compile(r"\w+")


def sliced(act: Activation, run: Run) -> Slice:
    """Return the slice of an activation's variant."""
    run.common(act.function.path)  # it is asked for where the slice is made
    if act.variant not in run.slices:
        asked: Asked = {}
        held, run.heard = run.heard, {}
        with run.program.noting(asked):
            made = slice_of(
                act.variant,
                lambda step: matters(step, act, run),
                lambda step: _marks(step, act, run),
                lambda step: isinstance(step.callee, Name) and step.callee.id in run.facts.rounded,
                lambda step: _only_looks(step, run),
            )
        run.slices[act.variant] = Sliced(made, asked, run.heard)
        run.heard = held
    found, asked, heard = run.slices[act.variant]
    if run.program.asked is not None:
        run.program.asked.update(asked)
    run.heard.update(heard)
    return found


def matters(step: Call | Check | Assign, act: Activation, run: Run) -> bool:
    """Tell whether a call or a store may do something to a page, or a check is about one."""
    # A step belongs to one variant, which the cache of lowered functions keeps alive.
    known = run.weighed.get(id(step))
    if known is None:
        known = run.weighed[id(step)] = _weigh(step, act, run)
    return known


def _weigh(step: Call | Check | Assign, act: Activation, run: Run) -> bool:
    match step:
        case Assign(target):
            word = is_word(target, run.facts.words) and _may_be_page(target, act)
            told = _is_flag(step, act, run) or _is_page_told(step, act)
            return word or told or _is_kept(target, act, run)
        case Check():
            return _asks_of_page(step, act, run)
        case Call(_, Name(name)) if not act.is_local(name):
            return _weigh_call(name, step, act, run)
    return True


def _asks_of_page(step: Check, act: Activation, run: Run) -> bool:
    """Tell whether an assertion asks for a page's state, by itself or by a helper."""
    asked = _WORD.findall(step.condition)
    if any(name in run.space.operations for name in asked):
        return True
    names = (name for name in asked if not act.is_local(name))
    return any(any(run.hear(name, act.function.path)) for name in names)


def _only_looks(step: Call, run: Run) -> bool:
    op = run.space.operations.get(step.callee.id) if isinstance(step.callee, Name) else None
    return op is not None and op.is_test


def _weigh_call(name: str, step: Call, act: Activation, run: Run) -> bool:
    facts, path = run.facts, act.function.path
    if any(isinstance(a, Unary) and is_word(a.operand, facts.words) for a in step.args):
        return name not in facts.words.read_by
    if name in facts.words.tested_by and len(step.args) > 1:
        match step.args[1]:
            case Unary("&", Name(held)) if act.is_local(held):
                return True
    if name in facts.words.set_by | facts.words.cleared_by and len(step.args) > 1:
        match step.args[1]:
            case Unary("&", Field(name=held) | Name(held)):
                return held in run.common(path).read
    op = run.space.operations.get(name)
    if op is not None:
        return op.dimension == TYPE or op.dimension in run.interest.flags
    if name in facts.opaque:
        return False
    if run.program.is_undefined(name):
        return True
    if name in run.space.computing:
        return True
    if facts.speaks_of(name) or any(run.hear(name, path)):
        return True
    concerns = (not is_harmless(name) and run.program.stored(name)) or any(
        _may_be_page(a, act) or _is_kept(a, act, run) for a in step.args
    )
    if concerns and not run.program.resolve(name, path):
        return True
    reaches = concerns or any(isinstance(a, Unary) and a.op == "&" for a in step.args)
    return reaches and any(_marks_pages(a, act, run) for a in step.args)


def _marks_pages(e: Expr, act: Activation, run: Run) -> bool:
    """Tell whether an argument is the name of a function that marks or unmarks pages."""
    return isinstance(e, Name) and not act.is_local(e.id) and run.marks(e.id, act.function.path)


def _marks(step: Call, act: Activation, run: Run) -> bool:
    """Tell whether a call may change the type of a page that is followed."""
    if not isinstance(step.callee, Name) or act.is_local(step.callee.id):
        return False
    name = step.callee.id
    op = run.space.operations.get(name)
    if op is not None:
        return op.dimension == TYPE and not op.is_test
    return run.marks(name, act.function.path)


def _is_flag(step: Assign, act: Activation, run: Run) -> bool:
    """Tell whether a constant or a bit is stored that decides what becomes of pages."""
    value, target = step.value, step.target
    constant = isinstance(value, Const) or (isinstance(value, Name) and value.id.isupper())
    if not constant and not (isinstance(value, Binary) and value.left == target):
        return False
    return is_asked_for(target, act, run)


def is_asked_for(e: Expr, act: Activation, run: Run) -> bool:
    """Tell whether what is in memory decides for functions of the folder what they do.

    So may what is behind the address of a variable of the caller's.
    """
    match e:
        case Unary("*", Name(name)):
            return act.is_local(name)
        case Name(name) if not act.is_local(name):
            return name in run.common(act.function.path).read
        case Field(name=name):
            return name in run.common(act.function.path).read
    return False


def _is_kept(e: Expr, act: Activation, run: Run) -> bool:
    """Tell whether an expression is where functions look for a page to free."""
    match e.base if isinstance(e, Index) else e:
        case Field(name=name):
            return name in run.held(act.function.path).fields
        case Name(name) if not act.is_local(name):
            return name in run.held(act.function.path).variables
    return False


def _is_page_told(step: Assign, act: Activation) -> bool:
    """Tell whether a page is stored behind an address, where a caller may look for it."""
    match step.target, step.value:
        case ((Unary("*", Name(to)) | Field(Name(to), _, True)), Name(page)):
            return act.is_local(to) and is_page_pointer(act.type_of(page))
    return False


def _may_be_page(e: Expr, act: Activation) -> bool:
    """Tell whether an argument is, by a declared type in it, a page or a list of some."""
    return any(is_of_pages(act.type_of(name)) for name in names_in(e))
