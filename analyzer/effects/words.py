"""Put states, places and values into words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from analyzer.base import FunctionId
from analyzer.flow.analyse import Prepared
from analyzer.flow.domain.values import Int, NonZero, Page, Value
from analyzer.pages.facts import Facts
from analyzer.pages.machine import CLEAR, SET, PageState, Space

#: What pages are called of which nothing is known.
STRANGE = "pages of unknown origin"
#: What they are called once the buddy has them: where they came from is of no interest any more.
GIVEN = "pages given away"


def title(population: str, tree: Prepared) -> str:
    """Return how pages of a population are called."""
    return tree.facts.title(population) if population else STRANGE


def state_words(page: PageState, space: Space, told: Iterable[str] = ()) -> str:
    """Say a state: the type, the flags that are set, and of the flags told those that are not."""
    words = [space.describe(page.types)]
    told = tuple(told)
    for flag in sorted({*told, *(n for n, _ in page.flags)}):
        if page.flag(flag) == SET:
            words.append(flag)
        elif page.flag(flag) == CLEAR and flag in told:
            words.append(f"not {flag}")
    return ", ".join(words)


def place_words(given: str) -> str:
    """Say where a page went."""
    if given == "buddy":
        return "the buddy"
    if given.startswith("list:"):
        name = re.sub(r"^(?:list:)?\*?(?:[0-9]+:|g:)?(?:[0-9]+\.)?(?:.*#)?", "", given)
        name = re.sub(r"\[[^]]*]", "[]", name)  # an element by its number says nothing to a reader
        return f"the list {name}"
    return "" if given in ("", "callback") else given


def taken_words(name: str, facts: Facts) -> str:
    """Say what a call of a function is taken to do that is not followed; nothing where it is."""
    if name in facts.sinks:
        return "to give the page to the buddy"
    if name in facts.puts:
        return "to drop a reference, and with the last one to give the page to the buddy"
    if name in facts.resets:
        return "to make the page anew, with neither type nor flags"
    if name in facts.allocators or name in facts.range_allocators:
        return "to give pages from the allocator"
    return "to do nothing to pages" if name in facts.opaque else ""


def returned_words(value: Value, id: FunctionId, tree: Prepared) -> str:
    """Say what a function returns; nothing where that is not known."""
    function = tree.program.lowered(id)[0]
    if function.returns.split()[-1:] == ["void"]:
        return ""
    if isinstance(value, Int):
        if "bool" in function.returns.split():
            return "true" if value.value else "false"
        return "NULL" if "*" in function.returns and value.value == 0 else str(value.value)
    if isinstance(value, NonZero):
        return "not 0"
    return "the page" if isinstance(value, Page) and "*" in function.returns else ""


def entry_words(entries: Sequence[tuple[int, str]], space: Space) -> str:
    """Write several states as one phrase: `Offline or Buddy, not Reserved`."""
    by_rest: dict[str, int] = {}
    for mask, rest in entries:
        by_rest[rest] = by_rest.get(rest, 0) | mask
    by_mask: dict[int, list[str]] = {}
    for rest, mask in by_rest.items():
        by_mask.setdefault(mask, []).append(rest)
    phrases: list[str] = []
    single = sum(1 << i for i, n in enumerate(space.names) if " and " not in n)
    for mask, rests in by_mask.items():
        words = "any type" if mask == single else space.describe(mask)
        if len(rests) < 2 or not all(rests):
            phrases.extend(", ".join(w for w in (words, rest) if w) for rest in rests)
        else:
            phrases.append(_shared(words, rests))
    return "; or ".join(phrases)


def _shared(words: str, rests: Sequence[str]) -> str:
    """Leave out the flags that make no difference: both of their values are among the states."""
    sets = [frozenset(r.split(", ")) for r in rests]
    common = frozenset.intersection(*sets)
    free = len(sets[0]) - len(common)
    if len(sets) == 2**free:
        return ", ".join([words, *(w for w in rests[0].split(", ") if w in common)])
    return "; or ".join(f"{words}, {r}" for r in rests)
