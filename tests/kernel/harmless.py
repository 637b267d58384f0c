"""Rewrite the finished change without a difference to any page."""

from __future__ import annotations

from dataclasses import dataclass

from .edits import Change, Edit, Swap
from .pieces import ALLOC, HOTPLUG, HYPERV, INIT, VIRTIO, XEN
from .places import (
    APPEND,
    CLEAR,
    DEFLATE,
    FAKE_ONLINE,
    FREE_CORE,
    INIT_RANGE,
    ONLINE,
    ONLINE_ONE,
    ONLINE_PAGE,
    RETRIEVE,
    SELF_HOSTED,
    SET,
)

MOVE = "move_pfn_range_to_zone"


@dataclass(frozen=True, slots=True)
class Harmless:
    """An edit that must draw no finding at warning or above."""

    name: str
    edits: tuple[Change, ...]


def _edit(name: str, *edits: Change) -> Harmless:
    return Harmless(name, edits)


def _append_guard(name: str, test: str) -> Harmless:
    """Spell the guard of the balloon's mark in another way."""
    return _edit(name, Edit(XEN, APPEND, "if (!PageOffline(page))", test))


SPELLINGS = (
    _edit("rename a parameter", Edit(VIRTIO, SET, "onlined", "was_onlined", every=True)),
    _edit("rename a page", Edit(HYPERV, ONLINE_ONE, "pg", "p", every=True)),
    _edit("rename a local", Edit(VIRTIO, FAKE_ONLINE, "order", "chunk_order", every=True)),
    _edit(
        "another comment",
        Edit(ALLOC, FREE_CORE, "manually. */", "manually, see memblock_free_all(). */"),
    ),
    _append_guard("unlikely", "if (unlikely(!PageOffline(page)))"),
    _append_guard("test the folio", "if (!folio_test_offline(page_folio(page)))"),
    _append_guard("remember the test", "bool marked = PageOffline(page);\n\n\tif (!marked)"),
    _edit(
        "compare with zero",
        Edit(HYPERV, ONLINE_ONE, "else if (!PageOffline(pg))", "else if (PageOffline(pg) == 0)"),
    ),
    _edit(
        "a variable for a condition",
        Edit(
            HYPERV,
            ONLINE_ONE,
            "if (!has_pfn_is_backed(has, page_to_pfn(pg))) {",
            "const bool backed = has_pfn_is_backed(has, page_to_pfn(pg));\n\n\tif (!backed) {",
        ),
    ),
    _edit(
        "a variable for the context",
        Edit(ALLOC, FREE_CORE, "unlikely(context == MEMINIT_HOTPLUG)", "unlikely(hotplug)"),
        Edit(
            ALLOC,
            FREE_CORE,
            "unsigned int loop;",
            "unsigned int loop;\n\tconst bool hotplug = context == MEMINIT_HOTPLUG;",
        ),
    ),
    _edit(
        "a variable in the initialiser",
        Edit(INIT, INIT_RANGE, "if (context == MEMINIT_HOTPLUG) {", "if (hotplug) {"),
        Edit(
            INIT,
            INIT_RANGE,
            "struct page *page;",
            "const bool hotplug = context == MEMINIT_HOTPLUG;\n\tstruct page *page;",
        ),
    ),
    _edit(
        "a variable for a constant",
        Edit(HOTPLUG, ONLINE, "__free_pages_core(page, order, MEMINIT_HOTPLUG);", "%"),
        Edit(
            HOTPLUG,
            ONLINE,
            "%",
            "const enum meminit_context context = MEMINIT_HOTPLUG;\n\n"
            "\t__free_pages_core(page, order, context);",
        ),
    ),
    _edit(
        "a variable for the zone",
        Edit(HOTPLUG, MOVE, "memmap_init_range(nr_pages, nid, zone_idx(zone),", "%"),
        Edit(HOTPLUG, MOVE, "%", "memmap_init_range(nr_pages, nid, idx,"),
        Edit(
            HOTPLUG,
            MOVE,
            "int nid = pgdat->node_id;",
            "const unsigned long idx = zone_idx(zone);\n\tint nid = pgdat->node_id;",
        ),
    ),
    _edit(
        "split a declaration",
        Edit(
            HOTPLUG,
            SELF_HOSTED,
            "struct page *page = pfn_to_page(pfn + i);",
            "struct page *page;\n\n\t\tpage = pfn_to_page(pfn + i);",
        ),
    ),
    _edit(
        "add to the page, not to the frame",
        Edit(XEN, "xen_online_page", "pfn_to_page(start_pfn + i);", "pfn_to_page(start_pfn) + i;"),
    ),
    _edit(
        "add the other way round",
        Edit(VIRTIO, FAKE_ONLINE, "page = pfn_to_page(pfn + i);", "page = pfn_to_page(i + pfn);"),
    ),
    _edit(
        "shift instead of PFN_DOWN",
        Edit(
            VIRTIO,
            ONLINE_PAGE,
            "pfn_to_page(PFN_DOWN(addr))",
            "pfn_to_page(addr >> PAGE_SHIFT)",
        ),
    ),
)

