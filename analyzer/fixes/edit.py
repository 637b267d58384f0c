"""Edit C in kernel style: drop, guard or add a statement. None where that takes a person."""

from __future__ import annotations

import re
from collections.abc import Sequence

from analyzer.c.parser import Syntax
from analyzer.c.unit import scan_unit
from analyzer.fixes.expression import conjunction, is_pure, negation
from analyzer.fixes.layout import (
    Splice,
    comment_above,
    indent_of,
    is_alone,
    line_end,
    line_start,
    shifted,
    spliced,
    tidied,
)
from analyzer.fixes.site import Site

_LISTS = frozenset({"compound_statement", "case_statement"})
#: Where a line may be put in front of a statement: a label then stands before the line.
_LINES = _LISTS | {"labeled_statement"}
_LOOPS = frozenset({"for_statement", "while_statement"})
_WORD = re.compile(rb"[A-Za-z_]\w*")
_PLAIN = frozenset({"expression_statement", "return_statement", "break_statement"})


def dropped(site: Site) -> bytes | None:
    """Return the file without a statement, and without what is then left empty around it."""
    splices = _removal(site)
    if splices is None or any(b"\n#" in site.text[s.start : s.end] for s in splices):
        return None
    text = spliced(site.text, splices)
    gone = b" ".join(site.unit.code[s.start : s.end] for s in splices)
    return without_unused(tidied(text, splices), site, frozenset(_WORD.findall(gone)))


def _removal(site: Site) -> list[Splice] | None:
    """Return what takes a statement away."""
    if len(site.chain) < 2:
        return None  # the body itself: a function that does nothing takes a person
    node, parent = site.chain[-1], site.chain[-2]
    if parent.kind in _LISTS:
        return _removal_from_list(site, node, parent)
    if parent.kind == "else_clause":
        before = site.chain[-3].child("consequence")
        assert before is not None, "grammar: an if with an else has a consequence"
        return [Splice(before.end, node.end, b"")]
    if parent.kind == "if_statement" and node.field == "consequence":
        return _removal_of_arm(site, parent)
    if parent.kind in _LOOPS and _is_idle_loop(site, parent):
        return _removal(site.above)
    return None


def _removal_from_list(site: Site, node: Syntax, parent: Syntax) -> list[Splice] | None:
    others = [c for c in parent.children if c is not node and c.field != "value"]
    if not others:
        return _removal(site.above) if parent.kind == "compound_statement" else None
    if not is_alone(site.text, node):
        return None
    start, end = line_start(site.text, node.start), line_end(site.text, node.end)
    comment = comment_above(site.unit, node.start)
    if comment is not None and _is_last_of_paragraph(site.text, end):
        start = comment
    out = [Splice(start, end, b"")]
    if len(others) == 1 and parent.kind == "compound_statement":
        out += _unbraced(site.above, others[0], out[0])
    return out


def _is_last_of_paragraph(text: bytes, at: int) -> bool:
    """Tell whether a paragraph ends at the line that starts here: a comment above was for it."""
    follows = text[at : line_end(text, at)].strip()
    return follows in (b"", b"}") or follows.startswith((b"/*", b"//", b"} "))


def _unbraced(block: Site, left: Syntax, removed: Splice) -> list[Splice]:
    """Return what takes the braces off a block in which one plain statement is left."""
    node, parent = block.chain[-1], block.chain[-2] if len(block.chain) > 1 else None
    if parent is None or left.kind not in _PLAIN or node.kind != "compound_statement":
        return []
    sole = parent.kind in _LOOPS or (
        parent.kind == "if_statement" and parent.child("alternative") is None
    )
    text = block.text
    rest = text[node.start + 1 : removed.start] + text[removed.end : node.end - 1]
    one_line = b"\n" not in text[left.start : left.end]
    lines = [line for line in rest.split(b"\n") if line.strip()]
    if not sole or not one_line or len(lines) != 1 or _is_else_if(block):
        return []
    opening = len(text[: node.start].rstrip(b" \t"))
    closing = line_start(text, node.end - 1)
    if text[closing : line_end(text, closing)].strip() != b"}":
        return []
    end = line_end(text, closing)
    return [Splice(opening, node.start + 1, b""), Splice(closing, end, b"")]


