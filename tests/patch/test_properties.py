"""State what holds of any patch and of any input."""

from __future__ import annotations

import contextlib
import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analyzer.base import AnalyzerError
from analyzer.patch import apply_patch, read_series, reverse_patch
from analyzer.tree import MemoryTree

from .damage import damaged
from .texts import LETTERS, diff, mail, read_patch, replaced

PATH = "mm/a.c"
LINE = st.sampled_from(
    [
        "\n",
        "{\n",
        "}\n",
        "\tx;\n",
        "\ty;\n",
        "-- a\n",
        "++ b\n",
        "@@ -1 +1 @@\n",
        "\\ No\n",
        "\r\n",
        " /* c */\n",
        "--- a/x\n",
        "+++ b/x\n",
        "From me\n",
        "\x0c\n",
        "é\x85\n",
        "diff --git\n",
    ]
)
TEXT = st.tuples(st.lists(LINE, max_size=30), st.sampled_from(["", "end", "-"])).map(
    lambda parts: "".join(parts[0]) + parts[1]
)
#: C-like lines that are told apart without their blanks.
CODE = st.lists(
    st.sampled_from(["\n", "\n", "\tif (a)\n", "\t\tb();\n", "\tc = d;\n", "}\n", "\telse\n"])
    | st.integers(0, 99).map(lambda n: f"\t\tline({n});\n"),
    max_size=30,
).map("".join)

VALID = mail("[PATCH v2 1/2] mm: x", diff(PATH, LETTERS, replaced(LETTERS, [("line 9;", "n;")])))
TREE = MemoryTree({PATH: LETTERS, "x": "a\n"})


def _made(before: str, after: str, context: int) -> str:
    """Return the diff between two texts; an added or removed file where one is empty."""
    text = diff(PATH, before, after, context)
    if not before:
        return text.replace(f"--- a/{PATH}", "--- /dev/null", 1)
    return text if after else text.replace(f"+++ b/{PATH}", "+++ /dev/null", 1)


@settings(deadline=None)
@given(before=TEXT, after=TEXT, context=st.integers(0, 4))
def test_applying_gives_the_text_the_diff_was_made_from(
    before: str, after: str, context: int
) -> None:
    if before == after:
        return
    tree = MemoryTree({PATH: before} if before else {})
    patch = read_patch(_made(before, after, context))
    applied = apply_patch(tree, patch)

    assert applied.tree.read(PATH) == (after.encode() if after else None)
    assert not applied.already_applied
    assert {(p.offset, p.fuzz) for p in applied.placements} == {(0, 0)}


@settings(deadline=None)
@given(before=TEXT, after=TEXT, context=st.integers(1, 4))
def test_the_reverse_undoes_the_patch(before: str, after: str, context: int) -> None:
    if before == after:
        return
    patch = read_patch(_made(before, after, context))
    tree = MemoryTree({PATH: after} if after else {})

    undone = apply_patch(tree, reverse_patch(patch)).tree
    assert undone.read(PATH) == (before.encode() if before else None)


@settings(deadline=None)
@given(before=TEXT, after=TEXT)
def test_changed_lines_are_the_lines_of_the_diff(before: str, after: str) -> None:
    if before == after or not before or not after:
        return
    applied = apply_patch(MemoryTree({PATH: before}), read_patch(diff(PATH, before, after)))
    old, new = before.encode().split(b"\n"), after.encode().split(b"\n")
    gone, made = applied.changed[PATH]
    patch = read_patch(diff(PATH, before, after))
    lines = [line for hunk in patch.files[0].hunks for line in hunk.lines]

    assert [old[n - 1] for r in gone for n in r] == [x.text for x in lines if x.kind == "-"]
    assert [new[n - 1] for r in made for n in r] == [x.text for x in lines if x.kind == "+"]


@settings(deadline=None, max_examples=150)
@given(before=CODE, after=CODE)
def test_a_damaged_copy_gives_the_same_but_for_blanks(before: str, after: str) -> None:
    text = diff(PATH, before, after)
    tree = MemoryTree({PATH: before})
    # A copy shows its damage in its context; without any it cannot be told from an intact one.
    if not re.search(r"^ .*\S", text, re.MULTILINE):
        return
    data = apply_patch(tree, read_patch(damaged(text), tree)).tree.read(PATH)

    assert data is not None
    assert data.decode().split() == after.split()


