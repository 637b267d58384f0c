"""What is told of a function must be what its body does: in each context, in each state."""

from __future__ import annotations

import pytest
from fixture.harness import Case, assemble, common_files, load_cases, tree_of

from analyzer.base import AnalyzerError, Pair
from analyzer.c.unit import scan_unit
from analyzer.contracts import Contract, Effects, Known, Way
from analyzer.data import read_toml
from analyzer.effects.run import effects
from analyzer.migrations import known_migrations
from analyzer.tree import MemoryTree, Tree

DRIVER = "drivers/foo/foo.c"
HEAD = "#include <linux/mm.h>\n"
UNKNOWN = "pages of unknown origin"


def core(law: str = "strict", base: str = "after", **drivers: str) -> Tree:
    """Return the common core with drivers: `foo="..."` is drivers/foo/foo.c."""
    own = {f"drivers/{n}/{n}.c": HEAD + text for n, text in drivers.items()}
    return MemoryTree({**common_files(law, base), **own})


def alone(name: str, tree: Tree, *lines: tuple[str, int]) -> Effects:
    return effects(name, Pair(tree, tree), lines=lines)


def after(found: Effects) -> Contract:
    contract = found.contracts.after
    assert contract is not None
    return contract


def told(contract: Contract | None, pages: str = UNKNOWN, **arguments: str) -> set[str]:
    """Return what a contract says of some pages, under some arguments, in words."""
    assert contract is not None
    return {
        say(way)
        for context in contract.contexts
        if context.pages == pages and arguments.items() <= dict(context.constants).items()
        for way in context.ways
    }


def say(way: Way) -> str:
    ended = way.exit if way.outcome == "returns" else f"{way.outcome} at {way.operation}"
    to = f" to {way.given}" if way.given else ""
    value = f" returns {way.value}" if way.value else ""
    return f"{way.entry} -> {ended}{to}{value}".replace("->  ", "-> ")


SET = "static void foo_set(struct page *page)\n{\n\t__SetPageOffline(page);\n}\n"


def test_a_trap_is_told_for_each_state_that_traps() -> None:
    contract = after(alone("foo_set", core(foo=SET)))

    assert {
        "no type -> Offline",
        "Buddy or Offline or other type -> traps at __SetPageOffline(page)",
    } == told(contract)


GUARDED = """\
[[migration]]
name = "guard-type"
title = "guard pages have a type"
text = "They do."
types = ["Guard"]
sources = ["mm/guard.c"]
"""


def test_a_type_is_told_apart_where_the_function_sets_it_with_a_migration_and_without() -> None:
    text = SET + SET.replace("foo_set", "foo_guard").replace("Offline", "Guard")
    tree, known = core(foo=text), known_migrations(read_toml("x", GUARDED).tables("migration"))

    guard = after(effects("foo_guard", Pair(tree, tree), migrations=known))
    other = after(effects("foo_set", Pair(tree, tree), migrations=known))

    assert "no type -> Guard" in told(guard)
    assert "no type -> Guard" in told(after(alone("foo_guard", tree)))
    assert told(other) == told(after(alone("foo_set", tree)))


def test_the_law_of_the_tree_decides_what_traps() -> None:
    lenient, bits = (after(alone("foo_set", core(law, foo=SET))) for law in ("lenient", "bits"))

    assert "Offline -> as it was" in told(lenient)
    assert "Buddy or other type -> traps at __SetPageOffline(page)" in told(lenient)
    assert {"no type -> Offline", "Offline -> as it was"} <= told(bits)
    assert not any("traps" in way for way in told(bits))


def test_flags_are_told_apart_where_they_decide() -> None:
    text = (
        "static int foo_take(struct page *page)\n{\n\tif (PageReserved(page))\n\t\treturn -1;\n"
        "\t__SetPageOffline(page);\n\treturn 0;\n}\n"
    )

    contract = after(alone("foo_take", core("lenient", foo=text)))

    assert "any type, Reserved -> as it was returns -1" in told(contract)
    assert "no type, not Reserved -> Offline returns 0" in told(contract)


