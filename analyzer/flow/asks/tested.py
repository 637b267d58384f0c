"""Read a condition as a test of a number, so that all who mean the same have the same."""

from __future__ import annotations

from analyzer.c import ir
from analyzer.flow.domain.numbers import IS_ZERO, Comparison
from analyzer.flow.domain.values import MIRRORED, arithmetic, test_of

#: What a comparison says of the difference of its sides, and whether that has to hold.
_TESTS = {op: test_of(op, 0) for op in MIRRORED}
#: The tests that a number passes where it is zero and no other does, as none is negative.
AT_ZERO = (IS_ZERO, Comparison(0, exactly=False))


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


def is_condition(e: ir.Expr) -> bool:
    """Tell whether an expression compares or negates."""
    return isinstance(e, ir.Unary | ir.Binary) and (e.op == "!" or e.op in _TESTS)


def folded(op: str, left: ir.Expr, right: ir.Expr) -> ir.Expr:
    """Return an operation, or the number that it comes to."""
    (a, m), (b, n) = _apart(left), _apart(right)
    number = arithmetic(op, m, n) if a is None and b is None else None
    return ir.Binary(op, left, right) if number is None else ir.Const(number)
