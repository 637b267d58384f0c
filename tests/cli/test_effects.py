"""The contract of a function must read well, and say the same to a program."""

from __future__ import annotations

import json

import pytest

from .commands import PATCH, TREE, offlint

HELD = """\
toy_hold() in drivers/toy/toy_mem.c:9
  static void toy_hold(unsigned long pfn, unsigned long nr_pages, bool onlined)

Allocated pages, onlined = true; from toy_unplug()
  no type -> Offline

Hotplugged pages, onlined = false; from toy_online_page()
- no type, Reserved -> Offline, Dirty
+ Offline -> Offline, Dirty

Pages of unknown origin, onlined = false
- no type -> Offline, Dirty
- Buddy or Offline or other type -> traps at __SetPageOffline(page) (toy_hold(),
-     drivers/toy/toy_mem.c:14)
+ no type or Buddy or other type -> fails at VM_WARN_ON_ONCE(!PageOffline(page))
+     (toy_hold(), drivers/toy/toy_mem.c:18)
+ Offline -> Offline, Dirty

Pages of unknown origin, onlined = true
  no type -> Offline
  Buddy or Offline or other type -> traps at __SetPageOffline(page) (toy_hold(),
      drivers/toy/toy_mem.c:14)

After drivers/toy/toy_mem.c:15 in toy_hold()
  page: hotplugged pages: Offline, Dirty
"""


def test_the_difference_reads_like_a_diff() -> None:
    done = offlint(
        "effects", "toy_hold", "--tree", TREE, "--patch", PATCH, "--at", "drivers/toy/toy_mem.c:15"
    )

    assert (0, HELD) == (done.status, done.stdout)
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("line", "known"),
    [
        (13, "nothing is done on this line"),
        (20, "page: allocated pages: Offline"),
        (16, "page: hotplugged pages: Offline, Dirty, Reserved"),
    ],
)
def test_of_a_line_on_which_nothing_is_done_that_is_said(line: int, known: str) -> None:
    done = offlint("effects", "toy_hold", "--tree", TREE, "--at", f"drivers/toy/toy_mem.c:{line}")

    assert f"After drivers/toy/toy_mem.c:{line} in toy_hold()\n  {known}" in done.stdout


def test_without_a_patch_nothing_is_marked() -> None:
    done = offlint("effects", "toy_hold()", "--tree", TREE)

    assert 0 == done.status
    assert not [line for line in done.stdout.splitlines() if line.startswith(("-", "+"))]


def test_json_holds_both_contracts_and_the_lines() -> None:
    done = offlint(
        *("effects", "toy_hold", "--tree", TREE, "--patch", PATCH, "--format", "json"),
        *("--at", "drivers/toy/toy_mem.c:15"),
    )

    report = json.loads(done.stdout)
    ways = [
        {w["entry"]: w["exit"] for c in report[side]["contexts"] for w in c["ways"] if c["callers"]}
        for side in ("before", "after")
    ]
    assert [
        {"no type": "Offline", "no type, Reserved": "Offline, Dirty"},
        {"no type": "Offline", "Offline": "Offline, Dirty"},
    ] == ways
    assert [("toy_hold", ["Offline, Dirty"])] == [
        (line["function"], [k["state"] for k in line["known"]]) for line in report["lines"]
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("toy_gone",), "no function of this name is defined"),
        (("__SetPageOffline",), "no function, but an accessor of PageOffline, which include/linux"),
        (("toy_hold", "--at", "toy_mem.c"), "expected FILE:LINE"),
        (("toy_hold", "--at", "toy_mem.c:x"), "expected FILE:LINE"),
        (("toy_hold", "--at", "mm/nowhere.c:5"), "mm/nowhere.c: no such file in the tree"),
        (("toy_hold", "--at", "drivers/toy/toy_mem.c:9999"), "the file has only"),
        (("toy_hold", "--patch", "nowhere.patch"), "no such patch file"),
    ],
)
def test_a_mistake_is_one_message(arguments: tuple[str, ...], words: str) -> None:
    done = offlint("effects", *arguments, "--tree", TREE)

    assert (2, "") == (done.status, done.stdout)
    assert words in done.stderr