def test_known_arguments_and_populations_are_contexts() -> None:
    case = next(c for c in load_cases() if c.name == "topics/companion")
    scene = assemble(case, "strict")
    trees = Pair(scene.before, scene.after).map(tree_of)

    found = effects("toy_hold_ok", trees, sorted(scene.own))

    hot, bought = "hotplugged pages", "allocated pages"
    assert {"no type, Reserved -> Offline, Dirty"} == told(
        found.contracts.before, hot, onlined="false"
    )
    assert {"Offline -> Offline, Dirty"} == told(found.contracts.after, hot, onlined="false")
    assert {"no type -> Offline"} == told(found.contracts.after, bought, onlined="true")
    assert set() == told(found.contracts.after, hot, onlined="true")


def test_pages_that_the_origin_makes_are_named_by_their_population() -> None:
    found = alone("memmap_init_range", core(foo=SET))

    hot = told(after(found), context="MEMINIT_HOTPLUG", altmap="NULL")
    device = told(after(found), context="MEMINIT_HOTPLUG", zone="ZONE_DEVICE")
    assert {"any type -> Offline (hotplugged pages)"} == hot
    assert {"any type -> no type, Reserved (ZONE_DEVICE pages)"} == device


def test_a_hand_over_is_clean_or_a_leak_and_never_both() -> None:
    text = "void foo_drop(struct page *page)\n{\n\t__free_page(page);\n}\n"

    ways = told(after(alone("foo_drop", core(foo=text))))

    assert "no type, not Reserved -> to the buddy" in ways
    assert not any("Offline" in way and "to the buddy" in way for way in ways)
    assert any(way.startswith("any type, Reserved") and "leaks" in way for way in ways)
    assert any("Offline" in way and "not Reserved" in way and "leaks" in way for way in ways)


def test_a_list_is_where_a_page_goes() -> None:
    text = (
        "static LIST_HEAD(foo_kept);\n\n"
        "void foo_keep(struct page *page)\n{\n\tlist_add(&page->lru, &foo_kept);\n}\n" + SET
    )

    ways = told(after(alone("foo_keep", core(foo=text))))

    assert {"any type -> as it was to the list foo_kept"} == ways


def test_a_function_that_is_passed_no_page_tells_of_those_it_comes_by() -> None:
    text = (
        "int foo_fill(void)\n{\n\tstruct page *page = alloc_page(GFP_KERNEL);\n\n"
        "\tif (!page)\n\t\treturn -ENOMEM;\n\t__SetPageOffline(page);\n\treturn 0;\n}\n"
    )

    contract = after(alone("foo_fill", core(foo=text)))

    assert {" -> Offline (allocated pages) returns 0"} == told(contract, "pages met inside")


def test_callers_are_named() -> None:
    (context,) = [
        c
        for c in after(alone("free_pages_core", core(foo=SET))).contexts
        if c.pages == "hotplugged pages"
    ]

    assert ("generic_online_page()",) == context.callers


def test_what_is_known_at_a_line() -> None:
    text = SET + "void foo_use(struct page *page)\n{\n\tfoo_set(page);\n\tfoo_note(page);\n}\n"
    tree = core(foo=text)

    found = alone("foo_use", tree, (DRIVER, 4), (DRIVER, 8), (DRIVER, 1))

    assert [(Known("page", UNKNOWN, "Offline", ""),)] * 2 == [s.known for s in found.sightings[:2]]
    assert () == found.sightings[2].known
    assert ["foo_set", "foo_use", ""] == [s.place.function for s in found.sightings]


def test_a_function_that_one_tree_lacks_has_one_contract() -> None:
    trees = Pair(core(foo=""), core(foo=SET))

    added, removed = (
        effects("foo_set", trees, [DRIVER]),
        effects("foo_set", Pair(trees.after, trees.before), [DRIVER]),
    )

    assert added.contracts.before is None
    assert removed.contracts.after is None
    assert told(added.contracts.after) == told(removed.contracts.before) != set()


