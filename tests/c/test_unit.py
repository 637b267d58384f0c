"""Files are scanned without parsing: what is found, where it stands, under which conditions."""

from __future__ import annotations

import pytest

from analyzer.c.lower import lower
from analyzer.c.unit import called_names, comment_spans

from .code import unit


def names(text: str) -> list[str]:
    """Return the names of the functions that a file defines."""
    return list(unit(text).definitions)


@pytest.mark.parametrize(
    "text",
    [
        "int f(void)\n{\n}\n",
        "int f(void) {\n\treturn 1;\n}\n",
        "static inline int f(void) { return 1; }\n",
        "void __init f(void)\n{\n}\n",
        "void __odd_section f(int a) __acquires(lock)\n\t__releases(x)\n{\n}\n",
        "static struct page *\nf(int a,\n  int b)\n{\n}\n",
        "EXPORT_SYMBOL(x)\nint f(int a)\n{\n}\n",
        "__printf(1, 2) void f(const char *fmt, ...)\n{\n}\n",
        "static __printf(1, 2) void f(const char *fmt, ...)\n{\n}\n",
        "static int (*f(int a))(void)\n{\n}\n",
        "static int f(int (*g)(void), struct x y[])\n{\n}\n",
        "void __attribute__((weak)) f(int a)\n{\n}\n",
        "void __attribute__((weak)) __odd(1) f(int a)\n{\n}\n",
        "void f(int a) __acquires(x) __odd(y)\n{\n}\n",
        "typeof(int) f(void)\n{\n}\n",
        "#define BAD(x) { x\nint f(void)\n{\n}\n",
        "#define BAD(x) \\\n{ \\\n\tx\nint f(void)\n{\n}\n",
        '/* int g(void) { */ int f(void)\n{\n\tx = "}\\"{"; y = \'{\'; // }\n}\n',
        "struct s {\n\tint (*g)(int a);\n};\nint f(void)\n{\n}\nstruct s t = {\n\t.g = h,\n};\n",
        "int f(void) {\n\treturn 1;}\n\n#define X\nint g;\nstruct s {\n\tint a;\n};\n",
        "int f(void) { return 1;\n}\n",
        "int f(void) {\n\tif (a) { b(); } }\nstruct s { };\n",
        "enum { A, B };\nint f(void)\n{\n}\n",
        "int f(void)\n{\n#ifdef X\n\tif (a) {\n#else\n\tif (b) {\n#endif\n\t}\n}\n",
    ],
)
def test_the_function_is_found(text: str) -> None:
    assert ["f"] == names(text)


@pytest.mark.parametrize(
    "text",
    [
        "int f(void);\n",
        "struct f {\n\tint a;\n};\n",
        "define_odd(f) {\n\t.name = g(1),\n};\n",
        "int f[] = {\n\tg(1),\n};\n",
        "#if 0\nint f(void)\n{\n}\n#endif\n",
        "/*\nint f(void)\n{\n}\n*/\n",
        "#define f(x) do { \\\n\tx; \\\n} while (0)\n",
        "typedef int (*f)(void);\n",
        "",
    ],
)
def test_there_is_no_function(text: str) -> None:
    assert [] == names(text)


def test_several_definitions_under_conditions() -> None:
    u = unit(
        "#ifdef CONFIG_A\nint f(void)\n{\n}\n#else\nint f(void) { }\n#endif\n"
        "#if defined(CONFIG_B) && !IS_ENABLED(CONFIG_C)\nint g(void)\n{\n}\n#endif\n"
        "#if CONFIG_D > 2 || defined(CONFIG_E)\nint h(void)\n{\n}\n#else\nint h(void) {}\n#endif\n"
        "#ifndef _GUARD_H\n#ifndef CONFIG_F\nint k(void)\n{\n}\n#endif\n#endif\n"
        "#ifdef CONFIG_G\n#elif defined(CONFIG_H)\nint l(void)\n{\n}\n#endif\n"
    )

    assert {
        "f": [(("CONFIG_A", True),), (("CONFIG_A", False),)],
        "g": [(("CONFIG_B", True), ("CONFIG_C", False))],
        "h": [(), (("CONFIG_D > 2", False), ("CONFIG_E", False))],
        "k": [(("CONFIG_F", False),)],
        "l": [(("CONFIG_G", False), ("CONFIG_H", True))],
    } == {name: [d.conditions for d in found] for name, found in u.definitions.items()}


