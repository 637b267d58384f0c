"""Define the state of one path: variables, pages, and what was assumed on the way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from analyzer.base import FunctionId
from analyzer.flow.domain.memory import forgotten
from analyzer.flow.domain.values import Int, NonZero, Page, Unknown, Value, counted, page_key
from analyzer.pages.machine import PageState, join

#: A frozen mapping, shared between states; never changed in place.
Store = Mapping[str, Value]
#: What makes two states the same.
Key = tuple[object, frozenset[tuple[str, PageState]], object, object, object, object, object]
#: What the places begin with that hold how a condition was decided, for the function that asked.
DECIDED = "?"
#: The same where any function may ask for it.
SHARED = "?:"
#: Where a page is that was handed to the buddy.
BUDDY = "buddy"
#: A list, and the call that put a page there or met it there.
Stand = tuple[str, tuple[FunctionId, str]]


@dataclass(slots=True, eq=False)
class State:
    """What is known on one path.

    store maps places to values: `3:page` is the local `page` of the frame at depth 3, `g:name` a
    file-scope variable, `*key.f` a field behind an unknown pointer. pages maps keys to states;
    given says where a page went ("buddy" or a list's place), stands on which list it still is.
    unequal holds what values are known to differ from. forced is the page and dimension whose test
    decided the last branch, and whether what was known before left it no other outcome.

    Nobody changes a state that is made; it is not declared frozen because making one is what an
    analysis spends its time on.
    """

    store: Store
    pages: Mapping[str, PageState]
    given: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, bool] = field(default_factory=dict)
    unequal: frozenset[tuple[str, Value]] = frozenset()
    forced: tuple[str, str, bool] | None = None
    stands: Mapping[str, Stand] = field(default_factory=dict)
    _key: Key | None = field(default=None, init=False, repr=False)

    @property
    def key(self) -> Key:
        """Return what makes two states the same; the pages come second."""
        if self._key is None:
            self._key = (
                frozenset(self.store.items()),
                frozenset(self.pages.items()),
                frozenset(self.given.items()),
                frozenset(self.config.items()),
                self.unequal,
                self.forced,
                frozenset(self.stands.items()),
            )
        return self._key

    def _with(
        self, store: Store, pages: Mapping[str, PageState], given: Mapping[str, str]
    ) -> State:
        # Not dataclasses.replace(): this is where the time goes.
        return State(store, pages, given, self.config, self.unequal, self.forced, self.stands)

    def deciding(self, forced: tuple[str, str, bool] | None) -> State:
        """Return the state with what decided the last branch."""
        if self.forced == forced:
            return self
        return State(
            self.store, self.pages, self.given, self.config, self.unequal, forced, self.stands
        )

    def with_store(self, store: Store) -> State:
        """Return the state with all places assigned anew."""
        return self._with(store, self.pages, self.given)

    def put(self, place: str, value: Value) -> State:
        """Return the state with one place assigned."""
        held = self.store.get(place)
        if held is not None and held == value:
            return self
        return self._with({**self.store, place: value}, self.pages, self.given)

    def with_page(self, key: str, page: PageState) -> State:
        """Return the state with one page's state replaced."""
        return self._with(self.store, {**self.pages, key: page}, self.given)

    def give(self, key: str, to: str) -> State:
        """Return the state with a page handed over."""
        return self._with(self.store, self.pages, {**self.given, key: to})

    def take(self, key: str) -> State:
        """Return the state with a page taken back from wherever it went."""
        if key not in self.given and key not in self.stands:
            return self
        given = {k: v for k, v in self.given.items() if k != key}
        stands = {k: v for k, v in self.stands.items() if k != key}
        return replace(self, given=given, stands=stands)

    def stands_on(self, key: str) -> str:
        """Return the list that a page stands on; nothing where that is none."""
        return self.stands[key][0] if key in self.stands else ""

    def stand(self, key: str, on: Stand) -> State:
        """Return the state with a page on a list."""
        return replace(self, stands={**self.stands, key: on})

    def lose(self, key: str) -> State:
        """Return the state without a page, which now is another one."""
        if key not in self.pages and key not in self.given and key not in self.stands:
            return self
        pages = {k: v for k, v in self.pages.items() if k != key}
        return self._with(self.store, pages, self.given).take(key)

    def assume(self, symbol: str, held: bool) -> State:
        """Return the state with a configuration symbol decided."""
        return replace(self, config={**self.config, symbol: held})

    def substitute(self, old: Value, new: Value) -> State:
        """Return the state in which every place that held old holds new.

        What was counted up or down from it in memory is known as well, once it is a number.
        """
        store = {k: new if v == old else v for k, v in self.store.items()}
        if isinstance(new, Int) and isinstance(old, Unknown | NonZero):
            _count(store, old.key, new.value)
        return self._with(store, self.pages, self.given)

    def rename_page(self, old: str, new: str) -> State:
        """Return the state in which a page goes by another key, in place of who had that."""
        store = {
            k: Page(new, v.form) if isinstance(v, Page) and v.key == old else v
            for k, v in self.store.items()
        }
        return replace(
            self,
            pages={new if k == old else k: p for k, p in self.pages.items() if k != new},
            given={new if k == old else k: g for k, g in self.given.items() if k != new},
            stands={new if k == old else k: s for k, s in self.stands.items() if k != new},
            store=store,
        )

    def forget(self, doomed: Callable[[str], bool]) -> State:
        """Return the state without the places that doomed() names."""
        return self.without([place for place in self.store if doomed(place)])

    def without(self, places: Collection[str]) -> State:
        """Return the state without some places, all of which it has."""
        if not places:
            return self
        store = dict(self.store)
        for place in places:
            del store[place]
        store.update([*forgotten(places, store)])
        return self._with(store, self.pages, self.given)


def _count(store: dict[str, Value], key: str, number: int) -> None:
    """Put numbers where something is that was counted from what has become a number."""
    if not key.startswith(("*", "g:")):
        return
    base, at = counted(key)
    for place, value in store.items():
        if isinstance(value, Unknown) and value.key.startswith(base):
            of, by = counted(value.key)
            if of == base:
                store[place] = Int(number - at + by)


def join_states(one: State, other: State) -> State:
    """Return a state that allows what either allows."""
    store: dict[str, Value] = {}
    for place in one.store.keys() & other.store.keys():
        a, b = one.store[place], other.store[place]
        store[place] = a if a == b else Unknown(f"{place}:joined")
    for place, _ in [*forgotten(one.store.keys() ^ other.store.keys(), store)]:
        store[place] = Unknown(f"{place}:joined")
    pages = {k: join(one.pages[k], other.pages[k]) for k in one.pages.keys() & other.pages.keys()}
    given = {k: v for k, v in one.given.items() if other.given.get(k) == v}
    config = {k: v for k, v in one.config.items() if other.config.get(k) == v}
    stands = {k: v for k, v in one.stands.items() if other.stands.get(k) == v}
    return State(store, pages, given, config, one.unequal & other.unequal, None, stands)


def is_page(value: Value, state: State) -> bool:
    """Tell whether a value names a page."""
    return isinstance(value, Page) or page_key(value) in state.pages
