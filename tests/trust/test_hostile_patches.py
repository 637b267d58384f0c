"""Whatever arrives on a public list is read or refused, in bounded time, and changes nothing."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.commands import ENVIRONMENT, PATCH, ROOT, TREE, Done, offlint

from analyzer.cli.output import FORMATS
from analyzer.report.plain import is_safe

from . import patches

GOOD = Path(PATCH).read_bytes()
#: Seconds of the processor, so that other work on the machine does not count.
MOST = 20.0


def refused(data: bytes, tree: str = TREE) -> str:
    """Check data that must be refused; return the one message."""
    done = offlint("check", "--tree", tree, "-", data=data)

    assert (2, "") == (done.status, done.stdout)
    assert done.stderr.startswith("offlint: standard input:")
    assert all(is_safe(c) for c in done.stderr.replace("\n", ""))
    return done.stderr


@pytest.mark.parametrize(
    "data",
    [
        patches.diff("../../etc/passwd"),
        patches.diff("mm/../../x.c"),
        patches.diff("."),
        patches.diff(".git/config"),
        patches.diff("mm/.GIT/hooks/post-checkout"),
        patches.diff("mm//x.c"),
        patches.diff("mm/"),
        patches.diff("mm/x\0.c"),
        patches.quoted("mm/x\\000.c"),
        patches.quoted("mm/x\\n.c"),
        patches.quoted("\\056\\056/x.c"),
        patches.moved("mm/mm_init.c", "../x"),
        patches.moved("mm/mm_init.c", "/etc/x"),
        patches.made("../x.c"),
    ],
)
def test_a_path_that_leaves_the_tree_is_refused(data: bytes) -> None:
    assert "names a file outside the tree or inside .git" in refused(data)


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "a/" * 2000 + "x.c", "a" * 4000 + ".c", "--help.c", "-rf", "\x1b[2J.c"],
    ids=lambda path: path[:8].encode("unicode_escape").decode(),
)
def test_an_odd_path_is_one_that_the_tree_does_not_have(path: str) -> None:
    assert "no such file in the tree" in refused(patches.diff(path))


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"-1,999999999 +1,1", "lines too early"),
        (b"-1,1 +1,999999999", "lines too early"),
        (b"-1,0 +1,0", "too much"),
        (b"-1," + b"9" * 5000 + b" +1,1", "expected @@ -LINE,COUNT +LINE,COUNT @@"),
        (b"-" + b"9" * 5000 + b",1 +1,1", "expected @@ -LINE,COUNT +LINE,COUNT @@"),
        (b"--1,1 +1,1", "expected @@ -LINE,COUNT +LINE,COUNT @@"),
        (b"-999999999,1 +999999999,1", "hunk 1"),
    ],
)
def test_counts_that_lie_are_told(head: bytes, found: str) -> None:
    assert found in refused(patches.counting(head))


@pytest.mark.parametrize("name", ["--output=x.c", "-rf.c", "--pre=sh.c"])
def test_a_name_that_looks_like_an_option_is_a_name(name: str, tmp_path: Path) -> None:
    """Searched and read from a directory and from a revision, by ripgrep and by git."""
    tree = tmp_path / "tree"
    shutil.copytree(TREE, tree)
    (tree / name).write_text((tree / "drivers/acme/acme_balloon.c").read_text())
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], cwd=tree, check=True)
    patch = GOOD + patches.made(f"-{name}")
    ways = [(), ("--git", "HEAD")]
    found = [
        offlint("check", "--tree", str(tree), *w, "--format", "json", "-", data=patch) for w in ways
    ]

    assert [1, 1] == [done.status for done in found], found[0].stderr
    files = [{f["file"] for f in json.loads(done.stdout)["findings"]} for done in found]
    assert files[0] == files[1]
    assert {name, "drivers/acme/acme_balloon.c"} <= files[0]
    assert [] == [p for p in tree.iterdir() if p.name == "x.c"]


@pytest.fixture(scope="module")
def misnamed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a tree in which a driver's name is no UTF-8."""
    tree = tmp_path_factory.mktemp("misnamed") / "tree"
    shutil.copytree(TREE, tree)
    driver = tree / "drivers/acme/acme_balloon.c"
    shutil.copy(driver, os.fsencode(driver.parent) + b"/acme\xff.c")
    return str(tree)


