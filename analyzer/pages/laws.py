"""Derive what page-state accessors do from the macro bodies of the tree under analysis.

`PAGE_TYPE_OPS()` and `PAGEFLAG()` make the accessors by pasting tokens, so no search finds their
definitions. Each use is expanded, lowered like any other C, and evaluated on concrete words.
Linux kernel commit 9d08ec41a064 ("mm: allow set/clear page_type again") (in v6.12) and the ones
before it are told apart by nothing but the result.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from analyzer.base import Gap
from analyzer.c import ir
from analyzer.c.constants import constants, enumerators
from analyzer.c.lower import lower
from analyzer.c.macros import Macro, expand, macro_definitions
from analyzer.c.unit import Unit, scan_unit
from analyzer.pages.concrete import WORD, Machine, TrapError, UndecidedError
from analyzer.pages.machine import OTHER, TYPE, Operation, Space, Verb
from analyzer.spelling import is_name_of, label_of, names_in, usual_names

#: Where a kernel tree defines its page flags.
HEADER = "include/linux/page-flags.h"
#: The macro that holds the bits for which a page is refused when it is freed.
_CHECKED = "PAGE_FLAGS_CHECK_AT_FREE"
_USE = re.compile(r"([A-Z_][A-Z0-9_]*)\(([^()\n]*)\)")
_BIT = re.compile(r"\b_*(test_and_set|test_and_clear|set|clear|test)_bit\s*\(\s*PG_(\w+)")
_HEAD = re.compile(r"(\w+)\s*\([^()]*\)\s*$")
#: An inline function that asks for a page's folio what an accessor tells.
_ASKING = re.compile(r"\{\s*return\s+(\w+)\s*\(\s*page_folio\s*\(\s*\w+\s*\)\s*\)\s*;\s*\}\s*\Z")
_BITS = {
    "test": Verb.TEST,
    "set": Verb.SET,
    "clear": Verb.CLEAR,
    "test_and_set": Verb.TEST_SET,
    "test_and_clear": Verb.TEST_CLEAR,
}
_PREFIXES = (
    ("__SetPage", Verb.SET),
    ("__ClearPage", Verb.CLEAR),
    ("Page", Verb.TEST),
    ("__folio_set_", Verb.SET),
    ("__folio_clear_", Verb.CLEAR),
    ("folio_test_", Verb.TEST),
)


@dataclass(frozen=True, slots=True)
class Law:
    """A tree's space of page states, and what of its header could not be evaluated."""

    space: Space
    gaps: tuple[Gap, ...]


def usual_accessors(label: str, *, writing: bool = False) -> tuple[str, ...]:
    """Return the accessors that a page type has in kernels as they are; or those that change it."""
    return tuple(
        f"{prefix}{name}"
        for prefix, verb in _PREFIXES
        if verb is not Verb.TEST or not writing
        for name in (usual_names(label) if "folio" in prefix else (label,))
    )


