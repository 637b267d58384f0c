"""A file's own macros and static functions are told from what the kernel has by their names."""

from __future__ import annotations

from analyzer.c import ir
from analyzer.c.lower import lower
from analyzer.c.own import (
    Own,
    ending_functions,
    own_functions,
    own_macros,
    plain_macros,
    plain_name,
    static_name,
)
from analyzer.c.unit import scan_unit

NAMES = frozenset({"get_page", "put_page"})


def lowered(text: str) -> ir.Function:
    unit = scan_unit("drivers/a.c", text.encode())
    own = Own(tuple(own_macros(unit, NAMES)), own_functions(unit, NAMES))
    return lower(unit, unit.definitions["f"][0], own=own)


def called(function: ir.Function) -> list[str]:
    return [
        step.callee.id
        for block in function.variants[0].blocks
        for step in block.instructions
        if isinstance(step, ir.Call) and isinstance(step.callee, ir.Name)
    ]


def test_macro_of_a_known_name_is_expanded() -> None:
    function = lowered("#define get_page(p) mark(p, 1)\nvoid f(void *p)\n{\n\tget_page(p);\n}\n")

    assert ["mark"] == called(function)


def test_macro_counts_from_where_it_is_defined_to_where_it_is_undefined() -> None:
    after = "#define get_page(p) mark(p)\n#undef get_page\nvoid f(void *p)\n{\n\tget_page(p);\n}\n"
    before = "void f(void *p)\n{\n\tget_page(p);\n}\n#define get_page(p) mark(p)\n"

    assert ["get_page"] == called(lowered(after)) == called(lowered(before))


def test_macro_of_another_name_stays_a_call() -> None:
    function = lowered("#define hold(p) mark(p)\nvoid f(void *p)\n{\n\thold(p);\n}\n")

    assert ["hold"] == called(function)


def test_name_in_its_own_macro_is_that_of_the_function() -> None:
    text = "#define get_page(p) do { mark(p); get_page(p); } while (0)\n"

    function = lowered(text + "void f(void *p)\n{\n\tget_page(p);\n}\n")

    assert ["mark", "get_page"] == called(function)


def test_expansion_has_the_place_of_the_call_and_gives_its_value() -> None:
    text = "#define get_page(p) ({ int n = count(p); n + 1; })\nint f(void *p)\n{\n"

    function = lowered(text + "\treturn get_page(p);\n}\n")

    step = function.variants[0].blocks[0].instructions[0]
    assert isinstance(step, ir.Call)
    assert (4, 4) == (step.span.line, step.span.end_line)
    end = function.variants[0].blocks[-1].end
    assert isinstance(end, ir.Return)
    assert ir.Binary("+", ir.Name("n"), ir.Const(1)) == end.value


def test_macro_that_cannot_be_read_is_a_gap_at_the_call() -> None:
    function = lowered("#define get_page(p) if (p) {\nvoid f(void *p)\n{\n\tget_page(p);\n}\n")

    assert [("syntax", 4)] == [(g.kind, g.line) for g in function.gaps]


def test_static_function_of_a_known_name_is_told_from_the_kernels() -> None:
    text = "static void get_page(void *p)\n{\n}\nvoid put_page(void *p)\n{\n}\n"

    function = lowered(text + "void f(void *p)\n{\n\tget_page(p);\n\tput_page(p);\n}\n")

    assert [static_name("get_page"), "put_page"] == called(function)
    assert "get_page" == plain_name(called(function)[0])


def test_path_ends_at_a_function_that_is_declared_not_to_come_back() -> None:
    text = "void halt(void) __attribute__((__noreturn__));\nvoid stop(void);\n"
    unit = scan_unit(
        "drivers/a.c", (text + "void f(int n)\n{\n\tif (n)\n\t\thalt();\n\tstop();\n}\n").encode()
    )

    function = lower(unit, unit.definitions["f"][0], own=Own(ends=ending_functions(unit)))

    assert {"halt"} == ending_functions(unit)
    assert ["halt", "stop"] == called(function)
    assert 1 == sum(isinstance(b.end, ir.Stop) for b in function.variants[0].blocks)


def test_arm_that_comes_back_counts_where_the_other_does_not() -> None:
    text = (
        "#ifdef CONFIG_A\nvoid __noreturn halt(void);\n#else\nstatic inline void halt(void)\n{\n}\n"
    )

    assert set() == ending_functions(scan_unit("drivers/a.h", (text + "#endif\n").encode()))


def test_macro_that_only_steps_what_it_is_passed_is_known() -> None:
    text = (
        "#define on(p) ((p)++)\n#define far(p, n) (p) += (n)\n"
        "#define both(p, n) \\\n\tdo { --(p); (n)--; } while (0)\n"
        "#define other(p) ((p)++ + left++)\n#define left(p) (left++)\n"
        "#define calls(p) ((p) = far_from(p))\n#define inside(p) ((p)->next++)\n"
    )

    assert ["on", "far", "both"] == [m[1] for m in plain_macros(scan_unit("a.c", text.encode()))]


def test_macro_that_steps_otherwise_elsewhere_stays_a_call() -> None:
    text = "#ifdef CONFIG_A\n#define on(p) ((p)++)\n#else\n#define on(p) ((p) += 2)\n#endif\n"

    assert [None] == [m[2] for m in plain_macros(scan_unit("a.c", text.encode()))]
