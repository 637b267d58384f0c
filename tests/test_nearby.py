"""A patch is told to be idle by its own files only where no page can come near it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.base import Pair
from analyzer.idle.nearby import NO_PAGE, idle_nearby
from analyzer.pages.facts import load_facts
from analyzer.pipeline import check
from analyzer.tree import Hits, MemoryTree

from .fixture.harness import common_files, series_of, unified

PATH = "drivers/tick/tick.c"
#: In this tree every statement below is one by which a page could come near, or none.
SOURCE = """\
// SPDX-License-Identifier: GPL-2.0
#include <linux/clk.h>
#include "tick.h"

#define TICK_MOST 12
#define tick_drop(p) __ClearPageOffline(p)
#define tick_bound(t) min((t)->rate, TICK_MOST)

struct tick {
	struct clk *clk;
	int rate;
};

static struct tick_ops tick_first = { 1 };
int tick_declared(unsigned long start);

static int tick_rate(int hz)
{
	return hz * 2;
}

static void tick_give(unsigned long start)
{
	online_those(start);
}

static int tick_hook(unsigned long first)
{
	return tick_external(first);
}

int tick_start(struct tick *t, unsigned long start, int hz)
{
	int ret;

	mutex_lock(&t->lock);
	ret = clk_prepare_enable(t->clk);
	BODY
	mutex_unlock(&t->lock);
	return ret;
}
"""


class Unsearched(MemoryTree):
    """A tree that nobody may search."""

    def search(self, words: object, folders: object = ()) -> Hits:
        raise AssertionError(f"searched for {words} in {folders}")


def source(statement: str) -> str:
    return SOURCE.replace("BODY", statement)


def verdict(before: str | None, after: str | None, path: str = PATH) -> str | None:
    """Return what is said without a search; None is a tree without the file."""
    files = [{} if text is None else {path: text} for text in (before, after)]
    trees = Pair(Unsearched(files[0]), Unsearched(files[1]))
    return idle_nearby(trees, (path,), load_facts())


@pytest.mark.parametrize(
    "statement",
    [
        "t->rate = tick_rate(hz);",
        "t->rate = tick_bound(t);",
        "tick_unknown(t, &t->rate, TICK_MOST, 3, hz, NULL);",
        'dev_info(t->dev, "started at %lu", start);',
        "regmap_write(t->map, 4, start);",
        "if (t->rate > 3)\n\t\tret = -EINVAL;",
        "t->ops->stop(t);",
        "ret = request_firmware(&t->image, t->names[hz], t->dev);",
        'pci_warn(t->pci, "starts at %lu", t->start);',
        "ret = after(t->start, start + 1);",
        "t->mode = hz;",
        "t->when = jiffies;",
        "t->ops = &tick_first;",  # a variable of the file
    ],
)
def test_what_leads_to_no_page_is_idle_without_a_search(statement: str) -> None:
    assert NO_PAGE == verdict(source(""), source(statement))
    assert NO_PAGE == verdict(source(statement), source(""))


@pytest.mark.parametrize(
    "statement",
    [
        "SetPageReserved(t->p);",  # an operation
        "tick_drop(t->p);",  # a macro of the file that is one
        "tick_give(start);",  # a function of the file that passes a number on
        "online_those(start);",  # a function of another file that may make it into a page
        "online_those(t->start);",
        "afterwards(t->start, start + 1);",  # only begins like a harmless one
        "request_firmware_pages(t->start);",  # a harmless name that speaks of pages
        "online_those(start >> 12);",
        "online_those(tick_first(t));",
        "FOR_EACH_TICK(start)\n\t\tret = 0;",  # a macro of a header
        "t->ops->online(start);",  # through a pointer
        "t->hooks[hz](start);",
        "(*tick_do)(start);",
        "t->hook = tick_hook;",  # a function that a number is passed to by others
        "t->hook = online_those;",  # one of another file
        "t->hook = tick_declared;",  # that is declared here
        "register_memory_notifier(&t->nb);",  # a registration
        "set_online_page_callback(&tick_cb);",
        "t->p = alloc_page(GFP_KERNEL);",
        "list_add(&t->list, &tick_list);",  # what pages travel by
        "memblock_free_pages(t->p, start, 0);",
    ],
)
def test_what_may_lead_to_a_page_is_left_to_the_search(statement: str) -> None:
    assert verdict(source(""), source(statement)) is None
    assert verdict(source(statement), source("")) is None


#: A table of functions, and one of another driver's, behind the last function.
TABLE = "\nstatic const struct tick_ops tick_ops = {\n\t.begin = tick_start,\n};\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("#include <linux/clk.h>\n", "#include <linux/clk.h>\n#include <linux/of.h>\n"),
        ("#define TICK_MOST 12", "#define TICK_MOST 13"),
        ("#define TICK_MOST 12", "#define TICK_MOST 12\n#define TICK_LEAST \\\n\t2"),
        ("int rate;", "int rate, top;"),
        ("struct tick {", "struct tock {\n\tint when;\n};\n\nstruct tick {"),
        ("static int tick_rate(int hz)", "static u32 tick_rate(int hz)"),
        ("static int tick_rate(int hz)", "static int tick_rate(int hz, int by)"),  # uncalled
        ("int tick_start(", "static void tick_none(void)\n{\n}\n\nint tick_start("),
        ("\treturn ret;\n}\n", '\treturn ret;\n}\nMODULE_LICENSE("GPL");\n'),
        ("\treturn ret;\n}\n", "\treturn ret;\n}\n" + TABLE),
        ("\treturn ret;\n}\n", "\treturn ret;\n}\n" + TABLE.replace("tick_start", "kfree")),
    ],
)
def test_what_stands_outside_of_functions_and_is_nothing_to_pages_is_idle(
    old: str, new: str
) -> None:
    assert old in SOURCE

    assert NO_PAGE == verdict(source(""), source("").replace(old, new))
    assert NO_PAGE == verdict(source("").replace(old, new), source(""))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("static int tick_rate(int hz)", "int tick_rate(int hz)"),  # who else has one?
        ("int tick_start(", "int tick_none(void)\n{\n\treturn 0;\n}\n\nint tick_start("),
        ("tick_start(struct tick *t,", "tick_start(struct tick *t, int by,"),  # who calls it?
        ("tick_hook(unsigned long first)", "tick_hook(unsigned long first, int by)"),
        ('#include "tick.h"\n', '#include "tock.h"\n'),  # what it may define
        ("int tick_start(", "#ifdef CONFIG_TICK\nint tick_start("),
        ("tick_drop(p) __ClearPageOffline(p)", "tick_drop(p) barrier()"),
        ("int rate;", "int rate;\n\tstruct page *p;"),
        ("#define TICK_FIRST 1", "#define TICK_FIRST 2"),  # where a number is passed on
        ("#define TICK_OTHER 7", "#define TICK_OTHER 8"),  # there too, by a macro of a macro
        ("\treturn ret;\n}\n", "\treturn ret;\n}\n" + TABLE.replace("tick_start", "tick_hook")),
        ("\treturn ret;\n}\n", "\treturn ret;\n}\n" + TABLE.replace("tick_start", "online_those")),
        ("\treturn ret;\n}\n", "\treturn ret;\n}\nhotplug_memory_notifier(tick_rate, 0);\n"),
        (
            "\treturn ret;\n}\n",
            "\treturn ret;\n}\n" + TABLE.replace("tick_start,", "online_those"),
        ),
        (
            "\treturn ret;\n}\n",
            "\treturn ret;\n}\nint tick_all(int);\n" + TABLE.replace("tick_start", "tick_all"),
        ),
    ],
)
def test_what_may_mean_something_to_pages_outside_of_functions_is_left_to_the_search(
    old: str, new: str
) -> None:
    before = source("t->rate = tick_hook(hz);")
    before = before.replace("online_those(start);", "online_those(start + TICK_BASE);")
    before = before.replace(
        "#define TICK_MOST",
        "#define TICK_OTHER 7\n#define TICK_FIRST 1\n#define TICK_BASE (TICK_FIRST + TICK_OTHER)\n"
        "#define TICK_MOST",
    )
    assert old in before

    assert verdict(before, before.replace(old, new)) is None
    assert verdict(before.replace(old, new), before) is None


HEADER = """\
#ifndef TICK_H
#define TICK_H

