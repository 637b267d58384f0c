"""The marked columns must be those of the source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.base import Span
from analyzer.report.excerpt import excerpt, source_line
from analyzer.report.paint import ASCII, LINES, Glyphs, painter
from analyzer.report.paint import PLAIN as PLAIN_SIGNS

PLAIN = painter(colour=False)


def marked(
    source: bytes, text: bytes, *, width: int = 80, glyphs: Glyphs = PLAIN_SIGNS
) -> list[str]:
    """Return the excerpt of the first place where a text stands."""
    start = source.index(text)
    line = source.count(b"\n", 0, start) + 1
    column = start - source.rfind(b"\n", 0, start)
    end = start + len(text)
    end_line = source.count(b"\n", 0, end) + 1
    end_column = end - source.rfind(b"\n", 0, end)
    span = Span("x.c", start, end, line, column, end_line, end_column)
    return excerpt(source, span, width=width, style="error", paint=PLAIN, glyphs=glyphs)


def under_carets(lines: list[str]) -> str:
    """Return what stands above the carets."""
    at = next(i for i, line in enumerate(lines) if "^" in line)
    carets = lines[at]
    return lines[at - 1][carets.index("^") : carets.rindex("^") + 1]


def test_tabs_are_as_wide_as_in_an_editor() -> None:
    lines = marked(b"{\n\tif (x)\n\t\tclear(page);\n}\n", b"clear(page)")

    assert [
        "   |",
        " 1 | {",
        " 2 |         if (x)",
        " 3 |                 clear(page);",
        "   |                 ^^^^^^^^^^^",
        " 4 | }",
    ] == lines


def test_wide_and_combining_letters_keep_the_carets_in_place() -> None:
    lines = marked("\t/* 世界 e\u0301 */ clear(page);\n".encode(), b"clear(page)")

    source, carets = lines[1:]
    # Two letters take two columns each, and a combining accent takes none.
    assert source.index("clear") + 2 - 1 == carets.index("^")


def test_a_tab_inside_a_span_is_marked_in_full() -> None:
    assert "a       b" == under_carets(marked(b"a\tb;\n", b"a\tb"))


def test_a_long_line_is_cut_around_the_span() -> None:
    source = b"x" * 200 + b" clear(page); " + b"y" * 200 + b"\n"

    lines = marked(source, b"clear(page)")

    assert "clear(page)" == under_carets(lines)
    assert all(len(line) <= 80 for line in lines)


def test_a_terminal_of_utf8_gets_lines() -> None:
    lines = marked(b"{\n\tclear(page);\n}\n", b"clear(page)", glyphs=LINES)

    assert [
        "   │",
        " 1 │ {",
        " 2 │         clear(page);",
        "   │         ━━━━━━━━━━━",
        " 3 │ }",
    ] == lines


def test_a_terminal_of_ascii_gets_nothing_else_and_the_same_columns() -> None:
    source = "\t/* 世界 é */ clear(page);".encode() + b" " + b"y" * 90 + b"\n"

    lines = marked(source, b"clear(page)", glyphs=ASCII)

    assert "".join(lines).isascii()
    assert "clear(page)" == under_carets(lines)
    assert lines[1].endswith("yyy...")


@pytest.mark.parametrize("glyphs", [PLAIN_SIGNS, LINES, ASCII])
def test_a_span_at_either_end_of_a_long_line_is_seen_whole(glyphs: Glyphs) -> None:
    for source in (b"x" * 300 + b" clear(page);\n", b"clear(page); " + b"x" * 300 + b"\n"):
        lines = marked(source, b"clear(page)", glyphs=glyphs)
        carets = next(line for line in lines if glyphs.caret * 3 in line)
        above = lines[lines.index(carets) - 1]

        at = carets.index(glyphs.caret)
        assert "clear(page)" == above[at : at + len("clear(page)")]


def test_bytes_that_are_not_utf8_and_escapes_take_one_column() -> None:
    lines = marked(b"/* \xe9\x1b\x07 */ clear(page);\n", b"clear(page)")

    assert "clear(page)" == under_carets(lines)
    assert "\x1b" not in "".join(lines)


def test_a_span_over_lines_is_marked_at_the_side() -> None:
    lines = marked(b"int a;\n/*\n * old\n */\nint b;\n", b"/*\n * old\n */")

    assert ["   |", " 1 | int a;", " 2 > /*", " 3 >  * old", " 4 >  */", " 5 | int b;"] == lines


def test_a_very_long_span_is_shortened() -> None:
    comment = b"/*\n" + b" * line\n" * 40 + b" */"

    lines = marked(comment + b"\n", comment)

    assert any(line.endswith("> ...") for line in lines)
    assert len(lines) < 12


def test_a_line_that_does_not_exist_has_no_excerpt() -> None:
    span = Span("x.c", 0, 1, 99, 1, 99, 2)

    assert [] == excerpt(b"one\n", span, width=80, style="error", paint=PLAIN)
    assert "" == source_line(b"one\n", 99, 40)


@given(st.binary(max_size=300), st.integers(1, 12), st.integers(1, 90), st.integers(1, 60))
def test_no_source_and_no_span_raises(source: bytes, line: int, column: int, length: int) -> None:
    span = Span("x.c", 0, 0, line, column, line, column + length)

    lines = excerpt(source, span, width=80, style="error", paint=PLAIN)

    assert all(c.isprintable() or c == "\ufffd" for text in lines for c in text)
