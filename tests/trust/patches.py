"""Write mails and diffs that nobody sends who means well."""

from __future__ import annotations

import base64
import gzip

HEADERS = b"From: a@example.org\nSubject: [PATCH] x\nMIME-Version: 1.0\n"


def diff(path: str | bytes) -> bytes:
    """Return a diff that changes one line of a file."""
    name = path.encode() if isinstance(path, str) else path
    return b"--- a/%b\n+++ b/%b\n@@ -1,1 +1,1 @@\n-x\n+y\n" % (name, name)


def quoted(path: str) -> bytes:
    """Return the same with names that are quoted as git does it."""
    return diff("x").replace(b"a/x", f'"a/{path}"'.encode()).replace(b"b/x", f'"b/{path}"'.encode())


def made(path: str, lines: int = 1) -> bytes:
    """Return a diff that makes a file."""
    head = f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{lines} @@\n"
    return head.encode() + b"+int a;\n" * lines


def moved(before: str, after: str) -> bytes:
    """Return a diff that renames a file."""
    return (
        f"diff --git a/{before} b/{after}\nsimilarity index 100%\n"
        f"rename from {before}\nrename to {after}\n"
    ).encode()


def hunks(count: int, path: str = "mm/mm_init.c") -> bytes:
    """Return a diff of one file with many hunks."""
    body = b"".join(b"@@ -%d,1 +%d,1 @@\n-a\n+b\n" % (n, n) for n in range(1, count + 1))
    return f"--- a/{path}\n+++ b/{path}\n".encode() + body


def files(count: int) -> bytes:
    """Return a diff of many files that are not there."""
    return b"".join(diff(f"mm/x{n}.c") for n in range(count))


def counting(head: bytes) -> bytes:
    """Return a diff of one line whose hunk says something else."""
    return diff("mm/mm_init.c").replace(b"-1,1 +1,1", head)


def mail(body: bytes, size: int) -> bytes:
    """Return a mail that is mostly talk."""
    line = b"talk " * 15 + b"\n"
    return HEADERS + b"\n" + line * (size // len(line)) + body


def packed_bomb(size: int) -> bytes:
    """Return a mailbox that is large once it is unpacked."""
    return gzip.compress(b"\n" * size, 1)


def encoded_bomb(size: int) -> bytes:
    """Return a mail whose body is a single added line in base64."""
    body = base64.encodebytes(b"+" + b"a" * size + b"\n")
    return HEADERS + b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n" + body


def nested(layers: int, body: bytes) -> bytes:
    """Return a mail in a mail in a mail."""
    parts = (
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(layers)
    )
    return HEADERS + b"".join(parts) + b"Content-Type: text/plain\n\n" + body


def forwarded(layers: int, body: bytes) -> bytes:
    """Return a mail that was forwarded over and over."""
    return HEADERS + b"Content-Type: message/rfc822\n\n" * layers + body
