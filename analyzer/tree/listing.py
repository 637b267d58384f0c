"""List the sources of a directory with what tells whether a file has changed.

A file whose size, times and inode are the same is the same file: the system sets the time of the
last change (ctime), and no program can set it back. What was changed less than two seconds before
the listing could be changed again within one tick of the clock: such a listing is not settled.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from analyzer.tree.api import SOURCE_SUFFIXES

#: Name, size, modified, changed, inode; the times in nanoseconds.
Entry = tuple[str, int, int, int, int]
_SETTLED = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Listing:
    """The source files of a directory, folder by folder."""

    folders: Mapping[str, tuple[Entry, ...]]
    settled: bool

    @property
    def digest(self) -> bytes:
        """Return what is the same for the same files."""
        return hashlib.blake2b(self.packed(), digest_size=16).digest()

    def packed(self) -> bytes:
        """Return the listing as JSON."""
        return json.dumps(sorted(self.folders.items()), separators=(",", ":")).encode()

    def changed(self, other: Listing) -> frozenset[str]:
        """Return the paths that differ between two listings, or are in one of them only."""
        paths: set[str] = set()
        for folder in self.folders.keys() | other.folders.keys():
            one, two = self.folders.get(folder, ()), other.folders.get(folder, ())
            if one != two:
                paths.update(folder + entry[0] for entry in set(one) ^ set(two))
        return frozenset(paths)


def unpack_listing(data: bytes) -> Listing:
    """Return a listing from JSON; raise ValueError where it is none."""
    found = json.loads(data)
    try:
        folders = {
            str(name): tuple((str(e[0]), int(e[1]), int(e[2]), int(e[3]), int(e[4])) for e in rows)
            for name, rows in found
        }
    except (TypeError, IndexError) as error:
        raise ValueError("not a listing") from error
    return Listing(folders, True)


def list_directory(root: str) -> Listing:
    """List the C files under a directory; links and `.git` are not followed."""
    now = time.time_ns()
    folders = dict(_walk(root))
    latest = max((max(e[2], e[3]) for rows in folders.values() for e in rows), default=0)
    return Listing(folders, latest < now - _SETTLED)


def _walk(root: str) -> Iterator[tuple[str, tuple[Entry, ...]]]:
    todo = [""]
    while todo:
        folder = todo.pop()
        rows = []
        try:
            found = os.scandir(f"{root}/{folder}")
        except OSError:
            continue
        with found:
            for entry in found:
                name = entry.name
                if name.endswith(SOURCE_SUFFIXES):
                    if entry.is_file(follow_symlinks=False):
                        s = entry.stat(follow_symlinks=False)
                        rows.append((name, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino))
                    elif entry.is_dir(follow_symlinks=False):
                        todo.append(f"{folder}{name}/")
                elif name != ".git" and entry.is_dir(follow_symlinks=False):
                    todo.append(f"{folder}{name}/")
        rows.sort()
        yield folder, tuple(rows)
