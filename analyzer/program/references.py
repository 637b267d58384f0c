"""Tell where dropping a reference to a page gives it up: in files that never take another one.

A page comes from the allocator with one reference, its maker's. Others whom it is passed may take
more and drop them again. Where the file itself takes none, what it drops is the one it was given:
whoever frees the page in the end frees it as it was left.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache

from analyzer.base import FunctionId
from analyzer.c.unit import Unit
from analyzer.pages.facts import ALLOCATED, Facts, References, Sink
from analyzer.pages.machine import Frame, PageState
from analyzer.program.program import Program


def sinks_of(path: str, program: Program, facts: Facts) -> Mapping[str, Sink]:
    """Return the calls by which the functions of a file may hand a page to the buddy."""
    return facts.sinks if takes(path, program, facts) else {**facts.sinks, **facts.puts}


def dropping(program: Program, facts: Facts) -> Iterator[FunctionId]:
    """Yield the functions that drop references to pages, of files that take none."""
    for name in sorted(facts.puts):
        yield from (id for id in program.calling(name) if not takes(id[0], program, facts))


def is_last(
    page: PageState, path: str, chain: Sequence[Frame], program: Program, facts: Facts
) -> bool:
    """Tell whether who drops a reference to a page, in a file, has no other one.

    The page comes from the allocator, and nobody takes another one in the files that it has come
    through, in those of the calls that led here, nor beside them.
    """
    if page.population != ALLOCATED:
        return False
    events = page.history
    if not any(e.kind == "birth" for e in events):
        return False
    paths = {path, *(f.path for f in chain), *(e.path for e in events)}
    paths |= {f.path for e in events for f in e.chain}
    beside = {p for folder in {*map(posixpath.dirname, paths)} for p in program.inside(folder)}
    return not any(takes(path, program, facts) for path in sorted(paths | beside))


def takes(path: str, program: Program, facts: Facts) -> bool:
    """Tell whether a file has to do with references to pages but for dropping them."""
    with program.noting(None):  # of the file nothing else counts
        answer = not program.has(path) or _speaks_of(program.unit(path), facts.references)
    program.note(("references", path), lambda other: takes(path, other, facts), answer)
    return answer


@lru_cache(maxsize=1024)
def _speaks_of(unit: Unit, references: References) -> bool:
    return _pattern(references).search(unit.code) is not None


@cache
def _pattern(references: References) -> re.Pattern[bytes]:
    names, words = (b"|".join(map(str.encode, one)) for one in (references.names, references.words))
    return re.compile(rb"\b(?:%s)\b|(?<![^\W_])(?:%s)" % (names, words))
