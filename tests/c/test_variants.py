"""Functions with `#if` inside are read once for each way to compile them."""

from __future__ import annotations

import pytest

from analyzer.c.lower import lower

from .code import graph, lowered, unit
from .machine import run

SPLIT = """
#ifdef CONFIG_DEVICE
	if (a == DEVICE)
		first(a);
	else
#endif
		second(a);"""


def test_directive_between_if_and_else() -> None:
    assert [
        "variant CONFIG_DEVICE=y",
        "0: if a == DEVICE -> 1 else 2",
        "1: %1 = call first(a); -> 3",
        "2: %2 = call second(a); -> 3",
        "3: return",
        "variant CONFIG_DEVICE=n",
        "0: %1 = call second(a); return",
    ] == graph(SPLIT)


def test_else_if_chain_cut_by_a_directive() -> None:
    body = """	if (a)
		g();
#ifdef CONFIG_X
	else if (b)
		h();
#endif
	else
		k();"""
    with_x, without = lowered(body).variants

    assert ["h()"] == run(with_x, {"b": 1})[1]
    assert ["k()"] == run(with_x, {})[1]
    assert ["k()"] == run(without, {"b": 1})[1]


def conditions(body: str, **choices: object) -> list[str]:
    """Return the conditions of each variant, as `X=y`."""
    return [
        " ".join(f"{s}={'ny'[v]}" for s, v in variant.conditions)
        for variant in lowered(body, **choices).variants
    ]


def test_a_function_without_directives_has_one_variant() -> None:
    assert [""] == conditions("g();")


def test_dead_text_is_no_variant() -> None:
    assert [""] == conditions("#if 0\ng();\n#endif\nh();")
    assert ["0: %1 = call h(); return"] == graph("#if 0\ng();\n#else\nh();\n#endif")
    assert ["0: %1 = call g(); return"] == graph("#if 1\ng();\n#else\nh();\n#endif")


def test_symbols_are_assigned_consistently() -> None:
    body = "#ifdef CONFIG_X\ng();\n#endif\nh();\n#ifndef CONFIG_X\nk();\n#endif"

    assert ["CONFIG_X=y", "CONFIG_X=n"] == conditions(body)


def test_nested_and_conjoined_symbols() -> None:
    body = """#if defined(CONFIG_X) && IS_ENABLED(CONFIG_Y)
	g();
#elif defined(CONFIG_Z)
	h();
#else
	k();
#endif"""

    assert {"CONFIG_X=y CONFIG_Y=y"} < set(conditions(body))
    calls = [run(v, {})[1] for v in lowered(body).variants]
    assert [["g()"], ["h()"], ["k()"]] == calls


def test_equal_texts_are_one_variant() -> None:
    assert [""] == conditions("#ifdef CONFIG_X\n#endif\ng();")
    assert ["", "CONFIG_X=n CONFIG_Y=n"] == conditions(
        "#if defined(CONFIG_X) || defined(CONFIG_Y)\ng();\n#endif"
    )


def test_other_expressions_are_symbols_of_their_own() -> None:
    assert ["PAGE_SHIFT > 12=y", "PAGE_SHIFT > 12=n"] == conditions(
        "#if PAGE_SHIFT  >  12\ng();\n#endif"
    )


def test_configuration_fixes_symbols() -> None:
    assert ["0: %1 = call second(a); return"] == [
        line for line in graph(SPLIT) if line.startswith("0: %1")
    ]
    assert [""] == conditions(SPLIT, config={"CONFIG_DEVICE": False})
    assert 1 == len(lowered(SPLIT, config={"CONFIG_DEVICE": True}).variants)


def test_conditions_around_a_definition_hold_inside() -> None:
    body = "{\n#ifdef CONFIG_X\n\tg();\n#else\n\th();\n#endif\n}\n"
    u = unit(f"#ifdef CONFIG_X\nint f(void)\n{body}#endif\n")

    (variant,) = lower(u, u.definitions["f"][0]).variants
    assert ["g()"] == run(variant, {})[1]


@pytest.mark.parametrize("count", [5, 40])
def test_too_many_variants_are_a_gap(count: int) -> None:
    body = "\n".join(f"#ifdef CONFIG_{n}\ng{n}();\n#else\nh{n}();\n#endif" for n in range(count))
    function = lowered(body)

    assert ["variants"] == [g.kind for g in function.gaps]
    assert [
        [f"g{n}()" for n in range(count)],
        [f"h{n}()" for n in range(count)],
    ] == [run(v, {})[1] for v in function.variants]


def test_directives_inside_an_expression_and_an_initialiser() -> None:
    body = """
	x = g(a
#ifdef CONFIG_X
		+ 1
#endif
		);
	struct s v = {
#ifdef CONFIG_X
		.m = 2,
#endif
	};"""
    function = lowered(body)

    assert () == function.gaps
    assert [["g(1)"], ["g(0)"]] == [run(v, {})[1] for v in function.variants]


def test_definitions_inside_a_body_are_no_code() -> None:
    assert ["0: %1 = call g(); return"] == graph("#define X 1\n\tg();\n#undef X")


def test_gaps_of_two_variants_count_once() -> None:
    function = lowered("#ifdef CONFIG_X\ng();\n#endif\nx = = 2;")

    assert 2 == len(function.variants)
    assert 1 == len(function.gaps)
