"""What operations make of page states: more allowed before is more allowed after, and all of it.

Held on the real transfer functions, under the three laws that kernel trees have had.
"""

from __future__ import annotations

from functools import cache, reduce

import pytest
from fixture.harness import LAWS, common_files
from hypothesis import given
from hypothesis import strategies as st

from analyzer.budget import Budget
from analyzer.c.lower import lower
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import Int, Page
from analyzer.flow.operations import apply
from analyzer.flow.run import Run
from analyzer.pages.facts import load_facts
from analyzer.pages.laws import HEADER, derive_law
from analyzer.pages.machine import CLEAR, EITHER, SET, TYPE, Operation, PageState, Space, Verb, join
from analyzer.program.cache import Cache
from analyzer.program.interest import Interest
from analyzer.program.program import Program
from analyzer.tree import MemoryTree

FLAGS = ("Reserved", "Dirty")
KEY = "a page"
masks = st.sampled_from([CLEAR, SET, EITHER])
over_laws = pytest.mark.parametrize("law", LAWS)


@cache
def space_of(law: str) -> Space:
    header = common_files(law, "before")[HEADER].encode()
    return derive_law(header, load_facts().types).space


def operations(law: str) -> list[Operation]:
    found = space_of(law).operations
    return [found[n] for n in sorted(found) if found[n].dimension in (TYPE, *FLAGS)]


@st.composite
def pages(draw: st.DrawFn, law: str) -> PageState:
    values = (1 << len(space_of(law).values)) - 1
    page = PageState(draw(st.integers(1, values)), (), draw(masks))
    for name in FLAGS:
        page = page.with_flag(name, draw(masks))
    return page


def allows(big: PageState, small: PageState) -> bool:
    return small.types & ~big.types == 0 and all(
        small.flag(n) & ~big.flag(n) == 0 for n in (*FLAGS, "Checked")
    )


@cache
def scene(law: str) -> tuple[Run, Activation]:
    """Return a run over a tree of one function, from which operations are called."""
    tree = MemoryTree({"a.c": "void f(struct page *page)\n{\n}\n"})
    program = Program(tree.read, tree.search, Cache(), {}, Budget())
    program.add(["a.c"])
    (definition,) = program.unit("a.c").definitions["f"]
    function = lower(program.unit("a.c"), definition)
    interest = Interest(frozenset(), frozenset(), frozenset(FLAGS))
    run = Run(program, space_of(law), load_facts(), {}, interest, False, {}, {})
    return run, Activation(function, function.variants[0], 0, (), ("a.c", "f"))


def applied(law: str, op: Operation, page: PageState) -> list[tuple[int | None, PageState]]:
    """Return each way out of an operation: what it returns and what the page is then."""
    run, act = scene(law)
    state = State({}, {KEY: page})
    ways = apply(op, (Page(KEY, "page"),), state, act, act.function.span, run)
    return [(v.value if isinstance(v, Int) else None, s.pages[KEY]) for s, v in ways]


def concrete(op: Operation, types: int, flag: int) -> tuple[int | None, int, int] | None:
    """Return what one page becomes, from the operation's definition; None where it traps."""
    if op.dimension == TYPE:
        if op.is_test:
            return int(op.truth[types]), types, flag
        to = op.steps[types]
        return None if to is None else (None, to, flag)
    told = int(flag == SET) if op.verb not in (Verb.SET, Verb.CLEAR) else None
    if op.is_test:
        return told, types, flag
    return told, types, SET if op.verb in (Verb.SET, Verb.TEST_SET) else CLEAR


@over_laws
@given(data=st.data())
def test_more_states_before_are_more_states_after(law: str, data: st.DataObject) -> None:
    small, other = data.draw(pages(law)), data.draw(pages(law))
    op = data.draw(st.sampled_from(operations(law)))
    big = join(small, other)

    wider = applied(law, op, big)

    for told, page in applied(law, op, small):
        doubled = not page.types & space_of(law).every  # told of pages that certainly had a type
        assert doubled or any(told == t and allows(p, page) for t, p in wider), op.name


@over_laws
@given(data=st.data())
def test_no_page_is_lost_and_none_comes_from_nowhere(law: str, data: st.DataObject) -> None:
    page = data.draw(pages(law))
    op = data.draw(st.sampled_from(operations(law)))
    name = FLAGS[0] if op.dimension == TYPE else op.dimension
    types = [n for n in range(len(space_of(law).values)) if page.types >> n & 1]
    flags = [m for m in (CLEAR, SET) if page.flag(name) & m]

    ways = applied(law, op, page)
    ends = {e for t in types for f in flags if (e := concrete(op, t, f)) is not None}
    single = {e for e in ends if space_of(law).every >> e[1] & 1}
    if op.dimension == TYPE and op.is_set and single:
        ends = single  # who may have had another type or none has had none where it gets one

    allowed = {
        (told, n, m)
        for told, p in ways
        for n in range(len(space_of(law).values))
        for m in (CLEAR, SET)
        if p.types >> n & 1 and p.flag(name) & m
    }
    assert ends == allowed, op.name


@over_laws
@given(data=st.data())
def test_the_order_of_joins_does_not_matter(law: str, data: st.DataObject) -> None:
    found = data.draw(st.lists(pages(law), min_size=2, max_size=5))

    assert reduce(join, found) == reduce(join, data.draw(st.permutations(found)))
    assert all(allows(reduce(join, found), page) for page in found)


@over_laws
@given(data=st.data())
def test_the_join_is_the_least_that_allows_both(law: str, data: st.DataObject) -> None:
    one, other, bound = (data.draw(pages(law)) for _ in range(3))
    above = join(join(one, other), bound)

    assert allows(above, join(one, other))
    assert (allows(bound, one) and allows(bound, other)) == allows(bound, join(one, other))
