"""Evaluate integer constants: enumerators, macros, expressions of both."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from analyzer.c.body import uncommented
from analyzer.c.literals import character, integer
from analyzer.c.macros import macro_definitions
from analyzer.c.unit import Unit

_TOKEN = re.compile(
    r"\s*([A-Za-z_]\w*|\d\w*|'(?:\\.|[^'\\\n])+'|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!()<>?:,])"
)
_ENUM = re.compile(rb"enum\b[^;{}()=]*\{")
_ENUMERATOR = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:=(.*))?\Z", re.S)
_TYPE_PART = re.compile(r"[A-Za-z_*]")
_BRACKET = re.compile(rb"[][(){},]")
_LEVELS: Sequence[Mapping[str, Callable[[int, int], int]]] = (
    {"||": lambda a, b: int(bool(a or b))},
    {"&&": lambda a, b: int(bool(a and b))},
    {"|": lambda a, b: a | b},
    {"^": lambda a, b: a ^ b},
    {"&": lambda a, b: a & b},
    {"==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b)},
    {
        "<": lambda a, b: int(a < b),
        ">": lambda a, b: int(a > b),
        "<=": lambda a, b: int(a <= b),
        ">=": lambda a, b: int(a >= b),
    },
    {"<<": lambda a, b: _shifted(a, b), ">>": lambda a, b: a >> _checked(b)},
    {"+": lambda a, b: a + b, "-": lambda a, b: a - b},
    {"*": lambda a, b: a * b, "/": lambda a, b: _quotient(a, b), "%": lambda a, b: _rest(a, b)},
)
#: Macros of the kernel that compute a number from numbers.
FUNCTIONS: Mapping[str, Callable[..., int]] = {
    "BIT": lambda n: _shifted(1, n),
    "BIT_ULL": lambda n: _shifted(1, n),
    "_BITUL": lambda n: _shifted(1, n),
    "_BITULL": lambda n: _shifted(1, n),
    "_UL": lambda n: n,
    "_ULL": lambda n: n,
    "UL": lambda n: n,
    "ULL": lambda n: n,
    "_AC": lambda n, *_: n,
    "GENMASK": lambda h, low: _shifted(1, h + 1) - _shifted(1, low),
    "GENMASK_ULL": lambda h, low: _shifted(1, h + 1) - _shifted(1, low),
}
#: Of these functions those that give one bit.
BITS = frozenset(("BIT", "BIT_ULL", "_BITUL", "_BITULL"))
_SUFFIXES = frozenset(("UL", "ULL", "U", "L", "LL", "LU"))
_WIDEST = 128


class _UnknownError(Exception):
    """The expression is not a constant that is understood here."""


def _checked(count: int) -> int:
    if not 0 <= count <= _WIDEST:
        raise _UnknownError
    return count


def _shifted(value: int, count: int) -> int:
    return value << _checked(count)


def _quotient(a: int, b: int) -> int:
    if b == 0:
        raise _UnknownError
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _rest(a: int, b: int) -> int:
    return a - b * _quotient(a, b)


def evaluate(text: str, lookup: Callable[[str], int | None]) -> int | None:
    """Return the value of an integer expression; casts are dropped, None: not known.

    lookup gives the values of names.
    """
    tokens, at = [], 0
    text = text.strip()
    while at < len(text):
        m = _TOKEN.match(text, at)
        if m is None:
            return None
        tokens.append(m[1])
        at = m.end()
    reader = _Reader(tokens, lookup)
    try:
        value = reader.conditional()
    except (_UnknownError, RecursionError):
        return None
    return value if reader.at == len(tokens) else None


class _Reader:
    """Read an expression by precedence."""

    def __init__(self, tokens: Sequence[str], lookup: Callable[[str], int | None]) -> None:
        self.tokens, self.lookup, self.at = tokens, lookup, 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, text: str) -> bool:
        taken = self.peek() == text
        self.at += taken
        return taken

    def conditional(self) -> int:
        condition = self.binary(0)
        if not self.take("?"):
            return condition
        then = self.conditional()
        if not self.take(":"):
            raise _UnknownError
        orelse = self.conditional()
        return then if condition else orelse

    def binary(self, level: int) -> int:
        if level == len(_LEVELS):
            return self.unary()
        value = self.binary(level + 1)
        while (operator := self.peek()) in _LEVELS[level]:
            self.at += 1
            value = _LEVELS[level][operator](value, self.binary(level + 1))
            if value.bit_length() > 4 * _WIDEST:
                raise _UnknownError
        return value

    def unary(self) -> int:
        token = self.peek()
        self.at += 1
        match token:
            case "-":
                return -self.unary()
            case "+":
                return self.unary()
            case "~":
                return ~self.unary()
            case "!":
                return int(not self.unary())
            case "(":
                return self.parenthesized()
        if token[:1].isdigit():
            value = integer(token)
        elif token.startswith("'"):
            value = character(token)
        elif token in FUNCTIONS and self.peek() == "(":
            return self.call(token)
        elif token[:1].isalpha() or token[:1] == "_":
            value = self.lookup(token)
        else:
            value = None
        if value is None:
            raise _UnknownError
        return value

    def call(self, name: str) -> int:
        self.at += 1
        if name == "_AC":
            value = self.conditional()
            if not (self.take(",") and self.peek() in _SUFFIXES):
                raise _UnknownError
            self.at += 1
            args = [value]
        else:
            args = [self.conditional()]
            while self.take(","):
                args.append(self.conditional())
        if not self.take(")"):
            raise _UnknownError
        try:
            return FUNCTIONS[name](*args)
        except TypeError:  # a macro of that name with other parameters
            raise _UnknownError from None

    def parenthesized(self) -> int:
        """Read a cast, which is dropped, or a parenthesised expression."""
        end = self.at
        while end < len(self.tokens) and _TYPE_PART.match(self.tokens[end]):
            end += 1
        is_type = end > self.at and end < len(self.tokens) and self.tokens[end] == ")"
        if is_type and end + 1 < len(self.tokens):
            single = end == self.at + 1 and self.lookup(self.tokens[self.at]) is not None
            follows = self.tokens[end + 1]
            starts = follows[0].isalnum() or follows[0] in "_(~'-"
            if not single and starts:
                self.at = end + 1
                return self.unary()
        value = self.conditional()
        if not self.take(")"):
            raise _UnknownError
        return value


def constants(unit: Unit) -> Mapping[str, int]:
    """Return the macros of a file that are integers; two different values are none."""
    bodies = {name: m.body for name, m in macro_definitions(unit).items() if m.params is None}
    values = {"true": 1, "false": 0, **enumerators(unit)}
    resolving: set[str] = set()

    def lookup(name: str) -> int | None:
        if name not in values and name in bodies and name not in resolving:
            resolving.add(name)
            value = evaluate(bodies[name], lookup)
            if value is not None:
                values[name] = value
        return values.get(name)

    found = {name: value for name in bodies if (value := lookup(name)) is not None}
    return {name: value for name, value in found.items() if name not in _ambiguous(unit, found)}


def _ambiguous(unit: Unit, found: Mapping[str, int]) -> frozenset[str]:
    """Name the macros that another `#if` arm defines with another literal value."""
    other: set[str] = set()
    for line in unit.directives:
        if line.keyword == "define":
            name, _, body = line.argument.partition(" ")
            value = integer(body.strip().strip("()"))
            if value is not None and found.get(name, value) != value:
                other.add(name)
    return frozenset(other)


def enumerators(unit: Unit) -> Mapping[str, int]:
    """Return the enumerators of a file with their values, those of all `#if` arms in a row.

    Where an arm is absent from a build, what follows it has smaller values there.
    """
    found: dict[str, int] = {}
    at = 0
    while m := _ENUM.search(unit.flat, at):
        # No brace stands in an enumeration, so what is not closed costs one look to the end.
        at = unit.flat.find(b"}", m.end()) + 1 or len(unit.flat)
        following: int | None = 0
        for start, end in _items(unit.flat, m.end()):
            item = _ENUMERATOR.match(_item_text(unit, start, end))
            if item is None:
                continue
            value = following if item[2] is None else evaluate(item[2], found.get)
            if value is not None:
                found.setdefault(item[1], value)
            following = None if value is None else value + 1
    return found


def _item_text(unit: Unit, start: int, end: int) -> str:
    flat = unit.flat[start:end].decode("latin-1")
    return uncommented(unit, start, end) if "'" in flat else flat


def _items(flat: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches between commas up to the brace that closes the list."""
    depth, begin = 0, at
    for m in _BRACKET.finditer(flat, at):
        if m.group() in b"([{":
            depth += 1
        elif m.group() == b"," and depth == 0:
            yield begin, m.start()
            begin = m.end()
        elif m.group() in b")]}":
            depth -= 1
            if depth < 0:
                yield begin, m.start()
                return
