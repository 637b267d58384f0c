"""Lowered statements run as C says."""

from __future__ import annotations

import pytest

from analyzer.c import ir

from .code import lowered
from .machine import TrapError, run


def trace(body: str, *, params: str = "int a, int b, int c", answers=None, **values: int):  # type: ignore[no-untyped-def]
    """Run the only variant of f; fail where something was not understood."""
    function = lowered(body, params)
    assert () == function.gaps
    (variant,) = function.variants
    return run(variant, values, answers)


@pytest.mark.parametrize(
    ("values", "result"),
    [({"a": 1, "b": 1}, 1), ({"a": 1}, 2), ({"c": 1}, 3), ({}, 4)],
)
def test_if_else_chain(values: dict[str, int], result: int) -> None:
    body = "if (a && b) return 1; else if (a) return 2; else if (c) return 3; return 4;"

    assert (result, []) == trace(body, **values)


def test_short_circuits_evaluate_no_more_than_they_must() -> None:
    body = "return (f1(a) && f2(b)) || f3(c);"

    assert (1, ["f1(0)", "f3(0)"]) == trace(body, answers={"f3": [7]})
    assert (1, ["f1(0)", "f2(0)"]) == trace(body, answers={"f1": [1], "f2": [1]})
    assert (0, ["f1(0)", "f2(0)", "f3(0)"]) == trace(body, answers={"f1": [1]})


def test_macro_that_steps_through_numbers_is_a_loop_that_counts() -> None:
    body = "for_each_valid_pfn(a, b, b + c) { if (a == 3) continue; if (a == 5) break; g(a); }"

    assert (5, ["g(2)", "g(4)"]) == trace(f"{body} return a;", b=2, c=9)
    assert (2, []) == trace(f"{body} return a;", a=1, b=2)


def test_negation_of_a_conjunction_swaps_the_targets() -> None:
    body = "if (!(a && !b)) return 1; return 2;"

    assert [1, 1, 2, 1] == [trace(body, a=x, b=y)[0] for x, y in ((0, 0), (0, 1), (1, 0), (1, 1))]


def test_conditional_expression_runs_one_arm() -> None:
    assert (5, ["g(1)"]) == trace("return a ? g(a) : h(b);", a=1, answers={"g": [5]})
    assert (6, ["h(2)"]) == trace("return a ? g(a) : h(b);", b=2, answers={"h": [6]})


def test_conditional_without_a_middle_evaluates_its_condition_once() -> None:
    assert (3, ["g()"]) == trace("return g() ?: b;", answers={"g": [3]}, b=9)
    assert (9, ["g()"]) == trace("return g() ?: b;", b=9)


def test_conditional_as_a_condition_branches_on_its_arms() -> None:
    body = "if (a ? b : c) return 1; return 0;"

    assert 1 == trace(body, a=1, b=1)[0]
    assert 0 == trace(body, a=1, c=1)[0]
    assert 1 == trace(body, c=1)[0]


def test_increments_yield_the_value_that_c_says() -> None:
    assert 5 == trace("b = a++; return b;", a=5)[0]
    assert 6 == trace("b = ++a; return b;", a=5)[0]
    assert 10 == trace("b = a-- + 1; return a + b;", a=5)[0]


def test_assignment_is_a_value() -> None:
    assert (4, ["g()"]) == trace("if ((a = g())) return a; return -1;", answers={"g": [4]})
    assert (-1, ["g()"]) == trace("if ((a = g())) return a; return -1;")
    assert 3 == trace("a = b = 3; return a;")[0]


def test_compound_assignment_reads_and_writes_its_target() -> None:
    body = "a += b; a *= 2; a -= 1; a <<= 1; a |= 4; a &= ~2; return a;"

    assert 12 == trace(body, a=1, b=2)[0]


def test_comma_evaluates_from_left_to_right() -> None:
    assert (2, ["g(1)", "h(2)"]) == trace("return (g(1), h(2), 2);")


def test_statement_expression_yields_its_last_value() -> None:
    body = "a = ({ int t = g(b); if (t) h(t); t + 1; }); return a;"

    assert (5, ["g(2)", "h(4)"]) == trace(body, b=2, answers={"g": [4]})


def test_while_runs_until_its_condition_fails() -> None:
    assert (0, ["g(3)", "g(2)", "g(1)"]) == trace("while (a) g(a--); return a;", a=3)


def test_countdown_condition_uses_the_value_before() -> None:
    assert (None, ["g(10)", "g(11)"]) == trace("for (; a--; b++) g(b);", a=2, b=10)


