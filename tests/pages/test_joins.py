"""What is known where ways meet: to join with one of them once more tells nothing new."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analyzer.flow.domain.state import State, join_states
from analyzer.flow.domain.values import ZERO, Int, NonZero, Unknown, Value

PLACES = ("0:n", "*0:1[0]", "*0:1[1]", "*0:1[0:n:turn0+1]", "*0:1.toy", "g:toys")

values = st.sampled_from([ZERO, Int(1), NonZero("0:2"), Unknown("0:3"), Unknown("*0:1[0]")])


@st.composite
def states(draw: st.DrawFn) -> State:
    store: dict[str, Value] = {p: draw(values) for p in PLACES if draw(st.booleans())}
    return State(store | {"*0:1": ZERO}, {})


@given(states(), states(), states())
def test_joining_once_more_changes_nothing(one: State, other: State, third: State) -> None:
    joined = join_states(join_states(one, other), third)

    again = [join_states(joined, s).key for s in (one, other, third)]

    assert [joined.key] * 3 == again
