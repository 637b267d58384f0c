"""Contracts and explanations of the real tree, each checked by reading the source."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from analyzer.base import Pair
from analyzer.contracts import Contract
from analyzer.effects.explain import explain
from analyzer.effects.run import effects
from analyzer.tree import Tree

from .pieces import HYPERV, VIRTIO, XEN
from .trees import TOUCHED

pytestmark = pytest.mark.kernel

HOT, BOUGHT, STRANGE = "hotplugged pages", "allocated pages", "pages of unknown origin"


def ways(contract: Contract | None, pages: str, **arguments: str) -> set[tuple[str, str, str]]:
    """Return entry, outcome or exit, and destination of what a contract says of some pages."""
    assert contract is not None
    return {
        (w.entry, w.exit if w.outcome == "returns" else w.outcome, w.given)
        for c in contract.contexts
        if c.pages == pages and arguments.items() <= dict(c.constants).items()
        for w in c.ways
    }


def test_the_initialiser_makes_what_its_arguments_say(kernel: Tree) -> None:
    contract = effects("memmap_init_range", Pair(kernel, kernel)).contracts.after

    early, hot, device = (
        ways(contract, STRANGE, **given)
        for given in (
            {"context": "MEMINIT_EARLY"},
            {"context": "MEMINIT_HOTPLUG", "altmap": "NULL"},
            {"context": "MEMINIT_HOTPLUG", "zone": "ZONE_DEVICE"},
        )
    )
    assert {("any type", "no type (boot memory)", "")} == early
    assert {("any type", "Offline (hotplugged pages)", "")} == hot
    assert {("any type", "no type, Reserved (ZONE_DEVICE pages)", "")} == device


def test_onlining_hands_over_or_keeps_unaccepted_memory(kernel: Tree) -> None:
    contract = effects("generic_online_page", Pair(kernel, kernel)).contracts.after

    # __free_unaccepted() takes whole blocks of MAX_PAGE_ORDER, so never those of order 0.
    kept = ("Offline", "other type", "the list zone.unaccepted_pages")
    assert {("Offline", "", "the buddy"), kept} == ways(contract, HOT)
    assert {("Offline", "", "the buddy")} == ways(contract, HOT, order="0")


def test_the_change_of_a_driver_is_seen_in_its_contract(
    befores: Mapping[str, Tree], afters: Mapping[str, Tree]
) -> None:
    trees = Pair(befores["strict"], afters["strict"])

    found = effects("virtio_mem_set_fake_offline", trees, TOUCHED).contracts

    assert {("no type, Reserved", "Offline, Dirty", "")} == ways(found.before, HOT, onlined="false")
    assert {("Offline", "Offline, Dirty", "")} == ways(found.after, HOT, onlined="false")
    assert {("no type", "Offline", "")} == ways(found.after, BOUGHT, onlined="true")
    traps = [
        {entry for entry, ended, _ in ways(c, STRANGE, onlined="false") if ended == "traps"}
        for c in (found.before, found.after)
    ]
    assert [{"Buddy or Offline or other type"}, set()] == [
        {" or ".join(sorted(e.split(" or "))) for e in entries} for entries in traps
    ]


def test_a_balloon_takes_pages_of_both_kinds(kernel: Tree) -> None:
    contract = effects(f"{XEN}:balloon_append", Pair(kernel, kernel)).contracts.after

    onto = "the list ballooned_pages"
    assert {("Offline", "Offline", onto)} == ways(contract, HOT)
    assert {("no type", "Offline", onto)} == ways(contract, BOUGHT)


@pytest.mark.parametrize(
    ("path", "function", "text", "words"),
    [
        (HYPERV, "hv_page_online_one", "else if (!PageOffline(pg))", "Not reported"),
        (VIRTIO, "virtio_mem_set_fake_offline", "SetPageDirty(page);", "nothing goes wrong"),
    ],
)
def test_a_line_of_the_finished_change_is_explained(
    path: str,
    function: str,
    text: str,
    words: str,
    befores: Mapping[str, Tree],
    afters: Mapping[str, Tree],
) -> None:
    source = afters["strict"].read(path)
    assert source is not None
    at = source.index(text.encode(), source.index(f"static void {function}(".encode()))
    line = source.count(b"\n", 0, at) + 1

    found = explain(path, line, Pair(befores["strict"], afters["strict"]), TOUCHED)

    assert function == found.place.function
    assert words in found.reason
    assert () == found.remarks
    assert HOT in {h.pages for h in found.after}
