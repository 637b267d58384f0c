"""What is known of a tree is used as long as the tree is the same, and not a moment longer."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest

from analyzer.codec import decode, encode
from analyzer.findings import Result
from analyzer.patch.read import read_series
from analyzer.pipeline import check
from analyzer.store import DiskStore
from analyzer.tree import DirectoryTree, Folders, Hits, listing, searching
from analyzer.tree.files import LARGEST
from analyzer.tree.known import KnownTree
from analyzer.tree.listing import Listing, list_directory, looking_over, unpack_listing

DEMO = Path(__file__).resolve().parent.parent / "fixtures" / "demo"
OLD = 1_000_000_000


class Counting(DirectoryTree):
    """A directory that counts its searches."""

    searched: tuple[str, ...] = ()

    def search(self, words: Iterable[str], folders: Folders = ()) -> Hits:
        words = tuple(words)
        self.searched += words
        return super().search(words, folders)


@pytest.fixture(autouse=True)
def _everything_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.tree.listing._SETTLED", -(10**12))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "mm").mkdir(parents=True)
    (folder / "mm" / "a.c").write_text("alpha();\n")
    (folder / "mm" / "b.c").write_text("beta();\n")
    return folder


def ask(
    root: Path, cache: Path, *words: str, folders: Folders = ()
) -> tuple[Hits, tuple[str, ...]]:
    """Search in a run of its own; return the answer and what the disk was searched for."""
    tree, store = Counting(str(root)), DiskStore(cache, print)
    known = KnownTree(tree, store)
    hits = known.search(words, folders)
    known.remember()
    store.close()
    return hits, tree.searched


def recall(root: Path, cache: Path, path: str = "mm/a.c") -> bytes:
    """Ask in a run of its own for the text of a file; `new` says that it was computed."""
    store = DiskStore(cache, print)
    known = KnownTree(DirectoryTree(str(root)), store)
    value = known.recall(b"question") or known.learn(b"question", lambda: known.read(path) or b"-")
    store.close()
    return value


def computed(root: Path, cache: Path, folders: Folders = ()) -> bool:
    """Tell whether a question about words had to be computed."""
    store, done = DiskStore(cache, print), list[int]()
    known = KnownTree(DirectoryTree(str(root)), store)

    def answer() -> bytes:
        done.append(1)
        return repr(known.search(["alpha"], folders)).encode()

    if known.recall(b"words") is None:
        known.learn(b"words", answer)
    store.close()
    return bool(done)


def test_a_word_is_searched_for_once(root: Path, tmp_path: Path) -> None:
    first = ask(root, tmp_path, "alpha")

    second = ask(root, tmp_path, "alpha", "beta")

    assert ({"mm/a.c": frozenset({"alpha"})}, ("alpha",)) == first
    assert ("beta",) == second[1]
    assert {"mm/a.c": frozenset({"alpha"}), "mm/b.c": frozenset({"beta"})} == second[0]


def test_only_what_changed_is_read_again(root: Path, tmp_path: Path) -> None:
    ask(root, tmp_path, "alpha")
    (root / "mm" / "b.c").write_text("alpha(); beta();\n")
    (root / "mm" / "new.h").write_text("alpha\n")
    (root / "mm" / "a.c").unlink()

    hits, searched = ask(root, tmp_path, "alpha")

    assert {"mm/b.c": frozenset({"alpha"}), "mm/new.h": frozenset({"alpha"})} == hits
    assert () == searched


def test_what_can_be_read_no_more_may_hold_any_word(root: Path, tmp_path: Path) -> None:
    ask(root, tmp_path, "alpha", "beta")
    os.truncate(root / "mm" / "a.c", LARGEST + 1)

    hits, searched = ask(root, tmp_path, "alpha", "beta")

    assert {"mm/a.c": {"alpha", "beta"}, "mm/b.c": {"beta"}} == hits
    assert () == searched


def test_what_was_searched_for_below_folders_is_known_there_only(
    root: Path, tmp_path: Path
) -> None:
    (root / "lib").mkdir()
    (root / "lib" / "c.c").write_text("alpha();\n")
    near = {"mm/a.c": frozenset({"alpha"})}
    first = ask(root, tmp_path, "alpha", folders=("mm",))
    again = ask(root, tmp_path, "alpha", folders=("mm",))
    (root / "lib" / "d.c").write_text("alpha();\n")
    (root / "mm" / "d.c").write_text("alpha();\n")
    changed = ask(root, tmp_path, "alpha", folders=("mm",))
    whole = ask(root, tmp_path, "alpha")

    assert (near, ("alpha",)) == first
    assert (near, ()) == again
    assert ({**near, "mm/d.c": frozenset({"alpha"})}, ()) == changed
    assert ({"lib/c.c", "lib/d.c", "mm/a.c", "mm/d.c"}, ("alpha",)) == (set(whole[0]), whole[1])


@pytest.mark.parametrize(("path", "anew"), [("lib/c.c", False), ("mm/c.c", True)])
def test_a_result_follows_from_the_folders_that_were_searched(
    path: str, anew: bool, root: Path, tmp_path: Path
) -> None:
    (root / "lib").mkdir()
    computed(root, tmp_path, folders=("mm",))
    (root / path).write_text("alpha();\n")

    assert anew == computed(root, tmp_path, folders=("mm",))


def test_a_file_with_its_old_size_and_time_is_still_another(root: Path, tmp_path: Path) -> None:
    path = root / "mm" / "a.c"
    os.utime(path, ns=(OLD, OLD))
    ask(root, tmp_path, "alpha")
    recall(root, tmp_path)
    path.write_text("gamma();\n")
    os.utime(path, ns=(OLD, OLD))

    assert {} == ask(root, tmp_path, "alpha")[0]
    assert b"gamma();\n" == recall(root, tmp_path)


def test_a_result_holds_as_long_as_the_tree_answers_as_it_did(root: Path, tmp_path: Path) -> None:
    first, second = computed(root, tmp_path), computed(root, tmp_path)
    (root / "mm" / "c.c").write_text("alpha();\n")

    assert (True, False, True) == (first, second, computed(root, tmp_path))


@pytest.mark.parametrize(
    ("path", "text", "anew"),
    [
        ("mm/b.c", "gamma();\n", False),
        ("mm/c.c", "gamma();\n", False),
        ("mm/b.c", "beta(); alpha();\n", True),
        ("mm/a.c", "gamma();\n", True),
    ],
)
def test_a_change_counts_where_it_brings_or_takes_a_word(
    path: str, text: str, anew: bool, root: Path, tmp_path: Path
) -> None:
    computed(root, tmp_path)
    (root / path).write_text(text)

    assert [anew, False] == [computed(root, tmp_path) for _ in range(2)]


def test_what_holds_after_a_change_is_known_by_the_new_state(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed(root, tmp_path)
    (root / "mm" / "b.c").write_text("gamma();\n")
    computed(root, tmp_path)

    def fail(*_: object) -> None:
        raise AssertionError("the words were looked up")

    monkeypatch.setattr(KnownTree, "_search", fail)

    assert not computed(root, tmp_path)


def test_a_source_that_was_read_counts_whatever_words_it_holds(root: Path, tmp_path: Path) -> None:
    def asked() -> bytes:
        store = DiskStore(tmp_path, print)
        known = KnownTree(DirectoryTree(str(root)), store)

        def answer() -> bytes:
            known.search(["alpha"])
            return known.read("mm/b.c") or b"-"

        value = known.recall(b"read") or known.learn(b"read", answer)
        store.close()
        return value

    first = asked()
    (root / "mm" / "b.c").write_text("gamma();\n")

    assert (b"beta();\n", b"gamma();\n") == (first, asked())


def test_a_file_that_was_read_and_is_no_source_counts(root: Path, tmp_path: Path) -> None:
    (root / "Makefile").write_text("one\n")
    first = recall(root, tmp_path, "Makefile")
    (root / "Makefile").write_text("two\n")

    assert (b"one\n", b"two\n") == (first, recall(root, tmp_path, "Makefile"))


def test_a_file_that_was_missing_counts(root: Path, tmp_path: Path) -> None:
    first = recall(root, tmp_path, "mm/Makefile")
    (root / "mm" / "Makefile").write_text("obj\n")

    assert (b"-", b"obj\n") == (first, recall(root, tmp_path, "mm/Makefile"))


def test_what_was_read_before_the_tree_was_looked_over_counts(root: Path, tmp_path: Path) -> None:
    tree, store = DirectoryTree(str(root)), DiskStore(tmp_path, print)
    tree.read("mm/a.c")
    (root / "mm" / "a.c").write_text("gamma();\n")
    known = KnownTree(tree, store)

    def answer() -> bytes:
        known.search(["alpha"])
        return known.read("mm/a.c") or b"-"

    old = known.learn(b"question", answer)
    store.close()

    assert b"alpha();\n" == old
    assert (
        KnownTree(DirectoryTree(str(root)), DiskStore(tmp_path, print)).recall(b"question") is None
    )


def test_a_source_is_not_read_again_where_the_tree_was_searched(root: Path, tmp_path: Path) -> None:
    store = DiskStore(tmp_path, print)
    known = KnownTree(DirectoryTree(str(root)), store)
    known.learn(b"question", lambda: repr((known.search(["beta"]), known.read("mm/a.c"))).encode())
    store.close()
    tree = DirectoryTree(str(root))

    assert KnownTree(tree, DiskStore(tmp_path, print)).recall(b"question") is not None
    assert frozenset() == tree.held


def test_another_thread_may_search(root: Path, tmp_path: Path) -> None:
    ask(root, tmp_path, "beta")
    said: list[str] = []
    store = DiskStore(tmp_path, said.append)
    known = KnownTree(DirectoryTree(str(root)), store)

    def answer() -> bytes:
        with searching(known, ["alpha"]):
            pass
        return repr(known.search(["alpha", "beta"])).encode()

    known.learn(b"question", answer)
    store.close()

    assert [] == said
    assert KnownTree(DirectoryTree(str(root)), DiskStore(tmp_path, print)).recall(b"question")


def test_nothing_is_kept_of_a_tree_that_was_just_changed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyzer.tree.listing._SETTLED", 2_000_000_000)

    assert (True, True) == (computed(root, tmp_path), computed(root, tmp_path))


def test_what_a_forked_process_reads_counts(root: Path, tmp_path: Path) -> None:
    from analyzer.parallel import later

    def run() -> bytes:
        store = DiskStore(tmp_path, print)
        known = KnownTree(DirectoryTree(str(root)), store)

        def answer() -> bytes:
            with later(lambda: known.read("mm/b.c") or b"", aside=True) as task:
                return task.value()

        value = known.recall(b"forked") or known.learn(b"forked", answer)
        store.close()
        return value

    first = run()
    (root / "mm" / "b.c").write_text("delta();\n")

    assert (b"beta();\n", b"delta();\n") == (first, run())


def test_a_listing_survives_being_written_down(root: Path) -> None:
    listing = list_directory(str(root))

    assert listing.paths == unpack_listing(listing.text).paths == {"mm/a.c", "mm/b.c"}
    assert frozenset() == listing.changed(unpack_listing(listing.text))


@pytest.mark.parametrize("text", [b"mm/a.c", b"mm/a.c\0", b"mm/a.c\x001 2 3 4"])
def test_half_a_listing_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="not a listing"):
        unpack_listing(text)


def test_two_processes_list_what_one_lists(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.tree.listing._MANY", 1)
    for name in ("one/two/three/a.c", "one/two/b.h", "one/four/c.S", "d\ne/f/g\xff.c"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("alpha();\n")

    assert list_directory(str(root)) == list_directory(str(root), jobs=2)
    assert len(list_directory(str(root)).paths) == 6


def test_what_is_listed_ahead_is_listed_as_it_was_then(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyzer.tree.listing._MANY", 1)
    for name in ("one/two/a.c", "one/four/c.S"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("alpha();\n")
    whole, below = list_directory(str(root)), list_directory(str(root / "mm"))

    with looking_over(f"{root}/mm/..", 2) as looked:
        # Whoever asks last: of the tree once more, and of another directory.
        assert [whole, whole, below] == [
            looked(str(root)), looked(str(root)), looked(str(root / "mm"))
        ]  # fmt: skip


def test_nobody_waits_for_a_listing_that_is_not_asked_for(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyzer.tree.listing._MANY", 1)
    for name in ("one/two", "two/three"):
        (root / name).mkdir(parents=True)
    monkeypatch.setattr(listing, "_walked", lambda *_: signal.pause())

    with looking_over(str(root), 2):
        pass

    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_what_is_read_while_the_tree_is_looked_over_counts(root: Path, tmp_path: Path) -> None:
    tree, store = DirectoryTree(str(root)), DiskStore(tmp_path, print)

    def looked(place: str) -> Listing:
        tree.read("mm/a.c")  # as another thread may
        (root / "mm" / "a.c").write_text("gamma();\n")
        return list_directory(place)

    known = KnownTree(tree, store, looked)
    known.learn(b"question", lambda: repr((known.search(["beta"]), known.read("mm/a.c"))).encode())
    store.close()

    again = KnownTree(DirectoryTree(str(root)), DiskStore(tmp_path, print))
    assert again.recall(b"question") is None


def test_a_result_survives_being_written_down() -> None:
    tree = DirectoryTree(str(DEMO / "tree"))
    found = check(read_series((DEMO / "change.patch").read_bytes(), "demo", tree), tree)

    assert found.findings
    assert repr(found) == repr(decode(Result, encode(found)))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"[1,2]", b'["x",7]'])
def test_what_is_no_result_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a Result"):
        decode(Result, data)