def test_an_ambiguous_name_lists_the_candidates() -> None:
    tree = core(foo=SET, bar=SET)

    with pytest.raises(AnalyzerError, match=r"(?s)2 files.*drivers/bar/bar.c:foo_set"):
        alone("foo_set", tree)
    assert DRIVER == after(alone(f"{DRIVER}:foo_set", tree)).place.file


def test_a_source_counts_before_the_stub_of_a_header() -> None:
    files = dict(common_files("strict", "after"))
    files["include/linux/foo.h"] = "static inline void foo_set(struct page *page)\n{\n}\n"
    files[DRIVER] = HEAD + SET

    assert DRIVER == after(alone("foo_set", MemoryTree(files))).place.file


@pytest.mark.parametrize("name", ["foo_gone", "drivers/bar.c:foo_set", f"{DRIVER}:foo_gone"])
def test_a_name_that_means_nothing_is_refused(name: str) -> None:
    with pytest.raises(AnalyzerError, match="no function of this name"):
        alone(name, core(foo=SET))


@pytest.mark.slow  # every function of every fixture
@pytest.mark.parametrize("case", load_cases(), ids=lambda c: c.name)
def test_every_function_has_a_contract_and_always_the_same(case: Case) -> None:
    scene = assemble(case, case.laws[0])
    trees = Pair(scene.before, scene.after).map(tree_of)
    own = sorted(scene.own)
    names = [
        f"{path}:{name}"
        for path in own
        if path.endswith(".c")
        for name in scan_unit(path, scene.after[path].encode()).definitions
    ]

    found = [effects(name, trees, own) for name in names]

    assert all(e.contracts.after is not None for e in found)
    assert found[-1:] == [effects(name, trees, own) for name in names[-1:]]


GIVES = """
static LIST_HEAD(foo_pages);

static void foo_keep(struct page *page)
{
	__SetPageOffline(page);
	list_add(&page->lru, &foo_pages);
}

static void foo_inflate(int n)
{
	while (n--)
		foo_keep(alloc_page(GFP_KERNEL));
}

static void foo_deflate(void)
{
	struct page *page, *tmp;

	list_for_each_entry_safe(page, tmp, &foo_pages, lru) {
		list_del(&page->lru);
		__ClearPageOffline(page);
		__free_page(page);
	}
}
"""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("foo_inflate", "-> Offline (allocated pages) to the list foo_pages"),
        ("foo_deflate", "-> to the buddy"),
    ],
)
def test_pages_that_a_function_comes_by_and_gives_away_are_told(name: str, said: str) -> None:
    found = told(after(alone(name, core(foo=GIVES))), "pages met inside")

    assert said in {way.strip() for way in found}


def test_an_element_of_an_array_of_lists_is_named_as_people_write_it() -> None:
    text = """
static void foo_sort(struct foo *foo, struct page *page, int n)
{
	__SetPageOffline(page);
	list_add(&page->lru, &foo_of(page)->lists[n]);
}
"""
    found = told(after(alone("foo_sort", core(foo=text))))

    assert "no type -> Offline to the list lists[]" in found


def test_what_calls_are_taken_to_do_without_being_followed_is_said() -> None:
    tree = core(foo=SET)

    assert "to make the page anew" in alone("__init_single_page", tree).taken
    assert "" == alone("foo_set", tree).taken


@pytest.mark.parametrize(
    ("passed", "said"), [("page", "no type -> to the buddy"), ("0", "any type -> as it was")]
)
def test_what_a_function_passes_its_page_to_is_read(passed: str, said: str) -> None:
    away = "void foo_page_give(struct page *page)\n{\n\tfree_reserved_page(page);\n}\n"
    text = f"void foo_drop(struct page *page)\n{{\n\tfoo_page_give({passed});\n}}\n"

    assert said in told(after(alone("foo_drop", core(foo=text, away=away))))
