"""List the sources of a directory with what tells whether a file has changed.

A file whose size, times and inode are the same is the same file: the system sets the time of the
last change (ctime), and no program can set it back. What was changed less than two seconds before
the listing could be changed again within one tick of the clock: such a listing is not settled.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from analyzer.parallel import sharing_out
from analyzer.tree.api import SOURCE_SUFFIXES

#: Lists the directory of an absolute path.
Lister = Callable[[str], "Listing"]

_SETTLED = 2_000_000_000
#: With fewer folders near the top a second process is not worth starting.
_MANY = 64
#: So many levels of folders are listed before the rest is shared out.
_TOP = 2


@dataclass(frozen=True, slots=True)
class Listing:
    """The source files of a directory: for each its path and what tells it apart, in order."""

    text: bytes = field(repr=False)  # each followed by NUL, which no path holds
    settled: bool

    @property
    def digest(self) -> bytes:
        """Return what is the same for the same files."""
        return hashlib.blake2b(self.text, digest_size=16).digest()

    @property
    def paths(self) -> frozenset[str]:
        """Return the paths of the files."""
        return frozenset(map(os.fsdecode, self.text.split(b"\0")[:-1:2]))

    def changed(self, other: Listing) -> frozenset[str]:
        """Return the paths that differ between two listings, or are in one of them only."""
        return frozenset(os.fsdecode(path) for path, _ in self._entries() ^ other._entries())

    def _entries(self) -> set[tuple[bytes, bytes]]:
        parts = self.text.split(b"\0")
        return set(zip(parts[:-1:2], parts[1::2], strict=True))


def unpack_listing(text: bytes) -> Listing:
    """Return a listing from its text; raise ValueError where it is none."""
    if text.count(b"\0") % 2 or not (text.endswith(b"\0") or not text):
        raise ValueError("not a listing")
    return Listing(text, True)


def list_directory(root: str, jobs: int = 1) -> Listing:
    """List the C files under a directory; links and `.git` are not followed.

    With more than one job half of the work is done in another process.
    """
    with listing_directory(root, jobs) as listed:
        return listed()


@contextlib.contextmanager
def listing_directory(root: str, jobs: int = 1) -> Iterator[Callable[[], Listing]]:
    """Start to list a directory in another process; give what returns the listing when it is done.

    A file that is read before that may be older than the listing.
    """
    now = time.time_ns()
    folders, found = [""], list[_Folder]()
    for _ in range(_TOP):
        level = [_looked_into(root, f) for f in folders]
        found += level
        folders = [below for f in level for below in f.below]
    works = [functools.partial(_walked, root, folder) for folder in folders]
    with sharing_out(works, min(jobs, 2) if len(folders) >= _MANY else 1) as joined:

        @functools.cache
        def listed() -> Listing:
            found.extend(itertools.chain.from_iterable(joined()))
            latest = max((f.latest for f in found), default=0)
            return Listing(b"".join(f.text for f in sorted(found)), latest < now - _SETTLED)

        yield listed


@contextlib.contextmanager
def looking_over(root: str, jobs: int) -> Iterator[Lister]:
    """Start to list a directory; what is given lists that one sooner, and any other one."""
    place = os.path.realpath(root)
    with listing_directory(place, jobs) as listed:
        yield lambda path: listed() if path == place else list_directory(path, jobs)


class _Folder(NamedTuple):
    """What stands in one folder: its path, its sources, the folders in it, the last change."""

    path: str
    text: bytes
    below: tuple[str, ...]
    latest: int


def _walked(root: str, folder: str) -> list[_Folder]:
    """Look into a folder and all that is below it."""
    found, todo = list[_Folder](), [folder]
    while todo:
        looked = _looked_into(root, todo.pop())
        found.append(looked)
        todo += looked.below
    return found


def _looked_into(root: str, folder: str) -> _Folder:
    rows, below, latest = [], [], 0
    try:
        opened = os.open(f"{root}/{folder}", os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        # In the place of all that it may hold.
        return _Folder(folder, os.fsencode(f"{folder.rstrip('/')}\0unreadable\0"), (), 0)
    except OSError:
        return _Folder(folder, b"", (), 0)
    try:
        # By the folder's descriptor, so that no path is walked for each file.
        with os.scandir(opened) as entries:
            for entry in entries:
                name = entry.name
                if name.endswith(SOURCE_SUFFIXES) and entry.is_file(follow_symlinks=False):
                    s = entry.stat(follow_symlinks=False)
                    size, modified, changed = s.st_size, s.st_mtime_ns, s.st_ctime_ns
                    rows.append(f"{folder}{name}\0{size} {modified} {changed} {s.st_ino}\0")
                    if changed > latest:  # max() takes twice as long
                        latest = changed
                    if modified > latest:
                        latest = modified
                elif name != ".git" and entry.is_dir(follow_symlinks=False):
                    below.append(f"{folder}{name}/")
    finally:
        os.close(opened)
    return _Folder(folder, os.fsencode("".join(sorted(rows))), tuple(below), latest)