def _is_else_if(block: Site) -> bool:
    return len(block.chain) > 2 and block.chain[-3].kind == "else_clause"


def _removal_of_arm(site: Site, parent: Syntax) -> list[Splice] | None:
    """Take the consequence of an if away; an else takes its place under the negated condition."""
    condition, alternative = parent.child("condition"), parent.child("alternative")
    assert condition is not None, "grammar: an if has a condition"
    if not _is_if(site, parent):
        return None
    if alternative is None:
        return _removal(site.above) if is_pure(site.code(condition)) else None
    other = alternative.children[-1]
    inverse = negation(site.code(condition))
    if inverse is None or other.kind == "if_statement":
        return None
    arm = site.chain[-1]
    start = other.start if other.kind == "compound_statement" else alternative.start + len(b"else")
    if other.kind == "compound_statement":
        return [
            Splice(condition.start, condition.end, b"(" + inverse + b")"),
            Splice(condition.end, start, b" "),
        ]
    return [
        Splice(condition.start, condition.end, b"(" + inverse + b")"),
        Splice(min(condition.end, arm.start), start, b""),
    ]


def _is_if(site: Site, node: Syntax) -> bool:
    """Tell whether a node is an if in the source, and no macro that is read as one."""
    return site.text[node.start : node.start + 3] in (b"if ", b"if(")


def _is_idle_loop(site: Site, loop: Syntax) -> bool:
    """Tell whether a loop does nothing but count: its header only, on variables used nowhere."""
    if site.text[loop.start : loop.start + 3] != b"for":
        return False
    parts = [loop.child(f) for f in ("initializer", "condition", "update")]
    if any(p is not None and p.kind == "declaration" for p in parts):
        return False
    heads = [site.code(p) for p in parts if p is not None]
    counters = {m for h in heads for m in re.findall(r"(\w+)\s*(?:[-+]?=[^=]|\+\+|--)", h)}
    if not all(is_pure(re.sub(r"\+\+|--|[-+]?=(?!=)", "+", h)) for h in heads):
        return False
    after = site.unit.code[loop.end : site.definition.span.end]
    return all(not re.search(rb"\b" + c.encode() + rb"\b", after) for c in counters)


def guarded(site: Site, condition: str) -> bytes | None:
    """Return the file with a statement under a condition."""
    node, parent = site.chain[-1], site.chain[-2]
    cond, text = condition.encode(), site.text
    if not is_alone(text, node):
        return None
    if parent.kind in _LINES:
        return spliced(text, [_conditional(text, node, cond)])
    if parent.kind == "else_clause":
        return spliced(text, [Splice(parent.start, parent.start + 4, b"else if (" + cond + b")")])
    if parent.kind == "if_statement" and _is_if(site, parent) and not parent.child("alternative"):
        held = parent.child("condition")
        assert held is not None, "grammar: an if has a condition"
        both = conjunction(site.code(held), condition)
        return spliced(text, [Splice(held.start, held.end, b"(" + both + b")")])
    braces = _braced(site)
    return None if braces is None else spliced(text, [*braces, _conditional(text, node, cond)])


def _conditional(text: bytes, node: Syntax, cond: bytes) -> Splice:
    indent = indent_of(text, node.start)
    held = shifted(text[node.start : node.end])
    return Splice(node.start, node.end, b"if (" + cond + b")\n" + indent + b"\t" + held)


def added(site: Site, lines: Sequence[str], *, after: bool = False) -> bytes | None:
    """Return the file with lines of code before or after a statement, indented as it is."""
    node, parent = site.chain[-1], site.chain[-2]
    text = site.text
    if not is_alone(text, node):
        return None
    indent = indent_of(text, node.start)
    new = b"".join(indent + line.encode() + b"\n" for line in lines)
    if after:
        at = line_end(text, node.end)
        splice = Splice(at, at, new)
    else:
        at = line_start(text, node.start)
        if (comment := comment_above(site.unit, node.start)) is not None:
            at = comment
        splice = Splice(at, at, new)
    if parent.kind in _LINES:
        return spliced(text, [splice])
    braces = _braced(site)
    if braces is None:
        return None
    # The line stands inside the new braces, whose closing one starts at the statement's end.
    if after:
        splice = Splice(node.end, node.end, b"\n" + new.removesuffix(b"\n"))
        return spliced(text, [splice, *braces])
    splice = Splice(node.start, node.start, new.removeprefix(indent) + indent)
    return spliced(text, [*braces, splice])


