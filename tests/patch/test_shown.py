"""Hold the reading of what git log and git show print to the range that they were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from analyzer.base import AnalyzerError
from analyzer.patch import Series, read_range, read_series
from analyzer.tree import Tree

from ..tree.sources import commit_files, git
from .texts import LETTERS, diff, mail, replaced

_COUNT = [f"line {n};\n".encode() for n in range(1, 40)]


def _text(*changed: int) -> bytes:
    return b"".join(b"changed\n" if n in changed else line for n, line in enumerate(_COUNT, 1))


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a history whose dates tell nothing, but the files do."""
    root = tmp_path_factory.mktemp("repo")
    commit_files(root, {"mm/a.c": _text(), "mm/b.c": b"b\n" * 20, "mm/c.c": b"c\n"}, "start")
    git(root, "tag", "start")
    commit_files(root, {"mm/a.c": _text(3)}, "mm/a: be loud\n\nFor a reason.\n\ncommit 1234567 why")
    commit_files(root, {"mm/a.c": _text(3, 4), "mm/c.c": b"d\n"}, "mm: a and c\n\n* list")
    git(root, "mv", "mm/b.c", "mm/d.c")
    commit_files(root, {"mm/a.c": _text(3, 4, 30)}, "(mm): move b")
    git(root, "tag", "end")
    return root


@pytest.fixture(scope="module")
def told(repo: Path) -> list[tuple[str, object]]:
    """Return what the range from start to end is."""
    return _told(read_range(str(repo), "start..end"))


def _read(text: str, tree: Tree | None = None) -> Series:
    return read_series(text.encode(), "x.log", tree)


def _told(series: Series) -> list[tuple[str, object]]:
    return [
        (p.subject, [(f.before, f.after, f.kind, [h.after for h in f.hunks]) for f in p.files])
        for p in series.patches
    ]


FORMATS = (
    *("medium", "short", "full", "fuller", "raw", "oneline", "reference"),
    *("fuller --date=iso", "fuller --date=relative", "medium --stat", "oneline --stat"),
    *("oneline --decorate", "medium --decorate --source", "medium --parents"),
    *("medium -z", "short --abbrev=4 --no-prefix", "oneline --no-abbrev-commit --full-index"),
)


@pytest.mark.parametrize("how", FORMATS)
@pytest.mark.parametrize("order", ["", "--reverse"])
def test_what_git_log_prints_is_the_range(
    repo: Path, told: Sequence[tuple[str, object]], how: str, order: str
) -> None:
    options = f"-M --abbrev-commit --format={how} {order}".split()
    series = _read(git(repo, "log", "-p", *options, "start..end") + "\n")

    if "reference" in how:
        told = [(f"({subject}, 2024-01-01)", files) for subject, files in told]
    assert list(told) == _told(series)
    assert [1, 2, 3] == [patch.index for patch in series.patches]
    printed = "oldest first: read as they" if order else "newest first: read from the last one on"
    assert f"x.log: 3 commits, printed {printed}" in series.notes[-1]


@pytest.mark.parametrize("commits", [("end", "end~1"), ("end~1", "end"), ("end~2", "end", "end~1")])
def test_commits_that_git_show_prints_come_as_they_apply(
    repo: Path, told: Sequence[tuple[str, object]], commits: Sequence[str]
) -> None:
    text = git(repo, "show", "-M", *commits) + "\n"

    if len(commits) == 2:
        assert list(told[1:]) == _told(_read(text))
    else:  # in neither direction does one find what the other left
        with pytest.raises(AnalyzerError, match=r"x\.log:1: found 3 commits as git log or .* as a"):
            _read(text)


def test_the_line_of_a_hunk_is_its_line_in_the_input(repo: Path) -> None:
    text = git(repo, "log", "-p", "start..end") + "\n"

    lines = text.split("\n")
    for patch in _read(text).patches:
        assert patch.body.split(b"\n")[0].decode() == lines[patch.body_line - 1]
        for file in patch.files:
            assert all(lines[hunk.line - 1].startswith("@@ -") for hunk in file.hunks)


def _commit(number: int, file: str, head: str = "Author: A <a@b>", subject: str = "") -> str:
    text = diff(file, LETTERS, replaced(LETTERS, [(f"line {number};", "changed;")]))
    said = f"    {subject or f'commit {number}'}\n\n" if subject != "-" else ""
    text = text.replace("1111111..2222222", f"{number:07x}..{number + 50:07x}")
    return f"commit {number:040x}\n{head}\n\n{said}{text}\n"


def _dates(*dates: str, head: str = "Author: A <a@b>\nDate:   {}") -> str:
    return "".join(_commit(n, f"mm/{n}.c", head.format(date)) for n, date in enumerate(dates, 1))


_FULLER = "Author: A <a@b>\nAuthorDate: Mon Jan 1 10:00:00 2024 +0000\nCommit: A\nCommitDate: {}"
_RAW = "tree 1234567\nauthor A <a@b> 5 +0000\ncommitter A <a@b> {} +0000"
_EARLY, _LATE = "Mon Jan 1 10:00:00 2024 +0000", "Mon Jan 1 10:00:00 2024 -0100"