FLOWS = (
    _edit(
        "swap the arms",
        Edit(VIRTIO, CLEAR, "if (!onlined)", "if (onlined)"),
        Swap(VIRTIO, CLEAR, "\tClearPageDirty(page);", "\t__ClearPageOffline(page);"),
    ),
    _edit(
        "continue instead of else",
        Edit(VIRTIO, CLEAR, "if (!onlined)", "if (!onlined) {"),
        Edit(VIRTIO, CLEAR, "ClearPageDirty(page);", "ClearPageDirty(page);\n\t\t\tcontinue;"),
        Edit(VIRTIO, CLEAR, "else", "}"),
    ),
    _edit(
        "switch instead of if",
        Edit(VIRTIO, CLEAR, "if (!onlined)", "switch (onlined) {\n\t\tcase false:"),
        Edit(VIRTIO, CLEAR, "ClearPageDirty(page);", "ClearPageDirty(page);\n\t\t\tbreak;"),
        Edit(VIRTIO, CLEAR, "else", "default:"),
        Edit(VIRTIO, CLEAR, "__ClearPageOffline(page);", "__ClearPageOffline(page);\n\t\t}"),
    ),
    _edit(
        "no else after return",
        Edit(HYPERV, ONLINE_ONE, "} else if (!PageOffline(pg))", "}\n\n\tif (!PageOffline(pg))"),
    ),
    _edit(
        "else instead of return",
        Edit(HYPERV, ONLINE_ONE, "} else if (!PageOffline(pg))", "}\n\tif (PageOffline(pg)) {"),
        Edit(HYPERV, ONLINE_ONE, "\n\t\treturn;\n\n", "\n"),
        Edit(
            HYPERV,
            ONLINE_ONE,
            "dm_device.num_pages_onlined++;",
            "dm_device.num_pages_onlined++;\n\t}",
        ),
    ),
    _edit(
        "jump over the mark",
        Edit(XEN, APPEND, "if (!PageOffline(page))", "if (PageOffline(page))\n\t\tgoto marked;"),
        Edit(XEN, APPEND, "__SetPageOffline(page);", "__SetPageOffline(page);\nmarked:"),
    ),
    _edit(
        "do once",
        Edit(
            ALLOC,
            FREE_CORE,
            "__ClearPageOffline(p);",
            "do {\n\t\t\t\t__ClearPageOffline(p);\n\t\t\t} while (0);",
        ),
    ),
    _edit(
        "while instead of for",
        Edit(VIRTIO, CLEAR, "for (; nr_pages--; pfn++) {", "while (nr_pages--) {"),
        Edit(VIRTIO, CLEAR, "page = pfn_to_page(pfn);", "page = pfn_to_page(pfn++);"),
    ),
    _edit(
        "walk the pages",
        Edit(VIRTIO, CLEAR, "\t\tstruct page *page = pfn_to_page(pfn);", ""),
        Edit(
            VIRTIO,
            CLEAR,
            "for (; nr_pages--; pfn++) {",
            "struct page *page = pfn_to_page(pfn);\n\n\tfor (; nr_pages--; page++) {",
        ),
    ),
    _edit(
        "walk the frames to an end",
        Edit(HYPERV, "hv_bring_pgs_online", "int i;", "unsigned long pfn, end = start_pfn + size;"),
        Edit(
            HYPERV,
            "hv_bring_pgs_online",
            "for (i = 0; i < size; i++)",
            "for (pfn = start_pfn; pfn < end; pfn++)",
        ),
        Edit(HYPERV, "hv_bring_pgs_online", "pfn_to_page(start_pfn + i)", "pfn_to_page(pfn)"),
    ),
    _edit(
        "nothing to do for no pages",
        Edit(
            VIRTIO,
            SET,
            "page_offline_begin();",
            "if (!nr_pages)\n\t\treturn;\n\n\tpage_offline_begin();",
        ),
    ),
)

