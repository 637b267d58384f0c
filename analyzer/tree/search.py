"""Search a directory for words: with ripgrep, else with git grep, else in Python."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from analyzer.tree.api import SOURCE_SUFFIXES, Folders, Hits, is_below, is_source
from analyzer.tree.files import read_regular
from analyzer.tree.process import run
from analyzer.tree.stems import ROOM, SHORTEST, shares_of
from analyzer.tree.words import WORD, encode_words, words_in

#: Below this many files starting processes costs more than it saves.
_MANY_FILES = 2000
#: Beyond this many words Python is faster than git grep.
_MANY_WORDS = 64
#: Beyond this many words one slow pass over the tree is faster than several fast ones.
_MANY_PASSES_OF_WORDS = 140
#: Up to so many short words are looked for together with the long ones.
_FEW_SHORT = 2
_GLOBS = tuple(f"*{suffix}" for suffix in SOURCE_SUFFIXES)


def search_directory(root: str, words: Iterable[str], folders: Folders = ()) -> Hits:
    """Return which words occur in which C file under a directory, by the fastest way there is."""
    names = encode_words(words)
    there = tuple(folder for folder in folders if _is_plain(root, folder))
    if not names or (folders and not there):
        return {}
    # The time of git grep grows with the words; cutting every file into words takes as long always.
    engines = (with_ripgrep, with_git_grep) if len(names) <= _MANY_WORDS else (with_ripgrep,)
    for engine in engines:
        hits = engine(root, names, there)
        if hits is not None:
            return hits
    return with_python(root, names, there)


def _is_plain(root: str, folder: str) -> bool:
    """Tell whether there is such a folder, and no link on the way: that may lead anywhere."""
    path = os.path.join(os.path.realpath(root), folder)  # noqa: PTH118 (text, not a path)
    return os.path.isdir(path) and os.path.realpath(path) == path  # noqa: PTH112


def with_ripgrep(root: str, names: Mapping[bytes, str], folders: Folders = ()) -> Hits | None:
    """Search with ripgrep; None where it is missing or failed."""
    # --no-unicode and --encoding none: a byte above 127 is never part of a kernel name, and all
    # three ways must agree on what a word is. -uu: no .gitignore hides a file.
    command = ["rg", "--no-config", "-j", str(os.cpu_count() or 2), "-uu", "--text", "--no-unicode"]
    command += ["--encoding", "none", "-F", "--null", "--no-heading", "-H"]
    command += ["--no-line-number", "--color", "never", "--max-columns", "0", "-g", "!.git"]
    command += [part for glob in _GLOBS for part in ("-g", glob)]
    hits: dict[str, frozenset[str]] = {}
    below = [f"./{folder}/" for folder in folders] or ["./"]
    for texts, options in _passes(names):
        found = _hits_of([*command, *options, "-f", "-", "--", *below], root, texts, names, "./")
        if found is None:
            return None
        for path, words in found.items():
            hits[path] = hits.get(path, frozenset()) | words
    return {path: hits[path] for path in sorted(hits)}


def _passes(names: Mapping[bytes, str]) -> Iterator[tuple[Iterable[bytes], tuple[str, ...]]]:
    """Yield what to look for in each pass over the tree, with options: words, or parts of them."""
    few = len(names) <= _MANY_PASSES_OF_WORDS and sum(map(len, names)) > ROOM
    parts = {w for w in names if len(w) >= SHORTEST} if few else set()
    rest, shares = names.keys() - parts, list(shares_of(parts))
    if shares and len(rest) <= _FEW_SHORT:
        # They stand in many lines; a pass of their own costs more.
        shares[0], rest = (*shares[0], *rest), set()
    for share in shares:
        yield share, ()
    if rest:
        # Not -o: ripgrep 13 prints "f" for the word "ff" where it looks for both.
        yield rest, ("-w",)


def with_git_grep(root: str, names: Mapping[bytes, str], folders: Folders = ()) -> Hits | None:
    """Search with `git grep`, of all files and not only tracked ones; None where it failed."""
    # Under --no-index every file counts, ignored or not, and no repository is needed.
    # Inside some other repository paths still count from the root that was asked for.
    command = ["git", *GREP, "--no-full-name", "--no-index", "--no-exclude-standard", "-f", "-"]
    return _hits_of([*command, "--", *grep_paths(folders)], root, names, names, "")


#: `git grep` for words, its output safe from the user's settings.
GREP = (
    *("-c", "core.fsmonitor=false", "grep", "--no-color", "--no-line-number", "--no-column"),
    *("--no-heading", "--no-break", "--no-show-function", "-a", "-F", "-w", "-o", "-z"),
)


#: What `git grep` says of a file or folder that it passes over.
_UNREAD = (b"error:", b"warning: could not open directory")


def grep_paths(folders: Folders) -> tuple[str, ...]:
    """Return path specifications for the C files below some folders, or all."""
    return tuple(f"{folder}/{glob}" for folder in folders for glob in _GLOBS) or _GLOBS


def _hits_of(
    command: Sequence[str],
    root: str,
    texts: Iterable[bytes],
    names: Mapping[bytes, str],
    prefix: str,
) -> Hits | None:
    try:
        status, output, complaint = run(
            command,
            root,
            b"".join(word + b"\n" for word in sorted(texts)),
            {**os.environ, "LC_ALL": "C"},
        )
    except OSError:
        return None
    # 1 is "no match"; anything else, a signal's number as well, is a failure and no "no match".
    if status not in (0, 1) or (status == 1 and complaint):
        return None
    if any(line.startswith(_UNREAD) for line in complaint.splitlines()):
        return None
    return parse_hits(output, names, prefix)


def parse_hits(output: bytes, names: Mapping[bytes, str], prefix: str) -> Hits:
    """Read lines of path, NUL, text with words; drop the prefix that every path has."""
    hits: dict[bytes, set[str]] = {}
    for record in set(output.split(b"\n")):
        path, _, text = record.partition(b"\0")
        for word in names.keys() & WORD.findall(text):
            hits.setdefault(path, set()).add(names[word])
    skip = len(prefix)
    found = {os.fsdecode(path)[skip:]: frozenset(words) for path, words in hits.items()}
    return {path: found[path] for path in sorted(found)}


def with_python(root: str, names: Mapping[bytes, str], folders: Folders = ()) -> Hits:
    """Search in Python, in several processes where there are many files."""
    paths = sorted(path for path in source_files(root) if is_below(path, folders))
    workers = min(os.cpu_count() or 1, 8) if len(paths) >= _MANY_FILES else 1
    words = frozenset(names)
    if workers == 1:
        rows = _scan_files((root, paths, words))
    else:
        import multiprocessing  # only here: it costs start-up time

        shares = [(root, paths[start :: workers * 4], words) for start in range(workers * 4)]
        with multiprocessing.get_context("fork").Pool(workers) as pool:
            rows = [row for part in pool.imap_unordered(_scan_files, shares) for row in part]
    return {path: frozenset(names[word] for word in found) for path, found in sorted(rows)}


def _scan_files(
    share: tuple[str, Sequence[str], frozenset[bytes]],
) -> list[tuple[str, tuple[bytes, ...]]]:
    root, paths, words = share
    rows = []
    for path in paths:
        data = read_regular(Path(root, path))
        # What cannot be read may hold any word; whoever wants to read it will have to admit that.
        if found := words if data is None else words_in(data, words):
            rows.append((path, tuple(sorted(found))))
    return rows


def source_files(root: str) -> Iterator[str]:
    """List the C files under a directory; symbolic links and `.git` are not followed.

    A folder that may not be read is listed itself: it may hold any file.
    """
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            entries = sorted(os.scandir(f"{root}/{folder}"), key=lambda entry: entry.name)
        except PermissionError:
            yield folder.rstrip("/")
            continue
        except OSError:
            continue
        for entry in entries:
            path = f"{folder}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if entry.name != ".git":
                    pending.append(f"{path}/")
            elif is_source(path) and entry.is_file(follow_symlinks=False):
                yield path