@pytest.mark.parametrize(
    ("head", "first", "second", "order"),
    [
        (_FULLER, _LATE, _EARLY, [2, 1]),
        (_FULLER, _EARLY, _LATE, [1, 2]),
        (_FULLER, "2024-01-02 10:00:00 +0000", "2024-01-01 10:00:00 +0000", [2, 1]),
        (_FULLER, "2024-01-01T10:00:00+00:00", "2024-01-02T10:00:00+00:00", [1, 2]),
        (_RAW, "1704276000", "1704270000", [2, 1]),
        (_RAW, "1704270000", "1704276000", [1, 2]),
        ("Author: A <a@b>\nDate:   {}", _LATE, _EARLY, [2, 1]),
    ],
)
def test_where_no_file_is_shared_the_dates_tell(
    head: str, first: str, second: str, order: list[int]
) -> None:
    series = _read(_dates(first, second, head=head))

    assert [f"commit {n}" for n in order] == [patch.subject for patch in series.patches]


@pytest.mark.parametrize(
    "text",
    [
        # When it was written is not when it was committed: a patch that lay about for long.
        _dates(_EARLY, _LATE),
        _dates(_EARLY, _EARLY),
        _dates(_EARLY, _LATE, _EARLY, head=_FULLER),
        _dates("3 days ago", "4 days ago"),
        _dates("", "", head="Author: A <a@b>{}"),
        _dates("Mon Jan 1 10:00:00 2024", "Mon Jan 1 11:00:00 2024", head=_FULLER),
    ],
)
def test_where_nothing_tells_the_order_it_is_asked_for(text: str) -> None:
    with pytest.raises(AnalyzerError) as caught:
        _read(text)

    assert "nothing that tells which comes first; give them as a range, REV..REV" in str(
        caught.value
    )


def test_one_commit_has_its_subject_and_takes_no_note() -> None:
    series = _read(_commit(3, "mm/a.c"))

    assert (["commit 3"], ()) == ([patch.subject for patch in series.patches], series.notes)


@pytest.mark.parametrize("subject", ["mm/a: count", "mm: count", "Count"])
@pytest.mark.parametrize("dates", ["Date:   x", "AuthorDate: x\nCommit:     B\nCommitDate: x"])
@pytest.mark.parametrize("indent", ["    ", ""])
def test_the_message_starts_with_the_subject(subject: str, dates: str, indent: str) -> None:
    head = f"commit 0123456789abcdef\ngpg: good\nAuthor: A\n{dates}\n"
    text = f"{head}\n{indent}{subject}\n\n{indent}why\n\n{diff('mm/a.c', LETTERS, 'x')}"

    (patch,) = _read(text).patches
    assert subject == patch.subject


@pytest.mark.parametrize("stat", ["", "---\n mm/a.c | 2 +-\n\n", " mm/a.c | 2 +-\n\n"])
def test_a_commit_without_a_message_has_no_subject(stat: str) -> None:
    text = _commit(3, "mm/a.c", subject="-").replace("diff --git", f"{stat}diff --git")

    assert [""] == [patch.subject for patch in _read(text).patches]


def test_a_commit_without_a_diff_is_left_out_and_told() -> None:
    merge = "commit 1234567\nMerge: 1 2\nAuthor: A <a@b>\n\n    Merge it\n\n"
    series = _read(_dates(_LATE, _EARLY).replace("commit 0", f"{merge}commit 0", 1))

    assert ["commit 2", "commit 1"] == [patch.subject for patch in series.patches]
    assert "x.log: 1 of 3 commits without a diff left out" == series.notes[0]
    with pytest.raises(AnalyzerError, match="no patch in it: found 6 lines of text and no diff"):
        _read(merge)


def test_a_commit_that_is_printed_twice_is_one() -> None:
    assert 1 == len(_read(_commit(3, "mm/a.c") * 2).patches)
    with pytest.raises(AnalyzerError, match=r"x\.log:19: found the diffs of a merge against each"):
        _read(_commit(3, "mm/a.c") + _commit(3, "mm/b.c"))


@pytest.mark.parametrize(
    "prose",
    [
        "commit 1234567 broke it\n\n",
        "commit 1234567\n\nAuthor: nobody\n",
        'See\ncommit 1234567 ("mm: x")\n',
        "x\n1234567 is the commit\n",
    ],
)
def test_prose_that_names_a_commit_splits_nothing(prose: str) -> None:
    one, other = (diff(f"mm/{n}.c", LETTERS, "x\n") for n in "ab")

    (patch,) = _read(prose + one + prose + other).patches
    assert ["mm/a.c", "mm/b.c"] == [file.path for file in patch.files]


def test_a_mail_that_quotes_git_show_is_one_patch() -> None:
    text = mail("[PATCH] mm: x", _commit(3, "mm/a.c") + _commit(4, "mm/b.c"))

    assert ["mm: x"] == [patch.subject for patch in _read(text).patches]


def test_a_diff_ahead_of_the_commits_is_a_patch_of_its_own() -> None:
    series = _read(diff("mm/z.c", LETTERS, "x\n") + _commit(3, "mm/a.c"))

    assert ["mm/z.c", "mm/a.c"] == [patch.files[0].path for patch in series.patches]


def test_a_log_with_crlf_is_a_log() -> None:
    text = _dates(_LATE, _EARLY).replace("\n", "\r\n")

    assert ["commit 2", "commit 1"] == [patch.subject for patch in _read(text).patches]
