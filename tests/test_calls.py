"""Calls of what a patch changes are found in every file, but not every file is read as C."""

from __future__ import annotations

import pytest

from analyzer.pipeline import check
from analyzer.program.cache import Cache

from .fixture.harness import Scene, assemble, load_cases, series_of, tree_of

PATH = "drivers/acme/elsewhere.c"
STUB = "void\nacme_free_chunk(struct page *page, unsigned int order) {}"


@pytest.fixture(scope="module")
def scene() -> Scene:
    """Return a patch that changes what acme_free_chunk() takes, and a tree with one old call."""
    return assemble(next(c for c in load_cases() if c.name == "stale-call/missed_caller"), "strict")


def judged(
    scene: Scene, text: str, include: str = "#include <linux/mm.h>"
) -> tuple[set[str], set[str]]:
    """Return in which functions calls are stale, and which files were read, with one more file."""
    files, cache = {**scene.before, PATH: f"{include}\n\n{text}\n"}, Cache()

    result = check(series_of(files, scene.patch), tree_of(files), cache=cache)

    stale = {f.function for f in result.findings if f.rule == "stale-call"}
    return stale, {path for path, _ in cache.facets}


@pytest.mark.parametrize(
    "text",
    [
        "static struct acme_ops ops = { .acme_free_chunk = free_it };",
        "/* acme_free_chunk(page) is another one's */",
        "void elsewhere(struct acme_ops *ops)\n{\n\tops->acme_free_chunk(NULL);\n}",
        "void elsewhere(void)\n{\n\tacme_free_chunk(NULL, 0, 0, 0);\n}",
    ],
)
def test_a_file_that_has_no_old_call_is_not_read(scene: Scene, text: str) -> None:
    stale, read = judged(scene, text)

    assert {"acme_free_all_bad"} == stale
    assert PATH not in read


@pytest.mark.parametrize(
    "call",
    [
        "acme_free_chunk(NULL, 0)",
        "return acme_free_chunk (NULL,\n\t\t(1, 0))",
        "go(2 * acme_free_chunk(NULL, 0))",
    ],
)
def test_an_old_call_is_found_however_it_is_written(scene: Scene, call: str) -> None:
    stale, read = judged(scene, f"void elsewhere(void)\n{{\n\t{call};\n}}")

    assert {"acme_free_all_bad", "elsewhere"} == stale
    assert PATH in read


@pytest.mark.parametrize(
    ("include", "is_kernel"),
    [
        ("#include <fcntl.h>", False),
        ('#include "acme.h"\n# include <sys/stat.h>', False),
        ("#ifndef __KERNEL__\n#include <stdio.h>\n#endif\n#include <linux/fcntl.h>", True),
        ("/* #include <stdio.h> */\n#include <linux/string.h>", True),
    ],
)
def test_a_program_does_not_call_the_kernel(scene: Scene, include: str, is_kernel: bool) -> None:
    stale, _ = judged(scene, "int main(void)\n{\n\tacme_free_chunk(0, 0);\n}", include)

    assert is_kernel == ("main" in stale)


@pytest.mark.parametrize(
    "head",
    [
        STUB,
        STUB.replace(") {}", ") __releases(lock)\n{\n}"),
        STUB.replace(") {}", ")\n#ifdef CONFIG_A\n{\n}\n#endif"),
    ],
)
def test_a_definition_elsewhere_takes_the_old_calls(scene: Scene, head: str) -> None:
    stale, read = judged(scene, head)

    assert set() == stale
    assert PATH in read


def test_what_hides_a_function_is_not_the_function(scene: Scene) -> None:
    stale, _ = judged(
        scene,
        "void one(void)\n{\n\tvoid (*acme_free_chunk)(int) = go;\n\n\tacme_free_chunk(1, 2);\n}\n\n"
        "void two(void)\n{\n\tacme_free_chunk(1, 2);\n}",
    )

    assert {"acme_free_all_bad", "two"} == stale
