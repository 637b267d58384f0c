"""Feed the readers what no hypothesis would think of: mutate seeds, and stop at any exception.

`python -m tests.trust.fuzz --count 1000000 --seed 1` prints how many inputs went in, how long the
slowest took, and the input that broke something, if one did. `docs/fuzzing.md` records runs.
`--targets tree` breaks a driver of the demonstration and checks the whole tree, with the patch.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from analyzer.base import AnalyzerError, Pair
from analyzer.c.constants import constants, enumerators
from analyzer.c.lower import lower
from analyzer.c.macros import expand, macro_definitions
from analyzer.c.prepare import prepare
from analyzer.c.prototypes import prototypes
from analyzer.c.unit import comment_spans, scan_unit
from analyzer.idle.edits import Edits, edits_of
from analyzer.idle.nearby import idle_nearby
from analyzer.pages.facts import load_facts
from analyzer.patch import apply_patch, read_series, reverse_patch
from analyzer.pipeline import check
from analyzer.program.shape import shape_of
from analyzer.tree import MemoryTree

ROOT = Path(__file__).resolve().parents[2]
#: No input may take longer, in seconds of this process.
SLOW = 5.0
_LONGEST, _WHOLE = 600, 4000

_C_PIECES = (
    *(b"{", b"}", b"(", b")", b";", b",", b"#", b"\n", b"\\\n", b"'", b'"', b"/*", b"*/", b"//"),
    *(b"#if 0\n", b"#ifdef CONFIG_A\n", b"#else\n", b"#elif X\n", b"#endif\n", b"#define A(x) x\n"),
    *(b"if (", b"else ", b"for (;;) ", b"while (", b"do ", b"switch (", b"case 1:", b"default:"),
    *(b"goto l;", b"l:", b"break;", b"continue;", b"return ", b"({", b"})", b"->", b"??/", b"\0"),
    *(b"list_for_each_entry(", b"scoped_guard(", b"guard(", b"SetPageOffline(", b"\xff", b"\r\n"),
    *(b"__attribute__((", b"enum {", b"struct x y = {", b".a = ", b"[0] = ", b"asm(", b"typeof("),
)
_PATCH_PIECES = (
    *(b"\n--- a/x\n", b"\n+++ b/x\n", b"\n@@ -1,3 +1,3 @@\n", b"\n-", b"\n+", b"\n ", b"\\ No"),
    *(b"diff --git a/x b/x\n", b"new file mode 100644\n", b"rename from x\n", b"rename to y\n"),
    *(b"GIT binary patch\n", b"Content-Type: multipart/mixed; boundary=a\n", b"\n--a\n", b"--a--"),
    *(b"Content-Transfer-Encoding: base64\n", b"=?utf-8?q?=FF?=", b"[PATCH v2 1/3]", b"From x\n"),
    *(b"/dev/null", b"../", b".git/", b'"', b"\x1b[2J", b"\0", b"\r", b"\t", b"999999999", b"=20"),
)
_REGISTERED = (
    "static int whole_init(void)\n{\n\treturn set_online_page_callback(&acme_online_page);\n}\n"
)
TREE = MemoryTree({"x": "a\nb\nc\n", "mm/a.c": "int f(void)\n{\n\treturn 1;\n}\n"})


def _breaks(data: bytes) -> list[int]:
    return [len(line) for line in data.split(b"\n")]


def read_c(data: bytes) -> None:
    """Read C as the analysis does, all of it."""
    prepared = prepare(data)
    assert len(prepared) == len(data), "preparation keeps the length"
    assert _breaks(prepared) == _breaks(data), "preparation keeps the lines"
    unit = scan_unit("any.c", data)
    comment_spans(unit)
    prototypes(unit)
    constants(unit)
    enumerators(unit)
    macros = macro_definitions(unit)
    expand(data[:200].decode("latin-1"), macros)
    assert Edits(frozenset()) == edits_of(Pair(unit, unit)), "nothing differs from itself"
    cut = data[: len(data) // 3] + data[len(data) // 2 :]
    edits_of(Pair(scan_unit("any.c", cut), unit))
    idle_nearby(
        Pair(MemoryTree({"any.c": cut}), MemoryTree({"any.c": data})), ["any.c"], load_facts()
    )
    for found in unit.definitions.values():
        for definition in found:
            for variant in lower(unit, definition).variants:
                shape_of(variant)


def read_patch(data: bytes) -> None:
    """Read a patch, apply it, and take it back; it may be refused."""
    with contextlib.suppress(AnalyzerError):
        for patch in read_series(data, "fuzz", TREE).patches:
            done = apply_patch(TREE, patch, partial=True)
            if done.rejected or done.already_applied:
                continue
            undone = apply_patch(done.tree, reverse_patch(patch))
            for path in {c.before for c in patch.files} - {None}:
                assert undone.tree.read(str(path)) == TREE.read(str(path)), "reverse(apply(p))"


def read_tree(data: bytes) -> None:
    """Check the demonstration's patch on its tree, in which two drivers hold the data."""
    texts, patch = demonstration()
    text = data.decode("latin-1")
    # One is reached by its own name, the other one, cut anywhere, by that of a sound callback.
    files = {**texts, "drivers/evil/one.c": text, "drivers/evil/two.c": f"{_REGISTERED}{text}"}
    tree = MemoryTree(files)
    result = check(read_series(patch, "demo", tree), tree)
    for found in result.findings:
        if "evil" in found.file:
            assert found.span.line <= files[found.file].count("\n") + 1, "a line of the file"


