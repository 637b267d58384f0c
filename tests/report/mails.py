"""The mails of the small series that the results speak of."""

from __future__ import annotations

from analyzer.letters import letters_of
from analyzer.patch.read import read_series
from analyzer.report.letter import Letter

_HEAD = """\
From mboxrd@z Thu Jan  1 00:00:00 1970
From: Ann Author <ann@example.org>
Date: Mon, 1 Jul 2024 10:00:0%(n)d +0200
Subject: [PATCH %(n)d/2] %(subject)s
Message-ID: <%(n)d@example.org>
In-Reply-To: <0@example.org>
References: <0@example.org>
To: linux-mm@example.org
Cc: =?utf-8?q?J=C3=B6rg?= Reader <joerg@example.org>, ann@example.org,
 "Maintainer, Max" <max@example.org>

"""
FIRST = (
    _HEAD % {"n": 1, "subject": "mm: prepare"}
    + """\
diff --git a/mm/init.c b/mm/init.c
--- a/mm/init.c
+++ b/mm/init.c
@@ -1,5 +1,5 @@
-void init_range(long pfn)
+void init_range(unsigned long pfn)
 {
 \tstruct page *page = pfn_to_page(pfn);
\x20
 \t__SetPageReserved(page);
--
2.45
"""
)
SECOND = (
    _HEAD % {"n": 2, "subject": "mm: change how pages start"}
    + """\
Pages start another way now.
---
 mm/init.c | 2 +-

diff --git a/mm/init.c b/mm/init.c
index 0123456..789abcd 100644
--- a/mm/init.c
+++ b/mm/init.c
@@ -2,5 +2,5 @@ void init_range(unsigned long pfn)
 {
 \tstruct page *page = pfn_to_page(pfn);
\x20
-\t__SetPageReserved(page);
+\t__SetPageOffline(page);
 }
--
2.45
"""
)
SERIES = (FIRST + SECOND).encode()


def letters(data: bytes = SERIES) -> tuple[Letter, ...]:
    """Return the letters of a mailbox."""
    return letters_of(read_series(data, "series.mbox", None))
