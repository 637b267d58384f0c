"""Spoil what the drivers do with a page."""

from __future__ import annotations

from .edits import Edit
from .pieces import HYPERV, VIRTIO, XEN
from .places import (
    APPEND,
    BIRTH,
    CLEAR,
    DEFLATE,
    DOUBLE,
    FAKE_OFFLINE,
    FAKE_ONLINE,
    IDLE,
    INFLATE,
    LEFT,
    ONLINE_ONE,
    ONLINE_PAGE,
    RETRIEVE,
    SET,
    Mutation,
    inside,
    one,
)

DRIVER_MUTATIONS = (
    one(
        "clear twice in one arm",
        CLEAR,
        DOUBLE,
        inside(VIRTIO, CLEAR, "else", "else {"),
        inside(
            VIRTIO,
            CLEAR,
            "__ClearPageOffline(page);",
            "__ClearPageOffline(page);\n\t\t\t__ClearPageOffline(page);\n\t\t}",
        ),
    ),
    one(
        "clear in both arms",
        CLEAR,
        DOUBLE,
        inside(VIRTIO, CLEAR, "if (!onlined)", "if (!onlined) {"),
        inside(VIRTIO, CLEAR, "else", "} else"),
        inside(
            VIRTIO,
            CLEAR,
            "ClearPageDirty(page);",
            "ClearPageDirty(page);\n\t\t\t__ClearPageOffline(page);",
        ),
    ),
    one(
        "set under the guard and once more",
        APPEND,
        DOUBLE,
        inside(
            XEN,
            APPEND,
            "__SetPageOffline(page);",
            "__SetPageOffline(page);\n\t__SetPageOffline(page);",
        ),
    ),
    one(
        "inflate marks twice",
        INFLATE,
        DOUBLE,
        inside(
            HYPERV,
            INFLATE,
            "__SetPageOffline(pg + j);",
            "__SetPageOffline(pg + j);\n\t\t\t__SetPageOffline(pg + j);",
        ),
    ),
    # The page is Offline all the same; what is lost is the way back through generic_online_page().
    one(
        "forget to remember",
        SET,
        LEFT | IDLE,
        inside(VIRTIO, SET, "__SetPageOffline(page);", ""),
        inside(VIRTIO, SET, "else", ""),
        inside(VIRTIO, SET, "SetPageDirty(page);", "__SetPageOffline(page);"),
        inside(VIRTIO, SET, "if (!onlined)", "if (onlined)"),
    ),
    one(
        "forget to forget",
        CLEAR,
        LEFT | IDLE,
        inside(VIRTIO, CLEAR, "__ClearPageOffline(page);", ""),
        inside(VIRTIO, CLEAR, "else", ""),
        inside(VIRTIO, CLEAR, "ClearPageDirty(page);", "__ClearPageOffline(page);"),
        inside(VIRTIO, CLEAR, "if (!onlined)", "if (onlined)"),
    ),
    one(
        "remember in the reserved bit",
        SET,
        LEFT | IDLE | DOUBLE,
        inside(VIRTIO, SET, "SetPageDirty(page);", "SetPageReserved(page);"),
    ),
    # Both ways out take Offline off; only the companion flag goes wrong.
    one(
        "invert the remembered test",
        FAKE_ONLINE,
        LEFT | IDLE | DOUBLE,
        inside(VIRTIO, FAKE_ONLINE, "if (PageDirty(page))", "if (!PageDirty(page))"),
    ),
    one(
        "invert the setting condition",
        SET,
        DOUBLE | IDLE | LEFT,
        inside(VIRTIO, SET, "if (!onlined)", "if (onlined)"),
    ),
    one(
        "invert the clearing condition",
        CLEAR,
        DOUBLE | LEFT,
        inside(VIRTIO, CLEAR, "if (!onlined)", "if (onlined)"),
    ),
    one(
        "invert the balloon's guard",
        APPEND,
        DOUBLE,
        inside(XEN, APPEND, "if (!PageOffline(page))", "if (PageOffline(page))"),
    ),
    one(
        "invert the way out",
        ONLINE_ONE,
        DOUBLE | IDLE,
        inside(HYPERV, ONLINE_ONE, "else if (!PageOffline(pg))", "else if (PageOffline(pg))"),
    ),
    one(
        "invert the guard of the mark",
        ONLINE_ONE,
        DOUBLE | IDLE,
        inside(HYPERV, ONLINE_ONE, "\t\tif (!PageOffline(pg))", "\t\tif (PageOffline(pg))"),
    ),
    one(
        "drop the guard of the mark",
        ONLINE_ONE,
        DOUBLE,
        inside(HYPERV, ONLINE_ONE, "\t\tif (!PageOffline(pg))", ""),
    ),
    # No page that gets here is Reserved any more, so nothing is turned away.
    one(
        "test yesterday's flag",
        ONLINE_ONE,
        DOUBLE | IDLE,
        inside(HYPERV, ONLINE_ONE, "else if (!PageOffline(pg))", "else if (PageReserved(pg))"),
        verdict="MISSING",
    ),
    one(
        "clear after the hand-over",
        ONLINE_ONE,
        DOUBLE,
        inside(
            HYPERV,
            ONLINE_ONE,
            "generic_online_page(pg, 0);",
            "generic_online_page(pg, 0);\n\t__ClearPageOffline(pg);",
        ),
    ),
    one(
        "a new caller clears itself",
        DEFLATE,
        DOUBLE,
        inside(HYPERV, DEFLATE, "__free_page(pg);", "generic_online_page(pg, 0);"),
    ),
    one(
        "deflate forgets the clear",
        DEFLATE,
        LEFT,
        inside(HYPERV, DEFLATE, "__ClearPageOffline(pg);", ""),
    ),
    one(
        "retrieve forgets the clear",
        RETRIEVE,
        LEFT,
        inside(XEN, RETRIEVE, "__ClearPageOffline(page);", ""),
    ),
    one(
        "retrieve leaves early",
        RETRIEVE,
        LEFT,
        inside(XEN, RETRIEVE, "else", "} else"),
        inside(XEN, RETRIEVE, "if (PageHighMem(page))", "if (PageHighMem(page)) {"),
        inside(
            XEN,
            RETRIEVE,
            "balloon_stats.balloon_high--;",
            "balloon_stats.balloon_high--;\n\t\treturn page;",
        ),
    ),
    one(
        "a page never onlined passed as onlined",
        FAKE_ONLINE,
        DOUBLE | LEFT,
        inside(VIRTIO, FAKE_ONLINE, "1 << order, false);", "1 << order, true);"),
    ),
    one(
        "an allocated page passed as never onlined",
        FAKE_ONLINE,
        LEFT,
        inside(VIRTIO, FAKE_ONLINE, "1 << order, true);", "1 << order, false);"),
    ),
    one(
        "a fresh page set as onlined",
        ONLINE_PAGE,
        DOUBLE,
        inside(VIRTIO, ONLINE_PAGE, "    false);", "    true);"),
    ),
    one(
        "an allocated page set as fresh",
        FAKE_OFFLINE,
        IDLE | LEFT | DOUBLE,
        inside(VIRTIO, FAKE_OFFLINE, "nr_pages, true);", "nr_pages, false);"),
    ),
    one(
        "free without the clear",
        FAKE_ONLINE,
        LEFT,
        inside(
            VIRTIO,
            FAKE_ONLINE,
            "virtio_mem_clear_fake_offline(pfn + i, 1 << order, true);",
            "",
        ),
    ),
    one(
        "drop the clearing arm",
        CLEAR,
        LEFT,
        inside(VIRTIO, CLEAR, "__ClearPageOffline(page);", ""),
        inside(VIRTIO, CLEAR, "else", ""),
    ),
    one(
        "invert the driver's assertion",
        SET,
        IDLE | BIRTH | DOUBLE,
        inside(
            VIRTIO,
            SET,
            "VM_WARN_ON_ONCE(!PageOffline(page));",
            "VM_WARN_ON_ONCE(PageOffline(page));",
        ),
    ),
    Mutation(
        "a new helper clears again",
        (
            Edit(
                VIRTIO,
                FAKE_ONLINE,
                "",
                "static void virtio_mem_hand_back(unsigned long pfn, unsigned int order)\n"
                "{\n\tgeneric_online_page(pfn_to_page(pfn), order);\n}\n\n",
            ),
            inside(
                VIRTIO,
                FAKE_ONLINE,
                "free_contig_range(pfn + i, 1 << order);",
                "virtio_mem_hand_back(pfn + i, order);",
            ),
        ),
        frozenset({FAKE_ONLINE, "virtio_mem_hand_back"}),
        DOUBLE,
    ),
)
