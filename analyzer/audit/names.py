"""Know by which names a migration's flags are read, set and cleared in a tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analyzer.migrations import Described
from analyzer.pages.machine import TYPE, Space

#: How the bits of flags and of types are spelled; an enumerator is the prefix and the name.
_BITS = ("PG_", "PGTY_")


@dataclass(frozen=True, slots=True)
class Name:
    """A word that uses a flag, and what it does to it.

    verb is "reads", "sets", "clears" or "names"; label is the flag ("Reserved"); file limits the
    word to one file (a macro that it defines for itself), or is empty.
    """

    word: str
    verb: str
    label: str
    file: str = ""
    through: str = ""  # the word that it stands for
    spelled: bool = False  # a macro in which the flag stands beside a text that names it


#: Everything that is looked for, by word.
Names = Mapping[str, Name]


def names_of(space: Space, migration: Described) -> Names:
    """Return a tree's accessors of the flags, the bits themselves, and the users that are known.

    What a known user does is read from its body; until then it has no verb.
    """
    labels = (*migration.flags, *migration.types)
    found = {
        op.name: Name(op.name, "reads" if op.is_test else op.verb.says, op.label)
        for op in space.operations.values()
        if op.label in labels and (op.dimension == TYPE) == (op.label in migration.types)
    }
    for label in labels:
        for prefix in _BITS:
            for name in space.spellings(label):
                word = f"{prefix}{name}"
                found[word] = Name(word, "names", label)
    return found | {word: Name(word, "", "") for word in migration.users}


def lower_names(words: Iterable[str]) -> frozenset[str]:
    """Return what is left of the bits among some words: `reserved` of PG_reserved."""
    bits = ((word, prefix) for word in words for prefix in _BITS)
    return frozenset(word.removeprefix(prefix) for word, prefix in bits if word.startswith(prefix))


def verb_of(verbs: Iterable[str]) -> str:
    """Return what a function does that does all of these: writing outweighs reading."""
    held = set(verbs)
    return next((v for v in ("clears", "sets", "reads") if v in held), "names")
