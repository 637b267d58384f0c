"""Know the functions of one tree: definitions, mentions, and what they are stored in."""

from __future__ import annotations

import copy
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from analyzer.base import Gap
from analyzer.budget import Budget
from analyzer.c.constants import enumerators
from analyzer.c.facts import macros
from analyzer.c.ir import Conditions, Definition, Function, Return, Signature
from analyzer.c.own import plain_name, static_name
from analyzer.c.statics import private_names
from analyzer.c.unit import LARGEST, Unit
from analyzer.program.arguments import Argument, split_arguments
from analyzer.program.asked import Witness, noted
from analyzer.program.cache import Cache, Facets, Stored
from analyzer.program.lookup import covers, distance, folders_near, macros_of, may_define
from analyzer.program.names import NO_SOURCES, Names, Sources
from analyzer.tree.api import Read, Search
from analyzer.tree.words import files_of

if TYPE_CHECKING:
    from analyzer.flow.run import Run
    from analyzer.program.held import Held

#: A function is named by its file and its name: static functions share names.
FunctionId = tuple[str, str]

_OBJECT = re.compile(r"^([\w.-]+)-\$\((CONFIG_\w+)\)\s*[+:]?=\s*(.*)$")


class Program(Witness):
    """Resolve names in one tree. Units are added as searches find them; nothing is global.

    Where another program answers alike all that an analysis asks, that need not be made again.
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
        self._slots: dict[str, list[Stored]] = defaultdict(list)
        self._values: dict[str, set[str]] = defaultdict(set)
        self._shared = shared  # folders that define what any file may call
        self._searched: set[str] = set()
        self._settled: set[str] = set()  # names of which all definitions near were read
        self._hits: set[str] = set()
        self.page_params: dict[tuple[FunctionId, int], frozenset[int]] = {}
        self.makes_pages: dict[tuple[FunctionId, int], bool] = {}
        self._returns: dict[FunctionId, bool] = {}
        self._enumerators: dict[str, Mapping[str, int]] = {}
        self._makefiles: dict[str, str] = {}
        self._private: dict[str, frozenset[str]] = {}
        self.held: dict[str, Held] = {}
        self.looked_up: list[tuple[str, ...]] = []

    def copy(self) -> Program:
        """Return a program of its own that knows the same."""
        other = copy.copy(self)
        other.gaps, other._facets = list(self.gaps), dict(self._facets)
        for name in ("_defined", "_through", "_callers", "_slots"):
            lists: defaultdict[str, list[object]] = defaultdict(list)
            lists.update((key, list(found)) for key, found in getattr(self, name).items())
            setattr(other, name, lists)
        other._values = defaultdict(set, {key: set(v) for key, v in self._values.items()})
        other._searched, other._makefiles = set(self._searched), dict(self._makefiles)
        other._hits, other._settled = set(self._hits), set(self._settled)
        other.looked_up = list(self.looked_up)
        other.page_params, other.makes_pages = dict(self.page_params), dict(self.makes_pages)
        other.held = dict(self.held)
        return other

    def adopt(self, other: Program) -> None:
        """Know what a copy has learned since."""
        self.__dict__.update(other.__dict__)

    @property
    def runs(self) -> dict[FunctionId, list[Run]]:
        """Return the runs of roots that are remembered, of whatever tree."""
        return self._cache.runs

    # -- reading ---------------------------------------------------------------------------

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
            own = self._names.own(path)
            for name, called in facets.calls.items():
                for other in own.meant(called):
                    self._callers[other].append((path, name))
            for stored in facets.stores:
                self._slots[stored.slot].append(stored)
                self._values[stored.value].add(stored.slot)
        return tuple(new)

    def search(self, words: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """Search the tree for words that were not searched for yet; answer path -> words."""
        new = sorted(set(words) - self._searched)
        self._searched.update(new)
        found = self._search(new, ()) if new else {}
        self._hits.update(found)
        return found

    def look_up(self, words: Iterable[str]) -> tuple[str, ...]:
        """Search for words and read every file that has one."""
        words = tuple(words)
        self.looked_up.append(words)
        self.note(("look_up", words), lambda p: p._searched.issuperset(words), True)
        return self.add(self.search(words))

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

    @property
    def paths(self) -> tuple[str, ...]:
        """List the files that were read."""
        return tuple(sorted(self._facets))

    @property
    def count(self) -> int:
        """Count the definitions in the files that were read."""
        return sum(len(d) for f in self._facets.values() for d in f.unit.definitions.values())

    @noted
    def unit(self, path: str) -> Unit:
        """Return a file that was read."""
        return self._facets[path].unit

    def has(self, path: str) -> bool:
        """Tell whether a file was read."""
        return path in self._facets

    def is_absent(self, path: str) -> bool:
        """Tell whether the tree has no such file."""
        return path not in self._facets and self._read(path) is None

    def numbers(self, headers: Iterable[str]) -> Mapping[str, int]:
        """Return the enumerators and integer macros that headers define."""
        found: dict[str, int] = {}
        for path in headers:
            text = self._read(path)
            if text is not None and len(text) <= LARGEST:
                found = {**self._cache.numbers(path, text), **found}
        return found

    @noted
    def is_private(self, name: str, path: str) -> bool:
        """Tell whether a variable or a structure's tag means nothing outside of a file."""
        if path not in self._private:
            self._private[path] = private_names(self._facets[path].unit)
        return name in self._private[path]

    @noted
    def enumerators(self, path: str) -> Mapping[str, int]:
        """Return the enumerators that a file defines for itself."""
        if path not in self._enumerators:
            self._enumerators[path] = enumerators(self._facets[path].unit)
        return self._enumerators[path]

    @noted
    def own_numbers(self, path: str) -> Mapping[str, int]:
        """Return the enumerators and integer macros that a file has for itself."""
        return self._names.numbers(path)

    # -- functions -------------------------------------------------------------------------

    def functions(self) -> Iterator[FunctionId]:
        """Yield every function defined in the files that were read."""
        for path, facets in sorted(self._facets.items()):
            for name in facets.unit.definitions:
                yield path, name

    def functions_in(self, folder: str) -> Iterator[FunctionId]:
        """List the functions of those files in a folder that were read."""
        for path, facets in self._facets.items():
            if posixpath.dirname(path) == folder:
                yield from ((path, name) for name in facets.unit.definitions)

    @noted
    def is_function(self, name: str) -> bool:
        """Tell whether any file that was read defines the function."""
        return plain_name(name) in self._defined

    @noted
    def defined(self, name: str) -> tuple[FunctionId, ...]:
        """Return every function of a name in the files that were read."""
        return tuple(sorted({(d.path, d.name) for d in self._defined.get(name, ())}))

    def in_order(self, ids: Iterable[FunctionId]) -> tuple[FunctionId, ...]:
        """Return functions once each, by file and place: no result depends on their names."""
        return tuple(sorted(set(ids), key=self._position))

    def _position(self, id: FunctionId) -> tuple[str, int, str]:
        facets = self._facets.get(id[0])
        found = facets.unit.definitions.get(id[1], ()) if facets else ()
        return (id[0], found[0].span.start if found else 0, id[1])

    @noted
    def called(self, id: FunctionId) -> frozenset[str]:
        """Return the names that a function's body calls, macros included."""
        facets = self._facets.get(id[0])
        called = facets.calls.get(id[1], frozenset()) if facets else frozenset()
        return self._names.own(id[0]).meant(called)

    @noted
    def called_as(self, id: FunctionId) -> str:
        """Return the name by which calls of a function are told from those of the kernel's."""
        return static_name(id[1]) if id[1] in self._names.own(id[0]).functions else id[1]

    @noted
    def calling(self, name: str) -> tuple[FunctionId, ...]:
        """Return the functions whose bodies call a name."""
        return tuple(self._callers.get(name, ()))

    @noted
    def calling_through(self, slot: str) -> tuple[FunctionId, ...]:
        """Return the functions that call through a variable or field of this name."""
        return tuple(dict.fromkeys((*self._through.get(slot, ()), *self._callers.get(slot, ()))))

    @noted
    def pointers(self, id: FunctionId) -> frozenset[str]:
        """Return the variables and fields that a function calls through."""
        facets = self._facets.get(id[0])
        return facets.pointers.get(id[1], frozenset()) if facets else frozenset()

    @property
    def slots(self) -> tuple[str, ...]:
        """List the names that something is called through."""
        return tuple(sorted(self._through))

    @noted
    def heads(self, id: FunctionId) -> tuple[bytes, ...]:
        """Return the text in front of a function's bodies, comments blanked."""
        facets = self._facets.get(id[0])
        if facets is None:
            return ()
        code = facets.unit.code
        return tuple(code[d.span.start : d.body] for d in facets.unit.definitions.get(id[1], ()))

    @noted
    def stored_in(self, value: str) -> frozenset[str]:
        """Return the variables and fields that a name is stored into."""
        return frozenset(self._values.get(value, ()))

    @noted
    def defining(self, name: str) -> tuple[FunctionId, ...]:
        """Return every definition of a name that other files can see."""
        found = self._defined.get(name, ())
        return self.in_order(
            (d.path, d.name) for d in found if not d.static or d.path.endswith(".h")
        )

    @noted
    def resolve(self, name: str, path: str) -> tuple[FunctionId, ...]:
        """Return what a name called in a file can be: its own static function before any other."""
        found = self._defined.get(plain_name(name), ())
        own = {(d.path, d.name) for d in found if d.path == path}
        if own:
            return tuple(own)
        shared = {(d.path, d.name) for d in found if not d.static or d.path.endswith(".h")}
        return tuple(sorted(shared, key=lambda id: (distance(id[0], path), id)))[:4]

    @noted
    def lowered(self, id: FunctionId) -> tuple[Function, ...]:
        """Return a function's definitions (several where #if chooses), lowered."""
        facets = self._facets.get(id[0])
        if facets is None:
            return ()
        found = facets.unit.definitions.get(id[1], ())
        own = self._names.own(id[0])
        return tuple(self._cache.lower(facets.unit, d, self.config, own) for d in found)

    @noted
    def returns(self, id: FunctionId) -> bool:
        """Tell whether a function may come back: not where each way through it ends elsewhere."""
        if id not in self._returns:
            may_end = bool(self.called(id) & macros().noreturn.keys())
            self._returns[id] = not may_end or any(
                function.gaps
                or any(isinstance(b.end, Return) for v in function.variants for b in v.blocks)
                for function in self.lowered(id)
            )
        return self._returns[id]

    @noted
    def signatures(self, id: FunctionId) -> tuple[Signature, ...]:
        """Return what the heads of a function's definitions say."""
        facets = self._facets.get(id[0])
        found = facets.unit.definitions.get(id[1], ()) if facets else ()
        return tuple(self._cache.signature(facets.unit, d) for d in found) if facets else ()

    @noted
    def named(self, name: str) -> tuple[FunctionId, ...]:
        """Return every function of a name that was read, static ones too."""
        return self.in_order((d.path, d.name) for d in self._defined.get(name, ()))

    @noted
    def visible(self, caller: FunctionId, callee: FunctionId) -> bool:
        """Tell whether a name called in one function can mean the other."""
        return callee in self.resolve(callee[1], caller[0])

    @noted
    def built_with(self, path: str) -> Conditions:
        """Return the configuration under which the Makefile builds a file."""
        folder, name = posixpath.split(path)
        if not name.endswith(".c"):
            return ()
        if folder not in self._makefiles:
            text = self._read(posixpath.join(folder, "Makefile")) or b""
            self._makefiles[folder] = text.decode("latin-1").replace("\\\n", " ")
        target = name[:-2] + ".o"
        symbols = set()
        for line in self._makefiles[folder].splitlines():
            if target not in line.split():
                continue
            m = _OBJECT.match(line)
            if m is None:
                return ()
            symbols.add(m[2])
        return tuple((s, True) for s in sorted(symbols)) if len(symbols) == 1 else ()

    # -- what is stored where ----------------------------------------------------------------

    @noted
    def stored(self, slot: str) -> tuple[Stored, ...]:
        """Return everything that is stored into a variable or field of this name."""
        return tuple(self._slots.get(slot, ()))

    def stores(self) -> Iterator[Stored]:
        """Yield every store of a bare name."""
        for _, found in sorted(self._slots.items()):
            yield from found

    @noted
    def enclosing(self, path: str, at: int) -> Definition | None:
        """Return the definition around a byte offset."""
        for found in self._facets[path].unit.definitions.values():
            for d in found:
                if d.body <= at < d.span.end:
                    return d
        return None

    @noted
    def arguments(self, name: str, index: int) -> tuple[Argument, ...]:
        """Return the text of one argument of every call of a name, in all #if branches."""
        return tuple(self._arguments(name, index))

    def _arguments(self, name: str, index: int) -> Iterator[Argument]:
        call = re.compile(rb"\b" + name.encode() + rb"\s*\(")
        needle = name.encode()
        for path, facets in sorted(self._facets.items()):
            code = facets.unit.code
            if needle not in code:
                continue
            for m in call.finditer(code):
                parts = split_arguments(code, m.end())
                if index < len(parts):
                    yield Argument(parts[index], path, m.start())
