"""Lowered expressions and declarations have the shape that the analysis relies on."""

from __future__ import annotations

import pytest

from analyzer.c.dump import expression

from .code import graph, lowered


def value(text: str, params: str = "int a, struct page *page, struct list_head *head") -> str:
    """Return the dump of what `return text;` returns."""
    *_, last = [x for x in graph(f"return {text};", params) if x[:1].isdigit()]
    return last.rpartition("return ")[2]


@pytest.mark.parametrize(
    ("source", "spelled"),
    [
        ("&page->lru", "&page->lru"),
        ("(&page)->lru", "page.lru"),
        ("(*page).flags", "page->flags"),
        ("&*page", "page"),
        ("*&page", "page"),
        ("&page[2].flags", "&page[2].flags"),
        ("page->a.b[a + 1]", "page->a.b[a + 1]"),
        ("(unsigned long)page", "(unsigned long)page"),
        ("(struct page *)(void *)a", "(struct page *)((void *)a)"),
        ("(u64)-1", "(u64)-1"),
        ("(size_t)*page", "(size_t)(*page)"),
        ("(u8)&a", "(u8)(&a)"),
        ("(__force u32)a", "(u32)a"),
        ("(pfn_t)(a)", "(pfn_t)a"),
        ("a -1", "a - 1"),
        ("-EINVAL", "-EINVAL"),
        ("-1", "-1"),
        ("~a", "~a"),
        ("!!a", "!(!a)"),
        ("0x10UL", "16"),
        ("010", "8"),
        ("'a'", "97"),
        (r"'\n'", "10"),
        (r"'\\'", "92"),
        (r"'\0'", "0"),
        ("NULL", "0"),
        ("true", "1"),
        ('"ab" "cd"', '"abcd"'),
        (r'"say \"hi\""', '"say "hi""'),
        ("sizeof(struct page)", "<sizeof(struct page)>"),
        ("sizeof(*page) - 1", "<sizeof(*page)> - 1"),
        ("offsetof(struct page, lru.next)", "<offsetof(struct page, lru.next)>"),
        ("__builtin_constant_p(a)", "<__builtin_constant_p(a)>"),
        ("IS_ENABLED(CONFIG_ODD)", "CONFIG_ODD"),
        ("likely(a)", "a"),
        ("a << 2 | 1", "(a << 2) | 1"),
        ("(unsigned long)a + 1", "((unsigned long)a) + 1"),
        ("!a == 1", "(!a) == 1"),
        ("a & ~(a - 1)", "a & (~(a - 1))"),
        ("page[a-1].x-1", "page[a - 1].x - 1"),
        ("rcu_dereference(page->next)", "page->next"),
    ],
)
def test_expression(source: str, spelled: str) -> None:
    assert spelled == value(source)


@pytest.mark.parametrize(
    ("source", "spelled"),
    [
        ("g(a, &page->lru)", "%1 = call g(a, &page->lru)"),
        ("(*fp)(a)", "%1 = call *fp(a)"),
        ("fp(a)", "%1 = call *fp(a)"),
        ("(fp)(a)", "%1 = call *fp(a)"),
        ("typed(a)", "%1 = call *typed(a)"),
        ("page->ops->put(page)", "%1 = call page->ops->put(page)"),
        ("ops.put(page)", "%1 = call ops.put(page)"),
        ("table[a](page)", "%1 = call table[a](page)"),
        ("list_entry(head, struct page, lru)", "%1 = call list_entry(head, page, lru)"),
        ("container_of(page, const struct zone, x)", "%1 = call container_of(page, zone, x)"),
        ("min_t(unsigned int, a, 2)", "%1 = call min_t(int, a, 2)"),
        ("take(struct page *, a)", "%1 = call take(page, a)"),
        ("take(a, u8 *)", "%1 = call take(a, u8)"),
        ("set_online_page_callback(&f)", "%1 = call set_online_page_callback(&f)"),
        ('printk(KERN_INFO "x" FMT, a)', '%1 = call printk("x", a)'),
        ("g(h(a))", "%1 = call h(a); %2 = call g(%1)"),
        ("walk_system_ram_range(a, 1, head, &f)", "%1 = call f(a, 1, head)"),
        ("walk_system_ram_range(a, 1, head, f)", "%1 = call f(a, 1, head)"),
        (
            "walk_system_ram_range(a, 1, head, fp)",
            "%1 = call walk_system_ram_range(a, 1, head, fp)",
        ),
        ("walk_system_ram_range(a)", "%1 = call walk_system_ram_range(a)"),
    ],
)
def test_call(source: str, spelled: str) -> None:
    params = "int a, struct page *page, struct list_head *head, int (*fp)(int), probe_fn typed"

    assert f"0: {spelled}; return" in graph(f"{source};", params)


def test_a_variable_that_hides_a_function_like_macro_is_not_called() -> None:
    assert ["0: %1 = call zone_idx(a); zone_idx = %1; return"] == graph(
        "unsigned long zone_idx = zone_idx(a);"
    )


def test_arguments_that_are_types_do_not_become_variables() -> None:
    assert ["0: %1 = call g(unsigned); return"] == graph("g(unsigned);")


def test_increments_bind_tighter_than_what_precedes_them() -> None:
    """The grammar reads `!a++` as `(!a)++`."""
    assert ["0: %1 = a; a = a + 1; return !(!%1)"] == graph("return !!a++;")
    assert ["0: %1 = p->n; p->n = p->n - 1; return (u8)%1"] == graph("return (u8)p->n--;")
    assert ["0: %1 = p; p = p + 1; return -(*%1)"] == graph("return -*p++;")
    assert ["0: %1 = *p; *p = (*p) + 1; return %1"] == graph("return (*p)++;")


