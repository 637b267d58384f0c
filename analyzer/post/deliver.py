"""Send one thing exactly once, whatever happens in between."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from analyzer.base import AnalyzerError
from analyzer.post.client import Patience, RefusedError, SilentError
from analyzer.post.ledger import Ledger


class Fate(StrEnum):
    """Say what became of a post."""

    POSTED = "posted"
    UPDATED = "updated"
    THERE = "already there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to post.

    The key makes it the same thing in every run. What is posted once is left alone from then on;
    what is not follows its text.
    """

    key: str
    title: str  # for people: "check on patch 2"
    text: str
    once: bool

    @property
    def digest(self) -> str:
        """Return what tells one text from another."""
        return hashlib.blake2b(self.text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Found:
    """A thing that the other side has already; is_same says whether it reads as it should."""

    remote: str
    is_same: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item, and what the other side calls it."""

    item: Item
    fate: Fate
    remote: str


#: Ask the other side for an item; the flag says whether an earlier run may have sent it.
Find = Callable[[bool], Found | None]
#: Send an item, in place of what was found; return what the other side calls it.
Send = Callable[[Found | None], str]


def deliver(item: Item, ledger: Ledger, patience: Patience, find: Find, send: Send) -> Outcome:
    """Send an item unless it is there already, and record it.

    A busy server is tried again, and each time asked first whether it took the item after all.
    Raise RefusedError where the server will not have it, SilentError where nobody knows.
    """
    known = ledger.entry(item.key)
    if known and known.remote and (item.once or known.digest == item.digest):
        return Outcome(item, Fate.THERE, known.remote)
    unsure = known is not None and known.remote is None
    attempts = 0

    def attempt() -> Outcome:
        nonlocal attempts
        attempts += 1
        found = find(unsure or attempts > 1)
        if found and (item.once or found.is_same):
            return Outcome(item, Fate.THERE, found.remote)
        ledger.intend(item.key, item.digest)
        try:
            return Outcome(item, Fate.UPDATED if found else Fate.POSTED, send(found))
        except RefusedError:
            ledger.forget(item.key)
            raise

    try:
        outcome = patience.run(attempt)
    except SilentError as error:
        raise AnalyzerError(
            f"{error}; run the same command again: it asks first whether this arrived"
        ) from error
    ledger.record(item.key, item.digest, outcome.remote)
    return outcome
