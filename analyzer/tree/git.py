"""Read a tree from a revision of a git repository, without checking it out."""

from __future__ import annotations

import os
import subprocess
import weakref
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from analyzer.base import AnalyzerError
from analyzer.tree.api import Folders, Hits, is_inside
from analyzer.tree.files import LARGEST
from analyzer.tree.process import run, start
from analyzer.tree.search import GREP, grep_paths, parse_hits
from analyzer.tree.words import WordMemory, encode_words

#: How a shallow clone gets more of its history.
DEEPEN = "git fetch --deepen=100; in a workflow fetch-depth: 100"
_MISSING = (b"missing", b"ambiguous")
_LINKS = (b"symlink", b"dangling", b"loop", b"notdir")


def run_git(repo: str, arguments: Sequence[str], data: bytes = b"") -> tuple[int, bytes, str]:
    """Run git in a directory; return its status, its output and its complaint on one line."""
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", *arguments]
    try:
        status, output, complaint = run(
            command, repo, data, {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
        )
    except FileNotFoundError as error:
        if not Path(repo).is_dir():
            raise AnalyzerError(
                f"{repo}: no such tree; name the directory of a repository"
            ) from error
        raise AnalyzerError(f"{repo}: git is needed to read a revision ({error})") from error
    except OSError as error:
        raise AnalyzerError(f"{repo}: cannot run git there: {error.strerror}") from error
    return status, output, " ".join(complaint.decode("utf-8", "replace").split())


def resolve_revision(repo: str, revision: str) -> str:
    """Return the object of the tree that a revision has at this directory of the repository."""
    if not revision or "\0" in revision or "\n" in revision:
        raise AnalyzerError(f"{revision!r}: not the name of a revision")
    status, prefix, complaint = run_git(repo, ["rev-parse", "--show-prefix"])
    if status:
        raise AnalyzerError(f"{repo}: not a git repository ({complaint})")
    folder = os.fsdecode(prefix).rstrip("\n")
    # A pair of "^{tree}" and ":folder" cannot be spelled in one name, so two questions.
    status, tree, _ = _verify(repo, f"{revision}^{{tree}}")
    if status:
        raise AnalyzerError(f"{repo}: no such revision: {revision}{shallow_hint(repo)}")
    if folder:
        status, tree, _ = _verify(repo, f"{tree}:{folder.rstrip('/')}")
        if status:
            raise AnalyzerError(f"{repo}: revision {revision} has no directory {folder}")
    return tree


def shallow_hint(repo: str) -> str:
    """Return what to do where a revision is missing because a clone is shallow; else nothing."""
    status, answer, _ = run_git(repo, ["rev-parse", "--is-shallow-repository"])
    is_shallow = status == 0 and answer.strip() == b"true"
    return f"; this clone is shallow: fetch more of it ({DEEPEN})" if is_shallow else ""


def _verify(repo: str, name: str) -> tuple[int, str, str]:
    status, output, complaint = run_git(
        repo, ["rev-parse", "--verify", "--quiet", "--end-of-options", name]
    )
    return status, output.decode("ascii", "replace").strip(), complaint


class GitTree:
    """A revision of a git repository; what was read or searched once is remembered."""

    def __init__(self, repo: str, revision: str) -> None:
        """Take a revision of a repository; raise AnalyzerError where there is none."""
        self._tree = resolve_revision(repo, revision)
        self._repo = repo
        self._name = revision
        self._read: dict[str, bytes | None] = {}
        self._words = WordMemory(self._grep)
        self._reader: subprocess.Popen[bytes] | None = None
        self._reader_owner = 0

    @property
    def name(self) -> str:
        """Name the revision as the user did."""
        return self._name

    @property
    def object(self) -> str:
        """Return the name of the git object that holds the tree: same content, same name."""
        return self._tree

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None; links are followed as long as they stay inside."""
        if path not in self._read:
            usable = is_inside(path) and "\n" not in path
            self._read[path] = self._ask(path) if usable else None
        return self._read[path]

    def search(self, words: Iterable[str], folders: Folders = ()) -> Hits:
        """Return the C files that hold one of the words."""
        return self._words.search(words, folders)

    def listdir(self, path: str) -> tuple[str, ...]:
        """Return the names in a directory of the tree."""
        if path and not is_inside(path):
            return ()
        command = ["ls-tree", "-z", "--name-only", "--full-tree", f"{self._tree}:{path}"]
        status, output, _ = run_git(self._repo, command)
        if status:
            return ()
        return tuple(sorted(os.fsdecode(name) for name in output.split(b"\0") if name))

    def _grep(self, words: Collection[str], folders: Folders) -> Hits:
        names = encode_words(words)
        if not names:
            return {}
        patterns = b"".join(word + b"\n" for word in sorted(names))
        globs = (f":(top){glob}" for glob in grep_paths(folders))
        command = [*GREP, "--full-name", "-f", "-", self._tree, "--", *globs]
        status, output, complaint = run_git(self._repo, command, patterns)
        if status not in (0, 1) or (status == 1 and complaint):
            raise AnalyzerError(f"{self._repo}: git grep failed on {self._name}: {complaint}")
        return parse_hits(output, names, f"{self._tree}:")

    def _ask(self, path: str) -> bytes | None:
        reader = self._open_reader()
        assert reader.stdin is not None, "a pipe was asked for"
        assert reader.stdout is not None, "a pipe was asked for"
        try:
            reader.stdin.write(f"{self._tree}:".encode() + os.fsencode(path) + b"\n")
            reader.stdin.flush()
            header = reader.stdout.readline().rstrip(b"\n")
            words = header.rsplit(b" ", 2)
            if header.endswith(_MISSING):
                return None
            size = int(words[-1])
            if size > LARGEST:
                while size >= 0:
                    size -= len(reader.stdout.read(min(size + 1, 1 << 20))) or size + 1
                return None
            data = reader.stdout.read(size + 1)[:-1]
        except (OSError, ValueError) as error:
            raise AnalyzerError(f"{self._repo}: git cat-file failed on {path}") from error
        is_link = header.split(b" ", 1)[0] in _LINKS
        return data if not is_link and words[-2] == b"blob" else None

    def _open_reader(self) -> subprocess.Popen[bytes]:
        # A forked process must not share the pipes of its parent.
        if self._reader is None or self._reader_owner != os.getpid():
            command = ["git", "cat-file", "--batch", "--follow-symlinks"]
            self._reader = start(command, self._repo, complaints=subprocess.DEVNULL)
            self._reader_owner = os.getpid()
            weakref.finalize(self, _close, self._reader, self._reader_owner)
        return self._reader


def _close(reader: subprocess.Popen[bytes], owner: int) -> None:
    if owner != os.getpid():
        return
    for pipe in (reader.stdin, reader.stdout):
        if pipe is not None:
            pipe.close()
    reader.terminate()  # a process that was forked meanwhile may hold the pipe open
    reader.wait()