def _reads_or_refuses(data: bytes) -> None:
    for tree in (None, TREE):
        with contextlib.suppress(AnalyzerError):
            for patch in read_series(data, "x", tree).patches:
                apply_patch(TREE, patch, partial=True)
                apply_patch(TREE, reverse_patch(patch))


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=400))
@example(b"\x1f\x8b")
@example(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")
@example(
    b"Subject: [PATCH]\nContent-Type: multipart/mixed\n\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
)
@example(
    b"Subject: x\nContent-Type: text/plain; charset=nope\nContent-Transfer-Encoding: base64\n\n!"
)
@example(b"--- a/x\n+++ b/x\n@@ -0,0 +0,0 @@\n")
@example(b"--- a/x\n+++ b/x\n@@ -1,0 +1,0 @@\n\\ No newline at end of file\n")
@example(b"--- a/x\n+++ b/x\n@@ -999999999,1 +999999999,1 @@\n-a\n+b\n")
@example(b"--- a/x\n+++ b/x\n@@ -1,999999999 +1,999999999 @@\nb\n")
@example(b"[PATCH 1/99999] x\n\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n")
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    _reads_or_refuses(data)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_any_disturbed_patch_is_read_or_refused(data: st.DataObject) -> None:
    text = VALID.encode()
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        put = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"\n", b"\n@@ ", b"\n--- ", b"\n+"])
        )
        text = text[:start] + put + text[end:]

    _reads_or_refuses(text)


#: What mails are made of, to be put together wrongly.
PART = st.sampled_from(
    [
        "Content-Type: multipart/mixed; boundary=a",
        "Content-Type: multipart/mixed",
        "Content-Type: message/rfc822",
        "Content-Type: text/plain; charset*=a\0'b'c; format=flowed; delsp=yes",
        "Content-Type: text/x-patch; name*0*=\0'x'y; name*1=z",
        "Content-Type: text/html",
        "Content-Type: ;;=",
        "Content-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: quoted-printable",
        "Content-Transfer-Encoding: x-uuencode",
        'Content-Disposition: attachment; filename="x.patch"',
        "begin 644 x",
        "Subject: =?utf-8*x?b?/w==?=",
        "Subject: [PATCH 2/1] \x80",
        "From x Mon Jan  1 00:00:00 1970",
        "--a",
        "--a--",
        "",
        "",
        "LS0tIGEveAorKysgYi94CkBAIC0xICsxIEBACi1hCitiCg==",
        "--- a/x",
        "+++ b/x",
        "@@ -1 +1 @@",
        "-a",
        "+b=20=",
    ]
)


@settings(deadline=None, max_examples=150)
@given(st.lists(PART, max_size=30))
def test_any_mail_is_read_or_refused(parts: list[str]) -> None:
    _reads_or_refuses("\n".join(parts).encode("latin-1"))


def test_a_mail_of_many_layers_is_refused() -> None:
    layers = "".join(f"Content-Type: multipart/mixed; boundary={n}\n\n--{n}\n" for n in range(3000))

    with pytest.raises(AnalyzerError, match="its MIME structure is broken"):
        read_series(f"Subject: x\n{layers}".encode(), "x", None)


@pytest.mark.parametrize(
    "line",
    [
        "From x " + "0:00 1970 " * 20000,
        "diff --git" + " a" * 50000,
        '--- "' + "\\a" * 50000,
        "[PATCH " * 30000,
        "Subject: " + "[" * 50000,
        "@@ -" + "1" * 50000,
    ],
)
def test_a_long_line_takes_no_quadratic_time(line: str) -> None:
    text = f"{line}\nindex 1..2\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
    start = time.perf_counter()
    _reads_or_refuses(text.encode())

    assert time.perf_counter() - start < 5


def test_a_large_file_takes_no_quadratic_time_to_refuse() -> None:
    many = MemoryTree({PATH: "\tx;\n" * 100_000})
    patch = read_patch(diff(PATH, LETTERS, replaced(LETTERS, [("line 9;", "n;")])))

    assert len(apply_patch(many, patch, partial=True).rejected) == 1
