"""Decide from a patch's own files that it cannot change the state of any page: no tree is searched.

The analysis comes into a function only where that names an operation on a page, or calls a function
that comes to one and is passed a page, returns one, or makes one of a number that it is passed. So
a function matters only if it names something of the kind, or hands a number of unknown meaning to
somebody unknown. Whatever cannot be told here is left to the search.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from analyzer.base import Pair
from analyzer.c.macros import macro_definitions
from analyzer.c.prototypes import file_scope
from analyzer.c.unit import KEYWORD_NAMES, LARGEST, Unit, scan_unit
from analyzer.idle.edits import Edits, changed_code, differ, edits_of, exported, includes_of
from analyzer.migrations import Described
from analyzer.pages.aside import is_harmless, speaks_of_pages
from analyzer.pages.extended import extended, in_question
from analyzer.pages.facts import Facts, load_facts
from analyzer.pages.laws import HEADER, usual_accessors
from analyzer.program.arguments import split_arguments
from analyzer.spelling import names_in, usual_names
from analyzer.tree import Tree, is_source

#: Build files decide under which configuration a file counts.
_BUILD = ("Makefile", "Kbuild")

NO_CODE = "the patch touches no C code"
NO_LINE = "the patch renames files and changes no line of code"
NO_STATEMENT = "the patch changes comments and blanks only"
NO_PAGE = "no page comes through what the patch changes"

_WORD = re.compile(r"[A-Za-z_]\w*")
#: An accessor that sets or clears, by its usual name.
_WRITING = re.compile(rb"\b_*(?:(?:Set|Clear)Page|folio_(?:set|clear)_)[A-Za-z0-9_]+")
_CALL = re.compile(r"(?P<member>->\s*|\.\s*)?\b(?P<name>[A-Za-z_]\w*)\s*\(|[\])]\s*\(")
_STORED = re.compile(r"(?<![=!<>])=\s*&?\s*(?P<name>[A-Za-z_]\w*)\s*(?=[;,}])")
#: Arguments by which no page goes: numbers, texts, names in capitals, addresses of something.
_PLAIN = re.compile(
    r"[-+~!(\s]*(?:0[xX][0-9a-fA-F]+|\d+)[uUlL]*\s*\)*|\"[^\"]*\"|true|false|sizeof\b.*|&[^(]*"
    r"|[A-Z][A-Z0-9_]*(?:\s*[|&+*-]\s*[A-Z][A-Z0-9_]*)*",
    re.DOTALL,
)
#: Types that are no number of a page frame: not wide enough, or no numbers.
_NARROW = (
    r"bool|(?:unsigned\s+|signed\s+)?(?:char|short|int)|unsigned|[us](?:8|16|32)|__[usbl]e?(?:8|16|32)"
    r"|u?int(?:8|16|32)_t|gfp_t|irqreturn_t|s?size_t|loff_t|ktime_t|enum\s+\w+"
)
_START = r"(?:\A|[;{}])\s*(?:const\s+|static\s+|volatile\s+)*"
_DECLARED = re.compile(
    rf"{_START}(?:(?:struct\s+|union\s+)?[A-Za-z_]\w*\s+\*+(?:const\s+)?|(?:{_NARROW})\s+)"
    r"(?P<first>[A-Za-z_]\w*)(?P<rest>[^;(){}]*)"
)
_VARIABLE = re.compile(
    rf"{_START}(?:[A-Za-z_]\w*\s+)+\**(?P<first>[A-Za-z_]\w*)(?P<rest>[^;(){{}}]*)"
)
#: A variable at file scope, and no function that is only declared.
_OBJECT = re.compile(r"(?:\A|[;{}])\s*(?:[A-Za-z_]\w*[\s*]+)+([A-Za-z_]\w*)\s*(?=[=;,\[])")
_NO_CALLS = KEYWORD_NAMES | {"defined", "typeof", "__typeof__", "asm"}


@dataclass(frozen=True, slots=True)
class Question:
    """The migrations that a patch has to do with, and the facts with what they add.

    writing are the words in the code that it changes that may be accessors which set or clear.
    """

    described: tuple[Described, ...]
    facts: Facts
    writing: frozenset[str] = frozenset()


def question_of(
    trees: Pair[Tree],
    changed: Sequence[str],
    described: Iterable[Described],
    beside: Iterable[bytes] = (),
    first: Tree | None = None,
) -> Question:
    """Return what is to be asked of a patch, and of further code beside it.

    first is the tree before the series, if the patch stands in one: a type that a patch brings is
    followed as Offline is, for all that is done with it is done since.
    """
    spelled = spelled_in(trees)
    code = (*changed_code(trees, changed), *beside)
    asked = in_question(load_facts(), described, code, spelled)
    facts = extended(load_facts(), asked, spelled)
    new = _new_titles(first or trees.before, trees.after)
    facts = replace(facts, types=tuple(dict.fromkeys((*facts.types, *new))))
    words = (word for text in code for word in _WRITING.findall(text))
    return Question(asked, facts, frozenset(word.decode() for word in words))


def _new_titles(before: Tree, after: Tree) -> tuple[str, ...]:
    """Return the types and flags that only the tree after has; none where it lacks one, too.

    That one may be another name for it.
    """
    known, found = (names_in(tree.read(HEADER) or b"").keys() for tree in (before, after))
    return tuple(sorted(found - known)) if known and known <= found else ()


def spelled_in(trees: Pair[Tree]) -> Mapping[str, tuple[str, ...]]:
    """Return the lower-case names that either tree has for its flags and types."""
    found: dict[str, tuple[str, ...]] = {}
    for header in dict.fromkeys((trees.before.read(HEADER), trees.after.read(HEADER))):
        for label, names in names_in(header).items() if header else ():
            found[label] = tuple(dict.fromkeys((*found.get(label, ()), *names)))
    return found


def idle_at_once(trees: Pair[Tree], changed: Sequence[str], described: Iterable[Described]) -> bool:
    """Tell whether a patch changes no page's state by its own files: no tree need be known."""
    if idle_by_text(trees, changed):
        return True
    facts = question_of(trees, changed, described).facts
    return idle_nearby(trees, changed, facts) is not None


