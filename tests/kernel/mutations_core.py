"""Spoil what the core does with a page."""

from __future__ import annotations

from .edits import Swap
from .pieces import ALLOC, HOTPLUG, INIT
from .places import (
    BIRTH,
    COMPACTION,
    DOUBLE,
    FINALIZE,
    FREE_CORE,
    IDLE,
    INIT_RANGE,
    LEFT,
    ONLINE,
    SELF_HOSTED,
    inside,
    one,
)

CORE_MUTATIONS = (
    one(
        "free tests the wrong context",
        FREE_CORE,
        LEFT | DOUBLE,
        inside(ALLOC, FREE_CORE, "context == MEMINIT_HOTPLUG", "context == MEMINIT_EARLY"),
    ),
    one(
        "free clears the wrong flag",
        FREE_CORE,
        LEFT,
        inside(ALLOC, FREE_CORE, "__ClearPageOffline(p);", "__ClearPageReserved(p);"),
    ),
    one(
        "free swaps the two clears",
        FREE_CORE,
        LEFT | DOUBLE,
        Swap(ALLOC, FREE_CORE, "__ClearPageOffline(p);", "__ClearPageReserved(p);"),
    ),
    one(
        "free clears the first page only",
        FREE_CORE,
        LEFT,
        inside(
            ALLOC,
            FREE_CORE,
            "__ClearPageOffline(p);",
            "if (p == page)\n\t\t\t\t__ClearPageOffline(p);",
        ),
    ),
    one(
        "free inverts its assertion",
        FREE_CORE,
        IDLE | LEFT,
        inside(
            ALLOC,
            FREE_CORE,
            "VM_WARN_ON_ONCE(PageReserved(p));",
            "VM_WARN_ON_ONCE(!PageReserved(p));",
        ),
    ),
    one(
        "the wrong context from a caller",
        ONLINE,
        LEFT,
        inside(HOTPLUG, ONLINE, "order, MEMINIT_HOTPLUG);", "order, MEMINIT_EARLY);"),
    ),
    one(
        "initialise in the wrong context",
        INIT_RANGE,
        BIRTH,
        inside(INIT, INIT_RANGE, "context == MEMINIT_HOTPLUG", "context == MEMINIT_EARLY"),
    ),
    one(
        "forget ZONE_DEVICE",
        INIT_RANGE,
        BIRTH,
        inside(INIT, INIT_RANGE, "\t\t\tif (zone == ZONE_DEVICE)", ""),
        inside(INIT, INIT_RANGE, "__SetPageReserved(page);", ""),
        inside(INIT, INIT_RANGE, "\t\t\telse", ""),
    ),
    one(
        "swap the exception",
        INIT_RANGE,
        BIRTH,
        inside(
            INIT, INIT_RANGE, "\t\t\tif (zone == ZONE_DEVICE)", "\t\t\tif (zone != ZONE_DEVICE)"
        ),
    ),
    one(
        "except by the wrong variable",
        INIT_RANGE,
        BIRTH,
        inside(INIT, INIT_RANGE, "\t\t\tif (zone == ZONE_DEVICE)", "\t\t\tif (nid == ZONE_DEVICE)"),
    ),
    one(
        "set both states",
        INIT_RANGE,
        BIRTH | LEFT,
        inside(
            INIT,
            INIT_RANGE,
            "__SetPageOffline(page);",
            "__SetPageOffline(page);\n\t\t\t__SetPageReserved(page);",
        ),
    ),
    one(
        "clear before the pages are initialised",
        SELF_HOSTED,
        LEFT | DOUBLE,
        inside(HOTPLUG, SELF_HOSTED, "__ClearPageOffline(page);", ""),
        inside(
            HOTPLUG,
            SELF_HOSTED,
            "\tmove_pfn_range_to_zone(",
            "\tfor (i = 0; i < nr_pages; i++)\n"
            "\t\t__ClearPageOffline(pfn_to_page(pfn + i));\n\n\tmove_pfn_range_to_zone(",
        ),
    ),
    one(
        "clear yesterday's flag",
        SELF_HOSTED,
        LEFT | IDLE,
        inside(HOTPLUG, SELF_HOSTED, "__ClearPageOffline(page);", "__ClearPageReserved(page);"),
    ),
    one(
        "clear in one case only",
        SELF_HOSTED,
        LEFT,
        inside(
            HOTPLUG,
            SELF_HOSTED,
            "__ClearPageOffline(page);",
            "if (mhp_off_inaccessible)\n\t\t\t__ClearPageOffline(page);",
        ),
    ),
    one(
        "finalize forgets the clear",
        FINALIZE,
        LEFT,
        inside(COMPACTION, FINALIZE, "__ClearPageOffline(page);", ""),
    ),
)
