"""Find whole words in bytes, and remember which files answered for which word."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from analyzer.tree.api import Folders, Hits, is_below

#: A word, as all ways to search understand it.
WORD = re.compile(rb"[A-Za-z0-9_]+")
_WORD_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
#: Up to here one pass per word is cheaper than cutting the text into words.
_FEW = 24


def encode_words(words: Iterable[str]) -> Mapping[bytes, str]:
    """Map each word's bytes to the word; what is no identifier occurs nowhere and is dropped."""
    encoded = {word.encode("ascii", "replace"): word for word in words}
    return {data: word for data, word in encoded.items() if WORD.fullmatch(data)}


def words_in(data: bytes, words: Collection[bytes]) -> frozenset[bytes]:
    """Return those of the words that occur in the data as whole words."""
    if len(words) > _FEW:
        return frozenset(words).intersection(WORD.findall(data))
    return frozenset(word for word in words if any(True for _ in places_of(word, data)))


def places_of(word: bytes, data: bytes) -> Iterator[int]:
    """Yield the offsets at which a word stands by itself, in order."""
    at = data.find(word)
    while at >= 0:
        end = at + len(word)
        alone_before = at == 0 or data[at - 1] not in _WORD_BYTES
        if alone_before and (end == len(data) or data[end] not in _WORD_BYTES):
            yield at
        at = data.find(word, end)


def scan_texts(texts: Iterable[tuple[str, bytes]], words: Iterable[str]) -> Hits:
    """Search texts that are already in memory."""
    names = encode_words(words)
    hits = {}
    for path, data in texts:
        found = words_in(data, names.keys())
        if found:
            hits[path] = frozenset(names[word] for word in found)
    return hits


class WordMemory:
    """Search a tree that does not change, each word at most once in the same folders."""

    def __init__(self, search: Callable[[Collection[str], Folders], Hits]) -> None:
        """Remember the answers of a search function."""
        self._search = search
        self._lock = threading.Lock()
        self._files: dict[Folders, dict[str, tuple[str, ...]]] = {(): {}}

    def search(self, words: Iterable[str], folders: Folders = ()) -> Hits:
        """Answer from memory where possible, and search once for all the rest."""
        wanted = frozenset(words)
        with self._lock:  # somebody may be searching for the same words
            whole, known = self._files[()], self._files.setdefault(folders, {})
            for word in wanted & whole.keys() - known.keys():
                known[word] = tuple(p for p in whole[word] if is_below(p, folders))
            missing = sorted(wanted - known.keys())
            if missing:
                known.update(files_of(missing, self._search(missing, folders)))
        return hits_of({word: known[word] for word in wanted})


def files_of(words: Iterable[str], hits: Hits) -> dict[str, tuple[str, ...]]:
    """Return for each word the files that it stands in."""
    files: dict[str, list[str]] = {word: [] for word in words}
    for path in sorted(hits):
        for word in hits[path]:
            files[word].append(path)
    return {word: tuple(paths) for word, paths in files.items()}


def hits_of(files: Mapping[str, Iterable[str]]) -> Hits:
    """Return for each file the words that stand in it."""
    hits: dict[str, set[str]] = {}
    for word, paths in files.items():
        for path in paths:
            hits.setdefault(path, set()).add(word)
    return {path: frozenset(hits[path]) for path in sorted(hits)}
