"""Name the functions and rules that mutations speak of, and what a mutation is."""

from __future__ import annotations

from dataclasses import dataclass

from .edits import Change, Edit

COMPACTION = "include/linux/balloon_compaction.h"

SET = "virtio_mem_set_fake_offline"
CLEAR = "virtio_mem_clear_fake_offline"
FAKE_ONLINE = "virtio_mem_fake_online"
FAKE_OFFLINE = "virtio_mem_fake_offline"
ONLINE_PAGE = "virtio_mem_online_page"
ONLINE_ONE = "hv_page_online_one"
INFLATE = "alloc_balloon_pages"
DEFLATE = "free_balloon_pages"
APPEND = "balloon_append"
RETRIEVE = "balloon_retrieve"
FREE_CORE = "__free_pages_core"
SELF_HOSTED = "mhp_init_memmap_on_memory"
ONLINE = "generic_online_page"
INIT_RANGE = "memmap_init_range"
FINALIZE = "balloon_page_finalize"

#: Rules that name a second set or clear, seen from the operation or from the call.
DOUBLE = frozenset({"double-set", "double-clear", "contract-mismatch"})
#: Rules that name a state which outlives its time.
LEFT = frozenset({"leak-to-buddy", "missing-clear", "contract-mismatch"})
BIRTH = frozenset({"wrong-initial-state"})
#: Rules that name a test, an assertion or an operation which no longer fits.
IDLE = frozenset({"stale-test", "dead-op", "contract-mismatch"})


@dataclass(frozen=True, slots=True)
class Mutation:
    """A mistake: what is edited, the functions to mend it in, the rules that may name it.

    verdict is empty, or holds MISSING (its place is not named) or NOISE (another one is) or both.
    """

    name: str
    edits: tuple[Change, ...]
    places: frozenset[str]
    rules: frozenset[str]
    verdict: str = ""


def one(
    name: str, place: str, rules: frozenset[str], *edits: Change, verdict: str = ""
) -> Mutation:
    return Mutation(name, edits, frozenset({place}), rules, verdict)


def inside(path: str, function: str, find: str, replace: str) -> Edit:
    return Edit(path, function, find, replace)
