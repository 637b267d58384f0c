"""Derive what page-state accessors do from the macro bodies of the tree under analysis.

`PAGE_TYPE_OPS()` and `PAGEFLAG()` make the accessors by pasting tokens, so no search finds their
definitions. Each use is expanded, lowered like any other C, and evaluated on concrete words.
Linux kernel commit 9d08ec41a064 ("mm: allow set/clear page_type again") (in v6.12) and the ones
before it are told apart by nothing but the result.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from analyzer.base import Gap
from analyzer.c import ir
from analyzer.c.constants import constants, enumerators
from analyzer.c.lower import lower
from analyzer.c.macros import Macro, expand, macro_definitions
from analyzer.c.unit import Unit, scan_unit
from analyzer.pages.machine import OTHER, TYPE, Operation, Space, Verb
from analyzer.spelling import is_name_of, label_of, names_in, usual_names

#: Where a kernel tree defines its page flags.
HEADER = "include/linux/page-flags.h"
_WORD = 0xFFFFFFFF
_UNTYPED = _WORD
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


def usual_accessors(label: str) -> tuple[str, ...]:
    """Return the accessors that a page type has in kernels as they are."""
    return tuple(
        f"{prefix}{name}"
        for prefix, _ in _PREFIXES
        for name in (usual_names(label) if "folio" in prefix else (label,))
    )


def derive_law(header: bytes, types: Sequence[str]) -> Law:
    """Evaluate the accessors that page-flags.h defines.

    types names the page types to tell apart ("Offline"); all further types are represented by
    one that is called "other type". An accessor that cannot be evaluated is a gap, not a guess.
    """
    unit = scan_unit(HEADER, header)
    macros = macro_definitions(unit)
    known = {"UINT_MAX": _WORD, **constants(unit), **enumerators(unit)}
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
    machine = _Machine(_lowered(bodies), known)
    labels = {a: titles.get(t) or label_of(t) for a, (t, _) in typed.items()}
    return _space(flags, typed, labels, types, machine, names_in(unit.code))


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


class _UndecidedError(Exception):
    """The body does something that a concrete evaluation of the type word cannot follow."""


class _TrapError(Exception):
    """A fatal assertion failed."""


@dataclass(frozen=True, slots=True)
class _Machine:
    """Evaluate lowered accessors on a concrete type word."""

    functions: Mapping[str, ir.Function]
    known: Mapping[str, int]

    def run(self, name: str, word: int, depth: int = 0) -> tuple[int | None, int]:
        """Return (returned value, word afterwards); raise _TrapError or _UndecidedError."""
        function = self.functions.get(name)
        if function is None or not function.variants or depth > 8:
            raise _UndecidedError(name)
        variant = function.variants[0]
        values: dict[str, int | None] = {}
        at = 0
        for _ in range(256):
            block = variant.blocks[at]
            for step in block.instructions:
                word = self._step(step, values, word, depth)
            match block.end:
                case ir.Jump(target):
                    at = target
                case ir.Branch(cond, then, orelse):
                    held = self._value(cond, values, word)
                    if held is None:
                        raise _UndecidedError(name)
                    at = then if held else orelse
                case ir.Return(value):
                    return (None if value is None else self._value(value, values, word)), word
                case ir.Stop():
                    raise _TrapError
        raise _UndecidedError(name)

    def _step(
        self, step: ir.Instruction, values: dict[str, int | None], word: int, depth: int
    ) -> int:
        match step:
            case ir.Assign(ir.Name(id), value):
                values[id] = self._value(value, values, word)
            case ir.Assign(ir.Field(name="page_type"), value):
                changed = self._value(value, values, word)
                if changed is None:
                    raise _UndecidedError("page_type")
                return changed
            case ir.Call(result, ir.Name(callee)) if callee in self.functions:
                values[result.id], word = self.run(callee, word, depth + 1)
            case ir.Call(result):
                values[result.id] = None
            case ir.Havoc(names):
                values.update(dict.fromkeys(names))
            case _:
                pass
        return word

    def _value(self, e: ir.Expr, values: Mapping[str, int | None], word: int) -> int | None:
        match e:
            case ir.Const(value):
                return value & _WORD
            case ir.Name(id):
                held = values[id] if id in values else self.known.get(id)
                return None if held is None else held & _WORD
            case ir.Field(name="page_type"):
                return word
            case ir.Cast(operand=operand):
                return self._value(operand, values, word)
            case ir.Unary(op, operand):
                held = self._value(operand, values, word)
                return None if held is None else _unary(op, held)
            case ir.Binary(op, left, right):
                one, other = self._value(left, values, word), self._value(right, values, word)
                return None if one is None or other is None else _binary(op, one, other)
        return None


def _unary(op: str, held: int) -> int | None:
    match op:
        case "!":
            return int(not held)
        case "~":
            return ~held & _WORD
        case "-":
            return -held & _WORD
    return None


def _binary(op: str, one: int, other: int) -> int | None:
    """Compute on 32-bit unsigned words, which is what `page_type` is."""
    match op:
        case "==" | "!=" | "<" | "<=" | ">" | ">=":
            truth = {
                "==": one == other,
                "!=": one != other,
                "<": one < other,
                "<=": one <= other,
                ">": one > other,
                ">=": one >= other,
            }
            return int(truth[op])
        case "&":
            return one & other
        case "|":
            return one | other
        case "^":
            return one ^ other
        case "+":
            return one + other & _WORD
        case "-":
            return one - other & _WORD
        case "<<":
            return one << (other & 31) & _WORD
        case ">>":
            return one >> (other & 31)
    return None


def _space(
    flags: Mapping[str, Operation],
    typed: Mapping[str, tuple[str, Verb]],
    labels: Mapping[str, str],
    types: Sequence[str],
    machine: _Machine,
    spelled: Mapping[str, tuple[str, ...]],
) -> Law:
    """Close the set of words under the chosen accessors and tabulate all accessors over it."""
    settable = [labels[a] for a, (_, verb) in typed.items() if verb is Verb.SET]
    others = [label for label in dict.fromkeys(settable) if label not in types]
    chosen = [*(t for t in types if t in settable), *others[:1]]
    writers = [a for a, (_, v) in typed.items() if v is not Verb.TEST and labels[a] in chosen]
    values, names = [_UNTYPED], ["no type"]
    bits = {op.dimension for op in flags.values()}  # a name may be a flag in this tree
    gaps = dict.fromkeys({*types} - {*settable} - bits, "it: no accessor sets this type")
    for word in values:  # grows while it is walked
        for accessor in writers:
            try:
                left = machine.run(accessor, word)[1]
            except _TrapError:
                continue
            except _UndecidedError as error:
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
    machine: _Machine, accessor: str, values: Sequence[int], gaps: dict[str, str]
) -> tuple[tuple[int | None, ...], tuple[bool, ...]] | None:
    """Return where each word leads (None: a trap) and for which it is true."""
    steps: list[int | None] = []
    truth: list[bool] = []
    for word in values:
        try:
            returned, left = machine.run(accessor, word)
        except _TrapError:
            steps.append(None)
            truth.append(False)
            continue
        except _UndecidedError as error:
            gaps[accessor] = str(error)
            return None
        if left not in values:
            gaps[accessor] = f"word {left:#x} is outside the space"
            return None
        steps.append(values.index(left))
        truth.append(bool(returned))
    return tuple(steps), tuple(truth)
