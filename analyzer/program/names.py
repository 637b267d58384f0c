"""Tell what names mean in a file: those that it defines itself, and the headers beside it."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from typing import NamedTuple

from analyzer.c.macros import Macro
from analyzer.c.own import (
    NOTHING,
    Own,
    called_by_macros,
    ending_functions,
    naming_functions,
    own_functions,
    own_macros,
    pasted_names,
    plain_macros,
    wrapping_macros,
)
from analyzer.c.unit import KEYWORD_NAMES, LARGEST, Unit, called_names
from analyzer.pages.laws import HEADER
from analyzer.program.cache import Cache, Facets


class Sources(NamedTuple):
    """The names that the analysis knows: the files (or patterns) that are the source of each.

    moving are those of which a call marks, makes, gives away or moves a page, or which give another
    name of it; naming are those of them that only do the latter.
    """

    files: Mapping[str, tuple[str, ...]]
    moving: frozenset[str]
    naming: frozenset[str]


NO_SOURCES = Sources({}, frozenset(), frozenset())
_QUOTED = re.compile(rb'#[ \t]*include[ \t]*"([^"\n]+)"')
#: What a function that takes pages is declared with, and what stands before it.
_PAGES = re.compile(rb"\b(?:struct[ \t]+(?:page|folio)\b|unsigned[ \t]+long[ \t]+\w*pfn\b)")
_TAKES = re.compile(rb"[ \t\n*](\w+)[ \t]*\([^;{}()]*\Z")
#: So far before a parameter the name of its function stands, in bytes.
_NEAR = 400
#: How deep headers beside a file are followed.
_DEPTH = 4


class Names:
    """Find, once a file, what it and the headers beside it define under a known name."""

    def __init__(self, read: Callable[[str], bytes | None], cache: Cache, sources: Sources) -> None:
        self._read, self._cache, self._sources = read, cache, sources
        self._found: dict[str, Own] = {}
        self._numbers: dict[str, Mapping[str, int]] = {}
        self._taken: dict[str, frozenset[str]] = {}
        self._shared: tuple[tuple[int, str, Macro | None], ...] = ()
        self._marking: frozenset[str] = frozenset()

    def share(self, read: Sequence[Facets], accessors: Collection[str]) -> None:
        """Know in every file the macros by which headers for all the kernel do something to pages.

        Not one of which there are several: which of them a file includes is not followed. Know as
        well the functions of files that come to call one of the accessors, wherever they are
        declared.
        """
        units = [facets.unit for facets in read]
        self._marking = _calling(read, accessors)
        acting = self._sources.moving - self._sources.naming
        headers = [u for u in units if u.path.endswith(".h") and u.path != HEADER]
        headers = [u for u in headers if _is_shared(u.path)]
        wrap = frozenset().union(*(wrapping_macros(u, acting) for u in headers))
        found = [m for u in headers for m in own_macros(u, wrap - self._sources.files.keys())]
        times = Counter(name for _, name, _ in found)
        self._shared = tuple((0, name, macro) for _, name, macro in found if times[name] == 1)

    def own(self, path: str) -> Own:
        """Return the names that mean something else in a file.

        What a header for all the kernel defines under such a name is the kernel's.
        """
        if path not in self._found:
            self._found[path] = self._own(path) if path.endswith(".c") else NOTHING
        return self._found[path]

    def _own(self, path: str) -> Own:
        unit = self._unit(path)
        if unit is None:
            return NOTHING
        names = frozenset(self._sources.files.keys() - self._taken_from(path))
        files = self._files(unit)
        macros = [*self._shared] if any(m[1].encode() in unit.text for m in self._shared) else []
        moving = names.intersection(self._sources.moving).union(m[1] for m in macros)
        macros += [
            m
            for at, file in files
            for m in _placed(own_macros(file, names - self._taken_from(file.path)), at)
        ]
        moving |= self._marking - names
        moving |= _declared([file for _, file in files]) - names
        moving |= _reaching([file for _, file in files], moving)
        wrap = frozenset().union(*(wrapping_macros(f, moving) for _, f in files)) - names
        macros += [m for at, file in files for m in _placed(own_macros(file, wrap), at)]
        other = names | wrap
        plain = [m for at, file in files for m in _placed(plain_macros(file), at)]
        naming = frozenset(self._sources.naming)
        plain += [m for at, file in files for m in _placed(naming_functions(file, naming), at)]
        macros += [m for m in plain if m[1] not in other]
        defined = [name for _, name, macro in macros if macro is not None and name in wrap]
        defined += [name for _, file in files for name in wrap & file.definitions.keys()]
        return Own(
            tuple(sorted(macros, key=lambda m: m[0])),
            own_functions(unit, names),
            frozenset().union(*(ending_functions(file) for _, file in files)),
            frozenset(name for name in wrap if defined.count(name) > 1),
            frozenset().union(*(pasted_names(file, wrap) for _, file in files)),
        )

    def _taken_from(self, path: str) -> frozenset[str]:
        """Return the known names of which what is known is taken from a file."""
        if path not in self._taken:
            found = (names for source, names in self._shown.items() if fnmatchcase(path, source))
            self._taken[path] = frozenset().union(*found)
        return self._taken[path]

    @cached_property
    def _shown(self) -> Mapping[str, frozenset[str]]:
        """Return for each source the names that it shows."""
        found: dict[str, set[str]] = {}
        for name, sources in self._sources.files.items():
            for source in sources:
                found.setdefault(source, set()).add(name)
        return {source: frozenset(names) for source, names in found.items()}

    def numbers(self, path: str) -> Mapping[str, int]:
        """Return the enumerators and integer macros that a file and headers beside it define."""
        if path not in self._numbers:
            unit = self._unit(path)
            found: dict[str, int] = {}
            for _, file in self._files(unit) if unit is not None else ():
                found.update(self._cache.numbers(file.path, file.text))
            self._numbers[path] = found
        return self._numbers[path]

    def _files(self, unit: Unit) -> Sequence[tuple[int | None, Unit]]:
        """Return a file and, before it, the headers beside it, each where it is included first."""
        found: dict[str, tuple[int | None, Unit]] = {}
        for at, file in self._together(unit, None, _DEPTH):
            found.setdefault(file.path, (at, file))
        return tuple(found.values())

    def _together(
        self, unit: Unit, at: int | None, depth: int
    ) -> Iterator[tuple[int | None, Unit]]:
        """Yield a file and, before it, the headers beside it; at: where it is included."""
        for start, header in self._beside(unit) if depth else ():
            yield from self._together(header, start if at is None else at, depth - 1)
        yield at, unit

    def _beside(self, unit: Unit) -> Iterator[tuple[int, Unit]]:
        """Yield the headers that a file includes by quotes, and where."""
        for line in unit.directives:
            m = _QUOTED.match(unit.text, line.start) if line.keyword == "include" else None
            if m is not None:
                folder, name = posixpath.dirname(unit.path), m[1].decode("latin-1")
                beside = posixpath.normpath(posixpath.join(folder, name))
                header = None if _is_shared(beside) else self._unit(beside)
                if header is not None:
                    yield line.start, header

    def _unit(self, path: str) -> Unit | None:
        text = self._read(path)
        return None if text is None or len(text) > LARGEST else self._cache.scan(path, text).unit


def _placed(
    macros: Iterable[tuple[int, str, Macro | None]], at: int | None
) -> Iterator[tuple[int, str, Macro | None]]:
    """Yield macros from where their file is included on; at is None for the file itself."""
    for start, name, macro in macros:
        yield (start if at is None else at), name, macro


def _calling(read: Sequence[Facets], names: Collection[str]) -> frozenset[str]:
    """Return the functions which other files see that call one of some names, also by others."""
    calls: dict[str, list[tuple[str, str, bool]]] = {}
    for facets in read:
        for function, called in facets.calls.items():
            found = facets.unit.definitions.get(function, ())
            is_own = facets.unit.path.endswith(".c") and all(d.static for d in found)
            caller = (facets.unit.path, function, is_own)
            for name in called:
                calls.setdefault(name, []).append(caller)
    todo = [caller for name in names for caller in calls.get(name, ())]
    seen = set(todo)
    while todo:
        path, function, is_own = todo.pop()
        new = {c for c in calls.get(function, ()) if not is_own or c[0] == path} - seen
        seen |= new
        todo += new
    return frozenset(function for _, function, is_own in seen if not is_own)


def _declared(files: Sequence[Unit]) -> frozenset[str]:
    """Return the functions of other files that macros call and that are declared to take pages."""
    called = frozenset().union(*(of for file in files for _, of in called_by_macros(file)))
    called = frozenset(n for n in called if n.islower()) - KEYWORD_NAMES
    called -= frozenset().union(*(file.definitions for file in files))
    return called & frozenset().union(*(_taking_pages(file.text) for file in files if called))


@lru_cache(maxsize=256)
def _taking_pages(text: bytes) -> frozenset[str]:
    """Return the functions that a text declares to take pages."""
    found = set()
    for page in _PAGES.finditer(text):
        m = _TAKES.search(text, max(0, page.start() - _NEAR), page.start())
        if m is not None:
            found.add(m[1].decode("latin-1"))
    return frozenset(found)


def _reaching(files: Sequence[Unit], moving: frozenset[str]) -> frozenset[str]:
    """Return the functions of files that macros of theirs call and that come to such a call."""
    called: dict[str, set[str]] = {}
    todo = {name for file in files for _, of in called_by_macros(file) for name in of}
    while todo:
        name = todo.pop()
        if name in called:
            continue
        found = [(f, d) for f in files for d in f.definitions.get(name, ())]
        called[name] = {n for file, d in found for n in called_names(file, d)}
        todo |= called[name]
    reaching: set[str] = set()
    while new := {n for n, of in called.items() if of & moving or of & reaching} - reaching:
        reaching |= new
    return frozenset(reaching)


def _is_shared(path: str) -> bool:
    """Tell whether a header is for all the kernel, or lies outside of the tree."""
    folders = path.split("/")
    return "include" in folders or ".." in folders
