"""Read what a condition asks for, so that the same one is known again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from analyzer.c import ir
from analyzer.flow.asks.tested import folded, is_condition, plain
from analyzer.flow.domain.numbers import Comparison
from analyzer.program.shape import names_in

#: The form of a condition, the fields that it reads, and what else that is no local variable.
Shape = tuple[str, frozenset[str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A condition: a test of something, or the opposite (negated), what it reads, whom it asks.

    text is that of what is tested, form the same with a number in place of each thing that is read;
    again tells whether the function tests it more than once, counts whether no test of it is for
    negative numbers, is_flag whether it compares no numbers, or a helper does. behind are the
    variables that it goes back to and does not name.
    """

    tested: ir.Expr
    test: Comparison
    negated: bool
    text: str
    form: str
    again: bool
    counts: bool
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


def asked_for(
    cond: ir.Expr,
    answers: Mapping[str, ir.Call],
    copies: Mapping[str, ir.Expr],
    known: Mapping[str, ir.Expr],
) -> Asked:
    """Return what a condition asks for, by itself.

    answers are the calls whose values temporaries hold, copies what variables hold that are
    assigned once, known what is known of constants and helpers.
    """
    said = frozenset(names_in(cond))
    cond, test, negated = plain(_spelled_out(cond, copies, known))
    read = tuple(dict.fromkeys(_read(cond, answers)))
    names = frozenset(n for e in read for n in names_in(e))
    return Asked(
        tested=cond,
        test=test,
        negated=negated,
        text=_text(cond, answers, ()),
        form=_text(cond, answers, read),
        again=False,
        counts=False,
        is_flag=not _compares(cond, test) or any(n.startswith("%") and n in known for n in said),
        reads=read,
        fields=frozenset(_fields(cond, answers)),
        names=names | (said & copies.keys()),
        behind=names - said,
        calls=frozenset(_calls(cond, answers)),
    )


def _spelled_out(
    e: ir.Expr, copies: Mapping[str, ir.Expr], known: Mapping[str, ir.Expr], depth: int = 4
) -> ir.Expr:
    """Return an expression with what was read from memory in place of the variable that holds it.

    What was compared as well, and what is known of constants and helpers. What any other call has
    answered stays: another may answer another way.
    """

    def spell(e: ir.Expr, depth: int, *, base: bool = False) -> ir.Expr:
        match e:
            case ir.Name(id) if depth and id in known:
                return spell(known[id], depth - 1, base=base)
            case ir.Name(id) if depth and id in copies:
                value = spell(copies[id], depth - 1, base=base)
                return value if base or _is_spelled(_uncast(value)) else e
            case ir.Field(base=of, name=name, arrow=arrow):
                return ir.Field(spell(of, depth, base=True), name, arrow)
            case ir.Unary(op, operand) if op != "&":
                return ir.Unary(op, spell(operand, depth))
            case ir.Binary(op, left, right):
                return folded(op, spell(left, depth), spell(right, depth))
            case ir.Cast(type, operand):
                return ir.Cast(type, spell(operand, depth, base=base))
        return e

    return spell(e, depth)


def _is_spelled(value: ir.Expr) -> bool:
    return isinstance(value, ir.Field) or is_condition(value)


def _uncast(e: ir.Expr) -> ir.Expr:
    while isinstance(e, ir.Cast):
        e = e.operand
    return e


def is_difference(tested: ir.Expr) -> bool:
    """Tell whether it is two numbers that are compared."""
    return isinstance(tested, ir.Binary) and tested.op == "-"


def _compares(tested: ir.Expr, test: Comparison) -> bool:
    """Tell whether two numbers are compared of which neither is constant."""
    match tested:
        case ir.Binary("-", left, right) if not test.exactly:
            return not any(isinstance(x, ir.Name) and x.id.isupper() for x in (left, right))
    return False


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
            case ir.Binary("+" | "*" | "&" | "|" | "^" as op, left, right):
                return f"({op.join(sorted((text(left), text(right))))})"
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
