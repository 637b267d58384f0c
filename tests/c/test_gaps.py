"""What cannot be read is counted and forgets what it names; nothing around it is lost."""

from __future__ import annotations

import pytest

from analyzer.c.ir import Havoc, Variant

from .code import graph, lowered, unit


def forgotten(variant: Variant) -> set[str]:
    """Return the names that a variant forgets."""
    return {
        n for b in variant.blocks for i in b.instructions if isinstance(i, Havoc) for n in i.names
    }


def test_an_unreadable_statement_is_one_gap_between_calls() -> None:
    function = lowered("int x; g(); x = = a @ b; h();")

    (gap,) = function.gaps
    assert ("syntax", 3, "f") == (gap.kind, gap.line, gap.function)
    assert {"x", "a", "b"} == forgotten(function.variants[0])
    assert ["%1 = call g()", "%2 = call h()"] == [
        i for i in graph("int x; g(); x = = a @ b; h();")[0][3:].split("; ") if "call" in i
    ]


def test_an_unreadable_condition_goes_both_ways() -> None:
    body = "if (a $ $ b) g(); else h();"
    function = lowered(body)

    assert function.gaps
    dumped = "\n".join(graph(body))
    assert "call g()" in dumped
    assert "call h()" in dumped


def test_an_unreadable_block_does_not_lose_what_follows() -> None:
    function = lowered("while (a) { x = ) 2; } g();")

    assert function.gaps
    assert "call g()" in "\n".join(graph("while (a) { x = ) 2; } g();"))


@pytest.mark.parametrize(
    "body", ["UNKNOWN_PAIR(a)\n\tg(b);", "break;", "continue;", "int q(int z) { }"]
)
def test_what_only_looks_like_c_is_a_gap(body: str) -> None:
    assert lowered(body).gaps


def test_a_body_whose_braces_do_not_match_is_a_gap() -> None:
    u = unit("int f(int a)\n{\n\tif (a) {\n\tg();\n}\n\nint h(void)\n{\n\treturn 1;\n}\n")

    assert {"f", "h"} == u.definitions.keys()


def test_a_label_that_only_a_macro_knows_is_a_gap() -> None:
    (gap,) = lowered("CHECK_OR_LEAVE(a); return 0; leave: return 1;").gaps

    assert ("goto", "nothing in sight jumps to label leave") == (gap.kind, gap.detail)


def test_deep_nesting_is_a_gap() -> None:
    function = lowered("return " + "(" * 5000 + "a" + ")" * 5000 + ";")

    assert ["depth"] == [g.kind for g in function.gaps]
    assert () == function.variants
