"""Read the conditions that a function asks for, so that the same ones are known again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from analyzer.c import ir
from analyzer.flow.shape import names_in, successors, written

#: Comparisons of numbers, which are independent of each other.
_NUMBERS = ("<", "<=", ">", ">=")
#: The form of a condition, the fields that it reads, and what else that is no local variable.
Shape = tuple[str, frozenset[str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A condition: its text, whether it is the opposite, what it reads, and whom it asks.

    form is the text with a number in place of each thing that is read; again tells whether the
    function asks for it more than once, is_flag whether it compares no numbers. behind are the
    variables that it goes back to and does not name.
    """

    text: str
    form: str
    negated: bool
    again: bool
    is_flag: bool
    reads: tuple[ir.Expr, ...]
    fields: frozenset[str]
    names: frozenset[str]
    behind: frozenset[str]
    calls: frozenset[str]

    def shape(self, is_local: Callable[[str], bool]) -> Shape | None:
        """Return what the condition has in common with the same one of another function.

        None where it is about nothing but the function's own variables.
        """
        others = frozenset(n for n in self.names if not n.startswith("%") and not is_local(n))
        return (self.form, self.fields, others) if self.fields or self.calls or others else None


@lru_cache(maxsize=4096)
def asked_by(variant: ir.Variant) -> Mapping[int, Asked]:
    """Return the branches whose condition may be asked for again, by block.

    What a loop goes on for is no condition of the kind: it is different at last.
    """
    answers, copies = _answers(variant), _copies(variant)
    asked = {
        n: _asked(block.end.cond, answers, copies)
        for n, block in enumerate(variant.blocks)
        if isinstance(block.end, ir.Branch)
        and not any(leaves(variant, n, x) for x in variant.loops)
    }
    times: dict[str, int] = {}
    for one in asked.values():
        times[one.text] = times.get(one.text, 0) + 1
    return {n: replace(x, again=times[x.text] > 1) for n, x in asked.items() if x.reads or x.calls}


@lru_cache(maxsize=4096)
def variables_behind(variant: ir.Variant) -> frozenset[str]:
    """Return the variables that conditions of a variant go back to and do not name."""
    return frozenset(name for asked in asked_by(variant).values() for name in asked.behind)


def leaves(variant: ir.Variant, n: int, loop: ir.Loop) -> bool:
    """Tell whether a block is the last one of a loop's turns."""
    outside = (to not in loop.blocks for to in successors(variant.blocks[n].end))
    return n in loop.blocks and any(outside)


def _answers(variant: ir.Variant) -> Mapping[str, ir.Call]:
    """Return the calls, by the temporaries that hold their values and nothing else."""
    calls: dict[str, ir.Call] = {}
    again: set[str] = set()
    for block in variant.blocks:
        for step in block.instructions:
            match step:
                case ir.Call(ir.Name(id)):
                    again |= {id} & calls.keys()
                    calls[id] = step
                case ir.Assign(ir.Name(id)):
                    again.add(id)
    return {id: call for id, call in calls.items() if id not in again}


def _copies(variant: ir.Variant) -> Mapping[str, ir.Expr]:
    """Return what the local variables hold that are assigned once, of what does not change."""
    times: dict[str, int] = {}
    values: dict[str, ir.Expr] = {}
    for block in variant.blocks:
        for step in block.instructions:
            for name in written(step):
                times[name] = times.get(name, 0) + 1
            if isinstance(step, ir.Assign) and isinstance(step.target, ir.Name):
                values[step.target.id] = step.value
    return {
        name: value
        for name, value in values.items()
        if name in variant.locals
        and times[name] == 1
        and all(times.get(n, 0) <= 1 for n in names_in(value))
    }


def _asked(cond: ir.Expr, answers: Mapping[str, ir.Call], copies: Mapping[str, ir.Expr]) -> Asked:
    said = frozenset(names_in(cond))
    cond, negated = _plain(_spelled_out(cond, copies))
    read = tuple(dict.fromkeys(_read(cond, answers)))
    names = frozenset(n for e in read for n in names_in(e))
    return Asked(
        text=_text(cond, answers, ()),
        form=_text(cond, answers, read),
        negated=negated,
        again=False,
        is_flag=not _compares(cond),
        reads=read,
        fields=frozenset(_fields(cond, answers)),
        names=names | (said & copies.keys()),
        behind=names - said,
        calls=frozenset(_calls(cond, answers)),
    )