@pytest.mark.parametrize("name", FORMATS)
def test_a_name_may_be_any_bytes(name: str, misnamed: str) -> None:
    done = offlint("check", "--tree", misnamed, "--format", name, PATCH)

    assert (1, "") == (done.status, done.stderr)
    assert any(spelled in done.stdout for spelled in ("udcff.c", "acme%FF.c"))


def test_a_header_may_be_renamed_to_any_bytes(misnamed: str) -> None:
    header = "include/linux/memory_hotplug.h"
    moved = patches.moved(header, '"include/linux/\\377.h"')
    done = offlint("check", "--tree", misnamed, "-", data=GOOD + moved)

    assert 1 == done.status, done.stderr


def listing(folder: Path) -> dict[str, str]:
    return {
        str(p): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and not p.is_symlink()
    }


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("mm/out/secret.c", "no such file in the tree"),
        ("mm/secret.c", "cannot be read"),
        ("mm/loop.c", "cannot be read"),
        ("mm/pipe.c", "cannot be read"),
    ],
)
def test_no_path_leads_out_of_the_tree_through_a_link(
    path: str, words: str, tmp_path: Path
) -> None:
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    shutil.copytree(TREE, tree)
    outside.mkdir()
    (outside / "secret.c").write_text("x\n")
    (tree / "mm/out").symlink_to(outside)
    (tree / "mm/secret.c").symlink_to(outside / "secret.c")
    (tree / "mm/loop.c").symlink_to("loop.c")
    os.mkfifo(tree / "mm/pipe.c")
    before = listing(tmp_path)
    made = offlint("check", "--tree", str(tree), "-", data=patches.made(f"{path}.new"))

    assert words in refused(patches.diff(path), str(tree))
    assert 0 == made.status
    assert before == listing(tmp_path)


def measured(*arguments: str, data: bytes) -> tuple[int, str, str, float]:
    """Run in a process of its own; return status, output, complaint and processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "check", "--tree", TREE, *arguments, "-"],
        cwd=ROOT,
        env=ENVIRONMENT,
        input=data,
        capture_output=True,
        timeout=300,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.returncode, done.stdout.decode(), done.stderr.decode(), took


OUT_OF_MEMORY = "offlint: out of memory: see --timeout and --memory\n"
LARGE: dict[str, tuple[Callable[[], bytes], tuple[int, ...], str]] = {
    "a million hunks": (lambda: patches.hunks(1_000_000), (2,), "found 1000000 hunks, more than"),
    "hunks for every line": (lambda: patches.hunks(20_000), (2,), "and 19900 more"),
    "ten thousand files": (lambda: patches.files(10_000), (2,), "and 9900 more"),
    "a mail of 200 MB": (lambda: patches.mail(GOOD, 200 << 20), (1, 4), OUT_OF_MEMORY),
    "a mail of one line": (
        lambda: patches.HEADERS + b"\n" + b"x" * (200 << 20) + b"\n" + GOOD,
        (1, 4),
        OUT_OF_MEMORY,
    ),
    "300 MB": (lambda: b"\n" * (300 << 20), (2,), "more than 256 MB: not a patch"),
    "base64": (lambda: patches.encoded_bomb(150 << 20), (2, 4), OUT_OF_MEMORY),
    "gzip": (lambda: patches.packed_bomb(1 << 30), (2,), "more than 256 MB when unpacked"),
    "many packed parts": (lambda: gzip.compress(b"") * 400_000, (2,), "found an empty input"),
    "a mail of 3,000 layers": (lambda: patches.nested(3000, GOOD), (1,), ""),
    "a mail forwarded 5,000 times": (lambda: patches.forwarded(5000, GOOD), (1,), ""),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_what_is_too_large_is_refused_in_bounded_time(name: str) -> None:
    make, statuses, message = LARGE[name]
    status, output, complaint, took = measured(data=make())

    assert status in statuses
    assert (status == 1) == bool(output)
    assert status == 1 or message in complaint
    assert len(complaint) < 50_000
    assert "Traceback" not in complaint
    assert took < MOST


@pytest.mark.slow
def test_a_file_that_is_too_large_to_read_is_no_clean_one() -> None:
    status, output, _, took = measured(data=patches.made("mm/new.c", 300_000))

    assert 0 == status
    assert "Nothing stale found, but not all that the patch touches was understood." in output
    assert took < MOST


#: Everything that a mail's writer can put where a report shows it.
EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e::error::x %0A<script>alert(1)</script>[[x]]"


@pytest.fixture(scope="module")
def steering(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    """Return a tree and a patch: an enemy wrote headers, a driver's name, its source, a comment."""
    tree = tmp_path_factory.mktemp("steering") / f"tree{EVIL.replace('/', '_')}"
    shutil.copytree(TREE, tree)
    driver = tree / "drivers/acme/acme_balloon.c"
    text = driver.read_text().replace(
        "\t__SetPageOffline(page);", f"\t__SetPageOffline(page);//{EVIL}"
    )
    (driver.parent / f"{EVIL.replace('/', '_')}.c").write_text(text)
    driver.write_text(text)
    bcc = "=?utf-8?q?=0ABcc=3A?= <b@example.org>"
    headers = (
        f"From: {EVIL} <a@example.org>\nMessage-ID: <{EVIL}@x>\nSubject: [PATCH] {EVIL}\n"
        f"\t=?utf-8?q?=1b=5b2J=0D=0ABcc:_all=40example.org?=\nCc: {bcc}\n"
        "Date: Mon, 1 Jul 2024 10:00:00 +0000\n\n"
    )
    return str(tree), headers.encode() + GOOD.partition(b"\n---\n")[2]


