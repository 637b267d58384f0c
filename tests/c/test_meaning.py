"""Random programs do what C says once they are lowered."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from .code import lowered
from .machine import run
from .programs import LeaveError, Piece, Run, programs


@settings(max_examples=150, deadline=None)
@given(programs, st.integers(-1, 3), st.integers(0, 2))
def test_lowered_programs_mean_what_they_say(program: Piece, a: int, b: int) -> None:
    expected = Run({"a": a, "b": b, "c": 0})
    result = None
    try:
        program.mean(expected)
    except LeaveError as leave:
        result = leave.value

    function = lowered(program.text, "int a, int b, int c, int n")

    assert () == function.gaps
    (variant,) = function.variants
    assert (result, expected.calls) == run(variant, {"a": a, "b": b, "n": 300})
