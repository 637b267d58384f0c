"""Know the functions of the kernel that lead to no page's state, whatever they are passed."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import cache

from analyzer.data import Table, read_facts

#: Whatever may be a page, or speaks of where pages come from; told by a part of the word.
_PAGES = re.compile(
    r"page(?!d)|folio|pfn|memmap|memremap|memblock|notif|offline|hotplug|balloon|virt_to|phys_to"
    r"|to_virt|to_phys|_pa\b|_va\b|bootmem|free_reserved|initmem|contig",
    re.IGNORECASE,
)
_SIZE = "PAGE_SIZE"
#: A pattern that says no more than how names begin, as most do.
_BEGINNING = re.compile(r"\w+\*")


@cache
def speaks_of_pages(word: str) -> bool:
    """Tell whether a word is one for pages, or for where they come from."""
    return word != _SIZE and _PAGES.search(word) is not None


@cache
def is_harmless(name: str) -> bool:
    """Tell whether the facts say that a function leads to no page's state.

    That holds of a name that does not speak of pages; the facts are not to list exceptions.
    """
    exact, beginnings, others = _harmless()
    return name in exact or name.startswith(beginnings) or others.match(name) is not None


@cache
def _harmless() -> tuple[frozenset[str], tuple[str, ...], re.Pattern[str]]:
    """Return the names, with what names begin, and what the rest of the patterns match."""
    table = Table("queries/kernel/aside.toml", read_facts("kernel/aside.toml"))
    names = [n for t in table.tables("aside") for n in t.only("names", "source").texts("names")]
    patterns = {n for n in names if "*" in n or "[" in n}
    plain = {n for n in patterns if _BEGINNING.fullmatch(n)}
    others = "|".join(map(translate, sorted(patterns - plain)))
    return frozenset(names) - patterns, tuple(n[:-1] for n in plain), re.compile(others)