def derive_law(header: bytes, types: Sequence[str]) -> Law:
    """Evaluate the accessors that page-flags.h defines.

    types names the page types to tell apart ("Offline"); all further types are represented by
    one that is called "other type". An accessor that cannot be evaluated is a gap, not a guess.
    """
    unit = scan_unit(HEADER, header)
    macros = macro_definitions(unit)
    known = {"UINT_MAX": WORD, **constants(unit), **enumerators(unit)}
    bodies: dict[str, str] = {}
    uses = tuple(_uses(unit, macros))
    titles = {lower_: upper for upper, lower_ in _titles(uses)}
    flags: dict[str, Operation] = {}
    typed: dict[str, tuple[str, Verb]] = {}  # accessor -> type's lower name, verb
    for name, arguments in uses:
        for accessor, text in _functions(expand(f"{name}({', '.join(arguments)})", macros)):
            bit = _BIT.search(text)
            if bit is not None:
                label = titles.get(bit[2]) or label_of(bit[2])
                flags.setdefault(accessor, Operation(accessor, _BITS[bit[1]], label, label))
            elif "page_type" in text or _calls_typed(text, typed):
                bodies.setdefault(accessor, text)
                for prefix, verb in _PREFIXES:
                    if accessor.startswith(prefix):
                        typed.setdefault(accessor, (arguments[0], verb))
                        break
    for accessor, text, asked in _asking(unit):
        if asked in typed:
            bodies.setdefault(accessor, text)
            typed.setdefault(accessor, typed[asked])
    lowered = _lowered(bodies)
    machine = Machine({**_plain(unit), **lowered}, known)
    labels = {a: titles.get(t) or label_of(t) for a, (t, _) in typed.items()}
    law = _space(flags, typed, labels, types, machine, names_in(unit.code))
    readers = _readers(machine, law.space.values, {*lowered, *flags})
    checked = frozenset(titles.get(n) or label_of(n) for n in _checked(macros))
    return replace(law, space=replace(law.space, readers=readers, machine=machine, checked=checked))


def _checked(macros: Mapping[str, Macro]) -> tuple[str, ...]:
    """Return the lower-case names of the flags that no page may have when it is freed."""
    macro = macros.get(_CHECKED)
    return () if macro is None else tuple(re.findall(r"\bPG_(\w+)", macro.body))