def steered(done: Done) -> list[str]:
    """Return the characters and lines of an output that steer whoever reads it."""
    text = done.stdout + done.stderr
    found = [c for c in text if not is_safe(c) and c not in "\n\t\ufffd"]
    found += [x for x in text.splitlines() if x.lower().startswith(("::error::x", "bcc"))]
    return found + ["script"] * ("<script>alert" in text and "<html" in text)


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_lets_a_patch_steer(name: str, steering: tuple[str, bytes]) -> None:
    tree, patch = steering
    done = offlint("check", "--tree", tree, "--all", "--format", name, "-", data=patch)

    assert 1 == done.status, done.stderr
    assert "acme_append" in done.stdout
    assert "owned" in done.stdout  # what the enemy wrote is there, and harmless
    assert [] == steered(done)


@pytest.mark.parametrize(
    "arguments",
    [
        *(("audit", "--format", name) for name in ("text", "json", "html", "html-table")),
        *(("effects", "{driver}:acme_append", "--format", name) for name in ("text", "json")),
        *(("explain", "{driver}:26", "--format", name) for name in ("text", "json")),
        ("effects", "acme_append"),
        ("explain", "{driver}:1"),
    ],
    ids=lambda arguments: " ".join(arguments[::2]),
)
def test_no_command_lets_a_tree_steer(
    arguments: tuple[str, ...], steering: tuple[str, bytes]
) -> None:
    tree, _ = steering
    driver = f"drivers/acme/{EVIL.replace('/', '_')}.c"
    done = offlint(*(a.replace("{driver}", driver) for a in arguments), "--tree", tree)

    assert done.status in (0, 1, 2)
    assert "owned" in done.stdout + done.stderr
    assert [] == steered(done)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_sweep_lets_a_patch_steer(
    form: str, steering: tuple[str, bytes], tmp_path: Path
) -> None:
    tree, patch = steering
    (tmp_path / f"{EVIL.replace('/', '_')}.patch").write_bytes(patch)
    (tmp_path / "refused.patch").write_bytes(patches.diff(EVIL.encode()))
    done = offlint("sweep", str(tmp_path), "--tree", tree, "--format", form)

    assert 1 == done.status, done.stderr
    assert 2 <= done.stdout.count("owned")
    assert [] == steered(done)
