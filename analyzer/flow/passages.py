"""Say what functions do with the pages that pass through them: entered so, left so.

A function is interpreted once for each context that its callers really pass; what is remembered
of that is its contract.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from analyzer.flow.domain.observe import Passage
from analyzer.flow.domain.values import Page
from analyzer.flow.operations import Results
from analyzer.flow.run import Context
from analyzer.pages.facts import ALLOCATED
from analyzer.pages.machine import PageState


def passages_of(memory: Mapping[Context, Results]) -> tuple[Passage, ...]:
    """Return every passage that was interpreted, once, in the order of the analysis."""
    return tuple(
        dict.fromkeys(p for context, results in memory.items() for p in _through(context, results))
    )


def _through(context: Context, results: Results) -> Iterator[Passage]:
    before = dict(context.pages)
    handed = {a.key for a in context.args if isinstance(a, Page) and a.key in before}
    for key in sorted(handed) if not results else ():  # every way on ends in a trap
        yield Passage(context.id, before[key].population, _bare(before[key]), None, "")
    for state, value in results:
        for key in sorted(handed):
            entered, left = before[key], state.pages.get(key)
            population = entered.population or (left.population if left else "")
            given = state.given.get(key, "")
            yield Passage(context.id, population, _bare(entered), left and _bare(left), given)
        for key, page in state.pages.items():
            returned = isinstance(value, Page) and value.key == key
            origin = page.population not in ("", ALLOCATED)
            if key not in before and page.population and (returned or origin):
                yield Passage(context.id, page.population, None, _bare(page), "")


def _bare(page: PageState) -> PageState:
    """Return a state without its history and population."""
    return PageState(page.types, page.flags, page.rest)
