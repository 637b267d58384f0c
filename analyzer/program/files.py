"""Know the files of one tree that an analysis has read, and find those that it has to read."""

from __future__ import annotations

import copy
import posixpath
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Self

from analyzer.base import FunctionId, Gap
from analyzer.budget import Budget
from analyzer.c.ir import Definition
from analyzer.c.macros import Macro, every_definition, is_empty
from analyzer.c.unit import LARGEST, Unit
from analyzer.program.asked import Witness, noted
from analyzer.program.cache import Cache, Facets, Stored
from analyzer.program.lookup import covers, folders_near, macros_of, may_define
from analyzer.program.memo import Memos
from analyzer.program.names import NO_SOURCES, Names, Sources
from analyzer.tree.api import Read, Search
from analyzer.tree.words import files_of


class Files(Witness):
    """Read files of one tree as searches find them; nothing is global.

    Where other files answer alike all that an analysis asks, that need not be made again.
    """

    def __init__(
        self,
        read: Read,
        search: Search,
        cache: Cache,
        config: Mapping[str, bool],
        budget: Budget,
        sources: Sources = NO_SOURCES,
        shared: tuple[str, ...] = (),
    ) -> None:
        self.config = dict(config)
        self.cut = ""  # what ran out before every file was read
        self.budget = budget
        self.gaps: list[Gap] = []
        self._names = Names(read, cache, sources)
        self._read, self._search, self._cache = read, search, cache
        self._facets: dict[str, Facets] = {}
        self._defined: dict[str, list[Definition]] = defaultdict(list)
        self._through: dict[str, list[FunctionId]] = defaultdict(list)
        self._callers: dict[str, list[FunctionId]] = defaultdict(list)
        self._unlisted: list[str] = []  # files whose calls are not in there yet
        self._slots: dict[str, list[Stored]] = defaultdict(list)
        self._values: dict[str, set[str]] = defaultdict(set)
        self._shared = shared  # folders that define what any file may call
        self._searched: set[str] = set()
        self._settled: set[str] = set()  # names of which all definitions near were read
        self._hits: set[str] = set()
        self._undefined: frozenset[str] = frozenset()  # nobody can tell what these do
        self.memos = Memos()  # what others found out about this tree
        self.lasting = cache.memos  # and what holds for others as well
        self.looked_up: list[tuple[str, ...]] = []

    def copy(self) -> Self:
        """Return one of its own that knows the same."""
        other = copy.copy(self)
        other.gaps, other._facets = list(self.gaps), dict(self._facets)
        for name in ("_defined", "_through", "_callers", "_slots"):
            lists: defaultdict[str, list[object]] = defaultdict(list)
            lists.update((key, list(found)) for key, found in getattr(self, name).items())
            setattr(other, name, lists)
        other._values = defaultdict(set, {key: set(v) for key, v in self._values.items()})
        other._searched, other.memos = set(self._searched), self.memos.copy()
        other._hits, other._settled = set(self._hits), set(self._settled)
        other.looked_up, other._unlisted = list(self.looked_up), list(self._unlisted)
        return other

    def adopt(self, other: Self) -> None:
        """Know what a copy has learned since."""
        self.__dict__.update(other.__dict__)

    def admit(self, gap: Gap) -> None:
        """Take note of what could not be read or followed, once."""
        if gap not in self.gaps:
            self.gaps.append(gap)

    def add(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Read files that are not known yet; return those that were new."""
        new = []
        for path in sorted(set(paths) - self._facets.keys()):
            self.cut = self.cut or self.budget.spent
            if self.cut:
                break
            text = self._read(path)
            if text is None and path in self._hits:
                self.admit(Gap("size", path, 0, "", "too large or not to be read; left out"))
            if text is None or path.endswith(".S"):
                continue
            if len(text) > LARGEST:
                if path.endswith(".c"):
                    detail = f"larger than {LARGEST >> 20} MB; not read"
                    self.admit(Gap("size", path, 0, "", detail))
                continue
            facets = self._cache.scan(path, text)
            self._facets[path] = facets
            new.append(path)
            for name, found in facets.unit.definitions.items():
                self._defined[name].extend(found)
            for name, pointers in facets.pointers.items():
                for other in pointers:
                    self._through[other].append((path, name))
            self._unlisted.append(path)
            for stored in facets.stores:
                self._slots[stored.slot].append(stored)
                self._values[stored.value].add(stored.slot)
        return tuple(new)

    def share_macros(self, accessors: Collection[str]) -> None:
        """Know in every file the macros of the headers for all the kernel that were read.

        Know as well what of other files calls one of the accessors.
        """
        self._names.share([*self._facets.values()], accessors)

    def callers(self, name: str) -> Sequence[FunctionId]:
        """Return the functions of the files that were read which call a name."""
        # What a file calls depends on the headers beside it: that is found out when it is asked.
        for path in self._unlisted:
            own = self._names.own(path)
            for function, called in self._facets[path].calls.items():
                for other in own.meant(called):
                    self._callers[other].append((path, function))
        self._unlisted.clear()
        return self._callers.get(name, ())

    def search(self, words: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """Search the tree for words that were not searched for yet; answer path -> words."""
        new = sorted(set(words) - self._searched)
        self._searched.update(new)
        found = self._search(new, ()) if new else {}
        self._hits.update(found)
        return found

    def is_searched(self, word: str) -> bool:
        """Tell whether every file that has a word was looked for."""
        return word in self._searched

    def look_up(self, words: Iterable[str]) -> tuple[str, ...]:
        """Search for words and read every file that has one."""
        words = tuple(words)
        self.looked_up.append(words)
        self.note(("look_up", words), lambda p: p._searched.issuperset(words), True)
        return self.add(self.search(words))

    def texts(self, words: Iterable[str]) -> Iterator[tuple[str, bytes, frozenset[str]]]:
        """Search for words and yield each file that has one: its text, not read as C, its words."""
        for path, found in sorted(self.search(words).items()):
            self.cut = self.cut or self.budget.spent
            if self.cut:
                break
            text = self._read(path)
            if text is None or len(text) > LARGEST:
                self.add([path])  # it says what is not read
            elif not path.endswith(".S"):
                yield path, text, found

    def define(self, names: Iterable[str], *, limit: int = 400) -> tuple[str, ...]:
        """Find and read the files that define functions; a name in too many files is a gap.

        A name that is defined near the files that were read, whatever the configuration, is not
        looked for anywhere else.
        """
        wanted = {n for n in names if n not in self._defined and n not in self._searched}
        new: list[str] = []
        if near := folders_near(self._facets, self._shared):
            wanted -= self._settled
            hits = self._search(wanted, near) if wanted else {}
            self._hits.update(hits)
            for name, paths in files_of(sorted(wanted), hits).items():
                if len(paths) <= limit:
                    new += self._read_definitions(name, paths)
                    if self._is_settled(name, paths):
                        self._settled.add(name)
            wanted -= self._settled
        for name, paths in files_of(sorted(wanted), self.search(wanted)).items():
            if len(paths) > limit:
                detail = f"stands in {len(paths)} files; not followed"
                self.gaps.append(Gap("search", "", 0, name, detail))
            else:
                new += self._read_definitions(name, paths)
        return tuple(new)

    def read_defining(self, names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """Read every file that defines functions; answer where those not searched yet stand."""
        new = sorted(n for n in names if not self.is_searched(n))
        found = files_of(new, self.search(new))
        for name, paths in found.items():
            tuple(self._read_definitions(name, paths))
        return found

    def _read_definitions(self, name: str, paths: Iterable[str]) -> Iterator[str]:
        """Read those of some files that define a function; yield those that were new."""
        for path in paths:
            text = self._read(path)
            if text is not None and len(text) <= LARGEST and may_define(text, name.encode()):
                yield from self.add([path])

    def _is_settled(self, name: str, paths: Iterable[str]) -> bool:
        """Tell whether files define a name for all who may call it, whatever the configuration."""
        found = [d for d in self._defined[name] if not d.static or d.path.endswith(".h")]
        conditions = {d.conditions for d in found}
        for path in paths:
            text = self._read(path) if path.endswith(".h") else None
            if text is not None and len(text) <= LARGEST and f"define {name}".encode() in text:
                conditions.update(macros_of(self._cache.scan(path, text).unit, name.encode()))
        return covers(conditions)

    def stands_for_nothing(self, name: str) -> bool:
        """Tell whether a name is a macro that is empty wherever the tree defines it.

        And no function: one that is declared somebody defines, or another patch does.
        """
        if name in self._defined:
            return False
        found: list[Macro] = []
        for path in self._search([name], ()):
            text = self._read(path)
            if text is None or len(text) > LARGEST or may_define(text, name.encode()):
                return False
            if re.search(rf"define[ \t]+{name}\b".encode(), text):
                defined = every_definition(self._cache.scan(path, text).unit)
                found += (m for _, other, m in defined if other == name and m is not None)
        return bool(found) and all(map(is_empty, found))

    @noted
    def is_undefined(self, name: str) -> bool:
        """Tell whether nobody can tell what a function does that is called."""
        return name in self._undefined

    def give_up(self, names: Iterable[str]) -> None:
        """Take note of functions that are called, and of which nobody can tell what they do."""
        self._undefined = self._undefined.union(names)

    @property
    def paths(self) -> tuple[str, ...]:
        """List the files that were read."""
        return tuple(sorted(self._facets))

    @noted
    def inside(self, folder: str) -> tuple[str, ...]:
        """List the files of a folder that were read."""
        return tuple(path for path in self.paths if posixpath.dirname(path) == folder)

    @property
    def count(self) -> int:
        """Count the definitions in the files that were read."""
        return sum(len(d) for f in self._facets.values() for d in f.unit.definitions.values())

    def unit(self, path: str) -> Unit:
        """Return a file that was read."""
        unit = self._facets[path].unit
        self.note(("unit", path), lambda other: other.unit(path) if other.has(path) else None, unit)
        return unit

    def has(self, path: str) -> bool:
        """Tell whether a file was read."""
        return path in self._facets

    def is_absent(self, path: str) -> bool:
        """Tell whether the tree has no such file."""
        return path not in self._facets and self._read(path) is None

    def says(self, path: str, word: str) -> bool:
        """Tell whether a file of the tree has a word, whether it was read or not."""
        return re.search(rf"\b{word}\b".encode(), self._read(path) or b"") is not None

    def numbers(self, headers: Iterable[str]) -> Mapping[str, int]:
        """Return the enumerators and integer macros that headers define."""
        found: dict[str, int] = {}
        for path in headers:
            text = self._read(path)
            if text is not None and len(text) <= LARGEST:
                found = {**self._cache.numbers(path, text), **found}
        return found