def test_continue_in_for_runs_the_update() -> None:
    body = "for (a = 0; a < 4; a++) { if (a & 1) continue; if (a == 4) break; g(a); } return a;"

    assert (4, ["g(0)", "g(2)"]) == trace(body)


def test_break_leaves_the_innermost_loop() -> None:
    body = "for (a = 0; a < 2; a++) for (b = 0; ; b++) { if (b == 2) break; g(a, b); }"

    assert ["g(0, 0)", "g(0, 1)", "g(1, 0)", "g(1, 1)"] == trace(body)[1]


def test_do_runs_once_before_its_condition() -> None:
    assert (None, ["g()"]) == trace("do g(); while (a);")
    assert (None, ["g()", "g()"]) == trace(
        "do { g(); if (b) { b = 0; continue; } break; } while (1);", b=1
    )


def test_continue_in_do_evaluates_the_condition() -> None:
    assert ["g()", "h()"] == trace("do { g(); if (a) continue; k(); } while (h());", a=1)[1]


def test_do_while_zero_is_no_loop() -> None:
    function = lowered("do { if (a) break; g(); } while (0); return 1;")

    assert () == function.variants[0].loops
    assert (1, ["g()"]) == run(function.variants[0], {})
    assert (1, []) == run(function.variants[0], {"a": 1})


@pytest.mark.parametrize(
    ("value", "calls"),
    [(0, ["zero()", "one()"]), (1, ["one()"]), (2, ["two()"]), (3, ["two()"]), (9, ["other()"])],
)
def test_switch_falls_through(value: int, calls: list[str]) -> None:
    body = """switch (a) {
	case 0:
		zero();
		fallthrough;
	case 1:
		one();
		break;
	case 2:
	case 3: {
		two();
		break;
	}
	default:
		other();
	}"""

    assert calls == trace(body, a=value)[1]


def test_default_need_not_be_last() -> None:
    body = "switch (a) { default: g(); break; case 7: h(); } return 0;"

    assert ["h()"] == trace(body, a=7)[1]
    assert ["g()"] == trace(body, a=8)[1]


def test_switch_without_default_may_do_nothing() -> None:
    assert (2, []) == trace("switch (a) { case 7: h(); } return 2;", a=8)


@pytest.mark.parametrize(("value", "result"), [(9, 0), (10, 1), (15, 1), (16, 1), (17, 0)])
def test_case_ranges_include_their_ends(value: int, result: int) -> None:
    assert result == trace("switch (a) { case 10 ... 0x10: return 1; } return 0;", a=value)[0]


def test_switch_value_is_evaluated_once() -> None:
    assert (3, ["g()"]) == trace(
        "switch (g()) { case 1: return 1; case 2: return 2; case 3: return 3; } return 0;",
        answers={"g": [3]},
    )


def test_cases_inside_a_loop_of_the_switch_are_found() -> None:
    body = "switch (a) { case 0: while (b--) { g(); case 1: h(); } } return 0;"

    assert ["h()"] == trace(body, a=1)[1]
    assert ["g()", "h()"] == trace(body, b=1)[1]


def test_continue_in_a_switch_belongs_to_the_loop() -> None:
    body = "for (a = 0; a < 2; a++) { switch (a) { case 0: continue; default: break; } g(a); }"

    assert ["g(1)"] == trace(body)[1]


def test_goto_forward_and_backward() -> None:
    body = "again: g(a); if (a++ < 2) goto again; if (b) goto out; h(); out: return a;"

    assert (3, ["g(0)", "g(1)", "g(2)"]) == trace(body, b=1)
    assert (3, ["g(0)", "g(1)", "g(2)", "h()"]) == trace(body)


def test_goto_into_a_block_and_out_of_two_loops() -> None:
    body = "if (a) goto in; for (;;) { while (1) { in: g(); goto out; } } out: return 1;"

    assert (1, ["g()"]) == trace(body)
    assert (1, ["g()"]) == trace(body, a=1)


def test_a_label_may_end_a_block() -> None:
    assert (None, ["g()"]) == trace("if (a) goto out; g(); out: ;")
    assert (None, []) == trace("if (a) goto out; g(); out:", a=1)


def test_missing_label_is_a_gap() -> None:
    assert ["goto"] == [g.kind for g in lowered("goto nowhere;").gaps]


def test_fatal_assertion_stops_where_its_condition_holds() -> None:
    with pytest.raises(TrapError, match="!BUG_ON"):
        trace("BUG_ON(a || b); return 1;", b=1)
    assert (1, []) == trace("BUG_ON(a || b); return 1;")


