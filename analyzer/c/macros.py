"""Read macro definitions, and expand them token by token."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from analyzer.base import Span
from analyzer.c.blank import blank_comments
from analyzer.c.unit import Unit

_DEFINE = re.compile(r"#\s*define\s+([A-Za-z_]\w*)(\(([^()]*)\))?[ \t]*(.*)\Z", re.S)
_CONTINUED = re.compile(r"[ \t]*\\\r?\n")
_TOKEN = re.compile(
    r"""\s+|[A-Za-z_]\w*|\.?\d(?:[eEpP][+-]|[\w.])*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\#\#|.""",
    re.S | re.X,
)
#: What a macro holds that does nothing with what it is passed.
_EMPTY = re.compile(r"(?:\bdo\b|\bwhile\s*\(\s*0\s*\)|\(\s*void\s*\)|\b0\b|[\s(){};])*")
#: More tokens than this are not expanded further: macros that double each other need a bound.
_MOST_TOKENS = 200_000


@dataclass(frozen=True, slots=True)
class Macro:
    """A `#define`. params is None for a macro without a parameter list.

    The body keeps the line ends of its continuation lines, without the backslashes.
    """

    name: str
    params: tuple[str, ...] | None
    body: str
    span: Span


@lru_cache(maxsize=64)  # as scan_unit() keeps its files
def macro_definitions(unit: Unit) -> Mapping[str, Macro]:
    """Return the macros of a file; of several under different `#if`, the first."""
    found: dict[str, Macro] = {}
    for _, name, macro in every_definition(unit):
        if macro is not None:
            found.setdefault(name, macro)
    return found


def every_definition(unit: Unit) -> Iterator[tuple[int, str, Macro | None]]:
    """Yield (offset, name, macro) of each `#define` in order; without a macro of each `#undef`."""
    for line in unit.directives:
        if line.keyword not in ("define", "undef") or unit.conditions.is_dead(line.start):
            continue
        if line.keyword == "undef":
            yield line.start, line.argument, None
            continue
        text = blank_comments(unit.text[line.start : line.end]).decode("latin-1")
        m = _DEFINE.match(_CONTINUED.sub("\n", text))
        if m is not None:
            params = None if m[2] is None else tuple(p.strip() for p in m[3].split(","))
            params = () if params == ("",) else params
            span = unit.span(line.start, line.end)
            yield line.start, m[1], Macro(m[1], params, m[4].strip(), span)


def is_empty(macro: Macro) -> bool:
    """Tell whether a macro does nothing: what it is passed it throws away, if it is named."""
    if macro.params is None:
        return False
    passed = "|".join(map(re.escape, macro.params))
    thrown = rf"\(\s*void\s*\)\s*(?:\b(?:{passed})\b|\(\s*(?:{passed})\s*\))"
    return _EMPTY.fullmatch(re.sub(thrown, "", macro.body)) is not None


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    hidden: frozenset[str] = frozenset()  # macros that no longer expand this token


def expand(text: str, macros: Mapping[str, Macro]) -> str:
    """Expand every macro in text as a C preprocessor does; what is no macro stays.

    Text that grows beyond all measure is returned partly expanded.
    """
    return "".join(t.text for t in _expanded(_tokens(text), macros))


@lru_cache(maxsize=1024)
def _tokens(text: str) -> tuple[_Token, ...]:
    return tuple(_Token(m.group()) for m in _TOKEN.finditer(text))


def _expanded(tokens: Sequence[_Token], macros: Mapping[str, Macro]) -> list[_Token]:
    out: list[_Token] = []
    todo = list(reversed(tokens))
    budget = _MOST_TOKENS
    while todo:
        token = todo.pop()
        macro = macros.get(token.text)
        budget -= 1
        if macro is None or token.text in token.hidden or budget < 0:
            out.append(token)
            continue
        if macro.params is None:
            body = _substituted(macro, {}, macros, token.hidden | {macro.name})
        else:
            taken = _arguments(todo)
            if taken is None:
                out.append(token)
                continue
            count, groups, closing = taken
            del todo[-count:]
            hidden = (token.hidden & closing.hidden) | {macro.name}
            body = _substituted(macro, _bound(macro.params, groups), macros, hidden)
        budget -= len(body)
        todo += reversed(body)
    return out


