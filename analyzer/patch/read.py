"""Read what the user hands over (mail, mailbox, diff, damaged copy) into a series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analyzer.base import AnalyzerError
from analyzer.patch.apply import apply_patch
from analyzer.patch.diff import UnmarkedLineError, parse_diff
from analyzer.patch.mail import Message, split_messages, split_tag
from analyzer.patch.model import FileChange, Patch, Series
from analyzer.patch.packed import unpacked
from analyzer.patch.repair import is_damaged, repair
from analyzer.patch.sections import Numbered
from analyzer.patch.shown import split_commits
from analyzer.patch.thread import choose_patches, describe, has_diff
from analyzer.tree.api import Tree

#: A release of the kernel changes fewer places; a patch of more takes more than there is to give.
_MOST_HUNKS = 250_000


def read_series(data: bytes, name: str, tree: Tree | None, *, version: int | None = None) -> Series:
    """Return the patches in the data; name stands for the data in messages.

    Of several versions the newest complete one is read unless a version is named. A damaged copy
    is repaired from the tree. Raise AnalyzerError where there is no patch, or a malformed one.
    """
    return read_files({name: data}, name, tree, version=version)


def read_files(
    files: Mapping[str, bytes], name: str, tree: Tree | None, *, version: int | None = None
) -> Series:
    """Return the patches in some files as one series; name stands for all of them in messages."""
    messages: list[Message] = []
    names: dict[int, str] = {}
    told: list[str] = []
    for file, data in files.items():
        found = split_messages(unpacked(data, file))
        if len(files) > 1 and not any(m.is_mail or has_diff(m) for m in found):
            told.append(f"{file}: no patch in it, left out: found {describe(found)}")
        for message in found:
            parts, notes = split_commits(message, file)
            messages += parts
            names.update((id(part), file) for part in parts)
            told += notes
    chosen, notes = choose_patches(messages, name, version)
    current = tree
    patches: list[Patch] = []
    for index, message in enumerate(chosen, 1):
        patch = _read_patch(message, index, names[id(message)], current)
        patches.append(patch)
        # A later patch may be damaged, or need to know which files there are by then.
        if current is not None and index < len(chosen):
            current = apply_patch(current, patch, partial=True).tree
    return Series(tuple(patches), (*told, *notes))


def _read_patch(message: Message, index: int, name: str, tree: Tree | None) -> Patch:
    lines = number_lines(message)
    hunks = sum(line.startswith(b"@@ -") for _, line in lines)
    if hunks > _MOST_HUNKS:
        raise AnalyzerError(
            f"{name}:{message.line}: found {hunks} hunks, more than the {_MOST_HUNKS} that a patch "
            "may have; split it, or check the revisions with sweep"
        )
    files, notes = _read_files(lines, name, tree)
    if not files:
        raise AnalyzerError(
            f"{name}:{message.line}: found file names of a diff but no hunk; "
            "expected a unified diff (diff -u, git diff, git format-patch)"
        )
    tag, subject = split_tag(message.subject)
    return Patch(
        index=index,
        subject=subject,
        tag=tag,
        message_id=message.message_id,
        files=files,
        notes=notes,
        name=name,
        raw=message.raw,
        body=message.body,
        body_line=message.line,
    )


def number_lines(message: Message) -> tuple[Numbered, ...]:
    """Return a message's lines with their numbers; CRLF line ends of the mail are undone."""
    lines = message.body.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    heads = [line for line in lines if line.startswith((b"@@ -", b"--- ", b"+++ ", b"diff --git "))]
    if heads and all(line.endswith(b"\r") for line in heads):
        lines = [line.removesuffix(b"\r") for line in lines]
    return tuple(enumerate(lines, message.line))


def _read_files(
    lines: Sequence[Numbered], name: str, tree: Tree | None
) -> tuple[tuple[FileChange, ...], tuple[str, ...]]:
    """Return the changes, and what had to be repaired."""

    def known(path: str) -> bool:
        return tree is not None and tree.read(path) is not None

    whether = None if tree is None else known
    try:
        return parse_diff(lines, name, whether), ()
    except UnmarkedLineError:
        if not is_damaged(lines):
            raise
    if tree is None:
        raise AnalyzerError(
            f"{name}: a damaged copy (its leading blanks are lost), which takes a tree to repair"
        )
    repaired = repair(lines, name, tree)
    return parse_diff(repaired.lines, name, whether), (repaired.note,)
