"""The commands in `docs/recipes.md`, taken from there and run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .repos import DEMO, HARMLESS, ROOT, Repository, demo

DOCUMENT = (ROOT / "docs" / "recipes.md").read_text()
PATCH = (DEMO / "change.patch").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", DOCUMENT, re.M | re.S)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return a tree in which every command of the document has what it names."""
    made = demo(tmp_path_factory.mktemp("recipes"))
    made.git("branch", "main")
    for patch in (HARMLESS, other(HARMLESS, "one"), other(HARMLESS, "two")):
        made.apply(patch)
    (made.path / "series.mbox").write_text(PATCH)
    (made.path / "patches").mkdir()
    (made.path / "patches" / "one.patch").write_text(PATCH)
    made.git("apply", "--index", "-", data=PATCH)
    return made


def other(patch: str, name: str) -> str:
    """Return a patch that adds a file."""
    head = patch.partition("\n---\n")[0].replace("for", f"for, {name}")
    diff = f"--- /dev/null\n+++ b/drivers/acme/{name}.h\n@@ -0,0 +1 @@\n+/* {name} */\n"
    return f"{head}\n---\n\n{diff}--\n2.45.0\n\n"


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_document_runs(repository: Repository, command: str) -> None:
    is_ours = re.search(r"(^|\| )offlint", command) is not None

    done = repository.run("bash", "-c", command)

    assert done.status in ((0, 1) if is_ours else (0,)), done
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", re.findall(r"`(docs/examples/[^`]+)`", DOCUMENT))
def test_an_example_that_the_document_names_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_example_is_in_the_document() -> None:
    examples = ROOT / "docs" / "examples"
    files = [p.relative_to(ROOT) for p in examples.rglob("*") if p.is_file()]

    assert [] == [str(p) for p in files if not is_named(p)]


def is_named(path: Path) -> bool:
    return str(path) in DOCUMENT or f"{path.parent}/" in DOCUMENT


#: What a reader is to fill in, all of it, as the document's first lines say.
FILLED_IN = {"HOST", "OWNER", "REVISION", "GROUP", "NAME"}


def test_placeholders_are_those_that_the_document_explains() -> None:
    head = DOCUMENT.partition("\n## ")[0]
    samples = re.findall(r"^```\w+\n(.*?)^```", DOCUMENT, re.M | re.S)
    words = {w for text in samples for w in re.findall(r"\b[A-Z]{3,}\b", text)}

    assert FILLED_IN | {"HEAD"} == words
    assert FILLED_IN == {w for w in words if re.search(rf"`[^`]*\b{w}\b[^`]*`", head)}


@pytest.mark.parametrize(
    "path", [*ROOT.glob("docs/**/*"), ROOT / "README.md", *ROOT.glob("*.y*ml")]
)
def test_this_project_stands_under_one_placeholder(path: Path) -> None:
    text = path.read_text() if path.is_file() else ""

    hosted = set(re.findall(r"[\w.:/-]*\w/offlint(?:@[\w.-]+)?\b(?![\w./-])", text))
    hosted = {place for place in hosted if not place.startswith(("~", ".", "/.local", "tests/"))}

    assert hosted <= {"https://HOST/OWNER/offlint", "HOST/OWNER/offlint", "OWNER/offlint@REVISION"}
    assert [] == re.findall(r"(?i:<your|<owner|<org)\b|\bYOUR[-_ ]|[:=] \.\.\.$", text, re.M)