STATEMENTS = (
    _edit(
        "reorder two statements",
        Swap(HOTPLUG, SELF_HOSTED, "__ClearPageOffline(page);", "SetPageVmemmapSelfHosted(page);"),
    ),
    _edit(
        "a debug message",
        Edit(
            VIRTIO,
            SET,
            "page_offline_begin();",
            'pr_debug("%lu pages from pfn 0x%lx\\n", nr_pages, pfn);\n\tpage_offline_begin();',
        ),
    ),
    _edit(
        "a guard for a lock",
        Edit(
            XEN, "xen_online_page", "mutex_lock(&balloon_mutex);", "guard(mutex)(&balloon_mutex);"
        ),
        Edit(XEN, "xen_online_page", "mutex_unlock(&balloon_mutex);", ""),
    ),
    _edit(
        "a scope for a lock",
        Edit(
            XEN,
            "xen_online_page",
            "mutex_lock(&balloon_mutex);",
            "scoped_guard(mutex, &balloon_mutex) {",
        ),
        Edit(XEN, "xen_online_page", "mutex_unlock(&balloon_mutex);", "}"),
    ),
    _edit(
        "mark early, guard later",
        Edit(
            XEN,
            "decrease_reservation",
            "balloon_append(page);",
            "__SetPageOffline(page);\n\t\tballoon_append(page);",
        ),
    ),
    _edit(
        "assert what holds before",
        Edit(
            HYPERV,
            DEFLATE,
            "__ClearPageOffline(pg);",
            "VM_BUG_ON_PAGE(!PageOffline(pg), pg);\n\t\t__ClearPageOffline(pg);",
        ),
    ),
    _edit(
        "assert what holds after",
        Edit(
            XEN,
            RETRIEVE,
            "__ClearPageOffline(page);",
            "__ClearPageOffline(page);\n\tVM_WARN_ON_ONCE(PageOffline(page));",
        ),
    ),
    _edit(
        "warn and leave where it cannot be",
        Edit(
            XEN,
            RETRIEVE,
            "__ClearPageOffline(page);",
            "if (WARN_ON_ONCE(!PageOffline(page)))\n\t\treturn page;\n\t__ClearPageOffline(page);",
        ),
    ),
)

HELPERS = (
    _edit(
        "a helper for the mark",
        Edit(
            XEN,
            APPEND,
            "",
            "static void balloon_mark(struct page *p)\n"
            "{\n\tif (!PageOffline(p))\n\t\t__SetPageOffline(p);\n}\n\n",
        ),
        Edit(XEN, APPEND, "\tif (!PageOffline(page))", ""),
        Edit(XEN, APPEND, "\t\t__SetPageOffline(page);", "\tballoon_mark(page);"),
    ),
    _edit(
        "a helper for the initial state",
        Edit(
            INIT,
            INIT_RANGE,
            "",
            "static void __meminit init_offline(struct page *p)\n{\n\t__SetPageOffline(p);\n}\n\n",
        ),
        Edit(INIT, INIT_RANGE, "__SetPageOffline(page);", "init_offline(page);"),
    ),
    _edit(
        "a helper for the hand-over",
        Edit(
            VIRTIO,
            FAKE_ONLINE,
            "",
            "static void virtio_mem_release(struct page *page, unsigned int order)\n"
            "{\n\tgeneric_online_page(page, order);\n}\n\n",
        ),
        Edit(
            VIRTIO,
            FAKE_ONLINE,
            "generic_online_page(page, order);",
            "virtio_mem_release(page, order);",
        ),
    ),
    _edit(
        "a helper that has nothing to do with it",
        Edit(
            XEN,
            APPEND,
            "",
            "static bool balloon_has_low(void)\n{\n\treturn balloon_stats.balloon_low > 0;\n}\n\n",
        ),
        Edit(
            XEN,
            APPEND,
            "wake_up(&balloon_wq);",
            "if (balloon_has_low() || balloon_stats.balloon_high)\n\t\twake_up(&balloon_wq);",
        ),
    ),
)

HARMLESS = SPELLINGS + FLOWS + STATEMENTS + HELPERS
