"""Interpret one function by itself: again as it was called, or with a page of a given state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from analyzer.base import FunctionId, Gap, Span
from analyzer.flow.analyse import Prepared, new_run
from analyzer.flow.domain.observe import Behaviour, Observation, Passage
from analyzer.flow.domain.sight import Entrance
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import Int, Page, Symbol, Unknown, Value, page_key
from analyzer.flow.interpret import run_call
from analyzer.flow.operations import Results
from analyzer.flow.passages import passages_of
from analyzer.flow.run import Run
from analyzer.pages.machine import PageState
from analyzer.program.interest import Interest
from analyzer.program.params import is_page_pointer, page_params

NOTHING: Mapping[str, bool] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Replay:
    """What one call of a function did: the pages that it was passed, by key, and how it ended.

    passages are those through the functions that it called; unread are functions that were passed a
    page and are defined nowhere that was read.
    """

    args: tuple[Value, ...]
    entry: State
    results: tuple[tuple[State, Value], ...]
    observations: tuple[Observation, ...]
    gaps: tuple[Gap, ...]
    passages: tuple[Passage, ...]
    unread: frozenset[str]


def replay(entrance: Entrance, tree: Prepared, interest: Interest, behaviour: Behaviour) -> Replay:
    """Interpret a call once more, exactly as it was."""
    run = new_run(tree, interest, behaviour.lists)
    e = entrance
    results = run_call(e.id, e.args, e.state, e.caller, e.span, run)
    return _played(e.args, e.state, results, run)


def play(
    id: FunctionId,
    page: PageState | None,
    constants: Mapping[int, Value],
    tree: Prepared,
    interest: Interest,
    behaviour: Behaviour,
    config: Mapping[str, bool] = NOTHING,
) -> Replay | None:
    """Interpret a function with a page in a state, and some arguments known by position.

    None where a state is given, and the function is passed no page.
    """
    run = new_run(tree, interest, behaviour.lists)
    args = _arguments(id, constants, tree)
    pages = {} if page is None else {a.key: page for a in args if isinstance(a, Page)}
    if page is not None and not pages:
        return None
    entry = State({}, pages, config={**tree.program.config, **config})
    results = run_call(id, args, entry, None, Span("", 0, 0, 0, 0, 0, 0), run)
    return _played(args, entry, results, run)


def _played(args: tuple[Value, ...], entry: State, results: Results, run: Run) -> Replay:
    return Replay(
        args,
        entry,
        tuple(results),
        tuple(run.observations),
        tuple(sorted(run.gaps)),
        passages_of(run.memory),
        frozenset(name for name, path in run.met if not run.program.resolve(name, path)),
    )


def _arguments(id: FunctionId, constants: Mapping[int, Value], tree: Prepared) -> tuple[Value, ...]:
    passed = page_params(tree.program, tree.facts, id)
    args: list[Value] = []
    for function in tree.program.lowered(id)[:1]:
        for n, param in enumerate(function.params):
            place = f"0:{param.name}"
            if n in constants:
                args.append(constants[n])
            elif is_page_pointer(param.type):
                args.append(Page(place, "page"))
            elif n in passed and "*" not in param.type:
                args.append(Page(place, "pfn"))
            else:
                args.append(Unknown(place))
    return tuple(args)


def constants_of(args: Sequence[Value]) -> Mapping[int, Value]:
    """Return the arguments whose value is known, by position."""
    return {n: a for n, a in enumerate(args) if isinstance(a, Int | Symbol) and page_key(a) is None}