def _spelled_out(e: ir.Expr, copies: Mapping[str, ir.Expr], depth: int = 4) -> ir.Expr:
    """Return an expression with what was read from memory in place of the variable that holds it.

    What a call has answered stays: another call may answer another way.
    """

    def spell(e: ir.Expr, depth: int, *, base: bool = False) -> ir.Expr:
        match e:
            case ir.Name(id) if depth and id in copies:
                value = spell(copies[id], depth - 1, base=base)
                return value if base or isinstance(_uncast(value), ir.Field) else e
            case ir.Field(base=of, name=name, arrow=arrow):
                return ir.Field(spell(of, depth, base=True), name, arrow)
            case ir.Unary(op, operand) if op != "&":
                return ir.Unary(op, spell(operand, depth))
            case ir.Binary(op, left, right):
                return ir.Binary(op, spell(left, depth), spell(right, depth))
            case ir.Cast(type, operand):
                return ir.Cast(type, spell(operand, depth, base=base))
        return e

    return spell(e, depth)


def _uncast(e: ir.Expr) -> ir.Expr:
    while isinstance(e, ir.Cast):
        e = e.operand
    return e


def _compares(e: ir.Expr) -> bool:
    """Tell whether two numbers are compared of which neither is constant."""
    if not isinstance(e, ir.Binary) or e.op not in _NUMBERS:
        return False
    return not any(
        isinstance(x, ir.Const) or (isinstance(x, ir.Name) and x.id.isupper())
        for x in (e.left, e.right)
    )


def _plain(cond: ir.Expr) -> tuple[ir.Expr, bool]:
    """Return a condition that all who mean it write alike, and whether it is its opposite."""
    negated = False
    while True:
        match cond:
            case ir.Cast(operand=operand):
                cond = operand
            case ir.Unary("!", operand) | ir.Binary("==", operand, ir.Const(0)):
                negated, cond = not negated, operand
            case ir.Binary("!=", left, right):
                negated, cond = not negated, ir.Binary("==", left, right)
            case _:
                return cond, negated


def _text(e: ir.Expr, answers: Mapping[str, ir.Call], read: Sequence[ir.Expr]) -> str:
    """Return the text of an expression, with calls in place of what holds their values.

    What is read is named by its number.
    """

    def text(e: ir.Expr) -> str:
        if e in read:
            return f"${read.index(e)}"
        match e:
            case ir.Name(id) if id in answers:
                call = answers[id]
                return f"{text(call.callee)}({','.join(map(text, call.args))})"
            case ir.Field(base, name, arrow):
                return f"{text(base)}{'->' if arrow else '.'}{name}"
            case ir.Index(base, index):
                return f"{text(base)}[{text(index)}]"
            case ir.Unary(op, operand):
                return f"{op}({text(operand)})"
            case ir.Binary(op, left, right):
                return f"({text(left)}{op}{text(right)})"
            case ir.Cast(operand=operand):
                return text(operand)
        return repr(e)

    return text(e)


def _below(e: ir.Expr, answers: Mapping[str, ir.Call]) -> tuple[ir.Expr, ...]:
    """Return what an expression is made of, and a call of what it is passed."""
    match e:
        case ir.Name(id) if id in answers:
            return answers[id].args
        case ir.Index(left, right) | ir.Binary(_, left, right):
            return (left, right)
        case ir.Field(below, _, _) | ir.Unary(_, below) | ir.Cast(operand=below):
            return (below,)
    return ()


def _read(e: ir.Expr, answers: Mapping[str, ir.Call]) -> Iterator[ir.Expr]:
    """Yield the variables and fields that an expression reads, in calls as well."""
    if isinstance(e, ir.Name | ir.Field) and answers.keys().isdisjoint(names_in(e)):
        yield e
        return
    for part in _below(e, answers):
        yield from _read(part, answers)


def _fields(e: ir.Expr, answers: Mapping[str, ir.Call]) -> Iterator[str]:
    """Yield the fields that an expression reads, in calls as well."""
    if isinstance(e, ir.Field):
        yield e.name
    for part in _below(e, answers):
        yield from _fields(part, answers)


def _calls(e: ir.Expr, answers: Mapping[str, ir.Call]) -> Iterator[str]:
    for name in names_in(e):
        if name in answers:
            call = answers[name]
            yield call.callee.id if isinstance(call.callee, ir.Name) else ""
            for arg in call.args:
                yield from _calls(arg, answers)
