"""Know the functions of one tree: definitions, mentions, and what they are stored in."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

from analyzer.base import FunctionId
from analyzer.c.constants import enumerators
from analyzer.c.facts import macros
from analyzer.c.ir import Conditions, Definition, Function, Return, Signature, Variant
from analyzer.c.own import plain_name, static_name
from analyzer.c.statics import private_names
from analyzer.program.arguments import Argument, named_to, split_arguments
from analyzer.program.asked import noted
from analyzer.program.cache import Stored
from analyzer.program.defs import callees_in
from analyzer.program.files import Files
from analyzer.program.lookup import distance
from analyzer.program.memo import Memo

_OBJECT = re.compile(r"^([\w.-]+)-\$\((CONFIG_\w+)\)\s*[+:]?=\s*(.*)$")

_PRIVATE = Memo[str, frozenset[str]]()  # by path, as the next one
_ENUMERATORS = Memo[str, Mapping[str, int]]()
_RETURNS = Memo[FunctionId, bool]()
_MAKEFILES = Memo[str, str]()  # by folder


class Program(Files):
    """Know the functions of one tree: resolve their names, lower their bodies."""

    @noted
    def is_private(self, name: str, path: str) -> bool:
        """Tell whether a variable or a structure's tag means nothing outside of a file."""
        known = self.memos.of(_PRIVATE)
        if path not in known and self.has(path):
            known[path] = private_names(self._facets[path].unit)
        return name in known.get(path, ())

    @noted
    def enumerators(self, path: str) -> Mapping[str, int]:
        """Return the enumerators that a file defines for itself."""
        known = self.memos.of(_ENUMERATORS)
        if path not in known and self.has(path):
            known[path] = enumerators(self._facets[path].unit)
        return known.get(path, {})

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
        return tuple(self.callers(name))

    @noted
    def calling_through(self, slot: str) -> tuple[FunctionId, ...]:
        """Return the functions that call through a variable or field of this name."""
        return tuple(dict.fromkeys((*self._through.get(slot, ()), *self.callers(slot))))

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
        """Return what a name called in a file can be: its own static function before any other.

        A header may call those of a file that includes it.
        """
        found = self._defined.get(plain_name(name), ())
        own = {(d.path, d.name) for d in found if d.path == path}
        if own:
            return tuple(own)
        shared = {(d.path, d.name) for d in found if not d.static or d.path.endswith(".h")}
        if path.endswith(".h") and not shared:
            shared = {(d.path, d.name) for d in found if self._includes(d.path, path)}
        return tuple(sorted(shared, key=lambda id: (distance(id[0], path), id)))[:4]

    def _includes(self, path: str, header: str) -> bool:
        """Tell whether a file includes a header, as far as its name says which one."""
        name = re.escape(posixpath.basename(header).encode())
        text = self._facets[path].unit.text
        return re.search(rb'^\s*#\s*include\s*"(?:[^"\n]*/)?%s"' % name, text, re.M) is not None

    @noted
    def lowered(self, id: FunctionId) -> tuple[Function, ...]:
        """Return a function's definitions (several where #if chooses), lowered."""
        facets = self._facets.get(id[0])
        if facets is None:
            return ()
        found = facets.unit.definitions.get(id[1], ())
        own = self._names.own(id[0])
        return tuple(self._cache.lower(facets.unit, d, self.config, own) for d in found)

    def bodies(self, id: FunctionId) -> Iterator[tuple[Function, Variant]]:
        """Yield every variant of a function's definitions, each with the definition."""
        for function in self.lowered(id):
            for variant in function.variants:
                yield function, variant

    def calls(self, id: FunctionId) -> dict[str, set[int]]:
        """Return what a function calls by name, each with the offsets of its calls."""
        return callees_in(variant for _, variant in self.bodies(id))

    def callees(self, id: FunctionId) -> set[FunctionId]:
        """Return the functions that were read and that a function can mean by what it calls."""
        return {callee for name in self.called(id) for callee in self.resolve(name, id[0])}

    @noted
    def returns(self, id: FunctionId) -> bool:
        """Tell whether a function may come back: not where each way through it ends elsewhere."""
        known = self.memos.of(_RETURNS)
        if id not in known:
            may_end = bool(self.called(id) & macros().noreturn.keys())
            known[id] = not may_end or any(
                function.gaps
                or any(isinstance(b.end, Return) for v in function.variants for b in v.blocks)
                for function in self.lowered(id)
            )
        return known[id]

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
        known = self.memos.of(_MAKEFILES)
        if folder not in known:
            text = self._read(posixpath.join(folder, "Makefile")) or b""
            known[folder] = text.decode("latin-1").replace("\\\n", " ")
        target = name[:-2] + ".o"
        symbols = set()
        for line in known[folder].splitlines():
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
        facets = self._facets.get(path)
        for found in facets.unit.definitions.values() if facets else ():
            for d in found:
                if d.body <= at < d.span.end:
                    return d
        return None

    @noted
    def passing(self, name: str, path: str) -> tuple[tuple[FunctionId, str], ...]:
        """Return the functions of a file that pass a name as an argument, and to which callees."""
        if path not in self._facets:
            return ()
        code = self._facets[path].unit.code
        found = ((self.enclosing(path, at), callee) for at, callee in named_to(code, name))
        return tuple(dict.fromkeys(((path, d.name), callee) for d, callee in found if d))

    @noted
    def arguments(self, name: str, index: int) -> tuple[Argument, ...]:
        """Return the text of one argument of every call of a name, in all #if branches."""
        return tuple(a for path in sorted(self._facets) for a in self._arguments(path, name, index))

    @noted
    def passed(self, name: str, index: int) -> tuple[FunctionId, ...]:
        """Return the functions that functions pass to a name at a position, such as `&f`."""
        calling = sorted({path for path, _ in self.callers(name)})
        return tuple(
            id
            for path in calling
            for argument in self._arguments(path, name, index)
            for id in self.resolve(argument.text.lstrip("&( ").rstrip(") "), path)
        )

    def _arguments(self, path: str, name: str, index: int) -> Iterator[Argument]:
        code, needle = self._facets[path].unit.code, name.encode()
        if needle in code:
            for m in re.finditer(rb"\b" + needle + rb"\s*\(", code):
                parts = split_arguments(code, m.end())
                if index < len(parts):
                    yield Argument(parts[index], path, m.start())
