"""Make random programs, with what C says they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

VARIABLES = ("a", "b", "c")


class LeaveError(Exception):
    """`break`, `continue` or `return` on its way out."""

    def __init__(self, kind: str, value: int = 0) -> None:
        super().__init__(kind)
        self.kind, self.value = kind, value


@dataclass
class Run:
    """The variables of a run, its calls, and how many steps it may still take."""

    env: dict[str, int]
    calls: list[str] = field(default_factory=list)
    steps: int = 300


@dataclass(frozen=True)
class Piece:
    """A piece of C and its meaning; a statement returns nothing of interest."""

    text: str
    mean: Callable[[Run], int]

    def __repr__(self) -> str:
        return self.text


def _called(name: str, argument: Piece) -> Piece:
    def mean(run: Run) -> int:
        value = argument.mean(run)
        run.calls.append(f"{name}({value})")
        return 0

    return Piece(f"{name}({argument.text})", mean)


def _assigned(name: str, value: Piece) -> Piece:
    def mean(run: Run) -> int:
        run.env[name] = value.mean(run)
        return run.env[name]

    return Piece(f"({name} = {value.text})", mean)


def _stepped(name: str, by: int, *, before: bool) -> Piece:
    def mean(run: Run) -> int:
        run.env[name] += by
        return run.env[name] - (0 if before else by)

    operator = "++" if by > 0 else "--"
    return Piece(operator + name if before else name + operator, mean)


def _both(left: Piece, right: Piece) -> Piece:
    return Piece(
        f"({left.text} && {right.text})", lambda run: int(bool(left.mean(run) and right.mean(run)))
    )


def _either(left: Piece, right: Piece) -> Piece:
    return Piece(
        f"({left.text} || {right.text})", lambda run: int(bool(left.mean(run) or right.mean(run)))
    )


def _chosen(test: Piece, then: Piece, orelse: Piece) -> Piece:
    return Piece(
        f"({test.text} ? {then.text} : {orelse.text})",
        lambda run: then.mean(run) if test.mean(run) else orelse.mean(run),
    )


def _less(left: Piece, number: int) -> Piece:
    return Piece(f"({left.text} < {number})", lambda run: int(left.mean(run) < number))


def _negated(operand: Piece) -> Piece:
    return Piece(f"!{operand.text}", lambda run: int(not operand.mean(run)))


def _then(first: Piece, second: Piece) -> Piece:
    def mean(run: Run) -> int:
        first.mean(run)
        return second.mean(run)

    return Piece(f"({first.text}, {second.text})", mean)


_names = st.sampled_from(VARIABLES)
_atoms = st.one_of(
    st.integers(0, 3).map(lambda n: Piece(str(n), lambda run: n)),
    _names.map(lambda v: Piece(v, lambda run: run.env[v])),
    st.builds(_stepped, _names, st.sampled_from((1, -1)), before=st.booleans()),
)
expressions: st.SearchStrategy[Piece] = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        st.builds(_both, inner, inner),
        st.builds(_either, inner, inner),
        st.builds(_chosen, inner, inner, inner),
        st.builds(_then, inner, inner),
        st.builds(_negated, inner),
        st.builds(_less, inner, st.integers(-1, 3)),
        st.builds(_assigned, _names, inner),
        st.builds(_called, st.sampled_from(("g", "h")), inner),
    ),
    max_leaves=6,
)


def _evaluated(value: Piece) -> Piece:
    return Piece(f"{value.text};", value.mean)


def _if(test: Piece, then: Piece, orelse: Piece | None) -> Piece:
    def mean(run: Run) -> int:
        if test.mean(run):
            return then.mean(run)
        return orelse.mean(run) if orelse is not None else 0

    text = f"if ({test.text}) {{ {then.text} }}"
    return Piece(text if orelse is None else f"{text} else {{ {orelse.text} }}", mean)


def _loop(head: str, test: Piece, body: Piece, update: Piece) -> Piece:
    """Make `while`, `do` or `for`; `n` bounds it in the program as `steps` does in the run."""

    def mean(run: Run) -> int:
        first = head == "do"
        while True:
            if not first and not (_spent(run) and test.mean(run)):
                return 0
            first = False
            try:
                body.mean(run)
            except LeaveError as leave:
                if leave.kind == "break":
                    return 0
                if leave.kind == "return":
                    raise
            if head == "for":
                update.mean(run)

    bounded = f"n-- > 0 && {test.text}"
    match head:
        case "do":
            return Piece(f"do {{ {body.text} }} while ({bounded});", mean)
        case "for":
            return Piece(f"for (; {bounded}; {update.text}) {{ {body.text} }}", mean)
    return Piece(f"while ({bounded}) {{ {body.text} }}", mean)


def _spent(run: Run) -> bool:
    run.steps -= 1
    return run.steps >= 0


def _sequence(parts: list[Piece]) -> Piece:
    def mean(run: Run) -> int:
        for part in parts:
            part.mean(run)
        return 0

    return Piece(" ".join(p.text for p in parts), mean)


def _switch(value: Piece, arms: list[Piece], default: int) -> Piece:
    """Make a switch over 0, 1, 2 ...; each arm falls through unless it leaves."""

    def mean(run: Run) -> int:
        chosen = value.mean(run)
        at = chosen if 0 <= chosen < len(arms) and chosen != default else default
        try:
            for arm in arms[at:] if at < len(arms) else ():
                arm.mean(run)
        except LeaveError as leave:
            if leave.kind != "break":
                raise
        return 0

    labels = ("default:" if n == default else f"case {n}:" for n in range(len(arms)))
    body = " ".join(f"{label} {arm.text}" for label, arm in zip(labels, arms, strict=True))
    return Piece(f"switch ({value.text}) {{ {body} }}", mean)


def _leave(kind: str) -> Piece:
    def mean(run: Run) -> int:
        raise LeaveError(kind)

    return Piece(f"{kind};", mean)


def _returned(value: Piece) -> Piece:
    def mean(run: Run) -> int:
        raise LeaveError("return", value.mean(run))

    return Piece(f"return {value.text};", mean)


def statements(depth: int, *, loop: bool, switch: bool) -> st.SearchStrategy[Piece]:
    """Make statements; `break` and `continue` stand where they may."""
    leaves = [_evaluated, _returned]
    plain = st.one_of(*(st.builds(make, expressions) for make in leaves))
    if loop or switch:
        plain = st.one_of(plain, st.just(_leave("break")))
    if loop:
        plain = st.one_of(plain, st.just(_leave("continue")))
    if depth == 0:
        return plain
    inner = _block(depth - 1, loop=loop, switch=switch)
    looped = _block(depth - 1, loop=True, switch=False)
    switched = _block(depth - 1, loop=loop, switch=True)
    return st.one_of(
        plain,
        st.builds(_if, expressions, inner, st.none() | inner),
        st.builds(_loop, st.sampled_from(("while", "do", "for")), expressions, looped, expressions),
        st.builds(
            _switch, expressions, st.lists(switched, min_size=1, max_size=3), st.integers(0, 3)
        ),
    )


def _block(depth: int, *, loop: bool, switch: bool) -> st.SearchStrategy[Piece]:
    return st.lists(statements(depth, loop=loop, switch=switch), min_size=1, max_size=3).map(
        _sequence
    )


#: The body of a function of a, b, c; n bounds its loops.
programs = _block(3, loop=False, switch=False)
