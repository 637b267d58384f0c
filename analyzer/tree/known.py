"""Know a directory from earlier runs: which words stand in which files, and what was answered.

What a result follows from is the answers that the tree gave. They are written down while it is
computed; the result holds as long as the tree gives the same answers, and no longer.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from analyzer.store import Store, key_of
from analyzer.tree.api import Folders, Hits, Tree, is_below
from analyzer.tree.directory import DirectoryTree
from analyzer.tree.files import read_regular
from analyzer.tree.git import GitTree
from analyzer.tree.listing import Lister, Listing, list_directory, unpack_listing
from analyzer.tree.words import WordMemory, files_of, hits_of, scan_texts

_DIGEST = 16
#: What was asked, of what, and the answer or a digest of it.
_Row = tuple[str, str, str]
#: More files than this are searched anew together rather than one by one.
_MANY_CHANGED = 2000


class KnownTree:
    """A directory or revision whose searches are remembered across runs."""

    def __init__(
        self, tree: DirectoryTree | GitTree, store: Store, looked: Lister = list_directory
    ) -> None:
        """Take the tree as it is from now on, and what lists a directory."""
        self._tree, self._store, self._list = tree, store, looked
        self._early = frozenset[str]()
        self._new: dict[str, tuple[str, ...]] = {}
        self._moved = False  # what is known of words was known of another state
        self._words = WordMemory(self._search)
        self._log = os.memfd_create("answers") if hasattr(os, "memfd_create") else -1
        self._said: set[str] = set()

    @property
    def name(self) -> str:
        """Name the tree as the user did."""
        return self._tree.name

    @cached_property
    def _listing(self) -> Listing | None:
        """Return the listing of a directory: nothing that is read after this is older."""
        if isinstance(self._tree, GitTree):
            return None
        listing = self._list(self._tree.root)
        self._early = self._tree.held  # may have changed before it was listed
        return listing

    @cached_property
    def state(self) -> bytes:
        """Return what is another one where a source of the tree is."""
        if isinstance(self._tree, GitTree):
            return self._tree.object.encode()  # the same object is the same tree
        assert self._listing is not None, "a directory is listed"
        return self._listing.digest

    @cached_property
    def _place(self) -> bytes:
        """Return the key of what is known of the words of this tree."""
        if isinstance(self._tree, GitTree):
            return key_of("revision", self.state)
        return key_of("directory", self._tree.root)

    @property
    def is_settled(self) -> bool:
        """Tell whether an answer may be kept: nothing was changed just before the listing."""
        return self._listing is None or self._listing.settled

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None."""
        listed = self._is_listed(path)  # before it is read
        data = self._tree.read(path)
        self._say("source" if listed else "read", path, _hash(data))
        return data

    def listdir(self, path: str) -> tuple[str, ...]:
        """Return the names in a directory of the tree."""
        names = self._tree.listdir(path)
        self._say("listdir", path, _hash_of_names(names))
        return names

    def search(self, words: Iterable[str], folders: Folders = ()) -> Hits:
        """Return the C files that hold one of the words."""
        wanted = sorted(set(words))
        self._say("state", "", self.state.hex())
        hits = self._words.search(wanted, folders)
        self._say("words", f"{' '.join(wanted)}{_within(folders)}", _hash_of_hits(hits))
        return hits

    def _is_listed(self, path: str) -> bool:
        """Tell whether the state of the tree tells when a file is another."""
        if isinstance(self._tree, GitTree):
            return True
        return path in self._sources and path not in self._early

    @cached_property
    def _sources(self) -> frozenset[str]:
        return frozenset() if self._listing is None else self._listing.paths

    # -- what a result follows from ----------------------------------------------------------

    def recall(self, question: bytes) -> bytes | None:
        """Return what is known of a question where the tree answers as it did; else None."""
        kept = self._store.load("result", question)
        if kept is None:
            return None
        answers, _, value = kept.partition(b"\n")
        try:
            rows = _rows_of(answers)
        except (ValueError, TypeError):
            return None
        # Where the tree was searched, the same state says that no source is another.
        same = any(kind == "state" and answer == self.state.hex() for kind, _, answer in rows)
        if not all(self._holds(row, same=same) for row in rows):
            return None
        if not same and any(kind == "state" for kind, _, _ in rows):
            # Something has changed that does not matter here: the next run need not find out.
            now = [("state", "", self.state.hex()) if row[0] == "state" else row for row in rows]
            self._keep(question, now, value)
        return value

    def learn(self, question: bytes, compute: Callable[[], bytes]) -> bytes:
        """Return what is computed, and keep it together with what the tree answered meanwhile.

        compute may ask nothing but this tree, in this process or in ones that it forks.
        """
        # What is read from here on is as the listing says; only this thread may use the store.
        _ = self.state, self._known
        value = compute()
        if (rows := self._answers()) is not None:
            self._keep(question, rows, value)
        return value

    def _keep(self, question: bytes, rows: Sequence[_Row], value: bytes) -> None:
        """Save an answer with what it follows from, unless the tree is being changed just now."""
        if self.is_settled:
            answers = json.dumps(rows, separators=(",", ":")).encode()
            self._store.save("result", question, answers + b"\n" + value)
        self.remember()

    def _say(self, kind: str, what: str, answer: str) -> None:
        # A forked process shares the file and its offset, so its questions count as well.
        line = json.dumps((kind, what, answer))
        if line not in self._said and self._log >= 0:
            self._said.add(line)
            try:
                os.write(self._log, line.encode() + b"\n")
            except OSError:  # no room: what was answered is no longer known as a whole
                os.fchmod(self._log, 0)  # the one mark that every process of this run sees

    def _answers(self) -> Sequence[_Row] | None:
        """Return all answers given so far; None where they are not known or differ."""
        if self._log < 0:
            return None
        log = os.fstat(self._log)
        if not stat.S_IMODE(log.st_mode):
            return None
        size = log.st_size
        lines = sorted(set(os.pread(self._log, size, 0).splitlines()))
        rows: list[_Row] = [tuple(json.loads(line)) for line in lines]
        return rows if len({(kind, what) for kind, what, _ in rows}) == len(rows) else None

    def _holds(self, row: _Row, *, same: bool) -> bool:
        """Tell whether the tree answers as it did; same is true where its state is the same."""
        match row:
            case ("state", _, _):
                return True
            case ("source" | "words", _, _) if same:
                return True
            case ("source" | "read", path, answer):
                return _hash(self._tree.read(path)) == answer
            case ("words", asked, answer):
                words, folders = _without(asked)
                known = all(f"{w}{_within(folders)}" in self._known for w in words.split())
                return known and _hash_of_hits(self._search(words.split(), folders)) == answer
            case ("listdir", path, answer):
                return _hash_of_names(self._tree.listdir(path)) == answer
        return False

    # -- words -------------------------------------------------------------------------------

    def remember(self) -> None:
        """Save what was searched for, to be found by the next run."""
        if not (self._new or self._moved) or not self.is_settled:
            return
        words = {**self._known, **self._new}
        self._store.save("words", self._place, _packed({"state": self.state.hex(), "words": words}))
        if self._listing is not None:
            packed = zlib.compress(self._listing.text, 1)
            self._store.save("listing", key_of(self._place, self.state), packed)
        self._new, self._moved = {}, False

    @cached_property
    def _known(self) -> dict[str, tuple[str, ...]]:
        """Return the files of each word that was searched for before, as they are now.

        A word that was searched for below some folders only has these behind it.
        """
        data = self._store.load("words", self._place)
        try:
            kept = _unpacked(data) if data is not None else {}
            words = {str(w): tuple(map(str, paths)) for w, paths in kept.get("words", {}).items()}
            was = bytes.fromhex(str(kept.get("state", "")))
            if was == self.state or not words:
                return words
            listing = self._store.load("listing", key_of(self._place, was))
            if listing is None or self._listing is None:
                return {}
            changed = self._listing.changed(unpack_listing(zlib.decompress(listing)))
            self._moved = True
        except (ValueError, TypeError, AttributeError, zlib.error):
            return {}
        return self._renewed(words, changed) if len(changed) <= _MANY_CHANGED else {}

    def _renewed(
        self, words: dict[str, tuple[str, ...]], changed: frozenset[str]
    ) -> dict[str, tuple[str, ...]]:
        """Search the files that have changed, and nothing else."""
        wanted = {_without(asked)[0] for asked in words}
        closed = list[str]()

        def texts() -> Iterator[tuple[str, bytes]]:
            for path in sorted(changed):
                data = self._plain(path)
                if data is not None:
                    yield path, data
                elif path in self._sources:
                    closed.append(path)

        # What cannot be read may hold any word.
        fresh = {**scan_texts(texts(), wanted), **dict.fromkeys(closed, frozenset(wanted))}
        renewed = {}
        for asked, paths in words.items():
            word, folders = _without(asked)
            new = [p for p, found in fresh.items() if word in found and is_below(p, folders)]
            renewed[asked] = tuple(sorted([p for p in paths if p not in changed] + new))
        return renewed

    def _plain(self, path: str) -> bytes | None:
        assert isinstance(self._tree, DirectoryTree), "only directories are listed"
        return read_regular(Path(self._tree.root, path))

    def _search(self, words: Collection[str], folders: Folders) -> Hits:
        """Search for what is not known yet."""
        within = _within(folders)
        missing = [word for word in words if f"{word}{within}" not in self._known]
        if missing:
            files = files_of(missing, self._tree.search(missing, folders))
            self._new.update((f"{word}{within}", paths) for word, paths in files.items())
        keys = {word: f"{word}{within}" for word in words}
        return hits_of(
            {w: (self._known if k in self._known else self._new)[k] for w, k in keys.items()}
        )