#define TICK_TOP 12

enum tick_mode { TICK_SLOW, TICK_FAST };

struct tick {
	int rate;
};

int tick_start(struct tick *t);

static inline int tick_rate(int hz)
{
	return hz;
}

#endif
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('#include "tock.h"\n', '#include "tick.h"\n'),
        ("static int tick_rate", "#ifdef CONFIG_TICK\nstatic int tick_rate"),
    ],
)
def test_where_any_function_may_be_another_one_all_of_them_count(old: str, new: str) -> None:
    before = '#include "tock.h"\n\nstatic int tick_rate(int hz)\n{\n\treturn hz;\n}\n'
    beside = "\nvoid tick_back(unsigned long start)\n{\n\tonline_those(start);\n}\n"
    assert old in before

    assert NO_PAGE == verdict(before, before.replace(old, new))
    assert verdict(before + beside, before.replace(old, new) + beside) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("int rate;", "int rate;\n\tint top;"),
        ("tick_start(struct tick *t);", "tick_start(struct tick *t);\nint tick_stop(void);"),
        ("return hz;", "return hz * 2;"),
        ("#define TICK_H\n", "#define TICK_H\n\n#include <linux/of.h>\n"),
    ],
)
def test_a_header_that_names_nothing_else_is_idle(old: str, new: str) -> None:
    assert old in HEADER

    assert NO_PAGE == verdict(HEADER, HEADER.replace(old, new, 1), "include/linux/tick.h")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("TICK_TOP 12", "TICK_TOP 13"),
        ("TICK_SLOW,", "TICK_SLOW = 1,"),
        ("static inline int tick_rate", "static inline bool tick_rate"),
        ("return hz;", "return online_those(hz << 1);"),
        ("int tick_start(", "void __noreturn tick_start("),
        ("#ifndef TICK_H", "#ifndef _TICK_H"),
        ("int rate;", "struct folio *f;"),
        ("int rate;", 'int rate;\n#include "tock.h"'),
    ],
)
def test_a_header_by_which_others_may_meet_something_else_is_left_to_the_search(
    old: str, new: str
) -> None:
    assert old in HEADER

    assert verdict(HEADER, HEADER.replace(old, new, 1), "include/linux/tick.h") is None


