"""Follow what is read of the word that holds a page's type, without an accessor of one type.

Each type that the page may have is tried. What cannot be computed so, or is kept in a variable, may
tell anything: the type is unknown from there on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from analyzer.base import FunctionId, Span
from analyzer.c import ir
from analyzer.flow.callsite import CallSite
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import Int, Page, Value, page_key
from analyzer.flow.operations import Results, by_answer, page_of
from analyzer.flow.run import Run
from analyzer.pages.concrete import WORD, TrapError, UndecidedError
from analyzer.pages.machine import unknown_page
from analyzer.program.shape import expressions_of
from analyzer.program.storing import READING

#: Tells what is known of an expression's value.
Evaluate = Callable[[ir.Expr], Value]
_ORDERED = frozenset(("<", "<=", ">", ">="))
_HERE = ir.Field(ir.Name("page"), "page_type", True)


def reads_types(act: Activation, run: Run) -> bool:
    """Tell whether a body reads the word that holds a page's type at all: few do."""
    return _reads_types(act.variant, run.facts.words.types)


@lru_cache(maxsize=8192)
def _reads_types(variant: ir.Variant, types: frozenset[str]) -> bool:
    return any(
        _fields(e, types)
        for block in variant.blocks
        for step in (*block.instructions, block.end)
        for e in _read_by(step)
    )


def _read_by(step: ir.Instruction | ir.Terminator) -> Iterator[ir.Expr]:
    match step:
        case ir.Assign(_, value):
            yield value
        case ir.Branch(e) | ir.Return(e):
            if e is not None:
                yield e
        case ir.Call():
            yield from expressions_of(step)


def _fields(e: ir.Expr, types: frozenset[str]) -> list[ir.Field]:
    """Return where an expression reads a word that holds a type."""
    match e:
        case ir.Field(base, name):
            return [e] if name in types else _fields(base, types)
        case ir.Index(base):
            return _fields(base, types)
        case ir.Binary(_, left, right):
            return [*_fields(left, types), *_fields(right, types)]
        case ir.Unary(_, operand) | ir.Cast(_, operand):
            return _fields(operand, types)
    return []


def _page_in(exprs: Sequence[ir.Expr], value_of: Evaluate, run: Run) -> str | None:
    """Return the page whose type some expressions read; None where there is not one such page."""
    fields = [f for e in exprs for f in _fields(e, run.facts.words.types)]
    held = {v.key if isinstance(v := value_of(f.base), Page) else None for f in fields}
    return held.pop() if len(held) == 1 else None


def split(
    cond: ir.Expr, value_of: Evaluate, state: State, act: Activation, run: Run
) -> list[tuple[bool, State]] | None:
    """Split by a condition that reads a page's type; None for any other."""
    key = _page_in((cond,), value_of, run)
    if key is None:
        return None
    closed = None if _is_signed(cond) else _closed(cond, value_of, run)
    answers = {
        n: None if closed is None else run.space.machine.value(closed, word)
        for n, word in enumerate(run.space.values)
    }
    if None in answers.values():
        left = _lost(key, state.deciding(None), run)
        return [(True, left), (False, left)]
    truth = {n: int(bool(answer)) for n, answer in answers.items()}
    span = _span_of(cond, act.variant)
    found = by_answer(key, truth, state, act, span, run)
    return [(bool(v.value), s.deciding(v.tested)) for s, v in found if isinstance(v, Int)]


def kept(e: ir.Expr, value_of: Evaluate, state: State, run: Run) -> State:
    """Return the state after something that was read of a page's type is kept."""
    key = _page_in((e,), value_of, run)
    return state if key is None else _lost(key, state, run)


def may_read(site: CallSite) -> bool:
    """Tell whether a call may have to do with what is read of pages' types."""
    space = site.run.space
    return (
        site.name in space.readers
        or site.name in space.computing
        or reads_types(site.act, site.run)
    )


