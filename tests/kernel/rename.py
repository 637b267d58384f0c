"""Rename every local variable and every static function of a C file to names that say nothing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_WORD = re.compile(r"[A-Za-z_]\w*")
#: Comments, strings and preprocessor lines keep their words.
_OPAQUE = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|^[ \t]*#(?:[^\n]|\\\n)*', re.S | re.M)
_FUNCTION = re.compile(r"^(?P<head>[a-z][^;{}=#]*?\b(?P<name>\w+)\((?P<args>[^;{}]*)\))\s*\{", re.M)
_TYPE = (
    r"(?:(?:const|static|volatile|unsigned|signed|long|short|int|char|bool|void|__u\w+|"
    r"(?:struct|union|enum)\s+\w+|\w+_t|[us](?:8|16|32|64)|gfp_t)\s*)+"
)
#: A declaration inside a body: a type, then names with stars, each with an initialiser or not.
_DECLARATION = re.compile(rf"^[ \t]+{_TYPE}(?=[\s*]+\w)(?P<names>[^;(]*(?:\([^;]*)?);", re.M)
_DECLARATOR = re.compile(r"^[\s*]*(?P<name>[A-Za-z_]\w*)")
_PARAMETER = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*(?:\[\w*\])?\s*$")
_KEYWORDS = frozenset({"void", "int", "long", "char", "bool", "const", "struct", "unsigned"})


@dataclass(frozen=True, slots=True)
class Renamed:
    """A file with its names changed, and each new name's old one."""

    text: str
    names: Mapping[str, str]


def rename_all(path: str, text: str) -> Renamed:
    """Return a C file in which statics and locals have opaque names, the same on every call.

    A static function that only a macro puts together (`DEFINE_SHOW_ATTRIBUTE`) keeps its name.
    """
    code = _OPAQUE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    statics = {
        m["name"]: opaque(path, "", m["name"])
        for m in _FUNCTION.finditer(code)
        if m["head"].startswith("static") and len(re.findall(rf"\b{m['name']}\b", code)) > 1
    }
    replacements: dict[int, tuple[int, str]] = {}
    names = {new: old for old, new in statics.items()}
    for start, end, local in _scopes(path, code):
        names |= {new: old for old, new in local.items()}
        for m in _WORD.finditer(code, start, end):
            if (new := local.get(m[0])) and _is_variable(code, m.start()):
                replacements[m.start()] = (m.end(), new)
    for m in _WORD.finditer(code):
        if (new := statics.get(m[0])) and _is_variable(code, m.start()):
            replacements.setdefault(m.start(), (m.end(), new))
    return Renamed(_spliced(text, replacements), names)


def rename_locals(path: str, text: str) -> Renamed:
    """Return a C file in which parameters and locals have opaque names; functions keep theirs."""
    file = rename_all(path, text)
    statics = {new: old for new, old in file.names.items() if new == opaque(path, "", old)}
    names = {new: old for new, old in file.names.items() if new not in statics}
    return Renamed(original(file.text, statics), names)


def opaque(path: str, function: str, name: str) -> str:
    """Return a name that depends on nothing but where the old one stands."""
    digest = hashlib.blake2b(f"{path}\0{function}\0{name}".encode(), digest_size=4).hexdigest()
    return f"z{digest}"


def original(text: str, names: Mapping[str, str]) -> str:
    """Return a text with new names put back to the old ones."""
    return _WORD.sub(lambda m: names.get(m[0], m[0]), text)


def _scopes(path: str, code: str) -> Iterator[tuple[int, int, dict[str, str]]]:
    """Yield each function's extent and its locals, parameters among them."""
    for m in _FUNCTION.finditer(code):
        end = code.find("\n}", m.end())
        found = {
            p["name"]
            for part in m["args"].split(",")
            if (p := _PARAMETER.search(part)) and len(part.split()) > 1
        }
        for declaration in _DECLARATION.finditer(code, m.end(), end):
            for part in _top_level(declaration["names"]):
                if name := _DECLARATOR.match(part):
                    found.add(name["name"])
        yield (
            m.start("args"),
            end,
            {
                n: opaque(path, m["name"], n)
                for n in found - _KEYWORDS
                if _is_plain(code, m, end, n)
            },
        )


def _is_plain(code: str, function: re.Match[str], end: int, name: str) -> bool:
    """Say whether a name is nothing but a local in its function, not a field in a macro's call."""
    body = code[function.end() : end]
    as_member = rf"\b(?:list_\w+|container_of|offsetof|hlist_\w+)\([^;]*,\s*{name}\)"
    return not re.search(as_member, body)


def _is_variable(code: str, at: int) -> bool:
    """Say whether the word here is not a field, a tag or a designator."""
    before = code[:at].rstrip()[-8:]
    return not (before.endswith((".", "->")) or re.search(r"\b(?:struct|union|enum|goto)$", before))


def _top_level(names: str) -> list[str]:
    """Split declarators at commas that stand in no bracket."""
    parts, depth = [""], 0
    for c in names:
        depth += (c in "([{") - (c in ")]}")
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return parts


def _spliced(text: str, replacements: Mapping[int, tuple[int, str]]) -> str:
    parts, at = [], 0
    for start, (end, new) in sorted(replacements.items()):
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])