def test_spans_and_storage() -> None:
    u = unit("\n\nstatic int\nf(int a)\n{\n\tg();\n}\n")
    (f,) = u.definitions["f"]

    assert f.static
    assert (3, 1, 7, 2) == (f.span.line, f.span.column, f.span.end_line, f.span.end_column)
    assert "{" == u.source(f.body, f.body + 1)
    assert u.text[f.span.start : f.span.end].startswith(b"static int\nf(")


def test_one_unreadable_body_costs_one_function() -> None:
    assert ["f", "g"] == names("int f(void)\n{\n\tif (a) {\n}\n\nint g(void)\n{\n}\n")


def test_system_calls_have_a_name_and_parameters() -> None:
    u = unit("SYSCALL_DEFINE2(odd_call, int, fd, struct page __user *, p)\n{\n\treturn g(fd);\n}\n")
    function = lower(u, u.definitions["sys_odd_call"][0])

    assert () == function.gaps
    assert [("fd", "int"), ("p", "struct page *")] == [(p.name, p.type) for p in function.params]


def test_a_macro_in_capitals_may_define_a_function() -> None:
    assert ["trap"] == names("DEFINE_ODD_HANDLER(trap)\n{\n}\n")


def test_parameters_and_returned_type() -> None:
    u = unit(
        "static __always_inline const struct page *f(struct page __maybe_unused *page,\n"
        "\tunsigned long nr, enum zone_type, int (*fn)(int a, int b), char *argv[],\n"
        "\tint __user *u, struct mutex *m __acquires(m), ...)\n{\n}\n"
    )
    function = lower(u, u.definitions["f"][0])

    assert "const struct page *" == function.returns
    assert [
        ("page", "struct page *"),
        ("nr", "unsigned long"),
        ("", "enum zone_type"),
        ("fn", "int (*)(int a, int b)"),
        ("argv", "char * []"),
        ("u", "int *"),
        ("m", "struct mutex *"),
        ("", "..."),
    ] == [(p.name, p.type) for p in function.params]


def test_void_is_no_parameter() -> None:
    u = unit("int f(void)\n{\n}\n")

    assert () == lower(u, u.definitions["f"][0]).params


def test_called_names_cover_every_arm() -> None:
    u = unit(
        "int f(int a)\n{\n#ifdef CONFIG_X\n\tg(&h, ops->m);\n#else\n\tk (a);\n#endif\n"
        '\tif (a) /* no(1) */ return sizeof(a) + x; p("q(r)");\n}\n'
    )
    (f,) = u.definitions["f"]

    assert {"g", "k", "p"} == called_names(u, f)


@pytest.mark.parametrize(
    ("passed", "run"),
    [
        ("f(a, b), g(), NULL,\n\t\t&h", {"h"}),
        ("a, b, c, h", {"h"}),
        ("a, b, c, *h", set()),
        ("a", set()),
    ],
)
def test_called_names_hold_what_calls_run(passed: str, run: set[str]) -> None:
    u = unit(f"int f(int a)\n{{\n\twalk_system_ram_range({passed});\n\treturn k(z);\n}}\n")
    (f,) = u.definitions["f"]

    assert {"walk_system_ram_range", "k"} | run == called_names(u, f) - {"f", "g"}


def test_comments() -> None:
    u = unit('/* one */ int a; // two \\\n still\nchar *s = "/* no */"; /* three\n */\n')

    assert [(1, 1), (1, 2), (3, 4)] == [(s.line, s.end_line) for s in comment_spans(u)]


def test_blanked_text_keeps_offsets() -> None:
    u = unit('a /* b\n c */ "d\\"e" // f\n#define g \\\n h\ni\n')

    assert 'a     \n      "    "     \n#define g \\\n h\ni\n' == u.code.decode()
    assert len(u.text) == len(u.code) == len(u.flat)
    assert b"g" not in u.flat
    assert u.flat.endswith(b"\ni\n")
