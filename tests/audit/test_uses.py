"""Every use is found, by whatever name, and every other mention is explained."""

from __future__ import annotations

import re

from fixture.harness import common_files

from analyzer.audit.names import names_of
from analyzer.audit.uses import Found, find_uses
from analyzer.budget import Budget
from analyzer.pages.facts import load_facts
from analyzer.program.cache import Cache
from analyzer.program.program import Program
from analyzer.tree import MemoryTree

from .trees import FILE, MIGRATION

SOURCE = """\
// SetPageReserved in a comment, and one more: PageReserved
#define pinned (1UL << PG_reserved)
#define drop_page(page) free_reserved_page(page)
extern void mark_page_reserved(struct page *page);
static const unsigned long table[] = { pinned, 0 };

void uses(struct page *page)
{
	if (PageReserved(page)) /* PageReserved, again */
		pr_info("PageReserved() \\" PageReserved()");
	drop_page(page);
	test_bit(PG_reserved, &page->flags);
}
EXPORT_SYMBOL(mark_page_reserved);
#if 0
void never(struct page *page) { SetPageReserved(page); }
#endif
"""


def found_in(**files: str) -> Found:
    """Return what is found in some files beside the core."""
    tree = MemoryTree({**common_files("strict", "after"), **files})
    facts = load_facts()
    law = Cache().law(tree.read("include/linux/page-flags.h") or b"", (*facts.types, *facts.beside))
    program = Program(tree.read, tree.search, Cache(), {}, Budget())
    return find_uses(names_of(law.space, MIGRATION), program, tree)


def in_toy(found: Found) -> list[tuple[int, str, str]]:
    """Return line, word and verb of the uses in the toy driver."""
    return [(u.span.line, u.name.word, u.name.verb) for u in found.uses if u.file == FILE]


def test_uses_are_found_through_macros_and_by_the_bit() -> None:
    found = found_in(**{FILE: SOURCE})

    assert [
        (5, "pinned", "names"),
        (9, "PageReserved", "reads"),
        (11, "drop_page", "clears"),
        (12, "PG_reserved", "names"),
    ] == in_toy(found)


def test_every_other_mention_is_explained_by_its_kind() -> None:
    found = found_in(**{FILE: SOURCE})

    kinds = [(m.span.line, m.kind) for m in found.mentions if m.span.file == FILE]
    assert [
        (1, "comment"),
        (1, "comment"),
        (2, "definition"),
        (2, "wrapper"),
        (3, "definition"),
        (3, "wrapper"),
        (4, "definition"),
        (9, "comment"),
        (10, "string"),
        (10, "string"),
        (14, "definition"),
        (16, "dead"),
    ] == kinds


def test_uses_and_mentions_are_all_that_a_word_search_finds() -> None:
    found = found_in(**{FILE: SOURCE})

    words = re.compile(rf"\b(?:{'|'.join(found.names)})\b")
    assert len(words.findall(SOURCE)) == sum(
        s.span.file == FILE for s in (*found.uses, *found.mentions)
    )


def test_a_macro_of_one_file_is_no_name_in_another() -> None:
    other = "int pinned(void)\n{\n\treturn 0;\n}\n"

    found = found_in(**{FILE: SOURCE, "drivers/toy/other.c": other})

    assert not [u for u in found.uses if u.file == "drivers/toy/other.c"]


def test_an_inline_function_of_a_common_header_is_a_name_too() -> None:
    header = """\
static inline void keep(struct page *page)
{
	SetPageReserved(page);
}
"""
    user = "void user(struct page *page)\n{\n\tkeep(page);\n}\n"

    found = found_in(**{"include/linux/keep.h": header, FILE: user})

    assert [(3, "keep", "sets")] == in_toy(found)


def test_a_known_user_may_leave_the_work_to_a_static_function() -> None:
    memblock = """\
static unsigned long do_free_area(unsigned long pfn, unsigned long end)
{
	for (; pfn < end; pfn++)
		free_reserved_page(pfn_to_page(pfn));
	return end;
}

unsigned long free_reserved_area(void *start, void *end, int poison, const char *s)
{
	return do_free_area(__pa(start), __pa(end));
}
"""
    driver = "void toy_drop(void *a, void *b)\n{\n\tfree_reserved_area(a, b, 0, 0);\n}\n"

    found = found_in(**{"mm/toyblock.c": memblock, FILE: driver})

    assert [(3, "free_reserved_area", "clears")] == in_toy(found)


ALIASES = """\
enum toy_flags {
	TOY_kernel = PG_locked,
	TOY_held = PG_reserved,	/* as PG_reserved */
	TOY_next = PG_reserved + 1,
};

static inline bool toy_is_held(struct ptdesc *pt)
{
	return test_bit(TOY_held, &pt->flags);
}

static inline void toy_hold(struct ptdesc *pt)
{
	__set_bit(TOY_held, &pt->flags);
}

static inline bool toy_is_kernel(struct ptdesc *pt)
{
	return test_bit(TOY_kernel, &pt->flags) && TOY_next;
}
"""