def _arguments(todo: Sequence[_Token]) -> tuple[int, list[list[_Token]], _Token] | None:
    """Read an argument list from the end of a reversed list; None where there is none.

    Returns how many tokens it takes, the arguments, and the closing parenthesis.
    """
    at = len(todo) - 1
    while at >= 0 and todo[at].text.isspace():
        at -= 1
    if at < 0 or todo[at].text != "(":
        return None
    groups: list[list[_Token]] = [[]]
    depth = 0
    while at >= 0:
        token = todo[at]
        if token.text in ("(", "[", "{"):
            depth += token.text == "("
        elif token.text == ")":
            depth -= 1
            if depth == 0:
                return len(todo) - at, groups, token
        if token.text == "," and depth == 1:
            groups.append([])
        elif not (token.text == "(" and depth == 1 and groups == [[]]):
            groups[-1].append(token)
        at -= 1
    return None


def _bound(params: Sequence[str], groups: list[list[_Token]]) -> Mapping[str, list[_Token]]:
    """Bind parameters to arguments; `...` and `name...` take all that is left, commas included."""
    bound: dict[str, list[_Token]] = {}
    for n, param in enumerate(params):
        if param.endswith("..."):
            rest: list[_Token] = []
            for group in groups[n:]:
                rest += ([_Token(",")] if rest else []) + group
            bound[param.removesuffix("...").strip() or "__VA_ARGS__"] = _stripped(rest)
        else:
            bound[param] = _stripped(groups[n]) if n < len(groups) else []
    return bound


def _stripped(tokens: list[_Token]) -> list[_Token]:
    begin, end = 0, len(tokens)
    while begin < end and tokens[begin].text.isspace():
        begin += 1
    while end > begin and tokens[end - 1].text.isspace():
        end -= 1
    return tokens[begin:end]


def _substituted(
    macro: Macro,
    bound: Mapping[str, list[_Token]],
    macros: Mapping[str, Macro],
    hidden: frozenset[str],
) -> list[_Token]:
    """Return a macro's body with its parameters replaced, `#` and `##` carried out."""
    body = _tokens(macro.body)
    out: list[_Token] = []
    at = 0
    while at < len(body):
        text = body[at].text
        after = _solid(body, at + 1)
        operand = body[after].text if after < len(body) else ""
        if text == "#" and operand in bound:
            out.append(_Token(_quoted(bound[operand])))
            at = after + 1
            continue
        if text == "##" and operand:
            while out and out[-1].text.isspace():
                out.pop()
            _paste(out, bound.get(operand, [body[after]]))
            at = after + 1
            continue
        if text in bound:
            out += bound[text] if operand == "##" else _expanded(bound[text], macros)
        else:
            out.append(body[at])
        at += 1
    return [_Token(t.text, t.hidden | hidden) for t in out if t.text]


def _solid(tokens: Sequence[_Token], at: int) -> int:
    while at < len(tokens) and tokens[at].text.isspace():
        at += 1
    return at


def _paste(out: list[_Token], operand: Sequence[_Token]) -> None:
    """Join the last token with the first of an operand; an absent `__VA_ARGS__` eats its comma."""
    if not operand:
        if out and out[-1].text == ",":
            out.pop()
        return
    if out and out[-1].text != ",":
        out[-1] = _Token(out[-1].text + operand[0].text, out[-1].hidden & operand[0].hidden)
        out += operand[1:]
    else:
        out += operand


def _quoted(tokens: Sequence[_Token]) -> str:
    text = " ".join("".join(t.text for t in tokens).split())
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
