"""Make faults by operators, and say of each why it must trap, before the tool has seen it.

The oracle is `SITES`: what a page goes through around each operation of the finished change, read
from the kernel and not from the tool. An operation without which, or with a second one of which, a
page of some path is in a state that the next operation on that path traps on is a site; how the
operation is lost or doubled makes no difference to the page, so each has many spellings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kernel.pieces import ALLOC, HOTPLUG, HYPERV, INIT, VIRTIO, XEN
from kernel.places import (
    APPEND,
    CLEAR,
    COMPACTION,
    DEFLATE,
    FAKE_OFFLINE,
    FAKE_ONLINE,
    FINALIZE,
    FREE_CORE,
    INFLATE,
    INIT_RANGE,
    ONLINE,
    ONLINE_PAGE,
    RETRIEVE,
    SELF_HOSTED,
    SET,
)

from .syntax import Edit, Site, applied, branches, function, statements


@dataclass(frozen=True, slots=True)
class Fault:
    """A text with a fault in it; reason says what traps."""

    kind: str
    spelling: str
    path: str
    function: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Place:
    """An operation, and what happens without it and with a second one."""

    path: str
    function: str
    operation: str
    lost: str
    doubled: str


SITES = (
    Place(ALLOC, FREE_CORE, "__ClearPageOffline(p);",
          "hotplugged pages start Offline and reach the buddy so", "the type is gone already"),
    Place(HOTPLUG, SELF_HOSTED, "__ClearPageOffline(page);",
          "vmemmap pages are in use and Offline", "the type is gone already"),
    Place(XEN, APPEND, "__SetPageOffline(page);",
          "pages from alloc_page() come off the list untyped and are cleared",
          "the page has the type already"),
    Place(XEN, RETRIEVE, "__ClearPageOffline(page);",
          "the page is freed Offline", "the type is gone already"),
    Place(VIRTIO, SET, "__SetPageOffline(page);",
          "allocated pages are asserted to be Offline, and cleared later",
          "the page has the type already"),
    Place(VIRTIO, CLEAR, "__ClearPageOffline(page);",
          "allocated pages are freed Offline", "the type is gone already"),
    Place(HYPERV, INFLATE, "__SetPageOffline(pg + j);",
          "deflating clears what was never set", "the page has the type already"),
    Place(HYPERV, DEFLATE, "__ClearPageOffline(pg);",
          "the page is freed Offline", "the type is gone already"),
    Place(INIT, INIT_RANGE, "__SetPageOffline(page);",
          "__free_pages_core() clears what was never set", "the page has the type already"),
    Place(COMPACTION, "balloon_page_insert", "__SetPageOffline(page);",
          "balloon_page_finalize() clears what was never set", "the page has the type already"),
    Place(COMPACTION, FINALIZE, "__ClearPageOffline(page);",
          "the page is freed Offline", "the type is gone already"),
)  # fmt: skip

#: Ways not to do a thing: s stands for the statement, p for the page in it.
LOST = {
    "dropped": ";",
    "never": "if (0)\n\t\t{s}",
    "no turn": "while (0)\n\t\t{s}",
    "a test instead": "(void)PageOffline({p});",
    "the wrong flag": "(void)PageReserved({p});",
    "an empty helper": "mutant_nothing({p});",
}
#: Ways to do it twice.
DOUBLED = {
    "twice": "{{\n\t\t{s}\n\t\t{s}\n\t}}",
    "once, and once": "{{\n\t\tdo {{\n\t\t\t{s}\n\t\t}} while (0);\n\t\t{s}\n\t}}",
    "by a helper": "{{\n\t\t{s}\n\t\tmutant_again({p});\n\t}}",
    "through a variable": "{{\n\t\tstruct page *mutant = {p};\n\n\t\t{s}\n\t\t{o}(mutant);\n\t}}",
    "after a test": "{{\n\t\t{s}\n\t\tif (!PageReserved({p}))\n\t\t\t{s}\n\t}}",
}


def faults(texts: Callable[[str], str]) -> Iterator[Fault]:
    """Yield every fault; texts gives the files of the finished change."""
    for place in SITES:
        yield from _lost_and_doubled(place, texts(place.path))
    yield from (*_guards(texts), *_swaps(texts), *_constants(texts), *_moves(texts))


def _site(text: str, name: str, operation: str) -> Site:
    (found,) = [s for s in statements(text, name) if s.text == operation]
    return found


def _lost_and_doubled(place: Place, text: str) -> Iterator[Fault]:
    site = _site(text, place.function, place.operation)
    accessor, _, page = place.operation.rstrip(";").rstrip(")").partition("(")
    start = function(text, place.function).start_byte
    helpers = {
        "mutant_nothing": "static void mutant_nothing(struct page *page)\n{\n}\n\n",
        "mutant_again": f"static void mutant_again(struct page *p)\n{{\n\t{accessor}(p);\n}}\n\n",
    }
    for kind, spellings, reason in (
        ("drop", LOST, place.lost),
        ("double", DOUBLED, place.doubled),
    ):
        for spelling, template in spellings.items():
            new = template.format(s=site.text, p=page, o=accessor)
            edits = [Edit(site.start, site.end, new)]
            edits += [Edit(start, start, h) for name, h in helpers.items() if name in new]
            verb = "set" if "Set" in accessor else "clear"
            yield Fault(
                f"{kind} a {verb}", spelling, place.path, place.function,
                applied(text, *edits), reason,
            )  # fmt: skip


def _replaced(path: str, text: str, name: str, old: str, new: str) -> str:
    node = function(text, name)
    assert node.text is not None
    body = node.text.decode()
    source = text.encode()[node.start_byte : node.end_byte].decode()
    assert source.count(old) == 1, f"{path}: {name}: {old!r} {source.count(old)} times in {body!r}"
    return applied(text, Edit(node.start_byte, node.end_byte, source.replace(old, new)))


#: Conditions around an operation, and what they must not be.
_GUARDS = (
    (XEN, APPEND, "if (!PageOffline(page))", "hotplugged pages come in Offline and are set again",
     ("", "if (1)", "if (page)", "if (!PageReserved(page))", "if (PageOffline(page))",
      "if (!PageDirty(page))")),
    (VIRTIO, CLEAR, "if (!onlined)", "the wrong half is cleared",
     ("if (onlined)", "if (0)", "if (!!onlined)", "if (onlined == true)", "if (onlined != false)")),
    (VIRTIO, SET, "if (!onlined)", "the wrong half is set",
     ("if (onlined)", "if (0)", "if (!!onlined)", "if (onlined == true)", "if (onlined != false)")),
    (ALLOC, FREE_CORE, "context == MEMINIT_HOTPLUG", "hotplugged pages are not cleared",
     ("context == MEMINIT_EARLY", "context != MEMINIT_HOTPLUG", "0", "!context")),
    (INIT, INIT_RANGE, "context == MEMINIT_HOTPLUG", "the wrong pages start Offline",
     ("context == MEMINIT_EARLY", "context != MEMINIT_HOTPLUG", "0", "!context")),
)  # fmt: skip


def _guards(texts: Callable[[str], str]) -> Iterator[Fault]:
    for path, name, guard, reason, others in _GUARDS:
        for other in others:
            kind = "drop a guard" if other in ("", "if (1)", "if (page)", "0") else "change a test"
            text = _replaced(path, texts(path), name, guard, other)
            yield Fault(kind, other or "dropped", path, name, text, reason)


#: Functions of which an if with two arms decides what becomes of a page.
_SWAPS = (
    (VIRTIO, SET, "fresh pages are set again"),
    (VIRTIO, CLEAR, "fresh pages are cleared, and cleared again"),
    (ALLOC, FREE_CORE, "boot memory is cleared, hotplugged memory is not"),
)


def _swaps(texts: Callable[[str], str]) -> Iterator[Fault]:
    for path, name, reason in _SWAPS:
        text = texts(path)
        node = next(n for n in branches(text, name) if n.child_by_field_name("alternative"))
        then = node.child_by_field_name("consequence")
        other = node.child_by_field_name("alternative")
        assert then is not None, "an if has an arm"
        assert other is not None, "it was asked for"
        arm = other.named_children[0]
        data = text.encode()
        first, second = (data[n.start_byte : n.end_byte].decode() for n in (then, arm))
        swapped = applied(
            text,
            Edit(then.start_byte, then.end_byte, second),
            Edit(arm.start_byte, arm.end_byte, first),
        )
        yield Fault("swap branches", "swapped", path, name, swapped, reason)


_CONSTANTS = (
    (HOTPLUG, ONLINE, "order, MEMINIT_HOTPLUG)", "hotplugged pages are freed as boot memory",
     ("order, MEMINIT_EARLY)", "order, 0)")),
    (HOTPLUG, "move_pfn_range_to_zone", "MEMINIT_HOTPLUG", "hotplugged pages start as boot memory",
     ("MEMINIT_EARLY", "0")),
    (VIRTIO, FAKE_ONLINE, "1 << order, false)", "fresh pages are cleared twice",
     ("1 << order, true)", "1 << order, 1)", "1 << order, !false)")),
    (VIRTIO, FAKE_ONLINE, "1 << order, true)", "allocated pages are freed Offline",
     ("1 << order, false)", "1 << order, 0)", "1 << order, !true)")),
    (VIRTIO, ONLINE_PAGE, "false)", "fresh pages are set again", ("true)", "1)", "!false)")),
    (VIRTIO, FAKE_OFFLINE, "true)", "allocated pages are not set", ("false)", "0)", "!true)")),
)  # fmt: skip


def _constants(texts: Callable[[str], str]) -> Iterator[Fault]:
    for path, name, old, reason, others in _CONSTANTS:
        for new in others:
            text = _replaced(path, texts(path), name, old, new)
            yield Fault("change a constant", new, path, name, text, reason)


def _moves(texts: Callable[[str], str]) -> Iterator[Fault]:
    for path, name in ((HYPERV, DEFLATE), (XEN, RETRIEVE), (VIRTIO, CLEAR)):
        text = texts(path)
        (site,) = [s for s in statements(text, name) if "__ClearPageOffline" in s.text]
        page = site.text.partition("(")[2].rstrip(");")
        for spelling, test in (
            ("before a test", f"if (PageOffline({page}))\n\t\t__ClearPageOffline({page});"),
            ("before an assertion", f"VM_BUG_ON_PAGE(!PageOffline({page}), {page});"),
        ):
            new = f"{{\n\t\t{site.text}\n\t\t__ClearPageOffline({page});\n\t\t{test}\n\t}}"
            yield Fault(
                "move a call before a test", spelling, path, name,
                applied(text, Edit(site.start, site.end, new)), "the type is gone already",
            )  # fmt: skip