def by_reading(site: CallSite, value_of: Evaluate, state: State) -> Results | None:
    """Return what a call that reads a page's type answers; None for any other call."""
    step, name, args, act, run = site.step, site.name, site.args, site.act, site.run
    if not name or not args:
        return None
    words = run.facts.words
    truth = run.space.readers.get(name)
    if truth is not None and (key := page_key(args[0])) is not None:
        told = {n: int(held) for n, held in enumerate(truth)}
        return by_answer(key, told, state, act, step.span, run)
    first = step.args[0]
    if name in words.read_by and isinstance(first, ir.Unary) and first.op == "&":
        key = _page_in((first.operand,), value_of, run)
        if key is None or page_of(key, state, run).types == run.space.every:
            return None
        return by_answer(
            key, dict(enumerate(map(_signed, run.space.values))), state, act, step.span, run
        )
    if name in run.space.operations or name in run.facts.opaque:
        return None
    key = _page_in(step.args, value_of, run)
    closed = [_closed(a, value_of, run) for a in step.args]
    if key is None:
        if name not in run.space.computing or not all(isinstance(a, Int) for a in args):
            return None
        answer = _ran(name, closed, 0, run)
        return None if answer is None else [(state, Int(answer))]
    answers = {n: _ran(name, closed, word, run) for n, word in enumerate(run.space.values)}
    known = {n: answer for n, answer in answers.items() if answer is not None}
    if len(known) < len(answers):
        return site.unknown(_lost(key, state, run))
    return by_answer(key, known, state, act, step.span, run)


def answers_by_type(name: str, path: str, run: Run) -> bool:
    """Tell whether a function that a name can mean in a file reads pages' types itself."""
    return any(is_by_type(id, run) for id in run.program.resolve(name, path))


def is_by_type(id: FunctionId, run: Run) -> bool:
    """Tell whether a function reads pages' types itself."""
    called = run.program.called(id)
    return READING in called or not called.isdisjoint(run.space.readers)


def _ran(name: str, args: Sequence[ir.Expr], word: int, run: Run) -> int | None:
    """Return what a function of the tree's page-flags.h answers; None where that is not known."""
    machine = run.space.machine
    numbers = [machine.value(a, word) for a in args]
    try:
        return machine.run(name, word, numbers)[0]
    except (TrapError, UndecidedError):
        return None


def _closed(e: ir.Expr, value_of: Evaluate, run: Run) -> ir.Expr:
    """Return an expression with one name for the word, and what is known for all other names."""
    match e:
        case ir.Field() | ir.Index() if _fields(e, run.facts.words.types):
            return _HERE
        case ir.Binary(op, left, right):
            return ir.Binary(op, _closed(left, value_of, run), _closed(right, value_of, run))
        case ir.Unary(op, operand) if op != "&":
            return ir.Unary(op, _closed(operand, value_of, run))
        case ir.Cast(type, operand):
            return ir.Cast(type, _closed(operand, value_of, run))
        case ir.Name(id) if id in run.space.machine.known:
            return e
    held = value_of(e)
    return ir.Const(held.value) if isinstance(held, Int) else ir.Opaque("", frozenset())


def _is_signed(e: ir.Expr) -> bool:
    """Tell whether an expression may order numbers that are below zero: that is not computed."""
    match e:
        case ir.Binary(op, left, right):
            inner = _is_signed(left) or _is_signed(right)
            return inner or (op in _ORDERED and any(map(_may_be_negative, (left, right))))
        case ir.Unary(_, operand) | ir.Cast(_, operand):
            return _is_signed(operand)
    return False


def _may_be_negative(e: ir.Expr) -> bool:
    match e:
        case ir.Cast(type, operand):
            return "unsigned" not in type or _may_be_negative(operand)
        case ir.Field(name=name):
            return name != "page_type"
        case ir.Const(number):
            return number < 0
        case ir.Binary(_, left, right):
            return _may_be_negative(left) or _may_be_negative(right)
        case ir.Unary(op):
            return op == "-"
    return False


def _span_of(cond: ir.Expr, variant: ir.Variant) -> Span:
    """Return where a condition, or what it is a part of, stands in the source."""
    steps = (step for block in variant.blocks for step in (*block.instructions, block.end))
    return next(
        step.span
        for step in steps
        if isinstance(step, ir.Assign | ir.Branch | ir.Return)
        if any(cond in _parts(e) for e in _read_by(step))
    )


def _parts(e: ir.Expr) -> Iterator[ir.Expr]:
    yield e
    match e:
        case ir.Unary(_, operand) | ir.Cast(_, operand):
            yield from _parts(operand)


def _signed(word: int) -> int:
    return word - (WORD + 1) if word > WORD >> 1 else word


def _lost(key: str, state: State, run: Run) -> State:
    page = page_of(key, state, run)
    return state if page.types == run.space.every else state.with_page(key, unknown_page(run.space))
