"""The tools that are compared, how each is asked, and how its answer is read."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path

from .truth import TOKEN, Place

PROJECT = Path(__file__).resolve().parents[2]
#: Where `.ci/run` puts the tools that would weigh down the other tests.
PEERS = PROJECT / "build" / "peers" / "bin"
#: Every word for the two flags: the floor under any search of the tree.
FLAGS = (
    "PageReserved",
    "SetPageReserved",
    "ClearPageReserved",
    "__SetPageReserved",
    "__ClearPageReserved",
    "folio_test_reserved",
    "PageOffline",
    "__SetPageOffline",
    "__ClearPageOffline",
    "folio_test_offline",
)
#: What an audit looks for beside these: folio forms, bits, helpers, and what it finds to wrap them.
MORE = (
    *("__folio_set_reserved", "__folio_clear_reserved", "folio_set_reserved"),
    *("folio_clear_reserved", "__folio_set_offline", "__folio_clear_offline"),
    *("PG_reserved", "PG_offline", "PGTY_reserved", "PGTY_offline", "free_reserved_area"),
    *("free_reserved_page", "mark_page_reserved", "reserve_bootmem_region", "free_highmem_page"),
    *("free_bootmem_page", "free_reserved_ptdesc", "pagetable_is_reserved"),
    *("balloon_page_insert", "balloon_page_finalize"),
)
CHECK, AUDIT = "offlint check", "offlint audit"
#: A patch by which no page can move, as most are.
CHECK_IDLE = "offlint check, idle"
CHECK_AGAIN, AUDIT_AGAIN = "offlint check, again", "offlint audit, again"
SPATCH, RIPGREP, RIPGREP_ALL = "spatch", "ripgrep", "ripgrep, audit's words"
TOOLS = ("git", "rg", "spatch")

Uses = frozenset[Place]


@dataclass(frozen=True, slots=True)
class Entrant:
    """A command, what it needs around it, and the exit statuses that mean it did its work.

    uses reads from the output where it has found the token; None where the command answers another
    question. A slow one runs once.
    """

    name: str
    command: tuple[str, ...]
    cwd: Path
    uses: Callable[[bytes], Uses] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    statuses: frozenset[int] = frozenset({0})
    slow: bool = False


def missing_tools() -> tuple[str, ...]:
    """Return the tools that the bounds are about and that this machine does not have."""
    return tuple(tool for tool in TOOLS if shutil.which(tool) is None)


def peer(name: str) -> str:
    """Return the path of a tool that is compared with where there is one; empty otherwise."""
    return shutil.which(name, path=f"{PEERS}{os.pathsep}{os.environ.get('PATH', '')}") or ""


def missing_peers() -> tuple[str, ...]:
    """Return the tools that the table does without."""
    return tuple(name for name in ("ast-grep", "semgrep") if not peer(name))


def entrants(tree: Path, corpus: Path, build: Path, index: Path) -> tuple[Entrant, ...]:
    """Return everybody: ours cold and with what the run before has left, then the others."""
    return (*_ours(tree, corpus, build), *_searches(tree), _spatch(tree, build, index),
            *_matchers(tree))  # fmt: skip


def _ours(tree: Path, corpus: Path, build: Path) -> tuple[Entrant, ...]:
    # The tree has the change; to check it as if it had just been applied is no less work.
    check = ("check", str(corpus / "seed" / "6.12-change.patch"), "--tree", str(tree), "--quiet")
    idle = ("check", str(_idle_patch(tree, build)), "--tree", str(tree), "--quiet")
    audit = ("audit", "--tree", str(tree), "--format", "json", "--quiet")
    caches = {name: build / name for name in ("check.cache", "audit.cache")}
    # Whoever installs the program has it compiled; here that is done by the run before the first.
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(build / "pycache")}

    def one(name: str, arguments: tuple[str, ...], cache: str = "") -> Entrant:
        more = () if cache else ("--no-cache",)
        return Entrant(
            name,
            (sys.executable, "-m", "analyzer", *arguments, *more),
            PROJECT,
            _audited if arguments is audit else None,
            {**compiled, **({"OFFLINT_CACHE_DIR": str(caches[cache])} if cache else {})},
            statuses=frozenset({0, 1}),
        )

    return (
        one(CHECK, check),
        one(CHECK_AGAIN, check, "check.cache"),
        one(CHECK_IDLE, idle),
        one(AUDIT, audit),
        one(AUDIT_AGAIN, audit, "audit.cache"),
    )


def _idle_patch(tree: Path, build: Path) -> Path:
    """Return a patch that adds an include and a function to some driver."""
    name = "drivers/net/dummy.c"
    before = (tree / name).read_text()
    function = "\nstatic u32 dummy_twice(u32 n)\n{\n\treturn 2 * n;\n}\n"
    after = before.replace("#include", "#include <linux/of.h>\n#include", 1) + function
    lines = (text.splitlines(keepends=True) for text in (before, after))
    patch = build / "idle.patch"
    patch.write_text("".join(unified_diff(*lines, f"a/{name}", f"b/{name}")))
    return patch


def _searches(tree: Path) -> tuple[Entrant, ...]:
    rg = ("rg", "-j2", "-uu", "-F", "-w", "-n", "--no-heading", "-g", "*.[chS]")

    def named(words: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(part for word in words for part in ("-e", word))

    return (
        Entrant(RIPGREP, (*rg, *named(FLAGS), "."), tree, _listed),
        Entrant(RIPGREP_ALL, (*rg, *named((*FLAGS, *MORE)), "."), tree, _listed),
        Entrant(
            "recursive grep",
            ("grep", "-rnwF", "--include=*.[chS]", *named(FLAGS), "."),
            tree,
            _listed,
            {"LC_ALL": "C"},
        ),
        Entrant("Python, file by file", (sys.executable, "-c", _SCRIPT, *FLAGS), tree, _listed),
    )


_SCRIPT = r"""
import os, re, sys
word = re.compile(rb"\b(?:" + b"|".join(map(str.encode, sys.argv[1:])) + rb")\b")
for folder, _, names in os.walk("."):
    for name in names:
        if name.endswith((".c", ".h", ".S")):
            path = os.path.join(folder, name)
            with open(path, "rb") as stream:
                text = stream.read()
            if b"Reserved" in text or b"Offline" in text or b"_offline" in text \
                    or b"_reserved" in text:
                for n, line in enumerate(text.split(b"\n"), 1):
                    if word.search(line):
                        print(f"{path}:{n}:{line.decode('latin-1')}")
