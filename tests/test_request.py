"""What the user named must become the series and the trees that a report speaks of."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.base import Gap
from analyzer.request import Request, open_request

SOURCE = "int one(void)\n{\n\treturn 1;\n}\n\nint two(void)\n{\n\treturn 2;\n}\n"
FIRST = """\
--- a/mm/x.c
+++ b/mm/x.c
@@ -6,4 +6,4 @@
 int two(void)
 {
-\treturn 2;
+\treturn 3;
 }
"""


@pytest.fixture
def request_(tmp_path: Path) -> Request:
    (tmp_path / "mm").mkdir()
    (tmp_path / "mm/x.c").write_text(SOURCE)
    patch = tmp_path / "two.patch"
    patch.write_text(FIRST)
    with Path("/dev/null").open("rb") as nothing:
        return open_request(str(patch), str(tmp_path), None, None, nothing)


def test_a_file_is_read_as_it_is_after_each_patch(request_: Request) -> None:
    before, after = (request_.read("mm/x.c", n) for n in (0, 1))

    assert SOURCE.encode() == before
    assert SOURCE.replace("return 2", "return 3").encode() == after
    assert request_.read("mm/x.c", 2) is None


@pytest.mark.parametrize(
    ("gap", "touched"),
    [
        (Gap("syntax", "mm/x.c", 8, "two", ""), True),
        (Gap("syntax", "mm/x.c", 3, "one", ""), False),
        (Gap("syntax", "mm/x.c", 0, "", ""), True),
        (Gap("syntax", "mm/x.c", 8, "", ""), True),
        (Gap("syntax", "mm/x.c", 3, "", ""), False),
        (Gap("syntax", "mm/y.c", 8, "two", ""), False),
    ],
)
def test_only_gaps_in_what_is_changed_count(request_: Request, gap: Gap, touched: bool) -> None:
    assert touched == request_.touches(gap)
