"""Preparation rewrites what the grammar cannot read, in place."""

from __future__ import annotations

import pytest

from analyzer.c.prepare import prepare


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("int __maybe_unused x;", "int                x;"),
        ("list_for_each_entry(a, b, c) {", "while              (a, b, c) {"),
        ("for_each_odd(z)\n\tg(z);", "while       (z)\n\tg(z);"),
        ("x = for_each_odd(z);", "x = for_each_odd(z);"),
        ("for_each_odd(z);", "for_each_odd(z);"),
        ("with_lock(a) {", "while    (a) {"),
        ("with_nothing() {", "while      (1) {"),
        ("scoped_guard(mutex, &l) {", "if          (mutex, &l) {"),
        ("scoped_odd(&l) {", "if        (&l) {"),
        ("scoped_odd()\n\tg();", "if       (1)\n\tg();"),
        ("x = scoped_odd(y);", "x = scoped_odd(y);"),
        ("auto x = y;", "any_ x = y;"),
        ("const auto *x = y;", "const any_ *x = y;"),
        ("auto int x;", "auto int x;"),
        ("g(struct page, x)", "g(       page, x)"),
        ("g(a, const struct page *)", "g(a,              page  )"),
        ("sizeof(struct page)", "0                  "),
        ("x = (struct page *)y;", "x = (struct page *)y;"),
        ("typeof(*p) q;", "typeof     q;"),
        ("case 1 ... 5:", "case 1 ||  5:"),
        ("static DEFINE_MUTEX(m);", "       DEFINE_MUTEX(m);"),
        ("DECLARE_BITMAP(m, 3) = { 0 };", "DECLARE_BITMAP(m, 3)        ;"),
        ('asm volatile("nop" ::: "memory");', "0                               ;"),
        ('asm("x" : : "i" (offsetof(struct s, m)));', "0                                       ;"),
        ('register long r asm("r3") = x;', "register long r           = x;"),
        ("static char s[3] __odd_section = x;", "static char s[3]               = x;"),
        ('printk(KERN_ERR __FILE__ ": x")', 'printk(         __FILE__ ": x")'),
        ("(size_t)-1", "(int   )-1"),
        ("(u8)-1", "(u8)-1"),
        ("do { } while_each_thread(a, b);", "do { } while            (a, b);"),
    ],
)
def test_rewriting(before: str, after: str) -> None:
    assert after == prepare(before.encode()).decode()


def test_attribute_macros_of_the_file() -> None:
    assert b"int     x;" == prepare(b"int odd x;", frozenset((b"odd",)))
    assert b"int        x;" == prepare(b"int odd(1) x;", frozenset((b"odd",)))