@cache
def demonstration() -> tuple[dict[str, str], bytes]:
    """Return the demonstration without its balloon driver, and its patch."""
    folder = ROOT / "fixtures" / "demo"
    files = sorted(p for p in (folder / "tree").rglob("*.[ch]") if "acme" not in p.parts)
    texts = {p.relative_to(folder / "tree").as_posix(): p.read_text() for p in files}
    return texts, (folder / "change.patch").read_bytes()


TARGETS: dict[str, tuple[Callable[[bytes], None], tuple[bytes, ...]]] = {
    "C": (read_c, _C_PIECES),
    "patch": (read_patch, _PATCH_PIECES),
    "tree": (read_tree, _C_PIECES),
}


def seeds(target: str) -> list[bytes]:
    """Return stretches of the fixtures to begin with."""
    suffixes = (".patch", ".mbox") if target == "patch" else (".c", ".h")
    folder = ROOT / "fixtures"
    paths = sorted(p for p in folder.rglob("*") if p.suffix in suffixes)
    if target == "tree":  # whole drivers, so that what is left of them is reached
        drivers = [p for p in paths if "drivers" in p.parts and p.suffix == ".c"]
        return [p.read_bytes() for p in drivers if p.stat().st_size < _WHOLE]
    found = []
    for path in paths:
        data = path.read_bytes()
        found += [data[at : at + _LONGEST] for at in range(0, min(len(data), 4 * _LONGEST), 300)]
    return found


def mutated(data: bytes, pieces: Sequence[bytes], pool: Sequence[bytes], r: random.Random) -> bytes:
    """Return bytes with one to six things done to them."""
    most = max(len(data), _LONGEST)
    for _ in range(r.randint(1, 6)):
        at = r.randint(0, len(data))
        end = min(len(data), at + r.randint(0, 24))
        match r.randint(0, 6):
            case 0:
                data = data[:at] + r.choice(pieces) + data[at:]
            case 1:
                data = data[:at] + data[end:]
            case 2:
                data = data[:end] + data[at:end] * r.randint(1, 4) + data[end:]
            case 3:
                data = data[:at] + r.choice(pieces) + data[end:]
            case 4:
                data = data[:at] + bytes([r.randint(0, 255)]) + data[at + 1 :]
            case 5:
                other = r.choice(pool)
                cut = r.randint(0, len(other))
                data = data[:at] + other[cut : cut + r.randint(0, 80)] + data[end:]
            case _:
                data = r.choice(pieces) * r.randint(1, 12) + data[at:]
    return data[:most]


def fuzz(
    count: int,
    seed: int,
    *,
    targets: Sequence[str] = ("C", "patch"),
    seconds: float = float("inf"),
) -> Counter[str]:
    """Feed so many inputs, or as many as there is time for; raise what an input raises."""
    r = random.Random(seed)
    pools = {name: seeds(name) for name in targets}
    done: Counter[str] = Counter()
    began = time.monotonic()
    for n in range(count):
        name = targets[n % len(targets)]
        read, pieces = TARGETS[name]
        pool = pools[name]
        data = mutated(r.choice(pool), pieces, pool, r)
        start = time.process_time()
        try:
            read(data)
        except BaseException:
            sys.stderr.write(f"input {n} of seed {seed} for {name}: {data!r}\n")
            raise
        took = time.process_time() - start
        assert took < SLOW, f"{took:.1f} s for {name}: {data!r}"
        done[name] += 1
        done["slowest, in microseconds"] = max(done["slowest, in microseconds"], int(took * 1e6))
        if n % 10_000 == 0:
            sys.stdout.write(f"{n} {dict(done)} {time.monotonic() - began:.0f} s\n")
            sys.stdout.flush()
        if time.monotonic() - began > seconds:
            break
    return done


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=["C", "patch"])
    asked = parser.parse_args()
    sys.stdout.write(f"{dict(fuzz(asked.count, asked.seed, targets=asked.targets))}\n")


if __name__ == "__main__":
    main()
