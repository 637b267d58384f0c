"""No text makes the frontend raise, and nothing moves."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.c.constants import constants, enumerators
from analyzer.c.lower import lower
from analyzer.c.macros import expand, macro_definitions
from analyzer.c.prepare import prepare
from analyzer.c.prototypes import prototypes
from analyzer.c.unit import comment_spans, scan_unit

_WORDS = tuple(
    word.decode()
    for word in b"if else for while do switch case default break continue return goto "
    b"struct static int typeof sizeof asm __init list_for_each_entry scoped_guard guard "
    b"for_each_valid_pfn scoped_odd auto "
    b"LIST_HEAD BUG_ON WARN_ON unlikely offsetof SYSCALL_DEFINE1 enum while_each_thread SWAP x y f"
    b" 0 1 0x".split()
)
_MARKS = [
    *"(){}[];:,?&|*-+=!~<>.#'\"\\\n\t /",
    *("\n{\n", "\n}\n", "...", "->", "/*", "*/", "//", "#if 0\n", "#ifdef X\n", "#else\n"),
    *(
        "#endif\n",
        "#define A(x) x##x\n",
        "\\\n",
        "&&",
        "||",
        "++",
        "\n#",
        "= {",
        "\r\n",
        "\xe9",
        "\0",
    ),
]
_tokens = st.lists(st.sampled_from([*_WORDS, *_MARKS]), max_size=60).map(
    lambda parts: "".join(f"{p} " if p.isalnum() else p for p in parts).encode("latin-1")
)
_functions = _tokens.map(lambda body: b"int f(int a)\n{\n" + body + b"\n}\n")
texts = st.one_of(st.binary(max_size=200), _tokens, _functions)


def _breaks(text: bytes) -> list[int]:
    return [at for at, byte in enumerate(text) if byte == 10]


@settings(max_examples=300, deadline=None)
@given(texts)
def test_preparation_keeps_length_and_lines(text: bytes) -> None:
    prepared = prepare(text)

    assert len(text) == len(prepared)
    assert _breaks(text) == _breaks(prepared)


@settings(max_examples=300, deadline=None)
@given(texts)
def test_scanning_keeps_length_and_lines(text: bytes) -> None:
    u = scan_unit("any.c", text)

    for view in (u.code, u.flat):
        assert len(text) == len(view)
        assert _breaks(text) == _breaks(view)
    for span in comment_spans(u):
        assert 0 <= span.start < span.end <= len(text)


@settings(max_examples=300, deadline=None)
@given(texts)
def test_everything_lowers_to_whole_graphs(text: bytes) -> None:
    u = scan_unit("any.c", text)

    for found in u.definitions.values():
        for definition in found:
            for variant in lower(u, definition).variants:
                count = len(variant.blocks)
                for block in variant.blocks:
                    targets = [getattr(block.end, n, 0) for n in ("target", "then", "orelse")]
                    assert all(0 <= t < count for t in targets)
                for loop in variant.loops:
                    assert loop.header in loop.blocks
                    assert max(loop.blocks) < count


@settings(max_examples=300, deadline=None)
@given(texts)
def test_file_facts_of_anything(text: bytes) -> None:
    u = scan_unit("any.c", text)

    assert all(name.isidentifier() for name in (*enumerators(u), *constants(u)))
    for value in prototypes(u):
        assert 0 <= value.span.start <= value.span.end <= len(text) + 1


@settings(max_examples=300, deadline=None)
@given(texts, texts)
def test_expansion_of_anything(text: bytes, use: bytes) -> None:
    macros = macro_definitions(scan_unit("any.h", text))

    assert isinstance(expand(use.decode("latin-1"), macros), str)
