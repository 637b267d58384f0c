"""Callers are read where what they pass can decide, and only there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fixture.harness import common_files

from analyzer.auditing import audit
from analyzer.migrations import migration_named
from analyzer.sites import Verdict
from analyzer.tree import MemoryTree

from .trees import audited, site

FILES = {
    **common_files("strict", "after"),
    "mm/toy_user.c": "int toy_use(struct page *page)\n{\n\treturn PageReserved(page);\n}\n",
}
CALLER = {
    "mm/toy_caller.c": "int toy_ask(unsigned long pfn)\n{\n\treturn toy_use(pfn_to_page(pfn));\n}\n"
}


@pytest.mark.parametrize(("moves", "read"), [(True, 1), (False, 0)])
def test_callers_are_read_where_pages_move(moves: bool, read: int) -> None:
    migration = migration_named("hotplug-offline")
    if not moves:
        migration = replace(migration, populations=())

    alone, called = (audit(MemoryTree(f), migration) for f in (FILES, FILES | CALLER))

    assert read == called.files_read - alone.files_read


PASSED = """
static int look(struct page *page)
{{
	return PageReserved(page);
}}

int look_at(struct toy *toy)
{{
	return look(toy->a_page) + look({passed});
}}
"""


@pytest.mark.parametrize(
    ("passed", "verdict", "missing"),
    [
        ("pfn_to_page(toy->b_frame)", Verdict.UNDECIDED, "toy->b_frame is read from memory"),
        ("toy->b_page", Verdict.UNAFFECTED, "a page that is handed on"),
    ],
)
def test_what_is_missing_is_where_a_number_comes_from_and_not_a_pointer(
    passed: str, verdict: Verdict, missing: str
) -> None:
    found = site(audited(PASSED.format(passed=passed)), "look")

    assert verdict is found.verdict
    assert missing in found.reason
    assert "a_page" not in found.reason


#: Each function hands the number on to the one above it.
CHAIN = "".join(
    f"static int step{n}(unsigned long pfn)\n{{{{\n\treturn step{n - 1}(pfn);\n}}}}\n\n"
    for n in range(1, 6)
)
LONG = f"""
static int step0(unsigned long pfn)
{{{{
	return PageReserved(pfn_to_page(pfn));
}}}}

{CHAIN}
int begin(struct toy *toy, unsigned long pfn)
{{{{
	{{stored}}
	return step5(toy->frame);
}}}}
"""


@pytest.mark.parametrize(
    ("stored", "verdict"),
    [
        ("toy->frame = page_to_pfn(alloc_page(GFP_KERNEL));", Verdict.UNAFFECTED),
        ("toy->frame = pfn;", Verdict.UNDECIDED),
    ],
)
def test_a_number_is_followed_through_a_chain_of_callers(stored: str, verdict: Verdict) -> None:
    assert verdict is site(audited(LONG.format(stored=stored)), "step0").verdict


BASE = """
static void find(unsigned long *frame)
{{
	*frame = page_to_pfn({page});
}}

static int look(unsigned long *base, int n)
{{
	unsigned long pfn;

	*base = 0;
	while (n--) {{
		if (*base)
			pfn = *base;
		else
			find(&pfn);
		*base = pfn;
	}}
	return PageReserved(pfn_to_page({used}));
}}
"""


@pytest.mark.parametrize(
    ("page", "used", "verdict"),
    [
        ("alloc_page(GFP_KERNEL)", "*base", Verdict.UNAFFECTED),
        ("pfn_to_page(toy_frame)", "*base", Verdict.UNDECIDED),
        ("alloc_page(GFP_KERNEL)", "*toy_base", Verdict.UNDECIDED),
    ],
)
def test_what_a_value_is_made_of_again_adds_nothing_to_where_it_comes_from(
    page: str, used: str, verdict: Verdict
) -> None:
    found = site(audited(BASE.format(page=page, used=used)), "look")

    assert verdict is found.verdict