def idle_by_text(trees: Pair[Tree], changed: Iterable[str]) -> str | None:
    """Return why a patch changes no page's state, by its text alone; None where it may."""
    paths = [path for path in changed if counts(path)]
    if not paths:
        return NO_CODE
    reason = NO_LINE
    for path in paths:
        before, after = trees.before.read(path), trees.after.read(path)
        if before is None or after is None or not is_source(path):
            return None
        if before == after:
            continue
        reason = NO_STATEMENT
        one, other = scan_unit(path, before), scan_unit(path, after)
        if differ(one.code, other.code) or includes_of(one) != includes_of(other):
            return None
    return reason


def counts(path: str) -> bool:
    """Tell whether a file is code, or decides which code counts."""
    return is_source(path) or posixpath.basename(path) in _BUILD


def idle_nearby(trees: Pair[Tree], changed: Iterable[str], facts: Facts) -> str | None:
    """Return why a patch changes no page's state, by its own files alone; None where it may.

    Sound with regard to the analysis as far as the facts on harmless calls are true, and a page
    frame has no number of type int.
    """
    words = _spoken(facts)
    for path in changed:
        if not is_source(path):
            if counts(path):
                return None
            continue
        before, after = trees.before.read(path), trees.after.read(path)
        texts = [text for text in (before, after) if text is not None]
        if not texts or max(map(len, texts)) > LARGEST:
            return None  # not to be read
        units = Pair(scan_unit(path, before or b""), scan_unit(path, after or b""))
        edits = edits_of(units)
        if edits.resized or not _are_aside(units, edits, words):
            return None
    return NO_PAGE


def _are_aside(units: Pair[Unit], edits: Edits, spoken: frozenset[str]) -> bool:
    """Tell whether a file's edits keep away from pages, in functions and around them."""
    if _reaches_out(units, edits):
        return False  # who knows which function names it
    words = edits.words
    if words & spoken or any(map(speaks_of_pages, words)):
        return False
    text = "".join(f"{line} }}\n" for line in edits.lines)  # the brace may stand in another line
    for unit in (units.before, units.after):
        here = unit.definitions.keys() | macro_definitions(unit).keys()
        names = {*edits.functions, *(words & here)}
        if edits.turned or edits.includes:
            names.update(unit.definitions)  # any of them may be another one now
        elif edits.is_framed:
            names |= _naming(edits.declared | edits.named, unit)
        if edits.is_framed:
            own = {*here, *_objects(unit)}
            if not all(_is_known(m["name"], own) for m in _STORED.finditer(text)):
                return False
        if not _is_aside(unit, names, spoken):
            return False
    return True


def _reaches_out(units: Pair[Unit], edits: Edits) -> bool:
    """Tell whether functions of other files may meet something else by a name than they did."""
    if units.after.path.endswith(".h"):
        return edits.turned or edits.includes or bool(edits.named)
    return bool(edits.named & (exported(units.before) ^ exported(units.after)))


