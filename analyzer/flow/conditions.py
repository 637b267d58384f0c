"""Read the conditions that a function asks for, so that the same ones are known again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from analyzer.c import ir
from analyzer.flow.numbers import IS_ZERO, Comparison
from analyzer.flow.shape import names_in, successors, written
from analyzer.flow.values import MIRRORED, arithmetic, test_of

if TYPE_CHECKING:
    from analyzer.flow.program import Program

#: The form of a condition, the fields that it reads, and what else that is no local variable.
Shape = tuple[str, frozenset[str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A condition: a test of something, or the opposite (negated), what it reads, whom it asks.

    text is that of what is tested, form the same with a number in place of each thing that is read;
    again tells whether the function tests it more than once, counts whether no test of it is for
    negative numbers, is_flag whether it compares no numbers. behind are the variables that it goes
    back to and does not name.
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


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """The branches of a variant whose condition may be asked for again, by block.

    What a loop goes on for is no condition of the kind: it is different at last. behind says for
    each block what is tested in it or behind it, and tested more than once; variables are those
    that conditions go back to and do not name.
    """

    asked: Mapping[int, Asked]
    behind: Sequence[frozenset[str]]
    variables: frozenset[str]


def questions_of(variant: ir.Variant, path: str, program: Program) -> Questions:
    """Return the questions of a variant, with the numbers that its file defines.

    A helper that only answers a question is asked for by what it asks for.
    """
    names, calls = _said(variant)
    numbers = program.own_numbers(path) if names else {}
    known: dict[str, ir.Expr] = {n: ir.Const(numbers[n]) for n in names if n in numbers}
    for id, call in calls:
        if (meant := _meant(call, path, program)) is not None:
            known[id] = meant
    return _questions(variant, tuple(known.items()))


def _meant(call: ir.Call, path: str, program: Program) -> ir.Expr | None:
    """Return what a helper answers that does nothing else; None for any other call."""
    if not isinstance(call.callee, ir.Name) or call.callee.id.startswith("%"):
        return None
    found = program.resolve(call.callee.id, path)
    functions = program.lowered(found[0]) if len(found) == 1 else ()
    if len(functions) != 1 or len(functions[0].variants) != 1 or functions[0].gaps:
        return None
    (variant,) = functions[0].variants
    match variant.blocks:
        case (ir.Block((), ir.Return(value)),) if value is not None:
            params = functions[0].params
            given = {p.name: arg for p, arg in zip(params, call.args, strict=False)}
            numbers = program.own_numbers(functions[0].path)
            return _replaced(value, given, numbers) if len(given) == len(params) else None
    return None


def _replaced(
    e: ir.Expr, given: Mapping[str, ir.Expr], numbers: Mapping[str, int]
) -> ir.Expr | None:
    """Return an expression with others in place of names; None where it has more in it."""
    match e:
        case ir.Const():
            return e
        case ir.Name(id) if id in given:
            return given[id]
        case ir.Name(id) if id in numbers:
            return ir.Const(numbers[id])
        case ir.Field(base, name, arrow):
            of = _replaced(base, given, numbers)
            return None if of is None else ir.Field(of, name, arrow)
        case ir.Index(base, index):
            of, at = _replaced(base, given, numbers), _replaced(index, given, numbers)
            return None if of is None or at is None else ir.Index(of, at)
        case ir.Unary("!" | "-" | "~" as op, operand):
            of = _replaced(operand, given, numbers)
            return None if of is None else ir.Unary(op, of)
        case ir.Binary(op, left, right):
            one, other = _replaced(left, given, numbers), _replaced(right, given, numbers)
            return None if one is None or other is None else ir.Binary(op, one, other)
        case ir.Cast(type, operand):
            of = _replaced(operand, given, numbers)
            return None if of is None else ir.Cast(type, of)
    return None


@lru_cache(maxsize=4096)
def _said(variant: ir.Variant) -> tuple[Sequence[str], Sequence[tuple[str, ir.Call]]]:
    """Return the names of constants in what a variant asks for and compares, and the calls."""
    said = {n for b in variant.blocks if isinstance(b.end, ir.Branch) for n in names_in(b.end.cond)}
    said.update(n for e in _copies(variant).values() for n in names_in(e))
    names = sorted(n for n in said - variant.locals.keys() if n[:1].isupper())
    return names, [(id, call) for id, call in _answers(variant).items() if id in said]


@lru_cache(maxsize=4096)
def _questions(variant: ir.Variant, known: Sequence[tuple[str, ir.Expr]]) -> Questions:
    answers, copies = _answers(variant), _copies(variant)
    found = {
        n: _asked(block.end.cond, answers, copies, dict(known))
        for n, block in enumerate(variant.blocks)
        if isinstance(block.end, ir.Branch)
        and not any(leaves(variant, n, x) for x in variant.loops)
    }
    alike: dict[str, list[Asked]] = {}
    for one in found.values():
        alike.setdefault(one.text, []).append(one)
    asked = {
        n: replace(
            x,
            again=len(same) > 1,
            counts=all(y.test.number >= 0 for y in same) and not _is_difference(x.tested),
            names=frozenset().union(*(y.names for y in same)),
        )
        for n, x in found.items()
        if x.reads or x.calls
        for same in (alike[x.text],)
    }
    variables = frozenset(name for x in asked.values() for name in x.behind)
    return Questions(asked, _behind(variant, asked), variables)


@lru_cache(maxsize=4096)
def answer_by(variant: ir.Variant, e: ir.Name) -> Asked | None:
    """Return what is asked of the function whose answer is in a temporary; None for others."""
    answers = _answers(variant)
    return _asked(e, answers, {}, {}) if e.id in answers else None


def _behind(variant: ir.Variant, asked: Mapping[int, Asked]) -> Sequence[frozenset[str]]:
    behind = [
        frozenset((asked[n].text,)) if n in asked and asked[n].again else frozenset[str]()
        for n in range(len(variant.blocks))
    ]
    changed = any(behind)
    while changed:
        changed = False
        for n in range(len(behind) - 1, -1, -1):
            more = behind[n].union(*(behind[to] for to in successors(variant.blocks[n].end)))
            changed |= len(more) > len(behind[n])
            behind[n] = more
    return behind


@lru_cache(maxsize=4096)
def told_by(e: ir.Expr) -> Asked | None:
    """Return the condition that an expression is the answer to; None where it is no condition."""
    return _asked(e, {}, {}, {}) if _is_condition(e) else None


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


def _asked(
    cond: ir.Expr,
    answers: Mapping[str, ir.Call],
    copies: Mapping[str, ir.Expr],
    known: Mapping[str, ir.Expr],
) -> Asked:
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
        is_flag=not _compares(cond, test),
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
                return _folded(op, spell(left, depth), spell(right, depth))
            case ir.Cast(type, operand):
                return ir.Cast(type, spell(operand, depth, base=base))
        return e

    return spell(e, depth)


def _folded(op: str, left: ir.Expr, right: ir.Expr) -> ir.Expr:
    (a, m), (b, n) = _apart(left), _apart(right)
    number = arithmetic(op, m, n) if a is None and b is None else None
    return ir.Binary(op, left, right) if number is None else ir.Const(number)


def _is_spelled(value: ir.Expr) -> bool:
    return isinstance(value, ir.Field) or _is_condition(value)


def _is_condition(e: ir.Expr) -> bool:
    return isinstance(e, ir.Unary | ir.Binary) and (e.op == "!" or e.op in _TESTS)


def _uncast(e: ir.Expr) -> ir.Expr:
    while isinstance(e, ir.Cast):
        e = e.operand
    return e


def _is_difference(tested: ir.Expr) -> bool:
    return isinstance(tested, ir.Binary) and tested.op == "-"


def _compares(tested: ir.Expr, test: Comparison) -> bool:
    """Tell whether two numbers are compared of which neither is constant."""
    if test.exactly or not isinstance(tested, ir.Binary) or tested.op != "-":
        return False
    return not any(isinstance(x, ir.Name) and x.id.isupper() for x in (tested.left, tested.right))


#: What a comparison says of the difference of its sides, and whether that has to hold.
_TESTS = {op: test_of(op, 0) for op in MIRRORED}


def plain(cond: ir.Expr) -> tuple[ir.Expr, Comparison, bool]:
    """Return what a condition tests, the test, and whether the condition is its opposite.

    All who mean the same get the same, however they write it: what a comparison tests is a number
    or the difference of two, either without a constant.
    """
    test, negated = IS_ZERO, True
    while True:
        match cond:
            case ir.Cast(operand=operand):
                cond = operand
            case ir.Binary("^", left, right) if test == IS_ZERO:
                cond = ir.Binary("-", left, right)
            case ir.Binary("&", left, right) if test.exactly and (bits := _bits(left, right)):
                return _masked(*bits, test.number, negated=negated)
            case ir.Binary("-", left, right):
                (a, more), (b, less) = _apart(left), _apart(right)
                test = Comparison(test.number - more + less, test.exactly)
                if b is not None and (a is None or repr(b) < repr(a)):
                    a, b = b, a
                    negated = negated is test.exactly
                    test = Comparison(-test.number - (not test.exactly), test.exactly)
                if b is not None and a is not None:
                    return ir.Binary("-", a, b), test, negated
                cond = ir.Const(0) if a is None else a
            case ir.Binary("+") if (parts := _apart(cond))[0] not in (None, cond):
                cond, test = parts[0] or cond, Comparison(test.number - parts[1], test.exactly)
            case _ if test != IS_ZERO:
                return cond, test, negated
            case ir.Unary("!", operand):
                cond, negated = operand, not negated
            case ir.Binary(op, left, right) if op in _TESTS:
                cond = ir.Binary("-", left, right)
                test, held = _TESTS[op]
                negated = negated is not held
            case _:
                return cond, test, negated


def _bits(left: ir.Expr, right: ir.Expr) -> tuple[ir.Expr, int] | None:
    """Return the word and the mask, where one of two is constant."""
    for word, mask in ((left, right), (right, left)):
        if (bits := _apart(mask))[0] is None:
            return word, bits[1]
    return None


def _masked(
    word: ir.Expr, mask: int, number: int, *, negated: bool
) -> tuple[ir.Expr, Comparison, bool]:
    """Return the test of some bits of a word."""
    while True:
        match word:
            case ir.Cast(operand=word):
                pass
            case ir.Unary("~", word) if not number & ~mask:
                number = mask & ~number
            case _:
                return word, Comparison(number, mask=mask), negated


def _apart(e: ir.Expr) -> tuple[ir.Expr | None, int]:
    """Return an expression without the constant that is added to it (None: nothing), and that."""
    match e:
        case ir.Cast(operand=operand):
            return _apart(operand)
        case ir.Const(value):
            return None, value
        case ir.Unary("-", ir.Const(value)):
            return None, -value
        case ir.Binary("+" | "-" as op, left, right):
            (a, m), (b, n) = _apart(left), _apart(right)
            if b is None:
                return a, m + n if op == "+" else m - n
            if a is None and op == "+":
                return b, m + n
    return e, 0


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