"""


def _spatch(tree: Path, build: Path, index: Path) -> Entrant:
    rule = build / f"{TOKEN}.cocci"
    rule.write_text(f"@r@\nexpression E;\n@@\n* {TOKEN}(E)\n")
    return Entrant(
        SPATCH,
        ("spatch", "--sp-file", str(rule), "--dir", str(tree), "--use-gitgrep", "-j", "2"),
        build,
        lambda output: _diffed(output, tree),
        {"GIT_DIR": str(index), "GIT_WORK_TREE": str(tree)},
    )


def _matchers(tree: Path) -> tuple[Entrant, ...]:
    """Return the pattern matchers that are there; they parse every file of the tree."""
    found = []
    if command := peer("ast-grep"):
        # A bare call as a pattern reads like a declaration to it.
        call = f'{{kind: call_expression, has: {{field: function, regex: "^{TOKEN}$"}}}}'
        rule = f"{{id: uses, language: c, rule: {call}}}"
        # No .gitignore, of the tree or above it, hides a file.
        kinds = ("hidden", "dot", "exclude", "global", "parent", "vcs")
        everything = tuple(part for kind in kinds for part in ("--no-ignore", kind))
        arguments = ("scan", *everything, "--json=stream", "--inline-rules", rule, ".")
        found.append(Entrant("ast-grep", (command, *arguments), tree, _streamed, slow=True))
    if command := peer("semgrep"):
        pattern = ("--lang", "c", "--pattern", f"{TOKEN}(...)")
        # The tree may lie in a folder named build, which it would leave out.
        everything = ("--no-git-ignore", "--x-ignore-semgrepignore-files", "-j", "2", ".")
        quiet = ("--json", "--quiet", "--metrics=off", "--disable-version-check")
        arguments = ("scan", *pattern, *quiet, *everything)
        found.append(Entrant("semgrep", (command, *arguments), tree, _scanned, slow=True))
    return tuple(found)


def index_tree(tree: Path, build: Path) -> Path:
    """Return a git directory whose index holds every file of the tree; slow once.

    `--use-gitgrep` needs it. It lies in the build folder: the tree is only read.
    """
    directory, done = build / "git", build / "git.done"
    if done.is_file() and done.read_text() == str(tree):
        return directory
    done.unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)
    environment = {**os.environ, "GIT_DIR": str(directory), "GIT_WORK_TREE": str(tree)}
    for command in (("git", "init", "--quiet"), ("git", "add", "--all", "--force", ".")):
        subprocess.run(command, cwd=tree, env=environment, check=True, capture_output=True)
    done.write_text(str(tree))
    return directory


# -- reading what they print ----------------------------------------------------------------------


def _audited(output: bytes) -> Uses:
    sites = json.loads(output)["sites"]
    return frozenset((s["file"], s["line"]) for s in sites if s["operation"] == TOKEN)


def _listed(output: bytes) -> Uses:
    """Read lines of path, line and text."""
    word = re.compile(rf"(?<!\w){TOKEN}(?!\w)", re.ASCII)
    rows = (row.split(":", 2) for row in output.decode("latin-1").split("\n") if row)
    return frozenset((p.removeprefix("./"), int(n)) for p, n, text in rows if word.search(text))


def _diffed(output: bytes, tree: Path) -> Uses:
    """Read a diff whose removed lines are what was found."""
    found, path, line = set(), "", 0
    for row in output.decode("latin-1").split("\n"):
        if row.startswith("--- "):
            path = os.path.relpath(row[4:].split("\t")[0], tree)
        elif row.startswith("@@"):
            line = int(row.split("-")[1].split(",")[0].split(" ")[0]) - 1
        elif not row.startswith("+"):
            line += 1
            if row.startswith("-"):
                found.add((path, line))
    return frozenset(found)


def _streamed(output: bytes) -> Uses:
    rows = [json.loads(row) for row in output.split(b"\n") if row]
    return frozenset((r["file"].removeprefix("./"), r["range"]["start"]["line"] + 1) for r in rows)


def _scanned(output: bytes) -> Uses:
    rows = json.loads(output)["results"]
    return frozenset((r["path"].removeprefix("./"), r["start"]["line"]) for r in rows)