def _braced(site: Site) -> list[Splice] | None:
    """Return what puts braces around a statement that has none, and around its sibling arm."""
    node, parent = site.chain[-1], site.chain[-2]
    owner = site.chain[-3] if parent.kind == "else_clause" else parent
    if owner.kind not in (*_LOOPS, "if_statement"):
        return None
    if parent.kind == "else_clause" or (len(site.chain) > 2 and _is_chained(site.chain, owner)):
        return None  # a chain of arms takes more than one pair of braces
    alternative = owner.child("alternative")
    out = _around(site.text, owner, node, follows=alternative is not None)
    if alternative is not None and out is not None:
        other = alternative.children[-1]
        if other.kind == "if_statement":
            return None
        if other.kind != "compound_statement":
            more = _around(site.text, alternative, other, follows=False)
            out = None if more is None else [*out, *more]
    return out


def _is_chained(chain: tuple[Syntax, ...], owner: Syntax) -> bool:
    at = chain.index(owner)
    return at > 0 and chain[at - 1].kind == "else_clause"


def _around(text: bytes, owner: Syntax, node: Syntax, *, follows: bool) -> list[Splice] | None:
    """Return an opening brace behind a header and a closing one behind a statement."""
    header = len(text[: line_start(text, node.start)].rstrip())
    if _interrupted(text, owner, node) or not is_alone(text, node):
        return None
    indent = indent_of(text, owner.start)
    out = [Splice(header, header, b" {")]
    if not follows:
        return [*out, Splice(node.end, node.end, b"\n" + indent + b"}")]
    rest = len(text) - len(text[node.end :].lstrip())
    return [*out, Splice(node.end, rest, b"\n" + indent + b"} ")]


def _interrupted(text: bytes, owner: Syntax, node: Syntax) -> bool:
    """Tell whether a comment or an `#if` stands between a header and its statement."""
    between = text[owner.start : node.start]
    return any(mark in between for mark in (b"*/", b"//", b"\n#"))


def without_unused(text: bytes, site: Site, words: frozenset[bytes]) -> bytes | None:
    """Return the text without declarations of local variables that are not used any more."""
    unit = scan_unit(site.unit.path, text)
    found = unit.definitions.get(site.definition.name, ())
    nearest = min(found, key=lambda d: abs(d.span.start - site.definition.span.start), default=None)
    if nearest is None:
        return None
    start, end = nearest.body, nearest.span.end
    body = unit.code[start:end]
    for word in sorted(words):
        if len(re.findall(rb"\b" + word + rb"\b", body)) != 1:
            continue
        declared = re.search(
            rb"\n[ \t]+(?:(?:const|unsigned|struct|static)\s+)*\w+\s+\**" + word
            + rb"(?:\s*=\s*([^;,]*))?;[ \t]*(?=\n)",
            body,
        )  # fmt: skip
        listed = re.search(rb"\b" + word + rb"\s*,\s*|,\s*\**" + word + rb"\b(?=\s*[,;])", body)
        if declared is not None:
            if declared[1] is not None and not is_pure(declared[1].decode("latin-1")):
                return None
            cut = declared
        elif listed is not None and _declares(body, listed.start()):
            cut = listed
        else:
            continue
        text = text[: start + cut.start()] + text[start + cut.end() :]
        return without_unused(
            tidied(text, [Splice(start + cut.start(), start + cut.start(), b"")]),
            site,
            words | frozenset(_WORD.findall(cut.group())),
        )
    return text


def _declares(body: bytes, at: int) -> bool:
    """Tell whether the statement around an offset starts like a declaration."""
    begin = max(body.rfind(c, 0, at) for c in (b";", b"{", b"}")) + 1
    return re.match(rb"\s*(?:\w+\s+)+\**\w", body[begin : at + 20]) is not None