def test_side_effects_come_out_of_operands_in_order() -> None:
    assert ["0: %1 = call g(a); %2 = call h(b); return %1 + %2"] == graph("return g(a) + h(b);")


def test_target_with_a_side_effect_is_evaluated_once() -> None:
    assert ["0: %1 = p; p = p + 1; *%1 = (*%1) + a; return"] == graph("*p++ += a;")


def test_initialised_declarations() -> None:
    (variant,) = lowered("struct page *p = g(), **q, r[4], *s[2]; unsigned long n = 1;").variants

    assert {
        "p": "struct page *",
        "q": "struct page **",
        "r": "struct page []",
        "s": "struct page * []",
        "n": "unsigned long",
    } == variant.locals


def test_pointers_to_functions_and_prototypes() -> None:
    (variant,) = lowered("int (*fp)(int x) = g; int later(int); struct s { int b; } v;").variants

    assert ["fp", "v"] == list(variant.locals)
    assert "(" in variant.locals["fp"]


def test_annotations_are_no_part_of_a_type() -> None:
    (variant,) = lowered(
        "struct page __maybe_unused *p; char __user *u; int x __aligned(8) = 2;"
    ).variants

    assert {"p": "struct page *", "u": "char *", "x": "int"} == variant.locals


def test_typeof_declares() -> None:
    function = lowered("typeof(a) x = a; __typeof__(*p) *y = &x; __auto_type z = 1;")

    assert () == function.gaps
    assert {"x", "y", "z"} == function.variants[0].locals.keys()


def test_macros_that_declare() -> None:
    function = lowered(
        "LIST_HEAD(pages); static DEFINE_MUTEX(lock); DECLARE_BITMAP(map, 10) = { 0 };"
        "DEFINE_PER_CPU(struct x, y); XA_STATE(xas, &z, g(a));"
    )

    assert () == function.gaps
    assert "struct list_head" == function.variants[0].locals["pages"]
    assert {"pages", "lock", "map", "y", "xas"} == function.variants[0].locals.keys()
    assert "g" in graph("XA_STATE(xas, &z, g(a));")[0]


def test_a_static_variable_keeps_its_value() -> None:
    function = lowered("static int n = 3; return n++;")

    assert "static int" == function.variants[0].locals["n"]
    assert ["0: %1 = n; n = n + 1; return %1"] == graph("static int n = 3; return n++;")


def test_members_are_assigned_by_initialisers() -> None:
    assert ["0: v = 0; v.a = b; v.c = 0; v.c.d = 2; %1 = call g(); v.e.f = %1; return"] == graph(
        "struct x v = { .a = b, .c = { .d = 2 }, .e.f = g() };"
    )
    assert ["0: v = 0; return"] == graph("struct x v = {};")
    assert ["0: v = 0; return"] == graph("struct x v = { 0 };")
    assert ["0: v = <{...}>; v[0] = 5; v[1] = a; v[9] = 1; v[10] = 2; return"] == graph(
        "int v[20] = { 5, a, [9] = 1, 2 };"
    )


def test_compound_literal_is_a_temporary() -> None:
    assert ["0: %1 = 0; %1.a = b; %2 = call g(&%1); return"] == graph("g(&(struct x){ .a = b });")


def test_a_variable_that_hides_another_is_renamed() -> None:
    assert ["0: x = 1; x~2 = 2; a~2 = x~2; %1 = call g(x); return"] == graph(
        "int x = 1; { int x = 2; int a = x; } g(x);"
    )


def test_siblings_of_one_type_share_a_name() -> None:
    body = "{ int x = 1; } { int x = 2; } { long x = 3; }"

    assert ["0: x = 1; x = 2; x~2 = 3; return"] == graph(body)


def test_spans_cover_their_source() -> None:
    function = lowered("a = 1;\n\tb = g(a,\n\t      2);")
    (_, call, _) = function.variants[0].blocks[0].instructions

    assert (4, 6, 5, 10) == (
        call.span.line, call.span.column, call.span.end_line, call.span.end_column
    )  # fmt: skip


def test_loops_name_what_they_assign() -> None:
    (variant,) = lowered(
        "struct x s; int i, n, k, z[2]; k = 0;"
        "for (i = 0; i < a; i++) { n += i; g(&k); s.f = 1; z[i] = 2; p->q = k; h(b); }"
    ).variants

    (loop,) = variant.loops
    assert ("for", {"i", "n", "k", "s", "z"}) == (loop.kind, set(loop.assigns))


def test_iterators_assign_their_cursors() -> None:
    (variant,) = lowered(
        "struct page *pos, *next; struct list_head *h;"
        "list_for_each_entry_safe(pos, next, h, lru) g(pos);"
        "for_each_unheard_of(pos, h) g(pos);"
    ).variants

    assert [{"pos", "next"}, {"pos", "h"}] == [set(loop.assigns) for loop in variant.loops]
    assert {"iterator"} == {loop.kind for loop in variant.loops}


def test_nested_loops_nest() -> None:
    (variant,) = lowered("while (a) { do { b--; } while (b); for (;;) break; }").variants

    outer, *inner = variant.loops
    assert "while" == outer.kind
    assert all(loop.blocks < outer.blocks for loop in inner)
    assert all(loop.header in loop.blocks for loop in variant.loops)


def test_label_behind_a_loop_is_not_in_it() -> None:
    (variant,) = lowered("while (a) { if (b) goto out; g(); } h(); out: k();").variants

    (loop,) = variant.loops
    inside = {expression(i.callee) for n in loop.blocks for i in variant.blocks[n].instructions}
    assert {"g"} == inside