def test_warning_goes_on_and_tells_whether_it_failed() -> None:
    assert (2, ["!WARN_ON_ONCE"]) == trace("if (WARN_ON_ONCE(a)) return 2; return 3;", a=1)
    assert (3, []) == trace("if (WARN_ON_ONCE(a)) return 2; return 3;")
    assert (1, ["!WARN_ON"]) == trace("b = WARN_ON(a == 4); return b;", a=4)
    assert (0, []) == trace("b = WARN_ON(a == 4); return b;", a=5)


def test_negated_warning() -> None:
    assert (2, ["!WARN_ON"]) == trace("if (!WARN_ON(a)) return 3; return 2;", a=1)


def test_format_arguments_of_a_warning_run_on_failure_only() -> None:
    assert ["g()", "!WARN"] == trace('WARN(a, "%d", g());', a=1)[1]
    assert [] == trace('WARN(a, "%d", g());')[1]


def test_nothing_follows_what_does_not_return() -> None:
    with pytest.raises(TrapError):
        trace("if (a) BUG(); return 1;", a=1)
    with pytest.raises(TrapError, match="panic"):
        trace('panic("no"); return 1;')


def test_likely_and_read_once_are_transparent() -> None:
    assert 1 == trace("if (unlikely(!likely(a))) return 1; return READ_ONCE(b);")[0]
    assert 8 == trace("if (unlikely(!likely(a))) return 1; return READ_ONCE(b);", a=1, b=8)[0]


def test_errors_in_pointers_are_numbers_below_zero() -> None:
    assert (1, []) == trace("return IS_ERR(a);", a=-5)
    assert (0, []) == trace("return IS_ERR(a);", a=0)
    assert (1, []) == trace("return IS_ERR_OR_NULL(a);", a=0)
    assert (-5, []) == trace("return PTR_ERR(ERR_PTR(a));", a=-5)


def test_stores_through_macros_are_assignments() -> None:
    assert 7 == trace("WRITE_ONCE(b, a + 1); return b;", a=6)[0]
    assert 7 == trace("smp_store_release(&b, a + 1); return smp_load_acquire(&b);", a=6)[0]
    assert 52 == trace("swap(a, b); return a * 10 + b;", a=2, b=5)[0]


def test_pointer_that_is_taken_from_its_variable_leaves_nothing_there() -> None:
    assert 50 == trace("b = no_free_ptr(a); return b * 10 + a;", a=5, b=2)[0]
    assert 5 == trace("return_ptr(a); return 1;", a=5)[0]


@pytest.mark.parametrize(
    ("call", "before", "answer", "after"),
    [
        ("atomic_read(&b)", 3, 3, 3),
        ("atomic_inc_return(&b)", 3, 4, 4),
        ("atomic_dec_return(&b)", 3, 2, 2),
        ("atomic_fetch_inc(&b)", 3, 3, 4),
        ("atomic_add_return(a, &b)", 3, 8, 8),
        ("atomic_sub_return(a, &b)", 3, -2, -2),
        ("refcount_dec_and_test(&b)", 3, 0, 2),
        ("refcount_dec_and_test(&b)", 1, 1, 0),
        ("xchg(&b, a)", 3, 3, 5),
        ("cmpxchg(&b, a, 9)", 3, 3, 3),
        ("cmpxchg(&b, a, 9)", 5, 5, 9),
        ("atomic_add_unless(&b, 2, a)", 3, 1, 5),
        ("atomic_add_unless(&b, 2, a)", 5, 0, 5),
        ("refcount_inc_not_zero(&b)", 3, 1, 4),
        ("refcount_inc_not_zero(&b)", 0, 0, 0),
    ],
)
def test_calls_that_count_are_assignments(call: str, before: int, answer: int, after: int) -> None:
    assert (answer, []) == trace(f"return {call};", a=5, b=before)
    assert (after, []) == trace(f"{call}; return b;", a=5, b=before)


def test_calls_that_store_a_number_are_assignments() -> None:
    assert (5, []) == trace("atomic_set(&b, a); return b;", a=5)
    assert (1, []) == trace("kref_init(&b); return kref_read(&b);")
    assert (4, []) == trace("kref_get(&b); atomic_inc(&b); refcount_dec(&b); return b;", b=3)


