"""Macros expand as a preprocessor expands them."""

from __future__ import annotations

import pytest

from analyzer.c.dump import dump
from analyzer.c.lower import lower
from analyzer.c.macros import expand, macro_definitions

from .code import unit

MACROS = macro_definitions(
    unit(
        "#define ONE 1\n"
        "#define TWICE(x) ((x) + (x))\n"
        "#define PASTE(a, b) a##b\n"
        "#define NAMED(a, b) PASTE(a, b)\n"
        '#define TEXT(x) #x " is " x\n'
        "#define SELF(x) SELF(x + 1)\n"
        "#define PING PONG\n"
        "#define PONG PING\n"
        "#define LOG(fmt, ...) print(fmt, ##__VA_ARGS__)\n"
        "#define REST(a, b...) a(b)\n"
        "#define NOTHING() none\n"
        "#define LATER(x) x (2)\n"
        '#define QUOTED "a // b" /* c */ // d\n'
    )
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ONE + x", "1 + x"),
        ("TWICE(ONE)", "((1) + (1))"),
        ("TWICE (TWICE(y))", "((((y) + (y))) + (((y) + (y))))"),
        ("TWICE((a, b))", "(((a, b)) + ((a, b)))"),
        ("TWICE", "TWICE"),
        ("TWICE;", "TWICE;"),
        ("PASTE(ON, E)", "1"),
        ("PASTE(TWI, CE)(z)", "((z) + (z))"),
        ("PASTE(ONE, x)", "ONEx"),
        ("NAMED(ONE, x)", "1x"),
        ("PASTE(, x)", "x"),
        ('TEXT(a  "b")', '"a \\"b\\"" " is " a  "b"'),
        ("SELF(1)", "SELF(1 + 1)"),
        ("PING", "PING"),
        ('LOG("a")', 'print("a")'),
        ('LOG("a", b, c)', 'print("a",b, c)'),
        ("REST(f, a, b)", "f(a, b)"),
        ("NOTHING()", "none"),
        ("LATER(TWICE)", "((2) + (2))"),
        ("QUOTED", '"a // b"'),
        ('"ONE" ONEs xONE', '"ONE" ONEs xONE'),
        ("TWICE(a", "TWICE(a"),
    ],
)
def test_expansion(before: str, after: str) -> None:
    assert after == expand(before, MACROS)


def test_explosive_macros_come_to_an_end() -> None:
    text = "#define X0 a\n" + "".join(f"#define X{n} X{n - 1} X{n - 1}\n" for n in range(1, 40))

    assert expand("X39", macro_definitions(unit(text)))


def test_definitions() -> None:
    found = macro_definitions(
        unit(
            "#define A\n#define B(x, ...) x \\\n\ty /* z */\n"
            "#if 0\n#define C\n#endif\n# define D(\n"
        )
    )

    assert ["A", "B", "D"] == list(found)
    assert (None, "") == (found["A"].params, found["A"].body)
    assert (("x", "..."), "x\n\ty") == (found["B"].params, found["B"].body)


OPERATIONS = """
#define ODD_OPS(uname, lname)						\\
static __always_inline int Odd##uname(const struct odd *odd)		\\
{									\\
	return odd->kind == KIND_##lname;				\\
}									\\
static __always_inline void __SetOdd##uname(struct odd *odd)		\\
{									\\
	VM_BUG_ON_PAGE(Odd##uname(odd), odd);				\\
	odd->kind = KIND_##lname;					\\
}
"""


def test_macros_that_define_functions_can_be_read() -> None:
    text = expand("ODD_OPS(Blue, blue)", macro_definitions(unit(OPERATIONS)))
    made = unit(text)

    assert ["OddBlue", "__SetOddBlue"] == list(made.definitions)
    assert [
        "__SetOddBlue(odd)",
        "0: %1 = call OddBlue(odd); if %1 -> 1 else 2",
        "1: fatal VM_BUG_ON_PAGE(OddBlue(odd)); stop",
        "2: odd->kind = KIND_blue; return",
    ] == dump(lower(made, made.definitions["__SetOddBlue"][0])).split("\n")
