"""What a command answers depends on neither the cache nor the number of processes."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fixture.harness import common_files

import analyzer.auditing
from analyzer.audit.names import names_of
from analyzer.base import Gap, Pair
from analyzer.cli import main
from analyzer.codec import decode, encode
from analyzer.contracts import Contract, Effects, Place
from analyzer.flow.analyse import law_of
from analyzer.migrations import Described
from analyzer.pages.facts import load_facts
from analyzer.program.cache import Cache
from analyzer.recall import recall, recall_audit
from analyzer.sites import Audit
from analyzer.store import DiskStore
from analyzer.tree import DirectoryTree, Folders, Hits, Tree
from analyzer.tree.known import KnownTree
from analyzer.tree.listing import Lister, list_directory

from .audit.trees import MIGRATION

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "fixtures" / "demo"
PATCH = str(DEMO / "change.patch")
READER = "int drain(struct page *page)\n{{\n\treturn {}(page);\n}}\n"
LINE = "drivers/toy/toy_mem.c:14"
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "audit": ("audit", "--format", "json", "--fail-on", "never"),
    "audit of a patch": (
        *("audit", "--patch", PATCH),
        *("--format", "json", "--fail-on", "never"),
    ),
    "effects": ("effects", "toy_hold", "--format", "json"),
    "effects of a patch": (
        *("effects", "toy_hold", "--patch", PATCH, "--format", "json"),
        *("--at", "drivers/toy/toy_mem.c:14"),
    ),
    "explain": ("explain", LINE, "--format", "json"),
    "explain a patch": ("explain", LINE, "--patch", PATCH, "--format", "json"),
    "check": ("check", PATCH, "--format", "json", "--fail-on", "never"),
}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFLINT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("analyzer.tree.listing._SETTLED", -(10**12))


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO / "tree", tmp_path / "tree"))


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_neither_cache_nor_jobs_change_a_report(
    command: tuple[str, ...], demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = []
    for more in (("--no-cache", "--jobs", "1"), ("--no-cache", "--jobs", "2"), (), ()):
        status = main([*command, "--tree", str(demo), *more])
        reports.append((status, capsys.readouterr().out))

    assert 0 == reports[0][0]
    assert reports[0][1]
    assert 1 == len(set(reports))


@pytest.mark.parametrize(
    ("more", "ahead"),
    [
        ((PATCH, "--jobs", "2"), True),
        ((PATCH, "--jobs", "1"), False),
        ((PATCH, "--jobs", "2", "--no-cache"), False),
        (("-", "--jobs", "2"), False),  # the listing would be older than the patch
        (("--jobs", "2"), False),
        (("A..B", "--jobs", "2"), False),
        (("missing.patch", "--jobs", "2"), False),
    ],
)
def test_a_tree_is_looked_over_ahead_where_the_answer_may_be_known(
    more: tuple[str, ...], ahead: bool, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = list[str]()

    @contextmanager
    def looking_over(root: str, jobs: int) -> Iterator[Lister]:
        begun.append(root)
        yield lambda place: list_directory(place, jobs)

    monkeypatch.setattr("analyzer.tree.listing.looking_over", looking_over)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(Path(PATCH).read_bytes())))
    main(["check", "--tree", str(demo), *more])

    assert [str(demo)] * ahead == begun


def test_many_processes_judge_as_one(monkeypatch: pytest.MonkeyPatch, demo: Path) -> None:
    tree = DirectoryTree(str(demo))
    one = analyzer.auditing.audit(tree, MIGRATION, jobs=1)
    monkeypatch.setattr("analyzer.audit.verdicts._MANY", 1)

    two = analyzer.auditing.audit(tree, MIGRATION, jobs=2)

    assert len(one.sites) > 1
    assert (one.sites, one.moves, one.gaps) == (two.sites, two.moves, two.gaps)


def test_the_second_audit_computes_nothing(
    demo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*COMMANDS["audit"], "--tree", str(demo)])
    first = capsys.readouterr().out

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("it was computed again")

    monkeypatch.setattr(analyzer.auditing, "audit", fail)
    main([*COMMANDS["audit"], "--tree", str(demo)])

    assert first == capsys.readouterr().out


def test_an_audit_answers_for_each_line_and_a_changed_one_is_looked_at_again(
    demo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def rulings(line: int) -> list[tuple[str, str]]:
        main(["explain", f"drivers/toy/toy_mem.c:{line}", "--tree", str(demo), "--format", "json"])
        found = json.loads(capsys.readouterr().out)["audit"]
        return [(r["operation"], r["migration"]) for r in found]

    asked: list[str] = []
    audit = analyzer.auditing.audit

    def counted(tree: Tree, migration: Described, **more: Any) -> Audit:  # as it is passed on
        asked.append(migration.name)
        return audit(tree, migration, **more)

    monkeypatch.setattr(analyzer.auditing, "audit", counted)
    found = [rulings(14), rulings(27), rulings(15)]
    source = demo / "drivers/toy/toy_mem.c"
    source.write_text(source.read_text().replace("__ClearPageOffline(page)", "ClearPageToy(page)"))

    both = ("hotplug-offline", "offline-sticky")
    assert [[(op, m) for m in both] for op in ("__SetPageOffline", "__ClearPageOffline")] == found[
        :2
    ]
    assert [] == found[2]
    assert sorted(both) == asked
    assert [] == rulings(27)


def test_a_check_that_is_known_loads_no_analysis(demo: Path, tmp_path: Path) -> None:
    command = [*COMMANDS["check"], "--tree", str(demo), "--output", str(tmp_path / "report")]
    code = (
        "import sys, analyzer.tree.listing as l; l._SETTLED = -(10**12);"
        f"from analyzer.cli import main; main({command!r});"
        "print('analyzer.pipeline' in sys.modules)"
    )

    loaded = [
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
        for _ in range(2)
    ]

    assert [b"True\n", b"False\n"] == [done.stdout for done in loaded]


def test_another_configuration_is_another_question(demo: Path, tmp_path: Path) -> None:
    asked: list[Mapping[str, bool]] = []
    tree = DirectoryTree(str(demo))
    store = DiskStore(tmp_path / "cache", print)
    audit = analyzer.auditing.audit(tree, MIGRATION)

    for config in ({"CONFIG_FOO": True}, {"CONFIG_FOO": False}, {"CONFIG_FOO": True}):

        def compute(_: object, config: Mapping[str, bool] = config) -> Audit:
            asked.append(config)
            return audit

        found = recall_audit(store, None, tree, MIGRATION.name, config, compute)

        assert audit.sites == found.sites

    assert [{"CONFIG_FOO": True}, {"CONFIG_FOO": False}] == asked


# -- a checkout -----------------------------------------------------------------------------------


class Watching(DirectoryTree):
    """A directory that notes what it is searched for as a whole."""

    searched: tuple[str, ...] = ()

    def search(self, words: Iterable[str], folders: Folders = ()) -> Hits:
        self.searched += tuple(words)
        return super().search(words, folders)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Return a repository of two commits that differ in one file."""
    root = tmp_path / "repo"
    for path, text in common_files("strict", "after").items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / "drivers/toy").mkdir(parents=True)
    git(root, "init", "--quiet")
    for test in ("PageReserved", "PageOffline"):
        (root / "drivers/toy/toy.c").write_text(READER.format(test))
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "-m", test)
    git(root, "tag", "later")
    git(root, "tag", "earlier", "HEAD~1")
    return root


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Someone", "-c", "user.email=someone@example.org")
    subprocess.run(("git", *who, *arguments), cwd=root, check=True, capture_output=True)