@pytest.mark.parametrize(
    "call",
    [
        "atomic_set(&page->_mapcount, -1)",
        "atomic_inc(&page->_refcount)",
        "atomic_inc(count)",
        "atomic_inc(counter_of(page))",
        "atomic_add(&page->users)",
    ],
)
def test_what_counts_for_a_page_or_elsewhere_is_a_call(call: str) -> None:
    (variant,) = lowered(f"{call};", "struct page *page, atomic_t *count").variants

    steps = [step for block in variant.blocks for step in block.instructions]

    assert not [step for step in steps if isinstance(step, ir.Assign)]
    assert call.partition("(")[0] in {
        step.callee.id
        for step in steps
        if isinstance(step, ir.Call) and isinstance(step.callee, ir.Name)
    }


def test_configuration_tests_are_names() -> None:
    (variant,) = lowered("if (IS_ENABLED(CONFIG_ODD)) return 1; return 0;").variants

    assert (1, []) == run(variant, {"CONFIG_ODD": 1})
    assert (0, []) == run(variant, {})


def test_build_time_checks_do_not_run() -> None:
    assert (None, []) == trace("BUILD_BUG_ON(g(a)); static_assert(sizeof(a) == h());")


def test_iterator_body_runs_while_there_is_an_element() -> None:
    body = "list_for_each_entry(a, &b, lru) { if (g(a)) break; h(a); } return 0;"
    answers = {"list_for_each_entry": [1, 1], "g": [0, 0]}

    assert 7 == len(trace(body, answers=answers)[1])
    assert 1 == len(trace(body)[1])


def test_iterator_without_braces_owns_the_next_statement() -> None:
    body = "for_each_odd_thing(a)\n\tg(a);\nh();"

    assert ["for_each_odd_thing(0)", "h()"] == trace(body)[1]
    assert ["for_each_odd_thing(0)", "g(0)", "for_each_odd_thing(0)", "h()"] == trace(
        body, answers={"for_each_odd_thing": [1]}
    )[1]


def test_a_function_named_like_an_iterator_is_called() -> None:
    assert (0, ["bus_for_each_dev(0)"]) == trace("a = bus_for_each_dev(b); return a;")
    assert (None, ["bus_for_each_dev(0)", "g()"]) == trace("bus_for_each_dev(b); g();")


def test_do_closed_by_an_iterator_is_a_loop() -> None:
    function = lowered("do { g(); } while_each_thread(a, b);")

    assert ["do"] == [loop.kind for loop in function.variants[0].loops]
    assert ["g()", "while_each_thread(0, 0)", "g()", "while_each_thread(0, 0)"] == run(
        function.variants[0], {}, {"while_each_thread": [1]}
    )[1]


def test_scoped_guard_runs_its_body_once() -> None:
    body = "scoped_guard(mutex, &b) { g(); if (a) break; h(); } k(); return 0;"

    assert ["g()", "h()", "k()"] == trace(body)[1][1:]
    assert ["g()", "k()"] == trace(body, a=1)[1][1:]


def test_what_is_named_as_a_scope_runs_what_follows_once() -> None:
    assert ["g()", "h()"] == trace("scoped_odd(&b) g(); h(); return 0;")[1][1:]
    assert ["g()", "h()"] == trace("scoped_odd() { g(); if (a) break; k(); } h();", a=1)[1][1:]


def test_type_that_is_left_to_the_value_is_some_type() -> None:
    assert (7, []) == trace("const auto x = a + 1; return x;", a=6)


def test_guard_is_an_opaque_call() -> None:
    (variant,) = lowered("guard(mutex)(&b); return 1;").variants

    (step,) = variant.blocks[0].instructions
    assert isinstance(step, ir.Call)
    assert isinstance(step.callee, ir.Opaque)


def test_a_macro_that_is_given_a_label_may_jump_there() -> None:
    (variant,) = lowered("get_or_fail(a, bad); return 0; bad: return 1;").variants

    returned = {b.end.value for b in variant.blocks if isinstance(b.end, ir.Return)}
    assert {ir.Const(0), ir.Const(1)} == returned


def test_asm_goto_may_jump_to_its_labels() -> None:
    (variant,) = lowered(
        'asm goto("1: jmp %l[bad]" : : "i" (a) : : bad); return 0; bad: return 1;'
    ).variants

    returned = {b.end.value for b in variant.blocks if isinstance(b.end, ir.Return)}
    assert {ir.Const(0), ir.Const(1)} == returned


def test_assembly_forgets_its_outputs_only() -> None:
    function = lowered('asm volatile("mov %1, %0" : "=r" (a), "+m" (*p) : "r" (b) : "memory");')

    (step,) = function.variants[0].blocks[0].instructions
    assert isinstance(step, ir.Havoc)
    assert {"a", "p"} == step.names
    assert () == function.gaps