def test_a_file_that_only_one_tree_has_is_idle_where_all_of_it_is() -> None:
    aside = "static int tick_rate(int hz)\n{\n\treturn hz;\n}\n"
    near = aside + "\nstatic int tick_go(unsigned long at)\n{\n\treturn online_those(at);\n}\n"

    for text, why in ((aside, NO_PAGE), (near, None), (aside.replace("static ", ""), None)):
        assert why == verdict(None, text)
        assert why == verdict(text, None)
    assert verdict(None, None) is None


@pytest.mark.parametrize("head", ["struct page *page", "struct folio *f", "unsigned long pfn"])
def test_a_function_that_is_passed_a_page_is_left_to_the_search(head: str) -> None:
    before = f"static int tick_may_keep({head})\n{{\n\treturn 1;\n}}\n"

    assert verdict(before, before.replace("1", "0")) is None


def test_a_macro_that_hides_an_operation_is_found_to_be_stale() -> None:
    """The near miss in full: by its words alone the change looks idle, and it is not."""
    core = common_files("strict", "after")
    driver = source("").replace("hz * 2", "hz")
    wrapper = driver.replace("BODY", "").replace(
        "	online_those(start);", "	tick_drop(pfn_to_page(start));"
    )
    files = {**core, PATH: wrapper}
    edited = {**files, PATH: wrapper.replace("\tret = clk", "\ttick_give(start);\n\tret = clk")}

    result = check(series_of(files, unified(files, edited)), MemoryTree(files))

    assert result.files_read > 0


def test_an_idle_patch_reads_no_file_of_the_tree() -> None:
    core = common_files("strict", "after")
    files = {**core, PATH: source("")}
    edited = {**files, PATH: source("t->rate = tick_rate(hz);")}

    result = check(series_of(files, unified(files, edited)), Unsearched(files))

    assert (NO_PAGE, 0) == (result.unmoved, result.files_read)


def test_an_idle_patch_does_not_wait_for_the_analysis_to_be_loaded(tmp_path: Path) -> None:
    (tmp_path / PATH).parent.mkdir(parents=True)
    (tmp_path / PATH).write_text(source(""))
    (tmp_path / "Makefile").touch()
    (tmp_path / "change.patch").write_text(
        unified({PATH: source("")}, {PATH: source("t->rate = tick_rate(hz);")})
    )
    program = (
        "import sys; from analyzer.cli import main\n"
        f"status = main(['check', '--no-cache', '--tree', {str(tmp_path)!r},"
        f" {str(tmp_path / 'change.patch')!r}])\n"
        "sys.exit(status or 'analyzer.flow.interpret' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert (0, b"") == (done.returncode, done.stderr)
    assert NO_PAGE.encode() in done.stdout