def test_after_a_checkout_only_what_changed_is_read_again(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = names_of(law_of(DirectoryTree(str(repo)).read, Cache(), load_facts()).space, MIGRATION)
    searched(repo, tmp_path, names)
    git(repo, "checkout", "--quiet", "earlier")
    read: list[str] = []
    plain = KnownTree._plain

    def noted(tree: KnownTree, path: str) -> bytes | None:
        read.append(path)
        return plain(tree, path)

    monkeypatch.setattr(KnownTree, "_plain", noted)
    hits, whole = searched(repo, tmp_path, names)

    assert ((), ["drivers/toy/toy.c"]) == (whole, read)
    assert DirectoryTree(str(repo)).search(names) == hits


def searched(root: Path, cache: Path, words: Iterable[str]) -> tuple[Hits, tuple[str, ...]]:
    """Search in a run of its own; return the hits, and what the whole tree was searched for."""
    tree, store = Watching(str(root)), DiskStore(cache, print)
    known = KnownTree(tree, store)
    hits = known.search(words)
    known.remember()
    store.close()
    return hits, tree.searched


def test_after_a_checkout_the_audit_is_that_of_the_commit(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = {}
    for commit, more in (
        ("later", ()), ("earlier", ()), ("later", ()),
        ("later", ("--no-cache",)), ("earlier", ("--no-cache",)),
    ):  # fmt: skip
        git(repo, "checkout", "--quiet", commit)
        main([*COMMANDS["audit"], "--tree", str(repo), *more])
        reports.setdefault(commit, set()).add(capsys.readouterr().out)

    assert [1, 1] == [len(same) for same in reports.values()]
    assert reports["later"] != reports["earlier"]


# -- what is kept ---------------------------------------------------------------------------------


def test_what_is_not_whole_is_computed_again(demo: Path, tmp_path: Path) -> None:
    place = Place("a.c", 1, "f")
    found = Effects(
        function="f",
        tree="t",
        compared=False,
        contracts=Pair(None, Contract(place=place, prototype="int f(void)", contexts=())),
        gaps=(Gap("budget", "a.c", 1, "f", "out of time"),),
    )
    computed = []

    for is_whole in (False, True, True):
        store = DiskStore(tmp_path / "cache", print)

        def compute(_: object) -> Effects:
            computed.append(1)
            return found

        answer, known = recall(
            store, DirectoryTree(str(demo)), Effects, ("f",), compute, lambda _, w=is_whole: w
        )
        store.close()

        assert found == answer

    assert (2, True) == (len(computed), known)


def test_a_pair_of_contracts_comes_back_as_it_was() -> None:
    place = Place("a.c", 1, "f")
    contract = Contract(place=place, prototype="int f(void)", contexts=())
    value = Effects(function="f", tree="t", compared=True, contracts=Pair(None, contract))

    assert value == decode(Effects, encode(value))
