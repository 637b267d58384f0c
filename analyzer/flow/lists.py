"""Follow pages onto lists and off them: a list is a place with a contract."""

from __future__ import annotations

from analyzer.c import ir
from analyzer.c.facts import iterator_cursors
from analyzer.flow import left, operations
from analyzer.flow.callsite import CallSite
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.contents import is_own
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import ONE, ZERO, Element, Link, Page, Ref, Unknown, Value
from analyzer.flow.expressions import evaluate, place_of, target_place
from analyzer.flow.operations import Results, lose_pages, pass_addresses
from analyzer.flow.run import Run


def on_list(site: CallSite, state: State) -> Results | None:
    """Apply a list operation; None where the call is none."""
    step, args, here, act, run = site.step, site.args, site.here, site.act, site.run
    name = site.name
    lists = run.facts.lists
    if name in lists.put and len(args) == 2:
        if isinstance(args[0], Page):
            place = _list_of(args[1], step.args[1], state, act, run)
            listed = operations.put_on_list(args[0].key, place, here, state, act, run)
            return site.unknown(listed)
        return site.unknown(state)
    if name in lists.take:
        if args and isinstance(args[0], Page):
            return site.unknown(run.take(args[0].key, state))
        return site.unknown(left.looked_at(args, state))
    if name in lists.passing and len(args) > max(lists.passing[name]):
        return site.unknown(_pass_on(site, *lists.passing[name], state))
    if name in lists.entry and len(args) == 3:
        if isinstance(args[0], Page):
            return [(state, args[0])]
        member = step.args[2]
        if isinstance(args[0], Link) and _is_member(member, run):
            drawn = operations.draw(args[0].place, here, state, act, run)
            return [(s, Page(here, "page")) for s in drawn]
        return site.unknown(pass_addresses(args[:1], state, here))
    if name in lists.first and len(args) == 3 and _is_member(step.args[2], run):
        place = _list_of(args[0], step.args[0], state, act, run)
        drawn = operations.draw(place, here, state, act, run)
        found: Results = [(s, Page(here, "page")) for s in drawn]
        if name.endswith("null"):
            found.append((left.without_left(place, state), ZERO))
        return found
    if name in lists.step and args and isinstance(args[0], Page):
        drawn = operations.draw(state.stands_on(args[0].key), here, state, act, run)
        return [(s, Page(here, "page")) for s in drawn]
    return None


def _pass_on(site: CallSite, source: int, target: int, state: State) -> State:
    """Hand on what stands on one list to another; an element of no list is in neither's place."""
    step, args, act, run = site.step, site.args, site.act, site.run
    of, to = args[source], args[target]
    if isinstance(to, Page):
        return state
    if isinstance(of, Page):
        place = state.stands_on(of.key)
    else:
        place = _list_of(of, step.args[source], state, act, run)
    target_of = _list_of(to, step.args[target], state, act, run)
    return operations.hand_on(place, target_of, state, act, run)


def _is_member(e: ir.Expr, run: Run) -> bool:
    return isinstance(e, ir.Name) and e.id in run.facts.lists.members


def _list_of(value: Value, e: ir.Expr, state: State, act: Activation, run: Run) -> str:
    if isinstance(value, Link):
        return value.place
    if isinstance(value, Ref | Element):
        return target_place(value)
    return place_of(e, state, act, run)


#: So many of its first arguments an iterator may step of which nothing is known.
_CURSORS = 2


def iterate(step: ir.Iterate, state: State, act: Activation, run: Run) -> list[State]:
    """Return the states of one step of an iterator: with an element, and at the end."""
    result = act.place(step.result.id)
    here = f"{act.depth}:{step.span.start}"
    cursors = iterator_cursors(step.macro)
    if cursors is None:  # whatever it is, it may reach all pages of a range
        state = lose_pages([evaluate(a, state, act, run) for a in step.args], state, run)
    ends = [state.put(result, ZERO)]
    lists = run.facts.lists
    known = lists.iterators.get(step.macro)
    if known is not None and max(known) < len(step.args):
        target, head = (step.args[n] for n in known)
        if isinstance(target, ir.Name) and act.is_local(target.id):
            place = _list_of(evaluate(head, state, act, run), head, state, act, run)
            cursor = act.place(target.id)
            if step.macro in lists.links:
                met = (*ends, state.put(result, ONE))
                return [left.without_left(place, s).put(cursor, Link(place)) for s in met]
            if _is_member(step.args[-1], run):
                drawn = operations.draw(place, here, state, act, run)
                element = Page(here, "page")
                if is_own(place) and left.changes(step, act, run):
                    ends = [left.at_end(place, here, s) for s in ends]
                    drawn = [left.walked(place, here, s) for s in drawn]
                else:
                    ends = [left.without_left(place, s) for s in ends]
                return ends + [s.put(cursor, element).put(result, ONE) for s in drawn]
    for n, arg in enumerate(step.args):
        stepped = n in cursors if cursors is not None else n < _CURSORS
        if stepped and isinstance(arg, ir.Name) and act.is_local(arg.id):
            fresh = Unknown(f"{here}:{arg.id}")  # on every turn another value
            state = state.lose(fresh.key).put(act.place(arg.id), fresh)
    state = pass_addresses([evaluate(a, state, act, run) for a in step.args], state, here)
    return [*ends, state.put(result, ONE)]