def known_tree(tree: Tree, store: Store, looked: Lister = list_directory) -> KnownTree | None:
    """Return a tree that remembers; None for a tree that is not on a disk."""
    return KnownTree(tree, store, looked) if isinstance(tree, DirectoryTree | GitTree) else None


def _within(folders: Folders) -> str:
    """Return what stands behind words that are searched for below some folders only."""
    return f"/{' '.join(folders)}" if folders else ""


def _without(asked: str) -> tuple[str, Folders]:
    """Return the words, and the folders that stand behind them."""
    words, _, folders = asked.partition("/")
    return words, tuple(folders.split())


def _hash(data: bytes | None) -> str:
    return "" if data is None else hashlib.blake2b(data, digest_size=_DIGEST).hexdigest()


def _hash_of_names(names: Iterable[str]) -> str:
    return _hash("\0".join(names).encode("utf-8", "surrogateescape"))


def _hash_of_hits(hits: Hits) -> str:
    return _hash(json.dumps([(path, sorted(hits[path])) for path in sorted(hits)]).encode())


def _rows_of(answers: bytes) -> Sequence[_Row]:
    return [(str(kind), str(what), str(answer)) for kind, what, answer in json.loads(answers)]


def _packed(value: object) -> bytes:
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode(), 1)


def _unpacked(data: bytes) -> dict[str, dict[str, list[str]]]:
    value: dict[str, dict[str, list[str]]] = json.loads(zlib.decompress(data))
    return value
