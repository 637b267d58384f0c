"""Post one check a patch to Patchwork."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from json import dumps, loads
from urllib.parse import urlsplit

from analyzer.base import AnalyzerError, Severity
from analyzer.findings import PatchInfo, Result
from analyzer.post.client import Client, Json
from analyzer.post.deliver import Found, Item, Outcome, deliver
from analyzer.post.ledger import Ledger
from analyzer.post.report import open_findings
from analyzer.post.text import brief
from analyzer.report import words
from analyzer.report.plain import plain

VARIABLES = ("OFFLINT_PATCHWORK_TOKEN", "PATCHWORK_TOKEN")
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,255}")
_URL_MOST = 200
_STATES = {Severity.ERROR: "fail", Severity.WARNING: "warning", Severity.NOTE: "success"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Where checks go: a Patchwork, which of its projects, and under which name they stand there.

    ids names the patches there, in order; empty where Patchwork is asked by Message-Id.
    """

    url: str
    project: str | None
    context: str
    target_url: str | None
    ids: Sequence[int] = ()


def headers(token: str) -> dict[str, str]:
    """Return what tells Patchwork who we are."""
    return {"Authorization": f"Token {token}"}


def checks(result: Result, board: Board) -> tuple[tuple[PatchInfo, Item], ...]:
    """Return the check of every patch of the series."""
    if not _SLUG.fullmatch(board.context):
        raise AnalyzerError(
            f"--context {board.context!r}: Patchwork takes letters, digits, - and _, at most 255"
        )
    if board.target_url and len(board.target_url) > _URL_MOST:
        raise AnalyzerError(f"--target-url: Patchwork takes at most {_URL_MOST} characters")
    if board.target_url and not _is_address(board.target_url):
        raise AnalyzerError(
            f"--target-url {plain(board.target_url)}: Patchwork takes https://HOST.DOMAIN/..."
        )
    if board.ids and len(board.ids) != len(result.patches):
        raise AnalyzerError(
            f"--patch-id: {len(board.ids)} given, but the report is on {len(result.patches)} "
            "patches"
        )
    return tuple((p, _check(p, result, board)) for p in result.patches)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    known = host == "localhost" or "." in host.strip(".") or ":" in host
    return parts.scheme in ("http", "https") and known and not re.search(r"\s", url)


def _doubt(patch: PatchInfo, result: Result) -> list[str]:
    """Say what of a patch was not judged; nothing where all of it was."""
    left = tuple(x for x in result.left_out if x.patch == patch.index)
    if patch.index in result.unjudged:
        return [f"not judged: {result.stopped}"]
    cut = ["not everything was judged"] if result.is_cut else []
    return [*cut, *([words.partial(replace(result, left_out=left))] if left else [])]


def _check(patch: PatchInfo, result: Result, board: Board) -> Item:
    mine = [f for f in open_findings(result) if f.introduced_by == patch.index]
    doubt = _doubt(patch, result)
    worst = max((f.severity for f in mine), key=lambda s: s.rank, default=Severity.NOTE)
    if doubt and worst is Severity.NOTE:
        worst = Severity.WARNING
    body = {
        "state": _STATES[worst],
        "context": board.context,
        "description": "; ".join((*doubt, *([brief(mine)] if mine or not doubt else []))),
        **({"target_url": board.target_url} if board.target_url else {}),
    }
    name = str(board.ids[patch.index - 1]) if board.ids else patch.message_id
    if not name:
        raise AnalyzerError(
            f"patch {patch.index} ({patch.subject}) has no Message-Id in the report: name the "
            "patches by --patch-id"
        )
    return Item(
        key=f"patchwork {board.url} {name} {board.context}",
        title=f"check `{board.context}` on patch {patch.index}, {patch.subject}",
        text=dumps(body),
        once=False,
    )


def post(result: Result, board: Board, client: Client, ledger: Ledger) -> Iterator[Outcome]:
    """Post the checks; one that stands there already with the same words is left alone."""
    for patch, item in checks(result, board):
        number = board.ids[patch.index - 1] if board.ids else _number(patch, board, client)
        yield _post_one(item, f"patches/{number}/checks/", client, ledger)


def _post_one(item: Item, path: str, client: Client, ledger: Ledger) -> Outcome:
    body = loads(item.text)
    return deliver(
        item,
        ledger,
        client.patience,
        lambda _unsure: _newest(client, path, body),
        lambda _found: str(client.write("POST", path, body)["id"]),
    )


def _newest(client: Client, path: str, body: Json) -> Found | None:
    """Return the check that counts: of those with one context the newest does."""
    context = body["context"]
    held = [c for c in client.pages(path, context=context) if c["context"] == context]
    if not held:
        return None
    last = max(held, key=lambda c: int(c["id"]))
    same = all((last.get(k) or None) == body.get(k) for k in ("state", "description", "target_url"))
    return Found(str(last["id"]), same)


def _number(patch: PatchInfo, board: Board, client: Client) -> int:
    project = {"project": board.project} if board.project else {}
    held = []
    for found in client.pages("patches/", msgid=patch.message_id, **project):
        # Before 1.2 the API passes over a filter that it does not know, and lists every patch.
        if found["msgid"] != f"<{patch.message_id}>":
            raise AnalyzerError(
                f"{board.url}: its API does not look for a Message-Id, 1.2 does: name the patches "
                "by --patch-id"
            )
        held.append(found)
    if len(held) != 1:
        amount = f"{len(held)} patches" if held else "no patch"
        hint = "; --project says in which project" if held and not board.project else ""
        raise AnalyzerError(f"{board.url}: {amount} with Message-Id <{patch.message_id}>{hint}")
    return int(held[0]["id"])
