"""Take the change apart into its hunks, each named by the place that it mends."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

VIRTIO = "drivers/virtio/virtio_mem.c"
HYPERV = "drivers/hv/hv_balloon.c"
XEN = "drivers/xen/balloon.c"
FLAGS = "include/linux/page-flags.h"
HOTPLUG = "mm/memory_hotplug.c"
INIT = "mm/mm_init.c"
ALLOC = "mm/page_alloc.c"


@dataclass(frozen=True, slots=True)
class Piece:
    """One hunk of the change: the place it mends, and a word that its text must hold."""

    name: str
    file: str
    function: str
    word: str
    code: bool = True


#: In the order of the patch.
PIECES = (
    Piece("hyperv", HYPERV, "hv_page_online_one", "generic_online_page"),
    Piece("virtio-set", VIRTIO, "virtio_mem_set_fake_offline", "SetPageDirty"),
    Piece("virtio-clear", VIRTIO, "virtio_mem_clear_fake_offline", "ClearPageDirty"),
    Piece("xen-append", XEN, "balloon_append", "__SetPageOffline"),
    Piece("xen-remark", XEN, "increase_reservation", "Relinquish", code=False),
    Piece("flags-reserved", FLAGS, "", "PG_hwpoison", code=False),
    Piece("flags-offline", FLAGS, "", "refcount of 1", code=False),
    Piece("flags-driver", FLAGS, "", "online_page_callback_t", code=False),
    Piece("hotplug-remark", HOTPLUG, "move_pfn_range_to_zone", "PG_reserved", code=False),
    Piece("self-hosted", HOTPLUG, "mhp_init_memmap_on_memory", "SetPageVmemmapSelfHosted"),
    Piece("holes-remark", HOTPLUG, "offline_pages", "memory holes", code=False),
    Piece("init", INIT, "memmap_init_range", "__SetPageReserved"),
    Piece("free-hotplug", ALLOC, "__free_pages_core", "VM_WARN_ON_ONCE"),
    Piece("free-boot", ALLOC, "__free_pages_core", "managed_pages"),
)

NAMES = frozenset(p.name for p in PIECES)
CODE = frozenset(p.name for p in PIECES if p.code)
DRIVERS = frozenset(p.name for p in PIECES if p.file.startswith("drivers/"))
CORE = NAMES - DRIVERS

_FILE = re.compile(r"^diff --git .*\n", re.M)
_HUNK = re.compile(r"^@@ ", re.M)


def select(change: str, kept: Collection[str]) -> bytes:
    """Return the change with only the named hunks."""
    order = iter(PIECES)
    parts: list[str] = []
    for section in _split(_FILE, change)[1:]:
        header, *hunks = _split(_HUNK, section)
        named = [(next(order), hunk) for hunk in hunks]
        for piece, hunk in named:
            assert f"/{piece.file}" in header, f"{piece.name}: another file"
            assert piece.word in hunk, f"{piece.name}: another hunk"
        if chosen := [hunk for piece, hunk in named if piece.name in kept]:
            parts += [header, *chosen]
    assert next(order, None) is None, "the change has fewer hunks than expected"
    return "".join(parts).encode()


def _split(opening: re.Pattern[str], text: str) -> list[str]:
    """Cut a text before every match; the first part is what stands before the first match."""
    starts = [m.start() for m in opening.finditer(text)]
    return [text[a:b] for a, b in zip([0, *starts], [*starts, len(text)], strict=True)]