def _uses(unit: Unit, macros: Mapping[str, Macro]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each use of a function-like macro at file scope with its arguments."""
    continued = False
    for line in unit.code.decode("latin-1").split("\n"):
        inside, continued = continued, line.rstrip().endswith("\\")
        if inside or line.lstrip().startswith("#"):
            continue
        for use in _USE.finditer(line):
            macro = macros.get(use[1])
            if macro is not None and macro.params is not None:
                yield use[1], tuple(a.strip() for a in use[2].split(","))


def _titles(uses: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[tuple[str, str]]:
    """Yield (upper-case name, lower-case name) of each flag or type that has both."""
    for _, arguments in uses:
        both = len(arguments) >= 2 and arguments[0] != arguments[1]
        if both and is_name_of(arguments[1], arguments[0]):
            yield arguments[0], arguments[1]
            yield arguments[0], arguments[0]


def _asking(unit: Unit) -> Iterator[tuple[str, str, str]]:
    """Yield each test of a page that is one of its folio, its text, and what it asks.

    So is `PageSlab()` since Linux kernel commit 46df8e73a4a3 ("mm: free up PG_slab") (in v6.10).
    """
    for name, definitions in unit.definitions.items():
        for d in definitions if name.startswith("Page") else ():
            text = unit.code[d.span.start : d.span.end].decode("latin-1")
            asked = _ASKING.search(text)
            if asked is not None:
                yield name, text, asked[1]


def _functions(text: str) -> Iterator[tuple[str, str]]:
    """Yield (name, definition) of each function in expanded text."""
    depth = start = head = 0
    for at, char in enumerate(text):
        if char == "{":
            if depth == 0:
                head = at
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                name = _HEAD.search(text[start:head])
                if name is not None:
                    body = text[head + 1 : at]
                    yield name[1], f"{text[start:head].strip()}\n{{\n{body}\n}}\n"
                start = at + 1


def _calls_typed(text: str, typed: Mapping[str, object]) -> bool:
    return any(name in typed for name in re.findall(r"\w+(?=\s*\()", text))


def _lowered(bodies: Mapping[str, str]) -> Mapping[str, ir.Function]:
    unit = scan_unit(HEADER, "\n".join(bodies.values()).encode("latin-1"))
    return {
        name: lower(unit, found[0])
        for name, found in unit.definitions.items()
        if name in bodies and found
    }


def _plain(unit: Unit) -> Mapping[str, ir.Function]:
    """Return those of the header's written functions that read the type word, or help to."""
    bodies = {
        name: unit.flat[found[0].body : found[0].span.end].decode("latin-1")
        for name, found in unit.definitions.items()
    }
    chosen = {name for name, body in bodies.items() if "page_type" in body}
    called = {
        name for body in map(bodies.get, chosen) for name in re.findall(r"\w+(?=\s*\()", body or "")
    }
    chosen |= called & bodies.keys()
    return {name: lower(unit, unit.definitions[name][0]) for name in sorted(chosen)}


def _readers(
    machine: Machine, values: Sequence[int], known: Collection[str]
) -> Mapping[str, tuple[bool, ...]]:
    """Return the functions of a page alone that tell something of its type, with what they tell."""
    found = {}
    for name, function in machine.functions.items():
        if name in known or len(function.params) != 1 or "*" not in function.params[0].type:
            continue
        try:
            told = [machine.run(name, word) for word in values]
        except (TrapError, UndecidedError):
            continue
        if all(left == word for word, (_, left) in zip(values, told, strict=True)) and all(
            answer is not None for answer, _ in told
        ):
            found[name] = tuple(bool(answer) for answer, _ in told)
    return found


def _space(
    flags: Mapping[str, Operation],
    typed: Mapping[str, tuple[str, Verb]],
    labels: Mapping[str, str],
    types: Sequence[str],
    machine: Machine,
    spelled: Mapping[str, tuple[str, ...]],
) -> Law:
    """Close the set of words under the chosen accessors and tabulate all accessors over it."""
    settable = [labels[a] for a, (_, verb) in typed.items() if verb is Verb.SET]
    others = [label for label in dict.fromkeys(settable) if label not in types]
    chosen = [*(t for t in types if t in settable), *others[:1]]
    writers = [a for a, (_, v) in typed.items() if v is not Verb.TEST and labels[a] in chosen]
    values, names = [WORD], ["no type"]
    bits = {op.dimension for op in flags.values()}  # a name may be a flag in this tree
    gaps = dict.fromkeys({*types} - {*settable} - bits, "it: no accessor sets this type")
    for word in values:  # grows while it is walked
        for accessor in writers:
            try:
                left = machine.run(accessor, word)[1]
            except TrapError:
                continue
            except UndecidedError as error:
                gaps[accessor] = str(error)
                continue
            if left not in values:
                values.append(left)
                label = OTHER if labels[accessor] in others else labels[accessor]
                at = values.index(word)
                names.append(label if at == 0 else f"{names[at]} and {label}")
    operations = dict(flags)
    for accessor, (_, verb) in typed.items():
        label = labels[accessor]
        stand_in = accessor
        if label not in chosen:
            if verb is Verb.TEST or not others:
                continue  # which of the other types it is cannot be told
            stand_in = next(
                a for a, (_, v) in typed.items() if v is verb and labels[a] == others[0]
            )
        table = _table(machine, stand_in, values, gaps)
        if table is not None:
            operations[accessor] = Operation(accessor, verb, TYPE, label, *table)
    space = Space(tuple(values), tuple(names), operations, spelled)
    return Law(
        space,
        tuple(
            Gap("law", HEADER, 0, name, f"cannot evaluate {why}")
            for name, why in sorted(gaps.items())
        ),
    )


def _table(
    machine: Machine, accessor: str, values: Sequence[int], gaps: dict[str, str]
) -> tuple[tuple[int | None, ...], tuple[bool, ...]] | None:
    """Return where each word leads (None: a trap) and for which it is true."""
    steps: list[int | None] = []
    truth: list[bool] = []
    for word in values:
        try:
            returned, left = machine.run(accessor, word)
        except TrapError:
            steps.append(None)
            truth.append(False)
            continue
        except UndecidedError as error:
            gaps[accessor] = str(error)
            return None
        if left not in values:
            gaps[accessor] = f"word {left:#x} is outside the space"
            return None
        steps.append(values.index(left))
        truth.append(bool(returned))
    return tuple(steps), tuple(truth)