def _naming(names: Collection[str], unit: Unit) -> set[str]:
    """Return the functions of a file that name one of the names, themselves or by a macro."""
    known, macros = set(names), macro_definitions(unit)
    while more := {n for n, m in macros.items() if known & set(_WORD.findall(m.body))} - known:
        known |= more
    return {
        name
        for name in unit.definitions
        if any(known & set(_WORD.findall(head + body)) for head, body in _texts(unit, name))
    }


@lru_cache(maxsize=64)
def _objects(unit: Unit) -> frozenset[str]:
    """Return the variables of a file, of which none is a function."""
    return frozenset(_OBJECT.findall(file_scope(unit).decode("latin-1")))


def _is_known(name: str, own: Collection[str]) -> bool:
    """Tell whether what is stored is no function of another file that may be one for pages."""
    return name in own or name[0].isupper() or is_harmless(name)


def _spoken(facts: Facts) -> frozenset[str]:
    accessors = (n for label in (*facts.types, *facts.flags) for n in usual_accessors(label))
    words = {*spoken_words(facts), *accessors}
    return frozenset(word for word in words if speaks_of_pages(word) or not is_harmless(word))


def _is_aside(unit: Unit, names: Collection[str], spoken: frozenset[str]) -> bool:
    """Tell whether functions of a file, and all of it that they lead to, keep away from pages."""
    macros = macro_definitions(unit)
    here = unit.definitions.keys() | macros.keys()
    objects = _objects(unit)
    todo, seen = sorted(names), set(names)
    while todo:
        name = todo.pop()
        for head, body in (*_texts(unit, name), ("", macros[name].body if name in macros else "")):
            words = set(_WORD.findall(head + body))
            if words & spoken or any(map(speaks_of_pages, words)):
                return False
            if not _leads_nowhere(head, body, here, objects):
                return False
            new = (words & here) - seen
            seen |= new
            todo += sorted(new)
    return True


def _texts(unit: Unit, name: str) -> Iterator[tuple[str, str]]:
    """Yield head and body of each definition of a function."""
    for d in unit.definitions.get(name, ()):
        head, body = unit.code[d.span.start : d.body], unit.code[d.body : d.span.end]
        yield head.decode("latin-1"), body.decode("latin-1")


def _leads_nowhere(head: str, body: str, here: Collection[str], objects: Collection[str]) -> bool:
    """Tell whether nothing but harmless functions get to know a value that may be a page.

    here are the functions and macros of the file, objects its variables.
    """
    text = head.replace("(", ";").replace(",", ";").replace(")", ";") + body  # each by itself
    safe = {*here, *_declared(text, _DECLARED)}
    own = {*safe, *objects, *_declared(text, _VARIABLE)}
    for m in _STORED.finditer(body):
        if not _is_known(m["name"], own):
            return False
    for m in _CALL.finditer(body):
        name = m["name"] or ""
        if name in _NO_CALLS or (not m["member"] and (name in here or is_harmless(name))):
            continue
        arguments = split_arguments(body.encode("latin-1"), m.end())
        if not all(_is_plain(a.strip(), safe) for a in arguments):
            return False
    return True


def _is_plain(argument: str, safe: Collection[str]) -> bool:
    return argument in safe or not argument or _PLAIN.fullmatch(argument) is not None


def _declared(text: str, form: re.Pattern[str]) -> Iterator[str]:
    """Yield the variables that are declared in a form: pointers and narrow numbers, or any."""
    for m in form.finditer(text):
        yield m["first"]
        for part in m["rest"].split(",")[1:]:
            if (word := _WORD.match(part.strip(" *\t\n"))) is not None and "=" not in m["rest"]:
                yield word[0]


def spoken_words(facts: Facts) -> frozenset[str]:
    """Return every name that the facts speak of, and the bits of the states that they speak of."""
    labels = (*facts.types, *facts.flags)
    bits = (f"PG_{name}" for label in labels for name in usual_names(label))
    registrars = (name for chain in facts.chains.values() for name in (chain.call, *chain.register))
    return list_words(facts) | frozenset(
        (
            *facts.identities,
            *facts.allocators,
            *facts.range_allocators,
            *facts.sinks,
            *facts.resets,
            *facts.origins,
            *facts.entries,
            *facts.index_of,
            *facts.search,
            *(chain.field for chain in facts.chains.values()),
            *registrars,
            *bits,
        )
    )


def list_words(facts: Facts) -> frozenset[str]:
    """Return every name that the facts speak of as one for lists, of pages or of anything."""
    of = facts.lists
    return frozenset(
        (*of.put, *of.take, *of.entry, *of.first, *of.step, *of.passing, *of.iterators)
    )
