"""Drop, guard and add statements: what the C looks like afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from analyzer.c.unit import scan_unit
from analyzer.fixes.edit import added, dropped, guarded
from analyzer.fixes.site import Site, site_at

OPERATION = "__SetPageOffline(page)"
HEAD = "static void f(struct page *page, bool kept, int nr)\n{\n"


def body_of(text: str) -> str:
    return HEAD + text.strip("\n") + "\n}\n"


def site(text: str, operation: str = OPERATION) -> Site:
    data = text.encode()
    at = data.index(operation.encode())
    found = site_at(scan_unit("drivers/foo/foo.c", data), at, at + len(operation))
    assert found is not None, "the operation is a statement"
    return found


def edited(edit: Callable[[Site], bytes | None], text: str) -> str | None:
    """Return the body that an edit makes of a body; None where it declines."""
    new = edit(site(body_of(text)))
    if new is None:
        return None
    return new.decode().removeprefix(HEAD).removesuffix("}\n")


def case(name: str, before: str, after: str | None) -> object:
    return pytest.param(before, None if after is None else after.lstrip("\n"), id=name)


DROPS = [
    case(
        "a line goes",
        """
	lock();
	__SetPageOffline(page);
	unlock();
""",
        """
	lock();
	unlock();
""",
    ),
    case(
        "its comment goes with it",
        """
	lock();
	/* Mark it: nobody else does. */
	__SetPageOffline(page);

	unlock();
""",
        """
	lock();

	unlock();
""",
    ),
    case(
        "a comment on what follows stays",
        """
	lock();
	/* Mark and count. */
	__SetPageOffline(page);
	count(page);
""",
        """
	lock();
	/* Mark and count. */
	count(page);
""",
    ),
    case(
        "no two blank lines stay",
        """
	lock();

	__SetPageOffline(page);

	unlock();
""",
        """
	lock();

	unlock();
""",
    ),
    case(
        "the only statement of an if takes the if away",
        """
	lock();
	if (!PageOffline(page))
		__SetPageOffline(page);
	unlock();
""",
        """
	lock();
	unlock();
""",
    ),
    case(
        "a condition that does something is not taken away",
        """
	lock();
	if (try_to_get(page))
		__SetPageOffline(page);
	unlock();
""",
        None,
    ),
    case(
        "a block of two loses its braces",
        """
	if (kept) {
		SetPageDirty(page);
		__SetPageOffline(page);
	}
""",
        """
	if (kept)
		SetPageDirty(page);
""",
    ),
    case(
        "a block with an else keeps its braces",
        """
	if (kept) {
		SetPageDirty(page);
		__SetPageOffline(page);
	} else {
		count(page);
		put(page);
	}
""",
        """
	if (kept) {
		SetPageDirty(page);
	} else {
		count(page);
		put(page);
	}
""",
    ),
    case(
        "an else takes the place of its if",
        """
	if (kept)
		__SetPageOffline(page);
	else
		put(page);
""",
        """
	if (!kept)
		put(page);
""",
    ),
    case(
        "an else block takes the place of its if",
        """
	if (!PageOffline(page)) {
		__SetPageOffline(page);
	} else {
		count(page);
		put(page);
	}
""",
        """
	if (PageOffline(page)) {
		count(page);
		put(page);
	}
""",
    ),
    case(
        "an else goes",
        """
	if (kept)
		put(page);
	else
		__SetPageOffline(page);
""",
        """
	if (kept)
		put(page);
""",
    ),
    case(
        "an else-if goes",
        """
	if (kept)
		put(page);
	else if (nr > 1)
		__SetPageOffline(page);
""",
        """
	if (kept)
		put(page);
""",
    ),
    case(
        "an emptied loop goes, and its counter",
        """
	int i;

	lock();
	for (i = 0; i < nr; i++)
		__SetPageOffline(page);
	unlock();
""",
        """
	lock();
	unlock();
""",
    ),
    case(
        "a counter that is declared with others goes alone",
        """
	int i, rc;

	rc = lock();
	for (i = 0; i < nr; i++)
		__SetPageOffline(page);
	unlock(rc);
""",
        """
	int rc;

	rc = lock();
	unlock(rc);
""",
    ),
    case(
        "a loop whose cursor is used later stays",
        """
	for (; nr--; page++)
		__SetPageOffline(page);
	put(page);
""",
        None,
    ),
    case(
        "a loop that waits stays",
        """
	while (busy(page))
		__SetPageOffline(page);
