"""Constants and prototypes are read from a file without its headers."""

from __future__ import annotations

import pytest

from analyzer.c.constants import constants, enumerators, evaluate
from analyzer.c.prototypes import prototypes

from .code import unit


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 << 4) | 0x3", 19),
        ("~0U & 0xff", 255),
        ("-5 / 2", -2),
        ("-5 % 2", -1),
        ("1 ? 2 : 3", 2),
        ("(unsigned long)4 << 1", 8),
        ("(__force gfp_t)BIT(3)", 8),
        ("(struct page *)0", 0),
        ("(KNOWN) - 1", 9),
        ("KNOWN == 10 && !0", 1),
        ("_AC(7, UL)", 7),
        ("GENMASK(7, 4)", 0xF0),
        ("'A'", 65),
        ("10UL > 9", 1),
        ("UNKNOWN", None),
        ("1 / 0", None),
        ("1 << 100000", None),
        ("f(1)", None),
        ("1 +", None),
        ("(1", None),
        ("1 2", None),
        ('"a"', None),
        ("", None),
        ("(" * 9000, None),
    ],
)
def test_evaluation(text: str, value: int | None) -> None:
    assert value == evaluate(text, {"KNOWN": 10}.get)


def test_macro_constants() -> None:
    u = unit(
        "#define A 0x10\n#define B (A << 1)\n#define C (D + 1) /* later */\n#define D 4\n"
        '#define LOOP LOOP2\n#define LOOP2 LOOP\n#define F(x) 3\n#define S "s"\n#define E\n'
        "#ifdef CONFIG_X\n#define G 1\n#define H 2\n#else\n#define G 0\n#define H 2\n#endif\n"
        "#define P E1\nenum { E0, E1 };\n"
    )

    assert {"A": 16, "B": 32, "C": 5, "D": 4, "H": 2, "P": 1} == constants(u)


def test_enumerators_count_on() -> None:
    u = unit(
        "enum odd {\n\tA,\n\tB = 5, /* x */\n\tC,\n\tD = C + 10,\n"
        "\tE = UNKNOWN,\n\tF,\n\tG = 'z',\n};\n"
        "enum { X = 1 << 3, Y = A };\nenum zone {\n#ifdef CONFIG_X\n\tLOW,\n#endif\n\tHIGH,\n};\n"
        "enum odd f(void)\n{\n\tenum { IN = 3 };\n}\n"
    )

    assert {
        "A": 0, "B": 5, "C": 6, "D": 16, "G": 122, "X": 8, "Y": 0, "LOW": 0, "HIGH": 1, "IN": 3,
    } == enumerators(u)  # fmt: skip


def test_prototypes_and_nothing_else() -> None:
    u = unit(
        "int f(int a, struct page *);\nextern void g(void);\nvoid __init h(const char *fmt, ...)\n"
        '\t__printf(1, 2);\nEXPORT_SYMBOL(x);\nMODULE_ODD("y");\nint v = k(1);\n'
        "int m(int a) { return n(a); }\nstruct s { int (*o)(int); };\n"
        "struct page *p(int (*fn)(int, int));\n"
        "#define Q(x) int q(x);\ntypedef int t(int);\n"
    )

    assert ["f", "g", "h", "p"] == [p.name for p in prototypes(u)]