def test_an_enumerator_that_is_given_a_bit_is_that_bit() -> None:
    user = """\
void toy_swap(struct ptdesc *pt)
{
	if (toy_is_held(pt) && toy_is_kernel(pt))
		toy_hold(pt);
}
"""
    found = found_in(**{"include/linux/toy.h": ALIASES, FILE: user})

    assert [(3, "toy_is_held", "reads"), (4, "toy_hold", "sets")] == in_toy(found)
    assert [(9, "TOY_held"), (14, "TOY_held")] == [
        (u.span.line, u.name.word) for u in found.uses if u.file == "include/linux/toy.h"
    ]


def test_assembly_is_searched_as_well() -> None:
    found = found_in(**{"arch/toy/entry.S": "\ttst\tx0, #PG_reserved\n"})

    assert [("arch/toy/entry.S", 1)] == [
        (u.file, u.span.line) for u in found.uses if u.file.endswith(".S")
    ]


# -- names that macros put together ---------------------------------------------------------------

PASTING = """\
#define FLAG_NAME(x) { 1UL << PG_##x, __stringify(x) }
#define NAMES FLAG_NAME(reserved), FLAG_NAME(locked)
#define SET(Flag, page) SetPage##Flag(page)
#define MARK(what, page) SET(what, page)
#define TEST(Flag, page) Page ## Flag(page)
static const struct names names[] = { NAMES };

int uses(struct page *page)
{
	MARK(Reserved, page); /* SET(Reserved, page) */
	MARK(Dirty, page);
	SET(Reserved, page);
	return TEST(Offline, page) + test_bit(PG_##reserved, &page->flags);
}
"""


def test_a_name_is_used_where_a_macro_puts_it_together() -> None:
    found = found_in(**{FILE: PASTING})

    assert [
        (6, "NAMES", "names"),
        (10, "SetPageReserved", "sets"),
        (12, "SetPageReserved", "sets"),
        (13, "PageOffline", "reads"),
    ] == in_toy(found)
    assert [False, True, True, True] == [u.pasted for u in found.uses if u.file == FILE]
    assert [True, False, False, False] == [u.spelled for u in found.uses if u.file == FILE]


def test_a_pasting_macro_of_a_header_counts_in_every_file() -> None:
    header = "#define PIN(Flag, page) SetPage##Flag(page)\n"
    user = "void user(struct page *page)\n{\n\tPIN(Reserved, page);\n}\n"

    found = found_in(**{"include/linux/pin.h": header, FILE: user, "lib/other.c": user})

    assert [(3, "SetPageReserved", "sets")] == in_toy(found)
    assert "lib/other.c" in {u.file for u in found.uses}


def test_a_pasting_macro_of_one_file_counts_in_no_other() -> None:
    user = "void user(struct page *page)\n{\n\tMARK(Reserved, page);\n}\n"

    found = found_in(**{FILE: PASTING, "drivers/toy/other.c": user})

    assert not [u for u in found.uses if u.file == "drivers/toy/other.c"]


def test_what_makes_accessors_is_no_use_of_them() -> None:
    header = """\
#define TOYFLAG(Name, name)						\\
static inline int PageToy##Name(const struct page *page)		\\
{ return test_bit(PG_##name, &page->flags); }
TOYFLAG(Reserved, reserved)
"""

    found = found_in(**{"include/linux/toy.h": header})

    assert not [u for u in found.uses if u.file == "include/linux/toy.h"]


def test_a_call_in_what_a_macro_makes_of_a_file_is_a_use() -> None:
    event = """\
TRACE_EVENT(toy,
	TP_PROTO(struct page *page),
	TP_fast_assign(
		__entry->count = page_ref_count(page);
		__entry->held = PageReserved(page);
	)
);
extern int PageReserved(struct page *page);
"""

    found = found_in(**{FILE: event})

    assert [(5, "PageReserved", "reads")] == in_toy(found)


def test_a_bit_beside_its_name_in_words_is_told_to_a_reader() -> None:
    table = """\
static const struct names names[] = {
	{ 1UL << PG_reserved, "reserved" },
	{ 1UL << PG_reserved, "offline" },
	{ 1UL << PG_reserved, REPORT },
};
"""

    found = found_in(**{FILE: table})

    assert [True, False, False] == [u.spelled for u in found.uses if u.file == FILE]


def test_what_a_file_calls_by_the_name_of_an_accessor_is_none() -> None:
    text = "{define}\nint toy_decode(int flags, struct page *page)\n{{\n\treturn {use};\n}}\n"
    value = text.format(define="#define PageReserved (1 << 29)", use="flags & PageReserved")
    again = text.format(define="#define PageReserved TestReserved", use="flags & PageReserved")
    wraps = text.format(define="#define PageReserved SetPageReserved", use="PageReserved(page)")
    called = text.format(define="", use="PageReserved(page)")

    assert [[], [], [4], [4]] == [
        [line for line, word, _ in in_toy(found_in(**{FILE: source})) if word == "PageReserved"]
        for source in (value, again, wraps, called)
    ]