""",
        None,
    ),
    case(
        "a function does not become empty",
        """
	__SetPageOffline(page);
""",
        None,
    ),
    case(
        "the only statement of a case stays",
        """
	switch (nr) {
	case 1:
		__SetPageOffline(page);
	}
""",
        None,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), DROPS)
def test_drop(before: str, after: str | None) -> None:
    assert after == edited(dropped, before)


GUARDS = [
    case(
        "a line gets a test",
        """
	lock();
	__SetPageOffline(page);
""",
        """
	lock();
	if (!PageOffline(page))
		__SetPageOffline(page);
""",
    ),
    case(
        "an if gets another condition",
        """
	if (kept)
		__SetPageOffline(page);
""",
        """
	if (kept && !PageOffline(page))
		__SetPageOffline(page);
""",
    ),
    case(
        "alternatives are put in parentheses",
        """
	if (kept || nr)
		__SetPageOffline(page);
""",
        """
	if ((kept || nr) && !PageOffline(page))
		__SetPageOffline(page);
""",
    ),
    case(
        "an else gets an if",
        """
	if (kept)
		put(page);
	else
		__SetPageOffline(page);
""",
        """
	if (kept)
		put(page);
	else if (!PageOffline(page))
		__SetPageOffline(page);
""",
    ),
    case(
        "an if with an else gets braces: the else must stay its own",
        """
	if (kept)
		__SetPageOffline(page);
	else
		put(page);
""",
        """
	if (kept) {
		if (!PageOffline(page))
			__SetPageOffline(page);
	} else {
		put(page);
	}
""",
    ),
    case(
        "a loop gets braces",
        """
	for (; nr--; page++)
		__SetPageOffline(page);
""",
        """
	for (; nr--; page++) {
		if (!PageOffline(page))
			__SetPageOffline(page);
	}
""",
    ),
    case(
        "a label stays where it is",
        """
	goto out;
out:
	__SetPageOffline(page);
""",
        """
	goto out;
out:
	if (!PageOffline(page))
		__SetPageOffline(page);
""",
    ),
    case(
        "an else behind an #endif takes a person",
        """
#ifdef CONFIG_FOO
	if (kept)
		put(page);
	else
#endif
	for (; nr--; page++)
#ifdef CONFIG_BAR
		count(page);
#else
		__SetPageOffline(page);
#endif
""",
        None,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), GUARDS)
def test_guard(before: str, after: str | None) -> None:
    assert after == edited(lambda s: guarded(s, "!PageOffline(page)"), before)


ADDITIONS = [
    case(
        "a line above",
        """
	lock();
	__SetPageOffline(page);
""",
        """
	lock();
	wipe(page);
	__SetPageOffline(page);
""",
    ),
    case(
        "above the comment",
        """
	lock();
	/* Keep it. */
	__SetPageOffline(page);
""",
        """
	lock();
	wipe(page);
	/* Keep it. */
	__SetPageOffline(page);
""",
    ),
    case(
        "an if gets braces",
        """
	if (kept)
		__SetPageOffline(page);
""",
        """
	if (kept) {
		wipe(page);
		__SetPageOffline(page);
	}
""",
    ),
    case(
        "both arms get braces",
        """
	if (kept)
		__SetPageOffline(page);
	else
		put(page);
""",
        """
	if (kept) {
		wipe(page);
		__SetPageOffline(page);
	} else {
		put(page);
	}
""",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), ADDITIONS)
def test_addition_before(before: str, after: str | None) -> None:
    assert after == edited(lambda s: added(s, ("wipe(page);",)), before)


def test_addition_after_the_only_statement_of_a_loop() -> None:
    text = "\tfor (; nr--; page++)\n\t\t__SetPageOffline(page);\n\tput(page);"

    new = edited(lambda s: added(s, ("if (kept)", "\twipe(page);"), after=True), text)

    assert (
        "\tfor (; nr--; page++) {\n\t\t__SetPageOffline(page);\n\t\tif (kept)\n"
        "\t\t\twipe(page);\n\t}\n\tput(page);\n"
    ) == new


@pytest.mark.parametrize("text", ["return TestSetPageOffline(page);", "x = f(page) + 1;"])
def test_an_operation_that_is_no_statement_has_no_site(text: str) -> None:
    data = body_of("\t" + text).encode()
    at = data.index(b"(page)") - 1
    unit = scan_unit("drivers/foo/foo.c", data)

    assert site_at(unit, at, at + 7) is None
