"""A condition is read as a test of a number that holds for the same numbers as the condition."""

from __future__ import annotations

from c.machine import Machine
from hypothesis import assume, given
from hypothesis import strategies as st

from analyzer.c import ir
from analyzer.flow.asks.tested import plain
from analyzer.flow.domain.numbers import ANY, Comparison, Numbers

OPERATORS = ("+", "-", "*", "&", "|", "^", "==", "!=", "<", "<=", ">", ">=")
SMALL = st.integers(-4, 4)
CONSTANTS = st.one_of(
    st.builds(ir.Const, st.integers(0, 4)),
    st.builds(lambda n: ir.Unary("-", ir.Const(n)), st.integers(1, 4)),
)
TERMS = st.one_of(CONSTANTS, st.sampled_from([ir.Name("a"), ir.Name("b")]))
CONDITIONS = st.recursive(
    TERMS,
    lambda below: st.one_of(
        st.builds(ir.Unary, st.sampled_from("!~"), below),
        st.builds(ir.Cast, st.just("long"), below),
        st.builds(ir.Binary, st.sampled_from(OPERATORS), below, below),
    ),
    max_leaves=6,
)
TESTS = st.builds(Comparison, SMALL, st.booleans())
MASKED = st.integers(0, 15).flatmap(
    lambda mask: st.builds(lambda number: Comparison(number & mask, mask=mask), st.integers(0, 15))
)


def holds(test: Comparison, number: int) -> bool:
    if test.mask is not None:
        number &= test.mask
    return number == test.number if test.exactly else number <= test.number


@given(CONDITIONS, SMALL, SMALL)
def test_a_condition_is_the_test_that_it_is_read_as(cond: ir.Expr, a: int, b: int) -> None:
    machine = Machine({"a": a, "b": b}, {})

    tested, test, negated = plain(cond)

    assert bool(machine.value(cond)) is (holds(test, machine.value(tested)) is not negated)


@given(st.sampled_from(OPERATORS), SMALL, SMALL)
def test_comparisons_that_mean_the_same_are_read_alike(op: str, n: int, more: int) -> None:
    mirrored = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}.get(op)
    assume(mirrored is not None)
    assert mirrored is not None, "assumed"
    a, b = ir.Name("a"), ir.Name("b")
    one = ir.Binary(op, ir.Binary("+", a, ir.Const(n)), b)

    assert plain(one) == plain(ir.Binary(mirrored, b, ir.Binary("-", a, ir.Const(-n))))
    assert plain(one) != plain(ir.Binary(op, ir.Binary("+", a, ir.Const(n + more * more + 1)), b))


@given(SMALL, st.integers(0, 15))
def test_a_mask_may_stand_on_either_side(n: int, mask: int) -> None:
    word, bits = ir.Name("a"), ir.Const(mask)

    one = ir.Binary("==", ir.Binary("&", word, bits), ir.Const(n))

    assert plain(one) == plain(ir.Binary("==", ir.Const(n), ir.Binary("&", bits, word)))
    assert plain(one)[0] == word


@given(st.lists(st.tuples(TESTS, st.booleans()), max_size=6))
def test_numbers_are_those_that_passed_every_test(told: list[tuple[Comparison, bool]]) -> None:
    known: Numbers | None = ANY
    for test, held in told:
        known = known.passing(test, held=held) if known is not None else None

    left = {n for n in range(-9, 10) if all(holds(test, n) is held for test, held in told)}

    if known is None:
        assert not left
        return
    low = -9 if known.low is None else known.low
    high = 9 if known.high is None else known.high
    assert left == set(range(low, high + 1)) - known.but
    assert known.may_count is any(n >= 0 for n in left)


@given(st.lists(st.tuples(MASKED, st.booleans()), max_size=6))
def test_bits_are_those_that_passed_every_test(told: list[tuple[Comparison, bool]]) -> None:
    known: Numbers | None = ANY
    for test, held in told:
        known = known.passing(test, held=held) if known is not None else None

    left = {n for n in range(16) if all(holds(test, n) is held for test, held in told)}

    may = {
        n
        for n in range(16)
        if known is not None
        and n & known.ones == known.ones
        and not n & known.zeros
        and all(n & mask != number for mask, number in known.unlike)
    }
    assert left == may
